"""haproxy that shares nothing: a full handshake with the origin for each."""
from peers import haproxy

KIND, SPEAKS, TRUST, PORT = "terminates", "tls", "peers", 3151
PROGRAM = "haproxy"


def command(lab, port):
    return ["haproxy", "-db", "-f", haproxy.config(
        lab, port, reuse="never", more="no-ssl-reuse", listen=PORT)]
