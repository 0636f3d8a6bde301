"""The same value by every way into Redshift: constants, files, staged updates, key changes, tables without a key; and exact keys.

CDCRT_TEST_CELLS=100000 sends so many cells by every way."""

import base64
import json
import math
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import redshift_target  # noqa: E402
from integration.messages import envelope  # noqa: E402
from integration.redshift_target import LinesCase  # noqa: E402
from integration.redshift_values import COLUMNS, Rows, Schema  # noqa: E402
from integration.test_redshift_tables import create_with_schema  # noqa: E402

CELLS = int(os.environ.get("CDCRT_TEST_CELLS", "1000"))
UNAVAILABLE = "__debezium_unavailable_value"
JSON = {"type": "string", "name": "io.debezium.data.Json", "version": 1}
CONSTANTS = ["sinks.target.copy_from_rows=10000", 'sinks.target.copy_from_bytes="4MiB"', "sinks.target.batch.max_rows=40"]
FILES = ["sinks.target.copy_from_rows=0", "sinks.target.batch.max_rows=1000"]
MIXED = ["sinks.target.batch.max_rows=97"]


def tearDownModule():
    redshift_target.stop()


class Ways(LinesCase):
    """Each test sends the rows by five ways, in two runs of the program, and compares all cells."""

    def setUp(self):
        super().setUp()
        self.rows = Rows(max(1, CELLS // len(COLUMNS)))
        self.lsn = 100

    def send(self, schema, operation, before, after, headers=()):
        self.lsn += 1
        number = (after or before)["id"]
        line = {"topic": f"s.public.{schema.table}", "partition": 0, "offset": self.lines.offset, "tstype": "create", "ts": 1_700_000_000_000,
                "headers": list(headers), "key": schema.key(number) if schema.keyed else None, "payload": schema.value(operation, before, after, self.lsn)}
        self.lines.raw(json.dumps(line).encode())

    def compare(self, table, first=0, drop=()):
        names, rows = self.target.tables().rows(f"public.{table}")
        kept = [place for place, name in enumerate(names) if name not in drop]
        self.assertEqual([names[place] for place in kept], ["id", *[column.name for column in COLUMNS]])
        rows = sorted(([row[place] for place in kept] for row in rows), key=lambda row: int(row[0]))
        self.assertEqual(len(rows), len(self.rows.stored))
        for row, stored in zip(rows, self.rows.stored):
            self.assertEqual(int(row[0]), int(stored[0]) + first)
            for column, found, wanted in zip(COLUMNS, row[1:], stored[1:]):
                if (None if found is None else column.normal(found)) != wanted:
                    self.fail(f"{table}, row {row[0]}, column {column.name}: {str(found)[:200]!r} in place of {str(wanted)[:200]!r}")

    def check(self, *settings):
        pad = [{"type": "string", "optional": True, "field": "pad"}]
        whole, patched, owned, moved = Schema("whole"), Schema("patched", more=pad), Schema("owned"), Schema("moved")
        keyless = Schema("keyless", keyed=False)
        empty = {column.name: None for column in COLUMNS}
        away = {column.name: UNAVAILABLE for column in COLUMNS}
        for row in self.rows.events:
            self.send(whole, "c", None, row)
            self.send(patched, "c", None, {"id": row["id"], **empty, "pad": "kept"})
            self.send(owned, "c", None, {"id": row["id"], **empty})
            self.send(moved, "c", None, row)
            self.send(keyless, "c", None, row)
            self.send(keyless, "c", None, row)
        self.apply(*settings, timeout=max(300, CELLS // 10))
        self.compare("whole")
        self.front.sql("alter table owned add column own varchar(9) default 'mine'")
        for row in self.rows.events:
            self.send(patched, "u", None, {**row, "pad": UNAVAILABLE})
            self.send(owned, "u", None, row)
            new = row["id"] + 1_000_000
            self.send(moved, "d", {"id": row["id"], **away}, None, ["__debezium.newkey", moved.key(new)])
            self.send(keyless, "d", row, None)
        self.apply(*settings, timeout=max(300, CELLS // 10))
        for row in self.rows.events:
            new = row["id"] + 1_000_000
            self.send(moved, "c", None, {**away, "id": new}, ["__debezium.oldkey", moved.key(row["id"])])
        self.apply(*settings, timeout=max(300, CELLS // 10))
        self.assertEqual([dead_letter["message"] for dead_letter in self.dead_letters()], [])
        self.compare("patched", drop=("pad",))
        self.compare("owned", drop=("own",))
        self.compare("moved", first=1_000_000)
        self.compare("keyless")
        self.assertEqual(self.front.query("select count(*) from patched where pad = 'kept'"), [[str(len(self.rows.events))]])
        self.assertEqual(self.front.query("select count(*) from owned where own = 'mine'"), [[str(len(self.rows.events))]])
        self.clean()

    def test_values_arrive_exact_as_constants_of_statements(self):
        self.check(*CONSTANTS)

    def test_values_arrive_exact_through_files(self):
        self.check(*FILES)

    def test_values_arrive_exact_by_whichever_is_cheaper(self):
        self.check(*MIXED)


class Limits(LinesCase):
    """What no column holds is cut, refused or kept the same by every way."""

    def check(self, *settings):
        table, field = "limits", [{"type": "int64", "optional": False, "field": "id"}, {"type": "string", "optional": True, "field": "v"},
                                  {**JSON, "optional": True, "field": "j"}, {"type": "bytes", "optional": True, "field": "y"}]
        wide = lambda size: "[" + "1," * ((size - 3) // 2) + "1]"  # noqa: E731
        large = base64.b64encode(bytes(2_000_000)).decode()
        rows = [{"v": "x" * 65534 + "é"}, {"v": "é" * 32768}, {"v": "x" * 65533 + "€"}, {"v": "x" * 65535 + " "}, {"j": wide(4_190_001)}, {"j": wide(4_194_301)},
                {"j": json.dumps(["y" * 65536])}, {"y": large}, {"y": large, "j": wide(300_001)}, {"v": "kept"}]
        for number, row in enumerate(rows):
            create_with_schema(self.lines, table, field, {"id": number, "v": None, "j": None, "y": None, **row})
        self.apply(*settings, routes='[routes.limits]\nmatch = ["limits"]\ncolumns.v = { on_overflow = "truncate" }\n', exit_code=4)
        found = self.front.query("select id, octet_length(v), json_size(j), octet_length(y) from limits order by id")
        self.assertEqual(found, [["0", "65534", None, None], ["1", "65534", None, None], ["2", "65533", None, None], ["3", "65535", None, None],
                                 ["4", None, "4190001", None], ["7", None, None, "2000000"], ["9", "4", None, None]])
        self.assertEqual([dead_letter["offset"] for dead_letter in self.dead_letters()], [5, 6, 8])

    def test_values_arrive_exact_as_constants_of_statements(self):
        self.check(*CONSTANTS)

    def test_values_arrive_exact_through_files(self):
        self.check(*FILES)


class Keys(LinesCase):
    """Keys that Redshift's own comparison takes for one."""
    TEXTS = ["", " ", "  ", "a", "a ", "a  ", " a", "é", "é ", "\\", "\\ ", "'", "' "]

    def change(self, table, key, after, lsn, offset):
        source = envelope(table, after, "c" if after else "d", before=None if after else key, lsn=lsn)
        self.lines.raw(json.dumps({"topic": f"t.public.{table}", "partition": 0, "offset": offset, "tstype": "create", "ts": 1_700_000_000_000, "headers": [],
                                   "key": json.dumps(key), "payload": source}).encode())

    def check(self, *settings):
        """Creates all, updates every third in part, deletes every second: the others are as they were, in tables of one and of two key columns."""
        expected = {"one": {}, "two": {}}
        keys = {"one": [{"k": text} for text in self.TEXTS], "two": [{"k": a, "l": b} for a in self.TEXTS[2:6] for b in self.TEXTS[2:6]]}
        for table, its in keys.items():
            for number, key in enumerate(its):
                self.change(table, key, {**key, "v": str(number), "w": "kept"}, 100 + self.lines.offset, self.lines.offset)
                expected[table][tuple(key.values())] = [str(number), "kept"]
        for table, its in keys.items():
            for number, key in enumerate(its):
                if number % 3 == 0:
                    self.change(table, key, {**key, "v": "new", "w": UNAVAILABLE}, 100 + self.lines.offset, self.lines.offset)
                    expected[table][tuple(key.values())][0] = "new"
        for table, its in keys.items():
            for number, key in enumerate(its):
                if number % 2 == 0:
                    self.change(table, key, None, 100 + self.lines.offset, self.lines.offset)
                    del expected[table][tuple(key.values())]
        self.apply(*settings)
        self.assertEqual([dead_letter["message"] for dead_letter in self.dead_letters()], [])
        for table, rows in expected.items():
            names, found = self.target.tables().rows(f"public.{table}")
            places = [names.index(name) for name in (("k", "v", "w") if table == "one" else ("k", "l", "v", "w"))]
            self.assertEqual(sorted([row[place] for place in places] for row in found), sorted([*key, *cells] for key, cells in rows.items()), table)

    def test_values_arrive_exact_one_by_one(self):
        self.check("sinks.target.batch.max_rows=1")

    def test_values_arrive_exact_a_few_at_once(self):
        self.check("sinks.target.batch.max_rows=7")

    def test_values_arrive_exact_all_at_once_through_a_stage(self):
        self.check("sinks.target.copy_from_rows=3")

    def test_a_column_of_fixed_length_refuses_what_it_cannot_tell_apart(self):
        self.front.sql("create table one (k char(3) not null, v varchar(9), w varchar(9))")
        for number, key in enumerate(("a", "a ", "abc", "a  ")):
            self.change("one", {"k": key}, {"k": key, "v": str(number), "w": "x"}, 100 + number, number)
        self.apply(exit_code=4)
        self.assertEqual([dead_letter["offset"] for dead_letter in self.dead_letters()], [1])
        self.assertIn("does not tell a text from the same with blanks at its end", self.dead_letters()[0]["message"])


class Refusals(LinesCase):
    """What Redshift refuses for ever stops no table."""

    def send(self, table, column, rows):
        fields = [{"type": "int64", "optional": False, "field": "id"}, {**column, "optional": True, "field": "v"}]
        for row in rows:
            create_with_schema(self.lines, table, fields, row)

    def send_keyless(self, table, column, row, operation="c"):
        image = {"type": "struct", "optional": True, "name": f"s.public.{table}.Value",
                 "fields": [{"type": "int64", "optional": False, "field": "id"}, {**column, "optional": True, "field": "v"}]}
        schema = {"type": "struct", "name": f"s.public.{table}.Envelope", "fields": [
            {**image, "field": "before"}, {**image, "field": "after"}, {"type": "struct", "optional": False, "field": "source", "fields": []},
            {"type": "string", "optional": False, "field": "op"}]}
        before, after = (None, row) if operation == "c" else (row, None)
        self.lines.message(json.dumps({"schema": schema, "payload": json.loads(envelope(table, after, operation, before, 100 + self.lines.offset))}))

    def test_json_that_became_text_stays_json_where_a_text_would_be_too_long(self):
        long = "[" + ",".join(["123456789"] * 9000) + "]"
        self.send("jt", JSON, [{"id": 1, "v": None}, {"id": 2, "v": "null"}, {"id": 3, "v": long}])
        self.send("short", JSON, [{"id": 1, "v": None}, {"id": 2, "v": "null"}, {"id": 3, "v": '{"a":1}'}])
        self.apply()
        for table in ("jt", "short"):
            self.send(table, {"type": "string"}, [{"id": 4, "v": "plain \"text\""}])
        log = self.apply()
        self.assertIn("stays SUPER although its source is text now", log)
        self.assertEqual(self.front.query("select id, v is null, json_typeof(v) from jt order by id"), [["1", "t", None], ["2", "f", "null"], ["3", "f", "array"], ["4", "f", "string"]])
        self.assertEqual(self.front.query("select id, v from short order by id"), [["1", None], ["2", "null"], ["3", '{"a":1}'], ["4", "plain \"text\""]])
        self.send("jt", {"type": "string"}, [{"id": 5, "v": "more"}])
        self.assertNotIn("stays SUPER", self.apply())
        self.assertEqual(self.dead_letters(), [])

    def test_values_longer_than_a_constant_go_in_without_files_too(self):
        long = "[" + ",".join(["123456789"] * 9000) + "]"
        self.send("jl", JSON, [{"id": 1, "v": long}, {"id": 2, "v": "{}"}])
        self.send("bl", {"type": "bytes"}, [{"id": 1, "v": base64.b64encode(bytes(100_000)).decode()}, {"id": 2, "v": ""}])
        with open(self.target.overlay, encoding="utf-8") as file:
            text = "".join(line for line in file if not line.startswith("staging."))
        with open(self.target.overlay, "w", encoding="utf-8") as file:
            file.write(text)
        self.apply()
        self.assertEqual(self.dead_letters(), [])
        self.assertEqual(self.front.query("select id, json_size(v) from jl order by 1"), [["1", str(len(long))], ["2", "2"]])
        self.assertEqual(self.front.query("select id, octet_length(v) from bl order by 1"), [["1", "100000"], ["2", "0"]])

    def test_a_bad_row_is_found_below_a_prefix_longer_than_the_names_of_load_errors(self):
        self.target.url += "session_id/" + "team-data-platform-production-eu-west-1/" * 7
        with open(self.target.overlay, "w", encoding="utf-8") as file:
            file.write(self.target.manifest())
        self.front.sql("create table lp (id bigint, v char(3))")
        for number in range(6):
            self.lines.row("lp", {"id": number, "v": "é" if number == 3 else "ok"})
        self.apply("sinks.target.copy_from_rows=0", 'sinks.target.copy_from_bytes="0B"', exit_code=4)
        self.assertEqual([dead_letter["offset"] for dead_letter in self.dead_letters()], [3])
        self.assertIn("Multibyte character not supported", self.dead_letters()[0]["message"])
        self.assertEqual([each["error"] for each in self.front.statements() if each["state"] == "42703"], [])  # it is no name of a column
        self.assertEqual(self.front.query("select count(*) from lp"), [["5"]])

    def test_a_definition_that_is_refused_is_tried_again_less_and_less_often(self):
        self.target.tables().psql("create schema closed; grant usage on schema closed to loader")
        for number in range(3):
            self.lines.row("good", {"id": number, "v": "x"})
            self.lines.row("refused", {"id": number, "v": "x"})
        begun = time.monotonic()
        log = self.apply('sinks.target.stall_after="4s"', routes='[routes.refused]\nmatch = ["refused"]\ntable = "closed.refused"\n[routes.good]\nmatch = ["good"]\n', exit_code=1)
        seconds = time.monotonic() - begun
        self.assertIn("GRANT USAGE, CREATE ON SCHEMA", log)
        tried = [each for each in self.front.statements() if each["state"] == "42501"]
        self.assertEqual({each["text"].partition(" (")[0] for each in tried}, {'CREATE TABLE IF NOT EXISTS "closed"."refused"'})
        # With the others and alone; then after 0.2 s, 0.4 s, 0.8 s, ...
        self.assertGreaterEqual(len(tried), 3)
        self.assertLessEqual(len(tried), 3 + math.log2(seconds / 0.2 + 1))
        self.assertEqual(self.front.query("select count(*) from good"), [["3"]])

    def test_a_load_that_is_refused_without_a_word_why_is_taken_apart(self):
        self.lines.good(6)
        self.front.fault("error", match="^COPY (.cdcrt_stage|.public...good)", every=1, state="XX000", text="Load into table 'good' failed.  Check 'sys_load_error_detail' system table for details.")
        self.apply("sinks.target.copy_from_rows=0", exit_code=4, timeout=60)
        self.assertEqual(len(self.dead_letters()), 6)
        self.assertIn("nothing is told there of these files", self.dead_letters()[0]["message"])

    def test_copies_of_rows_are_deleted_one_by_one_where_an_operator_has_columns_of_his_own(self):
        column = {"type": "string"}
        for number in (1, 1, 1, 2, 2, 3):
            self.send_keyless("kc", column, {"id": number, "v": "x "})
        self.send_keyless("kc", column, {"id": 1, "v": "x"})
        self.apply()
        self.front.sql("alter table kc add column own bigint default 7")
        for number in (1, 2, 2, 2):
            self.send_keyless("kc", column, {"id": number, "v": "x "}, "d")
        self.apply(exit_code=4)
        self.assertEqual([dead_letter["reason"] for dead_letter in self.dead_letters()], ["row_missing"])
        self.assertEqual(self.front.query("select id, '[' || v || ']', own, count(*) from kc group by 1, 2, 3 order by 1, 2"),
                         [["1", "[x ]", "7", "2"], ["1", "[x]", "7", "1"], ["3", "[x ]", "7", "1"]])
