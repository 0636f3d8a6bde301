"""Producers that leave things out: NULLs, the key of a table, whole rows of deletes; and tables that meet under keys that differ."""

import json
import os
import random
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.test_dms import DETAILS, control, record  # noqa: E402
from integration.test_memory import Sampler  # noqa: E402

SEED = int(os.environ.get("CDCRT_TEST_SEED", "1"))
MANIFEST = """[pipeline]
name = "left-out"
[sources.events]
plugin = "file"
paths = ["events.jsonl"]
format.plugin = "dms"
{format}
[dead_letters]
plugin = "file"
path = "dead_letters.jsonl"
{more}
"""
SQLITE = """[sinks.target]
plugin = "odbc"
connection = { Driver = "SQLite3", Database = "target.db" }
"""
LINES = """[sinks.target]
plugin = "file"
path = "changes.jsonl"
"""


class LeftOut(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def logs(self, *logs):
        with open(self.path("events.jsonl"), "w", encoding="utf-8") as file:
            for partition, log in enumerate(logs):
                for offset, payload in enumerate(log):
                    file.write(json.dumps({"topic": "dms", "partition": partition, "offset": offset, "ts": 1_749_554_880_000, "key": "k", "payload": payload}) + "\n")

    def write_manifest(self, more="", form=""):
        with open(self.path("manifest.toml"), "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(more=more, format=form))

    def run_with(self, more="", form=""):
        self.write_manifest(more, form)
        return program.run(["--manifest", "manifest.toml"], {}, self.folder)

    def database(self):
        database = sqlite3.connect(self.path("target.db"))
        self.addCleanup(database.close)
        return database

    def test_in_a_table_that_was_there_before_what_a_definition_names_becomes_null_and_an_operators_column_stays(self):
        for has_definition in (True, False):
            with self.subTest(has_definition=has_definition), tempfile.TemporaryDirectory() as self.folder:
                database = self.database()
                database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, own TEXT)")
                database.execute("INSERT INTO t VALUES (1, 'old', 'mine')")
                database.commit()
                rows = [record("update", {"id": 1}, 5), record("insert", {"id": 2}, 6)]
                self.logs(([control("create-table", DETAILS, 1)] if has_definition else []) + rows)
                done = self.run_with(SQLITE + '[defaults]\nprimary_keys = { "s.t" = ["id"] }')
                self.assertEqual(done.exit_code, 0, done.log)
                self.assertEqual(database.execute("SELECT id, v, own FROM t ORDER BY id").fetchall(),
                                 [(1, None if has_definition else "old", "mine"), (2, None, None)])
                self.assertIn("no event has shown so far: " + ("own." if has_definition else "v, own."), done.log)

    def test_each_row_with_another_set_of_columns_takes_no_memory(self):
        chance = random.Random(SEED)
        names = [f"a_column_with_a_long_name_{number}" for number in range(300)]
        state = {}

        def rows(count):
            for second in range(count):
                row = {"id": second % 50} | {name: number for number, name in enumerate(names) if chance.random() < 0.5}
                state[row["id"]] = row
                yield record("update", row, 1, **{"timestamp": f"2025-06-10T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.000000Z"})

        self.logs(rows(6000))
        self.write_manifest(SQLITE + '[defaults]\nprimary_keys = { "s.t" = ["id"] }')
        process = program.start(["--manifest", "manifest.toml"], {}, self.path("log"))
        sampler = Sampler(process.pid)
        process.wait(300)
        sampler.stop_sampling()
        with open(self.path("log"), encoding="utf-8") as file:
            self.assertEqual(process.returncode, 0, file.read())
        shown = self.database().execute("SELECT id, " + ", ".join(names) + " FROM t ORDER BY id").fetchall()
        self.assertEqual(shown, [tuple(state[number].get(name) for name in ["id", *names]) for number in range(50)])
        # Kept for ever, these sets of columns make it 330 MiB, and more with each row.
        self.assertLess(max(sampler.samples), 256)

    def test_deletes_with_rows_are_whole_for_sinks_that_take_every_change(self):
        self.logs([control("create-table", DETAILS, 1), record("insert", {"id": 1, "v": "x"}, 2), record("delete", {"id": 1, "v": "x"}, 3)])
        for deletes, nulls, expected in (("row", "false", {"id": 1, "v": "x"}), ("row", "true", {"id": 1, "v": "x"}), ("key", "false", {"id": 1})):
            with self.subTest(deletes=deletes, nulls=nulls):
                done = self.run_with(LINES, f'format.deletes = "{deletes}"\nformat.include_null_and_empty = {nulls}')
                self.assertEqual(done.exit_code, 0, done.log)
                with open(self.path("changes.jsonl"), encoding="utf-8") as file:
                    last = json.loads(file.readlines()[-1])
                self.assertEqual((last["op"], last["row"]), ("delete", expected))

    def test_a_definition_whose_key_the_route_excludes_stops_the_table_until_the_route_is_mended(self):
        for order in ("definition first", "rows first"):
            with self.subTest(order), tempfile.TemporaryDirectory() as self.folder:
                logs = [[control("create-table", DETAILS, 1)], [record("insert", {"id": 1, "v": "x"}, 2)]]
                self.logs(*(logs if order == "definition first" else reversed(logs)))
                route = '[routes.t]\nmatch = ["s.t"]\n'
                done = self.run_with(SQLITE + route + 'columns.id = { exclude = true }')
                self.assertEqual(done.exit_code, 1, done.log)
                self.assertIn("the key of the table is (id), as its definition tells it, and the route's columns exclude 'id'", done.log)
                done = self.run_with(SQLITE + route)
                self.assertEqual(done.exit_code, 0, done.log)
                self.assertEqual(self.database().execute("SELECT id, v FROM t").fetchall(), [(1, "x")])
                self.assertFalse(os.path.exists(self.path("dead_letters.jsonl")))

    def test_source_tables_that_meet_under_keys_that_differ_stop_their_target_until_the_manifest_is_mended(self):
        self.logs([record("insert", {"id": 1, "no": 1}, 1, table="a"), record("insert", {"id": 2, "no": 2}, 2, table="b"),
                   record("insert", {"id": 3, "no": 3}, 3, table="a")])
        route = '[routes.all]\nmatch = ["s.*"]\ntable = "together"\n'
        done = self.run_with(SQLITE + route + '[defaults]\nprimary_keys = { "s.a" = ["id"], "s.b" = ["no"] }')
        self.assertEqual(done.exit_code, 1, done.log)
        self.assertIn('source tables "s.a" and "s.b" meet in target table "together", and their keys differ: '
                      '(id), by the rule "s.a" of primary_keys; and (no), by the rule "s.b" of primary_keys', done.log)
        self.assertIn("table 'together'", done.log)
        done = self.run_with(SQLITE + route + '[defaults]\nprimary_keys = { "s.a" = ["id"], "s.b" = ["id"] }')
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(self.database().execute("SELECT id FROM together ORDER BY id").fetchall(), [(1,), (2,), (3,)])


if __name__ == "__main__":
    unittest.main()
