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
TABLES = 40


def event(number, table="orders", key=None, deletes=False):
    """The event at place `number` of the log, from 1; `key`: of its row, the same without."""
    key = number if key is None else key
    source = {"connector": "postgresql", "db": "shop", "schema": "public", "table": table, "lsn": number, "sequence": json.dumps([None, str(number)]), "ts_ms": 1}
    row = {"id": key, "v": "x"}
    payload = {"before": row if deletes else None, "after": None if deletes else row, "source": source, "op": "d" if deletes else "c", "ts_ms": 1}
    return json.dumps({"topic": "s.public.changes", "partition": 0, "offset": number - 1, "tstype": "create", "ts": 1700000000000, "broker": 0,
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
        lines = [event(key, "orders" if of_one_table else f"orders{key}") for key in range(1, events + 1)]
        database, proxy = self.run_over(plugin, lines, f"{plugin}_{events}_{of_one_table}".lower(), "connections = 1\nbatch.max_rows = 1")
        counted = "count(*) from public.orders" if of_one_table else "count(*) from pg_tables where tablename like 'orders%'"
        self.assertEqual(self.server.value(database, "select " + counted), str(events))
        return proxy.round_trips, proxy.commits

    def run_over(self, plugin, lines, database, settings):
        """The database and the proxy before it of a run over these lines."""
        self.server.create(database)
        proxy = TcpProxy(self.server.port)
        self.addCleanup(proxy.stop)
        path = os.path.join(self.folder, "events.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(lines)
        manifest = os.path.join(self.folder, "manifest.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(f"""[pipeline]
name = "trips"
[sources.events]
plugin = "file"
paths = ["{path}"]
format.plugin = "debezium-json"
[sinks.db]
{settings}
{sink(proxy.port, database, plugin)}
""")
        done = subprocess.run([BINARY, "--manifest", manifest], cwd=self.folder, capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return database, proxy

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

    def test_rows_that_come_and_go_in_one_batch_roll_nothing_back(self):
        lines = []
        for key in range(1, 4):
            for table in range(TABLES):
                lines.append(event(len(lines) + 1, f"orders{table}", 10 * key))
                lines.append(event(len(lines) + 1, f"orders{table}", 10 * key + 1))
                lines.append(event(len(lines) + 1, f"orders{table}", 10 * key + 1, deletes=True))
        database, _ = self.run_over("postgresql", lines, "come_and_go", "connections = 1\nbatch.max_rows = 3")
        counted = " union all ".join(f"select count(*) as n from public.orders{table}" for table in range(TABLES))
        self.assertEqual(self.server.value(database, f"select sum(n) from ({counted}) t"), str(3 * TABLES))
        rolled_back = int(self.server.value(database, f"select xact_rollback from pg_stat_database where datname = '{database}'"))
        self.assertLess(rolled_back, TABLES // 2)

    def test_new_tables_are_made_several_in_one_transaction(self):
        lines = [event(number, f"orders{number % TABLES}") for number in range(1, 30 * TABLES)]
        database, proxy = self.run_over("postgresql", lines, "together", "connections = 1")
        self.assertEqual(self.server.value(database, "select count(*) from pg_tables where tablename like 'orders%'"), str(TABLES))
        self.assertLess(proxy.commits, TABLES)
