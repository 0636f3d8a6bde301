"""What earlier versions left: this one goes on from it, and leaves what they can go on from."""

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from integration.program import BINARY, TESTS

RELEASES = ["0.1.0"]


def statements(database):
    """The definitions of cdcrt's own tables."""
    return dict(database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name LIKE 'cdcrt%'"))


class Progress(unittest.TestCase):
    def begin(self, version):
        place = tempfile.TemporaryDirectory(prefix="cdcrt-compatibility-")
        self.addCleanup(place.cleanup)
        self.folder = place.name
        kept = os.path.join(TESTS, "data", "progress-" + version)
        for name in ("manifest.toml", "events.jsonl"):
            shutil.copy(os.path.join(kept, name), self.folder)
        database = sqlite3.connect(os.path.join(self.folder, "target.db"))
        self.addCleanup(database.close)
        with open(os.path.join(kept, "progress.sql"), encoding="utf-8") as file:
            database.executescript(file.read())
        return database

    def run_with(self, *arguments, expect=0):
        done = subprocess.run([BINARY, *arguments, "--manifest", "manifest.toml"], cwd=self.folder, text=True, timeout=120, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, expect, done.stdout)
        return done.stdout

    def test_what_was_kept_has_every_table_in_use(self):
        for version in RELEASES:
            database = self.begin(version)
            for name in statements(database):
                self.assertGreater(database.execute(f"SELECT count(*) FROM {name}").fetchone()[0], 0, name)

    def test_an_upgrade_goes_on_where_the_earlier_version_stood(self):
        for version in RELEASES:
            with self.subTest(version):
                database = self.begin(version)
                self.assertIn("moved to another disk", self.run_with("table", "list"))
                self.run_with("table", "resume", "waits")
                self.run_with("run", expect=4)  # a partial change of the row of an open dead letter

                def rows(text, database=database):
                    return database.execute(text).fetchall()

                # Both halves of two key changes, of which it had read one.
                self.assertEqual(rows("SELECT id, v, w FROM good ORDER BY id"), [(3, "row 3", "kept 3"), (11, "one", "kept 1"), (12, "two", "kept 2")])
                self.assertEqual(rows("SELECT count(*) FROM cdcrt_key_changes"), [(0,)])
                # What is older than what its rows have, or than their deletes.
                self.assertEqual(rows("SELECT id, v FROM ordered"), [(1, "b")])
                self.assertEqual(rows("SELECT id, v FROM waits ORDER BY id"), [(1, "before"), (2, "after")])
                # Nothing twice, also where a replay brought it.
                self.assertEqual(sorted(rows("SELECT v FROM bare")), [("bad",), ("one",), ("three",), ("two",)])
                self.assertIn("2 of 2 applied", self.run_with("dlq", "replay"))
                self.assertEqual(rows("SELECT v, w FROM good WHERE id = 3"), [("bad", "five")])
                self.run_with("run")
                self.assertEqual(rows("SELECT count(*) FROM bare"), [(4,)])

    def test_a_rollback_within_a_format_version_finds_the_tables_that_the_earlier_version_made(self):
        for version in RELEASES:
            with self.subTest(version):
                database = self.begin(version)
                before = statements(database)
                format_version = database.execute("SELECT format_version FROM cdcrt_format").fetchone()
                self.run_with("table", "resume", "waits")
                self.run_with("run", expect=4)
                if database.execute("SELECT format_version FROM cdcrt_format").fetchone() == format_version:
                    self.assertEqual(statements(database), before)

    def test_what_a_newer_version_left_is_refused_and_not_touched(self):
        database = self.begin(RELEASES[-1])
        database.execute("UPDATE cdcrt_format SET format_version = format_version + 1")
        database.commit()
        before = list(database.iterdump())
        self.assertRegex(self.run_with("run", expect=1), r"has format_version \d+, this cdcrt knows \d+")
        self.assertEqual(list(database.iterdump()), before)

    def test_the_documents_say_which_format_each_version_has(self):
        with open(os.path.join(TESTS, "..", "docs", "compatibility.md"), encoding="utf-8") as file:
            told = dict(re.findall(r"^\| (\d+\.\d+\.\d+) \| (\d+) \|$", file.read(), re.MULTILINE))
        for version in RELEASES:
            database = self.begin(version)
            self.assertEqual(database.execute("SELECT format_version FROM cdcrt_format").fetchone(), (int(told[version]),))


if __name__ == "__main__":
    unittest.main()
