"""What a row costs beside its work: how often threads are woken for it, and how many rows share a commit. Real broker, real PostgreSQL."""

import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from lab import process  # noqa: E402
from lab.kafka import Kafka  # noqa: E402
from lab.postgresql import Postgresql  # noqa: E402
from lab.process import wait_until, wakeups  # noqa: E402

TOPIC = "probe.shop.probe"
MANIFEST = """[pipeline]
name = "waking"
[sources.events]
plugin = "kafka"
brokers = "{brokers}"
topics = ["{topic}"]
instance = ""
format.plugin = "debezium-json"
[sinks.target]
plugin = "odbc"
connection = {{ Driver = "PostgreSQL Unicode", Server = "127.0.0.1", Port = "{port}", Database = "waking", UID = "postgres", SSLmode = "disable" }}
"""
RATE, SECONDS, REST = 1000, 5, 4


class Waking(process.Case):
    def test_threads_are_woken_for_what_concerns_them_and_rows_that_come_close_together_share_a_commit(self):
        kafka, postgresql = Kafka(), Postgresql()
        self.addCleanup(kafka.stop)
        self.addCleanup(postgresql.stop)
        postgresql.create("waking")
        postgresql.sql("waking", "create schema shop")
        kafka.create_topic(TOPIC, 4)
        with tempfile.TemporaryDirectory() as folder:
            manifest, log = os.path.join(folder, "manifest.toml"), os.path.join(folder, "log")
            with open(manifest, "w", encoding="utf-8") as file:
                file.write(MANIFEST.format(brokers=kafka.brokers, topic=TOPIC, port=postgresql.port))
            running = program.start(["--manifest", manifest], {}, log)
            self.addCleanup(running.wait)
            self.addCleanup(running.kill)

            def rows():
                known = postgresql.value("waking", "select to_regclass('shop.probe') is not null")
                return int(postgresql.value("waking", "select count(*) from shop.probe")) if known == "t" else 0

            def send(first):
                probe = os.path.join(os.path.dirname(program.BINARY), "probe_events")
                subprocess.run([probe, kafka.brokers, TOPIC, str(RATE), str(SECONDS), str(first)], check=True)
                wait_until(lambda: rows() == first + RATE * SECONDS - 1, 60, lambda: f"{rows()} rows", poll=0.2)

            def commits():
                # Each of them leaves rows with a transaction number of its own.
                return int(postgresql.value("waking", f"select count(distinct xmin::text) from shop.probe where id > {RATE * SECONDS}"))
            send(1)
            before = wakeups(running.pid)
            send(RATE * SECONDS + 1)
            self.assertLess(wakeups(running.pid) - before, 10 * RATE * SECONDS)
            self.assertLess(commits(), RATE * SECONDS / 1.5)
            before = wakeups(running.pid)
            time.sleep(REST)
            self.assertLess(wakeups(running.pid) - before, 250 * REST)


if __name__ == "__main__":
    unittest.main()
