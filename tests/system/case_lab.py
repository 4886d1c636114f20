"""The lab itself, without Sallyport: what the other cases take for granted."""

import hashlib
import socket
import ssl
import struct
import subprocess

from lab import client, hello, http1, pki, ws
from lab.case import Group

lab = Group("lab", config=None)

# What openssl's own verification says of each bad origin.
VERDICTS = {
    "ec": 0, "rsa": 0, "wild": 0, "many": 0, "pair": 0, "ip": 0, "bank": 0,
    "expired": 10, "future": 9, "self": 18, "wronghost": 62, "nosan": 0,
    "unknown": (19, 20, 21), "incomplete": (20, 21), "purpose": 26,
}
HOSTS = {"wild": "x.wild.lab.test", "many": "n7.many.lab.test",
         "pair": "a.pair.lab.test"}


def verdict(t, name):
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.load_verify_locations(t.lab.pki.root)
    sock = socket.create_connection(("127.0.0.1", t.lab.port[name]), 10)
    with sock:
        try:
            host = HOSTS.get(name, name + ".lab.test")
            settings.wrap_socket(sock, server_hostname=host).close()
            return 0
        except ssl.SSLCertVerificationError as error:
            return error.verify_code


@lab.case
def the_certificates_are_what_they_are_named(t):
    for name, right in VERDICTS.items():
        got = verdict(t, name)
        # nosan: Python falls back on nothing; older ones on the CN
        if name == "nosan":
            assert got in (0, 62), got
        else:
            assert got == right or got in (right if isinstance(
                right, tuple) else ()), "%s: %s, not %s" % (name, got, right)


@lab.case
def sha1_and_old_are_served(t):
    for name in ("sha1", "old", "mtls", "h2"):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", "127.0.0.1:%d"
             % t.lab.port[name], "-servername", name + ".lab.test",
             "-cipher", "DEFAULT@SECLEVEL=0", "-CAfile", t.lab.pki.root]
            + ([] if name != "old" else ["-tls1_1"]),
            input="", capture_output=True, text=True, timeout=20)
        assert "BEGIN CERTIFICATE" in done.stdout, name + done.stderr
        if name == "sha1":
            text = pki.show(pki.split(done.stdout)[0], "-text")
            assert "SHA1" in text
        if name == "mtls":
            assert "Acceptable client certificate CA names" in done.stdout
        if name == "old":
            assert "TLSv1.1" in done.stdout, done.stdout[-500:]


def talk(t, name, data, method="GET"):
    sock = socket.create_connection(("127.0.0.1", t.lab.port[name]), 10)
    with sock:
        sock.sendall(data)
        return http1.read_reply(http1.reader(sock), method)


@lab.case
def nginx_serves_its_files(t):
    reply = talk(t, "web", http1.head("GET", "/1k", "web"))
    assert reply.status == 200 and len(reply.body) == 1024
    reply = talk(t, "web", http1.head("HEAD", "/big", "web"), "HEAD")
    assert reply.get("content-length") == str(1 << 30)


@lab.case
def the_odd_origin_echoes(t):
    body = b"x" * 1000
    reply = talk(t, "plain", http1.head(
        "POST", "/lab-tag", "h", "Content-Length: 1000") + body)
    assert hashlib.sha256(body).hexdigest().encode() in reply.body
    assert len(t.seen("/lab-tag")) == 1
    reply = talk(t, "plain", http1.head("GET", "/chunked/50", "h"))
    assert len(reply.body) == 50 * 51 // 2
    reply = talk(t, "plain", http1.head("GET", "/trailers", "h"))
    assert reply.trailers == [("X-Sum", "1234")], reply.trailers
    reply = talk(t, "plain", http1.head("GET", "/hints", "h"))
    assert [r.status for r in reply.interim] == [103]


@lab.case
def the_odd_origin_speaks_websocket(t):
    settings = client.context(t.lab.pki.root)
    sock = settings.wrap_socket(socket.create_connection(
        ("127.0.0.1", t.lab.port["odd"]), 10), server_hostname="odd.lab.test")
    key = ws.new_key()
    sock.sendall(http1.head("GET", "/ws", "odd.lab.test", "Upgrade: websocket",
                            "Connection: Upgrade", "Sec-WebSocket-Key: " +
                            key, "Sec-WebSocket-Version: 13"))
    reply = client.read_exact_head(sock)
    assert reply.get("sec-websocket-accept") == ws.accept(key)
    f = http1.reader(sock)
    for size in (0, 5, 126, 70000):
        sock.sendall(ws.frame(ws.BINARY, b"z" * size, True))
        assert ws.read(f) == (ws.BINARY, b"z" * size)
    sock.close()


@lab.case
def dns_answers_as_it_should(t):
    for name, kind, code, count in (
            ("a.test", 1, 0, 1), ("a.test", 28, 0, 0), ("six.test", 28, 0, 1),
            ("dead.test", 1, 3, 0), ("fail-9.test", 1, 2, 0),
            ("mixed.test", 1, 0, 2)):
        question = b"".join(hello.vector(1, p.encode())
                            for p in name.split(".")) + b"\0"
        question += struct.pack(">HH", kind, 1)
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + question,
                     ("127.0.0.1", t.lab.port["dns"]))
            answer = s.recv(2000)
        assert answer[3] & 15 == code, (name, answer)
        assert struct.unpack(">H", answer[6:8])[0] == count, (name, answer)


@lab.case
def hand_made_hellos_are_genuine(t):
    """A server that is not ours takes them, whole or in pieces."""
    for extra, groups in (((), (29, 23)), ((hello.grease_ech(),),
                                           (0x11EC, 29))):
        data = hello.message(sni="ec.lab.test", extra=extra, groups=groups)
        for sizes in ((), (1, 2, 3, 100), [1] * 50):
            sock = socket.create_connection(
                ("127.0.0.1", t.lab.port["ec"]), 10)
            with sock:
                sock.sendall(hello.records(data, sizes))
                got = hello.answer(http1.reader(sock))
            assert got == "server-hello", (got, sizes)


@lab.case
def sliced_tls_is_tls(t):
    sock = socket.create_connection(("127.0.0.1", t.lab.port["ec"]), 10)
    settings = client.context(t.lab.pki.root)
    tls = client.Sliced(sock, settings, "ec.lab.test", client.slices(7))
    tls.handshake()
    tls.sendall(http1.head("GET", "/1k", "ec.lab.test"))
    assert len(http1.read_reply(http1.reader(tls)).body) == 1024
    sock.close()
