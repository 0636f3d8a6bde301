"""One key in two partitions: the newer row stands, or the table stops and says so; everything else goes on."""

import contextlib
import json
import os
import random
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from oracle import targets  # noqa: E402

MANIFEST = """[pipeline]
name = "order"
[sources.events]
plugin = "file"
paths = ["{folder}/events.jsonl"]
format.plugin = "debezium-json"
[sinks.target]
plugin = "odbc"
[dead_letters]
plugin = "file"
path = "{folder}/dead_letters.jsonl"
{more}
"""
MERGED = """[routes.merged]
match = ["a.t", "b.t"]
table = "{place}merged"
[routes.rest]
match = ["public.*"]
"""
EVERY_ROW_ALONE = ["--set", "sinks.target.batch.max_rows=1", "--set", "sources.events.batch_messages=1", "--set", "runtime.decode_workers=1"]


class KeyOrder(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self.target = None

    def event(self, partition, row, order, table="t", schema="public", server=None, removes=False):
        source = {"connector": "postgresql", "db": "shop", "schema": schema, "table": table}
        if order is not None:
            source |= {"lsn": order, "sequence": f'[null,"{order}"]'}
        if server is not None:
            source["name"] = server
        payload = {"before": row if removes else None, "after": None if removes else row, "source": source, "op": "d" if removes else "u"}
        return {"topic": f"s.{schema}.{table}", "partition": partition, "key": json.dumps({"id": row["id"]}), "payload": json.dumps(payload)}

    def write(self, messages):
        offsets = {}
        with open(os.path.join(self.folder, "events.jsonl"), "w", encoding="utf-8") as file:
            for message in messages:
                place = (message["topic"], message["partition"])
                offsets[place] = offsets.get(place, -1) + 1
                file.write(json.dumps({**message, "offset": offsets[place], "tstype": "create", "ts": 1_700_000_000_000}) + "\n")

    def run_with(self, target, more="", arguments=()):
        self.target = target
        manifest = os.path.join(self.folder, "manifest.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(folder=self.folder, more=more))
        return program.run(["--manifest", manifest, "--manifest", target.overlay, *arguments], target.environment, self.folder)

    def rows(self, table="public.t"):
        names, rows = targets.open_target(self.target.name).rows(table)
        order = [names.index(name) for name in ("id", "v")] if names else []
        return sorted((int(row[order[0]]), row[order[1]]) for row in rows)

    def test_the_newer_row_stands_whichever_is_read_first(self):
        old, new = self.event(0, {"id": 1, "v": "old"}, 1), self.event(1, {"id": 1, "v": "new"}, 2)
        for messages in ([old, new], [new, old]):
            for arguments in ([], EVERY_ROW_ALONE):
                for kind in (program.SqliteTarget, program.PostgresqlTarget):
                    with self.subTest(first=messages[0] is old, arguments=arguments, target=kind.__name__), tempfile.TemporaryDirectory() as self.folder:
                        self.write(messages)
                        run = self.run_with(kind(self.folder), arguments=arguments)
                        self.assertEqual(run.exit_code, 0, run.log)
                        self.assertEqual(self.rows(), [(1, "new")])

    def test_without_an_order_one_table_stops_for_good_and_the_rest_goes_on(self):
        messages = [self.event(0, {"id": 1, "v": "one"}, None), self.event(1, {"id": 1, "v": "two"}, None),
                    self.event(0, {"id": 5, "v": "innocent"}, None, table="other"), self.event(1, {"id": 6, "v": "innocent"}, None, table="other")]
        for kind in (program.SqliteTarget, program.PostgresqlTarget):
            with self.subTest(target=kind.__name__), tempfile.TemporaryDirectory() as self.folder:
                self.write(messages)
                target, stood = kind(self.folder), None
                for arguments in ([], [], EVERY_ROW_ALONE):
                    run = self.run_with(target, arguments=arguments)
                    self.assertEqual(run.exit_code, 1, run.log)
                    self.assertIn("no source order", run.log)
                    self.assertIn("progress rewind --table", run.log)
                    # Which of them was written before they met is chance, but it stays.
                    stood = self.rows() if stood is None else stood
                    self.assertIn(stood, ([], [(1, "one")], [(1, "two")]))
                    self.assertEqual(self.rows(), stood)
                    self.assertEqual(self.rows("public.other"), [(5, "innocent"), (6, "innocent")])

    def test_rows_of_two_source_tables_that_meet_in_one_key_stop_their_table(self):
        messages = [self.event(0, {"id": 1, "v": "shard a"}, 1, schema="a"), self.event(0, {"id": 5, "v": "innocent"}, 1, table="other"),
                    self.event(0, {"id": 1, "v": "shard b"}, 2, schema="b")]
        for arguments in ([], EVERY_ROW_ALONE):
            for kind in (program.SqliteTarget, program.PostgresqlTarget):
                with self.subTest(arguments=arguments, target=kind.__name__), tempfile.TemporaryDirectory() as self.folder:
                    self.write(messages)
                    place = "" if kind is program.SqliteTarget else "public."
                    run = self.run_with(kind(self.folder), MERGED.format(place=place), arguments)
                    self.assertEqual(run.exit_code, 1, run.log)
                    self.assertIn("both source tables have a row of that key", run.log)
                    self.assertIn("a.t", run.log)
                    self.assertNotIn((1, "shard b"), self.rows("public.merged"))
                    self.assertEqual(self.rows("public.other"), [(5, "innocent")])

    def test_source_tables_with_keys_of_their_own_share_a_target_and_a_row_may_move_from_one_to_the_other(self):
        messages = [self.event(0, {"id": 1, "v": "a"}, 1, schema="a"), self.event(0, {"id": 2, "v": "b"}, 2, schema="b"),
                    self.event(0, {"id": 1, "v": "a"}, 3, schema="a", removes=True), self.event(0, {"id": 1, "v": "moved"}, 4, schema="b")]
        self.write(messages)
        run = self.run_with(program.SqliteTarget(self.folder), MERGED.format(place=""))
        self.assertEqual(run.exit_code, 0, run.log)
        self.assertEqual(self.rows("public.merged"), [(1, "moved"), (2, "b")])

    def test_orders_of_two_servers_do_not_compare(self):
        self.write([self.event(0, {"id": 1, "v": "one"}, 1, schema="a", server="east"), self.event(0, {"id": 1, "v": "two"}, 2, schema="b", server="west"),
                    self.event(0, {"id": 2, "v": "three"}, 2, schema="b", server="west")])
        run = self.run_with(program.SqliteTarget(self.folder), MERGED.format(place=""))
        self.assertEqual(run.exit_code, 1, run.log)
        self.assertIn("do not compare", run.log)

    def test_a_table_that_stopped_goes_on_once_the_route_has_a_key_that_tells_its_rows_apart(self):
        self.write([self.event(0, {"id": 1, "shard": 1, "v": "one"}, None), self.event(1, {"id": 1, "shard": 2, "v": "two"}, None)])
        target = program.SqliteTarget(self.folder)
        self.assertEqual(self.run_with(target).exit_code, 1)
        more = '[routes.t]\nmatch = ["public.t"]\nprimary_key = ["id", "shard"]\n'
        manifest = os.path.join(self.folder, "manifest.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(folder=self.folder, more=more))
        rewound = program.run(["progress", "rewind", "--manifest", manifest, "--manifest", target.overlay, "--table", "t", "--to", "earliest", "--empty"],
                              target.environment, self.folder)
        self.assertEqual(rewound.exit_code, 0, rewound.log)
        run = self.run_with(target, more)
        self.assertEqual(run.exit_code, 0, run.log)
        self.assertEqual(self.rows(), [(1, "one"), (1, "two")])

    def test_dead_letters_of_one_row_from_two_partitions_are_replayed_in_source_order(self):
        first, old, new = self.event(0, {"id": 9, "v": "first"}, 1), self.event(0, {"id": 1, "v": "bad 5"}, 5), self.event(1, {"id": 1, "v": "bad 7"}, 7)
        for messages in ([old, new], [new, old]):
            for arguments in ([], EVERY_ROW_ALONE):
                with self.subTest(first=messages[0] is old, arguments=arguments), tempfile.TemporaryDirectory() as self.folder:
                    target = program.SqliteTarget(self.folder)
                    with contextlib.closing(sqlite3.connect(target.path)) as database:
                        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
                        database.execute("CREATE TRIGGER guard BEFORE INSERT ON t WHEN NEW.v LIKE 'bad%' BEGIN SELECT RAISE(ABORT, 'no'); END")
                        database.commit()
                    self.write([first, *messages])
                    run = self.run_with(target, arguments=arguments)
                    self.assertEqual(run.exit_code, 4, run.log)
                    self.assertEqual(self.rows(), [(9, "first")])
                    with contextlib.closing(sqlite3.connect(target.path)) as database:
                        database.execute("DROP TRIGGER guard")
                        database.commit()
                    replayed = program.run(["dlq", "replay", "--manifest", os.path.join(self.folder, "manifest.toml"), "--manifest", target.overlay],
                                           target.environment, self.folder)
                    self.assertEqual(replayed.exit_code, 0, replayed.log)
                    self.assertEqual(self.rows(), [(1, "bad 7"), (9, "first")])

    def test_random_logs_whose_keys_move_between_partitions_end_as_the_newest_changes_say(self):
        for seed in range(12):
            draw = random.Random(seed)
            with self.subTest(seed=seed), tempfile.TemporaryDirectory() as self.folder:
                expected, logs = {}, [[], [], []]
                for order in range(1, 120):
                    key, removes = draw.randrange(12), draw.random() < 0.2
                    logs[draw.randrange(3)].append((key, order, removes))
                    expected[key] = None if removes else f"v{order}"
                messages = []
                while any(logs):
                    partition = draw.choice([number for number, log in enumerate(logs) if log])
                    for key, order, removes in [logs[partition].pop(0) for _ in range(min(len(logs[partition]), draw.randrange(1, 9)))]:
                        messages.append(self.event(partition, {"id": key, "v": f"v{order}"}, order, removes=removes))
                self.write(messages)
                arguments = ["--set", f"sinks.target.batch.max_rows={draw.choice([1, 7, 1000])}", "--set", f"runtime.decode_workers={draw.choice([1, 4])}",
                             "--set", f"sources.events.batch_messages={draw.choice([1, 10, 1000])}"]
                kind = program.PostgresqlTarget if seed % 3 == 0 else program.SqliteTarget
                run = self.run_with(kind(self.folder), arguments=arguments)
                self.assertEqual(run.exit_code, 0, run.log)
                self.assertEqual(dict(self.rows()), {key: value for key, value in expected.items() if value is not None})


if __name__ == "__main__":
    unittest.main()
