"""`sallyport explain`: which rule, and why the ones before it did not."""

import json
import os

from case_run import Running
from lab.api import Api
from lab.case import Group
from lab.sallyport import Sallyport

explaining = Group("explain", config=None)

POLICY = {
    "users": {"groups": {"developers": ["dev1", "dev2"]},
              "sources": {"10.1.2.0/24": "dev2"}, "required": False},
    "categories": {
        "code": {"hosts": ["code.lab.test/assistant", ".repo.lab.test"]},
        "banks": {"hosts": [".bank.lab.test"]},
        "bad": {"hosts": ["bad.lab.test"]}},
    "ssl-rules": [
        {"name": "Banks", "match": {"categories": ["banks"]},
         "action": "do-not-inspect", "url-policies": "bypass"},
        {"name": "Off", "enabled": False, "action": "block"},
        {"name": "Code", "match": {"categories": ["code"],
                                   "groups": ["developers"]},
         "action": "inspect", "untrusted": "allow"},
        {"name": "Bad", "match": {"categories": ["bad"]}, "action": "block"},
        {"name": "Nightly", "match": {
            "hosts": ["night.lab.test"], "times": [
                {"days": "mon-fri", "hours": "22:00-06:00",
                 "zone": "UTC"}]}, "action": "block"},
        {"name": "Rest", "action": "do-not-inspect"}],
    "url-rules": [
        {"name": "No assistant", "match": {"categories": ["code"]},
         "not": {"methods": ["HEAD"]}, "action": "block"},
        {"name": "Elsewhere", "match": {"hosts": ["risky.lab.test"]},
         "action": "isolate",
         "isolate": "https://isolation.lab.test/?url={url}"},
        {"name": "Stale", "match": {"certificate": ["expired"]},
         "action": "block"}]}


def written(t, more=None, name="own"):
    """A Sallyport that is not run: its file is there."""
    proxy = Sallyport(t.binary, t.lab, t.path(name), more)
    proxy.write()
    return proxy


def explain(proxy, url, *options, file=None):
    """What --json says."""
    code, out, err = proxy.run("explain", url, "--json", *options, "-c",
                               file or proxy.file)
    assert code == 0, (url, options, code, err)
    return json.loads(out)


def told(proxy, url, *options):
    """The text's lines, and what stands on standard error."""
    code, out, err = proxy.run("explain", url, *options, "-c", proxy.file)
    assert code == 0, (url, options, code, err)
    return out.splitlines(), err


@explaining.case
def both_passes_with_file_and_line(t):
    proxy = written(t, POLICY)
    said = explain(proxy, "https://code.lab.test/assistant/x", "--user",
                   "dev1")
    assert said["url"] == "https://code.lab.test/assistant/x"
    assert said["outcome"] == "block" and said["user"] == "dev1", said
    ssl, http = said["ssl"], said["http"]
    assert (ssl["rule"], ssl["action"], ssl["untrusted"],
            ssl["url_policies"]) == ("Code", "inspect", "allow",
                                     "evaluate"), ssl
    assert (http["rule"], http["action"]) == ("No assistant", "block"), http
    with open(proxy.file) as f:
        lines = f.read().split("\n")
    for part in ssl, http:
        assert os.path.samefile(part["file"], proxy.file), part
        near = "\n".join(lines[part["line"] - 2:part["line"] + 1])
        assert '"%s"' % part["rule"] in near, (part, near)
    assert [(r["rule"], r["matched"]) for r in ssl["tried"]] == [
        ("Banks", False), ("Off", False), ("Code", True)], ssl
    assert all(r["because"] for r in ssl["tried"][:2]), ssl
    assert "because" not in ssl["tried"][2], ssl
    assert said["categories"] == {"host": ["code"], "url": ["code"]}, said


@explaining.case
def a_default_has_no_file(t):
    proxy = written(t, {"ssl-rules": []})
    said = explain(proxy, "code.lab.test")
    for part, action in (said["ssl"], "inspect"), (said["http"], "allow"):
        assert (part["rule"], part["action"], part["file"], part["line"],
                part["tried"]) == ("default", action, None, None, []), part
    assert said["outcome"] == "inspect" and said["user"] is None, said
    lines, _ = told(proxy, "code.lab.test")
    assert lines[0] == "https://code.lab.test/", lines
    assert lines[-1] == "decision: inspect by default", lines


@explaining.case
def outcomes(t):
    proxy = written(t, POLICY)
    dev = ("--user", "dev1")
    for url, options, outcome, by in (
            ("https://code.lab.test/", dev, "inspect", "Code"),
            ("https://code.lab.test/assistant", dev, "block",
             "No assistant"),
            ("https://code.lab.test/assistants", dev, "inspect", "Code"),
            ("https://code.lab.test/assistant", dev + ("--method", "HEAD"),
             "inspect", "Code"),
            ("https://code.lab.test/assistant", (), "do-not-inspect",
             "Rest"),
            ("https://code.lab.test/assistant", ("--user", "ann"),
             "do-not-inspect", "Rest"),
            ("https://code.lab.test/assistant", ("--from", "10.1.2.9"),
             "block", "No assistant"),
            ("https://code.lab.test/assistant", ("--from", "10.1.3.9"),
             "do-not-inspect", "Rest"),
            ("https://code.lab.test/assistant", ("--from", "10.1.2.9",
             "--user", "ann"), "do-not-inspect", "Rest"),
            ("https://a.repo.lab.test/", dev, "block", "No assistant"),
            ("https://a.repo.lab.test/", (), "block", "No assistant"),
            ("https://www.bank.lab.test/", (), "do-not-inspect", "Banks"),
            ("https://bad.lab.test/", (), "block", "Bad"),
            ("https://risky.lab.test/", (), "block", "Elsewhere"),
            ("http://risky.lab.test/", (), "isolate", "Elsewhere"),
            ("http://bad.lab.test/", (), "allow", "default"),
            ("http://code.lab.test/assistant", (), "block",
             "No assistant"),
            ("https://www.bank.lab.test/", ("--sni", "code.lab.test") + dev,
             "inspect", "Code"),
            ("https://www.bank.lab.test/", ("--sni", "bad.lab.test"),
             "block", "Bad"),
            ("https://night.lab.test/", ("--at", "2026-11-27 23:30"),
             "block", "Nightly"),
            ("https://night.lab.test/", ("--at", "2026-11-28 05:59"),
             "block", "Nightly"),
            ("https://night.lab.test/", ("--at", "2026-11-28 23:30"),
             "do-not-inspect", "Rest"),
            ("https://night.lab.test/", ("--at", "2026-11-28 01:30 +02:00"),
             "block", "Nightly"),
            ("https://code.lab.test/", dev + ("--certificate", "expired"),
             "block", "Stale"),
            ("https://x.lab.test/", ("--certificate", "expired"),
             "do-not-inspect", "Rest")):
        said = explain(proxy, url, *options)
        lines, _ = told(proxy, url, *options)
        assert said["outcome"] == outcome, (url, options, said)
        assert lines[-1] == "decision: %s by %s" % (outcome, by), (
            url, options, lines)


@explaining.case
def where_a_host_leads(t):
    """Looked up only where a rule asks and neither --to nor connect-to says."""
    proxy = written(t, {
        "origin": {"connect-to": ["inside.lab.test:443:10.9.9.9:443"]},
        "ssl-rules": [{"name": "Inside", "match": {
            "destinations": ["10.0.0.0/8"]}, "action": "block"}]})
    for url, options, by in (
            ("https://x.lab.test/", ("--to", "10.9.9.9"), "block by Inside"),
            ("https://10.9.9.9/", (), "block by Inside"),
            ("https://inside.lab.test/", (), "block by Inside"),
            ("https://inside.lab.test/", ("--to", "192.0.2.1"),
             "inspect by default")):
        lines, _ = told(proxy, url, *options)
        assert lines[-1] == "decision: " + by, (url, options, lines)
        address = options[1] if options else "10.9.9.9"
        assert any(l == "  leads to: " + address for l in lines), lines


@explaining.case
def where_a_host_leads_as_the_proxy_asks(t):
    """At origin.dns; and what nobody says is not taken for an answer."""
    proxy = written(t, {
        "ssl-rules": [{"name": "Far", "match": {
            "destinations": ["192.0.2.0/24"]}, "action": "block"}],
        "url-rules": [{"name": "Here", "match": {"sources": ["10.0.0.0/8"]},
                       "action": "block"}]})
    here = ("--from", "192.168.1.1")
    for url, options, by, unsure in (
            ("https://far.test/", (), "block by Far", None),
            ("https://mixed.test/", (), "block by Far", None),
            ("https://both.test/", here, "inspect by default", None),
            ("https://both.test/", (), "inspect by default", "--from"),
            ("https://dead.test/", here, "inspect by default", "--to"),
            ("https://dead.test/", here + ("--to", "10.1.1.1"),
             "inspect by default", None)):
        lines, _ = told(proxy, url, *options)
        assert lines[-1] == "decision: " + by, (url, options, lines)
        assert lines[-2].startswith("not sure: ") == bool(unsure), lines
        said = explain(proxy, url, *options)
        assert said["sure"] == (not unsure), said
        assert not unsure or unsure in said["unsure_because"], said
        assert unsure or said["unsure_because"] is None, said


@explaining.case
def an_address_and_its_name(t):
    """CONNECT's counts, though the SNI leads to it, where a rule names it."""
    proxy = written(t, {"ssl-rules": [
        {"name": "By address", "match": {"hosts": ["127.0.0.1"]},
         "action": "block"},
        {"name": "Rest", "action": "inspect"}], "url-rules": []})
    for host, outcome in (("127.0.0.1", "block"), ("127.0.0.2", "inspect")):
        said = explain(proxy, "https://%s/" % host, "--sni", "localhost")
        assert said["outcome"] == outcome, said


@explaining.case
def what_is_skipped_is_said(t):
    proxy = written(t, POLICY)
    for url, why in (("https://www.bank.lab.test/", "bypass"),
                     ("https://bad.lab.test/", "blocks")):
        assert explain(proxy, url)["http"] is None
        lines, _ = told(proxy, url)
        assert any("URL rules: not asked" in l and why in l
                   for l in lines), lines
    assert explain(proxy, "http://bad.lab.test/")["ssl"] is None
    lines, _ = told(proxy, "https://x.lab.test/")
    assert any("tunnel" in l for l in lines), lines


@explaining.case
def each_rule_is_a_line(t):
    proxy = written(t, POLICY)
    lines, err = told(proxy, "https://bad.lab.test/", "--user", "dev1")
    assert not err, err
    numbered = [l for l in lines if l.startswith("  ") and l[2].isdigit()]
    names = ["Banks", "Off", "Code", "Bad"]
    for number, (line, name) in enumerate(zip(numbered, names, strict=True)):
        assert line.startswith("  %d %s (" % (number + 1, name)), line
        assert "sallyport.yaml:" in line, line
        assert line.endswith("): matched" if name == "Bad" else line), line
        assert (": no: " in line) == (name != "Bad"), line


@explaining.case
def two_readings_of_a_path(t):
    proxy = written(t, POLICY)
    url = "https://code.lab.test/x%2F..%2Fassistant"
    said = explain(proxy, url, "--user", "dev1")
    assert (said["outcome"], said["http"]["rule"]) == (
        "block", "No assistant"), said
    lines, _ = told(proxy, url, "--user", "dev1")
    assert any("/assistant: decided by both" in l for l in lines), lines
    assert any(l.startswith("  > ") and "/assistant" in l
               for l in lines), lines
    lines, _ = told(proxy, "https://code.lab.test/x", "--user", "dev1")
    assert not any("decided by both" in l for l in lines), lines


@explaining.case
def who_is_nobody_is_asked_first(t):
    """With users.required, the explicit proxy asks nobody's rules."""
    policy = dict(POLICY, users=dict(POLICY["users"], required=True))
    proxy = written(t, policy)
    lines, _ = told(proxy, "https://bad.lab.test/")
    assert any("407" in l for l in lines), lines
    assert lines[-1] == "decision: block by Bad", lines
    lines, _ = told(proxy, "https://bad.lab.test/", "--from", "10.1.2.3")
    assert not any("407" in l for l in lines), lines


@explaining.case
def a_blocked_certificate_ends_it(t):
    """As it does live: no URL rule is asked about what is behind it."""
    url = "https://expired.lab.test/"
    with Running(t, {"url-rules": [
            {"name": "Away", "match": {"hosts": ["expired.lab.test"]},
             "action": "isolate",
             "isolate": "https://isolation.lab.test/?url={url}"}]}) as proxy:
        live = t.fetch(url).error
        assert live == "origin-certificate-expired", live
        said = explain(proxy, url, "--certificate", "expired")
        assert (said["outcome"], said["http"], said["decision"]) == (
            "block", None, {"pass": "ssl", "rule": "default",
                            "reason": live}), (live, said)
        lines, _ = told(proxy, url, "--certificate", "expired")
        assert any("not asked" in l and "certificate" in l
                   for l in lines), lines
        assert lines[-1] == "decision: block by default", lines
        for more in ((), ("--certificate", "trusted")):
            said = explain(proxy, url, *more)
            assert said["decision"] == {
                "pass": "http", "rule": "Away", "reason": "isolated"}, said
            assert said["http"]["isolate"] == (
                "https://isolation.lab.test/?url={url}"), said
        lines, _ = told(proxy, "expired.lab.test/a?b=c&d",
                        "--certificate", "trusted")
        assert ("  isolate: sent on to https://isolation.lab.test/?url="
                "https%3A%2F%2Fexpired.lab.test%2Fa%3Fb%3Dc%26d") in lines, lines


@explaining.case
def what_was_asked_stands_in_json(t):
    policy = dict(POLICY, users=dict(POLICY["users"], required=True))
    policy["ssl-rules"] = [{
        "name": "New", "action": "inspect", "min-client-tls": "1.2",
        "min-server-tls": "1.3"}]
    proxy = written(t, policy)
    said = explain(proxy, "https://x.lab.test/", "--from", "10.9.9.9",
                   "--method", "PUT", "--at", "2026-11-27 23:30 +01:00")
    assert [said[key] for key in ("user", "from", "method", "time",
                                  "asks_user")] == [
        None, "10.9.9.9", "PUT", "2026-11-27T22:30:00Z", True], said
    ssl = said["ssl"]
    assert (ssl["min_client_tls"], ssl["min_server_tls"],
            ssl["intermediate_ca"]) == ("1.2", "1.3", None), ssl
    for part in ssl, said["http"]:
        for rule in part["tried"]:
            assert rule["line"] > 1, rule
            assert os.path.samefile(rule["file"], proxy.file), rule
    assert len(said["http"]["tried"]) == 3, said
    assert said["http"]["isolate"] is None, said
    assert said["decision"] == {"pass": "ssl", "rule": "New",
                                "reason": None}, said
    said = explain(proxy, "http://risky.lab.test/", "--user", "dev1")
    assert said["asks_user"] is False and said["from"] is None, said
    assert said["decision"]["reason"] == "isolated", said


@explaining.case
def a_user_whom_nobody_has_is_noted(t):
    proxy = written(t, POLICY)
    for user, noted in (("dev1", False), ("dev2", False), ("zed", True)):
        lines, err = told(proxy, "https://bad.lab.test/", "--user", user)
        assert lines[-1] == "decision: block by Bad", lines
        assert ('no user "%s" is in' % user in err) == noted, err


@explaining.case
def a_policy_that_came_by_the_api(t):
    """It counts, with its own lines, whether or not the proxy runs."""
    url = "https://bad.lab.test/"

    def by_api(proxy):
        said = explain(proxy, url)
        assert said["outcome"] == "inspect", said
        assert (said["ssl"]["rule"], said["ssl"]["file"],
                said["ssl"]["line"]) == ("Mine", "policy version 1", 3), said
        lines, err = told(proxy, url)
        assert lines[-1] == "decision: inspect by Mine", lines
        assert err.count("policy version 1") == 1, err
    with Running(t, POLICY) as proxy:
        assert explain(proxy, url)["ssl"]["rule"] == "Bad"
        reply = Api(proxy).call("PUT", "/policy", "# by hand\nssl-rules:\n"
                                "- {name: Mine, action: inspect}\n",
                                "application/yaml")
        assert reply.status == 200, reply
        by_api(proxy)
    by_api(proxy)


@explaining.case
def a_policy_that_cannot_be_read_is_said(t):
    proxy = written(t, POLICY)
    os.makedirs(proxy.config["state"] + "/policy", mode=0o700)
    os.chmod(proxy.config["state"], 0o700)
    with open(proxy.config["state"] + "/policy/current", "w") as f:
        f.write("no number\n")
    lines, err = told(proxy, "https://bad.lab.test/")
    assert lines[-1] == "decision: block by Bad", lines
    assert "by the file alone" in err and "current" in err, err


@explaining.case
def wrong_use(t):
    proxy = written(t, POLICY)
    for args, part in (
            ((), "needs URL"), (("ftp://x/",), "https:// and http://"),
            (("https://a b/",), "is no URL"),
            (("https://user@x.test/",), "is no URL"),
            (("x.test", "--from", "there"), "--from there"),
            (("x.test", "--at", "noon"), "--at noon"),
            (("x.test", "--method", "post"), "in capitals"),
            (("x.test", "--certificate", "odd"), "expired"),
            (("x.test", "--usr", "ann"), "did you mean --user")):
        code, out, err = proxy.run("explain", *args, "-c", proxy.file)
        assert code == 2 and not out and part in err, (args, code, out, err)
    proxy.write("lissen: 1\n")
    code, out, err = proxy.run("explain", "x.test", "-c", proxy.file)
    assert code == 2 and not out and "lissen" in err, (code, out, err)
