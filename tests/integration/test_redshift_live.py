"""Kafka -> processes of one pipeline -> the test Redshift, with everything going wrong that does: processes die, S3 fails and stalls,
commits conflict, answers are lost. Every table equals the source's in the end, nothing that Redshift rejects was sent, no file is left.

    CDCRT_REDSHIFT_EVENTS   changes of eight generated tables (1000000)
    CDCRT_REDSHIFT_KILLS    how often a process is killed (20; 3 with captured events)
    CDCRT_TEST_SEED         repeats the choices, not the moments
"""

import json
import os
import random
import re
import subprocess
import sys
import time
import urllib.parse

from integration import program, redshift_target
from integration.live import GENERATOR
from integration.messages import envelope
from integration.redshift_target import RedshiftCase
from lab.kafka import Kafka
from lab.process import wait_until
from lab.s3_faults import S3Faults

EVENTS = int(os.environ.get("CDCRT_REDSHIFT_EVENTS", "1000000"))
KILLS = int(os.environ.get("CDCRT_REDSHIFT_KILLS", "20"))
SEED = int(os.environ.get("CDCRT_TEST_SEED", str(time.time_ns() % 1_000_000)))
KILLED = min(KILLS, 3)
TABLES, PARTITIONS = 8, 4
NAMES = [name + suffix for suffix in ("", "2") for name in ("customers", "orders", "items", "visits")]
STALLS = ("hang", "stall_upload", "stall_answer")

SOURCE = """plugin = "kafka"
brokers = "%s"
instance = "%s"
librdkafka."session.timeout.ms" = %d
librdkafka."heartbeat.interval.ms" = 500
"""


def setUpModule():
    Live.kafka = Kafka(settings={"group.min.session.timeout.ms": 1000})


def tearDownModule():
    redshift_target.stop()
    Live.kafka.stop()


class Live(RedshiftCase):
    """Processes of one pipeline, each of a name. Subclasses give `pipeline`: the manifest without its sink, around the source's `lines`."""
    kafka = None
    session = 3000  # milliseconds until the group gives the partitions of a process that is gone to others
    ends = (0,)  # exit codes of a process that is told to stop

    def setUp(self):
        super().setUp()
        self.chance = random.Random(SEED)
        self.faults = self.make_faults()
        self.processes = {}
        self.addCleanup(self.end_all)

    def make_faults(self):
        faults = S3Faults(self.target.s3)
        self.addCleanup(faults.stop)
        return faults

    def end_all(self):
        for process in self.processes.values():
            process.kill()
            process.wait()

    # ---- processes ----

    def pipeline(self, lines):
        raise NotImplementedError

    def start(self, name, *settings, instance=None, faults=None):
        """Appends its output to the log of that name. `instance`: of the group, the name when not given; `faults`: its way to S3."""
        path = os.path.join(self.folder, name + ".toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.pipeline(SOURCE % (self.kafka.brokers, instance or name, self.session)) + f'[dead_letters]\npath = "{self.folder}/dead_letters-{name}.jsonl"\n')
        arguments = ["--manifest", path, "--manifest", self.target.overlay]
        for setting in (f"sinks.target.staging.endpoint={(faults or self.faults).endpoint}", *settings):
            arguments += ["--set", setting]
        self.processes[name] = program.start(arguments, self.target.environment, os.path.join(self.folder, name + ".log"))

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def log(self, name):
        with open(os.path.join(self.folder, name + ".log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def logs(self):
        return "\n".join(f"{name}: {self.log(name)[-3000:]}" for name in self.processes)

    def start_two(self):
        for name in ("one", "two"):
            self.start(name, *self.settings)

    def kill_at_random(self, kills, longest, meanwhile=lambda: None):
        """Kills one of the processes and starts it again, so many times, each at most `longest` seconds after `meanwhile`; half of the
        times only once something was applied since, so that not all die while they start."""
        while kills > 0:
            meanwhile()
            before, end = self.applied(), time.monotonic() + self.chance.choice((0, 6))
            while self.applied() == before and time.monotonic() < end:
                time.sleep(0.1)
            time.sleep(self.chance.uniform(longest / 6, longest))
            name = self.chance.choice(sorted(self.processes))
            if self.processes[name].poll() is None:
                self.kill(name)
                kills -= 1
            else:  # a fault met its start
                self.assertEqual(self.processes[name].returncode, 3, self.log(name)[-3000:])
            self.start(name, *self.settings)

    def mend(self):
        """No more faults; what a fault has stopped at its start is started again."""
        self.front.clear_faults()
        self.faults.clear()
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.start(name, *self.settings)

    # ---- the target ----

    def applied(self):
        """Offsets that the tables stand at, summed: what is durable."""
        tables = self.front.query("select table_name from information_schema.tables where table_schema = 'cdcrt' and table_name like 'progress!_%' escape '!' and table_name <> 'progress_tables'")
        return sum(int(self.front.query(f"select coalesce(sum(next_offset), 0) from cdcrt.{name}")[0][0]) for (name,) in tables)

    def wait_for(self, total, seconds):
        wait_until(lambda: self.applied() >= total, seconds, lambda: f"{self.applied()} of {total}\n" + self.logs(), poll=0.5)

    def stop_all(self):
        for name, process in self.processes.items():
            self.assertIsNone(process.poll(), self.log(name)[-3000:])
            process.terminate()
        for name, process in self.processes.items():
            self.assertIn(process.wait(90), self.ends, self.log(name)[-3000:])

    def dead_letters(self):
        return {(dead_letter["table"], dead_letter["offset"]) for name in self.processes
                for dead_letter in program.dead_letters(os.path.join(self.folder, f"dead_letters-{name}.jsonl"))}

    def conflicts_and_lost_answers(self):
        self.front.fault("1023", at="commit", every=3)
        self.front.fault("lost_after", at="commit", every=11)
        self.front.fault("lost_before", at="commit", every=13)

    def failing_s3(self):
        for kind, every in (("500", 9), ("503", 11), ("cut_upload", 13), ("cut_answer", 17)):
            self.faults.fault(kind, every=every)

    def stalling_s3(self, first):
        """From the PUT `first` from now on, one stalls in each way."""
        for number, kind in enumerate(STALLS, first):
            self.faults.fault(kind, method="PUT", nth=number)


class Generated(Live):
    settings = (f"sinks.target.batch.max_rows={max(500, EVENTS // 100)}",)

    def setUp(self):
        super().setUp()
        self.expected, self.pieces = os.path.join(self.folder, "expected"), os.path.join(self.folder, "pieces")
        subprocess.run([GENERATOR, "--events", str(EVENTS), "--tables", str(TABLES), "--pieces", self.pieces, "--expected", self.expected, "--no-schemas"], check=True)
        self.topics = ["bench.shop." + name for name in NAMES]
        for topic in self.topics:
            self.kafka.create_topic(topic, PARTITIONS)
        # The last partition comes later, so that something is left to be written when the rest is.
        self.produce(range(PARTITIONS - 1))

    def produce(self, partitions):
        for topic in self.topics:
            for partition in partitions:
                self.kafka.produce_file(topic, os.path.join(self.pieces, f"{topic}-{partition}"), partition)
        self.total = self.kafka.count(self.topics)

    def pipeline(self, lines):
        return f'[pipeline]\nname = "warehouse"\n[sources.events]\n{lines}topics = ["bench.*"]\nformat.plugin = "debezium-json"\n'

    def test_tables_are_exact_and_nothing_is_left_whatever_fails(self):
        self.start_two()
        wait_until(lambda: self.applied() > 0, 120, self.logs, poll=0.5)
        self.conflicts_and_lost_answers()
        self.failing_s3()
        self.stalling_s3(29)
        self.stalling_s3(97)
        self.kill_at_random(KILLS, 3)
        during = self.applied()
        # The stalls so far ended with a kill, mostly. Of these here a process has to tire by itself.
        self.mend()
        left = self.faults.left
        self.stalling_s3(1)
        self.produce([PARTITIONS - 1])
        wait_until(lambda: self.faults.left - left >= len(STALLS), 300, lambda: f"{self.faults.hits()} requests stall\n" + self.logs(), poll=0.5)
        self.wait_for(self.total, 900)
        self.stop_all()
        print(f"\nseed {SEED}: {during} of {self.total} messages applied while things failed, {KILLS} kills", file=sys.stderr)
        self.assertIn("Operation too slow", self.log("one") + self.log("two"))
        self.same(self.expected)
        self.clean()


class Captured(Live):
    """Events that a real Debezium wrote, in topics and partitions as they were, piece by piece, with a kill after each."""
    settings = ("sinks.target.batch.max_rows=100", "sinks.target.copy_from_rows=10")
    ends = (0, 4)  # there are dead letters

    def pipeline(self, lines):
        with open(os.path.join(program.MANIFESTS, self.name + ".toml"), encoding="utf-8") as file:
            text, count = re.subn(r'plugin = "file"\npaths = .*\n', lambda _: lines, file.read())
        self.assertEqual(count, 1)
        return text

    def check(self, name):
        self.name = name
        expected = redshift_target.captured(name, self.folder)
        messages = [message for message in program.captured_messages(name) if not message["topic"].endswith((".transaction", ".dbz_signal", "-heartbeat.pg"))]
        topics = sorted({message["topic"] for message in messages})
        for topic in topics:
            self.kafka.create_topic(topic, PARTITIONS)
        pieces = [messages[len(messages) * number // KILLED:len(messages) * (number + 1) // KILLED] for number in range(KILLED)]
        self.start_two()
        self.produce(pieces.pop(0))
        wait_until(lambda: self.applied() > 0, 120, self.logs, poll=0.2)
        self.conflicts_and_lost_answers()
        self.failing_s3()
        self.kill_at_random(KILLED, 2, lambda: pieces and self.produce(pieces.pop(0)))
        during, total = self.applied(), self.kafka.count(topics)
        self.assertEqual(total, len(messages))
        self.mend()
        self.wait_for(total, 300)
        self.stop_all()
        print(f"\nseed {SEED}: {during} of {total} messages applied at the last of {KILLED} kills", file=sys.stderr)
        self.assertEqual(self.dead_letters(), redshift_target.CAPTURED_DEAD_LETTERS)
        self.same(expected)
        self.clean()

    def produce(self, messages):
        self.kafka.produce_lines(sorted(messages, key=lambda message: (message["topic"], message["partition"])))

    def test_with_schemas(self):
        self.check("debezium-postgres")

    def test_without_schemas(self):
        self.check("debezium-postgres-noschema")


class TakeOver(Live):
    """Every process speaks to S3 through a door of its own, which tells what it stages, lists and removes."""
    settings = ("sinks.target.copy_from_rows=1",)
    session = 45000  # a process of the same instance takes over before
    names = ("one", "two", "three")

    def setUp(self):
        super().setUp()
        self.topic, self.rows = f"takeover.{self._testMethodName}", 0
        self.kafka.create_topic(self.topic, PARTITIONS)
        self.doors = {name: self.make_faults() for name in self.names}

    def pipeline(self, lines):
        return f'[pipeline]\nname = "{self._testMethodName}"\n[sources.events]\n{lines}topics = ["{self.topic}"]\nformat.plugin = "debezium-json"\n'

    def produce(self, rows=100):
        """So many rows of table `good` into each partition."""
        for partition in range(PARTITIONS):
            numbers = range(self.rows, self.rows + rows)
            self.kafka.produce(self.topic, [(json.dumps({"id": n}), envelope("good", {"id": n, "v": "x"}, lsn=100 + n)) for n in numbers], partition)
            self.rows += rows

    def owners(self):
        """How many leases each process holds."""
        return sorted(int(count) for _, count in self.front.query("select owner, count(*) from cdcrt.leases group by owner"))

    def place(self, name):
        """Below which prefix a process stages."""
        keys = [urllib.parse.unquote(path).partition(f"/{self.target.s3.bucket}/")[2] for method, path, _ in self.doors[name].requests if method == "PUT"]
        places = {"/".join(key.split("/")[:-2]) + "/" for key in keys}  # .../PROCESS/START OF ITS SINK/FILE
        self.assertEqual(len(places), 1, name)
        return places.pop()

    def touched(self, name):
        """Prefixes and keys that a process has listed or removed."""
        queries = [urllib.parse.parse_qs(path.partition("?")[2]) for method, path, _ in self.doors[name].requests if method == "GET"]
        return {prefix for query in queries for prefix in query.get("prefix", [])} | set(self.doors[name].removals)

    def stage_and_hold(self, name):
        """The process stages a file and waits for the answer to its manifest's; the keys that are there then."""
        self.doors[name].fault("hang", method="PUT", match="[.]manifest", every=1)
        self.produce()
        wait_until(self.doors[name].hits, 60, self.logs)
        keys = self.target.s3.keys(self.place(name))
        self.assertTrue(keys)
        return keys

    def settle(self, *names):
        """Starts processes and waits until they share the partitions."""
        for name in names:
            self.start(name, *self.settings, faults=self.doors[name])
        self.produce()
        share = [PARTITIONS // len(names)] * len(names)
        wait_until(lambda: self.applied() == self.rows and self.owners() == share, 60, self.logs, poll=0.2)

    def complete(self):
        self.assertEqual(self.front.query("select count(*), count(distinct id) from good"), [[str(self.rows)] * 2])

    def test_files_of_a_process_that_lives_are_its_own(self):
        self.settle("one", "three")
        self.stage_and_hold("three")
        self.doors["two"].fault("hang", method="GET", match="prefix=", every=1)
        self.kill("three")
        self.start("two", *self.settings, instance="three", faults=self.doors["two"])
        wait_until(self.doors["two"].hits, 60, self.logs)  # it cleans after the other
        threes, ones = self.target.s3.keys(self.place("three")), self.stage_and_hold("one")
        self.assertTrue(threes)
        self.doors["two"].clear()
        wait_until(lambda: not self.target.s3.keys(self.place("three")), 60, self.logs)
        self.assertEqual(self.target.s3.keys(self.place("one")), ones)
        self.doors["one"].clear()
        self.wait_for(self.rows, 60)
        del self.processes["three"]
        self.stop_all()
        self.complete()
        self.clean()
        self.assertLessEqual(set(threes), self.touched("two"))
        self.assertLessEqual(set(ones), self.touched("one"))
        for name, places in (("one", ["one", "three"]), ("two", ["two", "three"])):  # whoever is there may clean after the killed one
            prefixes = tuple(self.place(each) for each in places)
            self.assertEqual([touched for touched in self.touched(name) if not touched.startswith(prefixes)], [])

    def test_what_could_not_be_removed_at_once_is_removed_later(self):
        self.settle("one", "three")
        self.stage_and_hold("three")
        self.doors["two"].fault("500", method="GET", match="prefix=", every=1, times=2)
        self.kill("three")
        self.start("two", *self.settings, instance="three", faults=self.doors["two"])
        wait_until(lambda: self.doors["two"].hits() == 2, 60, self.logs)
        wait_until(lambda: not self.target.s3.keys(self.place("three")), 60, self.logs)
        self.wait_for(self.rows, 60)
        del self.processes["three"]
        self.stop_all()
        self.complete()
        self.clean()
