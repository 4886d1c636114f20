"""ClientHellos made by hand, and genuine ones cut up.

    hello.message(sni="bank.test")     the handshake message
    hello.records(message, [1, 5])     TLS records of 1, 5, then the rest
    hello.recut(bytes, [1, 5])         a genuine client's records, cut anew

Cutting a handshake message into other records does not change the
transcript, so a genuine handshake goes on after it.
"""

import os
import struct

SNI, GROUPS, SIGALGS, ALPN, VERSIONS, KEY_SHARE, ECH = (
    0, 10, 13, 16, 43, 51, 0xFE0D)
X25519, P256, X25519MLKEM768 = 29, 23, 0x11EC


def vector(size, data):
    """data with its length in size bytes before it."""
    return len(data).to_bytes(size, "big") + data


def u16s(values):
    return b"".join(struct.pack(">H", v) for v in values)


def name_list(sni):
    raw = sni if isinstance(sni, bytes) else sni.encode()
    return vector(2, b"\0" + vector(2, raw))


def key_shares(groups):
    """Of ML-KEM a key of zeros: any key's numbers must be below its modulus
    (FIPS 203, 7.2), which servers that know it check."""
    zeros = {X25519: 0, X25519MLKEM768: 1184}
    return vector(2, b"".join(
        struct.pack(">H", g) + vector(2, bytes(zeros[g]) + os.urandom(32))
        for g in groups if g in zeros))


def extensions(sni, alpn, versions, groups, extra):
    out = []
    if sni is not None:
        out.append((SNI, name_list(sni)))
    out.append((GROUPS, vector(2, u16s(groups))))
    out.append((SIGALGS, vector(2, u16s((0x0403, 0x0804, 0x0401)))))
    if alpn:
        out.append((ALPN, vector(2, b"".join(vector(1, p.encode())
                                             for p in alpn))))
    out.append((VERSIONS, vector(1, u16s(versions))))
    out.append((KEY_SHARE, key_shares(groups)))
    return out + list(extra)


def message(sni=None, alpn=("http/1.1",), versions=(0x0304, 0x0303),
            groups=(X25519, P256), extra=()):
    """A ClientHello's handshake message. extra: (type, bytes) extensions."""
    every = extensions(sni, alpn, versions, groups, extra)
    body = struct.pack(">H", 0x0303) + os.urandom(32)
    body += vector(1, os.urandom(32))
    body += vector(2, u16s((0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F)))
    body += vector(1, b"\0")
    body += vector(2, b"".join(struct.pack(">H", t) + vector(2, d)
                               for t, d in every))
    return b"\x01" + vector(3, body)


def grease_ech():
    """An outer encrypted_client_hello: what Chrome sends to everyone."""
    return (ECH, b"\0" + struct.pack(">HHB", 1, 1, 7) +
            vector(2, os.urandom(32)) + vector(2, os.urandom(144)))


def records(data, sizes=(), version=0x0301):
    """data as handshake records: of these sizes, then the rest."""
    out, at = [], 0
    for size in list(sizes) + [16384] * (len(data) // 16384 + 1):
        piece = data[at:at + size]
        if piece:
            out.append(struct.pack(">BHH", 22, version, len(piece)) + piece)
        at += size
    return b"".join(out)


def payload(data):
    """The handshake bytes within whole records."""
    out, at = b"", 0
    while at < len(data):
        size, = struct.unpack(">H", data[at + 3:at + 5])
        out += data[at + 5:at + 5 + size]
        at += 5 + size
    return out


def recut(data, sizes):
    return records(payload(data), sizes)


def read_record(f):
    """(type, bytes) of the next record; None at the end."""
    head = f.read(5)
    if len(head) < 5:
        return None
    return head[0], f.read(struct.unpack(">H", head[3:])[0])


def answer(f):
    """What a hello was answered with: "server-hello", "alert N", "closed",
    or "record N"."""
    try:
        record = read_record(f)
    except ConnectionError:
        return "closed"
    if record is None:
        return "closed"
    kind, data = record
    if kind == 22 and data[:1] == b"\x02":
        return "server-hello"
    return "alert %d" % data[1] if kind == 21 else "record %d" % kind
