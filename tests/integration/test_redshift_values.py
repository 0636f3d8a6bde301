"""The same value by every way into Redshift: constants, files, staged updates, key changes, tables without a key; and exact keys.

CDCRT_TEST_CELLS=100000 sends so many cells by every way."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import redshift_target  # noqa: E402
from integration.messages import envelope  # noqa: E402
from integration.redshift_target import LinesCase  # noqa: E402
from integration.redshift_values import COLUMNS, Rows, Schema  # noqa: E402

CELLS = int(os.environ.get("CDCRT_TEST_CELLS", "3000"))
UNAVAILABLE = "__debezium_unavailable_value"
CONSTANTS = ["sinks.target.copy_from_rows=10000", 'sinks.target.copy_from_bytes="4MiB"', "sinks.target.batch.max_rows=40"]
FILES = ["sinks.target.copy_from_rows=0", "sinks.target.batch.max_rows=1000"]
MIXED = ["sinks.target.batch.max_rows=97"]


def tearDownModule():
    redshift_target.stop()


class Ways(LinesCase):
    """Each test sends the rows by five ways, in two runs of the program, and compares all cells."""

    def setUp(self):
        super().setUp()
        self.rows = Rows(max(1, CELLS // len(COLUMNS)))
        self.lsn = 100

    def send(self, schema, operation, before, after, headers=()):
        self.lsn += 1
        number = (after or before)["id"]
        line = {"topic": f"s.public.{schema.table}", "partition": 0, "offset": self.lines.offset, "tstype": "create", "ts": 1_700_000_000_000,
                "headers": list(headers), "key": schema.key(number) if schema.keyed else None, "payload": schema.value(operation, before, after, self.lsn)}
        self.lines.raw(json.dumps(line).encode())

    def compare(self, table, first=0, drop=()):
        names, rows = self.target.tables().rows(f"public.{table}")
        kept = [place for place, name in enumerate(names) if name not in drop]
        self.assertEqual([names[place] for place in kept], ["id", *[column.name for column in COLUMNS]])
        rows = sorted(([row[place] for place in kept] for row in rows), key=lambda row: int(row[0]))
        self.assertEqual(len(rows), len(self.rows.stored))
        for row, stored in zip(rows, self.rows.stored):
            self.assertEqual(int(row[0]), int(stored[0]) + first)
            for column, found, wanted in zip(COLUMNS, row[1:], stored[1:]):
                if (None if found is None else column.normal(found)) != wanted:
                    self.fail(f"{table}, row {row[0]}, column {column.name}: {str(found)[:200]!r} in place of {str(wanted)[:200]!r}")

    def check(self, *settings):
        pad = [{"type": "string", "optional": True, "field": "pad"}]
        whole, patched, owned, moved = Schema("whole"), Schema("patched", more=pad), Schema("owned"), Schema("moved")
        keyless = Schema("keyless", keyed=False)
        empty = {column.name: None for column in COLUMNS}
        away = {column.name: UNAVAILABLE for column in COLUMNS}
        for row in self.rows.events:
            self.send(whole, "c", None, row)
            self.send(patched, "c", None, {"id": row["id"], **empty, "pad": "kept"})
            self.send(owned, "c", None, {"id": row["id"], **empty})
            self.send(moved, "c", None, row)
            self.send(keyless, "c", None, row)
            self.send(keyless, "c", None, row)
        self.apply(*settings)
        self.compare("whole")
        self.front.sql("alter table owned add column own varchar(9) default 'mine'")
        for row in self.rows.events:
            self.send(patched, "u", None, {**row, "pad": UNAVAILABLE})
            self.send(owned, "u", None, row)
            new = row["id"] + 1_000_000
            self.send(moved, "d", {"id": row["id"], **away}, None, ["__debezium.newkey", moved.key(new)])
            self.send(keyless, "d", row, None)
        self.apply(*settings)
        for row in self.rows.events:
            new = row["id"] + 1_000_000
            self.send(moved, "c", None, {**away, "id": new}, ["__debezium.oldkey", moved.key(row["id"])])
        self.apply(*settings)
        self.assertEqual([letter["message"] for letter in self.letters()], [])
        self.compare("patched", drop=("pad",))
        self.compare("owned", drop=("own",))
        self.compare("moved", first=1_000_000)
        self.compare("keyless")
        self.assertEqual(self.front.query("select count(*) from patched where pad = 'kept'"), [[str(len(self.rows.events))]])
        self.assertEqual(self.front.query("select count(*) from owned where own = 'mine'"), [[str(len(self.rows.events))]])
        self.clean()

    def test_as_constants_of_statements(self):
        self.check(*CONSTANTS)

    def test_through_files(self):
        self.check(*FILES)

    def test_by_whichever_is_cheaper(self):
        self.check(*MIXED)
