"""No proxy: the load straight at the origin. What the lab itself can do."""
KIND, SPEAKS, TRUST = "floor", "tls", "origin"


def command(lab, port):
    return None
