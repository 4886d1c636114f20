"""Where the passphrase of the keys comes from, and what `run` says of it; who
may read what lies in the state folder; and folders of the first version."""

import json
import os
import sqlite3
import subprocess

from case_run import Running
from lab.case import Group
from lab.nginx import wait_port
from lab.pki import openssl
from lab.sallyport import SLOW

keys = Group("keys", config=None)
WORDS = "correct horse battery staple 4711"
MADE = "private keys are encrypted with %s/keys.secret, made now"
EXPOSED = "every user of this machine may read the passphrase"


def start_typing(proxy, typed):
    """As proxy.start(), with what somebody types into a pipe."""
    proxy.process = subprocess.Popen(
        [proxy.binary, "run", "-c", proxy.file, "--ask-passphrase"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=open(proxy.errors, "ab"), cwd=proxy.folder)
    proxy.process.stdin.write(typed)
    proxy.process.stdin.flush()  # and left open, as a terminal is


@keys.case
def asked_for_it_is_read_from_a_pipe(t):
    env = dict(os.environ, SALLYPORT_PASSPHRASE=WORDS)
    with Running(t, env=env) as proxy:
        root = open(proxy.root).read()
        state = proxy.config["state"]
    assert "keys.secret" not in os.listdir(state)
    start_typing(proxy, WORDS.encode() + b"\n")
    try:
        wait_port(proxy.port, seconds=20 * SLOW,
                  alive=lambda: proxy.process.poll() is None)
        assert t.fetch("https://ec.lab.test/1k").status == 200
        proxy.fetch_root()
        assert open(proxy.root).read() == root
    finally:
        code = proxy.stop()
    assert code == 0, code
    before = open(os.path.join(state, "sallyport.db"), "rb").read()
    for typed, why in ((b"another\n", "passphrase of what was typed does not "
                        "open the private key"),
                       (b"\n", "no passphrase was given")):
        start_typing(proxy, typed)
        assert proxy.process.wait(20 * SLOW) == 1, typed
        assert why in proxy.stderr(), proxy.stderr()
    assert open(os.path.join(state, "sallyport.db"), "rb").read() == before


@keys.case
def the_first_start_says_what_guards_them(t):
    with Running(t) as proxy:
        made = MADE % proxy.config["state"]
        assert proxy.stderr().count(made) == 1, proxy.stderr()
    proxy.start()
    assert proxy.stop() == 0
    assert proxy.stderr().count(made) == 1, "it was not made now"
    words = t.write("words", WORDS)
    for mode, exposed in ((0o600, 0), (0o640, 0), (0o644, 1)):
        os.chmod(words, mode)
        with Running(t, {"keys": {"passphrase-file": words}},
                     name="mode-%o" % mode) as proxy:
            said = proxy.stderr()
            assert said.count("%s: %s" % (words, EXPOSED)) == exposed, said
            assert "made now" not in said, said


@keys.case
def what_lies_there_is_the_owners_alone(t):
    with Running(t, preexec_fn=lambda: os.umask(0)) as proxy:
        assert t.fetch("https://ec.lab.test/1k").status == 200
        state = proxy.config["state"]
        for name in ("admin-token", "sallyport.db", "keys.secret",
                     "control.sock", "lock"):
            info = os.stat(os.path.join(state, name))
            assert info.st_mode & 0o7777 == 0o600, (name, oct(info.st_mode))
        assert os.stat(state).st_mode & 0o007 == 0


# --- a folder of the first version ------------------------------------------

# As it was released; `ca` is made as `old`, beside the one that there is.
VERSION_1 = """
CREATE TABLE old (
 id INTEGER PRIMARY KEY AUTOINCREMENT,
 purpose TEXT NOT NULL CHECK (purpose IN
  ('root', 'intermediate', 'issuing', 'untrusted')),
 parent INTEGER REFERENCES ca (id),
 name TEXT NOT NULL UNIQUE,
 description TEXT,
 type TEXT NOT NULL DEFAULT 'CUSTOM_SW',
 region TEXT NOT NULL DEFAULT 'GLOBAL',
 status TEXT NOT NULL DEFAULT 'ENABLED',
 state TEXT NOT NULL DEFAULT 'GENERAL_DONE',
 is_default INTEGER NOT NULL DEFAULT 0,
 fallback INTEGER REFERENCES ca (id),
 key_type TEXT,
 key BLOB,
 key_time INTEGER,
 csr BLOB, csr_file TEXT, csr_time INTEGER,
 cert BLOB, cert_file TEXT,
 chain BLOB,
 crl BLOB, crl_number INTEGER NOT NULL DEFAULT 0, crl_time INTEGER
);
INSERT INTO old (id, purpose, parent, name, state, is_default, key_type, key,
 key_time, cert, chain, crl, crl_number, crl_time) SELECT id, purpose, parent,
 name, state, is_default, key_type, older(key), key_time, cert, chain, crl,
 crl_number, crl_time FROM ca;
DROP TABLE ca; DROP TABLE issuing; DROP TABLE revoked; DROP TABLE leaf;
DROP TABLE audit; DROP TABLE token;
ALTER TABLE old RENAME TO ca;
CREATE UNIQUE INDEX one_default ON ca (is_default) WHERE is_default = 1;
PRAGMA user_version = 1;
"""


def older(key):
    """A private key as the first version locked it: without its role."""
    how = "pass:" + WORDS
    clear = openssl("pkey", "-inform", "DER", "-passin", how, stdin=key)
    return openssl("pkcs8", "-topk8", "-v2", "aes-256-cbc", "-v2prf",
                   "hmacWithSHA1", "-iter", "100000", "-outform", "DER",
                   "-passout", how, stdin=clear)


def number(path, sql):
    store = sqlite3.connect(path)
    try:
        return store.execute(sql).fetchone()[0]
    finally:
        store.close()


@keys.case(limit=60)
def a_folder_of_the_first_version_goes_on(t):
    """By commands with nothing running, then by the proxy, then by both."""
    env = dict(os.environ, SALLYPORT_PASSPHRASE=WORDS)
    running = Running(t, env=env)
    with running as proxy:
        root = open(proxy.root).read()
        state = proxy.config["state"]
    path = os.path.join(state, "sallyport.db")
    store = sqlite3.connect(path)
    store.create_function("older", 1, lambda key: key and older(key))
    store.executescript(VERSION_1)
    store.close()
    lock = number(path, "SELECT key FROM ca WHERE id = 2")

    def ca(*args):
        code, out, err = proxy.run("ca", *args, "-c", proxy.file, env=env)
        assert code == 0, (args, code, err)
        return out
    assert ca("root") == root
    assert "CERT_READY" in ca("list")
    ca("create", "Made anew")
    assert number(path, "PRAGMA user_version") == 2
    trail = ca("audit").splitlines()
    assert len([l for l in trail if "Made anew" in l]) == 1, trail
    with running:
        assert open(proxy.root).read() == root
        assert t.fetch("https://ec.lab.test/1k").status == 200
        made = json.loads(ca("keypair", "Made anew", "--json"))
        assert made["currentState"] == "KEYGEN_DONE", made
        assert json.loads(ca("show", "1", "--json"))["type"] == "ZSCALER"
    assert number(path, "SELECT key FROM ca WHERE id = 2") != lock, \
        "a key has got no role"
