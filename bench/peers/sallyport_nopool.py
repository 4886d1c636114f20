"""Sallyport that shares nothing: a full handshake with the origin for each."""
from peers import sallyport

KIND, SPEAKS, TRUST, PORT = "forges", "connect", "own", sallyport.PORT
trust = sallyport.trust


def command(lab, port):
    return sallyport.run(lab, sallyport.config(lab, origin={
        "trust": [lab.origin_trust], "pool": "off", "resume": "off"}))
