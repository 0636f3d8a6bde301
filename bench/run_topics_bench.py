#!/usr/bin/env python3
"""What very many topics cost beside their events: a first start, rest, a trickle and a restart, with a topic of one partition for each table.

    run_topics_bench.py [--build build/release] [--against BUILD] [--topics 1000] [--sinks blackhole postgresql] [--rest 15] [--rate 100]

Each topic has two events of its table. Seconds until every partition is owned and every event read, and CPU seconds of the process, the broker
and the database; at rest and in a trickle (over a tenth of the topics) CPU as a share of a core, and what the database was asked most.
"""

import argparse
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from live import PROJECT, usage  # noqa: E402,F401
from lab.kafka import Kafka  # noqa: E402
from lab.postgresql import Postgresql  # noqa: E402
from lab.postgresql import sink as postgresql_sink  # noqa: E402
from lab.process import free_port  # noqa: E402
from run_tables_bench import Bench as Tables  # noqa: E402

MANIFEST = """[pipeline]
name = "{name}"
[runtime]
http = "127.0.0.1:{port}"
[sources.events]
plugin = "kafka"
brokers = "{brokers}"
topics = ["{prefix}.*"]
format.plugin = "debezium-json"
[sinks.target]
{sink}
[dead_letters]
path = "{work}/dead_letters.jsonl"
"""


class Run:
    """A process at work."""

    now = None

    def __init__(self, build, manifest, port, log):
        self.port, self.log = port, log
        with open(log, "wb") as file:
            command = [os.path.join(build, "bin", "cdcrt"), "--manifest", manifest]
            self.process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.began = time.monotonic()
        Run.now = self

    def metric(self, pattern):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
                found = re.findall(rf"^{pattern} (\S+)$", answer.read().decode(), re.MULTILINE)
        except OSError:
            return 0
        return sum(float(value) for value in found)

    def wait(self, is_met, seconds=900):
        while not is_met():
            if self.process.poll() is not None:
                raise SystemExit(open(self.log, encoding="utf-8").read()[-3000:])
            if time.monotonic() - self.began > seconds:
                return None
            time.sleep(0.5)
        return time.monotonic() - self.began

    def owned(self, topics):
        return self.wait(lambda: self.metric(r'cdcrt_source_partitions\{[^}]*state="owned"[^}]*\}') >= topics)

    def messages(self, count):
        return self.wait(lambda: self.metric(r"cdcrt_source_messages_total\{[^}]*\}") >= count)

    def written(self):
        return self.wait(lambda: self.metric(r'cdcrt_buffered_bytes\{[^}]*kind="rows"[^}]*\}') == 0)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Bench:
    def __init__(self, arguments, work):
        self.arguments, self.work = arguments, work
        self.kafka = Kafka({"log.segment.bytes": "1048576", "log.index.size.max.bytes": "65536"}, heap="2g")
        self.postgresql = None
        self.events, self.number = {}, 0

    def used(self, run):
        cpu = {"process": usage.cpu(run.process.pid), "broker": usage.cpu(self.kafka.pid)}
        if self.postgresql:
            cpu["database"] = usage.cpu_with_children(self.postgresql.pid)
        return cpu

    def prefix(self, topics):
        if topics not in self.events:
            path = os.path.join(self.work, f"{topics}.jsonl")
            subprocess.run([os.path.join(self.arguments.build, "bin", "generate_events"), "--events", str(2 * topics), "--seed", "1", "--tables", str(topics),
                            "--no-schemas", "--out", path], check=True)
            self.kafka.create_topics([f"t{topics}.{name}" for name in Tables.topics_of(path)], 1)
            self.events[topics] = path
            self.produce(topics, path)
        return f"t{topics}"

    def produce(self, topics, path):
        subprocess.run([os.path.join(self.arguments.build, "bin", "produce_events"), self.kafka.brokers, path, f"t{topics}.", "1"], check=True)

    def count(self, topics):
        with open(self.events[topics], encoding="utf-8") as file:
            return sum(1 for _ in file), len(Tables.topics_of(self.events[topics]))

    def sink(self, name):
        if name == "blackhole":
            return 'plugin = "blackhole"'
        if self.postgresql is None:
            self.postgresql = Postgresql(settings={"shared_preload_libraries": "pg_stat_statements"})
        self.postgresql.drop("topics")
        self.postgresql.create("topics")
        self.postgresql.sql("topics", "create schema shop; create extension pg_stat_statements")
        return postgresql_sink(self.postgresql.port, "topics", name)

    def statements(self, seconds):
        rows = self.postgresql.query("topics", "select round(calls / %s, 2) || ' a second, ' || round((total_exec_time / %s)::numeric, 2) || ' ms, ' || "
                                   "round(rows / %s) || ' rows: ' || left(regexp_replace(query, '\\s+', ' ', 'g'), 90) from pg_stat_statements "
                                   "where query !~ 'pg_stat' order by total_exec_time desc limit 6" % ((f"{seconds:.2f}",) * 3))
        for row in rows:
            print(row[0], file=sys.stderr)

    def share(self, run, seconds, during=lambda: None):
        """CPU as a share of a core, and of the threads that take most."""
        if self.postgresql:
            self.postgresql.sql("topics", "select pg_stat_statements_reset()")
        before, threads, began = self.used(run), usage.threads(run.process.pid), time.monotonic()
        during()
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        took = time.monotonic() - began
        after, later = self.used(run), usage.threads(run.process.pid)
        if self.postgresql:
            self.statements(took)
        busiest = sorted(((later[name] - threads.get(name, 0)) / took, name) for name in later)[-4:]
        print({name: round(share, 3) for share, name in reversed(busiest)}, file=sys.stderr)
        return {name: (after[name] - before[name]) / took for name in after}

    def trickle(self, topics):
        """Some new rows of each tenth topic, again and again."""
        path = os.path.join(self.work, "trickle.jsonl")
        rate = self.arguments.rate
        with open(self.events[topics], encoding="utf-8") as file:
            lines = [line for line in file][:2 * topics // 10]
        for step in range(self.arguments.rest):
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(lines[(step * rate + i) % len(lines)] for i in range(rate))
            began = time.monotonic()
            self.produce(topics, path)
            time.sleep(max(0.0, began + 1 - time.monotonic()))

    def measure(self, build, topics, sink):
        prefix = self.prefix(topics)
        if sink == "blackhole" and self.postgresql:
            self.postgresql.stop()
            self.postgresql = None
        self.number += 1
        port, manifest, log = free_port(), os.path.join(self.work, "topics.toml"), os.path.join(self.work, f"log-{self.number}")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(name=f"topics{self.number}", port=port, brokers=self.kafka.brokers, prefix=prefix, work=self.work, sink=self.sink(sink)))
        events, partitions = self.count(topics)
        found = {"topics": topics, "sink": sink}
        before = {"broker": usage.cpu(self.kafka.pid), "database": usage.cpu_with_children(self.postgresql.pid) if self.postgresql else 0}

        def since(run):
            return {name: round(cpu - before.get(name, 0), 2) for name, cpu in self.used(run).items()}
        run = Run(build, manifest, port, log)
        found["owned_s"] = run.owned(partitions)
        found["owned_cpu"] = since(run)
        print(found, file=sys.stderr)
        found["read_s"] = run.messages(events) if self.arguments.read else None
        found["written_s"] = run.written() if self.arguments.read else None
        found["written_cpu"] = since(run)
        print(found, file=sys.stderr)
        if self.arguments.rest:
            time.sleep(3)
            found["rest"] = self.share(run, self.arguments.rest)
            print(found, file=sys.stderr)
        if self.arguments.rate:
            found["trickle"] = self.share(run, self.arguments.rest, lambda: self.trickle(topics))
        found["peak_mib"] = usage.peak_memory(run.process.pid)
        run.stop()
        before = {"broker": usage.cpu(self.kafka.pid), "database": usage.cpu_with_children(self.postgresql.pid) if self.postgresql else 0}
        run = Run(build, manifest, port, log + "-again")
        found["restart_owned_s"] = run.owned(partitions)
        found["restart_cpu"] = since(run)
        run.stop()
        return found

    def stop(self):
        if Run.now is not None:
            Run.now.process.kill()
        self.kafka.stop()
        if self.postgresql:
            self.postgresql.stop()


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(PROJECT, "build", "release"))
    parser.add_argument("--against", metavar="BUILD", help="another build of cdcrt, in turns")
    parser.add_argument("--topics", nargs="+", type=int, default=(1000,))
    parser.add_argument("--sinks", nargs="+", choices=("blackhole", "odbc", "postgresql"), default=("blackhole", "postgresql"))
    parser.add_argument("--rest", type=int, default=15, help="seconds")
    parser.add_argument("--rate", type=int, default=100, help="events a second of the trickle; 0: none")
    parser.add_argument("--no-read", dest="read", action="store_false", help="do not wait until the events are read")
    return parser.parse_args()


def main():
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="cdcrt-bench-") as work:
        bench = Bench(arguments, work)
        builds = [("this build", arguments.build)] + ([("the other build", arguments.against)] if arguments.against else [])
        try:
            for topics, sink, (name, build) in itertools.product(arguments.topics, arguments.sinks, builds):
                print(json.dumps({"build": name, "load": os.getloadavg()[0], **bench.measure(build, topics, sink)}), flush=True)
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
