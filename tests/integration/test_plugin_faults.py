"""A format that breaks its contract: the program says which, where and what, applies nothing of it, and goes on once it is mended."""
import os
import sqlite3
import subprocess
import tempfile
import unittest

from integration.program import BINARY, dead_letters

PLUGIN = os.environ.get("CDCRT_FAULTY_FORMAT", os.path.join(os.path.dirname(BINARY), "..", "fixtures", "integration", "format-faulty.so"))
MESSAGES = ["1,Ada", "2,Grace", "3,Edsger", "4,Barbara"]
MANIFEST = """
[pipeline]
name = "faults"
[dead_letters]
plugin = "file"
path = "dead_letters.jsonl"
[sources.lines]
plugin = "file"
paths = "people.txt"
layout = "values"
topic = "people"
[sources.lines.format]
plugin = "{plugin}"
fault = "none"
[sinks.db]
plugin = "odbc"
connection = {{ Driver = "SQLite3", Database = "target.db" }}
[routes.people]
match = ["people"]
table = "people"
"""


class PluginFaults(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.addCleanup(self.place.cleanup)
        self.write("people.txt", "".join(line + "\n" for line in MESSAGES))
        self.write("cdcrt.toml", MANIFEST.format(plugin=os.path.abspath(PLUGIN)))

    def write(self, name, text):
        with open(os.path.join(self.place.name, name), "w", encoding="utf-8") as file:
            file.write(text)

    def run_with(self, fault, *arguments):
        return subprocess.run([BINARY, "--manifest", "cdcrt.toml", "--set", f"sources.lines.format.fault={fault}", *arguments], cwd=self.place.name,
                              capture_output=True, text=True, timeout=60, check=False)

    def names(self):
        path = os.path.join(self.place.name, "target.db")
        if not os.path.exists(path):
            return []
        with sqlite3.connect(path) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'people'").fetchall():
                return []
            return [row[0] for row in database.execute("SELECT name FROM people ORDER BY id")]

    def stops_with(self, fault, text, *arguments):
        with self.subTest(fault):
            done = self.run_with(fault, *arguments)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            said = " ".join(done.stderr.split())
            for part in ("format 'faulty'", os.path.basename(PLUGIN), "people[0] offsets 0 to 3", text):
                self.assertIn(part, said)
            self.assertEqual(self.names(), [])
            self.assertEqual(dead_letters(os.path.join(self.place.name, "dead_letters.jsonl")), [])

    def test_a_row_that_breaks_the_contract_stops_the_run_before_anything_is_applied_and_a_mended_plugin_goes_on(self):
        for fault, text in {
            "backwards": "row 3 for message 0 after one for message 1: rows stand in the order of their messages (message 0, offset 0)",
            "message": "row 3 for message 4000000000, where there are messages 0 to 3",
            "shape": "a row with shape 1000, which intern() never gave (message 2, offset 2)",
            "cells": "a row whose 2 cells begin at 4000000000, where there are 8 cells",
            "before": "a row whose 2 cells begin at 1000000, where there are 8 cells",
            "nocells": "an insert without cells (message 2, offset 2)",
            "operation": "a row with operation 99, which is none (message 2, offset 2)",
            "tag": "column 'name' of table 'people' with tag 77, which is none (message 2, offset 2)",
            "bytes": "column 'name' of table 'people' with 6 bytes at a NULL pointer",
            "key": "key place 9 in a shape of table 'people', which has fewer columns",
            "reject": "a rejection of message 4, where there are messages 0 to 3",
            "throw": "none of which is applied: unexpected exception in a plugin: the sky fell",
            "fatal": "none of which is applied: cannot go on",
        }.items():
            self.stops_with(fault, text)
        done = self.run_with("none")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.names(), ["Ada", "Grace", "Edsger", "Barbara"])

    def test_values_are_looked_at_where_plugins_are_checked(self):
        for fault, text in {
            "utf8": "which is no UTF-8 (message 2, offset 2)",
            "decimal": "column 'name' of table 'people' with '1e5', which is no decimal",
            "json": "which is no JSON",
            "uuid": "'no', which is no UUID in lower case",
        }.items():
            self.stops_with(fault, text, "--check-plugins")
        done = self.run_with("none", "--check-plugins")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(self.names()), 4)

    def test_a_message_that_is_rejected_counts_not_at_all_and_once(self):
        done = self.run_with("rejected")
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
        self.assertEqual(self.names(), ["Ada", "Grace", "Barbara"])
        found = dead_letters(os.path.join(self.place.name, "dead_letters.jsonl"))
        self.assertEqual([dead_letter["offset"] for dead_letter in found], [2])

    def test_a_crash_leaves_a_last_line_that_names_plugin_and_messages(self):
        for fault, signal in {"segv": 11, "abort": 6, "fpe": 8, "stack": 11}.items():
            with self.subTest(fault):
                done = self.run_with(fault)
                self.assertEqual(done.returncode, -signal, done.stdout + done.stderr)
                last = done.stderr.splitlines()[-1]
                self.assertIn("cdcrt: crashed with SIG", last)
                self.assertIn("in decode() of format 'faulty' (", last)
                self.assertIn("for people[0] offsets 0 to 3; none of these messages is applied, the next start reads them again", last)
                self.assertEqual(self.names(), [])
        done = self.run_with("none")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(self.names()), 4)


if __name__ == "__main__":
    unittest.main()
