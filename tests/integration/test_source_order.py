"""Tables kept in source order: of each row the newest change stands, whichever partition, batch or process it came from."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
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
[defaults]
ordering = "{ordering}"
{more}
"""
MERGED = """[routes.merged]
match = ["a.t", "b.t"]
table = "t"
[routes.rest]
match = ["public.*"]
"""
EVERY_ROW_ALONE = ["--set", "sinks.target.batch.max_rows=1", "--set", "sources.events.batch_messages=1", "--set", "runtime.decode_workers=1"]
KINDS = (program.SqliteTarget, program.PostgresqlTarget)


class SourceOrder(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self.messages = []
        self.ordering = "source"

    def event(self, partition, row, order, op="u", schema="public", table="t", server=None):
        source = {"connector": "postgresql", "db": "shop", "schema": schema, "table": table}
        if order is not None:
            source |= {"lsn": order, "sequence": f'[null,"{order}"]'}
        if server is not None:
            source["name"] = server
        payload = {"before": row if op == "d" else None, "after": None if op == "d" else row, "source": source, "op": op}
        key = None if row is None else json.dumps({"id": row["id"]})
        return {"topic": f"s.{schema}.{table}", "partition": partition, "key": key, "payload": json.dumps(payload)}

    def write(self, messages):
        """Those of earlier calls stay before them: the log grows."""
        self.messages += messages
        offsets = {}
        with open(os.path.join(self.folder, "events.jsonl"), "w", encoding="utf-8") as file:
            for message in self.messages:
                place = (message["topic"], message["partition"])
                offsets[place] = offsets.get(place, -1) + 1
                file.write(json.dumps({**message, "offset": offsets[place], "tstype": "create", "ts": 1_700_000_000_000}) + "\n")

    def run_with(self, target, more="", arguments=()):
        self.target = target
        self.manifest = os.path.join(self.folder, "manifest.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(folder=self.folder, more=more, ordering=self.ordering))
        return program.run(["--manifest", self.manifest, "--manifest", target.overlay, *arguments], target.environment, self.folder)

    def command(self, *arguments):
        words = list(arguments)
        return program.run([*words, "--manifest", self.manifest, "--manifest", self.target.overlay], self.target.environment, self.folder)

    def rows(self, table="public.t"):
        names, rows = targets.open_target(self.target.name).rows(table)
        order = [names.index(name) for name in ("id", "v")] if names else []
        return sorted((int(row[order[0]]), row[order[1]]) for row in rows)

    def fresh(self):
        self.messages = []
        return tempfile.TemporaryDirectory()

    def test_an_older_change_that_comes_after_a_restart_does_not_win(self):
        for kind in KINDS:
            for op in ("u", "d", "r"):
                with self.subTest(target=kind.__name__, op=op), self.fresh() as self.folder:
                    target = kind(self.folder)
                    self.write([self.event(1, {"id": 1, "v": "new"}, 9), self.event(1, {"id": 2, "v": "gone"}, 9, op="d")])
                    self.assertEqual(self.run_with(target).exit_code, 0)
                    self.write([self.event(0, {"id": 1, "v": "old"}, 5, op), self.event(2, {"id": 2, "v": "old"}, 5, "c"), self.event(2, {"id": 3, "v": "x"}, 5, "c")])
                    run = self.run_with(target)
                    self.assertEqual(run.exit_code, 0, run.log)
                    self.assertIn("changes came after later ones", run.log)
                    self.assertEqual(self.rows(), [(1, "new"), (3, "x")])

    def binlog(self, partition, row, file, seconds, op="u", **more):
        """A change in MySQL's log at a time."""
        source = {"connector": "mysql", "name": "s", "db": "public", "table": "t", "file": file, "pos": 4, "row": 0, "ts_ms": seconds * 1000, "server_id": 7, **more}
        payload = {"before": row if op == "d" else None, "after": None if op == "d" else row, "source": source, "op": op, "ts_ms": seconds * 1000 + 100}
        return {"topic": "s.public.t", "partition": partition, "key": json.dumps({"id": row["id"]}), "payload": json.dumps(payload)}

    def test_a_binlog_that_began_anew_stops_its_table_also_after_a_restart(self):
        old = [self.binlog(1, {"id": 1, "v": "old"}, "binlog.000010", 50)]
        gtid = "3e11fa47-71ca-11e1-9e33-c80aa9429562:"
        anew = {"RESET MASTER": self.binlog(0, {"id": 1, "v": "new"}, "binlog.000001", 90), "delete": self.binlog(0, {"id": 1}, "binlog.000001", 90, "d"),
                "another server": self.binlog(0, {"id": 1, "v": "new"}, "binlog.000009", 50, server_id=8), "load": self.binlog(0, {"id": 1, "v": "new"}, "binlog.000001", 90, "r", server_id=0)}
        for name, event in anew.items():
            for restarts in (False, True):
                with self.subTest(name, restarts=restarts), self.fresh() as self.folder:
                    target = program.SqliteTarget(self.folder)
                    self.write(old)
                    if restarts:
                        self.assertEqual(self.run_with(target).exit_code, 0)
                    self.write([event])
                    run = self.run_with(target, arguments=EVERY_ROW_ALONE)
                    self.assertEqual(run.exit_code, 1, run.log)
                    self.assertIn("began anew", run.log)
                    self.assertIn("progress rewind", run.log)
                    self.assertEqual(self.rows(), [(1, "old")])
        # Read late from a copy of the log: the number of the transaction tells.
        with self.fresh() as self.folder:
            self.write([self.binlog(1, {"id": 1, "v": "old"}, "binlog.000010", 50, gtid=gtid + "7"), self.binlog(0, {"id": 1, "v": "new"}, "binlog.000001", 50, gtid=gtid + "8")])
            run = self.run_with(program.SqliteTarget(self.folder), arguments=EVERY_ROW_ALONE)
            self.assertEqual(run.exit_code, 1, run.log)
            self.assertIn("began anew", run.log)

    def test_a_truncate_takes_what_is_older_in_every_partition_and_run(self):
        for kind in KINDS:
            with self.subTest(target=kind.__name__), self.fresh() as self.folder:
                target = kind(self.folder)
                self.write([self.event(1, {"id": 1, "v": "stays"}, 9, "c"), self.event(1, {"id": 2, "v": "goes"}, 3, "c")])
                self.assertEqual(self.run_with(target).exit_code, 0)
                self.write([self.event(0, None, 5, "t"), self.event(2, {"id": 3, "v": "came too late"}, 4, "c")])
                run = self.run_with(target)
                self.assertEqual(run.exit_code, 0, run.log)
                self.assertEqual(self.rows(), [(1, "stays")])

    def test_events_without_an_order_and_of_two_servers_stop_the_table_and_the_rest_goes_on(self):
        others = [self.event(0, {"id": 5, "v": "innocent"}, 1, table="other")]
        for name, messages, reason in (("none", [self.event(0, {"id": 1, "v": "x"}, None)], "carries no source order"),
                                       ("two servers", [self.event(0, {"id": 1, "v": "x"}, 1, schema="a", server="east"), self.event(1, {"id": 1, "v": "y"}, 2, schema="b", server="west")], "do not compare")):
            for arguments in ([], EVERY_ROW_ALONE):
                with self.subTest(name=name, arguments=arguments), self.fresh() as self.folder:
                    self.write(messages + others)
                    target = program.SqliteTarget(self.folder)
                    for _ in range(2):
                        run = self.run_with(target, MERGED, arguments)
                        self.assertEqual(run.exit_code, 1, run.log)
                        self.assertIn(reason, run.log)
                        self.assertEqual(self.rows("public.other"), [(5, "innocent")])
                    if name == "none":
                        continue
                    self.assertEqual(self.command("table", "resume", "t").exit_code, 0)
                    self.write([self.event(1, {"id": 1, "v": "z"}, 3, schema="b", server="west")])
                    run = self.run_with(target, MERGED, EVERY_ROW_ALONE)
                    self.assertIn(run.exit_code, (0,) if arguments else (0, 1), run.log)
                    if arguments:
                        self.assertEqual(self.rows(), [(1, "z")])

    def test_dead_letters_are_replayed_where_they_belong_and_nothing_newer_is_overwritten(self):
        for kind in (program.SqliteTarget,):
            with self.subTest(target=kind.__name__), self.fresh() as self.folder:
                target = kind(self.folder)
                with contextlib.closing(sqlite3.connect(target.path)) as database:
                    database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
                    database.execute("CREATE TRIGGER guard BEFORE INSERT ON t WHEN NEW.v LIKE 'bad%' BEGIN SELECT RAISE(ABORT, 'no'); END")
                    database.commit()
                self.write([self.event(0, {"id": 1, "v": "bad 5"}, 5), self.event(0, {"id": 2, "v": "bad 5"}, 5), self.event(0, {"id": 3, "v": "fine"}, 5)])
                self.assertEqual(self.run_with(target).exit_code, 4)
                # Older ones do not make the dead letters good; what is newer does, and is not undone by a replay.
                self.write([self.event(1, {"id": 1, "v": "older"}, 3), self.event(1, {"id": 2, "v": "newer"}, 7)])
                run = self.run_with(target)
                self.assertEqual(run.exit_code, 0, run.log)
                self.assertEqual(self.rows(), [(1, "older"), (2, "newer"), (3, "fine")])
                with contextlib.closing(sqlite3.connect(target.path)) as database:
                    database.execute("DROP TRIGGER guard")
                    database.commit()
                replayed = self.command("dlq", "replay")
                self.assertEqual(replayed.exit_code, 0, replayed.log)
                self.assertEqual(self.rows(), [(1, "bad 5"), (2, "newer"), (3, "fine")])
                self.write([self.event(1, {"id": 1, "v": "still older"}, 4)])
                self.assertEqual(self.run_with(target).exit_code, 0)
                self.assertEqual(self.rows(), [(1, "bad 5"), (2, "newer"), (3, "fine")])

    def test_what_is_read_again_changes_nothing_and_an_emptied_table_begins_anew(self):
        target = program.SqliteTarget(self.folder)
        self.write([self.event(1, {"id": 1, "v": "new"}, 9), self.event(0, {"id": 1, "v": "old"}, 5), self.event(0, {"id": 2, "v": "x"}, 6), self.event(1, {"id": 2, "v": "x"}, 7, "d")])
        self.assertEqual(self.run_with(target).exit_code, 0)
        for more in ([], ["--empty"]):
            rewound = self.command("progress", "rewind", "--table", "t", "--to", "earliest", *more)
            self.assertEqual(rewound.exit_code, 0, rewound.log)
            run = self.run_with(target)
            self.assertEqual(run.exit_code, 0, run.log)
            self.assertEqual(self.rows(), [(1, "new")])

    def test_a_deleted_row_is_remembered_for_as_long_as_the_route_says(self):
        self.write([self.event(0, {"id": 1, "v": "x"}, 5, "d"), self.event(0, {"id": 2, "v": "x"}, 5)])
        target = program.SqliteTarget(self.folder)
        more = "tombstone_retention = \"1s\"\n"
        self.assertEqual(self.run_with(target, more).exit_code, 0)
        kept = "SELECT count(*) FROM cdcrt_row_orders"
        with contextlib.closing(sqlite3.connect(target.path)) as database:
            self.assertEqual(database.execute(kept).fetchone(), (2,))
        time.sleep(1.1)
        self.write([self.event(0, {"id": 2, "v": "y"}, 6)])
        run = self.run_with(target, more)
        self.assertEqual(run.exit_code, 0, run.log)
        with contextlib.closing(sqlite3.connect(target.path)) as database:
            self.assertEqual(database.execute(kept).fetchone(), (1,))
            self.assertEqual(database.execute("SELECT count(*) FROM cdcrt_tombstones").fetchone(), (0,))

    def test_a_key_that_is_met_in_two_partitions_makes_its_table_source_ordered_for_good(self):
        self.ordering = "auto"
        for kind in KINDS:
            with self.subTest(target=kind.__name__), self.fresh() as self.folder:
                target = kind(self.folder)
                self.write([self.event(0, {"id": 1, "v": "old"}, 5), self.event(1, {"id": 1, "v": "new"}, 9), self.event(1, {"id": 2, "v": "new"}, 9)])
                run = self.run_with(target)
                self.assertEqual(run.exit_code, 0, run.log)
                self.assertIn("From now on it is kept in source order", run.log)
                many = [self.event(number % 3, {"id": number, "v": "x"}, 9) for number in range(100, 2000)]
                self.write(many)
                self.assertEqual(self.run_with(target).exit_code, 0)
                self.write([self.event(2, {"id": 1, "v": "late"}, 7), self.event(0, {"id": 2, "v": "late"}, 7), self.event(0, {"id": 100, "v": "late"}, 7)])
                run = self.run_with(target)
                self.assertEqual(run.exit_code, 0, run.log)
                self.assertEqual([row for row in self.rows() if row[0] < 101], [(1, "new"), (2, "new"), (100, "x")])

    def test_a_primary_key_without_the_message_key_makes_its_table_source_ordered_from_the_first_row_on(self):
        self.ordering = "auto"
        more = '[routes.t]\nmatch = ["public.t"]\nprimary_key = ["v"]\n'
        target = program.SqliteTarget(self.folder)
        self.write([self.event(0, {"id": 2, "v": "one"}, 9), self.event(0, {"id": 3, "v": "two"}, 9)])
        self.assertEqual(self.run_with(target, more).exit_code, 0)
        self.write([self.event(1, {"id": 1, "v": "one"}, 5), self.event(2, {"id": 4, "v": "two"}, 10)])
        run = self.run_with(target, more)
        self.assertEqual(run.exit_code, 0, run.log)
        self.assertEqual(self.rows(), [(2, "one"), (4, "two")])

    def test_in_partition_order_two_runs_decide_as_one_does(self):
        self.ordering = "auto"
        for kind in KINDS:
            for ordering in ("auto", "partition"):
                with self.subTest(target=kind.__name__, ordering=ordering), self.fresh() as self.folder:
                    self.ordering, target = ordering, kind(self.folder)
                    self.write([self.event(0, {"id": 1, "v": "new"}, 9), self.event(1, {"id": 2, "v": "new"}, 9), self.event(1, {"id": 3, "v": "gone"}, 9, "d")])
                    self.assertEqual(self.run_with(target).exit_code, 0)
                    self.write([self.event(1, {"id": 4, "v": "x"}, 10)])
                    self.assertEqual(self.run_with(target).exit_code, 0)
                    self.write([self.event(1, {"id": 1, "v": "old"}, 5), self.event(0, {"id": 2, "v": "old"}, 5), self.event(0, {"id": 3, "v": "old"}, 5)])
                    run = self.run_with(target)
                    self.assertEqual(run.exit_code, 0, run.log)
                    self.assertEqual(self.rows(), [(1, "new"), (2, "new"), (4, "x")])

    def random_log(self, draw):
        expected, logs = {}, [[], [], [], []]
        for order in range(1, 160):
            key, removes = draw.randrange(14), draw.random() < 0.2
            logs[draw.randrange(4)].append(self.event(draw.randrange(4), {"id": key, "v": f"v{order}"}, order, "d" if removes else "u"))
            expected[key] = None if removes else f"v{order}"
        # What each partition has is mixed at random: nothing but the order tells what is newer.
        messages = [message for log in logs for message in log]
        draw.shuffle(messages)
        return messages, {key: value for key, value in expected.items() if value is not None}

    def test_random_logs_in_several_runs_end_as_the_newest_changes_say(self):
        for seed in range(8):
            draw = random.Random(seed)
            with self.subTest(seed=seed), self.fresh() as self.folder:
                messages, expected = self.random_log(draw)
                target = (program.PostgresqlTarget if seed % 4 == 0 else program.SqliteTarget)(self.folder)
                arguments = ["--set", f"sinks.target.batch.max_rows={draw.choice([1, 7, 1000])}", "--set", f"runtime.decode_workers={draw.choice([1, 4])}",
                             "--set", f"sources.events.batch_messages={draw.choice([1, 10, 1000])}"]
                while messages:
                    count = draw.randrange(20, 120)
                    self.write(messages[:count])
                    messages = messages[count:]
                    run = self.run_with(target, arguments=arguments)
                    self.assertEqual(run.exit_code, 0, run.log)
                self.assertEqual(dict(self.rows()), expected)

    def test_kills_at_random_leave_what_the_newest_changes_say(self):
        draw = random.Random(7)
        messages, expected = self.random_log(draw)
        self.write(messages)
        target = program.SqliteTarget(self.folder)
        self.run_with(target, arguments=["--set", "pipeline.name=other"])  # makes the manifest; progress of its own
        with contextlib.closing(sqlite3.connect(target.path)) as database:
            database.execute("DELETE FROM t")
            database.commit()
        words = [program.BINARY, "--manifest", self.manifest, "--manifest", target.overlay, *EVERY_ROW_ALONE]
        for _ in range(10):
            process = subprocess.Popen(words, env={**os.environ, **target.environment}, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(draw.uniform(0.02, 0.3))
            process.send_signal(signal.SIGKILL)
            process.wait()
        run = self.run_with(target)
        self.assertEqual(run.exit_code, 0, run.log)
        self.assertEqual(dict(self.rows()), expected)


if __name__ == "__main__":
    unittest.main()
