"""Compares rows with what the simulated source of generate.py holds, as far as its events tell."""

import collections

from oracle.values import canonical_text


def oracle_rows(table):
    """A Table of the interpreter as a list of canonical rows."""
    return [{name: canonical_text(row.get(name)) for name in table.columns} for row in table.all_rows()]


def against_source(name, state, rows):
    """Differences between `rows` (canonical) and the state of one table of the simulated source."""
    key = state["key"]
    if not key:
        return _multiset(name, state, rows)
    def place(row):
        return tuple(row.get(column) for column in key)
    wanted, got, found = {place(row): row for row in state["rows"]}, {place(row): row for row in rows}, []
    if len(got) != len(rows):
        found.append(f"{name}: a key twice")
    for missing in set(wanted) - set(got):
        found.append(f"{name} {missing}: row is missing")
    for extra in set(got) - set(wanted):
        why = "was never told by an event" if list(extra) in state["missing"] else "should not be there"
        found.append(f"{name} {extra}: row {why}")
    for both in set(wanted) & set(got):
        found += [f"{name} {both} {column}: source {text!r}, got {got[both].get(column)!r}"
                  for column, text in wanted[both].items() if text != "unknown" and got[both].get(column) != text]
    return found


def _multiset(name, state, rows):
    left, found = list(rows), []
    # Rows without unknown cells first: they can match one row only.
    for row in sorted(state["rows"], key=lambda row: list(row.values()).count("unknown")):
        known = {column: text for column, text in row.items() if text != "unknown"}
        fits = [other for other in left if all(other.get(column) == text for column, text in known.items())]
        if not fits:
            found.append(f"{name}: missing {known}")
            continue
        left.remove(fits[0])
    return found + [f"{name}: too many {row}" for row in left]


def between(name, wanted, columns, rows):
    """Differences between canonical rows of the oracle and of a target, as multisets over `columns`."""
    def count(side):
        return collections.Counter(tuple(row.get(column) for column in columns) for row in side)
    wanted, got = count(wanted), count(rows)
    return ([f"{name}: expected {_shown(columns, row)}" for row in wanted - got]
            + [f"{name}: got      {_shown(columns, row)}" for row in got - wanted])


def _shown(columns, row):
    return dict(zip(columns, row))
