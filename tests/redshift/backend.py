"""A connection to the PostgreSQL behind the front, by its protocol."""

import contextlib
import socket
import struct

from redshift import wire
from redshift.errors import translated


class Backend:
    """One session; trust authentication. One thread. Errors of PostgreSQL are raised as SqlError, translated; wire.Closed when it is gone."""

    def __init__(self, address, user, database, names, options=None):
        self.names, self.parameters = names, {}
        self.socket = socket.create_connection(address, 10)
        self.socket.settimeout(None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = wire.Reader(self.socket)
        settings = {"user": user, "database": database, "client_encoding": "UTF8", **(options or {})}
        body = struct.pack(">i", wire.PROTOCOL) + b"".join(wire.text(name) + wire.text(value) for name, value in settings.items()) + b"\0"
        self.socket.sendall(struct.pack(">i", len(body) + 4) + body)
        self.process = 0
        while True:
            kind, body = self.reader.message()
            if kind == b"E":
                raise self.error(body)
            if kind == b"S":
                name, place = wire.split_text(body)
                self.parameters[name.decode()] = wire.split_text(body, place)[0].decode()
            elif kind == b"K":
                self.process = struct.unpack_from(">i", body)[0]
                self.cancel_key = body
            elif kind == b"Z":
                return

    def error(self, body):
        found = wire.fields(body)
        return translated(found.get("C", "XX000"), found.get("M", ""), found.get("D"), found.get("H"), self.names.long)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise wire.Closed(str(error)) from error

    def replies(self):
        """Messages until ReadyForQuery (left out)."""
        while True:
            kind, body = self.reader.message()
            if kind == b"Z":
                return
            yield kind, body

    def query(self, sql):
        self.send(wire.message(b"Q", wire.text(sql)))

    def run(self, sql):
        """Runs one or more statements; answers the rows, as texts, of all of them."""
        self.query(sql)
        rows, failure = [], None
        for kind, body in self.replies():
            if kind == b"D":
                rows.append(wire.cells(body))
            elif kind == b"E" and failure is None:
                failure = self.error(body)
                failure.context = wire.fields(body).get("W", "")
        if failure:
            raise failure
        return rows

    rows = run

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.reader.file.close()
        self.socket.close()
