"""`cdcrt manifest import`: what it writes is a manifest that validates, for each kind of events; what is wrong is told with its place."""

import os
import subprocess
import sys
import tempfile
import tomllib
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program, spark_job  # noqa: E402

TABLES = [{"db": "test_db", "table": "product", "primary_key": "pid"},
          {"db": "test_db", "table": "product_02", "primary_key": "pid,pname"},
          {"db": "test_db", "table": "sbtest[0-9]+", "primary_key": "id", "target_table": "all_sbtest"},
          {"db": "test_db", "table": "[$]odd", "primary_key": "id", "target_table": "od{d}"},
          {"ignore_ddl": "true", "db": "test_db", "table": "info", "target_table": "info_super", "primary_key": "id", "super_columns": "other fields,\"q\"", "timestamp_columns": "created",
           "date_columns": "day|yyyy-MM-dd", "skip_delete": "ture"},
          {"db": "test_db", "table": "user", "primary_key": "id", "save_delete": "true"},
          {"db": "test_db", "table": "gone", "primary_key": "id", "only_save_delete": "true"}]
FORMATS = {"MSK-DEBEZIUM-CDC": "debezium-json", "FLINK-CDC": "flink-cdc", "DMS-CDC": "dms"}


class Import(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self.job, self.written = os.path.join(self.folder, "job.properties"), os.path.join(self.folder, "shop.toml")

    def cdcrt(self, *arguments, stdin=None):
        return subprocess.run([program.BINARY, *arguments], capture_output=True, text=True, input=stdin, cwd=self.folder, check=False)

    def write_job(self, *tables, **values):
        with open(self.job, "w", encoding="utf-8") as file:
            file.write(spark_job.properties(tables or TABLES, **values))

    def imported(self, *arguments):
        done = self.cdcrt("manifest", "import", self.job, "--output", self.written, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.written, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("Very-Secret", text + done.stdout + done.stderr)
        return done.stderr, text

    def test_the_manifest_of_each_kind_of_events_is_valid(self):
        for cdc_format, plugin in FORMATS.items():
            with self.subTest(cdc_format):
                if os.path.exists(self.written):
                    os.remove(self.written)
                self.write_job(cdc_format=cdc_format)
                told, text = self.imported()
                self.assertEqual(tomllib.loads(text)["sources"]["events"]["format"]["plugin"], plugin)
                done = self.cdcrt("validate", "--manifest", self.written)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr + text)
                self.assertIn("only_save_delete", told)
                for table, target in (("product", "public.product"), ("sbtest7", "public.all_sbtest"), ("info", "public.info_super"), ("$odd", "public.od{d}")):
                    route = self.cdcrt("route", "--manifest", self.written, "--output", "json", f"test_db.{table}")
                    schema, name = target.split(".")
                    self.assertIn(f'"target_schema":"{schema}","target_table":"{name}"', route.stdout, route.stderr)
                self.assertIn("no route matches", self.cdcrt("route", "--manifest", self.written, "test_db.gone").stdout)

    def test_a_secret_and_a_job_that_ends_make_a_valid_manifest_too(self):
        self.write_job(TABLES[0])
        with open(self.job, encoding="utf-8") as file:
            text = file.read().replace("redshift_secret_id =", "redshift_secret_id = shop/redshift").replace("checkpoint_interval = 1 second", "checkpoint_interval = availableNow")
        with open(self.job, "w", encoding="utf-8") as file:
            file.write(text)
        told, text = self.imported("--schema", "public")
        self.assertIn("AWS_REGION", told)
        done = self.cdcrt("validate", "--manifest", self.written)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + text)
        self.assertIn("test_db.public.product", done.stdout)

    def test_it_is_written_to_standard_output_and_read_from_standard_input(self):
        self.write_job()
        with open(self.job, encoding="utf-8") as file:
            piped = self.cdcrt("manifest", "import", "-", stdin=file.read())
        self.assertEqual(piped.returncode, 0, piped.stderr)
        self.assertEqual(self.cdcrt("manifest", "import", self.job).stdout.replace(self.job, "standard input"), piped.stdout)

    def test_what_is_wrong_is_told_with_its_place_and_nothing_is_written(self):
        with open(self.job, "w", encoding="utf-8") as file:
            file.write("kafka_brokers = b:9092\nsync_table_list = [\\\n{\"db\": \"a\",}\\\n]\nleft over\n{\"db\"}\n")
        done = self.cdcrt("manifest", "import", self.job, "--output", self.written)
        self.assertEqual(done.returncode, 2)
        for part in ("job.properties:1:1: error[E0203]: unknown option 'kafka_brokers'", "did you mean 'kafka_broker'?", "job.properties:3:12: error[E0602]", "job.properties:5:1: error[E0203]",
                     "job.properties:6:1: error[E0601]", "error[E0201]: option 'topic' is missing"):
            self.assertIn(part, done.stderr)
        self.assertEqual((done.stdout, os.path.exists(self.written)), ("", False))

    def test_a_file_that_is_there_is_not_written_over_and_one_that_is_not_is_told(self):
        self.write_job()
        with open(self.written, "w", encoding="utf-8") as file:
            file.write("mine")
        done = self.cdcrt("manifest", "import", self.job, "--output", self.written)
        self.assertEqual(done.returncode, 2)
        with open(self.written, encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")
        self.assertEqual(self.cdcrt("manifest", "import", "nowhere.properties").returncode, 3)
        self.assertIn("aws s3 cp s3://b/job.properties - | cdcrt manifest import -", self.cdcrt("manifest", "import", "s3://b/job.properties").stderr)
        self.assertIn("write manifest import FILE", self.cdcrt("manifest").stderr)


if __name__ == "__main__":
    unittest.main()
