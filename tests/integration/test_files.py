"""Files as a source: their order, what came in their place, those that leave, come late or grow, and pipes."""

import gzip
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import envelope  # noqa: E402

MANIFEST = """[pipeline]
name = "files"
[sources.events]
plugin = "file"
%s
format.plugin = "debezium-json"
%s
[sinks.db]
plugin = "odbc"
connection = { Driver = "SQLite3", Database = "target.db" }
[dead_letters]
path = "dead_letters.jsonl"
%s
"""
VALUES = 'layout = "values"\ntopic = "s.public.t"'
KEYED = '[defaults]\nprimary_key = ["id"]'


def message(number, value="x", key=None):
    return {"topic": "s.public.t", "partition": 0, "offset": number, "tstype": "create", "ts": 1_700_000_000_000,
            "key": json.dumps({"id": number if key is None else key}),
            "payload": envelope("t", {"id": number if key is None else key, "v": value}, lsn=number + 1)}


def kcat(numbers, value="x"):
    return "".join(json.dumps(message(number, value)) + "\n" for number in numbers)


def values(numbers, value="x"):
    return "".join(message(number, value)["payload"] + "\n" for number in numbers)


class Files(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        os.mkdir(self.path("in"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode="w"):
        with open(self.path(name), mode, encoding="utf-8") as file:
            file.write(text)

    def manifest(self, paths, layout="", keys="", defaults=""):
        self.write("manifest.toml", MANIFEST % (f"paths = {json.dumps(paths)}\n{layout}", keys, defaults))

    def manifest_of_values(self, paths, defaults=KEYED):
        self.manifest(paths, VALUES, 'format.keys = "ignore"', defaults)

    def run_it(self, exit_code=0, *arguments):
        done = program.run(list(arguments) or ["--manifest", self.path("manifest.toml")], folder=self.folder, timeout=60)
        self.assertEqual(done.exit_code, exit_code, done.log)
        return done.log

    def rewind(self, *more):
        self.run_it(0, "progress", "rewind", "--manifest", self.path("manifest.toml"), "--topic", "s.public.t", "--to", "earliest", *more)

    def run_with_input(self, text, exit_code=0):
        done = subprocess.run([program.BINARY, "--manifest", self.path("manifest.toml")], input=text.encode(), cwd=self.folder, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        log = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, exit_code, log)
        return log

    def rows(self, what="id"):
        with sqlite3.connect(self.path("target.db")) as database:
            return sorted(row[0] for row in database.execute(f"SELECT {what} FROM t"))


class Order(Files):
    def test_numbers_in_names_count_as_numbers(self):
        for number in range(1, 12):
            self.write(f"in/events-{number}.jsonl", kcat(range(3 * number - 3, 3 * number)))
        self.manifest(["in/events-*.jsonl"])
        log = self.run_it()
        self.assertEqual(self.rows(), list(range(33)))
        self.assertNotIn("already read", log)

    def test_files_that_are_not_in_the_order_of_their_offsets_are_refused_and_the_advice_reads_everything(self):
        self.write("in/events.jsonl", kcat(range(6, 9)))
        self.write("in/events.jsonl.1", kcat(range(3, 6)))
        self.write("in/events.jsonl.2", kcat(range(0, 3)))
        self.manifest(["in/events.jsonl*"])
        self.assertIn("not in the order of their offsets", self.run_it(2))
        self.manifest(["in/events.jsonl.2", "in/events.jsonl.1", "in/events.jsonl"])
        self.run_it()
        self.assertEqual(self.rows(), list(range(9)))

    def test_a_message_that_comes_behind_later_ones_stops_the_source_and_the_advice_reads_everything(self):
        self.write("in/1.jsonl", kcat([0, *range(5, 9)]))
        self.write("in/2.jsonl", kcat(range(1, 5)))
        self.manifest(["in/*"])
        self.assertIn("comes after offset 8, and was not read before", self.run_it(1))
        self.write("in/1.jsonl", kcat([0]))
        self.write("in/3.jsonl", kcat(range(5, 9)))
        self.rewind()
        self.run_it()
        self.assertEqual(self.rows(), list(range(9)))

    def test_captures_that_overlap_are_read_once(self):
        self.write("in/1.jsonl", kcat(range(0, 6)))
        self.write("in/2.jsonl", kcat(range(4, 9)))
        self.manifest(["in/*.jsonl"], defaults='[defaults]\nmode = "append"')
        self.run_it()
        self.run_it()
        self.assertEqual(self.rows(), list(range(9)))


class Replaced(Files):
    def test_another_log_under_the_same_name_is_refused_and_the_advice_reads_it(self):
        self.write("events.jsonl", kcat(range(5), "old"))
        self.manifest(["events.jsonl"])
        self.run_it()
        for count in (5, 9):
            self.write("events.jsonl", kcat(range(count), "new"))
            log = self.run_it(1)
            self.assertIn("s.public.t[0]: the message at offset 4 is not the one that was applied", log)
            self.assertEqual(set(self.rows("v")), {"old"})
        self.rewind()
        self.run_it()
        self.assertEqual(self.rows("id || v"), [f"{number}new" for number in range(9)])
        self.run_it()

    def test_a_shorter_log_under_the_same_name_is_refused(self):
        self.write("events.jsonl", kcat(range(5), "old"))
        self.manifest(["events.jsonl"])
        self.run_it()
        self.write("events.jsonl", kcat(range(3), "new"))
        self.assertIn("3 messages of", self.run_it(1))
        self.rewind("--empty")
        self.run_it()
        self.assertEqual(self.rows("id || v"), ["0new", "1new", "2new"])

    def test_a_part_of_the_log_that_comes_late_is_not_passed_over_without_a_word(self):
        self.write("in/2.jsonl", kcat(range(3, 6)))
        self.manifest(["in/*.jsonl"])
        self.run_it()
        self.write("in/1.jsonl", kcat(range(0, 3)))
        log = self.run_it()
        self.assertIn("3 messages of", log)
        self.rewind()
        self.run_it()
        self.assertEqual(self.rows(), list(range(6)))

    def test_the_same_file_and_one_that_grew_go_on(self):
        self.write("events.jsonl", kcat(range(5)))
        self.manifest(["events.jsonl"], defaults='[defaults]\nmode = "append"')
        self.run_it()
        self.run_it()
        self.write("events.jsonl", kcat(range(5, 7)), "a")
        self.run_it()
        os.remove(self.path("events.jsonl"))
        with gzip.open(self.path("events.jsonl"), "wt", encoding="utf-8") as file:
            file.write(kcat(range(8)))
        self.run_it()
        self.assertEqual(self.rows(), list(range(8)))

    def test_noise_of_another_file_under_the_same_name_is_not_taken_for_the_old_one(self):
        self.write("events.jsonl", kcat(range(2)) + "noise 1\n")
        self.manifest(["events.jsonl"])
        self.run_it(4)
        self.write("events.jsonl", kcat([2]) + "noise 2\n" + kcat([3]))
        self.run_it(4)
        self.run_it()
        self.assertEqual(len(program.dead_letters(self.path("dead_letters.jsonl"))), 2)
        self.assertEqual(self.rows(), [0, 1, 2, 3])


class Headers(Files):
    def test_no_header_of_a_producer_makes_a_dead_letter_of_its_message(self):
        lines = []
        for number, name in enumerate(("cdcrt.unreadable", "cdcrt.reason", "cdcrt.id", "cdcrt", "")):
            lines.append(json.dumps({**message(number), "headers": [name, "x"]}) + "\n")
        self.write("events.jsonl", "".join(lines))
        self.manifest(["events.jsonl"])
        self.run_it()
        self.assertEqual(self.rows(), list(range(5)))


class Values(Files):
    def test_files_that_leave_or_come_late_lose_nothing_and_are_read_once(self):
        self.manifest_of_values(["in/*.jsonl"], '[defaults]\nmode = "append"')
        self.write("in/day2.jsonl", values(range(100, 106)))
        self.run_it()
        self.write("in/day1.jsonl", values(range(0, 4)))
        self.assertIn("is read after it", self.run_it())
        self.run_it()
        self.assertEqual(self.rows(), [0, 1, 2, 3, *range(100, 106)])
        os.mkdir(self.path("done"))
        os.rename(self.path("in/day2.jsonl"), self.path("done/day2.jsonl"))
        self.write("in/day3.jsonl", values(range(200, 202)))
        self.run_it()
        os.rename(self.path("in/day1.jsonl"), self.path("done/day1.jsonl"))
        os.rename(self.path("done/day2.jsonl"), self.path("in/day2.jsonl"))
        self.run_it()
        self.assertEqual(self.rows(), [0, 1, 2, 3, *range(100, 106), 200, 201])

    def test_a_file_moved_away_before_the_next_comes_is_not_missed(self):
        self.manifest_of_values(["in/*.jsonl"])
        self.write("in/day1.jsonl", values(range(0, 4)))
        self.run_it()
        os.rename(self.path("in/day1.jsonl"), self.path("day1"))
        self.write("in/day2.jsonl", values(range(100, 106)))
        self.run_it()
        self.assertEqual(self.rows(), [0, 1, 2, 3, *range(100, 106)])

    def test_a_file_that_is_packed_later_is_the_same_and_another_one_under_its_name_is_not(self):
        self.manifest_of_values(["in/*"], '[defaults]\nmode = "append"')
        self.write("in/day.jsonl", values(range(3)))
        self.run_it()
        os.remove(self.path("in/day.jsonl"))
        with gzip.open(self.path("in/day.jsonl.gz"), "wt", encoding="utf-8") as file:
            file.write(values(range(4)))
        self.run_it()
        os.remove(self.path("in/day.jsonl.gz"))
        self.write("in/day.jsonl", values(range(10, 12)))
        self.assertIn("is read as a new file", self.run_it())
        self.assertEqual(self.rows(), [0, 1, 2, 3, 10, 11])

    def test_a_file_under_another_name_is_told(self):
        self.manifest_of_values(["in/*"])
        self.write("in/a.jsonl", values(range(3)))
        self.run_it()
        os.rename(self.path("in/a.jsonl"), self.path("in/b.jsonl"))
        self.assertIn("begins with the same line as a.jsonl", self.run_it())
        self.assertEqual(self.rows(), [0, 1, 2])

    def test_a_rotated_file_is_told_also_where_each_file_is_a_topic_of_its_own(self):
        self.manifest(["in/*"], VALUES.split("\n")[0], 'format.keys = "ignore"', '[defaults]\nmode = "append"')
        self.write("in/day.jsonl", values(range(3)))
        self.run_it()
        os.rename(self.path("in/day.jsonl"), self.path("in/day.jsonl.1"))
        self.write("in/day.jsonl", values(range(3, 5)))
        self.assertIn("day.jsonl.1 begins with the same line as day.jsonl", self.run_it())

    def test_a_file_that_was_cut_or_changed_is_refused(self):
        self.manifest_of_values(["in/*"])
        self.write("in/day.jsonl", values(range(5)))
        self.run_it()
        self.write("in/day.jsonl", values(range(3)))
        self.assertIn("has 3 lines, but 5 of it were applied", self.run_it(1))
        self.write("in/day.jsonl", values(range(3)) + values(range(3, 7), "changed"))
        self.assertIn("is not the one that was applied", self.run_it(1))
        self.rewind()
        self.run_it()
        self.assertEqual(self.rows(), list(range(7)))

    def test_a_file_that_grows_after_others_behind_it_were_read_is_not_passed_over(self):
        self.manifest_of_values(["in/*"])
        self.write("in/1.jsonl", values(range(2)))
        self.run_it()
        self.write("in/1.jsonl", values([2]), "a")
        self.write("in/2.jsonl", values(range(10, 12)))
        self.run_it()
        self.write("in/2.jsonl", values([12]), "a")
        self.run_it()
        self.write("in/1.jsonl", values([3]), "a")
        self.assertIn("has grown from 3 to 4 lines", self.run_it(1))
        self.write("in/1.jsonl", values(range(3)))
        self.write("in/1-more.jsonl", values([3]))
        self.run_it()
        self.assertEqual(self.rows(), [0, 1, 2, 3, 10, 11, 12])
        self.write("in/1.jsonl", values([4]), "a")
        self.run_it(1)
        self.rewind()
        self.run_it()
        self.run_it()
        self.assertEqual(self.rows(), [0, 1, 2, 3, 4, 10, 11, 12])

    def test_rows_are_read_again_after_a_rewind_in_the_order_in_which_the_files_were_met(self):
        self.manifest_of_values(["in/*"])
        self.write("in/b.jsonl", values([1, 2], "first"))
        self.run_it()
        self.write("in/a.jsonl", values([2, 3], "second"))
        self.run_it()
        self.rewind("--empty")
        self.run_it()
        self.assertEqual(self.rows("id || v"), ["1first", "2second", "3second"])

    def test_status_and_progress_do_not_show_the_notes_of_the_source(self):
        self.manifest_of_values(["in/*"])
        self.write("in/day.jsonl", values(range(5)))
        self.run_it()
        shown = self.run_it(0, "progress", "show", "--manifest", self.path("manifest.toml"))
        self.assertIn("events s.public.t[0]", shown)
        self.assertNotIn("day.jsonl", shown)


class Growing(Files):
    def test_half_a_last_line_is_read_once_it_is_whole(self):
        for layout, lines in (("values", values(range(4))), ("kcat", kcat(range(4)))):
            with self.subTest(layout=layout):
                self.setUp()
                if layout == "values":
                    self.manifest_of_values(["events.jsonl"])
                else:
                    self.manifest(["events.jsonl"])
                third = len("".join(lines.splitlines(keepends=True)[:2]))
                for end in (10, third + 10, third + 100, len(lines) - 2):
                    self.write("events.jsonl", lines[:end])
                    self.run_it()
                self.write("events.jsonl", lines)
                self.run_it()
                self.assertEqual(self.rows(), [0, 1, 2, 3])
                self.assertFalse(os.path.exists(self.path("dead_letters.jsonl")))

    def test_a_last_line_without_a_newline_is_read_when_it_is_whole(self):
        self.manifest_of_values(["events.jsonl"], '[defaults]\nmode = "append"')
        self.write("events.jsonl", values(range(3))[:-1])
        self.run_it()
        self.assertEqual(self.rows(), [0, 1, 2])
        self.write("events.jsonl", values(range(5)))
        self.run_it()
        self.assertEqual(self.rows(), [0, 1, 2, 3, 4])

    def test_half_a_line_before_other_files_is_a_dead_letter_or_stops_what_would_pass_it(self):
        self.write("in/1.jsonl", kcat(range(2)) + kcat([2])[:50])
        self.write("in/2.jsonl", kcat(range(2, 4)))
        self.manifest(["in/*"])
        self.run_it(4)
        self.assertEqual(self.rows(), [0, 1, 2, 3])
        self.setUp()
        self.manifest_of_values(["in/*"])
        self.write("in/1.jsonl", values(range(2)) + values([2])[:50])
        self.write("in/2.jsonl", values(range(3, 5)))
        self.assertIn("ends in the middle of line 3", self.run_it(1))
        self.write("in/1.jsonl", values(range(3)))
        self.run_it()
        self.assertEqual(self.rows(), [0, 1, 2, 3, 4])

    def test_a_run_while_the_file_is_written_reads_whole_lines_and_the_next_the_rest(self):
        self.manifest_of_values(["events.jsonl"], '[defaults]\nmode = "append"')
        lines = values(range(3000))
        writer = subprocess.Popen([sys.executable, "-c", """
import sys, time
text = sys.stdin.read()
with open(sys.argv[1], "w") as file:
    for start in range(0, len(text), 40001):
        file.write(text[start:start + 40001])
        file.flush()
        time.sleep(0.02)
""", self.path("events.jsonl")], stdin=subprocess.PIPE, text=True)
        self.write("events.jsonl", "")
        writer.stdin.write(lines)
        writer.stdin.close()
        while writer.poll() is None:
            self.run_it()
        self.run_it()
        self.assertEqual(self.rows(), list(range(3000)))


class Pipes(Files):
    def test_plain_values_from_standard_input_are_refused_a_second_time_with_the_way_out(self):
        self.manifest_of_values(["-"], '[defaults]\nmode = "append"')
        self.run_with_input(values(range(1)))
        log = self.run_with_input(values(range(1, 4)), 1)
        self.assertIn("standard input was read before, up to line 1", log)
        self.assertIn("progress rewind --topic s.public.t --to earliest", log)
        self.assertEqual(self.rows(), [0])
        self.rewind("--empty")
        self.run_with_input(values(range(1, 4)))
        self.assertEqual(self.rows(), [1, 2, 3])

    def test_captured_messages_from_standard_input_go_on_by_their_positions(self):
        self.manifest(["-"])
        self.run_with_input(kcat(range(3)) + "noise\n", 4)
        self.run_with_input(kcat(range(5)) + "other noise\n", 4)
        self.assertEqual(self.rows(), [0, 1, 2, 3, 4])
        self.assertEqual(len(program.dead_letters(self.path("dead_letters.jsonl"))), 2)
        self.assertIn("is not the one that was applied", self.run_with_input(kcat(range(9), "other"), 1))


if __name__ == "__main__":
    unittest.main()
