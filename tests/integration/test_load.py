"""A first load, killed at random moments and started again: rows of a snapshot, changes among them, rows that are read twice, columns that come
later, and a table without a key end as at the source, whether they were copied or not."""

import collections
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import Lines, envelope  # noqa: E402

KILLS = int(os.environ.get("CDCRT_TEST_LOAD_KILLS", "4"))
SEED = int(os.environ.get("CDCRT_TEST_SEED", str(time.time_ns() % 1_000_000)))
ROWS = 6_000
MANIFEST = """[pipeline]
name = "load"
[sources.events]
plugin = "file"
paths = ["{folder}/events.jsonl"]
format.plugin = "debezium-json"
[dead_letters]
path = "{folder}/dead_letters.jsonl"
"""


class Source:
    """Events, and the rows of the tables they end in."""

    def __init__(self, path, chance):
        self.lines, self.chance = Lines(), chance
        self.rows = {"orders": {}, "items": {}}
        self.logged = collections.Counter()
        for number in range(ROWS):
            for table in self.rows:
                self.read(table, {"id": number, "v": f"row {number}", "n": number % 7})
            self.lines.message(envelope("log", {"id": number % 5, "v": "x"}, "r"), topic="t.public.log")
            self.logged[(number % 5, "x")] += 1
            if number == ROWS // 2:
                # The connector began anew: these were read before.
                for again in range(number - 700, number):
                    self.read("orders", {"id": again, "v": f"row {again}", "n": again % 7})
            if number > ROWS * 2 // 3 and number % 10 == 0:
                self.change(chance.choice(list(self.rows)))
        for number in range(ROWS, ROWS + 1_000):  # a column more, in the middle of what is read
            self.read("items", {"id": number, "v": f"row {number}", "n": None, "more": "m"})
        for _ in range(300):
            self.change("items")
        for number in list(self.rows["orders"])[:400]:  # an incremental snapshot of what is there now
            self.read("orders", self.rows["orders"][number])
        self.lines.write(path)

    def message(self, table, operation, row, before=None):
        key = (row or before)["id"]
        self.lines.message(envelope(table, row, operation, before, lsn=100 + self.lines.offset), json.dumps({"id": key}), f"t.public.{table}")

    def read(self, table, row):
        self.rows[table][row["id"]] = row
        self.message(table, "r", row)

    def change(self, table):
        key = self.chance.choice(list(self.rows[table]))
        if self.chance.random() < 0.3:
            self.message(table, "d", None, self.rows[table].pop(key))
        else:
            self.rows[table][key] = {**self.rows[table][key], "v": f"changed {self.lines.offset}"}
            self.message(table, "u", self.rows[table][key])

    def expected(self, table):
        return collections.Counter(tuple(None if row.get(name) is None else str(row[name]) for name in ("id", "v", "n")) for row in self.rows[table].values())


class Load(unittest.TestCase):
    def check(self, kind, *settings):
        chance = random.Random(SEED)
        with tempfile.TemporaryDirectory() as folder:
            source = Source(os.path.join(folder, "events.jsonl"), chance)
            manifest = os.path.join(folder, "load.toml")
            with open(manifest, "w", encoding="utf-8") as file:
                file.write(MANIFEST.format(folder=folder))
            whole = None
            for kills in (0, KILLS):
                place = os.path.join(folder, str(kills))
                os.mkdir(place)
                target = kind(place)
                arguments = ["--manifest", manifest, "--manifest", target.overlay, *(part for setting in settings for part in ("--set", setting))]
                took = self.to_the_end(arguments, target, folder, chance, whole, kills)
                whole = whole or took
                for table in source.rows:
                    self.assertEqual(self.found(target, f"select id, v, n from {table}"), source.expected(table), f"seed {SEED}, {settings}, {kills} kills: {table}")
                self.assertEqual(self.found(target, "select id, v from log"), collections.Counter({(str(key), v): count for (key, v), count in source.logged.items()}),
                                 f"seed {SEED}, {settings}, {kills} kills")

    def to_the_end(self, arguments, target, folder, chance, whole, kills):
        log = os.path.join(folder, "log")
        while True:
            began = time.monotonic()
            process = program.start(arguments, target.environment, log)
            if kills > 0:
                kills -= 1
                time.sleep(chance.uniform(0, whole))
                process.kill()
            process.wait(300)
            if process.returncode != -9:
                break
        with open(log, encoding="utf-8", errors="replace") as file:
            self.assertEqual(process.returncode, 0, f"seed {SEED}: " + file.read()[-3000:])
        self.assertEqual(program.dead_letters(os.path.join(folder, "dead_letters.jsonl")), [], f"seed {SEED}")
        return time.monotonic() - began

    @staticmethod
    def found(target, query):
        if isinstance(target, program.SqliteTarget):
            with sqlite3.connect(target.path) as database:
                rows = database.execute(query).fetchall()
            database.close()
        else:
            rows = target.server.query(target.environment["CDCRT_TEST_DATABASE"], query)
        return collections.Counter(tuple(None if cell is None else str(cell) for cell in row) for row in rows)

    def test_into_postgresql_with_copies(self):
        self.check(Libpq, "sinks.target.batch.max_rows=900", 'sinks.target.load.max_age="1s"', "sinks.target.load.max_rows=2000")

    def test_into_postgresql_without_copies(self):
        self.check(Libpq, "sinks.target.copy=false", "sinks.target.load.max_rows=2000")

    def test_into_sqlite_in_large_batches(self):
        self.check(program.SqliteTarget, 'sinks.target.load.max_age="1s"')


class Libpq(program.PostgresqlTarget):
    overlay = os.path.join(program.MANIFESTS, "postgresql-libpq.toml")


if __name__ == "__main__":
    unittest.main()
