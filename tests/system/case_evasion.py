"""Ways to say a thing so that a rule does not know it again: another spelling of
a path or host, one host for the rules and another for the origin. What a URL rule
blocks must not get to the origin, and what one bank's rule passes on as it is, is
that bank's alone."""

import os
import ssl
import time

from case_explain import explain
from lab import client, hello, http1
from lab.case import Group
from lab.pki import split

COPILOT = "copilot.test"
UMLAUT = "b\u00fccher.test"
PROXY_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1\0\1\0\2"
PLACES = [COPILOT, UMLAUT, "[2001:db8::7]", "192.0.2.7"]


def settings(lab):
    return {
        "origin": {"connect-to": [
            ":443:127.0.0.1:%d" % lab.port["odd"],
            ":8443:127.0.0.1:%d" % lab.port["odd"],
            ":80:127.0.0.1:%d" % lab.port["plain"]]},
        "categories": {
            "copilot": {"urls": [p + "/github-copilot" for p in PLACES] +
                        [COPILOT + "/features/copilot"]}},
        "ssl-rules": [
            {"name": "Bank", "match": {"hosts": ["bank.test"]},
             "action": "do-not-inspect", "url-policies": "bypass"},
            {"name": "Banned", "match": {"hosts": [
                "banned.test", "verboten-\u00fc.test", "2001:db8::bad"]},
             "action": "block"},
            {"name": "Seen, not judged", "match": {"hosts": ["seen.test"]},
             "action": "inspect", "url-policies": "bypass"},
            {"name": "Rest", "action": "inspect", "untrusted": "allow"}],
        "url-rules": [
            {"name": "No copilot", "match": {"categories": ["copilot"]},
             "action": "block"}]}


evasion = Group("evasion", config=settings)


def refused(t, reply, tag, *words):
    """Nothing of it reached the origin, and why is said."""
    assert reply.status in (400, 403, 421), reply
    assert not words or reply.error in words, reply
    assert not t.seen(tag), "it reached the origin"


def blocked(t, reply, tag):
    refused(t, reply, tag, "blocked-by-url-rule")


def fresh():
    return os.urandom(8).hex()


def raw_connect(t, target):
    """CONNECT with a target as it is given."""
    sock = t.dial()
    sock.sendall(b"CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n"
                 % target.encode("utf-8"))
    reply = client.read_exact_head(sock)
    if reply.status != 200:
        reply.body = b"".join(http1.pieces(http1.reader(sock), reply))
    return sock, reply


def origins_own(t, sock):
    """Whether the odd origin's own certificate is what was shown."""
    with open(t.lab.pki.path("odd.pem")) as f:
        pem = split(f.read())[0]
    return sock.getpeercert(True) == ssl.PEM_cert_to_DER_cert(pem)


def by_explain(t, url, *options):
    said = explain(t.proxy, url, *options)
    rule = (said["http"] or said["ssl"])["rule"]
    return said["outcome"], rule


# --- the path -----------------------------------------------------------------

SAME = [
    "/github-copilot", "/github-copilot/", "/github-copilot/x",
    "/%67ithub-copilot", "/%67%69%74%68%75%62%2d%63%6F%70ilot",
    "/github%2Dcopilot", "/GitHub-Copilot", "/GITHUB-COPILOT", "/%47ithub-"
    "copilot", "//github-copilot", "///github-copilot//", "/./github-copilot",
    "/././/github-copilot", "/x/../github-copilot", "/../github-copilot",
    "/x/y/../../github-copilot", "/x/%2e%2e/github-copilot",
    "/x/.%2E/github-copilot", "/%2e/github-copilot", "/%2Fgithub-copilot",
    "/%2fgithub-copilot", "/x%2F..%2Fgithub-copilot",
    "/x/..%2fgithub-copilot", "/\\github-copilot", "\\github-copilot",
    "/x\\..\\github-copilot", "/%5Cgithub-copilot",
    "/x%5c..%5cgithub-copilot", "/github-copilot;v=1", "/github-copilot;/x",
    "/;x/github-copilot", "/a;b/../github-copilot", "/..;/github-copilot",
    "/.;x/github-copilot", "/github-copilot%3Bv=1", "/github-copilot%2Fx",
    "/github-copilot%2f", "/github-copilot/.", "/github-copilot/%2e",
    "/github-copilot/x/..", "/github-copilot/../github-copilot",
    "/x//../github-copilot", "/x/;/../../github-copilot",
    # servers that merge slashes and decode them, but cut no parameters off
    "/w/x\\y//../../github-copilot/x", "//github-copilot/;/../x",
    "/a%2f/b\\c/../../github-copilot",
    # ... that take dots for a name
    "/github-copilot/..", "/github-copilot/a/../../x",
    "/github-copilot/%2e%2e/", "/github-copilot%2f..",
    "/x/../github-copilot%2f..", "/github-copilot\\..\\x",
    # ... in another order
    "/features//..//copilot", "/features%2f/..%2f/copilot",
    "/x%2f..%2ffeatures;%2fq/copilot",
]
OTHER = [
    "/github-copilots", "/github-copilo", "/x/github-copilot",
    "/x?y=/github-copilot", "/github_copilot",
    # Decoded once it is "%67ithub-copilot": a path of its own.
    "/%2567ithub-copilot", "/%252Fgithub-copilot",
]


@evasion.case(limit=120)
def another_spelling_of_the_path(t):
    for target in SAME:
        tag = fresh()
        sock = t.tls(COPILOT, trust=False)
        reply = t.ask(sock, "GET", target + "?" + tag, COPILOT)
        sock.close()
        try:
            if target[0] == "/":
                blocked(t, reply, tag)
            else:
                refused(t, reply, tag)
        except AssertionError as error:
            raise AssertionError("%s: %s" % (target, error))


@evasion.case(limit=120)
def another_spelling_of_the_path_by_explain(t):
    for target in SAME:
        said = by_explain(t, "https://%s/%s" % (COPILOT, target[1:]))
        assert said == ("block", "No copilot"), (target, said)
        said = by_explain(t, "http://%s/%s?q" % (COPILOT, target[1:]))
        assert said == ("block", "No copilot"), (target, said)


@evasion.case(limit=60)
def what_only_looks_alike_passes_as_it_is(t):
    for target in OTHER:
        tag = fresh()
        sent = target + ("&" if "?" in target else "?") + tag
        sock = t.tls(COPILOT, trust=False)
        reply = t.ask(sock, "GET", sent, COPILOT)
        sock.close()
        assert reply.status == 200, (target, reply)
        seen = t.seen(tag)
        assert len(seen) == 1 and ("GET %s HTTP/1.1" % sent) in str(seen), \
            (target, seen)
        said = by_explain(t, "https://" + COPILOT + target)
        assert said == ("inspect", "default"), (target, said)


@evasion.case
def in_the_clear(t):
    for target in ("/github-copilot", "/%67ithub-copilot", "//github-copilot",
                   "/x/../github-copilot", "/x%2f..%2fGithub-copilot"):
        tag = fresh()
        sock = t.dial()
        reply = t.ask(sock, "GET", "http://%s%s?%s" % (COPILOT, target, tag),
                      COPILOT)
        blocked(t, reply, tag)
        sock, reply = t.connect(COPILOT, 80)  # HTTP in a tunnel
        assert reply.status == 200, reply
        reply = t.ask(sock, "GET", target + "?" + tag, COPILOT)
        blocked(t, reply, tag)


@evasion.case
def behind_a_request_that_may_pass(t):
    """Each request is decided, not the connection."""
    tag = fresh()
    sock = t.tls(COPILOT, trust=False)
    f = http1.reader(sock)
    sock.sendall(http1.head("GET", "/echo", COPILOT) +
                 http1.head("GET", "/github-copilot?" + tag, COPILOT))
    assert http1.read_reply(f).status == 200
    blocked(t, http1.read_reply(f), tag)


@evasion.case
def by_another_method(t):
    for method in "HEAD", "OPTIONS", "DELETE":
        tag = fresh()
        sock = t.tls(COPILOT, trust=False)
        reply = t.ask(sock, method, "/github-copilot?" + tag, COPILOT)
        blocked(t, reply, tag)


# --- the host of a request ----------------------------------------------------

@evasion.case
def another_spelling_of_host(t):
    """It may be refused as malformed; it must not pass."""
    for host in (COPILOT.upper(), COPILOT + ".", COPILOT + ":443",
                 "Copilot.Test.:443", "copilot.test:0443"):
        tag = fresh()
        sock = t.tls(COPILOT, trust=False)
        reply = t.ask(sock, "GET", "/github-copilot?" + tag, host)
        refused(t, reply, tag, "blocked-by-url-rule", "bad-request",
                "wrong-host")


@evasion.case
def host_is_another_than_sni(t):
    for host in ("bank.test", "other.test", COPILOT + ":80",
                 COPILOT + ".evil.test", "127.0.0.1"):
        tag = fresh()
        sock = t.tls(COPILOT, trust=False)
        reply = t.ask(sock, "GET", "/github-copilot?" + tag, host)
        refused(t, reply, tag, "wrong-host", "blocked-by-url-rule")
        sock = t.tls("other.test", trust=False)
        reply = t.ask(sock, "GET", "/x?" + tag, host if host != "other.test"
                      else COPILOT)
        refused(t, reply, tag, "wrong-host", "blocked-by-url-rule")


@evasion.case
def absolute_form_names_another_host(t):
    """RFC 9112, 3.2.2: the target counts, and Host does not."""
    for target, host in (
            ("https://bank.test/github-copilot", COPILOT),
            ("https://copilot.test/github-copilot", "bank.test"),
            ("https://COPILOT.test.:443/github-copilot", COPILOT),
            ("http://copilot.test/github-copilot", COPILOT),
            ("https://user@copilot.test/github-copilot", COPILOT),
            ("https://copilot.test/x/../github-copilot", COPILOT)):
        tag = fresh()
        sock = t.tls(COPILOT, trust=False)
        reply = t.ask(sock, "GET", target + "?" + tag, host)
        refused(t, reply, tag)
    for host in "other.test", "bank.test", COPILOT:
        tag = fresh()
        reply = t.ask(t.dial(), "GET",
                      "http://copilot.test/github-copilot?" + tag, host)
        refused(t, reply, tag, "blocked-by-url-rule", "bad-request")


@evasion.case
def two_hosts(t):
    for fields in (("Host: other.test",), ("Host: " + COPILOT,),
                   ("host : other.test",)):
        tag = fresh()
        sock = t.tls(COPILOT, trust=False)
        reply = t.ask(sock, "GET", "/github-copilot?" + tag, "other.test",
                      *fields)
        refused(t, reply, tag)


# --- the host of a connection -------------------------------------------------

@evasion.case(limit=60)
def another_spelling_of_the_connects_host(t):
    for target in ("COPILOT.TEST:443", "copilot.test.:443",
                   "copilot.test:8443",
                   "\uff43\uff4f\uff50\uff49\uff4c\uff4f\uff54.test:443",
                   "copilot\u3002test:443", "copilot\uff0etest:443",
                   "cop\u00adilot.test:443"):
        sock, reply = raw_connect(t, target)
        if reply.status == 400:
            continue
        assert reply.status == 200, (target, reply)
        tag = fresh()
        tls = t.tls(COPILOT, sock=sock, trust=False)
        assert not origins_own(t, tls), target
        reply = t.ask(tls, "GET", "/github-copilot?" + tag, COPILOT)
        blocked(t, reply, tag)
        sock, reply = raw_connect(t, target)
        tls = t.tls(COPILOT, sock=sock, trust=False, sni=None)
        reply = t.ask(tls, "GET", "/github-copilot?" + tag, COPILOT)
        refused(t, reply, tag)


@evasion.case
def idna_twins(t):
    ascii_ = "xn--bcher-kva.test"
    for host in (UMLAUT, UMLAUT.upper(), "bu\u0308cher.test", ascii_,
                 ascii_.upper(), "\uff42\u00fccher.test", ascii_ + "."):
        sock, reply = raw_connect(t, host + ":443")
        assert reply.status == 200, (host, reply)
        tag = fresh()
        tls = t.tls(ascii_, sock=sock, trust=False)
        reply = t.ask(tls, "GET", "/github-copilot?" + tag, ascii_)
        blocked(t, reply, tag)
        for scheme in "https", "http":
            said = by_explain(t, "%s://%s/github-copilot" % (scheme, host))
            assert said == ("block", "No copilot"), (host, said)
    for host in ("VERBOTEN-\u00dc.test", "xn--verboten--y9a.test",
                 "verboten-u\u0308.test"):
        sock, reply = raw_connect(t, host + ":443")
        assert reply.status == 403, (host, reply)
        assert by_explain(t, "https://%s/" % host)[0] == "block", host


@evasion.case
def another_spelling_of_the_host_by_explain(t):
    for host in (COPILOT.upper(), COPILOT + ".", COPILOT + ":443",
                 COPILOT + ":8443", "copilot\u3002test",
                 "\uff43opilot.test"):
        said = by_explain(t, "https://%s/github-copilot" % host)
        assert said == ("block", "No copilot"), (host, said)


@evasion.case
def addresses(t):
    for host in ("[2001:db8::7]", "[2001:0DB8:0:0::0007]",
                 "[2001:db8::0.0.0.7]", "192.0.2.7", "[::ffff:192.0.2.7]",
                 "[::ffff:c000:207]"):
        sock, reply = raw_connect(t, host + ":443")
        assert reply.status == 200, (host, reply)
        tag = fresh()
        tls = t.tls(host, sock=sock, trust=False, sni=None)
        reply = t.ask(tls, "GET", "/github-copilot?" + tag, host)
        blocked(t, reply, tag)
        reply = t.ask(t.dial(), "GET", "http://%s/github-copilot?%s" % (
            host, tag), host)
        blocked(t, reply, tag)
        for scheme in "https", "http":
            said = by_explain(t, "%s://%s/github-copilot" % (scheme, host))
            assert said == ("block", "No copilot"), (host, said)
    for host in "[2001:db8::bad]", "[2001:DB8:0::0bad]":
        sock, reply = raw_connect(t, host + ":443")
        assert reply.status == 403, (host, reply)
        assert by_explain(t, "https://%s/" % host) == ("block", "Banned")


@evasion.case
def no_address_at_all(t):
    """What resolvers read as an address, and rules would not."""
    for host in ("192.0.519", "3221225991", "0xc0000207", "0300.0.2.7",
                 "192.0.2.7%00", "[2001:db8::7%25lo]", "bank.test@copilot."
                 "test", "copilot.test%2e", "cop%69lot.test"):
        sock, reply = raw_connect(t, host + ":443")
        assert reply.status == 400, (host, reply)


# --- two names for one connection ---------------------------------------------

@evasion.case
def sni_is_another_than_connects(t):
    """By both, and the stricter: nobody is tunnelled by naming a bank."""
    tls = t.tls("bank.test", trust=False)
    assert origins_own(t, tls), "the bank is not left alone"
    for host, sni in (("bank.test", COPILOT), (COPILOT, "bank.test")):
        tag = fresh()
        tls = t.tls(host, sni=sni, trust=False)
        assert not origins_own(t, tls), (host, sni)
        reply = t.ask(tls, "GET", "/github-copilot?" + tag, COPILOT)
        refused(t, reply, tag)
        said = explain(t.proxy, "https://%s/github-copilot" % host, "--sni",
                       sni)
        assert said["ssl"]["action"] == "inspect", said
        assert said["outcome"] == "block", said
    said = explain(t.proxy, "https://bank.test/", "--sni", "bank.test")
    assert said["outcome"] == "do-not-inspect", said


@evasion.case
def what_is_banned_by_either_name(t):
    sock, reply = t.connect("banned.test")
    assert reply.status == 403 and reply.error == "blocked-by-rule", reply
    try:
        t.tls("bank.test", sni="banned.test", trust=False)
    except (ssl.SSLError, ConnectionError):
        pass
    else:
        raise AssertionError("banned.test is let in behind bank.test")
    for host, sni in (("banned.test", "bank.test"),
                      ("bank.test", "banned.test")):
        said = explain(t.proxy, "https://%s/" % host, "--sni", sni)
        assert (said["outcome"], said["ssl"]["rule"]) == (
            "block", "Banned"), said


@evasion.case
def names_that_only_look_like_the_banks(t):
    for host in ("xbank.test", "bank.test.copilot.test", "www.bank.test",
                 "bank-test", "bank.test.evil.test", "b\u0430nk.test"):
        name = host.encode("idna").decode() if not host.isascii() else host
        sock, reply = raw_connect(t, host + ":443")
        assert reply.status == 200, (host, reply)
        tls = t.tls(name, sock=sock, trust=False)
        assert not origins_own(t, tls), host
        assert by_explain(t, "https://" + host)[0] == "inspect", host


@evasion.case
def the_banks_own_spellings_are_the_banks(t):
    """What is left alone stays so: rules that let pass are no looser, and no
    stricter, than those that block."""
    for host in "BANK.test", "bank.test.", "\uff42ank.test":
        sock, reply = raw_connect(t, host + ":443")
        assert reply.status == 200, (host, reply)
        tls = t.tls("bank.test", sock=sock, trust=False)
        assert origins_own(t, tls), host
        assert by_explain(t, "https://" + host) == (
            "do-not-inspect", "Bank"), host


# --- what does not look like HTTP ------------------------------------------------

@evasion.case
def a_first_line_that_is_odd(t):
    """Servers answer it with an error, and take what follows."""
    for first in (b"SSH-X / HTTP/1.1\r\nHost: copilot.test\r\n\r\n",
                  b"A" * 120 + b" / HTTP/1.1\r\nHost: copilot.test\r\n\r\n",
                  b" ", b"\x0c", b"\x0b", b"\x1f", b"\t ",
                  b"SSH-2.0-x / HTTP/1.1\r\nHost: copilot.test\r\n\r\n",
                  b"G(T / HTTP/1.1\r\nHost: copilot.test\r\n\r\n",
                  b"\x80{ / x\r\nHost: copilot.test\r\n\r\n",
                  b"(" * 70000 + b" / \r\nHost: copilot.test\r\n\r\n",
                  b"GET\v/\vHTTP/1.1\r\nHost: copilot.test\r\n\r\n",
                  b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
                  b"PROXY UNKNOWN\r\n", PROXY_2):
        for tls in (False, True):
            tag = fresh()
            sock = t.tls(COPILOT, trust=False, alpn=()) if tls else \
                t.tunnel(COPILOT, 80)
            sock.sendall(first + http1.head(
                "GET", "/github-copilot?" + tag, COPILOT))
            try:
                while sock.recv(65536):
                    pass
            except OSError:
                pass
            assert not t.seen(tag), (first[:20], tls)


@evasion.case
def a_first_line_in_pieces(t):
    """Each byte is passed on as it comes, but not the one that would make a
    request of it."""
    for first in (b"\0", b"G(T", b"SSH-2.0-x", b"\x80\n"):
        tag = fresh()
        sock = t.tunnel("192.0.2.7", 80)
        for piece in (first, b" /%s" % tag.encode(), b" HTTP/1.1\r\n", b"\r\n"):
            try:
                sock.sendall(piece)
            except OSError:
                break
            time.sleep(0.2)
        assert not t.seen(tag), first
    t.line(count=4, kind="tunnel", reason="bad-request")


@evasion.case
def the_proxy_protocol_hides_no_name(t):
    for first in (PROXY_2, b"PROXY TCP6 ::1 ::1 1 2\r\n"):
        t.mark()
        sock = t.tunnel("other.test", 443)
        sock.sendall(first + hello.records(hello.message(sni="banned.test")))
        try:
            assert sock.recv(100) == b"", first
        except ConnectionError:
            pass
        line = t.line(host="other.test", reason="bad-request")
        assert "PROXY" in line["why"], line


# --- two names -------------------------------------------------------------------

@evasion.case
def what_is_closed_by_the_connects_name(t):
    """The SNI and Host are another's: the rules ask about both."""
    tag = fresh()
    sock = t.tls(COPILOT, sni="other.test", trust=False)
    reply = t.ask(sock, "GET", "/github-copilot?" + tag, "other.test")
    blocked(t, reply, tag)
    said, rule = by_explain(t, "https://%s/github-copilot" % COPILOT,
                            "--sni", "other.test")
    assert (said, rule) == ("block", "No copilot"), (said, rule)


one_name = Group("evasion/address", config=lambda lab: {
    "ssl-rules": [
        {"name": "Bank", "match": {"hosts": ["bank.lab.test"]},
         "action": "do-not-inspect"},
        {"name": "Told", "match": {
            "hosts": ["127.0.0.1:%d" % lab.port["rsa"]]},
         "action": "block", "notify": True},
        {"name": "Seen", "match": {
            "hosts": ["127.0.0.1:%d" % lab.port["bank"]]},
         "action": "inspect"}],
    "url-rules": [{"name": "Shut", "match": {
        "hosts": ["127.0.0.1:%d" % lab.port["ec"]]}, "action": "block"}]})

@one_name.case
def a_name_for_an_address_that_rules_name(t):
    """The SNI leads there: one name, and rules by address count all the same."""
    for name, reason in (("ec", "blocked-by-url-rule"),
                         ("rsa", "blocked-by-rule"), ("bank", None),
                         ("tools", None)):
        host = name + ".lab.test"
        t.mark()
        sock = t.tls("127.0.0.1", t.lab.port[name], sni=host)
        reply = t.ask(sock, "GET", "/1k", "%s:%d" % (host, t.lab.port[name]))
        assert reply.error == reason, (name, reply)
        line = t.line(host="127.0.0.1")
        assert line["kind"] == "exchange" and line["names"] == "same", line
        assert line["rule"] == {"rsa": "Told", "bank": "Seen"}.get(
            name, "default"), line
    tls = t.tls("bank.lab.test", trust=t.lab.pki.root)
    assert t.ask(tls, "GET", "/1k", "bank.lab.test").status == 200


all_but_one = Group("evasion/all-but", config=lambda lab: {
    "ssl-rules": [
        {"name": "Seen", "match": {
            "hosts": ["127.0.0.1:%d" % lab.port["ec"]]},
         "action": "inspect"},
        {"name": "Rest", "not": {
            "hosts": ["127.0.0.1:%d" % lab.port["bank"]]},
         "action": "do-not-inspect"}],
    "url-rules": [
        {"name": "Open", "not": {
            "hosts": ["127.0.0.1:%d" % lab.port["ec"]]},
         "action": "allow"},
        {"name": "Shut", "action": "block"}]})


@all_but_one.case
def a_name_for_an_address_that_a_rule_leaves_out(t):
    """Likewise where it stands in a rule's `not` alone."""
    for name, rule, url_rule, outcome in (
            ("bank", "default", "Open", "inspect"),
            ("rsa", "Rest", "Open", "do-not-inspect"),
            ("ec", "Seen", "Shut", "block")):
        host, port = name + ".lab.test", t.lab.port[name]
        t.mark()
        sock = t.tls("127.0.0.1", port, sni=host, trust=False)
        reply = t.ask(sock, "GET", "/1k", "%s:%d" % (host, port))
        sock.close()
        assert (reply.status == 200) == (outcome != "block"), reply
        line = t.line(host="127.0.0.1")
        assert (line["rule"], line["url_rule"]) == (rule, url_rule), line
        said = by_explain(t, "https://127.0.0.1:%d/1k" % port, "--sni", host)
        assert said == (outcome, url_rule), said


@evasion.case
def bypassed_by_one_name_alone(t):
    """That name's rule asks no URL rule, and is the stricter in all else; the
    address it is asked at does."""
    tag = fresh()
    sock = t.tunnel("192.0.2.7", 80)
    reply = t.ask(sock, "GET", "/github-copilot?" + tag, "seen.test")
    blocked(t, reply, tag)


@evasion.case
def another_scheme_in_the_clear(t):
    tag = fresh()
    sock = t.tunnel(COPILOT, 80)
    for target in ("https://%s/?%s" % (COPILOT, tag),
                   "http://%s:8443/?%s" % (COPILOT, tag)):
        reply = t.ask(sock, "GET", target, COPILOT)
        refused(t, reply, tag, "wrong-host")
