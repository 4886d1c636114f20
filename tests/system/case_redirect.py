"""The transparent listener behind a firewall's redirect (SO_ORIGINAL_DST).

The group's process goes into a network of its own, where everything that a
user other than root sends to 10.9.9.9 is redirected to Sallyport.
"""

import contextlib
import os

from lab.case import Group
from lab.netns import command, own_network
from lab.nginx import Nginx
from lab.pki import split
from lab.sallyport import Sallyport

FAR = "10.9.9.9"
NOBODY = 65534
redirect = Group("redirect", config=None, needs=[
    "root", "program:nft", "program:ip", "program:setpriv"])

RULES = """table ip lab {
  chain out {
    type nat hook output priority -100;
    meta skuid %d ip daddr %s tcp dport { 443, 8443 } redirect to :%d
  }
}
"""


@contextlib.contextmanager
def redirected(t, *rules):
    """Two origins there, two here, and a Sallyport all of it leads to."""
    own_network()
    command("ip", "addr", "replace", FAR + "/32", "dev", "lo")
    pki = t.lab.pki.folder
    there = Nginx(t.path("there"), pki, {"ip": "ip", "more": "ip"},
                  t.lab.www, FAR, {"ip": 443, "more": 8443})
    here = Nginx(t.path("here"), pki, {"bank": "bank", "ec": "ec"},
                 t.lab.www)
    proxy = Sallyport(t.binary, t.lab, t.path("proxy"), {
        "origin": {"dns": None, "connect-to": [
            "%s.lab.test::127.0.0.1:%d" % (n, here.port[n])
            for n in ("bank", "ec")]},
        "ssl-rules": list(rules) + [
            {"name": "Banks", "action": "do-not-inspect",
             "match": {"hosts": ["bank.lab.test"]}}]})
    t.proxy = proxy
    with contextlib.ExitStack() as stack:
        for origin in (there, here):
            origin.start()
            stack.callback(origin.stop)
        proxy.start()
        stack.callback(proxy.stop)
        command("nft", "-f", "-", stdin=RULES % (NOBODY, FAR, proxy.tport))
        stack.callback(command, "nft", "delete", "table", "ip", "lab")
        t.mark()
        yield proxy


def curl(t, url, *args):
    host = url.split("/")[2].split(":")[0]
    port = (url.split("/")[2].split(":") + ["443"])[1]
    ca = t.write("ca.pem", open(t.proxy.root).read())
    os.chmod(t.dir, 0o755)
    done = t.run("setpriv", "--reuid=%d" % NOBODY, "--clear-groups", "curl",
                 "-sS", "-m", "20", "--noproxy", "*", "--cacert", ca,
                 "--resolve", "%s:%s:%s" % (host, port, FAR),
                 "-o", "/dev/null", "-w", "%{http_code}", url, *args)
    return done.stdout if done.returncode == 0 else done.stderr


@redirect.case(limit=60)
def by_sni_and_by_the_address_it_was_going_to(t):
    with redirected(t) as proxy:
        os.chmod(t.lab.folder, 0o755)
        got = curl(t, "https://ec.lab.test/1k")
        assert got == "200", got
        line = t.line(kind="exchange", sni="ec.lab.test")
        assert line["listener"] == "transparent", line
        # no SNI, and another port: the original destination is dialled
        for url in ("https://%s/1k" % FAR, "https://%s:8443/1k" % FAR,
                    "https://ip.lab.test:8443/1k"):
            got = curl(t, url)
            assert got == "200", (url, got, proxy.log()[-1:])
        assert t.line(host=FAR, port=8443, status=200)
        assert t.line(sni="ip.lab.test", port=8443, status=200)


@redirect.case(limit=60)
def a_bank_in_the_sni_leads_to_the_bank(t):
    """Do-not-inspect by SNI dials the name, never the original address."""
    with redirected(t):
        os.chmod(t.lab.folder, 0o755)
        done = t.run("setpriv", "--reuid=%d" % NOBODY, "--clear-groups",
                     "openssl", "s_client", "-connect", FAR + ":8443",
                     "-servername", "bank.lab.test", "-showcerts",
                     env={"PATH": os.environ["PATH"]})
        with open(t.lab.pki.path("bank.pem")) as f:
            assert split(done.stdout) == split(f.read()), done.stderr[-300:]
        t.line(kind="tunnel", sni="bank.lab.test")


@redirect.case(limit=60)
def a_blocked_address_is_blocked_by_any_name(t):
    with redirected(t, {"name": "Not there", "action": "block",
                        "match": {"hosts": [FAR]}}):
        os.chmod(t.lab.folder, 0o755)
        for url in ("https://%s:8443/1k" % FAR, "https://ip.lab.test:8443/1k"):
            got = curl(t, url)
            assert "alert" in got, got
        t.line(kind="refused", sni="ip.lab.test", rule="Not there")
