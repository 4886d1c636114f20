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


# --- much at once -------------------------------------------------------------

def hold(proxy):
    """The store's lock, as another process has it while it writes."""
    db = sqlite3.connect(os.path.join(proxy.config["state"], "sallyport.db"),
                         isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    return db
