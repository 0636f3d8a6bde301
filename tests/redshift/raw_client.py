"""A client that speaks the protocol message by message, for what drivers do not do on command."""

import hashlib
import socket
import struct

from redshift import wire


class Refused(Exception):
    def __init__(self, fields):
        super().__init__(f"{fields.get('C')} {fields.get('M')}")
        self.state, self.text, self.detail = fields.get("C"), fields.get("M"), fields.get("D")


class RawClient:
    """One connection. `query` raises Refused; `status` is what the last ReadyForQuery said."""

    def __init__(self, front, user=None, password=None, more=None):
        user = user or front.user
        password = front.users.get(user) if password is None else password
        self.parameters, self.status, self.notices, self.columns = {}, None, [], []
        self.socket = socket.create_connection((front.host, front.port), 60)
        self.reader = wire.Reader(self.socket)
        try:
            self._start(front, user, password, more)
        except Exception:
            self.close()
            raise

    def _start(self, front, user, password, more):
        settings = {"user": user, "database": front.database, **(more or {})}
        body = struct.pack(">i", wire.PROTOCOL) + b"".join(wire.text(name) + wire.text(value) for name, value in settings.items()) + b"\0"
        self.socket.sendall(struct.pack(">i", len(body) + 4) + body)
        kind, body = self.reader.message()
        code = struct.unpack_from(">i", body)[0]
        if code == 5:
            inner = hashlib.md5((password + user).encode()).hexdigest()
            password = "md5" + hashlib.md5(inner.encode() + body[4:]).hexdigest()
        self.send(b"p", wire.text(password))
        self.until_ready()

    def send(self, kind, body=b""):
        self.socket.sendall(wire.message(kind, body))

    def until_ready(self):
        """All messages until ReadyForQuery; Refused for an error among them."""
        answer, refused = [], None
        while True:
            kind, body = self.reader.message()
            if kind == b"E":
                refused = Refused(wire.fields(body))
                if wire.fields(body).get("S") == "FATAL":
                    raise refused
            elif kind == b"S":
                name, place = wire.split_text(body)
                self.parameters[name.decode()] = wire.split_text(body, place)[0].decode()
            elif kind == b"N":
                self.notices.append(wire.fields(body))
            elif kind == b"Z":
                self.status = body.decode()
                if refused:
                    refused.messages = answer
                    raise refused
                return answer
            if kind == b"T":
                self.columns = _columns(body)
            answer.append((kind, body))

    def query(self, text):
        """Rows of a simple query, as texts."""
        self.send(b"Q", wire.text(text))
        return [wire.cells(body) for kind, body in self.until_ready() if kind == b"D"]

    def parse(self, text, name="", types=()):
        self.send(b"P", wire.text(name) + wire.text(text) + struct.pack(f">h{len(types)}i", len(types), *types))

    def bind(self, values=(), portal="", name="", results=()):
        body = wire.text(portal) + wire.text(name) + struct.pack(">hH", 0, len(values))
        for value in values:
            raw = None if value is None else value.encode()
            body += struct.pack(">i", -1) if raw is None else struct.pack(">i", len(raw)) + raw
        self.send(b"B", body + struct.pack(f">h{len(results)}h", len(results), *results))

    def execute(self, portal="", limit=0):
        self.send(b"E", wire.text(portal) + struct.pack(">i", limit))

    def sync(self):
        self.send(b"S")
        return self.until_ready()

    def close(self):
        self.reader.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def _columns(body):
    """[(name, type number)] of a RowDescription."""
    answer, place = [], 2
    for _ in range(struct.unpack_from(">h", body)[0]):
        name, place = wire.split_text(body, place)
        answer.append((name.decode(), struct.unpack_from(">ihi", body, place)[2]))
        place += 18
    return answer
