"""The policy by the API: put, refused, gone back to; and what stays of it over
a reload, a crash and a start."""

import json
import os
import signal
import threading

from case_admin import Wire, bearer, token
from case_run import Running
from lab.api import Api
from lab.case import Group, eventually, traffic

policy = Group("policy-api", config=None)  # each has a Sallyport of its own
HOSTS = "ec.lab.test", "rsa.lab.test", "tools.lab.test"


def rule(name, *hosts, action="block", **more):
    return dict({"name": name, "match": {"hosts": list(hosts)},
                 "action": action}, **more)


def blocking(*hosts):
    return {"ssl-rules": [rule("No", *hosts),
                          {"name": "Default", "action": "inspect"}]}


def put(api, document, status=200, query="", **more):
    reply = api.call("PUT", "/policy" + query, json.dumps(
        dict({"policy": document}, **more)), "application/json")
    assert reply.status == status, reply
    return reply.json


def put_yaml(api, text, status=200, query=""):
    reply = api.call("PUT", "/policy" + query, text, "application/yaml")
    assert reply.status == status, reply
    return reply.json


def get(api, path="", status=200):
    reply = api.call("GET", "/policy" + path)
    assert reply.status == status, reply
    return reply.json


def back(api, version, status=200):
    reply = api.call("POST", "/policy/rollback/%d" % version)
    assert reply.status == status, reply
    return reply.json


def is_blocked(t, host):
    sock, reply = t.connect(host)
    sock.close()
    return reply.status == 403


def blocked(t):
    """Which of the lab's hosts are."""
    return {host for host in HOSTS if is_blocked(t, host)}


@policy.case(limit=60)
def it_is_in_force_with_the_answer(t):
    with Running(t, {"ssl-rules": [rule("File", "tools.lab.test")]}) as proxy:
        api = Api(proxy)
        first = get(api)
        assert (first["version"], first["source"]) == (0, "file"), first
        assert first["policy"]["ssl-rules"][0]["name"] == "File", first
        assert blocked(t) == {"tools.lab.test"}
        for n, host in enumerate(HOSTS, 1):
            made = put(api, blocking(host), note="block " + host)
            assert (made["version"], made["source"]) == (n, "api"), made
            assert blocked(t) == {host}, n
        shown = get(api)
        assert shown["version"] == 3 and shown["note"] == "block " + host
        assert shown["policy"] == blocking(host), shown
        assert "policy version 3 by admin token is in force" \
            in proxy.stderr(), proxy.stderr()
        assert back(api, 0)["version"] == 0
        assert blocked(t) == {"tools.lab.test"}
        audit = [line for line in api.call("GET", "/sallyport/audit").json
                 if line["what"] == "policy"]
        assert [line["name"] for line in audit] == [
            "version 1", "version 2", "version 3", "the file's own"], audit
        assert audit[0]["who"] == "admin token"
        assert audit[0]["detail"] == "block ec.lab.test"


@policy.case
def what_get_gives_means_the_same(t):
    with open(t.path("list.txt"), "w") as f:
        f.write("rsa.lab.test\n")
    more = {"categories": {"listed": {"file": t.path("list.txt")},
                           "inline": {"hosts": [".tools.lab.test", "1.2.3.4"]}},
            "ssl-rules": [
                {"name": "007", "match": {"categories": ["listed"],
                                          "ports": [443, "8000-9000"]},
                 "action": "block", "notify": False},
                {"name": "Inline", "match": {"categories": "inline"},
                 "action": "block", "notify": True},
                {"name": "Default", "action": "inspect"}]}
    with Running(t, more) as proxy:
        api = Api(proxy)
        given = get(api)
        for n in range(1, 4):
            made = put(api, given["policy"], version=given["version"])
            assert made["version"] == n, made
            again = get(api)
            assert again["policy"] == given["policy"], (given, again)
            assert blocked(t) == {"rsa.lab.test"}, n
            assert not is_blocked(t, "tools.lab.test")
            given = again


@policy.case
def mistakes_change_nothing(t):
    with Running(t) as proxy:
        api = Api(proxy)
        put(api, blocking("ec.lab.test"))
        before = sorted(os.listdir(os.path.join(proxy.config["state"],
                                                "policy")))
        said = put_yaml(api, "# mine\n"
                        "ssl-rules:\n"
                        "- {name: A, action: blok}\n"
                        "- {name: B, match: {categories: [none]}, "
                        "action: block}\n"
                        "listen: {proxy: 127.0.0.1:1}\n"
                        "categories:\n"
                        "  c: {file: /etc/shadow}\n", 400)
        assert said["code"] == "INVALID_INPUT_ARGUMENT"
        for line in 3, 4, 5, 7:
            assert "policy:%d: " % line in said["message"], (line, said)
        # what is only found once all is opened
        said = put(api, {"ssl-rules": [rule(
            "CA", "x.test", action="inspect",
            **{"intermediate-ca": "nobody's"})]}, 400)
        assert "nobody's" in said["message"], said
        for text in ("a: [", "- a\n", "a: &x 1\n", "\0", "\xff".encode(
                "latin-1")):
            said = put_yaml(api, text, 400)
            assert "nothing has changed" in said["message"], said
        assert get(api)["version"] == 1
        assert blocked(t) == {"ec.lab.test"}
        assert sorted(os.listdir(os.path.join(
            proxy.config["state"], "policy"))) == before
        made = put(api, blocking("rsa.lab.test"), query="?dryRun=true")
        assert made == {"dryRun": True, "warnings": []}, made
        assert blocked(t) == {"ec.lab.test"}


def odd_policy(t):
    """Right, and full of what is surely not meant."""
    with open(t.path("odd.txt"), "w") as f:
        f.write("a.odd.test\nb..odd.test\n")
    open(t.path("none.txt"), "w").close()
    return {
        "categories": {
            "odd": {"file": t.path("odd.txt")},
            "empty": {"file": t.path("none.txt")},
            "unused": {"hosts": ["x.test"]}},
        "ssl-rules": [
            {"name": "First", "match": {"categories": ["odd", "empty"]},
             "action": "block"},
            {"name": "Second", "match": {"categories": ["odd"]},
             "action": "inspect"}],
        "url-rules": [{"name": "All", "action": "allow"},
                      {"name": "Never", "action": "block"}]}


@policy.case(limit=60)
def warnings_are_those_of_check(t):
    """Whether or not the lists had to be read for it."""
    document = odd_policy(t)
    with Running(t, document) as proxy:
        code, _, err = proxy.run("check", "-c", proxy.file)
        said = {line.partition("warning: ")[2] for line in err.splitlines()
                if "warning: " in line}
        assert code == 0 and len(said) == 5, said
        api = Api(proxy)
        text = json.dumps(document, indent=1)
        for query in "?dryRun=true", "", "", "?dryRun=true":
            made = put_yaml(api, text, query=query)
            there = {line.partition("warning: ")[2]
                     for line in made["warnings"]}
            told = {cut(line) for line in there}
            assert told == {cut(line) for line in said}, (query, there, said)
            assert any(line.startswith("policy version ") for line in
                       made["warnings"]), made


def cut(line):
    """Without the line of another rule, which is another one there."""
    return line.partition(" in line ")[0]


@policy.case
def two_who_change_it_do_not_undo_each_other(t):
    with Running(t) as proxy:
        codes, threads = [], []

        def change(n):
            codes.append(Api(proxy).call("PUT", "/policy", json.dumps(
                {"policy": blocking("h%d.test" % n), "version": 0}),
                "application/json").status)
        for n in range(8):
            threads.append(threading.Thread(target=change, args=(n,)))
            threads[-1].start()
        for thread in threads:
            thread.join()
        assert sorted(codes) == [200] + [409] * 7, codes
        assert len(get(Api(proxy), "/versions")) == 1


@policy.case(limit=90)
def it_stays_over_reload_crash_and_start(t):
    with Running(t) as proxy:
        api = Api(proxy)
        put(api, blocking("ec.lab.test"), note="one")
        put(api, blocking("rsa.lab.test"))
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: "reloaded" in proxy.stderr())
        assert blocked(t) == {"rsa.lab.test"}
        os.kill(proxy.worker(), signal.SIGKILL)
        assert eventually(lambda: answers(t), 20)
        assert blocked(t) == {"rsa.lab.test"}
        state = proxy.config["state"]
    with Running(t, {"state": state}, "again") as proxy:
        api = Api(proxy)
        assert "policy version 2 (by admin token, " in proxy.stderr()
        assert "the file is " + proxy.file in proxy.stderr()
        assert blocked(t) == {"rsa.lab.test"}
        versions = get(api, "/versions")
        assert [(v["version"], v["current"]) for v in versions] == [
            (2, True), (1, False)], versions
        assert get(api, "/versions/1")["policy"] == blocking("ec.lab.test")
        made = back(api, 1)
        assert made["version"] == 3, made
        assert made["note"] == "back to version 1", made
        assert blocked(t) == {"ec.lab.test"}
        back(api, 0)
    with Running(t, {"state": state}, "third") as proxy:
        assert "policy version" not in proxy.stderr()
        assert blocked(t) == set()
        assert put(Api(proxy), {})["version"] == 4


def answers(t):
    try:
        return t.fetch("https://%s/1k" % HOSTS[2]).status == 200
    except (OSError, AssertionError):
        return False


@policy.case(limit=60)
def what_is_damaged_is_told(t):
    """Nobody goes by another policy than the one that was put."""
    with Running(t) as proxy:
        api = Api(proxy)
        put(api, blocking("ec.lab.test"))
        put(api, blocking("rsa.lab.test"))
        state = proxy.config["state"]
        folder = os.path.join(state, "policy")
        with open(os.path.join(folder, "000002.json"), "r+") as f:
            f.write("!")
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: "reload failed" in proxy.stderr())
        assert "policy/000002.json is damaged" in proxy.stderr()
        assert blocked(t) == {"rsa.lab.test"}
        versions = get(api, "/versions")
        assert "damaged" in versions[0]["error"], versions
        assert get(api)["policy"] == blocking("rsa.lab.test")
        assert "damaged" in back(api, 2, 500)["message"]
    again = Running(t, {"state": state}, "again")
    again.proxy.write()
    code, _, err = again.proxy.run("run", "-c", again.proxy.file)
    assert code == 2 and "policy/000002.json is damaged" in err, (code, err)
    with open(os.path.join(folder, "current"), "w") as f:
        f.write("1\n")
    with again:
        assert blocked(t) == {"ec.lab.test"}


@policy.case
def a_reload_that_the_policy_does_not_fit_changes_nothing(t):
    lists = {"categories": {"c": {"hosts": ["ec.lab.test"]}}}
    with Running(t, lists) as proxy:
        put(Api(proxy), {"ssl-rules": [
            {"name": "C", "match": {"categories": ["c"]}, "action": "block"},
            {"name": "Default", "action": "inspect"}]})
        assert blocked(t) == {"ec.lab.test"}
        proxy.config["categories"] = {"d": {"hosts": ["ec.lab.test"]}}
        proxy.write()
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: "reload failed" in proxy.stderr())
        assert "policy version 1:" in proxy.stderr(), proxy.stderr()
        assert blocked(t) == {"ec.lab.test"}


@policy.case(limit=60)
def a_start_that_the_policy_does_not_fit_says_the_way_out(t):
    lists = {"categories": {"c": {"hosts": ["ec.lab.test"]}}}
    with Running(t, lists) as proxy:
        put(Api(proxy), {"ssl-rules": [
            {"name": "C", "match": {"categories": ["c"]}, "action": "block"}]})
    proxy.config["categories"] = {"d": {"hosts": ["ec.lab.test"]}}
    proxy.write()
    way = "echo 0 >%s/policy/current" % proxy.config["state"]
    for command in "check", "run":
        code, _, err = proxy.run(command, "-c", proxy.file)
        assert code == 2 and err.count(way) == 1, (command, code, err)
    assert t.run("sh", "-c", way).returncode == 0
    code, _, err = proxy.run("check", "-c", proxy.file)
    assert code == 0 and way not in err, err


@policy.case
def what_cannot_be_put_in_force_is_not_kept(t):
    with Running(t) as proxy:
        api = Api(proxy)
        folder = os.path.join(proxy.config["state"], "policy")
        put(api, blocking("ec.lab.test"))
        os.unlink(os.path.join(folder, "current"))
        os.mkdir(os.path.join(folder, "current"))
        put(api, blocking("rsa.lab.test"), 500)
        assert sorted(os.listdir(folder)) == ["000001.json", "current"]
        assert blocked(t) == {"ec.lab.test"}
        os.rmdir(os.path.join(folder, "current"))
        assert put(api, blocking("rsa.lab.test"))["version"] == 2


@policy.case
def who_may(t):
    with Running(t) as proxy:
        nobody = Api(proxy, token=False)
        for method, path in (("GET", ""), ("PUT", ""), ("GET", "/versions"),
                             ("GET", "/versions/1"), ("POST", "/rollback/0")):
            assert nobody.call(method, "/policy" + path).status == 401
        done = t.run(t.binary, "token", "create", "reader", "--read-only",
                     "--json", "-c", proxy.file)
        assert done.returncode == 0, done.stderr
        reader = Api(proxy, token=False)
        reader.fields["Authorization"] = "Bearer " + json.loads(
            done.stdout)["token"]
        get(reader)
        put(reader, {}, 403)
        back(reader, 0, 403)
        writer = token(t, proxy, "ann", "bearer")
        api = Api(proxy, token=False)
        api.fields["Authorization"] = "Bearer " + writer["token"]
        assert "ann" in put(api, {})["who"]


@policy.case(limit=90)
def a_large_one_has_room_others_have_not(t):
    with Running(t) as proxy:
        api, auth = Api(proxy), bearer(proxy)
        text = "categories:\n  c:\n    hosts:\n" + "".join(
            "    - h%06d.example\n" % n for n in range(40000))
        text += "#" * (1024 * 1024 - len(text))
        assert put_yaml(api, text)["version"] == 1
        assert len(get(api)["policy"]["categories"]["c"]["hosts"]) == 40000
        assert "1024 KB" in put_yaml(api, text + "#", 413)["message"]
        reply = api.call("POST", "/policy/rollback/1", " " * 90000)
        assert reply.status == 413 and "80 KB" in reply.json["message"], reply
        # many of them at a time are too many
        wires = []
        for _ in range(24):
            wires.append(Wire(t))
            wires[-1].send("PUT", "/api/v1/policy", auth,
                           "Content-Type: application/yaml",
                           "Content-Length: 200000")
            wires[-1].sock.sendall(b"#" * 199999)
        assert Api(proxy).call("GET", "/policy").status == 200
        for wire in wires:
            wire.sock.sendall(b"#")
        replies = [wire.reply("PUT").status for wire in wires]
        assert 200 in replies and 503 in replies, replies
        assert replies.count(200) >= 16, replies
        assert put_yaml(api, text)["version"] > 1


@policy.case(limit=120)
def changes_under_traffic(t):
    """No request fails, and each is decided by one policy or the other."""
    with Running(t, {"workers": 2}) as proxy:
        api = Api(proxy)
        with traffic(t, 4):
            for n in range(40):
                host = HOSTS[n % 2]
                put(api, blocking(host))
                assert blocked(t) == {host}, n
        assert len(get(api, "/versions")) == 40


@policy.case(limit=60)
def check_and_explain_go_by_it(t):
    """What came by the API counts there, too, whether the proxy runs or not."""
    with Running(t) as proxy:
        put(Api(proxy), blocking("ec.lab.test"))
        for _ in range(2):
            code, out, err = proxy.run("check", "-c", proxy.file)
            assert code == 0 and "with policy version 1: fine, 2 rules" in out, (
                code, out, err)
            assert "policy version 1 (by " in err, err
            code, out, err = proxy.run("explain", "https://ec.lab.test/",
                                       "-c", proxy.file)
            assert out.splitlines()[-1] == "decision: block by No", out
            proxy.stop()


@policy.case(limit=60)
def what_is_misspelt_is_no_trial_that_counts(t):
    with Running(t) as proxy:
        api = Api(proxy)
        for query, body, meant in (
                ("?dryrun=true", {"policy": {}}, "dryRun"),
                ("?dryRun", {"policy": {}}, "dryRun"),
                ("?dryRun=", {"policy": {}}, "dryRun"),
                ("", {"policy": {}, "vresion": 77}, "version"),
                ("?Note=x", {"policy": {}}, "note")):
            reply = api.call("PUT", "/policy" + query, json.dumps(body),
                             "application/json")
            assert reply.status == 400 and meant in str(reply.json), reply
        reply = api.call("PUT", "/policy?dryrun=true", "ssl-rules: []",
                         "application/yaml")
        assert reply.status == 400, reply
        put(api, blocking("ec.lab.test"), 409, "?version=77")
        assert get(api)["version"] == 0 and not get(api, "/versions")


@policy.case(limit=120)
def what_is_large_in_odd_ways_costs_little(t):
    """Nested deep, which takes much room to lay out; names that are unknown, for
    each of which thousands are near."""
    with Running(t) as proxy:
        api, before = Api(proxy), proxy.rss()
        body = '{"policy":{"a":' + "[" * 2000 + ",".join("1" * 500000) + \
            "]" * 2000 + "}}"
        reply = api.call("PUT", "/policy?dryRun=true", body,
                         "application/json")
        assert reply.status == 400 and "deep" in str(reply.json), reply
        many = {"categories": {"category number %d of them" % i: {
            "hosts": ["a.test"]} for i in range(9000)},
            "ssl-rules": [rule("Rule %d" % i, "a.test", match={
                "categories": ["category nunber %d of them" % k
                               for k in range(60)]}) for i in range(100)]}
        reply = api.call("PUT", "/policy?dryRun=true", json.dumps(
            {"policy": many}), "application/json")
        assert reply.status == 400 and "did you mean" in str(reply.json), reply
        put(api, blocking("ec.lab.test"))
        assert proxy.rss() - before < 512 << 20, proxy.rss() - before


@policy.case(limit=60)
def check_refuses_what_is_damaged_as_run_does(t):
    with Running(t) as proxy:
        put(Api(proxy), blocking("ec.lab.test"))
        proxy.stop()
        current = os.path.join(proxy.config["state"], "policy", "current")
        with open(current, "w") as f:
            f.write("garbage\n")
        for said in "policy/current is damaged", "policy/current is gone":
            for command in "check", "run":
                code, _, err = proxy.run(command, "-c", proxy.file)
                assert code == 2 and said in err, (command, code, err)
            if os.path.exists(current):
                os.remove(current)
