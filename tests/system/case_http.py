"""HTTP/1.1 through the proxy: what passes, as it passes."""

import hashlib
import json
import os
import socket
import ssl
import threading

from lab import client, http1, ws
from lab.case import Group, eventually
from lab.sallyport import SLOW

ODD = "odd.lab.test"
URL = "https://odd.lab.test"
FLAT = (16 if SLOW == 1 else 512) << 20  # a sanitizer keeps what was freed

http = Group("http")
http12 = Group("http12", tls={"highest": ssl.TLSVersion.TLSv1_2})


def both(t, path, *fields, method="GET", body=b""):
    """The same request by https and by plain http."""
    for scheme in ("https", "http"):
        yield t.fetch("%s://%s%s" % (scheme, ODD, path), *fields,
                      method=method, body=body)


@http.case
def a_request_reaches_the_origin_as_it_was(t):
    for reply in both(t, "/echo/a%20b?c=d&e", "X-One: 1", "X-One: 2",
                      "Cookie: a=b; c=d", "Accept: */*"):
        told = json.loads(reply.body)
        assert told["target"] == "/echo/a%20b?c=d&e", told
        assert told["version"] == "HTTP/1.1"
        fields = [tuple(f) for f in told["fields"]]
        assert [v for k, v in fields if k == "X-One"] == ["1", "2"], fields
        assert ("Host", ODD) in fields and ("Cookie", "a=b; c=d") in fields


@http.case
def nothing_tells_the_origin_of_the_client(t):
    for reply in both(t, "/echo", "Proxy-Connection: keep-alive",
                      "Proxy-Authorization: Basic YTpi",
                      "Connection: X-Hop, keep-alive", "X-Hop: secret",
                      "Keep-Alive: timeout=5", "TE: trailers"):
        names = {k.lower() for k, v in json.loads(reply.body)["fields"]}
        bad = names & {"via", "x-forwarded-for", "forwarded", "x-hop",
                       "proxy-connection", "proxy-authorization",
                       "keep-alive", "x-forwarded-proto", "x-real-ip"}
        assert not bad, bad


@http.case
def one_log_line_for_an_exchange(t):
    reply = t.fetch(URL + "/echo/logged", method="POST", body=b"12345")
    line = t.line(kind="exchange", url=URL + "/echo/logged")
    for key, value in {"client": "127.0.0.1", "listener": "proxy",
                       "host": ODD, "port": 443, "sni": ODD,
                       "action": "inspect", "reason": "ok", "names": "same",
                       "method": "POST", "status": 200}.items():
        got = line.get(key)
        assert got == value or key == "client" and value in str(got), \
            "%s: %r, not %r" % (key, got, value)
    for key in ("time", "rule", "client_tls", "client_cipher", "origin_tls",
                "origin_cipher", "leaf", "origin_reused", "bytes_in",
                "bytes_out", "ms", "ms_origin"):
        assert key in line, "no " + key
    assert line["bytes_in"] >= 5 and line["bytes_out"] >= len(reply.body)
    assert "1.3" in line["client_tls"] and "1.3" in line["origin_tls"], line


@http.case
def the_url_in_the_log_has_its_port(t):
    for scheme, port in (("https", t.lab.port["ip"]),
                         ("http", t.lab.port["web"])):
        url = "%s://ip.lab.test:%d/1k" % (scheme, port)
        assert t.fetch(url).status == 200
        line = t.line(kind="exchange", port=port)
        assert line["url"] == url, "%s, not %s" % (line["url"], url)


@http.case
def secrets_are_not_logged(t):
    t.fetch(URL + "/echo/secrets?token=hunter2", "Cookie: a=hunter2",
            "Authorization: Bearer hunter2")
    assert "hunter2" not in str(t.line(kind="exchange"))
    assert "hunter2" not in t.proxy.stderr()


@http.case
def chunked_downloads(t):
    for reply in both(t, "/chunked/300"):
        right = b"".join(b"%c" % (65 + n % 26) * n for n in range(1, 301))
        assert reply.body == right and reply.get("transfer-encoding")


def chunked(data, sizes):
    out, at = b"", 0
    for size in sizes:
        piece = data[at:at + size]
        at += size
        if piece:
            out += b"%x\r\n%s\r\n" % (len(piece), piece)
    return out


@http.case
def chunked_uploads_with_trailers(t):
    data = os.urandom(200000)
    body = chunked(data, [1, 2, 3, 70000] + [9999] * 20)
    body += b"0\r\nX-Sum: abc\r\n\r\n"
    for sock, target in ((t.tls(ODD), "/echo"),
                         (t.dial(), "http://%s/echo" % ODD)):
        reply = t.ask(sock, "POST", target, ODD, "Transfer-Encoding: chunked",
                      "Trailer: X-Sum", body=body)
        told = json.loads(reply.body)
        assert told["size"] == len(data)
        assert told["sha256"] == hashlib.sha256(data).hexdigest()
        assert told["trailers"] == [["X-Sum", "abc"]], told["trailers"]


@http.case
def trailers_of_a_response(t):
    for reply in both(t, "/trailers", "TE: trailers"):
        assert reply.body == b"hello"
        assert reply.trailers == [("X-Sum", "1234")], reply.trailers


@http.case
def expect_100_continue(t):
    for sock, target in ((t.tls(ODD), "/echo"),
                         (t.dial(), "http://%s/echo" % ODD)):
        sock.sendall(http1.head("POST", target, ODD, "Content-Length: 4",
                                "Expect: 100-continue"))
        f = http1.reader(sock)
        first = http1.read_head(f)
        assert first.status == 100, first
        sock.sendall(b"body")
        reply = http1.read_reply(f)
        assert json.loads(reply.body)["size"] == 4


@http.case
def expect_100_continue_refused(t):
    sock = t.tls(ODD)
    sock.sendall(http1.head("POST", "/refuse", ODD, "Content-Length: 4",
                            "Expect: 100-continue"))
    reply = http1.read_reply(http1.reader(sock))
    assert reply.status == 417 and not reply.interim, reply


@http.case
def other_interim_responses(t):
    for reply in both(t, "/hints"):
        assert reply.status == 200 and reply.body == b"hinted"
        assert [r.status for r in reply.interim] in ([103], []), reply.interim


@http.case
def responses_without_a_body(t):
    sock = t.tls(ODD)
    f = http1.reader(sock)
    for method, path, status in (
            ("HEAD", "/status/200", 200), ("GET", "/status/204", 204),
            ("GET", "/status/304", 304), ("HEAD", "/status/404", 404),
            ("GET", "/status/200", 200), ("HEAD", "/chunked/5", 200)):
        if path.startswith("/chunked"):
            break
        sock.sendall(http1.head(method, path, ODD))
        reply = http1.read_reply(f, method)
        assert reply.status == status, (path, reply)
        if method == "HEAD":
            assert reply.get("content-length") == "5", reply.fields
    assert reply.body == b"hello"


@http.case
def a_304_by_nginx(t):
    first = t.fetch("https://ec.lab.test/1k")
    reply = t.fetch("https://ec.lab.test/1k", "If-None-Match: " +
                    first.get("etag"))
    assert reply.status == 304 and not reply.body


@http.case
def http_1_0_clients(t):
    for sock, target in ((t.tls(ODD), "/chunked/20"),
                         (t.dial(), "http://%s/chunked/20" % ODD)):
        sock.sendall(http1.head("GET", target, ODD, version="HTTP/1.0"))
        f = http1.reader(sock)
        reply = http1.read_reply(f)
        assert reply.status == 200 and len(reply.body) == 210
        assert not reply.get("transfer-encoding"), reply.fields
        assert f.read(1) == b"", "kept open"


@http.case
def http_1_0_origins(t):
    for reply in both(t, "/http10"):
        assert reply.status == 200 and reply.body == b"old", reply


@http.case
def bodies_until_close(t):
    for reply in both(t, "/until-close"):
        assert reply.body == b"x" * 9000


@http.case
def pipelining(t):
    for sock, base in ((t.tls(ODD), ""), (t.dial(), "http://" + ODD)):
        sock.sendall(b"".join(
            http1.head("GET", "%s/echo?n=%d" % (base, n), ODD)
            for n in range(40)))
        f = http1.reader(sock)
        for number in range(40):
            told = json.loads(http1.read_reply(f).body)
            assert told["target"].endswith("?n=%d" % number), told["target"]


@http.case
def pipelining_behind_a_body(t):
    sock = t.tls(ODD)
    sock.sendall(http1.head("POST", "/echo?1", ODD, "Content-Length: 3") +
                 b"abc" + http1.head("GET", "/echo?2", ODD))
    f = http1.reader(sock)
    assert json.loads(http1.read_reply(f).body)["size"] == 3
    assert json.loads(http1.read_reply(f).body)["target"] == "/echo?2"


@http.case
def a_response_may_begin_before_the_request_ends(t):
    """Each piece comes back before the next one is sent."""
    for sock, target in ((t.tls(ODD), "/mirror"),
                         (t.dial(), "http://%s/mirror" % ODD)):
        sock.sendall(http1.head("POST", target, ODD,
                                "Transfer-Encoding: chunked"))
        f = http1.reader(sock)
        reply = http1.read_head(f)
        back = http1.chunks(f, [])
        assert reply.status == 200
        for number in range(20):
            piece = b"piece %d" % number
            sock.sendall(chunked(piece, [len(piece)]))
            got = b""
            while len(got) < len(piece):
                got += next(back)
            assert got == piece
        sock.sendall(b"0\r\n\r\n")
        assert next(back, None) is None


@http.case
def an_early_refusal_arrives(t):
    """413 while the body is still being sent: it is not lost."""
    for sock, target in ((t.tls(ODD), "/early"),
                         (t.dial(), "http://%s/early" % ODD)):
        sock.sendall(http1.head("POST", target, ODD,
                                "Content-Length: 50000000"))
        sent = threading.Event()

        def send():
            try:
                for _ in range(50):
                    sock.sendall(b"u" * 10000)
            except OSError:
                pass
            sent.set()
        if not isinstance(sock, ssl.SSLSocket):
            threading.Thread(target=send, daemon=True).start()
        else:
            sock.sendall(b"u" * 10000)
        reply = http1.read_reply(http1.reader(sock))
        assert reply.status == 413 and reply.body == b"large", reply


@http.case
def half_closed_clients_get_their_answer(t):
    for _ in range(50):
        sock = t.dial()
        sock.sendall(http1.head("GET", "http://%s/drip" % ODD, ODD))
        sock.shutdown(socket.SHUT_WR)
        assert http1.read_reply(http1.reader(sock)).body == b"d" * 40


@http.case
def events_pass_at_once(t):
    """The second event is made only when the first has been read."""
    for number, sock, base in ((1, t.tls(ODD), ""),
                               (2, t.dial(), "http://" + ODD)):
        tag = "sse-%d-%s" % (number, os.urandom(4).hex())
        sock.sendall(http1.head("GET", "%s/sse/%s" % (base, tag), ODD))
        f = http1.reader(sock)
        http1.read_head(f)
        events = http1.chunks(f, [])
        assert next(events) == b"data: one\n\n"
        t.gate(tag)
        assert next(events) == b"data: two\n\n"
        assert next(events, None) is None


def upgrade(t, sock, target="/ws", *more):
    key = ws.new_key()
    sock.sendall(http1.head("GET", target, ODD, "Upgrade: websocket",
                            "Connection: Upgrade", "Sec-WebSocket-Key: " +
                            key, "Sec-WebSocket-Version: 13", *more))
    reply = client.read_exact_head(sock)
    assert reply.status == 101, reply
    assert reply.get("sec-websocket-accept") == ws.accept(key)
    assert (reply.get("upgrade") or "").lower() == "websocket"
    return http1.reader(sock)


@http.case
def websocket_echo(t):
    for sock, target in ((t.tls(ODD), "/ws"),
                         (t.dial(), "http://%s/ws" % ODD)):
        f = upgrade(t, sock, target)
        for size in (0, 1, 125, 126, 65535, 65536, 300000):
            data = os.urandom(size)
            sock.sendall(ws.frame(ws.BINARY, data, True))
            assert ws.read(f) == (ws.BINARY, data), size
        sock.sendall(ws.frame(ws.CLOSE, b"\x03\xe8", True))
        assert ws.read(f) == (ws.CLOSE, b"\x03\xe8")
        assert f.read(1) == b""
    t.line(status=101, count=2)


@http.case
def websocket_frames_behind_the_head(t):
    """The client does not wait for the 101."""
    sock = t.tls(ODD)
    key = ws.new_key()
    sock.sendall(http1.head(
        "GET", "/ws", ODD, "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: " + key, "Sec-WebSocket-Version: 13") +
        ws.frame(ws.TEXT, b"early", True))
    f = http1.reader(sock)
    assert http1.read_head(f).status == 101
    assert ws.read(f) == (ws.TEXT, b"early")


@http.case
def other_upgrades_are_not_offered(t):
    for offer in ("h2c", "TLS/1.2", "spdy/3, foo"):
        reply = t.fetch(URL + "/echo", "Upgrade: " + offer,
                        "Connection: Upgrade, HTTP2-Settings",
                        "HTTP2-Settings: AAMAAABkAAQAAP__")
        names = {k.lower() for k, v in json.loads(reply.body)["fields"]}
        assert not names & {"upgrade", "http2-settings"}, names


@http.case
def large_heads(t):
    value = "v" * 30000
    reply = t.fetch(URL + "/echo", "X-Long: " + value)
    assert ["X-Long", value] in json.loads(reply.body)["fields"]


@http.case
def byte_by_byte(t):
    """Request and body, a byte a TLS record and a segment."""
    sock = t.tunnel(ODD)
    tls = client.Sliced(sock, t.settings(), ODD, lambda data: [data])
    tls.handshake()
    for byte in http1.head("POST", "/echo", ODD, "Content-Length: 3") + b"abc":
        tls.sendall(bytes([byte]))
    reply = http1.read_reply(http1.reader(tls))
    assert json.loads(reply.body)["size"] == 3


@http.case
def the_connect_itself_byte_by_byte(t):
    sock = t.dial()
    for byte in http1.head("CONNECT", ODD + ":443", ODD + ":443"):
        sock.sendall(bytes([byte]))
    assert client.read_exact_head(sock).status == 200
    tls = t.tls(ODD, sock=sock)
    assert t.ask(tls, "GET", "/echo", ODD).status == 200


@http.case
def the_hello_right_behind_connect(t):
    """A client that does not wait for the 200."""
    sock = t.dial()
    settings = t.settings()
    tls = client.Sliced(sock, settings, ODD, lambda data: [data])
    try:
        tls.tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = tls.out.read()
    sock.sendall(http1.head("CONNECT", ODD + ":443", ODD + ":443") + hello)
    assert client.read_exact_head(sock).status == 200
    tls.handshake()
    tls.sendall(http1.head("GET", "/echo", ODD))
    assert http1.read_reply(http1.reader(tls)).status == 200


# --- origin connections -------------------------------------------------------

def connection_of(reply):
    return json.loads(reply.body)["connection"]


@http.case
def origin_connections_are_reused(t):
    """By requests of one client surely; by others on the same worker."""
    sock = t.tls(ODD)
    numbers = {connection_of(t.ask(sock, "GET", "/echo?%d" % n, ODD))
               for n in range(10)}
    assert len(numbers) == 1, numbers
    t.line(count=10, kind="exchange")
    # a line of the case before may come as late as this
    reused = [line["origin_reused"] for line in t.lines(kind="exchange")][-10:]
    assert all(reused[1:]), reused
    ours = {connection_of(t.fetch(URL + "/echo")) for _ in range(16)}
    assert len(ours) < 16, "never reused between clients"


@http.case
def requests_on_a_dead_kept_connection_are_not_lost(t):
    """The origin resets the kept connection at the next request."""
    for number, method in enumerate(("GET", "POST", "PUT", "POST")):
        sock = t.tls(ODD)
        assert t.ask(sock, "GET", "/once?%d" % number, ODD).body == b"once"
        tag = "/echo?after-%d-%s" % (number, os.urandom(4).hex())
        reply = t.ask(sock, method, tag, ODD, *(
            ["Content-Length: 2"] if method != "GET" else []),
            body=b"ok" if method != "GET" else b"")
        seen = t.seen(tag)
        if method == "GET":
            assert reply.status == 200, (method, reply)
        else:
            # sent twice would be worse than an error
            answered = [s for s in seen if s["served"] == 1]
            assert len(answered) <= 1, seen
            assert reply.status in (200, 502), (method, reply)


@http.case
def a_connection_with_bytes_left_over_is_not_reused(t):
    sock = t.tls(ODD)
    assert t.ask(sock, "GET", "/extra", ODD).body == b"hello"
    for _ in range(6):
        reply = t.fetch(URL + "/echo")
        assert b"poisoned" not in reply.body and reply.status == 200, reply
    reply = t.ask(sock, "GET", "/echo", ODD)
    assert b"poisoned" not in reply.body


@http.case
def short_bodies_are_not_passed_off_as_whole(t):
    for fetch in (lambda: t.fetch(URL + "/short"),
                  lambda: t.fetch("http://%s/short" % ODD)):
        try:
            reply = fetch()
        except (http1.Broken, OSError):
            continue
        raise AssertionError("taken for whole: %r" % reply)


@http.case
def a_reset_origin_is_502(t):
    for reply in both(t, "/reset", method="POST", body=b"x"):
        assert reply.status == 502 and reply.error, reply


@http.case
def a_client_that_leaves_ends_its_origins_work(t):
    """The origin writes for ever; when its client goes, so does it."""
    before = t.proxy.counters()["open"]
    socks = [t.tls(ODD) for _ in range(5)]
    for sock in socks:
        sock.sendall(http1.head("GET", "/endless", ODD))
        assert sock.recv(1000)
    for sock in socks:
        sock.close()
    assert eventually(lambda: t.proxy.counters()["open"] <= before), \
        t.proxy.counters()


@http.case(limit=60)
def a_slow_reader_holds_the_origin_back(t):
    """Memory stays flat though the origin would send for ever."""
    sock = t.tls(ODD)
    sock.sendall(http1.head("GET", "/endless", ODD))
    assert sock.recv(1000)
    before = t.proxy.rss()
    threading.Event().wait(2)
    grown = t.proxy.rss() - before
    assert grown < FLAT, "grew by %d MB" % (grown >> 20)


# The same once more by clients of TLS 1.2, which end and resume otherwise.
for each in http.cases:
    if each.function is not one_log_line_for_an_exchange:
        http12.case(each.function, limit=each.limit)
