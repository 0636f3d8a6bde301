"""What the oracle needs of a manifest: which tables, under which name, with which key and column rules."""

import base64
import dataclasses
import decimal
import fnmatch
import re
import tomllib

from oracle import canonical
from oracle.decode import timestamp_cell
from oracle.values import ABSENT, Cell, Misfit, Type, as_string


@dataclasses.dataclass
class Route:
    name: str = ""
    match: list = dataclasses.field(default_factory=list)
    exclude: list = dataclasses.field(default_factory=list)
    table: str = None
    primary_key: list = None
    deletes: str = "apply"
    schema_changes: str = "evolve"
    columns: dict = dataclasses.field(default_factory=dict)

    def rule(self, column):
        """The rule of a source column: the exact name first, then the most literal pattern."""
        fitting = [name for name in self.columns if name == column or fnmatch.fnmatchcase(column, name)]
        return self.columns[max(fitting, key=lambda name: (name == column, literal(name)))] if fitting else {}


class Manifest:
    def __init__(self, document):
        sources = document.get("sources", {}).values()
        self.topics = [topic for source in sources for topic in source.get("topics", ["*"])]
        defaults = document.get("defaults", {})
        self.routes = [_route(name, {**defaults, **table}) for name, table in document.get("routes", {}).items()]
        self.everything = _route("", defaults)

    def reads(self, topic):
        return any(re.fullmatch(pattern[3:], topic) if pattern.startswith("re:") else fnmatch.fnmatchcase(topic, pattern)
                   for pattern in self.topics)

    def route(self, table):
        """The most specific route of (database, schema, table); None: the table is ignored."""
        if not self.routes:
            return self.everything
        fitting = [(literal(pattern), pattern.count("*") == 0, route) for route in self.routes for pattern in route.match
                   if matches(pattern, table) and not any(matches(other, table) for other in route.exclude)]
        return max(fitting, key=lambda entry: (entry[1], entry[0]))[2] if fitting else None


def load(path):
    with open(path, "rb") as file:
        return Manifest(tomllib.load(file))


def literal(pattern):
    return len(pattern.replace("*", ""))


def matches(pattern, table):
    parts = [part for part in table if part]
    wanted = pattern.split(".")
    return len(wanted) <= len(parts) and all(
        fnmatch.fnmatchcase(part, glob) for part, glob in zip(parts[-len(wanted):], wanted))


def _route(name, table):
    return Route(name=name, match=table.get("match", []), exclude=table.get("except", []), table=table.get("table"),
                 primary_key=table.get("primary_key"), deletes=table.get("deletes", "apply"),
                 schema_changes=table.get("schema_changes", "evolve"), columns=table.get("columns", {}))


def target_name(route, table):
    database, schema, name = table
    if route.table:
        return route.table.format(database=database, schema=schema, table=name)
    return f"{schema or database}.{name}"


def rule_type(rule):
    """The Type that a rule gives a column; None: it gives none."""
    if "type" not in rule:
        return None
    match = re.fullmatch(r"(\w+)\s*(?:\((\d+)(?:\s*,\s*(\d+))?\))?", rule["type"])
    names = {"text": "string", "varchar": "string", "boolean": "bool", "int": "int32", "integer": "int32", "bigint": "int64",
             "smallint": "int16", "real": "float32", "float": "float64", "double": "float64", "numeric": "decimal",
             "bytea": "bytes"}
    kind = names.get(match[1], match[1])
    return Type(kind, int(match[2] or 0), int(match[3] or 0))


EPOCHS = {"epoch_s": 1_000_000, "epoch_seconds": 1_000_000, "epoch_ms": 1000, "epoch_us": 1}


def apply_rule(cell, rule):
    """`cell`, read as the rule says."""
    wanted = rule_type(rule)
    if cell is None or cell is ABSENT or wanted is None:
        return cell
    parse = rule.get("parse")
    try:
        if parse == "base64":
            return Cell(wanted.kind, base64.b64decode(cell.value, validate=True))
        if parse == "epoch_days":
            return Cell(wanted.kind, int(cell.value))
        if parse in EPOCHS:
            microseconds = int(cell.value) * EPOCHS[parse]
            return timestamp_cell(wanted.kind, microseconds) if wanted.kind.startswith("timestamp") else Cell(wanted.kind, microseconds)
        return _read_as(cell, wanted)
    except (ValueError, decimal.InvalidOperation) as error:
        raise Misfit(str(error)) from None


def _read_as(cell, wanted):
    if cell.kind == wanted.kind:
        return cell
    text = canonical.as_text(cell.value)
    if wanted.kind == "decimal":
        return Cell("decimal", decimal.Decimal(text))
    if wanted.kind in ("float32", "float64"):
        return Cell(wanted.kind, float(text))
    if wanted.kind in canonical.INTEGERS:
        return Cell(wanted.kind, int(text))
    if wanted.kind in ("timestamp", "timestamptz"):
        return Cell(wanted.kind, text if text in canonical.INFINITE else canonical.microseconds_of(text))
    if wanted.kind == "date":
        return Cell("date", text if text in canonical.INFINITE else canonical.days_of(text))
    if wanted.kind == "time":
        return Cell("time", canonical.time_of(text)[0])
    if wanted.kind == "string":
        return Cell("string", as_string(cell))
    return Cell(wanted.kind, cell.value)
