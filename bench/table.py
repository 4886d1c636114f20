"""Medians and spreads of many runs, as Markdown."""

import statistics

import workloads

# What we mean to reach: workload, our peer, what it is held against: (peer,
# factor), or a number in the workload's unit.
TARGETS = (
    ("a", "sallyport", (("nginx", .9),)),
    ("a", "sallyport_tls", (("nginx", .9),)),
    ("b", "sallyport", (("nginx", .85), ("sslsplit", .12))),
    ("b", "sallyport_tls", (("nginx", .85), ("sslsplit", .12))),
    ("b", "sallyport_nopool", (450,)),
    ("c", "sallyport", (("nginx", .85),)),
    ("c", "sallyport_tls", (("nginx", .85),)),
    ("d", "sallyport", (("sslsplit", .23),)),
    ("e1", "sallyport", (("nginx", 1),)),
    ("e10", "sallyport", (("nginx", 1),)),
    ("f", "sallyport_tunnel", (("haproxy_tcp", .75),)),
    ("f-new", "sallyport_tunnel", (("haproxy_tcp", 1),)),
    ("f-new", "sallyport_tunnel_tls", (("haproxy_tcp", 1),)),
    ("g", "sallyport", (10,)),
    ("g5", "sallyport", (10,)),
    ("h", "sallyport", (.13,)),
    ("h-new", "sallyport", (.95,)),
    ("h-new", "sallyport_tls", (.95,)),
    # twice the cores do 1.9 times the work, if a unit costs no more than this
    ("a", "sallyport_2", (("sallyport", 2 / 1.9),)),
    ("b", "sallyport_2", (("sallyport", 2 / 1.9),)),
)


def number(x):
    return ("%.0f" if x >= 100 else "%.1f" if x >= 10 else "%.2f") % x


def spread(values):
    values = sorted(values)
    text = number(statistics.median(values))
    if len(values) > 1:
        text += " (%s–%s)" % (number(values[0]), number(values[-1]))
    return text


def is_good(record):
    return not (record.get("died") or record["failed"] or
                record["wrong_issuer"] or record["lost_at_rest"])


class Results:
    def __init__(self, records):
        self.bad = [r for r in records if not is_good(r)]
        self.good = {}
        self.rounds = len({r["round"] for r in records})
        for r in records:
            if is_good(r):
                key = r["workload"], r["peer"]
                self.good.setdefault(key, []).append(r)

    def peers(self, workload):
        return [p for w, p in self.good if w == workload]

    def costs(self, workload, peer):
        """round → cost; the floor without a proxy costs nothing."""
        return {r["round"]: workloads.cost(workload, r)
                for r in self.good.get((workload, peer), ())}

    def ratio(self, workload, peer, other):
        """The median of the ratios within each round: the machine's slow
        drift from minute to minute cancels."""
        a, b = self.costs(workload, peer), self.costs(workload, other)
        both = [a[i] / b[i] for i in a if b.get(i)]
        return statistics.median(both) if both else None


def of_workload(results, name):
    workload = workloads.ALL[name]
    peers = results.peers(name)
    against = [p for p in ("nginx", "haproxy_nopool", "sslsplit",
                           "haproxy_tcp", "haproxy_tcp_1m") if p in peers]
    against += [p for p in peers if p.endswith("@old")]
    latency = workload.unit == "ms"
    idle = workload.unit == "KB/connection"
    rate_unit = "MB/s" if workload.unit == "s/GB" else "/s"
    head = ["peer", workload.unit] + ["× " + p for p in against]
    if not idle:
        head += [rate_unit, "p50 ms", "p99 ms", "resumed"]
    lines = ["", "### %s: %s" % (name, workload.title), "",
             "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for peer in peers:
        runs = results.good[name, peer]
        costs = results.costs(name, peer).values()
        row = [peer, "–" if peer == "direct" and not latency else
               spread(costs)]
        for other in against:
            ratio = results.ratio(name, peer, other) \
                if "@" not in other or other.split("@")[0] == \
                peer.split("@")[0] else None
            row.append("–" if ratio is None or peer == "direct" else
                       "%.2f" % ratio)
        if not idle:
            row.append(spread([workloads.rate(name, r) for r in runs]))
            row += ["%.2f" % (statistics.median(r[k] for r in runs) / 1e3)
                    for k in ("p50_us", "p99_us")]
            row.append("%.0f %%" % (100 * sum(r["resumed"] for r in runs) /
                                    max(1, sum(r["handshakes"]
                                               for r in runs))))
        lines.append("| " + " | ".join(row) + " |")
    return lines


# In the table of all, in this order; who is not there has no column.
INTERCEPTING = ("sallyport", "sallyport_tls", "sallyport_log",
                "sallyport_nopool", "nginx", "haproxy", "haproxy_nopool",
                "sslsplit", "squid", "mitmproxy", "relay")
TUNNELLING = ("sallyport_tunnel", "sallyport_tunnel_tls", "haproxy_tcp",
              "haproxy_tcp_1m", "squid_tunnel", "relay", "relay_splice")


def of_all(results, names, peers):
    """A row a workload, a column a peer: medians."""
    names = [n for n in names if
             ("tunnel" in workloads.ALL[n].kinds) == (peers is TUNNELLING)]
    peers = [p for p in peers if any((n, p) in results.good for n in names)]
    if not peers:
        return []
    lines = ["", "| | unit | " + " | ".join(peers) + " |",
             "|---" * (len(peers) + 2) + "|"]
    for name in names:
        cells = []
        for peer in peers:
            costs = list(results.costs(name, peer).values())
            cells.append(number(statistics.median(costs)) if costs else "–")
            if 0 < len(costs) < results.rounds:
                cells[-1] += " (%d of %d)" % (len(costs), results.rounds)
        lines.append("| %s: %s | %s | %s |" % (
            name, workloads.ALL[name].title, workloads.ALL[name].unit,
            " | ".join(cells)))
    return lines


def of_targets(results):
    lines = ["| workload | unit | who | CPU (or as the unit says) | target | "
             "is | reached |", "|---|---|---|---|---|---|---|"]
    for name, peer, bounds in TARGETS:
        costs = list(results.costs(name, peer).values())
        if not costs:
            continue
        median = statistics.median(costs)
        for bound in bounds:
            if isinstance(bound, tuple):
                value = results.ratio(name, peer, bound[0])
                want, limit = "≤ %.3g × %s" % (bound[1], bound[0]), bound[1]
                text = "–" if value is None else "%.2f ×" % value
            else:
                value, want, limit = median, "≤ %g" % bound, bound
                text = number(value)
            done = ("not run" if value is None else
                    "yes" if value <= limit else "no")
            lines.append("| %s | %s | %s | %s | %s | %s | %s |" % (
                name, workloads.ALL[name].unit, peer, spread(costs), want,
                text, done))
    return lines if len(lines) > 2 else []


def markdown(records, names):
    results = Results(records)
    lines = (of_all(results, names, INTERCEPTING) +
             of_all(results, names, TUNNELLING) + [""] + of_targets(results))
    for name in names:
        if results.peers(name):
            lines += of_workload(results, name)
    if results.bad:
        lines += ["", "Runs that do not count:", ""]
        lines += ["- %s, %s: %s" % (
            r["workload"], r["peer"], r.get("died") or "%d failed, %d of "
            "another issuer, %d lost at rest: %s" % (
                r["failed"], r["wrong_issuer"], r["lost_at_rest"],
                r["first_failure"])) for r in results.bad]
    return "\n".join(lines)
