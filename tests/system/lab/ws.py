"""WebSocket frames (RFC 6455), as much as an echo needs; both ends."""

import base64
import hashlib
import os
import struct

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def new_key():
    return base64.b64encode(os.urandom(16)).decode()


def accept(key):
    digest = hashlib.sha1((key + GUID).encode()).digest()
    return base64.b64encode(digest).decode()


def frame(kind, data, mask):
    """One whole message as one frame; mask: it is a client's."""
    size, bit = len(data), 0x80 if mask else 0
    if size < 126:
        out = struct.pack(">BB", 0x80 | kind, bit | size)
    elif size < 65536:
        out = struct.pack(">BBH", 0x80 | kind, bit | 126, size)
    else:
        out = struct.pack(">BBQ", 0x80 | kind, bit | 127, size)
    if not mask:
        return out + data
    key = os.urandom(4)
    return out + key + masked(data, key)


def masked(data, key):
    repeated = key * (len(data) // 4 + 1)
    size = len(data)
    return (int.from_bytes(data, "big") ^ int.from_bytes(
        repeated[:size], "big")).to_bytes(size, "big")


def read(f):
    """(kind, data) of the next frame, or None at the end."""
    head = f.read(2)
    if len(head) < 2:
        return None
    kind, size = head[0] & 15, head[1] & 127
    if size == 126:
        size, = struct.unpack(">H", f.read(2))
    elif size == 127:
        size, = struct.unpack(">Q", f.read(8))
    key = f.read(4) if head[1] & 0x80 else None
    data = f.read(size)
    return kind, masked(data, key) if key else data
