"""log.keys: the secrets of TLS connections, only where that is asked for."""

import os
import re
import signal
import stat

from case_metrics import page, read
from case_run import Running
from lab.case import Group, eventually

own = Group("keylog", config=None)

LINE = re.compile(r"[A-Z_0-9]+ [0-9a-f]{64} ([0-9a-f]{64}|[0-9a-f]{96})")


def lines(path):
    with open(path) as f:
        return f.read().splitlines()


def fetch_with_keys(t, name):
    """A request; what the client itself writes down of its handshake."""
    context = t.settings()
    context.keylog_filename = t.path(name)
    sock = context.wrap_socket(t.tunnel("ec.lab.test"),
                               server_hostname="ec.lab.test")
    t.open.append(sock)
    assert t.ask(sock, "GET", "/1k", "ec.lab.test").status == 200
    return [line for line in lines(t.path(name)) if line[0] != "#"]


def on(t):
    return read(page(t))["sallyport_key_log", ()]


def reload(t, proxy):
    before = proxy.stderr().count("reloaded")
    proxy.write()
    proxy.signal(signal.SIGHUP)
    assert eventually(lambda: proxy.stderr().count("reloaded") > before)


@own.case(limit=60)
def both_legs(t):
    keys = t.path("keys")
    with Running(t, {"log": {"keys": keys}}) as proxy:
        theirs = fetch_with_keys(t, "theirs")
        written = lines(keys)
        assert all(LINE.fullmatch(line) for line in written), written
        assert len(theirs) >= 4 and set(theirs) <= set(written), \
            (theirs, written)
        randoms = {line.split()[1] for line in written}
        assert len(randoms) == 2, "the client's and the origin's: %s" % randoms
        assert stat.S_IMODE(os.stat(keys).st_mode) == 0o600
        assert "warning: the secrets of all TLS connections are written " \
            "to " + keys in proxy.stderr()
        assert on(t) == 1
        reload(t, proxy)
        assert proxy.stderr().count("warning: the secrets") == 2
        fetch_with_keys(t, "more")
        assert len(lines(keys)) > len(written), "appended to"
        assert lines(keys)[:len(written)] == written
        for line in written:
            assert line.split()[2] not in proxy.stderr()


@own.case(limit=60)
def turned_on_and_off_by_a_reload(t):
    keys = t.path("keys")
    with Running(t) as proxy:
        fetch_with_keys(t, "a")
        assert on(t) == 0 and not os.path.exists(keys)
        assert "secrets" not in proxy.stderr()
        proxy.config["log"]["keys"] = keys
        reload(t, proxy)
        theirs = fetch_with_keys(t, "b")
        assert set(theirs) <= set(lines(keys)) and on(t) == 1
        del proxy.config["log"]["keys"]
        reload(t, proxy)
        before = lines(keys)
        fetch_with_keys(t, "c")
        assert lines(keys) == before and on(t) == 0


@own.case(limit=60)
def no_file_for_others(t):
    """One that others may read, a link, another's name: none is written to."""
    wide, target, link = t.path("wide"), t.path("target"), t.path("link")
    twice = t.path("twice")
    for path in wide, target, twice:
        t.write(os.path.basename(path), "")
        os.chmod(path, 0o600)
    os.chmod(wide, 0o644)
    os.symlink(target, link)
    os.link(twice, t.path("once-more"))
    os.mkfifo(t.path("pipe"), 0o600)
    with Running(t) as proxy:
        for path, why in ((wide, "chmod 600"), (link, ""),
                          (twice, "another name"), (t.path("pipe"), "")):
            proxy.config["log"]["keys"] = path
            reload(t, proxy)
            fetch_with_keys(t, "client")
            assert on(t) == 0, path
            told = [l for l in proxy.stderr().splitlines()
                    if "log.keys: " + path in l]
            assert told and why in told[0], (path, proxy.stderr())
        for path in wide, target, twice:
            assert os.path.getsize(path) == 0, path
    proxy.config["log"]["keys"] = wide
    proxy.write()
    code, _, errors = proxy.run("run", "-c", proxy.file)
    assert code != 0 and "log.keys: " + wide in errors, (code, errors)
