#!/usr/bin/env python3
"""soak.py SALLYPORT [--minutes 10] [--clients 10] [--seed N]

Bytes of random length both ways at once, through everything that relays:
HTTP in inspected TLS (lengths and chunks), other protocols in inspected TLS,
TLS that is not inspected, plain tunnels. Both ends know what must come and
compare every byte; now and then one of them breaks off. What is broken off
must look so; what looks whole must be whole. At the end the proxy must be
there, as large as it was, and stop in order.
"""

import argparse
import contextlib
import hashlib
import os
import random
import select
import shutil
import socket
import ssl
import struct
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lab import client as clients  # noqa: E402
from lab.pki import Pki  # noqa: E402
from lab.sallyport import Sallyport  # noqa: E402

HOST, UNSEEN, PLAIN = ("soak.odd.lab.test", "unseen.odd.lab.test",
                       "plain.odd.lab.test")
KINDS = ("http", "raw-in-tls", "unseen-tls", "plain")
# up, down, seed, bytes after which the origin breaks off (0: it does not)
ORDER = struct.Struct("!4sIIII")
QUIET_S = 60


class Wrong(Exception):
    """Bytes that are not what they must be."""


def stream(seed, size):
    return hashlib.shake_128(b"%d" % seed).digest(size)


def reset(sock):
    """Close so that the other end sees it is not the end."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


def goodbye(sock):
    """End in order: say so, and wait for the other end to."""
    with contextlib.suppress(OSError, ValueError):
        sock.settimeout(QUIET_S)
        if isinstance(sock, ssl.SSLSocket):
            sock = sock.unwrap()
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass


def exactly(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            break
        data += more
    return data


def pump(sock, out, take, break_at=0, while_sending=False):
    """Send all of out while take(bytes) eats what comes, until it says True;
    None: nothing is to come. break_at: reset after that many bytes have come
    and gone, if that was not all; then False. while_sending: not once all of
    out is sent. (An origin that breaks off after its answer may take the next
    client's request along, which no proxy can mend.)"""
    sock.setblocking(False)
    moved, at, done, view = 0, 0, take is None, memoryview(out)
    size = 0  # OpenSSL wants a write it could not do tried again as it was
    while at < len(out) or not done:
        busy, wait_in, wait_out = False, not done, at < len(out)
        try:
            if at < len(out):
                size = size or random.choice((700, 16000, 200000))
                n = sock.send(view[at:at + size])
                at, moved, size, busy = at + n, moved + n, 0, True
        except ssl.SSLWantReadError:
            wait_in = True
        except (BlockingIOError, ssl.SSLWantWriteError):
            pass
        try:
            if not done:
                data = sock.recv(random.choice((500, 65536, 300000)))
                if not data:
                    raise ConnectionError("ended before its end, %d sent of %d"
                                      % (at, len(out)))
                done, moved, busy = take(data), moved + len(data), True
        except ssl.SSLWantWriteError:
            wait_out = True
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        left = at < len(out) or not (done or while_sending)
        if break_at and moved >= break_at and left:
            reset(sock)
            return False
        if busy or (isinstance(sock, ssl.SSLSocket) and sock.pending()):
            continue
        ready = select.select([sock] if wait_in else [],
                              [sock] if wait_out else [], [], QUIET_S)
        if not any(ready):
            raise Wrong("nothing moved for %d s, sent %d of %d" % (
                QUIET_S, at, len(out)))
    return True


def expect(data):
    """A taker for exactly these bytes."""
    at = [0]

    def take(got):
        if data[at[0]:at[0] + len(got)] != got:
            raise Wrong("byte %d or soon behind it is another" % at[0])
        at[0] += len(got)
        return at[0] == len(data)
    return take


# --- HTTP, as little as it takes -------------------------------------------

def chunked(data, rng):
    out, at = [], 0
    while at < len(data):
        n = rng.choice((1, 100, 4096, 70000))
        piece = data[at:at + n]
        out.append(b"%x\r\n%s\r\n" % (len(piece), piece))
        at += len(piece)
    return b"".join(out) + b"0\r\n\r\n"


def message(first, data, chunks, rng):
    if chunks:
        return b"%s\r\nTransfer-Encoding: chunked\r\n\r\n%s" % (
            first, chunked(data, rng))
    return b"%s\r\nContent-Length: %d\r\n\r\n%s" % (first, len(data), data)


class Reader:
    """Takes a message bit by bit; its body must be these bytes."""

    def __init__(self, body=None):
        self.buffer, self.head, self.body = b"", None, body
        self.left, self.in_chunks = 0, False

    def start(self, body):
        self.take_body = expect(body) if body else None
        if b"transfer-encoding: chunked" in self.head.lower():
            self.in_chunks = True
        else:
            self.left = int(self.head.lower().split(b"content-length: ")[1]
                            .split(b"\r\n")[0])
            if self.left != len(body):
                raise Wrong("another length: %d" % self.left)

    def __call__(self, data):
        self.buffer += data
        if self.head is None:
            if b"\r\n\r\n" not in self.buffer:
                return False
            self.head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            if self.body is not None:
                if b" 200 " not in self.head.split(b"\r\n")[0]:
                    raise ConnectionError(self.head[:200])
                self.start(self.body)
            else:
                return True
        return self.take_more()

    def take_more(self):
        if not self.in_chunks:
            data, self.buffer = self.buffer, b""
            self.left -= len(data)
            if data:
                self.take_body(data)
            return self.left == 0
        while b"\r\n" in self.buffer:
            size, rest = self.buffer.split(b"\r\n", 1)
            size = int(size, 16)
            if len(rest) < size + 2:
                return False
            if size == 0:
                return rest.startswith(b"\r\n")
            self.take_body(rest[:size])
            self.buffer = rest[size + 2:]
        return False


# --- the origin ---------------------------------------------------------------

class Origin:
    """Listens twice, plain and TLS; does as its peers' first bytes say."""

    def __init__(self, pki, wrongs):
        self.wrongs = wrongs
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pki.path("odd.pem"), pki.path("odd.key"))
        self.plain, self.tls = self.listen(False), self.listen(True)

    def listen(self, tls):
        listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        threading.Thread(target=self.accept, args=(listener, tls),
                         daemon=True).start()
        return listener.getsockname()[1]

    def accept(self, listener, tls):
        while True:
            threading.Thread(target=self.serve, daemon=True,
                             args=(listener.accept()[0], tls)).start()

    def serve(self, sock, tls):
        try:
            if tls:
                sock = self.context.wrap_socket(sock, server_side=True)
            first = exactly(sock, 4)
            if first == b"SOAK":
                self.raw(sock, first)
            else:
                while first and self.http(sock, first):
                    sock.setblocking(True)
                    first = sock.recv(1)
            goodbye(sock)
        except Wrong as e:
            self.wrongs.append("origin: %s" % e)
        except (ConnectionError, ssl.SSLEOFError):
            pass  # the other end broke off
        except (OSError, ValueError) as e:
            self.wrongs.append("origin: %r" % e)
        finally:
            sock.close()

    def raw(self, sock, first):
        first += exactly(sock, ORDER.size - len(first))
        _, up, down, seed, cut = ORDER.unpack(first)
        pump(sock, stream(seed + 1, down),
             expect(stream(seed, up)) if up else None, cut)

    def http(self, sock, first):
        reader = Reader()
        while not reader(first):
            first = sock.recv(65536)
            if not first:
                return False
        up, down, seed, cut, chunks = map(
            int, reader.head.split(b" ")[1][1:].split(b"/"))
        reader.body = stream(seed, up)
        reader.start(reader.body)
        rng = random.Random(seed)
        answer = message(b"HTTP/1.1 200 OK", stream(seed + 1, down), chunks,
                         rng)
        done = reader.take_more()
        return pump(sock, answer, None if done else reader, cut, True)


# --- the clients ----------------------------------------------------------------

class Client(threading.Thread):
    def __init__(self, proxy, seed, until, wrongs, count):
        super().__init__(daemon=True)
        self.proxy, self.rng, self.until = proxy, random.Random(seed), until
        self.wrongs, self.count = wrongs, count
        self.tls = clients.context(proxy.root)
        self.raw_tls = clients.context(proxy.root, alpn=())
        self.unseen = clients.context(proxy.lab.pki.root, alpn=())

    def size(self):
        return int(10 ** self.rng.uniform(0, 6.9)) if self.rng.random() < .95 \
            else 0

    def run(self):
        while time.monotonic() < self.until and not self.wrongs:
            kind = self.rng.choice(KINDS)
            cut = self.rng.random() < .1 and self.size() or 0
            leave = self.rng.random() < .1 and self.size() or 0
            ended = "whole"
            try:
                if not self.once(kind, cut, leave):
                    ended = "left"
            except Wrong as e:
                self.wrongs.append("client, %s: %s" % (kind, e))
            except (OSError, ValueError) as e:
                ended = "broken"
                if not cut:
                    self.wrongs.append("client, %s: nobody broke off, but %r"
                                       % (kind, e))
            self.count[kind, ended] = self.count.get((kind, ended), 0) + 1

    def once(self, kind, cut, leave):
        sock = self.proxy.dial()
        try:
            if kind == "http":
                return self.http(sock, cut, leave)
            return self.raw(sock, kind, cut, leave)
        finally:
            sock.close()

    def raw(self, sock, kind, cut, leave):
        host = {"raw-in-tls": HOST, "unseen-tls": UNSEEN, "plain": PLAIN}[kind]
        clients.connect(sock, host)
        if kind != "plain":
            sock = (self.raw_tls if kind == "raw-in-tls" else
                    self.unseen).wrap_socket(sock, server_hostname=host)
        up, down = self.size(), max(1, self.size())
        seed = self.rng.randrange(1 << 31)
        done = pump(sock, ORDER.pack(b"SOAK", up, down, seed, cut) +
                    stream(seed, up), expect(stream(seed + 1, down)), leave)
        if done:
            goodbye(sock)
        return done

    def http(self, sock, cut, leave):
        clients.connect(sock, HOST)
        sock = self.tls.wrap_socket(sock, server_hostname=HOST)
        for _ in range(self.rng.randrange(1, 5)):
            up, down = self.size(), self.size()
            seed = self.rng.randrange(1 << 31)
            path = b"/%d/%d/%d/%d/%d" % (up, down, seed, cut,
                                         self.rng.random() < .5)
            ask = message(b"POST %s HTTP/1.1\r\nHost: %s" % (
                path, HOST.encode()), stream(seed, up),
                self.rng.random() < .5, self.rng)
            if not pump(sock, ask, Reader(stream(seed + 1, down)), leave):
                return False
        goodbye(sock)
        return True


class Lab:
    """What lab.sallyport asks of a lab."""

    def __init__(self, pki, origin):
        self.pki, self.port, self.origin = pki, {"dns": 1}, origin

    def connect_to(self):
        return ["%s:443:127.0.0.1:%d" % (host, port) for host, port in (
            (HOST, self.origin.tls), (UNSEEN, self.origin.tls),
            (PLAIN, self.origin.plain))]


def soak(args, folder):
    wrongs, count = [], {}
    pki = Pki(os.path.join(folder, "pki"))
    os.makedirs(pki.folder)
    pki.make()
    lab = Lab(pki, Origin(pki, wrongs))
    proxy = Sallyport(args.binary, lab, os.path.join(folder, "proxy"), {
        "ssl-rules": [{"name": "unseen", "action": "do-not-inspect",
                       "match": {"categories": ["unseen"]}}],
        "categories": {"unseen": {"hosts": [UNSEEN]}}})
    proxy.start()
    until = time.monotonic() + 60 * args.minutes
    threads = [Client(proxy, args.seed + i, until, wrongs, count)
               for i in range(args.clients)]
    for thread in threads:
        thread.start()
    sizes, told = [], time.monotonic()
    while any(t.is_alive() for t in threads) and proxy.alive() and not wrongs:
        time.sleep(1)
        if time.monotonic() - told >= 30:
            told = time.monotonic()
            sizes.append(proxy.rss() >> 10)
            print("%d done, %d KB" % (sum(count.values()), sizes[-1]),
                  flush=True)
    if not proxy.alive():
        wrongs.append("the proxy has gone: " + proxy.stderr()[-2000:])
    elif proxy.stop() != 0:
        wrongs.append("the proxy did not stop in order")
    if proxy.smell():
        wrongs.append(proxy.smell())
    if len(sizes) > 4 and sizes[-1] > 2 * max(sizes[:2]) + 20000:
        wrongs.append("it grew: %s KB" % sizes)
    for (kind, ended), number in sorted(count.items()):
        print("%-11s %-7s %d" % (kind, ended, number))
    return wrongs


def main():
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    args.binary = os.path.abspath(args.binary)
    print("seed %d" % args.seed)
    folder = tempfile.mkdtemp(prefix="sallyport-soak-")
    try:
        wrongs = soak(args, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for wrong in wrongs:
        print("WRONG: " + wrong)
    print("soak: %s" % ("failed" if wrongs else "every byte was right"))
    return 1 if wrongs else 0


if __name__ == "__main__":
    sys.exit(main())
