"""What is counted: /metrics, who may see it, and what goes by it."""

import json
import os
import re
import shutil
import signal
import socket
import ssl

from case_admin import Wire, bearer, token
from case_run import Running
from case_users import basic, settings
from lab import client, http1
from lab.case import Group, NotRun, eventually
from lab.nginx import free_port

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")

RULES = [
    {"name": "Games \"n\\o\"", "match": {"hosts": ["blocked.lab.test"]},
     "action": "block"},
    {"name": "Left alone", "match": {"hosts": ["site1.many.lab.test"]},
     "action": "do-not-inspect"},
]
URLS = [{"name": "Not that", "match": {"categories": ["not"]},
         "action": "block"}]

metrics = Group("metrics", config=lambda lab: {
    "ssl-rules": RULES, "url-rules": URLS,
    "categories": {"not": {"urls": ["ec.lab.test/not"]}}})
login = Group("metrics/users", config=lambda lab: settings(lab))
own = Group("metrics/own", config=None)


def table():
    """metrics.def: name → (type, labels)."""
    with open(os.path.join(ROOT, "proxy/report/metrics.def")) as f:
        return {name: (kind, labels.split(",") if labels else [])
                for kind, name, labels in re.findall(
                    r'^METRIC\(\w+, (\w+),\s+"(\w+)",\s+"([\w,]*)"', f.read(),
                    re.M)}


def page(t, proxy=None):
    reply = Wire(t, proxy=proxy).ask("GET", "/metrics")
    assert reply.status == 200, reply
    assert reply.get("content-type") == \
        "text/plain; version=0.0.4; charset=utf-8", reply.fields
    return reply.body.decode()


SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)')


def read(text):
    """(name, labels sorted) → value."""
    out = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.match(line).groups()
        key = name, tuple(sorted(LABEL.findall(labels or "")))
        assert key not in out, line
        out[key] = float(value)
    return out


class Figures:
    """What has changed since."""

    def __init__(self, t):
        self.t, self.before = t, read(page(t))

    def more(self, name, **labels):
        key = name, tuple(sorted(labels.items()))
        return read(page(self.t)).get(key, 0) - self.before.get(key, 0)

    def grew(self, by, name, **labels):
        """Wait for it: a line of the log and its count come a moment after
        the client has its answer."""
        assert eventually(lambda: self.more(name, **labels) >= by), \
            (name, labels, self.more(name, **labels))
        assert self.more(name, **labels) == by, \
            (name, labels, self.more(name, **labels))


    def passes(self, by, name, **labels):
        """Wait until it has grown by more than that."""
        assert eventually(lambda: self.more(name, **labels) > by), \
            (name, labels, self.more(name, **labels))


# --- the page -----------------------------------------------------------------

@metrics.case
def all_that_is_documented_is_told(t):
    """And nothing else: metrics.def, the page and the man page are one."""
    t.fetch("https://ec.lab.test/1k")
    text, rows = page(t), table()
    assert len(rows) > 30, rows
    told = re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M)
    assert told == [(name, kind) for name, (kind, _) in rows.items()], told
    assert [name for name, _ in told] == re.findall(
        r"^# HELP (\w+) \S", text, re.M)
    for name, labels in read(text):
        base = re.sub("_(bucket|sum|count)$", "", name)
        row = rows.get(name) or rows[base]
        names = sorted(k for k, _ in labels if k != "le")
        assert names == sorted(row[1]), (name, names, row)
        assert name == base or row[0] == "histogram" or name in rows, name
    with open(os.path.join(ROOT, "proxy/install/sallyport.8")) as f:
        man = re.findall(r"^\.It Sy (sallyport_\w+|process_\w+) Pq ", f.read(),
                         re.M)
    assert man == list(rows), man


@metrics.case(needs=["program:promtool"])
def promtool_finds_nothing(t):
    t.fetch("https://ec.lab.test/1k")
    t.connect("blocked.lab.test")
    tool = shutil.which("promtool")
    done = t.run(tool, "check", "metrics", stdin=page(t))
    assert done.returncode == 0 and not done.stdout and not done.stderr, done


@metrics.case
def the_dashboard_asks_for_what_there_is(t):
    with open(os.path.join(ROOT, "proxy/install/grafana.json")) as f:
        board = json.load(f)
    asked = [target["expr"] for panel in board["panels"]
             for target in panel.get("targets", [])]
    asked += [v["query"]["query"] for v in board["templating"]["list"]
              if v["type"] == "query"]
    assert len(asked) > 30, asked
    rows, used = table(), set()
    for expr in asked:
        names = re.findall(r"\b((?:sallyport|process)_\w+)", expr)
        assert names, expr
        for name in names:
            base = re.sub("_bucket$", "", name)
            row = rows.get(base)
            assert row and (name == base) == (row[0] != "histogram"), expr
            used.add(base)
            by = re.findall(r"\bby \(([^)]*)\)", expr)
            for label in ",".join(by).replace(" ", "").split(","):
                assert label in row[1] + ["le", ""], (label, expr)
        for label in re.findall(r'[{,](\w+)[!=]?=', expr):
            assert label in rows[base][1] + ["job"], (label, expr)
    unseen = set(rows) - used - {"process_virtual_memory_bytes"}
    assert not unseen, unseen
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
    assert len(set(places)) == len(places)
    assert len({p["id"] for p in board["panels"]}) == len(board["panels"])


@metrics.case(needs=["program:promtool"])
def prometheus_reads_the_dashboards_queries(t):
    """As rules, which promtool checks."""
    with open(os.path.join(ROOT, "proxy/install/grafana.json")) as f:
        board = json.load(f)
    asked = [target["expr"].replace("$__rate_interval", "5m")
             for panel in board["panels"]
             for target in panel.get("targets", [])]
    rules = {"groups": [{"name": "all", "rules": [
        {"record": "q:%d" % i, "expr": expr}
        for i, expr in enumerate(asked)]}]}
    done = t.run(shutil.which("promtool"), "check", "rules",
                 t.write("rules.json", json.dumps(rules)))
    assert done.returncode == 0, done.stdout + done.stderr


# --- what is counted ----------------------------------------------------------

@metrics.case
def an_inspected_request(t):
    f = Figures(t)
    assert t.fetch("https://ec.lab.test/1k").status == 200
    f.grew(1, "sallyport_exchanges_total", status="2xx")
    f.grew(1, "sallyport_connections_total", listener="proxy")
    f.grew(1, "sallyport_client_handshakes_total", to="site", result="full",
           version="TLSv1.3")
    f.grew(1, "sallyport_client_handshake_seconds_count")
    f.grew(1, "sallyport_exchange_seconds_count")
    f.grew(1, "sallyport_exchange_seconds_bucket", le="+Inf")
    f.grew(1, "sallyport_decisions_total", list="ssl-rules", rule="default",
           action="inspect")
    f.grew(1, "sallyport_decisions_total", list="url-rules", rule="default",
           action="allow")
    f.passes(1024, "sallyport_bytes_total", leg="client", direction="out")
    f.passes(100, "sallyport_bytes_total", leg="client", direction="in")
    assert f.more("sallyport_leaf_cache_hits_total") + \
        f.more("sallyport_leaf_cache_misses_total") > 0
    assert eventually(lambda: f.more("sallyport_connections_open",
                                     listener="proxy") <= 0)


@metrics.case
def origins_and_their_pool(t):
    f = Figures(t)
    sock = t.tls("rsa.lab.test")
    for _ in range(3):
        assert t.ask(sock, "GET", "/1k", "rsa.lab.test").status == 200
    f.grew(3, "sallyport_exchanges_total", status="2xx")
    made = f.more("sallyport_origin_connections_total", use="new")
    again = f.more("sallyport_origin_connections_total", use="reused")
    assert made + again == 3 and again >= 2, (made, again)
    shaken = sum(f.more("sallyport_origin_handshakes_total", result=result,
                        version="TLSv1.3") for result in ("full", "resumed"))
    assert shaken == made == f.more("sallyport_origin_connect_seconds_count")
    assert eventually(lambda: read(page(t))[
        "sallyport_origin_pool_connections", ()] >= 1)
    assert f.more("sallyport_bytes_total", leg="origin", direction="in") >= 0


@metrics.case
def a_tunnel_while_it_lasts(t):
    """Its bytes are counted as they go, not at its end."""
    f = Figures(t)
    sock = t.tls("site1.many.lab.test", trust=t.lab.pki.root)
    assert t.ask(sock, "GET", "/1k", "site1.many.lab.test").status == 200
    f.grew(1, "sallyport_tunnels_total")
    f.grew(1, "sallyport_decisions_total", list="ssl-rules",
           rule="Left alone", action="do-not-inspect")
    f.passes(1024, "sallyport_bytes_total", leg="origin", direction="in")
    assert f.more("sallyport_connections_open", listener="proxy") >= 1


@metrics.case
def what_is_refused(t):
    f = Figures(t)
    assert t.connect("blocked.lab.test")[1].status == 403
    f.grew(1, "sallyport_refusals_total", reason="blocked-by-rule")
    f.grew(1, "sallyport_decisions_total", list="ssl-rules",
           rule='Games \\"n\\\\o\\"', action="block")
    assert t.fetch("https://ec.lab.test/not").status == 403
    f.grew(1, "sallyport_refusals_total", reason="blocked-by-url-rule")
    f.grew(1, "sallyport_decisions_total", list="url-rules", rule="Not that",
           action="block")
    f.grew(1 + 1, "sallyport_exchanges_total", status="4xx")


@metrics.case
def clients_that_do_not_trust(t):
    f = Figures(t)
    try:
        t.fetch("https://ec.lab.test/1k", trust=t.lab.pki.root)
        raise AssertionError("was trusted")
    except ssl.SSLError:
        pass
    f.grew(1, "sallyport_client_handshakes_total", to="site", result="alert",
           version="none")
    f.grew(1, "sallyport_refusals_total", reason="client-handshake-failed")


@metrics.case
def origins_that_fail(t):
    f = Figures(t)
    reply = t.fetch("https://expired.lab.test/1k")
    assert reply.error == "origin-certificate-expired", reply
    f.grew(1, "sallyport_origin_errors_total",
           reason="origin-certificate-expired")
    f.grew(1, "sallyport_origin_handshakes_total", result="error",
           version="none")
    f.grew(1, "sallyport_refusals_total", reason="origin-certificate-expired")


@login.case
def passwords(t):
    f = Figures(t)
    for password, status in (("apple pie", 200), ("wrong", 407),
                             ("apple pie", 200)):
        reply = t.fetch("http://web.lab.test/1k", basic("ann", password))
        assert reply.status == status, reply
    f.grew(2, "sallyport_logins_total", result="right")
    f.grew(1, "sallyport_logins_total", result="wrong")


# --- what it goes by ----------------------------------------------------------

@own.case(limit=60)
def a_reload_goes_on_counting(t):
    with Running(t, {"ssl-rules": RULES}) as proxy:
        f = Figures(t)
        assert t.connect("blocked.lab.test")[1].status == 403
        proxy.config["ssl-rules"] = [dict(RULES[0], description="again")]
        proxy.write()
        proxy.signal(signal.SIGHUP)
        f.grew(1, "sallyport_reloads_total", result="ok")
        assert t.connect("blocked.lab.test")[1].status == 403
        f.grew(2, "sallyport_decisions_total", list="ssl-rules",
               rule='Games \\"n\\\\o\\"', action="block")
        f.grew(-1, "sallyport_rules", list="ssl-rules")
        proxy.write("ssl-rules: 7\n")
        proxy.signal(signal.SIGHUP)
        f.grew(1, "sallyport_reloads_total", result="failed")
        f.grew(1, "sallyport_reloads_total", result="ok")
        now = read(page(t))
        assert now["sallyport_reload_success_timestamp_seconds", ()] >= \
            now["process_start_time_seconds", ()]


@metrics.case
def ends_of_cas(t):
    now = read(page(t))
    kinds = [dict(labels)["kind"] for name, labels in now
             if name == "sallyport_ca_expiry_timestamp_seconds"]
    assert sorted(set(kinds)) == ["intermediate", "issuing", "root",
                                  "untrusted"], kinds
    done = t.run("openssl", "x509", "-in", t.proxy.root, "-noout", "-enddate",
                 "-dateopt", "iso_8601")
    told = now["sallyport_ca_expiry_timestamp_seconds",
               (("ca", "root.pem"), ("kind", "root"))]
    assert done.stdout.strip() == "notAfter=" + t.run(
        "date", "-u", "-d", "@%d" % told, "+%Y-%m-%d %H:%M:%SZ"
    ).stdout.strip(), done
    crls = [value for (name, _), value in now.items()
            if name == "sallyport_crl_expiry_timestamp_seconds"]
    assert crls and all(v > now["process_start_time_seconds", ()] + 86400
                        for v in crls), crls


@metrics.case
def the_process(t):
    now = read(page(t))
    with open("/proc/%d/statm" % t.proxy.worker()) as f:
        resident = int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    told = now["process_resident_memory_bytes", ()]
    assert told / 2 < resident < told * 2, (told, resident)
    assert now["process_open_fds", ()] > 5
    assert now["process_max_fds", ()] > now["process_open_fds", ()]
    assert now["process_cpu_seconds_total", ()] > 0
    assert now["sallyport_workers", ()] >= 1
    assert t.run(t.binary, "version").stdout.splitlines()[0] == \
        "sallyport " + [dict(labels)["version"] for name, labels in now
                        if name == "sallyport_build_info"][0]


# --- who may see it -----------------------------------------------------------

@metrics.case
def open_on_this_machines_own_listener(t):
    assert Wire(t).ask("HEAD", "/metrics").status == 200
    assert Wire(t, control=True).ask("GET", "/metrics").status == 200
    assert Wire(t).ask("GET", "/metrics", host="evil.example").status == 421
    auth = bearer(t.proxy)
    assert Wire(t).ask("POST", "/metrics", auth).status == 405
    assert t.fetch("http://sallyport.internal/metrics").status == 404


@own.case(limit=60)
def elsewhere_by_a_login(t):
    """On an address that is not this machine's own alone."""
    with Running(t, {"listen": {"admin": "0.0.0.0:%d" % free_port()}}) as proxy:
        at = proxy.config["listen"]["admin"].replace("0.0.0.0", "127.0.0.1")
        reader = token(t, proxy, "prometheus", "bearer")

        def ask(*fields):
            context = client.context(False)
            context.check_hostname = False
            sock = context.wrap_socket(socket.create_connection(
                ("127.0.0.1", int(at.rsplit(":", 1)[1])), 10))
            t.open.append(sock)
            return t.ask(sock, "GET", "/metrics", at, *fields)
        assert ask().status == 401
        assert ask("Authorization: Bearer wrong").status == 401
        reply = ask("Authorization: Bearer " + reader["token"])
        assert reply.status == 200, reply
        assert b"sallyport_build_info" in reply.body
        assert reply.get("content-type").startswith("text/plain; version=")
