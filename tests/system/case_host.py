"""A Host inside the connection that is not the name it was decided for."""

import json

from lab import http1
from lab.case import Group, error_page

host = Group("host", config=lambda lab: {
    "ssl-rules": [
        {"name": "Bad places", "match": {"hosts": ["blocked.lab.test",
                                                   "c.pair.lab.test"]},
         "action": "block"},
        {"name": "Banks", "match": {"hosts": ["bank.lab.test"]},
         "action": "do-not-inspect"}]})


@host.case
def a_blocked_name_in_host_is_403(t):
    reply = t.ask(t.tls("ec.lab.test"), "GET", "/1k", "blocked.lab.test")
    error_page(reply, "blocked-by-rule", 403)


@host.case
def a_name_the_certificate_does_not_cover_is_421(t):
    for other in ("rsa.lab.test", "nowhere.test", "bank.lab.test"):
        reply = t.ask(t.tls("ec.lab.test"), "GET", "/1k", other)
        error_page(reply, "wrong-host", 421)
        assert b"Sallyport's lab" not in reply.body


@host.case
def the_connection_goes_on_after_it_or_closes(t):
    sock = t.tls("ec.lab.test")
    reply = t.ask(sock, "GET", "/1k", "rsa.lab.test")
    assert reply.status == 421, reply
    if (reply.get("connection") or "").lower() != "close":
        assert t.ask(sock, "GET", "/1k", "ec.lab.test").status == 200


@host.case
def the_other_name_of_one_certificate_is_dialled_for_itself(t):
    """It is let through only over a connection verified for that Host."""
    sock = t.tls("a.pair.lab.test")
    assert t.ask(sock, "GET", "/1k", "a.pair.lab.test").status == 200
    reply = t.ask(sock, "GET", "/1k", "b.pair.lab.test")
    assert reply.status in (200, 421), reply
    t.line(count=2, kind="exchange")


@host.case
def spellings_of_the_same_name(t):
    for spelled in ("EC.lab.test", "ec.lab.test:443", "ec.lab.test.",
                    "Ec.Lab.Test.:443"):
        reply = t.ask(t.tls("ec.lab.test"), "GET", "/1k", spelled)
        assert reply.status == 200, (spelled, reply)


@host.case
def another_port_is_another_place(t):
    reply = t.ask(t.tls("ec.lab.test"), "GET", "/1k", "ec.lab.test:8443")
    assert reply.status in (400, 421), reply


@host.case
def hosts_that_are_none_are_400(t):
    for bad in ("a b", "ec.lab.test/x", "user@ec.lab.test", "ec.lab.test:x",
                "ec.lab.test,rsa.lab.test", ""):
        reply = t.ask(t.tls("ec.lab.test"), "GET", "/1k", bad)
        assert reply.status in (400, 421) and reply.error, (bad, reply)


@host.case
def absolute_targets_inside_tls(t):
    sock = t.tls("odd.lab.test")
    reply = t.ask(sock, "GET", "https://odd.lab.test/echo?in", "odd.lab.test")
    assert reply.status == 200, reply
    assert json.loads(reply.body)["target"] == "/echo?in"
    reply = t.ask(t.tls("odd.lab.test"), "GET",
                  "https://blocked.lab.test/", "odd.lab.test")
    assert reply.status in (400, 403, 421), reply


@host.case
def http_1_0_without_host_is_the_decided_name(t):
    sock = t.tls("odd.lab.test")
    sock.sendall(b"GET /echo HTTP/1.0\r\n\r\n")
    reply = http1.read_reply(http1.reader(sock))
    assert reply.status in (200, 400), reply
