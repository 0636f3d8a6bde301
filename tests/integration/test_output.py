"""What is printed: names that others wrote cannot move a cursor or begin a line, and output that nobody can read is an error."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import envelope  # noqa: E402

EVIL = "t\x1b[31m\nERROR all is lost\x9b2J\u202e"
MANIFEST = """[pipeline]
name = "output"
[sources.events]
plugin = "file"
paths = ["events*.jsonl"]
format.plugin = "debezium-json"
[sinks.db]
plugin = "odbc"
connection = { Driver = "SQLite3", Database = "target.db" }
[dead_letters]
path = "dead_letters.jsonl"
"""


class Output(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self.manifest = os.path.join(self.folder, "manifest.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST)

    def events(self, messages, name="events.jsonl"):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            for message in messages:
                file.write((message if isinstance(message, str) else json.dumps(message)) + "\n")

    @staticmethod
    def message(offset, table, after, topic=None, payload=None):
        return {"topic": topic or "s." + table, "partition": 0, "offset": offset, "tstype": "create", "ts": 1_700_000_000_000,
                "key": json.dumps({"id": after["id"]}), "payload": payload or envelope(table, after, lsn=offset + 1)}

    def call(self, *arguments, stdout=subprocess.PIPE):
        return subprocess.run([program.BINARY, *arguments], cwd=self.folder, stdout=stdout, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              timeout=60, check=False)

    def test_names_of_tables_columns_topics_and_files_are_escaped_in_every_line(self):
        self.events([self.message(0, EVIL, {"id": 1, "c" + EVIL: 5}), self.message(1, EVIL, {"id": 2, "c" + EVIL: "x"}),
                     self.message(0, EVIL, {"id": 3}, "u" + EVIL, "no json " + EVIL), "noise " + EVIL.replace("\n", "")], "events" + EVIL.replace("/", "") + ".jsonl")
        printed = []
        for arguments in (["--manifest", self.manifest], ["--manifest", self.manifest, "--log-format", "json"],
                          ["--manifest", self.manifest, "--output", "json"], ["status", "-m", self.manifest], ["table", "list", "-m", self.manifest],
                          ["progress", "show", "-m", self.manifest], ["progress", "show", "-m", self.manifest, "--output", "json"],
                          ["table", "pause", "-m", self.manifest, "--table", EVIL], ["table", "pause", "-m", self.manifest, "--table", "no" + EVIL],
                          ["route", "-m", self.manifest, "a." + EVIL], ["status", "-m", self.manifest], ["dlq", "list", "-m", self.manifest],
                          ["dlq", "replay", "-m", self.manifest], ["progress", "rewind", "-m", self.manifest, "--topic", "s." + EVIL, "--to", "earliest"],
                          ["progress", "rewind", "-m", self.manifest, "--topic", "no" + EVIL, "--to", "earliest"], ["no" + EVIL], ["--no" + EVIL],
                          ["-m", self.manifest, "--set", "pipeline." + EVIL + "=1"], ["-m", "no" + EVIL], ["plugin", "describe", "no" + EVIL]):
            done = self.call(*arguments)
            printed.append((arguments, done.stdout + done.stderr))
        listed = json.loads("[" + ",".join(self.call("dlq", "list", "-m", self.manifest, "--output", "json", "--all").stdout.decode().strip().split("\n")) + "]")
        self.assertGreaterEqual(len(listed), 2)
        for dead_letter in listed:
            for more in ([], ["--raw"], ["--output", "json"]):
                done = self.call("dlq", "show", "-m", self.manifest, "--id", dead_letter["id"], *more)
                self.assertEqual(done.returncode, 0, done.stderr)
                printed.append((["dlq", "show", *more], done.stdout + done.stderr))
        for arguments, text in printed:
            with self.subTest(arguments=[argument.encode("unicode_escape") for argument in arguments]):
                self.assertNotRegex(text.decode(), "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
                self.assertNotRegex(text.decode(), "(?m)^ERROR all is lost")

    def test_output_that_cannot_be_written_is_an_error(self):
        self.events([self.message(0, "t", {"id": 1}), self.message(0, "u", {"id": 3}, "u", "no json")])
        self.assertEqual(self.call("--manifest", self.manifest, "--quiet").returncode, 4)
        dead_letter = json.loads(self.call("dlq", "list", "-m", self.manifest, "--output", "json").stdout.decode().splitlines()[0])["id"]
        for arguments in (["status", "-m", self.manifest], ["status", "-m", self.manifest, "--output", "json"], ["table", "list", "-m", self.manifest],
                          ["progress", "show", "-m", self.manifest], ["dlq", "list", "-m", self.manifest], ["dlq", "show", "-m", self.manifest, "--id", dead_letter],
                          ["validate", "-m", self.manifest], ["route", "-m", self.manifest, "t"], ["plugin", "list"], ["plugin", "describe", "source-file"],
                          ["plugin", "describe", "source-file", "--output", "markdown"], ["--version"], ["version"], ["--help"], ["reference", "errors"],
                          ["--manifest", self.manifest], ["--manifest", self.manifest, "--output", "json"]):
            with self.subTest(arguments=arguments), open("/dev/full", "wb") as full:
                done = self.call(*arguments, stdout=full)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(b"could not be written to standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
