"""squid with ssl-bump: peeks, takes the origin's certificate, forges."""
import os
import shutil
import subprocess

from lab import write

KIND, SPEAKS, TRUST, PORT = "forges", "connect", "peers", 3128
PROGRAM = "squid"
VERSION = ["squid", "--version"]
FORGER = "/usr/lib/squid/security_file_certgen"
COMMON = """cache deny all
access_log none
cache_store_log none
cache_log {run}/squid.log
logfile_rotate 0
pid_filename {run}/squid.pid
coredump_dir {run}
http_access allow all
dns_nameservers 127.0.0.1
hosts_file none
shutdown_lifetime 0 seconds
max_filedescriptors 20000
pinger_enable off
via off
forwarded_for delete
client_idle_pconn_timeout 600 seconds
server_idle_pconn_timeout 600 seconds
tls_outgoing_options cafile={trust}
visible_hostname bench
"""
BUMP = """http_port 127.0.0.1:{port} ssl-bump tls-cert={ca}/peers.pem generate-host-certificates=on dynamic_cert_mem_cache_size=64MB
sslcrtd_program {forger} -s {run}/squid-db -M 64MB
sslcrtd_children 4 startup=4 idle=1
acl step1 at_step SslBump1
ssl_bump peek step1
ssl_bump {action} all
"""


def start_with(lab, lines):
    conf = write(lab.run + "/squid.conf", lines + COMMON.format(
        run=lab.run, trust=lab.origin_trust))
    return ["squid", "-N", "-f", conf]


def bump(lab, action):
    db = lab.run + "/squid-db"
    shutil.rmtree(db, ignore_errors=True)
    subprocess.run([FORGER, "-c", "-s", db, "-M", "64MB"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["chown", "-R", "proxy", db], check=True)
    with open(lab.ca + "/peers.pem", "w") as both:
        for part in (".key", ".crt"):
            with open(lab.ca + "/peers" + part) as f:
                both.write(f.read())
    return start_with(lab, BUMP.format(
        port=PORT, ca=lab.ca, forger=FORGER, run=lab.run, action=action))


def command(lab, port):
    return bump(lab, "bump")


def installed():
    return os.path.exists(FORGER)
