"""Columns that MariaDB renamed keep their values, whether Debezium's records of it are read before the rows or after: what is in
tests/data/debezium-mariadb-renames is as a real Debezium wrote it, with the servers' statements in its README."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from oracle import targets  # noqa: E402

DATA = os.path.join(program.TESTS, "data", "debezium-mariadb-renames", "events.jsonl")
MANIFEST = """[pipeline]
name = "renames"
[sources.log]
plugin = "file"
paths = ["{folder}/*.jsonl"]
topics = ["shop", "shop.*"]
format.plugin = "debezium-json"
"""
ORDERS = [["1", "one", "1", "10", "7"], ["2", "two again", None, "20", "7"], ["3", None, None, "30", "7"], ["4", None, None, "40", "7"],
          ["5", "five", None, "50", "5"]]
OTHER = [["1", "12", "11"], ["2", "99", "21"]]


class Renames(unittest.TestCase):
    def check(self, kind):
        with open(DATA, encoding="utf-8") as file:
            lines = file.readlines()
        definitions = [line for line in lines if '"topic":"shop",' in line]
        rows = [line for line in lines if line not in definitions]
        for way in ("definitions first", "rows first", "rows alone, then definitions"):
            with self.subTest(way=way), tempfile.TemporaryDirectory() as folder:
                target = kind(folder)
                manifest = os.path.join(folder, "renames.toml")
                with open(manifest, "w", encoding="utf-8") as file:
                    file.write(MANIFEST.format(folder=folder))
                # The tables as they were made are known in any case: so it is where the topic is read from the start.
                parts = [definitions[:FIRST], rows, definitions[FIRST:]]
                if way == "definitions first":
                    parts = [definitions, rows]
                runs = [parts] if way != "rows alone, then definitions" else [parts[:2], parts]
                for each in runs:
                    with open(os.path.join(folder, "events.jsonl"), "w", encoding="utf-8") as file:
                        file.writelines(line for part in each for line in part)
                    done = program.run(["--manifest", manifest, "--manifest", target.overlay, "--set",
                                        f"dead_letters.path={os.path.join(folder, 'letters.jsonl')}"], target.environment, folder)
                    self.assertEqual(done.exit_code, 0, done.log[-3000:])
                self.assertEqual(program.letters(os.path.join(folder, "letters.jsonl")), [])
                self.same(target)

    def same(self, target):
        opened = targets.open_target(target.name)
        for table, names, expected in (("orders", ["id", "the remark", "total", "amount", "extra"], ORDERS), ("other", ["id", "a", "b"], OTHER)):
            found, values = opened.rows(next(name for name in (table, "shop." + table) if name in opened.tables()))
            self.assertEqual(sorted(found), sorted(names))
            self.assertEqual(sorted([row[found.index(name)] for name in names] for row in values), expected)

    def test_into_sqlite(self):
        self.check(program.SqliteTarget)

    def test_into_postgresql(self):
        self.check(program.PostgresqlTarget)


FIRST = 0  # set below

if __name__ == "__main__":
    unittest.main()
