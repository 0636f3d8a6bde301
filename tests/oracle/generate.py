#!/usr/bin/env python3
"""Random event logs by seed, from a simulated source that knows its own final state.

    generate.py --seed N [--plain] --out EVENTS.jsonl --expected STATE.json

A Log has a few tables. Each step changes a row, or the shape of a table, and writes what Debezium's PostgreSQL connector would
write: partitions by hash of the key, tombstones, headers of key changes, placeholders for unchanged TOAST values, truncates in
one partition. Then the partitions are interleaved as a reader might find them, one of them lagging.
"""

import argparse
import json
import random as randoms
import re
import sys
import os
import zlib

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from oracle.simulated_table import Row, Table  # noqa: E402

NUMBER = "\uffff"      # stands around the digits of a number until they are written
NUMBER_TEXT = re.compile(f'"{NUMBER}([^{NUMBER}]*){NUMBER}"')


class Log:
    """Messages of a few tables: `messages` in file order, `state()` of the source at the end, `dead_letters` it must give."""

    # Key changes across partitions also lack cells. Their two halves are put together, but not yet where the
    # same batch holds refused rows of the key, or the row moves on before its other half came.
    wild = os.environ.get("CDCRT_RANDOM_WILD") == "1"

    def __init__(self, seed, plain=False, tables=None, steps=None, whole=False):
        """`whole`: no event lacks a cell that a dead letter of its row may have: creates of key changes have all of them, and tables without
        schemas keep their columns."""
        self.random = random = randoms.Random(f"{seed}/{plain}")
        self.whole = whole
        self.plain, self.lsn, self.finished = plain, 1000, 900
        self.partitions, self.dead_letters, self.schemas = {}, [], {}
        mark = "p" if plain else "s"
        self.tables = [Table(self, f"{mark}{seed}_{index}", random) for index in range(tables or random.choice([1, 1, 2]))]
        for table in self.tables:
            self.snapshot(table)
        for _ in range(steps or random.randint(5, 50)):
            table = random.choice(self.tables)
            table.evolve() if random.random() < 0.08 and not (whole and plain) else table.step()
            if random.random() < 0.6:
                self.finished = self.lsn
        self.messages = self.interleave()

    def snapshot(self, table):
        late = self.random.random() < 0.15  # the log begins after the snapshot: rows exist that no event tells
        for _ in range(self.random.randint(0, 6)):
            key = table.key_value()
            if not key:
                continue
            cells = table.new_cells(key)
            if key in table.rows:
                continue
            table.rows[key] = Row(cells, seen=not late)
            if not late:
                table.write("r", key, None, cells)

    def event(self, table, operation, key, before, after, headers, incremental, same_moment, other_key=None):
        if not same_moment:
            self.lsn += self.random.randint(1, 40)
        source = {"version": "3.2.0.Final", "connector": "postgresql", "name": "rnd", "ts_ms": 1_700_000_000_000 + self.lsn,
                  "snapshot": "incremental" if incremental else "true" if operation == "r" else "false", "db": "shop",
                  "sequence": json.dumps([str(self.finished), str(self.lsn)], separators=(",", ":")), "schema": "public",
                  "table": table.name, "txId": 7, "lsn": None if incremental else self.lsn, "xmin": None}
        body = write_json({"before": before, "after": after, "source": source, "transaction": None, "op": operation,
                           "ts_ms": 1_700_000_000_000 + self.lsn})
        schema = table.schema()
        payload = body if schema is None else '{"schema":' + schema + ',"payload":' + body + "}"
        return self.append(table, key, payload, headers, other_key)

    def tombstone(self, table, key, headers):
        self.append(table, key, None, headers)

    def append(self, table, key, payload, headers, other_key=None):
        topic = f"rnd.public.{table.name}"
        text = None
        if key is None:
            partition = self.random.randrange(table.partitions)
        else:
            text = table.key_text(key)
            partition = zlib.crc32(text.encode()) % table.partitions
            if other_key is not None:
                column, value = other_key
                payload_of_key = {column.name: table.encode(column, value)}
                text = json.dumps(payload_of_key if self.plain else
                                  {"schema": {"type": "struct", "fields": [{**column.kind.field, "optional": False, "field": column.name}], "optional": False},
                                   "payload": payload_of_key}, ensure_ascii=False)
            elif not self.plain:
                fields = [{**column.kind.field, "optional": False, "field": column.name} for column in table.columns[:len(key)]]
                text = json.dumps({"schema": {"type": "struct", "fields": fields, "optional": False, "name": topic + ".Key"},
                                   "payload": json.loads(text)}, ensure_ascii=False)
        queue = self.partitions.setdefault((topic, partition), [])
        queue.append({"topic": topic, "partition": partition, "offset": len(queue), "tstype": "create", "ts": 1_700_000_000_000 + self.lsn,
                      "headers": list(headers), "key": text, "payload": payload})
        return topic, partition, queue[-1]["offset"]

    def interleave(self):
        queues = [list(reversed(queue)) for queue in self.partitions.values()]
        way = self.random.choice(["random", "random", "lagging", "one by one", "bursts"])
        messages = []
        while any(queues):
            able = [queue for queue in queues if queue]
            if way == "lagging" and len(able) > 1 and queues[0]:
                able.remove(queues[0])
            queue = able[0] if way == "one by one" else self.random.choice(able)
            for _ in range(min(len(queue), 1 if way == "random" else self.random.randint(1, 8))):
                messages.append(queue.pop())
        return messages

    def state(self):
        return {"public." + table.name: table.state() for table in self.tables}


def write_json(value):
    """JSON text with decimals digit for digit."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=lambda number: NUMBER + number.text + NUMBER)
    return NUMBER_TEXT.sub(r"\1", text) if NUMBER in text else text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--plain", action="store_true", help="events without schemas")
    parser.add_argument("--out", required=True)
    parser.add_argument("--expected")
    arguments = parser.parse_args()
    log = Log(arguments.seed, arguments.plain)
    with open(arguments.out, "w", encoding="utf-8") as file:
        for message in log.messages:
            print(json.dumps(message, ensure_ascii=False), file=file)
    if arguments.expected:
        with open(arguments.expected, "w", encoding="utf-8") as file:
            json.dump({"tables": log.state(), "dead_letters": log.dead_letters}, file, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
