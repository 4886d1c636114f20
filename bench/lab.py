"""The benchmark's own little network: certificates, origin, names.

Everything is in a network and mount namespace of its own, so that *.test and
the ports are nobody else's, and only on loopback. The proxy that is measured
has CPU 0 to itself; origin, names and load share CPU 1.

    load ──► proxy ──► nginx, 10.9.9.1
    CPU 1    CPU 0     CPU 1
"""

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time

ORIGIN = "10.9.9.1"
# TLS 1.3 with AES-128-GCM and X25519 everywhere: all do the same cryptography.
EC, RSA = 8443, 8444                  # the origin gives session tickets
EC_FULL, RSA_FULL = 8445, 8446        # it does not: each handshake is full
SITES = 8447                          # a certificate for each name
UNTRUSTED = 8448                      # one that nobody trusts
WILD = 8449                           # one for all of *.wild.test
NUM_SITES = 3000
PROXY_NAME = "wrk.test"  # the proxy's, for what knows no other address

EXTENSIONS = """subjectAltName = {names}
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

NGINX = """daemon off; worker_processes 1; user root;
pid {run}/origin.pid; error_log {run}/origin.err error;
events {{ worker_connections 15000; }}
http {{
  access_log off; sendfile on; tcp_nodelay on; server_tokens off;
  keepalive_timeout 600s; keepalive_requests 1000000000;
  client_body_temp_path {run}/o1; proxy_temp_path {run}/o2;
  fastcgi_temp_path {run}/o3; uwsgi_temp_path {run}/o4; scgi_temp_path {run}/o5;
  open_file_cache max=100 inactive=600s; open_file_cache_valid 600s;
  default_type application/octet-stream; root {www};
  ssl_protocols TLSv1.3; ssl_ecdh_curve X25519:P-256;
  ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
{servers}}}
"""
SERVER = """  server {{ listen {address}:{port} ssl backlog=4096; {name};
    ssl_certificate {cert}; ssl_certificate_key {key}; {more} }}
"""
NO_TICKETS = "ssl_session_tickets off; ssl_session_cache off;"


def enter_namespace():
    """Start over in a namespace of our own; returns once we are in it."""
    if os.geteuid() != 0:
        sys.exit("bench: a namespace of its own needs root")
    for program in ("nginx", "dnsmasq", "openssl", "wrk", "unshare", "ip"):
        if not shutil.which(program):
            sys.exit("bench: no %s here" % program)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if os.environ.get("BENCH_INSIDE") == "yes":
        return
    os.environ["BENCH_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--fork",
                          sys.executable] + sys.argv)


def openssl(*args):
    subprocess.run(("openssl",) + args, check=True, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE)


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def tools(folder, binary=None):
    """What make bench-tools has built, and what is measured."""
    found = {t: os.path.abspath(os.path.join(folder, "bench", t))
             for t in ("load", "relay", "sites")}
    found["sallyport"] = os.path.abspath(
        binary or os.path.join(folder, "sallyport"))
    return found


def cpu_of(pids):
    """User and system time in seconds: fields 14 and 15 of proc(5)'s stat."""
    ticks = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def tree(pid):
    """A process and all that came of it."""
    found = [pid]
    try:
        for task in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                for child in f.read().split():
                    found += tree(int(child))
    except OSError:
        pass
    return found


def end(process):
    """End a process and its children; the ones that do not heed are killed."""
    pids = tree(process.pid)
    process.terminate()
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        pass
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


class Lab:
    def __init__(self, folder, tools):
        self.folder, self.tools = os.path.abspath(folder), tools
        self.pinned = (os.cpu_count() or 1) > 1
        self.ca = os.path.join(self.folder, "ca")
        self.www = os.path.join(self.folder, "www")
        self.run = os.path.join(self.folder, "run")
        self.sites = os.path.join(self.folder, "sites")
        self.origin_trust = os.path.join(self.ca, "origins.crt")
        self.peer_trust = os.path.join(self.ca, "peers.crt")
        self.processes = []

    # --- certificates and files, made once ---

    def make_ca(self, name, key, subject):
        path = os.path.join(self.ca, name)
        openssl("req", "-x509", *key, "-nodes", "-keyout", path + ".key",
                "-out", path + ".crt", "-days", "3000", "-subj",
                "/CN=" + subject, "-addext",
                "basicConstraints=critical,CA:TRUE", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign")

    def make_leaf(self, name, ca, key, host="site.test",
                  names="DNS:site.test, DNS:" + PROXY_NAME):
        path, ca = os.path.join(self.ca, name), os.path.join(self.ca, ca)
        write(path + ".ext", EXTENSIONS.format(names=names))
        openssl("req", *key, "-nodes", "-keyout", path + ".key", "-out",
                path + ".csr", "-subj", "/CN=" + host)
        openssl("x509", "-req", "-in", path + ".csr", "-CA", ca + ".crt",
                "-CAkey", ca + ".key", "-CAcreateserial", "-days", "300",
                "-extfile", path + ".ext", "-out", path + ".crt")
        with open(path + ".pem", "w") as both:
            for part in (".crt", ".key"):
                with open(path + part) as f:
                    both.write(f.read())

    def make_files(self):
        done = os.path.join(self.folder, "made")
        shutil.rmtree(self.run, ignore_errors=True)
        os.makedirs(self.run)
        os.chmod(self.run, 0o777)  # some peers become another user
        if os.path.exists(done):
            return
        for folder in (self.ca, self.www, self.sites):
            os.makedirs(folder, exist_ok=True)
        ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        rsa = ("-newkey", "rsa:2048")
        self.make_ca("root", ec, "Bench origin root")
        self.make_ca("root-rsa", rsa, "Bench origin root RSA")
        self.make_ca("peers", ec, "Bench peers' CA")
        self.make_leaf("ec", "root", ec)
        self.make_leaf("rsa", "root-rsa", rsa)
        self.make_leaf("wild", "root", ec, "*.wild.test", "DNS:*.wild.test")
        self.make_leaf("untrusted", "peers", ec)
        self.make_leaf("fixed", "peers", ec)
        with open(self.origin_trust, "w") as both:
            for name in ("root", "root-rsa"):
                with open(os.path.join(self.ca, name + ".crt")) as f:
                    both.write(f.read())
        subprocess.run([self.tools["sites"], self.ca + "/root.crt",
                        self.ca + "/root.key", self.ca + "/ec.key",
                        self.sites, str(NUM_SITES)], check=True)
        for name, size in (("1k", 1 << 10), ("1m", 1 << 20),
                           ("10m", 10 << 20)):
            with open(os.path.join(self.www, name), "wb") as f:
                f.write(os.urandom(size))
        write(done, "")

    # --- processes ---

    def start(self, argv, cpu, log, env=None):
        pin = ["nice", "-n", "-10", "taskset", "-c", cpu] if self.pinned else []
        return subprocess.Popen(
            pin + argv, cwd=self.folder, env=dict(os.environ, **(env or {})),
            stdin=subprocess.DEVNULL, stdout=open(log, "wb"),
            stderr=subprocess.STDOUT)

    def wait_port(self, host, port, process, seconds=20):
        limit = time.monotonic() + seconds
        while True:
            try:
                return socket.create_connection((host, port), 2).close()
            except OSError:
                if time.monotonic() > limit or process.poll() is not None:
                    raise
                time.sleep(0.05)

    def nginx_config(self):
        def server(port, cert, more, name="server_name site.test"):
            path = cert if "/" in cert else os.path.join(self.ca, cert)
            return SERVER.format(address=ORIGIN, port=port, name=name,
                                 cert=path + ".crt", key=path + ".key",
                                 more=more)

        servers = (server(EC, "ec", "") + server(RSA, "rsa", "") +
                   server(EC_FULL, "ec", NO_TICKETS) +
                   server(RSA_FULL, "rsa", NO_TICKETS) +
                   server(UNTRUSTED, "untrusted", "") +
                   server(WILD, "wild", NO_TICKETS, "server_name *.wild.test"))
        many = os.path.join(self.sites, "$ssl_server_name.pem")
        servers += SERVER.format(
            address=ORIGIN, port=SITES, name="server_name ~^site[0-9]",
            cert=many, key=many, more=NO_TICKETS)
        return NGINX.format(run=self.run, www=self.www, servers=servers)

    def up(self):
        self.make_files()
        for command in (
                "ip link set lo up", "ip addr add %s/24 dev lo" % ORIGIN,
                # some peers look for a route before they start
                "ip route add default via %s dev lo src %s" % (ORIGIN, ORIGIN)):
            subprocess.run(command.split(), check=True)
        resolv = write(self.run + "/resolv.conf", "nameserver 127.0.0.1\n")
        hosts = write(self.run + "/hosts",
                      "127.0.0.1 localhost %s\n" % PROXY_NAME)
        for path, at in ((resolv, "/etc/resolv.conf"), (hosts, "/etc/hosts")):
            subprocess.run(["mount", "--bind", path, os.path.realpath(at)],
                           check=True)
        write("/proc/sys/net/ipv4/ip_local_port_range", "12000 65000")
        write("/proc/sys/net/core/somaxconn", "8192")
        # else the search for a free port costs more than all the rest
        write("/proc/sys/net/ipv4/tcp_max_tw_buckets", "1000")
        conf = write(self.run + "/origin.conf", self.nginx_config())
        names = self.start(
            ["dnsmasq", "-k", "-C", "/dev/null", "--listen-address=127.0.0.1",
             "--bind-interfaces", "--address=/test/" + ORIGIN, "--no-resolv",
             "--no-hosts", "--local-ttl=300", "-u", "root",
             "--pid-file=" + self.run + "/dns.pid"], "1",
            self.run + "/dns.log")
        origin = self.start(["nginx", "-p", self.folder, "-c", conf, "-e",
                             self.run + "/origin.err"], "1",
                            self.run + "/origin.log")
        self.processes = [names, origin]
        self.wait_port(ORIGIN, SITES, origin)
        self.wait_port("127.0.0.1", 53, names)

    def down(self):
        for process in self.processes:
            end(process)
        self.processes = []
