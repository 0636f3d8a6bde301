"""Kinds of columns for the generator: random values, how Debezium writes them, and how PostgreSQL converts them.

Written apart from the oracle on purpose: the two check each other.
"""

import base64
import dataclasses
import decimal
import json
import struct
import typing

TEXTS = ["", "a", "naïve 日本 😀", 'quote " back \\ slash', "tab\tnew\nline", "x'; drop table y; --", "NULL", "\\N", " pad ", "__debezium",
         "0", "007", "line\u2028sep", "é" * 40]


def random_int(bits):
    def value(random):
        small = random.random() < 0.8
        return random.randint(-99, 99) if small else random.choice([-2 ** (bits - 1), 2 ** (bits - 1) - 1, random.getrandbits(bits - 1)])
    return value


def random_decimal(digits, scale):
    return lambda random: decimal.Decimal(random.randint(-10 ** random.randint(1, digits), 10 ** digits - 1)).scaleb(-scale)


def unscaled(value, scale):
    number = int(value.scaleb(scale))
    return base64.b64encode(number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)).decode()


def plain(value):
    return format(value, "f")


def single(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def zoned(microseconds):
    seconds, fraction = divmod(microseconds, 1_000_000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"2024-01-{days + 1:02d}T{hour:02d}:{minute:02d}:{second:02d}.{fraction:06d}Z"


JANUARY_2024 = 1_704_067_200_000_000


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    canonical: str                  # kind of canonical.text_of
    field: dict                     # Connect schema
    value: typing.Callable          # random -> value
    encode: typing.Callable         # value -> JSON of an event with schemas
    encode_plain: typing.Callable   # value -> JSON of an event without; None: the kind does not occur there
    evolves: dict = dataclasses.field(default_factory=dict)  # name of another kind -> how a value is converted


def same(value):
    return value


def decimal_field(digits, scale):
    return {"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "version": 1,
            "parameters": {"scale": str(scale), "connect.decimal.precision": str(digits)}}


def named(base, name):
    return {"type": base, "name": "io.debezium." + name, "version": 1}


def array_field(items):
    return {"type": "array", "items": {**items, "optional": True}}


def random_array(element):
    return lambda random: [None if random.random() < 0.2 else element(random) for _ in range(random.randint(0, 3))]


def array_of(convert):
    return lambda items: [None if item is None else convert(item) for item in items]


class Number:
    """A decimal on its way into JSON, digit for digit."""

    def __init__(self, value):
        self.text = plain(value)


KINDS = {kind.name: kind for kind in [
    Kind("int32", "int32", {"type": "int32"}, random_int(32), same, same,
         {"int64": same, "float64": float, "text": str}),
    Kind("int64", "int64", {"type": "int64"}, random_int(64), same, same, {"text": str, "decimal4": decimal.Decimal}),
    Kind("bool", "bool", {"type": "boolean"}, lambda random: random.random() < 0.5, same, same,
         {"text": lambda value: "true" if value else "false", "tally": int}),
    # What a boolean became does not become a text as well: a late "true" could not be told from 1.
    Kind("tally", "int32", {"type": "int32"}, random_int(32), same, same),
    Kind("float32", "float32", {"type": "float"}, lambda random: single(random.uniform(-1e6, 1e6)), same, None, {"float64": same}),
    Kind("float64", "float64", {"type": "double"}, lambda random: random.choice([0.1, 1e300, -5e-324, random.uniform(-1, 1)]), same, None),
    Kind("decimal2", "decimal", decimal_field(10, 2), random_decimal(10, 2), lambda value: unscaled(value, 2), Number,
         {"decimal4": same, "text": plain}),
    Kind("decimal4", "decimal", decimal_field(24, 4), random_decimal(24, 4), lambda value: unscaled(value, 4), Number),
    Kind("text", "string", {"type": "string"}, lambda random: random.choice(TEXTS), same, same),
    Kind("date", "date", named("int32", "time.Date"), lambda random: random.randint(-30000, 60000), same, None,
         {"timestamp": lambda days: days * 86_400_000_000}),
    Kind("timestamp", "timestamp", named("int64", "time.MicroTimestamp"), lambda random: random.randint(-10**15, 4 * 10**15), same, None),
    Kind("zoned", "timestamptz", named("string", "time.ZonedTimestamp"),
         lambda random: JANUARY_2024 + random.randint(0, 30 * 86_400_000_000), lambda value: zoned(value - JANUARY_2024), None),
    Kind("bytes", "bytes", {"type": "bytes"}, lambda random: random.randbytes(random.randint(0, 6)),
         lambda value: base64.b64encode(value).decode(), None),
    Kind("json", "json", named("string", "data.Json"), lambda random: json.dumps({"k": random.randint(0, 9), "t": random.choice(TEXTS)}),
         same, None),
    Kind("time", "time", named("int64", "time.MicroTime"), lambda random: random.randint(0, 86_399_999_999), same, None, {"duration": same}),
    Kind("duration", "interval", named("int64", "time.MicroDuration"), lambda random: random.randint(-10**13, 10**13), same, None),
    Kind("ints", "array:int32", array_field({"type": "int32"}), random_array(random_int(32)), same, None, {"longs": same, "texts": array_of(str)}),
    Kind("longs", "array:int64", array_field({"type": "int64"}), random_array(random_int(64)), same, None, {"texts": array_of(str)}),
    Kind("texts", "array:string", array_field({"type": "string"}), random_array(lambda random: random.choice(TEXTS)), same, None),
    # Without schema the name tells the route which rule applies: see manifests/random-plain.toml.
    Kind("day", "date", {}, lambda random: random.randint(-30000, 60000), None, same),
    Kind("us", "timestamp", {}, lambda random: random.randint(-10**15, 4 * 10**15), None, same),
    Kind("price", "decimal", {}, random_decimal(10, 2), None, plain),
    Kind("blob", "bytes", {}, lambda random: random.randbytes(random.randint(0, 6)), None, lambda value: base64.b64encode(value).decode()),
]}

WITH_SCHEMA = [kind for kind in KINDS.values() if kind.encode]
PLAIN = [kind for kind in KINDS.values() if kind.encode_plain]
PLAIN_EVOLUTIONS = {("int32", "text"), ("int64", "text"), ("bool", "text"), ("int64", "decimal4")}
