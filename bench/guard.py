#!/usr/bin/env python3
"""Whether the program became two or three times slower: CPU time beside RapidJSON, which parses the same bytes in the same run.

    guard.py [--build build/release] [--events 30000]

Clocks tell nothing on a machine that others use, and CPU seconds of two machines are not the same; their ratio within a run is. The best
of several rounds counts on both sides, and the bounds leave room for what remains. Exit code 1: one was passed. Where a change is meant to
cost more, measure it (README.md) and raise the bound with it; where one makes things faster, lower it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROUNDS = 3
# What was measured -> (what it is, at most so many times RapidJSON's CPU time): 1.8 times what several runs on a busy machine found, which
# was 0.96 to 0.98, 0.22 to 0.23, 1.46 to 1.50 and 3.58 to 3.60.
BOUNDS = {"without_schemas": ("decoding", 1.75), "with_schemas": ("decoding, with schemas", 0.4),
          "blackhole": ("file -> blackhole", 2.7), "SQLite": ("file -> SQLite", 6.5)}
MANIFEST = """[pipeline]
name = "guard"
[sources.events]
plugin = "file"
paths = ["{events}"]
format.plugin = "debezium-json"
[sinks.target]
{sink}
"""
SINKS = {"blackhole": 'plugin = "blackhole"', "SQLite": 'plugin = "odbc"\nconnection = {{ Driver = "SQLite3", Database = "{database}" }}'}


def cpu_seconds(command):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    told = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}: {told[-3000:]}")
    return used.ru_utime + used.ru_stime


def whole_runs(programs, events, work):
    """Sink -> CPU time of the program in that of RapidJSON."""
    path = os.path.join(work, "events.jsonl")
    subprocess.run([os.path.join(programs, "generate_events"), "--events", str(events), "--no-schemas", "--out", path], check=True)
    best = dict.fromkeys(["parsing", *SINKS], float("inf"))
    for number in range(ROUNDS):
        best["parsing"] = min(best["parsing"], cpu_seconds([os.path.join(programs, "parse_bench"), path]))
        for name, sink in SINKS.items():
            manifest = os.path.join(work, f"{name}.toml")
            with open(manifest, "w", encoding="utf-8") as file:
                file.write(MANIFEST.format(events=path, sink=sink.format(database=os.path.join(work, f"{number}.db"))))
            best[name] = min(best[name], cpu_seconds([os.path.join(programs, "cdcrt"), "--manifest", manifest]))
    return {name: best[name] / best["parsing"] for name in SINKS}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(PROJECT, "build", "release"))
    parser.add_argument("--events", type=int, default=30_000)
    arguments = parser.parse_args()
    programs = os.path.join(os.path.abspath(arguments.build), "bin")
    with tempfile.TemporaryDirectory(prefix="cdcrt-guard-") as work:
        found = json.loads(subprocess.run([os.path.join(programs, "decode_bench"), "--beside-rapidjson"], check=True, capture_output=True, text=True).stdout)
        found.update(whole_runs(programs, arguments.events, work))
    passed = False
    for name, (what, most) in BOUNDS.items():
        passed |= found[name] > most
        print(f"{what:24} {found[name]:5.2f} times RapidJSON's CPU time, at most {most}{'  <- SLOWER' if found[name] > most else ''}")
    return 1 if passed else 0


if __name__ == "__main__":
    sys.exit(main())
