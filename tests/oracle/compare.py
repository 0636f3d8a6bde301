#!/usr/bin/env python3
"""Compares the tables of a target with expected CSV files, cell by cell.

    compare.py --expected DIR --target sqlite:PATH
    compare.py --expected DIR --target "postgresql:host=127.0.0.1 port=5432 dbname=shop user=postgres"

DIR holds SCHEMA.TABLE.csv (header, \\N = NULL), types.toml (kind and key of every column at the source) and, where needed,
set_aside.toml (what the events do not carry, by name, with the reason). Both sides are brought to one canonical text by the
source's type: numbers by exact value, floats by IEEE value (real as 32 bits), timestamps by instant, bytes by content, JSON
by parsed value with exact numbers, arrays element by element, text as it stands (padding of char(n) included).

Every expected column must be there (an absent one counts as NULL); columns that only the target has are left alone. A table
is SCHEMA.TABLE in PostgreSQL and TABLE in SQLite. Prints the first differences of each table; exit code 1 when there is any.
"""

import argparse
import collections
import os
import sys
import tomllib

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from oracle import canonical, targets  # noqa: E402


def read_csv(path):
    """(header, rows): quoted fields are text, a bare \\N is None."""
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    rows, row, place = [], [], 0
    while place < len(text):
        if text[place] == '"':
            end = place + 1
            while text[end] != '"' or text[end:end + 2] == '""':
                end += 2 if text[end] == '"' else 1
            row.append(text[place + 1:end].replace('""', '"'))
            place = end + 1
        else:
            end = min(e for e in (text.find(",", place), text.find("\n", place), len(text)) if e >= 0)
            field = text[place:end].rstrip("\r")
            row.append(None if field == "\\N" else field)
            place = end
        if place >= len(text) or text[place] in "\r\n":
            place = text.find("\n", place) + 1 or len(text)
            rows.append(row)
            row = []
        else:
            place += 1
            if place == len(text) or text[place] == "\n":
                row.append("")
                place += 1
                rows.append(row)
                row = []
    return rows[0], rows[1:]


class SetAside:
    """Cells that are not compared: --ignore table.column[:column=value] and set_aside.toml."""

    def __init__(self, folder, given):
        self.cells = []
        path = os.path.join(folder, "set_aside.toml")
        if os.path.exists(path):
            with open(path, "rb") as file:
                self.cells += [(c["table"], c["column"], c.get("where", {})) for c in tomllib.load(file)["cell"]]
        for text in given:
            name, _, condition = text.partition(":")
            table, _, column = name.rpartition(".")
            self.cells.append((table, column, dict([condition.split("=", 1)]) if condition else {}))

    def has(self, table, column, row):
        return any(of == table and name == column and all(row.get(key) == value for key, value in where.items())
                   for of, name, where in self.cells)


def canonical_row(names, kinds, values, zero_sign):
    row = {}
    for name, value in zip(names, values):
        try:
            row[name] = canonical.text_of(kinds[name], value, zero_sign)
        except (ValueError, ArithmeticError) as error:
            row[name] = f"not readable as {kinds[name]}: {value!r} ({error})"
    return row


def differences(table, kinds, key, expected, actual, set_aside):
    """Lines that tell what differs. `expected`, `actual`: canonical rows."""
    if not key:
        return multiset_differences(kinds, expected, actual)
    def by_key(rows):
        found = collections.defaultdict(list)
        for row in rows:
            found[tuple(row[name] for name in key)].append(row)
        return found
    wanted, got = by_key(expected), by_key(actual)
    found = []
    for place in sorted(set(wanted) | set(got), key=str):
        shown = ", ".join(f"{name}={value}" for name, value in zip(key, place))
        if place not in got:
            found.append(f"{shown}: row is missing")
        elif place not in wanted:
            found.append(f"{shown}: row should not be there")
        elif len(got[place]) > 1:
            found.append(f"{shown}: {len(got[place])} rows with this key")
        else:
            left, right = wanted[place][0], got[place][0]
            found += [f"{shown}: {name}: expected {left[name]!r}, got {right[name]!r}" for name in kinds
                      if left[name] != right[name] and not set_aside.has(table, name, left)]
    return found


def multiset_differences(kinds, expected, actual):
    def count(rows):
        return collections.Counter(tuple(row[name] for name in kinds) for row in rows)
    wanted, got = count(expected), count(actual)
    return ([f"missing {n} x {row}" for row, n in (wanted - got).items()]
            + [f"too many {n} x {row}" for row, n in (got - wanted).items()])


def compare(folder, target, ignored=(), out=sys.stdout, shown=10):
    """Number of differences between the CSV files of `folder` and `target` (see targets.open)."""
    set_aside = SetAside(folder, ignored)
    with open(os.path.join(folder, "types.toml"), "rb") as file:
        types = tomllib.load(file)
    total = 0
    for table, of in types.items():
        kinds, key = of["columns"], of["key"]
        header, values = read_csv(os.path.join(folder, table + ".csv"))
        expected = [canonical_row(header, kinds, row, target.zero_sign) for row in values]
        names, values = target.rows(table)
        columns = {name: index for index, name in enumerate(names)}
        actual = [canonical_row(header, kinds, [row[columns[name]] if name in columns else None for name in header],
                                target.zero_sign) for row in values]
        found = differences(table, kinds, key, expected, actual, set_aside)
        total += len(found)
        print(f"{table}: {len(actual)} rows, {len(found) or 'no'} differences", file=out)
        for line in found[:shown]:
            print("  " + line[:1000], file=out)
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--expected", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--ignore", nargs="*", default=[], metavar="TABLE.COLUMN[:COLUMN=VALUE]")
    arguments = parser.parse_args()
    return 1 if compare(arguments.expected, targets.open_target(arguments.target), arguments.ignore) else 0


if __name__ == "__main__":
    sys.exit(main())
