"""`check`: a file that names CAs is held against those that there are."""

import json
import os
import re

from case_run import Running
from lab.api import CA, Api, Organization
from lab.case import Group, NotRun
from lab.sallyport import Sallyport

named = Group("check", config=None)


def rules(*names):
    return {"ssl-rules": [{"name": "R%d" % i, "action": "inspect", "match": {
        "hosts": ["r%d.lab.test" % i]}, "intermediate-ca": name}
        for i, name in enumerate(names)]}


@named.case
def cas_that_rules_name_are_looked_at(t):
    """One that is not there is a mistake, one out of use is not meant; by the
    line, whether or not the proxy runs."""
    org = Organization(t)

    def check(*names):
        proxy.config = dict(config, **rules(*names))
        proxy.write()
        code, out, err = proxy.run("check", "-c", proxy.file)
        with open(proxy.file) as f:
            lines = f.read().split("\n")
        for name in names:
            at = 1 + next(i for i, l in enumerate(lines)
                          if "intermediate-ca" in l and name in l)
            told = [l for l in err.splitlines() if '"%s"' % name in l]
            assert len(told) <= 1, told
            assert all(":%d: " % at in l for l in told), (at, told)
        return code, out, err

    def assert_told():
        assert check("Good")[::2] == (0, "")
        for name, what in (("Out", "disabled"), ("Half", "not finished")):
            code, out, err = check("Good", name)
            assert code == 0 and ": fine, 2 rules" in out, (code, out)
            assert re.search(r'warning: .*"%s" is %s: connections under this '
                             r'rule are refused' % (name, what), err), err
            assert "Good" not in err, err
        code, out, err = check("Nobody", "Good", "Out")
        assert code == 2 and not out, (code, out)
        assert 'there is no CA "Nobody"' in err and '"Out" is' in err, err
    with Running(t) as proxy:
        config = proxy.config
        api = Api(proxy)
        for name in "Good", "Out":
            for _, step in api.steps(name, org)[:-1]:
                step()
        api.json("PUT", "%s/%d" % (CA, api.id), {"status": "DISABLED"})
        for _, step in api.steps("Half", org)[:-2]:
            step()
        assert_told()
    assert_told()


@named.case
def a_policy_by_the_api_names_cas(t):
    """What is wrong with its rules is told of it, and not of the file's lines."""
    org = Organization(t)
    with Running(t) as proxy:
        api = Api(proxy)
        for _, step in api.steps("Out", org)[:-1]:
            step()
        reply = api.call("PUT", "/policy", json.dumps(
            {"policy": rules("Out")}), "application/json")
        assert reply.status == 200, reply
        api.json("PUT", "%s/%d" % (CA, api.id), {"status": "DISABLED"})
        code, out, err = proxy.run("check", "-c", proxy.file)
        assert code == 0 and "with policy version 1: fine" in out, (code, out)
        told = [l for l in err.splitlines() if '"Out"' in l]
        assert len(told) == 1, err
        assert re.match(r'policy version 1:\d+: warning: intermediate-ca: the '
                        r'CA "Out" is disabled', told[0]), told


@named.case
def there_is_no_ca_yet(t):
    """Before the first start, too, the line that names one is told."""
    proxy = Sallyport(t.binary, t.lab, t.path("new"), rules("Nobody"))
    proxy.write()
    code, out, err = proxy.run("check", "-c", proxy.file)
    assert code == 2 and not out, (code, out, err)
    assert re.search(r'sallyport.yaml:\d+: intermediate-ca: there is no CA '
                     r'"Nobody": the state folder \S+ has none yet', err), err


@named.case
def a_rule_that_takes_itself_back(t):
    proxy = Sallyport(t.binary, t.lab, t.path("own"), {"ssl-rules": [
        {"name": "None", "match": {"hosts": ["x.lab.test"]},
         "not": {"hosts": [".lab.test"]}, "action": "block"},
        {"name": "See", "match": {"hosts": [".lab.test"]},
         "action": "inspect"},
        {"name": "Block", "match": {"hosts": ["y.lab.test"]},
         "action": "block"}]})
    proxy.write()
    code, out, err = proxy.run("check", "-c", proxy.file)
    assert code == 0 and ": fine, 3 rules" in out, (code, out, err)
    assert '"None" never decides: its `not` leaves out all' in err, err
    assert re.search(r'"Block" never decides: "See" in line \d+ takes', err), (
        err)


def said(proxy, *command):
    code, _, err = proxy.run(*command, "-c", proxy.file)
    return code, err


@named.case
def what_run_would_refuse(t):
    """The state folder and the file for keys, told by the same words, with the
    key and what to do; nothing is made."""
    proxy = Sallyport(t.binary, t.lab, t.path("own"), {})
    state, keys = t.path("state"), t.path("keys")

    def assert_refused(*words):
        proxy.write()
        code, told = said(proxy, "check")
        assert code == 2, (code, told)
        assert all(word in told for word in words), (words, told)
        assert "fine" not in proxy.run("check", "-c", proxy.file)[1]
        code, told = said(proxy, "run")
        assert code in (1, 2), (code, told)
        assert all(word in told for word in words), (words, told)
    proxy.config["state"] = state
    proxy.write()
    assert said(proxy, "check")[0] == 0 and not os.path.exists(state)
    os.mkdir(state)
    os.chmod(state, 0o777)
    assert_refused("state: " + state, "written to by others", "chmod 700")
    if os.geteuid() != 0:
        os.chmod(state, 0o500)
        assert_refused("state: " + state, "can't be written to", "chmod 700")
        proxy.config["state"] = state + "/below"
        assert_refused(state + "/below", "can't be made", "state:")
    t.write("plain", "")
    proxy.config["state"] = t.path("plain")
    assert_refused("state: " + t.path("plain"), "is not a folder", "another")
    os.chmod(state, 0o700)
    proxy.config["state"] = state
    t.write("keys", "")
    os.chmod(keys, 0o644)
    proxy.config["log"] = dict(proxy.config.get("log", {}), keys=keys)
    assert_refused("log.keys: " + keys, "chmod 600")
    os.chmod(keys, 0o600)
    proxy.write()
    assert said(proxy, "check") == (0, "")
    os.unlink(keys)
    assert said(proxy, "check") == (0, "") and not os.path.exists(keys)


@named.case
def nobody_takes_the_log_here(t):
    """The configuration may be for another machine: a warning, and why none starts."""
    if os.path.exists("/run/systemd/journal/socket"):
        raise NotRun("there is a journal here")
    proxy = Sallyport(t.binary, t.lab, t.path("own"),
                      {"log": {"access": "journald"}})
    proxy.write()
    code, told = said(proxy, "check")
    why = ("log.access: /run/systemd/journal/socket: nobody takes lines there; "
           "start the service that does, or name stdout or a file")
    assert code == 0 and "warning: " + why in told, (code, told)
    code, told = said(proxy, "run")
    assert code == 1 and why in told, (code, told)
