"""sallyport doctor: which tools work, told by how far each comes at the proxy.

The tools are real ones that everybody has, and scripts that go by their names.
"""

import json
import os
import shutil
import signal
import subprocess

from case_exec import bare
from case_run import Running
from lab.case import Group, NotRun, eventually
from lab.nginx import free_port

doctor = Group("doctor")
own = Group("doctor/own", config=None)  # no proxy runs


def run(t, *args, code=0, env=None):
    if t.proxy:
        args += ("--proxy", "127.0.0.1:%d" % t.proxy.port)
    done = t.run(t.binary, "doctor", *args, env=env or bare(t), timeout=120)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def rows(t, *tools, code=0, env=None):
    args = [word for tool in tools for word in ("--tool", tool)]
    said = json.loads(run(t, "--json", *args, code=code, env=env).stdout)
    return {row["tool"]: row for row in said["tools"]}, said


def posing(t, name, script):
    """The environment in which what goes by that name is a script."""
    os.makedirs(t.path("bin"), exist_ok=True)
    os.chmod(t.write("bin/" + name, "#!/bin/sh\n" + script), 0o755)
    return bare(t, PATH=t.path("bin") + ":" + os.environ["PATH"])


@doctor.case(limit=90)
def a_running_proxy_is_its_own_canary(t):
    found, _ = rows(t, "curl")
    assert found == {"curl": {"tool": "curl", "asItIs": "no trust",
                              "underExec": "works", "set": ["CURL_CA_BUNDLE"],
                              "says": found["curl"]["says"]}}, found
    assert "certificate" in found["curl"]["says"], found
    t.line(kind="exchange", host="sallyport.internal")


@doctor.case(limit=200)
def tools_that_are_here(t):
    """Each that there is fails for its certificate, or as it heeds https_proxy only
    where it is told to, and works under exec; but for node, which may be too old."""
    said = json.loads(t.run(
        t.binary, "doctor", "--json", "--proxy", "127.0.0.1:%d" % t.proxy.port,
        env=bare(t, RUSTUP_HOME=os.path.expanduser("~/.rustup")),
        timeout=190).stdout)
    wrong = [row for row in said["tools"]
             if (row["asItIs"], row["underExec"]) != (
                 "no proxy" if row["tool"] == "perl LWP" else "no trust",
                 "works")
             and not row["tool"].startswith("node")]
    assert not wrong, wrong
    known = {row["tool"] for row in said["tools"]}
    works = [row["tool"] for row in said["tools"]
             if row["underExec"] == "works"]
    for name in ("curl", "git", "wget", "npm", "java", "go"):
        assert (name in known) == bool(shutil.which(name)) or \
            name in said["absent"], (name, said)
    print("works:", ", ".join(works), "- absent:",
          ", ".join(said["absent"]))


@doctor.case(limit=60)
def the_table_says_what_to_set(t):
    out = run(t, "--tool", "curl", "--tool", "python urllib").stdout
    assert "curl             no trust         works            CURL_CA_BUNDLE\n" \
        in out, out
    assert "SSL_CERT_FILE" in out and "no trust: it refuses" in out, out


@doctor.case(limit=60)
def what_trusts_already_needs_nothing(t):
    found, _ = rows(t, "curl", env=bare(t, CURL_CA_BUNDLE=t.proxy.root))
    assert found["curl"]["asItIs"] == found["curl"]["underExec"] == "works"
    assert found["curl"]["set"] == [] and "says" not in found["curl"], found


@doctor.case(limit=120, needs=["program:java"])
def what_other_java_options_say(t):
    """Another proxy, or another trust store: exec counts over them."""
    found, _ = rows(t, "java", env=bare(
        t, JDK_JAVA_OPTIONS="-Dhttps.proxyPort=9 "
        "-Djavax.net.ssl.trustStore=/etc/hostname"))
    assert found["java"]["underExec"] == "works", found


@doctor.case(limit=60)
def a_file_that_counts_over_variables(t):
    """What is to be looked at is said, where nothing is to be set."""
    t.write(".curlrc", "cacert = %s\n" % t.lab.pki.root)
    out = run(t, "--tool", "curl", code=1, env=bare(t, HOME=t.dir)).stdout
    assert "curl             no trust         no trust" in out, out
    assert "as cacert in ~/.curlrc, go first" in out, out


@doctor.case(limit=60)
def a_terminal_that_goes_away(t):
    """Nothing that was asked goes on without it."""
    pid = t.path("pid")
    env = posing(t, "curl", "sleep 200 & echo $! >%s; wait\n" % pid)
    process = subprocess.Popen(
        [t.binary, "doctor", "--tool", "curl", "--proxy",
         "127.0.0.1:%d" % t.proxy.port], env=env, stdout=subprocess.DEVNULL)
    assert eventually(lambda: os.path.exists(pid) and open(pid).read(), 20)
    process.send_signal(signal.SIGHUP)
    assert process.wait(20) == 1
    pid = open(pid).read().strip()
    assert eventually(lambda: not os.path.exists("/proc/" + pid), 20)


@doctor.case(limit=60)
def one_in_tls_12(t):
    real = shutil.which("curl")
    env = posing(t, "curl", 'exec %s --tls-max 1.2 "$@"\n' % real)
    found, _ = rows(t, "curl", env=env)
    assert found["curl"]["asItIs"] == "no trust", found
    assert found["curl"]["underExec"] == "works", found


@doctor.case(limit=60)
def one_that_passes_the_proxy_by(t):
    env = posing(t, "curl", "echo some error: no such host >&2; exit 6\n")
    found, _ = rows(t, "curl", code=1, env=env)
    assert found["curl"]["underExec"] == "no proxy", found
    assert "no such host" in found["curl"]["says"], found
    out = run(t, "--tool", "curl", code=1, env=env).stdout
    assert "curl under exec: no proxy: some error: no such host" in out, out


@doctor.case(limit=60)
def one_that_ends_well_and_does_nothing(t):
    found, _ = rows(t, "curl", code=1, env=posing(t, "curl", "exit 0\n"))
    assert found["curl"]["underExec"] == "no proxy", found


@doctor.case(limit=60)
def nothing_goes_elsewhere(t):
    real = shutil.which("curl")
    env = posing(t, "curl", "exec %s -k -sS https://web.lab.test/1k\n" % real)
    found, _ = rows(t, "curl", code=1, env=env)
    assert found["curl"]["underExec"] == "no proxy", found
    assert not t.lines(host="web.lab.test"), t.lines()


@doctor.case(limit=60)
def what_is_not_here_is_listed(t):
    env = posing(t, "python3", "echo \"No module named 'requests'\" >&2\n"
                 "exit 1\n")
    _, said = rows(t, "python requests", env=env)
    assert said["absent"] == ["python requests"] and not said["tools"], said


@doctor.case(limit=60)
def a_shim_that_has_nothing_to_run(t):
    env = posing(t, "cargo", "echo \"error: rustup could not choose a version "
                 "of cargo to run\" >&2\nexit 1\n")
    _, said = rows(t, "cargo", env=env)
    assert said["doesNotRun"][0]["tool"] == "cargo", said
    assert not said["absent"] and not said["tools"], said
    out = run(t, "--tool", "cargo", env=env).stdout
    assert "Here, and does not run: cargo: error: rustup could not" in out, out
    assert "rustup default stable" in out and "Not here" not in out, out


@doctor.case(limit=60)
def the_end_is_to_be_copied(t):
    """What it says to go on with is about the proxy that was asked about."""
    out = run(t, "--tool", "terraform", env=posing(t, "terraform", "")).stdout
    assert "not tried, as it asks for nothing by itself: terraform" in out, out
    to = "--proxy 127.0.0.1:%d" % t.proxy.port
    assert '"sallyport env %s" sets it all in a shell; ' \
        '"sallyport trust install %s" for good.\n' % (to, to) in out, out
    said = run(t, "--tool", "curl,git", code=2).stderr
    assert "give --tool for each" in said, said
    said = run(t, "curl", code=2).stderr
    assert 'does not take curl; "sallyport doctor --help"' in said, said


@doctor.case(limit=90, needs=["program:npm", "program:git"])
def settings_that_name_another_proxy(t):
    """npm and git have variables that count over theirs; curl has none, which is
    told."""
    dead = "http://127.0.0.1:%d" % free_port()
    t.write(".npmrc", "proxy=%s\nhttps-proxy=%s\n" % (dead, dead))
    t.write(".gitconfig", "[http]\n\tproxy = %s\n" % dead)
    t.write(".curlrc", "proxy = %s\n" % dead)
    env = bare(t, HOME=t.path(""))
    found, _ = rows(t, "npm", "git", "curl", code=1, env=env)
    assert found["npm"]["underExec"] == "works", found
    assert found["git"]["underExec"] == "works", found
    assert found["curl"]["underExec"] == "no proxy", found
    out = run(t, "--tool", "curl", code=1, env=env).stdout
    assert "its own settings name, as proxy in ~/.curlrc" in out, out


@doctor.case(limit=120, needs=["program:htpasswd"])
def a_proxy_that_wants_a_user(t):
    """Its own site is for all, and so says nothing of others."""
    subprocess.run(["htpasswd", "-bBcC", "4", t.path("users"), "ann", "right"],
                   check=True, stderr=subprocess.DEVNULL)
    with Running(t, {"users": {"htpasswd": t.path("users")}}) as proxy:
        def ask(code, *args, **env):
            return t.run(t.binary, "doctor", "--proxy", "127.0.0.1:%d"
                         % proxy.port, "--tool", "curl", *args,
                         env=bare(t, **env), timeout=60), code
        for done, code in (
                ask(1), ask(1, "--user", "ann", SALLYPORT_PASSWORD="wrong"),
                ask(0, "--user", "ann", SALLYPORT_PASSWORD="right")):
            assert done.returncode == code, done
            refused = "curl             no trust         not let in: 407  " \
                "CURL_CA_BUNDLE\n" in done.stdout
            assert refused == (code == 1), done
            assert ("407: the proxy wants a user" in done.stdout) == refused
            assert ("SALLYPORT_PASSWORD" in done.stdout) == refused, done
        done, _ = ask(1, "--json")
        row = json.loads(done.stdout)["tools"][0]
        assert row["underExec"] == "not let in: 407", row
        assert "--user NAME" in row["says"], row


@doctor.case(limit=60)
def a_proxy_that_knows_users_by_certificate(t):
    """Its own site says nothing of others here, either; exec tells the same."""
    with Running(t, {"listen": {"proxy-tls": "127.0.0.1:%d" % free_port()},
                     "users": {"client-ca": t.lab.pki.path("people.crt")}}
                 ) as proxy:
        at = "127.0.0.1:%d" % proxy.port
        done = t.run(t.binary, "doctor", "--proxy", at, "--tool", "curl",
                     env=bare(t), timeout=60)
        assert done.returncode == 1, done
        assert "curl             no trust         not let in: 403  " \
            "CURL_CA_BUNDLE\n" in done.stdout, done
        assert "\n403: the proxy does not let in who comes from here" in \
            done.stdout, done
        assert "users.sources" in done.stdout, done
        done = t.run(t.binary, "exec", "--proxy", at, "--", "true",
                     env=bare(t))
        assert done.returncode == 0 and "(403)" in done.stderr, done
        assert "users.sources" in done.stderr and "listen.proxy-tls" in \
            done.stderr, done


@doctor.case(limit=60, needs=["program:perl"])
def what_perl_needs(t):
    """LWP, as most make it, heeds https_proxy only where it is told to."""
    found, said = rows(t, "perl LWP")
    if said["absent"]:
        raise NotRun("no LWP")
    assert found["perl LWP"]["asItIs"] == "no proxy", found
    assert found["perl LWP"]["underExec"] == "works", found
    assert found["perl LWP"]["set"] == ["PERL_LWP_ENV_PROXY",
                                        "PERL_LWP_SSL_CA_FILE"], found


@doctor.case(limit=60)
def a_node_that_is_too_old(t):
    """It is told, with the ways there are, and does not count; a newer one that comes
    by no proxy does."""
    for version, code in (("v20.20.2", 0), ("v24.4.1", 1), ("v24.5.0", 1)):
        env = posing(t, "node", "[ $1 = --version ] && echo %s\n" % version)
        found, _ = rows(t, "node", code=code, env=env)
        old = [name for name, row in found.items() if row.get("tooOld")]
        assert old == {"v20.20.2": ["node https", "node fetch"],
                       "v24.4.1": ["node https"], "v24.5.0": []}[version], found
        said = run(t, "--tool", "node", code=code, env=env).stdout
        assert ("this node is too old, " + version in said) == bool(old), said
        assert ("from 22.21 and 24.5 on" in said) == bool(old), said
        assert ("EnvHttpProxyAgent" in said) == bool(old), said


@doctor.case
def it_knows_its_tools(t):
    done = run(t, "--tool", "crul", code=2)
    assert '"crul"; it knows curl, wget' in done.stderr, done.stderr


@own.case(limit=90)
def starts_one_of_its_own(t):
    done = t.run(t.binary, "doctor", "--tool", "curl", "--json", "-c",
                 own_config(t), env=bare(t), timeout=90)
    assert done.returncode == 0, done.stderr
    assert "a proxy of its own" in done.stderr, done.stderr
    assert json.loads(done.stdout)["tools"][0]["underExec"] == "works"


def own_config(t):
    return t.write("own.yaml", "listen: {proxy: \"127.0.0.1:%d\", admin: []}\n"
                   "clients: local\nstate: %s\nlog: {access: none}\n"
                   % (free_port(), t.path("state")))
