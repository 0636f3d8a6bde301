"""Runs one statement of a client: rules, faults, translation, the backend's statements, locks and snapshots."""

import re
import time

from redshift import rules
from redshift.alter_table import AlterTable
from redshift.copy_load import Loader
from redshift.copy_statement import parse_copy
from redshift.create_table import CreateTable, syntax, until_end
from redshift.errors import ABORTED, SqlError, conflict
from redshift.lexer import Token, shape_of, text_of
from redshift.names import literal
from redshift.queries import check_joins, check_leader, check_strings, doubled_rows, without_qualify
from redshift.rules import rejection
from redshift.translation import RESERVED

ENDS = {"COMMIT", "END", "ROLLBACK", "ABORT"}
QUERIES = {"SELECT", "WITH", "EXPLAIN", "FETCH", "("}
CHANGES = {"INSERT", "UPDATE", "DELETE", "MERGE"}
PLAIN = {
    "DROP", "GRANT", "REVOKE", "COMMENT", "ANALYZE", "DEALLOCATE", "DECLARE", "CLOSE", "PREPARE", "EXECUTE", "CALL", "REFRESH", "CREATE",
    "ALTER"
}
CATALOG = re.compile(r"\b(information_schema|pg_catalog|pg_table_def|svv_\w+|stv_\w+)\b", re.IGNORECASE)
OWN = {"BEGIN", "START", "COPY", "LOCK", "TRUNCATE", "VACUUM", "SET", "RESET", "SHOW", "UNLOAD"} | ENDS


class Execution:
    """The statements of one session. `session`: backend, translator, settings, names, front, and `send(bytes)` to the client.

    block: I outside of BEGIN, T inside, E inside after an error. A statement outside of BEGIN that needs several of the backend's opens
    a transaction there (`implicit`), which `finish` ends."""

    def __init__(self, session):
        self.session, self.backend, self.translator = session, session.backend, session.translator
        self.block, self.implicit = "I", False

    # ---- transactions ----

    def status(self):
        return self.block

    def open(self):
        """A transaction of the backend, for what has to happen together."""
        if self.block == "I" and not self.implicit:
            self.backend.run("begin")
            self.implicit = True

    def finish(self):
        """The end of what the client sent at once."""
        if self.implicit:
            self.implicit = False
            self.backend.run("commit")

    def fail(self):
        if self.block != "I":
            self.block = "E"
        elif self.implicit:
            self.implicit = False
            self.backend.run("rollback")

    # ---- one statement ----

    def run(self, tokens, text, sender, alone=True):
        """`sender(sql)`: relays a statement of the backend to the client, its CommandComplete included. `alone`: the only one of its message."""
        entry = self.session.journal.statement(self.session.number, text)
        self._take_time(tokens, text)
        try:
            self._run(tokens, text, sender, alone)
        except SqlError as error:
            entry["state"], entry["error"] = error.state, error.text
            if error.rule:
                self.session.journal.rejected(self.session.number, text, error)
            raise

    def _take_time(self, tokens, text):
        command = tokens[0].up
        changes = command in CHANGES | PLAIN | {"COPY", "TRUNCATE"} and command not in ("DEALLOCATE", "DECLARE", "CLOSE", "PREPARE")
        commits = command in ("COMMIT", "END") or (self.block == "I" and changes)
        latency = self.session.front.latency
        if self.block == "I" and changes:
            latency.statement_of(self.session.number, False, False)
        latency.statement_of(self.session.number, commits, bool(CATALOG.search(text)))

    def _run(self, tokens, text, sender, alone):
        command = tokens[0].up
        if self.block == "E" and command not in ENDS:
            raise SqlError(*ABORTED)
        self.check(tokens)
        at = "commit" if command in ("COMMIT", "END") else "statement"
        due = self.session.faults.due(at, text)
        after = self._before(due)
        if command in OWN:
            getattr(self, "_" + {
                "START": "begin",
                "END": "commit",
                "ABORT": "rollback"
            }.get(command, command.lower()))(tokens, text, sender, alone)
        elif command in QUERIES:
            sender(self.query_text(tokens))
        elif command in CHANGES:
            self._change(tokens, sender)
        elif command == "CREATE" and self._creates_table(tokens):
            self._create_table(tokens)
        elif command == "ALTER" and tokens[1].up == "TABLE":
            self._alter_table(tokens, alone)
        elif command in PLAIN:
            self._plain(tokens, sender)
        else:
            raise rejection("unknown-command", tokens[0].text)
        if after:
            raise SqlError("08006", "connection lost", connection_lost=True)

    def check(self, tokens):
        rules.check(shape_of(tokens), tokens)
        command = tokens[0].up
        if command not in OWN | QUERIES | CHANGES | PLAIN:
            raise rejection("unknown-command", tokens[0].text)
        check_strings(tokens)
        if command in ("UPDATE", "DELETE", "MERGE"):
            check_joins(text_of(tokens))
        if command in QUERIES or command == "CREATE" or (command == "INSERT" and any(token.up == "SELECT" for token in tokens)):
            check_leader(tokens)

    def _before(self, due):
        """Plays the faults; answers whether the connection is to be lost afterwards."""
        lost = False
        for fault in due:
            kind = fault["kind"]
            if kind == "slow":
                time.sleep(float(fault.get("seconds", 1)))
            elif kind == "lost_before":
                raise SqlError("08006", "connection lost", connection_lost=True)
            elif kind == "lost_after":
                lost = True
            elif kind in ("1023", "1018", "conflict", "error"):
                if fault["at"] == "commit" and self.block != "I":
                    # A COMMIT that fails has ended its transaction.
                    self.block = "I"
                    self.backend.run("rollback")
                raise _failure(fault)
        return lost

    # ---- transaction statements ----

    def _begin(self, tokens, text, sender, alone):
        if self.block == "T":
            self.session.notice("25001", "there is already a transaction in progress", "WARNING")
        else:
            if self.implicit:
                self.finish()
            # [D] r_BEGIN: the level's words change nothing. The backend takes its snapshot at the first query; LOCK TABLE is none.
            self.backend.run("begin isolation level repeatable read")
            self.block = "T"
        self.session.complete("BEGIN")

    def _commit(self, tokens, text, sender, alone):
        if self.block == "I":
            self.finish()
            self.session.notice("25P01", "there is no transaction in progress", "WARNING")
            return self.session.complete("COMMIT")
        failed, self.block = self.block == "E", "I"
        if failed:
            self.backend.run("rollback")
            return self.session.complete("ROLLBACK")
        self.backend.run("commit")
        return self.session.complete("COMMIT")

    def _rollback(self, tokens, text, sender, alone):
        if self.block == "I":
            if self.implicit:
                self.implicit = False
                self.backend.run("rollback")
            else:
                self.session.notice("25P01", "there is no transaction in progress", "WARNING")
            return self.session.complete("ROLLBACK")
        self.block = "I"
        self.backend.run("rollback")
        return self.session.complete("ROLLBACK")

    def _lock(self, tokens, text, sender, alone):
        place, tables = 2 if tokens[1].up == "TABLE" else 1, []
        while True:
            _, table, place = self.translator.qualified(tokens, place)
            tables.append(table)
            if place >= len(tokens):
                break
            if tokens[place].text != ",":
                raise syntax(tokens, place)
            place += 1
        if self.block == "I":
            self.open()
        self.backend.run(f"lock table {', '.join(tables)} in access exclusive mode")
        self.session.complete("LOCK TABLE")

    # ---- changes ----

    def lock_for_change(self, table, verb):
        """Writers of one table wait for one another until the transaction ends ([D] c_write_readwrite). Inside BEGIN the snapshot comes
        first, as Redshift takes it with the first statement other than LOCK; a statement alone waits and then reads what is there."""
        self.open()
        if self.backend.run(f"select redshift_front.lock_writers({literal(table)})") == [["v"]]:
            raise rejection("view-change", verb)

    def query_text(self, tokens):
        """SQL of the backend for a query."""
        return text_of(self.translator.tokens(without_qualify(tokens)))

    def target(self, tokens):
        """(place of the target's name) of INSERT, UPDATE, DELETE, MERGE."""
        return {"INSERT": 2, "UPDATE": 1, "MERGE": 2}.get(tokens[0].up, 2 if tokens[1].up == "FROM" else 1)

    def _change(self, tokens, sender):
        _, table, _ = self.translator.qualified(tokens, self.target(tokens))
        self.lock_for_change(table, {"DELETE": "delete from", "INSERT": "insert into"}.get(tokens[0].up, "update"))
        if tokens[0].up == "UPDATE" and self.session.settings.shown("error_on_nondeterministic_update") in ("on", "true"):
            doubled = doubled_rows(tokens, self.translator)
            if doubled and self.backend.rows(doubled):
                raise rejection("several-matches")
        sender(self.change_text(tokens))

    def change_text(self, tokens):
        """SQL of the backend for INSERT, UPDATE, DELETE, MERGE."""
        place = self.target(tokens)
        _, table, after = self.translator.qualified(tokens, place)
        command = tokens[0].up
        if command == "DELETE" and tokens[1].up != "FROM":
            tokens = [tokens[0], Token("w", "FROM"), *tokens[1:]]
        if command == "MERGE" and any(token.up == "REMOVE" for token in tokens):
            raise rejection("not-emulated", "MERGE .. REMOVE DUPLICATES")
        if command == "INSERT":
            tokens = self._insert(tokens, table, after)
        elif command == "UPDATE":
            tokens = self._update(tokens, table, after)
        tokens = without_qualify(tokens)
        return text_of(self.translator.tokens(tokens))

    def _special(self, table):
        """Column -> function that makes a value of text, for SUPER and VARBYTE columns; and all columns in order."""
        rows = self.backend.rows(
            "select a.attname, t.typname from pg_attribute a join pg_type t on t.oid = a.atttypid "
            f"where a.attrelid = to_regclass({literal(table)}) and a.attnum > 0 and not a.attisdropped order by a.attnum")
        return {name: f"pg_catalog.text_{kind}" for name, kind in rows if kind in ("super", "varbyte")}, [name for name, _ in rows]

    def _insert(self, tokens, table, place):
        """Strings for SUPER and VARBYTE columns are text, not JSON and not hex."""
        columns, short = None, self.translator.names.short
        if place < len(tokens) and tokens[place].text == "(" and tokens[place + 1].up not in ("SELECT", "WITH"):
            end = until_end(tokens, place + 1, ())
            columns = [
                short(token.name(not self.translator.settings.case_sensitive)) for token in tokens[place + 1:end] if token.kind in "wq"
            ]
            for token in tokens[place + 1:end]:
                if token.kind == "w" and token.up in RESERVED:
                    raise rejection("reserved", token.text)
            place = end + 1
        if place >= len(tokens) or tokens[place].up != "VALUES":
            return tokens
        special, every = self._special(table)
        if any(token.up == "SELECT"
               for token in tokens[place:]) and sum(token.text == "(" and tokens[number - 1].text == "," and tokens[number - 2].text == ")"
                                                    for number, token in enumerate(tokens[place:], place)):
            raise rejection("multi-row-subquery")
        if not special:
            return tokens
        columns, answer, depth, index = columns or every, tokens[:place], 0, 0
        for number in range(place, len(tokens)):
            token = tokens[number]
            if token.text == "(":
                depth += 1
                index = 0 if depth == 1 else index
            elif token.text == ")":
                depth -= 1
            elif token.text == "," and depth == 1:
                index += 1
            alone = depth == 1 and token.kind in "sp" and tokens[number - 1].text in "(," and tokens[number + 1].text in "),"
            function = special.get(columns[index]) if alone and index < len(columns) else None
            answer.append(Token("w", f"{function}({token.text}::text)") if function else token)
        return answer

    def _update(self, tokens, table, place):
        if not any(token.kind in "sp" for token in tokens):
            return tokens
        special, _ = self._special(table)
        if not special:
            return tokens
        answer, short = list(tokens), self.translator.names.short
        for number in range(place, len(tokens) - 2):
            name = tokens[number].name() if tokens[number].kind in "wq" else None
            if name and short(name) in special and tokens[number + 1].text == "=" and tokens[number +
                                                                                             2].kind in "sp" and tokens[number - 1].up in (
                                                                                                 "SET", ","):
                if number + 3 >= len(tokens) or tokens[number + 3].text != "::":
                    answer[number + 2] = Token("w", f"{special[short(name)]}({tokens[number + 2].text}::text)")
        return answer

    # ---- tables ----

    @staticmethod
    def _creates_table(tokens):
        words = [token.up for token in tokens[1:4]]
        return words[:1] == ["TABLE"] or (words[0] in ("TEMP", "TEMPORARY", "LOCAL") and "TABLE" in words)

    def _create_table(self, tokens):
        create = CreateTable(tokens, self.translator)
        self.open()
        self.backend.run("; ".join(create.statements))
        self.session.keep_names()
        self.session.complete("SELECT" if create.query is not None else "CREATE TABLE")

    def _alter_table(self, tokens, alone):
        alter = AlterTable(tokens, self.translator)
        self.open()
        alter.run(self.backend, alone and self.block == "I")
        self.session.keep_names()
        self.session.complete("ALTER TABLE")

    def _truncate(self, tokens, text, sender, alone):
        _, table, after = self.translator.qualified(tokens, 2 if tokens[1].up == "TABLE" else 1)
        if after < len(tokens):
            raise syntax(tokens, after)
        self.backend.run(f"truncate table {table}")
        if self.block == "T":
            # [D] r_TRUNCATE: it commits what was done before it, and itself.
            self.backend.run("commit; begin isolation level repeatable read")
        self.session.complete("TRUNCATE TABLE")

    def _vacuum(self, tokens, text, sender, alone):
        if self.block != "I":
            raise rejection("vacuum-block")
        self.session.complete("VACUUM")

    def _copy(self, tokens, text, sender, alone):
        copy = parse_copy(tokens, self.translator)
        self.lock_for_change(copy.table, "copy to")
        session = self.session
        session.query_id = session.front.next_query()
        due = session.faults.due("copy", text)
        lost = self._before(due)
        count = Loader(session, copy, session.front.s3, session.front.roles, due).run()
        self.backend.run(
            f"set redshift.last_copy_count = {count}; set redshift.last_copy_id = {session.query_id}; set redshift.last_query_id = {session.query_id}"
        )
        # [I] dbcrossbar/dbcrossbar#41
        session.notice("00000", f"Load into table '{copy.name[-1]}' completed, {count} record(s) loaded successfully.", "INFO")
        session.complete("COPY")
        if lost:
            raise SqlError("08006", "connection lost", connection_lost=True)

    def _unload(self, tokens, text, sender, alone):
        raise rejection("not-emulated", "UNLOAD")

    # ---- others ----

    def _plain(self, tokens, sender):
        words = [token.up for token in tokens[:4]]
        if words[0] in ("CREATE", "DROP") and words[1] == "DATABASE":
            if self.block != "I":
                raise rejection("database-block", words[0])
            name = self.translator.qualified(tokens, 2)[0][-1]
            if words[0] == "CREATE":
                self.session.front.make_database(name, self.session.user)
            else:
                self.session.front.drop_database(name)
            return self.session.complete(f"{words[0]} DATABASE")
        if "LIBRARY" in words[1:4]:
            raise rejection("library-block") if self.block != "I" else rejection("not-emulated", "libraries")
        if words[1] == "EXTERNAL":
            raise rejection("external-block", words[0]) if self.block != "I" and words[2] == "TABLE" else rejection(
                "not-emulated", "external objects")
        if words[0] == "ANALYZE":
            return self.session.complete("ANALYZE")
        if words[0] == "DEALLOCATE" and self.session.forget_prepared(tokens[-1]):
            return self.session.complete("DEALLOCATE")
        sender(text_of(self.translator.tokens(tokens)))
        self.session.keep_names()
        return None

    def _set(self, tokens, text, sender, alone):
        place = 2 if len(tokens) > 1 and tokens[1].up in ("SESSION", "LOCAL") else 1
        name = tokens[place].name() if place < len(tokens) else None
        if name in ("transaction", "characteristics"):
            return self.session.complete("SET")
        if name and self.session.settings.knows(name):
            value = "".join(token.text for token in tokens[place + 2:]).strip("'").lower()
            self.session.settings.set(name, None if value == "default" else value)
            return self.session.complete("SET")
        return sender(text_of(self.translator.tokens(tokens)))

    def _reset(self, tokens, text, sender, alone):
        name = tokens[1].name() if len(tokens) > 1 else None
        if name and self.session.settings.knows(name):
            self.session.settings.set(name, None)
            return self.session.complete("RESET")
        return sender(text_of(tokens))

    def _show(self, tokens, text, sender, alone):
        words = [token.up for token in tokens]
        name = tokens[1].name() if len(tokens) > 1 else None
        if len(tokens) == 2 and self.session.settings.knows(name):
            return sender(f"select {literal(self.session.settings.shown(name))} as {name}")
        if words[1:3] == ["TABLES", "FROM"]:
            schema = self.translator.qualified(tokens, 4)[0][-1]
            return sender("select table_catalog as database_name, table_schema as schema_name, table_name, table_type from svv_tables "
                          f"where table_schema = {literal(schema)} order by table_name")
        if words[1:3] == ["COLUMNS", "FROM"]:
            parts = self.translator.qualified(tokens, 4)[0]
            return sender(
                "select table_catalog as database_name, table_schema as schema_name, table_name, column_name, ordinal_position, "
                "column_default, is_nullable, data_type, "
                "character_maximum_length, numeric_precision, numeric_scale, remarks from svv_columns "
                f"where table_name = {literal(parts[-1])}" + (f" and table_schema = {literal(parts[0])}" if len(parts) > 1 else "") +
                " order by ordinal_position")
        return sender(text_of(tokens))


def _failure(fault):
    if fault["kind"] == "1023":
        return conflict()
    if fault["kind"] == "1018":
        return SqlError("XX000", "1018", "Relation does not exist.")
    if fault["kind"] == "conflict":
        return SqlError("XX000", "could not complete because of conflict with concurrent transaction")
    return SqlError(fault.get("state", "XX000"), fault.get("text", "error"))
