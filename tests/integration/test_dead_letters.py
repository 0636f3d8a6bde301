"""Dead letters: what the target refuses, where they are kept, what is said of them, and that a replay applies none twice."""

import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration import test_repair as repair  # noqa: E402


class DeadLetters:
    """What both kinds of target show."""

    def swap(self):
        """Two rows that swap the value of a second unique column by way of a third one."""
        for number, value in ((1, "A"), (2, "B")):
            self.lines.row("good", {"id": number, "v": value})
        self.apply()
        self.execute("create unique index second on {good} (v)")
        for number, value, lsn in ((1, "X", 201), (2, "A", 202), (1, "B", 203)):
            self.change(number, {"id": number, "v": value}, lsn=lsn)

    def test_rows_that_swap_a_unique_value_by_way_of_a_third_are_written_in_an_order_that_exists(self):
        self.swap()
        self.apply()
        self.assertEqual(self.good(), [(1, "B"), (2, "A")])

    def test_very_many_refused_rows_are_found_and_what_they_were_is_replayed_at_once(self):
        self.lines.good(1)
        self.apply()
        self.refuse("bad")
        for number in range(2, 1502):
            self.lines.row("good", {"id": number, "v": "bad" if number % 3 == 0 else "fine"})
        self.settings.append("dead_letters.max_ratio=1.0")
        self.apply(expect=4)
        self.assertEqual(self.rows("select count(*) from {good}"), [(1001,)])
        self.mend()
        self.assertIn("500 of 500 applied", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select count(*) from {good}"), [(1501,)])
        self.assertEqual(self.table("good")["open_dead_letters"], 0)

    def test_a_refused_dead_letter_among_many_keeps_no_other_from_being_replayed(self):
        self.lines.good(1)
        self.apply()
        self.refuse("bad")
        for number in range(2, 42):
            self.lines.row("good", {"id": number, "v": "bad"})
        self.apply(expect=4)
        self.mend()
        self.execute("create unique index second on {good} (v)")
        log = self.command("dlq", "replay", expect=4)
        self.assertIn("1 of 40 applied", log)
        self.assertEqual(self.rows("select count(*) from {good} where v = 'bad'"), [(1,)])

    def test_dead_letters_of_rows_without_a_key_are_applied_once_wherever_they_are_kept(self):
        self.bare("first", 100)
        self.apply()
        self.refuse("bad", "bare")
        for lsn in (200, 201, 202):
            self.bare("bad", lsn)
        self.apply(expect=4)
        self.mend("bare")
        # Nothing can be noted beside the file: that they were applied stands in the target, with the rows.
        os.mkdir(os.path.join(self.folder, "dead_letters.jsonl.replayed"))
        self.assertIn("3 of 3 applied", self.command("dlq", "replay"))
        self.assertIn("nothing to replay", self.command("dlq", "replay"))
        os.rename(os.path.join(self.folder, "dead_letters.jsonl"), os.path.join(self.folder, "moved.jsonl"))
        moved = ["dead_letters.path=" + os.path.join(self.folder, "moved.jsonl")]
        self.assertIn("nothing to replay", self.command("dlq", "replay", settings=moved))
        self.assertIn("3 replayed", self.command("dlq", "list", settings=moved))
        self.assertEqual(self.rows("select v from {bare} order by v"), [("bad",)] * 3 + [("first",)])

    def test_dead_letters_of_rows_without_a_key_that_are_read_again_are_not_applied_twice(self):
        self.bare("first", 100)
        self.apply()
        self.refuse("bad", "bare")
        self.bare("bad", 200)
        self.apply(expect=4)
        self.mend("bare")
        name = self.table("bare")["table"]
        self.assertEqual(self.table("bare")["open_dead_letters"], 1)
        self.command("progress", "rewind", "--table", name, "--to", "earliest", "--empty")
        self.apply()
        self.assertIn("nothing to replay", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select v from {bare} order by v"), [("bad",), ("first",)])
        # Refused again, it is open again.
        self.command("progress", "rewind", "--table", name, "--to", "earliest", "--empty")
        self.refuse("bad", "bare")
        self.apply(expect=4)
        self.mend("bare")
        self.assertIn("1 of 1 applied", self.command("dlq", "replay"))
        self.assertIn("nothing to replay", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select v from {bare} order by v"), [("bad",), ("first",)])

    def test_a_dead_letter_that_changes_its_row_as_a_whole_closes_earlier_ones_in_a_replay_too(self):
        unchanged = "__debezium_unavailable_value"
        self.lines.row("good", {"id": 1, "v": "first", "w": "a"})
        self.apply()
        self.refuse("bad")
        self.change(7, {"id": 7, "v": unchanged, "w": "lost"}, lsn=200)  # of a row that is not there
        self.change(7, {"id": 7, "v": "bad", "w": "b"}, lsn=201)
        self.change(7, {"id": 7, "v": unchanged, "w": "c"}, lsn=202)
        self.apply(expect=4)
        self.mend()
        self.command("dlq", "replay", expect=4)
        self.assertEqual(self.rows("select id, v, w from {good} where id = 7"), [(7, "bad", "c")])
        self.assertEqual(self.table("good")["open_dead_letters"], 0)

    def test_a_replay_that_dies_before_its_commit_has_applied_nothing_and_the_next_applies_all_once(self):
        self.bare("first", 100)
        self.apply()
        self.refuse("bad", "bare")
        for lsn in (200, 201):
            self.bare("bad", lsn)
        self.apply(expect=4)
        self.mend("bare")
        self.assertIn("2 of 2 would be applied", self.command("dlq", "replay", "--dry-run"))  # everything but the commit
        self.assertEqual(self.rows("select v from {bare}"), [("first",)])
        self.assertIn("2 of 2 applied", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select v from {bare} order by v"), [("bad",)] * 2 + [("first",)])


class OnSqlite(DeadLetters, repair.OnSqlite):
    def test_half_a_line_that_a_crash_left_costs_no_other_dead_letter(self):
        path = os.path.join(self.folder, "dead_letters.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"id":"events/t.public.good/0/99/target/good","reason":"value_refused","mess')
        self.lines.good(1)
        self.apply()
        self.refuse("bad")
        self.lines.row("good", {"id": 7, "v": "bad"})
        self.apply(expect=4)
        listed = self.command("dlq", "list")
        self.assertIn(path + ":1: ", listed)
        self.assertIn("1 open", listed)
        self.mend()
        self.assertIn("1 of 1 applied", self.command("dlq", "replay"))

    def test_a_dead_letter_that_was_glued_to_half_a_line_is_read(self):
        self.lines.good(1)
        self.apply()
        self.refuse("bad")
        self.lines.row("good", {"id": 7, "v": "bad"})
        self.apply(expect=4)
        path = os.path.join(self.folder, "dead_letters.jsonl")
        with open(path, encoding="utf-8") as file:
            whole = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(whole[:60] + whole + "no dead letter at all\n" + whole[:40])
        listed = self.command("dlq", "list")
        for place in (":1: ", ":2: ", ":3: "):
            self.assertIn(path + place, listed)
        self.assertIn("1 open", listed)

    def test_a_place_that_takes_no_dead_letters_is_told_at_the_start(self):
        self.lines.good(1)
        with open(os.path.join(self.folder, "blocked"), "w", encoding="utf-8"):
            pass
        path = os.path.join(self.folder, "blocked", "dead_letters.jsonl")
        self.settings = ["dead_letters.path=" + path]
        log = self.apply(expect=3)
        self.assertIn(path, log)
        self.assertIn("help: ", log)

    def test_no_file_is_made_for_no_dead_letters(self):
        self.settings = ["dead_letters.path=" + os.path.join(self.folder, "deep", "folder", "dead_letters.jsonl")]
        self.lines.good(1)
        self.apply()
        self.assertFalse(os.path.exists(os.path.join(self.folder, "deep")))

    def test_the_first_dead_letter_of_each_table_and_reason_is_told_when_it_comes(self):
        self.lines.good(1)
        self.apply()
        self.refuse("bad")
        for number in (5, 6, 7):
            self.lines.row("good", {"id": number, "v": "bad"})
            self.lines.message("{", self.key(number))
        for arguments in (["--quiet"], ["--quiet", "--log-format", "json"]):
            self.command("progress", "rewind", "--topic", "t.public.good", "--to", "earliest")
            self.lines.write(os.path.join(self.folder, "events.jsonl"))
            log = self.command("run", *arguments, expect=4)
            told = [line for line in log.splitlines() if "became a dead letter" in line]
            self.assertEqual(len(told), 2, log)
            self.assertTrue(any("t.public.good[0] offset 1" in line and "value_refused" in line and "good" in line for line in told), told)
            self.assertTrue(any("t.public.good[0] offset 2" in line and "undecodable" in line for line in told), told)

    def test_what_is_shown_of_a_dead_letter_leaves_out_the_schema_unless_asked(self):
        schema = {"type": "struct", "fields": [{"field": "deeply-described", "type": "int32"}]}
        offset = self.lines.message(json.dumps({"schema": schema, "payload": {"n": 12345678901234567890123, "op": "?"}}), None)
        self.apply(expect=4)
        identity = f"events/t.public.good/0/{offset}"
        shown = self.command("dlq", "show", "--id", identity)
        self.assertNotIn("deeply-described", shown)
        self.assertIn("12345678901234567890123", shown)
        self.assertIn("deeply-described", self.command("dlq", "show", "--id", identity, "--raw"))

    def test_a_look_at_a_target_that_is_not_there_makes_none(self):
        self.lines.good(1)
        self.assertIn("nothing is kept", self.command("status"))
        self.assertFalse(os.path.exists(self.target.path))

    def test_very_many_messages_that_no_format_reads_stay_within_the_budget_of_memory(self):
        with open(os.path.join(self.folder, "events.jsonl"), "w", encoding="utf-8") as file:
            for number in range(150_000):
                file.write(json.dumps({"topic": "t.public.good", "partition": 0, "offset": number, "tstype": "create", "ts": 1, "key": str(number),
                                       "payload": "x" * 900}) + "\n")
        given = ["--manifest", self.manifest, "--manifest", self.target.overlay]
        for setting in self.settings + ["runtime.memory='64MiB'", "dead_letters.max_ratio=1.0"]:
            given += ["--set", setting]
        process = subprocess.Popen([program.BINARY, *given, "--quiet"], env={**os.environ, **self.target.environment}, cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 4)
        self.assertLess(usage.ru_maxrss, 96 * 1024)


class OnPostgresql(DeadLetters, repair.OnPostgresql):
    pass


# What the commands do in general is tested there.
for kind in (OnSqlite, OnPostgresql):
    for name in dir(kind):
        if name.startswith("test_") and hasattr(repair.Repair, name) or name in repair.OnSqlite.__dict__ and name.startswith("test_"):
            setattr(kind, name, None)
del kind

if __name__ == "__main__":
    unittest.main()
