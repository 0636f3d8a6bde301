"""Coming from the Spark Structured Streaming job kafka-cdc-redshift: its configuration is imported, its group and its tables are taken over."""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program, redshift_target, spark_job  # noqa: E402
from integration.redshift_target import RedshiftCase  # noqa: E402
from lab.kafka import Kafka  # noqa: E402

TEXT = "varchar(65535)"
OVERLAY = """[sinks.warehouse.connection]
Driver = "PostgreSQL Unicode"
SSLMode = "disable"
[sinks.warehouse.staging]
path_style = true
access_key = "%s"
secret_key = "${env:CDCRT_TEST_SECRET}"
[dead_letters]
path = "%s/dead_letters.jsonl"
"""


def setUpModule():
    TakeOver.kafka = Kafka()


def tearDownModule():
    redshift_target.stop()
    TakeOver.kafka.stop()


class TakeOver(RedshiftCase):
    kafka = None
    PARTITIONS = 3
    number = 0
    cdc_format = "MSK-DEBEZIUM-CDC"

    def setUp(self):
        super().setUp()
        TakeOver.number += 1
        self.topic, self.group = f"mysql_cdc_{self.number}", f"cdc-redshift-g{self.number}"
        self.kafka.create_topic(self.topic, self.PARTITIONS)
        self.positions = 0
        self.source = {}  # (table, id) -> row of the source

    # ---- the source ----

    def change(self, table, number, row):
        """The message of a row that is now `row`; None: it is gone. In the partition that the format's writer takes."""
        self.positions += 1
        before = self.source.get((table, number))
        operation = "d" if row is None else "u" if before else "c"
        self.source[table, number] = row
        partition = {"MSK-DEBEZIUM-CDC": number, "FLINK-CDC": self.positions, "DMS-CDC": len(table)}[self.cdc_format] % self.PARTITIONS
        return partition, *spark_job.FORMATS[self.cdc_format]("shop", table, operation, row, before, self.positions)

    def send(self, changes):
        for partition in range(self.PARTITIONS):
            self.kafka.produce(self.topic, [(key, event) for of, key, event in changes if of == partition], partition)

    def rows_of(self, table):
        return [row for (of, _), row in sorted(self.source.items()) if of == table and row is not None]

    # ---- the job ----

    @staticmethod
    def order(number, note="as it was", **more):
        return {"id": number, "note": note, "total": f"{number}.50", "paid": number % 2 == 0, "placed": 1_700_000_000_000 + number, "Weight": None, **more}

    @staticmethod
    def product(number, note="as it was"):
        return {"id": number, "name": f"product {number}", "price": number + 0.25, "stock": number * 1000, "sold": number % 2 == 0, "made": "2023-02-13T22:16:38Z", "info": json.dumps({"n": number, "note": note})}

    def the_job_was_here(self):
        """What it has read and written: orders in texts alone, products by what it took the JSON for."""
        changes = [self.change("orders", number, self.order(number)) for number in range(1, 31)]
        changes += [self.change("products", number, self.product(number)) for number in range(1, 16)]
        changes += [self.change("orders", number, None) for number in (28, 29, 30)]
        self.send(changes)
        orders = {name: TEXT for name in ("id", "note", "total", "paid", "placed", "weight")}
        spark_job.create_table(self.front, "public", "orders", orders, [{**row, "weight": None} for row in self.rows_of("orders")])
        products = {"id": "bigint", "name": TEXT, "price": "double precision", "stock": "bigint", "sold": "boolean", "made": "timestamp", "info": "super"}
        spark_job.create_table(self.front, "public", "t_products", products, self.rows_of("products"))
        return self.kafka.end_offsets(self.topic)

    def write_properties(self, **values):
        front = self.front
        tables = [{"db": "shop", "table": "orders", "primary_key": "id"},
                  {"db": "shop", "table": "products", "primary_key": "id", "target_table": "t_products", "ignore_ddl": "true", "super_columns": "info", "timestamp_columns": "made"}]
        path = os.path.join(self.folder, "job.properties")
        with open(path, "w", encoding="utf-8") as file:
            file.write(spark_job.properties(tables, region=self.target.s3.region, endpoint=self.target.s3.endpoint, brokers=self.kafka.brokers, topic=self.topic,
                                            group=self.group, host=front.host, port=front.port, cdc_format=self.cdc_format, user=front.user, password=front.password, database=front.database,
                                            tmpdir=self.target.url, role=front.role, **values))
        return path

    # ---- cdcrt ----

    def import_manifest(self):
        imported = os.path.join(self.folder, "imported.toml")
        done = program.run(["manifest", "import", self.write_properties(), "--output", imported], folder=self.folder)
        self.assertEqual(done.exit_code, 0, done.log)
        with open(imported, encoding="utf-8") as file:
            self.assertNotIn(self.front.password, file.read() + done.log)
        overlay = os.path.join(self.folder, "overlay.toml")
        with open(overlay, "w", encoding="utf-8") as file:
            file.write(OVERLAY % (self.target.s3.access_key, self.folder))
        self.manifests = ["--manifest", imported, "--manifest", overlay]
        self.environment = {**self.target.environment, "REDSHIFT_PASSWORD": self.front.password}
        done = program.run(["validate", *self.manifests], self.environment, self.folder)
        self.assertEqual(done.exit_code, 0, done.log)

    def run_to_the_end(self):
        done = program.run([*self.manifests, "--stop", "end"], self.environment, self.folder)
        self.assertEqual(done.exit_code, 0, done.log[-3000:])
        return done.log

    def changes_after(self):
        """Of rows of before and of new ones; the first message behind the border is a row's only change, in each partition."""
        changes = [self.change("orders", number, self.order(number, "first behind the border")) for number in (1, 2, 3)]
        changes += [self.change("orders", number, self.order(number, "changed", total="0.1")) for number in range(7, 13)]
        changes += [self.change("orders", number, None) for number in (13, 14, 15)]
        changes += [self.change("orders", number, self.order(number, "new", Weight=2.5)) for number in (28, 40, 41)]
        changes += [self.change("products", number, self.product(number, "changed")) for number in (3, 4, 5)]
        changes += [self.change("products", number, self.product(number, "new")) for number in (20, 21)]
        changes.append(self.change("products", 7, None))
        self.send(changes)
        return len(changes)

    def expect_the_source(self):
        got = self.front.query("select id, note, total, paid, placed, weight from public.orders order by id::bigint")
        want = [[None if value is None else spark_job.as_text(value) for value in row.values()] for row in self.rows_of("orders")]
        self.assertEqual(got, want)
        got = self.front.query("select id, name, price, stock, sold, made, json_serialize(info) from public.t_products order by id")
        for cells, row in zip(got, self.rows_of("products"), strict=True):
            made = row["made"].replace("T", " ").rstrip("Z")
            self.assertEqual(cells[:6], [str(row["id"]), row["name"], str(row["price"]), str(row["stock"]), "t" if row["sold"] else "f", made])
            self.assertEqual(json.loads(cells[6]), json.loads(row["info"]))

    def take_over(self):
        # Whoever read a message of before again would overwrite this one, which no later message touches.
        self.front.query("update public.orders set note = 'by hand' where id = '20'")
        self.source["orders", 20]["note"] = "by hand"
        sent = self.changes_after()
        log = self.run_to_the_end()
        self.assertIn(f"{sent} messages", log)
        self.expect_the_source()
        self.assertEqual(program.dead_letters(os.path.join(self.folder, "dead_letters.jsonl")), [])
        ends = self.kafka.end_offsets(self.topic)
        self.assertEqual(self.kafka.admin.committed(self.group), {(self.topic, partition): end for partition, end in ends.items()})
        self.assertIn("0 messages", self.run_to_the_end())
        self.expect_the_source()

    def test_the_group_and_the_tables_of_the_job_are_taken_over_and_nothing_is_read_twice_or_skipped(self):
        self.kafka.admin.commit(self.group, self.topic, self.the_job_was_here())
        self.import_manifest()
        self.take_over()
        self.assertEqual(self.front.query("select count(*) from public.stage_table_shop_orders"), [["0"]])
        types = self.front.query("select data_type from information_schema.columns where table_name = 'orders' and table_schema = 'public'")
        self.assertEqual(types, [["character varying"]] * 6)
        self.clean()

    def test_offsets_out_of_the_jobs_checkpoint_are_committed_for_the_group_as_documented(self):
        ends = self.the_job_was_here()
        with open(os.path.join(program.PROJECT, "docs", "migrate-from-spark.md"), encoding="utf-8") as file:
            script = re.search(r"python3 -c '(.*?)' < offsets.txt", file.read(), re.DOTALL).group(1)
        # As Spark writes the offsets of a batch.
        log = "v1\n" + json.dumps({"batchWatermarkMs": 0, "batchTimestampMs": 1700000000000, "conf": {}}) + "\n" + json.dumps({self.topic: {str(each): end for each, end in ends.items()}})
        lines = subprocess.run([sys.executable, "-c", script], input=log, capture_output=True, text=True, check=True).stdout
        offsets = os.path.join(self.folder, "offsets.csv")
        with open(offsets, "w", encoding="utf-8") as file:
            file.write(lines)
        self.kafka.tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", self.kafka.brokers, "--group", self.group,
                        "--reset-offsets", "--from-file", offsets, "--execute")
        self.import_manifest()
        self.take_over()

    def test_the_same_with_records_of_dms(self):
        self.cdc_format = "DMS-CDC"
        self.kafka.admin.commit(self.group, self.topic, self.the_job_was_here())
        self.import_manifest()
        self.take_over()

    def test_the_same_with_events_of_flink_cdc_in_any_partition(self):
        self.cdc_format = "FLINK-CDC"
        self.kafka.admin.commit(self.group, self.topic, self.the_job_was_here())
        self.import_manifest()
        self.take_over()


if __name__ == "__main__":
    import unittest
    unittest.main()
