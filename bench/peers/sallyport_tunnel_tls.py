"""The tunnel from the transparent listener, by the SNI: without CONNECT, as
haproxy_tcp."""
from lab import ORIGIN
from peers import sallyport

KIND, SPEAKS, TRUST, PORT = "tunnel", "tls", "origin", sallyport.TLS_PORT


def command(lab, port):
    return sallyport.run(lab, sallyport.config(
        lab, last={"action": "do-not-inspect"}, origin={
            "trust": [lab.origin_trust],
            "connect-to": ["*.test:443:%s:%d" % (ORIGIN, port)]}))
