"""Types as Redshift writes them -> as the backend has them (types.sql). Limits are [D] r_Character_types, r_Numeric_types201,
r_VARBYTE_type, r_Datetime_types."""

from dataclasses import dataclass

from redshift.errors import SqlError
from redshift.rules import rejection

SIMPLE = {
    "SMALLINT": "smallint",
    "INT2": "smallint",
    "INTEGER": "integer",
    "INT": "integer",
    "INT4": "integer",
    "BIGINT": "bigint",
    "INT8": "bigint",
    "REAL": "real",
    "FLOAT4": "real",
    "FLOAT8": "double precision",
    "BOOLEAN": "boolean",
    "BOOL": "boolean",
    "DATE": "date",
    "TIMETZ": "time with time zone",
    "TIMESTAMPTZ": "timestamp with time zone",
    "SUPER": "super",
}
KINDS = {
    "smallint": "integer",
    "integer": "integer",
    "bigint": "integer",
    "super": "super",
    "date": "date",
    "timestamp with time zone": "timestamp"
}
LATER = {
    "UUID", "JSON", "JSONB", "XML", "HSTORE", "TSVECTOR", "TSQUERY", "INT4RANGE", "INT8RANGE", "NUMRANGE", "TSRANGE", "TSTZRANGE",
    "DATERANGE", "CITEXT", "JSONPATH"
}
UNSTORED = {
    "BYTEA", "MONEY", "INET", "CIDR", "MACADDR", "SERIAL", "BIGSERIAL", "SERIAL4", "SERIAL8", "SMALLSERIAL", "BIT", "VARBIT", "POINT",
    "LINE", "LSEG", "BOX", "PATH", "POLYGON", "CIRCLE"
}
UNPLAYED = {"GEOMETRY", "GEOGRAPHY", "HLLSKETCH"}
VARCHARS, CHARS, VARBYTES = {"VARCHAR", "NVARCHAR", "TEXT"}, {"CHAR", "CHARACTER", "NCHAR", "BPCHAR"}, {"VARBYTE", "VARBINARY", "BINARY"}


@dataclass
class Type:
    """kind: varchar, varbyte, super, decimal, integer, date, timestamp (with and without zone) or other. `length` in bytes, of varchar and
    varbyte; precision and scale of decimal."""
    text: str
    kind: str = "other"
    length: int = None
    precision: int = 0
    scale: int = 0


def _arguments(tokens, place):
    """The tokens in parentheses at `place`, and the place after them; (None, place) when there are none."""
    if place < len(tokens) and tokens[place].text == "(":
        end = place + 1
        while end < len(tokens) and tokens[end].text != ")":
            end += 1
        return tokens[place + 1:end], end + 1
    return None, place


def _word(tokens, place):
    return tokens[place].up if place < len(tokens) else ""


def parse_type(tokens, place, column=None):
    """(Type, place after it). `column`: its name in a table's definition; None for a cast, where VARCHAR has no limit of its own."""
    word, after = _word(tokens, place), place + 1
    if word == "CHARACTER" and _word(tokens, after) == "VARYING":
        word, after = "VARCHAR", after + 1
    elif word == "BINARY" and _word(tokens, after) == "VARYING":
        word, after = "VARBYTE", after + 1
    elif word == "DOUBLE" and _word(tokens, after) == "PRECISION":
        word, after = "FLOAT8", after + 1
    if word in LATER:
        raise rejection("no-such-type", tokens[place].text.lower())
    if word in UNPLAYED:
        raise rejection("not-emulated", f"type {word.lower()}")
    if word in UNSTORED or (after < len(tokens) and tokens[after].text == "["):
        if column is None:
            raise rejection("array-cast", tokens[place].text.lower())
        array = "[]" if after < len(tokens) and tokens[after].text == "[" else ""
        raise rejection("unsupported-type", column, tokens[place].text.lower() + array)
    answer, after = _sized(tokens, place, word, after, column)
    if after < len(tokens) and tokens[after].text == "[":
        raise rejection("array-cast", tokens[place].text.lower() +
                        "[]") if column is None else rejection("unsupported-type", column, answer.text + "[]")
    return answer, after


def _sized(tokens, place, word, after, column):
    if word in VARCHARS:
        arguments, after = _arguments(tokens, after)
        if arguments is None:
            return (Type("varchar(256)", "varchar", 256) if column is not None else Type("varchar", "varchar", 65535)), after
        length = 65535 if arguments[0].up == "MAX" else int(arguments[0].text)
        if length > 65535:
            raise rejection("varchar-size")
        return Type(f"varchar({length})", "varchar", length), after
    if word in VARBYTES:
        arguments, after = _arguments(tokens, after)
        length = 64000 if arguments is None else int(arguments[0].text)
        if length > 16777216:
            raise rejection("varbyte-size")
        return Type("varbyte" if arguments is None and column is None else f"varbyte({2 * length + 4})", "varbyte", length), after
    if word in CHARS:
        arguments, after = _arguments(tokens, after)
        length = (256 if word == "BPCHAR" else 1) if arguments is None else 4096 if arguments[0].up == "MAX" else int(arguments[0].text)
        if length > 4096:
            raise rejection("char-size")
        return Type(f"char({length})", "char", length), after
    if word in ("DECIMAL", "NUMERIC", "DEC"):
        arguments, after = _arguments(tokens, after)
        numbers = [int(token.text) for token in arguments if token.kind == "n"] if arguments else [18]
        precision, scale = numbers[0], numbers[1] if len(numbers) > 1 else 0
        if not 1 <= precision <= 38:
            raise rejection("decimal-precision", precision)
        if scale > min(37, precision):
            raise rejection("decimal-scale", scale, precision)
        return Type(f"numeric({precision},{scale})", "decimal", None, precision, scale), after
    if word == "FLOAT":
        arguments, after = _arguments(tokens, after)
        return Type("real" if arguments and int(arguments[0].text) <= 24 else "double precision"), after
    if word in ("TIMESTAMP", "TIME", "TIMETZ", "TIMESTAMPTZ") and _word(tokens, after) == "(":
        raise rejection("timestamp-precision")
    if word in ("TIMESTAMP", "TIME"):
        if _word(tokens, after) in ("WITH", "WITHOUT") and _word(tokens, after + 1) == "TIME":
            text = f"{word.lower()} {_word(tokens, after).lower()} time zone"
            return Type(text, word.lower()), after + 3
        return Type(word.lower(), word.lower()), after
    if word == "INTERVAL":
        return _interval(tokens, after, column)
    if word in SIMPLE:
        return Type(SIMPLE[word], KINDS.get(SIMPLE[word], "other")), after
    if column is not None:
        raise SqlError("42704", f'type "{tokens[place].name()}" does not exist')
    # A cast to a type of the catalogs (regclass, name, oid, ...), for the leader node's own tables.
    while after + 1 < len(tokens) and tokens[after].text == ".":
        after += 2
    return Type("".join(token.text for token in tokens[place:after])), after


def _interval(tokens, after, column):
    """INTERVAL with a qualifier, YEAR TO MONTH or DAY TO SECOND (n) or parts of them: [D] r_interval_data_types. A cast may do without."""
    begin = after
    while _word(tokens, after) in ("YEAR", "TO", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"):
        after += 1
    words = [token.up for token in tokens[begin:after]]
    if column is not None and not words:
        raise rejection("unsupported-type", column, "interval")
    precision, after = _arguments(tokens, after) if words and words[-1] == "SECOND" else (None, after)
    return Type(" ".join(["interval", *words]).lower() + (f"({precision[0].text})" if precision else "")), after
