"""HTTP/1.1 over a blocking socket, bare enough to be wrong on purpose.

A client library would repair or hide what these tests are about: heads are
written as given, and replies are read with their framing checked.
"""

import io


class Broken(Exception):
    """What came is not a whole message."""


class Reply:
    def __init__(self, version, status, reason, fields):
        self.version, self.status, self.reason = version, status, reason
        self.fields = fields      # [(name, value)], as sent
        self.body = b""
        self.trailers = []
        self.interim = []         # the 1xx replies before it

    def get(self, name, default=None):
        for key, value in self.fields:
            if key.lower() == name.lower():
                return value
        return default

    def all(self, name):
        return [v for k, v in self.fields if k.lower() == name.lower()]

    @property
    def error(self):
        return self.get("sallyport-error")

    def __repr__(self):
        return "<%s %s %r>" % (self.status, self.reason, self.body[:120])


def reader(sock):
    """A buffered reader over sock that does not own it."""
    class Raw(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, out):
            return sock.recv_into(out)
    return io.BufferedReader(Raw(), 65536)


def fields_of(lines):
    out = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise Broken("not a field: %r" % line)
        out.append((name, value.strip()))
    return out


def read_lines(f):
    """The lines of a head up to the empty one; None when there is none."""
    lines = []
    while True:
        line = f.readline(1 << 20)
        if not line and not lines:
            return None
        if not line.endswith(b"\n"):
            raise Broken("cut off in a head: %r" % line[:80])
        line = line.rstrip(b"\r\n")
        if not line:
            return lines
        lines.append(line.decode("latin1"))


def read_head(f):
    """Status line and fields of a reply, without its body."""
    lines = read_lines(f)
    if lines is None:
        raise Broken("closed without a reply")
    parts = lines[0].split(" ", 2)
    if not parts[0].startswith("HTTP/1.") or len(parts) < 2:
        raise Broken("not a status line: %r" % lines[0][:80])
    return Reply(parts[0], int(parts[1]), parts[2] if len(parts) > 2 else "",
                 fields_of(lines[1:]))


def exactly(f, size):
    data = f.read(size)
    if len(data) != size:
        raise Broken("body cut off: %d of %d bytes" % (len(data), size))
    return data


def chunks(f, trailers):
    """The chunks of a body, one after the other."""
    while True:
        line = f.readline(8192)
        if not line.endswith(b"\n"):
            raise Broken("cut off at a chunk's size: %r" % line)
        size = int(line.split(b";")[0], 16)
        if not size:
            trailers.extend(fields_of(read_lines(f) or []))
            return
        yield exactly(f, size)
        if f.readline(3) not in (b"\r\n", b"\n"):
            raise Broken("no line end behind a chunk")


def pieces(f, reply, method="GET"):
    """The body of a reply whose head was read, as it comes."""
    if method == "HEAD" or reply.status in (204, 304) or reply.status < 200:
        return
    if "chunked" in (reply.get("transfer-encoding") or ""):
        yield from chunks(f, reply.trailers)
    elif reply.get("content-length") is not None:
        left = int(reply.get("content-length"))
        while left:
            data = f.read1(min(left, 65536))
            if not data:
                raise Broken("body cut off, %d bytes missing" % left)
            left -= len(data)
            yield data
    elif method == "CONNECT" and reply.status == 200:
        return
    else:
        while data := f.read1(65536):
            yield data


def read_reply(f, method="GET"):
    """The whole reply; the 1xx before it in .interim."""
    interim = []
    reply = read_head(f)
    while reply.status < 200 and reply.status != 101:
        interim.append(reply)
        reply = read_head(f)
    reply.interim = interim
    reply.body = b"".join(pieces(f, reply, method))
    return reply


def head(method, target, host, *fields, version="HTTP/1.1"):
    """A request's head as bytes; fields are whole lines."""
    lines = ["%s %s %s" % (method, target, version)]
    if host is not None:
        lines.append("Host: " + host)
    return ("\r\n".join(lines + list(fields)) + "\r\n\r\n").encode("latin1")
