"""The portal: each page by each way to it, and what is on it. Browsers:
case_portal_browser."""

import base64
import hashlib
import html
import html.parser
import json
import os
import plistlib
import re
import socket
import ssl
import subprocess
import urllib.parse

from case_run import Running
from case_users import htpasswd
from lab.case import Group

DIRECT = ["plain.direct.test", ".below.direct.test", "192.0.2.7",
          "10.20.0.0/16", "2001:db8::5", "xn--bcher-kva.test", "0.0.0.0/32"]

portal = Group("portal", config=lambda lab: {
    "portal": {"direct": DIRECT},
    "categories": {"spared": {"hosts": [".spared.test"]}},
    "ssl-rules": [{"name": "Spare", "match": {"categories": ["spared"]},
                   "action": "do-not-inspect"}]})
own = Group("portal-own", config=None)

PAGES = {
    "/": "text/html; charset=utf-8",
    "/check": "text/html; charset=utf-8",
    "/ca/root.pem": "application/x-pem-file",
    "/ca/root.der": "application/x-x509-ca-cert",
    "/ca/root.mobileconfig": "application/x-apple-aspen-config",
    "/proxy.pac": "application/x-ns-proxy-autoconfig",
}
HTML = "Accept: text/html"


def root_of(t):
    with open(t.proxy.root) as f:
        return ssl.PEM_cert_to_DER_cert(f.read())


def ways(t, path, *fields):
    """The page as it comes by each way there is."""
    straight = "127.0.0.1:%d"
    yield "proxied", t.fetch("http://sallyport.internal" + path, *fields)
    yield "inspected", t.fetch("https://sallyport.internal" + path, *fields)
    sock = t.tunnel("sallyport.internal", 80)
    yield "proxied", t.ask(sock, "GET", path, "sallyport.internal", *fields)
    for port in (t.proxy.port, t.proxy.aport):
        yield "straight", t.ask(t.dial(port), "GET", path, straight % port,
                                *fields)


@portal.case
def each_page_by_each_way(t):
    for path, kind in PAGES.items():
        for way, reply in ways(t, path, HTML):
            assert reply.status == 200 and reply.body, (path, way, reply)
            assert reply.get("content-type") == kind, (path, way, reply)
            assert reply.get("x-content-type-options") == "nosniff", path
            assert reply.get("cache-control") == "no-store", path


@portal.case
def the_root_in_each_form(t):
    der, profiles = root_of(t), set()
    for way, reply in ways(t, "/ca/root.der"):
        assert reply.body == der, way
        assert "sallyport-root.crt" in reply.get("content-disposition")
    for way, reply in ways(t, "/ca/root.mobileconfig"):
        profiles.add(reply.body)
    assert len(profiles) == 1, "stable, however it is asked for"
    profile = plistlib.loads(profiles.pop(), fmt=plistlib.FMT_XML)
    inner, = profile["PayloadContent"]
    assert inner["PayloadType"] == "com.apple.security.root"
    assert inner["PayloadContent"] == der
    assert profile["PayloadType"] == "Configuration"
    uuids = {profile["PayloadUUID"], inner["PayloadUUID"]}
    assert len(uuids) == 2, uuids
    for uuid in uuids:
        assert re.fullmatch(r"[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-"
                            r"[89AB][0-9A-F]{3}-[0-9A-F]{12}", uuid), uuid
    names = {profile["PayloadIdentifier"], inner["PayloadIdentifier"]}
    assert len(names) == 2 and all(
        hashlib.sha256(der).hexdigest()[:16] in name for name in names), names


@portal.case
def check_tells_how_the_request_came(t):
    words = {"proxied": "<strong>Your requests come through the proxy",
             "inspected": "inside TLS that Sallyport ended",
             "straight": "<strong>Not as this page sees it"}
    for way, reply in ways(t, "/check?again", HTML):
        text = reply.body.decode()
        assert [w for w in words if words[w] in text] == [way], (
            way, text[text.index("<main>"):])
    told = t.curl("-x", "http://127.0.0.1:%d" % t.proxy.port,
                  "https://sallyport.internal/check").stdout
    digest = hashlib.sha256(root_of(t)).hexdigest().upper()
    assert told == "proxied: yes\ninspected: yes\nroot: %s\n" % ":".join(
        re.findall("..", digest)), told
    told = t.fetch("http://sallyport.internal/check",
                   "Accept: */*").body.decode()
    assert "inspected: no\n" in told and \
        "next: https://sallyport.internal/check\n" in told, told
    for fields in (), ("Accept: */*",):  # programs, some of which say nothing
        for way, reply in ways(t, "/check", *fields):
            assert reply.body.startswith(b"proxied: "), (way, reply)
            assert reply.get("content-type").startswith("text/plain"), way


@portal.case
def only_our_own_name_in_a_tunnel_to_us(t):
    """Nobody logs in for it: the log must not tell of other names there."""
    for port, scheme in ((443, "https"), (80, "http")):
        own = scheme + "://sallyport.internal/"
        for target, host in (("/", "payroll.corp.test"),
                             (scheme + "://payroll.corp.test/", "x"),
                             (scheme + "://sallyport.internal:9/", "x")):
            sock = t.tls("sallyport.internal") if port == 443 else \
                t.tunnel("sallyport.internal", port)
            reply = t.ask(sock, "GET", target, host)
            assert (reply.status, reply.error) == (421, "wrong-host"), (
                target, host, reply)
            t.line(reason="wrong-host", url=own)
        sock = t.tls("sallyport.internal") if port == 443 else \
            t.tunnel("sallyport.internal", port)
        assert t.ask(sock, "GET", own, "x").status == 200
    assert not [line for line in t.lines() if "payroll" in json.dumps(line)]


# --- what is on the page ------------------------------------------------------

class Outline(html.parser.HTMLParser):
    """Headings, links, text of each; and what would come from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.open, self.headings, self.links, self.pres = [], [], [], []
        self.outside, self.ids, self.lang, self.script = [], [], None, ""
        self.feed(text)
        self.close()
        assert self.open == [], "not closed: %s" % self.open

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.outside += [v for k, v in attrs.items()
                         if k in ("src", "srcset", "style", "action")
                         or k.startswith("on")]
        if tag == "html":
            self.lang = attrs.get("lang")
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append([int(tag[1]), ""])
        if tag == "a":
            self.links.append([attrs["href"], ""])
        if tag == "pre":
            self.pres.append("")
        if tag not in ("meta", "br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        if "a" in self.open:
            self.links[-1][1] += data
        if "pre" in self.open:
            self.pres[-1] += data
        if "script" in self.open:
            self.script += data
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            self.headings[-1][1] += data


@portal.case
def pages_are_sound(t):
    for path in ("/", "/check"):
        for way, reply in ways(t, path, HTML):
            page = Outline(reply.body.decode())
            assert page.lang == "en" and page.outside == [], page.outside
            levels = [level for level, _ in page.headings]
            assert levels.count(1) == 1 and levels[0] == 1, levels
            assert all(b <= a + 1 for a, b in zip(levels, levels[1:])), levels
            assert all(text.strip() for _, text in page.headings), path
            assert all(text.strip() for _, text in page.links), page.links
            assert len(set(page.ids)) == len(page.ids), page.ids
            digest = base64.b64encode(hashlib.sha256(
                page.script.encode()).digest()).decode()
            policy = reply.get("content-security-policy")
            assert policy.startswith("default-src 'none'; "), policy
            assert "script-src 'sha256-%s'" % digest in policy, policy
            assert "unsafe" not in policy, policy
            for href, _ in page.links:
                if not href.startswith("http"):
                    link = t.fetch(urllib.parse.urljoin(
                        "http://sallyport.internal/check", href))
                    assert link.status == 200, href


@portal.case
def a_line_for_each_tool(t):
    text = t.fetch("http://sallyport.internal/", HTML).body.decode()
    page = Outline(text)
    told = {name for level, name in page.headings if level == 5}
    folder = os.path.join(os.path.dirname(__file__), "../../proxy/tools")
    with open(os.path.join(folder, "tools.def")) as f:
        tools = re.findall(r'^TOOL\("([^"]+)"', f.read(), re.M)
    assert tools and set(tools) == told, set(tools) ^ told
    lines = "\n".join(page.pres)
    for line in page.pres:
        assert "keytool" not in line or "sudo keytool" in line or \
            "C:\\" in line, line
        assert "~/.cargo/" not in line or line.startswith("mkdir -p"), line
    assert not re.search(r"\{(bundle|root|host|port|proxy)\}", lines), lines
    assert "http://127.0.0.1:%d" % t.proxy.port in lines
    digest = hashlib.sha256(root_of(t)).hexdigest().upper()
    assert ":<wbr>".join(re.findall("..", digest)) in text


def exec_lines(t, host):
    reply = t.ask(t.dial(), "GET", "/", host, HTML)
    return [pre for pre in Outline(reply.body.decode()).pres
            if "sallyport exec" in pre]


@portal.case
def the_line_of_exec_works_as_copied(t):
    for host in ("127.0.0.1:%d" % t.proxy.port, "evil.test"):
        assert exec_lines(t, host) == [
            "sallyport exec --proxy 127.0.0.1:%d -- npm ci" % t.proxy.port]


@own.case(limit=60)
def a_name_behind_port_forwarding(t):
    """CDPs have it: whoever uses the proxy must be able to reach that."""
    running = Running(t)
    running.proxy.config["issuing"] = {"crl-url": "http://proxy.test:99"}
    with running:
        assert exec_lines(t, "proxy.test:99") == [
            "curl --noproxy '*' -fo sallyport-root.pem "
            "'http://proxy.test:99/ca/root.pem'\n"
            "sallyport exec --proxy proxy.test:99 --ca sallyport-root.pem "
            "-- npm ci"]
        assert pac_of(t, "proxy.test:99") == "proxy.test:99"
        assert pac_of(t, "proxy.test") == "127.0.0.1:%d" % t.proxy.port


def pac_of(t, host, target="/proxy.pac", port=None):
    body = t.ask(t.dial(port), "GET", target, host).body.decode()
    return re.findall('"PROXY ([^"]*)"', body)[0]


@portal.case
def a_pac_file_leads_to_us_whatever_it_is_asked_by(t):
    port, aport = t.proxy.port, t.proxy.aport
    address = "127.0.0.1:%d" % port
    for host in ("evil.test", "evil.test:%d" % port, "192.0.2.66:%d" % port,
                 "127.0.0.1:1", "localhost:1", "localhost",
                 socket.gethostname()):
        assert pac_of(t, host) == address, host
        assert host == "localhost" or host + "/" not in t.ask(
            t.dial(), "GET", "/", host, HTML).body.decode(), host
    for own_name in "localhost", socket.gethostname().lower():
        named = "%s:%d" % (own_name, port)
        assert pac_of(t, named) == named
    for host in "sallyport.internal", "evil.test":
        assert pac_of(t, host, "http://sallyport.internal/proxy.pac") == \
            address, host
    for host in "localhost:%d" % aport, "sallyport.internal:1":
        assert pac_of(t, host, port=aport) == address, host


def luminance(colour):
    if len(colour) == 4:
        colour = "#" + "".join(2 * c for c in colour[1:])
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [p / 12.92 if p <= .04045 else ((p + .055) / 1.055) ** 2.4
             for p in parts]
    return .2126 * parts[0] + .7152 * parts[1] + .0722 * parts[2]


@portal.case
def colours_have_contrast(t):
    text = t.fetch("http://sallyport.internal/", HTML).body.decode()
    modes = [dict(re.findall(r"--(\w+):(#\w+)", part))
             for part in re.findall(r":root\{([^}]*)\}", text)]
    assert len(modes) == 2, modes
    for mode in modes:
        for front in ("text", "quiet", "link"):
            for back in ("page", "box"):
                one, other = sorted((luminance(mode[front]),
                                     luminance(mode[back])))
                ratio = (other + .05) / (one + .05)
                assert ratio >= 4.5, (front, back, ratio)


@portal.case
def a_host_that_is_none_is_not_shown(t):
    for bad in ("a\"b", "<script>", "x\";alert(1);//"):
        for path in ("/", "/proxy.pac"):
            reply = t.ask(t.dial(), "GET", path, bad, HTML)
            assert bad.encode() not in reply.body, reply


@portal.case
def what_can_not_be_direct(t):
    for bad, why in (("a.test/path", "paths"), ("a.test:8443", "port"),
                     ("2001:db8::/32", "IPv6"), ("a b", "blank")):
        file = t.write("bad.yaml", json.dumps({"portal": {"direct": [bad]}}))
        done = t.run(t.binary, "check", "-c", file)
        assert done.returncode == 2 and why in done.stderr, (bad, done.stderr)
        assert "portal.direct" in done.stderr, done.stderr


@own.case(limit=60)
def who_must_log_in_reads_it_too(t):
    running = Running(t)
    proxy = running.proxy
    proxy.config["users"] = {"htpasswd": htpasswd(t.lab, "portal")}
    with running:
        for path in PAGES:
            reply = t.fetch("http://sallyport.internal" + path, HTML)
            assert reply.status == 200, (path, reply)
        assert b"NAME:PASSWORD@" in t.fetch("http://sallyport.internal/",
                                            HTML).body
        reply = t.connect("ec.lab.test")[1]
        assert reply.status == 407 and reply.error == "user-needed", reply


@own.case(limit=60)
def a_pac_file_of_a_thousand_hosts(t):
    running = Running(t)
    running.proxy.config["portal"] = {
        "direct": [".h%d.example.org" % i for i in range(1000)]}
    with running:
        body = t.fetch("http://sallyport.internal/proxy.pac").body
        assert len(body) < 64 * 1024 and b'".h999.example.org": 1' in body
    file = t.write("many.yaml", json.dumps({"portal": {
        "direct": [".h%d.example.org" % i for i in range(1001)]}}))
    done = subprocess.run([t.binary, "check", "-c", file],
                          capture_output=True, text=True)
    assert done.returncode == 2 and "portal.direct" in done.stderr, done
