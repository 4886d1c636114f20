"""sallyport env, bundle and docker: what shells, files and images get of what exec
sets (case_dress.py)."""

import itertools
import os
import re
import shutil
import ssl
import subprocess

from case_dress import URL, Stopped, dress
from case_exec import bare
from case_run import Running
from lab.case import NotRun

# --- env ----------------------------------------------------------------------

SHELLS = {
    "bash": ('eval "$(%s)"', "bash"), "dash": ('eval "$(%s)"', "bash"),
    "zsh": ('eval "$(%s)"', "zsh"), "fish": ("%s | source", "fish"),
    "pwsh": ("%s | Out-String | Invoke-Expression", "powershell"),
}
NASTY = "it's;$(touch pwned)`touch pwned`\"\\ x&|\u2019;*"


def in_shell(shell):
    def case(t):
        if not shutil.which(shell):
            raise NotRun("no " + shell)
        with Running(t) as proxy:
            how, name = SHELLS[shell]
            command = "%s env --proxy 127.0.0.1:%d --shell %s" % (
                t.binary, proxy.port, name)
            show = "env -0 >%s"
            script = "\n".join((
                show % "first", how % command, "curl -sS -o got " + URL,
                show % "then", how % command, show % "again",
                how % (command + " --unset"), show % "last"))
            java = "-Dx=\"it's $(touch pwned)\" -Dy='`a\"\\'"
            before = bare(t, JAVA_TOOL_OPTIONS=java, NO_PROXY=NASTY,
                          PIP_CERT=t.lab.pki.root, SHELL="/bin/" + shell)
            done = t.run(shell, t.write("script", script + "\n"), env=before)
            assert done.returncode == 0 and not done.stderr, done

            def variables(file):
                with open(t.path(file), errors="surrogateescape") as f:
                    rows = dict(row.split("=", 1)
                                for row in f.read().split("\0") if row)
                return {k: v for k, v in rows.items() if k not in (
                    "_", "SHLVL", "PWD", "OLDPWD")}
            assert os.path.getsize(t.path("got")) == 1024
            assert not os.path.exists(t.path("pwned"))
            then = variables("then")
            assert then["https_proxy"] == "http://127.0.0.1:%d" % proxy.port
            assert then["JAVA_TOOL_OPTIONS"].startswith(
                java + " -D"), then["JAVA_TOOL_OPTIONS"]
            assert NASTY.split(" ")[0] in then["NO_PROXY"]
            assert then["PIP_CERT"].startswith(t.dir + "/.cache/sallyport/")
            assert variables("again") == then
            assert variables("last") == variables("first")
            assert variables("first")["JAVA_TOOL_OPTIONS"] == java
    case.__name__ = "env_in_" + shell
    return dress.case(case)


for shell in SHELLS:
    in_shell(shell)


@dress.case(needs=["program:fish"])
def fish_may_eval_it(t):
    """As other shells do; it makes one line of all."""
    with Running(t) as proxy:
        env = "%s env --proxy 127.0.0.1:%d --shell fish" % (t.binary,
                                                            proxy.port)
        done = t.run("fish", "-c", "eval (%s); echo $https_proxy; eval (%s "
                     "--unset); echo $https_proxy" % (env, env), env=bare(t))
        assert done.stdout == "http://127.0.0.1:%d\n\n" % proxy.port, done


@dress.case
def env_is_for_the_shell_that_asks(t):
    """Not for the login's."""
    shells = [s for s in ("bash", "dash", "fish", "zsh") if shutil.which(s)]
    with Running(t) as proxy:
        for shell, login in itertools.product(
                shells, ("/bin/bash", "/usr/bin/fish", "/bin/csh")):
            done = t.run(shell, "-c", "%s env --proxy 127.0.0.1:%d; true"
                         % (t.binary, proxy.port), env=bare(t, SHELL=login))
            assert ("set -gx " in done.stdout) == (shell == "fish"), done
            assert ("export " in done.stdout) == (shell != "fish"), done
    done = t.run(t.binary, "env", env=bare(t, SHELL="/bin/tcsh"))
    assert done.returncode == 2 and "it knows bash" in done.stderr, done


@dress.case
def env_without_a_proxy(t):
    own = Stopped(t)
    done = own.run("env")
    assert done.returncode == 1 and not done.stdout, done
    assert "sallyport run" in done.stderr, done.stderr
    done = own.run("env", "--shell", "tcsh")
    assert done.returncode == 2 and "bash, zsh, fish" in done.stderr, done
    assert own.run("env", "--unset").stdout == ""


@dress.case
def shells_with_other_settings_share_no_files(t):
    with Running(t) as proxy:
        def bundle(**env):
            done = t.run(t.binary, "env", "--proxy", "127.0.0.1:%d"
                         % proxy.port, "--shell", "bash",
                         env=bare(t, XDG_CACHE_HOME=t.path("cache"), **env))
            return re.search(r"SSL_CERT_FILE='(.*)'", done.stdout)[1]
        one, other = bundle(), bundle(PIP_CERT=t.lab.pki.root)
        assert one != other and one.startswith(t.path("cache") + "/sallyport/")
        assert bundle() == one
        # It goes into other files by another variable.
        assert bundle(NODE_EXTRA_CA_CERTS=t.lab.pki.root) not in (one, other)
        with open(one) as f, open(other) as g:
            assert f.read().count("BEGIN") + 1 == g.read().count("BEGIN")
        assert os.stat(os.path.dirname(one)).st_mode & 0o777 == 0o755
        assert os.stat(one).st_mode & 0o777 == 0o644


# --- bundle and docker --------------------------------------------------------

@dress.case
def bundle_verifies_both(t):
    """The proxy's root is in it, and what the machine trusts."""
    with Running(t) as proxy:
        at = ("--proxy", "127.0.0.1:%d" % proxy.port)
        for command in ("bundle", "docker"):  # nothing vouches for it
            done = t.run(t.binary, command, *at, env=bare(t))
            assert done.returncode == 1 and not done.stdout, done
            assert "anybody on this machine" in done.stderr, done
        done = t.run(t.binary, "bundle", *at, "--ca", proxy.root, env=bare(t))
        assert done.returncode == 0 and not done.stderr, done
        context = ssl.create_default_context(cadata=done.stdout)
        assert len(context.get_ca_certs()) > 1 or not os.path.exists(
            "/etc/ssl/certs/ca-certificates.crt")
        with open(proxy.root) as f:
            assert f.read().split("-----")[2] in done.stdout
    own = Stopped(t)  # stopped now: the state folder has it
    again = own.run("bundle", "-o", "out.pem", "--jks", "out.jks")
    assert again.returncode == 0 and not again.stdout, again
    with open(t.path("out.pem")) as f:
        assert f.read() == done.stdout
    with open(t.path("out.jks"), "rb") as f:
        assert f.read(4) == b"\xfe\xed\xfe\xed"
    stray = own.run("bundle", "root.pem")
    assert stray.returncode == 2 and "root.pem by itself" in stray.stderr
    assert "-o FILE" in stray.stderr and "--ca FILE" in stray.stderr, stray
    only = own.run("bundle", "--ca", t.lab.pki.root, options=())
    assert only.returncode == 0, only
    assert t.run(t.binary, "bundle", "-o", "/no/such/out", "--ca",
                 proxy.root, env=bare(t)).returncode == 1


@dress.case(needs=["program:keytool"], limit=60)
def bundle_as_pkcs12(t):
    done = t.run(t.binary, "bundle", "--pkcs12", "out.p12", "--ca",
                 t.lab.pki.root, env=bare(t))
    assert done.returncode == 0, done
    listed = t.run("keytool", "-list", "-storetype", "PKCS12", "-keystore",
                   "out.p12", "-storepass", "changeit", env=bare(t))
    assert listed.stdout.count("trustedCertEntry") >= 1, listed
    assert len(re.findall("^sallyport, ", listed.stdout, re.M)) == 1, listed
    env = bare(t, PATH=t.path("nothing"))
    done = t.run(t.binary, "bundle", "--pkcs12", "out.p12", "--ca",
                 t.lab.pki.root, env=env)
    assert done.returncode == 1 and "--jks" in done.stderr, done


@dress.case
def docker_lines(t):
    """As docker would read them: the text, the variables, the commands."""
    for base in ((), ("--alpine",), ("--rhel",)):
        done = t.run(t.binary, "docker", *base, "--ca", t.lab.pki.root,
                     env=bare(t))
        assert done.returncode == 0, done
        lines = [l for l in done.stdout.splitlines() if l[:1] != "#"]
        copy = re.fullmatch(r"COPY <<'(\w+)' (/\S+)", lines[0])
        end = lines.index(copy[1])
        pem = ssl.PEM_cert_to_DER_cert("\n".join(lines[1:end]))
        with open(t.lab.pki.root) as f:
            assert pem == ssl.PEM_cert_to_DER_cert(f.read())
        rest = "\n".join(lines[end + 1:]).replace("\\\n", "")
        run, env = rest.splitlines()
        assert run.startswith("RUN ") and env.startswith("ENV "), rest
        assert not base or copy[2] in rest or "--rhel" in base
        pairs = dict(word.split("=") for word in env[4:].split())
        assert pairs["NODE_EXTRA_CA_CERTS"] == copy[2]
        assert pairs["SSL_CERT_FILE"] == pairs["PIP_CERT"] != copy[2]
        assert subprocess.run(["sh", "-n", "-c", run[4:]]).returncode == 0
    done = t.run(t.binary, "docker", "--alpine", "--rhel", env=bare(t))
    assert done.returncode == 2, done
