"""Origins that no one should trust: each with its own reason."""

import contextlib
import socket
import ssl
import threading

from lab.case import Group, error_page, eventually
from lab.nginx import Nginx
from lab.pki import show, split

# The origin → what is wrong with it.
BAD = {
    "expired": "origin-certificate-expired",
    "future": "origin-certificate-not-yet-valid",
    "self": "origin-certificate-self-signed",
    "selfca": "origin-certificate-self-signed",
    "wronghost": "origin-certificate-wrong-host",
    "unknown": "origin-certificate-unknown-issuer",
    "sha1": "origin-certificate-weak-signature",
    "nosan": "origin-certificate-no-san",
    "incomplete": "origin-certificate-incomplete-chain",
}
CERTIFICATE = "origin-wants-client-certificate"


def every(untrusted):
    return lambda lab: {"ssl-rules": [
        {"name": "All", "action": "inspect", "untrusted": untrusted}]}


block = Group("block")  # nothing set: block is the default
allow = Group("allow", config=every("allow"))
through = Group("through", config=every("pass-through"))
decrypt = Group("decrypt", config=lambda lab: {"ssl-rules": [
    {"name": "Ours", "action": "inspect", "block-undecryptable": False}]})


def refused(name, word):
    def case(t):
        host = name + ".lab.test"
        reply = t.fetch("https://%s/1k" % host)  # the leaf itself is trusted
        error_page(reply, word, 502)
        assert host.encode() in reply.body, "the page names the host"
        assert b"Sallyport's lab" not in reply.body, "the origin's bytes"
        line = t.line(host=host)
        assert line["reason"] == word and line["status"] == 502, line
        assert line["action"] == "inspect", line
    case.__name__ = "%s_is_refused" % name
    return case


def allowed(name, word):
    def case(t):
        reply = t.fetch("https://%s.lab.test/1k" % name)
        assert reply.status == 200 and len(reply.body) == 1024, reply
        line = t.line(host=name + ".lab.test")
        assert line["status"] == 200 and line["untrusted"] == word, line
    case.__name__ = "%s_is_allowed" % name
    return case


def chain_of(t, host):
    done = t.run("openssl", "s_client", "-proxy", "127.0.0.1:%d"
                 % t.proxy.port, "-connect", host + ":443", "-servername",
                 host, "-showcerts")
    return split(done.stdout)


def passed_through(name, word):
    def case(t):
        host = name + ".lab.test"
        reply = t.fetch("https://%s/1k" % host, trust=False)
        assert reply.status == 200 and len(reply.body) == 1024, reply
        chain = chain_of(t, host)
        one = t.write("leaf.pem", chain[0])
        rest = t.write("rest.pem", "".join(chain))
        for roots in (t.proxy.root, t.lab.pki.root):
            done = t.run("openssl", "verify", "-CAfile", roots, "-untrusted",
                         rest, one)
            assert done.returncode != 0, "%s accepts it" % roots
        done = t.run("curl", "-sS", "--cacert", t.proxy.root,
                     "https://%s/1k" % host)
        assert done.returncode == 60, "curl accepts it: %s" % done.stderr
        line = t.line(kind="refused", host=host)
        assert line["untrusted"] == word, line
    case.__name__ = "%s_shows_a_chain_nobody_trusts" % name
    return case


for bad, bad_word in BAD.items():
    block.case(refused(bad, bad_word))
    allow.case(allowed(bad, bad_word))
    through.case(passed_through(bad, bad_word))


@block.case
def a_certificate_for_clients_only_is_refused(t):
    reply = t.fetch("https://purpose.lab.test/1k")
    assert reply.status == 502, reply
    assert reply.error.startswith("origin-certificate-"), reply.error


@block.case
def an_origin_of_tls_1_1_is_refused(t):
    reply = t.fetch("https://old.lab.test/1k")
    assert reply.status == 502 and reply.error, reply
    assert reply.error not in ("ok", "connection-refused"), reply.error


@contextlib.contextmanager
def wanting(t, highest):
    """An origin that wants a certificate, and has another one's name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = highest
    context.load_cert_chain(t.lab.pki.path("mtls.pem"),
                            t.lab.pki.path("mtls.key"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(t.lab.pki.root)

    def serve():
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock, contextlib.suppress(OSError):
                context.wrap_socket(sock, server_side=True).recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def wants_certificate(t, host):
    for _ in range(2):
        reply = t.fetch("https://%s/1k" % host)
        error_page(reply, CERTIFICATE, 502)


@block.case
def an_origin_that_needs_a_certificate_is_refused(t):
    """Its handshake fails without one."""
    wants_certificate(t, "mtls2.lab.test")


@block.case
def an_origin_that_asks_for_a_certificate_is_refused(t):
    """Its handshake goes through, as nginx does it: then it answers 400."""
    wants_certificate(t, "mtls.lab.test")


@allow.case
def what_else_is_wrong_with_it_is_told(t):
    """Else a client that sends a name to a server of its own has a say about
    what is suggested for that name (log pinned)."""
    for highest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with wanting(t, highest) as port:
            t.mark()
            error_page(t.fetch("https://ec.lab.test:%d/" % port), CERTIFICATE,
                       502)
            line = t.line(reason=CERTIFICATE)
            assert line["untrusted"] == BAD["wronghost"], line
            assert line["origin_verified"] is False, line


@block.case
def the_transparent_listener_shows_the_page_too(t):
    sock = t.tls("expired.lab.test", sock=t.dial(t.proxy.tport))
    reply = t.ask(sock, "GET", "/", "expired.lab.test")
    error_page(reply, BAD["expired"], 502)


@block.case
def the_leaf_of_a_page_is_for_the_asked_name_alone(t):
    text = show(chain_of(t, "wronghost.lab.test")[0], "-ext",
                "subjectAltName")
    assert "DNS:wronghost.lab.test" in text and "elsewhere" not in text, text


@block.case
def several_requests_get_their_pages(t):
    sock = t.tls("expired.lab.test")
    for number in range(3):
        try:
            reply = t.ask(sock, "GET", "/%d" % number, "expired.lab.test")
        except (OSError, ValueError) as error:
            assert number, error
            break
        error_page(reply, BAD["expired"], 502)
        if (reply.get("connection") or "") == "close":
            break


@block.case(limit=60)
def an_origin_turned_bad_gets_the_page_never_its_bytes(t):
    """The leaf is cached and may be shown; the origin's bytes may not."""
    origin = Nginx(t.path("nginx"), t.lab.pki.folder, {"turn": "turn"},
                   t.lab.www)
    origin.start()
    try:
        url = "https://turn.lab.test:%d/1k" % origin.port["turn"]
        assert t.fetch(url).status == 200
        assert t.fetch(url).status == 200
        for bad in ("expired", "self"):
            origin.stop()
            origin.blocks["turn"] = bad
            origin.start()
            reply = t.fetch(url)
            assert b"Sallyport's lab" not in reply.body, "its bytes"
            assert reply.status == 502, reply
            # an expired one for another name: either may be told
            assert reply.error.startswith("origin-certificate-"), reply
        origin.stop()
        origin.blocks["turn"] = "turn"
        origin.start()
        assert eventually(lambda: t.fetch(url).status == 200), \
            "good again, and still refused"
    finally:
        origin.stop()


@decrypt.case
def the_next_connection_to_it_is_tunnelled(t):
    for host in ("mtls.lab.test", "mtls2.lab.test"):
        reply = t.fetch("https://%s/1k" % host)
        error_page(reply, CERTIFICATE, 502)
        # mtls has the lab's own certificate for its host
        done = t.run("openssl", "s_client", "-proxy", "127.0.0.1:%d"
                     % t.proxy.port, "-connect", host + ":443", "-servername",
                     host, "-showcerts", "-CAfile", t.lab.pki.root)
        with open(t.lab.pki.path("mtls.pem")) as f:
            assert split(done.stdout) == split(f.read()), done.stderr[-300:]
        t.line(kind="tunnel", host=host)


@decrypt.case
def a_client_certificate_reaches_the_origin_then(t):
    t.fetch("https://mtls.lab.test/1k", trust=False)
    done = t.run("curl", "-sS", "--cacert", t.lab.pki.root, "--cert",
                 t.lab.pki.path("purpose.pem"), "--key",
                 t.lab.pki.path("purpose.key"), "-o", "/dev/null", "-w",
                 "%{http_code}", "https://mtls.lab.test/1k")
    assert done.stdout == "200", done.stdout + done.stderr
