#!/usr/bin/env python3
"""run.py BINARY [--only PATTERN] [--counts FILE] [--list] [-v]

The system tests: the real binary between real clients (curl, openssl, git,
npm, a browser, and clients made by hand) and real origins on loopback. A line
a case: "ok NAME", "FAIL NAME: why", or "not run: NAME: why"; the last line
sums up. Exit 0 when nothing failed.

Groups of cases run two at a time, each in a process of its own with a
Sallyport of its own; the lab (certificates, nginx, DNS, the odd origins) is
shared. SALLYPORT_TEST_SLOW=5 stretches every time limit, for sanitizers.
"""

import argparse
import concurrent.futures
import contextlib
import fnmatch
import glob
import importlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from lab.case import GROUPS, NotRun, T, eventually, missing  # noqa: E402
from lab.sallyport import SLOW, Sallyport  # noqa: E402
from lab.world import Lab, World  # noqa: E402


class Timeout(BaseException):
    """Not an Exception: no case may swallow it."""


def load():
    for path in sorted(glob.glob(os.path.join(HERE, "case_*.py"))):
        importlib.import_module(os.path.basename(path)[:-3])


def wanted(case, pattern):
    return not pattern or any(
        fnmatch.fnmatchcase(case.name, p) or p in case.name
        for p in pattern.split(","))


# --- one group, in a process of its own --------------------------------------

def say(result, name, why="", tail=""):
    print(json.dumps({"result": result, "name": name, "why": why,
                      "tail": tail}), flush=True)


def tail_of(proxy, offset):
    """What a person wants to see beside a failure."""
    if proxy is None:
        return ""
    out = [json.dumps(line) for line in proxy.log(offset)[-6:]]
    return "\n".join(out + proxy.stderr().splitlines()[-12:])


def in_time(function, seconds, *args):
    def ring(*_):
        raise Timeout()
    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return function(*args)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def reason_of(error):
    """An exception as one line, with the case's own line number."""
    frames = [f for f in traceback.extract_tb(error.__traceback__)
              if os.path.basename(f.filename).startswith("case_")]
    where = "line %d" % frames[-1].lineno if frames else "?"
    text = " ".join(str(error).split()) or (frames[-1].line if frames else "")
    kind = type(error).__name__
    if not isinstance(error, AssertionError):
        text = "%s: %s" % (kind, text)
    return "%s (%s)" % (text[:600], where)


def run_case(case, t):
    """(result, why)"""
    unmet = [why for why in map(missing, case.needs) if why]
    if unmet:
        return "not run", unmet[0]
    try:
        in_time(case.function, case.limit * SLOW, t)
        return "ok", ""
    except NotRun as error:
        return "not run", str(error)
    except Timeout as error:
        return "FAIL", "hangs: not done in %d s (%s)" % (
            case.limit * SLOW, reason_of(error))
    except Exception as error:  # whatever went wrong, it is the result
        return "FAIL", reason_of(error)
    finally:
        t.close()


def run_group(group, binary, lab, folder, pattern):
    cases = [c for c in group.cases if wanted(c, pattern)]
    proxy = None
    for number, case in enumerate(cases):
        if group.config and (proxy is None or not proxy.alive()):
            proxy = Sallyport(binary, lab, os.path.join(
                folder, "%s-%d" % (group.name, number)), group.config(lab))
            try:
                in_time(proxy.start, 60 * SLOW)
            except (Timeout, Exception) as error:
                proxy.stop()
                for other in cases[number:]:
                    say("FAIL", other.name, reason_of(error))
                return
        t = T(lab, proxy, os.path.join(folder, case.name.replace("/", "-")),
              binary, group.tls)
        result, why = run_case(case, t)
        if proxy and not proxy.alive():
            result, why = "FAIL", "Sallyport died (%s); %s" % (
                proxy.process.poll(), why)
        elif proxy and proxy.smell():
            result, why = "FAIL", "on stderr: " + proxy.smell()
            proxy.stop()
        say(result, case.name, why,
            tail_of(proxy, t.offset) if result == "FAIL" else "")
    if proxy and proxy.alive():
        end_group(group, proxy)


def end_group(group, proxy):
    """Nothing is left open, SIGTERM ends it with 0, and stderr is clean."""
    name, why = group.name + "/ends cleanly", ""
    try:
        left = []

        def idle():
            left[:] = [proxy.counters()["open"]]
            return left == [0]
        if not eventually(idle, 15):
            why = "connections left open: %s" % left
    except (AssertionError, ValueError, KeyError, OSError) as error:
        why = "counters: %s" % error
    code = proxy.stop()
    if code != 0:
        why = "exit %s after SIGTERM" % code
    if proxy.smell():
        why = "on stderr: " + proxy.smell()
    say("FAIL" if why else "ok", name, why, proxy.stderr()[-1500:])


# --- all of them -------------------------------------------------------------

class Report:
    def __init__(self, verbose):
        self.verbose, self.lock = verbose, threading.Lock()
        self.count = {"ok": 0, "FAIL": 0, "not run": 0}
        self.failed = []

    def add(self, result, name, why="", tail=""):
        with self.lock:
            self.count[result] += 1
            if result == "FAIL":
                self.failed.append(name)
            colon = ":" if result == "not run" else ""
            print("%s%s %s%s" % (result, colon, name,
                                 ": " + why if why else ""))
            if tail and result == "FAIL":
                print("    " + tail.replace("\n", "\n    "))
            sys.stdout.flush()


RUNNING = set()  # the groups' processes, each the head of a process group


def end_process(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def worker(group, args, folder, report):
    """Run one group's process and relay what it says."""
    command = [sys.executable, os.path.join(HERE, "run.py"), args.binary,
               "--group", group.name, "--folder", folder]
    if args.only:
        command += ["--only", args.only]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True,
                               start_new_session=True)
    limit = 120 + sum(c.limit for c in group.cases)
    timer = threading.Timer(limit * SLOW, end_process, (process,))
    timer.start()
    RUNNING.add(process)
    began = time.monotonic()
    for text in process.stdout:
        try:
            said = json.loads(text)
        except ValueError:
            print("    " + text, end="")
            continue
        report.add(said["result"], said["name"], said["why"], said["tail"])
    if process.wait() != 0:
        report.add("FAIL", group.name, "the group's process ended with %d"
                   % process.returncode)
    timer.cancel()
    RUNNING.discard(process)
    end_process(process)  # what a killed case left behind goes with it
    if report.verbose:
        print("    %s: %.1f s" % (group.name, time.monotonic() - began))


def run_all(groups, args, folder):
    report = Report(args.verbose)
    world = World(folder)
    pool = concurrent.futures.ThreadPoolExecutor(args.jobs)
    try:
        with open(os.path.join(folder, "lab.json"), "w") as f:
            json.dump(world.start(), f)
        list(pool.map(lambda g: worker(g, args, folder, report), groups))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(RUNNING):
            end_process(process)
        world.stop()
    return report


def sum_up(report, args, began):
    count = report.count
    if args.counts:
        with open(args.counts, "w") as f:
            f.write("%d %d %d\n" % (count["ok"], count["FAIL"],
                                    count["not run"]))
    print("system: %d passed, %d failed, %d not run, in %d s" % (
        count["ok"], count["FAIL"], count["not run"],
        time.monotonic() - began))
    return 1 if count["FAIL"] or not count["ok"] else 0


def options():
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--only", help="names, or parts of them; by comma")
    parser.add_argument("--counts", help="a file for: passed failed skipped")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", action="store_true",
                        help="leave the lab's folder for a look")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("--group", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.binary = os.path.abspath(args.binary)
    return args


def more_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))


def heed_signals():
    """What a shell's "&" or nohup has us ignore, all that is started here would
    ignore, too, and shells can't even trap it then: what is handled is not
    handed on."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for number in signal.SIGINT, signal.SIGQUIT, signal.SIGHUP:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def main():
    args, began = options(), time.monotonic()
    load()
    if args.group:
        run_group(GROUPS[args.group], args.binary, Lab.load(
            os.path.join(args.folder, "lab.json")), args.folder, args.only)
        return 0
    groups = [g for g in GROUPS.values()
              if any(wanted(c, args.only) for c in g.cases)]
    if args.list:
        for group in groups:
            print("\n".join(c.name for c in group.cases))
        return 0
    more_descriptors()
    heed_signals()
    folder = tempfile.mkdtemp(prefix="sallyport-test-")
    try:
        report = run_all(groups, args, folder)
    finally:
        if args.keep:
            print("left in " + folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return sum_up(report, args, began)


if __name__ == "__main__":
    sys.exit(main())
