"""Ways round the rules, or to what is another client's; each was open once."""

import contextlib
import os
import re
import signal
import socket
import ssl
import struct
import threading
import time

from lab import client, hello, http1
from lab.case import Group, eventually
from lab.netns import command, own_network
from lab.nginx import free_port
from lab.sallyport import Sallyport

ODD = "odd.lab.test"
RULES = [
    {"name": "Bad places", "match": {"hosts": ["blocked.lab.test"]},
     "action": "block"},
    {"name": "Rest", "action": "inspect", "untrusted": "allow"},
]


def settings(lab, **more):
    return dict({"ssl-rules": RULES}, **more)


bypass = Group("bypass", config=settings)
pooled = Group("bypass/pooled", config=lambda lab: settings(lab, workers=1))
reloaded = Group("bypass/reloaded", config=settings)
own = Group("bypass/own", config=None, needs=["root", "program:ip"])


def small(t):
    sock = socket.socket()
    t.open.append(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(30)
    sock.connect(("127.0.0.1", t.proxy.port))
    return sock


def reload(t):
    before = t.proxy.stderr().count("reloaded")
    t.proxy.write()
    t.proxy.signal(signal.SIGHUP)
    assert eventually(lambda: t.proxy.stderr().count("reloaded") > before)


# --- another host's rule ------------------------------------------------------

@bypass.case
def another_form_of_http_by_alpn(t):
    """nginx chooses http/1.0 where it is offered."""
    sock = t.tls("a.wild.lab.test", alpn=("http/1.0",))
    reply = t.ask(sock, "GET", "/1k", "blocked.lab.test")
    assert reply.status == 403, reply
    t.line(kind="exchange", reason="blocked-by-rule")


@bypass.case
def a_tab_for_a_space(t):
    sock = t.tls("lines.lab.test", alpn=())
    sock.sendall(b"GET\t/ HTTP/1.1\r\nHost: blocked.lab.test\r\n\r\n")
    assert http1.read_reply(http1.reader(sock), "GET").status == 400


@bypass.case
def plain_http_to_an_address(t):
    _, reply = t.connect("blocked.lab.test", 80)
    assert reply.status == 403, reply
    sock = t.tunnel("127.0.0.1", t.lab.port["plain"])
    reply = t.ask(sock, "GET", "/echo", "blocked.lab.test")
    assert reply.error == "blocked-by-rule", reply


@bypass.case
def the_magic_host_has_a_leaf_of_its_own_alone(t):
    before = t.proxy.counters()["signatures"]
    for number in range(5):
        sock = t.tls("sallyport.internal", trust=False,
                     sni="n%d.bank.test" % number)
        reply = t.ask(sock, "GET", "/", "sallyport.internal")
        assert reply.status == 200, reply
    assert t.proxy.counters()["signatures"] <= before + 1


@reloaded.case
def a_reload_that_is_stricter(t):
    sock = t.tls("self.lab.test")
    assert t.ask(sock, "GET", "/1k", "self.lab.test").status == 200
    t.proxy.config["ssl-rules"] = RULES[:1]
    reload(t)
    assert eventually(lambda: t.fetch("https://self.lab.test/").error)
    reply = t.ask(sock, "POST", "/1k", "self.lab.test", "Content-Length: 0")
    assert reply.status == 421 and reply.error == "wrong-host", reply


# --- another's connection -----------------------------------------------------

@bypass.case
def a_held_connection_is_no_tunnel_to_somewhere_else(t):
    sock = t.dial()
    reply = t.ask(sock, "GET", "http://%s/echo" % ODD, ODD,
                  "Authorization: NTLM abc")
    assert reply.status == 200, reply
    assert client.connect(sock, "ssh.lab.test", 443).status == 200
    tag = os.urandom(8).hex()
    sock.sendall(b"\x01\x02 GET /%s HTTP/1.1\r\nHost: x\r\n\r\n"
                 % tag.encode())
    f = http1.reader(sock)
    assert http1.exactly(f, 13) == b"SSH-2.0-lab\r\n"
    assert not t.seen(tag), "it reached the odd origin"


@pooled.case(limit=120)
def what_lies_unread_answers_nobody(t):
    """A client asks and does not read until nothing moves, then reads all:
    its queue is full when the surplus of a HEAD comes, and is asked for more
    while that lies there."""
    sock, tag = small(t), os.urandom(8).hex()
    path, got, sent = "http://%s/overfull/" % ODD, b"", 0
    while sent < 60:
        sock.sendall(
            http1.head("GET", path + "heavy", ODD) +
            http1.head("HEAD", path + "h", ODD) +
            http1.head("GET", path + "%s-%d" % (tag, sent), ODD,
                       "Cookie: " + "c" * 6000))
        sent += 1
        if eventually(lambda: len(t.seen(tag)) == sent, 0.3):
            continue
        sock.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while data := sock.recv(1 << 20):
                got += data
        reply = t.fetch(path + "victim")
        assert reply.body == b"answer to /overfull/victim", reply
    answers = re.findall(rb"answer to /overfull/\w+-(\d+)", got)
    assert answers == [b"%d" % n for n in range(len(answers))], answers
    assert answers and b"poison" not in got


@pooled.case(limit=60)
def nothing_is_fetched_for_who_has_gone(t):
    sock = t.dial()
    sock.sendall(http1.head("GET", "http://%s/endless" % ODD, ODD) * 2)
    sock.recv(100000)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()
    t.line(kind="exchange", reason="client-gone")


@bypass.case
def what_an_origin_says_unasked_answers_nobody(t):
    """It speaks while the client, without ALPN, has not asked yet."""
    host = "early.odd.lab.test"
    assert t.fetch("https://%s/echo/first" % host).status == 200
    for number in range(2):
        tls = t.tls(host, alpn=())
        time.sleep(0.7)
        path = "/overfull/a%d" % number
        reply = t.ask(tls, "GET", path, host)
        assert reply.body == b"answer to " + path.encode(), reply
        reply = t.fetch("https://%s/overfull/other" % host)
        assert reply.body == b"answer to /overfull/other", reply


@reloaded.case
def a_failure_of_some_time_ago_is_not_todays(t):
    host = "down.odd.lab.test"
    port = free_port()
    t.proxy.config["origin"]["connect-to"].insert(
        0, "%s:443:127.0.0.1:%d" % (host, port))
    reload(t)
    pki = t.lab.pki
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.path("odd.pem"), pki.path("odd.key"))

    def answer(sock):
        with contextlib.suppress(OSError), context.wrap_socket(
                sock, server_side=True) as tls:
            if tls.recv(65536):
                tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                            b"Connection: close\r\n\r\nok")

    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=listener.accept()[:1],
                                 daemon=True).start()

    def up():
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        return listener
    listener = up()
    assert t.fetch("https://%s/" % host).status == 200
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    tls = t.tls(host)  # the leaf is known, the origin is down
    time.sleep(2.5)
    with up():
        reply = t.ask(tls, "GET", "/", host)
    assert reply.status == 200, reply


# --- what is told -------------------------------------------------------------

@bypass.case
def why_not_is_asked_anew_by_the_next_connection(t):
    sock = t.tls("none.dns.test")
    reply = t.ask(sock, "GET", "/", "none.dns.test")
    assert reply.error and reply.get("connection") == "close", reply


@bypass.case
def a_refused_connect_is_in_the_log_whatever_came_before(t):
    sock = t.dial()
    assert t.ask(sock, "GET", "/proxy.pac", "x").status == 200
    assert client.connect(sock, "record.lab.test", 443).status == 200
    sock.sendall(hello.records(hello.message(sni="blocked.lab.test")))
    assert hello.answer(http1.reader(sock)) == "alert 49"
    sock.close()
    t.line(kind="refused", sni="blocked.lab.test", reason="blocked-by-rule")


# --- addresses ----------------------------------------------------------------

@own.case(limit=60)
def an_address_that_comes_later_is_ours_too(t):
    own_network()
    proxy = Sallyport(t.binary, t.lab, t.path("own"))
    proxy.config["listen"]["proxy"] = "0.0.0.0:%d" % proxy.port
    proxy.start()
    t.proxy = proxy
    try:
        command("ip", "addr", "add", "10.77.0.1/32", "dev", "lo")
        reply = t.fetch("https://10.77.0.1:%d/" % proxy.port, sni=None,
                        trust=False)
        assert reply.error == "proxy-loop", reply
    finally:
        assert proxy.stop() == 0
