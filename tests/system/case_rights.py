"""Started by root: what the user who carries connections can't bring about,
even where somebody has taken its process over."""

import os
import shutil
import signal
import subprocess
import time

from lab.api import Organization
from lab.case import Group, NotRun, eventually
from lab.sallyport import SLOW, Sallyport
from case_run import Running

rights = Group("rights", config=None)
SOMEBODY = 60700  # of the range that nobody has


def need_root():
    if os.geteuid() != 0:
        raise NotRun("needs root")


def as_user(uid, *command):
    """A command as somebody else: its code, and what it says."""
    done = subprocess.run(
        ["setpriv", "--reuid", str(uid), "--regid", str(uid),
         "--clear-groups", *command], capture_output=True, text=True,
        timeout=20 * SLOW)
    return done.returncode, done.stdout + done.stderr


def open_way(folder):
    """Let everybody walk to folder."""
    while (folder := os.path.dirname(folder)) != "/":
        os.chmod(folder, os.stat(folder).st_mode | 0o111)


@rights.case
def the_secret_stays_out_of_the_workers_hands(t):
    need_root()
    with Running(t) as proxy:
        worker = os.stat("/proc/%d" % proxy.worker()).st_uid
        state = proxy.config["state"]
    secret = open(os.path.join(state, "keys.secret")).read().strip()
    open_way(state)
    info = os.stat(state)
    assert (info.st_uid, info.st_mode & 0o7777) == (0, 0o1770), info
    for command in (("mv", "keys.secret", "x"), ("rm", "-f", "keys.secret"),
                    ("mv", "-T", "root.pem", "keys.secret"),
                    ("rm", "-f", "lock"), ("cat", "keys.secret"),
                    ("chmod", "777", ".")):
        code, out = as_user(worker, "sh", "-c", 'cd "$0" && exec "$@"', state,
                            *command)
        assert code != 0 and secret not in out, (command, out)
    code, out = as_user(worker, "sh", "-c",
                        'cd "$0" && rm sallyport.db admin-token', state)
    assert code == 0, out
    proxy.start()  # a new CA, under the secret that there was
    try:
        for name in set(os.listdir(state)) - {"control.sock"}:
            path = os.path.join(state, name)
            if os.stat(path).st_uid == worker:
                assert secret.encode() not in open(path, "rb").read(), name
        assert open(os.path.join(state, "keys.secret")).read().strip() == secret
    finally:
        assert proxy.stop() == 0


@rights.case
def a_link_for_a_lock_is_not_followed(t):
    """In a folder of somebody's own, where there is no keeping them from it."""
    need_root()
    victim = t.write("victim", "precious")
    proxy = Sallyport(t.binary, t.lab, t.path("theirs"))
    proxy.write()
    state = proxy.config["state"]
    lock = os.path.join(state, "lock")
    for make in (os.symlink, os.link):
        shutil.rmtree(state, ignore_errors=True)
        os.mkdir(state, 0o700)
        os.chown(state, SOMEBODY, SOMEBODY)
        make(victim, lock)
        for command in (("run",), ("ca", "create", "X")):
            code, _, err = proxy.run(*command, "-c", proxy.file)
            assert code == 1 and "lock: is no file of its own" in err, err
        assert open(victim).read() == "precious"


@rights.case
def a_link_for_a_log_is_not_followed(t):
    need_root()
    victim = t.write("victim", "precious")
    os.chmod(victim, 0o600)
    folder = t.path("logs")
    os.mkdir(folder, 0o755)
    log = os.path.join(folder, "access.log")
    with Running(t, {"log": {"access": log}}) as proxy:
        open_way(log)
        worker = os.stat("/proc/%d" % proxy.worker()).st_uid
        os.chown(folder, worker, worker)  # as some packages have it
        os.unlink(log)
        os.symlink(victim, log)
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: "Permission denied" in proxy.stderr(), 10)
        t.fetch("https://ec.lab.test/1k")
        os.unlink(log)
        os.mkfifo(log)  # nor does anybody wait for a reader
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: proxy.stderr().count("access.log: ") >= 2, 10)
        os.unlink(log)
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: os.path.exists(log), 10)
        assert os.stat(log).st_uid == worker
    assert open(victim).read() == "precious"


def other_worker(proxy, old):
    try:
        return proxy.worker() != old
    except AssertionError:
        return False


def other_keeper(proxy, old):
    try:
        return proxy.keeper() != old
    except AssertionError:
        return False


@rights.case(limit=90)
def a_worker_that_does_not_listen_holds_nobody_up(t):
    with Running(t) as proxy:
        worker = proxy.worker()
        os.kill(worker, signal.SIGSTOP)
        for _ in range(150):  # more than a socket holds
            proxy.signal(signal.SIGHUP)
            time.sleep(0.02)
        keeper = proxy.keeper()
        os.kill(keeper, signal.SIGKILL)
        assert eventually(lambda: other_keeper(proxy, keeper), 10)
        assert proxy.worker() == worker
        # half a minute is for the reload that others wait for
        assert eventually(lambda: other_worker(proxy, worker), 45)
        assert "the worker does not do what it is told" in proxy.stderr()
        assert eventually(lambda: t.fetch("https://ec.lab.test/1k").status == 200, 30)


@rights.case
def root_that_can_become_nobody_stays_root(t):
    """A container of one user."""
    need_root()
    proxy = Sallyport(t.binary, t.lab, t.path("one"))
    within = ["unshare", "--user", "--map-root-user", "--", proxy.binary]
    if subprocess.run(within + ["version"], capture_output=True).returncode:
        raise NotRun("no user namespaces here")
    proxy.write()
    script = t.write("one.sh", "#!/bin/sh\nexec %s \"$@\"\n" %
                     " ".join(within))
    os.chmod(script, 0o755)
    proxy.binary = script
    with Running(t) as other:  # its binary can be asked as it is
        proxy.start()
        try:
            for pid in proxy.worker(), proxy.keeper():
                with open("/proc/%d/status" % pid) as f:
                    status = f.read()
                assert "CapPrm:\t0000000000000000" in status, status
            assert "without its capabilities" in proxy.stderr()
            assert other.alive()
        finally:
            assert proxy.stop() == 0


@rights.case(limit=60)
def roots_commands_leave_the_folder_to_the_worker(t):
    """By root, beside a proxy that root has started, and in a user's folder."""
    need_root()
    org = Organization(t)
    with Running(t) as proxy:
        worker = os.stat("/proc/%d" % proxy.worker()).st_uid
        state = proxy.config["state"]
        code, out, err = proxy.run("ca", "import", "--cert", org.root_file,
                                   "--key", org.key_file, "-c", proxy.file)
        assert code == 0, err
        code, out, err = proxy.run("ca", "default", "1", "-c", proxy.file)
        assert code == 0, err
        proxy.signal(signal.SIGHUP)
        assert eventually(lambda: "reloaded" in proxy.stderr())
        assert proxy.stop() == 0
        code, out, err = proxy.run("ca", "create", "X", "-c", proxy.file)
        assert code == 0, err
        for name in os.listdir(state):
            owner = os.stat(os.path.join(state, name)).st_uid
            own = name in ("keys.secret", "lock")
            assert owner == (0 if own else worker), (name, owner)
        proxy.start()
    proxy = Sallyport(t.binary, t.lab, t.path("theirs"))
    proxy.write()
    state = proxy.config["state"]
    open_way(state)
    os.mkdir(state, 0o700)
    os.chown(state, SOMEBODY, SOMEBODY)
    for command in (("ca", "create", "X"), ("ca", "keypair", "X"),
                    ("ca", "default", "1")):
        code, out, err = proxy.run(*command, "-c", proxy.file)
        assert code == 0, (command, err)
    for name in os.listdir(state):
        owner = os.stat(os.path.join(state, name)).st_uid
        own = name in ("keys.secret", "lock")
        assert owner == (0 if own else SOMEBODY), (name, owner)
    # one that is somebody's own is as good, for who only looks after it
    os.chown(os.path.join(state, "keys.secret"), SOMEBODY, SOMEBODY)
    code, out, err = proxy.run("ca", "default", "1", "-c", proxy.file)
    assert code == 0, err


@rights.case(limit=60)
def the_default_folder_is_roots(t):
    """Not that of whom the worker has become."""
    need_root()
    proxy = Sallyport(t.binary, t.lab, t.path("default"))
    proxy.config.pop("state")
    proxy.write()
    folder = t.path("lib")
    os.mkdir(folder)
    script = t.write("default.sh", "#!/bin/sh\nunset XDG_STATE_HOME\n"
                     "mount --bind %s /var/lib && exec %s \"$@\"\n"
                     % (folder, proxy.binary))
    os.chmod(script, 0o755)
    open_way(folder)
    proxy.binary = t.write("within.sh", "#!/bin/sh\nexec unshare --mount %s "
                           "\"$@\"\n" % script)
    os.chmod(proxy.binary, 0o755)
    if proxy.run("version")[0]:
        raise NotRun("no mount namespaces here")
    shown = os.path.join(folder, "sallyport", "root.pem")
    proxy.fetch_root = lambda: None
    proxy.start()
    try:
        assert eventually(lambda: "try: curl" in proxy.stderr())
        said = proxy.stderr()
        assert "--cacert /var/lib/sallyport/root.pem" in said, said
        assert "token in /var/lib/sallyport/admin-token" in said, said
        assert os.path.exists(shown)
    finally:
        assert proxy.stop() == 0


@rights.case(limit=60)
def a_link_for_the_database_is_not_followed(t):
    """By root's commands, beside a proxy and without one."""
    need_root()
    victim = t.write("victim", "precious")
    os.chmod(victim, 0o644)
    with Running(t) as proxy:
        worker = os.stat("/proc/%d" % proxy.worker()).st_uid
        state = proxy.config["state"]
    open_way(state)
    code, out = as_user(worker, "sh", "-c", 'cd "$0" && mv sallyport.db x && '
                        'ln -s "$1" sallyport.db', state, victim)
    assert code == 0, out
    for command in (("ca", "list"), ("ca", "show"), ("ca", "create", "X"),
                    ("token", "list"), ("run",)):
        code, out, err = proxy.run(*command, "-c", proxy.file)
        assert code == 1 and "sallyport.db: is no file of its own" in err, err
        assert os.stat(victim).st_mode & 0o777 == 0o644, command
    assert open(victim).read() == "precious"
    # with nothing in its place, what is made is the worker's
    os.unlink(os.path.join(state, "sallyport.db"))
    code, out, err = proxy.run("ca", "create", "X", "-c", proxy.file)
    assert code == 0, err
    for name in set(os.listdir(state)) - {"keys.secret", "lock"}:
        assert os.stat(os.path.join(state, name)).st_uid == worker, name


@rights.case(limit=60)
def roots_own_files_stay_roots(t):
    """What a command of root's reads and writes beside the state folder."""
    need_root()
    org = Organization(t)
    with Running(t) as proxy:
        pass
    private = t.path("private")
    os.mkdir(private, 0o700)
    csr, cert = os.path.join(private, "x.csr"), os.path.join(private, "x.pem")

    def ca(*args, **how):
        code, out, err = proxy.run("ca", *args, "-c", proxy.file, cwd=private,
                                   **how)
        assert code == 0, (args, err)
    ca("create", "X")
    ca("keypair", "X")
    ca("csr", "X", "--cn", "X", "-o", csr)
    with open(csr, "rb") as f, open(cert, "wb") as g:
        os.fchmod(g.fileno(), 0o600)
        g.write(org.sign(f.read()))
    ca("upload", "X", cert)
    done = subprocess.run([proxy.binary, "ca", "setup", "-c", proxy.file],
                          input="Y\n\nY\n\n\n\n\n\n1\n", text=True,
                          capture_output=True, cwd=private, timeout=30 * SLOW)
    assert os.stat(os.path.join(private, "Y.csr")).st_uid == 0, done


@rights.case(limit=60)
def who_runs_it_can_read_what_root_has_made(t):
    """Root looks after the folder of somebody who runs the proxy by himself."""
    need_root()
    proxy = Sallyport(t.binary, t.lab, t.path("theirs"))
    proxy.config["log"] = {"access": "none"}
    proxy.config["origin"]["trust"] = ["system"]
    state = proxy.config["state"]
    proxy.write()
    os.mkdir(state, 0o700)
    os.chown(state, SOMEBODY, SOMEBODY)
    open_way(state)
    binary, proxy.binary = proxy.binary, t.write("as.sh", "#!/bin/sh\nexec "
        "setpriv --reuid %d --regid %d --clear-groups %s \"$@\"\n"
        % (SOMEBODY, SOMEBODY, t.binary))
    os.chmod(proxy.binary, 0o755)
    env = dict(os.environ, SALLYPORT_PASSPHRASE="theirs")
    proxy.start(env=env)
    assert proxy.stop() == 0
    done = subprocess.run([binary, "ca", "passphrase", "--old", t.write(
        "old", "theirs"), "-c", proxy.file], capture_output=True, text=True)
    assert done.returncode == 0, done
    assert os.stat(os.path.join(state, "keys.secret")).st_uid == SOMEBODY
    proxy.start()
    assert proxy.stop() == 0
