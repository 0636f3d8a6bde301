"""How often a transaction into PostgreSQL waits for the server."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from integration.program import BINARY
from lab.postgresql import Postgresql, sink
from lab.proxy import TcpProxy

FEW, MANY = 20, 80


def event(key, table="orders"):
    source = {"connector": "postgresql", "db": "shop", "schema": "public", "table": table, "lsn": key, "sequence": json.dumps([None, str(key)]), "ts_ms": 1}
    payload = {"before": None, "after": {"id": key, "v": "x"}, "source": source, "op": "c", "ts_ms": 1}
    return json.dumps({"topic": "s.public.changes", "partition": 0, "offset": key - 1, "tstype": "create", "ts": 1700000000000, "broker": 0,
                       "key": json.dumps({"id": key}), "payload": json.dumps(payload)}) + "\n"


class RoundTrips(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Postgresql()
        cls.folder = tempfile.mkdtemp(prefix="cdcrt-round-trips-")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def run_with(self, plugin, events, of_one_table=True):
        """Round trips and COMMITs of one run in which each event is a transaction, and perhaps of a table of its own."""
        database = f"{plugin}_{events}_{of_one_table}".lower()
        self.server.create(database)
        proxy = TcpProxy(self.server.port)
        self.addCleanup(proxy.stop)
        path = os.path.join(self.folder, "events.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(event(key, "orders" if of_one_table else f"orders{key}") for key in range(1, events + 1))
        manifest = os.path.join(self.folder, "manifest.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(f"""[pipeline]
name = "trips"
[sources.events]
plugin = "file"
paths = ["{path}"]
format.plugin = "debezium-json"
[sinks.db]
connections = 1
batch.max_rows = 1
{sink(proxy.port, database, plugin)}
""")
        done = subprocess.run([BINARY, "--manifest", manifest], cwd=self.folder, capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        counted = "count(*) from public.orders" if of_one_table else "count(*) from pg_tables where tablename like 'orders%'"
        self.assertEqual(self.server.value(database, "select " + counted), str(events))
        return proxy.round_trips, proxy.commits

    def of_a_transaction(self, plugin):
        few, many = self.run_with(plugin, FEW), self.run_with(plugin, MANY)
        self.assertGreaterEqual(many[1] - few[1], (MANY - FEW) // 2, "each event was to be a transaction")
        return (many[0] - few[0]) / (many[1] - few[1])

    def of_a_table(self, plugin):
        few, many = self.run_with(plugin, FEW, False), self.run_with(plugin, MANY, False)
        return (many[0] - few[0]) / (MANY - FEW)

    def test_a_table_that_is_made_costs_no_look_at_the_others(self):
        for plugin, most in (("postgresql", 10.5), ("odbc", 17)):
            with self.subTest(plugin=plugin):
                self.assertLessEqual(self.of_a_table(plugin), most)

    def test_libpq_waits_once_for_leases_table_rows_progress_and_commit(self):
        self.assertLessEqual(self.of_a_transaction("postgresql"), 1.2)

    def test_odbc_waits_for_each_statement(self):
        self.assertLessEqual(self.of_a_transaction("odbc"), 6.2)
