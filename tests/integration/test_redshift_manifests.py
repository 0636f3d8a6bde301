"""The manifests for Redshift as they stand, from Kafka into the test Redshift: only places and credentials are laid over them."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program, redshift_target, spark_job  # noqa: E402
from integration.messages import envelope  # noqa: E402
from integration.redshift_target import RedshiftCase  # noqa: E402
from lab.kafka import Kafka  # noqa: E402

MANIFESTS = os.path.join(os.path.dirname(program.TESTS), "manifests")

OVERLAY = """[sources.events]
stop = "end"
instance = ""
[sinks.warehouse.connection]
Driver = "PostgreSQL Unicode"
Server = "%(host)s"
Port = "%(port)s"
Database = "%(database)s"
UID = "%(user)s"
SSLMode = "disable"
[sinks.warehouse.staging]
url = "%(url)s"
region = "%(region)s"
endpoint = "%(endpoint)s"
path_style = true
access_key = "%(key)s"
secret_key = "${env:CDCRT_TEST_SECRET}"
%(role)s
[dead_letters]
path = "%(folder)s/dead_letters.jsonl"
"""
# The last part of the manifest's name -> topic, cdc_format of the job.
SPARK_JOBS = {"debezium": ("shop_cdc", "MSK-DEBEZIUM-CDC"), "flink-cdc": ("flink_mysql_cdc", "FLINK-CDC"), "dms": ("dms_cdc", "DMS-CDC")}


def setUpModule():
    Manifests.kafka = Kafka()


def tearDownModule():
    redshift_target.stop()
    Manifests.kafka.stop()


class Manifests(RedshiftCase):
    kafka = None
    ROWS = 200

    def run_manifest(self, name, role=""):
        schemas = {"orders": "sales", "countries": "sales", "notes": "public"}
        for table, schema in schemas.items():
            topic = f"shop.{schema}.{table}"
            if topic not in self.kafka.topics():
                self.kafka.create_topic(topic, 2)
                for partition in (0, 1):
                    self.kafka.produce(topic, [(json.dumps({"id": n}), self.event(schema, table, n)) for n in range(partition, self.ROWS, 2)], partition)
        front = self.front
        self.run_laid_over(name, role)
        for table, schema in schemas.items():
            self.assertEqual(front.query(f"select count(*), count(distinct id) from {schema}.{table}"), [[str(self.ROWS)] * 2])
        self.assertTrue([each for each in front.statements() if each["text"].startswith("COPY")])
        self.clean()
        return {each["text"].split('"')[3]: each["text"].rpartition(")) ")[2] or each["text"] for each in front.statements()
                if each["text"].startswith("CREATE TABLE IF NOT EXISTS") and '"cdcrt"' not in each["text"]}

    def run_laid_over(self, name, role):
        front, s3 = self.front, self.target.s3
        overlay = os.path.join(self.folder, "overlay.toml")
        with open(overlay, "w", encoding="utf-8") as file:
            file.write(OVERLAY % {"host": front.host, "port": front.port, "database": front.database, "user": front.user, "url": self.target.url, "region": s3.region,
                                  "endpoint": s3.endpoint, "key": s3.access_key, "role": role, "folder": self.folder})
        environment = {**self.target.environment, "BROKERS": self.kafka.brokers, "RS_PASSWORD": front.password}
        done = program.run(["--manifest", os.path.join(MANIFESTS, name), "--manifest", overlay], environment, self.folder)
        self.assertEqual(done.exit_code, 0, done.log[-3000:])

    @staticmethod
    def event(schema, table, number):
        after = {"id": number, "customer_id": number % 7, "created_at": "2026-01-01T00:00:00Z", "note": "x" * 100}
        return envelope(table, after, lsn=100 + number).replace('"schema": "public"', f'"schema": "{schema}"')

    def test_the_manifest_for_a_provisioned_cluster_does_what_it_says(self):
        created = self.run_manifest("redshift-provisioned.toml", f'iam_role = "{self.front.role}"')
        self.assertIn('DISTSTYLE KEY DISTKEY("customer_id") SORTKEY("created_at", "id")', created["orders"])
        self.assertIn("DISTSTYLE ALL", created["countries"])
        self.assertIn('DISTSTYLE KEY DISTKEY("id") SORTKEY("id")', created["notes"])

    def test_the_manifest_for_serverless_does_what_it_says(self):
        created = self.run_manifest("redshift-serverless.toml")
        self.assertEqual(sorted(created), ["countries", "notes", "orders"])

    def test_the_manifests_for_who_comes_from_the_spark_job_do_what_they_say(self):
        day = {"dms": "2020-01-09"}
        for topic, _ in SPARK_JOBS.values():
            self.kafka.create_topic(topic, 2)
            self.kafka.admin.commit("cdc-redshift-g1", topic, {0: 1})
        for name, (topic, cdc_format) in SPARK_JOBS.items():
            with self.subTest(name):
                front, changes = self.front, spark_job.FORMATS[cdc_format]
                front.query("drop table if exists public.product_super; drop table if exists public.orders; drop schema if exists cdcrt cascade")
                front.query("create table public.product_super (pid bigint, note varchar(65535), other_fields super, create_time timestamp, create_date date)")
                orders = [{"id": of, "note": f"order {of}"} for of in range(1, 5)]
                product = {"pid": 7, "note": "x", "other_fields": '{"a": 1}', "create_time": "2020-01-09T04:13:38Z", "create_date": day.get(name, 18270), "later": "left out"}
                messages = [changes("shop", "orders", "c", row, None, row["id"]) for row in orders]
                messages += [changes("shop", "product", "c", product, None, 5), changes("shop", "product", "d", None, product, 6)]
                self.kafka.produce(topic, messages, 0)
                self.run_laid_over(f"spark-job-{name}.toml", f'iam_role = "{front.role}"')
                # The group has read the first message; a delete of a table without deletes changes nothing.
                self.assertEqual(front.query("select id, note from public.orders order by id"), [[str(row["id"]), row["note"]] for row in orders[1:]])
                self.assertEqual(front.query("select pid, note, replace(json_serialize(other_fields), ' ', ''), create_time, create_date from public.product_super"),
                                 [["7", "x", '{"a":1}', "2020-01-09 04:13:38", "2020-01-09"]])
