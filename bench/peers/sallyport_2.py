"""Sallyport with two workers, on both CPUs; the load is beside one of them."""
from peers import sallyport

KIND, SPEAKS, TRUST, PORT = "forges", "connect", "own", sallyport.PORT
ONLY, CPUS = ("a", "b"), "0,1"
trust = sallyport.trust


def command(lab, port):
    return sallyport.run(lab, sallyport.config(lab, workers=2))
