"""Typed cells: what a value is, how it turns into another column type, and which type holds two types."""

import dataclasses
import decimal
import typing

from oracle import canonical

ABSENT = object()  # not in the event: the target's value stays

INTEGER_RANK = {"int8": 1, "int16": 2, "int32": 3, "int64": 4}
RANGES = {"int8": 7, "int16": 15, "int32": 31, "int64": 63}


class Type(typing.NamedTuple):
    kind: str
    length: int = 0  # characters of a string, digits of a decimal; 0: unbounded
    scale: int = 0


@dataclasses.dataclass(frozen=True)
class Cell:
    """`value`: bool, int (integers, days, microseconds), float, Decimal, str or bytes, as `kind` says."""
    kind: str
    value: object


class Misfit(Exception):
    """The value does not fit the column."""


def canonical_text(cell):
    return None if cell is None else canonical.text_of(cell.kind, cell.value)


def wider(old, new):
    """The type of a column of type `old` after a change to `new`: it never becomes narrower."""
    if old.kind == new.kind:
        if old.kind == "decimal":
            return _wider_decimal(old, new)
        unbounded = old.length == 0 or new.length == 0
        return Type(old.kind, 0 if unbounded else max(old.length, new.length))
    kinds = {old.kind, new.kind}
    floats = kinds & {"float32", "float64"}
    if all(kind.startswith("array:") for kind in kinds):
        element = wider(Type(old.kind.partition(":")[2]), Type(new.kind.partition(":")[2])).kind
        return Type("array:" + element)
    if "bool" in kinds and kinds & (canonical.INTEGERS | {"float32", "float64", "decimal"}):
        number = old if new.kind == "bool" else new
        return number if number.kind != "decimal" or number.length == 0 else _wider_decimal(number, Type("decimal", 1, 0))
    if kinds == {"time", "interval"}:
        return Type("interval")
    if kinds <= set(INTEGER_RANK):
        return Type(max(kinds, key=INTEGER_RANK.get))
    if kinds <= canonical.INTEGERS:
        return Type("decimal", 20, 0)
    if "decimal" in kinds and kinds & canonical.INTEGERS:
        number = old if old.kind == "decimal" else new
        return Type("decimal") if number.length == 0 else _wider_decimal(number, Type("decimal", 20, 0))
    if kinds == {"float32", "float64"}:
        return Type("float64")
    if floats and kinds & {"int8", "int16"}:
        return Type(floats.pop())
    if floats and "int32" in kinds:
        return Type("float64")
    if floats and kinds & {"int64", "uint64"}:
        return Type("float64") if new.kind in floats else Type("decimal")  # a declared int -> float follows the source
    if floats and "decimal" in kinds:
        return Type("decimal")
    if "json" in kinds and any(kind.startswith("array") for kind in kinds):
        return Type("json")
    times = ["date", "timestamp", "timestamptz"]
    if kinds <= set(times):
        return Type(max(kinds, key=times.index))
    return Type("string")


def _wider_decimal(old, new):
    if old.length == 0 or new.length == 0:
        return Type("decimal")
    scale = max(old.scale, new.scale)
    return Type("decimal", max(old.length - old.scale, new.length - new.scale) + scale, scale)


def learned(cell):
    """The type a value without schema teaches."""
    if cell.kind == "int64" and not -2**63 <= cell.value < 2**63:
        return Type("decimal")
    return Type(cell.kind)


def convert(cell, target):
    """`cell` as a value of type `target`; Misfit when it cannot be held exactly."""
    if cell is None or cell is ABSENT:
        return cell
    kind, value = cell.kind, cell.value
    if kind == "bool" and target.kind in canonical.INTEGERS | {"float32", "float64", "decimal"}:
        return convert(Cell("int64", int(value)), target)
    if kind == "time" and target.kind == "interval":
        return Cell("interval", canonical.duration(value))
    if kind.startswith("array:") and target.kind.startswith("array:"):
        return Cell(target.kind, value)
    if target.kind == "string" and kind != "string":
        return _fit_string(Cell("string", as_string(cell)), target)
    if target.kind in RANGES:
        if kind in canonical.INTEGERS:
            limit = 2 ** RANGES[target.kind]
            if not -limit <= value < limit:
                raise Misfit(f"{value} is beyond {target.kind}")
            return Cell(target.kind, value)
        if kind == "decimal" and value.is_finite() and value == int(value):
            return convert(Cell("int64", int(value)), target)
    if target.kind == "decimal" and (kind in canonical.INTEGERS or kind == "decimal"):
        return _fit_decimal(Cell("decimal", decimal.Decimal(value)), target)
    if target.kind in ("float32", "float64") and kind in canonical.INTEGERS | {"float32", "float64", "decimal"}:
        if float(value) != value and value == value:
            raise Misfit(f"{value} is not exact as {target.kind}")
        return Cell(target.kind, float(value))
    if target.kind in ("timestamp", "timestamptz") and kind == "date":
        return Cell(target.kind, value if value in canonical.INFINITE else value * canonical.MICROSECONDS_A_DAY)
    if target.kind == "timestamptz" and kind == "timestamp":
        return Cell(target.kind, value)
    if target.kind == "string":
        return _fit_string(cell, target)
    if kind == target.kind:
        return cell
    raise Misfit(f"{kind} does not go into {target.kind}")


def as_string(cell):
    if cell.kind == "bool":
        return "true" if cell.value else "false"
    if cell.kind == "decimal" and cell.value.is_finite():
        return canonical.plain(cell.value)
    if cell.kind in ("date", "time", "timestamp", "timestamptz", "bytes"):
        return canonical_text(cell)
    return canonical.as_text(cell.value)


def _fit_string(cell, target):
    if target.length and len(cell.value) > target.length:
        raise Misfit(f"{len(cell.value)} characters into {target.length}")
    return cell


def _fit_decimal(cell, target):
    value = cell.value
    if target.length and value.is_finite():
        whole = len(str(abs(int(value)))) if int(value) else 0
        if whole > target.length - target.scale or value != value.quantize(decimal.Decimal(1).scaleb(-target.scale), context=canonical.EXACT):
            raise Misfit(f"{value} into decimal({target.length},{target.scale})")
    return cell
