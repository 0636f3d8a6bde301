"""Runs one statement of a client: rules, faults, translation, the backend's statements, locks and snapshots."""

import re
import time
import traceback

from redshift import rules, wire
from redshift.alter_table import AlterTable
from redshift.copy_load import Loader
from redshift.copy_statement import parse_copy
from redshift.correlated import check_correlated
from redshift.create_table import CreateTable, syntax, until_end
from redshift.errors import ABORTED, SqlError, failure_of
from redshift.lexer import Token, shape_of, text_of
from redshift.merge import check_merge
from redshift.names import literal
from redshift.isolation import Isolation
from redshift.leader import check_leader
from redshift.navigation import navigated
from redshift.queries import check_joins, check_select_list, check_strings, doubled_rows, without_qualify
from redshift.relations import relations_of
from redshift.rules import rejection
from redshift.settings import with_settings
from redshift.show import show_text
from redshift.translation import RESERVED
from redshift.wide_super import check_wide_super
from redshift.views import create_unbound, drop_unbound, is_late_view, is_unbound, late_views, with_queries

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
        self.isolation = Isolation(session.history, session.backend)

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
        if self.block == "I":
            self.isolation.end(True)

    def fail(self):
        self.isolation.end(False)
        if self.block != "I":
            self.block = "E"
        elif self.implicit:
            self.implicit = False
            self.backend.run("rollback")

    # ---- one statement ----

    def run(self, tokens, text, sender, alone=True):
        """`sender(sql)`: relays a statement of the backend to the client, its CommandComplete included. `alone`: the only one of its message."""
        entry = self.session.journal.statement(self.session.number, text)
        wait = self._take_time(tokens, text)
        begun = time.monotonic()
        try:
            self._run(tokens, text, sender, alone)
            # What the backend takes is part of what a statement takes.
            entry["seconds"] = time.monotonic() - begun
            if wait > entry["seconds"]:
                time.sleep(wait - entry["seconds"])
        except SqlError as error:
            entry["state"], entry["error"] = error.state, error.text
            if error.rule:
                self.session.journal.rejected(self.session.number, text, error)
            raise
        except wire.Closed:
            raise
        except Exception as error:  # a fault of the front: told, so that a test sees it
            traceback.print_exc()
            entry["state"], entry["error"] = "XX000", f"the test front failed: {error!r}"
            self.session.journal.rejected(self.session.number, text, rejection("not-emulated", f"this statement: {error!r}"))
            raise SqlError("XX000", entry["error"]) from error

    def _take_time(self, tokens, text):
        """Answers how long the statement has to take at least."""
        command = tokens[0].up
        changes = command in CHANGES | PLAIN | {"COPY", "TRUNCATE"} and command not in ("DEALLOCATE", "DECLARE", "CLOSE", "PREPARE")
        commits = command in ("COMMIT", "END") or (self.block == "I" and changes)
        latency = self.session.front.latency
        wait = latency.statement_of(self.session.number, False, False) if self.block == "I" and changes else 0
        return wait + latency.statement_of(self.session.number, commits, bool(CATALOG.search(text)))

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
            self._touch(tokens)
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
        if command in QUERIES or command in CHANGES or (command == "CREATE" and any(token.up == "SELECT" for token in tokens)):
            check_leader(tokens, relations_of(tokens))
            check_select_list(tokens)
            if sum(token.up == "SELECT" for token in tokens[:20000]) > (command in QUERIES or command == "INSERT"):
                check_correlated(text_of(tokens))

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
                    self.isolation.end(False)
                    self.backend.run("rollback")
                raise failure_of(fault)
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
        self.isolation.end(True)
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
        self.isolation.end(False)
        self.backend.run("rollback")
        return self.session.complete("ROLLBACK")

    def _lock(self, tokens, text, sender, alone):
        place, tables = 2 if tokens[1].up == "TABLE" else 1, []
        while True:
            parts, table, place = self.translator.qualified(tokens, place)
            if self.session.front.has_late_views and is_late_view(self.session, parts):
                raise rejection("lock-view")
            tables.append(table)
            if place >= len(tokens):
                break
            if tokens[place].text != ",":
                raise syntax(tokens, place)
            place += 1
        if self.block == "I":
            self.open()
        # Asked for on another connection: a query of this one would take its snapshot before the lock.
        views = " union all ".join(f"select relkind from pg_class where oid = to_regclass({literal(table)})" for table in tables)
        if ["v"] in self.session.admin_run(views):
            raise rejection("lock-view")
        self.backend.run(f"lock table {', '.join(tables)} in access exclusive mode")
        self.session.complete("LOCK TABLE")

    # ---- changes ----

    def lock_for_change(self, parts, table, verb):
        """Writers of one table wait for one another until the transaction ends ([D] c_write_readwrite). Inside BEGIN the snapshot comes
        first, as Redshift takes it with the first statement other than LOCK; a statement alone waits and then reads what is there."""
        self.open()
        self.isolation.snapshot()
        self._refuse_late_view(parts, "view-change", verb)
        if self.backend.run(f"select redshift_front.lock_writers({literal(table)})") == [["v"]]:
            raise rejection("view-change", verb)

    def _touch(self, tokens, table=None):
        """What the statement reads, and `table`, which it changes."""
        if not self.session.front.wide_super:
            check_wide_super(tokens, relations_of(tokens), self.translator, self.backend)
        if self.isolation.history is not None:
            tokens = with_queries(tokens, late_views(self.backend)) if self.session.front.has_late_views else tokens
            reads = {self.translator.qualified(tokens, each.place)[1] for each in relations_of(tokens).named
                     if each.role in ("FROM", "JOIN", "USING") or tokens[0].up in ("UPDATE", "MERGE")}
            self.isolation.touch(reads, {table} if table else set())

    def _refuse_late_view(self, parts, rule, near=""):
        if self.session.front.has_late_views and is_late_view(self.backend, parts):
            raise rejection(rule, near)

    def query_text(self, tokens):
        """SQL of the backend for a query."""
        tokens = with_settings(tokens, self.session.settings)
        return text_of(self.translator.tokens(without_qualify(self.expanded(tokens))))

    def expanded(self, tokens):
        """The tokens without what only Redshift's grammar has."""
        if self.session.front.has_late_views:
            tokens = with_queries(tokens, late_views(self.backend))
        return navigated(tokens, relations_of(tokens), self.session.settings)

    def target(self, tokens):
        """(place of the target's name) of INSERT, UPDATE, DELETE, MERGE."""
        return {"INSERT": 2, "UPDATE": 1, "MERGE": 2}.get(tokens[0].up, 2 if tokens[1].up == "FROM" else 1)

    def _change(self, tokens, sender):
        parts, table, _ = self.translator.qualified(tokens, self.target(tokens))
        self.lock_for_change(parts, table, {"DELETE": "delete from", "INSERT": "insert into"}.get(tokens[0].up, "update"))
        if tokens[0].up == "UPDATE" and self.session.settings.shown("error_on_nondeterministic_update") in ("on", "true"):
            doubled = doubled_rows(tokens, self.translator)
            if doubled and self.backend.rows(doubled):
                raise rejection("several-matches")
        self._touch(tokens, table)
        sender(self.change_text(tokens))

    def change_text(self, tokens):
        """SQL of the backend for INSERT, UPDATE, DELETE, MERGE."""
        place = self.target(tokens)
        _, table, after = self.translator.qualified(tokens, place)
        command = tokens[0].up
        if command == "DELETE" and tokens[1].up != "FROM":
            tokens = [tokens[0], Token("w", "FROM"), *tokens[1:]]
        if command == "INSERT":
            tokens = self._insert(tokens, table, after)
        elif command == "UPDATE":
            tokens = self._update(tokens, table, after)
        expanded = self.expanded(tokens)
        if command == "MERGE":
            check_merge(tokens, expanded, self.translator, self.backend, self.session.front.has_late_views)
        return text_of(self.translator.tokens(without_qualify(expanded)))

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
        create = CreateTable(self.expanded(tokens) if any(token.up == "SELECT" for token in tokens) else tokens, self.translator)
        self.open()
        self._touch(tokens)
        if self.session.front.has_late_views and not create.temporary and is_late_view(self.backend, create.name):
            if not create.if_not_exists:
                raise SqlError("42P07", f'relation "{create.name[-1]}" already exists')
            self.session.notice("42P07", f'relation "{create.name[-1]}" already exists, skipping', "INFO")
            return self.session.complete("CREATE TABLE")
        self.backend.run("; ".join(create.statements))
        self.session.keep_names()
        return self.session.complete("SELECT" if create.query is not None else "CREATE TABLE")

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
        self.isolation.touch(set(), {table})
        self.backend.run(f"truncate table {table}")
        if self.block == "T":
            # [D] r_TRUNCATE: it commits what was done before it, and itself.
            self.backend.run("commit; begin isolation level repeatable read")
            self.isolation.end(True)
        self.session.complete("TRUNCATE TABLE")

    def _vacuum(self, tokens, text, sender, alone):
        if self.block != "I":
            raise rejection("vacuum-block")
        self.session.complete("VACUUM")

    def _copy(self, tokens, text, sender, alone):
        copy = parse_copy(tokens, self.translator)
        self.lock_for_change(copy.name, copy.table, "copy to")
        self.isolation.touch(set(), {copy.table})
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
        if words[:2] == ["ALTER", "DATABASE"] and [token.up for token in tokens[-3:-1]] == ["ISOLATION", "LEVEL"]:
            if self.block != "I":
                raise rejection("database-block", "ALTER")
            self.session.front.set_isolation(self.translator.qualified(tokens, 2)[0][-1], tokens[-1].up)
            return self.session.complete("ALTER DATABASE")
        if "LIBRARY" in words[1:4]:
            raise rejection("library-block") if self.block != "I" else rejection("not-emulated", "libraries")
        if words[1] == "EXTERNAL":
            raise rejection("external-block", words[0]) if self.block != "I" and words[2] == "TABLE" else rejection(
                "not-emulated", "external objects")
        if is_unbound(tokens):
            self.open()
            create_unbound(tokens, self.translator, self.backend)
            self.session.front.has_late_views = True
            return self.session.complete("CREATE VIEW")
        if words[:2] == ["DROP", "VIEW"] and self.session.front.has_late_views and drop_unbound(tokens, self.translator, self.backend):
            return self.session.complete("DROP VIEW")
        if words[0] == "ANALYZE":
            return self.session.complete("ANALYZE")
        if words[0] == "DEALLOCATE" and self.session.forget_prepared(tokens[-1]):
            return self.session.complete("DEALLOCATE")
        query = next((place for place, token in enumerate(tokens) if token.up == "AS"), 0) if "VIEW" in words[1:4] else 0
        sender(text_of(self.translator.tokens([*tokens[:query + 1], *self.expanded(tokens[query + 1:])] if query else tokens)))
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
            if name == "enable_numeric_rounding":
                self.backend.run(f"set redshift.numeric_rounding = {'on' if value in ('on', 'true') else 'off'}")
            return self.session.complete("SET")
        return sender(text_of(self.translator.tokens(tokens)))

    def _reset(self, tokens, text, sender, alone):
        name = tokens[1].name() if len(tokens) > 1 else None
        if name and self.session.settings.knows(name):
            self.session.settings.set(name, None)
            return self.session.complete("RESET")
        return sender(text_of(tokens))

    def _show(self, tokens, text, sender, alone):
        return sender(show_text(tokens, self.translator, self.session.settings))
