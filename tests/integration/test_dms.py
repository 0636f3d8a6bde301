"""Records of AWS DMS: loads, changes and control records in different partitions, read in any order, give the rows of the source."""

import contextlib
import io
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from oracle import compare, targets  # noqa: E402

DATA = os.path.join(program.TESTS, "data", "dms")
GENERATOR = os.path.join(os.path.dirname(program.BINARY), "generate_events")
SEED = int(os.environ.get("CDCRT_TEST_SEED", "1"))
MANIFEST = """[pipeline]
name = "dms"
[sources.events]
plugin = "file"
paths = ["{folder}/events.jsonl"]
format.plugin = "dms"
{format}
[dead_letters]
plugin = "file"
path = "{folder}/dead_letters.jsonl"
{more}
"""
BOTH = (program.SqliteTarget, program.PostgresqlTarget)
TIME = "2025-06-10T11:28:{:09.6f}Z"
DETAILS = {"table-def": {"columns": {"id": {"type": "INT32", "nullable": False}, "v": {"type": "WSTRING", "length": 20, "nullable": True}}, "primary-key": ["id"]}}


def captured(name):
    with open(os.path.join(DATA, name), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def spread(messages, partitions, chance):
    """The messages in partitions at random, each partition in its order, the partitions read in any order. Those of one time stay in one
    partition: without details nothing tells their order. So do control records, which have one key."""
    logs = [[] for _ in range(partitions)]
    places = {}
    for message in messages:
        metadata = json.loads(message["payload"])["metadata"]
        second = "control" if metadata["record-type"] == "control" else metadata["timestamp"]
        logs[places.setdefault(second, chance.randrange(partitions))].append(message)
    lines = []
    for partition, log in enumerate(logs):
        for offset, message in enumerate(log):
            message |= {"partition": partition, "offset": offset}
    while any(logs):
        log = chance.choice([each for each in logs if each])
        for _ in range(chance.choice([1, 3, len(log)])):
            if log:
                lines.append(log.pop(0))
    return lines


def record(operation, data, second, table="t", beside=None, **metadata):
    block = {"timestamp": TIME.format(second), "record-type": "data", "operation": operation, "partition-key-type": "schema-table", "schema-name": "s", "table-name": table}
    return json.dumps((beside or {}) | {"data": data, "metadata": block | metadata})


def control(operation, details, second, table="t"):
    return json.dumps(({} if details is None else {"control": details}) | {"metadata": {"timestamp": TIME.format(second), "record-type": "control", "operation": operation,
                                                                                         "partition-key-type": "task-id", "schema-name": "s", "table-name": table}})


def table(columns, key=("id",)):
    return {"table-def": {"columns": {name: {"type": kind} for name, kind in columns.items()}, "primary-key": list(key)}}


class Dms(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name

    def fresh(self):
        return tempfile.TemporaryDirectory()

    def write(self, messages):
        with open(os.path.join(self.folder, "events.jsonl"), "w", encoding="utf-8") as file:
            for message in messages:
                file.write(json.dumps(message, ensure_ascii=False) + "\n")

    def logs(self, *logs):
        """The payloads of each partition, one partition after the other."""
        self.write([{"topic": "dms", "partition": partition, "offset": offset, "tstype": "create", "ts": 1_749_554_880_000, "key": "k", "payload": payload}
                    for partition, log in logs for offset, payload in enumerate(log)])

    def arguments(self, target, more="", settings=(), form=""):
        manifest = os.path.join(self.folder, "manifest.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(folder=self.folder, more=more, format=form))
        words = ["--manifest", manifest, "--manifest", target.overlay]
        for setting in settings:
            words += ["--set", setting]
        return words

    def run_with(self, target, more="", settings=(), form=""):
        self.target = target
        return program.run(self.arguments(target, more, settings, form), target.environment, self.folder)

    def dead_letters(self):
        return program.dead_letters(os.path.join(self.folder, "dead_letters.jsonl"))

    def rows(self, name="s.t", columns=("id", "v")):
        names, rows = targets.open_target(self.target.name).rows(name)
        return sorted((tuple(row[names.index(column)] if column in names else None for column in columns) for row in rows), key=lambda row: str(row[0]))

    def same(self, target, expected, why=""):
        out = io.StringIO()
        count = compare.compare(expected, targets.open_target(target.name), out=out)
        self.assertEqual(count, 0, f"seed {SEED} {why}: " + out.getvalue())

    def test_the_sample_gives_its_table_however_it_is_spread(self):
        chance = random.Random(SEED)
        for kind in BOTH:
            for name in ("all_options_unformatted.jsonl", "all_options_json_pretty.jsonl"):
                for partitions in (1, 4, 16):
                    rows = chance.choice([None, 1, 2])
                    with self.subTest(target=kind.__name__, name=name, partitions=partitions, rows=rows, seed=SEED), self.fresh() as self.folder:
                        self.write(spread(captured(name), partitions, chance))
                        target = kind(self.folder)
                        # A table whose key is told late is read back however little time is left for it.
                        settings = ["sinks.target.stall_after=1ms"] + ([f"sinks.target.batch.max_rows={rows}"] if rows else [])
                        for _ in range(2):
                            done = self.run_with(target, settings=settings)
                            self.assertIn(done.exit_code, (0, 4), done.log)
                            self.same(target, os.path.join(DATA, "expected"), done.log)
                        # One number that DMS rounded, of a row that is deleted later.
                        reasons = [dead_letter["message"] for dead_letter in self.dead_letters()]
                        self.assertEqual(len(reasons), 1, reasons)
                        self.assertIn("column 'big'", reasons[0])

    def test_the_defaults_of_the_endpoint_need_a_key_in_the_manifest_and_what_is_left_out_is_null(self):
        chance = random.Random(SEED + 1)
        for partitions in (1, 4):
            with self.subTest(partitions=partitions, seed=SEED), self.fresh() as self.folder:
                self.write(spread(captured("defaults_unformatted.jsonl"), partitions, chance))
                done = self.run_with(program.SqliteTarget(self.folder), '[defaults]\nprimary_keys = { "*" = ["id"] }')
                self.assertIn(done.exit_code, (0, 4), done.log)
                rows = self.rows("shop.customer", ("id", "name", "city", "note"))
                # No row before a change tells that 1 became 101.
                self.assertEqual([(int(row[0]), row[1] and row[1][:3], row[2], row[3]) for row in sorted(rows, key=lambda row: int(row[0]))],
                                 [(1, "Ann", None, None), (3, None, None, None), (5, None, None, None), (6, "new", "Basel", None), (7, "www", None, None),
                                  (8, "tx", None, "second"), (101, "Ann", None, None)])

    def test_a_load_and_its_changes_end_in_the_rows_of_the_source_in_the_worst_order(self):
        load = [record("load", {"id": number, "v": "loaded"}, 2, **{"partition-key-type": "primary-key"}) for number in (1, 2, 3)]
        changes = [record("update", {"id": 1, "v": "changed"}, 5), record("delete", {"id": 2, "v": None}, 6), record("insert", {"id": 4, "v": "new"}, 7),
                   record("update", {"id": 5, "v": "moved"}, 8, beside={"before-image": {"id": 3}})]
        made = [control("drop-table", {}, 0), control("create-table", DETAILS, 1)]
        for kind in BOTH:
            for order in ((changes, load, made), (changes, made, load), (made, changes, load), (load, changes, made), (made, load, changes)):
                for settings in ([], ["sinks.target.batch.max_rows=1", "sources.events.batch_messages=1", "runtime.decode_workers=1"]):
                    with self.subTest(target=kind.__name__, order=[log[0][:40] for log in order], settings=settings), self.fresh() as self.folder:
                        self.logs(*enumerate(order))
                        done = self.run_with(kind(self.folder), settings=settings)
                        self.assertEqual(done.exit_code, 0, done.log)
                        self.assertEqual([(int(row[0]), row[1]) for row in self.rows()], [(1, "changed"), (4, "new"), (5, "moved")])

    def test_declared_types_hold_for_values_that_are_texts_and_numbers(self):
        columns = {"id": "INT64", "ws": "WSTRING", "s": "STRING", "i1": "INT1", "i2": "INT2", "i4": "INT4", "i8": "INT8", "u1": "UINT1", "u2": "UINT2", "u4": "UINT4",
                   "u8": "UINT8", "n": "NUMERIC", "r4": "REAL4", "r8": "REAL8", "d": "DATE", "t": "TIME", "dt": "DATETIME", "ts": "TIMESTAMP", "b": "BOOLEAN", "by": "BYTES",
                   "bl": "BLOB", "c": "CLOB", "nc": "NCLOB"}
        values = {"id": 1, "ws": "1", "s": "2020-01-09", "i1": -128, "i2": 32767, "i4": "5", "i8": -9223372036854775808, "u1": 255, "u2": 65535, "u4": 4294967295,
                  "u8": 18446744073709551615, "n": "12.50", "r4": 1.5, "r8": "1.25", "d": "1999-12-31", "t": "23:59:59.5", "dt": "2020-01-09T04:13:38Z",
                  "ts": "2020-02-29 23:59:59.123456", "b": "true", "by": "0x00FF11", "bl": "00ff11", "c": "{}", "nc": "x"}
        expected = {"ws": "1", "s": "2020-01-09", "i1": "-128", "i2": "32767", "i4": "5", "i8": "-9223372036854775808", "u1": "255", "u2": "65535", "u4": "4294967295",
                    "u8": "18446744073709551615", "n": "12.50", "r4": "1.5", "r8": "1.25", "d": "1999-12-31", "t": "23:59:59.5", "dt": "2020-01-09 04:13:38",
                    "ts": "2020-02-29 23:59:59.123456", "b": "t", "by": "\\x00ff11", "bl": "\\x00ff11", "c": "{}", "nc": "x"}
        kinds = {"ws": "text", "s": "text", "i1": "smallint", "i2": "smallint", "i4": "integer", "i8": "bigint", "u1": "smallint", "u2": "integer", "u4": "bigint", "u8": "numeric",
                 "n": "numeric", "r4": "real", "r8": "double precision", "d": "date", "t": "time without time zone", "dt": "timestamp without time zone",
                 "ts": "timestamp without time zone", "b": "boolean", "by": "bytea", "bl": "bytea", "c": "text", "nc": "text"}
        for order in ("definition first", "row first"):
            with self.subTest(order), self.fresh() as self.folder:
                logs = [(0, [control("create-table", table(columns), 1)]), (1, [record("insert", values, 2), record("insert", {"id": 2}, 3)])]
                self.logs(*(logs if order == "definition first" else reversed(logs)))
                target = program.PostgresqlTarget(self.folder)
                done = self.run_with(target)
                self.assertEqual(done.exit_code, 0, done.log + str(self.dead_letters()))
                reader = targets.open_target(target.name)
                names, rows = reader.rows("s.t")
                row = next(row for row in rows if str(row[names.index("id")]) == "1")
                self.maxDiff = None
                shown = {name: row[names.index(name)] for name in expected}
                self.assertEqual(shown, expected)
                self.assertEqual(self.types_of(target), kinds)

    @staticmethod
    def types_of(target):
        query = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 's' AND table_name = 't' AND column_name <> 'id'"
        lines = targets.open_target(target.name).psql(f"COPY ({query}) TO STDOUT").splitlines()
        return dict(line.split("\t") for line in lines)

    def test_a_number_that_lost_digits_is_a_dead_letter_unless_its_column_is_one_of_floats(self):
        made = control("create-table", table({"id": "INT32", "big": "UINT64", "r": "REAL8", "n": "NUMERIC"}), 1)
        rows = [f'{{"data":{{"id":{number},{cells}}},"metadata":{{"timestamp":"{TIME.format(2 + number)}","record-type":"data","operation":"insert","schema-name":"s","table-name":"t"}}}}'
                for number, cells in ((1, '"big":1.8446744073709552e+19'), (2, '"r":1.7976931348623157e+308'), (3, '"n":1.2345678901234567e+16'), (4, '"big":42,"n":1.5e+3,"r":1e300'))]
        self.logs((0, [made, *rows]))
        done = self.run_with(program.SqliteTarget(self.folder))
        self.assertEqual(done.exit_code, 4, done.log)
        self.assertEqual([row[0] for row in self.rows(columns=("id",))], [2, 4])
        self.assertEqual([dead_letter["message"].partition(":")[0] for dead_letter in self.dead_letters()], ["column 'big'", "column 'n'"])

    def test_bad_records_and_tables_that_nobody_routes_hold_up_nothing(self):
        good = record("insert", {"id": 1, "v": "x"}, 3)
        cut = record("insert", {"id": 2, "v": "cut"}, 4)[:60]
        contradicts = record("delete", {"id": 1, "v": None}, 5, beside={"before-image": {"id": 9}})
        mapped = json.dumps({"FirstName": "Randy", "StoreId": "5"})
        debezium = json.dumps({"before": None, "after": {"id": 1}, "source": {"db": "s", "table": "t"}, "op": "c", "ts_ms": 1})
        own = control("create-table", {"table-def": {"columns": {"ERROR": {"type": "STRING"}}}}, 1, table="awsdms_apply_exceptions")
        self.logs((0, [own, control("create-table", DETAILS, 1), control("create-table", DETAILS, 1, table="other"), record("insert", {"id": 1}, 1, table="other"),
                       control("add-column", None, 2), control("add-column", {}, 2), good, cut, contradicts, mapped, debezium, record("insert", {"id": 3, "v": "y"}, 6)]))
        done = self.run_with(program.SqliteTarget(self.folder), '[routes.t]\nmatch = ["s.t"]')
        self.assertEqual(done.exit_code, 4, done.log)
        self.assertEqual(self.rows(), [(1, "x"), (3, "y")])
        texts = [dead_letter["message"] for dead_letter in self.dead_letters()]
        self.assertEqual(len(texts), 4, texts)
        for text, reason in zip(texts, ("ends too early", "differ", "map-record-to-record", "debezium-json")):
            self.assertIn(reason, text)
        self.assertIn("s.other", done.log)

    def test_a_table_whose_key_nobody_tells_waits_and_the_others_go_on(self):
        self.logs((0, [record("insert", {"id": 1, "v": "x"}, 3), control("create-table", DETAILS, 1, table="u"), record("insert", {"id": 1, "v": "u"}, 3, table="u")]))
        done = self.run_with(program.SqliteTarget(self.folder))
        self.assertEqual(done.exit_code, 1, done.log)
        self.assertIn("primary_keys", done.log)
        self.assertEqual(self.rows("s.u"), [(1, "u")])
        done = self.run_with(self.target, '[defaults]\nprimary_keys = { "s.t" = ["id"] }')
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(self.rows(), [(1, "x")])

    def test_a_task_that_starts_again_neither_empties_nor_drops_the_table(self):
        made = [control("drop-table", {}, 1), control("create-table", DETAILS, 1)]
        again = [control("drop-table", {}, 5), control("create-table", DETAILS, 5)]
        self.logs((0, made + [record("load", {"id": 1, "v": "x"}, 2), record("load", {"id": 2, "v": "y"}, 2)] + again + [record("load", {"id": 2, "v": "z"}, 6)]))
        done = self.run_with(program.SqliteTarget(self.folder))
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(self.rows(), [(1, "x"), (2, "z")])

    def test_rows_before_a_change_as_columns_of_a_prefix(self):
        self.write(captured("bi_columns.jsonl"))
        done = self.run_with(program.SqliteTarget(self.folder), '[defaults]\nprimary_keys = { "*" = ["id"] }')
        self.assertEqual(done.exit_code, 0, done.log)
        with contextlib.closing(sqlite3.connect(self.target.path)) as database:
            self.assertEqual(database.execute("SELECT * FROM employees").fetchall(), [(3, "Bobby")])
            self.assertEqual([row[1] for row in database.execute("PRAGMA table_info(employees)")], ["id", "name"])

    def generated(self, kind, events, partitions, kills):
        chance = random.Random(SEED)
        expected, place = os.path.join(self.folder, "expected"), os.path.join(self.folder, "events.jsonl")
        words = [GENERATOR, "--format", "dms", "--events", str(events), "--seed", str(SEED), "--tables", "2", "--partitions", str(partitions), "--random-partitions",
                 "--out", place, "--expected", expected] + (["--details"] if chance.random() < 0.5 else [])
        subprocess.run(words, check=True)
        with open(place, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        logs = [[line for line in lines if line["partition"] == partition] for partition in range(partitions)]
        mixed = []
        while any(logs):
            log = chance.choice([each for each in logs if each])
            count = chance.choice([1, 50, 2000])
            mixed += log[:count]
            del log[:count]
        self.write(mixed)
        target = kind(self.folder)
        arguments = self.arguments(target, settings=[f"sinks.target.batch.max_rows={chance.choice([100, 1000, 50000])}"])
        log = os.path.join(self.folder, "log")
        for _ in range(kills):
            process = program.start(arguments, target.environment, log)
            time.sleep(chance.uniform(0.05, 1))
            process.kill()
            process.wait()
        done = program.run(arguments, target.environment, self.folder)
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(self.dead_letters(), [])
        self.same(target, expected, done.log[-2000:])

    def test_tables_that_wait_for_their_keys_read_the_file_a_few_times_and_not_once_for_each_partition(self):
        place, tables, partitions = os.path.join(self.folder, "events.jsonl"), 2, 16
        subprocess.run([GENERATOR, "--format", "dms", "--events", "60000", "--seed", str(SEED), "--tables", str(tables), "--partitions", str(partitions), "--random-partitions",
                        "--out", place, "--expected", os.path.join(self.folder, "expected")], check=True)
        with open(place, encoding="utf-8") as file:
            lines = file.readlines()
        of = [json.loads(line)["partition"] for line in lines]
        # Mixed as they are, or one partition after the other; those that tell the keys last.
        keys = {of[number] for number in range(2 * tables)}
        runs = [line for _, _, line in sorted((partition in keys, partition, number) for number, partition in enumerate(of))]
        for way, order in (("mixed", [number for number in range(len(lines)) if of[number] not in keys] + [number for number in range(len(lines)) if of[number] in keys]),
                           ("in runs", runs)):
            with self.subTest(way):
                with open(place, "w", encoding="utf-8") as file:
                    file.writelines(lines[number] for number in order)
                with tempfile.TemporaryDirectory() as folder:
                    target = program.SqliteTarget(folder)
                    log = os.path.join(folder, "log")
                    process = program.start(self.arguments(target), target.environment, log)
                    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
                    with open(f"/proc/{process.pid}/io", encoding="utf-8") as file:
                        read = int(file.readline().split()[1])
                    with open(log, encoding="utf-8") as file:
                        self.assertEqual(process.wait(), 0, file.read())
                    self.same(target, os.path.join(self.folder, "expected"))
                # Once at first, and then each table for itself, the first piece of each partition too. With it what the database reads. About 11
                # times, and a hundred times where each piece of each partition is read by itself.
                self.assertLess(read, (1 + 12 * tables) * os.path.getsize(place))

    def test_generated_changes_into_sqlite(self):
        self.generated(program.SqliteTarget, 20_000, 4, 4)

    def test_generated_changes_into_postgresql(self):
        self.generated(program.PostgresqlTarget, 20_000, 16, 4)


if __name__ == "__main__":
    unittest.main()
