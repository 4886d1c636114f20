"""Revocation lists: how long they hold, how they are counted, how long a cache
may keep one; and that the keeper goes by the rules of a reload."""

import datetime
import os
import re
import signal
import sqlite3
import time

from case_leaf import crl_of, date, shown, utc
from case_run import Running
from lab import http1
from lab.api import Api
from lab.case import Group, eventually
from lab.pki import openssl
from lab.sallyport import merged

crl = Group("crl", config=None)
DAY = 24 * 3600


def ask(t, url):
    """What a verifier gets at a CDP: from the proxy listener, straight."""
    where, _, path = url.partition("//")[2].partition("/")
    assert where == "127.0.0.1:%d" % t.proxy.port, url
    reply = t.ask(t.dial(), "GET", "/" + path, where)
    assert reply.status == 200, reply
    return reply


def word(reply, which):
    """One of openssl's words on a CRL."""
    return openssl("crl", "-inform", "DER", "-noout", "-" + which,
                   stdin=reply.body).decode().partition("=")[2].strip()


def end(reply):
    return datetime.datetime.strptime(word(reply, "nextupdate"),
                                      "%b %d %H:%M:%S %Y GMT")


def number(t, name):
    url = "http://127.0.0.1:%d/crl/%s.crl" % (t.proxy.port, name)
    return int(word(ask(t, url), "crlnumber"), 16)


def age(reply):
    """How long a cache may keep it, in seconds."""
    found = re.fullmatch(r"public, max-age=(\d+)",
                         reply.get("cache-control") or "")
    assert found, reply.fields
    return int(found.group(1))


@crl.case
def an_issuing_cas_first_holds_until_it_ends(t):
    """Nothing is owed once its key has gone."""
    with Running(t):
        leaf, issuing, _ = shown(t, "ec.lab.test")
        reply = ask(t, crl_of(leaf))
        assert end(reply) == date(issuing, "enddate"), reply.body
        assert int(word(reply, "crlnumber"), 16) == 1


@crl.case
def caches_keep_none_for_too_long(t):
    running = Running(t)
    with running as proxy:
        chain = shown(t, "ec.lab.test")
        for pem in chain:
            reply = ask(t, crl_of(pem))
            assert reply.get("content-type") == "application/pkix-crl", \
                reply.fields
            until = end(reply) - utc()
            assert 0 < age(reply) <= 3600, reply.fields
            assert age(reply) < until.total_seconds(), reply.fields
    soon = 600  # another will be made then
    store = sqlite3.connect(os.path.join(proxy.config["state"],
                                         "sallyport.db"))
    with store:
        store.execute("UPDATE ca SET crl_time = ? WHERE crl "
                      "NOT NULL", (int(time.time()) - DAY + soon,))
    store.close()
    with running:
        for pem in chain[1:]:
            assert 0 < age(ask(t, crl_of(pem))) <= soon


@crl.case(limit=60)
def each_has_a_number_of_its_own(t):
    """A verifier takes no older one for a newer (RFC 5280, 5.2.3)."""
    running = Running(t)
    with running as proxy:
        api = Api(proxy)
        seen = [number(t, "1")]
        for _ in range(2):
            serial = api.json("GET", "/sallyport/issuing")[-1]["serialNumber"]
            api.json("POST", "/sallyport/revoke", {"issuing": serial})
            seen.append(number(t, "1"))
        above = [number(t, "2")]
        api.json("POST", "/sallyport/revoke", {"ca": 1})
        above.append(number(t, "2"))
    store = sqlite3.connect(os.path.join(proxy.config["state"],
                                         "sallyport.db"))
    with store:  # and each is due
        store.execute("UPDATE ca SET crl_time = crl_time - ? WHERE crl NOT "
                      "NULL", (2 * DAY,))
    store.close()
    with running:
        above.append(number(t, "2"))
    assert seen == sorted(set(seen)) and len(seen) == 3, seen
    assert above == sorted(set(above)) and len(above) == 3, above


@crl.case
def the_keeper_goes_by_the_rules_of_a_reload(t):
    """It is who says how long an issuing CA lives."""
    def life():
        issuing = shown(t, "ec.lab.test")[1]
        return date(issuing, "enddate") - date(issuing, "startdate")
    with Running(t, {"issuing": {"validity": "14d"}}) as proxy:
        before = life()
        proxy.config = merged(proxy.config, {"issuing": {"validity": "3d"}})
        proxy.write()
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: "reloaded" in proxy.stderr())
        assert before - life() == datetime.timedelta(days=11), life()
