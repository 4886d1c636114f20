"""The forged leaf: what it says, who signed it, how long it is kept."""

import datetime
import re
import ssl
import urllib.request

from lab.case import Group, eventually
from lab.nginx import Nginx
from lab.pki import openssl, show, split

leaf = Group("leaf", config=lambda lab: {"ssl-rules": [
    {"name": "Let in", "match": {"hosts": ["expired.lab.test",
                                          "wronghost.lab.test"]},
     "action": "inspect", "untrusted": "allow"}]})


def shown(t, host, port=443, *args, name=None):
    """The chain s_client is shown through CONNECT, as PEM."""
    done = t.run("openssl", "s_client", "-proxy", "127.0.0.1:%d"
                 % t.proxy.port, "-connect", "%s:%d" % (host, port),
                 *(("-servername", name or host) if name != "" else
                   ("-noservername",)), "-showcerts", *args)
    found = split(done.stdout)
    assert found, "no certificate: " + done.stderr[-400:]
    return found


def extensions(pem):
    """The names of a certificate's extensions."""
    text = show(pem, "-text")
    return [m.strip() for m in re.findall(
        r"^ {12}(\S[^\n]*?): ?(?:critical)?\s*$", text, re.M)]


def date(pem, which):
    text = show(pem, "-" + which).split("=")[1].strip()
    return datetime.datetime.strptime(text, "%b %d %H:%M:%S %Y GMT")


def utc():
    """The time now, as naive as date() is."""
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


def san(pem):
    text = show(pem, "-ext", "subjectAltName")
    return sorted(p.strip() for p in text.splitlines()[-1].split(","))


@leaf.case
def leaf_issuing_ca_and_intermediate_are_sent(t):
    chain = shown(t, "ec.lab.test")
    assert len(chain) == 3, "%d certificates" % len(chain)
    with open(t.proxy.root) as f:
        chain.append(f.read())
    for lower, upper in zip(chain, chain[1:]):
        assert (show(lower, "-issuer").split("=", 1)[1] ==
                show(upper, "-subject").split("=", 1)[1])
    assert show(chain[1], "-subject").rstrip().endswith("(t)"), chain[1]
    assert "pathlen:0" in show(chain[1], "-ext", "basicConstraints")
    serial = show(chain[1], "-serial").strip().split("=")[1]
    assert len(serial) == 32, "128 bits: " + serial


@leaf.case
def fields_are_the_origins_and_no_more(t):
    one = shown(t, "ec.lab.test")[0]
    subject = show(one, "-subject", "-nameopt", "RFC2253")
    assert subject.strip() == ("subject=CN=ec.lab.test,O=Lab Origin,"
                               "L=Brno,C=CZ"), subject
    assert san(one) == ["DNS:*.ec.lab.test", "DNS:ec.lab.test",
                        "IP Address:192.0.2.7"], san(one)
    usage = show(one, "-ext", "extendedKeyUsage")
    assert "Server Authentication" in usage and "Client" not in usage, usage
    have = set(extensions(one))
    right = {"X509v3 Basic Constraints", "X509v3 Key Usage",
             "X509v3 Extended Key Usage", "X509v3 Subject Alternative Name",
             "X509v3 Subject Key Identifier",
             "X509v3 Authority Key Identifier",
             "X509v3 CRL Distribution Points"}
    assert have == right, "extensions differ: %s" % (have ^ right)
    assert "CA:FALSE" in show(one, "-ext", "basicConstraints")
    assert "Digital Signature" in show(one, "-ext", "keyUsage")


@leaf.case
def validity_is_within_its_issuers(t):
    one, issuer, _ = shown(t, "ec.lab.test")
    now = utc()
    assert date(issuer, "startdate") <= date(one, "startdate") <= now
    assert now < date(one, "enddate") <= date(issuer, "enddate")
    assert date(one, "enddate") <= now + datetime.timedelta(days=14, hours=1)
    day = datetime.timedelta(hours=20)
    assert date(issuer, "startdate") < now - day, "the issuer is backdated"
    life = datetime.timedelta(days=7 + 14 + 2)
    assert abs(date(issuer, "enddate") - now - life) < \
        datetime.timedelta(hours=1), "it outlives rotation and leaf"


def crl_of(pem):
    found = re.search(r"URI:(\S+)", show(pem, "-ext",
                                         "crlDistributionPoints"))
    assert found, "no CDP"
    return found.group(1)


def fetch(t, url, through):
    proxies = {"http": "http://127.0.0.1:%d" % t.proxy.port} if through \
        else {}
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler(proxies))
    with opener.open(url, timeout=20) as answer:
        return answer.read()


@leaf.case
def verifies_strictly_with_the_crl_from_its_cdp(t):
    chain, crls = shown(t, "ec.lab.test"), []
    for pem in chain:
        url = crl_of(pem)
        assert url.startswith("http://") and "/crl/" in url, url
        direct, through = fetch(t, url, False), fetch(t, url, True)
        assert direct == through
        crls.append(openssl("crl", "-inform", "DER", "-text",
                            stdin=direct).decode())
        assert "X509v3 CRL Number" in crls[-1] and "Next Update: " in crls[-1]
        assert "Next Update: NONE" not in crls[-1], crls[-1]
    files = [t.write(n, d) for n, d in (("leaf.pem", chain[0]), (
        "above.pem", "".join(chain[1:])), ("crl.pem", "".join(crls)))]
    done = t.run("openssl", "verify", "-x509_strict", "-crl_check_all",
                 "-CAfile", t.proxy.root, "-untrusted", files[1],
                 "-CRLfile", files[2], "-purpose", "sslserver",
                 "-verify_hostname", "ec.lab.test", files[0])
    assert done.returncode == 0, done.stdout + done.stderr


@leaf.case
def openssl_fetches_the_crl_by_itself(t):
    one, *above = shown(t, "ec.lab.test")
    done = t.run("openssl", "verify", "-x509_strict", "-crl_check",
                 "-crl_download", "-CAfile", t.proxy.root, "-untrusted",
                 t.write("above.pem", "".join(above)),
                 t.write("leaf.pem", one),
                 env=t.env(http_proxy="", no_proxy="*"))
    assert done.returncode == 0, done.stdout + done.stderr


@leaf.case
def the_second_connection_gets_the_same_leaf(t):
    first = t.fetch("https://rsa.lab.test/1k")
    second = t.fetch("https://rsa.lab.test/1k")
    assert first.der == second.der
    t.line(host="rsa.lab.test", count=2)
    kinds = [line["leaf"] for line in t.lines(host="rsa.lab.test")]
    assert sorted(kinds) == ["cached", "forged"], kinds


@leaf.case(limit=60)
def a_new_certificate_at_the_origin_is_a_new_leaf(t):
    origin = Nginx(t.path("nginx"), t.lab.pki.folder, {"turn": "turn"},
                   t.lab.www)
    origin.start()
    try:
        url = "https://turn.lab.test:%d/1k" % origin.port["turn"]
        first = t.fetch(url)
        assert t.fetch(url).der == first.der
        origin.stop()
        origin.blocks["turn"] = "turn2"
        origin.start()
        replies = []

        def renewed():
            try:
                replies.append(t.fetch(url))
            except (OSError, ValueError) as error:
                replies.append(error)
            return getattr(replies[-1], "der", first.der) != first.der
        assert eventually(renewed), "the same leaf still: %r" % replies[-1]
        assert replies[-1].status == 200
        assert t.fetch(url).der == replies[-1].der
    finally:
        origin.stop()


def public_key(pem):
    return show(pem, "-pubkey")


@leaf.case
def the_key_follows_what_the_client_can(t):
    ec = shown(t, "ec.lab.test", 443, "-sigalgs", "ECDSA+SHA256")[0]
    rsa = shown(t, "ec.lab.test", 443, "-sigalgs",
                "RSA+SHA256:RSA-PSS+SHA256", "-tls1_2")[0]
    assert "P-256" in show(ec, "-text"), "EC client"
    assert "2048 bit" in show(rsa, "-text"), "RSA client"
    old = shown(t, "rsa.lab.test", 443, "-tls1_2", "-cipher",
                "ECDHE-RSA-AES128-GCM-SHA256")[0]
    assert "2048 bit" in show(old, "-text"), "by cipher"
    assert public_key(old) == public_key(rsa), "one key pair a process"


@leaf.case
def the_key_is_nobody_elses(t):
    chain = shown(t, "ec.lab.test")
    with open(t.lab.pki.path("ec.pem")) as f:
        origins = split(f.read())[0]
    with open(t.proxy.root) as f:
        root = f.read()
    keys = [public_key(p) for p in chain + [root, origins]]
    assert len(set(keys)) == 5, "keys are shared"


@leaf.case
def serials_differ(t):
    ders = [t.fetch("https://%s.lab.test/1k" % name).der
            for name in ("ec", "rsa", "tools")]
    serials = {openssl("x509", "-inform", "DER", "-noout", "-serial",
                       stdin=d) for d in ders}
    assert len(serials) == 3, serials
    for serial in serials:
        assert 16 <= len(serial.strip()) - len("serial=") <= 40, serial


@leaf.case
def wildcards_are_copied(t):
    one = shown(t, "x.wild.lab.test")[0]
    assert san(one) == ["DNS:*.wild.lab.test"], san(one)
    assert t.fetch("https://x.wild.lab.test/1k").status == 200
    assert t.fetch("https://y.wild.lab.test/1k").status == 200


@leaf.case
def a_wildcard_is_one_label(t):
    reply = t.fetch("https://a.b.wild.lab.test/1k")
    assert reply.error == "origin-certificate-wrong-host", reply


@leaf.case
def addresses_as_names(t):
    port = t.lab.port["ip"]
    one = shown(t, "127.0.0.1", port, name="")[0]
    assert "IP Address:127.0.0.1" in san(one), san(one)
    done = t.curl("-x", "http://127.0.0.1:%d" % t.proxy.port, "-o",
                  "/dev/null", "-w", "%{http_code}",
                  "https://127.0.0.1:%d/1k" % port)
    assert done.stdout == "200", done.stdout
    line = t.line(kind="exchange", host="127.0.0.1", port=port)
    assert not line.get("sni"), line


@leaf.case
def an_address_that_does_not_fit_is_untrusted(t):
    reply = t.fetch("https://127.0.0.1:%d/" % t.lab.port["ec"], sni=None,
                    trust=False)
    assert reply.error == "origin-certificate-wrong-host", reply


@leaf.case
def an_origin_let_in_gets_only_the_name_asked(t):
    for host in ("expired.lab.test", "wronghost.lab.test"):
        one = shown(t, host)[0]
        assert san(one) == ["DNS:" + host], san(one)
        now = utc()
        assert date(one, "startdate") <= now < date(one, "enddate")
        reply = t.fetch("https://%s/1k" % host)
        assert reply.status == 200 and len(reply.body) == 1024, reply


@leaf.case
def the_transparent_listener_goes_by_sni(t):
    sock = t.tls("ec.lab.test", sock=t.dial(t.proxy.tport))
    reply = t.ask(sock, "GET", "/1k", "ec.lab.test")
    assert reply.status == 200 and len(reply.body) == 1024
    line = t.line(kind="exchange", listener="transparent")
    assert line["host"] == line["sni"] == "ec.lab.test", line


@leaf.case
def versions_from_1_2_on(t):
    for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
                          (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        reply = t.fetch("https://ec.lab.test/1k", lowest=version,
                        highest=version)
        assert reply.tls == name and reply.status == 200
    done = t.run("openssl", "s_client", "-proxy", "127.0.0.1:%d"
                 % t.proxy.port, "-connect", "ec.lab.test:443", "-tls1_1",
                 "-cipher", "DEFAULT@SECLEVEL=0")
    assert "BEGIN CERTIFICATE" not in done.stdout, "TLS 1.1 was spoken"


@leaf.case
def clients_resume(t):
    for version in ("-tls1_2", "-tls1_3"):
        files = t.path("session" + version)
        base = ("openssl", "s_client", "-proxy", "127.0.0.1:%d"
                % t.proxy.port, "-connect", "ec.lab.test:443",
                "-servername", "ec.lab.test", "-ign_eof", version)
        ask = ("GET /1k HTTP/1.1\r\nHost: ec.lab.test\r\n"
               "Connection: close\r\n\r\n")
        first = t.run(*base, "-sess_out", files, stdin=ask)
        assert "200 OK" in first.stdout, first.stderr
        second = t.run(*base, "-sess_in", files, stdin=ask)
        assert "Reused, TLS" in second.stdout, version + " is not resumed"
        assert "200 OK" in second.stdout
    t.line(resumed=True)


@leaf.case
def a_session_of_one_name_is_not_resumed_at_another(t):
    files = t.path("session")
    base = ("openssl", "s_client", "-proxy", "127.0.0.1:%d" % t.proxy.port,
            "-ign_eof", "-tls1_2")
    ask = "GET /1k HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
    first = t.run(*base, "-connect", "ec.lab.test:443", "-servername",
                  "ec.lab.test", "-sess_out", files,
                  stdin=ask % "ec.lab.test")
    assert "200 OK" in first.stdout
    second = t.run(*base, "-connect", "rsa.lab.test:443", "-servername",
                   "rsa.lab.test", "-sess_in", files,
                   stdin=ask % "rsa.lab.test")
    assert "Reused, TLS" not in second.stdout, "resumed under another name"
