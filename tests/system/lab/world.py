"""The lab as a whole: started once by run.py, described to every group.

A description is plain data (JSON), since the groups run in processes of
their own: folders and ports, and the connect-to list by which NAME.lab.test
on port 443 becomes an origin on loopback.
"""

import json
import os
import subprocess

from . import nginx as web
from .dns import Dns
from .nginx import Nginx
from .odd import Odd
from .pki import Pki

# A block of nginx for each; the certificate has the same name.
BLOCKS = ("ec", "rsa", "wild", "many", "pair", "ip", "bank", "blocked",
          "tools", "mtls", "old", "expired", "future", "self", "selfca",
          "wronghost", "unknown", "sha1", "nosan", "incomplete", "purpose",
          "h2")


def git_repository(folder):
    """A bare repository with one commit, ready for git's dumb protocol."""
    work = os.path.join(folder, "work")
    bare = os.path.join(folder, "repo.git")
    env = dict(os.environ, GIT_CONFIG_GLOBAL="/dev/null", HOME=folder,
               GIT_AUTHOR_NAME="Lab", GIT_AUTHOR_EMAIL="lab@lab.test",
               GIT_COMMITTER_NAME="Lab", GIT_COMMITTER_EMAIL="lab@lab.test")

    def git(*args):
        subprocess.run(("git",) + args, check=True, env=env,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    git("init", "-q", work)
    with open(os.path.join(work, "hello"), "w") as f:
        f.write("from the lab\n")
    git("-C", work, "add", "hello")
    git("-C", work, "commit", "-q", "-m", "lab: first")
    git("clone", "-q", "--bare", work, bare)
    git("-C", bare, "update-server-info")


class World:
    """Folders and ports of everything that is not Sallyport."""

    def __init__(self, folder):
        self.folder = folder
        self.pki = Pki(os.path.join(folder, "pki"))
        self.nginx = None

    def start(self):
        """Returns the description."""
        os.makedirs(self.pki.folder)
        self.pki.make()
        root = os.path.join(self.folder, "www")
        web.make_root(root)
        try:
            git_repository(root)
        except (OSError, subprocess.CalledProcessError):
            pass  # the case that clones it says what is missing
        blocks = {name: name for name in BLOCKS}
        blocks["web"] = ""
        self.dns = Dns()
        self.odd = Odd(self.pki, self.dns)
        self.nginx = Nginx(os.path.join(self.folder, "nginx"),
                           self.pki.folder, blocks, root)
        self.nginx.start()
        port = dict(self.nginx.port, dns=self.dns.port, **self.odd.port)
        return {"folder": self.folder, "port": port}

    def stop(self):
        if self.nginx:
            self.nginx.stop()


class Lab:
    """The description, as a case sees it."""

    def __init__(self, described):
        self.folder = described["folder"]
        self.port = described["port"]
        self.pki = Pki(os.path.join(self.folder, "pki"))
        self.www = os.path.join(self.folder, "www")

    @classmethod
    def load(cls, path):
        with open(path) as f:
            return cls(json.load(f))

    def connect_to(self):
        """https://NAME.lab.test → the origin of that name."""
        out = ["%s.lab.test:443:127.0.0.1:%d" % (name, self.port[name])
               for name in BLOCKS if name not in ("wild", "many", "pair")]
        for name in ("hasty", "early", "twelve"):
            out.append("%s.odd.lab.test:443:127.0.0.1:%d"
                       % (name, self.port[name]))
        for name in ("wild", "many", "pair", "odd"):
            out.append("*.%s.lab.test:443:127.0.0.1:%d"
                       % (name, self.port[name]))
        for name in ("odd", "lines", "ssh", "half", "record", "mute",
                     "mtls2"):
            out.append("%s.lab.test:443:127.0.0.1:%d"
                       % (name, self.port[name]))
        out.append("odd.lab.test:80:127.0.0.1:%d" % self.port["plain"])
        out.append("web.lab.test:80:127.0.0.1:%d" % self.port["web"])
        return out
