"""What somebody took away in the target: a table, a column, the tables that cdcrt keeps its progress in. The table stops with the choices, the
others go on, and each choice that is named leads where it says."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import test_repair as repair  # noqa: E402


class TargetLoss:
    """What both kinds of target show."""

    def setUp(self):
        super().setUp()
        self.settings.append("sinks.target.stall_after='1s'")

    def three_rows(self):
        self.lines.good(3)
        self.bare("first", 100)
        self.apply()

    def stops(self, *texts, table="good"):
        """Two more rows for each table: the one that lost something stops, the other goes on."""
        self.lines.good(2)
        self.bare(f"more {self.lines.offset}", 200 + self.lines.offset)
        log = self.apply(expect=1)
        for text in texts:
            self.assertIn(text, log)
        told = self.table(table)
        self.assertIn("not in the target any more" if table == "good" else "no progress is kept", told["reason"])
        return told["table"]

    def emptied(self, name):
        self.command("progress", "rewind", "--table", name, "--to", "earliest", "--empty")
        self.apply()

    def test_a_table_that_was_dropped_is_not_made_again_without_a_word_and_made_anew_when_it_is_asked_for(self):
        self.three_rows()
        self.execute("drop table {good}")
        name = self.stops("dropped or renamed", "progress rewind", "table resume")
        self.assertEqual(len(self.rows("select v from {bare}")), 2)
        self.emptied(name)
        self.assertEqual(self.good(), self.lines.expected)

    def test_a_table_that_was_dropped_goes_on_without_its_rows_when_an_operator_resumes_it(self):
        self.three_rows()
        self.execute("drop table {good}")
        name = self.stops()
        self.command("table", "resume", name)
        self.apply()
        self.assertEqual(self.good(), self.lines.expected[3:])

    def test_a_table_that_was_renamed_goes_on_when_it_has_its_name_again(self):
        self.three_rows()
        self.execute("alter table {good} rename to elsewhere")
        self.stops("dropped or renamed")
        self.execute(self.back)
        self.apply()
        self.assertEqual(self.good(), self.lines.expected)

    def test_a_column_that_was_dropped_does_not_come_back_empty_without_a_word(self):
        self.three_rows()
        self.execute("alter table {good} drop column v")
        name = self.stops("column 'v'", "table resume")
        self.command("table", "resume", name)
        self.apply()
        self.assertEqual(self.rows("select id, v from {good} where id > 3 order by id"), self.lines.expected[3:])
        self.assertEqual(self.rows("select count(*) from {good} where v is null"), [(3,)])
        self.emptied(name)
        self.assertEqual(self.good(), self.lines.expected)

    def test_a_column_of_the_key_that_was_dropped_stops_the_table(self):
        self.three_rows()
        self.drop_key()
        name = self.stops("column 'id'", "progress rewind")
        self.emptied(name)
        self.assertEqual(self.good(), self.lines.expected)

    def test_rows_are_not_added_a_second_time_when_the_progress_was_dropped(self):
        for choice in ("empty", "resume"):
            with self.subTest(choice):
                self.tearDown()
                self.doCleanups()
                self.setUp()
                self.three_rows()
                self.drop_progress()
                name = self.stops("no progress is kept of it", table="bare")
                self.assertEqual(self.rows("select v from {bare}"), [("first",)])
                self.assertEqual(self.good(), self.lines.expected)
                if choice == "empty":
                    self.emptied(name)
                    self.assertEqual(len(self.rows("select v from {bare}")), 2)
                else:
                    self.command("table", "resume", name)
                    self.apply()
                    self.assertEqual(len(self.rows("select v from {bare}")), 3)


class OnSqlite(TargetLoss, repair.OnSqlite):
    back = "alter table elsewhere rename to good"

    def drop_key(self):
        self.execute("create table other (v text)")
        self.execute("insert into other select v from good")
        self.execute("drop table good")
        self.execute("alter table other rename to good")

    def drop_progress(self):
        for name, in self.host_tables():
            if not name.startswith("sqlite_"):
                self.execute(f"drop table if exists {name}")


class OnPostgresql(TargetLoss, repair.OnPostgresql):
    back = "alter table elsewhere rename to good"

    def drop_key(self):
        self.execute("alter table {good} drop column id")

    def drop_progress(self):
        self.execute("drop schema cdcrt cascade")


# What the commands do in general is tested there.
for kind in (OnSqlite, OnPostgresql):
    for name in dir(kind):
        if name.startswith("test_") and (hasattr(repair.Repair, name) or name in repair.OnSqlite.__dict__):
            setattr(kind, name, None)
del kind

if __name__ == "__main__":
    unittest.main()
