"""Much of it: bytes, requests, clients, sites. Counts, never durations."""

import hashlib
import resource
import selectors
import socket
import ssl
import subprocess
import time

from lab import http1
from lab.case import Group, NotRun, eventually
from lab.sallyport import SLOW

BIG = 1 << 30
load = Group("load")
small = Group("small", config=lambda lab: {"limits": {
    "leaf-cache-entries": 200, "leaf-cache-bytes": "1MB"}})
# A crowd takes as long as the machine takes for it.
crowd = Group("crowd", config=lambda lab: {"limits": {
    "connect-timeout": "2m", "handshake-timeout": "2m"}})
few = Group("few", config=lambda lab: {"workers": 2,
                                       "limits": {"connections": 30}})
MB = 1 << 20
# What flat memory may still grow by; a sanitizer keeps what was freed.
FLAT = 24 * MB if SLOW == 1 else 1024 * MB


# --- big bodies ---------------------------------------------------------------

def watched(t, read, right):
    """Count what read() returns; the highest resident size meanwhile."""
    got, top, steps = 0, 0, 0
    while data := read():
        got += data
        steps += 1
        if steps % 256 == 0:
            top = max(top, t.proxy.rss())
    assert got == right, "%d of %d bytes" % (got, right)
    return top


def download(t, sock, target):
    sock.sendall(http1.head("GET", target, "ec.lab.test"))
    f = http1.reader(sock)
    reply = http1.read_head(f)
    assert reply.get("content-length") == str(BIG), reply
    before, left, buffer = t.proxy.rss(), [BIG], bytearray(1 << 18)

    def read():
        room = min(left[0], len(buffer))
        size = f.readinto1(memoryview(buffer)[:room]) if room else 0
        left[0] -= size
        return size
    return before, watched(t, read, BIG)


@load.case(limit=120)
def a_gigabyte_down_with_flat_memory(t):
    before, top = download(t, t.tls("ec.lab.test"), "/big")
    assert top - before < FLAT, "grew from %d to %d MB" % (
        before // MB, top // MB)
    assert t.line(host="ec.lab.test")["bytes_out"] >= BIG


@load.case(limit=120)
def a_gigabyte_by_curl_to_a_slow_reader(t):
    """Through a pipe that is read now and then: nothing piles up."""
    curl = subprocess.Popen(
        ["curl", "-sS", "--cacert", t.proxy.root, "https://ec.lab.test/big"],
        env=t.env(), stdout=subprocess.PIPE)
    try:
        curl.stdout.read(1 << 20)
        before = t.proxy.rss()
        for _ in range(20):
            curl.stdout.read(1 << 20)
            time.sleep(0.05)
            assert t.proxy.rss() - before < FLAT, t.proxy.rss() // MB
    finally:
        curl.kill()
        curl.stdout.close()
        curl.wait()


@load.case(limit=300)
def a_gigabyte_up_with_flat_memory(t):
    """A part of it where all is slow; the origin hashes all."""
    size = BIG if SLOW == 1 else BIG // 8
    sock = t.tls("odd.lab.test")
    sock.sendall(http1.head("POST", "/echo", "odd.lab.test",
                            "Content-Length: %d" % size))
    block, top, before = b"\x5a" * MB, 0, t.proxy.rss()
    for _ in range(size // MB):
        sock.sendall(block)
        top = max(top, t.proxy.rss())
    reply = http1.read_reply(http1.reader(sock))
    assert b'"size": %d' % size in reply.body, reply
    digest = hashlib.sha256(block * (size // MB)).hexdigest()
    assert digest.encode() in reply.body
    assert top - before < FLAT, "grew from %d to %d MB" % (
        before // MB, top // MB)


@load.case(limit=120)
def a_long_tunnel_with_flat_memory(t):
    """Not TLS at all: bytes to the origin and back, both ways at once."""
    sock = t.tunnel("127.0.0.1", t.lab.port["ssh"])
    assert sock.recv(100).startswith(b"SSH")
    before, top, block = t.proxy.rss(), 0, b"\0" * (1 << 16)
    buffer, back, size = bytearray(1 << 18), 0, 256 * MB
    sock.setblocking(False)
    wait = selectors.DefaultSelector()
    wait.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
    sent = 0
    while back < size:
        for _, ready in wait.select(60):
            if ready & selectors.EVENT_WRITE and sent < size:
                sent += sock.send(block[:size - sent])
            if sent == size:
                wait.modify(sock, selectors.EVENT_READ)
            if ready & selectors.EVENT_READ:
                back += sock.recv_into(buffer)
        top = max(top, t.proxy.rss())
    assert top - before < FLAT, "grew from %d to %d MB" % (
        before // MB, top // MB)


# --- many requests ------------------------------------------------------------

@load.case(limit=300)
def ten_thousand_requests_on_one_connection(t):
    sock = t.tls("ec.lab.test")
    f = http1.reader(sock)
    ask = http1.head("GET", "/1k", "ec.lab.test")
    for _ in range(100):
        sock.sendall(ask)
        http1.read_reply(f)
    before = t.proxy.rss()
    for number in range(100, 10000):
        sock.sendall(ask)
        reply = http1.read_reply(f)
        assert reply.status == 200 and len(reply.body) == 1024, (number,
                                                                 reply)
    assert t.proxy.rss() - before < FLAT, "memory grew"
    t.line(count=10000, kind="exchange", seconds=60)
    origins = sum(not line["origin_reused"]
                  for line in t.lines(kind="exchange"))
    assert origins < 20, "%d origin connections" % origins


@load.case(limit=180)
def a_thousand_connections_leave_nothing(t):
    for _ in range(200):
        assert t.fetch("https://tools.lab.test/1k").status == 200
    assert eventually(lambda: t.proxy.counters()["open"] == 0)
    before = t.proxy.rss()
    for _ in range(800):
        assert t.fetch("https://tools.lab.test/1k").status == 200
    grown = t.proxy.rss() - before
    assert grown < FLAT, "grew by %d kB" % (grown >> 10)


# --- many clients -------------------------------------------------------------

class Client:
    """One of many: CONNECT, TLS, one GET, without blocking."""

    def __init__(self, port, settings, host, wait):
        self.settings, self.host, self.wait = settings, host, wait
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.connect_ex(("127.0.0.1", port))
        self.der = self.problem = None
        self.steps = self.go()
        next(self.steps)

    def go(self):
        at = "%s:443" % self.host
        yield from self.send(http1.head("CONNECT", at, at))
        head = yield from self.until(b"\r\n\r\n")
        if b" 200 " not in head:
            raise OSError("CONNECT: %r" % head[:200])
        self.sock = self.settings.wrap_socket(
            self.sock, server_hostname=self.host,
            do_handshake_on_connect=False)
        yield from self.tls(self.sock.do_handshake)
        self.der = self.sock.getpeercert(binary_form=True)
        yield from self.send(http1.head("GET", "/1k", self.host))
        head = yield from self.until(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise OSError("GET: %r" % head[:200])
        if b"Sallyport's lab. " not in head:
            yield from self.until(b"Sallyport's lab. ")

    def tls(self, step, *args):
        while True:
            try:
                return step(*args)
            except (ssl.SSLWantReadError, BlockingIOError):
                yield selectors.EVENT_READ
            except ssl.SSLWantWriteError:
                yield selectors.EVENT_WRITE

    def send(self, data):
        yield selectors.EVENT_WRITE
        while data:
            size = yield from self.tls(self.sock.send, data)
            data = data[size:]

    def until(self, mark):
        data = b""
        while mark not in data:
            more = yield from self.tls(self.sock.recv, 4096)
            if not more:
                raise OSError("closed after %r" % data[:200])
            data += more
        return data


def all_at_once(t, hosts, at_once, seconds=100):
    """A client for each of hosts; those that failed, and all clients."""
    settings = t.settings()
    wait = selectors.DefaultSelector()
    todo, clients, under_way = list(hosts), [], 0

    def step(one, first=False):
        try:
            want = selectors.EVENT_WRITE if first else next(one.steps)
        except StopIteration:
            return False
        except (OSError, ValueError) as error:
            one.problem = error
            return False
        wait.register(one.sock, want, one)
        return True
    while todo or under_way:
        while todo and under_way < at_once:
            one = Client(t.proxy.port, settings, todo.pop(), wait)
            clients.append(one)
            under_way += step(one, first=True)
        for key, _ in wait.select(seconds):
            wait.unregister(key.fileobj)
            if not step(key.data):
                under_way -= 1
                key.data.sock.close()
    return [c.problem for c in clients if c.problem], clients


@crowd.case(limit=300)
def a_thousand_clients_at_once_one_signature(t):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 2500:
        raise NotRun("too few descriptors here")
    before = t.proxy.counters()["signatures"]
    problems, clients = all_at_once(t, ["rsa.lab.test"] * 1000, 1000)
    assert not problems, "%d failed; the first: %s" % (
        len(problems), problems[0])
    assert len({c.der for c in clients}) == 1, "several leaves"
    t.line(count=1000, host="rsa.lab.test", seconds=60)
    forged = len(t.lines(host="rsa.lab.test", leaf="forged"))
    assert forged == 1, "%d forged" % forged
    assert t.proxy.counters()["signatures"] == before + 1


@crowd.case(limit=60)
def a_hundred_clients_at_once_of_a_bad_site(t):
    """The page's leaf is signed once too."""
    before = t.proxy.counters()["signatures"]
    problems, clients = all_at_once(t, ["expired.lab.test"] * 100, 100)
    assert all("502" in str(p) for p in problems), problems[:2]
    assert len(problems) == 100
    assert t.proxy.counters()["signatures"] <= before + 2


@small.case(limit=300)
def two_thousand_sites_in_a_bounded_cache(t):
    hosts = ["n%d.many.lab.test" % n for n in range(2000)]
    problems, clients = all_at_once(t, hosts, 40)
    assert not problems, "%d failed; the first: %s" % (
        len(problems), problems[0])
    told = t.proxy.counters()["leaf_cache"]
    assert 0 < told["entries"] <= 200, told
    assert 0 < told["bytes"] <= MB, told
    assert len({c.der for c in clients}) > 1500, "leaves are shared"


@small.case(limit=60)
def what_was_used_last_is_kept(t):
    recent = ["r%d.many.lab.test" % n for n in range(20)]
    first = {h: t.fetch("https://%s/1k" % h).der for h in recent}
    again = {h: t.fetch("https://%s/1k" % h).der for h in recent}
    assert first == again


# --- limits -------------------------------------------------------------------

@few.case(limit=60)
def over_the_limit_of_connections_clients_wait(t):
    """Thirty are served; the rest stand in line and come in as they end.
    (Twice thirty, since each worker has a share of them.)"""
    held = [t.dial() for _ in range(60)]
    late = t.dial()
    late.sendall(http1.head("GET", "http://web.lab.test/1k", "web.lab.test"))
    late.settimeout(1)
    try:
        answer = late.recv(100)
    except TimeoutError:
        answer = None
    assert answer is None or b" 503 " in answer, answer
    for sock in held:
        sock.close()
    if answer is None:
        late.settimeout(20)
        assert http1.read_reply(http1.reader(late)).status == 200
    assert t.fetch("http://web.lab.test/1k").status == 200
