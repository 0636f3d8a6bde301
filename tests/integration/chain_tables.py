"""The tables of the chain test: their columns with values to pick from, as each database writes them, and how they are read back.

Values are chosen to be exact in the source; what Debezium's events cannot carry (negative zero dates and the like) is read from the
source as the event tells it, in one place: `read` of a column."""

import dataclasses
import json
import uuid as uuids


@dataclasses.dataclass
class Column:
    name: str
    type: str
    kind: str              # of oracle/canonical.py
    values: object         # random.Random -> a literal
    read: str = None       # expression that reads it as text; default: the column itself


@dataclasses.dataclass
class Table:
    name: str
    columns: list
    key: list              # names; empty: none
    ids: int = 2000        # keys are drawn from 1..ids
    options: str = ""
    evolving: bool = False
    truncated: bool = False


def text_literal(text):
    return "'" + text.replace("'", "''") + "'"


def maria_text(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


LETTERS = "abc XYZ 0189 -_/\\\"'%,;:{}[]<>|\t äöüßéñ"
WIDE = LETTERS + "żółć Жук 漢字 😀𝄞"


def words(random, alphabet, most):
    return "".join(random.choice(alphabet) for _ in range(random.randrange(most + 1)))


def some(random, *values):
    return random.choice(values)


def number(digits, scale):
    def value(random):
        size = random.randrange(1, digits + 1)
        text = str(random.randrange(10 ** size)).rjust(scale + 1, "0")
        return random.choice(["", "-"]) + (text[:-scale] + "." + text[-scale:] if scale else text)
    return value


def integer(low, high):
    return lambda random: str(some(random, low, high, 0, random.randrange(low, high + 1), random.randrange(max(low, -100), min(high, 100))))


def document(random, depth=0):
    kind = random.randrange(7 if depth < 3 else 5)
    if kind == 0:
        return some(random, None, True, False)
    if kind in (1, 2):
        return some(random, 0, -1, random.randrange(-2**53, 2**53), random.randrange(1000) / 8)
    if kind in (3, 4):
        return words(random, "abc äЖ漢😀\"\\/\n", 8)
    if kind == 5:
        return [document(random, depth + 1) for _ in range(random.randrange(4))]
    return {words(random, "abcäЖ", 4): document(random, depth + 1) for _ in range(random.randrange(4))}


def json_text(random):
    return json.dumps(document(random), ensure_ascii=random.random() < 0.3)


def date(random, least=1, most=9999):
    year = some(random, least, most, *(year for year in (1582, 1970, 2024) if least <= year <= most), random.randrange(least, most + 1))
    return f"{year:04d}-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}"


def clock(random, digits=6):
    fraction = "." + some(random, "0" * digits, "9" * digits, f"{random.randrange(10 ** digits):0{digits}d}") if digits else ""
    return f"{random.randrange(24):02d}:{random.randrange(60):02d}:{random.randrange(60):02d}{fraction}"


def hexadecimal(random, least, most):
    return bytes(random.choice([0, 0x20, 0x5c, 0x80, 0xff, random.randrange(256)]) for _ in range(random.randint(least, most))).hex()


def quote(value):
    return lambda random: "'" + value(random) + "'"


def postgres_array(element, quoted=False):
    def value(random):
        items = ["NULL" if random.random() < 0.2 else element(random) for _ in range(random.randrange(4))]
        if quoted:
            items = [item if item == "NULL" else '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items]
        return text_literal("{" + ",".join(items) + "}")
    return value


# ---- PostgreSQL ----

P_TYPES = Table("types", key=["id"], columns=[
    Column("id", "int", "int32", None),
    Column("b", "boolean", "bool", lambda r: some(r, "true", "false")),
    Column("i2", "smallint", "int16", integer(-2**15, 2**15 - 1)),
    Column("i4", "int", "int32", integer(-2**31, 2**31 - 1)),
    Column("i8", "bigint", "int64", integer(-2**63, 2**63 - 1)),
    Column("f4", "real", "float32", lambda r: some(r, "'NaN'", "'-Infinity'", "1e-45", "3.4e38", "0.1", "-0.0", repr(r.randrange(-10**6, 10**6) / 7))),
    Column("f8", "double precision", "float64", lambda r: some(r, "'NaN'", "'Infinity'", "5e-324", "1.7976931348623157e308", repr(r.uniform(-1e9, 1e9)))),
    Column("n", "numeric", "decimal", lambda r: some(r, number(40, 12)(r), number(5, 0)(r))),
    Column("n12", "numeric(12,2)", "decimal", number(12, 2)),
    Column("n38", "numeric(38,10)", "decimal", number(38, 10)),
    Column("d", "date", "date", lambda r: some(r, "'infinity'", "'-infinity'", "'0044-03-15 BC'", "'" + date(r) + "'", "'" + date(r, 1900, 2100) + "'")),
    Column("tm", "time", "time", lambda r: some(r, "'24:00:00'", "'" + clock(r) + "'")),
    Column("tmz", "timetz", "timetz", lambda r: f"'{clock(r)}{some(r, '+00', '+05:30', '-11', '+14')}'"),
    Column("ts", "timestamp", "timestamp", lambda r: some(r, "'infinity'", "'-infinity'", f"'{date(r)} {clock(r)}'", f"'{date(r, 1900, 2100)} {clock(r)}'")),
    Column("ts3", "timestamp(3)", "timestamp", lambda r: f"'{date(r)} {clock(r, 3)}'"),
    Column("tz", "timestamptz", "timestamptz", lambda r: some(r, "'infinity'", f"'{date(r, 2)} {clock(r)}+05:30'", f"'{date(r, 1900, 2100)} {clock(r)}-08'")),
    Column("iv", "interval", "interval", lambda r: f"'{r.randrange(-30, 30)} years {r.randrange(12)} months {r.randrange(-40, 40)} days {clock(r)}'"),
    Column("u", "uuid", "uuid", lambda r: f"'{uuids.UUID(int=r.getrandbits(128))}'"),
    Column("j", "json", "json", lambda r: text_literal(json_text(r))),
    Column("jb", "jsonb", "json", lambda r: text_literal(json_text(r))),
    Column("y", "bytea", "bytes", lambda r: "'\\x" + hexadecimal(r, 0, 20) + "'"),
    Column("c", "char(5)", "text", lambda r: text_literal(words(r, WIDE, 5))),
    Column("v", "varchar(40)", "text", lambda r: text_literal(words(r, WIDE, 40))),
    Column("t", "text", "text", lambda r: text_literal(words(r, WIDE, 100))),
    Column("ai", "int[]", "array:int32", postgres_array(integer(-2**31, 2**31 - 1))),
    Column("at", "text[]", "array:string", postgres_array(lambda r: words(r, WIDE, 6), True)),
    Column("an", "numeric(8,3)[]", "array:decimal", postgres_array(number(8, 3))),
    Column("m", "mood", "text", lambda r: some(r, "'sad'", "'ok'", "'happy'")),
    Column("bt", "bit(8)", "text", lambda r: f"B'{r.randrange(256):08b}'"),
])
P_BODIES = Table("bodies", key=["id"], ids=300, options="alter table bodies alter column body set storage external", columns=[
    Column("id", "int", "int32", None),
    Column("note", "text", "text", lambda r: text_literal(words(r, WIDE, 20))),
    Column("body", "text", "text", lambda r: f"repeat('{r.getrandbits(64):016x}', {r.randrange(150, 250)})"),
    Column("blob", "bytea", "bytes", lambda r: f"decode(repeat('{r.getrandbits(32):08x}', {r.randrange(600, 900)}), 'hex')"),
])
P_ORDERS = Table("orders", key=["customer", "id"], columns=[
    Column("customer", "text", "text", None),
    Column("id", "int", "int32", None),
    Column("amount", "numeric(14,4)", "decimal", number(14, 4)),
    Column("note", "varchar(100)", "text", lambda r: text_literal(words(r, WIDE, 60))),
    Column("placed", "timestamptz", "timestamptz", lambda r: f"'{date(r, 1970, 2100)} {clock(r)}+00'"),
])
P_NOKEY = Table("nokey", key=[], ids=500, options="alter table nokey replica identity full", columns=[
    Column("n", "int", "int32", integer(1, 500)),
    Column("v", "text", "text", lambda r: text_literal(words(r, WIDE, 10))),
    Column("d", "numeric(10,2)", "decimal", number(10, 2)),
    Column("at", "timestamptz", "timestamptz", lambda r: f"'{date(r, 1970, 2100)} {clock(r)}+00'"),
])
P_EVOLVING = Table("evolving", key=["id"], evolving=True, ids=1000, columns=[
    Column("id", "int", "int32", None),
    Column("v", "varchar(20)", "text", lambda r: text_literal(words(r, WIDE, 20))),
    Column("amount", "numeric(8,2)", "decimal", number(8, 2)),
    Column("n", "int", "int64", integer(-2**31, 2**31 - 1)),
])
P_CLEARED = Table("cleared", key=["id"], ids=200, truncated=True, columns=[
    Column("id", "int", "int32", None),
    Column("v", "text", "text", lambda r: text_literal(words(r, WIDE, 10))),
])
P_MARKER = Table("marker", key=["id"], columns=[Column("id", "int", "int32", None)])
P_TABLES = [P_TYPES, P_BODIES, P_ORDERS, P_NOKEY, P_EVOLVING, P_CLEARED]
P_CHANGES = [  # statement, columns that workers may name from then on, columns that are gone
    ("alter table evolving add column extra varchar(20) default 'it''s new'",
     [Column("extra", "varchar(20)", "text", lambda r: text_literal(words(r, WIDE, 20)))], []),
    ("alter table evolving add column small int", [Column("small", "int", "int64", integer(-2**31, 2**31 - 1))], []),
    ("alter table evolving alter column small type bigint", [Column("small", "bigint", "int64", integer(-2**63, 2**63 - 1))], []),
    ("alter table evolving alter column v type varchar(200)", [Column("v", "", "text", lambda r: text_literal(words(r, WIDE, 200)))], []),
    ("alter table evolving drop column extra", [], ["extra"]),
    ("alter table evolving add column price numeric(10,2) default 1.50", [Column("price", "", "decimal", number(10, 2))], []),
    ("alter table evolving alter column amount type numeric(16,4)", [Column("amount", "", "decimal", number(16, 4))], []),
    ("alter table evolving alter column n type bigint", [Column("n", "bigint", "int64", integer(-2**63, 2**63 - 1))], []),
    ("alter table evolving add column noted timestamptz", [Column("noted", "", "timestamptz", lambda r: f"'{date(r, 1970, 2100)} {clock(r)}+00'")], []),
    ("alter table evolving alter column v type text", [Column("v", "", "text", lambda r: text_literal(words(r, WIDE, 300)))], []),
]

# ---- MariaDB: texts come back as hex ----

HEX = "hex(convert({0} using utf8mb4))"
ZERO = "if({0} = 0, null, {0})"   # Debezium sends a zero date of a nullable column as NULL
M_TYPES = Table("mtypes", key=["id"], columns=[
    Column("id", "int", "int32", None),
    Column("ti", "tinyint", "int16", integer(-128, 127)),
    Column("tu", "tinyint unsigned", "int16", integer(0, 255)),
    Column("b", "tinyint(1)", "int16", lambda r: some(r, "0", "1")),
    Column("su", "smallint unsigned", "int32", integer(0, 65535)),
    Column("mi", "mediumint", "int32", integer(-2**23, 2**23 - 1)),
    Column("i", "int unsigned", "int64", integer(0, 2**32 - 1)),
    Column("bi", "bigint unsigned", "decimal", integer(0, 2**64 - 1)),
    Column("bs", "bigint", "int64", integer(-2**63, 2**63 - 1)),
    # Six digits: the snapshot reads no more of a float.
    Column("f", "float", "float32", lambda r: some(r, "1.17549e-38", "3.40282e38", "0.1", repr(r.randrange(-10**6, 10**6) / 1000)),
           "cast({0} as double)"),
    Column("db", "double", "float64", lambda r: some(r, "2.2250738585072014e-308", "0.1", repr(r.uniform(-1e9, 1e9)))),
    Column("de", "decimal(65,30)", "decimal", number(65, 30)),
    Column("d0", "decimal(20,0)", "decimal", number(20, 0)),
    Column("b1", "bit(1)", "bool", lambda r: some(r, "b'0'", "b'1'"), "{0}+0"),
    Column("b12", "bit(12)", "text", lambda r: f"b'{r.randrange(4096):012b}'", "hex(lpad(bin({0}+0), 12, '0'))"),
    Column("b64", "bit(64)", "text", lambda r: f"b'{r.getrandbits(64):064b}'", "hex(lpad(bin({0}+0), 64, '0'))"),
    Column("ch", "char(10)", "text", lambda r: maria_text(words(r, WIDE, 10)), HEX),
    Column("vc", "varchar(255)", "text", lambda r: maria_text(words(r, WIDE, 60)), HEX),
    Column("l1", "varchar(100) character set latin1", "text", lambda r: maria_text(words(r, LETTERS, 60)), HEX),
    Column("l1t", "text character set latin1", "text", lambda r: maria_text(words(r, LETTERS + "€", 60)), HEX),
    Column("bn", "binary(4)", "bytes", lambda r: f"x'{hexadecimal(r, 0, 4)}'", "hex({0})"),
    Column("vbn", "varbinary(10)", "bytes", lambda r: f"x'{hexadecimal(r, 0, 10)}'", "hex({0})"),
    Column("tx", "mediumtext", "text", lambda r: maria_text(words(r, WIDE, 200)), HEX),
    Column("bl", "blob", "bytes", lambda r: f"x'{hexadecimal(r, 0, 40)}'", "hex({0})"),
    Column("dt", "date", "date", lambda r: some(r, "'0000-00-00'", "'1000-01-01'", "'9999-12-31'", f"'{date(r)}'"), ZERO),
    Column("dtm", "datetime(6)", "timestamp", lambda r: some(r, "'0000-00-00'", "'9999-12-31 23:59:59.999999'", f"'{date(r)} {clock(r)}'"), ZERO),
    Column("dt0", "datetime", "timestamp", lambda r: some(r, "'1000-01-01 00:00:00'", f"'{date(r)} {clock(r, 0)}'")),
    Column("ts", "timestamp(3) null", "timestamptz",
           lambda r: some(r, "'2038-01-19 03:14:07.999'", "'1970-01-01 00:00:01'", f"'{date(r, 1971, 2037)} {clock(r, 3)}'"), "concat({0}, '+00:00')"),
    Column("tm", "time(6)", "time", lambda r: f"'{clock(r)}'"),
    Column("tneg", "time(6)", "time",
           lambda r: some(r, "'-838:59:59.000000'", "'838:59:59'", f"'-{clock(r)}'", f"'{r.randrange(839)}:00:00.5'")),
    Column("y", "year", "int32", lambda r: some(r, "1901", "2155", "2024")),
    Column("e", "enum('a','b,c','é')", "text", lambda r: some(r, "'a'", "'b,c'", "'é'"), HEX),
    Column("s", "set('p','q','r')", "text", lambda r: some(r, "''", "'p'", "'p,r'", "'p,q,r'"), HEX),
    Column("j", "json", "json", lambda r: maria_text(json_text(r)), HEX),
])
M_ORDERS = Table("morders", key=["customer", "id"], options="character set latin1", columns=[
    Column("customer", "varchar(20)", "text", None, HEX),
    Column("id", "int unsigned", "int64", None),
    Column("amount", "decimal(14,4)", "decimal", number(14, 4)),
    Column("note", "varchar(100)", "text", lambda r: maria_text(words(r, LETTERS, 60)), HEX),
])
M_NOKEY = Table("mnokey", key=[], ids=500, columns=[
    Column("n", "int", "int32", integer(1, 500)),
    Column("v", "varchar(40)", "text", lambda r: maria_text(words(r, WIDE, 10)), HEX),
    Column("d", "decimal(10,2)", "decimal", number(10, 2)),
])
M_EVOLVING = Table("mevolving", key=["id"], evolving=True, ids=1000, columns=[
    Column("id", "int", "int32", None),
    Column("v", "varchar(20)", "text", lambda r: maria_text(words(r, WIDE, 20)), HEX),
    Column("amount", "decimal(8,2)", "decimal", number(8, 2)),
    Column("n", "int", "int64", integer(-2**31, 2**31 - 1)),
])
M_MARKER = Table("mmarker", key=["id"], columns=[Column("id", "int", "int32", None)])
M_TABLES = [M_TYPES, M_ORDERS, M_NOKEY, M_EVOLVING]
M_CHANGES = [
    ("alter table mevolving add column extra varchar(20) default 'Bâle' after id",
     [Column("extra", "", "text", lambda r: maria_text(words(r, WIDE, 20)), HEX)], []),
    ("alter table mevolving add column small int", [Column("small", "", "int64", integer(-2**31, 2**31 - 1))], []),
    ("alter table mevolving modify small bigint", [Column("small", "", "int64", integer(-2**63, 2**63 - 1))], []),
    ("alter table mevolving modify v varchar(300)", [Column("v", "", "text", lambda r: maria_text(words(r, WIDE, 300)), HEX)], []),
    ("alter table mevolving drop column extra", [], ["extra"]),
    ("alter table mevolving add column price decimal(10,2) default 1.50", [Column("price", "", "decimal", number(10, 2))], []),
    ("alter table mevolving modify amount decimal(16,4)", [Column("amount", "", "decimal", number(16, 4))], []),
    ("alter table mevolving add column big bigint unsigned", [Column("big", "", "decimal", integer(0, 2**64 - 1))], []),
    ("alter table mevolving modify v mediumtext", [Column("v", "", "text", lambda r: maria_text(words(r, WIDE, 400)), HEX)], []),
]
