"""The lab's certificates, made by the openssl command line.

    root ──► inter ──► the origins          what Sallyport is told to trust
         └─► inter2 ──► incomplete          not sent by that origin
    other ──► unknown                       what nobody trusts

Each origin has NAME.pem, the chain as its server sends it, and NAME.key. The
second implementation is the point: nothing here shares code with Sallyport.
"""

import datetime
import os
import subprocess

CONFIG = """
[ca]
default_ca = lab
[lab]
dir = {folder}
new_certs_dir = {folder}/issued
database = {folder}/index.txt
rand_serial = yes
unique_subject = no
policy = any
email_in_dn = yes
copy_extensions = none
[any]
countryName = optional
stateOrProvinceName = optional
localityName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
emailAddress = optional
[req]
distinguished_name = dn
[dn]
"""

CA_EXTENSIONS = """basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

LEAF_EXTENSIONS = """basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

# What a forged leaf must not carry over from its origin: policies, AIA,
# TLS-feature (must-staple), SCTs, names that are no DNS name or address.
RICH_EXTENSIONS = """certificatePolicies = 2.23.140.1.2.2
authorityInfoAccess = OCSP;URI:http://ocsp.lab.test/
tlsfeature = status_request
1.3.6.1.4.1.11129.2.4.2 = DER:04:02:00:00
"""


def openssl(*args, stdin=None, check=True, timeout=60):
    """Run openssl; its output as bytes. Its complaint is the exception's."""
    done = subprocess.run(("openssl",) + args, input=stdin, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if check and done.returncode:
        raise RuntimeError("openssl %s: %s" % (" ".join(args),
                           done.stderr.decode(errors="replace")[-500:]))
    return done.stdout


def when(days):
    """A time this many days from now, as openssl ca wants it."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return (now + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class Pki:
    """A folder of certificates; make() fills it."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    @property
    def root(self):
        return self.path("root.pem")

    def key(self, name, kind="ec"):
        how = {"ec": ("EC", "ec_paramgen_curve:P-256"),
               "rsa": ("RSA", "rsa_keygen_bits:2048")}[kind]
        openssl("genpkey", "-algorithm", how[0], "-pkeyopt", how[1],
                "-out", self.path(name + ".key"))

    def authority(self, name, issuer=None, days=3650, kind="ec"):
        """A CA of its own: self-signed without an issuer."""
        subject = "/O=Lab/CN=Lab %s" % name
        self.issue(name, subject=subject, issuer=issuer or name, kind=kind,
                   extensions=CA_EXTENSIONS, start=-30, end=days,
                   sent=() if issuer is None else (issuer,))

    def issue(self, name, subject, issuer="inter", san=None, kind="ec",
              start=-1, end=90, digest="sha256", extensions=LEAF_EXTENSIONS,
              eku="serverAuth", sent=("inter",)):
        """NAME.key and NAME.pem: the certificate, then what is sent too."""
        self.key(name, kind)
        leaf = extensions is not CA_EXTENSIONS
        text = extensions + ("extendedKeyUsage = %s\n" % eku if leaf else "")
        text += "subjectAltName = %s\n" % san if san else ""
        with open(self.path(name + ".ext"), "w") as f:
            f.write(text)
        request, one = self.path(name + ".csr"), self.path(name + ".crt")
        config = self.path("lab.cnf")
        openssl("req", "-new", "-config", config, "-subj", subject,
                "-utf8", "-key", self.path(name + ".key"), "-out", request)
        signer = ("-selfsign",) if issuer == name else (
            "-cert", self.path(issuer + ".crt"))
        openssl("ca", "-config", config, "-batch", "-notext", "-utf8",
                "-in", request, "-out", one, *signer,
                "-keyfile", self.path(issuer + ".key"), "-md", digest,
                "-startdate", when(start), "-enddate", when(end),
                "-extfile", self.path(name + ".ext"))
        with open(self.path(name + ".pem"), "w") as f:
            for part in (name,) + tuple(sent):
                with open(self.path(part + ".crt")) as g:
                    f.write(g.read())

    def origin(self, name, **how):
        """An ordinary origin's certificate for NAME.lab.test."""
        host = name + ".lab.test"
        how.setdefault("subject", "/CN=" + host)
        how.setdefault("san", "DNS:" + host)
        self.issue(name, **how)

    def make(self):
        os.makedirs(self.path("issued"), exist_ok=True)
        open(self.path("index.txt"), "w").close()
        with open(self.path("lab.cnf"), "w") as f:
            f.write(CONFIG.format(folder=self.folder))
        self.authority("root")
        self.authority("inter", "root")
        self.authority("inter2", "root")
        self.authority("other", kind="rsa")
        self.good()
        self.bad()
        self.people()

    def good(self):
        self.origin("ec", subject="/C=CZ/L=Brno/O=Lab Origin/CN=ec.lab.test",
                    san="DNS:ec.lab.test,DNS:*.ec.lab.test,IP:192.0.2.7,"
                        "email:root@lab.test,URI:https://ec.lab.test/",
                    extensions=LEAF_EXTENSIONS + RICH_EXTENSIONS,
                    eku="serverAuth,clientAuth")
        self.origin("rsa", kind="rsa")
        self.origin("wild", san="DNS:*.wild.lab.test")
        self.origin("many", san="DNS:*.many.lab.test")
        self.origin("odd", san="DNS:odd.lab.test,DNS:*.odd.lab.test,"
                    "DNS:lines.lab.test")
        self.origin("pair", san="DNS:a.pair.lab.test,DNS:b.pair.lab.test")
        self.origin("ip", san="IP:127.0.0.1,IP:::1,IP:10.9.9.9,"
                    "DNS:ip.lab.test")
        self.origin("mtls", san="DNS:mtls.lab.test,DNS:mtls2.lab.test")
        for name in ("bank", "blocked", "old", "turn", "tools", "h2"):
            self.origin(name)
        self.origin("turn2", san="DNS:turn.lab.test")

    def as_people_do(self, name):
        """openssl req -x509: self-signed, and a CA by its own account."""
        host = name + ".lab.test"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                "30", "-subj", "/CN=" + host, "-addext",
                "subjectAltName=DNS:" + host, "-keyout",
                self.path(name + ".key"), "-out", self.path(name + ".pem"))

    def bad(self):
        self.origin("expired", start=-60, end=-2)
        self.origin("future", start=5, end=60)
        self.origin("self", issuer="self", sent=())
        self.as_people_do("selfca")
        self.origin("wronghost", san="DNS:elsewhere.lab.test")
        self.origin("unknown", issuer="other", sent=("other",))
        self.origin("sha1", kind="rsa", digest="sha1")
        self.issue("nosan", subject="/CN=nosan.lab.test")
        self.origin("incomplete", issuer="inter2", sent=(),
                    extensions=LEAF_EXTENSIONS + "authorityInfoAccess = "
                    "caIssuers;URI:http://aia.lab.test/inter2.crt\n")
        self.origin("purpose", eku="clientAuth")

    def people(self):
        """Client certificates; "people" is the CA of those who may come."""
        self.authority("people")

        def person(name, subject="/O=Lab/CN=", **how):
            self.issue(name, subject=subject + name if subject.endswith("=")
                       else subject, **dict({"issuer": "people", "sent": (),
                                             "eku": "clientAuth"}, **how))
        person("dev1")
        person("stranger", issuer="other")
        person("lapsed", start=-60, end=-2)
        person("server", eku="serverAuth")
        person("nameless", subject="/O=Lab")
        person("twofold", subject="/CN=mallory/CN=dev1")


def show(pem, *what):
    """openssl x509 of a PEM certificate, as text."""
    return openssl("x509", "-noout", *what, stdin=pem.encode()).decode()


def split(text):
    """The PEM certificates in text, in order."""
    head, tail = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return [head + part.split(tail)[0] + tail + "\n"
            for part in text.split(head)[1:]]
