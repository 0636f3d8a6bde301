"""One client: startup, authentication, the simple and the extended protocol."""

import contextlib
import hashlib
import os
import socket
import struct

from redshift import wire
from redshift.backend import Backend
from redshift.errors import ABORTED, SqlError
from redshift.execution import CHANGES, ENDS, QUERIES, Execution
from redshift.lexer import statements_of, text_of, tokens_of
from redshift.names import literal
from redshift.queries import STRING_LIMIT
from redshift.rules import rejection
from redshift.settings import Settings
from redshift.translation import Translator

PARAMETERS = {
    "server_version": "8.0.2",
    "server_encoding": "UNICODE",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "TimeZone": "UTC",
    "integer_datetimes": "on",
    "is_superuser": "off",
    "max_numeric_precision": "38",
    "max_varchar_size": "65535"
}
# Strings have backslash escapes (lexer.py); Redshift knows no SAVEPOINT, so nobody asks for notices of them.
OPTIONS = {
    "options":
    "-c standard_conforming_strings=off -c escape_string_warning=off -c extra_float_digits=1 -c client_min_messages=warning "
    "-c default_transaction_isolation=read\\ committed -c datestyle=ISO,MDY -c timezone=UTC -c jit=off"
}
STATEMENT_LIMIT = 16 << 20  # bytes; [D] c_redshift-sql
PASSED = {"application_name"}  # of the startup parameters; the drivers' own (driver_version, ...) PostgreSQL would refuse


class Prepared:
    def __init__(self, tokens, text, types):
        self.tokens, self.text, self.types = tokens, text, types
        self.command = tokens[0].up if tokens else ""

    def relayed(self):
        """Whether the backend can prepare it as it is."""
        return self.command in QUERIES or self.command in CHANGES


class Portal:
    def __init__(self, prepared, formats, values, results):
        self.prepared, self.formats, self.values, self.results = prepared, formats, values, results
        self.rows, self.tag = None, None


class Session:
    """Runs in a thread of its own: `run` until the client is gone."""

    def __init__(self, front, connection, number):
        self.front, self.socket, self.number = front, connection, number
        self.faults, self.journal, self.names, self.settings = front.faults, front.journal, front.names, Settings()
        self.translator = Translator(self.names, self.settings)
        self.reader, self.out, self.backend, self.execution, self.user = wire.Reader(connection), [], None, None, None
        self.size, self.query_id, self.saved_names, self.database = 0, 0, set(), None
        self.prepared, self.portals, self.skipping, self.abrupt = {}, {}, False, False

    # ---- output ----

    def send(self, data):
        self.out.append(data)
        self.size += len(data)
        if self.size > 65536:
            self.flush()

    def flush(self):
        data, self.out, self.size = b"".join(self.out), [], 0
        if data:
            try:
                self.socket.sendall(data)
            except OSError as error:
                raise wire.Closed(str(error)) from error

    def complete(self, tag):
        self.send(wire.complete(tag))

    def notice(self, state, words, severity):
        self.send(wire.error(state, words, severity=severity, kind=b"N"))

    def _error(self, error):
        if error.connection_lost:
            self.abrupt = True  # RST, as when a machine is gone
            raise wire.Closed("fault")
        self.send(wire.error(error.state, error.text, error.detail, error.hint))

    # ---- life ----

    def run(self):
        try:
            if self._startup():
                while self._message():
                    pass
        except wire.Closed:
            pass
        finally:
            self.close()

    def close(self):
        if self.abrupt:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.reader.file.close()
        self.socket.close()
        if self.execution:
            self.execution.isolation.end(False)
        if self.backend:
            self.backend.close()
        self.front.forget(self)

    def _startup(self):
        while True:
            code, body = self.reader.startup()
            if code in (wire.SSL_REQUEST, wire.GSS_REQUEST):
                self.socket.sendall(b"N")
            elif code == wire.CANCEL_REQUEST:
                self.front.cancel(body)
                return False
            elif code >> 16 == 3:
                break
            else:
                self._refuse("0A000", "unsupported frontend protocol")
                return False
        parts = body.rstrip(b"\0").split(b"\0")
        given = dict(zip((part.decode() for part in parts[::2]), (part.decode(errors="replace") for part in parts[1::2])))
        self.user = given.get("user", "")
        if not self._authenticated():
            self._refuse("28P01", f'password authentication failed for user "{self.user}"')
            return False
        self.database = given.get("database") or self.user
        if self.database not in self.front.databases:
            self._refuse("3D000", f'database "{self.database}" does not exist')
            return False
        try:
            self.backend = Backend(self.front.backend_address, self.user, self.database, self.names,
                                   {**OPTIONS, **{name: value for name, value in given.items() if name in PASSED}})
        except SqlError as error:
            self._refuse(error.state, error.text)
            return False
        self.history = self.front.history_of(self.database)
        self.execution = Execution(self)
        self.send(wire.message(b"R", struct.pack(">i", 0)))
        for name, value in {**PARAMETERS, "session_authorization": self.user}.items():
            self.send(wire.message(b"S", wire.text(name) + wire.text(value)))
        self.send(wire.message(b"K", self.backend.cancel_key))
        self._ready()
        return True

    def _refuse(self, state, words):
        self.send(wire.error(state, words, severity="FATAL"))
        self.flush()

    def _authenticated(self):
        expected = self.front.password_of(self.user)
        if self.front.authentication == "cleartext":
            self.socket.sendall(wire.message(b"R", struct.pack(">i", 3)))
        else:
            salt = os.urandom(4)
            self.socket.sendall(wire.message(b"R", struct.pack(">i", 5) + salt))
        kind, body = self.reader.message()
        given = body.rstrip(b"\0").decode(errors="replace")
        if kind != b"p" or expected is None:
            return False
        if self.front.authentication == "cleartext":
            return given == expected
        inner = hashlib.md5((expected + self.user).encode()).hexdigest()
        return given == "md5" + hashlib.md5(inner.encode() + salt).hexdigest()

    def _ready(self):
        self.send(wire.ready(self.execution.status()))
        self.flush()

    # ---- messages ----

    def _message(self):
        kind, body = self.reader.message()
        if kind == b"X":
            return False
        if kind == b"Q":
            self._simple(body[:-1].decode(errors="surrogateescape"))
        elif kind == b"S":
            self._sync()
        elif kind == b"H":
            self.flush()
        elif not self.skipping and kind in b"PBDEC":
            try:
                {b"P": self._parse, b"B": self._bind, b"D": self._describe, b"E": self._execute, b"C": self._close}[kind](body)
            except SqlError as error:
                self.execution.fail()
                self._error(error)
                self.skipping = True
        elif kind == b"F":
            self._error(SqlError("0A000", "function calls are not supported"))
            self._ready()
        return True

    def _simple(self, text):
        execution = self.execution
        try:
            statements = statements_of(self._tokens(text))
            if not statements:
                self.send(wire.message(b"I"))
            for tokens in statements:
                execution.run(tokens, text if len(statements) == 1 else text_of(tokens), self._relay, len(statements) == 1)
            execution.finish()
        except SqlError as error:
            execution.fail()
            self._error(error)
        self._ready()

    def _tokens(self, text):
        size = len(text) if len(text) < STATEMENT_LIMIT // 4 else len(text.encode(errors="surrogateescape"))
        if size > STATEMENT_LIMIT:
            error = rejection("statement-size", size)
            self.journal.statement(self.number, text).update(state=error.state, error=error.text)
            self.journal.rejected(self.number, text, error)
            raise error
        return tokens_of(text)

    def _relay(self, sql):
        """The backend's answer to a statement, for the client."""
        self.backend.query(sql)
        failure = None
        for kind, body in self.backend.replies():
            if kind == b"E":
                failure = self.backend.error(body)
            elif kind == b"T":
                self.send(wire.message(b"T", wire.rename_columns(body, self._column)))
            elif kind in b"DCIN":
                self.send(wire.message(kind, body))
        if failure:
            raise failure

    def _column(self, name, oid, size, modifier):
        own = self.front.type_numbers.get(oid)
        return self.names.back(name), own or oid, size, -1 if own else modifier

    # ---- extended protocol ----

    def _parse(self, body):
        name, place = wire.split_text(body)
        raw, place = wire.split_text(body, place)
        count = struct.unpack_from(">h", body, place)[0]
        types = list(struct.unpack_from(f">{count}i", body, place + 2))
        text = raw.decode(errors="surrogateescape")
        statements = statements_of(self._tokens(text))
        if len(statements) > 1:
            raise SqlError("42601", "cannot insert multiple commands into a prepared statement")
        tokens = statements[0] if statements else []
        if tokens:
            try:
                if self.execution.status() == "E" and tokens[0].up not in ENDS:
                    raise SqlError(*ABORTED)
                self.execution.check(tokens)
            except SqlError as error:
                self.journal.statement(self.number, text).update(state=error.state, error=error.text)
                if error.rule:
                    self.journal.rejected(self.number, text, error)
                raise
        self.prepared[name] = Prepared(tokens, text, [self.front.databases[self.database].type_of_backend.get(oid, oid) for oid in types])
        self.send(wire.message(b"1"))

    def _bind(self, body):
        portal, place = wire.split_text(body)
        name, place = wire.split_text(body, place)
        prepared = self._statement(name)
        count = struct.unpack_from(">h", body, place)[0]
        formats = list(struct.unpack_from(f">{count}h", body, place + 2))
        place += 2 + 2 * count
        count = struct.unpack_from(">H", body, place)[0]
        start = place
        if count > 32767:
            self.journal.rejected(self.number, prepared.text, rejection("parameters"))
            raise rejection("parameters")
        place += 2
        for _ in range(count):
            size = struct.unpack_from(">i", body, place)[0]
            if size > STRING_LIMIT:
                self.journal.rejected(self.number, prepared.text, rejection("string-size"))
                raise rejection("string-size")
            place += 4 + max(size, 0)
        self.portals[portal] = Portal(prepared, formats, body[start:place], body[place:])
        self.send(wire.message(b"2"))

    def _statement(self, name):
        if name not in self.prepared:
            raise SqlError("26000", f'prepared statement "{name.decode(errors="replace")}" does not exist')
        return self.prepared[name]

    def _portal(self, name):
        if name not in self.portals:
            raise SqlError("34000", f'portal "{name.decode(errors="replace")}" does not exist')
        return self.portals[name]

    def _describe(self, body):
        kind, name = body[:1], body[1:-1]
        portal = self._portal(name) if kind == b"P" else None
        prepared = portal.prepared if portal else self._statement(name)
        parameters, columns = self._description(prepared)
        if portal is None:
            self.send(wire.message(b"t", parameters))
        if columns is None:
            self.send(wire.message(b"n"))
        else:
            self.send(wire.message(b"T", _with_formats(columns, portal.results) if portal else columns))

    def _description(self, prepared):
        """(ParameterDescription, RowDescription or None) of a statement."""
        if not prepared.relayed():
            return struct.pack(">h", 0), self._shown(prepared) if prepared.command == "SHOW" else None
        if self.execution.status() == "E":
            raise SqlError(*ABORTED)
        self.backend.send(
            wire.message(
                b"P", b"\0" + wire.text(self._sql(prepared)) +
                struct.pack(f">h{len(prepared.types)}i", len(prepared.types), *prepared.types)) + wire.message(b"D", b"S\0") +
            wire.message(b"S"))
        parameters, columns, failure = struct.pack(">h", 0), None, None
        for kind, body in self.backend.replies():
            if kind == b"t":
                parameters = body
            elif kind == b"T":
                columns = wire.rename_columns(body, self._column)
            elif kind == b"E":
                failure = self.backend.error(body)
        if failure:
            raise failure
        return parameters, columns

    @staticmethod
    def _shown(prepared):
        return wire.row_description([(prepared.tokens[1].name() or "setting" if len(prepared.tokens) == 2 else "setting", 1043)])[5:]

    def _sql(self, prepared):
        if prepared.command in CHANGES:
            return self.execution.change_text(prepared.tokens)
        return self.execution.query_text(prepared.tokens)

    def _execute(self, body):
        name, place = wire.split_text(body)
        limit = struct.unpack_from(">i", body, place)[0]
        portal = self._portal(name)
        if not portal.prepared.tokens:
            self.send(wire.message(b"I"))
            return
        if portal.rows is None:
            self._start(portal)
        if limit <= 0 or len(portal.rows) <= limit:
            for row in portal.rows:
                self.send(row)
            portal.rows = []
            if portal.tag is not None:
                self.send(portal.tag)
        else:
            for row in portal.rows[:limit]:
                self.send(row)
            portal.rows = portal.rows[limit:]
            self.send(wire.message(b"s"))

    def _start(self, portal):
        prepared, rows = portal.prepared, []
        portal.rows = rows

        def relay(sql):
            types = prepared.types if prepared.relayed() else []
            formats = struct.pack(f">h{len(portal.formats)}h", len(portal.formats), *portal.formats)
            self.backend.send(wire.message(b"P", b"\0" + wire.text(sql) + struct.pack(f">h{len(types)}i", len(types), *types)) +
                              wire.message(b"B", b"\0\0" + formats + portal.values + portal.results) +
                              wire.message(b"E", b"\0" + struct.pack(">i", 0)) + wire.message(b"S"))
            failure = None
            for kind, body in self.backend.replies():
                if kind == b"E":
                    failure = self.backend.error(body)
                elif kind == b"D":
                    rows.append(wire.message(kind, body))
                elif kind in b"CI":
                    portal.tag = wire.message(kind, body)
                elif kind == b"N":
                    self.send(wire.message(kind, body))
            if failure:
                raise failure

        self.execution.run(prepared.tokens, prepared.text, relay)

    def _close(self, body):
        (self.prepared if body[:1] == b"S" else self.portals).pop(body[1:-1], None)
        self.send(wire.message(b"3"))

    def _sync(self):
        try:
            if self.skipping:
                self.skipping = False
            else:
                self.execution.finish()
        except SqlError as error:
            self.execution.fail()
            self._error(error)
        if self.execution.status() == "I":
            self.portals.clear()
        self._ready()

    # ---- for the execution ----

    def keep_names(self):
        """Long names that have come up are written down for the backend's views, in the client's transaction."""
        new = {short: long for short, long in list(self.names.long.items()) if short not in self.saved_names}
        if new:
            self.backend.run("insert into redshift_front.names values " +
                             ", ".join(f"({literal(short)}, {literal(long)})" for short, long in new.items()) + " on conflict do nothing")
            self.saved_names |= new.keys()

    def forget_prepared(self, token):
        """DEALLOCATE of a statement that came by Parse; whether there was one."""
        name = token.text[1:-1] if token.kind == "q" else token.text
        return self.prepared.pop(name.encode(), None) is not None

    def admin_run(self, sql):
        return self.front.admin_run(self.database, sql)

    rows = admin_run


def _with_formats(columns, results):
    """A RowDescription with the formats that Bind asks for."""
    count = struct.unpack_from(">h", results)[0]
    formats = struct.unpack_from(f">{count}h", results, 2)
    total, place, answer = struct.unpack_from(">h", columns)[0], 2, [columns[:2]]
    for index in range(total):
        end = columns.index(b"\0", place) + 17
        wanted = formats[index] if count == total and count > 1 else formats[0] if count else 0
        answer += [columns[place:end], struct.pack(">h", wanted)]
        place = end + 2
    return b"".join(answer)
