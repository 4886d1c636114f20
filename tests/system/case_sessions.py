"""Connections that are open, as `sallyport sessions` shows them."""

import json
import os
import socket
import struct

from case_admin import Wire, bearer
from case_users import basic, settings
from lab import hello
from lab.case import Group, eventually

RULES = [{"name": "Left alone", "match": {"hosts": ["ec.lab.test"]},
          "action": "do-not-inspect"}]

sessions = Group("sessions", config=lambda lab: {
    "ssl-rules": RULES, "limits": {"connect-timeout": "5s"}})
users = Group("sessions/users", config=settings)


def live(t, *more):
    done = t.run(t.binary, "sessions", "--json", *more, "-c", t.proxy.file)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def one(t, sock, step=None):
    """What is told of a connection of ours, once it is at that step."""
    port = sock.getsockname()[1]

    def find():
        found = [s for s in live(t)["sessions"] if s["clientPort"] == port]
        return found if found and step in (None, found[0]["step"]) else None
    found = eventually(find)
    assert found and len(found) == 1, (step, live(t))
    return found[0]


@sessions.case
def one_that_idles(t):
    sock = t.dial()
    sock.sendall(b"GET http://web.lab.test/1k HTTP/1.1\r\n"
                 b"Host: web.lab.test\r\n\r\n")
    assert sock.recv(1)
    assert eventually(lambda: one(t, sock, "serve")["waitsFor"] == "request")
    told = one(t, sock)
    assert told["step"] == "serve" and told["waitsFor"] == "request", told
    assert told["client"] == "127.0.0.1" and told["listener"] == "proxy", told
    assert told["bytesIn"] > 40 and told["bytesOut"] > 1024, told
    assert "user" not in told and told["host"] == "web.lab.test", told
    assert told["ageMs"] >= told["stepMs"] >= 0, told


@sessions.case
def one_that_has_begun_a_head(t):
    sock = t.dial()
    sock.sendall(b"GET http://web.lab.test/")
    assert eventually(lambda: one(t, sock)["waitsFor"] ==
                      "rest of the request's head"), one(t, sock)


@sessions.case
def a_tunnel(t):
    sock = t.tls("ec.lab.test", trust=t.lab.pki.root)
    told = one(t, sock, "relay")
    assert told["waitsFor"] == "either side", told
    assert told["host"] == "ec.lab.test" and told["port"] == 443, told


@sessions.case
def half_a_hello(t):
    sock = t.tunnel("rsa.lab.test")
    sock.sendall(hello.records(hello.message("rsa.lab.test"))[:40])
    assert eventually(lambda: one(t, sock, "peek")["waitsFor"] ==
                      "rest of the ClientHello"), one(t, sock)


@sessions.case
def an_origin_that_says_nothing(t):
    """What is waited for is the origin's, and which part of it."""
    sock = t.tunnel("mute.lab.test")
    sock.sendall(hello.records(hello.message("mute.lab.test")))
    told = one(t, sock, "leaf")
    assert told["waitsFor"] == "TLS of the origin", told
    assert told["host"] == "mute.lab.test", told


@sessions.case
def an_answer_that_does_not_come(t):
    sock = t.tls("odd.lab.test")
    sock.sendall(b"GET /hang HTTP/1.1\r\nHost: odd.lab.test\r\n\r\n")
    told = one(t, sock, "serve")
    assert eventually(lambda: one(t, sock)["waitsFor"] == "response"), told
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))  # nor is it waited for


@sessions.case
def a_table_for_people(t):
    first = t.dial()
    one(t, first)
    second = t.tls("ec.lab.test", trust=t.lab.pki.root)
    one(t, second, "relay")
    done = t.run(t.binary, "sessions", "-c", t.proxy.file)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and not done.stderr, done
    assert lines[0].split()[:3] == ["AGE", "CLIENT", "USER"], done.stdout
    relayed = [l for l in lines if "ec.lab.test:443" in l][0]
    assert "either side" in relayed and "relay" in relayed, relayed
    ages = [s["ageMs"] for s in live(t)["sessions"]]
    assert ages == sorted(ages, reverse=True), ages


@sessions.case
def as_many_as_are_asked_for(t):
    held = [t.dial() for _ in range(12)]
    for sock in held:
        one(t, sock)
    told = live(t, "--limit", "5")
    assert len(told["sessions"]) == 5 and told["all"] >= 12, told
    done = t.run(t.binary, "sessions", "--limit", "5", "-c", t.proxy.file)
    assert "more: --limit" in done.stdout.splitlines()[-1], done.stdout
    for wrong in ("x", "-1", "0", "10001", "1&a=b", ""):
        done = t.run(t.binary, "sessions", "--limit", wrong, "-c",
                     t.proxy.file)
        assert done.returncode in (1, 2) and done.stderr, (wrong, done)
        assert "limit" in done.stderr, done.stderr


@sessions.case
def on_this_machine_alone(t):
    auth = bearer(t.proxy)
    path = "/api/v1/sallyport/sessions"
    assert Wire(t).ask("GET", path).status == 401
    assert Wire(t).ask("GET", path, auth).status == 403
    assert Wire(t, control=True).ask("GET", path).status == 200
    assert Wire(t, control=True).ask("GET", path + "?x=1").status == 400


@sessions.case
def where_no_proxy_runs(t):
    file = t.write("none.yaml", "state: %s\n" % t.path("nobody"))
    os.mkdir(t.path("nobody"), 0o700)
    done = t.run(t.binary, "sessions", "-c", file)
    assert done.returncode == 1 and "no proxy runs" in done.stderr, done
    assert "as root or with its -c FILE" in done.stderr, done


@users.case
def whose_it_is(t):
    sock, reply = t.connect("ec.lab.test", 443, basic("dev1", "one:two"))
    assert reply.status == 200, reply
    assert one(t, sock)["user"] == "dev1", one(t, sock)
