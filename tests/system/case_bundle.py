"""sallyport bundle: where it writes, beside a file (case_env.py has what)."""

import os
import subprocess

from case_exec import bare
from case_trust import in_private, sallyport, trust


@trust.case(needs=["root", "program:unshare", "program:mknod"])
def a_bundle_replaces_no_device(t):
    write = '"$SALLYPORT" bundle --ca "$ROOT" %s\n'
    said = in_private(
        t, "mount -t tmpfs none /mnt\n"
        "mknod /mnt/null c 1 3\nmkfifo /mnt/pipe\n" +
        write % "-o /mnt/null --jks /mnt/null" +
        "grep -c BEGIN </mnt/pipe &\n" + write % "-o /mnt/pipe" + "wait\n"
        "mount --bind /mnt /dev\nln -s /proc/self/fd/1 /dev/stdout\n" +
        write.rstrip() % "-o /dev/stdout" + " >/mnt/said\n"
        "grep -c BEGIN /mnt/said\n"
        "stat -c '%n %F' /mnt/null /mnt/pipe /dev/stdout\n")
    lines = said.splitlines()
    assert int(lines[0]) > 1 and lines[0] == lines[1], said
    assert lines[2:] == ["/mnt/null character special file", "/mnt/pipe fifo",
                         "/dev/stdout symbolic link"], said


@trust.case
def a_bundle_goes_to_standard_output(t):
    """Whatever its form, and one of them alone."""
    only = ("--ca", t.proxy.root)
    with open(t.path("store.jks"), "wb") as out:
        done = subprocess.run([t.binary, "bundle", *only, "--jks", "-"],
                              env=bare(t), cwd=t.dir, stdout=out)
    assert done.returncode == 0 and not os.path.exists(t.path("-"))
    sallyport(t, "status", *only, "--java", t.path("store.jks"))
    done = t.run(t.binary, "bundle", *only, "--jks", "-", "-o", "-",
                 env=bare(t))
    assert done.returncode == 2 and done.stdout == "", done
    for command in (("bundle",), ("docker",), ("trust", "status", "--java",
                                               t.path("store.jks"))):
        done = t.run("sh", "-c", '"$0" "$@" >/dev/full', t.binary, *command,
                     *only, env=bare(t))
        assert done.returncode == 1 and "standard output" in done.stderr, done
