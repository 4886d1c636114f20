"""What else rules can ask about, live: TLS versions, agents, destinations,
times."""

import datetime
import ssl

from lab import client
from lab.case import Group, error_page, reload


def now(minutes=0):
    at = datetime.datetime.now(datetime.timezone.utc)
    return (at + datetime.timedelta(minutes=minutes)).strftime("%H:%M")


RULES = [
    {"name": "New clients", "match": {"hosts": ["ec.lab.test"]},
     "action": "inspect", "min-client-tls": "1.3"},
    {"name": "New servers", "match": {"hosts": ["old.lab.test",
                                                "rsa.lab.test"]},
     "action": "inspect", "min-server-tls": "1.3"},
    {"name": "Git", "match": {"user-agents": ["git/*"],
                              "hosts": ["tools.lab.test"]},
     "action": "do-not-inspect"},
    {"name": "By day", "match": {"hosts": ["pair.lab.test",
                                           ".pair.lab.test"], "times": [
        {"hours": "%s-%s" % (now(-60), now(60)), "zone": "UTC"}]},
     "action": "do-not-inspect"},
    {"name": "By night", "match": {"hosts": [".wild.lab.test"], "times": [
        {"hours": "%s-%s" % (now(60), now(120)), "zone": "UTC"}]},
     "action": "do-not-inspect"},
    {"name": "But not that", "match": {"hosts": [".many.lab.test"]},
     "not": {"hosts": ["b.many.lab.test"]}, "action": "do-not-inspect"},
]
criteria = Group("criteria", config=lambda lab: {"ssl-rules": RULES})
near = Group("criteria/near", config=lambda lab: {
    "ssl-rules": [
        {"name": "Near", "match": {"destinations": ["127.0.0.0/8"],
                                   "hosts": ["ec.lab.test", "bank.lab.test"]},
         "action": "do-not-inspect"},
        {"name": "Nowhere near", "match": {"destinations": ["127.0.0.0/8"],
                                           "hosts": ["blocked.lab.test"]},
         "action": "block"},
        {"name": "Far", "match": {"destinations": ["192.0.2.0/24"]},
         "action": "block"},
        {"name": "Rest", "action": "inspect"}],
    "url-rules": [{"name": "Not there", "match": {
        "destinations": ["127.0.0.1"], "hosts": ["web.lab.test",
                                                 "mixed.lab.test"]},
        "action": "block"}]})


@criteria.case
def clients_must_speak_tls_1_3(t):
    assert t.fetch("https://ec.lab.test/1k").status == 200
    try:
        t.tls("ec.lab.test", highest=ssl.TLSVersion.TLSv1_2)
        raise AssertionError("TLS 1.2 came through")
    except ssl.SSLError as error:
        assert "VERSION" in str(error).upper(), error
    line = t.line(kind="refused", reason="client-tls-too-old")
    assert line["rule"] == "New clients", line
    sock = t.tls("tools.lab.test", highest=ssl.TLSVersion.TLSv1_2)
    assert t.ask(sock, "GET", "/1k", "tools.lab.test").status == 200


@criteria.case
def servers_must_speak_tls_1_3(t):
    assert t.fetch("https://rsa.lab.test/1k").status == 200
    reply = t.fetch("https://old.lab.test/1k")
    error_page(reply, "origin-tls-too-old", 502)


def shown(t, host, *fields):
    sock, reply = t.connect(host, 443, *fields)
    assert reply.status == 200, reply
    tls = t.settings(False).wrap_socket(sock, server_hostname=host)
    t.open.append(tls)
    tls.sendall(b"GET /1k HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
                % host.encode())
    while tls.recv(65536):
        pass
    tls.close()


@criteria.case
def the_agent_of_the_connect(t):
    shown(t, "tools.lab.test", "User-Agent: git/2.39.5")
    assert t.line(host="tools.lab.test")["rule"] == "Git"
    t.mark()
    shown(t, "tools.lab.test", "User-Agent: curl/8")
    assert t.line(host="tools.lab.test")["rule"] == "default"
    t.mark()
    shown(t, "tools.lab.test")
    assert t.line(host="tools.lab.test")["rule"] == "default"


@criteria.case
def times(t):
    shown(t, "a.pair.lab.test")
    assert t.line(host="a.pair.lab.test")["rule"] == "By day"
    shown(t, "a.wild.lab.test")
    assert t.line(host="a.wild.lab.test")["rule"] == "default"


@criteria.case
def all_but(t):
    shown(t, "a.many.lab.test")
    shown(t, "b.many.lab.test")
    assert t.line(host="a.many.lab.test")["rule"] == "But not that"
    assert t.line(host="b.many.lab.test")["rule"] == "default"


@near.case
def where_a_name_leads(t):
    shown(t, "ec.lab.test")
    assert t.line(host="ec.lab.test")["rule"] == "Near"
    _, reply = t.connect("blocked.lab.test")
    assert reply.status == 403 and reply.error == "blocked-by-rule", reply
    assert t.fetch("https://rsa.lab.test/1k").status == 200
    assert t.line(host="rsa.lab.test", kind="exchange")["rule"] == "Rest"
    reply = t.fetch("http://web.lab.test/1k")
    error_page(reply, "blocked-by-url-rule", 403)
    reply = t.fetch("http://mixed.lab.test/1k")  # one of its two addresses
    error_page(reply, "blocked-by-url-rule", 403)
    for host in ("192.0.2.7", "64:ff9b::192.0.2.7", "2002:c000:207::1",
                 "::192.0.2.7", "64:ff9b:1::c000:207"):
        _, reply = t.connect(host)
        assert reply.error == "blocked-by-rule", (host, reply)


@near.case
def transparent_connections_are_looked_up_too(t):
    sock = t.dial(t.proxy.tport)
    tls = t.settings(False).wrap_socket(sock, server_hostname="ec.lab.test")
    t.open.append(tls)
    tls.close()
    assert t.line(sni="ec.lab.test")["rule"] == "Near"
    sock = t.dial(t.proxy.tport)
    try:
        t.settings(False).wrap_socket(sock, server_hostname="blocked.lab.test")
        raise AssertionError("it came through")
    except ssl.SSLError:
        pass
    assert t.line(sni="blocked.lab.test")["reason"] == "blocked-by-rule"


# --- changes ------------------------------------------------------------------

newer = Group("criteria/newer", config=lambda lab: {"ssl-rules": [
    {"name": "Any", "action": "inspect"}]})


@newer.case
def an_open_connection_under_a_rule_that_asks_for_more(t):
    """What is too old is refused, what is new enough goes on."""
    old = t.tls("odd.lab.test", highest=ssl.TLSVersion.TLSv1_2)
    new = t.tls("odd.lab.test")
    to_old = t.tls("twelve.odd.lab.test")
    for sock, host in ((old, "odd.lab.test"), (new, "odd.lab.test"),
                       (to_old, "twelve.odd.lab.test")):
        assert t.ask(sock, "GET", "/echo", host).error is None
    reload(t, {"ssl-rules": [{
        "name": "New", "action": "inspect", "min-client-tls": "1.3",
        "min-server-tls": "1.3"}]})
    reply = t.ask(old, "GET", "/echo?too-old", "odd.lab.test")
    error_page(reply, "client-tls-too-old", 403)
    assert not t.seen("too-old"), "it reached the origin"
    for _ in range(2):
        reply = t.ask(new, "GET", "/echo", "odd.lab.test")
        assert reply.status == 200 and reply.get("connection") != "close"
    reply = t.ask(to_old, "GET", "/echo?origin-of-before", "twelve.odd.lab.test")
    error_page(reply, "origin-tls-too-old", 502)
    assert not t.seen("origin-of-before"), "it reached the origin"
