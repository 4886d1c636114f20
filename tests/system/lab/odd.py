"""The odd origin: what an ordinary server would never do, on request.

The first part of the path picks the behaviour (do_NAME below); everything
else is /echo, which tells in JSON what it was asked. Control, on the plain
port: /__seen?TAG lists the request heads with TAG in them, /__raw?TAG the
bytes of a recorded connection, /__gate?TAG lets /sse/TAG go on, /__dns?NAME
counts the questions for a name.
"""

import collections
import hashlib
import json
import select
import socket
import ssl
import struct
import threading
import time

from . import http1, ws

BAD = {  # smuggling and nonsense, in responses
    "two-lengths": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                   "Content-Length: 6\r\n\r\nhello!",
    "length-and-chunked": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nextra",
    "bad-chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "5\r\nhello\r\nxyz\r\nhello\r\n0\r\n\r\n",
    "obs-fold": "HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\n"
                "Content-Length: 2\r\n\r\nok",
    "bare-cr": "HTTP/1.1 200 OK\r\nX-A: one\rX-B: two\r\n"
               "Content-Length: 2\r\n\r\nok",
    "space-before-colon": "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
    "negative-length": "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
    "odd-coding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, x\r\n\r\n"
                  "0\r\n\r\n",
    "nul": "HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok",
    "not-http": "hello there\r\n\r\n",
    "http2": "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "unasked-101": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                   "Connection: Upgrade\r\n\r\nraw bytes",
    "huge-head": "HTTP/1.1 200 OK\r\nX-A: " + "a" * 300000 +
                 "\r\nContent-Length: 2\r\n\r\nok",
}

# The page is not loaded until its picture is, and that waits until the
# WebSocket's echo has been seen and said so.
PAGE = """<!doctype html><title>lab</title><body>
<p id=r>no websocket yet</p><img src="/hold/TAG"><script>
var s = new WebSocket("wss://" + location.host + "/ws");
var r = document.getElementById("r");
s.onopen = function () { s.send("through sallyport"); };
s.onmessage = function (e) {
  if (r.textContent == "no websocket yet") {
    r.textContent = "echoed: " + e.data; s.send("gate TAG"); } };
s.onerror = function () { r.textContent = "websocket failed"; };
</script>"""


class Request:
    def __init__(self, lines):
        self.raw = "\r\n".join(lines)
        self.method, self.target, self.version = (
            lines[0].split(" ") + ["", ""])[:3]
        self.fields = http1.fields_of(lines[1:])
        self.trailers = []

    def get(self, name, default=""):
        return ", ".join(v for k, v in self.fields
                         if k.lower() == name) or default

    @property
    def parts(self):
        path = self.target.split("?")[0]
        return [p for p in path.split("/") if p] or ["echo"]


class Connection:
    """One connection; do_* answer a request and say whether to go on."""

    def __init__(self, odd, sock, number):
        self.odd, self.sock, self.number = odd, sock, number
        self.f = http1.reader(sock)
        self.served = 0
        self.doomed = self.headed = False

    def run(self):
        while (lines := http1.read_lines(self.f)) is not None:
            request = Request(lines)
            self.served += 1
            self.odd.saw(request, self)
            if self.doomed:
                return self.reset()
            do = getattr(self, "do_" + request.parts[0].replace("-", "_"),
                         self.do_echo)
            if not do(request):
                return None

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes)
                          else data.encode("latin1"))

    def reply(self, body, *fields, status="200 OK"):
        body = body if isinstance(body, bytes) else body.encode()
        self.send("\r\n".join(("HTTP/1.1 " + status,
                               "Content-Length: %d" % len(body)) + fields) +
                  "\r\n\r\n")
        self.send(body)
        return True

    def body(self, request):
        """The request's body, in pieces."""
        if "chunked" in request.get("transfer-encoding"):
            yield from http1.chunks(self.f, request.trailers)
            return
        left = int(request.get("content-length", "0"))
        while left:
            data = self.f.read1(min(left, 65536))
            if not data:
                raise http1.Broken("request's body cut off")
            left -= len(data)
            yield data

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        raw = getattr(self.sock, "detach", None)
        socket.close(raw()) if raw else None

    def chunk(self, data):
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    # --- ordinary enough ---------------------------------------------------

    def do_echo(self, request):
        if "100-continue" in request.get("expect"):
            self.send("HTTP/1.1 100 Continue\r\n\r\n")
        size, digest = 0, hashlib.sha256()
        for data in self.body(request):
            size += len(data)
            digest.update(data)
        return self.reply(json.dumps({
            "method": request.method, "target": request.target,
            "version": request.version, "fields": request.fields,
            "size": size, "sha256": digest.hexdigest(),
            "trailers": request.trailers, "connection": self.number,
            "served": self.served}), "Content-Type: application/json")

    def do_page(self, request):
        tag = "page-%d" % self.number
        return self.reply(PAGE.replace("TAG", tag), "Content-Type: text/html")

    def do_hold(self, request):
        self.odd.gates[request.parts[1]].wait(40)
        return self.reply("", status="404 Not Found")

    def do_mirror(self, request):
        """The body comes back while it is still being sent."""
        self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for data in self.body(request):
            self.chunk(data)
        self.send("0\r\n\r\n")
        return True

    def do_chunked(self, request):
        """Chunks of 1 to N bytes, with extensions, then the end."""
        self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for size in range(1, int(request.parts[1]) + 1):
            self.send("%x;n=%d\r\n" % (size, size))
            self.send(b"%c" % (65 + size % 26) * size + b"\r\n")
        self.send("0\r\n\r\n")
        return True

    def do_trailers(self, request):
        self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                  "Trailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\n"
                  "X-Sum: 1234\r\n\r\n")
        return True

    def do_hop_trailers(self, request):
        """Trailers that are no business of a trailer, and one that is."""
        self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "5\r\nhello\r\n0\r\nX-Sum: 1234\r\n"
                  "Authorization: Basic YTpi\r\nHost: other.test\r\n"
                  "Connection: X-Sum\r\nSet-Cookie: a=b\r\n\r\n")
        return True

    def do_status(self, request):
        code = request.parts[1]
        length = "" if code == "204" else "Content-Length: 5\r\n"
        self.send("HTTP/1.1 %s Lab\r\nETag: \"x\"\r\n%s\r\n" % (code, length))
        if request.method != "HEAD" and code not in ("204", "304"):
            self.send("hello")
        return True

    def do_hints(self, request):
        self.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        return self.reply("hinted")

    def do_sse(self, request):
        """One event; the second only when /__gate?TAG says so."""
        self.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n")
        self.chunk(b"data: one\n\n")
        self.odd.gates[request.parts[1]].wait(60)
        self.chunk(b"data: two\n\n")
        self.send("0\r\n\r\n")
        return True

    def do_ws(self, request):
        self.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
                  % ws.accept(request.get("sec-websocket-key")))
        while (got := ws.read(self.f)) is not None:
            if got[1].startswith(b"gate "):
                self.odd.gates[got[1][5:].decode()].set()
            self.send(ws.frame(got[0], got[1], False))
            if got[0] == ws.CLOSE:
                break
        return False

    def do_ws_at_once(self, request):
        """A 101 and the first frame in one write, then an echo."""
        self.send(("HTTP/1.1 101 Switching Protocols\r\n"
                   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: %s\r\n\r\n" % ws.accept(
                       request.get("sec-websocket-key"))).encode() +
                  ws.frame(ws.TEXT, b"at once", False))
        while (got := ws.read(self.f)) is not None:
            self.send(ws.frame(got[0], got[1], False))
        return False

    # --- odd ---------------------------------------------------------------

    def do_early(self, request):
        """An answer while the request's body is still under way."""
        self.send("HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n"
                  "Connection: close\r\n\r\nlarge")
        for _ in self.body(request):
            pass
        return False

    def do_refuse(self, request):
        """Expect: 100-continue answered with no."""
        self.reply("no", "Connection: close", status="417 Expectation Failed")
        return False

    def do_http10(self, request):
        self.send("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold")
        return False

    def do_until_close(self, request):
        self.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + "x" * 9000)
        return False

    def do_pour(self, request):
        """So many bytes, ended by the close."""
        self.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        self.send(b"p" * int(request.parts[1]))
        return False

    def do_length_of_204(self, request):
        self.send("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n")
        return True

    def do_short(self, request):
        self.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + "x" * 50)
        return False

    def do_reset(self, request):
        return self.reset()

    def do_once(self, request):
        """Keeps the connection, and resets it at the next request."""
        self.doomed = True
        return self.reply("once")

    def do_hang(self, request):
        self.f.read(1)
        return False

    def do_drip(self, request):
        self.send("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n")
        for _ in range(40):
            self.send("d")
        return True

    def do_extra(self, request):
        """More bytes than the reply has: the connection is not to be kept."""
        # in one write: what comes later, with the next request already on
        # its way, nobody could tell from its answer
        self.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
                  "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned")
        return True

    def do_overfull(self, request):
        """Sends HEAD's body, too; /overfull/heavy is large."""
        after, self.headed = self.headed, request.method == "HEAD"
        if request.method == "HEAD":
            self.send("HTTP/1.1 200 OK\r\nX-Pad: " + "p" * 30000 +
                      "\r\nContent-Length: 45\r\n\r\n"
                      "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
            return True
        if request.parts[1] == "heavy":
            self.send("HTTP/1.1 200 OK\r\nContent-Length: 126000\r\n\r\n" +
                      "x" * 126000)
            return True
        if after:  # asked where an answer lies ready
            time.sleep(2)
        return self.reply("answer to " + request.target)

    def do_bad(self, request):
        self.send(BAD[request.parts[1]])
        return False

    def do_endless(self, request):
        """Bytes until the client has had enough."""
        self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            self.chunk(b"e" * 65536)

    def do_steps(self, request):
        """A chunk for each time the gate opens; ends after five."""
        self.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        gate = self.odd.gates[request.parts[1]]
        for number in range(5):
            self.chunk(b"step %d\n" % number)
            gate.wait(60)
            gate.clear()
        self.send("0\r\n\r\n")
        return True

    # --- control -----------------------------------------------------------

    def do___seen(self, request):
        tag = request.target.partition("?")[2]
        with self.odd.lock:
            found = [s for s in self.odd.seen
                     if tag in s["raw"] and "__seen" not in s["raw"]]
        return self.reply(json.dumps(found))

    def do___raw(self, request):
        tag = request.target.partition("?")[2].encode()
        with self.odd.lock:
            found = [bytes(r).hex() for r in self.odd.recorded if tag in r]
        return self.reply(json.dumps(found))

    def do___gate(self, request):
        self.odd.gates[request.target.partition("?")[2]].set()
        return self.reply("open")

    def do___dns(self, request):
        name = request.target.partition("?")[2]
        asked = [n for n, _ in list(self.odd.dns.asked) if n == name]
        return self.reply(str(len(asked)))


class Odd:
    """All the odd origins; .port[name] is where each listens."""

    def __init__(self, pki, dns):
        self.pki, self.dns = pki, dns
        self.seen = collections.deque(maxlen=20000)
        self.recorded = collections.deque(maxlen=500)
        self.gates = collections.defaultdict(threading.Event)
        self.lock = threading.Lock()
        self.number = 0
        self.port = {}
        for name, serve, tls in (
                ("plain", self.http, None),
                ("odd", self.http, self.context("odd", ("http/1.1",))),
                ("hasty", self.hasty, self.context("odd", ("http/1.1",))),
                ("early", self.early, self.context("odd", ("http/1.1",))),
                ("twelve", self.http, self.context(
                    "odd", ("http/1.1",), highest=ssl.TLSVersion.TLSv1_2)),
                ("mtls2", self.http, self.context("mtls", wants=True)),
                ("lines", self.lines, self.context("odd", ("imap", "mqtt"))),
                ("ssh", self.ssh, None), ("half", self.half, None),
                ("record", self.record, None), ("mute", self.mute, None)):
            self.listen(name, serve, tls)

    def context(self, name, alpn=(), wants=False, highest=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if highest:
            context.maximum_version = highest
        context.load_cert_chain(self.pki.path(name + ".pem"),
                                self.pki.path(name + ".key"))
        if alpn:
            context.set_alpn_protocols(alpn)
        if wants:
            context.load_verify_locations(self.pki.root)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def listen(self, name, serve, tls):
        listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.port[name] = listener.getsockname()[1]
        threading.Thread(target=self.accept, args=(listener, serve, tls),
                         daemon=True).start()

    def accept(self, listener, serve, tls):
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=self.one, args=(sock, serve, tls),
                             daemon=True).start()

    def one(self, sock, serve, tls):
        sock.settimeout(120)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if tls:
                sock = tls.wrap_socket(sock, server_side=True)
            serve(sock)
            if tls and sock.fileno() >= 0:
                sock.settimeout(2)
                sock.unwrap()
        except (OSError, ValueError, http1.Broken):
            pass
        finally:
            sock.close()

    def saw(self, request, connection):
        with self.lock:
            self.seen.append({"raw": request.raw, "served": connection.served,
                              "connection": connection.number})

    def http(self, sock):
        with self.lock:
            self.number += 1
            number = self.number
        Connection(self, sock, number).run()

    def hasty(self, sock):
        """Hangs up on who does not ask at once."""
        sock.settimeout(0.5)
        self.http(sock)

    def early(self, sock):
        """Speaks to who does not ask at once."""
        if not select.select([sock], [], [], 0.3)[0]:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        self.http(sock)

    def lines(self, sock):
        """Speaks first, then says each line again."""
        sock.sendall(b"220 lab\r\n")
        f = http1.reader(sock)
        while line := f.readline():
            sock.sendall(b"again " + line)

    def ssh(self, sock):
        sock.sendall(b"SSH-2.0-lab\r\n")
        while data := sock.recv(65536):
            sock.sendall(data)

    def half(self, sock):
        """Answers when the other side has finished, not before."""
        size = 0
        while data := sock.recv(65536):
            size += len(data)
        sock.sendall(b"got %d\n" % size)

    def record(self, sock):
        data = bytearray()
        with self.lock:
            self.recorded.append(data)
        while more := sock.recv(65536):
            data += more

    def mute(self, sock):
        while sock.recv(65536):
            pass
