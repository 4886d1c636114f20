"""mitmdump, quiet, bodies above 64 KB streamed."""
import os
import shutil

KIND, SPEAKS, TRUST, PORT = "forges", "connect", "peers", 3130
PROGRAM = "mitmdump"
VERSION = ["mitmdump", "--version"]


def command(lab, port):
    conf = lab.run + "/mitm"
    shutil.rmtree(conf, ignore_errors=True)
    os.makedirs(conf)
    with open(conf + "/mitmproxy-ca.pem", "w") as both:
        for part in (".key", ".crt"):
            with open(lab.ca + "/peers" + part) as f:
                both.write(f.read())
    return ["mitmdump", "-q", "--listen-host", "127.0.0.1", "-p", str(PORT),
            "--set", "confdir=" + conf, "--set",
            "ssl_verify_upstream_trusted_ca=" + lab.origin_trust, "--set",
            "stream_large_bodies=64k", "--set", "flow_detail=0"]
