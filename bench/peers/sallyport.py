"""Sallyport as developers use it: CONNECT, inspected, 100 rules, no log."""
import json
import os
import shutil

from lab import write

KIND, SPEAKS, TRUST, PORT = "forges", "connect", "own", 3190
TLS_PORT = 3191
RULES = 100


def rules(num, last):
    """Rules of every kind that do not match, and one that does."""
    kinds = (
        lambda i: {"match": {"categories": ["list%d" % i]}},
        lambda i: {"match": {"categories": ["list%d" % i], "ports": [443]}},
        lambda i: {"match": {"sources": ["10.%d.0.0/16" % (i % 250)]}},
    )
    out = [dict({"name": "Rule %d" % i, "action": "do-not-inspect"},
                **kinds[i % 3](i)) for i in range(num)]
    return out + [dict({"name": "Last"}, **last)]


def config(lab, last=None, num_rules=RULES, **more):
    state = lab.run + "/sallyport"
    shutil.rmtree(state, ignore_errors=True)
    document = {
        "listen": {"proxy": "127.0.0.1:%d" % PORT,
                   "transparent": "127.0.0.1:%d" % TLS_PORT},
        "state": state,
        "workers": 1,
        "origin": {"trust": [lab.origin_trust]},
        "categories": {
            "list%d" % i: {"hosts": ["host%d.example" % i,
                                     ".domain%d.example" % i]}
            for i in range(num_rules)},
        "ssl-rules": rules(num_rules, last or {"action": "inspect"}),
        "log": {"access": "none"},
        "limits": {"connections": 15000, "idle-timeout": "10m"},
    }
    for key, value in more.items():
        document[key] = dict(document.get(key, {}), **value) \
            if isinstance(value, dict) else value
    # JSON is YAML
    return write(lab.run + "/sallyport.yaml", json.dumps(document, indent=1))


def run(lab, path):
    return [lab.tools["sallyport"], "run", "-c", path]


def command(lab, port):
    return run(lab, config(lab))


def trust(lab):
    return os.path.join(lab.run, "sallyport", "root.pem")
