"""Sallyport, do-not-inspect: the tunnel."""
from peers import sallyport

KIND, SPEAKS, TRUST, PORT = "tunnel", "connect", "origin", sallyport.PORT


def command(lab, port):
    return sallyport.run(lab, sallyport.config(
        lab, last={"action": "do-not-inspect"}))
