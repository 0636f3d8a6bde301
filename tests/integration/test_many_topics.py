"""Hundreds of topics: what a start and a restart ask the broker for, and what a restart notices among them."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from integration.program import BINARY
from lab.kafka import Kafka

TOPICS = 300


def event(table, key):
    source = {"connector": "postgresql", "db": "shop", "schema": "public", "table": table, "lsn": key, "sequence": json.dumps([None, str(key)]), "ts_ms": 1}
    return json.dumps({"id": key}), json.dumps({"before": None, "after": {"id": key}, "source": source, "op": "c", "ts_ms": 1})


class ManyTopics(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kafka = Kafka()

    @classmethod
    def tearDownClass(cls):
        cls.kafka.stop()

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-many-topics-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.prefix = self._testMethodName
        self.tables = [f"t{number}" for number in range(TOPICS)]
        self.kafka.create_topics([self.topic(table) for table in self.tables], 1)
        self.lines(self.tables, range(1, 4))

    def topic(self, table):
        return f"{self.prefix}.public.{table}"

    def lines(self, tables, keys):
        path = os.path.join(self.folder, "events.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            for table in tables:
                for key in keys:
                    name, value = event(table, key)
                    file.write(json.dumps({"topic": self.topic(table), "partition": 0, "key": name, "payload": value}, separators=(",", ":")) + "\n")
        subprocess.run([os.path.join(os.path.dirname(BINARY), "produce_events"), self.kafka.brokers, path, "", "1"], check=True)

    def run_to_end(self, expect=0, debug="protocol"):
        manifest = os.path.join(self.folder, "manifest.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(f"""[pipeline]
name = "{self.prefix}"
[runtime]
log_level = "debug"
[sources.events]
plugin = "kafka"
brokers = "{self.kafka.brokers}"
topics = ["{self.prefix}.*"]
instance = ""
stop = "end"
format.plugin = "debezium-json"
[sources.events.librdkafka]
debug = "{debug}"
[sinks.db]
plugin = "odbc"
connection = {{ Driver = "SQLite3", Database = "{self.folder}/t.db" }}
""")
        with open(os.path.join(self.folder, "log"), "w+", encoding="utf-8") as log:
            done = subprocess.run([BINARY, "--manifest", manifest], cwd=self.folder, stdout=log, stderr=log, timeout=300, check=False)
            log.seek(0)
            text = log.read()
        said = "\n".join(line for line in text.splitlines() if "librdkafka" not in line)[-3000:]
        self.assertEqual(done.returncode, expect, said)
        return text

    def rows(self):
        with sqlite3.connect(os.path.join(self.folder, "t.db")) as database:
            return {table: database.execute(f"select count(*) from {table}").fetchone()[0] for table in self.tables}

    def sent(self, text, name):
        return len(re.findall(rf"Sent {name}Request", text))

    def test_a_start_and_a_restart_ask_for_them_in_lists(self):
        text = self.run_to_end()
        self.assertEqual(set(self.rows().values()), {3})
        self.assertGreater(self.sent(text, "ListOffsets"), 0, "the requests are counted in the log")
        self.assertLess(self.sent(text, "ListOffsets"), TOPICS / 4)
        self.lines(self.tables[::7], range(4, 6))
        text = self.run_to_end()
        self.assertEqual(self.rows(), {table: 5 if table in self.tables[::7] else 3 for table in self.tables})
        self.assertLess(self.sent(text, "ListOffsets"), TOPICS / 4)
        # Every partition's last message is looked at by a restart.
        self.assertLess(self.sent(text, "Fetch"), TOPICS / 2)

    def test_a_restart_finds_the_one_topic_that_was_made_again(self):
        self.run_to_end(debug="broker")
        made_again = self.tables[123]
        self.kafka.delete_topic(self.topic(made_again))
        self.kafka.create_topic(self.topic(made_again), 1)
        self.lines([made_again], range(11, 17))
        text = self.run_to_end(expect=1, debug="broker")
        self.assertIn(f"{self.topic(made_again)}[0]: the message at offset 2 is not the one that was applied: the topic was deleted and made again", text)
        self.assertEqual(set(self.rows().values()), {3})


if __name__ == "__main__":
    unittest.main()
