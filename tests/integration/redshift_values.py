"""Values that are easily lost on their way into Redshift, by type: what an event says, and the text that the front's backend then shows."""

import base64
import json
import math
import random
import struct

DAY = 86_400_000_000  # microseconds


def civil(days):
    """(year, month, day) of the proleptic Gregorian calendar; year 0 is 1 BC."""
    days += 719468
    era, of_era = divmod(days, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    part = (5 * of_year + 2) // 153
    month = part + 3 if part < 10 else part - 9
    return year + era * 400 + (month <= 2), month, of_year - (153 * part + 2) // 5 + 1


def days_of(year, month, day):
    """The inverse."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def date_text(days, tail=""):
    year, month, day = civil(days)
    return f"{year if year > 0 else 1 - year:04}-{month:02}-{day:02}{tail}{'' if year > 0 else ' BC'}"


def time_text(microseconds):
    seconds, fraction = divmod(microseconds, 1_000_000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return text + (f".{fraction:06}".rstrip("0") if fraction else "")


def moment_text(microseconds, zone=""):
    days, rest = divmod(microseconds, DAY)
    return date_text(days, f" {time_text(rest)}{zone}")


def as_float(text):
    """Floats as numbers that compare: NaN with itself, zeros by sign."""
    number = float(text)
    return "NaN" if math.isnan(number) else struct.pack(">d", number)


def as_single(text):
    number = float(text)
    return "NaN" if math.isnan(number) else struct.pack(">f", number)


def decimal_bytes(text, scale):
    whole, _, fraction = text.lstrip("-").partition(".")
    number = int(whole + fraction.ljust(scale, "0")) * (-1 if text.startswith("-") else 1)
    return base64.b64encode(number.to_bytes((number.bit_length() + 8) // 8, "big", signed=True)).decode()


def decimals(scale, texts):
    return [(decimal_bytes(text, scale), text) for text in texts]


def same(values):
    return [(value, value) for value in values]


def texts(values):
    return [(value, value.replace("\0", "")) for value in values]


def binary(values):
    return [(base64.b64encode(value).decode(), "\\x" + value.hex()) for value in values]


class Column:
    """`field`: its schema without a name. `values`: (what the event says, what is stored); `large`: more of these, to be used seldom."""

    def __init__(self, name, field, values, large=(), normal=str):
        self.name, self.field, self.normal = name, {**field, "optional": True, "field": name}, normal
        self.values, self.large = [(None, None), *values], list(large)


def semantic(kind, name, parameters=None):
    return {"type": kind, "name": name, "version": 1, **({"parameters": parameters} if parameters else {})}


def decimal_field(precision, scale):
    return semantic("bytes", "org.apache.kafka.connect.data.Decimal", {"scale": str(scale), "connect.decimal.precision": str(precision)})


HARD_TEXTS = ["", " ", "a", "a ", "a  ", " a", "NULL", "null", "\\N", "N0", '"', '""', "'", "''", "\\", "\\\\" * 20, "\\'", "a,b", "a\nb", "a\r\nb", "\t", "\x01\x1f\x7f",
              "a\0b", "\0", "grüße €😀", "e\u0301", "$1", "%s", "{}", "--", "/*", ";", "x" * 300]
EDGE_TEXTS = ["x" * 65535, "é" * 32767 + "x", "x" + "€" * 21844 + "yy", "x" * 3 + "😀" * 16383, " " * 65535, "\\" * 65535, "'" * 65535, '"' * 65535]
HARD_JSON = ["null", '""', "{}", "[]", "true", "1.10", "-0", "1e400", '" "', '{"a":null}', '{"a":"it\'s \\\\ \\" \\n \\u20ac"}', '"a,b"', "[1,[2,[3]]]", '"null"', '{"a":1,"b":"é😀"}',
             "12345678901234567890123456789.123456789"]
EDGE_JSON = ['{"a":"' + "x" * 65535 + '"}', "[" + ",".join(["123456789"] * 12000) + "]", '{"é":"' + "é" * 32767 + '","b":"' + "y" * 65535 + '"}', '["' + "\\n" * 60000 + '"]']
EDGE_BYTES = [bytes(32767), bytes(32768), bytes(range(256)) * 256, bytes(70000)]
FIRST, LAST = days_of(-4712, 1, 1), days_of(294276, 12, 31)

COLUMNS = [
    Column("b", {"type": "boolean"}, [(True, "t"), (False, "f")]),
    Column("i16", {"type": "int16"}, same([-32768, 0, 32767])),
    Column("i32", {"type": "int32"}, same([-2**31, 0, 2**31 - 1])),
    Column("i64", {"type": "int64"}, same([-2**63, -1, 0, 2**63 - 1])),
    Column("f32", {"type": "float"}, same([0.1, -0.0, 3.4028235e38, 1.1754944e-38, 16777216.0, "NaN", "Infinity", "-Infinity"]), normal=as_single),
    Column("f64", {"type": "double"}, same([0.1, -0.0, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, 123456789.123456789, "NaN", "Infinity", "-Infinity"]), normal=as_float),
    Column("d37", decimal_field(38, 37), decimals(37, ["9." + "9" * 37, "-0." + "0" * 36 + "1", "0." + "0" * 37, "-9." + "9" * 37])),
    Column("d38", decimal_field(38, 38), decimals(38, ["0." + "9" * 38, "-0." + "0" * 37 + "1"])),
    Column("d0", decimal_field(38, 0), decimals(0, ["9" * 38, "-" + "9" * 38, "0"])),
    Column("d19", decimal_field(19, 4), decimals(4, ["999999999999999.9999", "-0.0001", "1.5000"])),
    Column("t", {"type": "string"}, texts(HARD_TEXTS), texts(EDGE_TEXTS)),
    Column("t2", {"type": "string"}, texts(HARD_TEXTS[::-1]), texts(EDGE_TEXTS[:4])),
    Column("y", {"type": "bytes"}, binary([b"", b"\0", b"\\x", b"a ", bytes(range(256))]), binary(EDGE_BYTES)),
    Column("j", semantic("string", "io.debezium.data.Json"), same(HARD_JSON), same(EDGE_JSON)),
    Column("dt", semantic("int32", "io.debezium.time.Date"), [(day, date_text(day)) for day in (0, -1, FIRST, LAST, days_of(9999, 12, 31), days_of(10000, 1, 1), days_of(0, 12, 31), days_of(1, 1, 1))]),
    Column("tm", semantic("int64", "io.debezium.time.MicroTime"), [(each, time_text(each)) for each in (0, 1, DAY - 1, 45_296_123_450)]),
    Column("tn", semantic("int64", "io.debezium.time.NanoTime"), [(1_000, "00:00:00.000001"), (1_999, "00:00:00.000001"), (86_399_999_999_999, "23:59:59.999999")]),
    Column("ts", semantic("int64", "io.debezium.time.MicroTimestamp"),
           [(each, moment_text(each)) for each in (0, -1, 1, FIRST * DAY, days_of(294247, 1, 9) * DAY + DAY - 1, days_of(10000, 1, 1) * DAY, days_of(-43, 3, 15) * DAY + 1)]),
    Column("tsn", semantic("int64", "io.debezium.time.NanoTimestamp"),
           [(1_700_000_000_123_456_789, moment_text(1_700_000_000_123_456)), (-1, moment_text(-1)), (1_000, moment_text(1)), (999_999_999, moment_text(999_999))]),
    Column("tz", semantic("string", "io.debezium.time.ZonedTimestamp"),
           [("2024-02-29T23:59:59.1234567Z", "2024-02-29 23:59:59.123456+00"), ("2024-02-29T23:59:59.123456789+02:00", "2024-02-29 21:59:59.123456+00"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999+00"), ("1970-01-01T00:00:00Z", "1970-01-01 00:00:00+00")]),
    Column("ttz", semantic("string", "io.debezium.time.ZonedTime"),
           [("12:34:56.1234567Z", "12:34:56.123456+00"), ("23:59:59.999999999+02:00", "23:59:59.999999+02"), ("00:00:00Z", "00:00:00+00"), ("01:02:03.5-05:30", "01:02:03.5-05:30")]),
    Column("u", semantic("string", "io.debezium.data.Uuid"), same(["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"])),
    Column("iv", semantic("string", "io.debezium.time.Interval"), same(["P1Y2M3DT4H5M6.5S", "PT-3.5S", "P0Y0M0DT0H0M0S"])),
]


class Rows:
    """Rows of all columns; the first ones hold every value, the others are mixed by chance. Every 20th has large values."""

    def __init__(self, count, seed=0):
        chance = random.Random(seed)
        self.events, self.stored = [], []
        for number in range(count):
            event, stored = {"id": number}, [str(number)]
            for place, column in enumerate(COLUMNS):
                is_large = column.large and number % 20 == 7 + place % 3
                values = column.large if is_large else column.values
                value = values[(number // 20 if is_large else number) % len(values)] if number < 160 else chance.choice(values)
                event[column.name] = value[0]
                stored.append(None if value[1] is None else column.normal(value[1]) if value[1] is not True else "t")
            self.events.append(event)
            self.stored.append(stored)


class Schema:
    """Keys and values of one table's messages, with their schemas."""

    def __init__(self, table, keyed=True, more=(), fields=None):
        fields = fields or [{"type": "int64", "optional": False, "field": "id"}, *[column.field for column in COLUMNS], *more]
        image = {"type": "struct", "optional": True, "name": f"s.public.{table}.Value", "fields": fields}
        source = [{"type": "string", "optional": True, "field": name} for name in ("name", "db", "schema", "table", "connector", "sequence")]
        source.append({"type": "int64", "optional": True, "field": "lsn"})
        schema = {"type": "struct", "name": f"s.public.{table}.Envelope", "fields": [
            {**image, "field": "before"}, {**image, "field": "after"}, {"type": "struct", "optional": False, "field": "source", "fields": source},
            {"type": "string", "optional": False, "field": "op"}]}
        self.table, self.keyed = table, keyed
        self.head = '{"schema":' + json.dumps(schema) + ',"payload":'
        self.key_head = '{"schema":' + json.dumps({"type": "struct", "optional": False, "name": f"s.public.{table}.Key", "fields": fields[:1]}) + ',"payload":'

    def key(self, number):
        return self.key_head + json.dumps({"id": number}) + "}"

    def value(self, operation, before, after, lsn):
        source = {"name": "s", "db": "shop", "schema": "public", "table": self.table, "connector": "postgresql", "sequence": f'["1","{lsn}"]', "lsn": lsn}
        return self.head + json.dumps({"before": before, "after": after, "source": source, "op": operation}) + "}"
