#!/usr/bin/env python3
"""One pipeline by 1, 2, 4 and 8 processes over sixteen partitions, in turns: how a backlog falls, what an event costs, what an idle group costs, and
what a rolling restart costs.

    run_scaling_bench.py [--build build/release] [--events 60000] [--rounds 2] [--processes 1 2 4 8] [--parts waiting computing idle upgrade]
                         [--delay-ms 50] [--json FILE]

waiting     Each piece to and from the database is late by the delay, and a process writes 500 rows at once by one connection: it waits, so processes add up
            although the cores do not. It tells how the group and the target's commits scale, not how fast a machine is. Each process has met each table before.
computing   Three times as many events, default settings, no delay, the start included: with as few cores as here more processes are not faster; CPU by event
            tells what sharing costs.
idle        What N processes cost while nothing comes.
upgrade     Eight processes ended and started one after the other, by kind of membership.

Ratios are taken round by round, beside one process. The tables are compared with the generator's state after each run; exit code 1 where they differ."""

import argparse
import datetime
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from live import PROJECT, usage  # noqa: E402

PARTS = ("waiting", "computing", "idle", "upgrade")
DEFAULT_CONNECTIONS, DEFAULT_ROWS = 4, 50_000
WAITING_CONNECTIONS, WAITING_ROWS, COMPUTED = 1, 500, 3
IDLE_SECONDS, UPGRADE_SECONDS, UPGRADE_EVENTS = 15, 12, 24_000


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(PROJECT, "build", "release"))
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--processes", nargs="+", type=int, default=(1, 2, 4, 8))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--delay-ms", type=float, default=50)
    parser.add_argument("--no-check", action="store_true")
    parser.add_argument("--json", help="file for what was measured")
    return parser.parse_args()


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    def __init__(self, arguments, work):
        # Where the program is has to be known before the tests' modules are read.
        os.environ["CDCRT_BINARY"] = os.path.join(os.path.abspath(arguments.build), "bin", "cdcrt")
        self.arguments, self.work = arguments, work
        self.measured = {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="minutes"), "machine": usage.described(),
                         "delay_ms": arguments.delay_ms, "load": [os.getloadavg()[0]], **{part: [] for part in PARTS}}

    def run(self):
        if set(self.arguments.parts) - {"upgrade"}:
            self.draining()
        if "upgrade" in self.arguments.parts:
            self.upgrading()
        self.measured["load"].append(os.getloadavg()[0])

    def in_turns(self):
        """(round, number of processes), every other round the other way round."""
        for number in range(self.arguments.rounds):
            for count in (self.arguments.processes if number % 2 == 0 else self.arguments.processes[::-1]):
                yield number, count

    def add(self, part, measured):
        self.measured[part].append(measured)
        say(f"{part}: {measured}")

    def draining(self):
        from lab.kafka import Kafka
        from lab.postgresql import Postgresql
        from lab.proxy import TcpProxy
        from live import scaling
        from live.load import Load
        from live.pieces import Pieces
        arguments = self.arguments
        # As brokers are: those that start together meet in one assignment.
        kafka = Kafka(settings={"log.retention.ms": -1, "group.initial.rebalance.delay.ms": 3000})
        postgresql = Postgresql(settings={"track_commit_timestamp": "on", "shared_buffers": "256MB", "max_wal_size": "4GB", "max_connections": 150})
        proxy = TcpProxy(postgresql.port)

        def fleet(count, connections=DEFAULT_CONNECTIONS, rows=DEFAULT_ROWS):
            return scaling.Fleet(arguments.build, self.work, kafka, count, connections, rows)
        try:
            if "waiting" in arguments.parts:
                pieces = Pieces(arguments.build, self.work, arguments.events)
                for number, count in self.in_turns():
                    self.add("waiting", {"round": number, **scaling.steady(fleet(count, WAITING_CONNECTIONS, WAITING_ROWS), pieces, postgresql, proxy,
                                                                           arguments.delay_ms / 1000, f"waiting{number}_{count}", not arguments.no_check)})
            if "computing" in arguments.parts:
                load = Load(kafka, arguments.build, self.work, COMPUTED * arguments.events, schemas=False)
                for number, count in self.in_turns():
                    self.add("computing", {"round": number, **scaling.drain(fleet(count), load, postgresql, postgresql.port, f"computing{number}_{count}",
                                                                            not arguments.no_check)})
            for count in arguments.processes if "idle" in arguments.parts else ():
                kafka.create_topic(f"idle{count}", 16)
                self.add("idle", scaling.idle_cost(fleet(count), [f"idle{count}"], postgresql, postgresql.port, f"idle{count}", IDLE_SECONDS))
        finally:
            proxy.stop()
            kafka.stop()
            postgresql.stop()

    def upgrading(self):
        from integration.live import Servers
        from live import upgrade
        servers = Servers(UPGRADE_EVENTS, connections=150)
        try:
            for number in range(self.arguments.rounds):
                for membership in upgrade.MEMBERSHIPS:
                    folder = tempfile.mkdtemp(dir=self.work)
                    self.add("upgrade", {"round": number, **upgrade.rolling_restart(servers, folder, membership, UPGRADE_SECONDS)})
        finally:
            servers.stop()


def main():
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="cdcrt-bench-") as work:
        bench = Bench(arguments, work)
        from live import report_scaling
        try:
            bench.run()
        finally:
            if arguments.json:
                with open(arguments.json, "w", encoding="utf-8") as file:
                    json.dump(bench.measured, file, indent=1)
            print(report_scaling.tables(bench.measured))
    runs = [run for part in PARTS for run in bench.measured[part]]
    return any(run.get("exact") is False for run in runs)


if __name__ == "__main__":
    sys.exit(main())
