"""The admin listener and the control socket: who may come, and what of what is
wrong, too large or too much."""

import json
import os
import re
import socket
import sqlite3
import ssl
import threading
import time

from case_ca import obfuscate
from case_run import Running
from lab import http1
from lab.api import CA, Api, Organization, multipart
from lab.case import Group, eventually
from lab.pki import openssl

admin = Group("admin")
own = Group("admin-own", config=None)  # each case has a Sallyport of its own


class Wire:
    """One connection to the admin listener, or to the control socket, by
    hand."""

    def __init__(self, t, control=False, proxy=None):
        proxy = proxy or t.proxy
        if control:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(os.path.join(proxy.config["state"],
                                           "control.sock"))
        else:
            self.sock = proxy.dial(proxy.aport)
        t.open.append(self.sock)
        self.at = "127.0.0.1:%d" % proxy.aport
        self.reader = http1.reader(self.sock)

    def send(self, method, target, *fields, body=b"", host=None):
        if body:
            fields += ("Content-Length: %d" % len(body),)
        self.sock.sendall(http1.head(method, target, host or self.at,
                                     *fields) + body)

    def reply(self, method="GET"):
        return http1.read_reply(self.reader, method)

    def ask(self, method, target, *fields, **how):
        self.send(method, target, *fields, **how)
        return self.reply(method)

    def ended(self, seconds):
        """Whether our peer ends within that time."""
        self.sock.settimeout(seconds)
        try:
            return self.sock.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


def bearer(proxy):
    with open(os.path.join(proxy.config["state"], "admin-token")) as f:
        return "Authorization: Bearer " + f.read().strip()


def told(reply, status, code, words):
    """A refusal as the API has them."""
    assert reply.status == status, reply
    assert reply.get("content-type") == "application/json", reply.fields
    said = json.loads(reply.body)
    assert said["code"] == code and words in said["message"], said


def token(t, proxy, name, kind):
    done = t.run(t.binary, "token", "create", name, "--kind", kind, "--json",
                 "-c", proxy.file)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def begin_session(api, login):
    """The reply to a login, as the vendor's clients make it."""
    stamp = int(time.time() * 1000)
    return api.call("POST", "/authenticatedSession", json.dumps({
        "username": login["username"], "password": login["password"],
        "apiKey": obfuscate(login["apiKey"], stamp),
        "timestamp": stamp}), "application/json")


def oauth(api, client, secret):
    return api.call("POST", "/oauth2/v1/token", "grant_type="
                    "client_credentials&client_id=%s&client_secret=%s"
                    % (client, secret), "application/x-www-form-urlencoded",
                    base="")


# --- by which name ------------------------------------------------------------

@admin.case
def other_hosts_are_not_answered(t):
    """Neither pages nor calls nor logins: DNS rebinding."""
    auth = bearer(t.proxy)
    for target in ("/api/v1" + CA, "/zia/api/v1" + CA, "/oauth2/v1/token",
                   "/api/v1/authenticatedSession", "/api"):
        for host in ("rebound.example", "rebound.example:%d" % t.proxy.aport,
                     "127.0.0.1.rebound.example"):
            told(Wire(t).ask("GET", target, auth, host=host), 421,
                 "MISDIRECTED_REQUEST", "does not go by that name")
        for host in ("localhost", "sallyport.internal", "127.0.0.1"):
            assert Wire(t).ask("GET", target, auth, host=host).status != 421
    page = Wire(t).ask("GET", "/", host="rebound.example")
    assert page.status == 421 and b"{" not in page.body, page
    assert Wire(t, control=True).ask(
        "GET", "/api/v1" + CA, host="rebound.example").status == 200


# --- what does not fit --------------------------------------------------------

@admin.case
def a_field_that_does_not_fit_is_refused(t):
    """It is not left out: an Origin that is too long would be none."""
    for field in ("Origin: https://%s.example" % ("a" * 1100),
                  "Authorization: Bearer " + "a" * 1100,
                  "Content-Type: text/" + "a" * 1100,
                  "Cookie: a=" + "a" * 8200):
        wire = Wire(t)
        told(wire.ask("GET", "/api/v1" + CA, field), 431, "FIELD_TOO_LARGE",
             field.partition(":")[0])
    login = token(t, t.proxy, "long", "session")
    reply = begin_session(Api(t.proxy, token=False), login)
    cookie = reply.fields["Set-Cookie"].partition(";")[0]
    wire = Wire(t)
    assert wire.ask("GET", "/api/v1" + CA, "Cookie: %s; b=%s" % (
        cookie, "b" * 7000)).status == 200, "a cookie has 8 KB"
    told(wire.ask("POST", "/api/v1" + CA, "Cookie: " + cookie,
                  "Content-Type: application/json", "Origin: https://%s" %
                  ("a" * 1100), body=b'{"name":"forged","type":"CUSTOM_SW"}'),
         431, "FIELD_TOO_LARGE", "Origin")
    names = [c["name"] for c in Api(t.proxy).json("GET", CA)]
    assert "forged" not in names, names
    head = Wire(t).ask("GET", "/api/v1" + CA, *["X-%d: %s" % (
        i, "a" * 900) for i in range(20)])
    assert head.status == 431, head


@admin.case(limit=60)
def a_body_that_does_not_fit_is_told_so(t):
    """In the API's way, after the login; and read, so that the answer comes."""
    auth, api = bearer(t.proxy), Api(t.proxy)
    large = b'{"name":"' + b"a" * 100000 + b'"}'
    wire = Wire(t)
    told(wire.ask("POST", "/api/v1" + CA, "Content-Type: application/json",
                  body=large), 401, "SESSION_NOT_VALID", "login")
    told(wire.ask("POST", "/api/v1" + CA, "Content-Type: application/json",
                  auth, body=large), 413, "PAYLOAD_TOO_LARGE", "80 KB")
    assert wire.ask("GET", "/api/v1" + CA, auth).status == 200, \
        "the connection goes on"
    ca = api.create("Too large")
    for size in (90000, 200000, 3000000):
        type_, body = multipart("cert.pem", b"a" * size)
        told(Wire(t).ask("POST", "/api/v1%s/uploadCert/%d" % (CA, ca), auth,
                         "Content-Type: " + type_, body=body), 400,
             "INVALID_INPUT_ARGUMENT", "larger than 64 KB")
    chunked = Wire(t)
    chunked.send("POST", "/api/v1" + CA, auth, "Transfer-Encoding: chunked")
    chunked.sock.sendall(b"10000\r\n" + b"a" * 65536 + b"\r\n" +
                         b"10000\r\n" + b"a" * 65536 + b"\r\n0\r\n\r\n")
    told(chunked.reply(), 413, "PAYLOAD_TOO_LARGE", "80 KB")
    endless = Wire(t)
    endless.send("POST", "/api/v1" + CA, auth, "Content-Length: 99999999")
    endless.sock.sendall(b"a" * 6000000)
    told(endless.reply(), 413, "PAYLOAD_TOO_LARGE", "80 KB")
    endless.sock.shutdown(socket.SHUT_WR)
    assert endless.ended(4)


@admin.case(limit=60)
def large_files_by_command(t):
    """The sentence, not that the proxy does not answer."""
    Api(t.proxy).create("By command")
    for size in (90000, 200000):
        file = t.write("large.pem", "a" * size)
        done = t.run(t.binary, "ca", "upload", "By command", file, "-c",
                     t.proxy.file)
        assert done.returncode == 1, done
        assert "larger than 64 KB" in done.stderr, (size, done.stderr)


@own.case
def an_answer_that_comes_early(t):
    """A command sees why it is refused, though its file was not taken."""
    with Running(t) as proxy:
        state = proxy.config["state"]
    server = socket.socket(socket.AF_UNIX)
    server.bind(os.path.join(state, "control.sock"))
    server.listen()
    t.open.append(server)

    def answer(status, value):
        body = json.dumps(value)
        return ("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-"
                "Length: %d\r\n\r\n%s" % (status, len(body), body)).encode()

    def serve():
        sock = server.accept()[0]
        while data := sock.recv(4096):
            if data.startswith(b"POST"):
                sock.sendall(answer("400 Bad Request", {
                    "code": "INVALID_INPUT_ARGUMENT", "message": "Early."}))
                break
            sock.sendall(answer("200 OK", [{
                "id": 7, "name": "Large", "type": "CUSTOM_SW"}]))
        sock.close()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    done = t.run(t.binary, "ca", "upload", "Large",
                 t.write("large.pem", "a" * 900000), "-c", proxy.file)
    assert done.returncode == 1 and "Early." in done.stderr, done


# --- one connection -----------------------------------------------------------

@admin.case
def who_has_ended_is_not_waited_for(t):
    """A request and a FIN, together or apart: an answer and an end."""
    auth = bearer(t.proxy)
    ask = http1.head("GET", "/api/v1" + CA, "127.0.0.1", auth)
    page = http1.head("GET", "/healthz", "127.0.0.1")
    for requests in ([ask], [page], [ask, ask], [ask, page], [page, ask]):
        for pause in (0, 0.01):
            wire = Wire(t)
            wire.sock.sendall(b"".join(requests))
            time.sleep(pause)
            wire.sock.shutdown(socket.SHUT_WR)
            for _ in requests:
                assert wire.reply().status == 200
            assert wire.ended(20), "left open"


@admin.case(limit=60)
def a_crowd_locks_nobody_out(t):
    """Connections that stay idle make room; the control socket has its own."""
    crowd = [Wire(t) for _ in range(600)]
    for wire in crowd[-20:]:
        wire.send("GET", "/healthz")
        assert wire.reply().status == 200
    assert Wire(t).ask("GET", "/healthz").status == 200
    assert crowd[0].ended(20), "the oldest"
    done = t.run(t.binary, "ca", "list", "-c", t.proxy.file)
    assert done.returncode == 0, done.stderr
    assert crowd[-1].ask("GET", "/healthz").status == 200
    for wire in crowd:
        wire.sock.close()


@admin.case(limit=60)
def a_crowd_at_the_control_socket(t):
    crowd = [Wire(t, control=True) for _ in range(600)]
    assert Wire(t).ask("GET", "/healthz").status == 200
    done = t.run(t.binary, "ca", "list", "-c", t.proxy.file)
    assert done.returncode == 0, done.stderr
    for wire in crowd:
        wire.sock.close()


@admin.case(limit=90)
def a_request_has_a_deadline(t):
    """From its first byte to its last, however slowly both come."""
    wire = Wire(t)
    began = time.monotonic()
    wire.sock.sendall(b"POST /api/v1%s HTTP/1.1\r\nHost: localhost\r\n"
                      b"Content-Length: 1000\r\n" % CA.encode())
    time.sleep(20)
    wire.sock.sendall(b"\r\n")
    assert wire.ended(40)
    assert time.monotonic() - began < 45, time.monotonic() - began


@admin.case
def a_refusal_after_a_head_has_its_body(t):
    wire = Wire(t)
    head = wire.ask("HEAD", "/healthz")
    assert head.status == 200 and not head.body, head
    wire.sock.sendall(b"nonsense\r\n\r\n")
    reply = wire.reply()
    assert reply.status == 400 and b"HTTP/1.1" in reply.body, reply


@admin.case
def answers_have_a_date(t):
    """RFC 9110, 6.6.1"""
    for reply in (Wire(t).ask("GET", "/healthz"),
                  Wire(t).ask("GET", "/api/v1" + CA)):
        assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2}"
                            r" \d{4} \d\d:\d\d:\d\d GMT",
                            reply.get("date") or ""), reply.fields


@admin.case
def each_answer_is_for_what_it_says_it_is(t):
    """No browser may guess another type, keep it, or load more by it."""
    for ask in (("GET", "/"), ("GET", "/check"), ("GET", "/nope"),
                ("POST", "/"), ("GET", "/proxy.pac"), ("GET", "/ca/root.der"),
                ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics"),
                ("GET", "/api/v1/nope"), ("DELETE", "/metrics"),
                ("GET", "x:/bad"), ("GET", "/" + 4096 * "a")):
        for accept in ("Accept: text/html",), ():
            wire = Wire(t)
            reply = wire.ask(*ask, *accept)
            assert reply.get("x-content-type-options") == "nosniff", ask
            assert reply.get("cache-control") == "no-store", ask
            policy = reply.get("content-security-policy") or ""
            assert policy.startswith("default-src 'none'") == \
                reply.get("content-type").startswith("text/html"), ask
    reply = Wire(t).ask("GET", "/", host="evil.test")
    assert (reply.status, reply.get("x-content-type-options")) == (
        421, "nosniff"), reply


@admin.case
def an_upload_for_no_ca_says_so(t):
    """Whatever the body is."""
    api = Api(t.proxy)
    for step in ("uploadCert", "uploadCertChain"):
        for ca, status in ((1, 403), (999, 404)):
            reply = api.call("POST", "%s/%s/%d" % (CA, step, ca), "{}",
                             "application/json")
            assert reply.status == status, (step, ca, reply)
    draft = api.create("No file")
    assert api.call("POST", "%s/uploadCertChain/%d" % (CA, draft), "{}",
                    "application/json").status == 415


# --- much at once -------------------------------------------------------------

def hold(proxy):
    """The store's lock, as another process has it while it writes."""
    db = sqlite3.connect(os.path.join(proxy.config["state"], "sallyport.db"),
                         isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    return db


@own.case(limit=60)
def calls_that_wait_hold_up_no_leaves(t):
    """Calls have threads of their own: a default CA whose key the keeper has
    signs leaves while all of them wait for the store."""
    org = Organization(t)
    with Running(t) as proxy:
        api = Api(proxy)
        api.bring("Zero", org, path_length=0)
        proxy.root = org.root_file
        assert t.fetch("https://ec.lab.test/1k").status == 200
        db, answers = hold(proxy), []

        def create(number):
            answers.append(api.call("POST", CA, json.dumps(
                {"name": "Waits %d" % number, "type": "CUSTOM_SW"}),
                "application/json").status)
        threads = [threading.Thread(target=create, args=(i,))
                   for i in range(100)]
        for thread in threads:
            thread.start()
        try:
            assert eventually(lambda: 503 in answers), answers
            began = time.monotonic()
            assert t.fetch("https://rsa.lab.test/1k").status == 200
            # A writer is waited for for ten seconds.
            assert time.monotonic() - began < 8, time.monotonic() - began
            done = Wire(t, proxy=proxy).ask("GET", "/healthz")
            assert done.status == 200, done
        finally:
            db.execute("ROLLBACK")
            db.close()
            for thread in threads:
                thread.join()
        assert set(answers) == {200, 503}, set(answers)
        told(Wire(t).ask("GET", "/api/v1" + CA), 401, "SESSION_NOT_VALID", "")


@own.case(limit=60)
def stopping_waits_for_no_line(t):
    """Calls that nobody has begun with are let go."""
    with Running(t) as proxy:
        api, db = Api(proxy), hold(proxy)

        def create():
            try:
                api.call("POST", CA, '{"name":"a","type":"CUSTOM_SW"}',
                         "application/json")
            except OSError:
                pass
        threads = [threading.Thread(target=create) for _ in range(40)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        began = time.monotonic()
        proxy.process.terminate()
        assert eventually(lambda: proxy.process.poll() is not None, 30)
        assert time.monotonic() - began < 20, time.monotonic() - began
        db.close()
        for thread in threads:
            thread.join()


@own.case(limit=60)
def a_token_is_looked_up_beside_a_writer(t):
    """Who reads waits for nobody; and what was deleted is dead at once."""
    with Running(t) as proxy:
        api = Api(proxy, token=False)
        api.fields["Authorization"] = "Bearer " + token(
            t, proxy, "ci", "bearer")["token"]
        wrong = Api(proxy, token=False)
        wrong.fields["Authorization"] = "Bearer nope"
        db = hold(proxy)
        try:
            began = time.monotonic()
            assert api.call("GET", "/authenticatedSession").status == 200
            assert wrong.call("GET", CA).status == 401
            # A writer is waited for for ten seconds.
            assert time.monotonic() - began < 8, time.monotonic() - began
        finally:
            db.execute("ROLLBACK")
            db.close()
        done = t.run(t.binary, "token", "delete", "ci", "-c", proxy.file)
        assert done.returncode == 0, done
        assert api.call("GET", "/authenticatedSession").status == 401


# --- logins -------------------------------------------------------------------

@own.case(limit=60)
def logins_leave_a_trace(t):
    """A line where one is refused, and no secret in it; one in the audit where
    one is made."""
    with Running(t) as proxy:
        api = Api(proxy, token=False)
        client = token(t, proxy, "app", "oauth")
        login = token(t, proxy, "ann", "session")
        assert oauth(api, client["clientId"],
                     client["clientSecret"]).status == 200
        for _ in range(3):  # once a minute is enough of it
            assert begin_session(api, login).status == 200
        lines = Api(proxy).json("GET", "/sallyport/audit")
        made = [l["who"] for l in lines if l["what"] == "login"]
        assert made == ["oauth app", "session ann"], lines

        before = proxy.stderr()
        api.fields["Authorization"] = "Bearer nope"
        assert api.call("GET", CA).status == 401
        del api.fields["Authorization"]
        assert api.call("GET", CA, Cookie="JSESSIONID=nope2").status == 401
        assert oauth(api, "a%0Ab", "nope3").status == 401
        assert begin_session(api, dict(login, password="nope4")).status == 401
        said = proxy.stderr()[len(before):]
        lines = [l for l in said.splitlines() if "login refused" in l]
        for words in ("bearer token", "session,", 'client "a', 'user "ann"'):
            assert [l for l in lines if words in l and
                    "127.0.0.1:" in l], (words, said)
        assert len(lines) == 4 and "nope" not in said, said
        for _ in range(60):
            api.call("GET", CA, Authorization="Bearer nope")
        assert eventually(lambda: "more logins were refused" in
                          proxy.stderr())
        said = proxy.stderr()[len(before):].splitlines()
        assert len([l for l in said if "login refused" in l]) < 50, len(said)


@admin.case
def a_session_by_oauth_ends_too(t):
    """DELETE ends what it was called with."""
    client = token(t, t.proxy, "ends", "oauth")
    api = Api(t.proxy, base="/zia/api/v1", token=False)
    reply = oauth(api, client["clientId"], client["clientSecret"])
    api.fields["Authorization"] = "Bearer " + reply.json["access_token"]
    assert api.call("GET", "/authenticatedSession").status == 200
    assert api.call("DELETE", "/authenticatedSession").status == 204
    assert api.call("GET", CA).status == 401


# --- starting; TLS ------------------------------------------------------------

@own.case(limit=60)
def an_empty_token_file_is_written_anew(t):
    """As a death at the wrong moment could leave it."""
    with Running(t) as proxy:
        state = proxy.config["state"]
    path = os.path.join(state, "admin-token")
    open(path, "w").close()
    with Running(t, {"state": state}, "again") as proxy:
        assert len(Api(proxy).json("GET", CA)) == 1
        assert os.stat(path).st_mode & 0o777 == 0o600
        assert not [n for n in os.listdir(state) if "token." in n]


@own.case(limit=60)
def tls_has_one_certificate_a_name(t):
    """It is signed once, not at each handshake; and who speaks http is told."""
    running = Running(t)
    proxy = running.proxy
    proxy.config["listen"]["admin"] = "0.0.0.0:%d" % proxy.aport

    def shown(name=None):
        settings = t.settings(proxy.root)
        settings.check_hostname = bool(name)
        with socket.create_connection(("127.0.0.1", proxy.aport), 10) as sock:
            with settings.wrap_socket(sock, server_hostname=name) as tls:
                return tls.getpeercert(binary_form=True)
    with running:
        assert "REST API on https://0.0.0.0:" in proxy.stderr()
        for name in ("localhost", "sallyport.internal", None):
            assert shown(name) == shown(name), name
        first = shown("localhost")
        assert first != shown()
        done = t.run(t.binary, "ca", "revoke", "--ca",
                     "1", "-c", proxy.file)
        assert done.returncode == 0, done
        assert shown("localhost") != first, "the old one's issuer is revoked"
        plain = t.run("curl", "-sS", "-i", "http://127.0.0.1:%d/api/v1" %
                      proxy.aport, env=t.env(no_proxy="*"))
        assert " 400 " in plain.stdout and "https" in plain.stdout, plain
