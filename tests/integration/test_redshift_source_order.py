"""Tables kept in source order in Redshift: as test_source_order.py, in few runs."""

import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import redshift_target  # noqa: E402
from integration.redshift_target import LinesCase  # noqa: E402


def tearDownModule():
    redshift_target.stop()


class SourceOrder(LinesCase):
    def event(self, partition, key, order, op="u"):
        row = None if key is None else {"id": key, "v": f"v{order}"}
        payload = {"before": row if op == "d" else None, "after": None if op == "d" else row, "op": op,
                   "source": {"connector": "postgresql", "db": "shop", "schema": "public", "table": "t", "lsn": order, "sequence": f'[null,"{order}"]'}}
        line = {"topic": "s.public.t", "partition": partition, "offset": self.offsets.get(partition, 0), "tstype": "create", "ts": 1_700_000_000_000,
                "key": None if row is None else json.dumps({"id": key}), "payload": json.dumps(payload)}
        self.offsets[partition] = line["offset"] + 1
        self.lines.raw(json.dumps(line).encode())

    def rows(self):
        names, rows = self.target.tables().rows("public.t")
        places = [names.index("id"), names.index("v")]
        return sorted((int(row[places[0]]), row[places[1]]) for row in rows)

    def test_the_newest_change_of_each_row_stands_over_runs_and_a_truncate(self):
        self.offsets = {}
        routes = '[defaults]\nordering = "source"\n'
        self.event(1, 1, 9)
        self.event(1, 2, 9, "d")
        self.apply(routes=routes)
        self.event(0, 1, 5)
        self.event(2, 2, 5, "c")
        self.event(2, 3, 5, "c")
        self.apply(routes=routes)
        self.assertEqual(self.rows(), [(1, "v9"), (3, "v5")])
        self.event(0, None, 7, "t")
        self.event(2, 4, 6, "c")
        self.apply(routes=routes)
        self.assertEqual(self.rows(), [(1, "v9")])

    def test_a_random_log_in_several_runs_ends_as_the_newest_changes_say(self):
        self.offsets = {}
        draw = random.Random(3)
        changes = [(draw.randrange(14), order, "d" if draw.random() < 0.2 else "u") for order in range(1, 160)]
        expected = {key: (f"v{order}", op) for key, order, op in changes}
        draw.shuffle(changes)
        for first in range(0, len(changes), 60):
            for key, order, op in changes[first:first + 60]:
                self.event(draw.randrange(4), key, order, op)
            self.apply(routes='[defaults]\nordering = "source"\n')
        self.assertEqual(self.rows(), sorted((key, value) for key, (value, op) in expected.items() if op != "d"))
        self.clean()
