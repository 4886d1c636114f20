"""Which addresses may be reached, and for whom; names and how they resolve."""

import contextlib
import os
import subprocess
import sys
import threading

from lab import http1
from lab.case import Group, NotRun
from lab.nginx import wait_port
from lab.sallyport import Sallyport

LOOP = "proxy-loop"
local = Group("local")  # clients on this machine
remote = Group("remote", config=None, needs=["root", "program:ip",
                                             "program:curl"])


# --- loops --------------------------------------------------------------------

@local.case
def our_own_listeners_are_refused_to_everybody(t):
    for port in (t.proxy.port, t.proxy.tport):
        for host in ("127.0.0.1", "loop.dns.test"):
            reply = t.fetch("http://%s:%d/" % (host, port))
            if host == "127.0.0.1" and b"Sallyport" in reply.body:
                continue  # its own address asked for: its own page
            assert reply.error == LOOP, (host, port, reply)
            reply = t.fetch("https://%s:%d/" % (host, port), sni=None if
                            host == "127.0.0.1" else "", trust=False)
            assert reply.error == LOOP, (host, port, reply)


@local.case
def wildcard_and_mapped_forms_of_them_too(t):
    for host in ("zero.dns.test", "mapped.dns.test", "[::ffff:127.0.0.1]",
                 "0.0.0.0"):
        reply = t.fetch("http://%s:%d/nope" % (host, t.proxy.port))
        assert reply.error in (LOOP, "destination-not-allowed", "not-found"
                               ), (host, reply)
        reply = t.fetch("https://%s:%d/" % (host, t.proxy.port), trust=False,
                        sni=None if host[0] in "[0" else "")
        assert reply.error in (LOOP, "destination-not-allowed"), (host, reply)


@local.case
def a_name_of_both_families_that_leads_here(t):
    """::1 refuses, 127.0.0.1 is ours: either may be told, neither served."""
    for url in ("http://localhost:%d/", "https://localhost:%d/"):
        reply = t.fetch(url % t.proxy.port, trust=False)
        assert reply.error in (LOOP, "connection-refused"), (url, reply)


@local.case
def a_local_client_may_reach_loopback(t):
    port = t.lab.port["plain"]
    for host in ("127.0.0.1", "a.dns.test"):
        assert t.fetch("http://%s:%d/echo" % (host, port)).status == 200


@local.case
def multicast_and_broadcast_never(t):
    for host in ("224.0.0.1", "255.255.255.255", "[ff02::1]"):
        reply = t.fetch("http://%s/" % host)
        assert reply.error == "destination-not-allowed", (host, reply)


# --- names --------------------------------------------------------------------

@local.case(limit=60)
def fifty_dead_names_do_not_delay_a_live_one(t):
    """The live one is answered while all fifty are still waited for."""
    waiting = []
    for number in range(50):
        sock = t.dial()
        name = "mute-%d.dns.test" % number
        sock.sendall(http1.head("GET", "http://%s/" % name, name))
        waiting.append(sock)
    url = "http://alive.dns.test:%d/echo" % t.lab.port["plain"]
    assert t.fetch(url).status == 200
    for sock in waiting:
        sock.setblocking(False)
        try:
            early = sock.recv(10)
        except BlockingIOError:
            continue
        raise AssertionError("a silent name was answered first: %r" % early)


@local.case
def answers_are_kept(t):
    """Many connections, one question a family and worker."""
    url = "http://kept.dns.test:%d/echo" % t.lab.port["plain"]
    for _ in range(20):
        assert t.fetch(url).status == 200
    asked = int(t.control("dns", "kept.dns.test"))
    assert 1 <= asked <= 2 * (os.cpu_count() or 1), "%d questions" % asked


@local.case
def names_in_any_spelling(t):
    port = t.lab.port["plain"]
    for name in ("A.Dns.Test", "a.dns.test."):
        assert t.fetch("http://%s:%d/echo" % (name, port)).status == 200


# --- clients that are not on this machine -------------------------------------

class Elsewhere:
    """A network namespace with a veth: a client with another address."""

    def __init__(self):
        self.name = "sp%d" % (os.getpid() % 100000)
        net = "10.%d.%d" % (200 + os.getpid() % 50, os.getpid() // 50 % 250)
        self.here, self.there = net + ".1", net + ".2"

    def ip(self, *args, inside=False):
        done = subprocess.run(
            (self.inside() if inside else ()) + ("ip",) + args,
            capture_output=True, text=True)
        if done.returncode:
            raise NotRun("ip %s: %s" % (" ".join(args), done.stderr.strip()))

    def inside(self):
        """What a command is preceded by to run over there."""
        return ("nsenter", "-t", str(self.holder.pid), "-n")

    def hold(self):
        """A process keeps the namespace; it needs no name and no mount."""
        self.holder = subprocess.Popen(
            ("unshare", "--net", "sh", "-c", "echo up; exec sleep 600"),
            stdout=subprocess.PIPE, text=True)
        if self.holder.stdout.readline() != "up\n":
            raise NotRun("unshare --net: not allowed here")

    def __enter__(self):
        a, b = self.name + "a", self.name + "b"
        try:
            self.hold()
            self.ip("link", "add", a, "type", "veth", "peer", "name", b)
            self.ip("link", "set", b, "netns", str(self.holder.pid))
            self.ip("addr", "add", self.here + "/24", "dev", a)
            self.ip("link", "set", a, "up")
            self.ip("addr", "add", self.there + "/24", "dev", b, inside=True)
            self.ip("link", "set", b, "up", inside=True)
            self.ip("link", "set", "lo", "up", inside=True)
        except NotRun:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(NotRun):
            self.ip("link", "del", self.name + "a")
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()

    def curl(self, t, port, url, *args):
        """(status, Sallyport-Error, body)"""
        done = t.run(*self.inside(), "curl", "-sS", "-i",
                     "--suppress-connect-headers", "-m", "30", "--cacert",
                     t.proxy.root, "-x", "http://%s:%d" % (self.here, port),
                     url, *args, env=t.env(http_proxy="", https_proxy=""))
        head, _, body = done.stdout.partition("\n\n")
        word = [line.split(":", 1)[1].strip() for line in head.splitlines()
                if line.lower().startswith("sallyport-error:")]
        status = head.split()[1] if head.startswith("HTTP/") else done.stderr
        return status, word[0] if word else None, body


@contextlib.contextmanager
def from_elsewhere(t, more=None):
    """A Sallyport of the case's own, listening for another machine too."""
    with Elsewhere() as place:
        proxy = Sallyport(t.binary, t.lab, t.path("proxy"), more)
        proxy.config["listen"]["proxy"] = [
            "127.0.0.1:%d" % proxy.port, "%s:%d" % (place.here, proxy.port)]
        proxy.start()
        t.proxy = proxy
        t.mark()
        try:
            wait_port(proxy.port, place.here)
            yield place
        finally:
            code = proxy.stop()
        assert code == 0 and not proxy.smell(), proxy.stderr()


@remote.case(limit=90)
def what_a_remote_client_may_not_reach(t):
    port = t.lab.port["plain"]
    with from_elsewhere(t) as place:
        for host in ("127.0.0.1", "a.dns.test", "localhost", "[::1]",
                     "six.dns.test", "mapped.dns.test", "nat64.dns.test",
                     "zero.dns.test", "169.254.169.254", "meta.dns.test",
                     "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "127.9.9.9",
                     "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "2130706433",
                     "0x7f.1", "127.1", "[fe80::1]", "[fd00:ec2::254]"):
            at = host if "169.254" in host or "meta" in host else \
                "%s:%d" % (host, port)
            status, word, body = place.curl(t, t.proxy.port,
                                            "http://%s/echo" % at)
            assert status != "200", "%s was reached" % host
            assert word in ("destination-not-allowed", "name-not-found",
                            "bad-request"), (host, status, word, body[:200])
            status, word, body = place.curl(
                t, t.proxy.port, "https://%s/echo" % at, "-k")
            assert status != "200", "%s was reached by CONNECT" % host


@remote.case(limit=90)
def a_name_first_public_then_loopback(t):
    """The address dialled is the one that was checked."""
    port = t.lab.port["plain"]
    with from_elsewhere(t, {"limits": {"connect-timeout": "3s"}}) as place:
        for _ in range(4):
            status, word, body = place.curl(
                t, t.proxy.port, "http://flip.dns.test:%d/echo" % port)
            assert status != "200", "loopback was reached"
        status, word, body = place.curl(
            t, t.proxy.port, "http://mixed.dns.test:%d/echo" % port)
        assert status != "200", "the loopback half of an answer was reached"


@remote.case(limit=60)
def what_the_configuration_names_is_reached(t):
    with from_elsewhere(t) as place:
        status, word, body = place.curl(t, t.proxy.port,
                                        "https://ec.lab.test/1k")
        assert status == "200", (status, word, body[:200])
        t.line(host="ec.lab.test", status=200, kind="exchange")


@remote.case(limit=60)
def its_own_address_is_a_loop_for_a_remote_client(t):
    with from_elsewhere(t) as place:
        for url in ("http://%s:%d/", "https://%s:%d/"):
            url %= ("loop.dns.test", t.proxy.port)
            status, word, body = place.curl(t, t.proxy.port, url, "-k")
            assert word in (LOOP, "destination-not-allowed"), (status, word)
        status, word, body = place.curl(
            t, t.proxy.port, "https://%s:%d/" % (place.here, t.proxy.port),
            "-k")
        assert word == LOOP, (status, word, body[:200])


@remote.case(limit=60)
def clients_outside_are_refused(t):
    with from_elsewhere(t, {"clients": ["local"]}) as place:
        status, word, body = place.curl(t, t.proxy.port,
                                        "http://web.lab.test/1k")
        assert status != "200", "served all the same"
        assert t.fetch("http://web.lab.test/1k").status == 200


@remote.case(limit=60)
def the_crl_and_the_root_are_reached_from_elsewhere(t):
    with from_elsewhere(t) as place:
        for url in ("http://sallyport.internal/ca/root.pem",
                    "https://sallyport.internal/"):
            status, word, body = place.curl(t, t.proxy.port, url)
            assert status == "200", (url, status, word)


@local.case(limit=60)
def many_clients_of_many_names_at_once(t):
    wrong = []

    def one(number):
        url = "http://n%d.dns.test:%d/echo" % (number, t.lab.port["plain"])
        try:
            reply = t.fetch(url)
            if reply.status != 200:
                wrong.append(reply)
        except (OSError, ValueError) as error:
            wrong.append(error)
    threads = [threading.Thread(target=one, args=(n,)) for n in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]


@remote.case(limit=60)
def a_port_alone_in_connect_to_names_no_destination(t):
    port = t.lab.port["plain"]
    with from_elsewhere(t, {"origin": {
            "connect-to": ["*.dns.test:81::%d" % port]}}) as place:
        got = place.curl(t, t.proxy.port, "http://a.dns.test:81/echo")
        assert got[:2] == ("403", "destination-not-allowed"), got
        t.line(reason="destination-not-allowed")
        assert t.fetch("http://a.dns.test:81/echo").status == 200


HOLD = """
import socket, sys
held = [socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
        for _ in range(int(sys.argv[3]))]
print("up", flush=True)
sys.stdin.read()
"""


@remote.case(limit=60)
def one_client_does_not_take_all_connections(t):
    with from_elsewhere(t, {"workers": 1, "limits": {
            "connections": 20}}) as place:
        holder = subprocess.Popen(
            (*place.inside(), sys.executable, "-c", HOLD, place.here,
             str(t.proxy.port), "30"), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        try:
            assert holder.stdout.readline() == "up\n"
            t.line(kind="refused", reason="no-resources")
            assert t.fetch("http://sallyport.internal/").status == 200
        finally:
            holder.kill()
            holder.communicate()
