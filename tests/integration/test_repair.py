"""The commands for operators: what they show, and what a pipeline does after them."""

import json
import os
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import Lines, envelope, with_schema  # noqa: E402

MANIFEST = """[pipeline]
name = "repair"
[sources.events]
plugin = "file"
paths = ["{folder}/events.jsonl"]
format.plugin = "debezium-json"
"""


class Repair:
    """What both kinds of target show. Rows of table good, and of table bare, which has no key."""

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self.target = self.kind(self.folder)
        self.lines = Lines()
        self.manifest = os.path.join(self.folder, "manifest.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(folder=self.folder))
        self.settings = ["dead_letters.path=" + os.path.join(self.folder, "dead_letters.jsonl")]

    def command(self, *arguments, expect=0, settings=None):
        given = list(arguments) + ["--manifest", self.manifest, "--manifest", self.target.overlay]
        for setting in self.settings if settings is None else settings:
            given += ["--set", setting]
        done = program.run(given, self.target.environment, self.folder, timeout=120)
        self.assertEqual(done.exit_code, expect, f"{arguments}: {done.log[-3000:]}")
        return done.log

    def apply(self, expect=0):
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        return self.command("run", expect=expect)

    def json(self, *arguments):
        log = self.command(*arguments, "--output", "json")
        return json.loads(next(line for line in log.splitlines() if line.startswith("{")))

    def table(self, name):
        return next(table for table in self.json("status")["sinks"][0]["tables"] if table["table"].split(".")[-1] == name)

    def bare(self, value, lsn):
        return self.lines.message(envelope("bare", {"v": value}, lsn=lsn), None, "t.public.bare")

    def good(self):
        return self.rows("select id, v from {good} order by id")

    def key(self, number):
        return json.dumps({"id": number})

    def change(self, number, after, operation="u", lsn=1000, table="good"):
        return self.lines.message(envelope(table, after, operation, lsn=lsn), self.key(number), "t.public." + table)

    # ---- progress, tables, status ----

    def test_a_pipeline_that_never_ran_has_nothing_and_gets_nothing(self):
        for command in (["status"], ["progress", "show"], ["table", "list"]):
            self.assertIn("nothing is kept", self.command(*command))
        self.assertEqual(self.host_tables(), [])

    def test_progress_shows_where_partitions_and_tables_stand(self):
        self.lines.good(5)
        self.apply()
        shown = self.json("progress", "show")["sinks"][0]
        self.assertEqual([(part["topic"], part["partition"], part["next_offset"]) for part in shown["partitions"]], [("t.public.good", 0, 5)])
        self.assertEqual([part["next_offset"] for part in self.table("good")["partitions"]], [5])
        text = self.command("progress", "show")
        self.assertIn("t.public.good[0]", text)
        self.assertIn("lag unknown", text)

    def test_a_rewind_reads_again_what_was_changed_in_the_target(self):
        self.lines.good(5)
        self.apply()
        self.execute("delete from {good} where id in (1, 5)")
        name = self.table("good")["table"]
        self.assertIn("from offset 5 back to 3", self.command("progress", "rewind", "--table", name, "--to", "3"))
        self.apply()
        self.assertEqual([row[0] for row in self.good()], [2, 3, 4, 5])
        self.command("progress", "rewind", "--topic", "t.public.good", "--to", "earliest")
        self.apply()
        self.assertEqual(self.good(), self.lines.expected)

    def test_a_rewind_goes_back_only(self):
        self.lines.good(5)
        self.apply()
        name = self.table("good")["table"]
        self.assertIn("lies ahead", self.command("progress", "rewind", "--table", name, "--to", "9", expect=2))
        self.assertEqual(self.table("good")["partitions"][0]["next_offset"], 5)

    def test_a_table_without_a_key_is_emptied_with_its_rewind_or_refused(self):
        for number, value in enumerate("aab"):
            self.bare(value, 100 + number)
        self.apply()
        name = self.table("bare")["table"]
        self.assertIn("--empty", self.command("progress", "rewind", "--table", name, "--to", "earliest", expect=2))
        self.assertEqual(self.rows("select v from {bare} order by v"), [("a",), ("a",), ("b",)])
        self.command("progress", "rewind", "--table", name, "--to", "earliest", "--empty")
        self.assertEqual(self.rows("select v from {bare}"), [])
        self.apply()
        self.assertEqual(self.rows("select v from {bare} order by v"), [("a",), ("a",), ("b",)])

    def test_a_name_that_nothing_has_is_refused_with_the_nearest(self):
        self.lines.good(2)
        self.apply()
        name = self.table("good")["table"]
        self.assertIn(name, self.command("progress", "rewind", "--table", name[:-1], "--to", "earliest", expect=2))
        self.assertIn("t.public.good", self.command("progress", "rewind", "--topic", "t.public.goood", "--to", "earliest", expect=2))
        self.assertIn(name, self.command("table", "pause", name + "s", expect=2))
        for wrong in ("yesterday", "-1", "2026-01-31T12:00:00"):
            self.command("progress", "rewind", "--table", name, "--to=" + wrong, expect=2)
        self.command("progress", "rewind", "--to", "earliest", expect=2)
        self.command("progress", expect=2)

    def test_a_paused_table_waits_and_a_resumed_one_reads_what_it_missed(self):
        self.lines.good(3)
        self.apply()
        name = self.table("good")["table"]
        self.command("table", "pause", name, "--reason", "moved to another disk")
        self.assertIn("moved to another disk", self.command("table", "list"))
        self.lines.good(3)
        self.bare("x", 500)
        log = self.command_run_paused(name)
        self.assertIn("moved to another disk", log)
        self.assertEqual(self.good(), self.lines.expected[:3])
        self.assertEqual(self.rows("select v from {bare}"), [("x",)])
        self.command("table", "resume", name)
        self.apply()
        self.assertEqual(self.good(), self.lines.expected)
        self.assertEqual(self.rows("select v from {bare}"), [("x",)])

    def command_run_paused(self, name):
        del name
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        return self.command("run", "--set", "sinks.target.stall_after='1s'", expect=1)

    def test_a_skipped_table_lets_rows_pass_and_comes_back_by_a_rewind_or_from_now(self):
        self.lines.good(3)
        self.apply()
        name = self.table("good")["table"]
        self.command("table", "skip", name)
        self.lines.good(2)
        self.apply()
        self.assertEqual(self.good(), self.lines.expected[:3])
        self.assertIn("--from-now", self.command("table", "resume", name, expect=2))
        self.command("table", "resume", name, "--from-now")
        self.lines.good(1)
        self.apply()
        self.assertEqual(self.good(), self.lines.expected[:3] + self.lines.expected[5:])
        self.command("table", "skip", name)
        self.command("progress", "rewind", "--table", name, "--to", "earliest")
        self.apply()
        self.assertEqual(self.good(), self.lines.expected)

    # ---- dead letters ----

    def refused(self):
        """A row of three that the target refuses, later mended by mend()."""
        self.lines.good(1)
        self.apply()
        self.refuse("bad")
        self.change(1, {"id": 1, "v": "bad"}, lsn=2000)
        self.lines.row("good", {"id": 900, "v": "fine"}, "t.public.good")
        self.apply(expect=4)
        dead_letters = [json.loads(line) for line in self.command("dlq", "list", "--output", "json").splitlines() if line.startswith("{")]
        self.assertEqual([(dead_letter["reason"], dead_letter["state"]) for dead_letter in dead_letters], [("value_refused", "open")])
        return dead_letters[0]

    def test_an_open_dead_letter_is_replayed_once_its_reason_is_gone(self):
        dead_letter = self.refused()
        self.assertEqual(self.table("good")["open_dead_letters"], 1)
        self.assertIn('"v": "bad"', self.command("dlq", "show", "--id", dead_letter["id"]))
        self.assertIn("stays open", self.command("dlq", "replay", expect=4))
        self.mend()
        self.assertIn("1 of 1 would be applied", self.command("dlq", "replay", "--dry-run"))
        self.assertEqual(self.rows("select v from {good} where id = 1"), [("row 1",)])
        self.assertIn("1 of 1 applied", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select v from {good} order by id"), [("bad",), ("fine",)])
        self.assertEqual(self.table("good")["open_dead_letters"], 0)
        self.assertIn("nothing to replay", self.command("dlq", "replay"))

    def test_a_later_full_change_closes_a_dead_letter(self):
        self.refused()
        self.change(1, {"id": 1, "v": "later"}, lsn=3000)
        self.apply()
        self.assertEqual(self.table("good")["open_dead_letters"], 0)
        self.mend()
        self.assertIn("nothing to replay", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select v from {good} where id = 1"), [("later",)])

    def test_a_later_delete_closes_a_dead_letter(self):
        self.refused()
        self.lines.message(envelope("good", None, "d", before={"id": 1, "v": "row 1"}, lsn=3000), self.key(1))
        self.apply()
        self.mend()
        self.assertIn("nothing to replay", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select v from {good} where id = 1"), [])

    def test_dead_letters_of_one_row_are_replayed_in_order(self):
        self.change(1, {"id": 1, "v": "one", "w": "a"}, "c", lsn=100)
        self.apply()
        self.refuse("bad")
        self.change(1, {"id": 1, "v": "bad", "w": "b"}, lsn=200)
        self.change(1, {"id": 1, "v": "__debezium_unavailable_value", "w": "c"}, lsn=300)
        self.apply(expect=4)
        self.assertEqual(self.rows("select v, w from {good}"), [("one", "a")])
        self.assertEqual(self.table("good")["open_dead_letters"], 2)
        log = self.command("dlq", "replay", expect=4)
        self.assertIn("an earlier dead letter of its row could not be applied", log)
        self.assertEqual(self.rows("select v, w from {good}"), [("one", "a")])
        self.mend()
        self.assertIn("2 of 2 applied", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select v, w from {good}"), [("bad", "c")])

    def test_a_row_that_came_under_another_key_has_what_its_event_lacks_after_a_replay(self):
        self.change(1, {"id": 1, "v": "one", "w": "kept"}, "c", lsn=100)
        self.apply()
        self.refuse("bad")
        self.lines.message(envelope("good", None, "d", before={"id": 1, "v": None, "w": None}, lsn=200), self.key(1), "t.public.good",
                           ["__debezium.newkey", self.key(2)])
        self.lines.message(envelope("good", {"id": 2, "v": "bad", "w": "__debezium_unavailable_value"}, "c", lsn=200), self.key(2), "t.public.good",
                           ["__debezium.oldkey", self.key(1)])
        self.apply(expect=4)
        self.assertEqual(self.rows("select id, v, w from {good}"), [])
        self.mend()
        self.assertIn("1 of 1 would be applied", self.command("dlq", "replay", "--dry-run"))
        self.assertIn("1 of 1 applied", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select id, v, w from {good}"), [(2, "bad", "kept")])

    def shaped(self, number, columns, cells, operation="u", lsn=1000, partition=0):
        cells = dict(zip(columns, cells))
        payload = envelope("good", None if operation == "d" else cells, operation, cells if operation == "d" else None, lsn)
        return self.lines.message(with_schema(columns, payload), self.key(number), "t.public.good", partition=partition)

    def test_a_replay_drops_no_column_that_the_pipeline_keeps_yet(self):
        narrow = {"id": "int32", "v": "string"}
        wide = {**narrow, "w": "string"}
        self.shaped(1, wide, [1, "one", "a"], "c", 100)
        self.shaped(9, wide, [9, "nine", "a"], "c", 110, partition=1)
        self.shaped(9, narrow, [9, "nine"], "d", 500, partition=1)
        self.apply()
        self.refuse("bad")
        self.shaped(1, wide, [1, "bad", "b"], "u", 200)
        self.apply(expect=4)
        self.shaped(2, narrow, [2, "bad"], "c", 300)
        self.bare("first", 310)
        self.apply(expect=4)
        self.mend()
        self.assertIn("2 of 2 applied", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select id, v from {good} order by id"), [(1, "bad"), (2, "bad")])
        self.assertEqual(self.rows("select w from {good} where id = 1"), [("b",)])

    def test_a_dead_letter_without_an_order_is_replayed_after_a_truncate_of_another_partition(self):
        self.lines.message(envelope("good", {"id": 1, "v": "one"}, lsn=100), self.key(1), "t.public.good", partition=1)
        self.lines.message(envelope("good", None, "t", lsn=150), None, "t.public.good")
        self.lines.message(envelope("good", {"id": 2, "v": "two"}, lsn=200), self.key(2), "t.public.good", partition=1)
        self.apply()
        self.refuse("bad")
        read = json.loads(envelope("good", {"id": 1, "v": "bad"}, "r"))
        read["source"] = {**read["source"], "lsn": None, "sequence": None}
        self.lines.message(json.dumps(read), self.key(1), "t.public.good", partition=1)
        self.apply(expect=4)
        self.mend()
        self.assertIn("1 of 1 applied", self.command("dlq", "replay"))
        self.assertEqual(self.good(), [(1, "bad"), (2, "two")])

    def test_a_dead_letter_that_still_fails_does_not_keep_others_back(self):
        self.lines.good(3)
        self.apply()
        self.refuse("bad")
        for number, value in ((1, "bad"), (2, "x" * 50), (3, "bad")):
            self.change(number, {"id": number, "v": value}, lsn=200 + number)
        self.apply(expect=4)
        self.mend()
        self.refuse("no such value")
        self.change(2, {"id": 2, "v": "no such value"}, lsn=300)
        self.apply(expect=4)
        log = self.command("dlq", "replay", expect=4)
        self.assertIn("2 of 3 applied", log)
        self.assertEqual(self.rows("select v from {good} order by id"), [("bad",), ("x" * 50,), ("bad",)])
        self.assertEqual(self.table("good")["open_dead_letters"], 1)

    def test_dead_letters_of_rows_without_a_key_are_replayed_once(self):
        self.bare("first", 100)
        self.apply()
        self.refuse("bad", "bare")
        self.bare("bad", 200)
        self.apply(expect=4)
        self.mend("bare")
        self.assertIn("1 of 1 applied", self.command("dlq", "replay"))
        self.assertIn("nothing to replay", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select v from {bare} order by v"), [("bad",), ("first",)])

    def test_a_dead_letter_of_a_table_without_a_key_takes_the_row_that_a_later_one_brings(self):
        def change(before, after, lsn):
            row = {name: None if value is None else {"v": value} for name, value in (("before", before), ("after", after))}
            self.lines.message(envelope("bare", row["after"], "u" if before else "c", row["before"], lsn=lsn), None, "t.public.bare")

        change(None, "one", 100)
        self.apply()
        self.refuse("bad", "bare")
        change("one", "bad", 200)    # refused
        change(None, "bad", 210)     # refused
        change("bad", "one", 220)    # finds no row
        change("one", "three", 230)  # takes the first one's row
        self.apply(expect=4)
        self.mend("bare")
        self.assertIn("3 of 3 applied", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select v from {bare} order by v"), [("bad",), ("three",)])

    def test_dead_letters_in_the_target_are_listed_and_replayed_as_well(self):
        self.settings = ["dead_letters.plugin=table"]
        self.test_an_open_dead_letter_is_replayed_once_its_reason_is_gone()
        self.bare("first", 100)
        self.apply()
        self.refuse("bad", "bare")
        self.bare("bad", 200)
        self.apply(expect=4)
        self.mend("bare")
        self.assertIn("1 of 1 applied", self.command("dlq", "replay"))
        self.assertIn("nothing to replay", self.command("dlq", "replay"))
        self.assertIn("2 dead letters", self.command("dlq", "list", "--all"))

    def test_a_message_that_no_format_reads_is_no_dead_letter_to_replay(self):
        self.lines.good(1)
        self.lines.message("{", self.key(7))
        self.apply(expect=4)
        self.assertIn("belongs to no table", self.command("dlq", "replay", expect=4))

    def test_a_run_stops_when_the_budget_of_dead_letters_is_spent(self):
        for number in range(3):
            self.lines.message("{", self.key(number))
        self.settings.append("dead_letters.max_count=2")
        log = self.apply(expect=1)
        self.assertIn("3 dead letters in this run are more than max_count = 2", log)
        self.assertIn("3 undecodable", log)
        self.settings[-1] = "dead_letters.max_count=3"
        self.apply(expect=4)

    def test_an_unknown_dead_letter_is_refused(self):
        self.lines.good(1)
        self.apply()
        self.command("dlq", "show", "--id", "nothing", expect=2)
        self.command("dlq", "show", expect=2)


class OnSqlite(Repair, unittest.TestCase):
    kind = program.SqliteTarget

    def connection(self):
        return sqlite3.connect(self.target.path)

    def rows(self, text):
        connection = self.connection()
        try:
            return connection.execute(text.format(good="good", bare="bare")).fetchall()
        finally:
            connection.close()

    def execute(self, text):
        connection = self.connection()
        with connection:
            connection.execute(text.format(good="good", bare="bare"))
        connection.close()

    def host_tables(self):
        return self.rows("select name from sqlite_master where name like 'cdcrt%'")

    def refuse(self, value, table="good"):
        for event in ("insert", "update"):
            self.execute(f"create trigger refuse_{table}_{event} before {event} on {table} when new.v = '{value}' "
                         "begin select raise(abort, 'CHECK constraint failed'); end")

    def mend(self, table="good"):
        for event in ("insert", "update"):
            self.execute(f"drop trigger refuse_{table}_{event}")

    def test_a_target_that_is_not_there_is_an_error_of_the_environment(self):
        self.command("status", expect=3, settings=["sinks.target.connection.Database=/nowhere/at/all.db"])


class OnPostgresql(Repair, unittest.TestCase):
    kind = program.PostgresqlTarget

    def sql(self, text):
        return self.target.server.query(self.target.environment["CDCRT_TEST_DATABASE"], text.format(good="public.good", bare="public.bare"))

    def rows(self, text):
        return [tuple(int(cell) if cell.isdigit() else cell for cell in row) for row in self.sql(text)]

    def execute(self, text):
        self.target.server.sql(self.target.environment["CDCRT_TEST_DATABASE"], text.format(good="public.good", bare="public.bare"))

    def host_tables(self):
        return self.sql("select table_name from information_schema.tables where table_schema = 'cdcrt'")

    def refuse(self, value, table="good"):
        self.execute(f"alter table public.{table} add constraint refuse check (v <> '{value}')")

    def mend(self, table="good"):
        self.execute(f"alter table public.{table} drop constraint refuse")


if __name__ == "__main__":
    unittest.main()
