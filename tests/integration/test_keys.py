"""Keys and names of tables: what an odd event may do to its table, and what it may not do to others."""

import json
import os
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402

MANIFEST = """[pipeline]
name = "keys"
[runtime]
decode_workers = 1                    # what stands first is met first
[sources.events]
plugin = "file"
paths = ["{folder}/events-*.jsonl"]
format.plugin = "debezium-json"
{format}
[sinks.target]
plugin = "odbc"
connection = {{ Driver = "SQLite3", Database = "{folder}/target.db" }}
[dead_letters]
plugin = "file"
path = "{folder}/dead_letters.jsonl"
{more}
"""

ROUTER = "__dbz__physicalTableIdentifier"


def with_schema(row, optional=()):
    kinds = {int: "int32", str: "string"}
    return {"type": "struct", "fields": [{"type": kinds[type(value)], "optional": name in optional, "field": name} for name, value in row.items()]}


class Keys(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder, self.files, self.lines, self.offsets = place.name, 0, [], {}

    def message(self, key, payload, topic="t.shop.orders", partition=0):
        offset = self.offsets.get((topic, partition), 0)
        self.offsets[topic, partition] = offset + 1
        text = [None if part is None else part if isinstance(part, str) else json.dumps(part) for part in (key, payload)]
        self.lines.append(json.dumps({"topic": topic, "partition": partition, "offset": offset, "tstype": "create", "ts": 1_700_000_000_000,
                                      "key": text[0], "payload": text[1]}))

    def event(self, key, after=None, before=None, table="orders", server="t", topic=None, operation=None, schema="public", partition=0,
              connector="postgresql"):
        sequence = len(self.lines) + 1000 * (self.files + 1)
        source = {"connector": connector, "name": server, "file": "binlog.000001", "pos": sequence, "row": 0, "db": "shop", "schema": schema, "table": table, "lsn": sequence,
                  "sequence": f'[null,"{sequence}"]', "ts_ms": 1_700_000_000_000}
        operation = operation or ("d" if after is None else "c" if before is None else "u")
        self.message(key, {"before": before, "after": after, "source": source, "op": operation, "ts_ms": 1_700_000_000_000},
                     topic or f"{server}.{schema}.{table}", partition)

    def row(self, number, **more):
        self.event({"id": number}, {"id": number, "v": f"v{number}"}, **more)

    def run_program(self, more="", format="", arguments=()):
        if self.lines:
            self.files += 1
            with open(os.path.join(self.folder, f"events-{self.files}.jsonl"), "w", encoding="utf-8") as file:
                file.write("\n".join(self.lines) + "\n")
            self.lines = []
        self.manifest = os.path.join(self.folder, "manifest.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(folder=self.folder, more=more, format=format))
        return program.run([*arguments, "--manifest", self.manifest], folder=self.folder, timeout=60)

    def rows(self, text):
        with sqlite3.connect(os.path.join(self.folder, "target.db")) as connection:
            return connection.execute(text).fetchall()

    def dead_letters(self):
        return program.dead_letters(os.path.join(self.folder, "dead_letters.jsonl"))


class OddEvents(Keys):
    def test_events_that_no_table_can_hold_are_dead_letters(self):
        self.row(1)
        self.event({"id": 10}, {"id": 10, "": 5})
        self.event({"id": 11}, {"id": 11, "a\0b": 5})
        self.event({"id": 12}, {"id": 12, **{f"c{i}": i for i in range(5000)}})
        self.event({}, {"id": 13, "v": "no key"})
        self.event({"ID": 14}, {"id": 14, "v": "misspelt", "ID": 14})
        self.event(None, {"id": None, "v": "null"})
        self.row(2)
        done = self.run_program()
        self.assertEqual(done.exit_code, 4, done.log)
        self.assertEqual(self.rows("SELECT id, v FROM orders ORDER BY id"), [(1, "v1"), (2, "v2")])
        self.assertEqual(len(self.dead_letters()), 6, self.dead_letters())

    def test_a_key_without_columns_that_comes_first_makes_no_keyless_table(self):
        self.event({}, {"id": 9, "v": "odd"})
        for number in range(1, 15):
            self.row(number)
        self.event({"id": 1}, {"id": 1, "v": "new"}, operation="u")
        done = self.run_program()
        self.assertNotIn("stopped", done.log)
        self.assertEqual(self.rows("SELECT v FROM orders WHERE id = 1"), [("new",)], done.log)

    def test_a_key_change_that_lasts_stops_its_table_and_no_other(self):
        self.row(1)
        self.row(1, table="others")
        for number in range(2, 30):
            self.event({"v": f"v{number}"}, {"id": number, "v": f"v{number}"})
        self.row(2, table="others")
        done = self.run_program()
        self.assertEqual(done.exit_code, 1, done.log)
        self.assertIn("the key of the table changed from (id) to (v)", done.log)
        self.assertEqual(self.rows("SELECT count(*) FROM others"), [(2,)])

    def test_a_key_change_that_the_operator_asks_for(self):
        for number in (1, 2, 1):
            self.event({"id": number}, {"id": number, "region": "a", "v": f"v{len(self.lines)}"})
        self.assertEqual(self.run_program().exit_code, 0)
        more = '[defaults]\nprimary_key = ["id", "region"]'
        stopped = self.run_program(more=more)
        self.event({"id": 3}, {"id": 3, "region": "b", "v": "x"})
        stopped = self.run_program(more=more)
        self.assertEqual(stopped.exit_code, 1, stopped.log)
        self.assertIn("progress rewind --to earliest --empty", stopped.log)
        rewound = self.run_program(more=more, arguments=("progress", "rewind", "--to", "earliest", "--empty", "--table", "orders"))
        self.assertEqual(rewound.exit_code, 0, rewound.log)
        done = self.run_program(more=more)
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(self.rows("SELECT id, region, v FROM orders ORDER BY id"), [(1, "a", "v2"), (2, "a", "v1"), (3, "b", "x")])
        key = [name for _, name, _, _, _, place in self.rows("PRAGMA table_info(orders)") if place]
        self.assertEqual(key, ["id", "region"])


class RouteKeys(Keys):
    def test_a_key_that_the_events_do_not_have_stops_the_table_with_the_nearest_name(self):
        self.row(1)
        done = self.run_program(more='[defaults]\nprimary_key = ["idd"]')
        self.assertEqual(done.exit_code, 1, done.log)
        self.assertIn("did you mean 'id'?", done.log)

    def test_deletes_find_the_key_of_the_route_in_the_image_before(self):
        self.event({"id": 1}, {"id": 1, "code": "a", "v": "x"}, connector="mysql")
        self.event({"id": 2}, {"id": 2, "code": "b", "v": "y"}, connector="mysql")
        self.event({"id": 1}, before={"id": 1, "code": "a", "v": "x"}, connector="mysql")
        done = self.run_program(more='[defaults]\nprimary_key = ["code"]')
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(self.rows("SELECT id, code FROM orders"), [(2, "b")])

    def test_an_update_without_an_image_of_the_row_before_leaves_no_row_under_the_key_that_it_had(self):
        def change(number, region, note):
            self.event({"id": number}, {"id": number, "region": region, "note": note}, operation="c" if note == "first" else "u")
        more = '[defaults]\nprimary_key = ["id", "region"]'
        unchanged = "__debezium_unavailable_value"
        change(1, "eu", "first")
        change(2, "eu", "first")
        for last in (("as", unchanged), ("us", unchanged), ("eu", "third"), ("us", unchanged)):
            change(1, *last)
            change(2, "eu", unchanged)
            if last != ("as", unchanged):  # the first two are one batch
                done = self.run_program(more=more)
                self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(sorted(self.rows("SELECT id, region, note FROM orders")), [(1, "us", "third"), (2, "eu", "first")])

    def test_a_table_with_a_key_of_the_route_goes_on_after_a_restart(self):
        more = '[defaults]\nprimary_key = ["code"]'
        for start in (1, 3):
            for number in (start, start + 1):
                self.event({"id": number}, {"id": number, "code": f"c{number}"})
            done = self.run_program(more=more)
            self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(self.rows("SELECT count(*) FROM orders"), [(4,)])

    def test_a_key_change_needs_no_more_than_the_key_of_the_row_before(self):
        more = '[routes.all]\nmatch = ["*"]\n[routes.all.columns]\nn = { type = "int32" }'
        self.event({"id": 1}, {"id": 1, "n": 1})
        self.event({"id": 2}, {"id": 2, "n": 2}, before={"id": 1, "n": "no number"})
        done = self.run_program(more=more)
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(self.rows("SELECT id, n FROM orders"), [(2, 2)])


class Tombstones(Keys):
    def test_a_tombstone_teaches_no_type_not_even_as_the_first_message_of_a_run(self):
        for kind, declared in (("int32", "smaller"), ("int16", "small"), ("string", "text")):
            value = 7 if kind != "string" else "7"
            table = f"devices_{declared}"
            fields = [{"type": kind, "optional": False, "field": "id"}]
            key = {"schema": {"type": "struct", "fields": fields, "optional": False, "name": f"t.public.{table}.Key"}, "payload": {"id": value}}
            row = {"schema": {"type": "struct", "fields": [*fields, {"type": "int32", "optional": True, "field": "x"}], "optional": False,
                              "name": f"t.public.{table}.Value"}, "payload": {"id": value, "x": 5}}
            self.message(key, row, topic=f"t.public.{table}")
            self.run_program(format='format.tombstones = "delete"')
            before = self.rows(f"PRAGMA table_info({table})")
            self.assertEqual(self.rows(f"SELECT id, x FROM {table}"), [(value, 5)])
            self.message(key, None, topic=f"t.public.{table}")
            done = self.run_program(format='format.tombstones = "delete"')
            self.assertEqual(done.exit_code, 0, done.log)
            self.assertEqual(self.rows(f"PRAGMA table_info({table})"), before)
            self.assertEqual(self.rows(f"SELECT id, x FROM {table}"), [])


class TablesThatMeet(Keys):
    def test_the_second_table_stops_and_the_others_go_on(self):
        self.row(1, schema="sales")
        self.row(7, schema="hr")
        self.row(1, table="others")
        self.row(2, schema="sales")
        done = self.run_program()
        self.assertEqual(done.exit_code, 1, done.log)
        self.assertIn("would meet in one target table", done.log)
        self.assertIn("{schema}_{table}", done.log)
        self.assertNotIn("format.plugin", done.log)
        self.assertEqual(self.rows("SELECT id FROM orders ORDER BY id"), [(1,), (2,)])
        self.assertEqual(self.rows("SELECT count(*) FROM others"), [(1,)])
        # Whichever comes first after a restart, the table belongs to whom it was made for; the other's rows are still there.
        self.row(3, schema="sales")
        again = self.run_program()
        self.assertEqual(again.exit_code, 1, again.log)
        self.assertEqual(self.rows("SELECT id FROM orders ORDER BY id"), [(1,), (2,), (3,)], again.log)
        apart = self.run_program(more='[routes.hr]\nmatch = ["hr.*"]\ntable = "hr_{table}"\n[routes.rest]\nmatch = ["*"]')
        self.assertEqual(apart.exit_code, 0, apart.log)
        self.assertEqual(self.rows("SELECT id FROM hr_orders"), [(7,)])

    def test_tables_of_one_name_on_two_servers_are_not_merged(self):
        self.row(1, server="north")
        self.row(1, server="south")
        self.row(2, server="north")
        for _ in range(2):
            done = self.run_program()
            self.assertEqual(done.exit_code, 1, done.log)
            self.assertIn("'shop.public.orders' of server 'north' and 'shop.public.orders' of server 'south' would meet", done.log)
            self.assertIn("{topic}", done.log)
            self.assertNotIn("{schema}_{table}", done.log)
            self.row(3, server="south")
        self.assertEqual(self.rows("SELECT id FROM orders ORDER BY id"), [(1,), (2,)])

    def test_a_table_that_no_route_wants_stops_alone(self):
        self.row(1)
        self.row(1, table="others")
        done = self.run_program(more='[routes.all]\nmatch = ["others"]').exit_code
        self.assertEqual(done, 0)
        with open(self.manifest, encoding="utf-8") as file:
            text = file.read().replace('name = "keys"', 'name = "strict"\nunmatched_tables = "fail"')
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(text)
        strict = program.run(["--manifest", self.manifest], folder=self.folder, timeout=60)
        self.assertEqual(strict.exit_code, 1, strict.log)
        self.assertNotIn("format.plugin", strict.log)
        self.assertIn("unmatched_tables", strict.log)


class RoutedShards(Keys):
    """ByLogicalTableRouter: tables of one topic, told apart by a column of the message key alone."""

    def change(self, shard, number, value, operation="c", schemas=False):
        key = {"id": number, ROUTER: f"t.shop.shard_{shard}"}
        row = {"id": number, "v": value or "old"}
        source = {"connector": "mysql", "name": "t", "db": "shop", "table": f"shard_{shard}", "file": "binlog.000001", "pos": 100 + len(self.lines),
                  "row": 0, "ts_ms": 1_700_000_000_000}
        payload = {"before": row if operation == "d" else None, "after": None if operation == "d" else row, "source": source, "op": operation,
                   "ts_ms": 1_700_000_000_000}
        if schemas:
            kind = with_schema({"id": 1, "v": ""}, optional=("v",))
            key = {"schema": with_schema(key), "payload": key}
            payload = {"schema": {"type": "struct", "fields": [
                {**kind, "field": "before", "optional": True}, {**kind, "field": "after", "optional": True},
                {"type": "struct", "field": "source", "fields": [{"type": "int64" if isinstance(value, int) else "string", "field": name}
                                                                 for name, value in source.items()]},
                {"type": "string", "field": "op"}]}, "payload": payload}
        self.message(key, payload, "t.shop.all")
        if operation == "d":
            self.message(key, None, "t.shop.all")

    def changes(self, schemas):
        self.change(1, 1, "a1", schemas=schemas)
        self.change(2, 1, "b1", schemas=schemas)
        self.change(2, 2, "b2", schemas=schemas)
        self.change(1, 3, "a3", schemas=schemas)
        self.change(1, 1, "a1x", "u", schemas=schemas)
        self.change(1, 3, None, "d", schemas=schemas)

    MORE = '[routes.all]\nmatch = ["shard_*"]\ntable = "all"\n'
    EXPECTED = [(1, "t.shop.shard_1", "a1x"), (1, "t.shop.shard_2", "b1"), (2, "t.shop.shard_2", "b2")]

    def test_a_column_of_the_router_is_part_of_row_and_key(self):
        for schemas in (False, True):
            with self.subTest(schemas=schemas):
                self.setUp()
                self.changes(schemas)
                done = self.run_program(more=self.MORE)
                self.assertEqual(done.exit_code, 0, done.log)
                self.assertEqual(self.rows(f'SELECT id, {ROUTER}, v FROM "all" ORDER BY 1, 2'), self.EXPECTED)

    def test_a_column_of_the_router_is_renamed_like_any_other(self):
        self.changes(False)
        done = self.run_program(more=self.MORE + f'columns.{ROUTER} = {{ rename = "shard" }}\n')
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(self.rows('SELECT id, shard, v FROM "all" ORDER BY 1, 2'), self.EXPECTED)

    def test_a_column_of_the_router_that_is_excluded_leaves_the_key(self):
        self.change(1, 1, "a1")
        self.change(2, 2, "b2")
        self.change(1, 1, None, "d")
        done = self.run_program(more=self.MORE + f'columns.{ROUTER} = {{ exclude = true }}\n')
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(self.rows('SELECT * FROM "all"'), [(2, "b2")])

    def test_rows_without_an_envelope_and_their_null_values(self):
        for shard, number, value in ((1, 1, "a1"), (2, 1, "b1"), (2, 2, "b2")):
            self.message({"id": number, ROUTER: f"t.shop.shard_{shard}"}, {"id": number, "v": value}, "t.shop.all")
        self.message({"id": 1, ROUTER: "t.shop.shard_2"}, None, "t.shop.all")
        done = self.run_program(format='format.tombstones = "delete"')
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertEqual(self.rows(f'SELECT id, {ROUTER}, v FROM "all" ORDER BY 1'), [(1, "t.shop.shard_1", "a1"), (2, "t.shop.shard_2", "b2")])


if __name__ == "__main__":
    unittest.main()
