"""squid as a plain CONNECT proxy."""
from peers import squid

KIND, SPEAKS, TRUST, PORT = "tunnel", "connect", "origin", 3129
PROGRAM = "squid"


def command(lab, port):
    return squid.start_with(lab, "http_port 127.0.0.1:%d\n" % PORT)
