"""Every manifest in manifests/ is valid and does what it says."""
import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("CDCRT_BINARY", os.path.join(ROOT, "build/release/bin/cdcrt"))
MANIFESTS = os.path.join(ROOT, "manifests")


class Manifests(unittest.TestCase):
    def test_every_manifest_is_valid(self):
        for name in sorted(os.listdir(MANIFESTS)):
            if name.endswith(".toml"):
                with self.subTest(name):
                    done = subprocess.run([BINARY, "validate", "--manifest", os.path.join(MANIFESTS, name)], capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def ends_with_the_tables_of_the_source(self, name, data, *ignored):
        """Twice: a second run changes nothing."""
        with tempfile.TemporaryDirectory() as folder:
            database = os.path.join(folder, "shop.db")
            command = [BINARY, "--manifest", os.path.join(MANIFESTS, name), "--set", f"sinks.shop.connection.Database={database}"]
            compare = [sys.executable, os.path.join(ROOT, "tests/oracle/compare.py"), "--expected", os.path.join(ROOT, "tests/data", data, "expected"),
                       "--target", f"sqlite:{database}", *(["--ignore", *ignored] if ignored else [])]
            for _ in range(2):
                done = subprocess.run(command, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                compared = subprocess.run(compare, capture_output=True, text=True)
                self.assertEqual(compared.returncode, 0, compared.stdout)

    def test_the_quickstart_ends_with_the_tables_of_the_source_and_a_second_run_changes_nothing(self):
        self.ends_with_the_tables_of_the_source("quickstart.toml", "debezium-postgres")

    def test_the_records_of_dms_end_with_the_table_of_the_source(self):
        self.ends_with_the_tables_of_the_source("dms.toml", "dms")

    def test_the_manifest_of_flink_cdc_ends_with_the_rows_of_the_source(self):
        with tempfile.TemporaryDirectory() as folder:
            database = os.path.join(folder, "shop.db")
            command = [BINARY, "--manifest", os.path.join(MANIFESTS, "flink-cdc.toml"), "--set", f"sinks.shop.connection.Database={database}",
                       "--set", f"dead_letters.path={folder}/dead_letters.jsonl"]
            for _ in range(2):
                done = subprocess.run(command, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                with contextlib.closing(sqlite3.connect(database)) as connection:
                    counts = {table: connection.execute(f"select count(*) from {table}").fetchone()[0]
                              for table in ("big_text", "customers", "full_ident", "products", "orders", "order_items")}
                self.assertEqual(counts, {"big_text": 20, "customers": 202, "full_ident": 2, "products": 101, "orders": 273, "order_items": 811})


if __name__ == "__main__":
    unittest.main()
