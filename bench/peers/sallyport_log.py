"""Sallyport with its access log, to a file."""
from peers import sallyport

KIND, SPEAKS, TRUST, PORT = "forges", "connect", "own", sallyport.PORT
trust = sallyport.trust


def command(lab, port):
    return sallyport.run(lab, sallyport.config(
        lab, log={"access": lab.run + "/access.log"}))
