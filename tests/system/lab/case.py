"""What a case file is made of: groups, their cases, and what a case holds.

    leaf = Group("leaf", config=lambda lab: {"ssl-rules": [...]})

    @leaf.case(limit=20, needs=["program:git"])
    def the_serial_stays(t):
        assert t.fetch("https://ec.lab.test/1k").status == 200

A group has one Sallyport (none with config=None) that its cases share, one
after the other. A case passes when it returns; AssertionError says why it
failed, NotRun why it could not be tried.
"""

import contextlib
import datetime
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from . import client, http1
from .sallyport import SLOW

GROUPS = {}


class NotRun(Exception):
    """The case cannot be tried here; says why."""


class Group:
    def __init__(self, name, config=lambda lab: {}, needs=(), tls=None):
        self.name, self.config, self.needs = name, config, list(needs)
        self.tls = tls or {}  # what its clients do otherwise (client.context)
        self.cases = []
        GROUPS[name] = self

    def case(self, function=None, *, limit=30, needs=()):
        def add(function):
            self.cases.append(Case(self, function, limit, list(needs)))
            return function
        return add(function) if function else add


class Case:
    def __init__(self, group, function, limit, needs):
        self.name = "%s/%s" % (group.name, function.__name__)
        self.function, self.limit = function, limit
        self.needs = group.needs + needs


def missing(need):
    """Why a need is not met; None when it is."""
    kind, _, what = need.partition(":")
    if kind == "root":
        return None if os.geteuid() == 0 else "not root"
    if kind == "program":
        found = shutil.which(what) or shutil.which(what, path="/usr/sbin:/sbin")
        return None if found else "no " + what
    if kind == "network":
        try:
            socket.create_connection((what, 443), 5).close()
            return None
        except OSError:
            return "%s is not reachable" % what
    return "unknown need " + need


class T:
    """One case's view of the lab and of its group's Sallyport."""

    def __init__(self, lab, proxy, folder, binary, tls=None):
        self.lab, self.proxy, self.dir = lab, proxy, folder
        self.binary, self.how_tls = binary, tls or {}
        self.open = []
        self.mark()

    def mark(self):
        """From here on: lines() leaves out what began before, whose lines may
        come as late as it takes; a line's times are of whole milliseconds."""
        if self.proxy:
            time.sleep(0.005)
        self.offset = self.proxy.log_size() if self.proxy else 0
        self.began = time.time()

    def close(self):
        for sock in self.open:
            sock.close()

    def path(self, name):
        os.makedirs(self.dir, exist_ok=True)
        return os.path.join(self.dir, name)

    def write(self, name, data):
        with open(self.path(name), "wb" if isinstance(data, bytes)
                  else "w") as f:
            f.write(data)
        return self.path(name)

    # --- by hand -----------------------------------------------------------

    def dial(self, port=None):
        sock = self.proxy.dial(port)
        self.open.append(sock)
        return sock

    def connect(self, host, port=443, *fields):
        """CONNECT without judging: (socket, reply)."""
        sock = self.dial()
        return sock, client.connect(sock, host, port, *fields)

    def tunnel(self, host, port=443):
        """A socket through CONNECT, which must be granted."""
        sock, reply = self.connect(host, port)
        assert reply.status == 200, "CONNECT %s: %r" % (host, reply)
        return sock

    def settings(self, trust=True, **how):
        """trust: Sallyport's root, False for no check, or a CA's file."""
        return client.context(self.proxy.root if trust is True else trust,
                              **dict(self.how_tls, **how))

    def tls(self, host, port=443, sni="", trust=True, sock=None, **how):
        """TLS through CONNECT. sni: another name, None for none."""
        name = host if sni == "" else sni
        settings = self.settings(trust, **how)
        if name is None:
            settings.check_hostname = False
        sock = settings.wrap_socket(sock or self.tunnel(host, port),
                                    server_hostname=name)
        self.open.append(sock)
        return sock

    def ask(self, sock, method, target, host, *fields, body=b""):
        """One request on an open connection; its reply."""
        sock.sendall(http1.head(method, target, host, *fields) + body)
        return http1.read_reply(http1.reader(sock), method)

    def fetch(self, url, *fields, method="GET", body=b"", **how):
        """One request on a connection of its own; .der is what was shown."""
        at = urllib.parse.urlsplit(url)
        target = (at.path or "/") + ("?" + at.query if at.query else "")
        if body:
            fields += ("Content-Length: %d" % len(body),)
        der = version = None
        if at.scheme == "http":
            sock, target = self.dial(), url
        else:
            sock = self.tls(at.hostname, at.port or 443, **how)
            der, version = sock.getpeercert(binary_form=True), sock.version()
        reply = self.ask(sock, method, target, at.netloc, *fields, body=body)
        reply.der, reply.tls = der, version
        sock.close()
        return reply

    # --- tools -------------------------------------------------------------

    def env(self, **more):
        """A tool's environment: the proxy, the CA, nothing of the user's."""
        proxy = "http://127.0.0.1:%d" % self.proxy.port
        return dict({"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
                     "HOME": self.dir, "LC_ALL": "C.UTF-8",
                     "http_proxy": proxy, "https_proxy": proxy,
                     "HTTP_PROXY": proxy, "HTTPS_PROXY": proxy,
                     "no_proxy": ""}, **more)

    def run(self, *args, timeout=60, env=None, stdin=None):
        """A program to its end: .returncode, .stdout, .stderr (text)."""
        os.makedirs(self.dir, exist_ok=True)
        return subprocess.run(args, env=env or self.env(), cwd=self.dir,
                              input=stdin or "", capture_output=True,
                              text=True, errors="replace",
                              timeout=timeout * SLOW)

    def curl(self, *args, ok=True):
        done = self.run("curl", "-sS", "--cacert", self.proxy.root, *args)
        assert not ok or done.returncode == 0, "curl: " + done.stderr
        return done

    # --- what was seen -----------------------------------------------------

    def lines(self, **match):
        """This case's log lines so far that have these values."""
        return [line for line in self.proxy.log(self.offset)
                if all(line.get(k) == v for k, v in match.items())
                and began(line) >= self.began - 0.002]

    def line(self, seconds=10, count=1, **match):
        """The first such line, waited for (count: until there are so many).
        """
        end = time.monotonic() + seconds * SLOW
        while len(found := self.lines(**match)) < count:
            if time.monotonic() > end:
                raise AssertionError(
                    "%d of %d log lines with %r; the log: %s" % (
                        len(found), count, match, json.dumps(
                            self.lines()[-4:])))
            time.sleep(0.02)
        return found[0]

    def control(self, what, tag):
        url = "http://127.0.0.1:%d/__%s?%s" % (
            self.lab.port["plain"], what, tag)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=20) as answer:
            return answer.read()

    def seen(self, tag):
        """The requests with tag in their head that reached the odd origin."""
        return json.loads(self.control("seen", tag))

    def recorded(self, tag):
        """The bytes of a connection to the recording origin, or None."""
        for _ in range(int(100 * SLOW)):
            found = json.loads(self.control("raw", tag))
            if found:
                return bytes.fromhex(found[0])
            time.sleep(0.05)
        return None

    def gate(self, tag):
        self.control("gate", tag)


def began(line):
    """When what a log line tells of began, in seconds since 1970."""
    ended = datetime.datetime.fromisoformat(
        line["time"].replace("Z", "+00:00"))
    return ended.timestamp() - line.get("ms", 0) / 1000


def eventually(what, seconds=10):
    """Wait until what() is true; its last value."""
    end = time.monotonic() + seconds * SLOW
    while not (value := what()) and time.monotonic() < end:
        time.sleep(0.05)
    return value


def reload(t, changes):
    """The configuration with these changes, in use."""
    before = t.proxy.stderr().count("reloaded")
    t.proxy.config.update(changes)
    t.proxy.write()
    t.proxy.signal(signal.SIGHUP)
    assert eventually(lambda: t.proxy.stderr().count("reloaded") > before)


@contextlib.contextmanager
def traffic(t, clients):
    """So many clients ask all the while; every one of their requests is
    answered as it should be."""
    stop, wrong, right = threading.Event(), [], []

    def ask():
        while not stop.is_set():
            try:
                reply = t.fetch("https://tools.lab.test/1k")
                (right if reply.status == 200 else wrong).append(reply)
            except (OSError, ValueError, AssertionError) as error:
                wrong.append(error)
    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert right and not wrong, (len(right), len(wrong), wrong[:2])


def error_page(reply, word, *statuses):
    """A refusal is explained: status, both headers, a page for a person."""
    assert reply.error == word, "Sallyport-Error %r, not %r; %r" % (
        reply.error, word, reply)
    assert reply.status in statuses, "%d, not %s" % (reply.status, statuses)
    proxy_status = reply.get("proxy-status") or ""
    assert proxy_status.startswith("sallyport; error="), proxy_status
    assert "html" in (reply.get("content-type") or ""), reply.fields
    assert len(reply.body) > 100 and b"<" in reply.body, reply.body
