"""The REST API, called as its clients do; and an organization that signs."""

import http.client
import json
import os
import uuid

from .pki import openssl
from .sallyport import SLOW

CA = "/intermediateCaCertificate"

EXTENSIONS = """[v3_ca]
basicConstraints=critical,CA:TRUE%s
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""


class Reply:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body
        self.type = fields.get("Content-Type")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "%d %r" % (self.status, self.body[:300])


def multipart(name, data, part="fileUpload"):
    """(type, body) of an upload."""
    edge = uuid.uuid4().hex
    body = ("--%s\r\nContent-Disposition: form-data; name=\"%s\"; "
            "filename=\"%s\"\r\nContent-Type: application/x-x509-ca-cert\r\n"
            "\r\n" % (edge, part, name)).encode()
    body += data if isinstance(data, bytes) else data.encode()
    return ("multipart/form-data; boundary=" + edge,
            body + ("\r\n--%s--\r\n" % edge).encode())


class Api:
    """A client with a login: its fields go with every call."""

    def __init__(self, proxy, base="/api/v1", token=True):
        self.proxy, self.base, self.fields = proxy, base, {}
        if token:
            with open(os.path.join(proxy.config["state"],
                                   "admin-token")) as f:
                self.fields["Authorization"] = "Bearer " + f.read().strip()

    def call(self, method, path, body=None, type=None, base=None, **fields):
        http_ = http.client.HTTPConnection("127.0.0.1", self.proxy.aport,
                                           timeout=60 * SLOW)
        sent = dict(self.fields, **{k.replace("_", "-"): v
                                    for k, v in fields.items()})
        if type:
            sent["Content-Type"] = type
        try:
            http_.request(method, (self.base if base is None else base) +
                          path, body, sent)
            answer = http_.getresponse()
            return Reply(answer.status, dict(answer.getheaders()),
                         answer.read())
        finally:
            http_.close()

    def json(self, method, path, value=None, **how):
        """A call with a JSON body that must be answered with 200."""
        reply = self.call(method, path, json.dumps(value or {}),
                          "application/json", **how)
        assert reply.status == 200, (method, path, reply)
        assert reply.type == "application/json", reply.type
        return reply.json

    def upload(self, path, data, name="cert.pem", **how):
        type_, body = multipart(name, data)
        return self.call("POST", path, body, type_, **how)

    def get(self, ca):
        return self.json("GET", "%s/%d" % (CA, ca))

    def state(self, ca):
        return self.get(ca)["currentState"]

    def create(self, name, **more):
        return self.json("POST", CA, dict(
            {"name": name, "type": "CUSTOM_SW", "region": "GLOBAL",
             "status": "ENABLED"}, **more))["id"]

    def steps(self, name, org, key="EC_P256", path_length=1):
        """The whole life, in order: (what, step) with the CA's id after the
        first."""
        self.id = None

        def create():
            self.id = self.create(name)

        def key_pair():
            self.json("POST", "%s/keyPair/%d" % (CA, self.id),
                      {"keyType": key})

        def csr():
            self.json("POST", "%s/generateCsr/%d" % (CA, self.id), {
                "csrFileName": "request.csr", "commName": name,
                "orgName": "Example Organization", "country": "US",
                "pathLengthConstraint": path_length,
                "signatureAlgorithm": "SHA256"})

        def cert():
            request = self.call("GET", "%s/downloadCsr/%d" % (CA, self.id))
            assert request.status == 200, request
            self.signed = org.sign(request.body, path_length)
            reply = self.upload("%s/uploadCert/%d" % (CA, self.id),
                                self.signed)
            assert reply.status == 200, reply

        def chain():
            reply = self.upload("%s/uploadCertChain/%d" % (CA, self.id),
                                org.root, "root.pem")
            assert reply.status == 200, reply

        def finalize():
            self.json("POST", "%s/finalizeCert/%d" % (CA, self.id))

        def default():
            self.json("PUT", "%s/makeDefault/%d" % (CA, self.id))

        return [("create", create), ("key pair", key_pair), ("csr", csr),
                ("certificate", cert), ("chain", chain),
                ("finalize", finalize), ("default", default)]

    def bring(self, name, org, **how):
        """A CA of org's, from nothing to the default; its id."""
        for _, step in self.steps(name, org, **how):
            step()
        return self.id


class Organization:
    """A CA of the outside world, by the openssl command line."""

    def __init__(self, t, name="org"):
        self.folder = t.path(name)
        os.makedirs(self.folder, exist_ok=True)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                "-subj", "/O=Example Organization/CN=Example Root",
                "-keyout", self.path("root.key"), "-out",
                self.path("root.pem"), "-addext",
                "basicConstraints=critical,CA:TRUE", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign")
        with open(self.path("root.pem")) as f:
            self.root = f.read()
        self.root_file = self.path("root.pem")
        self.key_file = self.path("root.key")

    def path(self, name):
        return os.path.join(self.folder, name)

    def sign(self, csr, path_length=1, days=1095, extensions=None,
             digest="-sha256", key="root"):
        with open(self.path("the.csr"), "wb") as f:
            f.write(csr)
        with open(self.path("ca.ext"), "w") as f:
            f.write(extensions or EXTENSIONS % (
                "" if path_length is None else
                ",pathlen:%d" % path_length))
        openssl("x509", "-req", "-in", self.path("the.csr"), "-CA",
                self.path(key + ".pem"), "-CAkey", self.path(key + ".key"),
                "-CAcreateserial", "-days", str(days), digest, "-extfile",
                self.path("ca.ext"), "-extensions", "v3_ca", "-out",
                self.path("signed.pem"))
        with open(self.path("signed.pem"), "rb") as f:
            return f.read()

    def crl(self):
        """Its own CRL, empty, as PEM."""
        with open(self.path("index.txt"), "a"):
            pass
        with open(self.path("crl.cnf"), "w") as f:
            f.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s\n"
                    "default_md=sha256\ndefault_crl_days=30\n"
                    % self.path("index.txt"))
        return openssl("ca", "-gencrl", "-config", self.path("crl.cnf"),
                       "-cert", self.path("root.pem"), "-keyfile",
                       self.path("root.key")).decode()
