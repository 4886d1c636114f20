"""Ambiguous messages: refused, never passed on, and the connection ends."""

import json

from lab import http1
from lab.case import Group, NotRun
from lab.odd import BAD as RESPONSES

ODD = "odd.lab.test"
smuggling = Group("smuggling")

# Each is sent as it is, the marker behind it as a second request.
BAD = {
    "two lengths": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                   "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "two lengths in one": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                          "Content-Length: 5, 6\r\n\r\nhello",
    "length and chunked": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                          "Content-Length: 5\r\nTransfer-Encoding: chunked"
                          "\r\n\r\n0\r\n\r\n",
    "chunked and length": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                          "Transfer-Encoding: chunked\r\n"
                          "Content-Length: 5\r\n\r\n0\r\n\r\n",
    "signed length": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                     "Content-Length: +5\r\n\r\nhello",
    "hexadecimal length": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                          "Content-Length: 0x5\r\n\r\nhello",
    "huge length": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                   "Content-Length: 99999999999999999999999\r\n\r\nhello",
    "chunked twice": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                     "Transfer-Encoding: chunked\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked, identity": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                         "Transfer-Encoding: chunked, identity\r\n\r\n"
                         "0\r\n\r\n",
    "xchunked": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "tab chunked": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                   "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in 1.0": "POST {t}/A{n} HTTP/1.0\r\nHost: {h}\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk size": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                      "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "chunk size with 0x": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n"
                          "0\r\n\r\n",
    "huge chunk size": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n"
                       "fffffffffffffffff1\r\na\r\n0\r\n\r\n",
    "chunk without its end": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n"
                             "1\r\nabc\r\n0\r\n\r\n",
    "obs-fold": "GET {t}/A{n} HTTP/1.1\r\nHost: {h}\r\nX-A: one\r\n"
                " two\r\n\r\n",
    "folded coding": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                     "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "bare CR": "GET {t}/A{n} HTTP/1.1\r\nHost: {h}\r\nX-A: a\rX-B: b\r\n\r\n",
    "NUL": "GET {t}/A{n} HTTP/1.1\r\nHost: {h}\r\nX-A: a\0b\r\n\r\n",
    "space before colon": "POST {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                          "Content-Length : 5\r\n\r\nhello",
    "space in a name": "GET {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                       "X Y: 1\r\n\r\n",
    "no colon": "GET {t}/A{n} HTTP/1.1\r\nHost: {h}\r\nnonsense\r\n\r\n",
    "empty name": "GET {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n: v\r\n\r\n",
    "line before the fields": "GET {t}/A{n} HTTP/1.1\r\n X: 1\r\n"
                              "Host: {h}\r\n\r\n",
    "two hosts": "GET {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                 "Host: other.test\r\n\r\n",
    "the same host twice": "GET {t}/A{n} HTTP/1.1\r\nHost: {h}\r\n"
                           "Host: {h}\r\n\r\n",
    "no host": "GET {t}/A{n} HTTP/1.1\r\nX-A: b\r\n\r\n",
    "space in the target": "GET {t}/A{n} b HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "control in the target": "GET {t}/A{n}\x01 HTTP/1.1\r\nHost: {h}\r\n\r\n",
}
STATUS = {400, 501, 505, 431}
PLACES = ("https", "http")


def attempt(t, place, text, number):
    """Send it; the statuses that came back until the close."""
    base = "http://" + ODD if place == "http" else ""
    data = text.format(t=base, h=ODD, n=number).encode("latin1")
    data += http1.head("GET", base + "/smuggled-%s" % number, ODD)
    sock = t.dial() if place == "http" else t.tls(ODD)
    try:
        sock.sendall(data)
        f, replies = http1.reader(sock), []
        while True:
            replies.append(http1.read_reply(f))
    except (http1.Broken, OSError, ValueError):
        return replies


@smuggling.case(limit=120)
def ambiguous_requests_are_refused(t):
    wrong = []
    for place in PLACES:
        for at, (name, text) in enumerate(BAD.items()):
            tag = "%s-%d" % (place, at)
            replies = attempt(t, place, text, tag)
            got = [r.status for r in replies]
            if len(got) != 1 or got[0] not in STATUS or not replies[0].error:
                wrong.append("%s by %s: %s" % (name, place, got))
            if t.seen("smuggled-" + tag):
                wrong.append("%s by %s: the second request passed"
                             % (name, place))
    assert not wrong, "; ".join(wrong)


@smuggling.case
def a_bad_chunk_does_not_reach_the_origin_as_a_request(t):
    """Whatever the origin saw of them, no body became a request."""
    for name in ("bad chunk size", "chunk without its end"):
        attempt(t, "https", BAD[name], "later")
    assert not t.seen("smuggled-later")


@smuggling.case
def line_ends_are_written_anew(t):
    """Bare LF is refused or repaired, not passed on."""
    sock = t.tls(ODD)
    sock.sendall(("GET /echo?lf HTTP/1.1\nHost: %s\nX-A: b\n\n"
                  % ODD).encode())
    reply = http1.read_reply(http1.reader(sock))
    assert reply.status in (200, 400), reply


@smuggling.case
def methods_that_have_no_place(t):
    sock = t.tls(ODD)
    for method, status in (("CONNECT", 405), ("TRACE", 405)):
        reply = t.ask(t.tls(ODD), method, "/" if method != "CONNECT"
                      else "odd.lab.test:443", ODD)
        assert reply.status == status, (method, reply)
    reply = t.ask(sock, "SPELL", "/echo", ODD)
    assert reply.status == 501, reply


@smuggling.case
def other_versions(t):
    for line, statuses in (("PRI * HTTP/2.0", (400, 505)),
                           ("GET / HTTP/2.0", (400, 505)),
                           ("GET / HTTP/1.2", (400, 505, 200)),
                           ("GET / HTTP/0.9", (400, 505)),
                           ("GET /echo", (400, 505)),
                           ("GET / ICY/1.0", (400, 505))):
        sock = t.tls(ODD)
        sock.sendall(("%s\r\nHost: %s\r\n\r\n" % (line, ODD)).encode())
        reply = http1.read_reply(http1.reader(sock))
        assert reply.status in statuses, (line, reply)


@smuggling.case
def heads_over_the_limit(t):
    reply = t.fetch("https://%s/echo" % ODD, "X-Long: " + "a" * 70000)
    assert reply.status == 431 and reply.error, reply
    reply = t.fetch("http://%s/echo" % ODD, "X-Long: " + "a" * 70000)
    assert reply.status == 431 and reply.error, reply


@smuggling.case(limit=90)
def ambiguous_responses_are_502(t):
    wrong = []
    for name in RESPONSES:
        for scheme in PLACES:
            try:
                reply = t.fetch("%s://%s/bad/%s" % (scheme, ODD, name))
            except (http1.Broken, OSError, ValueError) as error:
                if name != "bad-chunk":  # the head is out before it is known
                    wrong.append("%s by %s: %s" % (name, scheme, error))
                continue
            if reply.status != 502 or not reply.error:
                wrong.append("%s by %s: %r" % (name, scheme, reply))
    assert not wrong, "; ".join(wrong)


@smuggling.case
def nothing_of_a_bad_response_reaches_the_next_client(t):
    for path in ("/bad/two-lengths", "/bad/length-and-chunked", "/extra"):
        try:
            t.fetch("https://%s%s" % (ODD, path))
        except (http1.Broken, OSError):
            pass
        for _ in range(4):
            reply = t.fetch("https://%s/echo?clean" % ODD)
            assert json.loads(reply.body)["target"] == "/echo?clean"


@smuggling.case
def targets_that_are_not_for_a_proxy(t):
    """https:// in absolute form: 400 with what to do; nonsense: 400."""
    for target in ("https://%s/" % ODD, "ftp://%s/" % ODD, "http://",
                   "http:///path", "http://user@/",
                   "http://%s:99999/" % ODD, "http://a b/"):
        reply = t.ask(t.dial(), "GET", target, ODD)
        assert reply.status == 400 and reply.error, (target, reply)
        if target.startswith("https"):
            assert b"CONNECT" in reply.body or b"proxy" in reply.body.lower()
    for target in ("odd.lab.test", "odd.lab.test:0", ":443", "/",
                   "odd.lab.test:99999", "a b:443", "odd.lab.test:443:1"):
        sock = t.dial()
        sock.sendall(http1.head("CONNECT", target, target))
        reply = http1.read_reply(http1.reader(sock))
        assert reply.status == 400 and reply.error, (target, reply)


@smuggling.case
def an_absolute_target_decides_over_host(t):
    """RFC 9112, 3.2.2: Host is written anew from the target."""
    sock = t.dial()
    reply = t.ask(sock, "GET", "http://%s/echo?abs" % ODD, "other.test")
    if reply.status == 400:
        raise NotRun("refused, which is as good")
    hosts = [v for k, v in json.loads(reply.body)["fields"]
             if k.lower() == "host"]
    assert hosts == [ODD], hosts
