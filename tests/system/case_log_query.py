"""`sallyport log`: query, tail, and who pins."""

import concurrent.futures
import csv
import datetime
import glob
import io
import json
import os
import pty
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

from case_run import Running
from lab.case import Group, eventually

PINNED, COMMON = "pinned-program/2.1", "ec.lab.test"


def settings(lab):
    return {"ssl-rules": [
        {"name": "Blocked", "match": {"hosts": ["blocked.lab.test"]},
         "action": "block"},
        {"name": "Passed", "match": {"hosts": ["rsa.lab.test"]},
         "action": "do-not-inspect"},
        {"name": "Rest", "action": "inspect"}],
        "log": {"locations": {"Here": ["127.0.0.0/8"]}}}


asked = Group("log_query", config=settings)


def log(proxy, word, *options, code=0):
    """What a word prints, and what it says of it on standard error."""
    got, out, err = proxy.run("log", word, *options, "-c", proxy.file)
    assert got == code, (word, options, got, err)
    return out, err


def lines(proxy, *options):
    return [json.loads(line) for line in
            log(proxy, "query", *options)[0].splitlines()]


def some_of_each(t):
    """An exchange, a tunnel, a refusal."""
    assert t.fetch("https://ec.lab.test/1k?secret=1").status == 200
    sock = t.tls("rsa.lab.test", trust=t.lab.pki.root)
    assert t.ask(sock, "GET", "/1k", "rsa.lab.test",
                 "Connection: close").status == 200
    while sock.recv(4096):
        pass
    sock.close()
    t.connect("blocked.lab.test")[0].close()
    t.line(host="ec.lab.test")
    t.line(host="rsa.lab.test")
    t.line(host="blocked.lab.test")


@asked.case
def lines_by_what_is_asked_for(t):
    some_of_each(t)
    since = "--since", time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                     time.gmtime(t.began - 1))
    for options, host in ((("--host", "ec.*"), "ec.lab.test"),
                          (("--kind", "tunnel"), "rsa.lab.test"),
                          (("--action", "do-not-inspect"), "rsa.lab.test"),
                          (("--action", "blocked"), "blocked.lab.test"),
                          (("--reason", "blocked-by-rule"),
                           "blocked.lab.test")):
        found = lines(t.proxy, *options, *since)
        assert {line["host"] for line in found} == {host}, (options, found)
    assert len(lines(t.proxy, "--host", ".lab.test", "--client",
                     "127.0.0.0/8", *since)) >= 3
    assert lines(t.proxy, "--client", "192.0.2.0/24") == []
    assert lines(t.proxy, "--since", "1d", "--until", "2h") == []
    assert lines(t.proxy, "--user", "*") == []
    last = lines(t.proxy, "--limit", "2")
    assert last == lines(t.proxy)[-2:], last


@asked.case
def csv_opens_with_the_five_columns(t):
    some_of_each(t)
    text, _ = log(t.proxy, "query", "--format", "csv")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0][:5] == ["Event Time", "User", "Policy Action", "Location",
                           "URL"], rows[0]
    assert all(len(row) == len(rows[0]) for row in rows)
    assert any(row[2] == "Blocked by SSL rule" and row[3] == "Here" and
               row[4] == "blocked.lab.test" for row in rows), rows
    assert any(row[4] == "https://ec.lab.test/1k" for row in rows), rows
    # From there it goes back: one reader for both.
    file = t.write("log.csv", text.encode())
    again, err = log(t.proxy, "query", "--file", file, "--format", "csv")
    assert again.split() == text.split() and not err, err
    assert lines(t.proxy, "--file", file) == lines(t.proxy), "JSON of CSV"


@asked.case
def what_is_no_line_is_counted(t):
    some_of_each(t)
    with open(t.proxy.access) as f:
        whole = f.read()
    file = t.write("cut.log", "not a line\n" + whole + whole[:40])
    found, err = log(t.proxy, "query", "--file", file)
    assert found.splitlines() == whole.splitlines()
    assert "passed over 2 lines" in err, err


@asked.case
def what_a_terminal_would_obey_is_escaped(t):
    """The log writes none of it; a file of somebody else's may have it."""
    row = {"time": "2026-11-20T10:00:00.000Z", "host": "a.test",
           "user": "J\u00f6rg", "user_agent": "\u009b31m\u202e"}
    fine = dict(row, user_agent="x")
    file = t.write("odd.log", "".join(
        json.dumps(one, ensure_ascii=False) + "\n" for one in (row, fine)))
    found, err = log(t.proxy, "query", "--file", file, "--format", "json")
    odd, same = found.splitlines()
    assert not err and odd.isascii() and odd.isprintable(), (odd, err)
    assert json.loads(odd) == row, odd
    assert same == json.dumps(fine, ensure_ascii=False), same


@asked.case
def wrong_words_are_told(t):
    for options, told in ((("--since", "tomorow"), "no time"),
                          (("--reason", "client-gon"), "client-gone?"),
                          (("--kind", "tunel"), "tunnel?"),
                          (("--client", "10.0.0.1/8"), "10.0.0"),
                          (("--limit", "0"), "from 1 to"),
                          (("--since", "1h", "--until", "2h"),
                           "before --since"),
                          (("--format", "xml"), "table, json or csv")):
        _, err = log(t.proxy, "query", *options, code=2)
        assert told in err, (options, err)
    _, err = log(t.proxy, "query", "--file", t.path("none"), code=1)
    assert "No such file" in err, err


@asked.case
def what_can_not_be_written_is_told(t):
    some_of_each(t)
    for word in "query", "pinned", "tail":
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                (t.binary, "log", word, "--file", t.proxy.access),
                stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert done.returncode == 1, (word, done)
        assert "does not take it all" in done.stderr, (word, done)
    _, err = log(t.proxy, "query", "--format", "table", "--user", "nobody")
    assert "no line fits" in err, err


@asked.case
def a_log_that_is_no_file(t):
    for where, told in (("stdout", "--file FILE"), ("none", "--file FILE"),
                        ("journald", "journalctl")):
        file = t.write("c.yaml", "log: {access: %s}\n" % where)
        code, _, err = t.proxy.run("log", "query", "-c", file)
        assert code == 1 and told in err, (where, code, err)
    code, _, err = t.proxy.run("log", "query", "--since", "2h")
    assert code == 1 and "no -c FILE was given, so the defaults" in err, err


@asked.case(limit=60)
def rotated_files_count(t):
    with Running(t, {"log": {"rotate": "64KB", "keep": 50,
                             "redact": []}}) as proxy:
        for i in range(250):
            assert t.fetch("https://ec.lab.test/1k?n=%d" % i).status == 200
        assert eventually(lambda: len(lines(proxy, "--kind", "exchange")) ==
                          250), len(lines(proxy))
        assert os.path.exists(proxy.access + ".1")
        # The oldest file first: it has the highest number.
        files = sorted(glob.glob(proxy.access + ".*"), reverse=True,
                       key=lambda path: int(path.rpartition(".")[2]))
        whole = ""
        for path in files + [proxy.access]:
            with open(path, encoding="utf-8") as f:
                whole += f.read()
        numbers = re.findall(r'n=(\d+)"', log(proxy, "query")[0])
        assert len(numbers) == 250
        assert numbers == re.findall(r'n=(\d+)"', whole)


# --- tail ----------------------------------------------------------------------

class Tail:
    """`log tail` on a terminal of so many columns."""

    def __init__(self, proxy, *options, columns=60, env=None):
        self.text, (self.end, slave) = b"", pty.openpty()
        import fcntl
        import termios
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            (proxy.binary, "log", "tail", *options, "-c", proxy.file),
            stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
            env=dict({k: v for k, v in os.environ.items()
                      if k != "NO_COLOR"}, **(env or {})))
        os.close(slave)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while part := os.read(self.end, 65536):
                self.text += part
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        os.close(self.end)

    def lines(self):
        return self.text.decode().split("\r\n")

    def shows(self, *words):
        def there():
            return any(all(word in line for word in words)
                       for line in self.lines())
        assert eventually(there, 20), (words, self.text)


@asked.case(limit=60)
def tail_goes_on_through_rotation(t):
    with Running(t, settings(t.lab)) as proxy:
        some_of_each(t)
        with Tail(proxy) as tail:
            tail.shows("\x1b[32m  Allowed\x1b[0m", "ec.lab.test/1k")
            tail.shows("\x1b[33m  Tunnelled\x1b[0m", "rsa.lab.test")
            tail.shows("\x1b[31m  Blocked by SSL rule\x1b[0m")
            os.rename(proxy.access, proxy.access + ".old")
            proxy.signal(signal.SIGHUP)
            assert eventually(lambda: os.path.exists(proxy.access))
            t.fetch("https://ec.lab.test/10k")
            tail.shows("ec.lab.test/10k")
            for line in tail.lines()[:-1]:  # whole ones
                bare = re.sub("\x1b\\[[0-9;]*m", "", line)
                assert len(bare) <= 60 and bare.isprintable(), line


@asked.case(limit=60)
def tail_without_colours_and_by_host(t):
    some_of_each(t)
    with Tail(t.proxy, "--host", "blocked.lab.test", "--lines", "1",
              env={"NO_COLOR": "1"}) as tail:
        tail.shows("  Blocked by SSL rule  blocked.lab.test")
        t.fetch("https://ec.lab.test/1k")
        t.connect("blocked.lab.test")[0].close()
        assert eventually(lambda: len(tail.lines()) == 3), tail.text
        assert "\x1b" not in tail.text.decode(), tail.text
        assert "ec.lab.test" not in tail.text.decode(), tail.text


@asked.case
def tail_of_standard_input(t):
    some_of_each(t)
    with open(t.proxy.access) as f:
        done = subprocess.run((t.binary, "log", "tail", "--file", "-",
                               "--json"), stdin=f, capture_output=True,
                              text=True, timeout=30)
    assert done.returncode == 0 and not done.stderr, done
    assert [json.loads(l) for l in done.stdout.splitlines()] == \
        lines(t.proxy)


# --- pinned --------------------------------------------------------------------

def pinned(proxy, *options):
    return json.loads(log(proxy, "pinned", "--json", *options)[0])


def aged(t, proxy, agent):
    """A copy of the log, in which that program refused first a minute ago."""
    with open(proxy.access) as f:
        rows = f.read().splitlines()
    for i, row in enumerate(rows):
        line = json.loads(row)
        if line.get("user_agent") == agent and "client_failure" in line:
            ago = datetime.datetime.fromisoformat(
                line["time"].replace("Z", "+00:00")) - \
                datetime.timedelta(minutes=1)
            line["time"] = ago.isoformat(timespec="milliseconds").replace(
                "+00:00", "Z")
            rows[i] = json.dumps(line)
            break
    return "--file", t.write("aged.log", "\n".join(rows) + "\n")


def refuse(t, host, agent, trust=None):
    """A program that verifies by another CA than ours."""
    sock, reply = t.connect(host, 443, "User-Agent: " + agent)
    assert reply.status == 200, reply
    try:
        t.tls(host, trust=trust or t.lab.pki.root, sock=sock)
    except ssl.SSLError as wrong:
        assert "certificate verify failed" in str(wrong), wrong
    else:
        raise AssertionError("it accepted our certificate")


def give_up(t, how):
    """An ordinary abort, at some point of the handshake or behind it."""
    sock = t.proxy.dial()
    sock.settimeout(10)
    try:
        sock.sendall(b"CONNECT ec.lab.test:443 HTTP/1.1\r\nHost: "
                     b"ec.lab.test:443\r\nUser-Agent: browser/1\r\n\r\n")
        sock.recv(4096)
        into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = t.settings().wrap_bio(into, out, server_hostname=COMMON)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        if how > 0:
            sock.sendall(out.read())
        if how > 1:
            sock.recv(16384)  # the certificate is in there
        if how > 2:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
    finally:
        sock.close()


def curl_gives_up(t):
    t.run("curl", "-s", "-o", "/dev/null", "--cacert", t.proxy.root, "-x",
          "http://127.0.0.1:%d" % t.proxy.port, "--max-time",
          "%.3f" % random.uniform(0.004, 0.06), "https://ec.lab.test/1m")


@asked.case(limit=120, needs=["program:curl"])
def five_hundred_aborts_are_no_suggestion(t):
    with Running(t) as proxy, \
            concurrent.futures.ThreadPoolExecutor(6) as many:
        assert t.fetch("https://%s/1k" % COMMON).status == 200
        list(many.map(lambda i: give_up(t, i % 4), range(350)))
        list(many.map(lambda _: curl_gives_up(t), range(150)))
        assert eventually(lambda: sum(
            "client_failure" in line for line in t.lines()) >= 200, 20)
        said = pinned(proxy, "--least", "1")
        assert said == {"pinned": [], "do_not_trust_the_ca": [],
                        "want_client_certificates": [], "rules": ""}, said
        text, err = log(proxy, "pinned")
        assert text.startswith("no program") and not err, (text, err)
        # And one that pins is found among them.
        for _ in range(3):
            refuse(t, COMMON, PINNED)
        t.line(user_agent=PINNED, count=3)
        said = pinned(proxy, *aged(t, proxy, PINNED))
        assert len(said["pinned"]) == 1, said
        one = said["pinned"][0]
        assert (one["host"], one["application"], one["refusals"]) == \
            (COMMON, PINNED, 3), one
        assert one["by"] == {"unknown_ca": 3} and one["ja4"], one
        assert not said["do_not_trust_the_ca"] and not said["rules"], said


@asked.case(limit=60)
def the_rule_spares_the_program(t):
    with Running(t) as proxy:
        for _ in range(3):
            refuse(t, COMMON, PINNED)
        t.line(user_agent=PINNED, count=3)
        assert pinned(proxy)["pinned"] == [], "all of it in a moment"
        text, _ = log(proxy, "pinned", *aged(t, proxy, PINNED))
        assert "no rule" in text and "ssl-rules" not in text, text
        assert "or does not trust the CA\n" in text, text
        assert "seems to be pinned" not in text, text
        assert t.fetch("https://rsa.lab.test/1k",
                       "User-Agent: " + PINNED).status == 200
        t.line(user_agent=PINNED, count=4)
        text, _ = log(proxy, "pinned", *aged(t, proxy, PINNED))
        assert 'sources: ["127.0.0.1"]' in text and "one client" in text, text
        assert "unknown_ca 3" in text and COMMON in text, text
        rule = text[text.index("ssl-rules:"):]
        # As it is pasted: check finds nothing wrong, and it works.
        with open(proxy.file) as f:
            own = f.read()
        proxy.write(own + "\n" + rule)
        code, _, err = proxy.run("check", "-c", proxy.file)
        assert code == 0 and "warning" not in err, err
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: "reloaded" in proxy.stderr() or
                          "in use" in proxy.stderr(), 10), proxy.stderr()
        sock, _ = t.connect(COMMON, 443, "User-Agent: " + PINNED)
        t.tls(COMMON, trust=t.lab.pki.root, sock=sock).close()
        assert t.fetch("https://%s/1k" % COMMON).status == 200
        t.line(host=COMMON, kind="tunnel", rule="Pinned: " + COMMON)


def told_of(host, agent="", client="10.0.0.1", refuses=True, **more):
    """A line as if that program had refused, or accepted, our certificate."""
    line = {"policy_action": "x", "kind": "exchange", "decrypted": True}
    if refuses:
        line = {"policy_action": "x", "kind": "refused", "decrypted": False,
                "client_failure": "alert", "client_alert": "unknown_ca",
                "after_certificate": True}
    return dict(line, host=host, client=client, user_agent=agent,
                ja4="t13d1516h2_8daaf6152771_e5627efa2ab1", port=443, **more)


@asked.case
def every_rule_can_be_pasted(t):
    """Whatever hosts and programs are called."""
    odd = ["a.test", "xn--bcher-kva.test", "B\u00dcCHER.example", "192.0.2.7",
           "2001:db8::7", "[2001:db8::8]", "a_b.test", "A.TEST.", "*.test",
           'x"y.test', "x y.test", "com", "1", "-.test", "a" * 60 + ".test",
           ".".join(["b" * 60] * 4), "sallyport.internal", "localhost"]
    agents = ["", "curl/8.1", "Mozilla/5.0 (X11)", "a\"b/1", "*/1", "-", "x" * 90,
              "app-1_2.3", "\u00fc/1", "a b", "app/*", "~", "null", "1/2"]
    clients = ["10.0.0.1", "2001:db8::1", "", "fe80::1", "nonsense"]
    rows = []
    for i in range(4):
        for n, host in enumerate(odd):
            for k, agent in enumerate(agents):
                client = clients[(n + k) % len(clients)]
                rows.append(told_of(host, agent, client))
                rows.append(told_of("trusted.test", agent, client, False))
            rows.append(told_of(host, refuses=False,
                                reason="origin-wants-client-certificate"))
    for i, row in enumerate(rows):
        row["time"] = "2026-11-20T%02d:%02d:%02d.000Z" % (
            i // 3600, i // 60 % 60, i % 60)
    file = t.write("odd.log", "".join(json.dumps(row) + "\n" for row in rows))
    said = pinned(t.proxy, "--file", file)
    assert len(said["pinned"]) > 50, len(said["pinned"])
    assert said["rules"].count("- name:") > 50, said["rules"]
    assert "ja4" not in said["rules"].lower(), said["rules"]
    pasted = t.write("pasted.yaml", "state: %s\n%s" % (
        t.path("state"), said["rules"]))
    code, out, err = t.proxy.run("check", "-c", pasted)
    assert code == 0, (out + err)[:2000]
    assert said["rules"] in log(t.proxy, "pinned", "--file", file)[0]


@asked.case(limit=60)
def who_refuses_all_does_not_trust_the_ca(t):
    with Running(t) as proxy:
        for host in (COMMON, "rsa.lab.test", COMMON, "rsa.lab.test"):
            refuse(t, host, "no-trust/1")
        t.line(user_agent="no-trust/1", count=4)
        said = pinned(proxy)
        assert said["pinned"] == [] and said["rules"] == "", said
        one = said["do_not_trust_the_ca"][0]
        assert (one["application"], one["hosts"], one["refusals"]) == \
            ("no-trust/1", 2, 4), one
        text, _ = log(proxy, "pinned")
        assert "not to trust the CA" in " ".join(text.split()), text
        assert "sallyport exec" in text and "ssl-rules" not in text, text
        # And one host of them looked at does not make it one that pins.
        assert pinned(proxy, "--host", COMMON) == said
        nothing = pinned(proxy, "--host", "other.lab.test")
        assert nothing["do_not_trust_the_ca"] == [], nothing
