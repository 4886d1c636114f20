"""Users who are none any more: what a reload does to what they have open."""

import contextlib
import socket
import threading

from case_users import (HTPASSWD_LINES, RULES, basic, dial_from, hashed,
                        htpasswd, reload, through, wants_user)
from lab import client
from lab.case import Group, eventually

PLAIN = "http://web.lab.test/1k"
ANN, DEV = basic("ann", "apple pie"), basic("dev1", "one:two")


def settings(lab):
    return {"users": {"htpasswd": htpasswd(lab, "gone"),
                      "realm": "The lab"},
            "limits": {"connect-timeout": "50s"},  # beyond each case
            "ssl-rules": [dict(RULES[0], match={"users": ["dev1"],
                                                "hosts": ["ec.lab.test"]}),
                          {"name": "Rest", "action": "inspect"}]}


changed = Group("gone", config=settings)
moved = Group("gone/moved", config=lambda lab: {"users": {
    "required": False, "sources": {"127.0.0.2": "dev1",
                                   "127.0.0.3": "ann"}}})


@contextlib.contextmanager
def instead(t, *lines):
    """These lines of users for a while, and then the old ones."""
    path = t.proxy.config["users"]["htpasswd"]
    whole = open(path, encoding="utf-8").read()
    try:
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(lines)
        reload(t)
        yield
    finally:
        with open(path, "w", encoding="utf-8") as f:
            f.write(whole)
        reload(t)


def gone(reply):
    assert reply.status == 403 and reply.error == "user-gone", reply


def over(sock):
    """The connection has been ended by the proxy."""
    sock.settimeout(20)
    try:
        while sock.recv(1000):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True


def goes_on(sock):
    sock.sendall(b"still here\r\n")
    sock.settimeout(20)
    return sock.recv(1000) != b""


def ssh(t, login, source="127.0.0.1"):
    """A tunnel of bytes, in use; the other end echoes lines."""
    sock = dial_from(t, source)
    reply = client.connect(sock, "ssh.lab.test", 443, *login)
    assert reply.status == 200, reply
    assert sock.recv(1000).startswith(b"SSH-"), "no greeting"
    sock.sendall(b"SSH-2.0-here\r\n")
    return sock


def open_all(t, login):
    """One connection of each kind, in use."""
    inspected = through(t, "odd.lab.test", login)
    assert t.ask(inspected, "GET", "/echo", "odd.lab.test").status == 200
    plain, reply = t.connect("odd.lab.test", 80, login)
    assert reply.status == 200, reply
    assert t.ask(plain, "GET", "/echo", "odd.lab.test").status == 200
    return inspected, plain, ssh(t, [login])


def all_are_gone(t, login, opened):
    inspected, plain, tunnel = opened
    gone(t.ask(inspected, "GET", "/echo", "odd.lab.test"))
    gone(t.ask(plain, "GET", "/echo", "odd.lab.test"))
    assert over(inspected) and over(plain) and over(tunnel)
    line = t.line(kind="tunnel", host="ssh.lab.test", reason="user-gone")
    assert line["user"] == "ann", line
    _, reply = t.connect("odd.lab.test", 443, login)
    wants_user(reply, "wrong-password")


# --- passwords ---------------------------------------------------------------

@changed.case
def who_is_taken_away_is_out_everywhere(t):
    opened, other = open_all(t, ANN), ssh(t, [DEV])
    with instead(t, "dev1:%s\n" % HTPASSWD_LINES["dev1"]):
        all_are_gone(t, ANN, opened)
        assert goes_on(other)


@changed.case
def a_changed_password_ends_what_the_old_one_opened(t):
    opened, other = open_all(t, ANN), ssh(t, [DEV])
    kept = dial_from(t, "127.0.0.1")
    reply = t.ask(kept, "GET", PLAIN, "web.lab.test", ANN)
    assert reply.status == 200, reply
    with instead(t, "ann:%s\n" % hashed("cherry"),
                 "dev1:%s\n" % HTPASSWD_LINES["dev1"]):
        all_are_gone(t, ANN, opened)
        wants_user(t.ask(kept, "GET", PLAIN, "web.lab.test", ANN),
                   "wrong-password")
        reply = t.ask(kept, "GET", PLAIN, "web.lab.test",
                      basic("ann", "cherry"))
        assert reply.status == 200, reply
        assert goes_on(other)


@changed.case
def a_reload_that_changes_nothing_ends_nothing(t):
    inspected, plain, tunnel = open_all(t, ANN)
    reload(t)
    assert t.ask(inspected, "GET", "/echo", "odd.lab.test").status == 200
    assert t.ask(plain, "GET", "/echo", "odd.lab.test").status == 200
    assert goes_on(tunnel)


@changed.case
def a_tunnel_of_what_is_not_inspected_ends(t):
    tls = through(t, "ec.lab.test", DEV)
    assert t.ask(tls, "GET", "/1k", "ec.lab.test").status == 200
    silent, reply = t.connect("ec.lab.test", 443, DEV)  # not decided yet
    assert reply.status == 200, reply
    with instead(t, "ann:%s\n" % HTPASSWD_LINES["ann"]):
        assert over(tls) and over(silent)
        line = t.line(kind="tunnel", host="ec.lab.test")
        assert line["reason"] == "user-gone" and line["user"] == "dev1", line


# --- addresses ---------------------------------------------------------------

@moved.case
def an_address_that_is_somebody_elses(t):
    users = t.proxy.config["users"]
    kept = dict(users["sources"])
    tunnels = [ssh(t, [], "127.0.0.%d" % i) for i in (2, 3, 4)]
    plain = []
    for i in (2, 3, 4):
        sock = dial_from(t, "127.0.0.%d" % i)
        assert client.connect(sock, "odd.lab.test", 80).status == 200
        assert t.ask(sock, "GET", "/echo", "odd.lab.test").status == 200
        plain.append(sock)
    try:
        users["sources"] = {"127.0.0.2": "ann", "127.0.0.4": "new"}
        t.proxy.write()
        reload(t)
        assert over(tunnels[0]) and over(tunnels[1])
        assert goes_on(tunnels[2])  # nobody's still: it was opened so
        for sock in plain[:2]:
            gone(t.ask(sock, "GET", "/echo", "odd.lab.test"))
        reply = t.ask(plain[2], "GET", "/echo", "odd.lab.test")
        assert reply.status == 200, reply
        t.line(kind="exchange", user="new", status=200)
    finally:
        users["sources"], users["required"] = kept, False
        t.proxy.write()
        reload(t)


@moved.case
def nobody_where_users_are_needed_now(t):
    users = t.proxy.config["users"]
    tunnel = ssh(t, [], "127.0.0.9")
    sock = dial_from(t, "127.0.0.9")
    assert client.connect(sock, "odd.lab.test", 80).status == 200
    assert t.ask(sock, "GET", "/echo", "odd.lab.test").status == 200
    try:
        users["required"] = True
        t.proxy.write()
        reload(t)
        gone(t.ask(sock, "GET", "/echo", "odd.lab.test"))
        assert over(tunnel)
    finally:
        users["required"] = False
        t.proxy.write()
        reload(t)


# --- between the rules and the origin -----------------------------------------

def dials(port):
    """How many connections to it are begun and not taken."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in list(table)[1:]]
    return sum(row[2].endswith(":%04X" % port) and row[3] == "02"
               for row in rows)  # SYN_SENT


class Full:
    """A server that takes no connection until it is told to."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self.server.getsockname()[1]
        self.blocking = []
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.port))
            self.blocking.append(sock)
        self.before = dials(self.port)

    def wait_dialled(self, count):
        assert eventually(lambda: dials(self.port) == self.before + count), \
            (self.before, dials(self.port))

    def let_in(self):
        for each in self.blocking:
            each.close()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.server.accept()[0].close()

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()


@contextlib.contextmanager
def full(t, name):
    """... and that is found under that name."""
    late, config = Full(), t.proxy.config
    kept = list(config["origin"]["connect-to"])
    config["origin"]["connect-to"].insert(
        0, "%s:80:127.0.0.1:%d" % (name, late.port))
    try:
        t.proxy.write()
        reload(t)
        yield late
    finally:
        config["origin"]["connect-to"] = kept
        t.proxy.write()
        reload(t)
        late.close()


def asked_for(t, name, login):
    sock = dial_from(t, "127.0.0.1")
    sock.sendall(("GET http://%s/x HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n" % (
        name, name, login)).encode())
    return sock


@changed.case(limit=60)
def who_goes_while_the_origin_is_dialled(t):
    with full(t, "late.lab.test") as late:
        sock = asked_for(t, "late.lab.test", DEV)
        late.wait_dialled(1)
        with instead(t, "ann:%s\n" % HTPASSWD_LINES["ann"]):
            late.let_in()
            gone(client.read_exact_head(sock))


@changed.case(limit=60)
def a_url_rule_that_comes_while_the_origin_is_dialled(t):
    config = t.proxy.config
    with full(t, "late.lab.test") as late:
        sock = asked_for(t, "late.lab.test", DEV)
        late.wait_dialled(1)
        tunnel, reply = t.connect("late.lab.test", 80, DEV)
        assert reply.status == 200, reply
        tunnel.sendall(b"GET /x HTTP/1.1\r\nHost: late.lab.test\r\n\r\n")
        late.wait_dialled(2)
        config["url-rules"] = [{"name": "No x", "match": {
            "categories": ["x"]}, "action": "block"}]
        config["categories"] = {"x": {"urls": ["late.lab.test/x"]}}
        try:
            t.proxy.write()
            reload(t)
            late.let_in()
            for each in (sock, tunnel):
                reply = client.read_exact_head(each)
                assert reply.error == "blocked-by-url-rule", reply
        finally:
            del config["url-rules"], config["categories"]
