"""haproxy as a tunnel that always splices, with pipes as large as ours."""
from peers import haproxy_tcp

KIND, SPEAKS, TRUST, PORT = "tunnel", "tls", "origin", 3153
PROGRAM = "haproxy"


def command(lab, port):
    return haproxy_tcp.command(
        lab, port, "tune.pipesize 1048576",
        "option splice-request\n  option splice-response", PORT)
