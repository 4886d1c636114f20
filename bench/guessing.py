#!/usr/bin/env python3
"""guessing.py FOLDER [--seconds N] - what guessing passwords costs the others.

FOLDER is where make built sallyport. Somebody tries passwords, ten thousand a
second, at a proxy with users; others, who have logged in, go on. Their latency
is measured three times in turn: alone, beside ten thousand requests a second
that are harmless (answered by the proxy itself: what the machine makes of so
many), and beside ten thousand wrong passwords. Loopback alone; needs wrk,
openssl, nginx.
"""

import argparse
import base64
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests", "system"))
sys.dont_write_bytecode = True

from lab.sallyport import Sallyport  # noqa: E402
from lab.world import Lab, World  # noqa: E402

RATE, CLIENTS = 10000, 50

# wrk's pause before each request holds it to the rate; an answer takes a
# millisecond more.
COMMON = """
function delay() return %d end
""" % (1000 * CLIENTS // RATE - 1)
GUESS = COMMON + """
local number = 0
local letters =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
function request()
  number = number + 1
  local text, n = "", number
  for i = 1, 8 do
    local at = n %% 64 + 1
    text = text .. letters:sub(at, at)
    n = math.floor(n / 64)
  end
  return "GET http://web.lab.test/1k HTTP/1.1\\r\\nHost: web.lab.test\\r\\n" ..
    "Proxy-Authorization: Basic YW5uOg" .. text .. "\\r\\n\\r\\n"
end
""".replace("%%", "%")
HARMLESS = COMMON + """
function request()
  return "GET /proxy.pac HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n"
end
"""
GOOD = """
function delay() return 2 end
function request()
  return "GET http://web.lab.test/1k HTTP/1.1\\r\\nHost: web.lab.test\\r\\n" ..
    "Proxy-Authorization: Basic %s\\r\\n\\r\\n"
end
""" % base64.b64encode(b"dev1:right").decode()


def wrk(folder, name, script, port, connections, seconds):
    path = os.path.join(folder, name + ".lua")
    with open(path, "w") as f:
        f.write(script)
    return subprocess.Popen(
        ["wrk", "-t1", "-c%d" % connections, "-d%d" % seconds, "--latency",
         "-s", path, "http://127.0.0.1:%d/" % port], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def read(text):
    """Latency in ms at 50 and 99 %, requests a second."""
    unit = {"us": 0.001, "ms": 1, "s": 1000}
    out = {m[1]: float(m[2]) * unit[m[3]] for m in re.finditer(
        r"^ +(50|99)% +([0-9.]+)(us|ms|s)$", text, re.M)}
    return out["50"], out["99"], float(
        re.search(r"Requests/sec: +([0-9.]+)", text).group(1))


def measure(folder, port, script, seconds):
    other = script and wrk(folder, "other", script, port, CLIENTS,
                           seconds + 2)
    time.sleep(1)
    good = wrk(folder, "good", GOOD, port, 4, seconds)
    text = good.communicate()[0]
    rate = read(other.communicate()[0])[2] if other else 0
    assert "Non-2xx" not in text and "Socket errors" not in text, text
    return read(text) + (rate,)


def users(folder, hasher):
    lines = []
    for name, password in (("dev1", "right"), ("ann", "unguessed")):
        done = subprocess.run(hasher(name, password), text=True, check=True,
                              capture_output=True)
        lines.append(done.stdout.strip().split(":")[-1].join([name + ":", ""]))
    path = os.path.join(folder, "users.htpasswd")
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
    return path


def main():
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="sallyport-guessing-")
    world = World(folder)
    bcrypt = shutil.which("htpasswd")
    hasher = (lambda n, p: ["htpasswd", "-nbB", "-C", "10", n, p]) if bcrypt \
        else (lambda n, p: ["openssl", "passwd", "-6", p])
    try:
        lab = Lab(world.start())
        proxy = Sallyport(os.path.abspath(
            os.path.join(args.folder, "sallyport")), lab,
                          os.path.join(folder, "proxy"), {
                              "users": {"htpasswd": users(folder, hasher)},
                              "log": {"access": "none"}})
        proxy.start()
        runs = {"alone": None, "beside harmless requests": HARMLESS,
                "beside wrong passwords": GUESS}
        seen = {name: [] for name in runs}
        for _ in range(args.rounds):
            for name, script in runs.items():
                seen[name].append(measure(folder, proxy.port, script,
                                          args.seconds))
        proxy.stop()
    finally:
        world.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print("Hashes: %s\n" % ("bcrypt, cost 10" if bcrypt else "SHA-512"))
    print("| others' requests | p50, ms | p99, ms | beside them, a second |")
    print("|---|---|---|---|")
    for name, rows in seen.items():
        p50, p99, _, rate = map(statistics.median, zip(*rows))
        print("| %s | %.2f | %.2f | %s |" % (name, p50, p99, "%d" % rate
                                             if rate else ""))


if __name__ == "__main__":
    main()
