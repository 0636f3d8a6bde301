"""Killed at random moments and started again each time, the tables still equal the source: nothing lost, nothing twice."""

import io
import os
import random
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from oracle import compare, targets  # noqa: E402

KILLS = int(os.environ.get("CDCRT_TEST_KILLS", "20"))
SEED = int(os.environ.get("CDCRT_TEST_SEED", str(time.time_ns() % 1_000_000)))


class Kill(unittest.TestCase):
    def check(self, name, kind):
        chance = random.Random(SEED)
        with tempfile.TemporaryDirectory() as folder:
            whole = self.round(name, kind(folder), folder, chance, None)[1]
        kills = 0
        while kills < KILLS:
            with tempfile.TemporaryDirectory() as folder:
                kills += self.round(name, kind(folder), folder, chance, whole, KILLS - kills)[0]

    def round(self, name, target, folder, chance, whole, kills_left=0):
        """Runs until the end of the events, with kills; (number of kills, seconds of the last run)."""
        rows = chance.choice([1, 7, 100])
        arguments = program.real_events(name, target, folder, f"sinks.target.batch.max_rows={rows}", "runtime.decode_workers=4")
        log, kills = os.path.join(folder, "log"), 0
        while True:
            began = time.monotonic()
            process = program.start(arguments, target.environment, log)
            if kills < kills_left:
                time.sleep(chance.uniform(0, whole / 2))
                if process.poll() is None:
                    kills += 1
                process.kill()
            process.wait(300)
            if process.returncode != -9:
                break
        self.assertEqual(process.returncode, 0, f"seed {SEED}: " + self.text(log))
        self.assertEqual(program.dead_letters(os.path.join(folder, "dead_letters.jsonl")), [], f"seed {SEED}")
        out = io.StringIO()
        count = compare.compare(os.path.join(program.TESTS, "data", name, "expected"), targets.open_target(target.name), out=out)
        self.assertEqual(count, 0, f"seed {SEED}, {kills} kills, {rows} rows a batch: " + out.getvalue())
        return kills, time.monotonic() - began

    @staticmethod
    def text(log):
        with open(log, encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]

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
