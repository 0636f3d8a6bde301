"""Which values are equal across types: what an event said, and what a target that has a type of its own holds of it."""

import base64
import datetime
import decimal
import json
import re
import struct

from oracle.canonical import _postgres_array

decimal.getcontext().prec = 400


class Single(float):
    """A float32: its own digits are fewer than those of the double that is equal to it."""

    def digits(self):
        for precision in range(1, 10):
            text = f"{self:.{precision}g}"
            if struct.unpack("f", struct.pack("f", float(text)))[0] == self:
                return text
        return repr(float(self))


def canonical(value):
    """The value whatever its type: numbers by value, moments by moment, the rest as text."""
    if value is None:
        return None
    if isinstance(value, tuple):
        return ("json", json.loads(value[1]))
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, float):
        return ("number", decimal.Decimal(repr(value)).normalize())
    if isinstance(value, (int, decimal.Decimal)):
        return ("number", decimal.Decimal(value).normalize())
    if isinstance(value, bytes):
        return ("bytes", value)
    if isinstance(value, datetime.datetime):
        return ("moment", value)
    if isinstance(value, datetime.date):
        return ("moment", datetime.datetime.combine(value, datetime.time()))
    if isinstance(value, datetime.time):
        return ("time", value)
    return ("text", value)


def readings(stored):
    """What a stored text, number or bytes may stand for."""
    if isinstance(stored, bytes):
        yield ("bytes", stored)
        return
    text = str(stored)
    yield ("text", text)
    if isinstance(stored, float):
        yield ("number", decimal.Decimal(repr(stored)).normalize())
    elif re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text):
        yield ("number", decimal.Decimal(text).normalize())
    if text in ("t", "true", "1"):
        yield ("bool", True)
    if text in ("f", "false", "0"):
        yield ("bool", False)
    if text.startswith("\\x"):
        yield ("bytes", bytes.fromhex(text[2:]))
    plain = re.sub(r"(\+00(:00)?|Z)$", "", text)
    for parse, kind in ((datetime.datetime.fromisoformat, "moment"), (datetime.time.fromisoformat, "time")):
        try:
            yield (kind, parse(plain))
        except ValueError:
            pass
    try:
        yield ("json", json.loads(text))
    except ValueError:
        pass


def cut_alike(value, stored, native):
    """A moment without the digits of its seconds that the column does not keep: towards the past, also as text."""
    found = re.search(r"^(?:time|interval).*\((\d)\)", native)
    if not found:
        return False
    def cut(text):
        return re.sub(r"(\d\.\d*)", lambda part: part[0][:part[0].index(".") + 1 + int(found[1])].rstrip("0").rstrip("."), text)
    if isinstance(value, (datetime.datetime, datetime.time)):
        value = value.isoformat()
    return isinstance(value, str) and cut(value) != value and same(cut(value), stored, re.sub(r"\(\d\)", "", native))


def same_array(items, stored, native):
    if native.endswith("[]"):
        found, native = _postgres_array(stored), native[:-2]
    else:
        try:
            found, native = json.loads(stored, parse_float=decimal.Decimal), "text"
        except ValueError:
            return False
    if not isinstance(found, list) or len(found) != len(items):
        return False
    spelled = [each if each is None else str(each).lower() if isinstance(each, bool) else str(each) for each in found]
    return all(same(item, each, native) for item, each in zip(items, spelled))


def same(value, stored, native):
    """Whether the cell is the value, exactly, as a column of that type says it."""
    if value is None or stored is None:
        return value is None and stored is None
    items = value
    if isinstance(value, tuple) and native.endswith("[]"):
        items = json.loads(value[1])
    if isinstance(items, list):
        return same_array(items, stored, native)
    if cut_alike(value, stored, native):
        return True
    wanted, found = canonical(value), list(readings(stored))
    if wanted in found:
        return True
    if isinstance(value, Single) and ("number", decimal.Decimal(value.digits()).normalize()) in found:
        return True
    if isinstance(value, float) and ("number", decimal.Decimal(value).normalize()) in found:  # whole numbers digit for digit
        return True
    if wanted[0] == "number" and (isinstance(stored, float) or native in ("real", "double precision")):  # shown with fewer digits than it has
        kept = struct.unpack("f", struct.pack("f", float(stored)))[0] if native == "real" else float(stored)
        if isinstance(value, float):
            return kept == value
        return decimal.Decimal(kept).normalize() == wanted[1]
    if wanted[0] == "bytes" and isinstance(stored, str):  # documented: as base64 where the target has texts
        return base64.b64encode(wanted[1]).decode() == stored or (native.startswith("bit") or native.startswith("varbit")) and False
    if wanted[0] == "bool":
        return ("number", decimal.Decimal(int(value)).normalize()) in found
    if wanted[0] == "number" and wanted[1] in (0, 1):
        return ("bool", bool(wanted[1])) in found
    if wanted[0] == "time" and native.lower().startswith("interval"):
        return canonical_time(str(wanted[1])) == canonical_time(str(stored))
    if wanted[0] != "text":
        return False
    # A text became the value of a type: it must say the same in another spelling.
    text = wanted[1]
    lowered = native.lower()
    if lowered.startswith("char("):
        return text.rstrip(" ") == stored.rstrip(" ")
    if lowered in ("uuid", "citext"):
        return text.lower() == stored.lower()
    if lowered == "boolean":
        return text.lower() in {"t": ("true", "t", "1", "yes", "y", "on"), "f": ("false", "f", "0", "no", "n", "off")}.get(str(stored)[:1].replace("1", "t").replace("0", "f"), ())
    if lowered.startswith("interval"):
        return (text, stored) in {("P1DT1.5S", "P1DT1.5S")} or ("time", canonical_time(text)) == ("time", canonical_time(stored))
    if lowered in ("json", "jsonb"):
        return json.loads(text) == json.loads(stored)
    if lowered == "inet" or lowered == "bytea":
        return text == stored
    if re.match(r"(smallint|integer|bigint|oid|numeric|real|double|money|small|positive|int|dec|mon|bool)", lowered):
        try:
            return decimal.Decimal(text.strip()).normalize() == decimal.Decimal(str(stored)).normalize()
        except decimal.InvalidOperation:
            return text == "NaN" and stored == "NaN"
    other = list(readings(text))
    return any(reading in found for reading in other if reading[0] in ("moment", "time"))


def canonical_time(text):
    found = re.fullmatch(r"(?:PT)?(?:(\d+)[H:])?(?:(\d+)[M:])?(?:(\d+(?:\.\d+)?)S?)?", text)
    if not found or not text:
        return text
    hours, minutes, seconds = (decimal.Decimal(part or 0) for part in found.groups())
    return str((hours * 3600 + minutes * 60 + seconds).normalize())
