#!/usr/bin/env python3
"""Kafka -> PostgreSQL beside Debezium's JDBC sink, Kafka -> blackhole beside librdkafka alone, and latencies; one broker, one database.

    run_kafka_bench.py [--build build/release] [--events 1000000] [--rounds 3] [--parts throughput reading latency] [--json FILE]
                       [--workloads mixed insert hot load toast wide many] [--compressions none lz4 zstd snappy gzip]
                       [--rates 1:40 100:20 1000:20] [--busy 0 2]

The contenders take turns, in every other round the other way round; ratios are taken round by round. Events come from generate_events (seed 1),
with schemas, four partitions a topic, and are produced once for each workload, for each compression of the part `reading` into topics of
their own. The tables are compared with the generator's state after each run (--no-check: they are not); the exit code is 1 where cdcrt's differ.
draw_chart.py draws the files that --json wrote.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from live import PROJECT, contenders, latency, report, throughput, usage  # noqa: E402
from live.load import COMPRESSIONS, WORKLOADS, Load  # noqa: E402
from lab.kafka import Kafka  # noqa: E402
from lab.postgresql import Postgresql  # noqa: E402

PARTS = ("throughput", "reading", "latency")
JDBC = {"documented": ("Debezium JDBC sink", ()), "large": ("JDBC sink, large fetches", contenders.LARGE_FETCHES)}


def rate(text):
    """EVENTS_A_SECOND:SECONDS"""
    events, _, seconds = text.partition(":")
    return int(events), int(seconds)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(PROJECT, "build", "release"))
    parser.add_argument("--events", type=int, default=1_000_000, help="of the workload mixed; larger or harder events are fewer")
    parser.add_argument("--no-schemas", action="store_true", help="only without the JDBC sink, which needs them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=("mixed",), help="of the part throughput: "
                        + "; ".join(f"{name}: {workload.about}" for name, workload in WORKLOADS.items()).replace("%", "%%"))
    parser.add_argument("--compressions", nargs="+", choices=COMPRESSIONS, default=("none",), help="of the part reading")
    parser.add_argument("--rates", nargs="+", type=rate, default=((1, 40), (100, 20), (1000, 20)), metavar="EVENTS:SECONDS",
                        help="of the part latency: so many events a second for so long; default 1:40 100:20 1000:20")
    parser.add_argument("--busy", type=int, nargs="+", default=(0,), metavar="N", help="of the part latency: beside N processes that only compute; several: in turns")
    parser.add_argument("--without-jdbc-sink", action="store_true")
    parser.add_argument("--no-check", action="store_true")
    parser.add_argument("--fsync", action="store_true", help="the database waits for its disk at each commit; without it, it does not")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of cdcrt's manifest, which is the default otherwise")
    parser.add_argument("--jdbc-fetches", nargs="+", choices=JDBC, default=("documented",), help="of the JDBC sink, each a contender: as its documentation advises, "
                        "or so large that its commits are (and its memory)")
    parser.add_argument("--jdbc", action="append", default=[], metavar="KEY=VALUE", help="a setting of the JDBC sink's connector, in place of the tuned one")
    parser.add_argument("--plugins", nargs="+", choices=("postgresql", "odbc"), default=["postgresql"], help="the sink's; several: each is a contender")
    parser.add_argument("--memory", nargs="+", default=["default"], metavar="SIZE", help="budgets of cdcrt, as 32MiB; several: each is a contender")
    parser.add_argument("--against", metavar="BUILD", help="instead of the JDBC sink: another build of cdcrt")
    parser.add_argument("--json", help="file for what was measured")
    parser.add_argument("--work", help="folder for events and logs; default: a temporary one (3.5 GB for 1 M events)")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


def commit():
    """Of the sources, where git knows it."""
    done = subprocess.run(["git", "-C", PROJECT, "describe", "--always", "--dirty"], check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def budget_of(size):
    return [] if size == "default" else [f'runtime.memory="{size}"']


def named(plugin, size):
    return "cdcrt" + (f" by {plugin}" if plugin else "") + (f" in {size}" if size != "default" else "")


class Bench:
    def __init__(self, arguments, work):
        self.arguments, self.work = arguments, work
        self.kafka = Kafka(settings={"log.retention.ms": -1})
        self.postgresql = Postgresql(settings={"track_commit_timestamp": "on", "fsync": "on" if arguments.fsync else "off", "max_wal_size": "4GB",
                                               "shared_buffers": "256MB"})
        build, plugins = arguments.build, arguments.plugins
        ours = [contenders.Cdcrt(build, work, self.kafka, [*arguments.set, *budget_of(size)], plugin, named(plugin if len(plugins) > 1 else "", size))
                for plugin in plugins for size in arguments.memory]
        self.contenders, self.readers = list(ours), [ours[0]]
        if arguments.against:
            other = contenders.Cdcrt(arguments.against, work, self.kafka, arguments.set, plugins[0], "the other build")
            self.contenders.append(other)
            self.readers.append(other)
        elif not arguments.without_jdbc_sink and not arguments.no_schemas:
            self.contenders += [contenders.JdbcSink(self.kafka, (*JDBC[fetches][1], *arguments.jdbc), JDBC[fetches][0]) for fetches in arguments.jdbc_fetches]
        self.measured = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes"), "machine": usage.described(), "commit": commit(),
                         "sink": plugins[0], "fsync": arguments.fsync, "settings": arguments.set, "jdbc": arguments.jdbc, "load": [os.getloadavg()[0]],
                         **{part: [] for part in PARTS}}

    def run(self):
        parts = {"throughput": self.throughput, "reading": self.reading, "latency": self.latency}
        for part in PARTS:
            if part in self.arguments.parts:
                parts[part]()

    def load(self, workload="mixed", compressions=("none",)):
        began = time.monotonic()
        load = Load(self.kafka, self.arguments.build, self.work, self.arguments.events, workload, not self.arguments.no_schemas, compressions=compressions)
        say(f"{workload}: {load.events:,} events produced in {time.monotonic() - began:.0f} s")
        return load

    def in_turns(self, number):
        return self.contenders if number % 2 == 0 else self.contenders[::-1]

    def throughput(self):
        for workload in self.arguments.workloads:
            load = self.load(workload)
            for number in range(self.arguments.rounds):
                done = {contender: throughput.into_postgresql(contender, load, self.postgresql, f"{workload}{number}_{place}", not self.arguments.no_check)
                        for place, contender in enumerate(self.in_turns(number))}
                self.add("throughput", [done[contender] for contender in self.contenders])
            load.forget()

    def reading(self):
        load = self.load(compressions=self.arguments.compressions)
        for number in range(self.arguments.rounds):
            for compression in self.arguments.compressions:
                runs = [throughput.consuming_alone(self.arguments.build, self.kafka, load, compression)]
                runs += [throughput.into_blackhole(each, load, f"blackhole{number}_{place}_{compression}", compression) for place, each in enumerate(self.readers)]
                self.add("reading", runs)
        load.forget()

    def latency(self):
        self.kafka.create_topic(latency.TOPIC, 4)
        next_id = 1
        for number in range(self.arguments.rounds):
            for place, contender in enumerate(self.in_turns(number)):
                one = latency.Latency(contender, self.arguments.build, self.kafka, self.postgresql, f"latency{number}_{place}", next_id)
                try:
                    for loops in self.arguments.busy:
                        self.add("latency", one.measure(self.arguments.rates, loops))
                finally:
                    one.close()
                next_id = one.next_id

    def add(self, part, runs):
        self.measured[part] += runs
        self.measured["load"].append(os.getloadavg()[0])
        for run in runs:
            say(run)

    def tables(self):
        made = [(report.throughput, "throughput"), (report.reading, "reading"), (report.latency, "latency")]
        return "\n\n".join(make(self.measured[part]) for make, part in made if self.measured[part])

    def stop(self):
        for server in (self.kafka, self.postgresql):
            server.stop()


def main():
    arguments = parse()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cdcrt-bench-") as temporary:
        bench = Bench(arguments, os.path.abspath(arguments.work or temporary))
        try:
            bench.run()
        finally:
            bench.measured["seconds"] = round(time.monotonic() - began)
            if arguments.json:
                with open(arguments.json, "w", encoding="utf-8") as file:
                    json.dump(bench.measured, file, indent=1)
            print(bench.tables())
            bench.stop()
    load = bench.measured["load"]
    print(f"\n{bench.measured['machine']}; load average {min(load):.1f} to {max(load):.1f}; {bench.measured['date']}; {bench.measured['seconds']} s")
    ours = {each.name for each in bench.contenders if isinstance(each, contenders.Cdcrt)}
    return 1 if any(run["exact"] is False and run["contender"] in ours for run in bench.measured["throughput"]) else 0


if __name__ == "__main__":
    sys.exit(main())
