"""What Flink CDC and AWS DMS wrote, spread over partitions at random and read in any order, ends in the tables of its source; killed and started again too.

Into the test Redshift, in few ways: test_flink_cdc.py and test_dms.py have SQLite and PostgreSQL. Longer forms have every way into all three:

    CDCRT_CAPTURES_TARGETS     sqlite,postgresql,redshift (redshift)
    CDCRT_CAPTURES_ROWS        every max_rows of a batch, by commas; 0 leaves the default (one of 40 and 0, by chance)
    CDCRT_CAPTURES_PARTITIONS  with it: over how many partitions (1,4,16)
    CDCRT_CAPTURES_KILLS       how often a process is killed in each way (2)
    CDCRT_CAPTURES_EVENTS      generated changes of each format (20000)
    CDCRT_TEST_SEED            repeats the choices, not the moments; those of a way do not depend on the ways before it

A way that fails is told at once, and its events, dead letters and logs are kept (../lab/README.md).
"""

import contextlib
import io
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program, redshift_target, test_dms, test_flink_cdc  # noqa: E402
from integration.redshift_target import RedshiftCase, RedshiftTarget  # noqa: E402
from lab.process import KEEP  # noqa: E402
from oracle import compare, targets  # noqa: E402

SEED = int(os.environ.get("CDCRT_TEST_SEED", "1"))
TARGETS = os.environ.get("CDCRT_CAPTURES_TARGETS", "redshift").split(",")
ROWS = [int(rows) for rows in os.environ.get("CDCRT_CAPTURES_ROWS", "").split(",") if rows]
KILLS = int(os.environ.get("CDCRT_CAPTURES_KILLS", "2"))
EVENTS = int(os.environ.get("CDCRT_CAPTURES_EVENTS", "20000"))
PARTITIONS = [int(count) for count in os.environ.get("CDCRT_CAPTURES_PARTITIONS", "1,4,16").split(",")]
KINDS = {"sqlite": program.SqliteTarget, "postgresql": program.PostgresqlTarget, "redshift": RedshiftTarget}
# Seconds in which a process of each target is killed: from before its first transaction to after its last one, where it ends no earlier.
MOMENTS = {"sqlite": (0.02, 0.5), "postgresql": (0.05, 1.5), "redshift": (0.2, 4)}
FLINK_MYSQL, FLINK_POSTGRES, DMS, DMS_PRETTY = "flink-cdc-mysql", "flink-cdc-postgres", "all_options_unformatted.jsonl", "all_options_json_pretty.jsonl"
# What a target cannot hold, by the event's table and the row's key: a dead letter.
NOT_HELD = {
    (FLINK_MYSQL, "postgresql"): {"shop.texts": {"1"}},  # a NUL character
    (FLINK_MYSQL, "redshift"): {"shop.texts": {"1"}},  # a text of 108,000 bytes
    (FLINK_POSTGRES, "redshift"): {"public.types_all": {"2"}},  # an infinite timestamp
}
# A change that lacks the unchanged TOAST of its row, which another partition brings later: made good by a replay.
LATE = {("big_text", "row_missing"), ("public.big_text", "row_missing")}


def tearDownModule():
    redshift_target.stop()


def without_rows(expected, lacking, folder):
    """A copy of the expected tables that lacks rows: table -> their ids."""
    copy = os.path.join(folder, "expected")
    shutil.copytree(expected, copy)
    for table, ids in lacking.items():
        path = os.path.join(copy, table + ".csv")
        header, rows = compare.read_csv(path)
        with open(path, "w", encoding="utf-8", newline="") as file:
            for row in [header, *(row for row in rows if row[header.index("id")] not in ids)]:
                file.write(",".join("\\N" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in row) + "\n")
    return copy


def in_any_turn(logs, chance, path, longest):
    """The lines of each log in their order, the logs in any turn and some far ahead, as one file."""
    with open(path, "wb") as file, contextlib.ExitStack() as opened:
        left = [opened.enter_context(open(log, "rb")) for log in logs]
        while left:
            log = chance.choice(left)
            for _ in range(chance.choice([1, 50, longest])):
                line = log.readline()
                if not line:
                    left.remove(log)
                    break
                file.write(line)


class Case(RedshiftCase):
    def setUp(self):
        super().setUp()
        self.ways = random.Random(f"{SEED} {self.id()}")

    @contextlib.contextmanager
    def way(self, kind, told):
        """A target and a folder of its own, self.place."""
        self.told = f"seed {SEED}, {told} into {kind}"
        self.log = ""
        self.moments = MOMENTS[kind]
        self.chance = random.Random(f"{self.id()} {self.told}")
        with self.subTest(self.told), tempfile.TemporaryDirectory(dir=self.folder) as self.place:
            begun = time.monotonic()
            if kind == "redshift" and self.front.statements():
                self.target = RedshiftTarget(self.place)
            target = self.target if kind == "redshift" else KINDS[kind](self.place)
            self.environment = {**target.environment, "CDCRT_TEST_EVENTS": os.path.join(self.place, "events.jsonl")}
            try:
                yield target
                if kind == "redshift":
                    self._check_rejections()
                    self.clean()
            except Exception as failure:
                self.keep(failure)
                raise
            print(f"\n{self.told}: {time.monotonic() - begun:.1f} s", file=sys.stderr)

    def keep(self, failure):
        """Tells of the failure now, as the rest may take hours, and keeps what the way left."""
        os.makedirs(KEEP, exist_ok=True)
        kept = tempfile.mkdtemp(prefix=self.id() + "-", dir=KEEP)
        for name in ("events.jsonl", "dead_letters.jsonl", "log"):
            if os.path.exists(os.path.join(self.place, name)):
                shutil.copy(os.path.join(self.place, name), kept)
        with open(os.path.join(kept, "last.log"), "w", encoding="utf-8") as file:
            file.write(f"{self.told}\n{self.log}")
        print(f"\n{self.told}: FAILED, kept in {kept}\n{str(failure)[:5000]}", file=sys.stderr)

    def run_to_the_end(self, arguments):
        done = program.run(arguments, self.environment, self.place, timeout=3000)
        self.log += done.log
        return done

    def settings(self, kind, rows):
        settings = [f"runtime.decode_workers={self.chance.choice([1, 4])}", f"sources.events.batch_messages={self.chance.choice([1, 7, 1000])}"]
        settings += [f"sinks.target.batch.max_rows={rows}"] if rows else []
        settings += [f"sinks.target.copy_from_rows={self.chance.choice([0, 10, 10000])}"] if kind == "redshift" else []
        self.told += f", {settings}"
        return settings

    def kill(self, arguments):
        """Starts a process and kills it, earlier than any has ended by itself; false: it had ended before."""
        begun = time.monotonic()
        process = program.start(arguments, self.environment, os.path.join(self.place, "log"))
        try:
            process.wait(self.chance.uniform(*self.moments))
        except subprocess.TimeoutExpired:
            return True
        finally:
            process.kill()
            process.wait()
        self.moments = (self.moments[0], max(self.moments[0], min(self.moments[1], time.monotonic() - begun)))
        return False

    def differences(self, kind, target, expected):
        if kind == "redshift":
            return target.differences(expected)
        out = io.StringIO()
        return out.getvalue() if compare.compare(expected, targets.open_target(target.name), out=out) else ""

    def dead_letters(self):
        return program.dead_letters(os.path.join(self.place, "dead_letters.jsonl"))


class Captured(Case):
    def lines(self, name, partitions):
        """Lines of the file source, in the order in which they are read."""
        if name in (DMS, DMS_PRETTY):
            return [json.dumps(message) + "\n" for message in test_dms.spread(test_dms.captured(name), partitions, self.chance)]
        path = os.path.join(self.place, "all.jsonl")
        test_flink_cdc.spread(test_flink_cdc.captured(name), partitions, self.chance, path)
        with open(path, encoding="utf-8") as file:
            return file.readlines()

    def run_killed(self, lines, arguments, kills):
        """The log grows by a part before each start, so that each kill meets a process that has something to do."""
        starts = killed = 0
        while killed < kills and starts < 3 * kills:
            with open(self.environment["CDCRT_TEST_EVENTS"], "a", encoding="utf-8") as file:
                file.writelines(lines[len(lines) * starts // (kills + 1):len(lines) * (starts + 1) // (kills + 1)])
            starts += 1
            killed += self.kill(arguments)
        self.told += f", {killed} of {starts} starts killed"
        with open(self.environment["CDCRT_TEST_EVENTS"], "a", encoding="utf-8") as file:
            file.writelines(lines[len(lines) * starts // (kills + 1):])
        done = self.run_to_the_end(arguments)
        self.assertIn(done.exit_code, (0, 4), self.told + done.log[-3000:])

    def check(self, name, kind, partitions, rows, kills):
        is_dms = name in (DMS, DMS_PRETTY)
        with self.way(kind, f"{name}, {partitions} partitions, {rows or 'default'} rows, {kills} kills") as target:
            arguments = program.real_events("dms" if is_dms else name, target, self.place, *self.settings(kind, rows))
            self.run_killed(self.lines(name, partitions), arguments, kills)
            expected = os.path.join(test_dms.DATA, "expected") if is_dms else os.path.join(test_flink_cdc.DATA, name, "expected")
            lacking = NOT_HELD.get((name, kind), {})
            # One number of DMS's that it rounded, of a row that is deleted later. SQLite has no schemas.
            wanted = {("customer" if kind == "sqlite" else "shop.customer", "value_refused")} if is_dms else {(table, "value_refused") for table in lacking}
            self.check_dead_letters(wanted, arguments)
            if lacking:
                expected = without_rows(expected, lacking, self.place)
            self.assertEqual(self.differences(kind, target, expected), "", self.told)

    def check_dead_letters(self, wanted, arguments):
        found = {(dead_letter["table"], dead_letter["reason"]) for dead_letter in self.dead_letters()}
        self.assertEqual(found - LATE, wanted, self.told)
        for table, _ in found & LATE:
            done = self.run_to_the_end(["dlq", "replay", "--table", table, *arguments])
            self.assertEqual(done.exit_code, 0, self.told + done.log[-3000:])

    def check_all(self, name):
        for kind in TARGETS:
            for partitions in PARTITIONS if ROWS else (self.ways.choice((4, 16)),):
                for rows in ROWS or (self.ways.choice((40, 0)),):
                    for kills in sorted({0, KILLS}) if ROWS else (KILLS,):
                        self.check(name, kind, partitions, rows, kills)

    def test_of_flink_cdc_and_mysql(self):
        self.check_all(FLINK_MYSQL)

    def test_of_flink_cdc_and_postgresql(self):
        self.check_all(FLINK_POSTGRES)

    def test_of_dms(self):
        self.check_all(DMS)

    def test_of_dms_over_many_lines(self):
        self.check_all(DMS_PRETTY)


class Generated(Case):
    """Rows loaded, changed, moved and deleted, each record in a partition by chance."""
    MANIFESTS = {"flink-cdc": "flink-cdc-generated", "dms": "dms"}

    def generate(self, form, partitions):
        """The events, in the order in which they are read; the folder of the tables in which they end."""
        lines, expected = os.path.join(self.place, "lines.jsonl"), os.path.join(self.place, "expected")
        words = [test_dms.GENERATOR, "--format", form, "--events", str(EVENTS), "--seed", str(SEED), "--tables", "2", "--partitions", str(partitions), "--out", lines, "--expected", expected]
        subprocess.run(words + (["--random-partitions", *(["--details"] if self.chance.random() < 0.5 else [])] if form == "dms" else []), check=True)
        logs = [os.path.join(self.place, f"{partition}.jsonl") for partition in range(partitions)]
        with open(lines, "rb") as file, contextlib.ExitStack() as opened:
            of = [opened.enter_context(open(log, "wb")) for log in logs]
            for line in file:
                of[int(re.search(rb'"partition": ?(\d+)', line)[1])].write(line)
        in_any_turn(logs, self.chance, self.environment["CDCRT_TEST_EVENTS"], EVENTS // 10)
        for path in (lines, *logs):
            os.remove(path)
        return expected

    def check(self, form, kind, partitions):
        with self.way(kind, f"{EVENTS} generated changes of {form}, {partitions} partitions, {KILLS} kills") as target:
            expected = self.generate(form, partitions)
            arguments = program.real_events(self.MANIFESTS[form], target, self.place, *self.settings(kind, self.chance.choice((0, max(500, EVENTS // 100)))))
            self.moments = (0.2, 2 + EVENTS / 50_000)
            for _ in range(KILLS):
                self.kill(arguments)
            done = self.run_to_the_end(arguments)
            self.assertEqual(done.exit_code, 0, self.told + done.log[-3000:])
            self.told += ": " + "".join(re.findall(r"[\d,]+ messages, [\d,]+ rows in .*", done.log)[-1:])
            self.assertEqual(self.dead_letters(), [], self.told)
            self.assertEqual(self.differences(kind, target, expected), "", self.told)

    def test_of_flink_cdc(self):
        for kind in TARGETS:
            self.check("flink-cdc", kind, 4)

    def test_of_dms(self):
        for kind in TARGETS:
            self.check("dms", kind, 16)


class WorstOrder(Case):
    """A table's load in one partition, its changes in others: a table for each order in which they can be read."""
    LOADED = (1, 2, 3, 6)
    # Row, operation, row after it; a key change as the format tells it.
    CHANGES = (("update", 1, "changed"), ("delete", 2, None), ("insert", 4, "new"), ("move", 3, 5), ("delete", 6, None), ("insert", 6, "again"), ("insert", 7, "short"), ("delete", 7, None))
    ROWS = [(1, "changed"), (4, "new"), (5, "moved"), (6, "again")]

    @staticmethod
    def flink(table):
        """(load, changes, definitions), each a list of values."""
        def event(operation, position, before, after):
            source = test_flink_cdc.source(position) if position else {**test_flink_cdc.source(0), "ts_ms": 0, "file": "", "server_id": 0}
            return json.dumps({"before": before, "after": after, "source": {**source, "table": table}, "op": operation, "ts_ms": 1_795_370_549_095})
        load = [event("r", 0, None, {"id": number, "v": "loaded"}) for number in WorstOrder.LOADED]
        changes = []
        for position, (what, number, value) in enumerate(WorstOrder.CHANGES, 100):
            before, after = {"id": number, "v": "before"}, {"id": number, "v": value}
            if what == "move":
                changes += [event("d", position, before, None), event("c", position, None, {"id": value, "v": "moved"})]
            else:
                changes.append(event({"update": "u", "delete": "d", "insert": "c"}[what], position, None if what == "insert" else before, None if what == "delete" else after))
        columns = [{"name": "id", "typeName": "INT", "optional": False}, {"name": "v", "typeName": "VARCHAR", "length": 30, "optional": True}]
        told = [{"type": "CREATE", "id": f'"shop"."{table}"', "table": {"primaryKeyColumnNames": ["id"], "columns": columns}}]
        return load, changes, [json.dumps(test_flink_cdc.history(1, f"create table {table}(id int primary key, v varchar(30))", told))]

    @staticmethod
    def dms(table):
        record, control, details = test_dms.record, test_dms.control, test_dms.DETAILS
        load = [record("load", {"id": number, "v": "loaded"}, 2, table, **{"partition-key-type": "primary-key", "schema-name": "shop"}) for number in WorstOrder.LOADED]
        changes = []
        for second, (what, number, value) in enumerate(WorstOrder.CHANGES, 5):
            row = {"id": value, "v": "moved"} if what == "move" else {"id": number, "v": value}
            beside = {"before-image": {"id": number}} if what == "move" else None
            changes.append(record("update" if what == "move" else what, row, second, table, beside, **{"schema-name": "shop"}))
        made = [control("drop-table", {}, 0, table), control("create-table", details, 1, table)]
        return load, changes, [text.replace('"schema-name": "s"', '"schema-name": "shop"') for text in made]

    def check(self, form, kind):
        for one_by_one in (False, True):
            with self.way(kind, f"worst orders of {form}, {'one by one' if one_by_one else 'at once'}") as target:
                tables = {f"t{number}": order for number, order in enumerate(itertools.permutations(range(3)))}
                offsets = [0] * 5
                with open(self.environment["CDCRT_TEST_EVENTS"], "w", encoding="utf-8") as file:
                    for table, order in tables.items():
                        parts = (self.dms if form == "dms" else self.flink)(table)
                        for part in order:
                            for value in parts[part]:
                                # Values of Flink's are in any partition, records of DMS's in one of the table and one of its row.
                                partition = part if part != 1 or form == "dms" else self.chance.choice((1, 3, 4))
                                file.write(json.dumps({"topic": "e", "partition": partition, "offset": offsets[partition], "key": None, "payload": value}) + "\n")
                                offsets[partition] += 1
                settings = ["sinks.target.batch.max_rows=1", "sources.events.batch_messages=1", "runtime.decode_workers=1"] if one_by_one else []
                done = self.run_to_the_end(program.real_events(Generated.MANIFESTS[form], target, self.place, *settings))
                self.assertEqual(done.exit_code, 0, self.told + done.log[-3000:])
                reader = target.tables() if kind == "redshift" else targets.open_target(target.name)
                for table, order in tables.items():
                    names, rows = reader.rows(f"shop.{table}")
                    found = sorted((int(row[names.index("id")]), row[names.index("v")]) for row in rows)
                    self.assertEqual(found, self.ROWS, f"{self.told}, {[('load', 'changes', 'definitions')[part] for part in order]}")

    def test_of_flink_cdc_into_sqlite(self):
        self.check("flink-cdc", "sqlite")

    def test_of_flink_cdc_into_postgresql(self):
        self.check("flink-cdc", "postgresql")

    def test_of_flink_cdc_into_redshift(self):
        self.check("flink-cdc", "redshift")

    def test_of_dms_into_sqlite(self):
        self.check("dms", "sqlite")

    def test_of_dms_into_postgresql(self):
        self.check("dms", "postgresql")

    def test_of_dms_into_redshift(self):
        self.check("dms", "redshift")


if __name__ == "__main__":
    import unittest
    unittest.main()
