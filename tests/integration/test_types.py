"""What columns are: times that are lengths, booleans among numbers, fractions finer than the target, arrays; and the operator's columns."""

import base64
import json
import os
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402

MANIFEST = """[pipeline]
name = "types"
[sources.events]
plugin = "file"
paths = ["{folder}/events.jsonl"]
format.plugin = "debezium-json"
[dead_letters]
path = "{folder}/dead_letters.jsonl"
"""


def field(kind, name=None, **parameters):
    made = {"type": kind, "optional": True}
    if name:
        made |= {"name": name if "." in name else "io.debezium." + {"Json": "data", "Uuid": "data", "Enum": "data"}.get(name, "time") + "." + name, "version": 1}
    return made | ({"parameters": parameters} if parameters else {})


def array(items):
    return {"type": "array", "items": items, "optional": True}


INT, LONG, TEXT, BOOLEAN, DOUBLE = field("int32"), field("int64"), field("string"), field("boolean"), field("double")
DECIMAL2 = field("bytes", "org.apache.kafka.connect.data.Decimal", scale="2", **{"connect.decimal.precision": "10"})


class Types(unittest.TestCase):
    """`run_into` applies what was sent; tables have the key `id`, of 32 bits."""

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder, self.offsets, self.lines, self.extra = place.name, {}, [], []
        self.manifest = os.path.join(self.folder, "manifest.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(folder=self.folder))

    def send(self, table, fields, *rows, key=None):
        """Rows with the schema `fields`; None for `fields`: without schema. `key`: the name and the field of the key."""
        name, of_key = key or ("id", INT)
        for row in rows:
            offset = self.offsets[table] = self.offsets.get(table, -1) + 1
            source = {"version": "3.2", "connector": "postgresql", "name": "t", "ts_ms": 1_700_000_000_000, "db": "shop", "schema": "public", "table": table, "lsn": offset + 1,
                      "sequence": f'["1","{offset + 1}"]'}
            body = {"before": None, "after": row, "source": source, "op": "c", "ts_ms": 1_700_000_000_000}
            identity = {name: row[name]}
            if fields is not None:
                value = {"type": "struct", "optional": True, "fields": [{**of, "field": column} for column, of in {name: of_key, **fields}.items()], "name": f"t.public.{table}.Value"}
                of_source = {"type": "struct", "optional": False, "field": "source", "fields": [
                    {"type": "int64" if column in ("ts_ms", "lsn") else "string", "optional": True, "field": column} for column in source]}
                body = {"schema": {"type": "struct", "optional": False, "name": f"t.public.{table}.Envelope", "fields": [
                    {**value, "field": "before"}, {**value, "field": "after"}, of_source, {"type": "string", "optional": False, "field": "op"}]}, "payload": body}
                identity = {"schema": {"type": "struct", "optional": False, "fields": [{**of_key, "optional": False, "field": name}]}, "payload": identity}
            self.lines.append({"topic": f"t.public.{table}", "partition": 0, "offset": offset, "tstype": "create", "ts": 1_700_000_000_000,
                               "key": json.dumps(identity, separators=(",", ":")), "payload": json.dumps(body, separators=(",", ":"))})

    def run_into(self, target, exit_code=0, *settings):
        with open(os.path.join(self.folder, "events.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in self.lines)
        arguments = ["--manifest", self.manifest, "--manifest", target.overlay, "--set", "sinks.target.stall_after=1s"]
        for setting in settings:
            arguments += ["--set", setting]
        result = program.run(arguments, target.environment, self.folder, 60)
        self.assertEqual(result.exit_code, exit_code, result.log)
        return result.log

    def postgresql(self, prepare=None):
        target = program.PostgresqlTarget(self.folder)
        self.server, self.database = program.PostgresqlTarget.server, target.environment["CDCRT_TEST_DATABASE"]
        if prepare:
            self.server.sql(self.database, prepare)
        return target

    def sqlite(self, prepare=None):
        target = program.SqliteTarget(self.folder)
        self.lite = sqlite3.connect(target.path)
        self.addCleanup(self.lite.close)
        if prepare:
            self.lite.executescript(prepare)
        return target

    def rows(self, text):
        return [tuple(row) for row in self.server.query(self.database, text)]

    def types(self, table):
        return dict(self.rows(f"select attname::text, format_type(atttypid, atttypmod) from pg_attribute where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped"))

    def dead_letters(self):
        return program.dead_letters(os.path.join(self.folder, "dead_letters.jsonl"))


class Lengths(Types):
    def send_shifts(self):
        microseconds = [3_600_000_000, -1_000_000, 3_020_399_000_000, -3_020_399_000_000, 86_400_000_000, 90_000_500_000, None]
        self.send("shifts", {"lasted": field("int64", "MicroTime")}, *({"id": i, "lasted": each} for i, each in enumerate(microseconds)))

    def test_a_time_that_is_a_length_makes_its_column_an_interval_in_postgresql(self):
        self.send_shifts()
        self.run_into(self.postgresql())
        self.assertEqual(self.types("public.shifts")["lasted"], "interval")
        self.assertEqual([row[0] for row in self.rows("select extract(epoch from lasted)::numeric(20,6)::text from public.shifts order by id")],
                         ["3600.000000", "-1.000000", "3020399.000000", "-3020399.000000", "86400.000000", "90000.500000", None])

    def test_sqlite_keeps_it_a_time(self):
        self.send_shifts()
        self.run_into(self.sqlite())
        self.assertEqual([row[0] for row in self.lite.execute("select lasted from shifts order by id")],
                         ["01:00:00", "-00:00:01", "838:59:59", "-838:59:59", "24:00:00", "25:00:00.500000", None])

    def test_an_adopted_time_is_left_alone_and_what_it_cannot_hold_is_a_dead_letter_unless_the_table_evolves(self):
        self.send_shifts()
        target = self.postgresql("create table public.shifts (id integer primary key, lasted time)")
        self.run_into(target, 4, 'defaults.schema_changes="ignore"')
        self.assertEqual(self.types("public.shifts")["lasted"], "time without time zone")
        self.assertEqual(self.rows("select id::text, lasted::text from public.shifts order by id"), [("0", "01:00:00"), ("4", "24:00:00"), ("6", None)])
        self.assertEqual([dead_letter["offset"] for dead_letter in self.dead_letters()], [1, 2, 3, 5])


class Booleans(Types):
    def send_switches(self):
        small = field("int16")
        self.send("switches", {"on": small, "lvl": small}, {"id": 1, "on": 1, "lvl": 1}, {"id": 2, "on": 0, "lvl": 7}, {"id": 3, "on": -1, "lvl": None})
        self.send("switches", {"on": BOOLEAN, "lvl": BOOLEAN}, {"id": 4, "on": True, "lvl": True}, {"id": 5, "on": False, "lvl": False}, {"id": 1, "on": False, "lvl": True})

    EXPECTED = [(1, 0, 1), (2, 0, 7), (3, -1, None), (4, 1, 1), (5, 0, 0)]

    def test_a_boolean_and_a_small_integer_meet_in_the_integer(self):
        self.send_switches()
        self.run_into(self.sqlite())
        self.assertEqual(list(self.lite.execute('select id, "on", lvl from switches order by id')), self.EXPECTED)
        self.run_into(self.postgresql())
        self.assertEqual(self.types("public.switches")["lvl"], "smallint")
        self.assertEqual(self.rows('select id::text, "on"::text, lvl::text from public.switches order by id'),
                         [tuple(None if each is None else str(each) for each in row) for row in self.EXPECTED])

    def test_a_boolean_column_that_turns_out_to_be_a_number_is_altered_and_its_rows_with_it(self):
        self.send("flags", {"f": BOOLEAN}, {"id": 1, "f": True}, {"id": 2, "f": False}, {"id": 3, "f": None})
        lite, target = self.sqlite(), self.postgresql()
        self.run_into(lite)
        self.run_into(target)
        self.send("flags", {"f": LONG}, {"id": 4, "f": 7})
        self.run_into(lite)
        self.run_into(target)
        self.assertEqual(list(self.lite.execute("select f from flags order by id")), [(1,), (0,), (None,), (7,)])
        self.assertEqual(self.types("public.flags")["f"], "bigint")
        self.assertEqual(self.rows("select f::text from public.flags order by id"), [("1",), ("0",), (None,), ("7",)])

    def test_a_boolean_key_is_one_key_with_its_number(self):
        self.send("keyed", {"v": TEXT}, {"id": True, "v": "a"}, {"id": False, "v": "b"}, key=("id", BOOLEAN))
        self.send("keyed", {"v": TEXT}, {"id": 1, "v": "c"}, {"id": 2, "v": "d"}, key=("id", INT))
        self.run_into(self.sqlite())
        self.assertEqual(list(self.lite.execute("select id, v from keyed order by id")), [(0, "b"), (1, "c"), (2, "d")])
        self.run_into(self.postgresql())
        self.assertEqual(self.rows("select id::text, v from public.keyed order by id"), [("0", "b"), ("1", "c"), ("2", "d")])


class Fractions(Types):
    def test_digits_past_the_microsecond_are_cut_and_counted(self):
        fields = {"a": field("int64", "NanoTimestamp"), "b": field("string", "ZonedTimestamp"), "c": field("int64", "NanoTime")}
        rows = [{"id": 1, "a": 1_648_811_502_929_775_100, "b": "2024-05-10T16:00:01.604805+03:00", "c": 40_302_929_775_100},
                {"id": 2, "a": 1_648_811_502_929_775_000, "b": "2024-05-10T16:00:01.6048050+03:00", "c": 40_302_929_775_000},
                {"id": 3, "a": 1_648_811_502_000_000_000, "b": "2024-05-10T16:00:01.1234567Z", "c": 0}, {"id": 4, "a": None, "b": "0001-01-01T00:00:00Z", "c": 86_399_999_999_900}]
        self.send("readings", fields, *rows)
        expected = [("2022-04-01T11:11:42.929775", "2024-05-10T13:00:01.604805+00:00", "11:11:42.929775"),
                    ("2022-04-01T11:11:42.929775", "2024-05-10T13:00:01.604805+00:00", "11:11:42.929775"),
                    ("2022-04-01T11:11:42", "2024-05-10T16:00:01.123456+00:00", "00:00:00"), (None, "0001-01-01T00:00:00+00:00", "23:59:59.999999")]
        self.run_into(self.sqlite())
        self.assertEqual(list(self.lite.execute("select a, b, c from readings order by id")), expected)
        target = self.postgresql()
        self.run_into(target)
        self.assertEqual(self.rows("select a::text, (b at time zone 'UTC')::text, c::text from public.readings order by id"),
                         [tuple(None if each is None else each.replace("T", " ").removesuffix("+00:00") for each in row) for row in expected])

    def test_what_postgresqls_connector_spells_its_own_way_is_what_the_source_has(self):
        rounded = field("bytes", "org.apache.kafka.connect.data.Decimal", scale="2045", **{"connect.decimal.precision": "5"})
        value = 12_345_000 * 10**2045
        unscaled = base64.b64encode(value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)).decode()
        self.send("ends", {"n": rounded, "d": field("string", "IsoDate"), "t": field("string", "IsoTimestamp")},
                  {"id": 1, "n": unscaled, "d": "+292278994-08-16Z", "t": "+294247-01-10T04:00:25.2Z"},
                  {"id": 2, "n": None, "d": "-5877611-06-22Z", "t": "-290308-12-21T19:59:27.6Z"})
        self.run_into(self.sqlite())
        self.assertEqual(list(self.lite.execute("select n, d, t from ends order by id")), [("12345000", "infinity", "infinity"), (None, "-infinity", "-infinity")])
        self.run_into(self.postgresql())
        self.assertEqual(self.rows("select n::text, d::text, t::text from public.ends order by id"), [("12345000", "infinity", "infinity"), (None, "-infinity", "-infinity")])
        self.assertEqual(self.types("public.ends")["n"], "numeric(5,-3)")

    def test_without_schemas_doubles_and_infinities_are_read_as_the_route_says(self):
        self.send("bare", None, {"id": 1, "f": 9.999999999999999e22, "n": "POSITIVE_INFINITY", "d": -622_191_234}, {"id": 2, "f": 0.1, "n": "NAN", "d": -2_147_472_691})
        self.lines[0]["payload"] = self.lines[0]["payload"].replace("1e+23", "9.999999999999999E22")
        self.run_into(self.postgresql(), 0, 'routes.all.match=["*.*"]', 'routes.all.columns.f.type="float64"', 'routes.all.columns.n.type="decimal"',
                      'routes.all.columns.d={type="date",parse="epoch_days"}')
        self.assertEqual(self.rows("select (f = 1e23::float8)::text, n::text, d::text from public.bare order by id"), [("true", "Infinity", "infinity"), ("false", "NaN", "-infinity")])

    def test_every_digit_can_be_kept_as_text_or_refused_by_the_route(self):
        self.send("readings", {"a": field("int64", "NanoTimestamp")}, {"id": 1, "a": 1_648_811_502_929_775_100}, {"id": 2, "a": 1_648_811_502_929_775_000})
        text, strict = self.sqlite(), self.postgresql()
        self.run_into(text, 0, 'routes.all.match=["*.*"]', 'routes.all.columns.a.type="string"')
        self.assertEqual([row[0] for row in self.lite.execute("select a from readings order by id")], ["2022-04-01T11:11:42.929775100", "2022-04-01T11:11:42.929775"])
        self.run_into(strict, 4, 'routes.all.match=["*.*"]', 'routes.all.columns.a.on_overflow="dead_letter"')
        self.assertEqual(self.rows("select id::text from public.readings"), [("2",)])

    def test_nanoseconds_of_an_interval_are_cut_in_postgresql_and_kept_in_sqlite(self):
        self.send("spans", {"s": field("string", "Interval")}, {"id": 1, "s": "P0Y0M1DT2H3M4.567890123S"}, {"id": 2, "s": "P0Y0M-1DT-2H-3M-4.56S"})
        self.run_into(self.sqlite())
        self.assertEqual([row[0] for row in self.lite.execute("select s from spans order by id")], ["P0Y0M1DT2H3M4.567890123S", "P0Y0M-1DT-2H-3M-4.56S"])
        target = self.postgresql()
        self.run_into(target)
        self.assertEqual(self.rows("select s::text from public.spans order by id"), [("1 day 02:03:04.56789",), ("-1 days -02:03:04.56",)])


TEXTS = ["a,b", 'c"d', None, "", "NULL", "null", "{}", "\\", "x\ny", "日本 😀", " pad "]


class Arrays(Types):
    def test_arrays_of_the_source_are_arrays_of_postgresql_and_json_in_sqlite(self):
        fields = {"t": array(TEXT), "i": array(INT), "n": array(DECIMAL2), "z": array(field("string", "ZonedTimestamp")), "ts": array(field("int64", "MicroTimestamp")),
                  "d": array(field("int32", "Date")), "u": array(field("string", "Uuid")), "b": array(BOOLEAN), "y": array(field("bytes")), "m": array(array(INT)),
                  "f": array(DOUBLE), "o": array({"type": "map", "keys": TEXT, "values": TEXT, "optional": True})}
        self.send("arrays", fields, {"id": 1, "t": TEXTS, "i": [1, None, 3], "n": ["ew==", None], "z": ["2024-01-01T00:00:00.5Z"], "ts": [1_704_067_200_000_001], "d": [0, -719_162],
                                     "u": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], "b": [True, None, False], "y": ["AP8="], "m": [[1, 2], [3, None]], "f": [0.1, 1e300],
                                     "o": [{"k": "v"}]}, {"id": 2} | {name: [] for name in fields}, {"id": 3} | {name: None for name in fields})
        target = self.postgresql()
        self.run_into(target)
        self.assertEqual({name: kind for name, kind in self.types("public.arrays").items() if name != "id"},
                         {"t": "text[]", "i": "integer[]", "n": "numeric(10,2)[]", "z": "timestamp with time zone[]", "ts": "timestamp without time zone[]", "d": "date[]", "u": "uuid[]",
                          "b": "boolean[]", "y": "bytea[]", "m": "integer[]", "f": "double precision[]", "o": "json"})
        self.assertEqual(self.rows("select i, n, z at time zone 'UTC' is null, ts, d, u, b, y, m, f, o from (select i::text, n::text, z[1] as z, ts::text, d::text, u::text, b::text, "
                                   "y::text, m::text, f::text, o::text from public.arrays where id = 1) as a"),
                         [("{1,NULL,3}", "{1.23,NULL}", "f", '{"2024-01-01 00:00:00.000001"}', "{1970-01-01,0001-01-01}", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "{t,NULL,f}",
                           '{"\\\\x00ff"}', "{{1,2},{3,NULL}}", "{0.1,1e+300}", '[{"k":"v"}]')])
        self.assertEqual(json.loads(self.rows("select to_json(t)::text from public.arrays where id = 1")[0][0]), TEXTS)
        self.assertEqual(self.rows("select t::text, i::text, m::text, o::text from public.arrays where id > 1 order by id"), [("{}", "{}", "{}", "[]"), (None, None, None, None)])
        self.run_into(self.sqlite())
        row = self.lite.execute("select t, i, n, m, y from arrays where id = 1").fetchone()
        self.assertEqual([json.loads(cell) for cell in row], [TEXTS, [1, None, 3], [1.23, None], [[1, 2], [3, None]], ["AP8="]])

    def test_an_array_that_postgresql_does_not_have_is_a_dead_letter_and_the_others_go_on(self):
        self.send("ragged", {"m": array(array(INT)), "t": array(TEXT)}, {"id": 1, "m": [[1], [2, 3]], "t": []}, {"id": 2, "m": [[1], [2]], "t": ["a\0b"]}, {"id": 3, "m": [[]], "t": []},
                  {"id": 4, "m": [[1], [2]], "t": ["ok"]})
        self.run_into(self.postgresql(), 4)
        self.assertEqual(self.rows("select id::text, m::text, t::text from public.ragged"), [("4", "{{1},{2}}", "{ok}")])
        self.assertEqual([dead_letter["offset"] for dead_letter in self.dead_letters()], [0, 1, 2])

    def test_elements_that_change_their_type_are_widened_with_the_rows_that_are_there(self):
        steps = [({"v": array(field("int16")), "w": array(field("int32", "Date")), "x": array(INT), "y": array(INT), "z": array(DOUBLE)},
                  {"id": 1, "v": [1, None], "w": [0], "x": [5], "y": [6], "z": [1.5]}),
                 ({"v": array(LONG), "w": array(field("string", "ZonedTimestamp")), "x": array(TEXT), "y": array(DOUBLE), "z": array(TEXT)},
                  {"id": 2, "v": [2**40], "w": ["2024-01-01T00:00:00Z"], "x": ["five"], "y": [0.5], "z": ["half"]})]
        target, lite = self.postgresql(), self.sqlite()
        for fields, row in steps:
            self.send("grows", fields, row)
            self.run_into(target)
            self.run_into(lite)
        self.assertEqual({name: kind for name, kind in self.types("public.grows").items() if name != "id"},
                         {"v": "bigint[]", "w": "timestamp with time zone[]", "x": "text[]", "y": "double precision[]", "z": "json"})
        self.assertEqual(self.rows("select v::text, w[1] = '1970-01-01 00:00:00+00' , x::text, y::text, z::text from public.grows order by id"),
                         [("{1,NULL}", "t", "{5}", "{6}", "[1.5]"), ("{1099511627776}", "f", "{five}", "{0.5}", '["half"]')])
        self.assertEqual(list(self.lite.execute("select v, x, z from grows order by id")), [("[1,null]", "[5]", "[1.5]"), ("[1099511627776]", '["five"]', '["half"]')])
        # An event of the older shape, late.
        self.send("grows", steps[0][0], {"id": 3, "v": [3], "w": [1], "x": [7], "y": [8], "z": [2.5]})
        self.run_into(target)
        self.assertEqual(self.rows("select v::text, x::text, y::text, z::text from public.grows where id = 3"), [("{3}", "{7}", "{8}", "[2.5]")])

    def test_an_array_is_a_key_in_postgresql(self):
        for rows in ([1, 2], []), ([1, 2], [None, 3]):
            self.send("keyed", {"v": TEXT}, *({"id": row, "v": f"{len(self.lines)}"} for row in rows), key=("id", array(INT)))
        self.run_into(self.postgresql())
        self.assertEqual(self.rows("select id::text, v from public.keyed order by cardinality(id), id"), [("{}", "0"), ("{1,2}", "2"), ("{NULL,3}", "2")])

    def test_without_schemas_arrays_are_json_and_fit_into_the_arrays_of_an_adopted_table(self):
        self.send("made", None, {"id": 1, "t": ["a", 1, None]})
        self.send("there", None, {"id": 1, "t": TEXTS, "i": [1, None], "u": ["A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"], "d": ["2024-01-01"]}, {"id": 2, "t": None, "i": ["x"], "u": [], "d": []},
                  {"id": 3, "t": [], "i": [[1], [2]], "u": [], "d": ["now"]}, {"id": 4, "t": [], "i": [[1], [2]], "u": [], "d": []})
        target = self.postgresql("create table public.there (id integer primary key, t text[], i integer[], u uuid[], d date[])")
        self.run_into(target, 4)
        self.assertEqual(self.types("public.made")["t"], "json")
        self.assertEqual(self.types("public.there"), {"id": "integer", "t": "text[]", "i": "integer[]", "u": "uuid[]", "d": "date[]"})
        self.assertEqual(self.rows("select id::text, i::text, u::text, d::text from public.there order by id"),
                         [("1", "{1,NULL}", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "{2024-01-01}"), ("4", "{{1},{2}}", "{}", "{}")])
        self.assertEqual(json.loads(self.rows("select to_json(t)::text from public.there where id = 1")[0][0]), TEXTS)
        self.assertEqual([dead_letter["offset"] for dead_letter in self.dead_letters()], [1, 2])

    def test_a_route_says_which_arrays_they_are(self):
        self.send("routed", None, {"id": 1, "t": ["a"], "i": "[1, 2]"})
        self.run_into(self.postgresql(), 0, 'routes.all.match=["*.*"]', 'routes.all.columns.t.type="text[]"', 'routes.all.columns.i.type="bigint[]"')
        self.assertEqual(self.rows("select t::text, i::text from public.routed"), [("{a}", "{1,2}")])
        self.assertEqual(self.types("public.routed")["i"], "bigint[]")


class Adopted(Types):
    def test_postgresqls_own_types_take_their_values(self):
        enum = field("string", "Enum", allowed="sad,ok")
        point = {"type": "struct", "optional": True, "name": "io.debezium.data.geometry.Point", "version": 1, "fields": [
            {"type": "double", "field": "x"}, {"type": "double", "field": "y"}, {"type": "bytes", "optional": True, "field": "wkb"}, {"type": "int32", "optional": True, "field": "srid"}]}
        strings = {"type": "map", "keys": TEXT, "values": TEXT, "optional": True}
        columns = [  # type of the target, field, value, its text
            ("jsonb", field("string", "Json"), '{"a": 1}', '{"a": 1}'), ("uuid", TEXT, "b5a0f6c4-1111-4222-8333-944455556666", "b5a0f6c4-1111-4222-8333-944455556666"),
            ("inet", TEXT, "10.0.0.1/24", "10.0.0.1/24"), ("macaddr", TEXT, "08:00:2b:01:02:03", "08:00:2b:01:02:03"), ("mood", enum, "ok", "ok"), ("mood[]", array(enum), ["ok", "sad"], "{ok,sad}"),
            ("text[]", array(TEXT), ["a,b", 'c"d', None, ""], '{"a,b","c\\"d",NULL,""}'), ("integer[]", array(INT), [1, None, 3], "{1,NULL,3}"),
            ("hstore", strings, {"k": "v", "n": None}, '"k"=>"v", "n"=>NULL'), ("hstore", field("string", "Json"), '{"k":"v"}', '"k"=>"v"'),
            ("bit(3)", field("bytes", "io.debezium.data.Bits", length="3"), "BQ==", "101"), ("bit(1)", BOOLEAN, True, "1"), ("money", DECIMAL2, "AeI6", "$1,234.50"),
            ("ltree", field("string", "io.debezium.data.Ltree"), "Top.Science", "Top.Science"), ("citext", TEXT, "CiText", "CiText"), ("int4range", TEXT, "[1,10)", "[1,10)"),
            ("tsvector", field("string", "io.debezium.data.Tsvector"), "'cat':1 'fat':2", "'cat':1 'fat':2"), ("xml", field("string", "io.debezium.data.Xml"), "<a/>", "<a/>"),
            ("interval", field("int64", "MicroDuration"), 93_784_567_890, "26:03:04.56789"), ("point", point, {"x": 1.5, "y": 2.0, "wkb": None, "srid": None}, "(1.5,2)"),
            ("numeric(10,2)", DOUBLE, 1.25, "1.25"), ("timestamptz", field("int64", "MicroTimestamp"), 1_704_067_200_000_001, "2024-01-01 00:00:00.000001+00"),
            ("timestamp", field("string", "ZonedTimestamp"), "2024-01-01T10:00:00+02:00", "2024-01-01 08:00:00"), ("date", field("int64", "Timestamp"), 1_704_067_200_000, "2024-01-01"),
            ("boolean", field("int16"), 1, "true"), ("smallint", INT, 32767, "32767"), ("character(5)", TEXT, "ab", "ab   "), ("text", INT, 42, "42"),
            ("bytea", field("bytes"), "AP8=", "\\x00ff"), ("double precision[]", array(DOUBLE), [1.0, 2.5], "{1,2.5}")]
        made = ", ".join(f"c{i} {kind}" for i, (kind, _, _, _) in enumerate(columns))
        target = self.postgresql("create extension if not exists hstore; create extension if not exists ltree; create extension if not exists citext; "
                                 f"create type mood as enum ('sad', 'ok'); create table public.x (id integer primary key, {made}, n text)")
        self.server.sql(self.database, f"alter database {self.database} set timezone = 'UTC'")
        before = self.types("public.x")
        self.send("x", {f"c{i}": of for i, (_, of, _, _) in enumerate(columns)}, {"id": 1} | {f"c{i}": value for i, (_, _, value, _) in enumerate(columns)},
                  {"id": 2} | {f"c{i}": None for i in range(len(columns))})
        self.run_into(target)
        self.assertEqual(self.types("public.x"), before)
        shown = ", ".join(f"format('%s', c{i})" if kind == "character(5)" else f"c{i}::text" for i, (kind, _, _, _) in enumerate(columns))
        self.assertEqual(self.rows(f"select {shown} from public.x where id = 1"), [tuple(text for _, _, _, text in columns)])
        self.assertEqual(self.rows("select count(*)::text from public.x"), [("2",)])

    def test_no_policy_alters_a_column_whose_values_fit_and_none_alters_a_text_that_is_too_short(self):
        for policy in ("evolve", "add_only", "ignore"):
            with self.subTest(policy):
                self.setUp()
                self.send("v", {"u": TEXT, "s": LONG, "c": TEXT}, {"id": 1, "u": "b5a0f6c4-1111-4222-8333-944455556666", "s": 5, "c": "short"}, {"id": 2, "u": None, "s": None, "c": "toolong"})
                target = self.postgresql("create table public.v (id integer primary key, u uuid, s smallint, c varchar(5))")
                self.run_into(target, 4, f'defaults.schema_changes="{policy}"')
                self.assertEqual(self.types("public.v"), {"id": "integer", "u": "uuid", "s": "smallint", "c": "character varying(5)"})
                self.assertEqual(self.rows("select id::text, s::text, c from public.v"), [("1", "5", "short")])
                self.assertIn("'c'", self.dead_letters()[0]["message"])

    def test_what_the_server_would_round_is_a_dead_letter_also_in_columns_that_the_route_types(self):
        self.send("narrow", {"n": field("bytes", "org.apache.kafka.connect.data.Decimal", scale="3"), "t": field("int64", "MicroTime"), "r": DOUBLE},
                  {"id": 1, "n": "BOI=", "t": 1_000_000, "r": 0.5}, {"id": 2, "n": "BOc=", "t": 1_000_000, "r": 0.5}, {"id": 3, "n": "BOI=", "t": 1_000_000, "r": 0.123456789})
        target = self.postgresql("create table public.narrow (id integer primary key, t time(0))")
        self.run_into(target, 4, 'routes.all.match=["*.*"]', 'routes.all.columns.n.target_type="numeric(10,2)"', 'routes.all.columns.r.target_type="real"')
        self.assertEqual(self.rows("select id::text, n::text, t::text, r::text from public.narrow"), [("1", "1.25", "00:00:01", "0.5")])
        self.assertEqual([dead_letter["offset"] for dead_letter in self.dead_letters()], [1, 2])

    def test_names_that_differ_in_case_only_are_not_merged_in_sqlite(self):
        self.send("t", {"v": TEXT}, {"id": 1, "v": "small"})
        self.send("T", {"v": TEXT}, {"id": 1, "v": "large"})
        log = self.run_into(self.sqlite(), 1)
        self.assertIn("does not tell case apart", log)
        self.assertEqual(len(list(self.lite.execute("select v from t"))), 1)


if __name__ == "__main__":
    unittest.main()
