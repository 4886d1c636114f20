"""What a person is told when it does not work; Sallyport's own pages."""

import socket
import urllib.request

from lab import client, hello, http1
from lab.case import Group, error_page
from lab.nginx import free_port
from lab.pki import openssl

errors = Group("errors", config=lambda lab: {
    "limits": {"connect-timeout": "3s"}})


def both(t, host, port=None):
    """The same place asked by https and by plain http."""
    for scheme in ("https", "http"):
        at = host if port is None else "%s:%d" % (host, port)
        yield t.fetch("%s://%s/" % (scheme, at))


@errors.case
def tls_to_the_plain_port(t):
    """A client that takes it for an https proxy is told in its own language."""
    sock = t.dial()
    sock.sendall(hello.records(hello.message(sni="x.lab.test")))
    assert hello.answer(http1.reader(sock)) == "alert 49"
    t.line(kind="refused", reason="bad-request")


@errors.case
def code_is_code(t):
    """What is said of the configuration has no Markdown in it; what was asked,
    and when, is there to be passed on."""
    for scheme, host, code in (
            ("https", "wronghost.lab.test", b"untrusted: allow"),
            ("https", "self.lab.test", b"origin.trust")):
        reply = t.fetch("%s://%s/a?x=%%3Cb%%3E&c" % (scheme, host))
        page = reply.body
        assert b"<code>%s</code>" % code in page, page
        assert b"`" not in page, page
        assert b"<dt>Time</dt><dd>20" in page and b" UTC</dd>" in page, page
        assert (b"<dt>URL</dt><dd>https://%s/a?x=%%3Cb%%3E&amp;c</dd>" %
                host.encode()) in page, page


@errors.case
def name_not_found(t):
    for name in ("dead.dns.test", "empty.dns.test"):
        for reply in both(t, name):
            error_page(reply, "name-not-found", 502)
            assert name.encode() in reply.body
            assert "dns_error" in reply.get("proxy-status"), reply.fields
    t.line(host="dead.dns.test", reason="name-not-found", status=502,
           count=2)


@errors.case
def the_name_server_fails(t):
    for reply in both(t, "fail.dns.test"):
        assert reply.status in (502, 504) and reply.error, reply
        assert "dns" in reply.get("proxy-status"), reply.fields


@errors.case
def the_name_server_is_silent(t):
    for reply in both(t, "mute.dns.test"):
        assert reply.status == 504 and reply.error, reply
        assert "dns_timeout" in reply.get("proxy-status"), reply.fields


@errors.case
def connection_refused(t):
    for reply in both(t, "there.dns.test", free_port()):
        error_page(reply, "connection-refused", 502)
        assert "connection_refused" in reply.get("proxy-status")


@errors.case
def connection_timed_out(t):
    """A listener whose queue is full answers nobody."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port, held = full.getsockname()[1], []
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", port))
            held.append(s)
        for reply in both(t, "slow.dns.test", port):
            error_page(reply, "connection-timed-out", 504)
            assert "connection_timeout" in reply.get("proxy-status")
        for s in held:
            s.close()


@errors.case
def an_origin_that_never_says_hello(t):
    reply = t.fetch("https://mute.lab.test/")
    assert reply.status == 504 and reply.error, reply


@errors.case
def an_origin_that_speaks_no_tls(t):
    reply = t.fetch("https://quiet.dns.test:%d/" % t.lab.port["web"])
    assert reply.status == 502 and reply.error, reply
    assert "tls" in reply.get("proxy-status"), reply.fields


@errors.case
def six_and_both_families(t):
    """::1 has nobody listening; the other family is tried."""
    port = t.lab.port["plain"]
    reply = t.fetch("http://both.dns.test:%d/echo" % port)
    assert reply.status == 200, reply
    reply = t.fetch("http://six.dns.test:%d/echo" % port)
    assert reply.status == 502 and reply.error, reply


@errors.case
def a_client_that_does_not_trust_us_is_in_the_log(t):
    done = t.run("curl", "-sS", "https://ec.lab.test/1k")
    assert done.returncode == 60, done.stderr
    line = t.line(host="ec.lab.test")
    assert line["reason"] == "client-handshake-failed", line


@errors.case
def requests_that_are_none(t):
    for data in (b"hello\r\n\r\n", b"GET\r\n\r\n", b"\r\n\r\n\r\nxx\r\n\r\n",
                 b"GET  / HTTP/1.1\r\n\r\n", b"\x00\x01\x02\r\n\r\n"):
        sock = t.dial()
        sock.sendall(data)
        try:
            reply = http1.read_reply(http1.reader(sock))
        except (http1.Broken, ConnectionError):
            continue
        assert reply.status in (400, 501, 505) and reply.error, (data, reply)


@errors.case
def tls_to_the_proxy_port_is_no_crash(t):
    sock = t.dial()
    try:
        client.context().wrap_socket(sock, server_hostname="ec.lab.test")
    except OSError:
        pass
    assert t.fetch("https://ec.lab.test/1k").status == 200


@errors.case
def http_to_the_transparent_port_is_no_crash(t):
    sock = t.dial(t.proxy.tport)
    sock.sendall(http1.head("GET", "/", "ec.lab.test"))
    try:
        assert b"Sallyport's lab" not in sock.recv(65536)
    except ConnectionError:
        pass


@errors.case
def the_page_does_not_repeat_what_it_was_given_raw(t):
    reply = t.fetch("http://dead.dns.test/<script>alert(1)</script>"
                    .replace("<", "%3C"))
    assert b"<script>alert" not in reply.body
    sock = t.dial()
    sock.sendall(b"GET http://dead.dns.test/<script>alert(1)</script> "
                 b"HTTP/1.1\r\nHost: dead.dns.test\r\n\r\n")
    reply = http1.read_reply(http1.reader(sock))
    assert b"<script>alert" not in reply.body, reply.body


# --- Sallyport itself ---------------------------------------------------------

PLACES = ("/", "/ca/root.pem", "/proxy.pac")


@errors.case
def the_magic_host(t):
    for scheme in ("http", "https"):
        for path in PLACES:
            reply = t.fetch("%s://sallyport.internal%s" % (scheme, path))
            assert reply.status == 200 and reply.body, (scheme, path, reply)
    with open(t.proxy.root) as f:
        root = openssl("x509", stdin=f.read().encode())
    reply = t.fetch("https://sallyport.internal/ca/root.pem")
    assert openssl("x509", stdin=reply.body) == root


@errors.case
def origin_form_is_for_sallyport_itself(t):
    for path in PLACES:
        with urllib.request.build_opener(urllib.request.ProxyHandler(
                {})).open("http://127.0.0.1:%d%s" % (t.proxy.port, path),
                          timeout=20) as answer:
            assert answer.status == 200 and answer.read(), path
    pac = t.fetch("http://sallyport.internal/proxy.pac")
    assert b"FindProxyForURL" in pac.body
    assert b"PROXY 127.0.0.1:%d" % t.proxy.port in pac.body, pac.body
    assert "ns-proxy-autoconfig" in (pac.get("content-type") or "")


@errors.case
def nothing_else_is_there(t):
    for path in ("/api", "/metrics", "/zia", "/oauth2", "/nope",
                 "/crl/999.crl", "/crl/../ca/root.key", "/ca/root.key",
                 "/ca/", "/../etc/passwd", "/healthz"):
        for url in ("http://sallyport.internal", "https://sallyport.internal"):
            reply = t.fetch(url + path)
            assert reply.status == 404, (path, reply)
        reply = t.ask(t.dial(), "GET", path, "127.0.0.1:%d" % t.proxy.port)
        assert reply.status == 404, (path, reply)
    for method in ("POST", "PUT", "DELETE"):
        reply = t.fetch("http://sallyport.internal/ca/root.pem",
                        method=method, body=b"x")
        assert reply.status == 405 and reply.get("allow") == "GET, HEAD", reply
    for url in "https://ec.lab.test/1k", "http://ec.lab.test/1k":
        reply = t.fetch(url, method="TRACE")
        assert reply.status == 405 and "POST" in reply.get("allow"), reply


@errors.case
def our_own_pages_are_only_read(t):
    """By each way, whatever else is asked of them, Allow says so."""
    at = "127.0.0.1:%d"
    for method in ("TRACE", "OPTIONS", "POST"):
        replies = [t.fetch(url, method=method)
                   for url in ("http://sallyport.internal/proxy.pac",
                               "https://sallyport.internal/proxy.pac")]
        replies += [t.ask(t.dial(port), method, path, at % port)
                    for port, path in ((t.proxy.port, "/proxy.pac"),
                                       (t.proxy.aport, "/proxy.pac"),
                                       (t.proxy.aport, "/healthz"),
                                       (t.proxy.aport, "/readyz"))]
        if method == "OPTIONS":
            replies.append(t.ask(t.dial(), method, "*", at % t.proxy.port))
        for i, reply in enumerate(replies):
            assert reply.status == 405, (method, i, reply)
            assert reply.get("allow") == "GET, HEAD", (method, i, reply)
    reply = t.ask(t.dial(), "BREW", "/proxy.pac", at % t.proxy.port)
    assert reply.status == 501 and reply.get("allow") is None, reply


@errors.case
def head_of_our_own_pages(t):
    reply = t.fetch("http://sallyport.internal/ca/root.pem", method="HEAD")
    assert reply.status == 200 and not reply.body
    assert int(reply.get("content-length")) > 100


@errors.case
def an_origins_own_sallyport_error_is_still_the_origins(t):
    """The header is ours alone: what an origin sends of it is not shown
    under our name in the log."""
    t.fetch("https://odd.lab.test/echo")
    assert t.line(host="odd.lab.test")["reason"] == "ok"
