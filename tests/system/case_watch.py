"""Files that the configuration names are taken up when they change."""

import os
import signal
import subprocess
import time

from case_policy_api import is_blocked
from case_run import Running, write
from lab.case import Group, NotRun, eventually, traffic
from lab.sallyport import Sallyport

watch = Group("watch", config=None)  # each case has a Sallyport of its own
EC, RSA, TOOLS = "ec.lab.test", "rsa.lab.test", "tools.lab.test"


def listed(*files, **more):
    """A configuration that blocks what is in these files."""
    return dict({"categories": {"listed": {"file": list(files)}},
                 "ssl-rules": [
                     {"name": "Listed", "match": {"categories": ["listed"]},
                      "action": "block"},
                     {"name": "Default", "action": "inspect"}]}, **more)


def blocked(t, *hosts):
    """Waits for it to be these, of all three."""
    return eventually(lambda: all(
        is_blocked(t, host) == (host in hosts) for host in (EC, RSA, TOOLS)))


def open_up(folder):
    """For a worker of another user: root follows no links for it."""
    while folder != "/":
        os.chmod(folder, os.stat(folder).st_mode | 0o111)
        folder = os.path.dirname(folder)


def reloads(proxy):
    return proxy.stderr().count("sallyport: reloaded ")


@watch.case(limit=60)
def a_list_is_taken_up(t):
    """Written to, renamed over, linked to; and once each time."""
    path = t.write("list.txt", EC + "\n")
    open_up(t.path(""))
    with Running(t, listed(path)) as proxy:
        assert blocked(t, EC)
        t.write("list.txt", RSA + "\n")
        assert blocked(t, RSA)
        assert path + " has changed" in proxy.stderr()
        os.rename(t.write("new.txt", TOOLS + "\n"), path)
        assert blocked(t, TOOLS)
        t.write("other.txt", EC + "\n" + RSA + "\n")
        os.symlink("other.txt", t.path("link"))
        os.rename(t.path("link"), path)
        assert blocked(t, EC, RSA)
        t.write("other.txt", EC + "\n")
        assert blocked(t, EC)
        assert eventually(lambda: reloads(proxy) >= 4), proxy.stderr()
        time.sleep(1)
        assert reloads(proxy) == 4, proxy.stderr()
        for _ in range(20):  # many changes at once are few reloads
            t.write("other.txt", RSA + "\n")
            time.sleep(0.01)
        assert blocked(t, RSA)
        assert reloads(proxy) < 8, proxy.stderr()


@watch.case(limit=60)
def what_is_half_written_is_not(t):
    path = t.write("list.txt", EC + "\n")
    other = t.write("other.txt", "")
    with Running(t, listed(path, other)) as proxy:
        assert blocked(t, EC)
        with open(path, "w") as f:
            f.write("rsa.lab.te")
            f.flush()
            t.write("other.txt", TOOLS + "\n")
            time.sleep(2)
            assert is_blocked(t, EC) and not is_blocked(t, TOOLS)
            assert reloads(proxy) == 0
            f.write("st\n")
        assert blocked(t, RSA, TOOLS)
        assert eventually(lambda: reloads(proxy) > 0)
        assert reloads(proxy) == 1, proxy.stderr()


@watch.case(limit=60)
def what_vanishes_stays_in_force(t):
    path = t.write("list.txt", EC + "\n")
    other = t.write("other.txt", RSA + "\n")
    with Running(t, listed(path, other)) as proxy:
        assert blocked(t, EC, RSA)
        os.remove(path)
        assert eventually(lambda: path + " is gone" in proxy.stderr())
        t.write("other.txt", TOOLS + "\n")
        assert blocked(t, EC, TOOLS)
        assert proxy.stderr().count(" is gone") == 1
        t.write("list.txt", RSA + "\n")
        assert blocked(t, RSA, TOOLS)


@watch.case(limit=60)
def what_is_no_file_any_more_stays_in_force(t):
    """A pipe that nobody writes to is no empty list."""
    path = t.write("list.txt", EC + "\n")
    with Running(t, listed(path)) as proxy:
        assert blocked(t, EC)
        os.mkfifo(t.path("pipe"))
        os.rename(t.path("pipe"), path)
        assert eventually(lambda: "it is a pipe" in proxy.stderr())
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: proxy.stderr().count("it is a pipe") > 1)
        assert reloads(proxy) == 0 and is_blocked(t, EC)
        os.remove(path)
        t.write("list.txt", RSA + "\n")
        assert blocked(t, RSA)


@watch.case
def what_is_empty_is_told(t):
    path = t.write("list.txt", EC + "\n")
    with Running(t, listed(path)) as proxy:
        assert blocked(t, EC)
        t.write("list.txt", "# nothing yet\n")
        assert blocked(t)
        assert "no entry in it any more, after 1" in proxy.stderr()


@watch.case
def a_bad_line_is_told_and_the_rest_loads(t):
    path = t.write("list.txt", EC + "\n")
    with Running(t, listed(path)) as proxy:
        t.write("list.txt", RSA + "\nno host at all\n" + TOOLS + "\n")
        assert blocked(t, RSA, TOOLS)
        assert path + ":2: " in proxy.stderr(), proxy.stderr()


@watch.case(limit=60)
def roots_are_taken_up(t):
    pki = t.lab.pki
    with open(pki.root) as f:
        root = f.read()
    with open(pki.path("other.crt")) as f:
        other = f.read()
    path = t.write("roots.pem", root)
    with Running(t, {"origin": {"trust": [path]}}) as proxy:
        assert t.fetch("https://unknown.lab.test/1k").status == 502
        t.write("roots.pem", root + other)
        assert eventually(
            lambda: t.fetch("https://unknown.lab.test/1k").status == 200)
        t.write("roots.pem", "nothing\n")
        assert eventually(lambda: "reload failed" in proxy.stderr())
        assert t.fetch("https://unknown.lab.test/1k").status == 200


@watch.case(limit=60)
def the_configuration_is_by_wish_alone(t):
    path = t.write("list.txt", EC + "\n")
    for word, heeds in (("lists", False), ("all", True)):
        more = listed(path, reload={"watch": word})
        with Running(t, more, word) as proxy:
            assert blocked(t, EC)
            more["ssl-rules"][0]["match"] = {"hosts": [RSA]}
            write(t, dict(more, state=proxy.config["state"]))
            if heeds:
                assert blocked(t, RSA)
                assert proxy.file + " has changed" in proxy.stderr()
                proxy.write("nonsense: [\n")
                assert eventually(lambda: "reload failed" in proxy.stderr())
                assert blocked(t, RSA)
                assert proxy.stderr().count("reload failed") == 1
                continue
            time.sleep(1.5)
            assert reloads(proxy) == 0
            # what is in memory is what lists are taken up with
            proxy.write("nonsense: [\n")
            t.write("list.txt", TOOLS + "\n")
            assert blocked(t, TOOLS)
            t.write("list.txt", EC + "\n")
            assert blocked(t, EC)


@watch.case
def nothing_is_where_nothing_is_to_be(t):
    path = t.write("list.txt", EC + "\n")
    with Running(t, listed(path, reload={"watch": "none"})) as proxy:
        t.write("list.txt", RSA + "\n")
        time.sleep(1.5)
        assert blocked(t, EC) and reloads(proxy) == 0
        proxy.signal(signal.SIGHUP)
        assert blocked(t, RSA)


@watch.case(limit=60)
def a_reload_brings_other_files(t):
    one, two = t.write("one.txt", EC + "\n"), t.write("two.txt", RSA + "\n")
    with Running(t, listed(one)) as proxy:
        assert blocked(t, EC)
        write(t, listed(two, state=proxy.config["state"]))
        proxy.signal(signal.SIGHUP)
        assert blocked(t, RSA)
        t.write("two.txt", TOOLS + "\n")
        assert blocked(t, TOOLS)
        assert eventually(lambda: reloads(proxy) == 2), proxy.stderr()
        t.write("one.txt", TOOLS + "\n")
        time.sleep(1)
        assert reloads(proxy) == 2, proxy.stderr()


@watch.case(limit=60)
def a_worker_that_is_started_again_has_them_as_they_are(t):
    path = t.write("list.txt", EC + "\n")
    with Running(t, listed(path)) as proxy:
        os.kill(proxy.worker(), signal.SIGKILL)
        t.write("list.txt", RSA + "\n")

        def serves():
            try:
                return blocked(t, RSA)
            except OSError:
                return False
        assert eventually(serves, 20)
        t.write("list.txt", TOOLS + "\n")
        assert blocked(t, TOOLS)


@watch.case(limit=60)
def as_a_plain_user_too(t):
    """Root's worker can't read the list, a plain user's can."""
    if os.geteuid() != 0:
        raise NotRun("needs root")
    folder = t.path("plain")
    proxy = Sallyport(t.binary, t.lab, folder)
    path = os.path.join(folder, "list.txt")
    proxy.config.update(listed(path))
    with open(path, "w") as f:
        f.write(EC + "\n")
    os.chmod(path, 0o600)
    open_up(folder)
    for uid in 0, 65534:
        for at, _, files in os.walk(proxy.folder):
            for name in [at] + [os.path.join(at, f) for f in files]:
                os.chown(name, uid, uid, follow_symlinks=False)
        if uid:
            subprocess.run(["rm", "-r", proxy.config["state"]], check=True)
        proxy.start(**({"user": uid, "group": uid, "extra_groups": []}
                       if uid else {}))
        t.proxy = proxy
        t.mark()
        try:
            assert os.stat("/proc/%d" % proxy.worker()).st_uid != 0
            with open(path, "w") as f:
                f.write(RSA + "\n")
            assert blocked(t, RSA), proxy.stderr()
            with open(path, "w") as f:
                f.write(EC + "\n")
            assert blocked(t, EC), proxy.stderr()
        finally:
            assert proxy.stop() == 0
    assert not proxy.smell(), proxy.smell()


@watch.case(limit=120)
def reloads_as_fast_as_they_come(t):
    """SIGHUP again and again while lists change, under traffic: no request
    fails, no worker is given up, and what is in force at the end is what there
    is at the end."""
    path = t.write("list.txt", "".join(
        "h%06d.example\n" % n for n in range(100000)))
    with Running(t, listed(path, workers=2)) as proxy:
        worker = proxy.worker()
        with traffic(t, 2):
            for n in range(100):
                if n % 10 == 0:
                    with open(path, "a") as f:
                        f.write("m%d.example\n" % n)
                proxy.signal(signal.SIGHUP)
                time.sleep(0.05)
            with open(path, "a") as f:
                f.write(EC + "\n")
            assert eventually(lambda: is_blocked(t, EC), 20)
        assert proxy.worker() == worker, proxy.stderr()
        descriptors = len(os.listdir("/proc/%d/fd" % worker))
        assert descriptors < 200, descriptors
