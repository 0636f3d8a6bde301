"""Messages that are larger than the memory: one at a time is in the process, a few times over, and its memory goes when it is written."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import tempfile
import time

from integration import program
from integration.messages import envelope
from integration.test_memory import Sampler
from lab.kafka import Kafka
from lab.postgresql import Postgresql
from lab.process import Case, wait_until

MEMORY, LARGE, COUNT = 32, 40, 3  # MiB, MiB, messages
# As docs/architecture.md states it.
CONSTANT, COPIES = 32, {"sqlite": 5, "postgresql": 7}

MANIFEST = """
[pipeline]
name = "{name}"
[runtime]
memory = "{memory}MiB"
[sources.events]
{source}
format.plugin = "debezium-json"
[sinks.target]
plugin = "odbc"
connection = {{ {target} }}
[dead_letters]
path = "dead_letters.jsonl"
"""

broker = database = None


def setUpModule():
    global broker, database
    broker, database = Kafka({"message.max.bytes": 104857600, "socket.request.max.bytes": 209715200}), Postgresql()
    database.create("large")


def tearDownModule():
    broker.stop()
    database.stop()


class LargeMessages(Case):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-large-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def from_files(self, cut=0):
        path = os.path.join(self.folder, "events.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            for number in range(COUNT):
                line = {"topic": "s.public.good", "partition": 0, "offset": number, "tstype": "create", "ts": 1, "key": json.dumps({"id": number}),
                        "payload": self.event(number)[cut:]}
                file.write(json.dumps(line) + "\n")
        return f'plugin = "file"\npaths = ["{path}"]\nmax_line = "200MiB"'

    def from_kafka(self, codec, partitions, transactions=False):
        topic = f"{codec}{partitions}.{os.path.basename(self.folder)}"
        broker.create_topic(topic, partitions, max_message_bytes=100000000)
        for number in range(COUNT):
            path = os.path.join(self.folder, "message")
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.event(number))
            # Each in a transaction of its own: its marker takes an offset.
            more = {"transactional.id": f"{topic}.{number}"} if transactions else {}
            broker.produce_whole(topic, path, json.dumps({"id": number}), {"compression.codec": codec, "message.max.bytes": "100000000", **more})
            os.remove(path)
        return f'plugin = "kafka"\nbrokers = "{broker.brokers}"\ntopics = ["{topic}"]\ninstance = ""'

    @staticmethod
    def event(number):
        return envelope("good", {"id": number, "v": "x" * (LARGE << 20)}, lsn=number + 1)

    def rows(self, target):
        query = "select count(*), min(length(v)), max(length(v)) from good"
        if target == "postgresql":
            try:
                return tuple(int(value) for value in database.query("large", query.replace("good", "public.good"))[0])
            except Exception:  # not made yet
                return ()
        try:
            with sqlite3.connect(os.path.join(self.folder, "target.db"), timeout=10) as opened:
                return opened.execute(query).fetchone()
        except sqlite3.Error:
            return ()

    def run_to(self, target, source):
        """The peak, and what is left of it."""
        if target == "postgresql":
            database.sql("large", "drop table if exists public.good; drop schema if exists cdcrt cascade")
            where = f'Driver = "PostgreSQL Unicode", Server = "127.0.0.1", Port = "{database.port}", Database = "large", UID = "postgres", SSLmode = "disable"'
        else:
            where = f'Driver = "SQLite3", Database = "{self.folder}/target.db"'
        manifest, log = os.path.join(self.folder, "manifest.toml"), os.path.join(self.folder, "log")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(name=os.path.basename(self.folder), memory=MEMORY, source=source, target=where))
        running = program.start(["--manifest", manifest], {}, log)
        self.addCleanup(lambda: running.poll() is None and running.kill())
        memory = Sampler(running.pid)

        def text():
            with open(log, encoding="utf-8", errors="replace") as file:
                return file.read()[-3000:]

        size = LARGE << 20
        wait_until(lambda: self.rows(target) == (COUNT, size, size) or running.poll() is not None, 120, text, poll=0.2)
        peak = rest = memory.read("VmHWM") if running.poll() is None else max(memory.samples)
        if running.poll() is None:
            wait_until(lambda: memory.read("VmRSS") < MEMORY + CONSTANT or running.poll() is not None, 15, lambda: f"{memory.read('VmRSS')} MiB stay; {text()}")
            peak, rest = memory.read("VmHWM"), memory.read("VmRSS")
            running.send_signal(signal.SIGTERM)
        self.assertEqual(running.wait(60), 0, text())
        memory.stop_sampling()
        self.assertEqual(self.rows(target), (COUNT, size, size))
        print(f"\n{target}: peak {peak:.0f} MiB, {(peak - CONSTANT) / LARGE:.1f} messages; then {rest:.0f}", file=sys.stderr)
        self.assertLess(peak, CONSTANT + COPIES[target] * LARGE)

    def test_large_messages_of_a_file_into_sqlite(self):
        self.run_to("sqlite", self.from_files())

    def test_large_messages_that_become_dead_letters(self):
        log, manifest = os.path.join(self.folder, "log"), os.path.join(self.folder, "manifest.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(name="dead", memory=MEMORY, source=self.from_files(cut=1), target=f'Driver = "SQLite3", Database = "{self.folder}/target.db"'))
        running = program.start(["--manifest", manifest], {}, log)
        self.addCleanup(lambda: running.poll() is None and running.kill())
        memory = Sampler(running.pid)
        peak = 0
        while running.poll() is None:
            with contextlib.suppress(OSError):
                peak = max(peak, memory.read("VmHWM"))
            time.sleep(0.02)
        memory.stop_sampling()
        self.assertEqual(running.returncode, 4)
        self.assertGreater(os.path.getsize(os.path.join(self.folder, "dead_letters.jsonl")), COUNT * LARGE << 20)
        print(f"\ndead letters: peak {peak:.0f} MiB, {(peak - CONSTANT) / LARGE:.1f} messages", file=sys.stderr)
        self.assertLess(peak, CONSTANT + 6 * LARGE)

    def test_large_messages_of_a_file_into_postgresql(self):
        self.run_to("postgresql", self.from_files())

    def test_large_messages_packed_in_kafka_over_partitions_into_sqlite(self):
        self.run_to("sqlite", self.from_kafka("zstd", 4))

    def test_large_messages_unpacked_in_kafka_into_postgresql(self):
        self.run_to("postgresql", self.from_kafka("none", 1))

    def test_large_messages_in_transactions_whose_markers_leave_gaps(self):
        self.run_to("sqlite", self.from_kafka("none", 1, transactions=True))
