#!/usr/bin/env python3
"""instructions.py FOLDER - how many instructions a request costs.

Sallyport under callgrind, counting from when it is warm. It counts our own
process, not the kernel, and does not care what else the machine does: the
figure to hold two revisions against. Lists the functions that cost most. Needs
root and valgrind.
"""

import argparse
import importlib
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab as labs  # noqa: E402

WARM, COUNTED = 200, 2000
# Begun before the counting, these are charged with all below them.
UNDER_WAY = ("clone", "start_thread", "run", "loop_run")
KINDS = {
    "keep-alive": (labs.EC, ["--connections", "8"]),
    "new-connection": (labs.EC_FULL, ["--fresh", "--connections", "8"]),
}


def worker(process):
    """The process that carries connections, of those that came of it."""
    for pid in labs.tree(process.pid):
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            if b"@worker" in f.read().split(b"\0"):
                return pid
    raise RuntimeError("there is no worker")


def control(pid, what):
    subprocess.run(["callgrind_control", what, str(pid)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ask(lab, peer, load, requests):
    subprocess.run(
        [lab.tools["load"], "--to", "127.0.0.1:%d" % peer.PORT, "--trust",
         peer.trust(lab), "--warm-up", "0", "--seconds", "120", "--requests",
         str(requests)] + load, check=True, stdout=subprocess.DEVNULL)


def count(lab, peer, port, load):
    """callgrind's account of COUNTED requests."""
    out = lab.run + "/callgrind.out"
    process = lab.start(
        ["valgrind", "--tool=callgrind", "--trace-children=yes",
         "--callgrind-out-file=" + out + ".%p"] +
        peer.command(lab, port), "0", lab.run + "/valgrind.log")
    try:
        lab.wait_port("127.0.0.1", peer.PORT, process, 60)
        ask(lab, peer, load, WARM)
        pid = worker(process)
        control(pid, "--zero")
        ask(lab, peer, load, COUNTED)
        control(pid, "--dump")
    finally:
        labs.end(process)
    return "%s.%d.1" % (out, pid)


def shares(path):
    """Function → instructions a request; the sum of all under None."""
    text = subprocess.run(
        ["callgrind_annotate", "--threshold=100", path],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    spent = {None: 0}
    for number, name in re.findall(r"^ *([\d,]+) \([^)]*\) +\S*?:(\S+)", text,
                                   re.M):
        if name in UNDER_WAY:
            continue
        cost = int(number.replace(",", "")) / COUNTED
        spent[name] = spent.get(name, 0) + cost
        spent[None] += cost
    return spent


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="where make built")
    parser.add_argument("--binary", help="another sallyport than FOLDER's")
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--most", type=int, default=25,
                        help="functions to list")
    args = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("instructions: no valgrind here: apt-get install valgrind")
    labs.enter_namespace()
    lab = labs.Lab(os.path.join(args.folder, "bench", "lab"),
                   labs.tools(args.folder, args.binary))
    peer = importlib.import_module("peers.sallyport_tls")
    try:
        lab.up()
        for kind, (port, load) in KINDS.items():
            if args.only not in (None, kind):
                continue
            spent = shares(count(lab, peer, port, load))
            print("%s %.0f instructions/request" % (kind, spent.pop(None)),
                  flush=True)
            for name in sorted(spent, key=spent.get,
                               reverse=True)[:args.most]:
                print("    %8.0f  %s" % (spent[name], name))
    finally:
        lab.down()


if __name__ == "__main__":
    main()
