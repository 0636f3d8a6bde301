#!/usr/bin/env python3
"""Rows into the test Redshift three ways, by the same program on the same events: files in S3 and COPY; INSERT of many rows a statement;
INSERT of one row a statement and transaction. The front is Python before PostgreSQL: only the ratios within one run mean something, and
a real cluster makes them larger (each commit waits its turn there, published figures of row-wise writes are 1 to 40 rows/s).

    run_redshift_bench.py [--build build/release] [--events 200000] [--row-wise 400]
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(PROJECT, "tests"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(PROJECT, "build", "release"))
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--row-wise", type=int, default=400, help="events of the row-wise way, which is slow")
    arguments = parser.parse_args()
    os.environ["CDCRT_BINARY"] = os.path.join(arguments.build, "bin", "cdcrt")
    from integration import redshift_target  # with that binary

    def run(target, folder, events, *settings):
        path = os.path.join(folder, "events.jsonl")
        subprocess.run([os.path.join(arguments.build, "bin", "generate_events"), "--events", str(events), "--no-schemas", "--out", path], check=True)
        done = redshift_target.run(folder, target, redshift_target.SOURCES.format(folder=folder), *settings, timeout=1800)
        if done.exit_code != 0:
            sys.exit(done.log[-3000:])
        measured = re.search(r"([\d,]+) rows in ([\d.]+) s", done.log)
        return int(measured.group(1).replace(",", "")), float(measured.group(2))

    # Staged is what is said to be; INSERT is what is left without a place for files.
    ways = (("S3 and COPY", True, arguments.events, ()), ("INSERT of many rows", False, arguments.events, ()),
            ("INSERT of one row", False, arguments.row_wise, ("sinks.target.batch.max_rows=1",)))
    results = []
    with tempfile.TemporaryDirectory() as place:
        for name, staged, events, settings in ways:
            folder = os.path.join(place, name.replace(" ", "-"))
            os.mkdir(folder)
            target = redshift_target.RedshiftTarget(folder)
            if not staged:
                with open(target.overlay, "w", encoding="utf-8") as file:
                    file.writelines(line + "\n" for line in target.manifest().splitlines() if not line.startswith("staging."))
            rows, seconds = run(target, folder, events, *settings)
            results.append({"way": name, "rows": rows, "seconds": round(seconds, 2), "rows_per_second": round(rows / seconds)})
            print(json.dumps(results[-1]), flush=True)
    redshift_target.stop()
    print(f"S3 and COPY is {results[0]['rows_per_second'] / max(1, results[2]['rows_per_second']):.0f} times the row-wise way, "
          f"{results[0]['rows_per_second'] / max(1, results[1]['rows_per_second']):.1f} times many rows a statement")


if __name__ == "__main__":
    main()
