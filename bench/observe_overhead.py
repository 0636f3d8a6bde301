#!/usr/bin/env python3
"""What metrics cost: the same events decoded and applied with nobody asking, and with /metrics and /status asked each second, in turns. User and system
time of the process, of pairs; and what a page of many tables costs.

    observe_overhead.py [--binary build/release/bin/cdcrt] [--events 400000] [--pairs 5] [--tables 10000]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request


def write_events(path, tables, events):
    with open(path, "w", encoding="utf-8") as file:
        for offset in range(events):
            row = {"before": None, "after": {"id": offset // tables, "name": "x" * 20}, "op": "c", "ts_ms": 1700000000000,
                   "source": {"connector": "postgresql", "db": "shop", "schema": "sales", "table": f"orders_{offset % tables}", "ts_ms": 1700000000000, "lsn": offset + 1}}
            file.write(json.dumps({"topic": "shop", "partition": offset % 8, "offset": offset // 8, "key": json.dumps({"id": offset // tables}),
                                   "payload": json.dumps(row), "ts": 1700000000000}) + "\n")


def write_manifest(folder, paths, http):
    path = os.path.join(folder, "overhead.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write('[pipeline]\nname = "shop"\n[runtime]\ndecode_workers = 1\nlog_level = "info"\n' + (f'http = "{http}"\n' if http else "") +
                   f'[sources.events]\nplugin = "file"\npaths = {json.dumps(paths)}\nformat.plugin = "debezium-json"\n[sinks.warehouse]\nplugin = "blackhole"\n')
    return path


def cpu(pid):
    """User and system seconds."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def address_in(log):
    for _ in range(600):
        with open(log, encoding="utf-8", errors="replace") as file:
            for line in file:
                if "status at http://" in line:
                    return line.split("status at ")[1].strip()
        time.sleep(0.05)
    sys.exit("no server")


def get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read()


def run(binary, folder, events, asked):
    log = os.path.join(folder, "log")
    with open(log, "wb") as file, subprocess.Popen([binary, "--manifest", write_manifest(folder, [events], "127.0.0.1:0" if asked else None)], stderr=file,
                                                   stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        stop, asks = threading.Event(), [0]

        def ask():
            url = address_in(log)
            while not stop.wait(1 if asks[0] else 0):
                try:
                    get(url + "/metrics"), get(url + "/status")
                    asks[0] += 1
                except OSError:
                    return
        thread = threading.Thread(target=ask)
        if asked:
            thread.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        stop.set()
        if asked:
            thread.join()
    return usage.ru_utime + usage.ru_stime, asks[0]


def pages(binary, folder, tables):
    events, log = os.path.join(folder, "many.jsonl"), os.path.join(folder, "log")
    write_events(events, tables, 2 * tables)
    with open(log, "wb") as file, subprocess.Popen([binary, "--manifest", write_manifest(folder, [events, "-"], "127.0.0.1:0")], stderr=file,
                                                   stdout=subprocess.DEVNULL, stdin=subprocess.PIPE) as process:
        url = address_in(log)
        while json.loads(get(url + "/status?limit=0"))["totals"]["applied_rows"]["insert"] < 2 * tables:
            time.sleep(0.2)
        for path in ("/metrics", "/status", "/status?limit=100000"):
            time.sleep(0.3)
            count, before, walls = 20, cpu(process.pid), []
            for _ in range(count):
                begun = time.monotonic()
                page = get(url + path)
                walls.append(1000 * (time.monotonic() - begun))
                time.sleep(0.11)  # what was looked at less than 100 ms ago is told again
            spent = 1000 * (cpu(process.pid) - before) / count
            print(f"{tables} tables, {path}: {len(page) / 1e6:.2f} MB, CPU {spent:.1f} ms, {min(walls):.1f} ms at best, {statistics.median(walls):.1f} ms in the middle")
        process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "build/release/bin/cdcrt"))
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--tables", type=int, default=10_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cdcrt-overhead-") as folder:
        pages(arguments.binary, folder, arguments.tables)
        events, ratios = os.path.join(folder, "events.jsonl"), []
        write_events(events, 20, arguments.events)
        for pair in range(arguments.pairs):
            spent = {}
            for asked in ((False, True) if pair % 2 else (True, False)):
                spent[asked], asks = run(arguments.binary, folder, events, asked)
                if asked:
                    times = asks
            ratios.append(spent[True] / spent[False])
            print(f"pair {pair}: {spent[False]:.2f} s of CPU, {spent[True]:.2f} s with {times} looks: {ratios[-1]:.3f}")
        print(f"with metrics / without: {statistics.median(ratios):.3f} in the middle, {min(ratios):.3f} to {max(ratios):.3f}")


main()
