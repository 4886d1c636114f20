#!/usr/bin/env python3
"""instructions.py FOLDER - how many instructions a request costs.

Sallyport's worker under callgrind, twice: to where it is warm, and COUNTED
requests further; the difference is told. It counts our own process, not the
kernel, and does not care what else the machine does: the figure to hold two
revisions against. Lists the functions that cost most. Needs root and valgrind.
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


def ask(lab, peer, load, requests):
    subprocess.run(
        [lab.tools["load"], "--to", "127.0.0.1:%d" % peer.PORT, "--trust",
         peer.trust(lab), "--warm-up", "0", "--seconds", "120", "--requests",
         str(requests)] + load, check=True, stdout=subprocess.DEVNULL)


def count(lab, peer, port, load, requests):
    """callgrind's account of that many requests, and of all around them."""
    folder = lab.run + "/callgrind"
    os.makedirs(folder, exist_ok=True)
    process = lab.start(
        ["valgrind", "--tool=callgrind", "--trace-children=yes",
         "--toggle-collect=loop_run",
         "--callgrind-out-file=" + folder + "/%p"] +
        peer.command(lab, port), "0", lab.run + "/valgrind.log")
    try:
        lab.wait_port("127.0.0.1", peer.PORT, process, 60)
        ask(lab, peer, load, requests)
        pid = worker(process)
        # made by root, written at its end by who the worker is then
        os.chmod("%s/%d" % (folder, pid), 0o666)
    finally:
        labs.end(process)
    return costs("%s/%d" % (folder, pid))


def costs(path):
    """Function → instructions."""
    text = subprocess.run(
        ["callgrind_annotate", "--threshold=100", path],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    spent = {}
    for number, name in re.findall(r"^ *([\d,]+) \([^)]*\) +\S*?:(\S+)", text,
                                   re.M):
        spent[name] = spent.get(name, 0) + int(number.replace(",", ""))
    return spent


def shares(lab, peer, port, load):
    """Function → instructions a request; the sum of all under None."""
    before = count(lab, peer, port, load, WARM)
    after = count(lab, peer, port, load, WARM + COUNTED)
    spent = {name: (cost - before.get(name, 0)) / COUNTED
             for name, cost in after.items()}
    spent[None] = sum(spent.values())
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
            spent = shares(lab, peer, port, load)
            print("%s %.0f instructions/request" % (kind, spent.pop(None)),
                  flush=True)
            for name in sorted(spent, key=spent.get,
                               reverse=True)[:args.most]:
                print("    %8.0f  %s" % (spent[name], name))
    finally:
        lab.down()


if __name__ == "__main__":
    main()
