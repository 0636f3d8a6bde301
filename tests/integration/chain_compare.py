"""Sources, target and the oracle's reading of the log against each other."""

import collections
import multiprocessing
import tomllib

from integration import chain_tables
from oracle import compare, decode, interpreter, judge, routes, targets

SHOWN = 10


class Nothing:
    @staticmethod
    def has(*_):
        return False


def source_rows(side, table):
    """Canonical rows of a table at its source."""
    columns = side.columns[table.name]
    if side.name == "postgresql":
        names, values = targets.Postgresql(side.server.connection("shop")).rows("public." + table.name)
        place = {name: index for index, name in enumerate(names)}
        values = [[row[place[column.name]] for column in columns] for row in values]
    else:
        reads = ", ".join((column.read or "{0}").format(f"`{column.name}`") for column in columns)
        values = [[_maria_cell(column, cell) for column, cell in zip(columns, row)]
                  for row in side.server.query("shop", f"select {reads} from {table.name}")]
    return canonical_rows(columns, [column.name for column in columns], values)


def _maria_cell(column, cell):
    if cell == "NULL":
        return None
    if column.read and "hex(" in column.read:
        raw = bytes.fromhex(cell)
        return raw if column.kind == "bytes" else raw.decode()
    return cell


def canonical_rows(columns, names, values):
    place = {name: index for index, name in enumerate(names)}
    kinds = {column.name: column.kind for column in columns}
    return [compare.canonical_row(kinds, kinds, [row[place[name]] if name in place else None for name in kinds], True) for row in values]


def with_sources(sides, target):
    """Differences of every keyed table from its source."""
    found = []
    for side in sides:
        for table in [*side.tables, side.marker]:
            if not table.key:
                continue
            columns = side.columns[table.name]
            names, values = target.rows(target_name(side, table))
            kinds = {column.name: column.kind for column in columns}
            wanted = source_rows(side, table)
            lines = compare.differences(table.name, kinds, table.key, wanted, canonical_rows(columns, names, values), Nothing)
            found += _shown(f"{side.name} {table.name} ({len(wanted)} rows)", lines)
    return found


def target_name(side, table):
    return ("public." if side.name == "postgresql" else "shop.") + table.name


def _shown(name, lines):
    if not lines:
        return []
    return [f"{name}: {len(lines)} differences"] + ["  " + line[:600] for line in lines[:SHOWN]]


def _interpret(arguments):
    path, manifests = arguments
    document = {}
    for manifest in manifests:
        with open(manifest, "rb") as file:
            document.update(tomllib.load(file))
    tables, dead_letters = interpreter.interpret(decode.read_messages(path), routes.Manifest(document))
    return ([(name, table.key, {column: of.type.kind for column, of in table.columns.items()}, judge.oracle_rows(table))
             for name, table in tables.items()], dead_letters)


def with_oracle(paths, manifests, target):
    """(differences of every table from the oracle's reading, its dead letters, number of tables). `paths`: one file a topic; `manifests`:
    of the sources and of the routes."""
    found, dead_letters, count = [], [], 0
    with multiprocessing.Pool(2) as pool:
        for tables, of_topic in pool.imap_unordered(_interpret, [(path, manifests) for path in paths]):
            dead_letters += of_topic
            for name, key, kinds, wanted in tables:
                count += 1
                names, values = target.rows(name)
                got = canonical_rows([chain_tables.Column(column, "", kind, None) for column, kind in kinds.items()], names, values)
                if key:
                    lines = compare.differences(name, kinds, key, wanted, got, Nothing)
                else:
                    lines = judge.between(name, wanted, list(kinds), got)
                found += _shown(f"oracle {name} ({len(wanted)} rows)", lines)
    return found, dead_letters, count


def changes(paths):
    """Number of changes by topic: messages that are no tombstones."""
    counts = collections.Counter()
    for path in paths:
        for message in decode.read_messages(path):
            if message["payload"] is not None:
                counts[message["topic"]] += 1
    return counts
