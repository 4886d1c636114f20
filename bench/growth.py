#!/usr/bin/env python3
"""growth.py FOLDER - what a unit costs as the work grows.

Kept-alive requests over 10 to 10,000 connections, of which at most 64 ask at a
time; new connections to 10 to
100,000 sites that are in the leaf cache; with 1 to 10,000 rules. CPU of one
worker a unit, as in run.py. Needs root, and some minutes.
"""

import argparse
import importlib
import json
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab as labs  # noqa: E402
import run  # noqa: E402
import table  # noqa: E402

NEW = ["--fresh", "--connections", "32"]
WILD_HOST = "s%05u.wild.test"


class Run:
    """One Sallyport, its configuration and what is asked of it."""

    def __init__(self, lab, peer, seconds, **config):
        self.lab, self.peer, self.seconds = lab, peer, seconds
        path = peer.config(lab, **config)
        self.process = lab.start(peer.run(lab, path), "0",
                                 lab.run + "/growth.log")
        lab.wait_port("127.0.0.1", peer.PORT, self.process, 60)
        self.pids = labs.tree(self.process.pid)

    def load(self, port, arguments, seconds=None):
        command = run.pin(self.lab) + [
            self.lab.tools["load"], "--to", "127.0.0.1:%d" % self.peer.PORT,
            "--connect", "--trust", self.peer.trust(self.lab), "--port",
            str(port), "--watch", ",".join(map(str, self.pids)), "--seconds",
            str(seconds or self.seconds)] + arguments
        record = json.loads(subprocess.run(
            command, stdout=subprocess.PIPE, check=True).stdout)
        if record["failed"] or record["wrong_issuer"]:
            sys.exit("growth: a run failed: %s" % record["first_failure"])
        return record

    def end(self):
        labs.end(self.process)


def per_unit(record):
    return record["proxy_cpu_s"] / record["requests"] * 1e6


def connections(lab, peer, seconds, num):
    running = Run(lab, peer, seconds)
    try:
        return per_unit(running.load(labs.EC, [
            "--path", "/1k", "--connections", str(num), "--active",
            str(min(num, 64))]))
    finally:
        running.end()


def sites(lab, peer, seconds, num):
    """Filled once, one after the other; then asked again in the same order,
    the worst there is for a cache that drops what was used longest ago. The
    origin is verified anew each time: no connection to it is shared."""
    running = Run(lab, peer, seconds, limits={
        "leaf-cache-entries": 200000, "leaf-cache-bytes": "2GB"},
        origin={"trust": [lab.origin_trust], "pool": "off", "resume": "off"})
    try:
        around = ["--host", WILD_HOST, "--sites", str(num)]
        running.load(labs.WILD, NEW + around + ["--warm-up", "0"], 600)
        return per_unit(running.load(labs.WILD, NEW + around + ["--around"]))
    finally:
        running.end()


def rules(lab, peer, seconds, num):
    running = Run(lab, peer, seconds, num_rules=num - 1)
    try:
        return per_unit(running.load(labs.EC_FULL, NEW))
    finally:
        running.end()


KINDS = (
    ("connections", connections, (10, 100, 1000, 10000), "us/request"),
    ("cached sites", sites, (10, 1000, 100000), "us/connection"),
    ("rules", rules, (1, 100, 10000), "us/connection"),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="where make built")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--only", help="connections, sites or rules")
    args = parser.parse_args()
    labs.enter_namespace()
    lab = labs.Lab(os.path.join(args.folder, "bench", "lab"),
                   labs.tools(args.folder))
    peer = importlib.import_module("peers.sallyport")
    print("%s, %s\n" % (time.strftime("%Y-%m-%d"), run.machine()))
    print("| what grows | how many | CPU | unit |\n|---|---|---|---|")
    try:
        lab.up()
        for name, measure, numbers, unit in KINDS:
            if args.only and args.only not in name:
                continue
            for num in numbers:
                costs = [measure(lab, peer, args.seconds, num)
                         for _ in range(args.rounds if num < 100000 else 1)]
                print("| %s | %s | %s | %s |" % (
                    name, format(num, ","), table.spread(costs), unit),
                    flush=True)
                assert statistics.median(costs) > 0
    finally:
        lab.down()


if __name__ == "__main__":
    main()
