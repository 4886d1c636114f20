"""nginx origins: a server block a certificate, each on a port of its own.

Every block serves the same folder: /1k, /100k, /big (1 GiB, sparse), /empty,
/page.html, and a bare repository at /repo.git for git's dumb protocol.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import time

HEAD = """daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
worker_processes 1;
{user}
events {{ worker_connections 8192; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    types {{ text/html html; }}
    default_type application/octet-stream;
    sendfile on;
    keepalive_requests 100000;
    keepalive_timeout 120s;
    client_max_body_size 0;
    server_names_hash_bucket_size 128;
"""

BLOCK = """    server {{
        listen {address}:{port} {ssl} backlog=4096;
        server_name _;
        root {root};
        {extra}
    }}
"""

TLS = """ssl_certificate {pki}/{cert}.pem;
        ssl_certificate_key {pki}/{cert}.key;
        ssl_protocols {protocols};
"""

# name of the block: what is special about it
EXTRA = {
    "sha1": "ssl_ciphers DEFAULT@SECLEVEL=0;",
    "mtls": "ssl_verify_client on; ssl_client_certificate {pki}/root.pem;",
    "old": "ssl_ciphers DEFAULT@SECLEVEL=0;",
}
PROTOCOLS = {"old": "TLSv1.1"}


GIVEN = {}  # port: what keeps it for us


def free_port(host="127.0.0.1"):
    """A port nobody has now, and nobody else is given while we run: not by
    another group's process either, for it may be bound much later, and again
    and again. Below the range that the kernel gives to outgoing connections,
    lest one takes it before we do."""
    for _ in range(200):
        port = random.randrange(12000, 32000)
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind("\0sallyport-test-port-%d" % port)
            with socket.socket() as s:
                s.bind((host, port))
        except OSError:
            mark.close()
            continue
        GIVEN[port] = mark
        return port
    raise OSError("no free port")


def wait_port(port, host="127.0.0.1", seconds=20, alive=lambda: True):
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, port), 2).close()
            return
        except OSError:
            if time.monotonic() > end or not alive():
                raise
            time.sleep(0.02)


class Nginx:
    """blocks: name of the block → name of its certificate ("": plain)."""

    def __init__(self, folder, pki, blocks, root, address="127.0.0.1",
                 port=None):
        self.folder, self.pki, self.blocks = folder, pki, blocks
        self.root, self.address = root, address
        self.port = port or {name: free_port() for name in blocks}
        self.process = None

    def config(self):
        user = "user root;" if os.geteuid() == 0 else ""
        text = HEAD.format(folder=self.folder, user=user)
        for name, cert in self.blocks.items():
            extra = EXTRA.get(name, "").format(pki=self.pki)
            if cert:
                extra = TLS.format(
                    pki=self.pki, cert=cert, protocols=PROTOCOLS.get(
                        name, "TLSv1.2 TLSv1.3")) + extra
            ssl = ("ssl http2" if name == "h2" else "ssl") if cert else ""
            text += BLOCK.format(address=self.address, port=self.port[name],
                                 root=self.root, extra=extra, ssl=ssl)
        return text + "}\n"

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w") as f:
            f.write(self.config())
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [program, "-p", self.folder, "-c", path,
             "-e", os.path.join(self.folder, "error.log")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.folder, "stderr"), "ab"))
        for port in self.port.values():
            wait_port(port, self.address,
                      alive=lambda: self.process.poll() is None)

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None


def make_root(folder):
    """What the blocks serve."""
    os.makedirs(folder)
    for name, size in (("1k", 1024), ("100k", 102400), ("empty", 0)):
        with open(os.path.join(folder, name), "wb") as f:
            f.write((b"Sallyport's lab. " * (size // 16 + 1))[:size])
    with open(os.path.join(folder, "big"), "wb") as f:
        f.truncate(1 << 30)
    with open(os.path.join(folder, "page.html"), "w") as f:
        f.write("<!doctype html><title>lab</title><p>lab page\n")
