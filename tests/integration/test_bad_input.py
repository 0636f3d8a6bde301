"""Bad input: each piece is a dead letter or a clear error, the rest is applied, the exit code says which."""

import base64
import os
import random
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import Lines, envelope  # noqa: E402

MANIFEST = """[pipeline]
name = "bad-input"
[sources.events]
plugin = "file"
paths = {paths}
format.plugin = "debezium-json"
[sinks.target]
plugin = "odbc"
connection = {{ Driver = "SQLite3", Database = "{folder}/target.db" }}
[dead_letters]
plugin = "file"
path = "{folder}/dead_letters.jsonl"
"""


def as_bytes(field):
    """A key or value of a dead letter as the bytes that were produced."""
    if field is None:
        return None
    return base64.b64decode(field["base64"]) if isinstance(field, dict) else field.encode()


class BadInput(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder, self.lines = place.name, Lines()

    def sql(self, text):
        with sqlite3.connect(os.path.join(self.folder, "target.db")) as connection:
            return connection.execute(text).fetchall()

    def run_paths(self, paths, timeout=300):
        manifest = os.path.join(self.folder, "manifest.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(paths=paths, folder=self.folder))
        return program.run(["--manifest", manifest], folder=self.folder, timeout=timeout)

    def apply(self, exit_codes=(4,)):
        """Runs over the lines between good rows; the dead letters."""
        self.lines.good()
        events = os.path.join(self.folder, "events.jsonl")
        self.lines.write(events)
        done = self.run_paths([events])
        self.assertIn(done.exit_code, exit_codes, done.log[-3000:])
        self.assertEqual(self.sql("select id, v from good order by id"), self.lines.expected)
        dead_letters = program.dead_letters(os.path.join(self.folder, "dead_letters.jsonl"))
        self.assertEqual(done.exit_code == 4, bool(dead_letters), done.log[-3000:])
        for dead_letter in dead_letters:
            self.assertTrue(dead_letter["id"] and dead_letter["reason"] and dead_letter["message"], dead_letter)
        return dead_letters

    def one_dead_letter(self, offset, value, reason=None):
        dead_letters = self.apply()
        self.assertEqual(len(dead_letters), 1, dead_letters)
        dead_letter = dead_letters[0]
        self.assertEqual((dead_letter["topic"], dead_letter["partition"], dead_letter["offset"]), ("t.public.good", 0, offset))
        self.assertEqual(as_bytes(dead_letter["value"]), value)
        if reason:
            self.assertEqual(dead_letter["reason"], reason)
        return dead_letter

    # ---- payloads ----

    def test_a_truncated_event_is_a_dead_letter(self):
        self.lines.good()
        text = envelope("good", {"id": 99, "v": "cut"})[:-40]
        self.one_dead_letter(self.lines.message(text, '{"id":99}'), text.encode(), "undecodable")

    def test_an_empty_value_is_a_dead_letter_and_no_tombstone(self):
        self.lines.good()
        self.one_dead_letter(self.lines.message("", '{"id":1}'), b"")

    def test_json_that_is_no_event_is_a_dead_letter(self):
        for text in ("[1,2]", '"text"', "12", "{}", '{"op":"c"}', '{"op":"x","source":{"table":"good"},"after":{"id":1}}',
                     '{"before":null,"after":5,"source":{"db":"shop","schema":"public","table":"good"},"op":"c"}'):
            with self.subTest(text):
                self.setUp()
                self.lines.good()
                self.one_dead_letter(self.lines.message(text, '{"id":1}'), text.encode())

    def test_a_broken_key_is_a_dead_letter(self):
        self.lines.good()
        text = envelope("good", {"id": 99, "v": "key"}, lsn=150)
        dead_letter = self.one_dead_letter(self.lines.message(text, '{"id":'), text.encode())
        self.assertEqual(as_bytes(dead_letter["key"]), b'{"id":')

    def test_nesting_of_ten_thousand_is_a_dead_letter(self):
        self.lines.good()
        text = envelope("good", {"id": 99, "v": "NEST"}, lsn=150).replace('"NEST"', "[" * 10_000 + "]" * 10_000)
        self.one_dead_letter(self.lines.message(text, '{"id":99}'), text.encode(), "undecodable")

    def test_numbers_of_400_digits_arrive_exact(self):
        self.lines.good()
        digits = "7" * 400
        text = envelope("wide", {"id": 1, "n": "BIG", "f": "FRACTION"}, lsn=150)
        text = text.replace('"BIG"', digits).replace('"FRACTION"', "-0." + digits)
        self.lines.message(text, '{"id":1}', "t.public.wide")
        self.assertEqual(self.apply((0,)), [])
        self.assertEqual([tuple(map(str, row)) for row in self.sql("select n, f from wide")], [(digits, "-0." + digits)])

    def test_duplicate_names_in_an_event_do_not_disturb_the_others(self):
        self.lines.good()
        text = envelope("twice", {"id": 1, "v": "first"}, lsn=150).replace('"v":', '"v": "zeroth", "v":')
        self.lines.message(text, '{"id":1}', "t.public.twice")
        dead_letters = self.apply((0, 4))
        if dead_letters:
            self.assertEqual([as_bytes(dead_letter["value"]) for dead_letter in dead_letters], [text.encode()])
        else:
            self.assertIn(self.sql("select v from twice"), ([("first",)], [("zeroth",)]))

    def test_invalid_utf8_is_a_dead_letter_with_its_bytes(self):
        self.lines.good()
        offset = self.lines.message(envelope("good", {"id": 99, "v": "MARK"}, lsn=150), '{"id":99}')
        self.lines.lines[-1] = self.lines.lines[-1].replace(b"MARK", b"\xff\xfe\xc0\x80")
        dead_letters = self.apply()
        self.assertEqual(len(dead_letters), 1, dead_letters)
        self.assertIn(b"\xff\xfe\xc0\x80", as_bytes(dead_letters[0]["value"]))
        self.assertIn("base64", dead_letters[0]["value"])
        self.assertEqual(dead_letters[0]["offset"], offset)

    def test_a_table_name_with_quotes_is_a_name_and_nothing_else(self):
        name = 'x"; drop table y; --'
        self.lines.row("y", {"id": 1, "v": "stays"}, "t.public.y")
        self.lines.row(name, {"id": 1, 'col"; drop table y; --': "cell'; drop table y; --"}, "t.public.x")
        self.lines.row("y", {"id": 2, "v": "stays too"}, "t.public.y")
        self.assertEqual(self.apply((0,)), [])
        self.assertEqual(self.sql("select id, v from y order by id"), [(1, "stays"), (2, "stays too")])
        self.assertEqual(self.sql('select "col""; drop table y; --" from "x""; drop table y; --"'), [("cell'; drop table y; --",)])

    def test_the_dead_letter_of_a_row_that_the_target_refuses_holds_the_produced_bytes(self):
        self.sql("create table picky (id integer primary key, v text check (v not like '%refuse%'))")
        self.lines.good(50)
        text = envelope("picky", {"id": 2, "v": 'refuse: "q" \\ \n\t \u20ac \U0001f600 /'}, lsn=500)
        text = text.replace("\u20ac", "\\u20ac").replace("\U0001f600", "\\ud83d\\uDE00").replace(" /", " \\/")
        key = '{"id": 2}'
        self.lines.row("picky", {"id": 1, "v": "kept"}, "t.public.picky")
        offset = self.lines.message(text, key, "t.public.picky")
        self.lines.row("picky", {"id": 3, "v": "kept too"}, "t.public.picky")
        dead_letters = self.apply()
        self.assertEqual(len(dead_letters), 1, dead_letters)
        self.assertEqual((dead_letters[0]["reason"], dead_letters[0]["offset"]), ("value_refused", offset))
        self.assertEqual(as_bytes(dead_letters[0]["value"]), text.encode())
        self.assertEqual(as_bytes(dead_letters[0]["key"]), key.encode())
        self.assertEqual(self.sql("select id, v from picky order by id"), [(1, "kept"), (3, "kept too")])

    # ---- lines and files ----

    def test_a_truncated_line_is_a_dead_letter(self):
        self.lines.good()
        self.lines.raw(b'{"topic":"t.public.good","partition":0,"offset":77,"key":null,"payl')
        dead_letters = self.apply()
        self.assertEqual([as_bytes(dead_letter["value"]) for dead_letter in dead_letters],
                         [b'{"topic":"t.public.good","partition":0,"offset":77,"key":null,"payl'])

    def test_a_file_that_ends_within_a_line_loses_nothing_before(self):
        self.lines.good(20)
        events = os.path.join(self.folder, "events.jsonl")
        self.lines.write(events)
        os.truncate(events, os.path.getsize(events) - 30)
        done = self.run_paths([events])
        self.assertEqual(done.exit_code, 0, done.log[-3000:])
        self.assertIn("ends in the middle of line 20: the line is left for a later run", done.log)
        self.assertEqual(self.sql("select id, v from good order by id"), self.lines.expected[:-1])

    def test_binary_noise_is_dead_letters(self):
        self.lines.good()
        noise = random.Random(1).randbytes(100_000).replace(b"\r", b"x")
        pieces = [piece for piece in noise.split(b"\n") if piece.strip()]
        for piece in pieces:
            self.lines.raw(piece)
        dead_letters = self.apply()
        self.assertEqual(sorted(as_bytes(dead_letter["value"]) for dead_letter in dead_letters), sorted(pieces))

    def test_a_line_of_100_mb_is_applied_or_a_dead_letter(self):
        self.lines.good()
        big = "x" * 100_000_000
        self.lines.row("big", {"id": 1, "v": big}, "t.public.big")
        dead_letters = self.apply((0, 4))
        if dead_letters:
            self.assertEqual(len(dead_letters), 1)
        else:
            self.assertEqual(self.sql("select length(v) from big"), [(100_000_000,)])

    def test_noise_of_100_mb_without_a_line_end_is_one_dead_letter(self):
        self.lines.good()
        self.lines.raw(b"{" * 100_000_000)
        self.assertEqual(len(self.apply()), 1)

    def test_an_empty_file_is_no_input_and_no_error(self):
        empty = os.path.join(self.folder, "empty.jsonl")
        with open(empty, "wb"):
            pass
        done = self.run_paths([empty])
        self.assertEqual(done.exit_code, 0, done.log[-3000:])

    def test_an_empty_file_beside_a_full_one_changes_nothing(self):
        empty, full = os.path.join(self.folder, "empty.jsonl"), os.path.join(self.folder, "full.jsonl")
        with open(empty, "wb"):
            pass
        self.lines.good()
        self.lines.write(full)
        done = self.run_paths([empty, full])
        self.assertEqual(done.exit_code, 0, done.log[-3000:])
        self.assertEqual(self.sql("select id, v from good order by id"), self.lines.expected)

    def test_a_folder_is_refused_by_name(self):
        done = self.run_paths([self.folder])
        self.assertIn(done.exit_code, (2, 3), done.log[-3000:])
        self.assertIn(self.folder, done.log)

    def test_a_file_that_is_not_there_is_an_error_of_the_environment(self):
        done = self.run_paths([os.path.join(self.folder, "nowhere.jsonl")])
        self.assertEqual(done.exit_code, 3, done.log[-3000:])
        self.assertIn("nowhere.jsonl", done.log)

    def test_a_manifest_that_is_wrong_is_refused_before_anything_runs(self):
        manifest = os.path.join(self.folder, "wrong.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(paths=["events.jsonl"], folder=self.folder).replace("plugin =", "plugni =", 1))
        done = program.run(["--manifest", manifest], folder=self.folder)
        self.assertEqual(done.exit_code, 2, done.log[-3000:])
        self.assertIn("plugni", done.log)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "target.db")))


if __name__ == "__main__":
    unittest.main()
