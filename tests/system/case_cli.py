"""The commands as a newcomer types them: odd names, wrong words, a talk with
answers that are refused."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess

from case_run import Running
from lab.api import Api, Organization
from lab.case import Group, eventually
from lab.sallyport import SLOW

cli = Group("cli", config=None)  # each case has a Sallyport of its own


class Shell:
    """Commands on a Sallyport: one that runs, or the state of one that does
    not."""

    def __init__(self, t, proxy=None):
        self.t = t
        self.proxy = proxy or Running(t).proxy
        self.proxy.write()

    def run(self, *args, stdin=""):
        return subprocess.run(
            (self.t.binary,) + args + ("-c", self.proxy.file), cwd=self.t.dir,
            input=stdin, capture_output=True, text=True, timeout=60 * SLOW)

    def out(self, *args):
        """What a command says that must go well."""
        done = self.run(*args)
        assert done.returncode == 0, (args, done)
        return done.stdout

    def refused(self, *args, code=1, **how):
        """What a command says that must not."""
        done = self.run(*args, **how)
        assert done.returncode == code, (args, done)
        return done.stderr

    def talk(self, *answers, code=0):
        """ca setup, and what it says to these answers."""
        done = self.run("ca", "setup", stdin="\n".join(answers) + "\n")
        assert done.returncode == code, done
        return done.stdout + done.stderr

    def bring(self, org, name, path_length=1, asked="1"):
        """A CA whose certificate has been uploaded; the last command."""
        self.out("ca", "create", name)
        self.out("ca", "keypair", name)
        csr = self.out("ca", "csr", name, "--cn", name, "--path-length",
                       asked)
        cert = self.t.write("cert.pem", org.sign(csr.encode(), path_length))
        return self.run("ca", "upload", name, cert)


def words(text):
    """Without what people see as blanks."""
    return " ".join(text.split())


def row(text, title):
    """What a list says behind a title."""
    found = re.search(r"^%s  +(.*)$" % re.escape(title), text, re.M)
    return found and found.group(1)


@cli.case
def tokens_of_any_name(t):
    """What is deleted is what was named, and nothing else."""
    shell = Shell(t)
    names = ["a", "a?b", "a b", "dev/ops", "50%", "a#b", "%41", "Büro", ".."]
    for name in names:
        shell.out("token", "create", name)
    while names:
        name = names.pop()
        said = shell.out("token", "delete", name)
        left = json.loads(shell.out("token", "list", "--json"))
        assert sorted(n["name"] for n in left) == sorted(names), (name, left)
    assert said == "deleted: a\n", said
    assert "too long" in shell.refused("token", "delete", "?" * 2000)


@cli.case
def tokens_are_listed_without_a_key(t):
    shell = Shell(t)
    said = shell.refused("token", "list")
    assert "there are no tokens in " in said and "CA" not in said, said
    assert not os.path.exists(shell.proxy.config["state"])
    said = shell.out("token", "create", "eye", "--read-only")
    assert row(said, "read-only") == "yes", said
    assert not row(shell.out("token", "create", "hand"), "read-only")
    assert re.search(r"eye .* yes ", shell.out("token", "list"))


@cli.case
def crls_by_name(t):
    """By id and name of the list, as everything else; 2 is the root."""
    with Running(t) as proxy:
        shell = Shell(t, proxy)
        name = json.loads(shell.out("ca", "show", "1", "--json"))["name"]
        for word in ("1", "2", name):
            shell.out("ca", "crl", word, "-o", t.path(word + ".crl"))
        files = [open(t.path(w + ".crl"), "rb").read()
                 for w in ("1", "2", name)]
        assert files[0] == files[2] != files[1]
        shell.out("ca", "create", "draft")
        said = shell.refused("ca", "crl", "a?b/c", "-o", t.path("x"))
        assert 'no CRL of "a?b/c"' in said, said
        for word in ("99", "draft"):
            said = shell.refused("ca", "crl", word, "-o", t.path("x"))
            assert "ca list" in said and "ca issuing" in said, said


@cli.case
def requests_that_are_not_there(t):
    """What to give is said, whatever it was called."""
    shell = Shell(t)
    shell.out("ca", "create", "Corp TLS")
    shell.out("ca", "keypair", "Corp TLS")
    assert "--cn NAME makes one" in shell.refused("ca", "csr", "Corp TLS")
    for typed, meant in (("--org", "--o"), ("--organization=x", "--o"),
                         ("--state", "--st"), ("--path", "--path-length")):
        done = shell.run("ca", "csr", "Corp TLS", "--cn", "x", typed, "y")
        assert "did you mean %s?" % meant in done.stderr, done
        assert done.returncode == 2, done
    shell.out("ca", "csr", "Corp TLS", "--cn", "Corp")
    assert "BEGIN CERTIFICATE REQUEST" in shell.out("ca", "csr", "Corp TLS")


@cli.case
def deleting_asks_on_a_terminal(t):
    """No key comes back; a script is not asked, nor who says --yes."""
    shell = Shell(t)

    def typed(answer, *more):
        ours, theirs = pty.openpty()
        os.write(ours, answer)
        done = subprocess.run(
            (t.binary, "ca", "delete", "draft", *more, "-c",
             shell.proxy.file), stdin=theirs, stdout=theirs,
            stderr=subprocess.STDOUT, timeout=60 * SLOW)
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError):  # EIO: the end
            while part := os.read(ours, 65536):
                said += part
        os.close(ours)
        return done.returncode, said.decode()
    shell.out("ca", "create", "draft")
    for answer in (b"\n", b"no\n"):
        code, said = typed(answer)
        assert code == 1 and "private key" in said, said
        assert "still there" in said, said
    assert typed(b"yes\n")[0] == 0
    shell.out("ca", "create", "draft")
    code, said = typed(b"", "--yes")
    assert code == 0 and "private key" not in said, said
    shell.out("ca", "create", "draft")
    shell.out("ca", "delete", "draft")


@cli.case
def what_people_read_of_a_ca(t):
    """The type of ours says so, in the table; one that is disabled needs nothing."""
    shell = Shell(t)
    shell.out("ca", "create", "draft")
    table = shell.out("ca", "list")
    assert "ZSCALER (Sallyport's own)" in table, table
    assert "ZSCALER (Sallyport's own)" in shell.out("ca", "show", "1", )
    assert json.loads(shell.out("ca", "list", "--json"))[0]["type"] == \
        "ZSCALER"
    assert row(shell.out("ca", "show", "draft"), "next")
    assert not row(shell.out("ca", "disable", "draft"), "next")
    assert not row(shell.out("ca", "show", "draft"), "next")


@cli.case(limit=60)
def issuing_cas_tell_their_ids(t):
    with Running(t) as proxy:
        shell = Shell(t, proxy)
        key = json.loads(shell.out("ca", "issuing", "--json"))[0]["keyId"]
        table = shell.out("ca", "issuing")
        assert "KEY ID" in table and key in table, table
        shell.out("ca", "crl", key, "-o", t.path("issuing.crl"))
        shell.out("ca", "revoke", "--issuing", key)
        line = [l for l in shell.out("ca", "issuing").splitlines()
                if key in l][0]
        assert re.search(r" \d\d:\d\d:\d\dZ$", line), line


@cli.case
def names_of_other_letters_keep_the_columns(t):
    shell = Shell(t)
    shell.out("ca", "create", "Économie")
    head, *lines = shell.out("ca", "list").splitlines()
    at = head.index("STATE")
    assert [l[at:].split()[0] for l in lines] == [
        "CERT_READY", "GENERAL_DONE"], (head, lines)


@cli.case
def a_request_needs_a_name(t):
    shell = Shell(t)
    shell.out("ca", "create", "CA")
    shell.out("ca", "keypair", "CA")
    for option in ("--o", "--country", "--path-length", "--digest"):
        said = shell.refused("ca", "csr", "CA", option, "X", code=2)
        assert "needs --cn" in said, said
    made = json.loads(shell.out("ca", "csr", "CA", "--cn", "CA", "--json"))
    assert made["commName"] == "CA" and "BEGIN" in made["csr"], made
    assert "BEGIN" in shell.out("ca", "csr", "CA")


@cli.case
def what_comes_next(t):
    """After each step, the next; and what the certificate is, before it is
    put to use."""
    org = Organization(t)
    shell = Shell(t)
    made = shell.out("ca", "create", "Next")
    n = row(made, "id") + " -c " + shell.proxy.file

    def shown(said, *more):
        then = words(said.partition("\nnext ")[2])
        assert said.count("\nnext ") == 1 and all(
            ("sallyport ca " + m) % n in then for m in more), (said, more)

    shown(made, "keypair %s")
    shown(shell.out("ca", "keypair", "Next"), "csr %s --cn NAME")
    assert "serial" not in shell.out("ca", "show", "Next")
    csr = shell.out("ca", "csr", "Next", "--cn", "Next")
    shown(shell.out("ca", "show", "Next"), "upload %s FILE")
    cert = t.write("cert.pem", org.sign(csr.encode()))
    shown(shell.out("ca", "upload", "Next", cert), "chain %s FILE",
          "finalize %s")
    shown(shell.out("ca", "chain", "Next", org.root_file), "finalize %s")
    shown(shell.out("ca", "finalize", "Next"), "default %s")
    said = shell.out("ca", "show", "Next")
    assert row(said, "issuer") == "CN=Example Root,O=Example Organization"
    assert row(said, "path length") == "1", said
    assert re.fullmatch("[0-9A-F]+", row(said, "serial")), said
    as_json = json.loads(shell.out("ca", "show", "Next", "--json"))
    assert not {"next", "issuer"} & set(as_json), as_json
    assert "\nnext " not in shell.out("ca", "default", "Next")
    assert "\nnext " not in shell.out("ca", "show", "Next")
    shown(shell.out("ca", "show", "1"))
    shell.out("ca", "default", "1")
    assert "\nnext " not in shell.out("ca", "disable", "Next")


@cli.case
def deleting_says_what(t):
    shell = Shell(t)
    n = row(shell.out("ca", "create", "Old"), "id")
    assert shell.out("ca", "delete", n) == "deleted: Old (%s)\n" % n
    shell.out("ca", "create", "Older")
    gone = json.loads(shell.out("ca", "delete", "Older", "--json"))
    assert gone["name"] == "Older", gone


@cli.case
def numbers_are_no_names(t):
    shell = Shell(t)
    said = shell.refused("ca", "create", "12", code=2)
    assert "taken for a number" in said, said
    said = shell.talk("12", "Twelve", code=1)
    assert "taken for a number" in said and "Twelve" in said, said


@cli.case
def a_number_that_is_a_name(t):
    """Nobody guesses which CA is meant: the API takes such names."""
    with Running(t) as proxy:
        api = Api(proxy)
        first = api.create("First")
        second = api.create(str(first))
        shell = Shell(t, proxy)
        said = shell.refused("ca", "show", str(first))
        assert '"First"' in said and str(second) in said, said
        assert row(shell.out("ca", "show", "First"), "id") == str(first)
        shell.out("ca", "delete", str(second))
        shell.out("ca", "show", str(first))


@cli.case
def wrong_use_is_told(t):
    def run(*args):
        done = subprocess.run((t.binary,) + args, capture_output=True,
                              text=True, timeout=20 * SLOW)
        return done.returncode, done.stdout + done.stderr

    cases = [
        (("help",), 0, "usage: sallyport COMMAND ... [-c FILE]"),
        (("ca", "-c", "x", "list"), 2,
         '-c goes behind the word, as in "sallyport ca list -c'),
        (("token", "--json", "list"), 2,
         '--json goes behind the word, as in "sallyport token list --json'),
        (("ca", "-c", "x"), 2, "sallyport ca WORD -c"),
        (("help", "ca", "setup"), 0, run("ca", "setup", "--help")[1]),
        (("ca", "help", "setup"), 0, run("ca", "setup", "--help")[1]),
        (("ca", "help"), 0, run("ca", "--help")[1]),
        (("help", "ca", "nonsense"), 2, 'there is no "nonsense"'),
        (("help", "ca", "lst"), 2, 'did you mean "list"?'),
        (("help", "run", "nonsense"), 2, 'there is no "nonsense"'),
        (("ca", "help", "nonsense"), 2, 'there is no "nonsense"'),
        (("help", "ca", "list", "x"), 2, 'there is no "x"'),
        (("ca", "create", "Beta", "CA"), 2, "in quotes"),
        (("ca", "upload", "Beta", "CA", "f.pem"), 2, "in quotes"),
        (("ca", "list", "x.yaml"), 2, "use -c FILE"),
        (("ca", "create", ""), 2, "needs a name"),
        (("token", "delete", ""), 2, "needs a name"),
        (("sessions", "--limit", "0"), 2, "a count from 1 to 10000"),
        (("log", "query", "--action", "foo"), 2, "no line has it"),
        (("log", "query", "--action", "blokc"), 2, "did you mean block?"),
        (("log", "query", "--kind", "x"), 2, "is exchange, tunnel, relay"),
        (("log", "query", "--reason", "block"), 2, "there is blocked-by-rule, "
         "blocked-by-url-rule"),
        (("log", "query", "--reason", "xyz"), 2, "below ACCESS LOG"),
        (("log", "query", "--action", "DROPPED", "--file", "/dev/null"), 0, ""),
        (("check", "-c", "/nope.yaml"), 2, "-c names the configuration"),
    ]
    wrong = [(args, run(*args)) for args, code, said in cases
             if run(*args)[0] != code or said not in run(*args)[1]]
    assert not wrong, (len(wrong), wrong)


def by_shell(t, redirection, *args, **env):
    """A command whose descriptors are as a shell says."""
    return subprocess.run(
        ("sh", "-c", '"$0" "$@" ' + redirection, t.binary) + args, cwd=t.dir,
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60 * SLOW, env=dict(os.environ, **env))


@cli.case
def what_is_not_written_fails(t):
    """Of whatever command: a script may have it for done."""
    with Running(t) as proxy:
        file = ("-c", proxy.file)
        for command in (("help",), ("version",), ("run", "--help"),
                        ("check",) + file, ("token", "list") + file,
                        ("token", "create", "lost") + file,
                        ("explain", "site.test", "--json") + file,
                        ("ca", "list") + file, ("ca", "show") + file,
                        ("sessions", "--json") + file, ("env", "--unset")):
            for redirection in (">/dev/full", ">&-"):
                if "create" in command and redirection == ">&-":
                    continue  # it is there by now
                done = by_shell(t, redirection, *command,
                                SALLYPORT_BEFORE="no_proxy=a;")
                assert done.returncode == 1, (command, redirection, done)
                assert "does not take it all" in done.stderr, (command, done)


@cli.case
def nothing_takes_the_place_of_what_is_closed(t):
    """What the proxy prints would go into a file, or to a client."""
    proxy = Running(t).proxy
    proxy.write()
    pid = t.path("pid")
    started = by_shell(t, "<&- >&- 2>&- & echo $! >" + pid, "run", "-c",
                       proxy.file)
    assert started.returncode == 0, started
    pid = int(open(pid).read())
    try:
        assert eventually(lambda: Shell(t, proxy).run("sessions")
                          .returncode == 0, 20)
        names = [os.readlink("/proc/%d/fd/%d" % (pid, fd)) for fd in range(3)]
        assert names == ["/dev/null"] * 3, names
    finally:
        os.kill(pid, signal.SIGTERM)
        assert eventually(lambda: not os.path.exists("/proc/%d" % pid), 20)
    done = by_shell(t, "<&-", "log", "tail", "--file", "-")
    assert done.returncode == 1 and "can't be read" in done.stderr, done


@cli.case
def a_damaged_database(t):
    """What to do is told; and it is not the missing keys.secret's fault."""
    with Running(t) as proxy:
        state = proxy.config["state"]
    with open(os.path.join(state, "sallyport.db"), "r+b") as f:
        f.write(b"damage" * 100)
    for name in "keys.secret", "sallyport.db-wal", "sallyport.db-shm":
        if os.path.exists(os.path.join(state, name)):
            os.unlink(os.path.join(state, name))
    code, _, err = proxy.run("run", "-c", proxy.file)
    assert code == 1 and "keys.secret" not in err, (code, err)
    assert "sallyport.db: not a database, or damaged: bring the" in err, err


# --- ca setup -----------------------------------------------------------------

KEYS = ("EC_P256",)
NAMES = ("", "Example Organization", "", "", "", "CZ", "1")


@cli.case(limit=60)
def setup_asks_again(t):
    """What is refused is said, and asked again with what was typed."""
    shell = Shell(t)
    said = shell.talk(
        "x" * 200, "Économie", "rsa_2k", "EC_P256",
        "", "Example Organization", "Sales", "", "", "Switzerland", "1",
        "", "", "-", "", "", "CH", "one",
        "", "", "", "", "", "", "2", code=1)
    assert "too long" in said and "Did you mean RSA_2K" in said, said
    assert said.count("Organization [Example Organization]: ") == 2, said
    assert "[Switzerland]" in said and "[CH]" in said and "[one]" in said
    assert said.count("Department [Sales]") == 1, said
    assert "--path-len 2 conomie.csr" in said, said
    assert os.path.exists(t.path("conomie.ext"))
    shown = json.loads(shell.out("ca", "csr", "Économie", "--json"))
    assert shown["pathLengthConstraint"] == 2, shown
    assert shown["country"] == "CH" and "deptName" not in shown, shown
    assert ("sallyport ca setup -c %s\n" % shell.proxy.file) in said, said


@cli.case(limit=60)
def setup_warns_before_it_is_too_late(t):
    """Of path length 0, and of a chain that is missing; and its last words are
    true of who said no."""
    org = Organization(t)
    shell = Shell(t)
    shell.talk("Late", *KEYS, *NAMES, code=1)
    with open(t.path("Late.csr"), "rb") as f:
        t.write("Late.pem", org.sign(f.read(), path_length=0))
    said = words(shell.talk("Late", "", "", "no", "", "yes", "maybe", "no"))
    assert "signed with path length 0" in said and "pathlen:1" in said, said
    assert said.count("they can't be brought any more") == 2, said
    assert said.count("give out this certificate, which is no root") == 2
    assert said.count("as the default (yes, no)") == 2, said
    end = said.rpartition("as the default")[2]
    assert "Late\" is ready" in end and "sallyport ca root" not in end, end
    assert re.search(r"sallyport ca default \d+ -c ", said), said
    assert not re.search(r"Late .*yes", shell.out("ca", "list"))
    said = words(shell.talk("Late", ""))
    assert "sallyport ca root -c " + shell.proxy.file in said, said
    done = shell.bring(org, "Command", path_length=0)
    assert "path length 0" in done.stderr, done
    done = shell.bring(org, "Right", path_length=1)
    assert "path length 0" not in done.stderr, done
    done = shell.bring(org, "Zero", path_length=0, asked="0")
    assert "path length 0" not in done.stderr, done


@cli.case(limit=90)
def setup_while_the_proxy_comes_and_goes(t):
    """It may be started anew while somebody is away with the request; once it
    is gone, nobody is asked on and on."""
    with Running(t) as proxy:
        talk = subprocess.Popen(
            [t.binary, "ca", "setup", "-c", proxy.file], cwd=t.dir,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        talk.stdin.write("Away\n")
        talk.stdin.flush()
        assert eventually(lambda: any(
            c["name"] == "Away" for c in json.loads(proxy.run(
                "ca", "list", "--json", "-c", proxy.file)[1])))
        assert proxy.stop() == 0
        proxy.start()
        talk.stdin.write("EC_P256\n" + "\n".join(NAMES) + "\n")
        talk.stdin.flush()
        assert eventually(lambda: os.path.exists(t.path("Away.ext")), 20)
        proxy.process.send_signal(signal.SIGTERM)
        assert proxy.process.wait(40 * SLOW) == 0
        cert = t.write("any.pem", "nothing\n")
        out, _ = talk.communicate((cert + "\n") * 3, timeout=60 * SLOW)
        assert talk.returncode == 1 and out.count("does not answer") == 1, out
        assert "sallyport ca setup -c " + proxy.file in out, out
        proxy.start()
