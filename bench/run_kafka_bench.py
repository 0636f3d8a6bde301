#!/usr/bin/env python3
"""Kafka -> PostgreSQL beside Debezium's JDBC sink, Kafka -> blackhole beside librdkafka alone, and latencies; one broker, one database.

    run_kafka_bench.py [--build build/release] [--events 1000000] [--rounds 3] [--parts throughput reading latency] [--json FILE]
                       [--compressions none lz4 zstd snappy gzip]

The contenders take turns; ratios are taken run by run. Events come from generate_events (seed 1), with schemas, four topics of four
partitions, and are produced once, for each compression of the part `reading` into topics of its own. The tables are compared with the generator's state after each run (--no-check: they are not).
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from live import PROJECT, contenders, latency, report, throughput  # noqa: E402
from live.load import COMPRESSIONS, Load  # noqa: E402
from lab.kafka import Kafka  # noqa: E402
from lab.postgresql import Postgresql  # noqa: E402

RATES = ((1, 60), (100, 20), (1000, 20))  # events a second, seconds


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(PROJECT, "build", "release"))
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--no-schemas", action="store_true", help="only without the JDBC sink, which needs them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=("throughput", "reading", "latency"), default=("throughput", "reading", "latency"))
    parser.add_argument("--compressions", nargs="+", choices=COMPRESSIONS, default=("none",), help="of the part reading")
    parser.add_argument("--without-jdbc-sink", action="store_true")
    parser.add_argument("--no-check", action="store_true")
    parser.add_argument("--fsync", action="store_true", help="the database waits for its disk at each commit; without it, it does not")
    parser.add_argument("--memory", default="128MiB", help="the budget of cdcrt")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of cdcrt's manifest")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="latencies beside N processes that only compute")
    parser.add_argument("--plugins", nargs="+", choices=("odbc", "postgresql"), default=["odbc"], help="the sink's; several: each is a contender")
    parser.add_argument("--against", metavar="BUILD", help="instead of the JDBC sink: another build of cdcrt")
    parser.add_argument("--json", help="file for what was measured")
    parser.add_argument("--work", help="folder for events and logs; default: a temporary one (3.5 GB for 1 M events)")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def busy(count):
    """A fixed load beside what is measured: tails come from it."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


class Bench:
    def __init__(self, arguments, work):
        self.arguments, self.work = arguments, work
        self.kafka = Kafka(settings={"log.retention.ms": -1})
        self.postgresql = Postgresql(settings={"track_commit_timestamp": "on", "fsync": "on" if arguments.fsync else "off", "max_wal_size": "4GB",
                                               "shared_buffers": "256MB"})
        ours = [contenders.Cdcrt(arguments.build, work, self.kafka, arguments.memory, arguments.set, plugin) for plugin in arguments.plugins]
        for each in ours[1:]:
            each.name = f"cdcrt by {each.plugin}"
        self.ours, self.contenders, self.readers = ours[0], ours, [ours[0]]
        if arguments.against:
            other = contenders.Cdcrt(arguments.against, work, self.kafka, arguments.memory)
            other.name = "the other build"
            self.contenders.append(other)
            self.readers.append(other)
        elif not arguments.without_jdbc_sink and not arguments.no_schemas:
            self.contenders.append(contenders.JdbcSink(self.kafka))
        self.measured = {"machine": f"{os.cpu_count()} cores", "load": [os.getloadavg()[0]], "throughput": [], "reading": [], "latency": []}

    def run(self):
        parts = self.arguments.parts
        if "throughput" in parts or "reading" in parts:
            began = time.monotonic()
            load = Load(self.kafka, self.arguments.build, self.work, self.arguments.events, not self.arguments.no_schemas,
                        compressions=self.compressions())
            say(f"{load.events:,} events produced in {time.monotonic() - began:.0f} s")
            for number in range(self.arguments.rounds):
                self.round(number, load)
        if "latency" in parts:
            self.kafka.create_topic(latency.TOPIC, 4)
            next_id = 1
            with busy(self.arguments.busy):
                for number, contender in enumerate(self.contenders):
                    results, next_id = latency.measure(contender, self.arguments.build, self.kafka, self.postgresql, f"latency{number}", RATES, next_id)
                    self.measured["latency"] += results
                    say(results)

    def compressions(self):
        """Of the topics: what is only written to PostgreSQL is not packed."""
        packed = set(self.arguments.compressions) if "reading" in self.arguments.parts else set()
        return [each for each in COMPRESSIONS if each in packed | ({"none"} if "throughput" in self.arguments.parts else set())]

    def round(self, number, load):
        if "throughput" in self.arguments.parts:
            order = self.contenders if number % 2 == 0 else self.contenders[::-1]
            done = {contender: throughput.into_postgresql(contender, load, self.postgresql, f"round{number}_{place}", not self.arguments.no_check)
                    for place, contender in enumerate(order)}
            self.add("throughput", [done[contender] for contender in self.contenders])
        if "reading" in self.arguments.parts:
            for compression in self.arguments.compressions:
                runs = [throughput.consuming_alone(self.arguments.build, self.kafka, load, compression)]
                runs += [throughput.into_blackhole(each, load, f"blackhole{number}_{place}", compression) for place, each in enumerate(self.readers)]
                self.add("reading", runs)

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
    with tempfile.TemporaryDirectory(prefix="cdcrt-bench-") as temporary:
        bench = Bench(arguments, os.path.abspath(arguments.work or temporary))
        try:
            bench.run()
        finally:
            if arguments.json:
                with open(arguments.json, "w", encoding="utf-8") as file:
                    json.dump(bench.measured, file, indent=1)
            print(bench.tables())
            bench.stop()
    differ = [run for run in bench.measured["throughput"] if run["exact"] is False]
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
