"""python3 -m oracle --manifest X.toml --events FILE --out DIR: what the tables must hold after a log, one TSV per table."""

import argparse
import os

from oracle import decode, interpreter, routes
from oracle.values import canonical_text


def escape(text):
    if text is None:
        return "\\N"
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def main():
    parser = argparse.ArgumentParser(prog="oracle", description=__doc__)
    parser.add_argument("--manifest", required=True)
    parser.add_argument("--events", required=True, nargs="+")
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    manifest = routes.load(arguments.manifest)
    messages = (message for path in arguments.events for message in decode.read_messages(path))
    tables, dead_letters = interpreter.interpret(messages, manifest)
    os.makedirs(arguments.out, exist_ok=True)
    for name, table in tables.items():
        with open(os.path.join(arguments.out, name.replace("/", "_") + ".tsv"), "w", encoding="utf-8") as file:
            print(*(f"{escape(column)}:{of.type.kind}" for column, of in table.columns.items()), sep="\t", file=file)
            rows = [[canonical_text(row.get(column)) for column in table.columns] for row in table.all_rows()]
            for row in sorted(rows, key=lambda row: [(cell is not None, cell or "") for cell in row]):
                print(*map(escape, row), sep="\t", file=file)
    with open(os.path.join(arguments.out, "dead_letters.tsv"), "w", encoding="utf-8") as file:
        for dead_letter in dead_letters:
            print(dead_letter.topic, dead_letter.partition, dead_letter.offset, dead_letter.reason, dead_letter.table, dead_letter.message, sep="\t", file=file)


main()
