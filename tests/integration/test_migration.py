"""A target that an older program left, with key changes and dead letters that were not settled: the new one goes on where it stood."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import redshift_target  # noqa: E402
from integration import test_repair as repair  # noqa: E402
from integration.messages import envelope  # noqa: E402

UNAVAILABLE = "__debezium_unavailable_value"
WORDS = (("old_row:", "departed:"), ("missing_columns:", "came:"))
# Of format version 5, behind the key.
COLUMNS = "source_name, target_name, type, key_ordinal, default_value, active, incarnation, last_seen, dropped_at, type_order, adopted"


def tearDownModule():
    redshift_target.stop()


class Upgrade:
    """Rows of table good. `self.lines` is a file's messages; `key` makes the text of a row's key."""

    def row_leaves(self, number, new, lsn):
        self.lines.message(envelope("good", None, "d", before={"id": number, "v": None, "w": None}, lsn=lsn), self.key(number), "t.public.good",
                           ["__debezium.newkey", self.key(new)])

    def row_comes(self, number, old, value, lsn):
        self.lines.message(envelope("good", {"id": number, "v": value, "w": UNAVAILABLE}, "c", lsn=lsn), self.key(number), "t.public.good",
                           ["__debezium.oldkey", self.key(old)])

    def first_halves(self):
        """Of two key changes, as an older program stored them."""
        for number in (1, 2):
            self.lines.row("good", {"id": number, "v": f"row {number}", "w": f"kept {number}"})
        self.row_leaves(1, 11, 200)
        self.row_comes(12, 2, "two", 201)

    def second_halves(self):
        self.row_comes(11, 1, "one", 300)
        self.row_leaves(2, 12, 301)


class Migration(Upgrade):
    """What both ODBC targets show, beginning at format version 2: the words, names and order of columns that it had."""

    def test_pending_key_changes_and_open_dead_letters_of_an_older_program_are_settled_after_an_upgrade(self):
        self.lines.row("good", {"id": 3, "v": "fine", "w": "three"})
        self.apply()
        self.refuse("bad")
        self.change(3, {"id": 3, "v": "bad", "w": "four"}, lsn=150)
        self.first_halves()
        self.apply(expect=4)
        self.mend()
        self.become_old()

        self.change(3, {"id": 3, "v": UNAVAILABLE, "w": "five"}, lsn=310)
        self.second_halves()
        self.apply(expect=4)
        self.assertEqual(self.rows("select id, v, w from {good} order by id"), [(3, "fine", "three"), (11, "one", "kept 1"), (12, "two", "kept 2")])
        self.assertEqual(self.table("good")["open_dead_letters"], 2)
        self.assertEqual(self.reasons(), ["value_refused", "earlier_dead_letter"])
        self.assertIn("2 of 2 applied", self.command("dlq", "replay"))
        self.assertEqual(self.rows("select id, v, w from {good} where id = 3"), [(3, "bad", "five")])
        names = {name for row in self.host_tables() for name in row}
        self.assertTrue({self.own("key_changes"), self.own("open_dead_letters")} <= names, names)
        self.assertFalse({self.own("moved"), self.own("open_letters")} & names, names)
        self.assertEqual(self.rows(f"select count(*) from {self.own('key_changes', True)}"), [(0,)])

    def test_what_format_version_5_knew_of_columns_is_kept_after_an_upgrade(self):
        self.lines.row("good", {"id": 3, "v": "fine", "w": "three"})
        self.apply()
        columns = self.columns()
        self.forget_renames()
        self.execute(f"update {self.own('format', True)} set format_version = 5")
        self.change(3, {"id": 3, "v": "better", "w": "four"}, lsn=150)
        self.apply()
        self.assertEqual(self.rows("select id, v, w from {good}"), [(3, "better", "four")])
        self.assertEqual(self.columns(), columns)
        self.assertNotIn(self.own("columns"), {name for row in self.host_tables() for name in row})
        self.assertEqual(self.rows(f"select format_version from {self.own('format', True)}"), [(6,)])

    def columns(self):
        return self.rows(f"select target, slot, source_name, target_name, type, key_ordinal, active, adopted from {self.own('known_columns', True)} order by target, slot")

    def forget_renames(self):
        """What is known of columns, as format version 5 kept it."""
        known, former = self.own("known_columns", True), self.own("columns", True)
        self.execute(f"create table {former} as select pipeline, sink, target, slot, {COLUMNS} from {known}")
        self.execute(f"drop table {known}")
        self.execute(f"alter table {self.own('tables', True)} drop column definition_topic")

    def reasons(self):
        return [line.split()[2] for line in self.command("dlq", "list").splitlines() if "events/t.public.good" in line.split(" ")[0]]

    def become_old(self):
        changes, dead_letters, former = self.own("key_changes", True), self.own("open_dead_letters", True), self.own("open_letters", True)
        for new, old in WORDS:
            self.assertEqual(self.rows(f"select count(*) from {changes} where record like '{new}%'"), [(1,)])
            self.execute(f"update {changes} set record = '{old}' || substr(record, {len(new) + 1}) where record like '{new}%'")
        self.execute(f"alter table {changes} rename to {self.own('moved')}")
        self.execute(f"create table {former} as select pipeline, sink, target, source, topic, \"partition\", \"offset\", \"key\" from {dead_letters}")
        self.execute(f"drop table {dead_letters}")
        self.forget_renames()
        self.execute(f"update {self.own('format', True)} set format_version = 2")


class OnSqlite(Migration, repair.OnSqlite):
    def own(self, table, with_schema=False):
        return "cdcrt_" + table


class OnPostgresql(Migration, repair.OnPostgresql):
    def own(self, table, with_schema=False):
        return "cdcrt." + table if with_schema else table


# What the commands do in general is tested there.
for kind in (OnSqlite, OnPostgresql):
    for name in dir(kind):
        if name.startswith("test_") and (hasattr(repair.Repair, name) or name in repair.OnSqlite.__dict__):
            setattr(kind, name, None)
del kind


class OnRedshift(Upgrade, redshift_target.LinesCase):
    def key(self, number):
        return f'{{"id": {number}}}'

    def test_pending_key_changes_and_tables_of_progress_of_format_version_4_are_kept_after_an_upgrade(self):
        self.first_halves()
        self.apply()
        records = sorted(bytes.fromhex(record) for record, in self.front.query("select record from cdcrt.key_changes"))
        for record, (new, old) in zip(records, sorted(WORDS)):
            self.assertTrue(record.startswith(new.encode()), record)
            former = old.encode() + record[len(new):]
            self.front.query(f"update cdcrt.key_changes set record = from_hex('{former.hex()}') where record = from_hex('{record.hex()}')")
        self.front.query("alter table cdcrt.key_changes rename to moved")
        self.front.query("alter table cdcrt.progress_tables rename to holds")
        known = self.front.query("select target, slot, source_name, type, active from cdcrt.known_columns order by target, slot")
        self.front.query(f"create table cdcrt.columns as select pipeline, sink, target, slot, {COLUMNS} from cdcrt.known_columns")
        self.front.query("drop table cdcrt.known_columns")
        self.front.query("alter table cdcrt.tables drop column definition_topic")
        self.front.query("update cdcrt.format set format_version = 4")

        self.second_halves()
        self.apply()
        self.assertEqual(self.front.query("select id, v, w from public.good order by id"), [["11", "one", "kept 1"], ["12", "two", "kept 2"]])
        names = [name for name, in self.front.query("select table_name from information_schema.tables where table_schema = 'cdcrt'")]
        self.assertFalse({"moved", "holds", "columns"} & set(names), names)
        self.assertEqual(self.front.query("select target, slot, source_name, type, active from cdcrt.known_columns order by target, slot"), known)
        self.assertEqual(self.front.query("select count(*) from cdcrt.progress_tables"), [["1"]])
        self.assertEqual(len([name for name in names if name.startswith("progress_") and name != "progress_tables"]), 1, names)
        self.assertEqual(self.front.query("select count(*) from cdcrt.key_changes"), [["0"]])
        self.clean()


if __name__ == "__main__":
    unittest.main()
