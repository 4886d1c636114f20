"""A tiny DNS server, over UDP and TCP on one loopback port.

What a name's first label says is how it behaves; everything else below .test
is 127.0.0.1.

    dead.  no such name          mute.  never an answer
    fail.  server failure        six.   ::1, and no IPv4
    both.  ::1 and 127.0.0.1     empty. the name is there, without addresses
    flip.  192.0.2.1 the first time, then 127.0.0.1 (TTL 0: DNS rebinding)
    mixed. 192.0.2.1 and 127.0.0.1 in one answer
    meta.  169.254.169.254       mapped.  ::ffff:127.0.0.1
    nat64. 64:ff9b::7f00:1       far.   192.0.2.1 (nobody is there)
    zero.  0.0.0.0
"""

import socket
import socketserver
import struct
import threading

from .nginx import free_port

A, AAAA = 1, 28
TABLE = {
    "six": {AAAA: ["::1"]},
    "both": {A: ["127.0.0.1"], AAAA: ["::1"]},
    "empty": {},
    "mixed": {A: ["192.0.2.1", "127.0.0.1"]},
    "meta": {A: ["169.254.169.254"]},
    "mapped": {AAAA: ["::ffff:127.0.0.1"]},
    "nat64": {AAAA: ["64:ff9b::7f00:1"]},
    "far": {A: ["192.0.2.1"]},
    "zero": {A: ["0.0.0.0"]},
}


class Dns:
    def __init__(self):
        self.asked = []      # (name, type), in order
        self.extra = {}      # name: {A: [...]}, put in by cases
        self.lock = threading.Lock()
        dns = self

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self):
                data, sock = self.request
                answer = dns.answer(data)
                if answer:
                    sock.sendto(answer, self.client_address)

        class Stream(socketserver.StreamRequestHandler):
            def handle(self):
                while head := self.rfile.read(2):
                    size, = struct.unpack(">H", head)
                    answer = dns.answer(self.rfile.read(size))
                    if answer:
                        self.wfile.write(struct.pack(">H", len(answer)) +
                                         answer)

        class Tcp(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.port = free_port()
        self.tcp = Tcp(("127.0.0.1", self.port), Stream)
        self.udp = socketserver.ThreadingUDPServer(
            ("127.0.0.1", self.port), Datagram)
        self.udp.daemon_threads = True
        for server in (self.udp, self.tcp):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def addresses(self, name, kind):
        """None: no such name."""
        if name in self.extra:
            return self.extra[name].get(kind, [])
        label = name.split(".")[0].split("-")[0]
        if label == "dead" or not name.endswith(".test"):
            return None
        if label == "flip":
            if kind != A:
                return []
            seen = self.asked.count((name, A))
            return ["192.0.2.1" if seen <= 1 else "127.0.0.1"]
        return TABLE.get(label, {A: ["127.0.0.1"]}).get(kind, [])

    def answer(self, query):
        ident, flags, questions = struct.unpack(">HHH", query[:6])
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin1"))
            at += 1 + query[at]
        name = ".".join(labels).lower()
        kind, = struct.unpack(">H", query[at + 1:at + 3])
        question = query[12:at + 5]
        with self.lock:
            self.asked.append((name, kind))
            found = self.addresses(name, kind)
        label = name.split(".")[0].split("-")[0]
        if label == "mute":
            return None
        code = 2 if label == "fail" else 3 if found is None else 0
        found = [] if code else found
        ttl = 0 if label == "flip" else 60
        out = struct.pack(">HHHHHH", ident, 0x8580 | code, 1, len(found), 0, 0)
        out += question
        for address in found:
            family = socket.AF_INET if kind == A else socket.AF_INET6
            packed = socket.inet_pton(family, address)
            out += struct.pack(">HHHIH", 0xC00C, kind, 1, ttl, len(packed))
            out += packed
        return out
