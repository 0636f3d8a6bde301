"""What is compared: each carries topics of the broker into a database of its own, in schema shop; `prepare` comes first."""

import os
import signal
import subprocess
import time

from lab.connect import Connect, jdbc_sink
from lab.postgresql import sink as sink_lines
from lab.process import wait_until, wakeups
from live import usage

# Default settings, but for where things are.
MANIFEST = """[pipeline]
name = "{database}"
[sources.events]
plugin = "kafka"
brokers = "{brokers}"
topics = [{topics}]
format.plugin = "debezium-json"
{sink}[dead_letters]
path = "{work}/dead_letters.jsonl"
"""
AT_MOST = 1800  # seconds that one run may take
LOOK = 0.1      # seconds between two looks at a process's threads


class Used:
    """What one run took. `seconds`: from the start of the process to its end, or to where it had committed everything."""

    def __init__(self, seconds, cpu, memory, woken, threads=None):
        self.seconds, self.cpu, self.memory, self.woken, self.threads = seconds, cpu, memory, woken, threads or {}


class Cdcrt:
    """`settings`: for --set, as KEY=VALUE. `plugin`: of the sink."""

    def __init__(self, build, work, kafka, settings=(), plugin="postgresql", name="cdcrt"):
        self.binary, self.work, self.kafka, self.settings, self.plugin = os.path.join(build, "bin", "cdcrt"), work, kafka, settings, plugin
        self.name, self.log, self.process = name, os.path.join(work, "cdcrt.log"), None

    def start(self, topics, database, sink, more=()):
        manifest = os.path.join(self.work, f"{database}.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(database=database, brokers=self.kafka.brokers, work=self.work, sink=sink,
                                       topics=", ".join(f'"{topic}"' for topic in topics)))
        overrides = [part for setting in (*self.settings, *more) for part in ("--set", setting)]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([self.binary, "--manifest", manifest, *overrides], stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def _sink(self, postgresql, database):
        return f"[sinks.target]\n{sink_lines(postgresql.port, database, self.plugin)}\n"

    def prepare(self, postgresql, database, tables):
        """It creates its tables by itself."""

    def begin(self, topics, postgresql, database):
        """Runs until finish()."""
        self.start(topics, database, self._sink(postgresql, database))

    @property
    def pid(self):
        return self.process.pid

    def finish(self):
        self.process.send_signal(signal.SIGTERM)
        self._ended()

    def _ended(self):
        """Waits for the end; (exit code, resource usage, CPU seconds of the threads as last seen)."""
        threads = {}
        end = time.monotonic() + AT_MOST
        while True:
            pid, status, used = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                self.process.kill()
            try:
                for name, seconds in usage.threads(self.process.pid).items():
                    threads[name] = max(seconds, threads.get(name, 0.0))
            except OSError:
                pass
            time.sleep(LOOK)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                raise SystemExit(f"cdcrt ended with {self.process.returncode}:\n{file.read()[-4000:]}")
        return used, threads

    def _run(self, topics, database, sink):
        began = time.monotonic()
        self.start(topics, database, sink, ('sources.events.stop="end"',))
        used, threads = self._ended()
        return Used(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, used.ru_nvcsw, threads)

    def run(self, topics, postgresql, database):
        """Everything that the topics hold, into the database."""
        return self._run(topics, database, self._sink(postgresql, database))

    def run_to_blackhole(self, topics, name):
        return self._run(topics, name, '[sinks.target]\nplugin = "blackhole"\n')


# Beyond what the connector's documentation advises: with Kafka's default of 1 MiB a partition and 3.5 kB an event its polls, and with them its
# commits, stay at some hundred events, whatever batch.size says. It costs memory.
LARGE_FETCHES = ("consumer.override.max.partition.fetch.bytes=8388608", "consumer.override.max.poll.records=20000", "batch.size=5000")


class Worker(Connect):
    up_within = 300  # seconds: a JVM beside busy loops


class JdbcSink:
    """Debezium's JDBC sink in a Kafka Connect worker of its own, tuned for throughput: see ../README.md. `settings`: of the connector, others
    than those, as KEY=VALUE."""

    def __init__(self, kafka, settings=(), name="Debezium JDBC sink", tasks=4, heap="2g"):
        self.kafka, self.name, self.tasks, self.heap, self.worker = kafka, name, tasks, heap, None
        self.settings = dict(setting.split("=", 1) for setting in settings)

    def prepare(self, postgresql, database, tables):
        """`tables`: SQL that creates the tables. Its tasks fail when two of them create the same one at once."""
        postgresql.sql(database, tables)

    def begin(self, topics, postgresql, database):
        self.worker = Worker(self.kafka, heap=self.heap, settings={"offset.flush.interval.ms": 1000, "consumer.auto.offset.reset": "earliest"})
        config = jdbc_sink(postgresql, database, topics, self.tasks, collection__name__format="${source.schema}.${source.table}")
        config.update(self.settings)
        self.worker.add(database, config)  # whose name makes the group

    @property
    def pid(self):
        return self.worker.pid

    def finish(self):
        self.worker.stop()
        self.worker = None

    def run(self, topics, postgresql, database):
        began = time.monotonic()
        self.begin(topics, postgresql, database)
        ends = {(topic, partition): end for topic in topics for partition, end in self.kafka.end_offsets(topic).items() if end > 0}

        def complete():
            if not self.worker.runs(database):
                return False
            committed = self.kafka.admin.committed("connect-" + database)
            return all(committed.get(place, -1) >= end for place, end in ends.items())
        try:
            wait_until(complete, AT_MOST, lambda: f"the JDBC sink is not done: {self.worker.log_tail()}", poll=0.25)
            pid = self.worker.pid
            return Used(time.monotonic() - began, usage.cpu(pid), usage.peak_memory(pid), wakeups(pid))
        finally:
            self.finish()
