"""The process: starting, reloading, draining, running out of things."""

import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time

from lab import http1
from lab.case import Group, NotRun, eventually
from lab.netns import own_network
from lab.pki import openssl
from lab.sallyport import SLOW, Sallyport, merged, yaml

ODD = "odd.lab.test"
alone = Group("alone", config=None)  # each case has a Sallyport of its own
reload = Group("reload")
defaults = Group("defaults", config=None)

class Running:
    """A Sallyport for one case, ended with it."""

    def __init__(self, t, more=None, name="own", codes=(0,), **how):
        self.t, self.how, self.codes = t, how, codes
        self.proxy = Sallyport(t.binary, t.lab, t.path(name), more)

    def __enter__(self):
        self.proxy.start(**self.how)
        self.t.proxy = self.proxy
        self.t.mark()
        return self.proxy

    def __exit__(self, kind, *_):
        code = self.proxy.stop()
        if kind is None:
            assert not self.proxy.smell(), self.proxy.smell()
            assert code in self.codes, "exit %s" % code

# --- starting -----------------------------------------------------------------

@defaults.case
def without_a_file(t):
    """`sallyport run` on its own: the ports of the defaults."""
    if os.geteuid() == 0:
        own_network()  # where nobody has port 8080
    if not refused(8080):
        raise NotRun("port 8080 is in use here")
    env = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    env.update(HOME=t.path(""), XDG_STATE_HOME=t.path("state"))
    out = open(t.path("out"), "w+")
    process = subprocess.Popen([t.binary, "run"], env=env, stdout=out,
                               stderr=subprocess.STDOUT)
    try:
        assert eventually(lambda: "curl" in open(t.path("out")).read(), 20)
        text = open(t.path("out")).read()
        assert "127.0.0.1:8080" in text, text
        line = [l.strip(" $") for l in text.splitlines() if "curl " in l][0]
        done = subprocess.run(line[line.index("curl"):], shell=True, env=env,
                              capture_output=True, text=True,
                              timeout=30 * SLOW)
        assert done.returncode == 0, line + ": " + done.stderr
        assert len(done.stdout) > 50 or "200" in done.stdout, done.stdout
    finally:
        process.terminate()
        assert process.wait(40 * SLOW) == 0

@defaults.case
def another_port_to_paste(t):
    """Who has no file is given a line that starts it with one."""
    if os.geteuid() == 0:
        own_network()
    env = dict(os.environ, HOME=t.path(""), XDG_STATE_HOME=t.path("state"),
               PATH=os.path.dirname(t.binary) + ":" + os.environ["PATH"])
    with socket.socket() as sock:
        if not refused(8080) or not refused(3128):
            raise NotRun("port 8080 or 3128 is in use here")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 8080))
        sock.listen()
        done = subprocess.run([t.binary, "run"], env=env, text=True,
                              capture_output=True, timeout=20 * SLOW)
        assert done.returncode == 1, done
        line = done.stderr.splitlines()[-1].strip()
        assert line.startswith("echo "), done.stderr
        process = subprocess.Popen(
            ["sh", "-c", line.replace("&& ", "&& exec ")], cwd=t.path(""),
            env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert eventually(lambda: not refused(3128), 20)
        finally:
            process.terminate()
            assert process.wait(40 * SLOW) == 0

@alone.case
def a_second_start_says_who_has_it(t):
    with Running(t) as first:
        for name, more in (
                ("same state", {"state": first.config["state"]}),
                ("same port", {"listen": {
                    "proxy": first.config["listen"]["proxy"]}})):
            second = Sallyport(t.binary, t.lab, t.path(name), more)
            second.write()
            code, out, err = second.run("run", "-c", second.file)
            assert code == 1, (name, code, err)
            assert str(first.process.pid) in err + out, (name, err)
            assert name != "same port" or (
                "; listen.proxy in %s takes another" % second.file) in err, err
        assert t.fetch("https://ec.lab.test/1k").status == 200

@alone.case
def the_root_stays_over_a_restart(t):
    with Running(t) as proxy:
        before = open(proxy.root).read()
        state = proxy.config["state"]
    with Running(t, {"state": state}, "again") as proxy:
        assert open(proxy.root).read() == before
        assert t.fetch("https://ec.lab.test/1k").status == 200
    for folder, _, files in os.walk(state):
        for name in files:
            path = os.path.join(folder, name)
            if b"PRIVATE KEY" in open(path, "rb").read():
                assert os.stat(path).st_mode & 0o077 == 0, path

@alone.case
def ca_show_and_import(t):
    pki = t.lab.pki
    with Running(t) as proxy:
        code, out, err = proxy.run("ca", "show", "-c", proxy.file)
        assert code == 0 and out, err
    proxy = Sallyport(t.binary, t.lab, t.path("imported"))
    proxy.write()
    code, out, err = proxy.run(
        "ca", "import", "-c", proxy.file, "--cert", pki.path("inter.crt"),
        "--key", pki.path("inter.key"), "--chain", pki.path("root.crt"))
    assert code == 0, err
    with open(pki.path("root.crt")) as f:
        root = f.read()
    proxy.start()
    t.proxy = proxy
    t.mark()
    try:
        with open(proxy.root) as f:
            assert openssl("x509", stdin=f.read().encode()) == openssl(
                "x509", stdin=root.encode())
        reply = t.fetch("https://ec.lab.test/1k")
        assert reply.status == 200
        issuer = openssl("x509", "-inform", "DER", "-noout", "-issuer",
                         stdin=reply.der).decode()
        assert "Lab inter" in issuer, issuer
        with open(pki.path("ec.crt")) as f:
            assert openssl("x509", "-inform", "DER", stdin=reply.der) != \
                openssl("x509", stdin=f.read().encode()), "not forged"
    finally:
        assert proxy.stop() == 0

def crl_url(t):
    """Where the leaf that is shown says that its CRL is."""
    der = t.fetch("https://ec.lab.test/1k").der
    text = openssl("x509", "-inform", "DER", "-noout", "-ext",
                   "crlDistributionPoints", stdin=der).decode()
    return text.partition("URI:")[2].strip()

@reload.case
def a_reload_that_brings_another_ca_says_so(t):
    pki = t.lab.pki
    t.proxy.signal(signal.SIGHUP)
    assert eventually(lambda: "reloaded" in t.proxy.stderr())
    assert "another CA" not in t.proxy.stderr()
    code, out, err = t.proxy.run(
        "ca", "import", "-c", t.proxy.file, "--cert", pki.path("inter.crt"),
        "--key", pki.path("inter.key"), "--chain", pki.path("root.crt"))
    assert code == 0 and "from now on" in out, (out, err)
    assert "another CA signs" in t.proxy.stderr()
    with open(t.proxy.root, "wb") as f:
        f.write(t.fetch("http://sallyport.internal/ca/root.pem").body)
    assert t.fetch("https://ec.lab.test/1k").status == 200

@alone.case
def the_crl_is_where_the_file_says(t):
    """Under a path too; leaves heed a reload, also under an imported CA,
    whose own certificate stays as it is."""
    pki = t.lab.pki
    running = Running(t)
    running.proxy.write()
    code, _, err = running.proxy.run(
        "ca", "import", "-c", running.proxy.file, "--cert",
        pki.path("inter.crt"), "--key", pki.path("inter.key"), "--chain",
        pki.path("root.crt"))
    assert code == 0, err
    with running as proxy:
        base = "http://127.0.0.1:%d" % proxy.port
        assert crl_url(t).startswith(base + "/crl/"), crl_url(t)
        put(t, {"issuing": {"crl-url": base + "/pki"}})
        assert eventually(
            lambda: crl_url(t).startswith(base + "/pki/crl/")), crl_url(t)
        url = crl_url(t)
        through = t.fetch(url)
        assert through.status == 200, through
        straight = t.ask(t.dial(), "GET", url[len(base):], base[7:])
        assert straight.body == through.body
        text = openssl("crl", "-inform", "DER", "-noout", "-issuer",
                       stdin=through.body)
        assert b"Lab inter" in text, text
        assert t.fetch(base + "/pkix/crl/1.crl").error == "proxy-loop"

@alone.case
def root_looks_after_a_services_folder(t):
    """As the service's user: nothing of root's is left there."""
    if os.geteuid() != 0:
        raise NotRun("needs root")
    proxy = Sallyport(t.binary, t.lab, t.path("service"))
    proxy.write()
    state = proxy.config["state"]
    os.mkdir(state, 0o700)
    os.chown(state, 65534, 65534)
    pki = t.lab.pki
    folder = state
    while (folder := os.path.dirname(folder)) != "/":
        os.chmod(folder, os.stat(folder).st_mode | 0o111)
    code, _, err = proxy.run("ca", "root", "-c", proxy.file)
    assert code == 1 and "no CA" in err, (code, err)
    secret = t.write("secret.key", open(pki.path("inter.key")).read())
    os.chmod(secret, 0o600)
    roots = {"keys.secret", "lock"}
    for command in ((
            "import", "--cert", pki.path("inter.crt"), "--key", secret,
            "--chain", pki.path("root.crt")), ("root",), ("show",)):
        code, out, err = proxy.run("ca", *command, "-c", proxy.file)
        assert code == 0 and out, (command, err)
        for name in set(os.listdir(state)) - roots:
            assert os.stat(os.path.join(state, name)).st_uid == 65534, name
    assert "Lab inter" in out, out
    assert os.stat(os.path.join(state, "keys.secret")).st_uid == 0
    proxy.start()
    try:
        assert os.stat("/proc/%d" % proxy.worker()).st_uid == 65534
        assert os.stat("/proc/%d" % proxy.keeper()).st_uid not in (0, 65534)
    finally:
        assert proxy.stop() == 0

@alone.case
def ca_import_says_what_to_trust(t):
    pki = t.lab.pki
    proxy = Sallyport(t.binary, t.lab, t.path("imported"))
    proxy.write()
    for chain in ((), ("--chain", pki.path("root.crt"))):
        code, out, err = proxy.run(
            "ca", "import", "-c", proxy.file, "--cert",
            pki.path("inter.crt"), "--key", pki.path("inter.key"), *chain)
        assert code == 0 and "from the next start" in out, (code, out, err)
        assert re.search("imported .*Lab inter", out), out
        trust = re.search("to trust .*", out).group()
        assert ("Lab inter" in trust) == (not chain), trust
        assert ("--chain, the root last" in err) == (not chain), err

@alone.case
def ca_import_refuses_what_does_not_fit(t):
    pki = t.lab.pki
    proxy = Sallyport(t.binary, t.lab, t.path("imported"))
    proxy.write()
    for cert, key in (("inter", "root"), ("ec", "ec"), ("none", "none")):
        code, out, err = proxy.run(
            "ca", "import", "-c", proxy.file, "--cert", pki.path(
                cert + ".crt"), "--key", pki.path(key + ".key"))
        assert code in (1, 2) and err, (cert, key, code)

# --- check --------------------------------------------------------------------

def check(t, text):
    path = t.write("c.yaml", text)
    done = subprocess.run([t.binary, "check", "-c", path], text=True,
                          capture_output=True, timeout=20 * SLOW)
    return done.returncode, done.stdout + done.stderr

@alone.case
def check_a_good_file(t):
    code, said = check(t, "listen: {proxy: 127.0.0.1:8080}\n")
    assert code == 0, said
    assert check(t, "")[0] == 0

@alone.case
def check_says_file_line_and_the_nearest_key(t):
    code, said = check(t, "listen:\n  proxy: 127.0.0.1:8080\n"
                          "  transparant: 127.0.0.1:8443\n")
    assert code == 2, (code, said)
    assert re.search(r"c\.yaml:3:", said), said
    assert "transparant" in said and "transparent" in said, said

@alone.case
def check_finds_all_mistakes_at_once(t):
    code, said = check(t, """limits:
  connections: many
  idle-timeout: 5 parsecs
ssl-rules:
  - {name: A, match: {categories: [nowhere]}, action: inspect}
  - {name: B, action: inpsect}
origin: {trust: [/no/such/file.pem]}
non-tls: maybe
""")
    assert code == 2, (code, said)
    for line in (2, 3, 5, 6, 7, 8):
        assert "c.yaml:%d:" % line in said, "line %d: %s" % (line, said)
    assert "inspect" in said

@alone.case
def check_wrong_yaml_and_wrong_use(t):
    code, said = check(t, "listen: [\n")
    assert code == 2 and "c.yaml:" in said, said
    for args in (("check", "-c", t.path("nothere.yaml")), ("nonsense",),
                 ("run", "--nonsense"), ("run", "-c")):
        done = subprocess.run((t.binary,) + args, capture_output=True,
                              text=True, timeout=20 * SLOW)
        assert done.returncode == 2, (args, done.returncode, done.stderr)
        assert done.stderr, args

@alone.case
def wrong_options_get_a_hint(t):
    for args, hint in ((("check", "a.yaml"), "use -c FILE"),
                       (("run", "a.yaml"), "use -c FILE"),
                       (("ca", "import", "--chian", "a"),
                        "did you mean --chain?")):
        done = subprocess.run((t.binary,) + args, capture_output=True,
                              text=True, timeout=20 * SLOW)
        assert done.returncode == 2 and hint in done.stderr, (args, done)

@alone.case
def help_and_version(t):
    done = subprocess.run([t.binary, "version"], capture_output=True,
                          text=True, timeout=20)
    assert done.returncode == 0 and "allyport" in done.stdout, done
    for args in (("--help",), ("run", "--help"), ("check", "--help"),
                 ("ca", "--help")):
        done = subprocess.run((t.binary,) + args, capture_output=True,
                              text=True, timeout=20)
        assert done.returncode == 0, (args, done.stderr)
        assert 2 < len(done.stdout.splitlines()) <= 24, (args, done.stdout)
        assert max(map(len, done.stdout.splitlines())) <= 80, args

@alone.case
def a_wrong_file_does_not_start(t):
    proxy = Sallyport(t.binary, t.lab, t.path("wrong"))
    proxy.write("listn: {}\n")
    code, out, err = proxy.run("run", "-c", proxy.file)
    assert code == 2 and "listen" in err and ":1:" in err, (code, err)

# --- SIGHUP -------------------------------------------------------------------

def rules(*hosts):
    return {"ssl-rules": [{"name": "No", "match": {"hosts": list(hosts)},
                           "action": "block"}]}

def write(t, more):
    t.proxy.write(yaml(merged(t.proxy.base(), more)).lstrip("\n") + "\n")

def put(t, more):
    """That is in force, with all workers: one that answers by it says nothing of
    the others."""
    before = t.proxy.stderr().count("reloaded")
    write(t, more)
    t.proxy.signal(signal.SIGHUP)
    assert eventually(lambda: t.proxy.stderr().count("reloaded") > before)

@reload.case
def a_good_file_is_taken_and_nothing_dropped(t):
    held = t.tls("ec.lab.test")
    tunnel = t.tunnel("ssh.lab.test")
    assert tunnel.recv(100).startswith(b"SSH")
    assert t.ask(held, "GET", "/1k", "ec.lab.test").status == 200
    put(t, rules("rsa.lab.test"))
    assert t.connect("rsa.lab.test")[1].status == 403
    assert t.ask(held, "GET", "/1k", "ec.lab.test").status == 200
    tunnel.sendall(b"still here")
    assert tunnel.recv(100) == b"still here"
    put(t, {})
    assert t.connect("rsa.lab.test")[1].status == 200

@reload.case
def a_bad_file_is_told_and_the_old_one_stays(t):
    put(t, rules("rsa.lab.test"))
    for text in ("ssl-rulez: []\n", "nonsense: [\n", "\0"):
        before = t.proxy.stderr().count("reload failed")
        t.proxy.write(text)
        t.proxy.signal(signal.SIGHUP)
        assert eventually(lambda: t.proxy.stderr().count("reload failed")
                          > before), "silence"
        assert t.connect("rsa.lab.test")[1].status == 403
        assert t.fetch("https://ec.lab.test/1k").status == 200
    put(t, {})
    assert t.connect("rsa.lab.test")[1].status == 200

@reload.case
def a_connection_that_would_be_decided_otherwise_is_closed(t):
    """At its next request, with Connection: close."""
    held = t.tls("tools.lab.test")
    assert t.ask(held, "GET", "/1k", "tools.lab.test").status == 200
    put(t, rules("tools.lab.test"))
    assert t.connect("tools.lab.test")[1].status == 403
    reply = t.ask(held, "GET", "/1k", "tools.lab.test")
    assert (reply.get("connection") or "").lower() == "close", reply.fields
    assert held.recv(1) == b""
    put(t, {})
    assert t.connect("tools.lab.test")[1].status == 200

@reload.case
def a_trust_store_that_changes_is_heeded(t):
    assert t.fetch("https://unknown.lab.test/1k").status == 502
    put(t, {"origin": {"trust": [t.lab.pki.root,
                                 t.lab.pki.path("other.crt")]}})
    assert eventually(
        lambda: t.fetch("https://unknown.lab.test/1k").status == 200)
    put(t, {})
    assert eventually(
        lambda: t.fetch("https://unknown.lab.test/1k").status == 502)

@reload.case(limit=90)
def reloads_under_traffic(t):
    stop, wrong = threading.Event(), []

    def traffic():
        while not stop.is_set():
            try:
                reply = t.fetch("https://ec.lab.test/1k")
                if reply.status != 200:
                    wrong.append(reply)
            except (OSError, ValueError) as error:
                wrong.append(error)
    threads = [threading.Thread(target=traffic) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(30):
        write(t, rules("r%d.lab.test" % number))
        t.proxy.signal(signal.SIGHUP)
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    write(t, {})
    t.proxy.signal(signal.SIGHUP)
    assert not wrong, (len(wrong), wrong[:2])

# --- SIGTERM ------------------------------------------------------------------

def steps(t, sock, tag, target=None):
    """A response under way that goes on when the gate is opened."""
    sock.sendall(http1.head("GET", target or "/steps/" + tag, ODD))
    f = http1.reader(sock)
    assert http1.read_head(f).status == 200
    pieces = http1.chunks(f, [])
    assert next(pieces) == b"step 0\n"
    return pieces

def refused(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0

@alone.case(limit=60)
def sigterm_drains(t):
    with Running(t) as proxy:
        inside = steps(t, t.tls(ODD), "drain-a")
        plain = steps(t, t.dial(), "drain-b", "http://%s/steps/drain-b" % ODD)
        idle = t.tls("ec.lab.test")
        assert t.ask(idle, "GET", "/1k", "ec.lab.test").status == 200
        proxy.signal(signal.SIGTERM)
        assert eventually(lambda: refused(proxy.port)), "still listening"
        assert idle.recv(1) == b"", "an idle connection is kept"
        for number in range(1, 5):
            for tag, pieces in (("drain-a", inside), ("drain-b", plain)):
                t.gate(tag)
                assert next(pieces) == b"step %d\n" % number
        assert proxy.alive(), "it went before the downloads ended"
        for tag, pieces in (("drain-a", inside), ("drain-b", plain)):
            t.gate(tag)
            assert next(pieces, None) is None
        assert proxy.process.wait(20 * SLOW) == 0
    assert len(proxy.log()) >= 3, "the log is whole"

@alone.case(limit=60)
def a_second_sigterm_stops_at_once(t):
    with Running(t, {"limits": {"drain-timeout": "10m"}},
                 codes=(0, 1, -signal.SIGTERM)) as proxy:
        pieces = steps(t, t.tls(ODD), "at-once")
        proxy.signal(signal.SIGTERM)
        assert eventually(lambda: refused(proxy.port))
        time.sleep(0.3)
        assert proxy.alive(), "it did not wait"
        proxy.signal(signal.SIGTERM)
        proxy.process.wait(20 * SLOW)
        t.gate("at-once")
        del pieces

@alone.case(limit=60)
def the_drain_has_an_end(t):
    with Running(t, {"limits": {"drain-timeout": "2s"}}) as proxy:
        steps(t, t.tls(ODD), "drain-end")
        proxy.signal(signal.SIGTERM)
        assert proxy.process.wait(20 * SLOW) == 0
        t.gate("drain-end")

@alone.case(limit=60)
def sigterm_with_everything_under_way(t):
    """Hellos half read, names being asked, dials, tunnels, WebSockets."""
    with Running(t, {"limits": {"drain-timeout": "2s"}}) as proxy:
        for host in ("mute.dns.test", "mute.lab.test", "ec.lab.test"):
            sock = t.tunnel(host)
            settings = t.settings(trust=False)
            tls = settings.wrap_socket(sock, server_hostname=host,
                                       do_handshake_on_connect=False)
            tls.setblocking(False)
            try:
                tls.do_handshake()
            except OSError:
                pass
            t.open.append(tls)
        t.tunnel("ssh.lab.test").recv(100)
        t.tunnel("ec.lab.test").sendall(b"\x16\x03\x01")
        t.dial().sendall(b"CONNECT half.lab.te")
        t.dial()
        proxy.signal(signal.SIGTERM)
        assert proxy.process.wait(20 * SLOW) == 0

# --- running out of things ----------------------------------------------------

@alone.case(limit=90)
def out_of_descriptors_pauses_and_says_so(t):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))
    with Running(t, {"workers": 1}, preexec_fn=limit) as proxy:
        socks, before = [], t.tls("ec.lab.test")
        assert t.ask(before, "GET", "/1k", "ec.lab.test").status == 200
        for _ in range(150):
            sock = socket.socket()
            sock.settimeout(10)
            sock.connect(("127.0.0.1", proxy.port))
            socks.append(sock)
        assert eventually(lambda: re.search(
            "descriptor|too many open files|EMFILE", proxy.stderr(), re.I)), \
            "it does not say so: " + proxy.stderr()
        assert t.ask(before, "GET", "/empty", "ec.lab.test").status == 200
        t.line(url="https://ec.lab.test/empty")
        first = proxy.stderr().count("\n")
        cpu = cpu_of(proxy)
        time.sleep(2)
        assert cpu_of(proxy) - cpu < 1.0, "it spins"
        assert proxy.stderr().count("\n") - first < 40, "it says so too often"
        for sock in socks:
            sock.close()

        def served():
            try:
                return t.fetch("https://ec.lab.test/1k").status == 200
            except (OSError, ValueError):
                return False
        assert eventually(served, 20), "not served again"

def cpu_of(proxy):
    """Seconds of processor time so far."""
    with open("/proc/%d/stat" % proxy.worker()) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

@alone.case
def idle_connections_cost_no_processor_time(t):
    with Running(t) as proxy:
        for _ in range(50):
            t.dial()
        sock = t.tls("ec.lab.test")
        assert t.ask(sock, "GET", "/1k", "ec.lab.test").status == 200
        before = cpu_of(proxy)
        time.sleep(2)
        assert cpu_of(proxy) - before < 0.5, "it spins"

@alone.case(limit=60)
def idle_connections_end(t):
    with Running(t, {"limits": {"idle-timeout": "2s"}}):
        socks = [t.tls("ec.lab.test"), t.dial(), t.tunnel("ssh.lab.test")]
        assert t.ask(socks[0], "GET", "/1k", "ec.lab.test").status == 200
        assert socks[2].recv(100).startswith(b"SSH")
        for sock in socks:
            sock.settimeout(20 * SLOW)
            try:
                assert sock.recv(100) == b""
            except ConnectionResetError:
                pass

@alone.case
def the_log_is_json_lines_and_told_soon(t):
    with Running(t) as proxy:
        for _ in range(5):
            assert t.fetch("https://ec.lab.test/1k").status == 200
        t.line(count=5, seconds=3)
        for line in proxy.log():
            assert re.match(r"\d{4}-\d\d-\d\dT", str(line["time"])), line
            assert line["kind"] in ("exchange", "tunnel", "relay", "refused")

@alone.case
def a_log_that_cannot_be_opened_is_told(t):
    proxy = Sallyport(t.binary, t.lab, t.path("nolog"), {
        "log": {"access": "/no/such/folder/access.log"}})
    proxy.write()
    code, out, err = proxy.run("run", "-c", proxy.file)
    assert code in (1, 2) and "/no/such/folder" in err, (code, err)

@alone.case
def explain_the_state_folder_that_cannot_be_made(t):
    proxy = Sallyport(t.binary, t.lab, t.path("nostate"),
                      {"state": "/proc/nope"})
    proxy.write()
    code, out, err = proxy.run("run", "-c", proxy.file)
    assert code in (1, 2) and "/proc/nope" in err, (code, err)


# --- looking at the CA --------------------------------------------------------

def contents(folder):
    """What every file of a folder holds, and when it was written."""
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    return [(path, os.stat(path).st_mtime_ns, open(path, "rb").read())
            for path in paths]

@alone.case
def looking_at_the_ca_makes_none(t):
    proxy = Sallyport(t.binary, t.lab, t.path("none"))
    proxy.write()
    state = proxy.config["state"]
    for made in (False, True):
        if made:
            os.mkdir(state, 0o700)
        for command in ("root", "show"):
            code, out, err = proxy.run("ca", command, "-c", proxy.file)
            assert code == 1 and not out, (command, code, out)
            assert "no CA in %s yet" % state in err, err
            assert "ca import" in err and "/ca/root.pem" in err, err
            assert os.path.isdir(state) == made and (
                not made or not os.listdir(state)), command

@alone.case
def looking_at_the_ca_changes_nothing(t):
    """Not even with a configuration that would have it otherwise."""
    with Running(t, name="first") as first:
        pass
    code, root, err = first.run("ca", "root", "-c", first.file)
    assert code == 0 and "BEGIN CERTIFICATE" in root, err
    state = first.config["state"]
    before = contents(state)
    other = Sallyport(t.binary, t.lab, t.path("other"), {
        "state": state, "issuing": {"crl-url": "http://other.test/x"}})
    other.write()
    for proxy in (first, other, other):
        code, out, err = proxy.run("ca", "root", "-c", proxy.file)
        assert code == 0 and out == root, err
        code, out, err = proxy.run("ca", "show", "-c", proxy.file)
        assert code == 0, err
        assert contents(state) == before, proxy.file

# --- what a reload can't do ---------------------------------------------------

@alone.case
def a_reload_names_what_needs_a_restart(t):
    with Running(t) as proxy:
        proxy.config = merged(proxy.config, {
            "origin": {"dns": "127.0.0.1:9"}, "limits": {
                "connections": 7, "leaf-cache-entries": 9}})
        proxy.write()
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: "reloaded" in proxy.stderr(), 10)
        for name in ("origin.dns", "limits.connections",
                     "limits.leaf-cache-entries"):
            assert "`%s` has changed" % name in proxy.stderr(), name
        assert proxy.stderr().count("needs a restart") == 3, proxy.stderr()

@alone.case(limit=60)
def where_it_listens_stays_over_a_reload(t):
    """No certificate, page or issuing CA is of an address that nobody has open;
    not even those of a worker that starts later."""
    with Running(t) as proxy:
        base = "http://127.0.0.1:%d/" % proxy.port
        before = crl_url(t)
        assert before.startswith(base), before
        proxy.config["listen"] = merged(proxy.config["listen"], {
            "proxy": ["127.0.0.1:9", "127.0.0.1:10"]})
        proxy.config["workers"] = 9
        proxy.write()
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: "reloaded" in proxy.stderr(), 10)
        assert "`listen.proxy` has changed; that needs a restart" in \
            proxy.stderr(), proxy.stderr()
        assert crl_url(t) == before, crl_url(t)
        pac = t.fetch("http://sallyport.internal/proxy.pac").body
        assert b":9;" not in pac and b":9\"" not in pac, pac
        assert t.fetch("https://rsa.lab.test/1k").status == 200
        os.kill(proxy.worker(), signal.SIGKILL)
        assert eventually(lambda: crl_url_or_none(t), 20)
        assert crl_url(t).startswith(base), crl_url(t)
        # of the kind that each was opened as
        for _ in range(9):
            t.tls("ec.lab.test", sock=t.dial(t.proxy.tport)).close()

def crl_url_or_none(t):
    try:
        return crl_url(t)
    except (OSError, AssertionError):
        return None

# --- an end while something is loaded ------------------------------------------

def begin(t, name):
    """One that has only just begun to start its worker."""
    proxy = Sallyport(t.binary, t.lab, t.path(name))
    proxy.write()
    proxy.process = subprocess.Popen(
        [t.binary, "run", "-c", proxy.file], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=open(proxy.errors, "ab"))
    assert eventually(lambda: has_worker(proxy), 20)
    return proxy

def has_worker(proxy):
    try:
        return proxy.worker()
    except AssertionError:
        return None

@alone.case
def an_end_before_it_is_ready_waits_for_nothing(t):
    for number in range(10):  # it may be ready before we have seen it begin
        proxy = begin(t, "young%d" % number)
        assert proxy.stop() == 0, proxy.stderr()
        if "proxy on" not in proxy.stderr():
            return
    raise AssertionError(proxy.stderr())

@alone.case(limit=90)
def an_end_does_not_wait_for_a_load(t):
    """Nor for a keeper that does not answer to it."""
    for number in 1, 2:
        with Running(t, name="own%d" % number) as proxy:
            crl_url(t)
            t.line(kind="exchange")
            keeper = proxy.keeper()
            os.kill(keeper, signal.SIGSTOP)
            assert eventually(lambda: is_stopped(keeper), 10)
            proxy.config["issuing"] = {"crl-url": "http://other.test/x"}
            proxy.write()
            proxy.signal(signal.SIGHUP)
            assert eventually(lambda: asks(proxy), 10)
            sock = t.dial() if number == 2 else None
            reply = t.fetch("https://ec.lab.test/1k")
            assert reply.status == 200, reply
            proxy.signal(signal.SIGTERM)
            if number == 2:
                assert eventually(lambda: "draining" in proxy.stderr(), 10)
                proxy.signal(signal.SIGTERM)
            assert proxy.process.wait(60) == 0
            if sock:
                sock.close()
            assert not re.search("reloaded|reload failed",
                                 proxy.stderr()), proxy.stderr()
            assert "stopped" in proxy.stderr(), proxy.stderr()
            assert len(t.lines(kind="exchange")) == 2

def is_stopped(pid):
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rpartition(")")[2].split()[0] == "T"

def asks(proxy):
    """The worker waits for its keeper: what it asked has not been read."""
    done = subprocess.run(["ss", "-xanp"], capture_output=True, text=True)
    return sum("pid=%d," % proxy.keeper() in line and
               int(line.split()[2]) > 0 for line in done.stdout.splitlines()
               ) > 1  # the supervisor has told it the new rules, too

# --- check and run are of one mind --------------------------------------------

@alone.case
def check_and_run_refuse_the_same(t):
    garbage = t.write("garbage.pem", "no certificate\n")
    for name, more, why in (
            ("trust", {"origin": {"trust": garbage}}, "origin.trust: "),
            ("folder", {"log": {"access": t.path("")}}, "is a folder"),
            ("nowhere", {"log": {"access": "/no/such/folder/a.log"}},
             "log.access: ")):
        proxy = Sallyport(t.binary, t.lab, t.path(name), more)
        proxy.write()
        for command in ("check", "run"):
            code, out, err = proxy.run(command, "-c", proxy.file)
            assert code == 2 and why in err, (name, command, code, err)
            assert re.search(r"sallyport\.yaml:\d+: ", err), (name, err)
