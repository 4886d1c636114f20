"""Who may use it, and who they are: passwords, addresses, groups."""

import base64
import os
import signal
import socket
import subprocess
import time

from case_tools import CHROMIUM
from lab import client, devtools, http1
from lab.case import Group, eventually
from lab.sallyport import SLOW

URL = "https://ec.lab.test/1k"
PLAIN = "http://web.lab.test/1k"
HTPASSWD = "users.htpasswd"


def hashed(password, salt="abcdefgh"):
    done = subprocess.run(["openssl", "passwd", "-6", "-salt", salt,
                           "-stdin"], input=password + "\n", text=True,
                          capture_output=True, check=True)
    return done.stdout.strip()


HTPASSWD_LINES = {name: hashed(password) for name, password in (
    ("ann", "apple pie"), ("dev1", "one:two"), ("bj\u00f6rn", "k\u00e4se"))}


def htpasswd(lab, called=""):
    """A file of users beside the lab's certificates."""
    path = os.path.join(lab.folder, "%d%s.htpasswd" % (os.getpid(), called))
    with open(path, "w", encoding="utf-8") as f:
        for name, made in HTPASSWD_LINES.items():
            f.write("%s:%s\n" % (name, made))
    return path


def basic(user, password):
    text = ("%s:%s" % (user, password)).encode()
    return "Proxy-Authorization: Basic " + base64.b64encode(text).decode()


RULES = [
    {"name": "Developers", "match": {"groups": ["developers"],
                                     "hosts": ["ec.lab.test"]},
     "action": "do-not-inspect"},
    {"name": "Not for Ann", "match": {"users": ["ann"],
                                      "hosts": ["blocked.lab.test"]},
     "action": "block"},
    {"name": "Rest", "action": "inspect"},
]


def settings(lab, **users):
    return {"users": dict({"htpasswd": htpasswd(lab), "realm": "The lab",
                           "groups": {"developers": ["dev1"]}}, **users),
            "ssl-rules": RULES}


users = Group("users", config=settings)
optional = Group("users/optional",
                 config=lambda lab: settings(lab, required=False))
placed = Group("users/placed", config=lambda lab: settings(
    lab, sources={"127.0.0.2": "dev1", "127.0.0.0/8": "somebody"}))
changing = Group("users/changing", config=settings)
attacked = Group("users/attacked", config=settings)


def wants_user(reply, word="user-needed"):
    assert reply.status == 407 and reply.error == word, reply
    challenge = reply.get("proxy-authenticate")
    assert challenge == 'Basic realm="The lab", charset="UTF-8"', challenge


def through(t, host, *fields, port=443):
    """TLS through CONNECT with these fields; the certificate that was shown."""
    sock, reply = t.connect(host, port, *fields)
    assert reply.status == 200, reply
    tls = t.settings(trust=False).wrap_socket(sock, server_hostname=host)
    t.open.append(tls)
    return tls


# --- passwords ---------------------------------------------------------------

@users.case
def nobody_is_asked_who_it_is(t):
    _, reply = t.connect("ec.lab.test")
    wants_user(reply)
    wants_user(t.fetch(PLAIN))
    t.line(host="ec.lab.test", reason="user-needed")


@users.case
def the_connection_stays_for_the_answer(t):
    """407 does not close: the password comes on the same connection."""
    sock, reply = t.connect("ec.lab.test")
    wants_user(reply)
    assert reply.get("connection") != "close", reply.fields
    reply = client.connect(sock, "ec.lab.test", 443, basic("ann",
                                                          "apple pie"))
    assert reply.status == 200, reply
    tls = t.settings().wrap_socket(sock, server_hostname="ec.lab.test")
    t.open.append(tls)
    assert t.ask(tls, "GET", "/1k", "ec.lab.test").status == 200
    assert t.line(kind="exchange", status=200)["user"] == "ann"


@users.case
def a_wrong_password_is_told(t):
    for user, password in (("ann", "apple"), ("nobody", "apple pie"),
                           ("ann", ""), ("", "")):
        _, reply = t.connect("ec.lab.test", 443, basic(user, password))
        wants_user(reply, "wrong-password")
    for value in ("Bearer x", "Basic", "Basic !!", "Basic " + "A" * 5000,
                  "Digest username=ann", "Basic YW5u"):
        _, reply = t.connect("ec.lab.test", 443,
                             "Proxy-Authorization: " + value)
        wants_user(reply, "wrong-password")
    sent = [basic("ann", "apple pie"), basic("dev1", "one:two")]
    _, reply = t.connect("ec.lab.test", 443, *sent)
    wants_user(reply, "wrong-password")
    log = open(t.proxy.access).read() + t.proxy.stderr()
    assert "apple" not in log and "YW5u" not in log


@users.case
def names_and_passwords_may_have_anything(t):
    _, reply = t.connect("ec.lab.test", 443, basic("dev1", "one:two"))
    assert reply.status == 200, reply
    _, reply = t.connect("ec.lab.test", 443, basic("bj\u00f6rn",
                                                   "k\u00e4se"))
    assert reply.status == 200, reply


@users.case(needs=["program:curl"])
def curl_logs_in(t):
    proxy = "http://127.0.0.1:%d" % t.proxy.port
    done = t.curl("--proxy", proxy, "--proxy-user", "ann:apple pie", URL,
                  PLAIN)
    assert len(done.stdout) == 2048, done.stdout[:200]
    done = t.curl("--proxy", proxy, "--proxy-anyauth", "--proxy-user",
                  "ann:apple pie", URL)
    assert len(done.stdout) == 1024, done.stdout[:200]
    done = t.curl("--proxy", proxy, "--proxy-user", "ann:wrong", "-w",
                  "%{http_connect}", URL, ok=False)
    assert done.returncode != 0 and done.stdout == "407", done
    assert t.line(kind="exchange", host="ec.lab.test",
                  status=200)["user"] == "ann"


@users.case(needs=["program:git"])
def git_logs_in(t):
    url = "http://dev1:one%%3Atwo@127.0.0.1:%d" % t.proxy.port
    env = t.env(GIT_SSL_CAINFO=t.proxy.root, GIT_TERMINAL_PROMPT="0",
                GIT_CONFIG_GLOBAL="/dev/null", https_proxy=url,
                HTTPS_PROXY=url)
    done = t.run("git", "clone", "-q", "https://tools.lab.test/repo.git",
                 env=env)
    assert done.returncode == 0, done.stderr
    assert t.line(kind="exchange", host="tools.lab.test",
                  status=200)["user"] == "dev1"
    env = t.env(GIT_SSL_CAINFO=t.proxy.root, GIT_TERMINAL_PROMPT="0",
                GIT_CONFIG_GLOBAL="/dev/null")
    done = t.run("git", "clone", "-q", "https://tools.lab.test/repo.git",
                 "again", env=env)
    assert done.returncode != 0 and "407" in done.stderr, done.stderr


def browse(t, user, password, url="https://odd.lab.test/page"):
    nss = t.path(".pki/nssdb")
    os.makedirs(nss, exist_ok=True)
    for args in (("-N", "--empty-password"),
                 ("-A", "-t", "C,,", "-n", "Sallyport", "-i", t.proxy.root)):
        done = t.run("certutil", "-d", "sql:" + nss, *args)
        assert done.returncode == 0, done.stderr
    args = ["chromium", *CHROMIUM, "--proxy-server=127.0.0.1:%d"
            % t.proxy.port, "--proxy-bypass-list=<-loopback>",
            "--user-data-dir=" + t.path("profile")]
    return devtools.page(args, t.env(HOME=t.dir, http_proxy="",
                                     https_proxy=""), t.dir, url, user,
                         password)


@users.case(limit=120, needs=["program:chromium", "program:certutil"])
def chromium_logs_in(t):
    text, asked = browse(t, "ann", "apple pie")
    assert asked == 1, "asked %d times" % asked
    assert "through sallyport" in text, text[-300:]
    line = t.line(kind="exchange", host="odd.lab.test", status=200)
    assert line["user"] == "ann", line


@users.case(limit=120, needs=["program:chromium", "program:certutil"])
def chromium_is_asked_again_after_a_wrong_password(t):
    text, asked = browse(t, "ann", "apple")
    assert asked == 2, "asked %d times" % asked
    assert not t.lines(kind="exchange", host="odd.lab.test", status=200)
    t.line(reason="wrong-password")


# --- nobody else learns of it ------------------------------------------------

@users.case
def the_header_ends_here(t):
    login = basic("ann", "apple pie")
    reply = t.fetch("http://odd.lab.test/echo?users-plain", login)
    assert reply.status == 200, reply
    tls = through(t, "odd.lab.test", login)
    reply = t.ask(tls, "GET", "/echo?users-tls", "odd.lab.test", login)
    assert reply.status == 200, reply
    sock, reply = t.connect("odd.lab.test", 80, login)
    assert t.ask(sock, "GET", "/echo?users-tunnel", "odd.lab.test",
                 login).status == 200
    for tag in ("users-plain", "users-tls", "users-tunnel"):
        seen = t.seen(tag)
        assert len(seen) == 1, (tag, seen)
        text = str(seen).lower()
        assert "proxy-auth" not in text and "ann" not in text, text
        assert "apple" not in text and login.split()[-1].lower() not in text


# --- what is open to all -----------------------------------------------------

@users.case
def the_root_needs_nobody(t):
    sock = t.dial()
    reply = t.ask(sock, "GET", "/ca/root.pem", "127.0.0.1:%d" % t.proxy.port)
    assert reply.status == 200 and b"BEGIN CERT" in reply.body
    assert t.fetch("http://sallyport.internal/proxy.pac").status == 200
    assert t.fetch("https://sallyport.internal/").status == 200
    sock = t.dial()  # by its target, not by what it calls itself
    reply = t.ask(sock, "GET", PLAIN, "sallyport.internal")
    wants_user(reply)


# --- rules -------------------------------------------------------------------

@users.case
def rules_know_users_and_groups(t):
    mine = through(t, "ec.lab.test", basic("ann", "apple pie"))
    theirs = through(t, "ec.lab.test", basic("dev1", "one:two"))
    assert mine.getpeercert(True) != theirs.getpeercert(True)
    theirs.close()
    line = t.line(kind="tunnel", host="ec.lab.test")
    assert line["rule"] == "Developers" and line["user"] == "dev1", line
    _, reply = t.connect("blocked.lab.test", 443, basic("ann", "apple pie"))
    assert reply.status == 403 and reply.error == "blocked-by-rule", reply
    _, reply = t.connect("blocked.lab.test", 443, basic("dev1", "one:two"))
    assert reply.status == 200, reply


@users.case
def the_transparent_listener_knows_nobody(t):
    sock = t.dial(t.proxy.tport)
    tls = t.settings().wrap_socket(sock, server_hostname="ec.lab.test")
    t.open.append(tls)
    assert t.ask(tls, "GET", "/1k", "ec.lab.test").status == 200
    line = t.line(kind="exchange", host="ec.lab.test")
    assert "user" not in line and line["rule"] == "Rest", line


@users.case
def who_asks_may_change_on_a_connection(t):
    sock = t.dial()
    for user, password in (("ann", "apple pie"), ("dev1", "one:two")):
        reply = t.ask(sock, "GET", PLAIN, "web.lab.test", basic(user,
                                                               password))
        assert reply.status == 200, reply
        assert t.line(kind="exchange", user=user)["status"] == 200
    wants_user(t.ask(sock, "GET", PLAIN, "web.lab.test"))


@optional.case
def where_nobody_may_come_too(t):
    assert t.fetch(URL).status == 200
    assert "user" not in t.line(kind="exchange", host="ec.lab.test")
    t.mark()
    _, reply = t.connect("ec.lab.test", 443, basic("ann", "wrong"))
    wants_user(reply, "wrong-password")
    through(t, "ec.lab.test", basic("dev1", "one:two")).close()
    assert t.line(kind="tunnel")["user"] == "dev1"


def dial_from(t, address):
    sock = socket.create_connection(("127.0.0.1", t.proxy.port), 30 * SLOW,
                                    (address, 0))
    t.open.append(sock)
    return sock


@placed.case
def an_address_is_somebody(t):
    for address, user in (("127.0.0.2", "dev1"), ("127.0.0.9", "somebody")):
        t.mark()
        reply = t.ask(dial_from(t, address), "GET", PLAIN, "web.lab.test")
        assert reply.status == 200, reply
        assert t.line(kind="exchange")["user"] == user
    t.mark()
    reply = t.ask(dial_from(t, "127.0.0.2"), "GET", PLAIN, "web.lab.test",
                  basic("ann", "apple pie"))
    assert reply.status == 200 and t.line(kind="exchange")["user"] == "ann"


# --- changes -----------------------------------------------------------------

def reload(t):
    before = t.proxy.stderr().count("reloaded")
    t.proxy.signal(signal.SIGHUP)
    assert eventually(lambda: t.proxy.stderr().count("reloaded") > before)


@changing.case
def a_user_that_is_taken_away_is_out(t):
    """Also where the password has just been right, and in what is open."""
    path = t.proxy.config["users"]["htpasswd"]
    whole = open(path).read()
    login = basic("ann", "apple pie")
    tls = through(t, "odd.lab.test", login)
    assert t.ask(tls, "GET", "/echo", "odd.lab.test").status == 200
    try:
        with open(path, "w") as f:
            f.write("".join(line for line in whole.splitlines(True)
                            if not line.startswith("ann:")))
        reload(t)
        _, reply = t.connect("ec.lab.test", 443, login)
        wants_user(reply, "wrong-password")
        reply = t.ask(tls, "GET", "/echo", "odd.lab.test")
        assert reply.status == 403 and reply.error == "user-gone", reply
    finally:
        with open(path, "w") as f:
            f.write(whole)
    reload(t)
    _, reply = t.connect("ec.lab.test", 443, login)
    assert reply.status == 200, reply


@changing.case
def a_changed_password_counts_at_once(t):
    path = t.proxy.config["users"]["htpasswd"]
    whole = open(path).read()
    _, reply = t.connect("ec.lab.test", 443, basic("dev1", "one:two"))
    assert reply.status == 200, reply
    try:
        with open(path, "w") as f:
            f.write("dev1:%s\n" % hashed("three"))
        reload(t)
        _, reply = t.connect("ec.lab.test", 443, basic("dev1", "one:two"))
        wants_user(reply, "wrong-password")
        _, reply = t.connect("ec.lab.test", 443, basic("dev1", "three"))
        assert reply.status == 200, reply
    finally:
        with open(path, "w") as f:
            f.write(whole)
    reload(t)


# --- guessing ----------------------------------------------------------------

@attacked.case(limit=60)
def who_guesses_is_slowed_and_others_are_not(t):
    login = basic("dev1", "one:two")
    sock = dial_from(t, "127.0.0.7")  # known to be right there from here on
    assert client.connect(sock, "ec.lab.test", 443, login).status == 200
    words = []
    for number in range(60):
        sock = dial_from(t, "127.0.0.7")
        reply = client.connect(sock, "ec.lab.test", 443,
                               basic("ann", "guess %d" % number))
        words.append((reply.status, reply.error))
        assert reply.status == 407 or reply.get("retry-after"), reply.fields
        sock.close()
    assert words[0] == (407, "wrong-password"), words[0]
    # Not each: in some seconds, one more is heard.
    assert (429, "too-many-wrong-passwords") in words, words
    assert len(set(words)) == 2, words
    sock = dial_from(t, "127.0.0.7")  # one that is right passes even there
    assert client.connect(sock, "ec.lab.test", 443, login).status == 200
    sock = dial_from(t, "127.0.0.8")
    assert client.connect(sock, "ec.lab.test", 443,
                          basic("bj\u00f6rn", "k\u00e4se")).status == 200


@attacked.case(limit=60)
def many_passwords_at_once_hold_up_nobody(t):
    """A hundred connections whose passwords are being looked at; requests of
    others are answered meanwhile."""
    login = basic("dev1", "one:two")
    socks = []
    for number in range(100):
        sock = dial_from(t, "127.0.1.%d" % (number + 1))
        sock.sendall(http1.head("CONNECT", "ec.lab.test:443",
                                "ec.lab.test:443",
                                basic("nobody%d" % number, "x")))
        socks.append(sock)
    _, reply = t.connect("ec.lab.test", 443, login)
    assert reply.status == 200, reply
    for sock in socks:
        reply = client.read_exact_head(sock)
        assert reply.status in (407, 503, 429), reply
