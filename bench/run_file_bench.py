#!/usr/bin/env python3
"""How fast and how large: file -> blackhole and file -> SQLite, with and without schemas.

    run_file_bench.py [--build build/release] [--events 1000000] [--work DIR] [--check]

Events come from generate_events (seed 1). Rows a second are messages by wall-clock time of the whole process, start and end
included; memory is the peak of the process. The last lines run a quarter of the events: memory must not follow the input.
--check compares the tables in SQLite with the generator's expected rows, cell by cell.
"""

import argparse
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from live import PROJECT, ended  # noqa: E402

MANIFEST = """[pipeline]
name = "bench"
[sources.events]
plugin = "file"
paths = ["{events}"]
format.plugin = "debezium-json"
{sink}
[routes.shop]
match = ["shop.*"]
[routes.shop.columns]
amount = {{ type = "decimal(12,2)" }}
created = {{ type = "timestamptz" }}
"""
SINKS = {"blackhole": '[sinks.target]\nplugin = "blackhole"',
         "SQLite": '[sinks.target]\nplugin = "odbc"\nconnection = {{ Driver = "SQLite3", Database = "{database}" }}'}


class Bench:
    def __init__(self, build, work):
        self.binary, self.generator, self.work = os.path.join(build, "bin", "cdcrt"), os.path.join(build, "bin", "generate_events"), work

    def events(self, count, schemas):
        path = os.path.join(self.work, f"events-{count}-{'with' if schemas else 'without'}.jsonl")
        if not os.path.exists(path):
            subprocess.run([self.generator, "--events", str(count), "--seed", "1", "--out", path, "--expected", path + ".expected"]
                           + ([] if schemas else ["--no-schemas"]), check=True)
        return path

    def run(self, count, schemas, sink, check=False):
        events, database, manifest = self.events(count, schemas), os.path.join(self.work, "target.db"), os.path.join(self.work, "bench.toml")
        for end in ("", "-wal", "-shm", "-journal"):
            if os.path.exists(database + end):
                os.remove(database + end)
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(events=events, sink=SINKS[sink].format(database=database)))
        seconds, used = ended.run([self.binary, "--manifest", manifest], os.path.join(self.work, "log"))
        memory = used.ru_maxrss / 1024
        size = os.path.getsize(events) / 1e6
        print(f"| {sink:9} | {'with' if schemas else 'without':7} | {count:>9,} | {count / seconds:>9,.0f} | {size / seconds:>6.0f} "
              f"| {seconds:>7.1f} | {memory:>6.0f} |", flush=True)
        if check and sink == "SQLite":
            compare = os.path.join(PROJECT, "tests", "oracle", "compare.py")
            subprocess.run([sys.executable, compare, "--expected", events + ".expected", "--target", "sqlite:" + database], check=True)
        return memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(PROJECT, "build", "release"))
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--work", help="folder for events and targets, kept; default: a temporary one (6 GB for 1 M events)")
    parser.add_argument("--sinks", nargs="*", choices=list(SINKS), default=list(SINKS))
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or temporary
        os.makedirs(work, exist_ok=True)
        bench = Bench(arguments.build, os.path.abspath(work))
        for schemas in (True, False):  # not part of what is measured
            bench.events(arguments.events, schemas)
        print("| sink      | schemas |    events |  events/s |   MB/s | seconds | MiB peak |")
        print("|---|---|---:|---:|---:|---:|---:|")
        whole = {(sink, schemas): bench.run(arguments.events, schemas, sink, arguments.check)
                 for sink in arguments.sinks for schemas in (True, False)}
        grown = [(sink, schemas, memory, bench.run(arguments.events // 4, schemas, sink))
                 for (sink, schemas), memory in whole.items()]
    for sink, schemas, memory, quarter in grown:
        print(f"{sink}, {'with' if schemas else 'without'} schemas: {memory / quarter:.2f} x the memory for 4 x the events")


if __name__ == "__main__":
    main()
