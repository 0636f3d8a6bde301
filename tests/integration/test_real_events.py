"""Events that a real Debezium wrote give the rows of the source, cell by cell, however they are cut into batches."""

import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from oracle import compare, targets  # noqa: E402

WAYS = [(workers, rows) for workers in (1, 4) for rows in (None, 1)]


class RealEvents(unittest.TestCase):
    def check(self, name, kind):
        for workers, rows in WAYS:
            with self.subTest(workers=workers, rows=rows or "default"), tempfile.TemporaryDirectory() as folder:
                target = kind(folder)
                settings = [f"runtime.decode_workers={workers}"] + ([f"sinks.target.batch.max_rows={rows}"] if rows else [])
                done = program.run(program.real_events(name, target, folder, *settings), target.environment, folder)
                self.assertEqual(done.exit_code, 0, done.log[-3000:])
                self.assertEqual(program.dead_letters(os.path.join(folder, "dead_letters.jsonl")), [])
                self.same(name, target)
                # Once more: everything was applied, nothing is applied again.
                done = program.run(program.real_events(name, target, folder, *settings), target.environment, folder)
                self.assertEqual(done.exit_code, 0, done.log[-3000:])
                self.same(name, target)

    def same(self, name, target):
        out = io.StringIO()
        count = compare.compare(os.path.join(program.TESTS, "data", name, "expected"), targets.open_target(target.name), out=out)
        self.assertEqual(count, 0, out.getvalue())

    def test_with_schemas_into_sqlite(self):
        self.check("debezium-postgres", program.SqliteTarget)

    def test_without_schemas_into_sqlite(self):
        self.check("debezium-postgres-noschema", program.SqliteTarget)

    def test_with_schemas_into_postgresql(self):
        self.check("debezium-postgres", program.PostgresqlTarget)

    def test_without_schemas_into_postgresql(self):
        self.check("debezium-postgres-noschema", program.PostgresqlTarget)


if __name__ == "__main__":
    unittest.main()
