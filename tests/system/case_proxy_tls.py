"""The proxy itself in TLS, with and without a certificate of the client's."""

import hashlib
import json
import os
import select
import signal
import socket
import ssl
import struct
import time

from case_run import Running, refused
from lab import client, http1
from lab.case import Group, eventually
from lab.netns import command, own_network
from lab.nginx import free_port
from lab.sallyport import SLOW

EC, ODD, HALF = "ec.lab.test", "odd.lab.test", "half.lab.test"
HANDSHAKE = 3  # seconds, for the group that runs into the limit


def listen(lab, **more):
    return dict({"listen": {"proxy-tls": "127.0.0.1:%d" % free_port()},
                 "users": {"client-ca": lab.pki.path("people.crt"),
                           "required": False}}, **more)


asked = Group("proxytls", config=listen)
known = Group("proxytlsknown", config=lambda lab: listen(
    lab, users={"client-ca": lab.pki.path("people.crt")}))
turned = Group("proxytlsturned", config=lambda lab: listen(
    lab, users={"client-ca": lab.pki.path("people.crt")}))
plain = Group("proxytlsplain", config=lambda lab: listen(
    lab, users=None, workers=2,
    limits={"handshake-timeout": "%ds" % HANDSHAKE}))
elsewhere = Group("proxytlselsewhere", config=None)
stopped = Group("proxytlsend", config=None)


def port(t):
    return int(t.proxy.config["listen"]["proxy-tls"].split(":")[1])


def settings(t, who=None, **how):
    made = t.settings(**how)
    if who:
        made.load_cert_chain(t.lab.pki.path(who + ".pem"),
                             t.lab.pki.path(who + ".key"))
    return made


def dial(t, who=None, name="127.0.0.1", **how):
    """A connection to the listener, its certificate verified."""
    sock = settings(t, who, **how).wrap_socket(
        t.dial(port(t)), server_hostname=name, suppress_ragged_eofs=False)
    t.open.append(sock)
    return sock


def tunnel(t, host, at=443, who=None):
    sock = dial(t, who)
    reply = client.connect(sock, host, at)
    assert reply.status == 200, reply
    return sock


def curl(t, *args, who=None, ok=True):
    own = () if who is None else (
        "--proxy-cert", t.lab.pki.path(who + ".pem"),
        "--proxy-key", t.lab.pki.path(who + ".key"))
    env = {k: v for k, v in t.env().items() if "proxy" not in k.lower()}
    done = t.run("curl", "-sS", "--cacert", t.proxy.root, "--proxy",
                 "https://127.0.0.1:%d" % port(t), "--proxy-cacert",
                 t.proxy.root, *own, *args, env=env)
    assert not ok or done.returncode == 0, "curl: " + done.stderr
    return done


def ended(sock, got=None):
    """How the other side ends: "clean", with a close_notify, or "cut"; got is
    what it said before."""
    try:
        while more := sock.recv(65536):
            if got is not None:
                got += more
        return "clean"
    except (ssl.SSLError, ConnectionError):
        return "cut"


# --- who comes ----------------------------------------------------------------

@asked.case
def without_a_certificate_one_is_nobody(t):
    assert len(curl(t, "http://web.lab.test/1k").stdout) == 1024
    assert len(curl(t, "https://%s/1k" % EC).stdout) == 1024
    for host in ("web.lab.test", EC):
        line = t.line(kind="exchange", host=host, status=200)
        assert line["listener"] == "proxy-tls", line
        assert line["client"] == "127.0.0.1" and "user" not in line, line


@asked.case
def a_certificate_says_who_it_is(t):
    curl(t, "http://web.lab.test/1k", who="dev1")
    curl(t, "https://%s/1k" % EC, who="dev1")
    for host in ("web.lab.test", EC):
        line = t.line(kind="exchange", host=host, status=200)
        assert line["user"] == "dev1", line


@asked.case
def what_does_not_verify_is_refused_with_an_alert(t):
    for who, alert in (("stranger", "unknown ca"), ("lapsed", "expired"),
                       ("server", "unsupported certificate"),
                       ("nameless", "bad certificate"),
                       ("twofold", "bad certificate")):
        done = curl(t, "http://%s/echo/%s" % (ODD, who), who=who, ok=False)
        assert done.returncode != 0 and alert in done.stderr, (
            who, done.stderr)
        assert not t.seen("/echo/" + who), who + " went through"
    t.line(reason="client-handshake-failed", count=5)
    for line in t.lines(reason="client-handshake-failed"):
        assert line["kind"] == "refused", line
        assert line["why"].startswith("the client's certificate: "), line
        assert line["listener"] == "proxy-tls", line


@asked.case
def it_is_asked_for_each_time(t):
    """No ticket, no session to resume, by which one could come without."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        sock = dial(t, "dev1", lowest=version, highest=version)
        reply = t.ask(sock, "GET", "http://web.lab.test/1k", "web.lab.test")
        assert reply.status == 200
        session = sock.session
        assert not session or not session.has_ticket, version
        assert not session or not session.id or \
            version == ssl.TLSVersion.TLSv1_3, version


@known.case
def where_users_are_needed_a_certificate_brings_one(t):
    reply = t.ask(dial(t), "GET", "http://web.lab.test/1k", "web.lab.test")
    assert reply.status == 403 and reply.error == "user-unknown", reply
    assert curl(t, "https://%s/1k" % EC, ok=False).returncode != 0
    assert len(curl(t, "https://%s/1k" % EC, who="dev1").stdout) == 1024
    assert len(curl(t, "http://web.lab.test/1k", who="dev1").stdout) == 1024
    line = t.line(kind="exchange", host=EC, status=200)
    assert line["user"] == "dev1", line


@turned.case
def whose_ca_has_gone_is_out(t):
    """At the next request, and a tunnel at once."""
    config = t.proxy.config["users"]
    kept = config["client-ca"]

    def reload(ca):
        config["client-ca"] = ca
        t.proxy.write()
        before = t.proxy.stderr().count("reloaded")
        t.proxy.signal(signal.SIGHUP)
        assert eventually(
            lambda: t.proxy.stderr().count("reloaded") > before)

    both = t.path("both.crt")
    with open(both, "w") as f:
        for name in ("people", "other"):
            f.write(open(t.lab.pki.path(name + ".crt")).read())
    plain, raw = dial(t, "dev1"), tunnel(t, "ssh.lab.test", who="dev1")
    inside = tunnel(t, "odd.lab.test", at=80, who="dev1")
    assert raw.recv(1000).startswith(b"SSH-")
    raw.sendall(b"SSH-2.0-here\r\n")
    try:
        for ca, status in ((both, 200), (t.lab.pki.path("other.crt"), 403)):
            reload(ca)
            for sock, target in ((plain, "http://odd.lab.test/echo"),
                                 (inside, "/echo")):
                reply = t.ask(sock, "GET", target, "odd.lab.test")
                assert reply.status == status, reply
                assert status == 200 or reply.error == "user-gone", reply
        line = t.line(kind="tunnel", host="ssh.lab.test")
        assert line["reason"] == "user-gone", line
        ended(raw)
    finally:
        reload(kept)


# --- what is shown ------------------------------------------------------------

@plain.case
def the_certificate_is_for_the_name_asked_for(t):
    for name in ("proxy.corp.test", "127.0.0.1"):
        sock = dial(t, name=name)
        assert sock.selected_alpn_protocol() == "http/1.1"
        reply = t.ask(sock, "GET", "http://web.lab.test/1k", "web.lab.test")
        assert reply.status == 200, (name, reply)


@plain.case
def two_requests_on_a_connection(t):
    sock = dial(t)
    for _ in range(2):
        reply = t.ask(sock, "GET", "http://%s/echo" % ODD, ODD)
        assert reply.status == 200
    assert t.ask(sock, "GET", "/", "sallyport.internal").status in (200, 302)


@plain.case
def a_refusal_is_explained_inside(t):
    reply = t.ask(dial(t), "GET", "http://none.lab.test/", "none.lab.test")
    assert reply.error and reply.status == 502, reply


@plain.case
def what_is_no_hello_is_told(t):
    t.dial(port(t)).sendall(b"GET http://%s/ HTTP/1.1\r\n\r\n" % EC.encode())
    line = t.line(kind="refused", reason="bad-client-hello")
    assert "https://" in line["why"], line
    sock = t.dial(port(t))
    sock.sendall(b"\x16\x03\x01\x00\x10")
    sock.close()
    t.line(kind="refused", reason="client-gone")
    t.mark()
    t.dial(port(t)).close()  # somebody looks whether we are here
    assert t.ask(dial(t), "GET", "http://%s/echo" % ODD, ODD).status == 200
    assert not t.lines(kind="refused"), t.lines()


@plain.case
def a_handshake_has_to_end(t):
    silent, begun = t.dial(port(t)), t.dial(port(t))
    begun.sendall(b"\x16\x03\x01")
    shaken = t.dial(port(t))
    tls = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = settings(t).wrap_bio(*tls, server_hostname="127.0.0.1")
    try:
        hello.do_handshake()
    except ssl.SSLWantReadError:
        shaken.sendall(tls[1].read())
    t.line(kind="refused", reason="handshake-timeout", count=3,
           seconds=HANDSHAKE + 5)
    for sock in silent, begun, shaken:
        assert ended(sock) in ("clean", "cut")


@plain.case
def the_proxy_does_not_go_to_itself(t):
    here = "127.0.0.1:%d" % port(t)
    reply = t.ask(dial(t), "GET", "http://%s/" % here, here)
    assert reply.error == "proxy-loop", reply


# --- what goes through --------------------------------------------------------

@plain.case(limit=60)
def much_goes_both_ways(t):
    data = os.urandom(20_000_000)
    file = t.write("up", data)
    digest = hashlib.sha256(data).hexdigest()
    for scheme in "http", "https":
        done = curl(t, "-T", file, "%s://%s/echo" % (scheme, ODD))
        assert json.loads(done.stdout)["sha256"] == digest, scheme
        down = t.path("down")
        curl(t, "-o", down, "-T", file, "%s://%s/mirror" % (scheme, ODD))
        with open(down, "rb") as f:
            assert hashlib.sha256(f.read()).hexdigest() == digest, scheme


@plain.case(limit=60)
def a_tunnel_moves_bytes_both_ways_at_once(t):
    sock, data = tunnel(t, "ssh.lab.test"), os.urandom(5_000_000)
    http1.exactly(http1.reader(sock), 13)
    sock.setblocking(False)
    sent, got = 0, bytearray()
    while len(got) < len(data):
        select.select([sock], [sock] if sent < len(data) else [], [], 5)
        try:
            sent += sock.send(data[sent:sent + 50000])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        try:
            while more := sock.recv(65536):
                got += more
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
    assert bytes(got) == data


@plain.case(limit=60)
def a_slow_reader_stops_the_sender(t):
    before = t.proxy.rss()
    sock = dial(t)
    sock.sendall(http1.head("GET", "http://%s/endless" % ODD, ODD))
    assert sock.recv(10)
    time.sleep(2)
    assert t.proxy.rss() - before < 30_000_000, "it is all kept in memory"
    sock.close()
    t.line(kind="exchange", reason="client-gone")


@plain.case(limit=60)
def a_slow_taker_stops_the_client(t):
    before, sent = t.proxy.rss(), 0
    sock = dial(t)
    sock.sendall(http1.head("POST", "http://%s/hold/outer-hold" % ODD, ODD,
                            "Content-Length: 1000000000"))
    sock.settimeout(2)
    try:
        while sent < 200_000_000:
            sent += sock.send(b"x" * 65536)
    except TimeoutError:
        pass
    assert sent < 100_000_000, "%d bytes went nowhere" % sent
    assert t.proxy.rss() - before < 30_000_000, "it is all kept in memory"
    t.gate("outer-hold")


@plain.case
def one_direction_may_end_before_the_other(t):
    """A close_notify, or FIN alone, is the end of what the client says."""
    for notify in True, False:
        raw = t.dial(port(t))
        sock = client.Sliced(raw, settings(t), "127.0.0.1", lambda d: [d])
        sock.handshake()
        sock.sendall(http1.head("CONNECT", HALF + ":443", HALF))
        f = http1.reader(sock)
        assert http1.read_head(f).status == 200
        sock.sendall(b"\0" * 70000)  # no method begins so
        if notify:
            try:
                sock.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            sock.flush()
        raw.shutdown(socket.SHUT_WR)
        if notify:  # OpenSSL reads no more itself
            got = b""
            while more := raw.recv(65536):
                got += more
            assert len(got) > 10
        else:
            assert f.read() == b"got 70000\n"
        line = t.line(kind="tunnel", host=HALF)
        assert line["bytes_in"] >= 70000 and line["bytes_out"] >= 10, line
        t.mark()


@plain.case
def the_origin_may_end_first(t):
    """... and still take what the client says."""
    sock = tunnel(t, "odd.lab.test", 80)
    sock.sendall(http1.head("POST", "/early", ODD, "Content-Length: 500000"))
    assert http1.read_head(http1.reader(sock)).status == 413
    sock.sendall(b"x" * 500000)


@plain.case
def what_is_cut_short_does_not_look_whole(t):
    for path, size, end in (("pour/300000", 300000, "clean"),
                            ("until-close", 9000, "clean"),
                            ("short", 0, "cut")):
        sock, got = dial(t), bytearray()
        sock.sendall(http1.head("GET", "http://%s/%s" % (ODD, path), ODD,
                                "Connection: close"))
        assert ended(sock, got) == end, (path, len(got))
        assert len(got) > size, (path, len(got))


@plain.case
def a_reset_by_the_client_ends_it_all(t):
    sock = tunnel(t, "ssh.lab.test")
    assert sock.recv(100) == b"SSH-2.0-lab\r\n"
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()
    t.line(kind="tunnel", host="ssh.lab.test", reason="client-gone")


@plain.case(limit=60)
def nothing_stays_behind(t):
    def open_now():
        return t.proxy.counters()["open"]
    for _ in range(20):
        curl(t, "https://%s/1k" % EC)
    assert eventually(lambda: open_now() == 0), open_now()
    folder = "/proc/%d/fd" % t.proxy.worker()
    before = len(os.listdir(folder))
    for _ in range(20):
        curl(t, "http://web.lab.test/1k")
        t.dial(port(t)).close()
    assert eventually(lambda: open_now() == 0), open_now()
    assert len(os.listdir(folder)) <= before + 2


# --- clients elsewhere --------------------------------------------------------

@elsewhere.case(limit=60, needs=["root", "program:ip"])
def who_is_not_served_gets_no_certificate_and_the_others_their_share(t):
    own_network()
    command("ip", "addr", "add", "192.0.2.1/24", "dev", "lo")
    command("ip", "addr", "add", "192.0.2.7/32", "dev", "lo")
    command("ip", "addr", "add", "192.0.2.8/32", "dev", "lo")
    at = free_port()
    with Running(t, {"listen": {"proxy-tls": "192.0.2.1:%d" % at},
                     "clients": ["192.0.2.7"], "workers": 1,
                     "limits": {"connections": 16}}) as proxy:
        def come(client):
            sock = socket.create_connection(
                ("192.0.2.1", at), 30 * SLOW, source_address=(client, 0))
            t.open.append(sock)
            return settings(t).wrap_socket(sock, server_hostname="192.0.2.1",
                                           suppress_ragged_eofs=False)

        def own_page(sock):
            host = "sallyport.internal"
            return t.ask(sock, "GET", "http://%s/" % host, host).status
        try:
            come("192.0.2.8")
            raise AssertionError("a client elsewhere is shown a certificate")
        except (ssl.SSLError, ConnectionError):
            pass
        line = t.line(kind="refused", reason="client-not-allowed")
        assert line["listener"] == "proxy-tls", line
        for _ in range(30):  # what was taken is given back
            sock = come("192.0.2.7")
            assert own_page(sock) == 200
            sock.close()
        assert eventually(lambda: proxy.counters()["open"] == 0)
        kept = [come("192.0.2.7") for _ in range(4)]  # of 9, each two
        assert [own_page(sock) for sock in kept] == [200] * 4
        try:
            come("192.0.2.7")
            raise AssertionError("it has more than half of all")
        except (ssl.SSLError, ConnectionError):
            pass
        t.line(kind="refused", reason="no-resources")


# --- the end ------------------------------------------------------------------

def begin(t, tag):
    sock = dial(t)
    sock.sendall(http1.head("GET", "http://%s/steps/%s" % (ODD, tag), ODD))
    f = http1.reader(sock)
    pieces = http1.pieces(f, http1.read_head(f))
    assert next(pieces) == b"step 0\n"
    return pieces


@stopped.case(limit=60)
def sigterm_drains(t):
    with Running(t, listen(t.lab, limits={
            "handshake-timeout": "5m"})) as proxy:
        pieces = begin(t, "outer-drain")
        idle = dial(t)
        assert t.ask(idle, "GET", "http://web.lab.test/1k",
                     "web.lab.test").status == 200
        mute = t.dial(port(t))
        proxy.signal(signal.SIGTERM)
        assert eventually(lambda: refused(port(t))), "still listening"
        assert ended(idle) == "clean", "an idle connection is kept"
        assert ended(mute) in ("clean", "cut")
        for number in range(1, 5):
            t.gate("outer-drain")
            assert next(pieces) == b"step %d\n" % number
        assert proxy.alive(), "it went before the download ended"
        t.gate("outer-drain")
        assert next(pieces, None) is None
        assert proxy.process.wait(20 * SLOW) == 0


@stopped.case(limit=60)
def the_drain_has_an_end(t):
    with Running(t, listen(t.lab, limits={"drain-timeout": "2s"})) as proxy:
        begin(t, "outer-end")
        tunnel(t, "ssh.lab.test").recv(100)
        proxy.signal(signal.SIGTERM)
        assert proxy.process.wait(20 * SLOW) == 0
        t.gate("outer-end")


@stopped.case(limit=60)
def a_second_sigterm_stops_at_once(t):
    with Running(t, listen(t.lab, limits={"drain-timeout": "10m"}),
                 codes=(0, 1, -signal.SIGTERM)) as proxy:
        begin(t, "outer-once")
        proxy.signal(signal.SIGTERM)
        assert eventually(lambda: refused(port(t)))
        proxy.signal(signal.SIGTERM)
        proxy.process.wait(20 * SLOW)
        t.gate("outer-once")
