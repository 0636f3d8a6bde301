"""Events that Flink CDC wrote, without keys, give the rows of the source: in whatever partitions, batches and runs they come."""

import contextlib
import gzip
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from oracle import compare, targets  # noqa: E402

SEED = int(os.environ.get("CDCRT_TEST_SEED", "1"))
KILLS = int(os.environ.get("CDCRT_TEST_KILLS", "5"))
KINDS = {"sqlite": program.SqliteTarget, "postgresql": program.PostgresqlTarget}
GENERATOR = os.path.join(os.path.dirname(program.BINARY), "generate_events")
NAMES = ("flink-cdc-mysql", "flink-cdc-postgres")
DATA = os.path.join(program.TESTS, "data")


def captured(name):
    with gzip.open(os.path.join(DATA, name, "values.jsonl.gz"), "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def spread(values, partitions, chance, path):
    """Each value in a partition by chance, as a producer without keys does; the partitions are read in any turn, some far ahead."""
    logs = [[] for _ in range(partitions)]
    for value in values:
        chance.choice(logs).append(value)
    places = [0] * partitions
    with open(path, "w", encoding="utf-8") as file:
        left = [p for p in range(partitions) if logs[p]]
        while left:
            partition = chance.choice(left)
            for _ in range(chance.choice([1, 3, 50])):
                if places[partition] == len(logs[partition]):
                    left.remove(partition)
                    break
                file.write(json.dumps({"topic": "events", "partition": partition, "offset": places[partition], "key": None,
                                       "payload": logs[partition][places[partition]]}) + "\n")
                places[partition] += 1


def without(expected, table, folder):
    """A copy of the expected tables that lacks one."""
    copy = os.path.join(folder, "expected")
    shutil.copytree(expected, copy, dirs_exist_ok=True)
    path = os.path.join(copy, "types.toml")
    with open(path, encoding="utf-8") as file:
        sections = file.read().split("\n\n")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n\n".join(section for section in sections if not section.startswith(f'["{table}"]')))
    return copy


def source(position):
    return {"version": "1.9.8.Final", "connector": "mysql", "name": "mysql_binlog_source", "ts_ms": 1_795_370_000_000 + position * 1000, "snapshot": "false",
            "db": "shop", "table": "t", "server_id": 7, "file": "binlog.000004", "pos": position, "row": 0}


def row(position, after):
    return {"before": None, "after": after, "source": source(position), "op": "c", "ts_ms": 1_795_370_549_095, "transaction": None}


def history(position, ddl, changes=()):
    return {"source": source(position), "historyRecord": json.dumps({"source": {}, "position": {}, "databaseName": "shop", "ddl": ddl,
                                                                     "tableChanges": list(changes)})}


class FlinkCdc(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self.chance = random.Random(SEED)

    def arguments(self, name, target, folder, rows):
        events = os.path.join(self.folder, "events.jsonl")
        settings = [f"runtime.decode_workers={self.chance.choice([1, 4])}", f"sources.events.batch_messages={self.chance.choice([7, 1000])}"]
        return (program.real_events(name, target, folder, *settings, *([f"sinks.target.batch.max_rows={rows}"] if rows else [])),
                {**target.environment, "CDCRT_TEST_EVENTS": events})

    def same(self, name, target, folder, told, arguments, environment):
        # A change that lacks the unchanged TOAST of its row, which another partition brings later, is made good by a replay, and so is one that
        # comes behind it.
        found = {(dead_letter["table"], dead_letter["reason"]) for dead_letter in program.dead_letters(os.path.join(folder, "dead_letters.jsonl"))}
        late = found & {(table, reason) for table in ("big_text", "public.big_text") for reason in ("row_missing", "earlier_dead_letter")}
        # PostgreSQL keeps no NUL in a text.
        expected = os.path.join(DATA, name, "expected")
        refused = found & {("shop.texts", "value_refused")}
        if refused:
            self.assertTrue(target.name.startswith("postgresql:"))
            expected = without(expected, "shop.texts", folder)
        self.assertEqual(found - late - refused, set(), told)
        if late:
            done = program.run(["dlq", "replay", *arguments], environment, folder)
            self.assertEqual(done.exit_code, 0, told + done.log[-3000:])
        out = io.StringIO()
        count = compare.compare(expected, targets.open_target(target.name), out=out)
        self.assertEqual(count, 0, told + ": " + out.getvalue())

    def check(self, kind):
        for name in NAMES:
            values = captured(name)
            for partitions, rows in ((1, None), (4, 50), (16, None)):
                told = f"seed {SEED}, {name}, {partitions} partitions, {rows} rows"
                with self.subTest(told), tempfile.TemporaryDirectory() as folder:
                    spread(values, partitions, self.chance, os.path.join(self.folder, "events.jsonl"))
                    target = KINDS[kind](folder)
                    arguments, environment = self.arguments(name, target, folder, rows)
                    done = program.run(arguments, environment, folder)
                    self.assertIn(done.exit_code, (0, 4), told + done.log[-3000:])
                    self.same(name, target, folder, told, arguments, environment)

    def test_in_any_partitions_into_sqlite(self):
        self.check("sqlite")

    def test_in_any_partitions_into_postgresql(self):
        self.check("postgresql")

    def check_killed(self, kind, kills):
        for name in NAMES:
            told = f"seed {SEED}, {name}, killed"
            with self.subTest(told), tempfile.TemporaryDirectory() as folder:
                spread(captured(name), 4, self.chance, os.path.join(self.folder, "events.jsonl"))
                target = KINDS[kind](folder)
                log, killed = os.path.join(folder, "log"), 0
                while True:
                    arguments, environment = self.arguments(name, target, folder, 40)
                    process = program.start(arguments, environment, log)
                    if killed < kills:
                        killed += 1
                        time.sleep(self.chance.uniform(0.02, 0.4))
                        process.kill()
                    process.wait(300)
                    if process.returncode != -9:
                        break
                with open(log, encoding="utf-8", errors="replace") as file:
                    self.assertIn(process.returncode, (0, 4), told + file.read()[-3000:])
                self.same(name, target, folder, told, arguments, environment)

    def changes(self, kind, *changes):
        """Applies (partition, file, position, seconds, mail of user 1) one after the other; (run, mail that is there)."""
        with open(os.path.join(self.folder, "events.jsonl"), "w", encoding="utf-8") as file:
            for offset, (partition, log, position, seconds, mail) in enumerate(changes):
                source = {"connector": "mysql", "name": "mysql_binlog_source", "ts_ms": seconds * 1000, "snapshot": "false", "db": "shop",
                          "table": "users", "server_id": 7, "file": log, "pos": position, "row": 0}
                payload = {"before": None, "after": {"id": 1, "mail": mail, "created": None, "score": None, "meta": None, "u8": None},
                           "source": source, "op": "u"}
                file.write(json.dumps({"topic": "events", "partition": partition, "offset": offset, "key": None, "payload": json.dumps(payload)}) + "\n")
        target = KINDS[kind](self.folder)
        arguments, environment = self.arguments("flink-cdc-mysql", target, self.folder, 1)
        done = program.run(arguments, environment, self.folder)
        header, rows = targets.open_target(target.name).rows("shop.users")
        return done, rows[0][header.index("mail")]

    def test_a_binlog_that_began_anew_stops_the_table(self):
        old = [(0, "binlog.000010", 100, 50, "old"), (1, "binlog.000010", 200, 51, "older log")]
        for partition in (0, 1):
            done, mail = self.changes("sqlite", *old, (partition, "binlog.000001", 4, 90, "new log"))
            self.assertNotEqual(done.exit_code, 0, done.log[-2000:])
            self.assertIn("began anew", done.log)
            self.assertNotEqual(mail, "new log")
            os.remove(os.path.join(self.folder, "target.db"))

    def test_a_change_of_an_earlier_file_that_comes_late_is_left_out(self):
        done, mail = self.changes("sqlite", (0, "binlog.000010", 100, 50, "new"), (1, "binlog.000009", 200, 40, "late"))
        self.assertEqual(done.exit_code, 0, done.log[-2000:])
        self.assertEqual(mail, "new")

    def write_values(self, *values):
        """(partition, value) one after the other."""
        with open(os.path.join(self.folder, "events.jsonl"), "w", encoding="utf-8") as file:
            for offset, (partition, value) in enumerate(values):
                file.write(json.dumps({"topic": "events", "partition": partition, "offset": offset, "key": None, "payload": json.dumps(value)}) + "\n")

    def run_changes(self, kind, settings=('routes.t.primary_key=["id"]',)):
        target = KINDS[kind](self.folder)
        arguments, environment = self.arguments("flink-cdc-changes", target, self.folder, 1)
        done = program.run([*arguments, *(word for setting in settings for word in ("--set", setting))], environment, self.folder)
        self.assertEqual(done.exit_code, 0, done.log[-3000:])
        header, rows = targets.open_target(target.name).rows("shop.t")
        return header, sorted([None if value is None else str(value) for value in row] for row in rows)

    def test_a_truncate_takes_what_came_before_it_whichever_partition_is_read_first(self):
        for kind in KINDS:
            with self.subTest(kind):
                self.write_values((1, history(200, "truncate table t")), (0, row(100, {"id": 1, "v": "before"})), (0, row(300, {"id": 2, "v": "after"})))
                self.assertEqual(self.run_changes(kind), (["id", "v"], [["2", "after"]]))
                with contextlib.suppress(FileNotFoundError):
                    os.remove(os.path.join(self.folder, "target.db"))

    def test_a_table_that_was_dropped_and_made_anew_has_its_new_rows_alone(self):
        columns = [{"name": "id", "typeName": "INT", "optional": False}, {"name": "v", "typeName": "VARCHAR", "length": 30, "optional": True}]
        dropped = history(200, "DROP TABLE t", [{"type": "DROP", "id": '"shop"."t"'}])
        made = history(210, "CREATE TABLE t (id int primary key, v varchar(30))",
                       [{"type": "CREATE", "id": '"shop"."t"', "table": {"primaryKeyColumnNames": ["id"], "columns": columns}}])
        old = [(0, row(100, {"id": 1, "v": "old"})), (1, row(110, {"id": 2, "v": "old"}))]
        new = [(0, row(300, {"id": 2, "v": "new"})), (1, row(310, {"id": 3, "v": "new"}))]
        for values in ([*old, (1, dropped), (1, made), *new], [(1, dropped), (1, made), old[0], *new], [*old, new[0], (2, dropped), (2, made), new[1]]):
            with self.subTest(values=values):
                self.write_values(*values)
                self.assertEqual(self.run_changes("sqlite"), (["id", "v"], [["2", "new"], ["3", "new"]]))
                os.remove(os.path.join(self.folder, "target.db"))

    def test_a_definition_drops_a_column_and_gives_others_their_types(self):
        for kind in KINDS:
            with self.subTest(kind):
                columns = [{"name": "id", "typeName": "INT", "optional": False}, {"name": "name", "typeName": "VARCHAR", "length": 30, "optional": True}]
                changed = [{"type": "ALTER", "id": '"shop"."t"', "table": {"primaryKeyColumnNames": ["id"], "columns": columns}}]
                self.write_values((0, row(100, {"id": 1, "gone": 5})), (0, history(200, "alter table t drop gone, add name varchar(30)", changed)),
                                  (0, row(300, {"id": 2, "name": "two"})))
                self.assertEqual(self.run_changes(kind), (["id", "name"], [["1", None], ["2", "two"]]))
                with contextlib.suppress(FileNotFoundError):
                    os.remove(os.path.join(self.folder, "target.db"))

    def test_a_column_that_a_statement_renames_keeps_its_values_wherever_the_definition_is(self):
        def told(kind, *names):
            columns = [{"name": name, "typeName": "INT", "optional": name != "id"} for name in names]
            return [{"type": kind, "id": '"shop"."t"', "table": {"primaryKeyColumnNames": ["id"], "columns": columns}}]

        created = history(90, "create table t(id int primary key, a int, b int)", told("CREATE", "id", "a", "b"))
        renamed = history(200, "alter table `t` change a c int, rename column b to `the b`", told("ALTER", "id", "c", "the b"))
        before = [row(100 + i, {"id": i, "a": i, "b": 10 * i}) for i in (1, 2, 3)]
        after = [row(302, {"id": 2, "c": 22, "the b": 220}), row(304, {"id": 4, "c": 4, "the b": None})]
        expected = (["c", "id", "the b"], [["1", "1", "10"], ["22", "2", "220"], ["3", "3", "30"], ["4", "4", None]])
        ways = {"in order": [(0, created), *((0, value) for value in before), (0, renamed), *((0, value) for value in after)],
                "told first": [(1, created), (1, renamed), *((0, value) for value in before + after)],
                "told last": [(0, created), *((0, value) for value in before + after), (1, renamed)],
                "late rows": [(1, created), (1, renamed), *((2, value) for value in after), *((0, value) for value in before)]}
        for kind in KINDS:
            for way, values in ways.items():
                with self.subTest(kind, way=way):
                    self.write_values(*values)
                    names, rows = self.run_changes(kind)
                    order = sorted(range(len(names)), key=names.__getitem__)
                    self.assertEqual((sorted(names), sorted([row[at] for at in order] for row in rows)), (expected[0], sorted(expected[1])))
                    with contextlib.suppress(FileNotFoundError):
                        os.remove(os.path.join(self.folder, "target.db"))

    def test_rows_wait_for_the_definition_that_tells_their_key(self):
        columns = [{"name": "id", "typeName": "INT", "optional": False}, {"name": "v", "typeName": "VARCHAR", "length": 30, "optional": True}]
        told = [{"type": "CREATE", "id": '"shop"."t"', "table": {"primaryKeyColumnNames": ["id"], "columns": columns}}]
        for kind in KINDS:
            with self.subTest(kind):
                self.write_values((0, row(200, {"id": 1, "v": "later"})), (1, row(150, {"id": 1, "v": "earlier"})),
                                  (2, history(100, "create table t(id int primary key, v varchar(30))", told)))
                self.assertEqual(self.run_changes(kind, ()), (["id", "v"], [["1", "later"]]))
                with contextlib.suppress(FileNotFoundError):
                    os.remove(os.path.join(self.folder, "target.db"))

    def test_a_table_whose_key_nothing_tells_is_named_once_with_the_line_to_add(self):
        self.write_values(*((0, row(100 + i, {"id": i, "v": "x"})) for i in range(5)))
        target = KINDS["sqlite"](self.folder)
        arguments, environment = self.arguments("flink-cdc-changes", target, self.folder, 1)
        done = program.run(arguments, environment, self.folder)
        self.assertIn('primary_keys = { "shop.t" = ["id"] }', done.log)
        self.assertNotEqual(done.exit_code, 0)
        self.assertEqual(program.dead_letters(os.path.join(self.folder, "dead_letters.jsonl")), [])

    def check_generated(self, kind):
        """Rows loaded and changed, keys that move and come back, each change in a partition by chance, the partitions read one after the other."""
        events, expected = os.path.join(self.folder, "events.jsonl"), os.path.join(self.folder, "expected")
        told = f"seed {SEED}, {kind}"
        subprocess.run([GENERATOR, "--format", "flink-cdc", "--events", "20000", "--tables", "2", "--partitions", "4", "--seed", str(SEED),
                        "--out", events, "--expected", expected], check=True)
        with open(events, encoding="utf-8") as file:
            lines = file.readlines()
        turns = self.chance.sample(range(4), 4)
        lines.sort(key=lambda line: turns[json.loads(line)["partition"]])
        with open(events, "w", encoding="utf-8") as file:
            file.writelines(lines)
        target = KINDS[kind](self.folder)
        arguments, environment = self.arguments("flink-cdc-generated", target, self.folder, 1000)
        done = program.run(arguments, environment, self.folder)
        self.assertEqual(done.exit_code, 0, told + done.log[-3000:])
        out = io.StringIO()
        self.assertEqual(compare.compare(expected, targets.open_target(target.name), out=out), 0, told + ": " + out.getvalue())

    def test_generated_changes_end_in_the_rows_of_the_generator_in_sqlite(self):
        self.check_generated("sqlite")

    def test_generated_changes_end_in_the_rows_of_the_generator_in_postgresql(self):
        self.check_generated("postgresql")

    def test_killed_and_started_again_into_sqlite(self):
        self.check_killed("sqlite", KILLS)

    def test_killed_and_started_again_into_postgresql(self):
        self.check_killed("postgresql", KILLS)


if __name__ == "__main__":
    unittest.main()
