"""The shipped example: the rule table and the lists of a published guide to TLS
inspection, decided as that guide says: by explain, and by a running proxy."""

import base64
import contextlib
import os
import shutil
import ssl

from case_explain import explain
from case_run import Running
from lab import client, http1
from lab.case import Group
from lab.nginx import Nginx
from lab.pki import CONFIG, Pki, openssl, split
from lab.sallyport import Sallyport, yaml

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLE = os.path.join(HERE, "../../proxy/install/example")
PASSWORD = "open sesame"

seed = Group("seed", config=None)

APPLE = "SSL Pinning Bypass for Apple"
SMART = "Smart Isolation One Click Rule"
GITHUB = "Github_Exemptions"
PRIVATE = "Private CA"
EXEMPT = "Zscaler Recommended Exemptions"
REST = "Default SSL Inspection Rule"
COPILOT, WANTED, ISOLATE = ("Github copilot", "Github_Exemptions URLs",
                            "Smart Isolation")
INSPECT, LEAVE = "inspect", "do-not-inspect"
# URL, user, outcome, SSL rule (None: no TLS), URL rule (None: not asked)
TABLE = [
    # row 1: for Developers alone; what is in the list, not what is near it
    ("https://swcdn.apple.com/", "dev1", LEAVE, APPLE, "default"),
    ("https://swcdn.apple.com/", "ann", LEAVE, REST, "default"),
    ("https://updates-http.cdn-apple.com/x", "dev2", LEAVE, APPLE, "default"),
    ("https://mmg.whatsapp.net/", "dev1", LEAVE, APPLE, "default"),
    ("https://token.safebrowsing.apple/", "dev2", LEAVE, APPLE, "default"),
    ("https://www.apple.com/", "dev1", LEAVE, REST, "default"),
    ("https://x.swcdn.apple.com/", "dev1", LEAVE, REST, "default"),
    # row 2: for everyone; the URL rule shows it elsewhere
    ("https://login.suspicious.example/", "ann", "isolate", SMART, ISOLATE),
    ("https://typo-squatter.example/a?b=c", "dev1", "isolate", SMART,
     ISOLATE),
    ("https://free-prizes.example/", "dev2", "isolate", SMART, ISOLATE),
    # row 3: inspected for Developers, so that URLs can be told apart
    ("https://github.com/github-copilot", "dev1", "block", GITHUB, COPILOT),
    ("https://github.com/github-copilot/docs?x=1", "dev2", "block", GITHUB,
     COPILOT),
    ("https://github.com/features/copilot", "dev1", "block", GITHUB,
     COPILOT),
    ("https://github.com/features/copilot/plans", "dev2", "block", GITHUB,
     COPILOT),
    ("https://github.com/GitHub-Copilot", "dev1", "block", GITHUB, COPILOT),
    ("https://github.com/github-copilots", "dev1", INSPECT, GITHUB,
     "default"),
    ("https://github.com/features", "dev2", INSPECT, GITHUB, "default"),
    ("https://github.com/microsoft/vcpkg.git/info/refs?service=git-upload-"
     "pack", "dev1", INSPECT, GITHUB, WANTED),
    ("https://github.com/composer", "dev2", INSPECT, GITHUB, WANTED),
    ("https://github.com/torvalds/linux", "dev1", INSPECT, GITHUB,
     "default"),
    ("https://codeload.github.com/composer/composer/zip", "dev1", INSPECT,
     GITHUB, WANTED),
    ("https://api.github.com/repos/Behat/Behat", "dev2", INSPECT, GITHUB,
     WANTED),
    ("https://api.github.com/repos/other", "dev1", INSPECT, GITHUB,
     "default"),
    # ... and not for others: nobody sees into a tunnel
    ("https://github.com/github-copilot", "ann", LEAVE, REST, "default"),
    ("https://github.com/composer", "ann", LEAVE, REST, "default"),
    # row 4: a certificate of a private CA
    ("https://testing.httpbin.org/get", "dev1", INSPECT, PRIVATE, "default"),
    ("https://testing.httpbin.org/get", "ann", LEAVE, REST, "default"),
    # row 5: other policies are bypassed
    ("https://www.bank.example/", "ann", LEAVE, EXEMPT, None),
    ("https://health.example/", "dev2", LEAVE, EXEMPT, None),
    # rows 6 and 7 are off
    ("https://outlook.office365.com/", "dev1", LEAVE, REST, "default"),
    ("https://www.example.com/", "ann", LEAVE, REST, "default"),
    # URL rules alone, without TLS
    ("http://github.com/github-copilot", "ann", "block", None, COPILOT),
    ("http://github.com/composer", "dev1", "allow", None, WANTED),
    ("http://github.com/composer", "ann", "allow", None, "default"),
    ("http://login.suspicious.example/", "ann", "isolate", None, ISOLATE),
    ("http://www.example.com/", "dev2", "allow", None, "default"),
]
NAMES = [(APPLE, "ByPass-Apple", True, LEAVE, "evaluate"),
         (SMART, "Suspicious Domains", False, INSPECT, "evaluate"),
         (GITHUB, "Developer GitHub Requests", True, INSPECT, "evaluate"),
         (PRIVATE, "Private CA Sites", True, INSPECT, "evaluate"),
         (EXEMPT, "Recommended SSL Exemptions", False, LEAVE, "bypass"),
         ("Office 365 One Click", None, False, None, None),
         ("Existing rules", None, False, None, None),
         (REST, None, False, LEAVE, "evaluate")]


def hosts(scheme):
    """Those of the table that are asked by scheme, each once."""
    return sorted({url.split("/")[2] for url, *_ in TABLE
                   if url.startswith(scheme + "://")})


def example(t, name="example"):
    """A copy of the example, so that what is beside it can be added to."""
    folder = t.path(name)
    shutil.copytree(EXAMPLE, folder)
    return os.path.join(folder, "sallyport.yaml")


# --- as it is shipped ---------------------------------------------------------

@seed.case
def the_example_is_fine(t):
    """Nothing to warn of but what it says itself."""
    file = example(t)
    proxy = Sallyport(t.binary, t.lab, t.path("none"))
    env = dict(os.environ, XDG_STATE_HOME=t.path("state"))
    code, out, err = proxy.run("check", "-c", file, env=env)
    assert code == 0 and ": fine, 8 rules" in out, (code, out, err)
    assert "6 categories" in out and not err, (out, err)


@seed.case(limit=60)
def each_row_is_where_the_guide_has_it(t):
    """With "dev1" and a host that is in no list every rule is walked past."""
    file = example(t)
    proxy = Sallyport(t.binary, t.lab, t.path("none"))
    tried = explain(proxy, "https://www.example.com/", "--user", "dev1",
                    file=file)["ssl"]["tried"]
    assert [r["rule"] for r in tried] == [row[0] for row in NAMES], tried
    assert [r["matched"] for r in tried] == [False] * 7 + [True], tried
    for row, said in zip(NAMES[:5], tried):
        assert row[1] in said["because"], said
    tried = explain(proxy, "https://swcdn.apple.com/", "--user", "ann",
                    file=file)["ssl"]["tried"]
    assert "Developers" in tried[0]["because"], tried[0]


@seed.case(limit=120)
def the_table_by_explain(t):
    file = example(t)
    proxy = Sallyport(t.binary, t.lab, t.path("none"))
    rows = {row[0]: row for row in NAMES}
    for url, user, outcome, by_ssl, by_url in TABLE:
        said = explain(proxy, url, "--user", user, file=file)
        assert said["outcome"] == outcome, (url, user, said)
        if by_ssl:
            ssl_said, row = said["ssl"], rows[by_ssl]
            assert (ssl_said["rule"], ssl_said["action"],
                    ssl_said["url_policies"]) == (by_ssl, row[3], row[4]), (
                        url, user, said)
            assert ssl_said["untrusted"] == (
                "allow" if by_ssl == PRIVATE else "block"), said
        else:
            assert said["ssl"] is None, said
        if by_url:
            assert said["http"]["rule"] == by_url, (url, user, said)
        else:
            assert said["http"] is None, said


@seed.case
def users_by_address_are_as_those_by_name(t):
    file = example(t)
    proxy = Sallyport(t.binary, t.lab, t.path("none"))
    for address, outcome in (("192.0.2.11", "block"),
                             ("192.0.2.12", "block"),
                             ("192.0.2.13", LEAVE)):
        said = explain(proxy, "https://github.com/github-copilot", "--from",
                       address, file=file)
        assert said["outcome"] == outcome, (address, said)


# --- live ---------------------------------------------------------------------

def outside_world(t):
    """The sites' certificates: good ones, and one of a CA that nobody knows."""
    pki = Pki(t.path("pki"))
    os.makedirs(pki.path("issued"))
    open(pki.path("index.txt"), "w").close()
    with open(pki.path("lab.cnf"), "w") as f:
        f.write(CONFIG.format(folder=pki.folder))
    pki.authority("root")
    pki.authority("inter", "root")
    pki.authority("other")
    pki.issue("sites", "/CN=sites", san=",".join(
        "DNS:" + host for host in hosts("https")))
    pki.issue("private", "/CN=testing.httpbin.org", issuer="other",
              san="DNS:testing.httpbin.org", sent=("other",))
    return pki


def passwords():
    lines = ["%s:%s" % (user, openssl("passwd", "-6", PASSWORD).decode())
             for user in ("dev1", "dev2", "ann")]
    return "".join(lines)


def put_example(proxy):
    """The example behind what makes it run here, with passwords."""
    shutil.copytree(os.path.join(EXAMPLE, "lists"),
                    os.path.join(proxy.folder, "lists"))
    with open(os.path.join(proxy.folder, "users.htpasswd"), "w") as f:
        f.write(passwords())
    with open(os.path.join(EXAMPLE, "sallyport.yaml")) as f:
        policy = f.read()
    assert "  # htpasswd: users.htpasswd\n" in policy
    text = yaml(proxy.config).lstrip("\n") + "\n" + policy.replace(
        "  # htpasswd: ", "  htpasswd: ")
    write, proxy.write = proxy.write, lambda: write(text)


@contextlib.contextmanager
def running(t):
    """The example in front of an nginx that has all those sites."""
    pki = outside_world(t)
    nginx = Nginx(t.path("nginx"), pki.folder, {
        "sites": "sites", "private": "private", "plain": ""}, t.lab.www)
    nginx.start()
    # One worker: the lines of several are not in order.
    own = Running(t, {"workers": 1, "origin": {"trust": [pki.root], "connect-to": [
        "testing.httpbin.org:443:127.0.0.1:%d" % nginx.port["private"],
        ":443:127.0.0.1:%d" % nginx.port["sites"],
        ":80:127.0.0.1:%d" % nginx.port["plain"]]}})
    put_example(own.proxy)
    try:
        with own:
            yield own.proxy, pki
    finally:
        nginx.stop()


def login(user):
    pair = "%s:%s" % (user, PASSWORD)
    return "Proxy-Authorization: Basic " + base64.b64encode(
        pair.encode()).decode()


def target_of(url):
    return "/" + url.split("/", 3)[3]


def ask_plain(t, url, user):
    sock = t.dial()
    sock.sendall(http1.head("GET", url, url.split("/")[2], login(user)))
    return http1.read_reply(http1.reader(sock)), None


def ask_tls(t, url, user):
    """(reply, the certificate that was shown; both None: not even that)."""
    host = url.split("/")[2]
    sock, reply = t.connect(host, 443, login(user))
    if reply.status != 200:
        return reply, None
    try:
        tls = t.tls(host, sock=sock, trust=False)
    except (ssl.SSLError, ConnectionError):
        return None, None
    der = tls.getpeercert(binary_form=True)
    return t.ask(tls, "GET", target_of(url), host), der


def origins(pki):
    """The certificates that the origins have."""
    out = []
    for name in "sites", "private":
        with open(pki.path(name + ".pem")) as f:
            out.append(ssl.PEM_cert_to_DER_cert(split(f.read())[0]))
    return out


def outcome_of(reply, der, theirs):
    """What a client sees of it, in the words of explain."""
    if reply is None:
        return "block"
    if reply.status == 302:
        to = reply.get("location")
        assert to.startswith("https://isolation.example/?url="), to
        return "isolate"
    if reply.error:
        assert reply.status == 403, reply
        assert reply.error in ("blocked-by-rule", "blocked-by-url-rule"), \
            reply
        return "block"
    # Its own: there are no such pages, and no index.
    assert reply.status in (403, 404), reply
    if der is None:
        return "allow"
    return LEAVE if der in theirs else INSPECT


def line_of(t, row):
    """The next log line of the like of row, each once: they come late."""
    url, user, outcome, *_ = row
    match = {"user": user, "host": url.split("/")[2],
             "kind": "tunnel" if outcome == LEAVE else "exchange",
             "port": 443 if url.startswith("https") else 80}
    number = t.taken.get(str(match), 0)
    t.taken[str(match)] = number + 1
    t.line(count=number + 1, **match)
    return t.lines(**match)[number]


def check_line(line, row):
    url, user, outcome, by_ssl, by_url = row
    assert line.get("rule") == by_ssl, (row, line)
    assert line.get("url_rule") == by_url, (row, line)
    assert line.get("url_action", "allow") == (
        outcome if outcome in ("block", "isolate") else "allow"), (row, line)


@seed.case(limit=120)
def the_table_live(t):
    with running(t) as (proxy, pki):
        theirs = origins(pki)
        for url, user, outcome, by_ssl, _ in TABLE:
            reply, der = (ask_tls if by_ssl else ask_plain)(t, url, user)
            assert outcome_of(reply, der, theirs) == outcome, (
                url, user, reply)
            t.close()
            t.open.clear()
        t.taken = {}
        for row in TABLE:
            check_line(line_of(t, row), row)


@seed.case(limit=60)
def what_is_isolated_goes_on_with_its_url(t):
    with running(t):
        reply, _ = ask_tls(t, "https://typo-squatter.example/a?b=c&d=%2F",
                           "ann")
    assert reply.status == 302, reply
    assert reply.get("location") == (
        "https://isolation.example/?url=https%3A%2F%2Ftypo-squatter.example"
        "%2Fa%3Fb%3Dc%26d%3D%252F"), reply.fields
