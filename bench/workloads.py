"""What is measured: each workload's load, its unit, and who takes part."""

from lab import EC, EC_FULL, RSA_FULL, SITES, NUM_SITES

INTERCEPTS = {"forges", "terminates", "floor"}


class Workload:
    def __init__(self, title, unit, load, port=EC, kinds=INTERCEPTS,
                 seconds=4, but=(), wrk=False):
        self.title, self.unit, self.load = title, unit, load.split()
        self.wrk = wrk       # instead of bench/load: it knows no CONNECT
        self.port, self.kinds, self.seconds = port, set(kinds), seconds
        self.but = set(but)  # peers that this one would say nothing of

    def takes(self, workload, name, peer):
        if workload not in getattr(peer, "ONLY", ALL):
            return False
        kinds = {peer.KIND} | getattr(peer, "ALSO", set())
        if self.wrk and (peer.SPEAKS == "connect" or name in NO_WRK):
            return False
        return bool(kinds & self.kinds) and name not in self.but


# These would go to the name that wrk was given: to themselves.
NO_WRK = ("sslsplit", "relay", "haproxy_nopool")
NEW = "--host site.test --path /1k --fresh "
SHARED = ("sallyport_nopool",)

ALL = {
    "a": Workload("keep-alive, 64 connections, 1 KB", "us/request",
                  "--path /1k --connections 64", but=SHARED),
    "wrk": Workload("keep-alive, 1 KB, by wrk -t2 -c64", "us/request",
                    "-t2 -c64 --latency", wrk=True),
    "b": Workload("a new connection each, full handshakes, 32 at a time",
                  "us/connection", NEW + "--connections 32", EC_FULL),
    "b-rsa": Workload("the same, an origin with RSA-2048", "us/connection",
                      NEW + "--connections 32", RSA_FULL),
    "c": Workload("a new connection each, resumed where the proxy can",
                  "us/connection", NEW + "--resume --connections 32",
                  but=SHARED),
    "d": Workload("a site never seen before each, 16 at a time",
                  "us/connection",
                  "--host site%%05u.test --path /1k --fresh --connections 16 "
                  "--warm-up 0 --sites %d" % NUM_SITES, SITES, {"forges"}, 20,
                  SHARED),
    "e1": Workload("bodies of 1 MB, 16 connections", "s/GB",
                   "--path /1m --connections 16", but=SHARED),
    "e10": Workload("bodies of 10 MB, 8 connections", "s/GB",
                    "--path /10m --connections 8", but=SHARED),
    "f": Workload("tunnel, bodies of 10 MB, 8 connections", "s/GB",
                  "--path /10m --connections 8", EC, {"tunnel"}),
    "f-new": Workload("tunnel, a new connection each", "us/connection",
                      NEW + "--connections 32", EC_FULL, {"tunnel"}),
    "g": Workload("1,000 idle connections", "KB/connection",
                  "--path /1k --idle --connections 1000", EC,
                  {"forges", "terminates"}, but=SHARED),
    "g5": Workload("5,000 idle connections", "KB/connection",
                   "--path /1k --idle --connections 5000", EC,
                   {"forges", "terminates"}, but=SHARED + ("mitmproxy",)),
    "h": Workload("one connection, request after request", "ms",
                  "--path /1k --connections 1", but=SHARED),
    "h-new": Workload("one new connection after the other", "ms",
                      NEW + "--connections 1", EC_FULL, but=SHARED),
}


def cost(workload, record):
    """What one run says, in the workload's unit."""
    unit = ALL[workload].unit
    if unit == "ms":
        return record["p50_us"] / 1e3
    if unit == "KB/connection":
        return ((record["rss_kb"] - record["rss_before_kb"]) /
                max(1, record["resting"]))
    if unit == "s/GB":
        return record["proxy_cpu_s"] / (record["bytes"] / 1e9)
    return record["proxy_cpu_s"] / record["requests"] * 1e6


def rate(workload, record):
    """What went through in a second; rate_unit says of what."""
    if ALL[workload].unit == "s/GB":
        return record["bytes"] / record["seconds"] / 1e6
    return record["requests"] / record["seconds"]
