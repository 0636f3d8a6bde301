"""Lines of `kcat -C -J` to events: Debezium's JSON envelope, with schemas and without (PostgreSQL's)."""

import base64
import dataclasses
import decimal
import gzip
import json
import re
import struct

from oracle import canonical
from oracle.values import ABSENT, Cell, Type

UNAVAILABLE = "__debezium_unavailable_value"
INFINITY, MINUS_INFINITY = 9223372036825200000, -9223372036832400000  # microseconds, as Debezium writes PostgreSQL's


# Days: PostgreSQL's, wrapped around 32 bits by the connector, in its stream and in its snapshots.
INFINITE_DATES = {-2147472692: "infinity", -2147472691: "-infinity", -622191234: "infinity", -625821272: "-infinity"}


class BadRecord(Exception):
    """A message that cannot be decoded."""


@dataclasses.dataclass
class Column:
    type: Type
    default: object = None  # Cell, or None: no constant default


@dataclasses.dataclass
class Event:
    topic: str
    partition: int
    offset: int
    table: tuple           # (database, schema, table)
    operation: str         # r c u d t
    key: dict              # column -> Cell of the message key; None: no key
    before: dict           # column -> Cell, None or ABSENT; None: not in the event
    after: dict
    columns: dict          # column -> Column; None: the event carries no schema
    source_order: tuple    # compares in source order; None: the event has none
    old_key: dict = None   # on a create: the row had this key before
    new_key: dict = None   # on a delete: the row goes on under this key


def open_text(path):
    with open(path, "rb") as file:
        magic = file.read(2)
    return gzip.open(path, "rt", encoding="utf-8") if magic == b"\x1f\x8b" else open(path, encoding="utf-8")


def read_messages(path):
    with open_text(path) as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def parse(text):
    return json.loads(text, parse_float=decimal.Decimal)


def decode(message):
    """The Event of a message; None for tombstones, heartbeats, transaction markers and schema changes."""
    if message.get("payload") is None:
        return None
    try:
        document = parse(message["payload"])
    except (ValueError, RecursionError) as error:
        raise BadRecord(str(error)) from None
    schema, body = _unwrap(document)
    if not isinstance(body, dict):
        raise BadRecord("not an object")
    if "op" not in body:
        if any(name in body for name in ("ts_ms", "status", "databaseName", "ddl")):
            return None
        raise BadRecord("not a change event")
    if body["op"] == "m":
        return None
    if body["op"] not in ("r", "c", "u", "d", "t"):
        raise BadRecord("unknown operation")
    return _event(message, schema, body)


def _unwrap(document):
    if isinstance(document, dict) and set(document) == {"schema", "payload"}:
        return document["schema"], document["payload"]
    return None, document


def _event(message, schema, body):
    source = body["source"]
    fields = _row_fields(schema)
    key_schema, key = _unwrap(parse(message["key"])) if message.get("key") else (None, None)
    key_fields = {field["field"]: field for field in key_schema["fields"]} if key_schema else None
    headers = message.get("headers") or []
    moves = {name: value for name, value in zip(headers[::2], headers[1::2]) if name.startswith("__debezium.") and "key" in name}

    def moved(name):
        if name not in moves:
            return None
        return _row(_unwrap(parse(moves[name]))[1], key_fields)

    return Event(
        topic=message["topic"], partition=message["partition"], offset=message["offset"],
        table=(source.get("db"), source.get("schema"), source["table"]),
        operation=body["op"],
        key=_row(key, key_fields),
        before=_row(body.get("before"), fields),
        after=_row(body.get("after"), fields),
        columns=None if fields is None else {name: Column(type_of(field), _default(field)) for name, field in fields.items()},
        source_order=_source_order(source),
        old_key=moved("__debezium.oldkey"), new_key=moved("__debezium.newkey"))


def _row_fields(schema):
    for field in (schema or {}).get("fields", []):
        if field["field"] == "after":
            return {column["field"]: column for column in field["fields"]}
    return None


def _row(row, fields):
    if row is None:
        return None
    return {name: decode_cell(value, fields.get(name) if fields else None) for name, value in row.items()}


def _source_order(source):
    """PostgreSQL: the end of the last finished transaction, then the change's own place. MariaDB, MySQL: the place in the binlog."""
    if source.get("file"):
        return (int(source["file"].rpartition(".")[2]), int(source["pos"]), int(source.get("row") or 0))
    if source.get("lsn") is None:
        return None
    finished = json.loads(source["sequence"])[0] if source.get("sequence") else None
    return (int(finished or source["lsn"]), int(source["lsn"]))


def _default(field):
    if field.get("default") is None:
        return None
    cell = decode_cell(field["default"], field)
    # Debezium writes 1970-01-01 where the source says now(): such a default proves nothing.
    if cell.kind in ("date", "time", "timestamp", "timestamptz") and cell.value == 0:
        return None
    return cell


# ---- one value ----

PLAIN = {"boolean": "bool", "float": "float32", "double": "float64"}
UNITS = {"Timestamp": 1000, "MicroTimestamp": 1, "Time": 1000, "MicroTime": 1}


def type_of(field):
    name = (field.get("name") or "").rsplit(".", 1)[-1]
    parameters = field.get("parameters") or {}
    if name == "Decimal":
        return Type("decimal", int(parameters.get("connect.decimal.precision", 0)), int(parameters["scale"]))
    if name == "VariableScaleDecimal":
        return Type("decimal")
    if name in ("Timestamp", "MicroTimestamp", "NanoTimestamp"):
        return Type("timestamp")
    if name in ("Time", "MicroTime", "NanoTime"):
        return Type("time")
    fixed = {"Date": "date", "ZonedTimestamp": "timestamptz", "ZonedTime": "timetz", "Json": "json", "Uuid": "uuid",
             "MicroDuration": "interval", "Interval": "interval", "Point": "json", "Bits": "string"}
    if name in fixed:
        return Type(fixed[name])
    if field["type"] == "array":
        return Type("array:" + type_of(field["items"]).kind)
    return Type(PLAIN.get(field["type"], field["type"]))


def decode_cell(value, field):
    if value is None:
        return None
    if value == UNAVAILABLE or value == [UNAVAILABLE]:
        return ABSENT
    if field is None:
        return _learned_cell(value)
    kind = type_of(field).kind
    name = (field.get("name") or "").rsplit(".", 1)[-1]
    if name == "Decimal":
        return Cell("decimal", _unscaled(value, int(field["parameters"]["scale"])))
    if name == "VariableScaleDecimal":
        return Cell("decimal", _unscaled(value["value"], value["scale"]))
    if kind == "timestamp":
        return timestamp_cell(kind, _microseconds(value, name))
    if kind == "time":
        return Cell(kind, _microseconds(value, name))
    if kind == "date":
        return Cell(kind, INFINITE_DATES.get(value, value))
    if name == "Bits":
        return Cell(kind, _bits(base64.b64decode(value), int((field.get("parameters") or {}).get("length", 0))))
    if name == "Enum":
        return Cell(kind, value.replace("\\,", ","))  # the MariaDB connector escapes commas of what it reads from the binlog
    if kind == "timestamptz":
        return Cell(kind, value if value in canonical.INFINITE else canonical.microseconds_of(value))
    if kind == "float32":
        value = float(value)
        return Cell(kind, struct.unpack("f", struct.pack("f", value))[0])  # the nearest 32-bit number is what was meant
    if kind == "float64":
        return Cell(kind, float(value))
    if kind == "bytes":
        raw = base64.b64decode(value)
        return ABSENT if raw == UNAVAILABLE.encode() else Cell(kind, raw)
    if kind.startswith("array"):
        return Cell(kind, [None if item is None else _element(item, field["items"]) for item in value])
    if field["type"] == "struct":
        return Cell("json", canonical._json(value))
    if name == "MicroDuration":
        return Cell(kind, canonical.duration(value))
    if kind == "interval":
        return Cell(kind, canonical.as_text(value))
    return Cell(kind, value)


def _element(item, field):
    cell = decode_cell(item, field)
    return cell.value if not isinstance(cell.value, decimal.Decimal) else canonical.plain(cell.value)


def _microseconds(value, name):
    if name.startswith("Nano"):
        return value // 1000
    return value * UNITS[name]


def timestamp_cell(kind, microseconds):
    if microseconds == INFINITY:
        return Cell(kind, "infinity")
    if microseconds == MINUS_INFINITY:
        return Cell(kind, "-infinity")
    return Cell(kind, microseconds)


def _bits(raw, length):
    """0 and 1, the highest first; the bytes come lowest first."""
    text = f"{int.from_bytes(raw, 'little'):b}"
    return text.rjust(length or 8 * len(raw), "0")


def _unscaled(text, scale):
    return decimal.Decimal(int.from_bytes(base64.b64decode(text), "big", signed=True)).scaleb(-scale, context=canonical.EXACT)


def _is_variable_decimal(value):
    """{"scale": 0, "value": "BQ=="} and nothing else, the bytes as Java writes them."""
    if not isinstance(value, dict) or set(value) != {"scale", "value"} or type(value["scale"]) is not int or abs(value["scale"]) > 200_000:
        return False
    return isinstance(value["value"], str) and re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})",
                                                            value["value"]) is not None


def _learned_cell(value):
    if isinstance(value, bool):
        return Cell("bool", value)
    if isinstance(value, int):
        return Cell("int64", value)
    if isinstance(value, decimal.Decimal):
        return Cell("decimal", value)
    if isinstance(value, str):
        return Cell("string", value)
    if _is_variable_decimal(value):
        return Cell("decimal", _unscaled(value["value"], value["scale"]))
    return Cell("array:json" if isinstance(value, list) else "json", value if isinstance(value, list) else canonical._json(value))
