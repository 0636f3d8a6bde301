"""What a pipeline costs a Redshift, counted by the test front: python3 tests/integration/redshift_cost.py [--write] [TABLES ...]

The front really waits for what statements and commits take; the seconds are the program's own, its start and its end included. `--write` puts
the table into docs/redshift.md, which test_redshift_cost.py checks against its budgets."""

import json
import os
import re
import shutil
import sys
import tempfile
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

from integration import redshift_target  # noqa: E402
from integration.messages import Lines, envelope  # noqa: E402
from integration.redshift_target import SOURCES, RedshiftTarget, run  # noqa: E402

STATEMENT_MS, COMMIT_MS = 100, 300
DOCUMENT = os.path.join(os.path.dirname(TESTS), "docs", "redshift.md")
BEGIN, END = "<!-- cost: begin -->\n", "<!-- cost: end -->\n"
SETTINGS = ("sinks.target.connections=4", "sinks.target.group_tables=50", "sinks.target.batch.max_age=1h", "runtime.memory=512MiB")
PHASES = ("first start", "restart", "trickle", "backlog")


class Pipeline:
    """Tables t0, t1, ... of one pipeline into a target of its own. `waits`: what the front says that a statement costs it really takes."""

    def __init__(self, tables, waits=False):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-cost-")
        self.target, self.tables, self.lines = RedshiftTarget(self.folder), tables, Lines()
        self.target.front.latency(STATEMENT_MS, COMMIT_MS, sleep=waits)
        self.sources = SOURCES.format(folder=self.folder)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def change(self, first, count, tables=None):
        """Rows with the keys from `first` on, new or changed, in each table."""
        for row in range(first, first + count):
            for number in range(tables or self.tables):
                after = {"id": row, "v": f"x{self.lines.offset}"}
                self.lines.message(envelope(f"t{number}", after, lsn=100 + self.lines.offset), json.dumps({"id": row}), f"t.public.t{number}")

    def run(self, *settings):
        """One run to the end of the input; what it cost."""
        front = self.target.front
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        front.forget_cost()
        front.forget_statements()
        begun = time.monotonic()
        done = run(self.folder, self.target, self.sources, *SETTINGS, *settings, timeout=900)
        if done.exit_code:
            raise RuntimeError(done.log[-3000:])
        return {**front.cost(), "seconds": time.monotonic() - begun}

    def phases(self, *settings):
        """By phase; each is one run of the program, its start included."""
        costs = {}
        self.change(0, 2)
        costs["first start"] = self.run(*settings)
        costs["restart"] = self.run(*settings)
        self.change(0, 1, tables=1)
        costs["trickle"] = self.run(*settings)
        self.change(0, 100)
        costs["backlog"] = self.run(*settings)
        return costs


def measure(tables):
    pipeline = Pipeline(tables, waits=True)
    try:
        return pipeline.phases()
    finally:
        pipeline.close()


def table(costs):
    """Markdown of {tables: {phase: cost}}."""
    lines = ["| tables | | statements | of them catalogs | commits | seconds |", "|---|---|---|---|---|---|"]
    for tables, phases in sorted(costs.items()):
        for phase, cost in phases.items():
            lines.append(f"| {tables:,} | {phase} | {cost['statements']:,} | {cost['catalog']:,} | {cost['commits']:,} | {cost['seconds']:,.1f} |")
    return "\n".join(lines) + "\n"


def written():
    """The table of docs/redshift.md, as the rows of {(tables, phase): (statements, catalog, commits)}."""
    with open(DOCUMENT, encoding="utf-8") as file:
        text = file.read()
    text = text[text.index(BEGIN):text.index(END)]
    rows = re.findall(r"^\| ([\d,]+) \| ([\w ]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", text, re.MULTILINE)
    number = lambda each: int(each.replace(",", ""))  # noqa: E731
    return {(number(tables), phase): tuple(map(number, counts)) for tables, phase, *counts in rows}


def write(costs):
    with open(DOCUMENT, encoding="utf-8") as file:
        text = file.read()
    text = text[:text.index(BEGIN)] + BEGIN + table(costs) + text[text.index(END):]
    with open(DOCUMENT, "w", encoding="utf-8") as file:
        file.write(text)


def main(arguments):
    sizes = [int(each) for each in arguments if each.isdigit()] or [1, 50, 1000]
    try:
        costs = {size: measure(size) for size in sizes}
    finally:
        redshift_target.stop()
    print(table(costs), end="")
    if "--write" in arguments:
        write(costs)


if __name__ == "__main__":
    main(sys.argv[1:])
