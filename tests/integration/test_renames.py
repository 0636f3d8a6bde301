"""Columns that are renamed at the source keep their values in the target, whatever the batches, after a kill, and told twice."""

import json
import os
import random
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program, redshift_target  # noqa: E402
from integration.messages import with_schema  # noqa: E402
from lab.kafka import Kafka  # noqa: E402
from oracle import targets  # noqa: E402

SOURCES = """[pipeline]
name = "renames"
[sources.events]
plugin = "file"
paths = ["{folder}/events.jsonl"]
format.plugin = "debezium-json"
[routes.shop]
match = [{match}]
"""
EVERY_ROW_ALONE = ("sinks.target.batch.max_rows=1", "sources.events.batch_messages=1", "runtime.decode_workers=1")
WAYS = ((), EVERY_ROW_ALONE, ("sinks.target.batch.max_rows=5", "sources.events.batch_messages=3"))
SEED = int(os.environ.get("CDCRT_TEST_SEED", str(time.time_ns() % 1_000_000)))


def tearDownModule():
    redshift_target.stop()


def open_redshift(target):
    return target.tables()


TARGETS = {"sqlite": (program.SqliteTarget, lambda target: targets.open_target(target.name)),
           "postgresql": (program.PostgresqlTarget, lambda target: targets.open_target(target.name)),
           "redshift": (redshift_target.RedshiftTarget, open_redshift)}


class Log:
    """What Debezium's MySQL connector writes of database shop: rows of t into `topic`, changes of the schema into `shop`, in whose order both are
    read where it is the same."""

    def __init__(self, topic="shop.shop.t"):
        self.topic = topic
        self.lines, self.offsets, self.position = [], {}, 100

    def add(self, topic, value, key=None, partition=0):
        place = (topic, partition)
        self.offsets[place] = self.offsets.get(place, -1) + 1
        self.lines.append({"topic": topic, "partition": partition, "offset": self.offsets[place], "tstype": "create", "ts": 1_700_000_000_000,
                           "key": key, "payload": value})

    def source(self, table):
        self.position += 10
        return {"connector": "mysql", "name": "shop", "db": "shop", "table": table, "file": "bin.000001", "pos": self.position, "row": 0, "ts_ms": 1}

    def row(self, row, kinds=None, op="u", key="id", position=None, partition=0):
        source = self.source("t")
        if position is not None:
            source["pos"] = position
        kinds = kinds or {name: "string" if name in ("v", "Mixed Case", "MIXED case") else "int32" for name in row}
        payload = with_schema(kinds, json.dumps({"before": None, "after": row, "source": source, "op": op}))
        told = {"schema": {"type": "struct", "fields": [{"type": "int32", "optional": False, "field": key}], "optional": False}, "payload": {key: row[key]}}
        self.add(self.topic, payload, json.dumps(told), partition)

    def ddl(self, text, columns, key=("id",), kind="ALTER", table="t", times=1):
        record = {"source": self.source(table), "ts_ms": 1, "databaseName": "shop", "schemaName": None, "ddl": text,
                  "tableChanges": [{"type": kind, "id": f'"shop"."{table}"',
                                    "table": {"primaryKeyColumnNames": list(key), "columns": [{"name": name, "typeName": "INT"} for name in columns]}}]}
        for _ in range(times):
            self.add("shop", json.dumps(record))


class Renames(unittest.TestCase):
    def run_it(self, kind, lines, *settings, kill=None, match='"shop.*"', folder=None):
        """The target after a run over the lines; `kill`: seconds after which a first one is killed."""
        with open(os.path.join(folder, "events.jsonl"), "w", encoding="utf-8") as file:
            file.write("".join(json.dumps(line) + "\n" for line in lines))
        sources = SOURCES.format(folder=folder, match=match)
        if self.target is None:
            self.target = TARGETS[kind][0](folder)
        if kill is not None:
            process = program.start(redshift_target.arguments_of(folder, self.target, sources, *settings), self.target.environment, os.path.join(folder, "log"))
            time.sleep(kill)
            process.kill()
            process.wait(60)
        return redshift_target.run(folder, self.target, sources, *settings)

    def rows(self, kind, table):
        """(names, rows), as table() makes them."""
        names, rows = TARGETS[kind][1](self.target).rows(table)
        return self.table([dict(zip(names, row)) for row in rows], names)

    @staticmethod
    def table(rows, names=None):
        """The case of names aside, which SQLite and Redshift do not tell apart."""
        cells = [sorted((name.lower(), "" if cell is None else "=" + str(cell)) for name, cell in row.items()) for row in rows]
        return sorted(name.lower() for name in (rows[0] if names is None else names)), sorted(cells)

    def check(self, kind, lines, expected, kills=(), table="shop.t", before=0):
        """`before`: how many of the lines an earlier run reads alone."""
        for way, kill in [(way, None) for way in WAYS] + [(EVERY_ROW_ALONE, kill) for kill in kills]:
            with self.subTest(way=way, kill=kill), tempfile.TemporaryDirectory() as folder:
                self.target = None
                if before:
                    self.assertEqual(self.run_it(kind, lines[:before], *way, folder=folder).exit_code, 0)
                done = self.run_it(kind, lines, *way, kill=kill, folder=folder)
                self.assertEqual(done.exit_code, 0, f"seed {SEED}: {done.log[-3000:]}")
                self.assertEqual(program.dead_letters(os.path.join(folder, "dead_letters.jsonl")), [])
                self.assertEqual(self.rows(kind, table), self.table(expected), f"seed {SEED}")

    def captured(self, kind):
        """Renames of MariaDB. Which topic is read first is chance: here it is the one of the changes of the schema."""
        expected = [{"id": 1, "the remark": "one", "amount": 10, "extra": 7, "total": 1}, {"id": 2, "the remark": "two again", "amount": 20, "extra": 7, "total": None},
                    {"id": 3, "the remark": None, "amount": 30, "extra": 7, "total": None}, {"id": 4, "the remark": None, "amount": 40, "extra": 7, "total": None},
                    {"id": 5, "the remark": "five", "amount": 50, "extra": 5, "total": None}]
        messages = sorted(program.captured_messages("debezium-mariadb-renames"), key=lambda message: message["topic"])
        before = sum(message["topic"] == "shop" for message in messages)
        self.check(kind, messages, expected, [random.Random(SEED).uniform(0, 1)], "shop.orders", before)

    def ahead(self, kind):
        """The changes of columns that were added, before their rows: the topic of schema changes is read ahead."""
        log = Log("shop")
        log.ddl("CREATE TABLE t (...)", ("id", "a"), kind="CREATE")
        log.row({"id": 1, "a": 1})
        log.ddl("ALTER TABLE t ADD COLUMN b INT, ADD COLUMN c INT", ("id", "a", "b", "c"))
        between = log.position + 5
        log.ddl("ALTER TABLE t RENAME COLUMN b TO d", ("id", "a", "d", "c"))
        log.ddl("ALTER TABLE t RENAME COLUMN d TO e", ("id", "a", "e", "c"))
        log.ddl("ALTER TABLE t DROP COLUMN c", ("id", "a", "e"))
        log.row({"id": 2, "a": 2, "b": 20, "c": 200}, position=between)
        log.row({"id": 3, "a": 3, "e": 30})
        self.check(kind, log.lines, [{"id": 1, "a": 1, "e": None}, {"id": 2, "a": 2, "e": 20}, {"id": 3, "a": 3, "e": 30}])

    def statements(self, kind):
        """One table through all that a statement may do to names."""
        log = Log("shop")
        log.ddl("CREATE TABLE t (...)", ("id", "a", "b", "v"), kind="CREATE")
        for number in (1, 2, 3):
            log.row({"id": number, "a": number, "b": 10 * number, "v": "x"})
        log.ddl("ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a", ("id", "b", "a", "v"), times=2)
        log.row({"id": 2, "b": 22, "a": 220, "v": "x"})
        log.ddl("ALTER TABLE t CHANGE `v` `Mixed Case` BIGINT COMMENT 'v, \"w\"'", ("id", "b", "a", "Mixed Case"))
        log.ddl("ALTER TABLE t RENAME COLUMN `Mixed Case` TO `MIXED case`", ("id", "b", "a", "MIXED case"))
        log.row({"id": 3, "b": 33, "a": 330, "MIXED case": "y"})
        for text in ("ALTER TABLE t RENAME INDEX a TO c", "ALTER TABLE t COMMENT 'rename column a to z'"):
            log.ddl(text, ("id", "b", "a", "MIXED case"))
        log.ddl("ALTER TABLE other RENAME COLUMN a TO z", ("id", "z"), table="other")
        log.ddl("RENAME TABLE other TO another", ("id", "z"), table="another")
        # Through a third name.
        log.ddl("ALTER TABLE t RENAME COLUMN a TO tmp", ("id", "b", "tmp", "MIXED case"))
        log.ddl("ALTER TABLE t RENAME COLUMN b TO a", ("id", "a", "tmp", "MIXED case"))
        log.ddl("ALTER TABLE t RENAME COLUMN tmp TO b", ("id", "a", "b", "MIXED case"), times=2)
        log.row({"id": 4, "a": 4, "b": 40, "MIXED case": "z"})
        # The former name again; then away with the renamed one, and its name taken once more.
        log.ddl("ALTER TABLE t RENAME COLUMN a TO c", ("id", "c", "b", "MIXED case"))
        log.ddl("ALTER TABLE t ADD COLUMN a INT", ("id", "c", "b", "MIXED case", "a"))
        log.row({"id": 4, "c": 4, "b": 40, "MIXED case": "z", "a": 5})
        log.ddl("ALTER TABLE t DROP COLUMN b", ("id", "c", "MIXED case", "a"))
        log.ddl("ALTER TABLE t RENAME COLUMN c TO b", ("id", "b", "MIXED case", "a"))
        log.ddl("ALTER TABLE t RENAME COLUMN a TO gone", ("id", "b", "MIXED case", "gone"))
        log.ddl("ALTER TABLE t DROP COLUMN gone", ("id", "b", "MIXED case"))
        log.ddl("ALTER TABLE t RENAME COLUMN id TO number", ("number", "b", "MIXED case"), key=("number",))
        log.row({"number": 4, "b": 44, "MIXED case": "z"}, key="number")
        log.row({"number": 5, "b": 5, "MIXED case": "v"}, key="number")
        # Of the old shape, late, from the other partition.
        log.row({"id": 6, "a": 6, "b": 60, "v": "late"}, position=115, partition=1)
        expected = [{"number": number, "b": b, "MIXED case": v} for number, b, v in ((1, 1, "x"), (2, 22, "x"), (3, 33, "y"), (4, 44, "z"), (5, 5, "v"), (6, 6, "late"))]
        self.check(kind, log.lines, expected, [random.Random(SEED).uniform(0, 1)])

    def rows_first(self, kind):
        """The changes of the schema are read a run later than the rows of the new name."""
        log = Log()
        log.ddl("CREATE TABLE t (...)", ("id", "a", "v"), kind="CREATE")
        created = len(log.lines)
        for number in (1, 2, 3):
            log.row({"id": number, "a": number, "v": "x"})
        before = len(log.lines)
        log.ddl("ALTER TABLE t CHANGE a b BIGINT", ("id", "b", "v"))
        told = log.lines[before:]
        log.row({"id": 2, "b": 5_000_000_000, "v": "x"}, {"id": "int32", "b": "int64", "v": "string"})
        log.row({"id": 3, "b": None, "v": "x"}, {"id": "int32", "b": "int64", "v": "string"})
        rows = log.lines[before + len(told):]
        for way in WAYS:
            with self.subTest(way=way), tempfile.TemporaryDirectory() as folder:
                self.target = None
                # That changes of the schema are told at all is known first: the topics of one run are read side by side.
                self.assertEqual(self.run_it(kind, log.lines[:created], *way, folder=folder).exit_code, 0)
                self.assertEqual(self.run_it(kind, log.lines[:before] + rows, *way, folder=folder).exit_code, 0)
                self.assertEqual(self.rows(kind, "shop.t")[0], ["a", "b", "id", "v"])
                done = self.run_it(kind, log.lines[:before] + rows + told, *way, folder=folder)
                self.assertEqual(done.exit_code, 0, done.log[-3000:])
                self.assertEqual(self.rows(kind, "shop.t"), self.table([{"id": 1, "b": 1, "v": "x"}, {"id": 2, "b": 5_000_000_000, "v": "x"}, {"id": 3, "b": None, "v": "x"}]))

    def replayed(self, kind):
        """A dead letter of the former name finds its column."""
        log = Log()
        log.ddl("CREATE TABLE t (...)", ("id", "a", "v"), kind="CREATE")
        log.row({"id": 1, "a": 1, "v": "x"})
        begun = len(log.lines)
        log.row({"id": 2, "a": 5, "v": "y"})
        log.ddl("ALTER TABLE t RENAME COLUMN a TO b", ("id", "b", "v"))
        log.row({"id": 1, "b": 11, "v": "x"})
        with tempfile.TemporaryDirectory() as folder:
            self.target = None
            self.assertEqual(self.run_it(kind, log.lines[:begun], folder=folder).exit_code, 0)
            database = TARGETS[kind][1](self.target)
            database.psql("alter table shop.t add constraint refuses check (a <> 5)")
            self.assertEqual(self.run_it(kind, log.lines, folder=folder).exit_code, 4)
            self.assertEqual(self.rows(kind, "shop.t"), self.table([{"id": 1, "b": 11, "v": "x"}]))
            database.psql("alter table shop.t drop constraint refuses")
            words = ["dlq", "replay", "--manifest", os.path.join(folder, "manifest.toml"), "--manifest", self.target.overlay]
            done = program.run(words, self.target.environment, folder)
            self.assertIn("1 of 1 applied", done.log)
            self.assertEqual(self.rows(kind, "shop.t"), self.table([{"id": 1, "b": 11, "v": "x"}, {"id": 2, "b": 5, "v": "y"}]))

    def unrouted(self, kind):
        log = Log()
        log.ddl("CREATE TABLE other (...)", ("id", "a"), kind="CREATE", table="other")
        log.ddl("ALTER TABLE other RENAME COLUMN a TO b", ("id", "b"), table="other")
        log.row({"id": 1, "a": 1, "v": "x"})
        with tempfile.TemporaryDirectory() as folder:
            self.target = None
            self.assertEqual(self.run_it(kind, log.lines, match='"shop.t"', folder=folder).exit_code, 0)
            self.assertEqual(self.rows(kind, "shop.other"), ([], []))
            self.assertEqual(len(self.rows(kind, "shop.t")[1]), 1)

    def test_what_mariadb_renamed_keeps_its_values_in_sqlite(self):
        self.captured("sqlite")

    def test_what_mariadb_renamed_keeps_its_values_in_postgresql(self):
        self.captured("postgresql")

    def test_what_mariadb_renamed_keeps_its_values_in_redshift(self):
        self.captured("redshift")

    def test_names_change_places_case_and_owners_in_sqlite(self):
        self.statements("sqlite")

    def test_names_change_places_case_and_owners_in_postgresql(self):
        self.statements("postgresql")

    def test_names_change_places_case_and_owners_in_redshift(self):
        self.statements("redshift")

    def test_what_became_of_columns_is_read_before_their_rows_in_sqlite(self):
        self.ahead("sqlite")

    def test_what_became_of_columns_is_read_before_their_rows_in_postgresql(self):
        self.ahead("postgresql")

    def test_what_became_of_columns_is_read_before_their_rows_in_redshift(self):
        self.ahead("redshift")

    def test_rows_of_the_new_name_before_it_was_told_in_sqlite(self):
        self.rows_first("sqlite")

    def test_rows_of_the_new_name_before_it_was_told_in_postgresql(self):
        self.rows_first("postgresql")

    def test_rows_of_the_new_name_before_it_was_told_in_redshift(self):
        self.rows_first("redshift")

    def test_a_dead_letter_of_the_former_name_is_replayed_into_the_renamed_column(self):
        self.replayed("postgresql")

    def test_a_rename_of_a_table_that_no_route_names_changes_nothing(self):
        self.unrouted("sqlite")


class BesideFromKafka(unittest.TestCase):
    """The topic of schema changes is read beside that of the rows, and has much to tell of another table first."""
    SOURCES = """[pipeline]
name = "renames"
[sources.events]
plugin = "kafka"
brokers = "{brokers}"
topics = ["shop", "shop.*"]
stop = "end"
format.plugin = "debezium-json"
[routes.shop]
match = ["shop.t"]
"""

    @classmethod
    def setUpClass(cls):
        cls.kafka = Kafka()

    @classmethod
    def tearDownClass(cls):
        cls.kafka.stop()

    def check(self, statement, expected):
        with tempfile.TemporaryDirectory() as folder:
            self.addCleanup(self.kafka.delete_topics)
            for topic in ("shop", "shop.shop.t"):
                self.kafka.create_topic(topic, 1)
            log = Log()
            for number in (1, 2, 3):
                log.row({"id": number, "a": number, "v": "x"})
            target = program.SqliteTarget(folder)
            sources = self.SOURCES.format(brokers=self.kafka.brokers)
            self.kafka.produce_lines(log.lines)
            done = redshift_target.run(folder, target, sources)
            self.assertEqual(done.exit_code, 0, done.log[-3000:])
            log.lines.clear()
            for _ in range(20_000):
                log.ddl("ALTER TABLE other COMMENT 'again'", ("id", "a"), table="other")
            log.ddl(statement, ("id", "b", "v"), table="t" if "TABLE t " in statement else "other")
            log.row({"id": 2, "b": 22, "v": "x"})
            self.kafka.produce_lines(log.lines)
            for _ in range(2):
                done = redshift_target.run(folder, target, sources)
                self.assertEqual(done.exit_code, 0, done.log[-3000:])
                names, rows = targets.open_target(target.name).rows("shop.t")
                self.assertEqual(Renames.table([dict(zip(names, row)) for row in rows], names), Renames.table(expected))
            self.assertEqual(program.dead_letters(os.path.join(folder, "dead_letters.jsonl")), [])

    def test_a_renamed_column_keeps_its_values_though_its_rows_are_read_before_any_definition(self):
        self.check("ALTER TABLE t RENAME COLUMN a TO b", [{"id": number, "b": b, "v": "x"} for number, b in ((1, 1), (2, 22), (3, 3))])

    def test_a_column_that_no_definition_says_to_be_renamed_goes(self):
        self.check("ALTER TABLE other DROP COLUMN a, ADD COLUMN b INT", [{"id": number, "b": b, "v": "x"} for number, b in ((1, None), (2, 22), (3, None))])


if __name__ == "__main__":
    unittest.main()
