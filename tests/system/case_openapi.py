"""The API's description against what the API does: every operation is called,
and each request that was taken and each reply is held against its schema."""

import http.client
import json
import os
import re
import socket
import time
import urllib.parse

from case_ca import obfuscate
from case_run import Running
from lab.api import CA, Api, Organization, Reply
from lab.case import Group
from lab.sallyport import SLOW

openapi = Group("openapi", config=None)
FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                    "../../proxy/admin/openapi.json")
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool,
         "integer": int}


class Description:
    def __init__(self):
        with open(FILE) as f:
            self.all = json.load(f)
        self.bases = [s["url"] for s in self.all["servers"]]
        self.called = set()

    def at(self, node):
        """What a $ref is of; anything else is itself."""
        while "$ref" in node:
            name, found = node["$ref"], self.all
            assert name.startswith("#/"), name
            for key in name[2:].split("/"):
                found = found[key]
            node = found
        return node

    # --- the schemas -------------------------------------------------------

    def wrong(self, value, schema, where, closed):
        """What is wrong with value; closed: a property that is not described
        is."""
        schema = self.at(schema)
        if "oneOf" in schema:
            fit = [s for s in schema["oneOf"]
                   if not self.wrong(value, s, where, closed)]
            return [] if len(fit) == 1 else ["%s: fits %d of oneOf" % (
                where, len(fit))]
        kind = schema["type"]
        if not isinstance(value, TYPES[kind]) or \
                (kind == "integer" and isinstance(value, bool)):
            return ["%s: %r is no %s" % (where, value, kind)]
        out = []
        if value not in schema.get("enum", [value]):
            out.append("%s: %r is not of %s" % (where, value, schema["enum"]))
        if kind == "string":
            if not re.search(schema.get("pattern", ""), value):
                out.append("%s: %r is not %s" % (where, value,
                                                 schema["pattern"]))
            if len(value) > schema.get("maxLength", len(value)):
                out.append("%s: %r is too long" % (where, value))
        elif kind == "array":
            for i, item in enumerate(value):
                out += self.wrong(item, schema["items"], "%s[%d]" % (
                    where, i), closed)
        elif kind == "object":
            out += self.wrong_object(value, schema, where, closed)
        return out

    def wrong_object(self, value, schema, where, closed):
        known = schema.get("properties", {})
        more = schema.get("additionalProperties", not closed)
        out = ["%s: no %s" % (where, k) for k in schema.get("required", [])
               if k not in value]
        if len(value) < schema.get("minProperties", 0):
            out.append("%s: too few" % where)
        for key, item in value.items():
            if key in known:
                out += self.wrong(item, known[key], "%s.%s" % (where, key),
                                  closed)
            elif more is False:
                out.append("%s: %s is not described" % (where, key))
        return out

    # --- the operations ----------------------------------------------------

    def operation(self, method, base, path):
        path = path.partition("?")[0]
        for template, found in self.all["paths"].items():
            bases = [s["url"].rstrip("/") for s in found["servers"]] \
                if "servers" in found else self.bases
            if base in bases and method.lower() in found and re.fullmatch(
                    re.sub(r"\{\w+\}", "[^/]+", template), path):
                yield template, found[method.lower()]

    def hold(self, method, base, path, body, type_, reply):
        found = list(self.operation(method, base, path))
        fixed = [f for f in found if "{" not in f[0]] or found
        assert len(fixed) == 1, (method, path, [f[0] for f in found])
        template, operation = fixed[0]
        what = "%s %s" % (method, template)
        self.called.add((what, reply.status))
        declared = operation["responses"]
        assert str(reply.status) in declared, "%s: %r is not described" % (
            what, reply)
        self.hold_body(what, self.at(declared[str(reply.status)]), reply.type,
                       reply.body)
        if reply.status == 200 and body:
            self.hold_request(what, operation, type_, body)

    def hold_body(self, what, declared, type_, body):
        content = declared.get("content", {})
        if not content:
            assert not body and not type_, (what, type_, body)
            return
        assert type_ in content, "%s: %s of %s: %r" % (
            what, type_, list(content), body)
        if type_ == "application/json":
            wrong = self.wrong(json.loads(body), content[type_]["schema"],
                               what, closed=True)
            assert not wrong, wrong

    def hold_request(self, what, operation, type_, body):
        assert "requestBody" in operation, what + ": takes a body"
        content = self.at(operation["requestBody"])["content"]
        type_ = type_.partition(";")[0]
        assert type_ in content, "%s takes %s" % (what, type_)
        if type_ == "application/json":
            value = json.loads(body)
        elif type_ == "application/yaml":
            value = body
        elif type_ == "application/x-www-form-urlencoded":
            value = dict(urllib.parse.parse_qsl(body))
        else:
            value = {name: "" for name in re.findall(rb'; name="(\w+)"',
                                                     body)}
            value = {k.decode(): v for k, v in value.items()}
        wrong = self.wrong(value, content[type_]["schema"], what, closed=True)
        assert not wrong, wrong

    def operations(self):
        return {"%s %s" % (method.upper(), path)
                for path, found in self.all["paths"].items()
                for method in found
                if method in ("get", "post", "put", "delete")}


class Held(Api):
    """An Api all of whose calls are held against the description."""

    description = None

    def call(self, method, path, body=None, type=None, base=None, **fields):
        reply = super().call(method, path, body, type, base, **fields)
        self.description.hold(method, self.base if base is None else base,
                              path, body, type or "", reply)
        return reply

    def said(self, method, path, status, value=None, **how):
        """The answer to a call with that status; as JSON where it is."""
        body = None if value is None else json.dumps(value)
        reply = self.call(method, path, body,
                          None if value is None else "application/json",
                          **how)
        assert reply.status == status, (method, path, reply)
        return reply.json if reply.type == "application/json" else reply


class Control(http.client.HTTPConnection):
    """To the control socket in a folder."""

    def __init__(self, folder):
        super().__init__("localhost", timeout=60 * SLOW)
        self.folder = folder

    def connect(self):
        folder = os.open(self.folder, os.O_PATH)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/proc/self/fd/%d/control.sock" % folder)
        os.close(folder)


class Local(Held):
    """As commands on this machine call it."""

    def call(self, method, path, body=None, type=None, base=None, **fields):
        http_ = Control(self.proxy.config["state"])
        http_.request(method, self.base + path, body,
                      {"Content-Type": type} if type else {})
        answer = http_.getresponse()
        reply = Reply(answer.status, dict(answer.getheaders()), answer.read())
        http_.close()
        self.description.hold(method, self.base, path, body, type or "",
                              reply)
        return reply


def look_at_all(api, ca):
    """Every GET there is of a CA, in whatever state: it may refuse."""
    for path in ("", "/lite", "/readyToUse", "?page=1&pageSize=2"):
        api.said("GET", CA + path, 200)
    for path in ("", "/lite", "/downloadPublicKey", "/downloadCsr",
                 "/showCsr", "/showCert", "/downloadAttestation"):
        for n in ca, 1, 99:
            reply = api.call("GET", "%s%s/%d" % (CA, path, n))
            assert reply.status in (200, 400, 403, 404), reply


def step_wrongly(api, ca):
    """Every step out of order, or of nothing."""
    for n in ca, 1, 99:
        for path in ("keyPair", "generateCsr", "finalizeCert",
                     "verifyKeyAttestation", "downloadAttestation"):
            reply = api.call("POST", "%s/%s/%d" % (CA, path, n),
                             '{"keyType":"NONE"}', "application/json")
            assert reply.status in (400, 403, 404), (path, n, reply)
        for path in "uploadCert", "uploadCertChain":
            reply = api.upload("%s/%s/%d" % (CA, path, n), "nothing")
            assert reply.status in (400, 403, 404), (path, n, reply)
            reply = api.call("POST", "%s/%s/%d" % (CA, path, n), "{}",
                             "application/json")
            assert reply.status in (403, 404, 415), (path, n, reply)
    api.said("PUT", CA + "/makeDefault/99", 404, {})
    api.said("PUT", CA + "/1", 403, {"status": "DISABLED"})
    api.said("PUT", CA + "/99", 404, {"name": "x"})
    api.said("DELETE", CA + "/1", 400)  # the default
    api.said("DELETE", CA + "/99", 404)


def log_in(api, held):
    """Tokens of each kind, and the logins that two of them are for."""
    local = Local(api.proxy, token=False)
    api.said("POST", "/sallyport/tokens", 403, {"name": "x"})
    api.said("DELETE", "/sallyport/tokens/x", 403)
    made = {kind: local.said("POST", "/sallyport/tokens", 200, {
        "name": "a " + kind, "kind": kind, "readOnly": kind == "bearer"})
        for kind in ("bearer", "oauth", "session")}
    local.said("POST", "/sallyport/tokens", 400, {"name": "a bearer"})
    api.said("GET", "/sallyport/sessions", 403)
    local.said("GET", "/sallyport/sessions", 200)
    local.said("GET", "/sallyport/sessions?limit=x", 400)
    assert len(local.said("GET", "/sallyport/tokens", 200)) == 3
    reader = held(token=False)
    reader.fields["Authorization"] = "Bearer " + made["bearer"]["token"]
    reader.said("POST", CA, 403, {"name": "x"})
    stamp = int(time.time() * 1000)
    session = held(token=False)
    claim = {"username": made["session"]["username"],
             "password": made["session"]["password"], "timestamp": stamp,
             "apiKey": obfuscate(made["session"]["apiKey"], stamp)}
    session.said("POST", "/authenticatedSession", 401,
                 dict(claim, password="wrong"))
    session.said("POST", "/authenticatedSession", 400, {"username": "x"})
    reply = session.call("POST", "/authenticatedSession", json.dumps(claim),
                         "application/json")
    assert reply.status == 200, reply
    session.fields["Cookie"] = reply.fields["Set-Cookie"].partition(";")[0]
    session.said("GET", "/authenticatedSession", 200)
    session.said("DELETE", "/authenticatedSession", 204)
    session.said("GET", "/authenticatedSession", 401)
    secrets = {"client_id": made["oauth"]["clientId"],
               "client_secret": made["oauth"]["clientSecret"],
               "grant_type": "client_credentials"}
    session.said("POST", "/oauth2/v1/token", 200, secrets, base="")
    for wrong, status in (({"client_secret": "x"}, 401),
                          ({"grant_type": "password"}, 400), ({}, 200)):
        form = urllib.parse.urlencode(dict(secrets, **wrong))
        reply = session.call("POST", "/oauth2/v1/token", form,
                             "application/x-www-form-urlencoded", base="")
        assert reply.status == status, reply
    local.said("DELETE", "/sallyport/tokens/a%20bearer", 204)
    local.said("DELETE", "/sallyport/tokens/nobody", 404)


def own_calls(api, ca):
    """What Sallyport has beside the vendor's API."""
    issuing = api.said("GET", "/sallyport/issuing", 200)
    assert issuing
    api.said("GET", "/sallyport/root", 200)
    for key in "1", "2", issuing[-1]["keyId"]:
        assert api.said("GET", "/sallyport/crl/" + key, 200).body
    api.said("GET", "/sallyport/crl/nothing", 404)
    for value, status in (({}, 400), ({"issuing": "00"}, 404),
                          ({"ca": 99}, 404), ({"site": "no.test"}, 404),
                          ({"site": "ec.lab.test"}, 200), ({"ca": 1}, 200)):
        api.said("POST", "/sallyport/revoke", status, value)
    api.said("POST", "/sallyport/refresh", 200, {})
    assert "revoked" in api.said("GET", "/sallyport/issuing", 200)[0]
    api.said("PUT", "%s/%d" % (CA, ca), 200, {"status": "DISABLED"})
    look_at_all(api, ca)
    api.said("GET", "/sallyport/audit?last=x", 400)
    assert len(api.said("GET", "/sallyport/audit", 200)) > 10


def policy_calls(api):
    """Put, refused, in each other's way, gone back to."""
    own = api.said("GET", "/policy", 200)
    rules = {"ssl-rules": [{"name": "Default", "action": "inspect"}]}
    api.said("PUT", "/policy", 200, own)
    api.said("PUT", "/policy", 200, {"policy": rules, "note": "n"})
    api.said("PUT", "/policy?dryRun=true", 200, {"policy": rules})
    api.said("PUT", "/policy", 409, {"policy": rules, "version": 1})
    api.said("PUT", "/policy", 400, {"policy": {"rules": []}})
    api.said("PUT", "/policy", 400, {})
    api.said("PUT", "/policy", 413, {"policy": {"x": "x" * 1100000}})
    reply = api.call("PUT", "/policy?note=n&version=2", "ssl-rules: []\n",
                     "application/yaml")
    assert reply.status == 200, reply
    api.said("GET", "/policy", 200)
    assert len(api.said("GET", "/policy/versions", 200)) == 3
    api.said("GET", "/policy/versions/2", 200)
    api.said("GET", "/policy/versions/9", 404)
    api.said("POST", "/policy/rollback/1", 200, {"version": 3, "note": "b"})
    api.said("POST", "/policy/rollback/9", 404, {})
    api.said("POST", "/policy/rollback/1", 409, {"version": 9})
    api.said("POST", "/policy/rollback/0?dryRun=x", 400, {})
    api.said("POST", "/policy/rollback/0", 200)


@openapi.case(limit=90)
def it_does_what_is_described(t):
    org = Organization(t)
    with Running(t) as proxy:
        Held.description = description = Description()
        assert t.fetch("https://ec.lab.test/1k").status == 200
        api = Held(proxy)
        steps = api.steps("Described", org)
        for i, (_, step) in enumerate(steps):
            step()
            look_at_all(api, api.id)
            if i == 0:
                step_wrongly(api, api.id)
        ca = api.id
        api.said("PUT", "%s/%d" % (CA, ca), 400, {"name": "Other"})
        api.said("POST", CA, 400, {"name": "Described", "type": "CUSTOM_SW",
                                   "region": "GLOBAL", "status": "ENABLED"})
        api.said("PUT", CA + "/makeDefault/1", 200, {})
        own_calls(api, ca)
        policy_calls(api)
        assert api.call("GET", "/metrics", base="").status == 200
        log_in(api, lambda **how: Held(proxy, **how))
        other = Held(proxy, base="/zia/api/v1").create("To be deleted",
                                                       description="d")
        api.said("DELETE", "%s/%d" % (CA, other), 204)
        nobody = Held(proxy, token=False)
        for what in sorted(description.operations()):
            method, _, path = what.partition(" ")
            path = path.replace("{id}", "1").replace("{key}", "1").replace(
                "{name}", "x")
            if "servers" in description.all["paths"][what.split(" ")[1]]:
                continue  # where one logs in; /metrics, open here
            if what != "POST /authenticatedSession":
                assert nobody.call(method, path).status == 401, what
        went = {what for what, status in description.called if status < 300}
        never = {what for what in description.operations()
                 if "ttestation" in what}
        assert description.operations() - went == never, \
            description.operations() - went
