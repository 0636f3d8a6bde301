"""However far behind the target is, the process stays within its memory: a backlog of a million events, a target that takes a hundred
rows a second for a while, one table of twenty locked; then everything catches up and is exact."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from integration import program
from integration.live import COMPARE, GENERATOR
from lab.kafka import Kafka
from lab.postgresql import Postgresql
from lab.process import Case, wait_until

EVENTS = int(os.environ.get("CDCRT_MEMORY_EVENTS", "1000000"))
SECONDS = float(os.environ.get("CDCRT_MEMORY_SECONDS", "30"))  # that the target is slow, and again that one table stays locked after it
SCHEMAS = os.environ.get("CDCRT_MEMORY_SCHEMAS", "0") == "1"
BUDGET = int(os.environ.get("CDCRT_MEMORY_BUDGET", "128"))     # MiB
# What the process has beside what it holds of the stream: code, libraries, stacks, the ends of heaps (docs/architecture.md).
CONSTANT = 32                                                  # MiB
TABLES, PARTITIONS, CONNECTIONS, ROWS_PER_SECOND = 20, 4, 4, 100
NAMES = ("customers", "orders", "items", "visits")
LOCKED = "orders2"

MANIFEST = """
[pipeline]
name = "memory"
[runtime]
memory = "%(budget)sMiB"
[sources.events]
plugin = "kafka"
brokers = "%(brokers)s"
topics = ["bench.*"]
format.plugin = "debezium-json"
[sinks.target]
plugin = "odbc"
connections = %(connections)s
stall_after = "5s"
lock_timeout = "500ms"
connection = { Driver = "PostgreSQL Unicode", Server = "127.0.0.1", Port = "%(port)s", Database = "memory", UID = "postgres", SSLmode = "disable" }
[dead_letters]
path = "%(folder)s/dead_letters.jsonl"
"""

SLOW = f"""
create table pace (slow boolean);
insert into pace values (true);
create function slowly() returns trigger language plpgsql as
$$ begin
  if (select slow from pace) then perform pg_sleep({CONNECTIONS / ROWS_PER_SECOND}); end if;
  return coalesce(new, old);
end $$;
"""


def table_names():
    return [NAMES[number % 4] + (str(number // 4 + 1) if number >= 4 else "") for number in range(TABLES)]


class Sampler:
    """Resident memory of a process, MiB."""

    def __init__(self, pid):
        self.pid, self.samples, self._stop = pid, [], threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def read(self, name):
        with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def _sample(self):
        while not self._stop.wait(0.1):
            try:
                self.samples.append(self.read("VmRSS"))
            except OSError:
                return

    def stop_sampling(self):
        self._stop.set()
        self._thread.join()

    def stop(self):
        """The peak, as the kernel kept it."""
        self.stop_sampling()
        return self.read("VmHWM")


class Memory(Case):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-memory-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.expected, self.pieces = os.path.join(self.folder, "expected"), os.path.join(self.folder, "pieces")
        subprocess.run([GENERATOR, "--events", str(EVENTS), "--tables", str(TABLES), "--pieces", self.pieces, "--expected", self.expected,
                        *([] if SCHEMAS else ["--no-schemas"])], check=True)
        self.kafka, self.postgresql = Kafka(), Postgresql()
        self.addCleanup(self.postgresql.stop)
        self.addCleanup(self.kafka.stop)
        self.postgresql.create("memory")
        self.log, self.manifest = os.path.join(self.folder, "log"), os.path.join(self.folder, "memory.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST % {"budget": BUDGET, "brokers": self.kafka.brokers, "port": self.postgresql.port, "folder": self.folder,
                                   "connections": CONNECTIONS})
        self.topics = ["bench.shop." + name for name in table_names()]
        for topic in self.topics:
            self.kafka.create_topic(topic, PARTITIONS)

    def produce(self, first):
        """The first message of each partition, or all the others."""
        for topic in self.topics:
            for partition in range(PARTITIONS):
                path = os.path.join(self.pieces, f"{topic}-{partition}")
                with open(path, "rb") as file, open(path + ".part", "wb") as part:
                    head = file.read(65536)
                    begin = head.index(b"\x01") + 1
                    if first:
                        part.write(head[:begin])
                    else:
                        part.write(head[begin:])
                        shutil.copyfileobj(file, part)
                self.kafka.produce_file(topic, path + ".part", partition)
                os.remove(path + ".part")

    def lock(self):
        """A session that keeps the table for itself until its input ends."""
        with open(os.path.join(self.folder, "locker.log"), "wb") as log:
            session = self.postgresql.client("memory", log)
        session.stdin.write(f"begin; lock table shop.{LOCKED} in access exclusive mode;\n".encode())
        session.stdin.flush()
        self.addCleanup(lambda: session.poll() is None and session.kill())
        wait_until(lambda: self.value(f"select count(*) from pg_locks where relation = 'shop.{LOCKED}'::regclass and mode = 'AccessExclusiveLock' and granted") == "1",
                   30, "the table is not locked")
        return session

    def value(self, query):
        return self.postgresql.value("memory", query)

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def behind(self):
        stored = {(topic, int(partition)): int(offset) for topic, partition, offset in
                  self.postgresql.query("memory", "select topic, partition, next_offset from cdcrt.watermarks")}
        return {(topic, partition): (stored.get((topic, partition)), end) for topic in self.topics
                for partition, end in self.kafka.end_offsets(topic).items() if stored.get((topic, partition), 0) < end}

    def written(self):
        return int(self.value("select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from pg_stat_user_tables where schemaname = 'shop'"))

    def differences(self):
        compared = subprocess.run([sys.executable, COMPARE, "--expected", self.expected, "--target", "postgresql:" + self.postgresql.connection("memory")],
                                  capture_output=True, text=True, check=False)
        return [] if compared.returncode == 0 else (compared.stdout + compared.stderr).splitlines()

    def test_a_backlog_a_slow_target_and_a_locked_table_stay_within_the_memory_and_catch_up(self):
        self.produce(first=True)
        begun = program.run(["--manifest", self.manifest, "--stop", "end"], folder=self.folder)
        self.assertEqual(begun.exit_code, 0, begun.log)
        self.postgresql.sql("memory", SLOW + "".join(f"create trigger slowly before insert or update or delete on shop.{name} for each row "
                                                     f"execute function slowly();\n" for name in table_names()))
        self.produce(first=False)
        shutil.rmtree(self.pieces)
        locker = self.lock()
        process = program.start(["--manifest", self.manifest], {}, self.log)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        memory = Sampler(process.pid)

        time.sleep(SECONDS)
        self.assertIsNone(process.poll(), self.log_text())
        self.assertGreater(len(self.behind()), TABLES, "the target was not slow: there was nothing to hold back")
        slow_peak = max(memory.samples)
        self.postgresql.sql("memory", "update pace set slow = false")
        # The others go on; the locked one is detached.
        time.sleep(SECONDS)
        wait_until(lambda: all(topic.endswith("." + LOCKED) for topic, _ in self.behind()), 600, lambda: f"behind: {self.behind()}\n{self.log_text()[-3000:]}", poll=1)
        self.assertEqual({topic for topic, _ in self.behind()}, {"bench.shop." + LOCKED})
        self.assertIn(f"table 'shop.{LOCKED}' is detached", self.log_text())
        locked_peak = max(memory.samples)
        locker.stdin.close()
        locker.wait(30)
        wait_until(lambda: not self.behind(), 600, lambda: f"behind: {self.behind()}\n{self.log_text()[-3000:]}", poll=1)
        self.assertIsNone(process.poll(), self.log_text())
        peak = memory.stop()
        process.terminate()
        self.assertEqual(process.wait(60), 0, self.log_text())
        print(f"\npeak memory, MiB: {slow_peak:.0f} while the target was slow, {locked_peak:.0f} while a table was locked, {peak:.0f} in the end", file=sys.stderr)
        self.assertEqual(self.differences(), [])
        self.assertLess(peak, BUDGET + CONSTANT)
