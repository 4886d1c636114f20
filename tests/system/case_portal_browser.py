"""The portal in Chromium: at several widths, by keyboard, without script; its
PAC file, and its lines for Chromium's own store."""

import base64
import os
import subprocess
import time

from case_portal import HTML, Outline, portal
from lab import devtools
from lab.sallyport import SLOW

CHROMIUM = ("--headless", "--no-sandbox", "--disable-gpu",
            "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-sync",
            "--disable-component-update", "--no-default-browser-check",
            "--disable-extensions", "--mute-audio")
NEEDS = ["program:chromium", "program:certutil"]


class Chromium:
    """One page of it, at which several URLs may be looked at."""

    def __init__(self, t, *args, trusted=True):
        nss = t.path(".pki/nssdb")
        os.makedirs(nss, exist_ok=True)
        made = ["-N", "--empty-password"], [
            "-A", "-t", "C,,", "-n", "Sallyport", "-i", t.proxy.root]
        for words in made[:2 if trusted else 1]:
            done = t.run("certutil", "-d", "sql:" + nss, *words)
            assert done.returncode == 0, done.stderr
        self.browser = devtools.Browser(
            ["chromium", *CHROMIUM, "--user-data-dir=" + t.path("profile"),
             *args], t.env(HOME=t.dir, http_proxy="", https_proxy="",
                           HTTP_PROXY="", HTTPS_PROXY=""), t.dir)
        target = self.browser.call("Target.createTarget", url="about:blank")
        self.session = self.browser.call(
            "Target.attachToTarget", flatten=True,
            targetId=target["targetId"])["sessionId"]
        self.call("Page.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.close()

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def load(self, url):
        """What went wrong; None: nothing did."""
        self.browser.events.clear()
        wrong = self.call("Page.navigate", url=url).get("errorText")
        while not wrong:
            method, _ = self.browser.event(60 * SLOW)
            assert method, "%s does not load" % url
            if method == "Page.loadEventFired":
                break
        return wrong

    def ask(self, expression):
        done = self.call("Runtime.evaluate", expression=expression,
                         awaitPromise=True, returnByValue=True,
                         userGesture=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def until(self, expression):
        end = time.monotonic() + 20 * SLOW
        while not (value := self.ask(expression)):
            assert time.monotonic() < end, expression
            time.sleep(0.05)
        return value

    def size(self, width, scheme="light"):
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=900, deviceScaleFactor=1, mobile=width < 700)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme}])

    def press(self, key, **more):
        for kind in "keyDown", "keyUp":
            self.call("Input.dispatchKeyEvent", type=kind, key=key,
                      **more if kind == "keyDown" else {})

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png",
                         captureBeyondViewport=True)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))


def by_proxy(t):
    return ("--proxy-server=127.0.0.1:%d" % t.proxy.port,
            "--proxy-bypass-list=<-loopback>")


@portal.case(limit=180, needs=NEEDS)
def chromium_shows_it_at_each_width(t):
    """The pictures are in the build's folder, to be looked at."""
    folder = os.path.join(os.path.dirname(os.path.abspath(t.binary)),
                          "portal")
    os.makedirs(folder, exist_ok=True)
    with Chromium(t, *by_proxy(t)) as page:
        for name, url in (("start", "http://sallyport.internal/"),
                          ("check", "https://sallyport.internal/check")):
            for width, scheme in ((320, "light"), (390, "light"),
                                  (390, "dark"), (640, "dark"),
                                  (1280, "light")):
                page.size(width, scheme)
                assert page.load(url) is None
                wide = page.ask("document.documentElement.scrollWidth")
                assert wide <= width, (name, width, wide)
                page.picture("%s/%s-%d-%s.png" % (folder, name, width,
                                                  scheme))
        page.load("http://sallyport.internal/")
        assert "trusts the root" in page.until(
            "(e => e.className == 'status yes' && e.textContent)"
            "(document.getElementById('probe'))")
        assert page.ask("document.getElementById('debian').open")
        assert page.ask("document.querySelectorAll('button').length == "
                        "document.querySelectorAll('pre').length")
        assert page.ask("(b => (b.click(), b.textContent))(document."
                        "querySelector('[aria-label=\"Copy: exec\"]'))") \
            == "Copied"
        assert "sallyport exec" in page.ask("getSelection().toString()")
        assert page.ask("document.querySelector('.said').textContent") \
            == "Copied: exec"
        tree = page.call("Accessibility.getFullAXTree")["nodes"]
        for node in tree:
            role = node.get("role", {}).get("value")
            if role in ("link", "button", "heading", "RootWebArea"):
                assert node["name"]["value"].strip(), node


FOCUSED = """(() => {
    const e = document.activeElement, style = getComputedStyle(e);
    return [e.tagName, e.getAttribute("aria-label") || e.textContent,
            style.outlineStyle, parseFloat(style.outlineWidth),
            Math.min(e.getBoundingClientRect().height, 99)]})()"""


@portal.case(limit=120, needs=NEEDS)
def chromium_by_keyboard(t):
    """All that can be clicked is reached, seen where it is, and works."""
    tab, enter = {"windowsVirtualKeyCode": 9}, {"windowsVirtualKeyCode": 13,
                                                "text": "\r"}
    with Chromium(t, *by_proxy(t)) as page:
        page.size(1280)
        page.load("http://sallyport.internal/")
        page.ask("document.getElementById('debian').open = false")
        stops = []
        for _ in range(100):
            page.press("Tab", **tab)
            tag, name, style, width, height = page.ask(FOCUSED)
            if tag == "BODY" or stops and [tag, name] == stops[0]:
                break
            stops.append([tag, name])
            assert name.strip() and style == "solid" and width >= 2, stops
            assert tag == "A" or height >= 24, (stops, height)
        want = page.ask(
            "[...document.querySelectorAll('a, summary, button')].filter("
            "e => e.checkVisibility()).map("
            "e => [e.tagName, e.getAttribute('aria-label') || "
            "e.textContent])")
        assert stops == want, (stops, want)
        page.ask("document.querySelector('#debian summary').focus()")
        page.press("Enter", **enter)
        page.until("document.getElementById('debian').open")
        page.press("Tab", **tab)
        assert page.ask(FOCUSED)[1] == "Copy: trust the root, debian"
        page.press("Enter", **enter)
        page.until("document.activeElement.textContent == 'Copied'")
        assert "update-ca-certificates" in page.ask(
            "getSelection().toString()")
        levels = page.ask("[...document.querySelectorAll('summary')].map("
                          "e => e.firstElementChild.tagName)")
        assert set(levels) == {"H3"}, levels


@portal.case(limit=90, needs=NEEDS)
def chromium_without_script(t):
    """What is to be copied is marked whole by a click; nothing else lacks."""
    with Chromium(t, *by_proxy(t)) as page:
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        page.load("http://sallyport.internal/")
        assert page.ask("document.querySelectorAll('button').length") == 0
        page.ask("document.querySelector('[data-of=exec]').scrollIntoView()")
        x, y = page.ask("(r => [r.left + 30, r.top + 15])(document.querySelector"
                        "('[data-of=exec]').getBoundingClientRect())")
        for kind in "mousePressed", "mouseReleased":
            page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y,
                      button="left", clickCount=1)
        marked = page.ask("getSelection().toString()")
        assert marked.startswith("sallyport exec"), (
            marked, page.ask("matchMedia('(scripting:none)').matches"))


@portal.case(limit=90, needs=NEEDS)
def chromium_without_the_root_is_told_so(t):
    with Chromium(t, *by_proxy(t), trusted=False) as page:
        assert page.load("http://sallyport.internal/check") is None
        page.until("document.getElementById('probe').textContent"
                   ".includes('not trust')")
        wrong = page.load("https://sallyport.internal/check")
        assert wrong == "net::ERR_CERT_AUTHORITY_INVALID", wrong


def judged(t, page, url):
    """Whether Chromium brought the URL to the proxy."""
    before = len(t.proxy.log(t.offset))
    wrong = page.load(url)
    return wrong, t.proxy.log(t.offset)[before:]


@portal.case(limit=180, needs=NEEDS)
def chromium_goes_by_the_pac_file(t):
    """What is direct does not resolve, is refused or unreachable there, and
    never comes to the proxy, which would answer."""
    pac = "--proxy-pac-url=http://127.0.0.1:%d/proxy.pac" % t.proxy.port
    never = ("plain.direct.test", "below.direct.test", "a.b.below.direct.test",
             "PLAIN.direct.test.", "plainname", "192.0.2.7", "10.20.30.40",
             "127.0.0.1:1", "[::1]:1", "[2001:db8::5]",
             "xn--bcher-kva.test")
    always = ("sallyport.internal", "x.plain.direct.test", "notbelow.direct.test",
              "a.spared.test", "direct.test", "10.21.0.1", "192.0.2.8",
              "127.0.0.1.evil.test", "[2001:db8::6]", "constructor.test")
    with Chromium(t, pac, "--host-resolver-rules=MAP *.test 127.0.0.1:1, "
                  "MAP plainname 127.0.0.1:1, MAP 192.0.2.7 127.0.0.1:1, "
                  "MAP 10.20.30.40 127.0.0.1:1, "
                  "MAP 2001:db8::5 127.0.0.1:1") as page:
        for host in never:
            page.load("http://%s/never" % host)
        for host in always:
            page.load("http://%s/always" % host)
    hosts = {line.get("host") for line in t.proxy.log(t.offset)}
    bare = {host.lower().strip("[]").rstrip(".").rpartition(":")[0]
            if host.endswith(":1") else
            host.lower().strip("[]").rstrip(".") for host in never}
    assert not bare & hosts, bare & hosts
    assert eventually_all(t, {h.strip("[]") for h in always}), \
        {h.strip("[]") for h in always} - {
            line.get("host") for line in t.proxy.log(t.offset)}


def eventually_all(t, hosts):
    end = time.monotonic() + 10 * SLOW
    while time.monotonic() < end:
        if hosts <= {line.get("host") for line in t.proxy.log(t.offset)}:
            return True
        time.sleep(0.1)
    return False


@portal.case(limit=60, needs=["program:certutil", "program:curl"])
def the_lines_for_chromium_work_as_copied(t):
    page = Outline(t.fetch("http://sallyport.internal/", HTML).body.decode())
    lines, = [pre for pre in page.pres if "certutil -d" in pre]
    home = t.path("home")
    os.makedirs(home)
    for _ in range(2):  # whoever does so again has it still once
        subprocess.run(["sh", "-ec", lines], check=True, cwd=home,
                       env={"PATH": os.environ["PATH"], "HOME": home})
    listed = t.run("certutil", "-d", "sql:%s/.pki/nssdb" % home, "-L").stdout
    assert listed.count("sallyport") == 1 and "C,," in listed, listed
