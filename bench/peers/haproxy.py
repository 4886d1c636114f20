"""haproxy: TLS in and out, one fixed certificate, origin connections pooled."""
from lab import ORIGIN, write

KIND, SPEAKS, TRUST, PORT = "terminates", "tls", "peers", 3150
PROGRAM = "haproxy"
VERSION = ["haproxy", "-v"]
CONFIG = """global
  nbthread 1
  maxconn 8000
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
defaults
  mode http
  timeout connect 10s
  timeout client 600s
  timeout server 600s
  timeout http-keep-alive 600s
frontend f
  bind 127.0.0.1:{listen} backlog 4096 ssl crt {ca}/fixed.pem curves X25519 alpn http/1.1
  default_backend o
backend o
  http-reuse {reuse}
  server o {origin}:{port} ssl verify required ca-file {trust} sni str(site.test) verifyhost site.test ciphersuites TLS_AES_128_GCM_SHA256 {more}
"""


def config(lab, port, reuse="always", more="", listen=PORT):
    return write(lab.run + "/haproxy.cfg", CONFIG.format(
        listen=listen, ca=lab.ca, origin=ORIGIN, port=port, more=more,
        trust=lab.origin_trust, reuse=reuse))


def command(lab, port):
    return ["haproxy", "-db", "-f", config(lab, port)]
