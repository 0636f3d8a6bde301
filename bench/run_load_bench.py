#!/usr/bin/env python3
"""A first load from files, by settings, in turns: CPU seconds of the process and of the database, and commits.

    run_load_bench.py [--build build/release] [--events 400000] [--rounds 2] [--workload load] [--sink postgresql|sqlite]
                      SETTINGS...

SETTINGS: KEY=VALUE of the manifest, several with blanks between them in one argument, "" for none: one contender each, run in turns within a
round. `sinks.target.copy=false`. Events come from generate_events (seed 1), without schemas, so that what a row costs in the target shows.
Clocks of a busy machine mean nothing here, CPU seconds do.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from live import PROJECT, ended, usage  # noqa: E402
from lab.postgresql import Postgresql, sink as sink_lines  # noqa: E402

MANIFEST = """[pipeline]
name = "bench"
[sources.events]
plugin = "file"
paths = ["{events}"]
format.plugin = "debezium-json"
[sinks.target]
{sink}
[routes.shop]
match = ["shop.*"]
[routes.shop.columns]
amount = {{ type = "decimal(12,2)" }}
created = {{ type = "timestamptz" }}
"""


class Bench:
    def __init__(self, arguments, work):
        self.arguments, self.work = arguments, work
        self.events, self.expected = os.path.join(work, "events.jsonl"), os.path.join(work, "expected")
        subprocess.run([os.path.join(arguments.build, "bin", "generate_events"), "--events", str(arguments.events), "--seed", "1", "--no-schemas",
                        "--workload", arguments.workload, "--out", self.events, "--expected", self.expected], check=True)
        self.postgresql = Postgresql(settings={"max_wal_size": "4GB"}) if arguments.sink == "postgresql" else None

    def run(self, name, settings):
        sink, database = f'plugin = "odbc"\nconnection = {{ Driver = "SQLite3", Database = "{self.work}/{name}.db" }}', None
        if self.postgresql:
            self.postgresql.create(name)
            sink, database = sink_lines(self.postgresql.port, name, "postgresql"), self.postgresql
        manifest = os.path.join(self.work, "bench.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(events=self.events, sink=sink))
        before = usage.cpu_with_children(database.pid) if database else 0
        seconds, used = ended.run([os.path.join(self.arguments.build, "bin", "cdcrt"), "--manifest", manifest,
                                   *(part for setting in settings.split() for part in ("--set", setting))], os.path.join(self.work, "log"))
        target = f"sqlite:{self.work}/{name}.db"
        in_database = commits = 0
        if database:
            in_database = usage.cpu_with_children(database.pid) - before
            time.sleep(1)  # until the server has counted its ended sessions
            commits = int(database.value("postgres", f"select xact_commit from pg_stat_database where datname = '{name}'"))
            target = "postgresql:" + database.connection(name)
        if self.arguments.check:
            subprocess.run([sys.executable, os.path.join(PROJECT, "tests", "oracle", "compare.py"), "--expected", self.expected, "--target", target],
                           check=True, stdout=subprocess.DEVNULL)
        if database:
            database.drop(name)
        print(f"| {settings or '(none)':60} | {used.ru_utime + used.ru_stime:6.2f} | {in_database:6.2f} | {commits:5} | {self.arguments.events / seconds:9,.0f} "
              f"| {used.ru_maxrss / 1024:4.0f} | {os.getloadavg()[0]:4.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(PROJECT, "build", "release"))
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workload", default="load")
    parser.add_argument("--sink", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--no-check", dest="check", action="store_false", help="the tables are not compared with the generator's")
    parser.add_argument("settings", nargs="+")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cdcrt-load-") as work:
        bench = Bench(arguments, work)
        print("| settings | CPU s here | of the database | commits | events/s | MiB | load |\n|---|---:|---:|---:|---:|---:|---:|")
        try:
            for number in range(arguments.rounds):
                for place, settings in enumerate(arguments.settings):
                    bench.run(f"bench_{number}_{place}", settings)
        finally:
            if bench.postgresql:
                bench.postgresql.stop()


if __name__ == "__main__":
    main()
