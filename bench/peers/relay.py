"""Bytes from socket to socket, bench/load/relay.c: the floor."""
from lab import ORIGIN

KIND, SPEAKS, TRUST, PORT = "floor", "tls", "origin", 3180
ALSO = {"tunnel"}


def command(lab, port):
    return [lab.tools["relay"], str(PORT), ORIGIN, str(port)]
