"""sallyport trust: programs that are told of no file trust the root once it is in
the store they read, and do not before, nor after.

This machine's own stores stay as they are: browsers' are those of a HOME of the
test's, the Java's is a copy, and the system's is one of a mount namespace.
"""

import json
import os
import shutil
import signal
import subprocess

from case_exec import bare, java
from case_tools import CHROMIUM
from lab.case import Group, NotRun, eventually
from lab.pki import openssl

trust = Group("trust")
HOST = "tools.lab.test"
PAGE = "https://%s/1k" % HOST


def sallyport(t, *args, env=None, code=0):
    done = t.run(t.binary, "trust", *args, env=env or bare(t), timeout=90)
    assert done.returncode == code, (args, done.stdout, done.stderr)
    return done


def certutil(t, *args):
    done = t.run("certutil", *args, env=bare(t))
    assert done.returncode == 0, done.stderr


def ask(t, word, *args, code=0, env=None):
    """The rows that it tells."""
    done = sallyport(t, word, "--ca", t.proxy.root, "--json", *args,
                     code=code, env=env)
    return json.loads(done.stdout)


def states(rows):
    return {os.path.basename(row["path"]): row["state"] for row in rows}


def gets(t, load):
    """Whether it gets the page; it has asked for it in any case."""
    t.mark()
    load()
    lines = eventually(lambda: [line for line in t.lines(host=HOST)
                                if line["kind"] in ("exchange", "refused")])
    assert lines, "it does not ask"
    return any(line.get("status") == 200 for line in lines)


def before_and_after(t, load, *args):
    """load does not get the page, does once trust is installed, and does not when
    that is taken back."""
    assert not gets(t, load), "it trusts without"
    ask(t, "status", *args, code=1)
    assert "added" in states(ask(t, "install", *args)).values()
    ask(t, "status", *args)
    assert gets(t, load), "it does not trust: %s" % t.lines()[-3:]
    assert "removed" in states(ask(t, "remove", *args)).values()
    ask(t, "status", *args, code=1)
    assert not gets(t, load), "it still trusts"


# --- browsers -----------------------------------------------------------------

def browse(t, *command):
    """A browser until it has asked for the page: some stay for ever before a
    certificate they refuse."""
    process = subprocess.Popen(command, env=bare(t), cwd=t.dir,
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL,
                               start_new_session=True)

    def shown():
        return any(line.get("status") == 200 for line in t.lines(host=HOST))
    try:
        eventually(lambda: t.lines(host=HOST), 90)
        eventually(shown, 10)  # Chromium begins again when its roots are read
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def chromium(t):
    browse(t, "chromium", *CHROMIUM, "--proxy-server=127.0.0.1:%d"
           % t.proxy.port, "--user-data-dir=" + t.path("chromium"), PAGE)


@trust.case(limit=240, needs=["program:chromium", "program:certutil"])
def chromium_trusts(t):
    before_and_after(t, lambda: chromium(t), "--for", "nss")


@trust.case(limit=150, needs=["program:chromium", "program:certutil"])
def chromium_finds_what_was_there_before_it(t):
    assert states(ask(t, "install", "--for", "nss")) == {"nssdb": "added"}
    assert gets(t, lambda: chromium(t)), t.lines()[-3:]


FIREFOX = """
user_pref("network.proxy.type", 1);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", %d);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", %d);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("services.settings.server", "data:,");
user_pref("app.update.enabled", false);
"""


def firefox(t):
    profile = ".mozilla/firefox/lab.default"
    os.makedirs(t.path(profile), exist_ok=True)
    t.write(profile + "/user.js", FIREFOX % (t.proxy.port, t.proxy.port))
    browse(t, "firefox-esr", "--headless", "--no-remote", "--profile",
           t.path(profile), PAGE)


@trust.case(limit=300, needs=["program:firefox-esr", "program:certutil"])
def firefox_trusts(t):
    before_and_after(t, lambda: firefox(t), "--for", "nss")


@trust.case(needs=["program:certutil"])
def databases_are_found_and_lose_it(t):
    env = bare(t)
    places = (".pki/nssdb", ".mozilla/firefox/one two", ".mozilla/firefox/3")
    for place in places:
        os.makedirs(t.path(place))
        done = t.run("certutil", "-N", "--empty-password", "-d",
                     "sql:" + t.path(place), env=env)
        assert done.returncode == 0, done.stderr
    # Somebody has done it by hand, under a name of their own: what is not named is not
    # known to be ours, what is goes by whatever name.
    done = t.run("certutil", "-A", "-t", "C,,", "-n", "our company's", "-d",
                 "sql:" + t.path(places[1]), "-i", t.proxy.root, env=env)
    assert done.returncode == 0, done.stderr
    os.makedirs(t.path(".mozilla/firefox/Crash Reports"))
    nss = ("--for", "nss")
    assert states(ask(t, "status", *nss, code=1)) == {
        "nssdb": "missing", "one two": "trusted", "3": "missing"}
    assert states(ask(t, "install", *nss)) == {
        "nssdb": "added", "one two": "trusted", "3": "added"}
    assert states(ask(t, "install", *nss)) == {
        "nssdb": "trusted", "one two": "trusted", "3": "trusted"}
    done = sallyport(t, "remove", *nss, "--json")
    assert states(json.loads(done.stdout)) == {
        "nssdb": "removed", "one two": "none", "3": "removed"}
    assert states(ask(t, "remove", *nss)) == {
        "nssdb": "absent", "one two": "removed", "3": "absent"}
    assert states(ask(t, "status", *nss, code=1)) == {
        "nssdb": "missing", "one two": "missing", "3": "missing"}


@trust.case(needs=["program:certutil"])
def remove_needs_no_root_and_takes_all(t):
    for name in ("a", "b"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                t.path(name + ".key"), "-out", t.path(name + ".pem"),
                "-subj", "/CN=" + name, "-addext",
                "basicConstraints=critical,CA:TRUE")
        sallyport(t, "install", "--for", "nss", "--ca", t.path(name + ".pem"))
    said = sallyport(t, "remove", "--for", "nss", "--ca",
                     t.path("a.pem")).stdout
    assert "removed" in said, said
    sallyport(t, "status", "--for", "nss", "--ca", t.path("a.pem"), code=1)
    sallyport(t, "status", "--for", "nss", "--ca", t.path("b.pem"))
    ask(t, "install", "--for", "nss")
    sallyport(t, "remove", "--for", "nss")
    for root in (t.path("b.pem"), t.proxy.root):
        sallyport(t, "status", "--for", "nss", "--ca", root, code=1)
    assert "none" in sallyport(t, "remove", "--for", "nss").stdout


@trust.case(needs=["program:certutil"])
def one_name_for_several_is_told_apart(t):
    """Firefox has one name for all of one subject; certutil takes that for one of
    them, and which is not known."""
    database = t.path(".pki/nssdb")
    os.makedirs(database)
    certutil(t, "-N", "--empty-password", "-d", "sql:" + database)
    roots = [t.path(name + ".pem") for name in "abc"]
    for root in roots:
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                root + ".key", "-out", root, "-subj", "/CN=one", "-addext",
                "basicConstraints=critical,CA:TRUE")
        certutil(t, "-A", "-t", "C,,", "-n", "one", "-d", "sql:" + database,
                 "-i", root)
    gone = 0
    for root in roots:
        sallyport(t, "status", "--for", "nss", "--ca", root)
        done = t.run(t.binary, "trust", "remove", "--for", "nss", "--ca", root,
                     env=bare(t))
        gone += done.returncode == 0
        assert ("removed" if done.returncode == 0 else
                "same name as another") in done.stdout + done.stderr, done
    assert gone >= 1, "none could be taken out"
    left = t.run("certutil", "-L", "-d", "sql:" + database, env=bare(t)).stdout
    assert left.count("C,,") == 3 - gone, left


@trust.case(needs=["program:certutil", "program:setsid"])
def a_database_with_a_password_says_so(t):
    """Where there is no terminal to ask for it on."""
    profile = t.path(".mozilla/firefox/own")
    os.makedirs(profile)
    certutil(t, "-N", "-f", t.write("password", "word\n"), "-d",
             "sql:" + profile)
    done = t.run("setsid", "-w", t.binary, "trust", "install", "--for", "nss",
                 "--ca", t.proxy.root, env=bare(t))
    assert done.returncode == 1, done
    assert "the primary password" in done.stderr, done.stderr


@trust.case
def without_certutil_it_says_so(t):
    env = bare(t, PATH=t.path("empty"))
    os.makedirs(t.path(".pki/nssdb"))
    done = t.run(t.binary, "trust", "install", "--for", "nss", "--ca",
                 t.proxy.root, env=env)
    if shutil.which("certutil", path="/usr/sbin:/sbin"):
        raise NotRun("certutil is an administrators' program here")
    assert done.returncode == 1 and "libnss3-tools" in done.stderr, done.stderr


@trust.case
def without_a_home_it_says_so(t):
    env = bare(t)
    del env["HOME"]
    done = sallyport(t, "status", "--for", "nss", "--ca", t.proxy.root,
                     env=env, code=1)
    assert "HOME is not set" in done.stderr, done.stderr
    env = bare(t, HOME=t.path("nowhere"))
    row = ask(t, "install", "--for", "nss", env=env, code=1)[0]
    assert "can't be made: No such file" in row["why"], row


# --- Java ---------------------------------------------------------------------

def system_java(name):
    home = os.path.dirname(os.path.dirname(os.path.realpath(
        shutil.which("java"))))
    return os.path.join(home, name)


@trust.case(limit=240, needs=["program:java", "program:javac",
                              "program:keytool"])
def java_trusts(t):
    os.makedirs(t.path("jdk/lib/security"))
    roots = t.path("jdk/lib/security/cacerts")
    shutil.copy(system_java("lib/security/cacerts"), roots)
    os.chmod(roots, 0o644)
    options = ("-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=%d "
               "-Djavax.net.ssl.trustStore=%s" % (t.proxy.port, roots))

    def load():
        t.run(*java(t), env=bare(t, JAVA_TOOL_OPTIONS=options), timeout=90)
    before_and_after(t, load, "--java", t.path("jdk"))


EVIL = """#include <stdlib.h>
__attribute__((constructor)) static void run(void)
{
	(void)!system("touch %s");
}
"""


def strange_home(t):
    """A home of nobody's, whose database names a library, and whose Java has a
    program: both say so where somebody runs them."""
    ran = t.path("ran")
    database, java_home = ".mozilla/firefox/p", ".jdks/j"
    for name in (database, java_home + "/bin", java_home + "/lib/security"):
        os.makedirs(t.path("home/" + name))
    database = t.path("home/" + database)
    certutil(t, "-N", "--empty-password", "-d", "sql:" + database)
    with open(t.path("evil.c"), "w") as f:
        f.write(EVIL % ran)
    done = t.run("cc", "-shared", "-fPIC", "-o", t.path("evil.so"),
                 t.path("evil.c"))
    assert done.returncode == 0, done.stderr
    with open(database + "/pkcs11.txt", "a") as f:
        f.write("library=%s\nname=evil\n" % t.path("evil.so"))
    java_home = t.path("home/" + java_home)
    shutil.copy(system_java("lib/security/cacerts"),
                java_home + "/lib/security/cacerts")
    with open(java_home + "/bin/keytool", "w") as f:
        f.write("#!/bin/sh\ntouch %s\n" % ran)
    os.chmod(java_home + "/bin/keytool", 0o755)
    done = t.run("chown", "-R", "nobody", t.path("home"))
    assert done.returncode == 0, done.stderr
    return bare(t, HOME=t.path("home")), java_home, ran


@trust.case(needs=["root", "program:cc", "program:certutil", "program:java"])
def another_users_home_runs_nothing(t):
    env, java_home, ran = strange_home(t)
    for word in ("status", "install", "remove"):
        done = sallyport(t, word, "--ca", t.proxy.root, "--for", "nss",
                         env=env, code=1)
        assert "another user's" in done.stderr, done.stderr
    done = t.run(t.binary, "trust", "install", "--ca", t.proxy.root, "--for",
                 "java", env=env)
    assert "another user's" in done.stderr, done.stderr
    assert ".jdks" not in done.stdout, done.stdout
    for word in ("install", "remove"):
        row = ask(t, word, "--java", java_home, env=env,
                  code=1 if word == "install" else 0)[0]
        assert row["state"] == ("failed" if word == "install" else "absent")
    assert not os.path.exists(ran)


@trust.case(needs=["program:java", "program:keytool"])
def a_keytool_that_fails_half_way_breaks_nothing(t):
    folder = t.path("jdk/lib/security")
    os.makedirs(folder)
    os.makedirs(t.path("jdk/bin"))
    store = os.path.join(folder, "cacerts")
    shutil.copy(system_java("lib/security/cacerts"), store)
    os.chmod(store, 0o640)
    ask(t, "install", "--java", t.path("jdk"))
    assert os.stat(store).st_mode & 0o777 == 0o640
    with open(store, "rb") as f:
        before = f.read()
    with open(t.path("jdk/bin/keytool"), "w") as f:
        f.write("""#!/bin/sh
case "$*" in *-list*) exec keytool "$@";; esac
while [ "$1" != -keystore ]; do shift; done
echo half >"$2"
echo 'keytool error: No space left on device'
exit 1
""")
    os.chmod(t.path("jdk/bin/keytool"), 0o755)
    row = ask(t, "remove", "--java", t.path("jdk"), code=1)[0]
    assert row["why"] == "keytool: No space left on device", row
    with open(store, "rb") as f:
        assert f.read() == before
    assert os.listdir(folder) == ["cacerts"]


@trust.case
def a_java_that_is_none(t):
    row = ask(t, "install", "--java", t.path("nope"), code=1)[0]
    assert row["state"] == "failed", row
    assert row["why"] == "No such file or directory", row
    row = ask(t, "status", "--java", t.dir, code=1)[0]
    assert "neither lib/security/cacerts nor" in row["why"], row
    done = sallyport(t, "status", "--ca", t.proxy.root, "--for", "nss",
                     "--java", t.dir, code=2)
    assert "--java is for java" in done.stderr, done.stderr


# --- the system ---------------------------------------------------------------

PRIVATE = """set -eu
mount --make-rprivate /
for at in /etc /usr/local/share /var/lib/dpkg /var/lib/ca-certificates-java; do
	[ -d "$at" ] || continue
	mount -t tmpfs -o size=256m none "%(tmp)s"
	cp -a "$at/." "%(tmp)s/" 2>/dev/null || :
	mount --move "%(tmp)s" "$at"
done
"""


def in_private(t, script):
    """A shell whose /etc and /usr/local/share are copies, and what Debian's hook
    for Java writes to."""
    os.makedirs(t.path("tmp"), exist_ok=True)
    proxy = "http://127.0.0.1:%d" % t.proxy.port
    env = bare(t, SALLYPORT=t.binary, ROOT=t.proxy.root, PAGE=PAGE,
               https_proxy=proxy)
    done = t.run("unshare", "-m", "sh", "-c", PRIVATE % {
        "tmp": t.path("tmp")} + script, env=env, timeout=120)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        raise NotRun("no mount namespace: " + done.stderr.strip()[-80:])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


TRUST = '"$SALLYPORT" trust %s --ca "$ROOT" --for %s\n'
GET = 'curl -sS -o /dev/null "$PAGE" 2>&1 && echo got || echo not\n'
HOOK = "/etc/ca-certificates/update.d/jks-keystore"


def rows_of(said):
    """store and state of each row of the tables."""
    return [tuple(line.split()[:2]) for line in said.splitlines()
            if line.startswith(("system ", "java "))]


@trust.case(limit=150, needs=["root", "program:unshare",
                              "program:update-ca-certificates"])
def debian_trusts(t):
    said = in_private(t, GET + TRUST % ("install", "system") + GET +
                      TRUST % ("install", "system") +
                      TRUST % ("status", "system") +
                      "ls /usr/local/share/ca-certificates\n" +
                      TRUST % ("remove", "system") +
                      "ls /usr/local/share/ca-certificates\n" + GET +
                      "! " + TRUST % ("status", "system"))
    assert [state for store, state in rows_of(said) if store == "system"] == [
        "added", "trusted", "trusted", "removed", "missing"], said
    assert [w for w in said.splitlines() if w in ("got", "not")] == [
        "not", "got", "not"], said
    assert said.count("sallyport-") == 1, said
    assert said.rstrip().endswith("ca-certificates.crt"), said


@trust.case(limit=240, needs=["root", "program:unshare", "program:keytool",
                              "program:update-ca-certificates"])
def debian_java_loses_what_its_hook_put_in(t):
    if not os.path.exists(HOOK):
        raise NotRun("no " + HOOK)
    both = "system,java"
    said = in_private(
        t, TRUST % ("install", both) + TRUST % ("status", both) +
        TRUST % ("remove", "system") + "! " + TRUST % ("status", both) +
        # What is called so, where none is named.
        TRUST % ("install", both) +
        '"$SALLYPORT" trust remove --for %s\n' % both +
        "! " + TRUST % ("status", both) +
        # People call it otherwise.
        'cp "$ROOT" /usr/local/share/ca-certificates/by-hand.crt\n'
        "update-ca-certificates >/dev/null 2>&1\n"
        "keytool -importcert -noprompt -cacerts -storepass changeit "
        '-alias sallyport -file "$ROOT" 2>/dev/null\n' +
        TRUST % ("remove", both) + "! " + TRUST % ("status", both) +
        "find /etc/ssl/certs -xtype l\n")
    gone = [("system", "removed"), ("java", "removed"),
            ("system", "missing"), ("java", "missing")]
    put = [("system", "added"), ("java", "trusted")]
    assert rows_of(said) == put + [("system", "trusted"), (
        "java", "trusted")] + gone + put + gone + gone, said
    assert "sallyport-" not in said and "by-hand" not in said, said


@trust.case(limit=150, needs=["root", "program:unshare", "program:keytool",
                              "program:update-ca-certificates"])
def debian_java_gets_again_what_the_system_has(t):
    if not os.path.exists(HOOK):
        raise NotRun("no " + HOOK)
    said = in_private(
        t, TRUST % ("install", "system") + TRUST % ("remove", "java") +
        TRUST % ("install", "java") + TRUST % ("status", "system,java"))
    assert rows_of(said) == [
        ("system", "added"), ("java", "removed"), ("java", "added"),
        ("system", "trusted"), ("java", "trusted")], said


@trust.case(limit=150, needs=["root", "program:unshare",
                              "program:update-ca-certificates"])
def what_is_still_there_is_not_called_absent(t):
    others = "/usr/local/share/ca-certificates/two.crt"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
            t.path("other.key"), "-out", t.path("other.pem"), "-subj",
            "/CN=other", "-addext", "basicConstraints=critical,CA:TRUE")
    said = in_private(
        t, 'cat "$ROOT" %s >%s\n' % (t.path("other.pem"), others) +
        "update-ca-certificates >/dev/null 2>&1\n"
        "! " + TRUST.rstrip() % ("remove", "system") + " 2>&1\n" +
        # Nor is what is no certificate thrown away with it.
        'cat "$ROOT" %s >%s\n' % (t.path("other.key"), others) +
        "! " + TRUST.rstrip() % ("remove", "system") + " 2>&1\n"
        "grep -c KEY %s\n" % others +
        TRUST % ("status", "system"))
    assert ("system", "failed") in rows_of(said), said
    assert ("system", "trusted") in rows_of(said), said
    assert said.count("has it among others") == 2 and "\n2\n" in said, said


@trust.case(limit=150, needs=["root", "program:unshare",
                              "program:update-ca-certificates"])
def a_removal_that_was_stopped_is_ended_by_the_next(t):
    os.makedirs(t.path("bin"))
    with open(t.path("bin/update-ca-certificates"), "w") as f:
        f.write("#!/bin/sh\necho 'No space left on device'\nexit 1\n")
    os.chmod(t.path("bin/update-ca-certificates"), 0o755)
    remove = '"$SALLYPORT" trust remove --for system\n'
    said = in_private(t, TRUST % ("install", "system") +
                      '! PATH="%s:$PATH" ' % t.path("bin") + remove +
                      TRUST % ("status", "system") + remove +
                      "! " + TRUST % ("status", "system"))
    states_ = [state for store, state in rows_of(said) if store == "system"]
    assert states_ == ["added", "failed", "trusted", "none", "missing"], said


@trust.case(limit=150, needs=["root", "program:unshare"])
def red_hat_trusts(t):
    """By its layout, and a program of the test's in place of its own."""
    os.makedirs(t.path("bin"))
    program = t.write("bin/update-ca-trust", """#!/bin/sh
cat /etc/pki/ca-trust/source/anchors/*.pem \\
	>/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem || :
""")
    os.chmod(program, 0o755)
    at = "/etc/pki/ca-trust/"
    said = in_private(t, "rm -rf /usr/local/share/ca-certificates\n"
                      "mkdir -p %ssource/anchors %sextracted/pem\n"
                      'PATH="%s:$PATH"\n' % (at, at, t.path("bin")) +
                      "! " + TRUST % ("status", "system") +
                      TRUST % ("install", "system") +
                      "grep -c BEGIN %sextracted/pem/tls-ca-bundle.pem\n" % at +
                      TRUST % ("remove", "system") +
                      'cp "$ROOT" %ssource/anchors/by-hand\n' % at +
                      "%s/update-ca-trust\n" % t.path("bin") +
                      TRUST % ("remove", "system") +
                      "! " + TRUST % ("status", "system") +
                      "ls %ssource/anchors" % at)
    assert [state for _, state in rows_of(said)] == [
        "missing", "added", "removed", "removed", "missing"], said
    assert "\n1\n" in said and "sallyport-" not in said, said
    assert "by-hand" not in said, said


@trust.case(needs=["root", "program:unshare", "program:setpriv"])
def others_are_told_to_be_root(t):
    said = in_private(t, "chmod 755 /usr/local/share/ca-certificates\n"
                      'cp "$ROOT" /tmp/r.$$.pem; chmod 644 /tmp/r.$$.pem\n'
                      'cp "$SALLYPORT" /usr/local/share/sallyport\n'
                      "setpriv --reuid 65534 --clear-groups "
                      "/usr/local/share/sallyport trust install --for system "
                      "--ca /tmp/r.$$.pem 2>&1 || echo exit $?\n"
                      "rm /tmp/r.$$.pem")
    assert "exit 1" in said and "you may not write there" in said, said
    assert "sudo sallyport trust install --for system --ca '/tmp/r." in said
    assert "..." not in said, said


# --- whom to believe ----------------------------------------------------------

@trust.case(needs=["program:certutil"])
def who_listens_is_not_believed_for_good(t):
    """exec takes the root of whoever listens on this machine, for a command."""
    proxy = "127.0.0.1:%d" % t.proxy.port
    nss = ("--for", "nss")
    done = sallyport(t, "install", *nss, "--proxy", proxy, code=1)
    assert "could be listening" in done.stderr, done.stderr
    shown = openssl("x509", "-in", t.proxy.root, "-noout", "-fingerprint",
                    "-sha256").decode()
    assert shown.split("=")[-1].strip() in done.stderr, (shown, done.stderr)
    assert not os.path.exists(t.path(".pki"))
    sallyport(t, "status", *nss, "--proxy", proxy, code=1)
    # The state folder, or who has its root, says that it is so.
    sallyport(t, "install", *nss, "-c", t.proxy.file)
    sallyport(t, "remove", *nss)
    sallyport(t, "install", *nss, "--proxy", proxy, "--ca", t.proxy.root)


# --- words --------------------------------------------------------------------

@trust.case
def what_is_no_root_is_told(t):
    with open(t.proxy.root) as f:
        root = f.read()
    openssl("x509", "-in", t.proxy.root, "-outform", "DER", "-out",
            t.path("root.der"))
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
            t.path("leaf.key"), "-out", t.path("leaf.pem"), "-subj",
            "/CN=leaf", "-addext", "basicConstraints=critical,CA:FALSE")
    with open(t.path("leaf.pem")) as f:
        t.write("two.pem", root + f.read())
    t.write("none.pem", "root\n")
    for name, words in (("root.der", "is DER: "),
                        ("leaf.pem", "that is no CA's"),
                        ("two.pem", "has 2 certificates"),
                        ("none.pem", "has no certificate")):
        for command in (("trust", "install"), ("bundle",), ("docker",)):
            done = t.run(t.binary, *command, "--ca", t.path(name),
                         env=bare(t))
            assert done.returncode == 2 and done.stdout == "", done
            assert words in done.stderr, done.stderr


@trust.case(needs=["root", "program:unshare", "program:setpriv"])
def the_line_for_root_is_whole(t):
    """However long a path is, and whatever is in it."""
    folder = "/usr/local/share/%s it's" % ("long" * 30)
    said = in_private(t, "chmod 755 /usr/local/share/ca-certificates\n"
                      'mkdir "%s" && cp "$ROOT" "%s/r.pem"\n'
                      'cp "$SALLYPORT" /usr/local/share/sallyport\n'
                      "chmod 644 /usr/local/share/*/r.pem\n"
                      "setpriv --reuid 65534 --clear-groups "
                      "/usr/local/share/sallyport trust install --for system "
                      '--ca "%s/r.pem" 2>&1 || :\n' % ((folder,) * 3))
    line = "sudo sallyport trust install --for system --ca '%s/r.pem'\n"
    assert line % folder.replace("'", "'\\''") in said, said


@trust.case
def it_knows_its_words(t):
    done = sallyport(t, "install", "--for", "firefox", code=2)
    assert "system, nss and java" in done.stderr, done.stderr
    done = sallyport(t, "instal", code=2)
    assert 'did you mean "install"' in done.stderr, done.stderr
