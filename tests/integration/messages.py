"""Lines of `kcat -J` with Debezium events without schemas, good ones and any others."""

import json


def envelope(table, after, operation="c", before=None, lsn=1):
    source = {"version": "3.2.0.Final", "connector": "postgresql", "name": "t", "ts_ms": 1_700_000_000_000, "snapshot": "false", "db": "shop",
              "sequence": f'["1","{lsn}"]', "schema": "public", "table": table, "txId": 1, "lsn": lsn, "xmin": None}
    return json.dumps({"before": before, "after": after, "source": source, "transaction": None, "op": operation,
                       "ts_ms": 1_700_000_000_000}, ensure_ascii=False)


def with_schema(columns, payload):
    """The payload (text) with the schema of its row: column -> type."""
    fields = [{"type": kind, "optional": True, "field": name} for name, kind in columns.items()]
    rows = [{"type": "struct", "fields": fields, "optional": True, "field": image} for image in ("before", "after")]
    body = json.loads(payload)
    source = [{"type": "int64" if isinstance(value, int) else "string", "optional": True, "field": name} for name, value in body["source"].items()]
    rows += [{"type": "struct", "fields": source, "optional": False, "field": "source"}, {"type": "string", "optional": False, "field": "op"}]
    return json.dumps({"schema": {"type": "struct", "fields": rows, "optional": False}, "payload": body}, ensure_ascii=False)


class Lines:
    """Lines of a file in the making, offsets counted up. `good` rows go into table public.good."""

    def __init__(self):
        self.lines, self.offset, self.expected = [], 0, []

    def message(self, payload, key=None, topic="t.public.good", headers=(), partition=0):
        """A message with this payload (text); answers its offset."""
        self.raw(json.dumps({"topic": topic, "partition": partition, "offset": self.offset, "tstype": "create", "ts": 1_700_000_000_000, "headers": list(headers),
                             "key": key, "payload": payload}, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        return self.offset - 1

    def raw(self, line):
        """Any bytes as a line."""
        self.lines.append(line)
        self.offset += 1

    def row(self, table, cells, topic=None):
        """The creation of a row with key `id`."""
        return self.message(envelope(table, cells, lsn=100 + self.offset), json.dumps({"id": cells["id"]}), topic or "t.public.good")

    def good(self, count=5):
        for _ in range(count):
            number = len(self.expected) + 1
            self.row("good", {"id": number, "v": f"row {number}"})
            self.expected.append((number, f"row {number}"))

    def write(self, path):
        with open(path, "wb") as file:
            for line in self.lines:
                file.write(line + b"\n")
