"""Writes events.jsonl, and progress.sql by the program that $CDCRT_BINARY names: see README.md."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(os.path.dirname(HERE)))

from integration.messages import Lines, envelope  # noqa: E402

UNAVAILABLE = "__debezium_unavailable_value"
FIRST = 14


def key(number):
    return json.dumps({"id": number})


def events():
    lines = Lines()

    def row(table, cells, lsn, operation="c", partition=0, before=None, headers=()):
        number = (cells or before)["id"] if table != "bare" else None
        lines.message(envelope(table, cells, operation, before, lsn), None if number is None else key(number), "t.public." + table, headers, partition)

    for number in (1, 2, 3):
        row("good", {"id": number, "v": f"row {number}", "w": f"kept {number}"}, 100 + number)
    row("bare", {"v": "one"}, 110)
    row("bare", {"v": "two"}, 111)
    row("ordered", {"id": 1, "v": "a"}, 120)
    row("ordered", {"id": 1, "v": "b"}, 200, "u", 1)
    row("ordered", {"id": 2, "v": "a"}, 210)
    row("ordered", None, 400, "d", 1, {"id": 2, "v": "a"})
    row("waits", {"id": 1, "v": "before"}, 410)
    # From here on the target refuses v = 'bad'.
    row("good", {"id": 3, "v": "bad", "w": "four"}, 420, "u")
    row("bare", {"v": "bad"}, 421)
    row("good", None, 430, "d", 0, {"id": 1, "v": None, "w": None}, ["__debezium.newkey", key(11)])
    row("good", {"id": 12, "v": "two", "w": UNAVAILABLE}, 431, "c", 0, None, ["__debezium.oldkey", key(2)])
    assert lines.offset == FIRST
    row("good", {"id": 3, "v": UNAVAILABLE, "w": "five"}, 500, "u")
    row("good", {"id": 11, "v": "one", "w": UNAVAILABLE}, 501, "c", 0, None, ["__debezium.oldkey", key(1)])
    row("good", None, 502, "d", 0, {"id": 2, "v": None, "w": None}, ["__debezium.newkey", key(12)])
    row("ordered", {"id": 1, "v": "late"}, 150, "u")
    row("ordered", {"id": 2, "v": "late"}, 390, "c")
    row("waits", {"id": 2, "v": "after"}, 510)
    row("bare", {"v": "three"}, 511)
    return lines.lines


def main():
    binary = os.environ["CDCRT_BINARY"]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(HERE, "manifest.toml"), folder)

        def run(*arguments, expect=0):
            done = subprocess.run([binary, *arguments, "--manifest", "manifest.toml"], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            assert done.returncode == expect, done.stdout

        def apply(count, expect=0):
            with open(os.path.join(folder, "events.jsonl"), "wb") as file:
                file.writelines(line + b"\n" for line in whole[:count])
            run("run", expect=expect)

        whole = events()
        apply(10)
        database = sqlite3.connect(os.path.join(folder, "target.db"), isolation_level=None)
        for table in ("good", "bare"):
            for event in ("insert", "update"):
                database.execute(f"create trigger refuse_{table}_{event} before {event} on {table} when new.v = 'bad' "
                                 "begin select raise(abort, 'CHECK constraint failed'); end")
        apply(FIRST, 4)
        for table in ("good", "bare"):
            for event in ("insert", "update"):
                database.execute(f"drop trigger refuse_{table}_{event}")
        run("dlq", "replay", "--table", "bare")
        run("table", "pause", "waits", "--reason", "moved to another disk")
        with open(os.path.join(HERE, "progress.sql"), "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in database.iterdump())
        with open(os.path.join(HERE, "events.jsonl"), "wb") as file:
            file.writelines(line + b"\n" for line in whole)


if __name__ == "__main__":
    main()
