"""URL rules: whole URLs where traffic is inspected, hosts where it is not."""

import socket
import ssl
import threading
import urllib.parse

from lab import http1
from lab.case import Group, error_page, reload

ISOLATE = "https://isolate.example/open?url={url}&by=lab"

CONFIG = {
    "categories": {
        "copilot": {"urls": ["odd.lab.test/github-copilot",
                             "odd.lab.test/features/copilot/"]},
        "uploads": {"hosts": ["odd.lab.test", "web.lab.test"]},
        "risky": {"hosts": ["tools.lab.test", "pair.lab.test"], "urls": [
            "web.lab.test/risky"]},
        "bank": {"hosts": ["bank.lab.test"]},
        "closed": {"hosts": ["ec.lab.test", "rsa.lab.test", "ssh.lab.test",
                             "127.0.0.1"]},
    },
    "ssl-rules": [
        {"name": "Bank", "match": {"categories": ["bank"]},
         "action": "do-not-inspect"},
        {"name": "Left alone, closed", "match": {"hosts": [
            "ec.lab.test", "pair.lab.test"]},
         "action": "do-not-inspect"},
        {"name": "Left alone, open", "match": {"hosts": ["rsa.lab.test"]},
         "action": "do-not-inspect", "url-policies": "bypass"},
        {"name": "Seen, not judged", "match": {"hosts": ["many.lab.test",
                                                         ".many.lab.test"]},
         "action": "inspect", "url-policies": "bypass"},
        {"name": "Rest", "action": "inspect"},
    ],
    "url-rules": [
        {"name": "No copilot", "match": {"categories": ["copilot"]},
         "action": "block"},
        {"name": "No deleting", "match": {"categories": ["uploads"],
                                          "methods": ["DELETE", "PUT"]},
         "action": "block"},
        {"name": "Far away", "match": {"categories": ["risky"]},
         "action": "isolate", "isolate": ISOLATE},
        {"name": "Closed", "match": {"categories": ["closed"]},
         "action": "block"},
        {"name": "Not by wget", "match": {"user-agents": ["wget/*"],
                                          "hosts": [".lab.test"]},
         "action": "block"},
        {"name": "Not that", "match": {"hosts": [".many.lab.test"]},
         "action": "block"},
        {"name": "All else", "action": "allow"},
    ],
}
urls = Group("urls", config=lambda lab: CONFIG)


def blocked(reply, rule, t):
    error_page(reply, "blocked-by-url-rule", 403)
    assert rule.encode() in reply.body, reply.body
    line = t.line(kind="exchange", reason="blocked-by-url-rule")
    assert line["url_rule"] == rule and line["url_action"] == "block", line


@urls.case
def a_prefix_on_segments(t):
    ok = ("/echo", "/github-copilot-x", "/github", "/features",
          "/features/copilots", "/x/github-copilot")
    for path in ok:
        reply = t.fetch("https://odd.lab.test" + path)
        assert reply.error is None, (path, reply)
    for path in ("/github-copilot", "/github-copilot/", "/github-copilot/a/b",
                 "/github-copilot?x=1", "/features/copilot",
                 "/features/copilot/plans"):
        t.mark()
        blocked(t.fetch("https://odd.lab.test" + path), "No copilot", t)


@urls.case
def what_is_too_long_to_be_read_in_all_ways(t):
    """A long path is no matter, but one that servers do not agree about is."""
    plain, odd = "/echo/" + 5000 * "a", "/echo/;" + 5000 * "a"
    assert t.fetch("https://odd.lab.test" + plain).status == 200
    assert t.fetch("https://odd.lab.test/echo?" + odd).status == 200
    error_page(t.fetch("https://odd.lab.test" + odd), "head-too-large", 431)
    t.line(kind="exchange", reason="head-too-large")


@urls.case
def the_log_tells_the_rule_of_what_was_allowed(t):
    assert t.fetch("https://odd.lab.test/echo").status == 200
    line = t.line(kind="exchange", host="odd.lab.test")
    assert line["url_rule"] == "All else", line
    assert line["url_action"] == "allow" and line["action"] == "inspect"


@urls.case
def nothing_of_it_reaches_the_origin(t):
    t.fetch("https://odd.lab.test/github-copilot?urls-never")
    t.fetch("https://odd.lab.test/echo?urls-ever")
    assert len(t.seen("urls-ever")) == 1 and not t.seen("urls-never")


@urls.case
def methods(t):
    for url in ("https://odd.lab.test/echo", "http://odd.lab.test/echo"):
        assert t.fetch(url, method="POST", body=b"x").status == 200
        t.mark()
        blocked(t.fetch(url, method="DELETE"), "No deleting", t)
        t.mark()
        blocked(t.fetch(url, method="PUT", body=b"x"), "No deleting", t)


@urls.case
def plain_http_by_whole_url(t):
    assert t.fetch("http://web.lab.test/1k").status == 200
    reply = t.fetch("http://odd.lab.test/github-copilot")
    blocked(reply, "No copilot", t)
    line = t.line(kind="exchange", host="odd.lab.test")
    assert "rule" not in line, line  # SSL rules have no say in this


@urls.case
def plain_http_in_a_tunnel_too(t):
    sock = t.tunnel("odd.lab.test", 80)
    assert t.ask(sock, "GET", "/echo", "odd.lab.test").status == 200
    blocked(t.ask(sock, "GET", "/github-copilot", "odd.lab.test"),
            "No copilot", t)
    assert t.ask(sock, "GET", "/echo", "odd.lab.test").status == 200


@urls.case
def isolation(t):
    for url in ("https://tools.lab.test/1k?a=b&c=%20d",
                "http://web.lab.test/risky/x?y"):
        t.mark()
        reply = t.fetch(url)
        assert reply.status == 302 and reply.error == "isolated", reply
        at = urllib.parse.urlsplit(reply.get("location"))
        assert at.netloc == "isolate.example", reply.fields
        query = urllib.parse.parse_qs(at.query)
        assert query == {"url": [url], "by": ["lab"]}, query
        line = t.line(kind="exchange", reason="isolated")
        assert line["url_rule"] == "Far away", line
        assert line["url_action"] == "isolate", line


@urls.case
def an_agent(t):
    reply = t.fetch("https://odd.lab.test/echo", "User-Agent: Wget/1.21")
    blocked(reply, "Not by wget", t)
    reply = t.fetch("https://odd.lab.test/echo", "User-Agent: wgets")
    assert reply.status == 200, reply


@urls.case
def an_agent_that_could_be_another(t):
    """One that is long, or given twice, hides nothing from a rule."""
    long = "User-Agent: wget/" + "x" * 4000
    for url in "https://odd.lab.test/echo", "http://odd.lab.test/echo":
        blocked(t.fetch(url, long), "Not by wget", t)
        for fields in ((long + "x" * 100,), ("User-Agent: " + "x" * 20000,),
                       ("User-Agent: curl/8", "user-agent: Wget/1.21"),
                       ("User-Agent:", "User-Agent: Wget/1.21")):
            t.mark()
            error_page(t.fetch(url, *fields), "bad-request", 400)
            line = t.line(kind="exchange", reason="bad-request")
            assert "User-Agent" in line["why"], line
    _, reply = t.connect("odd.lab.test", 443, "User-Agent: curl/8",
                         "User-Agent: Wget/1.21")
    assert reply.status == 400, reply


@urls.case
def a_tunnel_goes_by_its_host(t):
    """Left alone, but the host is closed: refused at CONNECT, where a page can
    be shown, and at the SNI."""
    _, reply = t.connect("ec.lab.test")
    assert reply.status == 403 and reply.error == "blocked-by-url-rule"
    line = t.line(host="ec.lab.test", reason="blocked-by-url-rule")
    assert line["url_rule"] == "Closed", line
    sock = t.dial(t.proxy.tport)
    try:
        t.settings(False).wrap_socket(sock, server_hostname="ec.lab.test")
        raise AssertionError("it came through")
    except ssl.SSLError as error:
        assert "ACCESS_DENIED" in str(error).upper().replace(" ", "_"), error
    t.line(kind="refused", sni="ec.lab.test", reason="blocked-by-url-rule")


@urls.case
def a_tunnel_can_not_be_isolated(t):
    """There is nothing to redirect in it, so it is blocked."""
    sock = t.dial(t.proxy.tport)
    try:
        t.settings(False).wrap_socket(sock, server_hostname="pair.lab.test")
        raise AssertionError("it came through")
    except ssl.SSLError:
        pass
    line = t.line(kind="refused", sni="pair.lab.test")
    assert line["reason"] == "blocked-by-url-rule", line
    assert line["url_action"] == "isolate", line


@urls.case
def a_tunnel_goes_by_both_its_names(t):
    """The SNI is open; CONNECT's host, where the bytes would go, is closed, and
    past URL rules only while it is the one name."""
    sock = t.tunnel("rsa.lab.test")
    try:
        t.settings(False).wrap_socket(sock, server_hostname="bank.lab.test")
        raise AssertionError("it came through")
    except ssl.SSLError:
        pass
    line = t.line(kind="refused", sni="bank.lab.test")
    assert line["url_rule"] == "Closed", line


@urls.case
def a_tunnel_whose_rule_bypasses(t):
    sock = t.tls("rsa.lab.test", trust=t.lab.pki.root)
    assert t.ask(sock, "GET", "/1k", "rsa.lab.test").status == 200
    sock.close()
    assert "url_rule" not in t.line(kind="tunnel", host="rsa.lab.test")


@urls.case
def inspected_traffic_whose_rule_bypasses(t):
    reply = t.fetch("https://a.many.lab.test/1k")
    assert reply.status == 200, reply
    line = t.line(kind="exchange", host="a.many.lab.test")
    assert line["rule"] == "Seen, not judged" and "url_rule" not in line, line


@urls.case
def what_is_no_tls_goes_by_its_host(t):
    """SSH at a closed address: nothing is dialled for it."""
    sock = t.tunnel("ssh.lab.test")
    sock.sendall(b"SSH-2.0-me\r\n")
    assert sock.recv(100) == b""
    line = t.line(host="ssh.lab.test", reason="blocked-by-url-rule")
    assert line["url_rule"] == "Closed", line


@urls.case
def a_path_says_nothing_of_a_tunnel(t):
    """bank is left alone: a rule by path can't block all of it."""
    sock = t.tls("bank.lab.test", trust=t.lab.pki.root)
    assert t.ask(sock, "GET", "/1k", "bank.lab.test").status == 200
    sock.close()
    assert t.line(kind="tunnel")["url_rule"] == "All else"


# --- changes -------------------------------------------------------------------

changing = Group("urls/changing", config=lambda lab: dict(CONFIG))


@changing.case
def an_open_connection_goes_by_the_rules_of_the_moment(t):
    sock = t.tls("odd.lab.test")
    assert t.ask(sock, "GET", "/echo", "odd.lab.test").status == 200
    rules = list(CONFIG["url-rules"])
    reload(t, {"url-rules": [{
        "name": "Shut now", "match": {"hosts": ["odd.lab.test"]},
        "action": "block"}] + rules})
    reply = t.ask(sock, "GET", "/echo", "odd.lab.test")
    assert reply.error == "blocked-by-url-rule", reply
    assert reply.get("connection") != "close", reply.fields


class Slow:
    """An origin whose second connection is accepted when the case says so."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def accept(self, t):
        sock, _ = self.listener.accept()
        sock.settimeout(20)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(t.lab.pki.path("odd.pem"),
                                t.lab.pki.path("odd.key"))
        return sock, context

    def answer(self, t):
        sock, context = self.accept(t)
        with context.wrap_socket(sock, server_side=True) as tls:
            http1.read_lines(http1.reader(tls))
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                        b"Connection: close\r\n\r\n")


slow = Slow()
between = Group("urls/between", config=lambda lab: {
    "origin": {"connect-to": ["slow.test:443:127.0.0.1:%d" % slow.port]},
    "ssl-rules": [{"name": "All", "action": "inspect", "untrusted": "allow"}],
    "url-rules": [{"name": "Open", "action": "allow"}]})


@between.case
def a_reload_while_the_origin_is_dialled(t):
    """The request was let through; as it is to be sent, the rules are others."""
    first = threading.Thread(target=slow.answer, args=(t,))
    first.start()
    sock = t.tls("slow.test", trust=False)
    assert t.ask(sock, "GET", "/", "slow.test").status == 200
    first.join()
    sock.sendall(http1.head("GET", "/secret", "slow.test"))
    origin, context = slow.accept(t)  # for that request: it has been routed
    reload(t, {"url-rules": [{"name": "Shut", "action": "block"}]})
    tls = context.wrap_socket(origin, server_side=True)
    reply = http1.read_reply(http1.reader(sock))
    blocked(reply, "Shut", t)
    sock.close()
    try:
        assert tls.recv(100) == b"", "it was sent"
    except (ssl.SSLError, OSError):
        pass


away = Group("urls/isolation", config=lambda lab: {"url-rules": [
    {"name": "All", "action": "isolate",
     "isolate": "https://tools.lab.test/1k?url={url}"},
    {"name": "Rest", "match": {"methods": ["PUT"]}, "action": "block"}]})


two = Group("urls/two-isolations", config=lambda lab: {"url-rules": [
    {"name": "Here", "match": {"hosts": ["odd.lab.test", "ec.lab.test"]},
     "action": "isolate", "isolate": "https://tools.lab.test/1k?url={url}"},
    {"name": "There", "match": {"hosts": [".lab.test"]},
     "action": "isolate", "isolate": "https://ec.lab.test/1k?url={url}"}]})


@two.case
def two_services_do_not_send_to_each_other(t):
    """Else a browser would go round in circles."""
    for url, service in (("https://odd.lab.test/echo", "tools"),
                         ("https://rsa.lab.test/1k", "ec")):
        reply = t.fetch(url)
        assert reply.status == 302, reply
        location = reply.get("location")
        assert location.startswith("https://%s.lab.test/" % service), location
        assert t.fetch(location).status == 200, location


@away.case
def what_is_isolated_arrives(t):
    """The service that all is sent to is not sent on to itself."""
    reply = t.fetch("https://odd.lab.test/echo")
    assert reply.status == 302, reply
    assert t.fetch(reply.get("location")).status == 200
    blocked(t.fetch("https://tools.lab.test/1k", method="PUT", body=b"x"),
            "Rest", t)
    assert t.fetch("http://tools.lab.test/1k").status == 302


# --- certificates ----------------------------------------------------------------

known = Group("urls/certificates", config=lambda lab: {
    "ssl-rules": [{"name": "All", "action": "inspect", "untrusted": "allow"}],
    "url-rules": [
        {"name": "Read alone", "match": {"certificate": ["untrusted"],
                                         "methods": ["GET", "HEAD"]},
         "action": "allow"},
        {"name": "Expired", "match": {"certificate": ["expired"]},
         "action": "block"},
        {"name": "Self-signed", "match": {"certificate": ["self-signed"]},
         "action": "isolate", "isolate": ISOLATE},
    ]})


@known.case
def what_the_certificate_was(t):
    assert t.fetch("https://expired.lab.test/1k").status == 200
    assert t.line(kind="exchange")["url_rule"] == "Read alone"
    t.mark()
    reply = t.fetch("https://expired.lab.test/1k", method="POST", body=b"x")
    blocked(reply, "Expired", t)
    reply = t.fetch("https://self.lab.test/1k", method="POST", body=b"x")
    assert reply.status == 302 and reply.get("location"), reply
    t.mark()
    t.fetch("https://ec.lab.test/1k", method="POST", body=b"x")
    line = t.line(kind="exchange", host="ec.lab.test")
    assert line["url_rule"] == "default", line
