"""sslsplit by SNI: forges, verifies, relays what is inside without a look."""
KIND, SPEAKS, TRUST, PORT = "forges", "tls", "peers", 3140
PROGRAM = "sslsplit"
VERSION = ["sslsplit", "-V"]


def environment(lab):
    return {"SSL_CERT_FILE": lab.origin_trust}


def command(lab, port):
    return ["sslsplit", "-u", "root", "-k", lab.ca + "/peers.key", "-c",
            lab.ca + "/peers.crt", "-K", lab.ca + "/fixed.key", "-o",
            "VerifyPeer=yes", "ssl", "127.0.0.1", str(PORT), "sni", str(port)]
