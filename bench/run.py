#!/usr/bin/env python3
"""run.py FOLDER - Sallyport beside every peer that is installed.

FOLDER is where make built sallyport and bench/load. Each run is one workload
at one peer, started fresh; a round is one run of each, all in turn, so that
what the machine does meanwhile meets all alike. Prints Markdown, and writes
the runs as JSON: all of them to FOLDER/bench/results.json, a choice of them to
FOLDER/bench/latest.json. Needs root, for a namespace of its own.
"""

import argparse
import importlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab as labs  # noqa: E402
import table  # noqa: E402
import workloads  # noqa: E402

QUICK = ("sallyport", "sallyport_tls", "sallyport_tunnel",
         "sallyport_tunnel_tls", "nginx", "haproxy_tcp", "haproxy_tcp_1m")
QUICK_WORKLOADS = ("a", "b", "c", "e10", "f", "f-new", "g")


def peer_names():
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers")
    return sorted(n[:-3] for n in os.listdir(here)
                  if n.endswith(".py") and n != "__init__.py")


def choice(text, there):
    """The names in text, by commas; each must be there."""
    names = text.split(",")
    for name in names:
        if name not in there:
            sys.exit("bench: no %s: there are %s" % (name, ", ".join(there)))
    return names


def find_peers(wanted):
    found = {}
    for name in peer_names():
        peer = importlib.import_module("peers." + name)
        there = getattr(peer, "installed", lambda: True)()
        program = getattr(peer, "PROGRAM", None)
        if (not program or shutil.which(program)) and there:
            found[name] = peer
        elif not wanted or name in wanted:
            print("%s: not run: no %s" % (name, program), file=sys.stderr)
    return {n: p for n, p in found.items() if not wanted or n in wanted}


def load_arguments(lab, peer, workload, pids, seconds):
    trust = {"origin": lambda: lab.origin_trust,
             "peers": lambda: lab.peer_trust,
             "own": lambda: peer.trust(lab)}[peer.TRUST]()
    to = (labs.ORIGIN, workload.port) if pids is None else \
        ("127.0.0.1", peer.PORT)
    out = ["--to", "%s:%d" % to, "--trust", trust, "--port",
           str(workload.port), "--seconds", str(seconds)]
    if peer.SPEAKS == "connect":
        out.append("--connect")
    if pids:
        out += ["--watch", ",".join(map(str, pids))]
    return out + workload.load


WRK_TIME = re.compile(r"^ +(50|99)% +([0-9.]+)(us|ms|s)$", re.M)
WRK_BAD = re.compile(r"Non-2xx.*|Socket errors.*")


def read_wrk(text, seconds):
    """wrk's own words as a record."""
    bad = WRK_BAD.search(text)
    done = re.search(r"([0-9]+) requests in", text)
    record = {"requests": int(done.group(1)), "seconds": seconds,
              "failed": 1 if bad else 0, "wrong_issuer": 0,
              "lost_at_rest": 0, "handshakes": 0, "resumed": 0,
              "first_failure": bad.group() if bad else ""}
    for part, value, unit in WRK_TIME.findall(text):
        record["p%s_us" % part] = float(value) * {"us": 1, "ms": 1e3,
                                                  "s": 1e6}[unit]
    return record


def run_wrk(lab, peer, workload, pids, seconds):
    url = "https://%s:%d/1k" % (
        ("direct.test", workload.port) if pids is None else
        (labs.PROXY_NAME, peer.PORT))
    seconds = max(1, round(seconds))
    before = labs.cpu_of(pids or ())
    done = subprocess.run(
        pin(lab) + ["wrk", "-d%d" % seconds] + workload.load + [url],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180)
    record = read_wrk(done.stdout.decode(), seconds)
    record["proxy_cpu_s"] = labs.cpu_of(pids or ()) - before
    return record


def pin(lab):
    return ["nice", "-n", "-10", "taskset", "-c", "1"] if lab.pinned else []


def run_load(lab, peer, workload, pids, seconds):
    if workload.wrk:
        return run_wrk(lab, peer, workload, pids, seconds)
    done = subprocess.run(
        pin(lab) + [lab.tools["load"]] +
        load_arguments(lab, peer, workload, pids, seconds),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=180)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {"died": "load: " + done.stderr.decode()[-200:]}


def measure(lab, name, peer, workload, seconds):
    """One run of one workload at one peer, started fresh: its record."""
    command = peer.command(lab, workload.port)
    if command is None:
        return run_load(lab, peer, workload, None, seconds)
    env = getattr(peer, "environment", lambda lab: None)(lab)
    process = lab.start(command, getattr(peer, "CPUS", "0"),
                        "%s/%s.log" % (lab.run, name), env)
    try:
        lab.wait_port("127.0.0.1", peer.PORT, process)
        time.sleep(0.5)
        pids = labs.tree(process.pid)
        record = run_load(lab, peer, workload, pids, seconds)
        if not all(os.path.exists("/proc/%d" % pid) for pid in pids):
            record["died"] = "a process of it ended, and its CPU is not known"
        return record
    except OSError as e:
        return {"died": "%s, see %s.log" % (e, name)}
    finally:
        labs.end(process)


UNTRUSTED = workloads.Workload(
    "an origin that nobody trusts", "", "--path /1k --warm-up 0 --requests 1",
    labs.UNTRUSTED)


def who_verify(lab, peers, names):
    """The peers of these workloads, but those that let in an origin they can't
    trust: they would be measured without the work of verifying."""
    found = {}
    for name, peer in peers.items():
        if not any(workloads.ALL[n].takes(n, name, peer) for n in names):
            continue
        if peer.KIND in ("forges", "terminates") and \
                measure(lab, name, peer, UNTRUSTED, 1).get("requests"):
            print("%s: not run: it does not verify origins" % name,
                  file=sys.stderr)
        else:
            found[name] = peer
    return found


def contestants(lab, peers, binaries):
    """(what it is called, peer, binary): each of our own once a binary."""
    for name, peer in peers.items():
        if not name.startswith("sallyport") or not binaries:
            yield name, peer, lab.tools["sallyport"]
            continue
        for label, binary in binaries.items():
            yield name + "@" + label, peer, binary


def say(record):
    workload = record["workload"]
    text = "%s %s" % (table.number(workloads.cost(workload, record)),
                      workloads.ALL[workload].unit) \
        if table.is_good(record) else "does not count: %s" % (
            record.get("died") or record["first_failure"])
    print("%d %-6s %-17s %s" % (record["round"], workload, record["peer"],
                                text), file=sys.stderr, flush=True)


def run_all(lab, peers, binaries, names, rounds, seconds, out):
    records = []
    turns = [(i, name, who) for i in range(rounds) for name in names
             for who in contestants(lab, peers, binaries)]
    for i, name, (called, peer, binary) in turns:
        workload = workloads.ALL[name]
        if not workload.takes(name, called.split("@")[0], peer):
            continue
        lab.tools["sallyport"] = binary
        record = {"workload": name, "peer": called, "round": i,
                  "at": time.strftime("%H:%M:%S"),
                  "load1": os.getloadavg()[0]}
        record.update(measure(lab, called, peer, workload,
                              seconds or workload.seconds))
        records.append(record)
        say(record)
        with open(out, "w") as f:
            json.dump(records, f, indent=1)
    return records


def said(command):
    """The first line of what a program says."""
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.stdout.decode(errors="replace").split("\n")[0]


def versions(peers):
    return [said(peer.VERSION) for peer in peers.values()
            if hasattr(peer, "VERSION")]


def machine():
    with open("/proc/cpuinfo") as f:
        model = [line.split(":")[1].strip() for line in f
                 if line.startswith("model name")]
    return "%s, %d CPUs, Linux %s" % (model[0] if model else "CPU",
                                      len(model), platform.release())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="where make built")
    parser.add_argument("--quick", action="store_true",
                        help="a minute or two: ourselves, nginx, haproxy")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each run")
    parser.add_argument("--only", metavar="WORKLOADS", help="of, by commas: " +
                        ", ".join(workloads.ALL))
    parser.add_argument("--peers", help="of, by commas: " +
                        ", ".join(peer_names()))
    parser.add_argument("--binary", action="append", default=[],
                        metavar="NAME=PATH",
                        help="instead of FOLDER's sallyport; several")
    parser.add_argument("--out", help="where else the JSON goes")
    args = parser.parse_args()
    folder = os.path.abspath(args.folder)
    bench = os.path.join(folder, "bench")
    names = choice(args.only, workloads.ALL) if args.only else \
        list(QUICK_WORKLOADS if args.quick else workloads.ALL)
    wanted = choice(args.peers, peer_names()) if args.peers else \
        QUICK if args.quick else None
    labs.enter_namespace()
    peers = find_peers(wanted)
    whole = not (args.only or wanted or args.binary)
    out = args.out or os.path.join(
        bench, "results.json" if whole else "latest.json")
    lab = labs.Lab(os.path.join(bench, "lab"), labs.tools(folder))
    binaries = dict(b.split("=", 1) for b in args.binary)
    try:
        lab.up()
        peers = who_verify(lab, peers, names)
        records = run_all(lab, peers, {n: os.path.abspath(b) for n, b in
                                       binaries.items()}, names, args.rounds or
                          (1 if args.quick else 5),
                          args.seconds or (1.5 if args.quick else None), out)
    finally:
        lab.down()
    print("%s, %s; %s; libraries: ours BoringSSL, theirs %s\n" % (
        time.strftime("%Y-%m-%d"), machine(), "; ".join(versions(peers)),
        said(["openssl", "version"])))
    print(table.markdown(records, names))


if __name__ == "__main__":
    main()
