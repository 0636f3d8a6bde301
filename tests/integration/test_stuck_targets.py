"""Targets that hold writes up: locked as a whole, read-only, refusing a table in the words of an outage, or swallowing its rows. It is told
what is waited for, the other tables go on, nothing is lost, and a stop ends cleanly."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import unittest

from integration.program import BINARY, PostgresqlTarget
from lab.process import wait_until

STATES = ("53100", "26000", "07001", "57000")  # those that others stand for: see classification_test.cpp


def event(table, key, offset):
    source = {"connector": "postgresql", "db": "shop", "schema": "public", "table": table, "lsn": offset + 1,
              "sequence": json.dumps([None, str(offset + 1)]), "ts_ms": 1}
    payload = {"before": None, "after": {"id": key, "v": "x"}, "source": source, "op": "c", "ts_ms": 1}
    return json.dumps({"topic": f"s.public.{table}", "partition": 0, "offset": offset, "tstype": "create", "ts": 1700000000000, "broker": 0,
                       "key": json.dumps({"id": key}), "payload": json.dumps(payload)}) + "\n"


class Stuck(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-stuck-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.log, self.offsets, self.files = os.path.join(self.folder, "log"), {}, 0

    def lines(self, table, *keys):
        first = self.offsets.get(table, 0)
        self.offsets[table] = first + len(keys)
        return "".join(event(table, key, first + i) for i, key in enumerate(keys))

    def start(self, sink, paths="-", runtime=""):
        manifest = os.path.join(self.folder, "manifest.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(f"""[pipeline]
name = "stuck"
[runtime]
decode_workers = 1                    # what stands first is met first
{runtime}
[sources.events]
plugin = "file"
paths = ["{paths}"]
format.plugin = "debezium-json"
[sinks.db]
plugin = "odbc"
{sink}
""")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([BINARY, "--manifest", manifest], cwd=self.folder, stdin=subprocess.PIPE, stdout=log, stderr=log)
        self.addCleanup(self.end, self.process)

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdin.close()

    def more(self, table, *keys):
        self.process.stdin.write(self.lines(table, *keys).encode())
        self.process.stdin.flush()

    def run_with(self, sink, *lines):
        """All files until now and one with these lines, to the end."""
        self.files += 1
        with open(os.path.join(self.folder, f"events-{self.files}.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(lines)
        self.start(sink, "events-*.jsonl")
        return self.process.wait(90)

    def text(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def says(self, text, seconds=40):
        wait_until(lambda: text in self.text(), seconds, self.text)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


class DeadLetters(Stuck):
    def test_a_pipe_in_the_place_of_the_dead_letters_is_refused_by_a_start_and_by_who_reads_them(self):
        os.mkfifo(os.path.join(self.folder, "pipe"))
        self.start('connection = { Driver = "SQLite3", Database = "t.db" }\n[dead_letters]\npath = "pipe"')
        self.assertEqual(self.process.wait(20), 3, self.text())
        self.assertIn("is no file", self.text())
        listed = subprocess.run([BINARY, "dlq", "list", "--manifest", "manifest.toml"], cwd=self.folder, capture_output=True, text=True, check=False, timeout=20)
        self.assertNotEqual(listed.returncode, 0)
        self.assertIn("is no file", listed.stderr + listed.stdout)


class LockedDatabase(Stuck):
    SINK = 'connection = { Driver = "SQLite3", Database = "t.db" }'

    def execute(self, text):
        database = sqlite3.connect(os.path.join(self.folder, "t.db"))
        try:
            rows = database.execute(text).fetchall()
            database.commit()
            return rows
        except sqlite3.OperationalError:
            return []
        finally:
            database.close()

    def ids(self):
        return [row[0] for row in self.execute("select id from orders order by id")]

    def begin_locked(self, runtime=""):
        self.start(self.SINK, runtime=runtime)
        self.more("orders", 1)
        wait_until(lambda: self.ids() == [1], 30, self.text)
        locker = sqlite3.connect(os.path.join(self.folder, "t.db"), isolation_level=None)
        self.addCleanup(locker.close)
        locker.execute("begin exclusive")
        self.more("orders", 2)
        self.says("waiting for the target")
        self.says("database is locked")
        return locker

    def test_a_stop_does_not_wait_for_a_process_that_locks_the_whole_database(self):
        self.begin_locked('shutdown_timeout = "12s"')
        self.assertEqual(self.stop(), 0, self.text())
        before, _ = self.text().split("stopping: ")
        self.assertEqual(before.count("waiting for the target"), 1)
        self.assertNotIn("detached", before)
        self.assertEqual(self.ids(), [1])

    def test_a_stop_with_hardly_any_time_ends_as_cleanly(self):
        self.begin_locked('shutdown_timeout = "1s"')
        self.assertEqual(self.stop(), 0, self.text())

    def test_a_database_that_is_free_again_gets_what_waited(self):
        locker = self.begin_locked()
        locker.execute("rollback")
        wait_until(lambda: self.ids() == [1, 2], 30, self.text)
        self.says("the target answers again")
        self.assertNotIn("detached", self.text())
        self.assertEqual(self.stop(), 0, self.text())

    def test_rows_that_a_trigger_swallows_stop_their_table_and_come_when_it_is_gone(self):
        sink = self.SINK + '\nstall_after = "1s"'
        self.assertEqual(self.run_with(sink, self.lines("orders", 1), self.lines("good", 1)), 0, self.text())
        self.execute("create trigger odd before insert on orders begin select raise(ignore); end")
        self.assertEqual(self.run_with(sink, self.lines("orders", 2, 3), self.lines("good", 2)), 1, self.text())
        self.assertIn("A trigger or a rule of the table swallows them", self.text())
        self.assertEqual(self.execute("select count(*) from good"), [(2,)])
        self.execute("drop trigger odd")
        self.assertEqual(self.run_with(sink, self.lines("good", 3)), 0, self.text())
        self.assertEqual(self.ids(), [1, 2, 3])


class Postgresql(Stuck):
    def setUp(self):
        super().setUp()
        target = PostgresqlTarget(self.folder)
        self.server, self.database = target.server, target.environment["CDCRT_TEST_DATABASE"]

    def sink(self, connections=1):
        return f"""stall_after = "1s"
connections = {connections}
connection = {{ Driver = "PostgreSQL Unicode", Server = "127.0.0.1", Port = "{self.server.port}", Database = "{self.database}", UID = "postgres" }}"""

    def sql(self, text):
        self.server.sql(self.database, text)

    def ids(self, table):
        try:
            return [int(row[0]) for row in self.server.query(self.database, f"select id from public.{table} order by id")]
        except subprocess.CalledProcessError:
            return None

    def trigger(self, table, body):
        self.sql(f"create function {table}() returns trigger language plpgsql as $$ begin {body} end $$;"
                 f"create trigger odd before insert on public.{table} for each row execute function {table}();")

    def free(self, table):
        self.sql(f"drop trigger odd on public.{table}")

    def test_a_trigger_that_refuses_in_the_words_of_an_outage_holds_up_its_own_table_only(self):
        tables = ["odd" + state.lower() for state in STATES]
        self.assertEqual(self.run_with(self.sink(), *(self.lines(table, 1) for table in [*tables, "good"])), 0, self.text())
        for table, state in zip(tables, STATES):
            self.trigger(table, f"raise exception 'no' using errcode = '{state}';")
        # One connection: whoever is held up holds up the others too, unless it gives way.
        self.assertEqual(self.run_with(self.sink(), *(self.lines(table, 2) for table in [*tables, "good"])), 1, self.text())
        self.assertEqual(self.ids("good"), [1, 2], self.text())
        for table in tables:
            self.assertEqual(self.ids(table), [1])
            self.assertIn(f"'public.{table}' is detached", self.text())
            self.free(table)
        self.assertEqual(self.run_with(self.sink(), self.lines("good", 3)), 0, self.text())
        for table in tables:
            self.assertEqual(self.ids(table), [1, 2], table)

    def test_rows_that_a_trigger_swallows_stop_their_table_and_come_when_it_is_gone(self):
        self.assertEqual(self.run_with(self.sink(), self.lines("odd", 1), self.lines("good", 1)), 0, self.text())
        self.trigger("odd", "return null;")
        self.assertEqual(self.run_with(self.sink(), self.lines("odd", 2, 3), self.lines("good", 2)), 1, self.text())
        self.assertIn("A trigger or a rule of the table swallows them", self.text())
        self.assertEqual(self.ids("good"), [1, 2])
        self.free("odd")
        self.assertEqual(self.run_with(self.sink(), self.lines("good", 3)), 0, self.text())
        self.assertEqual(self.ids("odd"), [1, 2, 3])

    def test_a_start_tells_at_once_that_the_server_only_reads_and_goes_on_once_it_writes(self):
        self.sql(f'alter database "{self.database}" set default_transaction_read_only = on')
        self.start(self.sink(2))
        self.says("the start waits for the target", seconds=10)
        self.assertIn("the server is read-only, a standby perhaps", self.text())
        self.server.sql("postgres", f'alter database "{self.database}" set default_transaction_read_only = off')
        self.more("orders", 1)
        wait_until(lambda: self.ids("orders") == [1], 30, self.text)
        self.assertEqual(self.stop(), 0, self.text())

    def test_a_stop_ends_cleanly_while_a_table_is_refused_in_the_words_of_an_outage(self):
        self.start(self.sink())
        self.more("odd", 1)
        wait_until(lambda: self.ids("odd") == [1], 30, self.text)
        self.trigger("odd", "raise exception 'no' using errcode = '53100';")
        self.more("odd", 2)
        self.says("disk is full")
        self.assertEqual(self.stop(), 0, self.text())


if __name__ == "__main__":
    unittest.main()
