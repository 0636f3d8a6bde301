"""What a log has lost: retention that overtakes a table, topics made again, and every remedy that is advised, followed to the end. A real
broker, SQLite as the target."""

import json
import os
import signal
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import envelope  # noqa: E402
from lab import process  # noqa: E402
from lab.kafka import Kafka  # noqa: E402
from lab.process import wait_until  # noqa: E402

MANIFEST = """[pipeline]
name = "{topic}"
[sources.events]
plugin = "kafka"
brokers = "{brokers}"
topics = ["{topic}"]
instance = ""
format.plugin = "debezium-json"
[sinks.target]
plugin = "odbc"
stall_after = "1s"
connection = {{ Driver = "SQLite3", Database = "{folder}/target.db" }}
[dead_letters]
path = "dead_letters.jsonl"
"""


class Retention(process.Case):
    @classmethod
    def setUpClass(cls):
        cls.kafka, cls.count = Kafka(), 0

    @classmethod
    def tearDownClass(cls):
        cls.kafka.stop()

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder, self.running, self.lsn = place.name, None, 100
        Retention.count += 1
        self.topic = f"t{self.count}.good"
        self.manifest = os.path.join(self.folder, "manifest.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(brokers=self.kafka.brokers, topic=self.topic, folder=self.folder))
        self.addCleanup(self.stop)

    def start(self):
        self.log = os.path.join(self.folder, "log")
        self.running = program.start(["--manifest", self.manifest], {}, self.log)

    def stop(self):
        if self.running is not None and self.running.poll() is None:
            self.running.send_signal(signal.SIGTERM)
            self.running.wait(60)

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def to_end(self, expect=0):
        done = program.run(["--manifest", self.manifest, "--stop", "end"], {}, self.folder, timeout=60)
        self.assertEqual(done.exit_code, expect, done.log[-3000:])
        return done.log

    def command(self, *arguments, expect=0):
        done = program.run([*arguments, "--manifest", self.manifest], {}, self.folder, timeout=60)
        self.assertEqual(done.exit_code, expect, f"{arguments}: {done.log[-3000:]}")
        return done.log

    def send(self, numbers, partition=0, table="good"):
        rows = []
        for number in numbers:
            self.lsn += 1
            rows.append((json.dumps({"id": number}), envelope(table, {"id": number, "v": "v"}, lsn=self.lsn)))
        self.kafka.produce(self.topic, rows, partition)

    def sql(self, text):
        with sqlite3.connect(os.path.join(self.folder, "target.db"), timeout=20) as database:
            return database.execute(text).fetchall()

    def ids(self, table="good"):
        try:
            return [row[0] for row in self.sql(f'select id from "{table}" order by id')]
        except sqlite3.OperationalError:
            return []

    def settle(self, expected, table="good"):
        wait_until(lambda: self.ids(table) == expected, 30, f"rows of {table}: {self.log_text()[-2000:]}", poll=0.2)

    def test_a_gap_before_the_start_stops_it_and_each_remedy_leads_on(self):
        for remedy, expected in (([], [0, 1, 2, *range(16, 20)]), (["--empty"], list(range(16, 20))), (None, [0, 1, 2, *range(16, 20)])):
            with self.subTest(remedy=remedy):
                Retention.count += 1
                self.doCleanups()
                self.setUp()
                self.kafka.create_topic(self.topic, 2)
                self.send(range(3))
                self.to_end()
                self.send(range(10, 20))
                self.kafka.delete_records(self.topic, {0: 9})
                said = self.to_end(expect=1)
                self.assertIn("messages 3 to 8 (6) were deleted by retention", said)
                self.assertIn(f"progress rewind --topic {self.topic} --to earliest", said)
                self.assertIn("6 messages were deleted by retention", self.command("status"))
                if remedy is None:
                    self.command("progress", "rewind", "--topic", self.topic, "--to", "9", "--partition", "0")
                else:
                    self.command("progress", "rewind", "--topic", self.topic, "--to", "earliest", *remedy)
                self.assertNotIn("deleted by retention", self.command("status"))
                self.to_end()
                self.assertEqual(self.ids(), expected)
                self.to_end()

    def test_a_partition_that_was_empty_when_it_was_met_is_rewound_to_where_it_begins_now(self):
        self.kafka.create_topic(self.topic, 2)
        self.send(range(3))
        self.to_end()
        self.send(range(10, 16), partition=1)
        self.kafka.delete_records(self.topic, {1: 4})
        self.assertIn("messages 0 to 3 (4) were deleted by retention", self.to_end(expect=1))
        self.command("progress", "rewind", "--topic", self.topic, "--to", "earliest")
        self.to_end()
        self.assertEqual(self.ids(), [0, 1, 2, 14, 15])

    def test_the_beginning_of_a_log_is_asked_for_at_the_first_start_and_after_a_rewind(self):
        self.kafka.create_topic(self.topic, 1)
        self.send(range(6))
        self.kafka.delete_records(self.topic, {0: 2})
        self.to_end()
        self.assertEqual(self.ids(), [2, 3, 4, 5])
        self.command("progress", "rewind", "--topic", self.topic, "--to", "earliest", "--empty")
        self.kafka.delete_records(self.topic, {0: 4})
        # What is gone between the rewind and the start was never read again: that is a gap, and told.
        self.assertIn("messages 2 to 3 (2) were deleted by retention", self.to_end(expect=1))
        self.command("progress", "rewind", "--table", "good", "--to", "earliest", "--empty")
        self.to_end()
        self.assertEqual(self.ids(), [4, 5])

    def test_retention_that_overtakes_a_paused_table_is_told_and_stops_it(self):
        self.kafka.create_topic(self.topic, 1)
        self.send([0, 1])
        self.send([100], table="other")
        self.start()
        self.settle([0, 1])
        self.command("table", "pause", "good")
        self.send(range(10, 20))
        self.send([101], table="other")
        self.settle([100, 101], "other")
        self.kafka.delete_records(self.topic, {0: 8})
        self.assertIn("were deleted by retention", self.command("status"))
        self.assertIn("were deleted by retention", self.command("table", "list"))
        self.assertIn("were deleted by retention", self.command("table", "resume", "good"))
        wait_until(lambda: "were deleted by retention before they were applied" in self.log_text(), 30, lambda: self.log_text()[-2000:], poll=0.2)
        self.send([102], table="other")
        self.settle([100, 101, 102], "other")
        self.assertEqual(self.ids(), [0, 1])
        self.assertNotIn("is back with the others", self.log_text())
        self.assertIn("deleted by retention", self.command("table", "list"))
        self.command("progress", "rewind", "--table", "good", "--to", "earliest")
        self.settle([0, 1, *range(15, 20)])
        self.assertIsNone(self.running.poll(), self.log_text())


if __name__ == "__main__":
    unittest.main()
