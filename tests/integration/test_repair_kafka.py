"""Commands beside a running process, and dead letters in a topic: a real broker, a real PostgreSQL."""

import json
import os
import signal
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import envelope  # noqa: E402
from lab import process  # noqa: E402
from lab.kafka import Kafka  # noqa: E402
from lab.postgresql import Postgresql  # noqa: E402
from lab.process import wait_until  # noqa: E402

MANIFEST = """[pipeline]
name = "repair"
[sources.events]
plugin = "kafka"
brokers = "{brokers}"
topics = ["t.*"]
instance = "one"
format.plugin = "debezium-json"
[sources.events.librdkafka]
"session.timeout.ms" = 3000
"heartbeat.interval.ms" = 500
[sinks.target]
plugin = "odbc"
stall_after = "1s"
connection = {{ Driver = "PostgreSQL Unicode", Server = "127.0.0.1", Port = "{port}", Database = "{database}", UID = "postgres" }}
[dead_letters]
"""
TO_FILE = 'path = "dead_letters.jsonl"\n'
TO_TOPIC = 'plugin = "kafka"\nbrokers = "{brokers}"\ntopic = "dead_letters"\n'


class BesideAProcess(process.Case):
    @classmethod
    def setUpClass(cls):
        cls.kafka, cls.server, cls.count = Kafka(), Postgresql(), 0

    @classmethod
    def tearDownClass(cls):
        cls.kafka.stop()
        cls.server.stop()

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder, self.running, self.lsn = place.name, None, 100
        BesideAProcess.count += 1
        self.database = f"repair_{self.count}"
        self.server.create(self.database)
        for topic in [name for name in self.kafka.topics() if name != "dead_letters"]:
            self.kafka.delete_topic(topic)
        self.kafka.create_topic("t.good", 2)
        self.prepare(TO_FILE)
        self.addCleanup(self.stop)

    def prepare(self, dead_letters):
        self.manifest = os.path.join(self.folder, "manifest.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write((MANIFEST + dead_letters).format(brokers=self.kafka.brokers, port=self.server.port, database=self.database))

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

    def command(self, *arguments, expect=0):
        done = program.run([*arguments, "--manifest", self.manifest], {}, self.folder, timeout=120)
        self.assertEqual(done.exit_code, expect, f"{arguments}: {done.log[-3000:]}")
        return done.log

    def send(self, numbers, partition=0, table="good", value="v"):
        rows = []
        for number in numbers:
            self.lsn += 1
            rows.append((json.dumps({"id": number}), envelope(table, {"id": number, "v": value}, lsn=self.lsn)))
        self.kafka.produce("t.good", rows, partition)

    def ids(self, table="good"):
        if not self.server.query(self.database, f"select 1 from information_schema.tables where table_name = '{table}'"):
            return []
        return [int(row[0]) for row in self.server.query(self.database, f"select id from public.{table} order by id")]

    def settle(self, expected, table="good"):
        wait_until(lambda: self.ids(table) == expected, 60, f"rows of {table}: {self.log_text()[-2000:]}")

    def status(self):
        log = self.command("status", "--output", "json")
        return json.loads(next(line for line in log.splitlines() if line.startswith("{")))["sinks"][0]

    def test_a_process_that_has_nothing_to_do_reads_again_after_a_rewind(self):
        self.send(range(4))
        self.send(range(4, 8), partition=1)
        self.start()
        self.settle(list(range(8)))
        wait_until(lambda: self.status()["tables"][0]["lag"] == 0, 30, "the lag stays")
        self.server.sql(self.database, "delete from public.good where id in (0, 3, 5)")
        self.command("progress", "rewind", "--table", "public.good", "--to", "2", "--partition", "0")
        self.settle([1, 2, 3, 4, 6, 7])
        self.command("progress", "rewind", "--table", "public.good", "--to", "1970-01-02T00:00:00Z")
        self.settle(list(range(8)))
        self.assertIsNone(self.running.poll(), self.log_text())

    def test_a_running_process_heeds_pause_resume_and_skip(self):
        self.send(range(2))
        self.start()
        self.settle([0, 1])
        self.command("table", "pause", "public.good", "--reason", "maintenance")
        self.send([2])
        self.send([9], table="other")
        self.settle([9], "other")
        self.assertEqual(self.ids(), [0, 1])
        wait_until(lambda: "maintenance" in self.log_text(), 30, "nothing is told")
        self.command("table", "resume", "public.good")
        self.settle([0, 1, 2])
        self.command("table", "skip", "public.good")
        self.send([3])
        self.send([10], table="other")
        self.settle([9, 10], "other")
        wait_until(lambda: self.status()["partitions"][0]["next_offset"] >= 6, 30, "the skipped table holds the others back")
        self.assertEqual(self.ids(), [0, 1, 2])
        self.command("table", "resume", "public.good", "--from-now")
        self.send([4])
        self.settle([0, 1, 2, 4])
        self.command("progress", "rewind", "--table", "public.good", "--to", "earliest")
        self.settle([0, 1, 2, 3, 4])

    def test_a_topic_made_again_is_taken_up_after_a_rewind(self):
        self.send(range(5))
        self.start()
        self.settle(list(range(5)))
        self.stop()
        self.kafka.delete_topic("t.good")
        self.kafka.create_topic("t.good", 2)
        self.send([7])
        done = program.run(["--manifest", self.manifest], {}, self.folder, timeout=60)
        self.assertEqual(done.exit_code, 1, done.log[-2000:])
        self.assertIn("progress rewind --topic t.good --to earliest", done.log)
        self.command("progress", "rewind", "--topic", "t.good", "--to", "earliest", "--empty")
        self.start()
        self.settle([7])

    def test_status_counts_what_a_pipeline_is_behind(self):
        self.send(range(3))
        self.start()
        self.settle([0, 1, 2])
        wait_until(lambda: self.status()["tables"][0]["lag"] == 0, 30, "the lag stays")
        self.stop()
        self.send(range(10, 14))
        status = self.status()
        self.assertEqual(status["tables"][0]["lag"], 4)
        self.assertEqual(sorted(part["lag"] for part in status["partitions"]), [0, 4])
        self.kafka.halt()
        self.addCleanup(self.kafka.start)
        text = self.command("status")
        self.assertIn("lag unknown", text)
        self.assertIn("public.good", text)

    def test_dead_letters_in_a_topic_are_the_messages_with_reason_and_origin(self):
        self.prepare(TO_TOPIC)
        self.kafka.create_topic("dead_letters", 1)
        self.kafka.produce("t.good", [("k", "{broken")], 1, headers=[("trace", "abc")])
        self.send([1])
        self.start()
        self.settle([1])
        wait_until(lambda: sum(self.kafka.end_offsets("dead_letters").values()) == 1, 30, "no dead letter came")
        dead_letter = self.kafka.read_topic("dead_letters")[0]
        self.assertEqual((dead_letter["key"], dead_letter["payload"]), ("k", "{broken"))
        headers = dict(zip(dead_letter["headers"][::2], dead_letter["headers"][1::2]))
        self.assertEqual(headers["trace"], "abc")
        self.assertEqual((headers["cdcrt.reason"], headers["cdcrt.topic"], headers["cdcrt.partition"], headers["cdcrt.offset"]),
                         ("undecodable", "t.good", "1", "0"))
        self.assertEqual(dead_letter["ts"], self.kafka.read_topic("t.good")[0 if self.kafka.read_topic("t.good")[0]["partition"] == 1 else 1]["ts"])
        listed = self.command("dlq", "list")
        self.assertIn("undecodable", listed)
        self.assertIn("{broken", self.command("dlq", "show", "--id", headers["cdcrt.id"]))

    def test_dead_letters_in_a_topic_are_listed_and_replayed(self):
        self.prepare(TO_TOPIC.replace("dead_letters", "other.dead_letters"))
        self.kafka.create_topic("other.dead_letters", 2)
        self.send([1])
        self.start()
        self.settle([1])
        self.server.sql(self.database, "alter table public.good add constraint no_bad check (v <> 'bad')")
        self.send([2], value="bad")
        self.send([3])
        self.settle([1, 3])
        listed = [json.loads(line) for line in self.command("dlq", "list", "--output", "json").splitlines() if line.startswith("{")]
        self.assertEqual([(dead_letter["reason"], dead_letter["state"]) for dead_letter in listed], [("value_refused", "open")])
        self.server.sql(self.database, "alter table public.good drop constraint no_bad")
        self.assertIn("1 of 1 applied", self.command("dlq", "replay"))
        self.assertEqual(self.ids(), [1, 2, 3])
        self.assertIn("nothing to replay", self.command("dlq", "replay"))

    def test_dead_letters_for_a_broker_that_is_not_there_are_an_error_of_the_environment(self):
        self.prepare(TO_TOPIC.replace("{brokers}", "127.0.0.1:1"))
        done = program.run(["--manifest", self.manifest, "--set", "dead_letters.connect_timeout='2s'"], {}, self.folder, timeout=60)
        self.assertEqual(done.exit_code, 3, done.log[-2000:])
        self.assertIn("127.0.0.1:1", done.log)


if __name__ == "__main__":
    unittest.main()
