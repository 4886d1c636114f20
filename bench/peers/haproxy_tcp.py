"""haproxy as a tunnel: mode tcp, splice(2)."""
from lab import ORIGIN, write

KIND, SPEAKS, TRUST, PORT = "tunnel", "tls", "origin", 3152
PROGRAM = "haproxy"
CONFIG = """global
  nbthread 1
  maxconn 6000
  {more}
defaults
  mode tcp
  {splice}
  timeout connect 10s
  timeout client 600s
  timeout server 600s
listen f
  bind 127.0.0.1:{listen} backlog 4096
  server o {origin}:{port}
"""


def command(lab, port, more="", splice="option splice-auto",
            listen=PORT):
    return ["haproxy", "-db", "-f", write(
        lab.run + "/haproxy-tcp.cfg",
        CONFIG.format(listen=listen, origin=ORIGIN, port=port, more=more,
                      splice=splice))]
