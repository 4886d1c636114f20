"""Lines that are lost: a full disk, what nobody reads. They are whole or not
there, and counted; nothing waits for whoever does not read."""

import csv
import json
import os
import re
import resource
import signal

from case_run import Running
from lab.case import Group, eventually

lost = Group("log_lost", config=None)
ODD = "odd.lab.test"
LARGEST = (1 << 20) + 11


def ask(t, first, many, more=""):
    sock = t.dial()
    for number in range(first, first + many):
        reply = t.ask(sock, "GET", "http://%s/echo/%d%s" % (
            ODD, number, more), ODD)
        assert reply.status == 200, reply
    sock.close()


def numbers(text):
    return [int(n) for n in re.findall(r"odd\.lab\.test/echo/(\d+)\b", text)]


def dropped(proxy):
    return proxy.counters()["log_lines_dropped"]


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, resource.RLIM_INFINITY))


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


@lost.case(limit=60)
def a_full_disk_and_room_again(t):
    with Running(t, {"log": {"redact": []}}, preexec_fn=small_files) as proxy:
        ask(t, 0, 300, "?" + 5000 * "x")
        assert eventually(lambda: dropped(proxy) > 0)
        assert t.fetch("https://ec.lab.test/1k").status == 200
        ask(t, 300, 50, "?" + 5000 * "x")
        full = proxy.access + ".full"
        os.rename(proxy.access, full)
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: os.path.exists(proxy.access))
        ask(t, 350, 50)
        assert eventually(lambda: "takes lines again" in proxy.stderr())
        assert eventually(lambda: set(range(350, 400)) <= set(
            numbers(read(proxy.access))))
        assert read(full).endswith("}\n")
        rows = [json.loads(line) for line in read(full).splitlines()]
        assert 50 < len(rows) < 300 and os.path.getsize(full) <= LARGEST
        # More than once where a short line had room, and a long one had not.
        told = [row["dropped"] for row in rows + proxy.log()
                if row["kind"] == "log"]
        assert told and sum(told) == dropped(proxy), (told, dropped(proxy))
        seen = numbers(read(full)) + numbers(read(proxy.access))
        missing = 400 - len(seen)
        assert 0 < missing <= dropped(proxy) <= missing + 10, (
            missing, dropped(proxy))
        said = [line for line in proxy.stderr().splitlines()
                if "log.access" in line]
        assert len(said) == 2 * len(told) and proxy.access in said[0], said
        for lost_, again, number in zip(said[::2], said[1::2], told):
            assert "File too large; lines are lost" in lost_, said
            assert "%d were lost" % number in again, said


@lost.case
def a_device_that_is_always_full(t):
    with Running(t, {"log": {"access": "/dev/full"}}) as proxy:
        ask(t, 0, 20)
        assert eventually(lambda: dropped(proxy) >= 20), dropped(proxy)
    text = proxy.stderr()
    assert text.count("No space left on device; lines are lost") == 1, text
    assert re.search("/dev/full: 2[0-9] lines were lost", text), text


@lost.case(limit=60)
def a_pipe_that_nobody_reads(t):
    path = t.path("pipe")
    os.mkfifo(path, 0o666)
    os.chmod(path, 0o666)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with Running(t, {"log": {"access": path}}) as proxy:
            ask(t, 0, 400)
            # One that was rotated meanwhile, and the rest goes there.
            os.rename(path, path + ".old")
            proxy.signal(signal.SIGHUP)
            assert eventually(lambda: os.path.exists(path))
            assert eventually(lambda: 399 in numbers(read(path)))
        text = b""
        while part := os.read(reader, 65536):
            text += part
        # What was cut there has come here, whole.
        whole = text[:text.rfind(b"\n") + 1].decode()
        assert sorted(numbers(whole + read(path))) == list(range(400))
    finally:
        os.close(reader)


@lost.case(limit=60)
def csv_after_json_over_a_restart(t):
    access = t.path("both.log")
    for name, form in (("a", "json"), ("b", "csv"), ("c", "csv")):
        with Running(t, {"log": {"access": access, "format": form}}, name):
            ask(t, 0, 1)
    with open(access, encoding="utf-8", newline="") as f:
        text = f.read()
    assert text.count("Event Time,") == 1, text
    rows = list(csv.DictReader(text[text.index("Event Time,"):].splitlines()))
    assert len(rows) >= 2 and all(row["ms_origin"] for row in rows), rows
