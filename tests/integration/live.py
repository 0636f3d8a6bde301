"""A pipeline on a real broker and a real PostgreSQL under load: generated changes of four keyed tables, and rows of a table without a
key, of which every one has a number of its own, so that a row that is lost or doubled shows; and changes of a keyed table that goes to an
append-only one, where each is a row with its place in the log."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from integration import program
from lab.kafka import Kafka
from lab.postgresql import Postgresql, sink
from lab.process import wait_until
from lab.proxy import TcpProxy

GENERATOR = os.path.join(os.path.dirname(program.BINARY), "generate_events")
COMPARE = os.path.join(program.TESTS, "oracle", "compare.py")
TABLES = ("customers", "orders", "items", "visits")
PARTITIONS = 4
LOG = "bench.shop.log"
LOG_PARTITIONS = 8
TRAIL = "bench.shop.trail"

MANIFEST = """
[pipeline]
name = "live"
[runtime]
memory = "64MiB"
[sources.events]
plugin = "kafka"
brokers = "%(brokers)s"
topics = ["%(topics)s"]
topics_per_client = %(topics_per_client)d
instance = "%(instance)s"
format.plugin = "debezium-json"
[sources.events.librdkafka]
"session.timeout.ms" = 3000
"heartbeat.interval.ms" = 500
"max.poll.interval.ms" = 20000
[sinks.target]
%(sink)s
connections = 3
stall_after = "%(stall_after)s"
lock_timeout = "500ms"
idle_timeout = "4s"
[sinks.target.batch]
max_rows = 2000
[routes.all]
match = ["*"]
[routes.trail]
match = ["shop.trail"]
mode = "append"
metadata = { op = "_op", partition = "_partition", offset = "_offset" }
[dead_letters]
path = "%(folder)s/dead_letters-%(instance)s.jsonl"
"""


class Load:
    """Events in files of their own, one for each slice, topic and partition, so that they can be produced piece by piece."""

    def __init__(self, folder, events, seed=1, slices=20):
        self.folder, self.slices, self.rows = folder, slices, events // 4
        self.expected = os.path.join(folder, "expected")
        lines = os.path.join(folder, "events.jsonl")
        subprocess.run([GENERATOR, "--events", str(events), "--seed", str(seed), "--no-schemas", "--out", lines, "--expected", self.expected], check=True)
        files = {}
        with open(lines, encoding="utf-8") as file:
            for number, line in enumerate(file):
                message = json.loads(line)
                piece = number * slices // events
                key = (piece, message["topic"], message["partition"])
                if key not in files:
                    files[key] = open(self._path(*key), "w", encoding="utf-8", newline="")
                files[key].write(f"{message.get('key') or ''}\x02{message.get('payload') or ''}\x01")
        for file in files.values():
            file.close()
        self.files = sorted(files)
        chance = random.Random(seed)
        for number in range(self.rows):
            piece, partition = number * slices // self.rows, chance.randrange(LOG_PARTITIONS)
            row = {"before": None, "after": {"n": number, "word": chance.choice("abc")}, "op": "c", "ts_ms": 1,
                   "source": {"connector": "postgresql", "db": "shop", "schema": "shop", "table": "log"}}
            with open(self._path(piece, LOG, partition), "a", encoding="utf-8", newline="") as file:
                file.write("\x02" + json.dumps(row) + "\x01")
        self.log_files = [(piece, topic, partition) for piece in range(slices) for topic, partitions in ((LOG, LOG_PARTITIONS), (TRAIL, PARTITIONS))
                          for partition in range(partitions)]
        self._write_trail(chance)
        os.remove(lines)

    def _write_trail(self, chance):
        """Changes of few rows, so that each batch has many of one key: in an append-only table every one of them stays."""
        self.trail = {"c": 0, "u": 0, "d": 0}
        rows = {}
        for number in range(self.rows):
            key = chance.randrange(40)
            before = rows.get(key)
            op = "c" if before is None else chance.choice("uuud")
            after = None if op == "d" else {"id": key, "n": number}
            rows[key] = after
            self.trail[op] += 1
            source = {"connector": "postgresql", "db": "shop", "schema": "shop", "table": "trail", "lsn": number + 1}
            change = {"before": before, "after": after, "op": op, "ts_ms": 1, "source": source}
            with open(self._path(number * self.slices // self.rows, TRAIL, key % PARTITIONS), "a", encoding="utf-8", newline="") as file:
                file.write(json.dumps({"id": key}) + "\x02" + json.dumps(change) + "\x01")

    def _path(self, piece, topic, partition):
        return os.path.join(self.folder, f"slice-{piece}-{topic}-{partition}")

    def produce(self, kafka, piece, committed=None):
        """`committed`: seconds since 1970 that the events say they were committed at, in place of years ago."""
        files = [(key[1], self._path(*key), key[2]) for key in [*self.files, *self.log_files] if key[0] == piece and os.path.exists(self._path(*key))]
        if committed is not None:
            for _, path, _ in files:
                with open(path, "r+", encoding="utf-8", newline="") as file:
                    text = re.sub(r'"ts_ms":\d+', f'"ts_ms":{int(committed * 1000)}', file.read())
                    file.seek(0), file.truncate(), file.write(text)
        kafka.produce_files(files)


class Servers:
    """A broker, a database and a load for all tests of a module; each begins with them empty. The caller ends them with stop().
    `connections`: that the database takes at once."""

    def __init__(self, events, seed=1, slices=10, connections=50):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-load-")
        self.kafka, self.postgresql = Kafka(settings={"group.min.session.timeout.ms": 1000}), Postgresql(settings={"max_connections": connections})
        self.load = Load(self.folder, events, seed, slices)

    def clear(self):
        self.postgresql.drop("live")
        self.kafka.delete_topics()
        self.postgresql.create("live")
        for table in TABLES:
            self.kafka.create_topic("bench.shop." + table, PARTITIONS)
        self.kafka.create_topic(LOG, LOG_PARTITIONS)
        self.kafka.create_topic(TRAIL, PARTITIONS)

    def stop(self):
        self.kafka.stop()
        self.postgresql.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def behind_proxy(case, servers, prefix):
    """A Live for the test `case`, which ends them, whose database is reached by way of a TcpProxy; both."""
    folder = tempfile.mkdtemp(prefix=prefix)
    case.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    live = Live(folder, servers, stall_after="2s")
    case.addCleanup(live.stop)
    proxy = TcpProxy(live.postgresql.port)
    case.addCleanup(proxy.stop)
    live.port = proxy.port
    return live, proxy


class Live:
    """Processes of a pipeline on servers that it finds empty; the caller ends it with stop()."""

    def __init__(self, folder, servers, stall_after="30s", topics_per_client=200):
        self.folder, self.stall_after, self.topics_per_client = folder, stall_after, topics_per_client
        self.kafka, self.postgresql, self.load = servers.kafka, servers.postgresql, servers.load
        servers.clear()
        self.port = self.postgresql.port
        self.processes = {}
        self._producing = None

    def manifest(self, instance, more="", topics=None):
        path = os.path.join(self.folder, f"{instance}.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(MANIFEST % {"brokers": self.kafka.brokers, "instance": instance, "sink": sink(self.port, "live"), "folder": self.folder,
                                   "stall_after": self.stall_after, "topics": topics or "bench.*", "topics_per_client": self.topics_per_client} + more)
        return path

    def log(self, instance):
        path = os.path.join(self.folder, f"{instance}.log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()

    # ---- processes ----

    def start(self, instance, *arguments):
        """A process of the pipeline; its output is appended to log(instance)."""
        self.processes[instance] = program.start(["--manifest", self.manifest(instance), *arguments], {}, os.path.join(self.folder, f"{instance}.log"))
        return self.processes[instance]

    def start_with_topics(self, instance, topics):
        self.processes[instance] = program.start(["--manifest", self.manifest(instance, topics=topics)], {},
                                                 os.path.join(self.folder, f"{instance}.log"))

    def start_twin(self, instance, name):
        """A second process under the same name in the group; `name` is its own here."""
        self.processes[name] = program.start(["--manifest", self.manifest(instance)], {}, os.path.join(self.folder, f"{name}.log"))
        return self.processes[name]

    def signal(self, instance, number):
        self.processes[instance].send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            return self.processes[instance].wait(60)
        return None

    def run_to_end(self, timeout=120, instance="end"):
        """A process of its own that reads to the end: exit code and log."""
        result = program.run(["--manifest", self.manifest(instance), "--stop", "end"], folder=self.folder, timeout=timeout)
        return result.exit_code, result.log

    # ---- load ----

    def produce_slowly(self, seconds, first=0):
        """In the background: the slices from `first` on, spread over about that long."""
        def work():
            for piece in range(first, self.load.slices):
                begun = time.monotonic()
                self.load.produce(self.kafka, piece)
                time.sleep(max(0.0, seconds / self.load.slices - (time.monotonic() - begun)))
        self._producing = threading.Thread(target=work)
        self._producing.start()

    def produce_all(self):
        for piece in range(self.load.slices):
            self.load.produce(self.kafka, piece)

    @property
    def producing(self):
        return self._producing is not None and self._producing.is_alive()

    def finish_producing(self):
        if self._producing is not None:
            self._producing.join()

    # ---- the target ----

    def value(self, query):
        return self.postgresql.value("live", query)

    def is_complete(self):
        """Every partition's low watermark stands at its end."""
        return not self.behind()

    def behind(self):
        """Partitions whose low watermark is not at their end: (stored, end)."""
        try:
            stored = {(topic, int(partition)): int(offset) for topic, partition, offset in
                      self.postgresql.query("live", "select topic, partition, next_offset from cdcrt.watermarks")}
        except Exception as error:  # the database may be away, or not prepared yet
            return {"database": error}
        behind = {}
        for topic in [*("bench.shop." + table for table in TABLES), LOG, TRAIL]:
            for partition, end in self.kafka.end_offsets(topic).items():
                if end > 0 and stored.get((topic, partition), 0) < end:
                    behind[(topic, partition)] = (stored.get((topic, partition)), end)
        return behind

    def applied(self):
        """Offsets that the low watermarks stand at, summed."""
        try:
            return int(self.value("select coalesce(sum(next_offset), 0) from cdcrt.watermarks"))
        except subprocess.CalledProcessError:  # not prepared yet
            return 0

    def wait_until_complete(self, seconds):
        wait_until(self.is_complete, seconds, lambda: f"the target is behind: {self.behind()}\n" + "\n".join(self.log(each)[-3000:] for each in self.processes), poll=0.5)

    def differences(self):
        """Lines that tell what is wrong in the target; none: it is exact."""
        compared = subprocess.run(["python3", COMPARE, "--expected", self.load.expected, "--target", "postgresql:" + self.postgresql.connection("live")],
                                  capture_output=True, text=True, check=False)
        wrong = [line for line in compared.stdout.splitlines() if "no differences" not in line]
        if compared.returncode and not wrong:
            wrong = [compared.stdout + compared.stderr]
        rows, numbers = self.postgresql.query("live", "select count(*), count(distinct n) from shop.log")[0]
        if (int(rows), int(numbers)) != (self.load.rows, self.load.rows):
            wrong.append(f"shop.log: {rows} rows of {numbers} numbers, {self.load.rows} expected")
        trail = {op: int(count) for op, count in self.postgresql.query("live", "select _op, count(*) from shop.trail group by _op")}
        rows, places = self.postgresql.query("live", "select count(*), count(distinct (_partition, _offset)) from shop.trail")[0]
        if trail != {op: count for op, count in self.load.trail.items() if count} or rows != places:
            wrong.append(f"shop.trail: {trail} of {places} places, {self.load.trail} expected")
        return wrong

    def stop(self):
        self.finish_producing()
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
