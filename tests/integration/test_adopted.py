"""Tables that were there before: what the target enforces stops a row or a table, never the others; and random tables by the dozen."""

import json
import os
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import envelope  # noqa: E402
from oracle import random_adopted  # noqa: E402

MANIFEST = """[pipeline]
name = "adopted"
[sources.events]
plugin = "file"
paths = ["{folder}/events.jsonl"]
format.plugin = "debezium-json"
[dead_letters]
path = "{folder}/dead_letters.jsonl"
"""
SEEDS = int(os.environ.get("CDCRT_ADOPTED_SEEDS", "3"))


class Tables(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder, self.offsets = place.name, {}
        self.manifest = os.path.join(self.folder, "manifest.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(folder=self.folder))

    def send(self, table, after, operation="c", before=None):
        offset = self.offsets[table] = self.offsets.get(table, -1) + 1
        line = {"topic": f"t.public.{table}", "partition": 0, "offset": offset, "tstype": "create", "ts": 1_700_000_000_000,
                "key": json.dumps({"id": (after or before)["id"]}), "payload": envelope(table, after, operation, before, lsn=offset + 1)}
        with open(os.path.join(self.folder, "events.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    @staticmethod
    def row(table, key, value):
        return {"id": key} if table == "only" else {"id": key, "v": value}

    def send_twins(self, table, other):
        """Two keys of the source that are one to the target, and a third."""
        self.send(table, self.row(table, "a", "of a"))
        self.send(table, self.row(table, other, "of the other"))
        self.send(table, self.row(table, "b", "of b"))

    def assert_apart(self, tables, ids):
        refused = {(dead_letter["table"], dead_letter["offset"]) for dead_letter in self.dead_letters()}
        for table in tables:
            self.assertEqual([key for key, in ids(table)], ["a", "b"], table)
            self.assertTrue(any(name.endswith(table) and offset == 1 for name, offset in refused), (table, refused))

    def run_with(self, target, exit_code, timeout=60):
        result = program.run(["--manifest", self.manifest, "--manifest", target.overlay, "--set", "sinks.target.stall_after=1s"], target.environment, self.folder, timeout)
        if exit_code is not None:
            self.assertEqual(result.exit_code, exit_code, result.log)
        return result.log

    def dead_letters(self):
        return program.dead_letters(os.path.join(self.folder, "dead_letters.jsonl"))


class Constraints(Tables):
    def setUp(self):
        super().setUp()
        self.target = program.PostgresqlTarget(self.folder)
        self.server, self.database = program.PostgresqlTarget.server, self.target.environment["CDCRT_TEST_DATABASE"]

    def sql(self, text):
        self.server.sql(self.database, text)

    def rows(self, text):
        return [tuple(row) for row in self.server.query(self.database, text)]

    def test_a_trigger_refuses_a_row_and_the_others_go_on(self):
        self.sql("create table public.t (id bigint primary key, v text); create function f() returns trigger language plpgsql as "
                 "$$ begin if new.v = 'bad' then raise exception 'no bad rows here'; end if; return new; end $$; "
                 "create trigger g before insert or update on public.t for each row execute function f();")
        self.send("t", {"id": 1, "v": "good"})
        self.send("t", {"id": 2, "v": "bad"})
        self.send("other", {"id": 5, "v": "innocent"})
        self.run_with(self.target, 4)
        self.assertEqual(self.rows("select id::text, v from public.t"), [("1", "good")])
        self.assertEqual(self.rows("select id::text, v from public.other"), [("5", "innocent")])
        self.assertEqual([dead_letter["offset"] for dead_letter in self.dead_letters()], [1])

    def test_identities_generated_columns_and_defaults_are_the_tables_own(self):
        self.sql("create table public.ids (id bigint generated always as identity primary key, v text);"
                 "create table public.gen (id bigint primary key, a bigint, twice bigint generated always as (a * 2) stored);"
                 "create table public.extra (id bigint primary key, a bigint, src text default 'cdc');")
        self.send("ids", {"id": 7, "v": "a"})
        self.send("ids", {"id": 7, "v": "b"}, "u")
        self.send("gen", {"id": 1, "a": 2, "twice": 4})
        self.send("gen", {"id": 1, "a": 3, "twice": 6}, "u")
        self.send("extra", {"id": 1, "a": 2})
        self.run_with(self.target, 0)
        self.assertEqual(self.rows("select id::text, v from public.ids"), [("7", "b")])
        self.assertEqual(self.rows("select a::text, twice::text from public.gen"), [("3", "6")])
        self.assertEqual(self.rows("select a::text, src from public.extra"), [("2", "cdc")])

    def test_keys_that_the_target_takes_for_one_are_never_merged(self):
        self.sql("create extension citext; create collation nd (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
                 "create domain code as citext;"
                 "create table public.ci (id citext primary key, v text); create table public.dom (id code primary key, v text);"
                 "create table public.co (id text collate nd primary key, v text);"
                 "create table public.ix (id text not null, v text); create unique index on public.ix (id collate nd);"
                 "create table public.only (id citext primary key); create table public.ch (id char(2) primary key, v text);")
        tables = {"ci": "A", "dom": "A", "co": "A", "ix": "A", "only": "A", "ch": "a "}
        for table, other in tables.items():
            self.send_twins(table, other)
        self.run_with(self.target, 4)
        self.assert_apart(tables, lambda table: self.rows(f"select id::text from public.{table} order by 1"))
        for table, other in tables.items():  # alone in its batch
            self.send(table, self.row(table, other, "again"), "u")
            self.send(table, None, "d", {"id": "b"})
        self.run_with(self.target, 4)
        for table in tables:
            self.assertEqual(self.rows(f"select id::text from public.{table}"), [("a",)], table)
            self.assertTrue(table == "only" or self.rows(f"select v from public.{table}") == [("of a",)], table)
            self.send(table, None, "d", {"id": "A"})
        self.run_with(self.target, None)
        for table in tables:
            self.assertEqual(self.rows(f"select id::text from public.{table}"), [("a",)], table)

    def test_keys_of_numbers_are_found_by_their_value_where_another_column_has_such_a_collation(self):
        self.sql("create collation beside_nd (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
                 "create table public.beside (id numeric(12,4) primary key, n text); create unique index on public.beside (n collate beside_nd);")
        for number in (1.5, 2.5):
            self.send("beside", {"id": number, "n": f"of {number}"})
        self.run_with(self.target, 0)
        self.send("beside", {"id": 1.5, "n": "new"}, "u")
        self.send("beside", None, "d", {"id": 2.5})
        self.run_with(self.target, 0)
        self.assertEqual(self.rows("select id::text, n from public.beside"), [("1.5000", "new")])

    def test_a_key_that_the_target_spells_otherwise_is_where_it_was_and_moves_when_it_changes(self):
        self.sql("create table public.visits (id bigint, at timestamptz, v text, own text default 'new', primary key (id, at));")
        with open(self.manifest, "a", encoding="utf-8") as file:
            file.write('[routes.visits]\nmatch = ["public.visits"]\nprimary_key = ["id", "at"]\n')
        self.send("visits", {"id": 1, "at": "2024-01-31T13:00:00+01:00", "v": "a"})
        self.run_with(self.target, 0)
        self.sql("update public.visits set own = 'kept'")
        self.send("visits", {"id": 1, "at": "2024-01-31T13:00:00+01:00", "v": "b"}, "u")
        self.run_with(self.target, 0)
        rows = "select (at at time zone 'UTC')::text, v, own from public.visits"
        self.assertEqual(self.rows(rows), [("2024-01-31 12:00:00", "b", "kept")])
        self.send("visits", {"id": 1, "at": "2024-01-31T14:00:00+01:00", "v": "c"}, "u")
        self.run_with(self.target, 0)
        self.assertEqual([row[:2] for row in self.rows(rows)], [("2024-01-31 13:00:00", "c")])

    def test_a_child_that_comes_before_its_parent_lands_with_it(self):
        self.sql("create table public.parent (id bigint primary key, n text); create table public.child (id bigint primary key, pid bigint references public.parent (id));"
                 "create table public.strict (id bigint primary key, n text not null);")
        self.send("child", {"id": 1, "pid": 7})
        self.send("parent", {"id": 7, "n": "p"})
        self.send("strict", {"id": 1, "n": None})
        self.send("strict", {"id": 2, "n": "x"})
        self.run_with(self.target, 4)
        self.assertEqual(self.rows("select id::text, pid::text from public.child"), [("1", "7")])
        self.assertEqual(self.rows("select id::text from public.strict"), [("2",)])
        self.assertEqual(len(self.dead_letters()), 1)
        self.assertIn('"n"', self.dead_letters()[0]["message"])


class Case(Tables):
    def test_keys_that_a_collation_takes_for_one_are_never_merged_in_sqlite(self):
        target = program.SqliteTarget(self.folder)
        connection = sqlite3.connect(target.path)
        self.addCleanup(connection.close)
        connection.executescript("create table nocase (id text collate nocase primary key, v text); create table trailing (id text COLLATE RTRIM primary key, v text);"
                                 "create table only (id text primary key collate nocase);")
        tables = {"nocase": "A", "trailing": "a ", "only": "A"}
        for table, other in tables.items():
            self.send_twins(table, other)
        self.run_with(target, 4)
        self.assert_apart(tables, lambda table: connection.execute(f"select id from {table} order by 1").fetchall())
        for table, other in tables.items():
            self.send(table, self.row(table, other, "again"), "u")
            self.send(table, None, "d", {"id": "b"})
        self.run_with(target, 4)
        for table, other in tables.items():
            self.assertEqual(connection.execute(f"select * from {table}").fetchall(), [tuple(self.row(table, "a", "of a").values())])
            self.send(table, None, "d", {"id": other})
        self.run_with(target, None)
        for table in tables:
            self.assertEqual(connection.execute(f"select id from {table}").fetchall(), [("a",)])

    def test_tables_whose_names_differ_in_case_only_are_not_merged_in_sqlite_whenever_they_come(self):
        target = program.SqliteTarget(self.folder)
        self.send("t", {"id": 1, "v": "of table t"})
        self.run_with(target, 0)
        for operation, after, before in (("c", {"id": 1, "v": "of table T"}, None), ("d", None, {"id": 1, "v": "of table T"})):
            self.send("T", after, operation, before)
            log = self.run_with(target, None, timeout=5)
            self.assertIn("one table in the target, which does not tell case apart", log)
            with sqlite3.connect(target.path) as connection:
                self.assertEqual(connection.execute("select id, v from t").fetchall(), [(1, "of table t")])
            connection.close()


class Random(unittest.TestCase):
    def test_every_cell_is_exact_or_its_row_a_dead_letter_in_postgresql(self):
        self.assertEqual(random_adopted.run_seeds("postgresql", 0, SEEDS), {})

    def test_every_cell_is_exact_or_its_row_a_dead_letter_in_sqlite(self):
        self.assertEqual(random_adopted.run_seeds("sqlite", 0, SEEDS), {})


if __name__ == "__main__":
    unittest.main()
