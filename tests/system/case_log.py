"""The access log: a line for every reason there is, how clients' handshakes
fail, CSV, rotation, and what is left out."""

import contextlib
import csv
import glob
import os
import re
import signal
import socket
import ssl
import struct
import time

from case_certificates import BAD
from case_run import Running
from case_sessions import one
from case_users import basic, dial_from, hashed, reload
from case_users import settings as users_settings
from lab import client, hello, http1
from lab.case import Group, eventually

HERE = os.path.dirname(os.path.abspath(__file__))
REASONS = os.path.join(HERE, "../../proxy/report/reasons.def")
DROPPED = "Dropped due to failed client SSL handshake"


def settings(lab):
    return {
        "ssl-rules": [
            {"name": "Blocked", "match": {"hosts": ["blocked.lab.test"]},
             "action": "block"},
            {"name": "New clients", "match": {"hosts": ["rsa.lab.test"]},
             "action": "inspect", "min-client-tls": "1.3"},
            {"name": "New origins", "match": {"hosts": ["old.lab.test"]},
             "action": "inspect", "min-server-tls": "1.3"},
            {"name": "Rest", "action": "inspect"}],
        "categories": {
            "no": {"urls": ["ec.lab.test/blocked"]},
            "away": {"urls": ["ec.lab.test/isolated"]}},
        "url-rules": [
            {"name": "No", "match": {"categories": ["no"]},
             "action": "block"},
            {"name": "Away", "match": {"categories": ["away"]},
             "action": "isolate", "isolate": "https://iso.test/?u={url}"}],
        "log": {"locations": {"Here": ["127.0.0.0/8"]}}}


def in_haste(lab):
    """Soon enough to wait for, and not before a busy machine has come to it."""
    return {"limits": {"handshake-timeout": "3s", "connect-timeout": "3s",
                       "idle-timeout": "3s", "peek-timeout": "1s"}}


log = Group("log", config=settings)
haste = Group("log/haste", config=in_haste)
people = Group("log/people", config=users_settings)

# --- a line for each reason ----------------------------------------------------

PROVOKED = set()
# Where another case looks for the line of one.
ELSEWHERE = {
    "client-not-allowed": "case_proxy_tls.py",
    "destination-not-allowed": "case_address.py",
    "non-tls-blocked": "case_tunnel.py",
    "non-http-blocked": "case_tunnel.py",
    "tls-in-tunnel": "case_tunnel.py",
    "intermediate-ca-not-usable": "case_ca.py",
    "signer-busy": "case_ca.py",
    "no-resources": "case_address.py",
}
# What can't be brought about here; a unit test writes the line of each.
NOT_HERE = {
    "origin-certificate-weak-key": "OpenSSL makes none for the lab",
    "origin-certificate-malformed": "OpenSSL makes none for the lab",
    "origin-certificate-invalid": "what no other reason says: no case known",
    "destination-unreachable": "takes a machine without a route",
    "login-busy": "takes more logins at once than a machine can look at",
    "user-unknown": "takes a proxy that knows its clients by address alone",
}


def table():
    """The reasons: {word: policy action}."""
    with open(REASONS, encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    rows = re.findall(r'REASON\(\w+, "([^"]*)", \d+, "[^"]*",\s*"([^"]*)"',
                      text)
    return dict(rows)


def provokes(group, word, action=None, **match):
    """What runs brings about that reason; a case looks for its line."""
    def add(function):
        def case(t):
            function(t)
            line = t.line(reason=word, **match)
            want = action or table()[word]
            assert line["policy_action"] == want, line
            assert line["location"] and line["time"], line
        case.__name__ = "reason_" + word.replace("-", "_")
        PROVOKED.add(word)
        return group.case(case, limit=60)
    return add


@log.case
def no_reason_is_without_a_line(t):
    words = set(table())
    assert len(words) > 60, words
    named = PROVOKED | set(ELSEWHERE) | set(NOT_HERE)
    assert not words - named, "no line is looked for: %s" % (words - named)
    assert not named - words, "no reasons: %s" % (named - words)
    for word, name in ELSEWHERE.items():
        with open(os.path.join(HERE, name), encoding="utf-8") as f:
            assert 'reason="%s"' % word in f.read(), (word, name)


def plain(t, data, port=None):
    sock = t.dial(port)
    sock.sendall(data)
    sock.settimeout(10)
    try:
        while sock.recv(65536):
            pass
    except OSError:
        pass


@provokes(log, "ok", host="ec.lab.test")
def fetched(t):
    assert t.fetch("https://ec.lab.test/1k").status == 200


@provokes(log, "blocked-by-rule")
def a_blocked_host(t):
    t.connect("blocked.lab.test")


@provokes(log, "blocked-by-url-rule")
def a_blocked_url(t):
    t.fetch("https://ec.lab.test/blocked")


@provokes(log, "isolated")
def an_isolated_url(t):
    t.fetch("https://ec.lab.test/isolated")


@provokes(log, "proxy-loop")
def back_to_the_proxy(t):
    t.fetch("http://loop.dns.test:%d/" % t.proxy.port)


@provokes(log, "bad-request")
def no_http(t):
    plain(t, b"GET / \0\r\n\r\n")


@provokes(log, "https-without-connect")
def https_in_the_clear(t):
    plain(t, b"GET https://ec.lab.test/ HTTP/1.1\r\nHost: ec.lab.test\r\n"
          b"Connection: close\r\n\r\n")


@provokes(log, "head-too-large")
def a_head_too_large(t):
    plain(t, b"GET http://web.lab.test/ HTTP/1.1\r\nHost: web.lab.test\r\n"
          b"X: " + b"x" * 80000 + b"\r\n\r\n")


@provokes(log, "unknown-method")
def an_unknown_method(t):
    plain(t, b"FROBNICATE http://web.lab.test/ HTTP/1.1\r\n"
          b"Host: web.lab.test\r\n\r\n")


@provokes(log, "unknown-transfer-coding")
def an_unknown_coding(t):
    plain(t, b"POST http://web.lab.test/ HTTP/1.1\r\nHost: web.lab.test\r\n"
          b"Transfer-Encoding: frob, chunked\r\n\r\n0\r\n\r\n")


@provokes(log, "unsupported-version")
def a_version_to_come(t):
    plain(t, b"GET http://web.lab.test/ HTTP/3.0\r\nHost: web.lab.test\r\n"
          b"\r\n")


@provokes(log, "method-not-allowed")
def a_post_to_our_page(t):
    t.fetch("http://sallyport.internal/", method="POST")


@provokes(log, "not-found")
def no_such_page(t):
    t.fetch("http://sallyport.internal/nosuch")


@provokes(log, "wrong-host")
def another_host_inside(t):
    tls = t.tls("ec.lab.test")
    t.ask(tls, "GET", "/1k", "bank.lab.test")


@provokes(log, "bad-client-hello", why="not TLS")
def no_tls_where_it_must_be(t):
    plain(t, b"\0\1\2 not TLS\r\n", t.proxy.tport)


@provokes(log, "no-server-name")
def no_name(t):
    plain(t, hello.records(hello.message(sni=None)), t.proxy.tport)


def fails(t, host, **how):
    try:
        t.tls(host, **how)
    except (OSError, ValueError) as error:
        return error
    raise AssertionError("the handshake went well")


@provokes(log, "alpn-not-supported")
def h2_alone(t):
    fails(t, "ec.lab.test", alpn=("h2",))


@provokes(log, "client-tls-too-old")
def an_old_client(t):
    fails(t, "rsa.lab.test", highest=ssl.TLSVersion.TLSv1_2)


@provokes(log, "origin-tls-too-old")
def an_old_origin(t):
    t.fetch("https://old.lab.test/1k")


@provokes(log, "client-handshake-failed", DROPPED)
def a_client_that_does_not_trust(t):
    fails(t, "ec.lab.test", trust=t.lab.pki.root)


@provokes(haste, "handshake-timeout", DROPPED, client_failure="timeout")
def half_a_hello(t):
    sock = t.tunnel("ec.lab.test")
    sock.sendall(hello.records(hello.message(sni="ec.lab.test"))[:50])
    sock.recv(100)


@provokes(haste, "request-timeout")
def half_a_head(t):
    plain(t, b"GET http://web.lab.test/ HT")


@provokes(log, "client-gone")
def gone_at_once(t):
    t.tunnel("ec.lab.test").close()


@provokes(haste, "idle-timeout")
def nothing_moves(t):
    t.tunnel("half.lab.test").recv(100)


@provokes(log, "name-not-found")
def no_such_name(t):
    t.fetch("http://dead.dns.test/")


@provokes(log, "name-lookup-failed")
def the_name_server_fails(t):
    t.fetch("http://fail.dns.test/")


@provokes(log, "name-lookup-timed-out")
def the_name_server_is_silent(t):
    t.fetch("http://mute.dns.test/")


@provokes(log, "connection-refused")
def nobody_listens(t):
    t.fetch("http://there.dns.test:9/")


@provokes(haste, "connection-timed-out")
def a_silent_origin(t):
    t.fetch("https://mute.lab.test/")


@provokes(log, "origin-tls-failed")
def no_tls_there(t):
    t.fetch("https://quiet.dns.test:%d/" % t.lab.port["web"])


@provokes(log, "origin-wants-client-certificate")
def it_wants_a_certificate(t):
    t.fetch("https://mtls.lab.test/1k")


def provokes_certificates():
    for host, word in dict(BAD, purpose="origin-certificate-wrong-purpose"
                           ).items():
        if word in PROVOKED:
            continue

        def bad(t, host=host):
            t.fetch("https://%s.lab.test/1k" % host)
        provokes(log, word, origin_verified=False)(bad)


provokes_certificates()


def provokes_responses():
    for path, word in (("reset", "origin-reset"),
                       ("short", "origin-response-truncated"),
                       ("bad/not-http", "origin-response-bad"),
                       ("bad/huge-head", "origin-head-too-large"),
                       ("bad/unasked-101", "origin-upgrade-not-asked")):
        def odd(t, path=path):
            try:
                t.fetch("https://odd.lab.test/" + path, method="POST")
            except (OSError, ValueError, http1.Broken):
                pass
        provokes(log, word)(odd)


provokes_responses()


@provokes(log, "origin-closed")
def an_origin_that_just_closes(t):
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        ours.listen(1)
        sock = t.dial()
        port = ours.getsockname()[1]
        sock.sendall(http1.head("POST", "http://a.dns.test:%d/" % port,
                                "a.dns.test:%d" % port, "Content-Length: 0"))
        there, _ = ours.accept()
        there.recv(65536)
        there.close()
        sock.recv(65536)


@provokes(haste, "origin-timed-out")
def it_hangs(t):
    t.fetch("https://odd.lab.test/hang")


@provokes(people, "user-needed")
def nobody(t):
    t.connect("ec.lab.test")


@provokes(people, "wrong-password")
def a_wrong_one(t):
    t.connect("ec.lab.test", 443, basic("ann", "nope"))


@provokes(people, "too-many-wrong-passwords")
def guesses(t):
    for number in range(60):
        sock = dial_from(t, "127.0.0.9")
        client.connect(sock, "ec.lab.test", 443,
                       basic("dev1", "guess %d" % number))
        sock.close()


@provokes(people, "user-gone")
def a_user_is_taken_away(t):
    path = t.proxy.config["users"]["htpasswd"]
    with open(path, encoding="utf-8") as f:
        whole = f.read()
    with open(path, "a", encoding="utf-8") as f:
        f.write("eve:%s\n" % hashed("adam"))
    reload(t)
    sock, reply = t.connect("odd.lab.test", 443, basic("eve", "adam"))
    assert reply.status == 200, reply
    tls = t.tls("odd.lab.test", sock=sock)
    assert t.ask(tls, "GET", "/echo", "odd.lab.test").status == 200
    with open(path, "w", encoding="utf-8") as f:
        f.write(whole)
    reload(t)
    t.ask(tls, "GET", "/echo", "odd.lab.test")


@provokes(log, "proxy-stopped")
def the_proxy_is_stopped(t):
    with Running(t, {"limits": {"drain-timeout": "0s"}}) as proxy:
        sock = t.tunnel("half.lab.test")
        sock.sendall(b"SSH\r\n")
        one(t, sock, "relay")
        assert proxy.stop() == 0


# --- how the client's handshake fails ------------------------------------------

def failure(t, how, shown, **match):
    line = t.line(client_failure=how, **match)
    assert line["policy_action"] == DROPPED, line
    assert line["after_certificate"] is shown, line
    assert line["ja4"].startswith("t1"), line
    return line


@log.case
def an_alert_by_its_name(t):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        t.mark()
        fails(t, "ec.lab.test", trust=t.lab.pki.root, highest=version,
              lowest=version)
        line = failure(t, "alert", True)
        assert line["client_alert"] == "unknown_ca", line
        assert "client_tls" not in line and line["decrypted"] is False, line


def hello_sent(t):
    sock = t.tunnel("ec.lab.test")
    settings = t.settings()
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = settings.wrap_bio(into, out, server_hostname="ec.lab.test")
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    sock.sendall(out.read())
    assert sock.recv(65536), "no flight came"
    return sock


@log.case
def a_reset_after_our_certificate(t):
    sock = hello_sent(t)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()
    failure(t, "reset", True)


@log.case
def a_close_after_our_certificate(t):
    sock = hello_sent(t)
    sock.shutdown(socket.SHUT_RDWR)
    failure(t, "closed", True)


@haste.case
def silence_after_our_certificate(t):
    hello_sent(t).recv(65536)
    line = failure(t, "timeout", True)
    assert line["reason"] == "handshake-timeout", line


@log.case
def no_cipher_in_common(t):
    sock = t.tunnel("ec.lab.test")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers("ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:"
                     "@SECLEVEL=0")
    try:
        made.wrap_socket(sock, server_hostname="ec.lab.test")
    except (OSError, ssl.SSLError):
        pass
    failure(t, "no-shared-cipher", False)


@log.case
def a_malformed_hello(t):
    sock = t.tunnel("ec.lab.test")
    sock.sendall(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00")
    sock.recv(100)
    line = t.line(client_failure="malformed")
    assert line["policy_action"] == DROPPED, line


@log.case
def one_that_leaves_right_after_the_handshake(t):
    """As programs do that pin the certificate and look at it only then."""
    tls = t.tls("ec.lab.test")
    tls.unwrap() if tls.version() == "TLSv1.2" else tls.close()
    line = t.line(client_failure="unused")
    assert line["policy_action"] != DROPPED, line
    assert line["after_certificate"] is True, line
    assert line["reason"] == "client-gone" and line["kind"] == "refused", line


@log.case
def one_that_has_asked_is_no_failure(t):
    tls = t.tls("ec.lab.test")
    assert t.ask(tls, "GET", "/1k", "ec.lab.test").status == 200
    tls.close()
    line = t.line(host="ec.lab.test")
    time.sleep(0.5)
    assert "client_failure" not in line and len(t.lines()) == 1, t.lines()


# --- who and what ----------------------------------------------------------------

@log.case
def programs_are_told_apart(t):
    sock, _ = t.connect("ec.lab.test", 443, "User-Agent: outer/1")
    tls = t.tls("ec.lab.test", sock=sock)
    t.ask(tls, "GET", "/1k", "ec.lab.test", "User-Agent: inner/2")
    line = t.line(host="ec.lab.test")
    assert line["user_agent"] == "inner/2" and line["alpn"] == "http/1.1", line
    assert line["connect_user_agent"] == "outer/1", line
    assert re.fullmatch(r"t13d\d{4}h1_[0-9a-f]{12}_[0-9a-f]{12}",
                        line["ja4"]), line
    assert line["location"] == "Here" and line["decrypted"] is True, line
    assert line["origin_verified"] is True, line
    assert 90 <= line["origin_days"] <= 92, line
    assert line["origin_wildcard"] is True, line
    t.mark()
    sock, _ = t.connect("ec.lab.test", 443, "User-Agent: outer/1")
    fails(t, "ec.lab.test", sock=sock, trust=t.lab.pki.root)
    again = t.line(client_failure="alert")
    assert again["user_agent"] == "outer/1" and again["ja4"] == line["ja4"]
    assert "connect_user_agent" not in again, again


@log.case
def queries_are_not_in_it(t):
    t.fetch("https://ec.lab.test/1k?token=secret")
    assert t.line(host="ec.lab.test")["url"] == "https://ec.lab.test/1k"


@log.case
def what_is_left_out_is_configured(t):
    with Running(t, {"log": {"redact": []}}) as proxy:
        t.fetch("https://ec.lab.test/1k?a=b")
        t.ask(t.dial(), "GET", "http://web.lab.test/1k?c=d",
              "web.lab.test")
        t.line(url="https://ec.lab.test/1k?a=b")
        line = t.line(host="web.lab.test")
        assert line["url"] == "http://web.lab.test/1k?c=d", line
        proxy.config["log"]["redact"] = ["path", "client", "user-agent"]
        proxy.write()
        reload(t)
        t.mark()
        t.fetch("https://ec.lab.test/1k?a=b", "User-Agent: me")
        line = t.line(host="ec.lab.test")
        assert line["url"] == "https://ec.lab.test", line
        assert "client" not in line and "user_agent" not in line, line


# --- CSV and rotation --------------------------------------------------------------

def rows(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def sites(path):
    """In their order: workers write their lines each for itself."""
    return sorted((row for row in rows(path) if row["URL"]),
                  key=lambda row: row["URL"])


@log.case(limit=60)
def csv_that_a_spreadsheet_opens(t):
    with Running(t, {"log": {"format": "csv"}}) as proxy:
        t.fetch("https://ec.lab.test/1k", "User-Agent: =cmd|' /C calc'!A0")
        fails(t, "rsa.lab.test", trust=t.lab.pki.root)
        assert eventually(lambda: len(sites(proxy.access)) == 2)
        with open(proxy.access, encoding="utf-8") as f:
            head = f.readline()
        assert head.startswith("Event Time,User,Policy Action,Location,URL,")
        good, bad = sites(proxy.access)
        assert good["Policy Action"] == "Allowed", good
        assert good["URL"] == "https://ec.lab.test/1k", good
        assert good["user_agent"] == "'=cmd|' /C calc'!A0", good
        assert good["ssldecrypted"] == good["srvcertchainvalpass"] == "Yes"
        assert bad["Policy Action"] == DROPPED and bad["URL"] == \
            "rsa.lab.test" and bad["cltsslfailreason"] == "alert", bad
        os.rename(proxy.access, proxy.access + ".old")
        reload(t)
        t.fetch("https://ec.lab.test/1k")
        assert eventually(lambda: os.path.exists(proxy.access) and
                          rows(proxy.access))
        with open(proxy.access, encoding="utf-8") as f:
            assert f.readline() == head, "a new file has its columns"


def is_full(path):
    """Of so much that it is to be rotated."""
    return os.path.exists(path) and os.path.getsize(path) >= 65536


def numbers(access):
    """Of the requests that have a line in one of its files."""
    seen = {}
    for path in glob.glob(access + "*"):
        with contextlib.suppress(FileNotFoundError), \
                open(path, encoding="utf-8") as f:
            seen[os.fstat(f.fileno()).st_ino] = re.findall(
                r'odd\.lab\.test/echo/(\d+)"', f.read())
    return sorted(int(n) for found in seen.values() for n in found)


def turned(t, more=None, many=1000, folder=None, **how):
    """So many requests, with a log of 64 KB a file; all lines are there."""
    place = folder or t.path("logs")
    os.makedirs(place, exist_ok=True)
    access = os.path.join(place, "a.log")
    with Running(t, dict({"log": {"access": access, "rotate": "64KB",
                                  "keep": 20}}, **(more or {})),
                 **how) as proxy:
        proxy.access = access
        sock = t.dial()
        for number in range(many):
            reply = t.ask(sock, "GET", "http://odd.lab.test/echo/%d" % number,
                          "odd.lab.test")
            assert reply.status == 200, reply
            if number % 200 == 199:  # more than a file has room for
                assert eventually(lambda: number in numbers(access)), number
                assert eventually(lambda: not is_full(access)), number
    files = glob.glob(access + "*")
    assert len(files) > 2, files
    for path in files:
        assert path == access or is_full(path), path
    assert numbers(access) == list(range(many)), len(numbers(access))
    return proxy


@log.case(limit=120)
def a_full_log_is_rotated_and_no_line_is_lost(t):
    turned(t)


@log.case(limit=120, needs=["root"])
def roots_folder_too(t):
    """The worker is nobody there; the supervisor renames for it."""
    folder = "/run/sallyport-log-%d" % os.getpid()
    try:
        proxy = turned(t, folder=folder)
        assert "can't be renamed" not in proxy.stderr()
        assert os.stat(folder).st_uid == 0
    finally:
        for path in glob.glob(folder + "/*"):
            os.remove(path)
        os.rmdir(folder)


@log.case(limit=60)
def a_sighup_while_it_is_written(t):
    with Running(t) as proxy:
        sock = t.dial()
        for number in range(300):
            if number % 50 == 25:
                assert eventually(lambda: os.path.exists(proxy.access))
                os.rename(proxy.access, "%s.%d" % (proxy.access, number))
                proxy.signal(signal.SIGHUP)
            reply = t.ask(sock, "GET", "http://odd.lab.test/echo/%d" % number,
                          "odd.lab.test")
            assert reply.status == 200, reply
    assert numbers(proxy.access) == list(range(300)), numbers(proxy.access)
