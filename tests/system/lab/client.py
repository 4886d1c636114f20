"""Clients of a proxy, by hand: CONNECT, TLS over it, TLS in slices."""

import ssl
import time

from . import http1


def read_exact_head(sock):
    """A reply's head, not a byte more: what follows is not ours."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        more = sock.recv(1)
        if not more:
            if not data:
                return None
            raise http1.Broken("cut off in a head: %r" % data)
        data += more
    lines = data.decode("latin1").rstrip("\r\n").split("\r\n")
    parts = lines[0].split(" ", 2)
    return http1.Reply(parts[0], int(parts[1]), parts[2],
                       http1.fields_of(lines[1:]))


def connect(sock, host, port=443, *fields):
    """CONNECT; the reply (with its body when it is a refusal)."""
    at = "%s:%d" % ("[%s]" % host if ":" in host else host, port)
    sock.sendall(http1.head("CONNECT", at, at, *fields))
    reply = read_exact_head(sock)
    if reply is None:
        raise http1.Broken("CONNECT was not answered")
    if reply.status != 200:
        reply.body = b"".join(http1.pieces(http1.reader(sock), reply))
    return reply


def context(ca=None, alpn=("http/1.1",), lowest=None, highest=None):
    """A client's TLS settings; without ca nothing is verified."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca:
        made.load_verify_locations(ca)
    else:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if alpn:
        made.set_alpn_protocols(list(alpn))
    if lowest:
        made.minimum_version = lowest
    if highest:
        made.maximum_version = highest
    return made


class Sliced:
    """TLS over sock whose outgoing bytes pass through cut(bytes), a function
    to the slices to send, with a pause between them."""

    def __init__(self, sock, settings, name, cut, pause=0.0):
        self.sock, self.cut, self.pause = sock, cut, pause
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = settings.wrap_bio(self.into, self.out,
                                     server_hostname=name)

    def flush(self):
        data = self.out.read()
        for piece in self.cut(data) if data else ():
            self.sock.sendall(piece)
            if self.pause:
                time.sleep(self.pause)

    def until_done(self, step, *args):
        while True:
            try:
                done = step(*args)
                self.flush()
                return done
            except ssl.SSLWantReadError:
                self.flush()
                data = self.sock.recv(65536)
                if data:
                    self.into.write(data)
                else:
                    self.into.write_eof()

    def handshake(self):
        self.until_done(self.tls.do_handshake)

    def sendall(self, data):
        self.until_done(self.tls.write, data)

    def recv_into(self, out):
        try:
            data = self.until_done(self.tls.read, len(out))
        except ssl.SSLEOFError:
            return 0
        out[:len(data)] = data
        return len(data)


def slices(size):
    """A cut into slices of so many bytes."""
    return lambda data: [data[i:i + size] for i in range(0, len(data), size)]
