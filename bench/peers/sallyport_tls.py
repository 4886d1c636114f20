"""Sallyport's transparent listener: TLS at once, as the peers without CONNECT.

Redirected there, a connection tells where it was going; without, as here, it
goes to the name in the SNI, port 443: connect-to says where that is."""
from lab import ORIGIN
from peers import sallyport

KIND, SPEAKS, TRUST, PORT = "forges", "tls", "own", sallyport.TLS_PORT
trust = sallyport.trust


def command(lab, port):
    return sallyport.run(lab, sallyport.config(lab, origin={
        "trust": [lab.origin_trust],
        "connect-to": ["*.test:443:%s:%d" % (ORIGIN, port)]}))
