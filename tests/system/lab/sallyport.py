"""Sallyport as a process: its file, its log, its signals, its end."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time

from .nginx import free_port, wait_port

SMELLS = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|"
                    r"MemorySanitizer|runtime error:|[Aa]ssertion|"
                    r"stack smashing|double free|corrupted")
SLOW = float(os.environ.get("SALLYPORT_TEST_SLOW", "1"))


def yaml(value, depth=0):
    """Plain data as block YAML."""
    pad = "  " * depth
    if isinstance(value, dict) and value:
        return "".join("\n%s%s:%s" % (pad, k, yaml(v, depth + 1))
                       for k, v in value.items())
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "".join("\n%s- %s" % (pad, yaml(v, depth + 1).lstrip())
                       for v in value)
    return " " + json.dumps(value)


def merged(base, more):
    """base with more laid over it: maps go together, None takes a key away,
    all else is replaced."""
    out = dict(base)
    for key, value in more.items():
        if value is None:
            out.pop(key, None)
            continue
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = merged(out[key], value) if both else value
    return out


class Sallyport:
    def __init__(self, binary, lab, folder, more=None):
        self.binary, self.lab, self.folder = binary, lab, folder
        self.port, self.tport = free_port(), free_port()
        self.aport = free_port()
        os.makedirs(folder, exist_ok=True)
        self.file = os.path.join(folder, "sallyport.yaml")
        self.access = os.path.join(folder, "access.log")
        self.errors = os.path.join(folder, "stderr")
        self.root = os.path.join(folder, "root.pem")
        self.process = None
        self.config = merged(self.base(), more or {})

    def base(self):
        return {
            "listen": {"proxy": "127.0.0.1:%d" % self.port,
                       "transparent": "127.0.0.1:%d" % self.tport,
                       "admin": "127.0.0.1:%d" % self.aport},
            "state": os.path.join(self.folder, "state"),
            "origin": {"trust": [self.lab.pki.root],
                       "connect-to": self.lab.connect_to(),
                       "dns": "127.0.0.1:%d" % self.lab.port["dns"]},
            "log": {"access": self.access},
        }

    def write(self, text=None):
        """Whole or not at all: a reload may read it at any moment."""
        with open(self.file + ".new", "w") as f:
            f.write(text or yaml(self.config).lstrip("\n") + "\n")
        os.replace(self.file + ".new", self.file)

    def run(self, *args, timeout=30, **how):
        """One command to its end: (code, stdout, stderr)."""
        done = subprocess.run((self.binary,) + args, timeout=timeout * SLOW,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", **how)
        return done.returncode, done.stdout, done.stderr

    def start(self, **how):
        self.write()
        self.process = subprocess.Popen(
            [self.binary, "run", "-c", self.file], stdin=subprocess.DEVNULL,
            stdout=open(os.path.join(self.folder, "stdout"), "ab"),
            stderr=open(self.errors, "ab"), cwd=self.folder, **how)
        try:
            wait_port(self.port, seconds=20 * SLOW,
                      alive=lambda: self.process.poll() is None)
            if "transparent" in self.config["listen"]:
                wait_port(self.tport, seconds=20 * SLOW)
        except OSError:
            raise AssertionError("does not start: " + self.stderr()[-800:])
        self.fetch_root()

    def fetch_root(self):
        code, out, err = self.run("ca", "root", "-c", self.file)
        if code or "BEGIN CERTIFICATE" not in out:
            raise AssertionError("ca root: exit %d: %s" % (code, err[-300:]))
        with open(self.root, "w") as f:
            f.write(out)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, seconds=45):
        """SIGTERM, and its exit code; None: it had to be killed."""
        if self.process is None:
            return None
        if self.alive():
            self.signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGABRT)
            self.process.wait()
            return None

    def kill(self):
        """SIGKILL, and what it had started has gone, too."""
        children = self.worker(), self.keeper()
        self.process.kill()
        self.process.wait()
        while any(os.path.exists("/proc/%d" % pid) for pid in children):
            time.sleep(0.01)

    def stderr(self):
        try:
            with open(self.errors, errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def smell(self):
        """What a sanitizer or an assertion left on stderr, or None."""
        text = self.stderr()
        found = SMELLS.search(text)
        return text[max(0, found.start() - 200):][:3000] if found else None

    def counters(self):
        """What SIGUSR1 tells."""
        before = self.stderr().count('"leaf_cache"')
        self.signal(signal.SIGUSR1)
        for _ in range(int(200 * SLOW)):
            lines = [l for l in self.stderr().splitlines()
                     if '"leaf_cache"' in l and l.endswith("}")]
            if len(lines) > before:
                return json.loads(lines[-1][lines[-1].index("{"):])
            time.sleep(0.05)
        raise AssertionError("SIGUSR1 was not answered on stderr")

    def child(self, word):
        """The pid of what the supervisor started under that word; one that
        ends just now is none."""
        pid = self.process.pid
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            children = f.read().split()
        for child in children:
            with contextlib.suppress(OSError), \
                    open("/proc/%s/cmdline" % child, "rb") as g:
                if g.read().split(b"\0")[1:2] == [word]:
                    return int(child)
        raise AssertionError("there is no %r" % word)

    def worker(self):
        return self.child(b"@worker")

    def keeper(self):
        return self.child(b"@keeper")

    def rss(self):
        """Resident bytes now, of what carries the connections."""
        with open("/proc/%d/statm" % self.worker()) as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def log(self, offset=0):
        """The access log's whole lines from offset on."""
        try:
            with open(self.access, "rb") as f:
                f.seek(offset)
                data = f.read()
        except OSError:
            return []
        whole = data[:data.rfind(b"\n") + 1]
        return [json.loads(line) for line in whole.splitlines() if line]

    def log_size(self):
        try:
            return os.path.getsize(self.access)
        except OSError:
            return 0

    def dial(self, port=None, timeout=30):
        sock = socket.create_connection(("127.0.0.1", port or self.port),
                                        timeout * SLOW)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
