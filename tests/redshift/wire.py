"""PostgreSQL's protocol 3 as messages: framing for both sides. Source: PostgreSQL's documentation, "Message Formats"."""

import struct

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST, PROTOCOL = 80877103, 80877104, 80877102, 196608


class Closed(Exception):
    """The other side is gone."""


class Reader:
    """Messages of a socket; buffered. One thread."""

    def __init__(self, connection):
        self.file = connection.makefile("rb", buffering=262144)

    def exactly(self, count):
        try:
            data = self.file.read(count)
        except OSError as error:
            raise Closed(str(error)) from error
        if len(data) < count:
            raise Closed("end of stream")
        return data

    def message(self):
        """(type as one byte, body)."""
        head = self.exactly(5)
        return head[:1], self.exactly(int.from_bytes(head[1:], "big") - 4)

    def startup(self):
        """(code, body) of the message without a type."""
        size, code = struct.unpack(">ii", self.exactly(8))
        return code, self.exactly(size - 8)


def message(kind, body=b""):
    return kind + struct.pack(">i", len(body) + 4) + body


def text(value):
    return value.encode(errors="surrogateescape") + b"\0"


def split_text(body, place=0):
    """A zero-terminated string at `place`, and the place after it."""
    end = body.index(b"\0", place)
    return body[place:end], end + 1


def fields(body):
    """Fields of an ErrorResponse or NoticeResponse."""
    answer = {}
    for part in body.split(b"\0"):
        if part:
            answer[chr(part[0])] = part[1:].decode(errors="replace")
    return answer


def error(state, words, detail=None, hint=None, severity="ERROR", kind=b"E"):
    body = b"S" + text(severity) + b"C" + text(state) + b"M" + text(words)
    body += (b"D" + text(detail) if detail else b"") + (b"H" + text(hint) if hint else b"")
    return message(kind, body + b"\0")


def ready(status):
    return message(b"Z", status.encode())


def complete(tag):
    return message(b"C", text(tag))


def row_description(columns):
    """Columns of (name, type oid), text format."""
    body = struct.pack(">h", len(columns))
    for name, oid in columns:
        body += text(name) + struct.pack(">ihihih", 0, 0, oid, -1, -1, 0)
    return message(b"T", body)


def data_row(values):
    body = struct.pack(">h", len(values))
    for value in values:
        raw = None if value is None else str(value).encode()
        body += struct.pack(">i", -1) if raw is None else struct.pack(">i", len(raw)) + raw
    return message(b"D", body)


def cells(body):
    """The texts of a DataRow; NULL is None."""
    count, place, answer = struct.unpack_from(">h", body)[0], 2, []
    for _ in range(count):
        size = struct.unpack_from(">i", body, place)[0]
        place += 4
        if size < 0:
            answer.append(None)
        else:
            answer.append(body[place:place + size].decode(errors="surrogateescape"))
            place += size
    return answer


def rename_columns(body, change):
    """A RowDescription with change(name, type oid) -> (name, type oid) for each column."""
    count, place, answer = struct.unpack_from(">h", body)[0], 2, [body[:2]]
    for _ in range(count):
        name, place = split_text(body, place)
        table, number, oid, size, modifier, form = struct.unpack_from(">ihihih", body, place)
        place += 18
        name, oid, size, modifier = change(name, oid, size, modifier)
        answer += [name, b"\0", struct.pack(">ihihih", table, number, oid, size, modifier, form)]
    return b"".join(answer)
