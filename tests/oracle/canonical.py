"""Canonical text of a value, by the logical type of its column.

Two values are the same if and only if their canonical texts are the same. NULL is None. Everything is exact: numbers are
compared digit for digit, times to the microsecond, floats by their IEEE value.
"""

import decimal
import json
import re
import struct

INTEGERS = {"int8", "int16", "int32", "int64", "uint64"}
INFINITE = {"infinity": "infinity", "-infinity": "-infinity"}
EXACT = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
MICROSECONDS_A_DAY = 86_400_000_000


def text_of(kind, value, zero_sign=True):
    """Canonical text of `value`: a Python value of the decoder, or what a target or a CSV file holds (text, numbers, bytes)."""
    if value is None:
        return None
    if kind == "bool":
        return _bool(value)
    if kind in INTEGERS or kind == "decimal":
        return number(value)
    if kind in ("float32", "float64"):
        return _float(kind, value, zero_sign)
    if kind == "money":
        return number(re.sub(r"[$,]", "", str(value)))
    if kind == "date":
        return _date(value)
    if kind in ("time", "timetz"):
        return _time(value, kind == "timetz")
    if kind in ("timestamp", "timestamptz"):
        return _timestamp(value, kind == "timestamptz")
    if kind == "bytes":
        return _bytes(value)
    if kind == "json":
        return _json(json.loads(as_text(value), parse_float=decimal.Decimal))
    if kind == "hstore":
        return _hstore(as_text(value))
    if kind == "interval":
        return _interval(duration(value) if isinstance(value, int) else as_text(value))
    if kind == "uuid":
        return as_text(value).lower()
    if kind.startswith("array"):
        return _array(kind.partition(":")[2] or "json", value)
    return as_text(value)


def as_text(value):
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, float):
        return repr(value)
    return str(value)


# ---- numbers ----

def plain(value):
    """A decimal without exponent, trailing zeros kept: 1E+2 -> 100, 1.50 -> 1.50."""
    return format(value, "f")


def number(value):
    if isinstance(value, bool):
        value = int(value)
    value = decimal.Decimal(as_text(value)) if not isinstance(value, decimal.Decimal) else value
    if value.is_nan():
        return "NaN"
    if value.is_infinite():
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    text = plain(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _bool(value):
    text = as_text(value).lower()
    if text in ("t", "true", "1"):
        return "t"
    if text in ("f", "false", "0"):
        return "f"
    return "not a boolean: " + text


def _float(kind, value, zero_sign):
    value = float(as_text(value)) if not isinstance(value, (int, float)) else float(value)
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if kind == "float32":
        try:
            value = struct.unpack("f", struct.pack("f", value))[0]
        except OverflowError:
            return "beyond float32: " + repr(value)
    if value == 0 and not zero_sign:
        return "0.0"
    return repr(value)


def _bytes(value):
    if isinstance(value, str):
        return value.lower() if value.startswith("\\x") else "\\x" + value.encode().hex()
    return "\\x" + bytes(value).hex()


# ---- dates and times: the proleptic Gregorian calendar, year 0 is 1 BC ----

def days_from_civil(year, month, day):
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def civil_from_days(days):
    era, of_era = divmod(days + 719468, 146097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def write_date(days):
    year, month, day = civil_from_days(days)
    sign = "-" if year < 0 else "+" if year > 9999 else ""
    return f"{sign}{abs(year):04d}-{month:02d}-{day:02d}"


def write_time(microseconds):
    sign = "-" if microseconds < 0 else ""
    seconds, fraction = divmod(abs(microseconds), 1_000_000)
    text = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return text + (f".{fraction:06d}" if fraction else "")


def write_timestamp(microseconds):
    days, rest = divmod(microseconds, MICROSECONDS_A_DAY)
    return write_date(days) + "T" + write_time(rest)


DATE = r"(?P<year>[+-]?\d{4,})-(?P<month>\d\d)-(?P<day>\d\d)"
TIME = r"(?P<minus>-)?(?P<hour>\d{2,}):(?P<minute>\d\d)(:(?P<second>\d\d)([.](?P<fraction>\d{1,9}))?)?"
ZONE = r"(?P<zone>Z|[+-]\d\d(:?\d\d)?(:?\d\d)?)"
DATE_TEXT = re.compile(DATE + r"(?P<bc> BC)?")
TIME_TEXT = re.compile(TIME + ZONE + "?")
TIMESTAMP_TEXT = re.compile(DATE + "[T ]" + TIME + ZONE + "?(?P<bc> BC)?")


def parse_date(match):
    year = int(match["year"])
    return days_from_civil(1 - year if match["bc"] else year, int(match["month"]), int(match["day"]))


def parse_time(match):
    fraction = (match["fraction"] or "").ljust(9, "0")
    if fraction[6:] != "000":
        raise ValueError("digits beyond microseconds")
    seconds = (int(match["hour"]) * 60 + int(match["minute"])) * 60 + int(match["second"] or 0)
    total = seconds * 1_000_000 + int(fraction[:6])
    return -total if match["minus"] else total


def zone_microseconds(zone):
    if zone in (None, "Z"):
        return 0
    digits = zone[1:].replace(":", "").ljust(6, "0")
    seconds = (int(digits[:2]) * 60 + int(digits[2:4])) * 60 + int(digits[4:6])
    return (-seconds if zone[0] == "-" else seconds) * 1_000_000


def days_of(text):
    match = DATE_TEXT.fullmatch(text)
    if not match:
        raise ValueError("not a date: " + text)
    return parse_date(match)


def microseconds_of(text):
    """Microseconds since 1970 of a timestamp, in UTC when it names a zone."""
    match = TIMESTAMP_TEXT.fullmatch(text)
    if not match:
        raise ValueError("not a timestamp: " + text)
    return parse_date(match) * MICROSECONDS_A_DAY + parse_time(match) - zone_microseconds(match["zone"])


def time_of(text):
    match = TIME_TEXT.fullmatch(text)
    if not match:
        raise ValueError("not a time: " + text)
    return parse_time(match), match["zone"]


def _date(value):
    if value in INFINITE:
        return value
    return write_date(value if isinstance(value, int) else days_of(as_text(value)))


def _timestamp(value, zoned):
    if value in INFINITE:
        return value
    return write_timestamp(value if isinstance(value, int) else microseconds_of(as_text(value))) + ("Z" if zoned else "")


def _time(value, zoned):
    if isinstance(value, int):
        return write_time(value)
    microseconds, zone = time_of(as_text(value))
    if not zoned:
        return write_time(microseconds)
    return write_time((microseconds - zone_microseconds(zone)) % MICROSECONDS_A_DAY) + "Z"


ISO_INTERVAL = re.compile(r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?)(\d+)(?:[.](\d{1,9}))?S)?)?")
TEXT_INTERVAL = re.compile(r"(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?(?:([+-]?)(\d+):(\d\d):(\d\d)(?:[.](\d{1,6}))?)?")


def duration(microseconds):
    """ISO 8601 text of a length of time."""
    sign = "-" if microseconds < 0 else ""
    seconds, part = divmod(abs(microseconds), 1_000_000)
    return f"PT{sign}{seconds}.{part:06d}S"


def _interval(text):
    """Months, days and microseconds, each apart: of ISO 8601 and of PostgreSQL's own style."""
    def number(digits):
        return int(digits or 0)
    def fraction(digits):  # the connector computes with floats: 1.999998999 is 1.999999
        return (int((digits or "").ljust(9, "0")) + 500) // 1000
    if match := ISO_INTERVAL.fullmatch(text):
        years, months, days, hours, minutes, minus, seconds, part = match.groups()
        microseconds = number(seconds) * 1_000_000 + fraction(part)
        microseconds = (number(hours) * 60 + number(minutes)) * 60_000_000 + (-microseconds if minus else microseconds)
    elif match := TEXT_INTERVAL.fullmatch(text):
        years, months, days, minus, hours, minutes, seconds, part = match.groups()
        microseconds = ((number(hours) * 60 + number(minutes)) * 60 + number(seconds)) * 1_000_000 + fraction(part)
        microseconds = -microseconds if minus == "-" else microseconds
    else:
        return text
    return f"{12 * number(years) + number(months)} months {number(days)} days {microseconds} us"


# ---- nested values ----

def _json(value):
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k, ensure_ascii=False) + ":" + _json(v) for k, v in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, (int, float, decimal.Decimal)) and not isinstance(value, bool):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def _array(element, value):
    text = value if isinstance(value, list) else as_text(value)
    items = text if isinstance(text, list) else (
        _postgres_array(text) if text.startswith("{") else json.loads(text, parse_float=decimal.Decimal))
    return "[" + ",".join("NULL" if i is None else json.dumps(_element(element, i), ensure_ascii=False) for i in items) + "]"


def _element(kind, item):
    if kind == "json":
        return _json(item) if not isinstance(item, str) else item
    return text_of(kind, item)


def _postgres_array(text):
    """The elements of {a,"b c",NULL}; one dimension."""
    items = []
    for quoted, bare in re.findall(r'(?:[{,])(?:"((?:[^"\\]|\\.)*)"|([^",{}]*))', text):
        if bare == "NULL":
            items.append(None)
        elif bare:
            items.append(bare)
        elif text != "{}":
            items.append(re.sub(r"\\(.)", r"\1", quoted))
    return items


def _hstore(text):
    if text.startswith("{"):
        return _json(json.loads(text))
    pairs = re.findall(r'"((?:[^"\\]|\\.)*)"=>(?:"((?:[^"\\]|\\.)*)"|NULL)', text)
    return _json({key: value if value != "" or f'"{key}"=>""' in text else None for key, value in pairs})
