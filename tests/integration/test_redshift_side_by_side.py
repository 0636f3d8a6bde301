"""The three kinds of events that the Spark job read, side by side in one process, from Kafka into one database of the test Redshift, while the sources add,
drop, rename and change columns: Debezium with schemas and its records of schema changes, Flink CDC with its own, AWS DMS with its control records."""

import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program, redshift_target, spark_job  # noqa: E402
from integration.messages import with_schema  # noqa: E402
from integration.redshift_target import RedshiftCase, RedshiftTarget  # noqa: E402
from lab.kafka import Kafka  # noqa: E402

SEED = int(os.environ.get("CDCRT_TEST_SEED", "14"))
PARTITIONS = 3
SOURCE = """[sources.{name}]
plugin = "kafka"
brokers = "{brokers}"
topics = ["side_{name}*"]
group = "side_{name}_{run}"
stop = "end"
format.plugin = "{format}"
"""
FORMATS = {"debezium": "debezium-json", "flink": "flink-cdc", "dms": "dms"}
# Of each kind of column: as a schema of Connect, as MySQL, as DMS has it; and in Redshift.
KINDS = {"int": ("int32", "INT", "INT32", "integer"), "long": ("int64", "BIGINT", "INT64", "bigint"), "text": ("string", "VARCHAR", "WSTRING", "character varying")}
DMS_OPERATIONS = {"create": "create-table", "add": "add-column", "drop": "drop-column", "type": "column-type-change", "rename": "rename-column",
                  "several": "change-columns"}


def setUpModule():
    SideBySide.kafka = Kafka()


def tearDownModule():
    redshift_target.stop()
    SideBySide.kafka.stop()


class Source:
    """A table `items` of one kind of source: its columns and rows, and the messages that tell them, (topic, partition, key, value)."""

    def __init__(self, name, chance):
        self.name, self.chance = name, chance
        self.topic = f"side_{name}" if name != "debezium" else "side_debezium.shop.items"
        self.columns, self.rows, self.position, self.never_null = {}, {}, 0, ()

    def alter(self, what, ddl, columns, change=lambda row: None):
        """The table has these columns now; `change` does to a row what the statement does."""
        self.position += 1
        self.columns = columns
        for row in self.rows.values():
            change(row)
            for name in list(row):
                if name not in columns:
                    del row[name]
        if self.name == "flink":
            return [(self.topic, self.chance.randrange(PARTITIONS), None, json.dumps({"source": self._place(), "historyRecord": json.dumps({"source": {}, "position": {}, **self._history(what, ddl)})}))]
        if self.name == "dms":
            return [(self.topic, 2, "task.shop.items", self._control(DMS_OPERATIONS[what]))]
        record = {"source": self._place(), "ts_ms": 1, "schemaName": None, **self._history(what, ddl)}
        return [("side_debezium", 0, None, json.dumps(record))]

    def _place(self):
        return json.loads(spark_job.flink("shop", "items", "c", {"id": 0}, None, self.position)[1])["source"]

    def _history(self, what, ddl):
        columns = [{"name": name, "typeName": KINDS[kind][1], "optional": name != "id", **({"length": 64} if kind == "text" else {})} for name, kind in self.columns.items()]
        return {"databaseName": "shop", "ddl": ddl, "tableChanges": [
            {"type": "CREATE" if what == "create" else "ALTER", "id": '"shop"."items"', "table": {"primaryKeyColumnNames": ["id"], "columns": columns}}]}

    def _control(self, operation):
        columns = {name: {"type": KINDS[kind][2], "nullable": name != "id", **({"length": 64} if kind == "text" else {})} for name, kind in self.columns.items()}
        metadata = {"timestamp": f"2025-06-10T11:28:{self.position // 1000:02}.{self.position % 1000:03}000Z", "record-type": "control", "operation": operation,
                    "partition-key-type": "task-id", "schema-name": "shop", "table-name": "items"}
        return json.dumps({"control": {"table-def": {"columns": columns, "primary-key": ["id"]}}, "metadata": metadata})

    def change(self):
        """A row comes, changes or goes."""
        self.position += 1
        number = self.chance.randrange(1, 41)
        before = self.rows.get(number)
        operation = "c" if before is None else self.chance.choice("uuud")
        values = {"int": self.position, "long": self.position + 10_000_000_000, "text": f"text {self.position}"}
        row = None if operation == "d" else {"id": number, **{name: self.chance.choice([values[kind]] * 4 + [values[kind] if name in self.never_null else None]) for name, kind in self.columns.items() if name != "id"}}
        tell = {"debezium": spark_job.debezium, "flink": spark_job.flink, "dms": spark_job.dms}[self.name]
        key, value = tell("shop", "items", operation, row, before, self.position)
        if self.name == "debezium":
            value = with_schema({name: KINDS[kind][0] for name, kind in self.columns.items()}, value)
        if row is None:
            del self.rows[number]
        else:
            self.rows[number] = row
        return self.topic, {"debezium": number, "flink": self.chance.randrange(PARTITIONS), "dms": 0}[self.name] % PARTITIONS, key, value


class SideBySide(RedshiftCase):
    kafka = None

    def setUp(self):
        super().setUp()
        chance = random.Random(SEED)
        self.sources = [Source(name, chance) for name in FORMATS]
        for source in self.sources:
            self.kafka.create_topic(source.topic, PARTITIONS)
        self.kafka.create_topic("side_debezium", 1)
        self.runs = 0

    def send(self, what, ddl, more, gone, change, sources):
        for source in sources:
            columns = {name: kind for name, kind in (source.columns | more).items() if name not in gone}
            messages = source.alter(what, ddl, columns, change) + [source.change() for _ in range(80)]
            for topic in sorted({message[0] for message in messages}):
                for partition in sorted({message[1] for message in messages if message[0] == topic}):
                    self.kafka.produce(topic, [message[2:] for message in messages if message[:2] == (topic, partition)], partition)

    def run_and_compare(self, *settings):
        manifest = '[pipeline]\nname = "side"\n' + "".join(
            SOURCE.format(name=name, brokers=self.kafka.brokers, format=plugin, run=self.runs) for name, plugin in FORMATS.items())
        manifest += '[defaults]\ntable = "{source}.{table}"\n'
        done = redshift_target.run(self.folder, self.target, manifest, *settings)
        self.assertIn(done.exit_code, (0, 4), done.log[-3000:])
        if done.exit_code == 4:
            # Texts for a column of numbers, whose new type another partition tells later.
            messages = {dead_letter["message"].partition(":")[0] for dead_letter in program.dead_letters(os.path.join(self.folder, "dead_letters.jsonl"))}
            self.assertEqual(messages, {"column 'size'"}, done.log[-3000:])
            done = program.run(["dlq", "replay", *redshift_target.arguments_of(self.folder, self.target, manifest)], self.target.environment, self.folder)
            self.assertEqual(done.exit_code, 0, done.log[-3000:])
        for source in self.sources:
            names = sorted(source.columns)
            quoted = ", ".join(f'"{name}"' for name in names)
            types = self.front.query(f"select column_name, data_type from information_schema.columns where table_schema = '{source.name}' and table_name = 'items'")
            self.assertEqual(dict(types), {name: KINDS[kind][3] for name, kind in source.columns.items()}, f"seed {SEED}: {source.name}")
            got = self.front.query(f"select {quoted} from {source.name}.items order by id")
            want = [[None if row.get(name) is None else str(row[name]) for name in names] for _, row in sorted(source.rows.items())]
            self.assertEqual(got, want, f"seed {SEED}: {source.name}")

    def test_columns_that_come_go_and_change_do_so_in_the_target(self):
        def as_text(row):
            row["size"] = None if row.get("size") is None else str(row["size"])

        def renamed(row):
            row["hue"] = row.pop("colour", None)

        def stage(what, ddl, more=(), gone=(), change=lambda row: None, sources=self.sources):
            self.send(what, ddl, dict(more), gone, change, sources)
            with self.subTest(what=what, ddl=ddl):
                self.run_and_compare()

        stage("create", "create table items (id int primary key, name varchar(64), qty int, size int, old varchar(64))",
              {"id": "int", "name": "text", "qty": "int", "size": "int", "old": "text"})
        stage("add", "alter table items add colour varchar(64)", {"colour": "text"})
        stage("drop", "alter table items drop column old", gone=("old",))
        stage("type", "alter table items modify qty bigint", {"qty": "long"})
        stage("several", "alter table items modify size varchar(64), add note varchar(64), drop column name", {"size": "text", "note": "text"}, ("name",), as_text)
        self.clean()
        # Everything at once, into other databases, whatever is read first, in small batches and a large one.
        for rows in (20, 10000):
            with self.subTest(rows=rows):
                self.target, self.runs = RedshiftTarget(self.folder), self.runs + 1
                self.run_and_compare(f"sinks.target.batch.max_rows={rows}")
                self.clean()
        # Of these the log has to be read in time: see docs/limits.md. A NULL under the new name that is read first would keep the former value.
        for source in self.sources:
            source.never_null = {"hue"}
        stage("rename", "alter table items rename column colour to hue", {"hue": "text"}, ("colour",), renamed, [each for each in self.sources if each.name != "dms"])
        stage("add", "alter table items add old varchar(64)", {"old": "text"})


if __name__ == "__main__":
    import unittest
    unittest.main()
