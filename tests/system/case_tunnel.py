"""What is not inspected, and that nothing else gets away uninspected."""

import contextlib
import os
import socket
import struct
import time

from lab import client, hello, http1
from lab.case import Group, error_page
from lab.pki import split

RULES = [
    {"name": "Banks", "match": {"hosts": [
        "bank.lab.test", "record.lab.test", "raw.record.lab.test"]},
     "action": "do-not-inspect"},
    {"name": "Bad places", "match": {"hosts": ["blocked.lab.test"]},
     "action": "block"},
    {"name": "Explained", "match": {"hosts": [".told.test"]},
     "action": "block", "notify": True},
    {"name": "Named only", "match": {"hosts": ["tools.lab.test"]},
     "action": "inspect", "block-no-sni": True},
]

tunnel = Group("tunnel", config=lambda lab: {"ssl-rules": RULES})
HANDSHAKE = 3  # seconds, for the group that runs into the limit
short = Group("short", config=lambda lab: {
    "ssl-rules": RULES, "limits": {"handshake-timeout": "%ds" % HANDSHAKE}})
strict = Group("strict", config=lambda lab: {
    "non-tls": "block", "non-http": "block"})


def origin_pem(t, name):
    with open(t.lab.pki.path(name + ".pem")) as f:
        return split(f.read())


def shown(t, proxy_port, *args):
    return split(t.run("openssl", "s_client", "-showcerts", *(
        ("-proxy", "127.0.0.1:%d" % proxy_port) if proxy_port else ()),
        *args).stdout)


# --- do-not-inspect, block ----------------------------------------------------

@tunnel.case
def do_not_inspect_shows_the_origins_own_certificate(t):
    chain = shown(t, t.proxy.port, "-connect", "bank.lab.test:443",
                  "-servername", "bank.lab.test")
    assert chain == origin_pem(t, "bank"), "not the origin's certificate"
    line = t.line(kind="tunnel", host="bank.lab.test")
    assert line["rule"] == "Banks" and line["action"] == "do-not-inspect"
    assert line["sni"] == "bank.lab.test" and line["names"] == "same", line


@tunnel.case
def do_not_inspect_by_the_transparent_listener(t):
    """The name is dialled: a connect-to of port 443 decides where."""
    tls = t.tls("bank.lab.test", sock=t.dial(t.proxy.tport),
                trust=t.lab.pki.root)
    reply = t.ask(tls, "GET", "/1k", "bank.lab.test")
    assert reply.status == 200 and len(reply.body) == 1024


@tunnel.case
def a_tunnel_is_byte_for_byte(t):
    sock, tag = t.tunnel("record.lab.test"), os.urandom(8).hex()
    data = hello.records(hello.message(sni="record.lab.test"), (3, 50))
    data += b"\x17\x03\x03\x00\x10%s" % tag.encode() + os.urandom(300000)
    sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)
    got = b""
    for _ in range(200):
        got = t.recorded(tag) or b""
        if len(got) >= len(data):
            break
        time.sleep(0.05)
    assert got == data, "%d of %d bytes alike" % (len(got), len(data))


@tunnel.case
def block_is_403_at_connect(t):
    sock, reply = t.connect("blocked.lab.test")
    error_page(reply, "blocked-by-rule", 403)
    line = t.line(host="blocked.lab.test")
    assert line["rule"] == "Bad places" and line["action"] == "block", line
    assert line["reason"] == "blocked-by-rule" and line["status"] == 403


@tunnel.case
def block_with_notify_is_a_page_inside_tls(t):
    reply = t.fetch("https://x.told.test/")
    error_page(reply, "blocked-by-rule", 403)
    assert b"Explained" in reply.body, "the rule's name is on the page"
    t.line(host="x.told.test", reason="blocked-by-rule")


@tunnel.case
def block_found_at_the_sni_is_an_alert(t):
    sock = t.dial(t.proxy.tport)
    sock.sendall(hello.records(hello.message(sni="blocked.lab.test")))
    got = hello.answer(http1.reader(sock))
    assert got == "alert 49", got  # access_denied
    t.line(sni="blocked.lab.test", reason="blocked-by-rule")


@tunnel.case
def block_without_sni_where_the_rule_says_so(t):
    sock = t.tunnel("tools.lab.test")
    sock.sendall(hello.records(hello.message(sni=None)))
    got = hello.answer(http1.reader(sock))
    assert got.startswith("alert") or got == "closed", got
    assert t.fetch("https://tools.lab.test/1k").status == 200


# --- what is not TLS ----------------------------------------------------------

@tunnel.case
def ssh_speaks_first_and_is_tunnelled(t):
    sock = t.tunnel("ssh.lab.test")
    assert sock.recv(100) == b"SSH-2.0-lab\r\n"
    sock.sendall(b"SSH-2.0-client\r\n" + b"k" * 5000)
    f = http1.reader(sock)
    assert http1.exactly(f, 5016)[-5000:] == b"k" * 5000
    sock.close()
    line = t.line(kind="tunnel", host="ssh.lab.test")
    assert line["bytes_out"] >= 5029 and line["bytes_in"] >= 5016, line
    assert line["rule"] == "default" and line["action"] == "inspect", line


@tunnel.case
def a_tunnel_that_its_client_broke_says_so(t):
    sock = t.tunnel("ssh.lab.test")
    assert sock.recv(100) == b"SSH-2.0-lab\r\n"
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()
    line = t.line(kind="tunnel", host="ssh.lab.test", reason="client-gone")
    assert line["bytes_out"] >= 13 and line["rule"] == "default", line


@tunnel.case
def other_bytes_at_once_are_tunnelled(t):
    sock = t.tunnel("ssh.lab.test")
    sock.sendall(b"\x00\x01\x02not tls, not http")
    f = http1.reader(sock)
    assert http1.exactly(f, 13) == b"SSH-2.0-lab\r\n"
    assert http1.exactly(f, 20) == b"\x00\x01\x02not tls, not http"
    sock.close()
    line = t.line(kind="tunnel", host="ssh.lab.test")
    assert line["rule"] == "default" and line["action"] == "inspect", line


@tunnel.case(limit=60)
def what_begins_as_a_line_goes_through_whole(t):
    """Looked at until the line ends, however late, and then no more."""
    for first in (b"\0\0\0\x08\x04\xd2\x16\x2f", b"*1\r\n$4\r\nPING\r\n",
                  b"{ \"a\": \"/b\" }\n", b"SSH-2.0-x client\r\n",
                  b"(" * 200000 + b"\r\n"):
        sock = t.tunnel("half.lab.test")
        sock.sendall(first)
        time.sleep(0.2)
        for _ in range(30):
            sock.sendall(b"z" * 100000)
        sock.shutdown(socket.SHUT_WR)
        got = http1.reader(sock).read()
        assert got == b"got %d\n" % (len(first) + 3000000), (first[:9], got)


@tunnel.case
def plain_http_in_connect_is_http(t):
    sock = t.tunnel("127.0.0.1", t.lab.port["plain"])
    reply = t.ask(sock, "GET", "/plain-in-connect", "127.0.0.1:%d"
                  % t.lab.port["plain"])
    assert reply.status == 200, reply
    line = t.line(kind="exchange")
    assert line["url"].endswith("/plain-in-connect"), line
    assert line["url"].startswith("http://"), line


@tunnel.case
def tunnels_close_by_halves(t):
    sock = t.tunnel("half.lab.test")
    sock.sendall(b"\0" * 70000)
    sock.shutdown(socket.SHUT_WR)
    assert http1.reader(sock).read() == b"got 70000\n"


@strict.case
def non_tls_block(t):
    sock = t.tunnel("ssh.lab.test")
    sock.sendall(b"SSH-2.0-client\r\n")
    assert b"SSH-2.0-lab" not in (sock.recv(100) or b""), "was tunnelled"
    t.line(host="ssh.lab.test", reason="non-tls-blocked")


@strict.case
def non_tls_block_of_a_silent_client(t):
    """Its origin is not let speak; a hello later on is still inspected."""
    sock = t.tunnel("ssh.lab.test")
    sock.settimeout(4)
    try:
        data = sock.recv(100)
    except TimeoutError:
        data = b""
    assert data == b"", "the origin was let speak: %r" % data
    sock = t.tunnel("ec.lab.test")
    time.sleep(3)
    tls = t.tls("ec.lab.test", sock=sock)
    assert t.ask(tls, "GET", "/1k", "ec.lab.test").status == 200


@strict.case
def non_http_block(t):
    sock = t.tls("odd.lab.test", alpn=())
    sock.sendall(b"\x10\x00\x01not http\r\n")
    assert sock.recv(100) == b""
    t.line(host="odd.lab.test", reason="non-http-blocked")


@tunnel.case
def non_http_is_relayed(t):
    sock = t.tls("lines.lab.test", alpn=("imap",))
    chosen = sock.selected_alpn_protocol()
    assert chosen == "imap", chosen
    f = http1.reader(sock)
    assert f.readline() == b"220 lab\r\n"
    sock.sendall(b"a1 noop\r\n")
    assert f.readline() == b"again a1 noop\r\n"
    sock.close()
    t.line(kind="relay", host="lines.lab.test")


@tunnel.case
def h2_alone_is_refused_with_a_reason(t):
    sock = t.tunnel("ec.lab.test")
    sock.sendall(hello.records(hello.message(sni="ec.lab.test",
                                             alpn=("h2",))))
    got = hello.answer(http1.reader(sock))
    assert got == "alert 120", got  # no_application_protocol
    t.line(host="ec.lab.test", reason="alpn-not-supported")


@tunnel.case
def h2_and_http11_is_http11(t):
    sock = t.tls("h2.lab.test", alpn=("h2", "http/1.1"))
    assert sock.selected_alpn_protocol() == "http/1.1"


# --- names that disagree ------------------------------------------------------

def decided(t, host, sni, **more):
    """What became of CONNECT host and a hello for sni: a log line."""
    sock, reply = t.connect(host)
    if reply.status != 200:
        return t.line(host=host)
    sock.sendall(hello.records(hello.message(sni=sni, **more)))
    t.answer = hello.answer(http1.reader(sock))
    sock.close()
    return t.line(host=host)


@tunnel.case
def the_stricter_of_two_names_wins(t):
    for host, sni, action in (
            ("bank.lab.test", "ec.lab.test", "inspect"),
            ("ec.lab.test", "bank.lab.test", "inspect"),
            ("bank.lab.test", "blocked.lab.test", "block"),
            ("ec.lab.test", "blocked.lab.test", "block"),
            ("blocked.lab.test", "bank.lab.test", "block"),
            ("bank.lab.test", "record.lab.test", "do-not-inspect")):
        t.mark()
        line = decided(t, host, sni)
        assert line["action"] == action, "%s with SNI %s: %s" % (
            host, sni, line)
        if host != "blocked.lab.test":
            assert line["names"] == "differ", line


@tunnel.case
def a_bank_in_the_sni_does_not_tunnel(t):
    """CONNECT's host is dialled, the SNI is verified: the error says so."""
    reply = t.fetch("https://ec.lab.test/1k", sni="bank.lab.test")
    assert reply.error == "origin-certificate-wrong-host", reply
    assert b"Sallyport's lab" not in reply.body


@tunnel.case
def an_address_in_connect_that_the_sni_resolves_to_is_one_name(t):
    port = t.lab.port["ec"]
    sock = t.tls("127.0.0.1", port, sni="ec.lab.test")
    reply = t.ask(sock, "GET", "/1k", "ec.lab.test:%d" % port)
    assert reply.status == 200, reply
    line = t.line(kind="exchange", host="127.0.0.1", port=port)
    assert line["names"] == "same", line


@tunnel.case
def names_are_compared_normalized(t):
    sock = t.tls("BANK.lab.test.", sni="bank.lab.test", trust=False)
    assert sock.getpeercert(binary_form=True)
    sock.close()
    line = t.line(kind="tunnel")
    assert line["names"] == "same" and line["action"] == "do-not-inspect"


@tunnel.case
def the_outer_sni_of_ech_is_not_a_name(t):
    ech = (hello.grease_ech(),)
    line = decided(t, "ec.lab.test", "bank.lab.test", extra=ech)
    assert line["action"] == "inspect", line
    t.mark()
    line = decided(t, "blocked.lab.test", "bank.lab.test", extra=ech)
    assert line["action"] == "block", line


@tunnel.case
def two_snis_or_a_broken_one_are_refused(t):
    two = hello.vector(2, b"".join(
        b"\0" + hello.vector(2, n) for n in (b"bank.lab.test",
                                             b"ec.lab.test")))
    for extra, sni in (([(hello.SNI, two)], None),
                       ([(hello.SNI, hello.name_list("ec.lab.test"))],
                        "bank.lab.test"),
                       ([], b"bank.lab.test\0.ec.lab.test"),
                       ([], b""), ([], b"a" * 300)):
        sock = t.tunnel("ec.lab.test")
        sock.sendall(hello.records(hello.message(sni=sni, extra=extra)))
        got = hello.answer(http1.reader(sock))
        assert got.startswith("alert") or got == "closed", (got, extra, sni)
    t.line(count=5, reason="bad-client-hello")


# --- hellos that are late, slow, broken, big ----------------------------------

@tunnel.case
def a_hello_three_seconds_late_is_inspected(t):
    sock = t.tunnel("ec.lab.test")
    time.sleep(3)
    tls = t.tls("ec.lab.test", sock=sock)  # verifies: it is ours
    assert t.ask(tls, "GET", "/1k", "ec.lab.test").status == 200
    assert t.line(host="ec.lab.test")["action"] == "inspect"


@tunnel.case
def a_late_hello_after_the_origin_spoke_is_closed(t):
    sock = t.tunnel("ssh.lab.test")
    assert sock.recv(100) == b"SSH-2.0-lab\r\n"
    sock.sendall(hello.records(hello.message(sni="ssh.lab.test")))
    assert sock.recv(100) == b"", "TLS went on in the tunnel"
    t.line(host="ssh.lab.test", reason="tls-in-tunnel")


@short.case(limit=60)
def a_hello_of_a_byte_a_second_is_never_tunnelled(t):
    for host in ("bank.lab.test", "ec.lab.test", "raw.record.lab.test"):
        sock = t.tunnel(host)
        data = hello.records(hello.message(sni=host))
        end = None
        try:
            for number in range(HANDSHAKE * 5):
                sock.sendall(data[number:number + 1])
                sock.settimeout(1)
                try:
                    end = sock.recv(100)
                    break
                except TimeoutError:
                    continue
        except (BrokenPipeError, ConnectionResetError):
            end = b""
        assert end is not None, host + ": still read after the limit"
        t.line(host=host, reason="handshake-timeout")
    assert t.recorded("raw.record") is None, "bytes reached the origin"


@tunnel.case
def a_hello_byte_by_byte_is_read(t):
    """Each byte a segment of its own; a genuine handshake goes on."""
    for host in ("ec.lab.test", "rsa.lab.test"):
        sock = t.tunnel(host)
        tls = client.Sliced(sock, t.settings(), host, client.slices(1),
                            0.0005)
        tls.handshake()
        tls.sendall(http1.head("GET", "/1k", host))
        assert http1.read_reply(http1.reader(tls)).status == 200


@tunnel.case
def broken_hellos_are_refused_even_for_a_bank(t):
    good = hello.records(hello.message(sni="bank.lab.test"))
    broken = {
        "length too long": good[:5] + b"\x01\xff\xff\xff" + good[9:],
        "not a hello": hello.records(b"\x02" + hello.message()[1:]),
        "empty records": b"\x16\x03\x01\x00\x00" * 40 + good,
        "extension cut": good[:-40] + b"\xff" * 40,
        "sslv3 record type": b"\x16\x03\x01\x00\x02\x01\x00" +
                             b"\x17\x03\x01\x00\x02ab",
        "record too long": b"\x16\x03\x01\x48\x00" + b"\x01" * 18432,
    }
    for name, data in broken.items():
        t.mark()
        sock = t.tunnel("bank.lab.test")
        sock.sendall(data)
        with contextlib.suppress(OSError):  # it may be over by then
            sock.shutdown(socket.SHUT_WR)
        got = hello.answer(http1.reader(sock))
        assert got != "server-hello", name
        line = t.line(host="bank.lab.test")
        assert line["reason"] == "bad-client-hello", "%s: %s" % (name, line)
        assert line["kind"] != "tunnel", "%s: %s" % (name, line)


@tunnel.case
def sslv2_and_nonsense_after_0x16_are_not_tunnelled_as_tls(t):
    sock = t.tunnel("record.lab.test")
    sock.sendall(b"\x16\x03" + b"raw-nonsense" * 20)
    try:
        data = sock.recv(100)
    except ConnectionResetError:
        data = b""
    assert data[:1] in (b"", b"\x15"), data
    assert t.line(host="record.lab.test")["reason"] == "bad-client-hello"


def big_alpn(size):
    """ALPN names that make a genuine hello about so many bytes."""
    names = ["x%03d-%s" % (i, "y" * 200) for i in range(size // 206)]
    return tuple(names) + ("http/1.1",)


@tunnel.case(limit=60)
def big_hellos_in_any_cut_are_inspected(t):
    """As long as a post-quantum one and longer, refragmented."""
    cuts = {
        "whole": lambda d: [d],
        "segments": client.slices(100),
        "records": None,
    }
    for size in (1700, 6000, 14000):
        for name, cut in cuts.items():
            first = []

            def recut(data):
                if not first:
                    first.append(1)
                    data = hello.recut(data, [1, 2, 3] + [500] * 40)
                return client.slices(1400)(data)
            sock = t.tunnel("ec.lab.test")
            tls = client.Sliced(sock, t.settings(alpn=big_alpn(size)),
                                "ec.lab.test", cut or recut)
            tls.handshake()
            assert tls.tls.selected_alpn_protocol() == "http/1.1"
            tls.sendall(http1.head("GET", "/1k", "ec.lab.test"))
            reply = http1.read_reply(http1.reader(tls))
            assert reply.status == 200, "%d %s: %r" % (size, name, reply)


@tunnel.case
def a_post_quantum_hello_is_answered(t):
    data = hello.message(sni="ec.lab.test", groups=(0x11EC, 29),
                         extra=(hello.grease_ech(),))
    assert len(data) > 1500
    for sizes in ((), (1, 600), (700,) * 3):
        sock = t.tunnel("ec.lab.test")
        for piece in client.slices(1000)(hello.records(data, sizes)):
            sock.sendall(piece)
            time.sleep(0.01)
        assert hello.answer(http1.reader(sock)) == "server-hello", sizes


@tunnel.case
def a_hello_over_16k_is_refused(t):
    data = hello.message(sni="bank.lab.test", alpn=big_alpn(20000))
    sock = t.tunnel("bank.lab.test")
    try:
        sock.sendall(hello.records(data))
        got = hello.answer(http1.reader(sock))
    except ConnectionError:
        got = "closed"
    assert got.startswith("alert") or got == "closed", got
    t.line(host="bank.lab.test", reason="bad-client-hello")


@tunnel.case
def a_client_that_leaves_in_its_hello_is_no_tunnel(t):
    data = hello.records(hello.message(sni="bank.lab.test"))
    for size in (1, 4, 5, 9, 60, len(data) - 1):
        sock = t.tunnel("bank.lab.test")
        sock.sendall(data[:size])
        sock.close()
    t.line(count=6, host="bank.lab.test")
    kinds = {line["kind"] for line in t.lines(host="bank.lab.test")}
    assert "tunnel" not in kinds, kinds


quiet = Group("tunnel/quiet", config=lambda lab: {"ssl-rules": RULES,
                                                  "workers": 1})


@quiet.case
def its_line_needs_nobody_else_to_come(t):
    """A worker that has nothing else to do writes it all the same."""
    for _ in range(10):
        t.mark()
        t.tls("bank.lab.test", trust=t.lab.pki.root).close()
        t.line(seconds=3, kind="tunnel", host="bank.lab.test")
