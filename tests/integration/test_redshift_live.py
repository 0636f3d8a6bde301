"""Kafka -> processes of one pipeline -> the test Redshift, with everything going wrong that does: processes die, S3 fails, commits
conflict, answers are lost. Every table equals the generator's in the end, nothing that Redshift rejects was sent, no file is left.

    CDCRT_REDSHIFT_EVENTS   changes of eight tables (1000000)
    CDCRT_REDSHIFT_KILLS    how often a process is killed (20)
    CDCRT_TEST_SEED         repeats the choices, not the moments
"""

import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

from integration import program, redshift_target
from integration.live import GENERATOR
from integration.redshift_target import RedshiftTarget
from lab.kafka import Kafka
from lab.process import Case, wait_until
from lab.s3_faults import S3Faults
from oracle import compare

EVENTS = int(os.environ.get("CDCRT_REDSHIFT_EVENTS", "1000000"))
KILLS = int(os.environ.get("CDCRT_REDSHIFT_KILLS", "20"))
SEED = int(os.environ.get("CDCRT_TEST_SEED", str(time.time_ns() % 1_000_000)))
TABLES, PARTITIONS = 8, 4
NAMES = [name + suffix for suffix in ("", "2") for name in ("customers", "orders", "items", "visits")]

MANIFEST = """
[pipeline]
name = "warehouse"
[sources.events]
plugin = "kafka"
brokers = "%(brokers)s"
topics = ["bench.*"]
instance = "%(instance)s"
format.plugin = "debezium-json"
[sources.events.librdkafka]
"session.timeout.ms" = 3000
"heartbeat.interval.ms" = 500
[dead_letters]
path = "%(folder)s/letters-%(instance)s.jsonl"
"""


def tearDownModule():
    redshift_target.stop()


class Live(Case):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-redshift-live-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.expected, pieces = os.path.join(self.folder, "expected"), os.path.join(self.folder, "pieces")
        subprocess.run([GENERATOR, "--events", str(EVENTS), "--tables", str(TABLES), "--pieces", pieces, "--expected", self.expected, "--no-schemas"], check=True)
        self.kafka = Kafka(settings={"group.min.session.timeout.ms": 1000})
        self.addCleanup(self.kafka.stop)
        self.target = RedshiftTarget(self.folder)
        self.faults = S3Faults(self.target.s3)
        self.addCleanup(self.faults.stop)
        with open(self.target.overlay, "w", encoding="utf-8") as file:
            file.write(self.target.manifest(endpoint=self.faults.endpoint))
        self.topics = ["bench.shop." + name for name in NAMES]
        for topic in self.topics:
            self.kafka.create_topic(topic, PARTITIONS)
            for partition in range(PARTITIONS):
                self.kafka.produce_file(topic, os.path.join(pieces, f"{topic}-{partition}"), partition)
        shutil.rmtree(pieces)
        self.processes = {}
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in self.processes.values():
            process.kill()
            process.wait()

    def arguments(self, instance, *more):
        path = os.path.join(self.folder, instance + ".toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(MANIFEST % {"brokers": self.kafka.brokers, "instance": instance, "folder": self.folder})
        return ["--manifest", path, "--manifest", self.target.overlay, "--set", f"sinks.target.batch.max_rows={max(500, EVENTS // 100)}", *more]

    def start(self, instance):
        log = os.path.join(self.folder, instance + ".log")
        self.processes[instance] = program.start(self.arguments(instance), self.target.environment, log)

    def log(self, instance):
        with open(os.path.join(self.folder, instance + ".log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]

    def applied(self):
        """Offsets that the tables stand at, summed: what is durable."""
        tables = self.target.front.query("select table_name from information_schema.tables where table_schema = 'cdcrt' and table_name like 'progress!_%' escape '!'")
        return sum(int(self.target.front.query(f"select coalesce(sum(next_offset), 0) from cdcrt.{name}")[0][0]) for (name,) in tables)

    def order_faults(self):
        front = self.target.front
        front.fault("1023", at="commit", every=3)
        front.fault("lost_after", at="commit", every=11)
        front.fault("lost_before", at="commit", every=13)
        for kind, every in (("500", 9), ("503", 11), ("cut_upload", 13), ("cut_answer", 17)):
            self.faults.fault(kind, every=every)

    def test_tables_are_exact_and_nothing_is_left_whatever_fails(self):
        chance = random.Random(SEED)
        total = sum(sum(self.kafka.end_offsets(topic).values()) for topic in self.topics)
        for instance in ("one", "two"):
            self.start(instance)
        wait_until(lambda: self.applied() > 0, 120, lambda: self.log("one") + self.log("two"), poll=0.5)
        self.order_faults()
        kills = 0
        while kills < KILLS:
            time.sleep(chance.uniform(0.5, 3))
            instance = chance.choice(("one", "two"))
            if self.processes[instance].poll() is not None:  # a fault met its start
                self.assertEqual(self.processes[instance].returncode, 3, self.log(instance))
            else:
                self.processes[instance].kill()
                self.processes[instance].wait()
                kills += 1
            self.start(instance)
        during = self.applied()
        self.target.front.clear_faults()
        self.faults.clear()
        for instance in ("one", "two"):
            if self.processes[instance].poll() is not None:
                self.start(instance)
        wait_until(lambda: self.applied() >= total, 900, lambda: f"{self.applied()} of {total}\n" + self.log("one") + self.log("two"), poll=1)
        for instance, process in self.processes.items():
            self.assertIsNone(process.poll(), self.log(instance))
            process.terminate()
            self.assertEqual(process.wait(90), 0, self.log(instance))
        print(f"\nseed {SEED}: {during} of {total} messages applied while things failed, {kills} kills", file=sys.stderr)
        out = io.StringIO()
        with open(os.path.join(self.expected, "types.toml"), "rb") as file:
            spelled = [column for of in tomllib.load(file).values() for column in of["columns"]]
        self.assertEqual(compare.compare(self.expected, self.target.tables(spelled), out=out), 0, f"seed {SEED}: " + out.getvalue())
        self.assertEqual(self.target.front.rejections(), [])
        self.assertEqual(self.target.files(), [])
        self.assertEqual(self.target.s3.uploads(), [])
