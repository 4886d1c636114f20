"""Intermediate CAs: their whole life, by the API, by command, by talk."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

from case_leaf import crl_of, fetch, shown
from case_run import Running
from lab import client, memory
from lab.api import CA, Api, Organization
from lab.case import Group, NotRun, eventually
from lab.pki import openssl

life = Group("life", config=None)  # each case has a Sallyport of its own


def browser_grade(t, chain, roots, more_crls=""):
    """openssl's strictest word on what was shown for ec.lab.test; its output
    where it says no."""
    crls = [more_crls]
    for pem in chain:
        if "X509v3 CRL Distribution" not in openssl(
                "x509", "-noout", "-text", stdin=pem.encode()).decode():
            continue
        crls.append(openssl("crl", "-inform", "DER",
                            stdin=fetch(t, crl_of(pem), False)).decode())
    done = t.run("openssl", "verify", "-x509_strict", "-crl_check_all",
                 "-CAfile", t.write("roots.pem", roots), "-untrusted",
                 t.write("above.pem", "".join(chain[1:])), "-CRLfile",
                 t.write("crls.pem", "".join(crls)), "-purpose", "sslserver",
                 "-verify_hostname", "ec.lab.test",
                 t.write("leaf.pem", chain[0]))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def assert_shown_under(t, org, name, num=3):
    """A site is shown a chain under org's CA that stands the strictest look."""
    t.write("org-root.pem", org.root)
    t.proxy.root = org.root_file
    chain = shown(t, "ec.lab.test")
    assert len(chain) == num, len(chain)
    issuer = openssl("x509", "-noout", "-issuer", "-nameopt", "RFC2253",
                     stdin=chain[num - 2].encode()).decode()
    assert ("CN=" + name) in issuer or num == 2, issuer
    said = browser_grade(t, chain, org.root, org.crl())
    assert not said, said
    assert t.fetch("https://ec.lab.test/1k").status == 200


@life.case(limit=60)
def by_curl_alone(t):
    """Every step as the documents have it, by curl; under both bases."""
    org = Organization(t)
    with Running(t) as proxy:
        with open(os.path.join(proxy.config["state"], "admin-token")) as f:
            token = f.read().strip()

        def curl(method, path, *args, base="/api/v1"):
            done = t.run("curl", "-sS", "-X", method, "-H",
                         "Authorization: Bearer " + token, "-w",
                         "\n%{http_code}", *args, "http://127.0.0.1:%d%s"
                         "/intermediateCaCertificate%s" % (proxy.aport, base,
                                                           path),
                         env=t.env(no_proxy="*"))
            body, _, code = done.stdout.rpartition("\n")
            assert code in ("200", "204"), (method, path, code, body,
                                            done.stderr)
            return body

        def send(method, path, value, base="/api/v1"):
            return json.loads(curl(
                method, path, "-H", "Content-Type: application/json", "-d",
                json.dumps(value), base=base))

        ca = send("POST", "", {
            "name": "By curl", "type": "CUSTOM_SW", "region": "GLOBAL",
            "status": "ENABLED", "description": "made by curl"})
        assert ca["currentState"] == "GENERAL_DONE", ca
        n = "/%d" % ca["id"]
        key = send("POST", "/keyPair" + n, {}, base="/zia/api/v1")
        assert "BEGIN PUBLIC KEY" in key["publicKey"], key
        public = curl("GET", "/downloadPublicKey" + n)
        assert public.strip() == key["publicKey"].strip()
        send("POST", "/generateCsr" + n, {
            "csrFileName": "by-curl.csr", "commName": "By curl",
            "orgName": "Example Organization", "deptName": "Network",
            "city": "Brno", "state": "Moravia", "country": "COUNTRY_CZ",
            "keySize": 2048, "pathLengthConstraint": 1,
            "signatureAlgorithm": "SHA256"})
        csr = curl("GET", "/downloadCsr" + n)
        said = openssl("req", "-verify", "-noout", "-subject", "-nameopt",
                       "RFC2253", stdin=csr.encode()).decode()
        assert "CN=By curl,OU=Network,O=Example Organization" in said, said
        cert = t.write("signed.pem", org.sign(csr.encode()))
        ca = json.loads(curl("POST", "/uploadCert" + n, "-F",
                             "fileUpload=@" + cert))
        assert ca["currentState"] == "INTCERT_UPLOAD_DONE", ca
        ca = json.loads(curl("POST", "/uploadCertChain" + n, "-F",
                             "fileUpload=@" + org.root_file))
        assert ca["currentState"] == "CERTCHAIN_UPLOAD_DONE", ca
        assert send("POST", "/finalizeCert" + n,
                    {})["currentState"] == "CERT_READY"
        ready = json.loads(curl("GET", "/readyToUse"))
        assert {"id": ca["id"], "name": "By curl",
                "defaultCertificate": False} in ready, ready
        assert send("PUT", "/makeDefault" + n, {})["defaultCertificate"]
        assert_shown_under(t, org, "By curl")


@life.case(limit=60)
def by_setup_alone(t):
    """A person's talk: wrong answers are told, and asked for again."""
    org = Organization(t)
    with Running(t) as proxy:
        talk = subprocess.Popen(
            [t.binary, "ca", "setup", "-c", proxy.file], cwd=t.dir,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        talk.stdin.write("By talk\n\nBy talk\nExample Organization\n\n\n\n"
                         "CZ\n1\n")
        talk.stdin.flush()
        csr, ext = t.path("By-talk.csr"), t.path("By-talk.ext")
        for path, last in (csr, "END"), (ext, "keyid\n"):
            assert eventually(lambda: os.path.exists(path) and
                              last in open(path).read(), 20), path
        with open(ext) as f:
            extensions = f.read()
        with open(csr, "rb") as f:
            cert = org.sign(f.read(), extensions=extensions)
        wrong = t.write("wrong.pem", "nothing\n")
        t.write("By-talk.pem", cert)
        out, _ = talk.communicate("%s\n\n%s\n\n" % (wrong, org.root_file),
                                  timeout=60)
        assert talk.returncode == 0, out
        for words in ("openssl x509 -req", "certreq -submit", "step "
                      "certificate sign", "not a certificate in PEM"):
            assert words in out, (words, out)
        assert_shown_under(t, org, "By talk")


@life.case(limit=90)
def by_commands_on_a_stopped_proxy(t):
    """All of it with nothing running; and setup goes on where it was."""
    org = Organization(t)
    running = Running(t)
    running.proxy.write()

    def ca(*args, ok=True, stdin=None):
        done = t.run(t.binary, "ca", *args, "-c", running.proxy.file,
                     stdin=stdin, env=dict(os.environ))
        assert not ok or done.returncode == 0, (args, done)
        return done

    ca("create", "By command", "--description", "no proxy runs")
    made = json.loads(ca("keypair", "By command", "--json").stdout)
    assert made["currentState"] == "KEYGEN_DONE", made
    csr = ca("csr", "By command", "--cn", "By command", "--o",
             "Example Organization", "--country", "US").stdout
    cert = t.write("cert.pem", org.sign(csr.encode()))
    refused = ca("chain", "By command", org.root_file, ok=False)
    assert refused.returncode == 1 and "before its chain" in refused.stderr
    ca("upload", "By command", cert)
    done = ca("setup", ok=False, stdin="By command\n%s\nno\n"
              % org.root_file)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "Going on" in done.stdout, done.stdout
    ca("default", "By command")
    table = ca("list").stdout
    assert re.search(r"By command .*CERT_READY .*ENABLED .*yes", table), table
    refused = ca("delete", "By command", ok=False)
    assert refused.returncode == 1, refused
    assert "cannot be deleted" in refused.stderr, refused.stderr
    trail = ca("audit").stdout
    for what in ("create", "keypair", "csr", "upload-cert", "upload-chain",
                 "finalize", "make-default"):
        assert what in trail, (what, trail)
    with running:
        assert_shown_under(t, org, "By command")
        assert re.search(r"By command .*yes", ca("list").stdout)


def obfuscate(key, stamp):
    """What the vendor's clients do to the API key."""
    n = str(stamp)[-6:]
    r = str(int(n) >> 1).zfill(6)
    return "".join(key[int(d)] for d in n) + "".join(
        key[int(d) + 2] for d in r)


@life.case(limit=60)
def as_the_vendors_clients_call_it(t):
    """Logins and calls as their SDKs make them: a session with an obfuscated
    key, {} as JSON even with GET, lists by page; and OAuth."""
    org = Organization(t)
    with Running(t) as proxy:
        api = Api(proxy, token=False)
        assert api.call("GET", CA).status == 401
        assert api.call("GET", CA).json["code"] == "SESSION_NOT_VALID"

        def token(name, kind):
            done = t.run(t.binary, "token", "create", name, "--kind", kind,
                         "--json", "-c", proxy.file)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        login = token("sdk", "session")
        stamp = int(time.time() * 1000)
        reply = api.call("POST", "/authenticatedSession", json.dumps({
            "username": login["username"], "password": login["password"],
            "apiKey": obfuscate(login["apiKey"], stamp),
            "timestamp": str(stamp)}), "application/json")
        assert reply.status == 200, reply
        assert reply.json["authType"] == "ADMIN_LOGIN", reply
        cookie = reply.fields["Set-Cookie"]
        assert cookie.startswith("JSESSIONID=") and ";" in cookie, cookie
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie, cookie
        api.fields["Cookie"] = cookie.partition(";")[0]
        assert api.call("GET", "/authenticatedSession").status == 200
        listed = api.json("GET", CA + "?&pageSize=1000&page=1")
        assert [c["id"] for c in listed] == [1], listed
        ca = api.bring("By session", org, key="RSA_2K")
        assert api.get(ca)["keyType"] == "RSA_2K"
        assert_shown_under(t, org, "By session")
        other = api.call("GET", CA, Origin="https://evil.example")
        assert other.status == 403, other
        assert api.call("DELETE", "/authenticatedSession").status == 204
        assert api.call("GET", CA).status == 401

        client = token("sdk-oauth", "oauth")
        reply = api.call(
            "POST", "/oauth2/v1/token", "grant_type=client_credentials&"
            "client_id=%s&client_secret=%s" % (
                client["clientId"], client["clientSecret"]),
            "application/x-www-form-urlencoded", base="")
        assert reply.status == 200, reply
        assert reply.json["expires_in"] == 3600, reply
        oauth = Api(proxy, base="/zia/api/v1", token=False)
        oauth.fields["Authorization"] = "Bearer " + \
            reply.json["access_token"]
        assert oauth.get(ca)["defaultCertificate"]
        lite = oauth.json("GET", CA + "/lite")
        assert all("publicKey" not in c for c in lite), lite
        assert {c["id"] for c in oauth.json("GET", CA + "/readyToUse")} == \
            {1, ca}
        assert oauth.json("GET", "%s/showCert/%d" % (CA, ca))
        assert oauth.json("GET", "%s/showCsr/%d" % (CA, ca))


@life.case(limit=120)
def goes_on_after_kill_9_between_any_two_steps(t):
    """The store holds what was done, whenever the process is killed."""
    org = Organization(t)
    running = Running(t)
    with running as proxy:
        api = Api(proxy)
        states = ["GENERAL_DONE", "KEYGEN_DONE", "CSRGEN_DONE",
                  "INTCERT_UPLOAD_DONE", "CERTCHAIN_UPLOAD_DONE",
                  "CERT_READY", "CERT_READY"]
        for (what, step), state in zip(api.steps("Killed", org), states):
            step()
            assert api.state(api.id) == state, what
            proxy.kill()
            proxy.start()
            assert api.state(api.id) == state, "after the kill: " + what
        assert_shown_under(t, org, "Killed")


@life.case(limit=60)
def a_ca_of_path_length_0_signs_by_itself(t):
    """Its key stays with the keeper, which signs leaf by leaf."""
    org = Organization(t)
    with Running(t) as proxy:
        Api(proxy).bring("Zero", org, path_length=0, key="RSA_2K")
        t.write("org-root.pem", org.root)
        assert_shown_under(t, org, "Zero", num=2)
        der = t.fetch("https://rsa.lab.test/1k").der
        said = openssl("x509", "-inform", "DER", "-noout", "-issuer",
                       stdin=der).decode()
        assert re.search("CN ?= ?Zero", said), said
        with open(proxy.errors) as f:
            assert "warning" not in f.read()


@life.case(limit=60)
def disabled_the_rules_connections_are_refused(t):
    """A rule may name another CA; out of use, its connections are refused in
    a page of the default's, never shown another CA's certificate silently."""
    org = Organization(t)
    more = {"ssl-rules": [{"name": "Named", "action": "inspect", "match": {
        "hosts": ["ec.lab.test"]}, "intermediate-ca": "Private"}]}
    running = Running(t, more)
    with Running(t, name="first") as proxy:
        root = proxy.root
        api = Api(proxy)
        ids = [step() for _, step in api.steps("Private", org)[:-1]]
        assert ids and api.state(api.id) == "CERT_READY"
        proxy.config = dict(proxy.config, **more)
        proxy.write()
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: "reloaded" in proxy.stderr())
        assert_shown_under(t, org, "Private")
        t.proxy.root = root
        assert t.fetch("https://rsa.lab.test/1k").status == 200
        reply = api.call("DELETE", "%s/%d" % (CA, api.id))
        assert reply.status == 400 and "Named" in reply.json["message"], reply
        api.json("PUT", "%s/%d" % (CA, api.id), {"status": "DISABLED"})
        page = t.fetch("https://ec.lab.test/1k")
        assert page.status == 502, page
        assert page.error == "intermediate-ca-not-usable", page
        assert t.line(reason="intermediate-ca-not-usable")
        assert "can't be used" in proxy.stderr()
        ready = api.call("GET", "/readyz", base="")
        assert ready.status == 200 and b"Private" in ready.body, ready
    running.proxy.write()
    proxy = running.proxy
    proxy.config = dict(proxy.config, **{"ssl-rules": [
        {"name": "Named", "action": "inspect",
         "intermediate-ca": "Nobody"}]})
    proxy.write()
    code, _, err = proxy.run("run", "-c", proxy.file)
    assert code == 2 and 'no CA "Nobody"' in err, (code, err)
    assert ":%d:" % (open(proxy.file).read().split("\n").index(next(
        l for l in open(proxy.file).read().split("\n")
        if "Nobody" in l)) + 1) in err, err


@life.case(limit=90)
def revoking(t):
    """An issuing CA: its leaves fail, and new connections get another. The
    built-in one: another takes its place. A site: whoever signed for it."""
    with Running(t) as proxy:
        api = Api(proxy)
        roots = open(proxy.root).read()
        before = shown(t, "ec.lab.test")
        assert not browser_grade(t, before, roots, root_crl(t, proxy))
        serial = openssl("x509", "-noout", "-serial",
                         stdin=before[1].encode()).decode().split("=")[1]
        assert api.json("POST", "/sallyport/revoke",
                        {"issuing": serial.strip()})["revoked"] == 1
        said = browser_grade(t, before, roots, root_crl(t, proxy))
        assert "certificate revoked" in said, said
        after = shown(t, "ec.lab.test")
        assert after[1] != before[1] and after[2] == before[2]
        assert not browser_grade(t, after, roots, root_crl(t, proxy))

        done = t.run(t.binary, "ca", "revoke", "--site", "ec.lab.test", "-c",
                     proxy.file)
        assert done.returncode == 0 and "revoked: 1\n" in done.stdout, done
        assert re.search(r"^  issuing CA .*, serial [0-9A-F]{32}$",
                         done.stdout, re.M), done
        assert "those of other sites, too" in done.stdout, done
        said = browser_grade(t, after, roots, root_crl(t, proxy))
        assert "certificate revoked" in said, said
        third = shown(t, "ec.lab.test")
        assert third[1] not in (before[1], after[1])

        assert api.json("POST", "/sallyport/revoke", {"ca": 1})
        said = browser_grade(t, third, roots, root_crl(t, proxy))
        assert "certificate revoked" in said, said
        fourth = shown(t, "ec.lab.test")
        assert fourth[2] != third[2]
        assert not browser_grade(t, fourth, roots, root_crl(t, proxy))
        trail = api.json("GET", "/sallyport/audit")
        assert [l["what"] for l in trail].count("revoke-issuing") == 2, trail


def root_crl(t, proxy):
    """The root's CRL, which -crl_check_all asks for, too."""
    return crl_at(t, proxy, "2")


def crl_at(t, proxy, id):
    url = "http://127.0.0.1:%d/crl/%s.crl" % (proxy.port, id)
    return openssl("crl", "-inform", "DER",
                   stdin=fetch(t, url, False)).decode()


def number_of(t, pid, pem):
    """The private number of a certificate's key, as it stands in a process'
    memory; empty where it does not. The process waits while it is sought."""
    tool = os.path.join(os.path.dirname(t.binary), "tests/tools/find_key")
    os.kill(pid, signal.SIGSTOP)
    try:
        public = openssl("x509", "-noout", "-pubkey", stdin=pem.encode())
        return bytes.fromhex(subprocess.run(
            [tool, str(pid)], input=public,
            capture_output=True).stdout.decode().strip())
    finally:
        os.kill(pid, signal.SIGCONT)


@life.case(limit=300)
def rotations_under_load(t):
    """Twenty issuing CAs, one after the other, which is more than may be made
    in one issuing.rotate: no connection fails, and every chain that was shown
    verifies, then and later. As root: keys that were replaced are gone."""
    look = os.geteuid() == 0 and os.environ.get(
        "SALLYPORT_TEST_VARIANT", "plain") == "plain"
    numbers = []
    with Running(t, {"issuing": {"rotate": "1s"}}) as proxy:
        roots = open(proxy.root).read()
        seen, failed, stop = {}, [], threading.Event()

        def load():
            while not stop.is_set():
                try:
                    assert t.fetch("https://rsa.lab.test/1k").status == 200
                except (OSError, AssertionError, ValueError) as error:
                    failed.append(repr(error))
        threads = [threading.Thread(target=load) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            # A number is sought while its CA is in use, for a second: what is
            # shown may be over by then.
            while not failed and (len(seen) < 20 or look and len(numbers) < 3
                                  and len(seen) < 60):
                chain = shown(t, "ec.lab.test")
                if look and len(numbers) < 3 and chain[1] not in seen:
                    number = number_of(t, proxy.worker(), chain[1])
                    numbers += [number] if number else []
                seen.setdefault(chain[1], chain)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert not failed, failed[0]
        names = {openssl("x509", "-noout", "-subject", stdin=pem.encode())
                 for pem in seen}
        assert len(names) == len(seen), names
        assert len(numbers) == (3 if look else 0), "they are not found"
        needles = dict(enumerate(numbers + [n[::-1] for n in numbers]))
        for pid in (proxy.worker(), proxy.keeper()) if look else ():
            assert eventually(lambda: not memory.found(pid, needles)), pid
        crl = root_crl(t, proxy)
        for chain in seen.values():
            said = browser_grade(t, chain, roots, crl)
            assert not said, said


@life.case(limit=60)
def default_changes_while_clients_come(t):
    """makeDefault answers when the next handshake has the new issuer; none
    fails meanwhile."""
    org = Organization(t)
    with Running(t) as proxy:
        api = Api(proxy)
        steps = api.steps("Next", org)
        for _, step in steps[:-1]:
            step()
        both = t.write("both.pem", open(proxy.root).read() + org.root)
        failed, count, stop = [], [0], threading.Event()

        def load():
            while not stop.is_set():
                try:
                    reply = t.fetch("https://rsa.lab.test/1k", trust=both)
                    assert reply.status == 200, reply
                    count[0] += 1
                except (OSError, AssertionError, ValueError) as error:
                    failed.append(repr(error))
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for ca in (api.id, 1) * 5:
                api.json("PUT", "%s/makeDefault/%d" % (CA, ca))
                der = t.fetch("https://ec.lab.test/1k", trust=both).der
                said = openssl("x509", "-inform", "DER", "-noout", "-issuer",
                               stdin=der).decode()
                assert bool(re.search("CN ?= ?Next", said)) == (ca != 1), said
            assert eventually(lambda: count[0] > 10 or failed), count
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert not failed, failed[0]


@life.case(limit=90, needs=["root"])
def keys_are_the_keepers_alone(t):
    """No long-lived key and no passphrase in the worker; both are found in
    keeper and supervisor, by root alone."""
    words = "correct horse battery staple 4711"
    for how in ("file", "variable", "both"):
        more, env = {}, dict(os.environ)
        if how != "variable":
            more = {"keys": {"passphrase-file": t.write("words", words)}}
        if how != "file":
            env["SALLYPORT_PASSPHRASE"] = words
        with Running(t, more, name=how, env=env) as proxy:
            state = proxy.config["state"]
            assert t.fetch("https://ec.lab.test/1k").status == 200
            pool = memory.keys(state, words)
            assert len(pool) == 3, pool
            needles = {"passphrase": words.encode()}
            for name, (number, backwards) in pool.items():
                needles[name] = number
                needles[name + " backwards"] = backwards
            worker, keeper = proxy.worker(), proxy.keeper()
            here = memory.found(worker, needles)
            assert not here, (how, here)
            there = memory.found(keeper, needles)
            assert "passphrase" in there, (how, there)
            for name in pool:
                assert name in there or name + " backwards" in there, there
            assert "passphrase" in memory.found(proxy.process.pid, needles)
            for pid in (worker, keeper, proxy.process.pid):
                assert words.encode() not in memory.environment(pid), how
            uid = os.stat("/proc/%d" % worker).st_uid
            if os.environ.get("SALLYPORT_TEST_VARIANT", "plain") == "plain":
                for pid in (keeper, proxy.process.pid):
                    assert memory.refused(pid, uid), (how, pid)
            plain = [n for n in needles.values()]
            for name in os.listdir(state):
                path = os.path.join(state, name)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as f:
                    data = f.read()
                assert not any(n in data for n in plain), name
                assert b"PRIVATE KEY" not in data, name
        wrong = dict(env, SALLYPORT_PASSPHRASE="another")
        if how != "variable":
            t.write("words", "another\n")
        before = open(os.path.join(state, "sallyport.db"), "rb").read()
        code, out, err = proxy.run("run", "-c", proxy.file, env=wrong)
        assert code == 1 and "does not open the private key" in err, err
        after = open(os.path.join(state, "sallyport.db"), "rb").read()
        assert before == after, "a refusal changed the store"


@life.case(limit=60)
def another_passphrase(t):
    """The configuration names it, one command locks the keys with it; all of
    them, or none."""
    running = Running(t)
    proxy = running.proxy

    def change(old, ok=True, **how):
        code, out, err = proxy.run("ca", "passphrase", "--old", old, "-c",
                                   proxy.file, **how)
        assert (code == 0) == ok, (code, out, err)
        return out + err
    with running:
        state = proxy.config["state"]
        secret = os.path.join(state, "keys.secret")
        before = shown(t, "ec.lab.test")
        proxy.config["keys"] = {"passphrase-file": t.write("new", "new\n")}
        proxy.write()
        assert "another sallyport runs" in change(secret, ok=False)
    code, _, err = proxy.run("run", "-c", proxy.file)
    assert code == 1 and "sallyport ca passphrase" in err, err
    database = os.path.join(state, "sallyport.db")
    was = open(database, "rb").read()
    assert "does not open" in change(t.write("other", "wrong"), ok=False)
    assert "is the old one" in change(t.path("new"), ok=False)
    assert open(database, "rb").read() == was
    assert "3 private keys" in change(secret)
    os.unlink(secret)
    with running:
        assert shown(t, "ec.lab.test")[2] == before[2]
        trail = Api(proxy).json("GET", "/sallyport/audit")
        assert "passphrase" in [line["what"] for line in trail], trail
    # and back to one of our own, by way of the environment
    del proxy.config["keys"]
    proxy.write()
    env = dict(os.environ, SALLYPORT_PASSPHRASE="of the variable")
    assert "3 private keys" in change(t.path("new"), env=env)
    assert "does not open" in change(t.path("new"), ok=False)
    assert not os.path.exists(secret), "made for nothing"
    assert secret in change(t.write("old", "of the variable"))
    with running:
        assert shown(t, "ec.lab.test")[2] == before[2]


@life.case(limit=60)
def what_dies_is_started_again(t):
    """The keeper's and the worker's ends are no end of the proxy's."""
    with Running(t) as proxy:
        assert t.fetch("https://ec.lab.test/1k").status == 200
        keeper = proxy.keeper()
        os.kill(keeper, signal.SIGKILL)
        assert t.fetch("https://rsa.lab.test/1k").status == 200
        assert eventually(lambda: there(proxy.keeper) not in (None, keeper))
        api = Api(proxy)
        made = api.create("After the keeper's death")
        assert eventually(lambda: api.call(
            "POST", "%s/keyPair/%d" % (CA, made), "{}",
            "application/json").status == 200)
        worker = proxy.worker()
        os.kill(worker, signal.SIGKILL)
        assert eventually(lambda: there(proxy.worker) not in (None, worker))
        assert eventually(lambda: works(t))
        assert api.state(made) == "KEYGEN_DONE"
        assert "another is started" in proxy.stderr()


def there(which):
    try:
        return which()
    except (AssertionError, OSError):
        return None


def works(t):
    try:
        return t.fetch("https://ec.lab.test/1k").status == 200
    except (OSError, ValueError, AssertionError):
        return False


@life.case(limit=60, needs=["program:wrk"])
def default_changes_under_wrk(t):
    """wrk, with a new connection for each request: none fails."""
    try:
        socket.getaddrinfo("localhost", 443, socket.AF_INET)
    except OSError:
        raise NotRun("no hosts file, where wrk finds the name it asks for")
    org = Organization(t)
    port = t.lab.port["ec"]
    with Running(t, {"origin": {"connect-to": [
            "localhost:443:127.0.0.1:%d" % port]}, "ssl-rules": [
                {"name": "Local", "action": "inspect",
                 "untrusted": "allow"}]}) as proxy:
        api = Api(proxy)
        steps = api.steps("Next", org)
        for _, step in steps[:-1]:
            step()
        wrk = subprocess.Popen(
            ["wrk", "-t1", "-c8", "-d4", "--timeout", "60s",
             "-H", "Connection: close",
             "https://localhost:%d/1k" % proxy.tport],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert eventually(lambda: t.lines(sni="localhost"))
            for ca in (api.id, 1) * 5:
                api.json("PUT", "%s/makeDefault/%d" % (CA, ca))
                said = t.run("openssl", "s_client", "-connect",
                             "127.0.0.1:%d" % proxy.tport, "-servername",
                             "localhost", timeout=20).stdout
                issuer = re.search(r"issuer=.*", said).group()
                assert bool(re.search("CN ?= ?Next", issuer)) == (ca != 1), issuer
        finally:
            out, _ = wrk.communicate(timeout=60)
        assert "Socket errors" not in out, out
        assert "Non-2xx" not in out, out
        assert int(re.search(r"(\d+) requests in", out).group(1)) > 20, out


@life.case(limit=90, needs=["root"])
def an_issuing_key_that_was_replaced_leaves_memory(t):
    """It is found in the worker while it signs, and not after that; the one in
    its place is."""
    tool = os.path.join(os.path.dirname(t.binary), "tests/tools/find_key")

    def find(proxy, pem):
        public = openssl("x509", "-noout", "-pubkey", stdin=pem.encode())
        return subprocess.run([tool, str(proxy.worker())], input=public,
                              capture_output=True).stdout.decode().strip()
    with Running(t) as proxy:
        api = Api(proxy)
        before = shown(t, "ec.lab.test")
        key = find(proxy, before[1])
        assert len(key) == 64, "the key in use is not found: " + key
        serial = openssl("x509", "-noout", "-serial",
                         stdin=before[1].encode()).decode().split("=")[1]
        api.json("POST", "/sallyport/revoke", {"issuing": serial.strip()})
        after = shown(t, "ec.lab.test")
        assert after[1] != before[1]
        # AddressSanitizer keeps the stacks of functions that have returned
        if os.environ.get("SALLYPORT_TEST_VARIANT", "plain") == "plain":
            assert eventually(lambda: not memory.found(
                proxy.worker(), {"old": bytes.fromhex(key)}))
        assert len(find(proxy, after[1])) == 64


@life.case(limit=90)
def a_new_keeper_goes_on_counting(t):
    """So many issuing CAs a rotation, and no more because a keeper has died;
    each of them is told by the keeper itself."""
    org = Organization(t)
    with Running(t) as proxy:
        api = Api(proxy)

        def revoke():
            serial = api.json("GET", "/sallyport/issuing")[-1]["serialNumber"]
            return serial, api.call("POST", "/sallyport/revoke", json.dumps(
                {"issuing": serial}), "application/json")
        for _ in range(10):
            serial, reply = revoke()
            assert reply.status == 200, reply
            assert "serial %s\n" % serial in proxy.stderr(), serial
        keeper = proxy.keeper()
        os.kill(keeper, signal.SIGKILL)
        assert eventually(lambda: there(proxy.keeper) not in (None, keeper))
        assert eventually(lambda: works(t))
        for num in range(11, 20):
            serial, reply = revoke()
            if reply.status != 200:
                break
        assert num == 17 and b"has to wait" in reply.body, (num, reply)
        assert proxy.stderr().count("has been made, serial") == 17
        # the revoked one does not go on, and whoever looks is told
        refused(t, proxy, api)
        worker = proxy.worker()
        os.kill(worker, signal.SIGKILL)
        assert eventually(lambda: there(proxy.worker) not in (None, worker))
        assert eventually(lambda: there(lambda: api.call(
            "GET", "/readyz", base="").status) == 503)
        refused(t, proxy, api)
        # nor does the proxy: another CA takes over
        api.bring("Next", org)
        assert_shown_under(t, org, "Next")


def refused(t, proxy, api):
    """No certificate is made by a CA that can't be used, nor by another."""
    done = t.run("openssl", "s_client", "-connect", "127.0.0.1:%d"
                 % proxy.tport, "-servername", "ec.lab.test", timeout=20)
    assert "BEGIN CERTIFICATE" not in done.stdout, done.stdout
    assert eventually(lambda: t.line(reason="intermediate-ca-not-usable"))
    ready = api.call("GET", "/readyz", base="")
    assert ready.status == 503 and b"has to wait" in ready.body, ready
    crl = openssl("crl", "-noout", "-text", stdin=crl_at(
        t, proxy, "1").encode()).decode()
    assert crl.count("Serial Number:") == 17, crl


@life.case(limit=60)
def the_admin_listener_elsewhere_speaks_tls(t):
    """By a certificate of Sallyport's own CA; and what is open there."""
    running = Running(t)
    proxy = running.proxy
    proxy.config["listen"]["admin"] = "0.0.0.0:%d" % proxy.aport
    with running:
        at = "https://127.0.0.1:%d" % proxy.aport
        with open(os.path.join(proxy.config["state"], "admin-token")) as f:
            token = f.read().strip()

        def curl(path, *args):
            return t.run("curl", "-sS", "--cacert", proxy.root, "-w",
                         "\n%{http_code}", *args, at + path,
                         env=t.env(no_proxy="*")).stdout.rpartition("\n")
        body, _, code = curl("/api/v1" + CA, "-H",
                             "Authorization: Bearer " + token)
        assert code == "200" and json.loads(body)[0]["id"] == 1, (code, body)
        assert curl("/api/v1" + CA)[2] == "401"
        assert "BEGIN CERTIFICATE" in curl("/ca/root.pem")[0]
        assert curl("/healthz")[2] == "404", "for this machine alone"
        assert curl("/", "-H", "Host: rebound.example")[2] == "421"
        plain = t.run("curl", "-sS", at.replace("https", "http") + "/",
                      env=t.env(no_proxy="*"))
        assert "https" in plain.stdout, plain
        # never at the proxy listener, nor at the magic host
        assert t.fetch("http://sallyport.internal/api/v1" + CA,
                       "Authorization: Bearer " + token).status == 404
        looped = t.fetch("http://127.0.0.1:%d/" % proxy.aport)
        assert looped.status == 502 and looped.error == "proxy-loop", looped


@life.case(limit=90)
def a_flood_of_names_locks_nobody_out(t):
    """A CA whose key the keeper has signs leaf by leaf: one client's flood of
    names takes its share of that, and others are served beside it."""
    org = Organization(t)
    rules = {"ssl-rules": [{"name": "Named", "action": "inspect",
                            "intermediate-ca": "Slow"}]}
    with Running(t, {"workers": 1}) as proxy:
        api = Api(proxy)
        for _, step in api.steps("Slow", org, key="RSA_4K",
                                 path_length=0)[:-1]:
            step()
        proxy.config = dict(proxy.config, **rules)
        proxy.write()
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: "reloaded" in proxy.stderr())
        proxy.root = t.write("both.pem", open(proxy.root).read() + org.root)
        socks, answers = [], []
        for i in range(150):
            name = "flood-%d.many.lab.test" % i
            socks.append((name, t.tunnel(name)))

        def flood(name, sock):
            try:
                tls = t.tls(name, sock=sock)
                answers.append(t.ask(tls, "GET", "/1k", name))
            except (OSError, ValueError) as error:
                answers.append(error)
        threads = [threading.Thread(target=flood, args=s) for s in socks]
        os.kill(proxy.keeper(), signal.SIGSTOP)  # until all have come
        try:
            for thread in threads:
                thread.start()
            assert eventually(lambda: t.lines(reason="signer-busy"))
        finally:
            os.kill(proxy.keeper(), signal.SIGCONT)
        other = socket.create_connection(("127.0.0.1", proxy.port), 30, (
            "127.0.0.2", 0))
        t.open.append(other)
        assert client.connect(other, "ec.lab.test", 443).status == 200
        tls = t.tls("ec.lab.test", sock=other)
        assert t.ask(tls, "GET", "/1k", "ec.lab.test").status == 200
        for thread in threads:
            thread.join()
        got = [getattr(a, "status", a) for a in answers]
        assert set(got) == {200, 503}, set(map(str, got))
        assert {a.error for a in answers if a.status == 503} == {
            "signer-busy"}
        assert t.lines(reason="signer-busy")
        assert t.fetch("https://rsa.lab.test/1k").status == 200, \
            "shares are given back"
