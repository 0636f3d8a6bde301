"""A broker that does what brokers do: topics made anew while they are read, brokers that announce themselves elsewhere, rights that go and
come back, targets that are away, stops at bad moments. One real broker, SQLite as the target."""

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
topics = ["{topics}"]
instance = ""
format.plugin = "debezium-json"
[sources.events.librdkafka]
"session.timeout.ms" = 6000
"heartbeat.interval.ms" = 500
{source}
[sinks.target]
plugin = "odbc"
stall_after = "1s"
connection = {{ Driver = "SQLite3", Database = "{folder}/target.db" }}
[dead_letters]
path = "letters.jsonl"
"""


class LiveCase(process.Case):
    @classmethod
    def setUpClass(cls):
        cls.kafka = Kafka(secured=True)

    @classmethod
    def tearDownClass(cls):
        cls.kafka.stop()

    count = 0

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder, self.running, self.lsn = place.name, None, 100
        LiveCase.count += 1
        self.topic = f"t{self.count}.good"
        self.manifest = os.path.join(self.folder, "manifest.toml")
        self.write_manifest()
        self.addCleanup(self.stop)

    def write_manifest(self, brokers=None, topics=None, source=""):
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(brokers=brokers or self.kafka.brokers, topic=self.topic, topics=topics or self.topic, folder=self.folder,
                                       source=source))

    def start(self):
        self.log = os.path.join(self.folder, "log")
        self.running = program.start(["--manifest", self.manifest], {}, self.log)

    def stop(self):
        """The exit code."""
        if self.running is None:
            return None
        if self.running.poll() is None:
            self.running.send_signal(signal.SIGTERM)
        try:
            return self.running.wait(30)
        except Exception:
            self.running.kill()
            raise

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_for_log(self, text, seconds=30):
        wait_until(lambda: text in self.log_text(), seconds, lambda: f"'{text}' is not in the log: {self.log_text()[-3000:]}", poll=0.1)

    def ended(self, seconds=30):
        wait_until(lambda: self.running.poll() is not None, seconds, lambda: self.log_text()[-3000:], poll=0.1)
        return self.running.returncode

    def to_end(self, expect=0):
        done = program.run(["--manifest", self.manifest, "--stop", "end"], {}, self.folder, timeout=60)
        self.assertEqual(done.exit_code, expect, done.log[-3000:])
        return done.log

    def command(self, *arguments, expect=0):
        done = program.run([*arguments, "--manifest", self.manifest], {}, self.folder, timeout=60)
        self.assertEqual(done.exit_code, expect, f"{arguments}: {done.log[-3000:]}")
        return done.log

    def send(self, numbers, partition=0, table="good", value="v", **more):
        rows = []
        for number in numbers:
            self.lsn += 1
            rows.append((json.dumps({"id": number}), envelope(table, {"id": number, "v": value}, lsn=self.lsn)))
        self.kafka.produce(self.topic, rows, partition, **more)

    def sql(self, text):
        with sqlite3.connect(os.path.join(self.folder, "target.db"), timeout=20) as database:
            return database.execute(text).fetchall()

    def ids(self, table="good"):
        try:
            return [row[0] for row in self.sql(f'select id from "{table}" order by id')]
        except sqlite3.OperationalError:
            return []

    def settle(self, expected, table="good"):
        wait_until(lambda: self.ids(table) == expected, 30, lambda: f"rows of {table}: {self.ids(table)}\n{self.log_text()[-3000:]}", poll=0.1)


class MadeAgain(LiveCase):
    """A topic that is deleted and made again while the program runs."""

    def remake(self, count, partitions=2):
        self.kafka.delete_topic(self.topic)
        self.kafka.create_topic(self.topic, partitions)
        for partition in range(2):
            self.send(range(1000 + 100 * partition, 1000 + 100 * partition + count), partition)

    def read_five(self):
        self.kafka.create_topic(self.topic, 2)
        for partition in range(2):
            self.send(range(100 * partition, 100 * partition + 5), partition)
        self.start()
        self.settle(self.BEFORE)

    BEFORE = [*range(5), *range(100, 105)]

    def is_noticed(self, applied=None):
        code = self.ended()
        self.assertEqual(code, 1, self.log_text()[-3000:])
        self.assertIn("deleted and made again", self.log_text())
        self.assertIn(f"progress rewind --topic {self.topic} --to earliest", self.log_text())
        self.assertEqual(self.ids(), self.BEFORE if applied is None else applied)
        # As after any restart.
        self.assertIn("deleted and made again", self.to_end(expect=1))

    def leads_on(self, count):
        self.command("progress", "rewind", "--topic", self.topic, "--to", "earliest", "--empty")
        self.to_end()
        self.assertEqual(self.ids(), [*range(1000, 1000 + count), *range(1100, 1100 + count)])

    def test_a_log_that_is_empty_for_a_while_is_noticed(self):
        self.read_five()
        self.remake(8)
        self.is_noticed()
        self.leads_on(8)

    def test_a_longer_log_is_noticed_before_anything_of_it_is_applied(self):
        # Frozen, the client misses all that a broker would tell it.
        self.read_five()
        self.running.send_signal(signal.SIGSTOP)
        self.remake(9)
        self.running.send_signal(signal.SIGCONT)
        self.is_noticed()
        self.leads_on(9)

    def test_a_log_of_the_same_length_is_noticed_although_nothing_comes(self):
        self.read_five()
        self.running.send_signal(signal.SIGSTOP)
        self.remake(5)
        self.running.send_signal(signal.SIGCONT)
        self.is_noticed()

    def test_a_shorter_log_is_noticed(self):
        self.read_five()
        self.running.send_signal(signal.SIGSTOP)
        self.remake(3)
        self.running.send_signal(signal.SIGCONT)
        self.is_noticed()

    def test_what_a_paused_table_missed_is_not_read_from_another_log(self):
        self.read_five()
        self.command("table", "pause", "good")
        for partition in range(2):
            self.send(range(50 + 100 * partition, 53 + 100 * partition), partition)
        self.send([1], table="other")
        self.settle([1], "other")
        self.running.send_signal(signal.SIGSTOP)
        self.command("table", "resume", "good")
        self.remake(12)
        self.running.send_signal(signal.SIGCONT)
        self.is_noticed()

    def test_a_crash_does_not_hide_it(self):
        self.read_five()
        wait_until(lambda: self.sql("select count(*) from cdcrt_watermarks where last_offset = 4") == [(2,)], 20, "no hash is stored", poll=0.1)
        self.running.send_signal(signal.SIGSTOP)
        self.remake(9)
        self.running.send_signal(signal.SIGKILL)
        self.running.wait()
        self.assertIn("deleted and made again", self.to_end(expect=1))


if __name__ == "__main__":
    unittest.main()
