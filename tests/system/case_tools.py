"""Real programs, with nothing set but the proxy and the CA."""

import os
import sys

from lab.case import Group, NotRun, eventually

tools = Group("tools")
# The world outside: its own names, the system's roots beside the lab's.
outside = Group("outside", config=lambda lab: {"origin": {
    "trust": ["system", lab.pki.root], "dns": None}})
URL = "https://tools.lab.test/1k"


def same_as_served(t, text):
    with open(os.path.join(t.lab.www, "1k")) as f:
        assert text == f.read(), "%d characters" % len(text)


def inspected(t, host):
    """It did go through, and was inspected."""
    line = t.line(kind="exchange", host=host)
    assert line["action"] == "inspect" and line["reason"] == "ok", line


@tools.case(needs=["program:curl"])
def curl(t):
    same_as_served(t, t.curl(URL).stdout)
    inspected(t, "tools.lab.test")


@tools.case(needs=["program:curl"])
def curl_http_1_0_and_head_and_upload(t):
    same_as_served(t, t.curl("-0", URL).stdout)
    assert "HTTP/1.1 200" in t.curl("-I", URL).stdout
    name = t.write("upload", b"u" * 3000000)
    done = t.curl("-T", name, "https://odd.lab.test/echo")
    assert '"size": 3000000' in done.stdout, done.stdout
    done = t.curl("-F", "a=@" + name, "https://odd.lab.test/echo")
    assert '"POST"' in done.stdout, done.stdout


@tools.case(needs=["program:curl"])
def curl_of_plain_http(t):
    same_as_served(t, t.curl("http://web.lab.test/1k").stdout)
    line = t.line(host="web.lab.test")
    assert line["url"] == "http://web.lab.test/1k", line


@tools.case(needs=["program:curl"])
def curl_many_on_one_connection(t):
    done = t.curl("-o", "/dev/null", "-w", "%{http_code} %{num_connects}\\n",
                  "https://tools.lab.test/1k?[1-50]")
    rows = done.stdout.split("\n")[:50]
    assert rows[0] == "200 1" and set(rows[1:]) == {"200 0"}, rows[:3]


@tools.case(needs=["program:curl"])
def curl_in_parallel(t):
    done = t.curl("-Z", "--parallel-max", "40", "-o", "/dev/null", "-w",
                  "%{http_code}\\n", "https://tools.lab.test/100k?[1-200]")
    assert done.stdout.split() == ["200"] * 200, done.stdout[-300:]


@tools.case(needs=["program:wget"])
def wget(t):
    done = t.run("wget", "-q", "-O", "-", "--ca-certificate=" + t.proxy.root,
                 URL)
    assert done.returncode == 0, done.stderr
    same_as_served(t, done.stdout)
    inspected(t, "tools.lab.test")


@tools.case
def python_urllib(t):
    done = t.run(sys.executable, "-c", "import sys, urllib.request\n"
                 "print(urllib.request.urlopen(sys.argv[1]).read().decode(),"
                 "end='')", URL, env=t.env(SSL_CERT_FILE=t.proxy.root))
    assert done.returncode == 0, done.stderr
    same_as_served(t, done.stdout)
    inspected(t, "tools.lab.test")


@tools.case
def openssl(t):
    done = t.run("openssl", "s_client", "-proxy", "127.0.0.1:%d"
                 % t.proxy.port, "-connect", "tools.lab.test:443",
                 "-servername", "tools.lab.test", "-CAfile", t.proxy.root,
                 "-verify_return_error", "-verify_hostname",
                 "tools.lab.test", "-ign_eof", "-quiet",
                 stdin="GET /1k HTTP/1.1\r\nHost: tools.lab.test\r\n"
                       "Connection: close\r\n\r\n")
    assert "200 OK" in done.stdout, done.stderr
    inspected(t, "tools.lab.test")


@tools.case(needs=["program:git"])
def git_clone(t):
    env = t.env(GIT_SSL_CAINFO=t.proxy.root, GIT_TERMINAL_PROMPT="0",
                GIT_CONFIG_GLOBAL="/dev/null")
    done = t.run("git", "clone", "-q", "https://tools.lab.test/repo.git",
                 env=env)
    assert done.returncode == 0, done.stderr
    with open(t.path("repo/hello")) as f:
        assert f.read() == "from the lab\n"
    inspected(t, "tools.lab.test")


@tools.case(needs=["program:node"])
def node_https(t):
    """Through CONNECT by hand: node has no proxy setting of its own."""
    program = """
const http = require("http"), https = require("https");
http.request({host: "127.0.0.1", port: +process.argv[1], method: "CONNECT",
    path: "tools.lab.test:443"}).on("connect", (r, socket) => {
  https.get({host: "tools.lab.test", path: "/1k", socket, agent: false},
    (a) => { a.pipe(process.stdout); });
}).end();
"""
    done = t.run("node", "-e", program, str(t.proxy.port),
                 env=t.env(NODE_EXTRA_CA_CERTS=t.proxy.root))
    assert done.returncode == 0, done.stderr
    same_as_served(t, done.stdout)


@outside.case(limit=150, needs=["program:npm", "network:registry.npmjs.org"])
def npm_install(t):
    """A real package with dependencies, from the registry."""
    t.write("package.json", '{"name": "lab", "version": "1.0.0"}\n')
    env = t.env(NODE_EXTRA_CA_CERTS=t.proxy.root,
                npm_config_globalconfig=t.write("npmrc", ""),
                npm_config_cache=t.path("cache"), npm_config_audit="false",
                npm_config_fund="false", npm_config_update_notifier="false",
                npm_config_registry="https://registry.npmjs.org/")
    probe = t.run("node", "-e", "require('https').get("
                  "'https://registry.npmjs.org/', r => process.exit(0))"
                  ".on('error', e => { console.error(e.code); process.exit(1) })",
                  "--use-openssl-ca", env=t.env(
                      SSL_CERT_FILE="/etc/ssl/certs/ca-certificates.crt"))
    if probe.returncode:
        raise NotRun("the registry does not verify by the system's roots "
                     "even without a proxy: " + probe.stderr.strip()[-80:])
    done = t.run("npm", "install", "express@4", env=env, timeout=120)
    assert done.returncode == 0, done.stderr[-600:]
    assert os.path.isfile(t.path("node_modules/express/package.json"))
    t.line(kind="exchange", host="registry.npmjs.org", count=20)
    inspected(t, "registry.npmjs.org")


CHROMIUM = ("--headless", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-sync",
            "--disable-component-update", "--no-default-browser-check",
            "--disable-extensions", "--mute-audio")


def chromium(t, url, trusted=True):
    """The page's DOM once all of it is loaded."""
    nss = t.path(".pki/nssdb")
    os.makedirs(nss, exist_ok=True)
    if trusted:
        for args in (("-N", "--empty-password"),
                     ("-A", "-t", "C,,", "-n", "Sallyport", "-i",
                      t.proxy.root)):
            done = t.run("certutil", "-d", "sql:" + nss, *args)
            assert done.returncode == 0, done.stderr
    done = t.run("chromium", *CHROMIUM, "--proxy-server=127.0.0.1:%d"
                 % t.proxy.port, "--proxy-bypass-list=<-loopback>",
                 "--user-data-dir=" + t.path("profile"), "--dump-dom", url,
                 env=t.env(HOME=t.dir, http_proxy="", https_proxy=""),
                 timeout=100)
    return done.stdout + ("" if done.stdout else done.stderr[-800:])


@tools.case(limit=120, needs=["program:chromium", "program:certutil"])
def chromium_loads_a_page_with_a_websocket(t):
    dom = chromium(t, "https://odd.lab.test/page")
    assert "echoed: through sallyport" in dom, dom[-800:]
    inspected(t, "odd.lab.test")
    assert eventually(lambda: t.lines(host="odd.lab.test", status=101)), \
        "no 101 in the log"


@tools.case(limit=120, needs=["program:chromium", "program:certutil"])
def chromium_shows_our_error_page(t):
    dom = chromium(t, "https://expired.lab.test/")
    assert "expired" in dom and "expired.lab.test" in dom, dom[-800:]
    t.line(host="expired.lab.test", reason="origin-certificate-expired")


@tools.case(limit=120, needs=["program:chromium", "program:certutil"])
def chromium_without_the_ca_is_warned(t):
    chromium(t, "https://odd.lab.test/page", trusted=False)
    assert not t.lines(kind="exchange", host="odd.lab.test", status=200)
