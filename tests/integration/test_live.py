"""What brokers do: announce themselves elsewhere, take rights away and give them back; targets that are away, stops at bad moments. One real broker, SQLite as the target."""

import contextlib
import json
import os
import signal
import sqlite3
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import envelope  # noqa: E402
from integration.test_memory import Sampler  # noqa: E402
from lab import process  # noqa: E402
from lab.kafka import Kafka  # noqa: E402
from lab.postgresql import Postgresql  # noqa: E402
from lab.process import wait_until  # noqa: E402

MANIFEST = """[pipeline]
name = "{topic}"
[sources.events]
plugin = "kafka"
brokers = "{brokers}"
topics = ["{topics}"]
topics_per_client = {topics_per_client}
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
path = "dead_letters.jsonl"
"""


broker = None


def setUpModule():
    global broker
    broker = Kafka({"message.max.bytes": 104857600, "socket.request.max.bytes": 209715200}, secured=True)


def tearDownModule():
    broker.stop()


class LiveCase(process.Case):
    @classmethod
    def setUpClass(cls):
        cls.kafka = broker

    count = 0
    topics_per_client = 200

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
                                       source=source, topics_per_client=self.topics_per_client))

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


class Stops(LiveCase):
    """A stop that is asked for ends the process quickly and well, whatever its tables are waiting for."""

    def begin(self):
        self.kafka.create_topic(self.topic, 1)
        self.send(range(3))
        self.start()
        self.settle([0, 1, 2])

    def stops_well(self):
        began = time.monotonic()
        self.assertEqual(self.stop(), 0, self.log_text()[-3000:])
        self.assertLess(time.monotonic() - began, 15, self.log_text()[-3000:])

    def test_with_a_paused_table(self):
        self.begin()
        self.command("table", "pause", "good")
        self.send(range(3, 6))
        self.send([1], table="other")
        self.settle([1], "other")
        self.stops_well()
        self.command("table", "resume", "good")
        self.to_end()
        self.assertEqual(self.ids(), list(range(6)))

    def test_with_a_detached_table_whose_reason_is_gone_from_the_lists_when_it_is_back(self):
        self.begin()
        self.sql("create trigger refuse before insert on good begin select raise(abort, 'not now'); end")
        self.sql("alter table good rename to elsewhere")
        self.send(range(3, 6))
        self.wait_for_log("table 'good' is detached")
        wait_until(lambda: "detached" in self.command("table", "list"), 20, "the list does not know", poll=0.3)
        self.stops_well()
        self.sql("drop trigger refuse")
        self.sql("alter table elsewhere rename to good")
        self.to_end()
        self.assertEqual(self.ids(), list(range(6)))
        self.assertNotIn("detached", self.command("table", "list"))
        self.assertNotIn("detached", self.command("status"))


class Rights(LiveCase):
    USER = """"security.protocol" = "SASL_PLAINTEXT"
"sasl.mechanisms" = "PLAIN"
"sasl.username" = "nobody"
"sasl.password" = "nobody-secret"
"""

    def secured(self):
        self.write_manifest(f"127.0.0.1:{self.kafka.secured_port}", source=self.USER)

    def test_rights_on_the_group_and_the_topic_that_are_taken_away_for_a_while_are_waited_for(self):
        self.secured()
        self.kafka.create_topic(self.topic, 1)
        admin = self.kafka.admin
        for kind in ("topic", "group"):
            for operation in ("read", "describe"):
                admin.allow("nobody", operation, kind, self.topic)
        self.send(range(3))
        self.start()
        self.settle([0, 1, 2])
        admin.disallow("nobody", "read", "group", self.topic)
        self.wait_for_log("no right to use the consumer group")
        time.sleep(10)
        self.assertIsNone(self.running.poll(), self.log_text())
        self.assertLess(self.log_text().count("no right to use the consumer group"), 6, self.log_text())
        admin.allow("nobody", "read", "group", self.topic)
        self.send(range(3, 6))
        self.settle(list(range(6)))
        admin.disallow("nobody", "read", "topic", self.topic)
        self.send(range(6, 8))
        self.wait_for_log("no right to read")
        admin.allow("nobody", "read", "topic", self.topic)
        self.settle(list(range(8)))
        self.assertEqual(self.stop(), 0, self.log_text())

    def test_a_probe_tells_what_is_wrong_with_a_broker(self):
        def probe(expect, *texts):
            began = time.monotonic()
            said = self.command("validate", "--probe", expect=expect)
            self.assertLess(time.monotonic() - began, 25)
            for text in texts:
                self.assertIn(text, said)
        self.kafka.create_topic(self.topic, 1)
        probe(0)
        self.write_manifest(topics=self.topic + "s")
        probe(2, f"topic '{self.topic}s' does not exist", f"did you mean '{self.topic}'")
        self.write_manifest(topics="no.such.*")
        probe(0, "nothing is called 'no.such.*' so far")
        address = f"127.0.0.1:{process.free_port()}"
        self.write_manifest(address)
        probe(3, address)
        self.secured()
        probe(3, self.topic)

    def test_status_names_topics_that_nothing_meets(self):
        self.kafka.create_topic(self.topic, 1)
        self.send(range(3))
        self.to_end()
        self.write_manifest(topics=self.topic + '", "no.such.*')
        said = self.command("status")
        self.assertIn("no.such.*", said)
        self.assertNotIn(f"'{self.topic}'", said)


class Truncates(LiveCase):
    """A truncate sends other partitions back, to where retention has let their logs begin."""

    def two_partitions(self):
        self.kafka.create_topic(self.topic, 2)
        self.lsn = 100
        self.send(range(3), partition=1)
        self.lsn = 110
        self.send(range(3, 6), partition=1)
        self.to_end()
        self.assertEqual(self.ids(), list(range(6)))

    def truncate(self, lsn):
        self.kafka.produce(self.topic, [(None, envelope("good", None, "t", lsn=lsn))], 0)

    def test_rows_after_the_truncate_stay_when_what_retention_deleted_lies_before_it(self):
        # The first message that is left is older than the truncate: so is what was before it.
        self.two_partitions()
        self.kafka.delete_records(self.topic, {1: 2})
        self.truncate(105)
        self.to_end()
        self.assertEqual(self.ids(), [3, 4, 5])
        self.send([6], partition=1)
        self.to_end()
        self.assertEqual(self.ids(), [3, 4, 5, 6])

    def test_rows_after_the_truncate_that_retention_deleted_are_told_and_the_remedy_leads_on(self):
        self.two_partitions()
        self.kafka.delete_records(self.topic, {1: 5})
        self.truncate(105)
        done = program.run(["--manifest", self.manifest, "--stop", "end"], {}, self.folder, timeout=60)
        self.assertNotEqual(done.exit_code, 0, done.log[-3000:])
        self.assertIn("deleted by retention", done.log)
        self.command("progress", "rewind", "--topic", self.topic, "--to", "earliest")
        self.to_end()
        self.assertIn(5, self.ids())


class Unpacked(LiveCase):
    """Messages that come packed: an answer is bounded by its bytes on the wire, and unpacks to any size."""

    MEMORY = 64

    def peak(self):
        """MiB that a run to the end took."""
        with open(self.manifest, "a", encoding="utf-8") as file:
            file.write(f'[runtime]\nmemory = "{self.MEMORY}MiB"\n')
        log = os.path.join(self.folder, "log-of-run")
        running = program.start(["--manifest", self.manifest, "--stop", "end"], {}, log)
        memory = Sampler(running.pid)
        peak = 0.0
        while running.poll() is None:
            with contextlib.suppress(OSError):
                peak = max(peak, memory.read("VmHWM"))
            time.sleep(0.02)
        memory.stop_sampling()
        with open(log, encoding="utf-8") as file:
            self.assertEqual(running.returncode, 0, file.read()[-3000:])
        return peak

    def test_events_with_schemas_over_many_partitions_stay_within_the_budget(self):
        fields = [{"type": "string", "optional": True, "field": f"a_column_with_a_long_name_{number}"} for number in range(40)]
        row = {"type": "struct", "optional": True, "fields": [{"type": "int32", "optional": False, "field": "id"}, *fields]}
        block = {"type": "struct", "optional": False, "field": "source", "name": "io.debezium.connector.postgresql.Source", "fields": [
            *({"type": "string", "optional": False, "field": name} for name in ("connector", "name", "db", "schema", "table")),
            {"type": "int64", "optional": True, "field": "lsn"}]}
        schema = {"type": "struct", "optional": False, "name": "s.Envelope", "fields": [
            dict(row, field="before"), dict(row, field="after"), block, {"type": "string", "optional": False, "field": "op"},
            {"type": "int64", "optional": True, "field": "ts_ms"}]}
        for codec in ("zstd", "gzip", "lz4"):
            with self.subTest(codec=codec):
                LiveCase.count += 1
                self.doCleanups()
                self.setUp()
                self.kafka.create_topic(self.topic, 8)
                for partition in range(8):
                    rows = []
                    for number in range(partition, 4000, 8):
                        after = {"id": number, **{field["field"]: f"{number:x}" for field in fields}}
                        source = {"connector": "postgresql", "name": "s", "db": "d", "schema": "public", "table": "good", "lsn": number + 1}
                        payload = {"before": None, "after": after, "source": source, "op": "c", "ts_ms": 1}
                        rows.append((json.dumps({"id": number}), json.dumps({"schema": schema, "payload": payload})))
                    self.kafka.produce(self.topic, rows, partition, properties={"compression.codec": codec, "batch.size": "1000000", "linger.ms": "200"})
                self.assertLess(self.peak(), self.MEMORY + 32)
                self.assertEqual(len(self.ids()), 4000)

    def test_large_messages_that_pack_well_pass_one_after_another(self):
        self.kafka.create_topic(self.topic, 1, max_message_bytes=100000000)
        big, count = 20 << 20, 10
        for number in range(count):
            path = os.path.join(self.folder, "message")
            with open(path, "w", encoding="utf-8") as file:
                file.write(envelope("good", {"id": number, "v": "x" * big}, lsn=number + 1))
            self.kafka.produce_whole(self.topic, path, json.dumps({"id": number}), {"compression.codec": "zstd", "message.max.bytes": "100000000"})
        # One on its way is held several times over: packed out, copied, decoded, bound. Two are; ten were.
        self.assertLess(self.peak(), self.MEMORY + 32 + 14 * (big >> 20))
        self.assertEqual(self.sql("select count(*), min(length(v)), max(length(v)) from good"), [(count, big, big)])


class Away(process.Case):
    def test_a_broker_that_announces_itself_at_an_address_that_does_not_answer_is_told_within_seconds(self):
        nowhere = f"127.0.0.1:{process.free_port()}"
        kafka = Kafka(settings={"advertised.listeners": "PLAINTEXT://" + nowhere})
        self.addCleanup(kafka.stop)
        kafka.create_topic("t.good", 1)
        with tempfile.TemporaryDirectory() as folder:
            manifest = os.path.join(folder, "manifest.toml")
            with open(manifest, "w", encoding="utf-8") as file:
                file.write(MANIFEST.format(brokers=kafka.brokers, topic="t.good", topics="t.good", folder=folder, source="", topics_per_client=200))
            log = os.path.join(folder, "log")
            running = program.start(["--manifest", manifest], {}, log)
            def text():
                with open(log, encoding="utf-8") as file:
                    return file.read()
            try:
                wait_until(lambda: nowhere in text() and "advertised" in text(), 14, text, poll=0.1)
                running.send_signal(signal.SIGTERM)
                self.assertEqual(running.wait(20), 0, text())
            finally:
                if running.poll() is None:
                    running.kill()
                    running.wait()
            said = program.run(["validate", "--probe", "--manifest", manifest], {}, folder, timeout=60)
            self.assertEqual(said.exit_code, 3, said.log)
            self.assertIn(nowhere, said.log)
            self.assertIn("advertised", said.log)

    def test_a_target_that_is_gone_is_told_although_nothing_is_to_be_written_and_a_locked_table_does_not_keep_a_stop_waiting(self):
        kafka, postgresql = broker, Postgresql()
        self.addCleanup(postgresql.stop)
        postgresql.create("live")
        kafka.create_topic("away.good", 1)
        with tempfile.TemporaryDirectory() as folder:
            manifest = os.path.join(folder, "manifest.toml")
            with open(manifest, "w", encoding="utf-8") as file:
                file.write(MANIFEST.format(brokers=kafka.brokers, topic="away.good", topics="away.good", folder=folder, source="", topics_per_client=200).replace(
                    f'Driver = "SQLite3", Database = "{folder}/target.db"',
                    f'Driver = "PostgreSQL Unicode", Server = "127.0.0.1", Port = "{postgresql.port}", Database = "live", UID = "postgres", SSLmode = "disable"').replace('stall_after = "1s"', 'stall_after = "60s"\nlock_timeout = "300ms"'))
            log = os.path.join(folder, "log")
            running = program.start(["--manifest", manifest], {}, log)
            def text():
                with open(log, encoding="utf-8") as file:
                    return file.read()
            try:
                wait_until(lambda: "assigned" in text(), 30, text, poll=0.1)
                time.sleep(1)
                postgresql.halt()
                wait_until(lambda: "waiting for the target" in text(), 60, text, poll=0.2)
                postgresql.start()
                wait_until(lambda: "the target answers again" in text(), 60, text, poll=0.2)

                def send(number):
                    kafka.produce("away.good", [(json.dumps({"id": number}), envelope("good", {"id": number}, lsn=number + 1))])
                send(1)
                wait_until(lambda: postgresql.value("live", "select count(*) from pg_class where relname = 'good' and reltuples <> 0") == "1", 30, text, poll=0.2)
                with open(os.path.join(folder, "locker"), "wb") as output:
                    locker = postgresql.client("live", output)
                self.addCleanup(locker.kill)
                locker.stdin.write(b"begin; lock table good in access exclusive mode;\n")
                locker.stdin.flush()
                time.sleep(1)
                send(2)
                time.sleep(2)
                began = time.monotonic()
                running.send_signal(signal.SIGTERM)
                self.assertEqual(running.wait(30), 0, text())
                self.assertLess(time.monotonic() - began, 20, text())
            finally:
                if running.poll() is None:
                    running.kill()
                    running.wait()


if __name__ == "__main__":
    unittest.main()
