"""sallyport exec and env: what they do beside having tools work (case_exec.py). Each
case has a Sallyport of its own, or none."""

import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from case_exec import bare
from case_run import Running
from lab.case import Group, NotRun, eventually
from lab.netns import own_network
from lab.sallyport import SLOW

dress = Group("dress", config=None)
fresh = Group("fresh", config=None)  # nobody has port 8080
URL = "https://tools.lab.test/1k"


class Stopped:
    """A configuration that no proxy runs by."""

    def __init__(self, t, more=None, name="own"):
        self.t, self.proxy = t, Running(t, more, name).proxy
        self.proxy.write()

    def run(self, *args, env=None, options=None, **how):
        if options is None:
            options = ("-c", self.proxy.file)
        return self.t.run(self.t.binary, args[0], *options, *args[1:],
                          env=env or bare(self.t), **how)


def gone(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        return False
    except OSError:
        return True


def left_over(folder):
    return [name for name in os.listdir(folder)
            if name.startswith("sallyport-")]


def processes(*words):
    """Those whose command has all of the words."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                has = f.read().decode(errors="replace")
        except OSError:
            continue
        if all(word in has for word in words) and int(pid) != os.getpid():
            found.append(int(pid))
    return found


def scratch(t):
    os.makedirs(t.path("tmp"), exist_ok=True)
    return t.path("tmp")


# --- a proxy of its own -------------------------------------------------------

@fresh.case
def without_any_proxy(t):
    """No configuration, nothing running: all of it is made, and is gone."""
    if os.geteuid() == 0:
        own_network()
    if not gone(8080):
        raise NotRun("port 8080 is in use here")
    tmp = scratch(t)
    done = t.run(t.binary, "exec", "--", "sh", "-c", "echo $https_proxy; "
                 "curl -sS -o /dev/null -w '%{http_code}\\n' "
                 "https://sallyport.internal/; ls -ld $TMPDIR/sallyport-*",
                 env=bare(t, TMPDIR=tmp, XDG_STATE_HOME=t.path("state")))
    url, status, folder = done.stdout.splitlines()
    assert status == "200", done
    assert folder.startswith("drwxr-xr-x"), folder
    port = int(url.rsplit(":", 1)[1])
    assert done.stderr == ("sallyport exec: a proxy of its own, 127.0.0.1:%d, "
                           "ends with the command\n" % port), done.stderr
    assert gone(port)
    assert not os.listdir(tmp) and not os.path.exists(t.path("state"))


@fresh.case
def port_8080_is_somebody_elses(t):
    """A program of another kind there is no reason to fail."""
    if os.geteuid() == 0:
        own_network()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", 8080))
        except OSError as error:
            raise NotRun("port 8080 is in use here") from error
        other.listen()
        server = subprocess.Popen(
            ["sh", "-c", "exec python3 -c 'import socket, sys; "
             "s = socket.socket(fileno=%d); c = s.accept()[0]; c.recv(999); "
             "c.send(b\"HTTP/1.1 404 No\\r\\nContent-Length: 0\\r\\n\\r\\n\")'"
             % other.fileno()], pass_fds=[other.fileno()])
        try:
            done = t.run(t.binary, "exec", "--", "sh", "-c",
                         "echo $https_proxy", env=bare(t))
        finally:
            server.kill()
            server.wait()
    assert done.returncode == 0, done
    assert done.stdout != "http://127.0.0.1:8080\n", done


@fresh.case(limit=400)
def a_signal_at_any_moment(t):
    """Whatever it is at, it leaves no folder, which may have keys, and no process."""
    if os.geteuid() == 0:
        own_network()
    if not gone(8080):
        raise NotRun("port 8080 is in use here")
    tmp = scratch(t)

    def start():
        return subprocess.Popen(
            [t.binary, "exec", "sh", "-c", "exit 3", tmp],
            env=bare(t, TMPDIR=tmp), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def clean():
        return not os.listdir(tmp) and not processes(tmp)
    begun = time.monotonic()
    assert start().wait(60 * SLOW) == 3 and not os.listdir(tmp)
    assert eventually(clean, 30), processes(tmp)
    whole, steps = time.monotonic() - begun, 14
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
                   signal.SIGKILL):
        for step in range(steps):
            process = start()
            # The first ones close together: much is made at the beginning.
            time.sleep(whole * (step / steps) ** 2)
            process.send_signal(number)
            code = process.wait(60 * SLOW)
            assert code in (3, -number, 128 + number), (number, step, code)
            assert eventually(clean, 30), (number, step, os.listdir(tmp))


@dress.case
def by_a_configuration(t):
    own = Stopped(t)
    done = own.run("exec", "--", "curl", "-sS", URL)
    assert len(done.stdout) == 1024, done
    assert "127.0.0.1:%d" % own.proxy.port in done.stderr, done.stderr
    # Each worker writes its own lines, so that they may come in another order.
    assert sorted(line["host"] for line in own.proxy.log()
                  if line.get("host")) == [
        "sallyport.internal", "tools.lab.test"], \
        "what exec asks for users' sake, and what curl does"
    assert gone(own.proxy.port)


@dress.case
def a_companys_proxy_is_not_gone_through(t):
    """Which is told, without its password; once in another, too."""
    own = Stopped(t)
    run = ("exec", "--", t.binary, "exec", "-c", own.proxy.file, "--", "true")
    told = "does not go through proxy.corp.example:3128, which https_proxy names"
    done = own.run(*run, env=bare(
        t, https_proxy="http://dev:se@cret@proxy.corp.example:3128"))
    assert done.returncode == 0 and done.stderr.count(told) == 1, done
    assert "cret" not in done.stderr, done
    assert "go through" not in own.run(*run).stderr
    done = own.run("exec", "--", "true", env=bare(
        t, https_proxy="http://proxy.corp.example:3128",
        SALLYPORT_BEFORE=""))  # by an env of before, in this shell
    assert "go through http://proxy.corp.example:3128" in done.stderr, done


@dress.case
def that_cannot_start(t):
    own = Stopped(t)
    with open(own.proxy.config["state"], "w") as f:
        f.write("no folder")
    done = own.run("exec", "--", "echo", "never", env=bare(
        t, TMPDIR=scratch(t)))
    assert done.returncode == 1 and not done.stdout, done
    assert "does not start; it says:\n" in done.stderr, done.stderr
    assert own.proxy.config["state"] in done.stderr, done.stderr
    assert not left_over(t.path("tmp"))


@dress.case
def wrong_configuration(t):
    own = Stopped(t)
    own.proxy.write("listen: {prox: 1}\n")
    done = own.run("exec", "--", "echo", "never")
    assert done.returncode == 2 and not done.stdout, done
    assert "did you mean" in done.stderr, done.stderr


@dress.case
def statuses_are_a_shells(t):
    with Running(t) as proxy:
        options = ("--proxy", "127.0.0.1:%d" % proxy.port)

        def status(*command):
            return t.run(t.binary, "exec", *options, "--", *command,
                         env=bare(t)).returncode
        assert status("true") == 0
        assert status("sh", "-c", "exit 7") == 7
        assert status("sh", "-c", "kill -TERM $$") == 128 + signal.SIGTERM
        assert status("sh", "-c", "kill -KILL $$") == 128 + signal.SIGKILL
        assert status("sh", "-c", "exit 130") == 130
        assert status("sh", "-c", "kill -INT $$") == -signal.SIGINT
        assert status("/no/such/command") == 127
        assert status("no-such-command") == 127
        assert status("/etc/passwd") == 126
        assert status("/") == 126
        with open(t.write("bad", "#!/no/such/interpreter\n"), "rb") as f:
            os.fchmod(f.fileno(), 0o755)
        assert status("./bad") == 126
        # Without "--", and with options of the command's own.
        done = t.run(t.binary, "exec", *options, "sh", "-c", "echo $0", "-c",
                     env=bare(t))
        assert done.stdout == "-c\n", done
    assert t.run(t.binary, "exec", env=bare(t)).returncode == 2


class Waiting:
    """exec with a proxy of its own, whose command waits."""

    def __init__(self, t, script, stderr=subprocess.DEVNULL):
        self.own = Stopped(t)
        self.tmp = scratch(t)
        self.process = subprocess.Popen(
            [t.binary, "exec", "-c", self.own.proxy.file, "--", "sh", "-c",
             script], env=bare(t, TMPDIR=self.tmp), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=stderr, text=True)
        line = self.process.stdout.readline()
        assert line == "ready\n", line

    def ended(self):
        return eventually(lambda: gone(self.own.proxy.port), 20)


@dress.case
def signals_go_to_the_command(t):
    waiting = Waiting(t, "trap 'echo told; exit 9' TERM; echo ready; "
                      "while :; do sleep 0.1; done")
    waiting.process.send_signal(signal.SIGTERM)
    assert waiting.process.wait(30 * SLOW) == 9
    assert waiting.process.stdout.read() == "told\n"
    assert waiting.ended() and not left_over(waiting.tmp)


@dress.case
def killed_it_leaves_no_proxy(t):
    waiting = Waiting(t, "echo ready; read x; sleep 0.1")
    waiting.process.kill()
    waiting.process.wait()
    assert waiting.ended(), "the proxy is still there"


@dress.case
def its_proxy_ends_before_the_command(t):
    """Else nobody knew why nothing could be reached."""
    waiting = Waiting(t, "echo ready; read x", stderr=subprocess.PIPE)
    for pid in processes("\0run\0", waiting.own.proxy.file):
        os.kill(pid, signal.SIGKILL)
    assert eventually(  # left: exec, and the folder's keeper
        lambda: len(processes(waiting.own.proxy.file)) == 2, 20)
    waiting.process.stdin.close()
    assert waiting.process.wait(30 * SLOW) == 1
    assert "had ended before the command did; it says:\n" in \
        waiting.process.stderr.read()
    assert not left_over(waiting.tmp)


@dress.case
def what_others_left_it(t):
    """Closed descriptors, children's ends that are not told: as a daemon may."""
    own = Stopped(t)
    command = [t.binary, "exec", "-c", own.proxy.file, "--", "sh", "-c",
               "curl -sS -o got %s; exit 5" % URL]

    def starts(before):
        if os.path.exists(t.path("got")):
            os.remove(t.path("got"))
        done = t.run(sys.executable, "-c", "import os, signal\n%s\n"
                     "os.execv(%r, %r)" % (before, t.binary, command),
                     env=bare(t))
        assert done.returncode == 5, (before, done)
        assert os.path.getsize(t.path("got")) == 1024, before
    starts("signal.signal(signal.SIGCHLD, signal.SIG_IGN)")
    for closed in ("0", "1", "2", "0, 3"):
        starts("os.closerange(%s)" % (closed if "," in closed else
                                      "%s, %d" % (closed, int(closed) + 1)))


@dress.case
def ctrl_c_is_the_commands(t):
    """At a terminal it comes to the command once, and the proxy goes on."""
    own = Stopped(t)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(t.path(""))
        os.execve(t.binary, [
            "sallyport", "exec", "-c", own.proxy.file, "--", "sh", "-c",
            "trap 'n=$((n + 1))' INT; echo ready; "
            "while [ -z \"$n\" ]; do sleep 0.1; done; sleep 0.3; "
            "curl -sS -o /dev/null -w 'got %{http_code} ' " + URL +
            "; echo ints $n; exit 5"], bare(t))
    said = b""

    def read_until(text):
        nonlocal said
        end = time.monotonic() + 30 * SLOW
        while text not in said and time.monotonic() < end:
            try:
                said += os.read(terminal, 4096)
            except OSError:
                break
        assert text in said, said
    read_until(b"ready")
    os.write(terminal, b"\x03")
    read_until(b"ints 1")
    assert b"got 200 " in said, said
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 5
    assert eventually(lambda: gone(own.proxy.port), 20)


# --- which proxy, and whether it is that --------------------------------------

@dress.case
def another_root_than_the_states(t):
    """Somebody else listens at our address."""
    with Running(t) as proxy:
        other = Stopped(t, {"listen": {
            "proxy": "127.0.0.1:%d" % proxy.port}}, name="other")
        with_ca = ("--ca", proxy.root)
        # Nothing is in the other's state folder yet: that says nothing.
        done = other.run("exec", "--", "true")
        assert done.returncode == 0, done
        os.makedirs(other.proxy.config["state"], 0o700)
        shutil.copy(t.lab.pki.root, other.proxy.config["state"] + "/root.pem")
        done = other.run("exec", "--", "true")
        assert done.returncode == 1, done
        assert "shows another root certificate" in done.stderr, done.stderr
        assert "--ca FILE" in done.stderr, done.stderr
        assert other.run("exec", *with_ca, "--", "true").returncode == 0
        done = other.run("exec", "--ca", t.lab.pki.root, "--", "true")
        assert done.returncode == 1, done
        assert done.stderr.count(":") > 60, done.stderr  # two fingerprints


@dress.case
def what_is_no_sallyport(t):
    def asked(*options):
        done = t.run(t.binary, "exec", *options, "--", "true", env=bare(t))
        return done.returncode, done.stderr
    web = "127.0.0.1:%d" % t.lab.port["web"]
    code, said = asked("--proxy", web)
    assert code == 1 and "is no Sallyport" in said, said
    code, said = asked("--proxy", "127.0.0.1:1")
    assert code == 1 and "nobody listens there" in said, said
    code, said = asked("--proxy", "no-port.example")
    assert code == 2 and "as proxy.example:8080" in said, said
    code, said = asked("--proxy", "a b:1")
    assert code == 2, said


@dress.case
def another_machine_needs_its_root(t):
    if os.geteuid() != 0:
        raise NotRun("not root")
    other = subprocess.run(["hostname", "-I"], capture_output=True,
                           text=True).stdout.split()
    other = [a for a in other if re.fullmatch(r"[\d.]+", a)]
    if not other:
        raise NotRun("this machine has no other address")
    with Running(t) as proxy:
        proxy.config["listen"]["proxy"] = ["127.0.0.1:%d" % proxy.port,
                                           "%s:%d" % (other[0], proxy.port)]
        proxy.stop()
        proxy.start()
        at = "%s:%d" % (other[0], proxy.port)
        done = t.run(t.binary, "exec", "--proxy", at, "--", "true",
                     env=bare(t))
        assert done.returncode == 1, done
        assert "is another machine" in done.stderr, done.stderr
        shown = re.search(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", done.stderr)
        is_ = subprocess.run(["openssl", "x509", "-noout", "-fingerprint",
                              "-sha256", "-in", proxy.root], text=True,
                             capture_output=True).stdout
        assert shown and shown[0] in is_, (done.stderr, is_)
        done = t.run(t.binary, "exec", "--proxy", at, "--ca", proxy.root,
                     "--", "curl", "-sS", URL, env=bare(t))
        assert len(done.stdout) == 1024, done


@dress.case(needs=["program:htpasswd"])
def users(t):
    """The password goes into the URL whatever is in it, and what was there stays."""
    password = "p@ss:w/rd %41 'x"
    subprocess.run(["htpasswd", "-bBcC", "4", t.path("users"), "dev one",
                    password], check=True, stderr=subprocess.DEVNULL)
    with Running(t, {"users": {"htpasswd": t.path("users")}}) as proxy:
        at = "127.0.0.1:%d" % proxy.port

        def get(*options, **env):
            done = t.run(t.binary, "exec", "--proxy", at, *options, "--",
                         "curl", "-sS", URL, env=bare(t, **env))
            return len(done.stdout) == 1024
        assert not get()
        assert get("--user", "dev one", SALLYPORT_PASSWORD=password)
        assert not get("--user", "dev one", SALLYPORT_PASSWORD="other")
        quoted = "dev%20one:p%40ss%3Aw%2Frd%20%2541%20%27x"
        assert get(https_proxy="http://%s@%s" % (quoted, at))
        assert get(https_proxy="%s@%s" % (quoted, at)), "as curl takes it"
        assert get(HTTP_PROXY="http://%s@%s/" % (quoted, at))
        plain = quoted.replace("%40", "@")
        assert get(https_proxy="http://%s@%s" % (plain, at)), "as Python does"
        done = t.run(t.binary, "exec", "--proxy", at, "--", "printenv",
                     "https_proxy", env=bare(
                         t, https_proxy="http://%s@%s" % (plain, at)))
        assert done.stdout == "http://%s@%s\n" % (quoted, at), \
            "which curl and git take, too"
        assert not get(HTTP_PROXY="http://%s@127.0.0.1:1/" % quoted)
        done = t.run(t.binary, "exec", "--proxy", at, "--user", "dev one",
                     "--", "curl", "-sS", URL, env=bare(t),
                     stdin=password + "\n")
        assert len(done.stdout) == 1024, done


@dress.case(needs=["program:htpasswd"])
def a_user_is_asked_for(t):
    """What tools say of 407 tells nobody what to do."""
    subprocess.run(["htpasswd", "-bBcC", "4", t.path("users"), "dev one",
                    "p@ss:w"], check=True, stderr=subprocess.DEVNULL)
    with Running(t, {"users": {"htpasswd": t.path("users")}}) as proxy:
        at = "127.0.0.1:%d" % proxy.port

        def said(command, *options, **env):
            done = t.run(t.binary, command, "--proxy", at, *options,
                         *(["--", "true"] if command == "exec" else []),
                         env=bare(t, **env))
            assert done.returncode == 0, done
            return done.stderr
        for command in ("exec", "env"):
            assert "asks for a user: --user NAME" in said(command)
            told = said(command, "--user", "dev one",
                        SALLYPORT_PASSWORD="guessed")
            assert "password of the user dev one" in told, told
            assert "guessed" not in told, told
            assert said(command, "--user", "dev one",
                        SALLYPORT_PASSWORD="p@ss:w") == ""

        def asked():
            return sorted((line["status"], line.get("user", ""))
                          for line in proxy.log() if line.get("url")
                          == "http://sallyport.internal/check")
        assert eventually(lambda: len(asked()) == 6, 20), asked()
        assert asked() == [(200, "dev one")] * 2 + [(407, "")] * 4, asked()
        assert "127.0.0.1" not in [line.get("host") for line in proxy.log()]


@dress.case
def what_is_no_command(t):
    """What was meant is told: it is the same two mistakes always."""
    with Running(t) as proxy:
        for word, hint in (("npm ci", "not in quotes together"),
                           ("A=1", '"env NAME=VALUE COMMAND"')):
            done = t.run(t.binary, "exec", "--proxy", "127.0.0.1:%d"
                         % proxy.port, "--", word, env=bare(t))
            assert done.returncode == 127 and hint in done.stderr, done


@dress.case
def what_java_does_not_do(t):
    """It takes no user from a variable, and its 407 names no way."""
    os.makedirs(t.path("bin"))
    os.chmod(t.write("bin/mvn", "#!/bin/sh\n"), 0o755)
    with Running(t) as proxy:
        def said(*user):
            return t.run(t.binary, "exec", "--proxy",
                         "127.0.0.1:%d" % proxy.port, *user, "--",
                         t.path("bin/mvn"),
                         env=bare(t, SALLYPORT_PASSWORD="s")).stderr
        assert "no property of Java's says who asks" in said("--user", "dev1")
        assert said() == ""


@dress.case
def what_node_does_not_do(t):
    """Told where the command is a node that is too old; npm sees to it itself, and so
    does who has global-agent."""
    os.makedirs(t.path("bin"))
    for name in ("node", "npm"):
        with open(t.write("bin/" + name, "#!/bin/sh\necho v20.20.2\n"),
                  "rb") as f:
            os.fchmod(f.fileno(), 0o755)
    with Running(t) as proxy:
        def warned(*command, **env):
            done = t.run(t.binary, "exec", "--proxy", "127.0.0.1:%d"
                         % proxy.port, "--", *command, env=bare(
                             t, PATH=t.path("bin") + ":/usr/bin:/bin", **env))
            assert done.returncode == 0, done
            if not done.stderr:
                return False
            assert "this node is v20.20.2: fetch() and https.request() of " \
                "node use the proxy from 22.21 and 24.5 on" in done.stderr
            assert "global-agent" in done.stderr, done.stderr
            assert "EnvHttpProxyAgent" in done.stderr, done.stderr
            return True
        assert warned("node", "a.js") and warned(t.path("bin/node"), "a.js")
        assert not warned("npm", "ci")
        assert not warned("node", "-r", "global-agent/bootstrap", "a.js")
        assert not warned("node", "a.js",
                          NODE_OPTIONS="-r global-agent/bootstrap")


@dress.case
def what_takes_the_variables_away(t):
    """sudo does, unless it is told."""
    os.makedirs(t.path("bin"))
    with open(t.write("bin/sudo", "#!/bin/sh\n"), "rb") as f:
        os.fchmod(f.fileno(), 0o755)
    with Running(t) as proxy:
        def warned(*command):
            done = t.run(t.binary, "exec", "--proxy", "127.0.0.1:%d"
                         % proxy.port, "--", *command, env=bare(
                             t, PATH=t.path("bin") + ":/usr/bin:/bin"))
            assert done.returncode == 0, done
            return "takes the variables away" in done.stderr
        assert warned("sudo", "apt", "update")
        assert not warned("sudo", "-E", "apt", "update")
        assert not warned("sh", "-c", "true")


@dress.case
def odd_places(t):
    """What has a meaning in files and options is none in a path."""
    tmp = t.path("it's \"so\" $(touch pwned) \\")
    os.makedirs(tmp)
    with Running(t) as proxy:
        at = ("--proxy", "127.0.0.1:%d" % proxy.port)
        script = ("curl -sS -o curl %s && wget -q -O wget %s && "
                  "env | grep ^JAVA_TOOL_OPTIONS=" % (URL, URL))
        done = t.run(t.binary, "exec", *at, "--", "sh", "-c", script,
                     env=bare(t, TMPDIR=tmp))
        assert done.returncode == 0, done
        assert os.path.getsize(t.path("curl")) == 1024
        assert os.path.getsize(t.path("wget")) == 1024
        assert "apt is left out" in done.stderr, done.stderr
        # As a Java takes quotes away; a backslash has no meaning.
        java = re.sub(r"\"([^\"]*)\"|'([^']*)'", r"\1\2", done.stdout)
        assert "trustStore=" + tmp + "/sallyport-" in java, java
        assert not os.listdir(tmp) and not os.path.exists(t.path("pwned"))
        done = t.run(t.binary, "env", *at, "--shell", "bash", env=bare(
            t, HOME="/proc/no"))
        assert done.returncode == 1 and not done.stdout, done
        assert "set HOME or XDG_CACHE_HOME" in done.stderr, done


@dress.case(needs=["root"])
def its_files_are_not_ours(t):
    """Who uses a proxy need not be able to write its log, or read its users."""
    other = ("setpriv", "--reuid", "12345", "--regid", "12345",
             "--clear-groups", t.binary)
    with Running(t) as proxy, tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "sallyport.yaml")
        for name, mode in (("access.log", 0o600), ("users", 0o600),
                           ("sallyport.yaml", 0o644)):
            with open(os.path.join(folder, name), "w") as f:
                if mode == 0o644:
                    f.write("listen: {proxy: 127.0.0.1:%d}\nlog: {access: "
                            "access.log}\nusers: {htpasswd: users}\n"
                            % proxy.port)
            os.chmod(f.name, mode)
        env = bare(t, HOME=folder)
        done = t.run(*other, "exec", "-c", path, "--", "echo", "done", env=env)
        assert done.returncode == 0 and done.stdout == "done\n", done
        done = t.run(*other, "check", "-c", path, env=env)
        assert done.returncode == 2, done
        assert "users can't be read by this user" in done.stderr, done
        assert "can't be written to: Permission denied" in done.stderr, done


ANSWERS = """
import os, socket, sys
with open(sys.argv[1], "rb") as f:
    pem = f.read()
os.setgid(12345)
os.setuid(12345)
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    c = s.accept()[0]
    c.recv(4096)
    c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(pem)
              + pem)
    c.close()
"""


@dress.case(needs=["root"])
def another_user_listens(t):
    """Anybody can have a port: no command is run, no password is asked for."""
    other = subprocess.Popen([sys.executable, "-c", ANSWERS, t.lab.pki.root],
                             stdout=subprocess.PIPE, text=True)
    try:
        at = "127.0.0.1:%s" % other.stdout.readline().strip()
        for command in (("exec", "--proxy", at, "--user", "x", "--", "env"),
                        ("env", "--proxy", at)):
            done = t.run(t.binary, *command, env=bare(t))
            assert done.returncode == 1 and not done.stdout, done
            assert "uid 12345 listens at" in done.stderr, done
            assert "--ca FILE" in done.stderr, done
        done = t.run(t.binary, "exec", "--proxy", at, "--ca", t.lab.pki.root,
                     "--", "true", env=bare(t))
        assert done.returncode == 0, done
    finally:
        other.kill()
        other.wait()


# --- what was set before ------------------------------------------------------

@dress.case
def a_bundle_set_before_is_kept(t):
    """A site past the proxy, whose CA only that bundle has."""
    with Running(t) as proxy:
        direct = ("--noproxy", "*", "--resolve", "tools.lab.test:%d:127.0.0.1"
                  % t.lab.port["tools"], "https://tools.lab.test:%d/1k"
                  % t.lab.port["tools"])

        def lengths(**env):
            return [len(t.run(t.binary, "exec", "--proxy", "127.0.0.1:%d"
                              % proxy.port, "--", "curl", "-sS", *what,
                              env=bare(t, **env)).stdout)
                    for what in (direct, (URL,))]
        assert lengths() == [0, 1024]
        assert lengths(CURL_CA_BUNDLE=t.lab.pki.root) == [1024, 1024]
        assert lengths(NODE_EXTRA_CA_CERTS=t.lab.pki.root) == [1024, 1024]
        done = t.run(t.binary, "exec", "--proxy", "127.0.0.1:%d" % proxy.port,
                     "--", "true", env=bare(t, PIP_CERT="/no/such.pem"))
        assert done.returncode == 0, done
        assert "PIP_CERT names certificates that are left out: /no/such.pem: " \
            "No such file" in done.stderr, done.stderr


@dress.case
def one_within_another(t):
    """Doing it twice is doing it once, but for the files' names."""
    with Running(t) as proxy:
        run = (t.binary, "exec", "--proxy", "127.0.0.1:%d" % proxy.port, "--")
        env = bare(t, JAVA_TOOL_OPTIONS="-Xmx99m", no_proxy=".corp.example")
        once = t.run(*run, "env", env=env).stdout
        twice = t.run(*run, *run, "env", env=env).stdout

        def same(text):
            return sorted(re.sub(r"sallyport-\w{6}", "X", line)
                          for line in text.splitlines()
                          if not line.startswith("_="))
        assert same(once) == same(twice), (once, twice)
        assert "no_proxy=localhost,127.0.0.1,::1,.corp.example\n" in once
        assert once.count("-Xmx99m -D") == 1


@dress.case(needs=["root", "program:runuser"])
def others_may_read_the_bundle(t):
    """As apt's user must."""
    with Running(t) as proxy:
        done = t.run(t.binary, "exec", "--proxy", "127.0.0.1:%d" % proxy.port,
                     "--", "sh", "-c", "runuser -u nobody -- cat "
                     "\"$SSL_CERT_FILE\" \"$APT_CONFIG\" >/dev/null",
                     env=bare(t))
        assert done.returncode == 0, done
