#!/usr/bin/env python3
"""What tables in source order cost: the same changes into SQLite, PostgreSQL and the test Redshift with ordering = "partition" and "source", in turns.

    run_order_bench.py [--build build/release] [--events 200000] [--redshift-events 50000] [--rounds 2]

Changes are those of generate_events --no-schemas (inserts, updates, deletes; a key stays in one partition, so that both orders are right). Each line: rows a
second, CPU seconds of the program and of the database (Redshift: PostgreSQL behind the front, and the front). The last ones: rows and bytes that the orders take.
"""

import argparse
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(PROJECT, "tests"), HERE]

MANIFEST = """[pipeline]
name = "order"
[sources.events]
plugin = "file"
paths = ["{events}"]
format.plugin = "debezium-json"
[routes.shop]
match = ["shop.*"]
ordering = "{ordering}"
[routes.shop.columns]
amount = {{ type = "decimal(12,2)" }}
created = {{ type = "timestamptz" }}
"""


class Bench:
    def __init__(self, arguments, place):
        from integration import program, redshift_target
        from live import usage
        from oracle.targets import open_target
        self.open_target = open_target
        self.program, self.usage, self.place, self.build = program, usage, place, arguments.build
        self.kinds = {"SQLite": program.SqliteTarget, "PostgreSQL": program.PostgresqlTarget, "Redshift": redshift_target.RedshiftTarget}
        self.count = {"SQLite": arguments.events, "PostgreSQL": arguments.events, "Redshift": arguments.redshift_events}

    def events(self, count):
        path = os.path.join(self.place, f"{count}.jsonl")
        if not os.path.exists(path):
            subprocess.run([os.path.join(self.build, "bin", "generate_events"), "--events", str(count), "--no-schemas", "--out", path], check=True)
        return path

    def servers(self, kind):
        """Processes whose CPU time is the database's."""
        if kind == "PostgreSQL":
            return [self.program.PostgresqlTarget.server.process.pid]
        return [self.kinds[kind].front.backend.process.pid, self.kinds[kind].front.process.pid] if kind == "Redshift" else []

    def run(self, kind, ordering):
        """(rows a second, CPU seconds of the program, of the database, the target)."""
        folder = tempfile.mkdtemp(dir=self.place)
        target = self.kinds[kind](folder)
        manifest = os.path.join(folder, "manifest.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(events=self.events(self.count[kind]), ordering=ordering))
        log = os.path.join(folder, "log")
        before = sum(self.usage.cpu_with_children(pid) for pid in self.servers(kind))
        process = self.program.start(["--manifest", manifest, "--manifest", target.overlay], target.environment, log)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        if process.returncode:
            sys.exit(text[-3000:])
        rows, seconds = re.search(r"([\d,]+) rows in ([\d.]+) s", text).groups()
        database = sum(self.usage.cpu_with_children(pid) for pid in self.servers(kind)) - before
        return int(rows.replace(",", "")) / float(seconds), used.ru_utime + used.ru_stime, database, target

    def kept(self, kind, target, without):
        """(rows whose order is kept, deleted ones among them, bytes that each takes). `without`: the target of the other ordering."""
        if kind == "SQLite":
            with sqlite3.connect(target.path) as database:
                rows, = database.execute("SELECT count(*) FROM cdcrt_row_orders").fetchone()
                deleted, = database.execute("SELECT count(*) FROM cdcrt_tombstones").fetchone()
            return rows, deleted, (os.path.getsize(target.path) - os.path.getsize(without.path)) / rows
        reader = target.tables() if kind == "Redshift" else self.open_target(target.name)

        def value(text):
            return float(reader.psql(f"copy ({text}) to stdout"))
        rows, deleted = (int(value(f"select count(*) from cdcrt.{name}")) for name in ("row_orders", "tombstones"))
        # A cluster stores columns: what the values take before they are encoded.
        size = ("select avg(pg_column_size(each.*)) from cdcrt.row_orders each" if kind == "Redshift" else
                f"select pg_total_relation_size('cdcrt.row_orders') / {rows}.0")
        return rows, deleted, value(size)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(PROJECT, "build", "release"))
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--redshift-events", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--targets", default="SQLite,PostgreSQL,Redshift")
    arguments = parser.parse_args()
    os.environ["CDCRT_BINARY"] = os.path.join(arguments.build, "bin", "cdcrt")
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(arguments, place)
        for kind in arguments.targets.split(","):
            runs = {"partition": [], "source": []}
            bench.run(kind, "partition")  # the servers are warm then
            for _ in range(arguments.rounds):
                for ordering, done in runs.items():
                    done.append(bench.run(kind, ordering))
            medians = {ordering: [statistics.median(run[place] for run in done) for place in range(3)] for ordering, done in runs.items()}
            for ordering, (rate, own, database) in medians.items():
                print(f"{kind:10} {ordering:9} {rate:9,.0f} rows/s  CPU s: {own:6.2f} program {database:6.2f} database", flush=True)
            print(f"{kind:10} partition / source: {medians['partition'][0] / medians['source'][0]:.2f} in rows/s, "
                  f"{sum(medians['source'][1:]) / sum(medians['partition'][1:]):.2f} in CPU", flush=True)
            rows, deleted, size = bench.kept(kind, runs["source"][-1][3], runs["partition"][-1][3])
            print(f"{kind:10} orders of {rows:,} rows are kept, {deleted:,} of them deleted; {size:.0f} bytes each", flush=True)
    from integration import redshift_target
    redshift_target.stop()


if __name__ == "__main__":
    main()
