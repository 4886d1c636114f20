"""What stands in a process' memory; needs root."""

import os
import sqlite3
import subprocess

from .pki import openssl


SHADOW = 1 << 28  # a sanitizer's, terabytes of nothing


def regions(pid):
    with open("/proc/%d/maps" % pid) as f:
        for line in f:
            where, rights = line.split()[:2]
            if rights.startswith("rw") and "[v" not in line:
                low, high = (int(x, 16) for x in where.split("-"))
                if high - low < SHADOW:
                    yield low, high


def found(pid, needles):
    """The names of the needles that stand in the process' memory."""
    seen = set()
    with open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for low, high in regions(pid):
            at, before = low, b""
            while at < high:
                try:
                    memory.seek(at)
                    data = memory.read(min(1 << 24, high - at))
                except OSError:
                    break
                if not data:
                    break
                for name, needle in needles.items():
                    if needle in before + data:
                        seen.add(name)
                at += len(data)
                before = data[-256:]
    return seen


def refused(pid, uid):
    """Whether a process of that user's may not look."""
    done = subprocess.run(["/bin/cat", "/proc/%d/mem" % pid], user=uid,
                          group=uid, extra_groups=[], cwd="/",
                          capture_output=True, text=True)
    return done.returncode != 0 and "Permission denied" in done.stderr


def environment(pid):
    with open("/proc/%d/environ" % pid, "rb") as f:
        return f.read()


def scalar(der, passphrase):
    """An EC private key's number, as bytes in both orders."""
    text = openssl("pkey", "-inform", "DER", "-passin",
                   "pass:" + passphrase, "-noout", "-text",
                   stdin=der).decode()
    digits = text.split("priv:")[1].split("pub:")[0]
    number = bytes.fromhex("".join(digits.split()).replace(":", ""))[-32:]
    return number, number[::-1]


def keys(state, passphrase):
    """{name of a CA: (its private number, the same backwards)}"""
    store = sqlite3.connect(os.path.join(state, "sallyport.db"))
    rows = store.execute("SELECT name, key FROM ca WHERE key NOT NULL")
    out = {name: scalar(key, passphrase) for name, key in rows}
    store.close()
    return out
