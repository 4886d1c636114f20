"""What the three processes have given up; and that none outlives the first."""

import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess

from case_rights import SOMEBODY, open_way
from case_run import Running
from lab import memory
from lab.case import Group, NotRun, eventually
from lab.sallyport import SLOW

harden = Group("harden", config=None)
PLAIN = os.environ.get("SALLYPORT_TEST_VARIANT", "plain") == "plain"


def all_of(proxy):
    return {"supervisor": proxy.process.pid, "keeper": proxy.keeper(),
            "worker": proxy.worker()}


def status(pid, task=None):
    """/proc/PID/status, a field a key; a thread's with task."""
    path = "/proc/%d/" % pid + ("task/%s/" % task if task else "") + "status"
    with open(path) as f:
        return {k: v.strip() for k, _, v in (l.partition(":") for l in f)}


def limit(pid, name):
    with open("/proc/%d/limits" % pid) as f:
        line = next(l for l in f if l.startswith(name))
    return line[len(name):].split()[:2]


def large_cores():
    """As large as they may be, so that having none is the proxy's doing."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if os.geteuid() == 0:
        hard = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


@harden.case
def what_each_has_given_up(t):
    with Running(t, preexec_fn=large_cores) as proxy:
        assert t.fetch("https://ec.lab.test/1k").status == 200
        for name, pid in all_of(proxy).items():
            assert status(pid)["NoNewPrivs"] == "1", name
            assert limit(pid, "Max core file size") == ["0", "0"], name
        keeper = proxy.keeper()
        if PLAIN:  # sanitizers need more of the kernel, and lock nothing
            for task in os.listdir("/proc/%d/task" % keeper):
                assert status(keeper, task)["Seccomp"] == "2", task
            locked = int(status(keeper)["VmLck"].split()[0])
            assert locked > 0 or "can be swapped out" in proxy.stderr()
        if os.geteuid() == 0:
            for pid in keeper, proxy.worker():
                assert status(pid)["CapPrm"] == "0" * 16, status(pid)
                assert "0" not in status(pid)["Uid"].split(), status(pid)


def look(pid, name, uid):
    """What a process of that user's gets to see of another of theirs."""
    how = {"user": uid, "group": uid, "extra_groups": []} \
        if os.geteuid() == 0 else {}
    return subprocess.run(["/bin/cat", "/proc/%d/%s" % (pid, name)], cwd="/",
                          capture_output=True, timeout=20 * SLOW, **how)


@harden.case
def one_of_the_same_user_cannot_look(t):
    """All three as one ordinary user, as who runs it from a shell has it."""
    running, how, uid = Running(t), {}, os.geteuid()
    proxy = running.proxy
    if uid == 0:
        uid = SOMEBODY
        how = {"user": uid, "group": uid, "extra_groups": []}
        proxy.binary = shutil.copy(t.binary, t.path("sallyport"))
        os.chown(proxy.folder, uid, uid)
        for path in proxy.file, proxy.binary, t.lab.pki.root:
            open_way(path)
    running.how = how
    control = subprocess.Popen(["sleep", "600"], **how)
    try:
        with running:
            assert t.fetch("https://ec.lab.test/1k").status == 200
            assert eventually(lambda: b"PATH=" in look(
                control.pid, "environ", uid).stdout), "they see nothing at all"
            for name, pid in all_of(proxy).items():
                assert os.stat("/proc/%d" % pid).st_uid == uid, name
                for file in "environ", "mem", "maps":
                    done = look(pid, file, uid)
                    assert done.returncode != 0 and not done.stdout and \
                        b"denied" in done.stderr, (name, file)
    finally:
        control.kill()
        control.wait()


PR_SET_CHILD_SUBREAPER = 36


def adopt(yes):
    """Whether orphans of what was started here become children of ours."""
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, yes, 0, 0, 0) == 0


def is_stopped(pid):
    """Each thread of it."""
    states = []
    for thread in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/stat" % (pid, thread)) as f:
            states.append(f.read().rpartition(")")[2].split()[0])
    return set(states) == {"T"}



@harden.case
def they_end_with_the_supervisor(t):
    """By the kernel's hand, not by their own: they are stopped, and would else
    find out when they go on."""
    ends = {}

    def ended(pid):
        if pid not in ends:
            done, how = os.waitpid(pid, os.WNOHANG)
            if done:
                ends[pid] = -os.waitstatus_to_exitcode(how)
        return pid in ends
    with Running(t, codes=(-signal.SIGKILL,)) as proxy:
        others = proxy.keeper(), proxy.worker()
        adopt(True)
        try:
            for pid in others:
                os.kill(pid, signal.SIGSTOP)
            assert eventually(lambda: all(map(is_stopped, others)))
            proxy.process.kill()
            proxy.process.wait()
            assert eventually(lambda: all([ended(pid) for pid in others]))
            assert set(ends.values()) == {signal.SIGKILL}, ends
        finally:
            for pid in others:
                if pid not in ends:
                    os.kill(pid, signal.SIGKILL)
            adopt(False)


def flags_of(pid, needle):
    """The kernel's flags of each mapping that needle stands in."""
    found, at = [], None
    whole = set(memory.regions(pid))
    with open("/proc/%d/smaps" % pid) as f, \
            open("/proc/%d/mem" % pid, "rb", 0) as m:
        for line in f:
            first, *rest = line.split()
            if "-" in first:
                at = tuple(int(x, 16) for x in first.split("-"))
            elif first == "VmFlags:" and at in whole:
                m.seek(at[0])
                if needle in m.read(at[1] - at[0]):
                    found.append(rest)
    return found


@harden.case(needs=["root"])
def the_passphrase_stays_in_memory(t):
    """Neither swapped out nor dumped; nowhere else in the supervisor's."""
    if not PLAIN:
        raise NotRun("a sanitizer locks nothing")
    words = "correct horse battery staple 4711"
    with Running(t, {"keys": {
            "passphrase-file": t.write("words", words)}}) as proxy:
        found = flags_of(proxy.process.pid, words.encode())
        assert found, "it is not found"
        for flags in found:
            assert {"lo", "dd"} <= set(flags), found


def call_as(uid, folder):
    """The answer at the folder's control socket to a process of that user's."""
    here = os.getcwd()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20 * SLOW)
        os.chdir(folder)  # a path may be longer than an address has room for
        os.seteuid(uid)
        try:
            sock.connect("control.sock")
        finally:
            os.seteuid(0)
            os.chdir(here)
        try:
            sock.sendall(b"GET /api/v1/intermediateCaCertificate HTTP/1.1\r\n"
                         b"Host: localhost\r\nConnection: close\r\n\r\n")
            return sock.makefile("rb").read()
        except (ConnectionResetError, BrokenPipeError):
            return b""


@harden.case(needs=["root"])
def the_control_socket_knows_who_comes(t):
    """The kernel says so, even where the way to it stands open."""
    stranger = SOMEBODY + 1
    with Running(t) as proxy:
        state = proxy.config["state"]
        path = os.path.join(state, "control.sock")
        open_way(path)
        try:
            call_as(stranger, state)
            assert False, "it could connect"
        except PermissionError:
            pass
        os.chmod(path, 0o666)
        assert call_as(stranger, state) == b""
        worker = os.stat("/proc/%d" % proxy.worker()).st_uid
        for uid in 0, worker:
            answer = call_as(uid, state)
            assert b" 200 " in answer and b"CERT_READY" in answer, answer


@harden.case
def a_keeper_that_dies_again_rests(t):
    """However often it is killed, so many are started in so many looks."""
    with Running(t) as proxy:
        killed = set()

        def kill():
            try:
                keeper = proxy.keeper()
                if keeper not in killed:
                    os.kill(keeper, signal.SIGKILL)
                    killed.add(keeper)
            except (AssertionError, OSError):
                pass
            return len(killed) > 6
        assert not eventually(kill, 2.5 / SLOW), "one after the other"
        assert len(killed) > 1 or eventually(lambda: kill() or len(killed) > 1), \
            "it was not started again"
        assert eventually(lambda: t.fetch(
            "https://ec.lab.test/1k").status == 200)
