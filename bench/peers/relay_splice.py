"""The same by splice(2)."""
from lab import ORIGIN

KIND, SPEAKS, TRUST, PORT = "tunnel", "tls", "origin", 3181


def command(lab, port):
    return [lab.tools["relay"], str(PORT), ORIGIN, str(port), "splice"]
