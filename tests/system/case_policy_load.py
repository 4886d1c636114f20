"""Reloads under load: no request fails, nothing leaks, no policy is half new."""

import os
import re
import signal
import socket
import subprocess
import threading
import time

from lab.case import Group, NotRun, eventually
from lab.sallyport import SLOW

MB = 1 << 20
FLAT = 16 * MB if SLOW == 1 else 1024 * MB
SECONDS = 60 if SLOW == 1 else 15


def policy(lab, letter):
    """All of one letter: rules, URL rules, categories, a list of thousands: of
    which nobody could keep one for each reload unseen."""
    path = os.path.join(lab.folder, "swapped-%s.txt" % letter)
    if not os.path.exists(path):
        with open(path, "w") as f:
            f.writelines("host%d.%s.example\n" % (i, letter.lower())
                         for i in range(30000))
    return {
        "origin": {"connect-to": lab.connect_to() + [
            "localhost:443:127.0.0.1:%d" % lab.port["ec"]]},
        "categories": {
            "first " + letter: {"hosts": [".lab.test", "localhost"],
                                "file": path},
            "odd " + letter: {"urls": ["odd.lab.test/only-" + letter]},
        },
        "users": {"required": False, "sources": {"127.0.0.3": letter},
                  "groups": {"group " + letter: [letter]}},
        "ssl-rules": [
            {"name": "Mine " + letter, "match": {
                "groups": ["group " + letter]}, "action": "inspect",
             "untrusted": "allow"},
            {"name": "All " + letter, "match": {
                "categories": ["first " + letter]}, "action": "inspect",
             "untrusted": "allow"}],
        "url-rules": [
            {"name": "Not " + letter, "match": {
                "categories": ["odd " + letter]}, "action": "block"},
            {"name": "Yes " + letter, "match": {
                "categories": ["first " + letter]}, "action": "allow"}],
    }


swapped = Group("policy/swapped", config=lambda lab: policy(lab, "A"))


def swap(t, stop):
    """One policy for the other, ten times a second."""
    turn = 0
    while not stop.wait(0.1):
        turn += 1
        t.proxy.config.update(policy(t.lab, "AB"[turn % 2]))
        t.proxy.config["origin"]["trust"] = [t.lab.pki.root]
        t.proxy.config["origin"]["dns"] = \
            "127.0.0.1:%d" % t.lab.port["dns"]
        t.proxy.write()
        t.proxy.signal(signal.SIGHUP)


def probe(t, stop, found):
    """Each answer is wholly one policy's."""
    while not stop.is_set():
        for letter in "AB":
            reply = t.fetch("https://odd.lab.test/only-" + letter)
            found.append((letter, reply.status, reply.error))


@swapped.case(limit=240, needs=["program:wrk"])
def every_tenth_of_a_second_under_wrk(t):
    try:
        socket.getaddrinfo("localhost", 443, socket.AF_INET)
    except OSError:
        raise NotRun("no hosts file, where wrk finds the name it asks for")
    stop, found = threading.Event(), []
    threads = [threading.Thread(target=swap, args=(t, stop)),
               threading.Thread(target=probe, args=(t, stop, found))]
    for thread in threads:
        thread.start()
    outs, sizes = [], []
    try:
        for fields in ([], ["-H", "Connection: close"]):
            wrk = subprocess.Popen(
                ["wrk", "-t1", "-c8", "-d%d" % (SECONDS // 2), "--timeout",
                 "60s", *fields,
                 "https://localhost:%d/1k" % t.proxy.tport],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            time.sleep(SECONDS / 6)
            sizes.append(t.proxy.rss())
            outs.append(wrk.communicate(timeout=120 * SLOW)[0])
            sizes.append(t.proxy.rss())
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for number, out in enumerate(outs):
        out = "run %d: %s" % (number, out)
        assert "Non-2xx" not in out, out
        # a connection that is closed as its rules have changed is closed in
        # order, behind an answer: wrk counts none of these
        assert "Socket errors" not in out, out
        assert int(re.search(r"(\d+) requests in", out).group(1)) > 20, out
    count = t.proxy.stderr().count("sallyport: reloaded")
    assert count > (60 if SLOW == 1 else 10), "%d reloads" % count
    assert sizes[-1] - sizes[0] < FLAT, [size // MB for size in sizes]
    check_whole(t, found)


def check_whole(t, found):
    assert len(found) > 20, len(found)
    for letter, status, error in found:
        assert (status, error) in ((403, "blocked-by-url-rule"), (404, None),
                                   (200, None)), (letter, status, error)
    assert {error for _, _, error in found} == {None, "blocked-by-url-rule"}
    mixed = [line for line in t.lines(kind="exchange")
             if "url_rule" in line and line["rule"][-1] !=
             line["url_rule"][-1]]
    assert not mixed, "%d of half a policy: %s" % (len(mixed), mixed[:2])


@swapped.case(limit=60)
def it_ends_as_it_was_told(t):
    t.proxy.config.update(policy(t.lab, "A"))
    t.proxy.config["origin"].update(
        trust=[t.lab.pki.root], dns="127.0.0.1:%d" % t.lab.port["dns"])
    t.proxy.write()
    before = t.proxy.stderr().count("reloaded")
    t.proxy.signal(signal.SIGHUP)
    assert eventually(lambda: t.proxy.stderr().count("reloaded") > before)
    assert t.fetch("https://odd.lab.test/only-A").status == 403
