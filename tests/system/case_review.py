"""Ways round the rules that a hostile review found; each was open once."""

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import time

from lab import client, hello, http1, ws
from lab.case import Group, error_page, eventually
from lab.nginx import wait_port
from lab.sallyport import SLOW, Sallyport

ODD = "odd.lab.test"
TOLD = "told.lab.test"
SECRET = {"authorization", "host", "connection", "set-cookie"}
PIPE = 4096  # bytes, the least there is
RULES = [
    {"name": "Told", "match": {"hosts": [TOLD]}, "action": "block",
     "notify": True},
    {"name": "Bad places", "match": {"hosts": ["blocked.lab.test"]},
     "action": "block"},
    {"name": "Ours", "action": "inspect", "block-undecryptable": False},
]


def settings(lab, **limits):
    """A blocked name that CONNECT does not refuse, on two ports."""
    return {"ssl-rules": RULES, "limits": limits, "origin": {
        "connect-to": lab.connect_to() + [
            "%s:443:127.0.0.1:%d" % (TOLD, lab.port["record"]),
            "%s:22:127.0.0.1:%d" % (TOLD, lab.port["ssh"])]}}


review = Group("review", config=lambda lab: settings(
    lab, **{"peek-timeout": "1s"}))
brief = Group("review/brief", config=lambda lab: settings(
    lab, **{"idle-timeout": "4s"}))
hurried = Group("review/hurried", config=lambda lab: settings(
    lab, **{"handshake-timeout": "1s"}))
bare = Group("review/bare", config=None)


def read_all(sock):
    """Everything until the end; (bytes, whether it was a clean one)."""
    out = b""
    try:
        while data := sock.recv(65536):
            out += data
        return out, True
    except ConnectionError:
        return out, False


def told(sock):
    """The same from who may also keep silent, as a tunnel's end does."""
    out = b""
    sock.settimeout(5 * SLOW)
    try:
        while data := sock.recv(65536):
            out += data
    except (TimeoutError, ConnectionError):
        pass
    return out


# --- what opens a tunnel ------------------------------------------------------

def ssl2(version):
    """An SSL 2 ClientHello that offers VERSION (RFC 5246, E.2)."""
    body = b"\x01" + struct.pack(">HHHH", version, 3, 0, 16)
    body += b"\x00\x00\x2f" + os.urandom(16)
    return struct.pack(">H", 0x8000 | len(body)) + body


def odd_hellos(host):
    genuine = hello.message(sni=host)
    usual = hello.records(genuine)
    for version in (0x0401, 0x7F00, 0x0200):
        yield "version %04x" % version, hello.records(genuine,
                                                      version=version)
    yield "alert", b"\x15\x03\x01\x00\x02\x01\x00" + usual
    yield "alert of 0401", b"\x15\x04\x01\x00\x02\x01\x00" + usual
    for version in (0x0002, 0x0301, 0x0303):
        yield "SSL 2 of %04x" % version, ssl2(version)


def answer(sock):
    """As hello.answer; a tunnel's other end may say nothing at all."""
    try:
        return hello.answer(http1.reader(sock))
    except TimeoutError:
        return "silence"


@review.case(limit=120)
def odd_hellos_are_no_way_into_a_tunnel(t):
    wrong = []
    for host in ("record.lab.test", TOLD):
        for name, data in odd_hellos(host):
            t.mark()
            tag = os.urandom(8).hex()
            sock = t.tunnel(host)
            sock.sendall(data + tag.encode())
            sock.settimeout(5 * SLOW)
            got = answer(sock)
            sock.close()
            line = t.line(host=host)
            if not (got == "closed" or got.startswith("alert")) or \
                    line["kind"] == "tunnel" or line["reason"] not in (
                        "bad-client-hello", "blocked-by-rule"):
                wrong.append("%s to %s: %s, %s" % (name, host, got, line))
            if json.loads(t.control("raw", tag)):
                wrong.append("%s reached %s" % (name, host))
    assert not wrong, "; ".join(wrong)


@review.case
def odd_hellos_do_not_come_to_a_blocked_host(t):
    """Without notify CONNECT is refused before any of them."""
    _, reply = t.connect("blocked.lab.test")
    assert reply.status == 403 and reply.error == "blocked-by-rule", reply


@review.case
def ech_does_not_hide_a_blocked_name(t):
    for host in ("ec.lab.test", "record.lab.test"):
        sock = t.tunnel(host)
        sock.sendall(hello.records(hello.message(
            sni="blocked.lab.test", extra=(hello.grease_ech(),))))
        got = hello.answer(http1.reader(sock))
        assert got == "alert 49", got  # access_denied
        line = t.line(host=host, reason="blocked-by-rule")
        assert line["action"] == "block", line
        assert line["rule"] == "Bad places", line


@review.case
def notify_is_not_for_what_cannot_be_told(t):
    """The block holds for what is neither TLS nor HTTP."""
    sock = t.tunnel(TOLD, 22)
    sock.sendall(b"SSH-2.0-client\r\n")
    got = told(sock)
    assert got == b"", "relayed: %r" % got
    t.line(host=TOLD, port=22, reason="blocked-by-rule")


@review.case
def notify_does_not_let_the_server_speak_first(t):
    sock = t.tunnel(TOLD, 22)
    sock.settimeout(3 * SLOW)  # three times peek-timeout
    try:
        got = sock.recv(100)
    except TimeoutError:
        got = b""
    assert got == b"", "the origin was let speak: %r" % got


@review.case
def a_mark_is_not_for_another_destination(t):
    """That mtls.lab.test is tunnelled says nothing of where CONNECT goes."""
    def tunnelled():
        t.fetch("https://mtls.lab.test/1k", trust=False)
        return t.lines(kind="tunnel", host="mtls.lab.test")
    assert eventually(tunnelled), "never tunnelled: the lab is wrong"
    t.mark()
    tag = os.urandom(8).hex()
    sock = t.tunnel("record.lab.test")
    sock.sendall(hello.records(hello.message(sni="mtls.lab.test")) +
                 tag.encode())
    sock.settimeout(5 * SLOW)
    answer(sock)
    sock.close()
    line = t.line(host="record.lab.test")
    assert line["kind"] != "tunnel" and line["names"] == "differ", line
    assert not json.loads(t.control("raw", tag))


@review.case
def newlines_before_a_request_are_not_another_protocol(t):
    """lines.lab.test would say each line again."""
    for count in (9, 40):
        sock = t.tls("lines.lab.test", alpn=())
        sock.sendall(b"\n" * count + http1.head("GET", "/newlines",
                                                "blocked.lab.test"))
        got = told(sock)
        assert b"again" not in got and b"220 lab" not in got, got
        sock.close()
    assert not t.lines(kind="relay"), t.lines(kind="relay")


# --- messages -----------------------------------------------------------------

@review.case
def a_frame_that_comes_with_the_101(t):
    for sock, target in ((t.tls(ODD), "/ws-at-once"),
                         (t.dial(), "http://%s/ws-at-once" % ODD)):
        key = ws.new_key()
        sock.sendall(http1.head(
            "GET", target, ODD, "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: " + key, "Sec-WebSocket-Version: 13"))
        f = http1.reader(sock)
        reply = http1.read_head(f)
        assert reply.status == 101, reply
        assert ws.read(f) == (ws.TEXT, b"at once")
        sock.sendall(ws.frame(ws.TEXT, b"later", True))
        assert ws.read(f) == (ws.TEXT, b"later")


@review.case
def trailers_to_the_client_are_filtered(t):
    reply = t.fetch("https://%s/hop-trailers" % ODD, "TE: trailers")
    assert reply.body == b"hello", reply
    names = {k.lower() for k, _ in reply.trailers}
    assert "x-sum" in names and not names & SECRET, reply.trailers


@review.case
def trailers_to_the_origin_are_filtered(t):
    sock = t.tls(ODD)
    sock.sendall(http1.head("POST", "/echo", ODD,
                            "Transfer-Encoding: chunked") +
                 b"5\r\nhello\r\n0\r\nX-Sum: 1234\r\n"
                 b"Authorization: Basic YTpi\r\nHost: other.test\r\n"
                 b"Connection: X-Sum\r\nSet-Cookie: a=b\r\n\r\n")
    reply = http1.read_reply(http1.reader(sock))
    assert reply.status == 200, reply
    seen = json.loads(reply.body)
    names = {k.lower() for k, _ in seen["trailers"]}
    assert seen["size"] == 5, seen
    assert "x-sum" in names and not names & SECRET, seen["trailers"]


@review.case
def a_204_has_no_length(t):
    sock = t.tls(ODD)
    reply = t.ask(sock, "GET", "/length-of-204", ODD)
    assert reply.status == 204, reply
    assert reply.get("content-length") is None, reply.fields
    assert reply.get("transfer-encoding") is None, reply.fields


# --- clients that do not read -------------------------------------------------

def small(t):
    """A connection whose client takes in very little at a time."""
    sock = socket.socket()
    t.open.append(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(30 * SLOW)
    sock.connect(("127.0.0.1", t.proxy.port))
    return sock


@review.case(limit=60)
def answers_that_are_not_read_are_not_piled_up(t):
    """Each of these is answered by Sallyport, at many times its size."""
    own = "sallyport.internal"
    one = http1.head("GET", "http://%s/" % own, own)
    reply = t.ask(t.dial(), "GET", "http://%s/" % own, own)
    assert reply.status == 200 and len(reply.body) > len(one), reply
    before, most = t.proxy.rss(), 8 << 20
    sock = small(t)
    sock.settimeout(3)
    sent = 0
    try:
        while sent < most:
            sent += sock.send(one * 200)
    except (TimeoutError, ConnectionError):
        pass
    grown = t.proxy.rss() - before
    # A sanitizer keeps 256 MB of what was freed; piled up it would be gigabytes.
    assert grown < (32 << 20 if SLOW == 1 else 512 << 20), \
        "%d bytes more for %d bytes sent" % (grown, sent)


@brief.case(limit=60)
def who_stops_reading_is_closed(t):
    sock = small(t)
    sock.sendall(http1.head("GET", "http://%s/endless" % ODD, ODD))
    assert client.read_exact_head(sock).status == 200
    assert t.proxy.counters()["open"] == 1
    assert eventually(lambda: t.proxy.counters()["open"] == 0, 20), \
        "still open"
    assert not read_all(sock)[0].endswith(b"\r\n0\r\n\r\n"), "looks whole"
    t.line(kind="exchange")


@review.case
def a_client_that_connects_ahead(t):
    """As browsers do; its origin has hung up by the time it asks."""
    host = "hasty.odd.lab.test"
    for method, fields, body in (("GET", (), b""), ("POST", (
            "Content-Length: 1",), b"x"), ("GET", (), b"")):
        tls = t.tls(host)
        time.sleep(1.5)
        reply = t.ask(tls, method, "/echo", host, *fields, body=body)
        assert reply.status == 200, (method, reply)


@brief.case
def who_is_late_is_told_so(t):
    """Of a request that stops half way, the server is not to blame."""
    for scheme, connect in (("http", t.dial), ("https", lambda: t.tls(ODD))):
        sock = connect()
        sock.sendall(http1.head("POST", "%s://%s/echo" % (scheme, ODD), ODD,
                                "Content-Length: 5") + b"ab")
        reply = http1.read_reply(http1.reader(sock), "POST")
        error_page(reply, "request-timeout", 408)
    t.line(count=2, kind="exchange", reason="request-timeout")


@brief.case
def a_server_that_is_late_is_told_of(t):
    """The page arrives, on a connection that could go on."""
    reply = t.fetch("https://%s/hold/never-comes" % ODD)
    error_page(reply, "origin-timed-out", 504)
    t.line(kind="exchange", reason="origin-timed-out", status=504)


@hurried.case
def a_head_that_does_not_end_is_answered(t):
    sock = t.dial()
    sock.sendall(b"GET http://%s/ HTTP/1.1\r\nHost:" % ODD.encode())
    reply = http1.read_reply(http1.reader(sock), "GET")
    assert reply.status == 408 and reply.error == "request-timeout", reply
    t.line(kind="exchange", reason="request-timeout")


def held(sock):
    """Bytes on their way to a client that does not read, both kernels'."""
    here, there = sock.getsockname()[1], sock.getpeername()[1]
    count = 0
    with open("/proc/net/tcp") as table:
        for line in list(table)[1:]:
            fields = line.split()
            ports = [int(end.split(":")[1], 16) for end in fields[1:3]]
            sent, arrived = (int(n, 16) for n in fields[4].split(":"))
            if ports == [there, here]:
                count += sent
            elif ports == [here, there]:
                count += arrived
    return count


@review.case(limit=90)
def a_pause_does_not_cut_a_response_short(t):
    """HTTP/1.0: the close is all that tells its end. What is poured is a
    little more than the kernel takes in, so that Sallyport holds the rest."""
    def pour(size):
        sock = small(t)
        sock.sendall(http1.head("GET", "http://%s/pour/%d" % (ODD, size), ODD,
                                version="HTTP/1.0"))
        assert client.read_exact_head(sock).status == 200
        return sock

    sock = pour(64 << 20)
    time.sleep(1)
    full = held(sock)
    sock.close()
    for more in (30000, 60000, 90000):
        sock = pour(full + more)
        time.sleep(4)
        got, clean = read_all(sock)
        assert len(got) == full + more, "%d of %d bytes, %s end" % (
            len(got), full + more, "a clean" if clean else "no")


# --- the process --------------------------------------------------------------

def hung_up(t, out):
    """A Sallyport that logs to OUT, which nobody reads."""
    proxy = Sallyport(t.binary, t.lab, t.path("own"), {
        "ssl-rules": RULES, "log": {"access": "stdout"}})
    proxy.write()
    proxy.process = subprocess.Popen(
        [t.binary, "run", "-c", proxy.file], stdin=subprocess.DEVNULL,
        stdout=out, stderr=open(proxy.errors, "ab"), cwd=proxy.folder)
    try:
        wait_port(proxy.port, seconds=20 * SLOW, alive=proxy.alive)
    except OSError:
        raise AssertionError("does not start: " + proxy.stderr()[-800:])
    t.proxy = proxy
    return proxy


@bare.case(limit=60)
def a_log_that_nobody_reads_does_not_keep_it_alive(t):
    into, out = os.pipe()
    fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, PIPE)
    proxy = hung_up(t, out)
    os.close(out)
    try:
        for _ in range(100):
            assert t.fetch("http://sallyport.internal/").status == 200
        for _ in range(2):
            proxy.signal(signal.SIGTERM)
            time.sleep(0.5)
        proxy.process.wait(20 * SLOW)
    except subprocess.TimeoutExpired:
        raise AssertionError("still there after two SIGTERMs")
    finally:
        os.close(into)
        if proxy.alive():
            proxy.process.kill()
            proxy.process.wait()
