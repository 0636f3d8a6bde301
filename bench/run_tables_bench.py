#!/usr/bin/env python3
"""What an event costs when it is one of very many tables': CPU by event, by the number of tables, into several sinks.

    run_tables_bench.py [--build build/release] [--tables 10 1000 10000] [--layouts topic topics] [--sinks blackhole sqlite postgresql]
                        [--from file kafka] [--schemas] [--rounds 1] [--events 600000] [--against BUILD] [--check] [--work DIR]

Events come from generate_events (seed 1), evenly over the tables: the worst case, since no table's rows stand together. `topic`: all of
them in one topic of four partitions, as routed topics and most Flink jobs have it; `topics`: a topic for each table, as connectors make them. From a
file these have four partitions each, and at 10,000 tables each message is a batch of its own, which no broker does; from Kafka
(`--from kafka`) they have one, and a broker gives what waits of a partition together.

Each number of tables is read twice, a third of the events and all of them: the difference is what an event costs once every table
is known, the rest is the start of a table. Both are CPU time, of the process and of the database. Ratios are against the smallest number
of tables, in the same round.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from live import PROJECT, ended, usage  # noqa: E402
from live.report import spread  # noqa: E402
from lab.kafka import Kafka  # noqa: E402
from lab.postgresql import Postgresql  # noqa: E402
from lab.postgresql import sink as postgresql_sink  # noqa: E402

MANIFEST = """[pipeline]
name = "tables"
[runtime]
memory = "{memory}"
[sources.events]
{source}
format.plugin = "debezium-json"
[sinks.target]
{sink}
[dead_letters]
path = "{work}/dead_letters.jsonl"
max_count = 0
"""
FILE = 'plugin = "file"\npaths = ["{events}"]'
KAFKA = 'plugin = "kafka"\nbrokers = "{brokers}"\ntopics = ["{topics}.*"]\nstop = "end"'
TOPIC = "bench"
PARTITIONS = {"topic": 4, "topics": 1}  # of a topic, in Kafka


class Bench:
    def __init__(self, arguments, work):
        self.arguments, self.work, self.postgresql, self.kafka = arguments, work, None, None
        self.events, self.produced = {}, set()

    def events_of(self, tables, layout, events):
        """A file of events, and the rows that they end in; made once."""
        name = f"{tables}-{layout}-{events}"
        if name not in self.events:
            path = os.path.join(self.work, name + ".jsonl")
            command = [os.path.join(self.arguments.build, "bin", "generate_events"), "--events", str(events), "--seed", "1", "--tables", str(tables),
                       "--out", path]
            command += [] if self.arguments.schemas else ["--no-schemas"]
            command += ["--topic", TOPIC] if layout == "topic" else []
            command += ["--expected", path + ".expected"] if self.arguments.check else []
            subprocess.run(command, check=True)
            self.events[name] = path
        return self.events[name]

    def source(self, origin, tables, layout, events):
        path = self.events_of(tables, layout, events)
        if origin == "file":
            return FILE.format(events=path)
        if self.kafka is None:
            self.kafka = Kafka({"log.segment.bytes": "67108864"}, heap="3g")
        name = f"{tables}-{layout}-{events}"
        if name not in self.produced:
            names = [f"{name}.{TOPIC}"] if layout == "topic" else [f"{name}.{topic}" for topic in self.topics_of(path)]
            self.kafka.create_topics(names, PARTITIONS[layout])
            subprocess.run([os.path.join(self.arguments.build, "bin", "produce_events"), self.kafka.brokers, path, name + ".", str(PARTITIONS[layout])], check=True)
            self.produced.add(name)
        return KAFKA.format(brokers=self.kafka.brokers, topics=name)

    @staticmethod
    def topics_of(path):
        names = set()
        with open(path, encoding="utf-8") as file:
            for line in file:
                names.add(line[line.index('"topic":"') + 9:line.index('","partition"')])
        return sorted(names)

    def sink(self, name):
        if name == "blackhole":
            return 'plugin = "blackhole"'
        if name == "sqlite":
            for end in ("", "-wal", "-shm", "-journal"):
                if os.path.exists(self.database + end):
                    os.remove(self.database + end)
            return f'plugin = "odbc"\nconnection = {{ Driver = "SQLite3", Database = "{self.database}" }}'
        if self.postgresql is None:
            self.postgresql = Postgresql(settings={"max_wal_size": "4GB", "shared_buffers": "256MB"})
        self.postgresql.drop("tables")
        self.postgresql.create("tables")
        self.postgresql.sql("tables", "create schema shop")
        return postgresql_sink(self.postgresql.port, "tables", name)

    @property
    def database(self):
        return os.path.join(self.work, "target.db")

    def run(self, build, origin, tables, layout, sink, events):
        """CPU seconds of the process and of the database, peak memory in MiB."""
        path, manifest, log = self.events_of(tables, layout, events), os.path.join(self.work, "tables.toml"), os.path.join(self.work, "log")
        source = self.source(origin, tables, layout, events)
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(memory=self.arguments.memory, source=source, work=self.work, sink=self.sink(sink)))
        before = usage.cpu_with_children(self.postgresql.pid) if sink in ("odbc", "postgresql") else 0
        _, used = ended.run([os.path.join(build, "bin", "cdcrt"), "--manifest", manifest], log)
        database = usage.cpu_with_children(self.postgresql.pid) - before if sink in ("odbc", "postgresql") else 0
        if self.arguments.check and sink != "blackhole":
            self.compare(path + ".expected", sink)
        return used.ru_utime + used.ru_stime, database, used.ru_maxrss / 1024

    def compare(self, expected, sink):
        target = "sqlite:" + self.database if sink == "sqlite" else "postgresql:" + self.postgresql.connection("tables")
        subprocess.run([sys.executable, os.path.join(PROJECT, "tests", "oracle", "compare.py"), "--expected", expected, "--target", target], check=True)

    def measure(self, build, origin, tables, layout, sink):
        most = self.arguments.events
        few, all_of_them = (self.run(build, origin, tables, layout, sink, events) for events in (most // 3, most))
        event = [(b - a) * 1e6 / (most - most // 3) for a, b in zip(few[:2], all_of_them[:2])]
        table = [(a * 1e6 - per_event * (most // 3)) / tables for a, per_event in zip(few[:2], event)]
        return {"from": origin, "layout": layout, "sink": sink, "tables": tables, "us_an_event": event[0], "database_us_an_event": event[1],
                "us_a_table": table[0], "database_us_a_table": table[1], "peak_mib": all_of_them[2]}

    def stop(self):
        for server in (self.postgresql, self.kafka):
            if server is not None:
                server.stop()


def report(measured):
    lines = ["| tables | from | layout | into | µs an event | beside the fewest tables | of the database | beside the fewest tables | µs a table at the start | of the database | peak MiB |",
             "|---:|---|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    groups = {}
    for run in measured:
        groups.setdefault((run["build"], run["from"], run["layout"], run["sink"]), {}).setdefault(run["tables"], []).append(run)
    for (build, origin, layout, sink), by_tables in groups.items():
        base = by_tables[min(by_tables)]
        for tables, runs in by_tables.items():
            def of(key, form="{:,.2f}", runs=runs):
                return spread([run[key] for run in runs], form)

            def ratio(key, runs=runs, base=base):
                pairs = [(run[key], other[key]) for run, other in zip(runs, base)]
                return spread([a / b for a, b in pairs], "{:.2f}") if all(b > 0 for _, b in pairs) else ""
            has_database = any(run["database_us_an_event"] for run in runs)
            lines.append(f"| {tables:,} | {origin} | {layout} | {sink}{', ' + build if build else ''} | {of('us_an_event')} | {ratio('us_an_event')} "
                         f"| {of('database_us_an_event') if has_database else ''} | {ratio('database_us_an_event') if has_database else ''} "
                         f"| {of('us_a_table', '{:,.0f}')} | {of('database_us_a_table', '{:,.0f}') if has_database else ''} | {of('peak_mib', '{:,.0f}')} |")
    return "\n".join(lines)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(PROJECT, "build", "release"))
    parser.add_argument("--against", metavar="BUILD", help="another build of cdcrt, in turns")
    parser.add_argument("--tables", nargs="+", type=int, default=(10, 1000, 10000))
    parser.add_argument("--from", nargs="+", dest="origins", choices=("file", "kafka"), default=("file",))
    parser.add_argument("--layouts", nargs="+", choices=("topic", "topics"), default=("topic", "topics"))
    parser.add_argument("--sinks", nargs="+", choices=("blackhole", "sqlite", "odbc", "postgresql"), default=("blackhole",),
                        help="odbc and postgresql: PostgreSQL through the plugin of that name")
    parser.add_argument("--schemas", action="store_true")
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--memory", default="128MiB")
    parser.add_argument("--check", action="store_true", help="compare the tables with the generator's state after each run")
    parser.add_argument("--json", help="file for what was measured")
    parser.add_argument("--work", help="folder for events and targets, kept; default: a temporary one (0.9 kB an event, 4 kB with schemas)")
    return parser.parse_args()


def main():
    arguments = parse()
    measured = []
    with tempfile.TemporaryDirectory(prefix="cdcrt-bench-") as temporary:
        work = os.path.abspath(arguments.work or temporary)
        os.makedirs(work, exist_ok=True)
        bench = Bench(arguments, work)
        builds = [("", arguments.build)] + ([("the other build", arguments.against)] if arguments.against else [])
        try:
            for _ in range(arguments.rounds):
                for origin, layout, sink, tables in itertools.product(arguments.origins, arguments.layouts, arguments.sinks, arguments.tables):
                    for name, build in builds:
                        run = {"build": name, **bench.measure(build, origin, tables, layout, sink), "load": os.getloadavg()[0]}
                        measured.append(run)
                        print(run, file=sys.stderr, flush=True)
        finally:
            bench.stop()
            if arguments.json:
                with open(arguments.json, "w", encoding="utf-8") as file:
                    json.dump(measured, file, indent=1)
            print(report(measured))


if __name__ == "__main__":
    main()
