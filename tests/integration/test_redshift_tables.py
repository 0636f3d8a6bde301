"""What a manifest says of Redshift's tables: their layout, names that fold, texts beyond the longest, how many share a transaction."""

import hashlib
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program, redshift_target, redshift_values  # noqa: E402
from integration.messages import envelope  # noqa: E402
from integration.redshift_target import LinesCase  # noqa: E402


UNAVAILABLE = "__debezium_unavailable_value"


def create_with_schema(lines, table, fields, row):
    """The creation of a row with key `id`, the first of the fields, in an event that carries its schema."""
    image = {"type": "struct", "optional": True, "name": f"s.public.{table}.Value", "fields": fields}
    value = {"schema": {"type": "struct", "name": f"s.public.{table}.Envelope", "fields": [
        {**image, "field": "before"}, {**image, "field": "after"}, {"type": "struct", "optional": False, "field": "source", "fields": []},
        {"type": "string", "optional": False, "field": "op"}]}, "payload": json.loads(envelope(table, row, lsn=100 + lines.offset))}
    key = {"schema": {"type": "struct", "optional": False, "name": f"s.public.{table}.Key", "fields": fields[:1]}, "payload": {"id": row["id"]}}
    lines.message(json.dumps(value), json.dumps(key))


def tearDownModule():
    redshift_target.stop()


class Layout(LinesCase):
    def created(self, table):
        head = f'CREATE TABLE IF NOT EXISTS "public"."{table}" '
        return [each["text"][len(head):] for each in self.front.statements() if each["text"].startswith(head)]

    def test_a_route_lays_its_tables_out_and_defaults_the_others(self):
        for table in ("orders", "countries", "plain"):
            self.lines.row(table, {"id": 1, "v": "x"})
        self.apply(routes="""
[defaults.layout]
sortkey = []
[routes.orders]
match = ["orders"]
layout = { distkey = "v", sortkey = ["v", "id"], encode = { v = "zstd" }, declare_key = true }
[routes.countries]
match = ["countries"]
layout = { diststyle = "all" }
[routes.others]
match = ["*"]
""")
        self.assertEqual(self.created("orders"), ['("id" BIGINT NOT NULL, "v" VARCHAR(65535) ENCODE zstd, PRIMARY KEY ("id")) DISTSTYLE KEY DISTKEY("v") SORTKEY("v", "id")'])
        self.assertEqual(self.created("countries"), ['("id" BIGINT NOT NULL, "v" VARCHAR(65535)) DISTSTYLE ALL SORTKEY("id")'])
        self.assertEqual(self.created("plain"), ['("id" BIGINT NOT NULL, "v" VARCHAR(65535)) DISTSTYLE KEY DISTKEY("id")'])
        self.clean()

    def test_without_a_layout_the_key_distributes_and_sorts(self):
        self.lines.good(1)
        self.apply()
        self.assertEqual(self.created("good"), ['("id" BIGINT NOT NULL, "v" VARCHAR(65535)) DISTSTYLE KEY DISTKEY("id") SORTKEY("id")'])

    def test_a_layout_that_contradicts_itself_is_shown_where_it_stands(self):
        self.lines.good(1)
        log = self.apply(exit_code=2, routes='[routes.all]\nmatch = ["*"]\nlayout = { diststyle = "even", distkey = "v" }\n')
        self.assertIn("error[E0209]: a table of diststyle \"even\" has no distkey", log)
        self.assertIn('layout = { diststyle = "even", distkey = "v" }', log)

    def test_a_column_that_is_not_there_is_named(self):
        self.lines.good(1)
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        text = self.sources + '[defaults.layout]\nsortkey = ["nowhere"]\n'
        _, log = redshift_target.run_until(self.folder, self.target, text, ['layout.sortkey names column "nowhere"'])
        self.assertIn('layout.sortkey names column "nowhere"', log)


class Names(LinesCase):
    def test_a_dropped_column_goes_whatever_the_case_of_its_name_also_after_a_restart(self):
        for restart in (False, True):
            with self.subTest(restart=restart):
                table = "again" if restart else "once"
                self.schema(table, ["id", "Kept", "Old Note"], {"id": 1, "Kept": "a", "Old Note": "b"})
                if restart:
                    self.apply()
                self.schema(table, ["id", "Kept"], {"id": 2, "Kept": "c"})
                self.apply()
                columns = self.front.query(f"select column_name from information_schema.columns where table_name = '{table}' order by ordinal_position")
                self.assertEqual(columns, [["id"], ["kept"]])
        self.clean()

    def schema(self, table, names, row):
        """A row with its schema: what tells that a column is gone."""
        create_with_schema(self.lines, table, [{"type": "int64" if name == "id" else "string", "optional": name != "id", "field": name} for name in names], row)

    def test_tables_that_differ_in_case_only_stop_with_the_reason(self):
        self.lines.row("Good", {"id": 1, "v": "a"})
        self.lines.row("GOOD", {"id": 2, "v": "b"})
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        _, log = redshift_target.run_until(self.folder, self.target, self.sources, ["are one table in the target"])
        self.assertRegex(log, "tables 'public.(Good|GOOD)' and 'public.(Good|GOOD)' are one table in the target")
        kept = self.front.query("select id from good")
        self.assertEqual(len(kept), 1)
        # The one that came first keeps it, whichever is looked at first later.
        for more in (3, 4, 5):
            for table in ("GOOD", "Good"):
                self.lines.row(table, {"id": 10 * more + (table == "Good"), "v": "c"})
            self.lines.write(os.path.join(self.folder, "events.jsonl"))
            os.remove(os.path.join(self.folder, "log"))
            _, log = redshift_target.run_until(self.folder, self.target, self.sources, ["does not tell case apart"])
            self.assertIn("does not tell case apart", log)
        mine = 1 if kept[0][0] == "1" else 0
        self.assertEqual(self.front.query("select id from good where id > 9 order by id"), [[str(10 * more + mine)] for more in (3, 4, 5)])


class Types(LinesCase):
    def send(self, table, field, *rows):
        fields = [{"type": "int32", "optional": False, "field": "id"}, {**field, "optional": True, "field": "v"}]
        for row in rows:
            create_with_schema(self.lines, table, fields, row)

    def type_of(self, table):
        return self.front.query(f"select data_type from information_schema.columns where table_name = '{table}' and column_name = 'v'")[0][0]

    def test_columns_follow_their_source_and_the_rows_that_are_there_with_them(self):
        time = {"type": "int64", "name": "io.debezium.time.MicroTime", "version": 1}
        arrays = [{"type": "array", "items": {"type": kind, "optional": True}} for kind in ("int32", "string")]
        self.send("flags", {"type": "boolean"}, {"id": 1, "v": True}, {"id": 2, "v": False}, {"id": 3, "v": None})
        lengths = [0, 3_600_000_000, 86_399_000_000, 60_500_000, 1]
        self.send("shifts", time, *({"id": i, "v": each} for i, each in enumerate(lengths)))
        self.send("lists", arrays[0], {"id": 1, "v": [1, None]})
        self.apply()
        self.assertEqual([self.type_of(table) for table in ("flags", "shifts", "lists")], ["boolean", "time without time zone", "super"])
        self.send("flags", {"type": "int32"}, {"id": 4, "v": 7})
        self.send("shifts", time, {"id": 99, "v": -3_020_399_000_000}, *({"id": 10 + i, "v": each} for i, each in enumerate(lengths)))
        self.send("lists", arrays[1], {"id": 2, "v": ["a,\"b"]})
        self.apply()
        self.assertEqual([self.type_of(table) for table in ("flags", "shifts", "lists")], ["integer", "character varying", "super"])
        self.assertEqual(self.front.query("select v from flags order by id"), [["1"], ["0"], [None], ["7"]])
        texts = [row[0] for row in self.front.query("select v from shifts order by id")]
        self.assertEqual(texts[0:5], texts[5:10])
        self.assertEqual(texts[1::9], ["PT1H", "PT-838H-59M-59S"])
        self.assertEqual([json.loads(row[0]) for row in self.front.query("select json_serialize(v) from lists order by id")], [[1, None], ["a,\"b"]])
        self.clean()


class Overflow(LinesCase):
    LONG = "ü" * 40000  # 80,000 bytes

    def apply_with(self, policy, exit_code=0):
        self.lines.row("good", {"id": 1, "v": "short"})
        self.lines.row("good", {"id": 2, "v": self.LONG})
        log = self.apply(exit_code=exit_code, routes=f'[defaults.columns]\nv = {{ on_overflow = "{policy}" }}\n')
        self.clean()
        return log, self.front.query("select id, v from good order by id")

    def test_a_text_beyond_the_longest_is_cut_between_characters(self):
        log, rows = self.apply_with("truncate")
        self.assertEqual(rows, [["1", "short"], ["2", "ü" * 32767]])
        self.assertIn("1 change that made values fit the target", log)

    def test_nul_characters_are_left_out_and_counted_however_rows_travel(self):
        for copy_from in (0, 64):
            self.lines.row("good", {"id": copy_from, "v": "a\0b\0c"})
            log = self.apply(f"sinks.target.copy_from_rows={copy_from}")
            self.assertIn("good: 2 changes that made values fit the target", log)
        self.assertEqual(self.front.query("select v from good"), [["abc"], ["abc"]])

    def test_a_column_of_somebody_else_that_cannot_grow_follows_on_overflow(self):
        self.front.sql("create table good (id bigint, v varchar(21))")
        self.target.tables().psql("create role other; alter table public.good owner to other; grant all on public.good to loader")
        for number, policy in ((1, "truncate"), (2, "null")):
            self.lines.row("good", {"id": number, "v": "ü" * 15})
            self.apply(routes=f'[defaults.columns]\nv = {{ on_overflow = "{policy}" }}\n')
        self.assertEqual(self.front.query("select id, v from good order by id"), [["1", "ü" * 10], ["2", None]])

    def test_a_moment_without_an_end_is_null_where_the_column_says_so(self):
        fields = [{"type": "int64", "optional": False, "field": "id"}, {"type": "int64", "optional": True, "field": "at", "name": "io.debezium.time.MicroTimestamp"}]
        create_with_schema(self.lines, "good", fields, {"id": 1, "at": 9223372036825200000})
        self.apply(routes='[defaults.columns]\nat = { on_overflow = "null" }\n')
        self.assertEqual(self.front.query("select id, at from good"), [["1", None]])

    def test_a_text_beyond_the_longest_is_null(self):
        self.assertEqual(self.apply_with("null")[1], [["1", "short"], ["2", None]])

    def test_a_text_beyond_the_longest_is_a_dead_letter(self):
        self.assertEqual(self.apply_with("dead_letter", exit_code=4)[1], [["1", "short"]])
        self.assertIn("is VARCHAR(65535) and cannot hold a value of 80000 bytes", self.dead_letters()[0]["message"])


class KeptInTheTarget(LinesCase):
    """What cdcrt itself keeps in the target comes back whole, as constants and through files: with NUL, which no VARCHAR of Redshift holds, and
    longer than a constant may be."""
    WAYS = {"constants": ("copy_from_rows=10000", "copy_from_bytes=4MiB"), "files": ("copy_from_rows=0", "copy_from_bytes=1KiB")}
    IN_THE_TARGET = '[dead_letters]\nplugin = "table"\n'
    RAW = "no JSON \0 \u00fc\0"

    def each_way(self):
        """Settings, and a word for names of its own."""
        return [([f"sinks.target.{setting}" for setting in settings], way) for way, settings in self.WAYS.items()]

    def command(self, *arguments, settings=(), expect=0):
        done = program.run([*arguments, *redshift_target.arguments_of(self.folder, self.target, self.sources + self.IN_THE_TARGET, *settings)], self.target.environment, self.folder)
        self.assertEqual(done.exit_code, expect, done.log[-3000:])
        return done.log

    def test_dead_letters_in_the_target_keep_every_byte_and_are_replayed_with_it(self):
        for settings, way in self.each_way():
            offset = self.lines.message(self.RAW, "k\0ey", headers=["h\0", "v\0w"])
            self.lines.row("good", {"id": f"{way}\0", "v": "x"})  # a key that would be another row's without its NUL
            self.lines.row("good", {"id": way, "v": "y"})
            log = self.apply(*settings, routes=self.IN_THE_TARGET, exit_code=4)
            self.assertNotIn("values fit the target", log)
            found = self.front.query(f'select from_varbyte("key", \'hex\'), from_varbyte("value", \'hex\'), headers from cdcrt.dead_letters where "offset" = {offset}')
            self.assertEqual([each.lower() for each in found[0][:2]], [text.encode().hex() for text in ("k\0ey", self.RAW)])
            self.assertEqual(json.loads(found[0][2]), [["h\0", "v\0w"]])
            shown = self.command("dlq", "list", "--output", "json", settings=settings)
            self.assertIn(f'"offset":{offset + 1},'.replace(" ", ""), shown.replace(" ", ""))
            # Read back as they came, they are refused for the same reasons.
            self.assertIn("holds a NUL character", self.command("dlq", "replay", settings=settings, expect=4))
            self.assertEqual(self.front.query(f"select v from good where id = '{way}'"), [["y"]])

    def test_a_row_that_is_kept_for_a_pending_key_change_keeps_its_bytes(self):
        fields = [{"type": "int64", "optional": False, "field": "id"}, {"type": "string", "optional": True, "field": "v"}, {"type": "bytes", "optional": True, "field": "b"}]
        for settings, way in self.each_way():
            self.move(f"moved_{way}", fields, {"id": 1, "v": "a\0b", "b": "AGEA"}, settings)
            self.assertEqual(self.front.query(f"select id, v, from_varbyte(b, 'hex') from moved_{way}"), [["2", "ab", "006100"]])

    def test_a_row_longer_than_a_constant_is_kept_for_its_pending_key_change_too(self):
        fields = [{"type": "int64", "optional": False, "field": "id"}, *({"type": "string", "optional": True, "field": name} for name in "vw")]
        for settings, way in self.each_way():
            self.move(f"wide_{way}", fields, {"id": 1, "v": "\\ü'" * 10_000, "w": "x" * 60_000}, settings)
            self.assertEqual(self.front.query(f"select id, octet_length(v), octet_length(w), md5(v) from wide_{way}"),
                             [["2", "40000", "60000", hashlib.md5(("\\ü'" * 10_000).encode()).hexdigest()]])

    def move(self, table, fields, row, settings):
        """The row gets another key, told in two events, and the program ends between them."""
        schema = redshift_values.Schema(table, fields=fields)
        away = {name: UNAVAILABLE if name != "id" else value for name, value in row.items()}
        self.change(schema, "c", None, row, 0)
        self.apply(*settings)
        self.change(schema, "d", away, None, 0, ["__debezium.newkey", schema.key(2)])
        log = self.apply(*settings)
        self.assertNotIn("values fit the target", log)
        self.assertEqual(self.front.query(f"select count(*) from cdcrt.key_changes where target = 'public.{table}'"), [["1"]])
        self.change(schema, "c", None, {**away, "id": 2}, 1, ["__debezium.oldkey", schema.key(1)])
        self.apply(*settings)

    def change(self, schema, operation, before, after, partition, headers=()):
        key = schema.key((after or before)["id"])
        self.lines.message(schema.value(operation, before, after, 100 + self.lines.offset), key, f"t.public.{schema.table}", headers, partition)

    def test_where_partitions_stand_after_a_truncate_comes_back_whole(self):
        for settings, way in self.each_way():
            table = f"cut_{way}"
            for partition, number in ((0, 1), (1, 2)):
                self.lines.message(envelope(table, {"id": number, "v": "x"}, lsn=100 + self.lines.offset), json.dumps({"id": number}), f"t.public.{table}", partition=partition)
            self.lines.message(envelope(table, None, "t", lsn=100 + self.lines.offset), None, f"t.public.{table}")
            self.apply(*settings)
            self.lines.message(envelope(table, {"id": 3, "v": "z"}, lsn=100 + self.lines.offset), json.dumps({"id": 3}), f"t.public.{table}", partition=1)
            self.apply(*settings)
            self.assertEqual(self.front.query(f"select id, v from {table}"), [["3", "z"]])


class Transactions(LinesCase):
    TABLES = 6

    def transactions(self):
        """Tables of the test that each COMMIT made durable, of those that did."""
        found, tables = [], set()
        for each in self.front.statements():
            written = re.match(r'(?:INSERT INTO|COPY) "public"."(t\d)"', each["text"])
            if written:
                tables.add(written[1])
            if each["text"].startswith("COMMIT"):
                if tables:
                    found.append(sorted(tables))
                tables = set()
        return found

    def fill(self, rows):
        for number in range(rows):
            for table in range(self.TABLES):
                self.lines.row(f"t{table}", {"id": number, "v": "x" * 200})

    def test_as_many_tables_share_a_transaction_as_the_manifest_says(self):
        for most, expected in ((1, 6), (3, 2), (100, 1)):
            with self.subTest(group_tables=most):
                self.fill(10)
                # Nothing is due before the end, when everything is.
                self.apply("sinks.target.batch.max_age=1h", f"sinks.target.group_tables={most}", "sinks.target.connections=1")
                self.assertEqual(len(self.transactions()) - getattr(self, "seen", 0), expected)
                self.seen = len(self.transactions())

    def test_tables_that_are_large_share_one_too_when_the_manifest_says_so(self):
        self.fill(3000)  # of about 700 KB each
        self.apply("sinks.target.batch.max_age=1h", "sinks.target.group_tables=100", "sinks.target.connections=1", "runtime.memory=512MiB")
        self.assertEqual(len(self.transactions()), 1)

    def test_a_table_is_not_written_again_within_the_interval(self):
        self.fill(2000)
        self.apply("sinks.target.batch.min_interval=1h", "runtime.decode_workers=1")
        writes = [table for tables in self.transactions() for table in tables]
        # The first rows at once, and the rest when the input ends.
        self.assertEqual({table: writes.count(table) for table in writes}, {f"t{number}": 2 for number in range(self.TABLES)})
