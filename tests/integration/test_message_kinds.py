"""What kind of message it is, from the outside: rows whose columns have an event's names land, other tools' messages are named, nothing vanishes."""

import json
import os
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import Lines, envelope  # noqa: E402

MANIFEST = """[pipeline]
name = "message-kinds"
[sources.events]
plugin = "file"
paths = ["events.jsonl"]
format.plugin = "debezium-json"
format.tombstones = "ignore"
{format}
[sinks.target]
plugin = "odbc"
connection = {{ Driver = "SQLite3", Database = "target.db" }}
[dead_letters]
path = "dead_letters.jsonl"
"""

ORACLE = {"version": "3.2.0.Final", "connector": "oracle", "name": "srv", "ts_ms": 1_700_000_000_000, "db": "ORCL", "schema": "S", "table": "NUMBERS",
          "scn": "1010", "commit_scn": "1010"}


def with_schema(columns, row, name):
    fields = [{"type": kind, "optional": column != "id", "field": column, **more} for column, kind, more in columns]
    return json.dumps({"schema": {"type": "struct", "fields": fields, "optional": False, "name": name}, "payload": row})


class MessageKinds(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder, self.lines = place.name, Lines()

    def flattened(self, table, row, key=None):
        self.lines.message(json.dumps(row), json.dumps(key or {"id": row["id"]}), f"srv.public.{table}")

    def apply(self, form=""):
        """Exit code, log and dead letters of a run."""
        with open(os.path.join(self.folder, "manifest.toml"), "w", encoding="utf-8") as file:
            file.write(MANIFEST.format(format=form))
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        done = program.run(["--manifest", "manifest.toml"], folder=self.folder, timeout=60)
        path = os.path.join(self.folder, "dead_letters.jsonl")
        return done, program.dead_letters(path) if os.path.exists(path) else []

    def rows(self, text):
        with sqlite3.connect(os.path.join(self.folder, "target.db")) as connection:
            return connection.execute(text).fetchall()

    def tables(self):
        return {name for (name,) in self.rows("select name from sqlite_master where type = 'table' and name not like 'cdcrt%'")}

    def test_columns_called_like_members_of_events_are_data(self):
        audit = [("id", "int32", {}), ("op", "string", {}), ("source", "string", {})]
        for number, (operation, source) in enumerate((("login", "web"), ("c", None)), 1):
            self.lines.message(with_schema(audit, {"id": number, "op": operation, "source": source}, "srv.public.audit.Value"), json.dumps({"id": number}),
                               "srv.public.audit")
        for number, status in enumerate(("DONE", "FAILED", "BEGIN", "END"), 1):
            self.flattened("runs", {"id": number, "status": status, "event_count": number})
        self.flattened("moves", {"id": 1, "before": "a", "after": "b", "op": "u", "ts_ms": 5, "transaction": None})
        done, dead_letters = self.apply()
        self.assertEqual((done.exit_code, dead_letters), (0, []), done.log[-3000:])
        self.assertEqual(self.rows("select id, op, source from audit order by id"), [(1, "login", "web"), (2, "c", None)])
        self.assertEqual(self.rows("select status, event_count from runs order by id"), [("DONE", 1), ("FAILED", 2), ("BEGIN", 3), ("END", 4)])
        self.assertEqual(self.rows("select before, after, op, ts_ms from moves"), [("a", "b", "u", 5)])

    def test_messages_of_other_tools_and_damaged_events_are_named_and_make_no_table(self):
        self.lines.message(json.dumps({"data": [{"id": "1"}], "database": "shop", "es": 1, "isDdl": False, "table": "t", "ts": 2, "type": "INSERT"}))
        self.lines.message(json.dumps({"database": "shop", "table": "t", "type": "insert", "ts": 1, "data": {"id": 1}}), '["shop","t",[]]')
        self.lines.message(json.dumps({"data": {"id": 3}, "metadata": {"record-type": "data", "operation": "load", "schema-name": "s", "table-name": "t"}}))
        self.lines.message(json.dumps({"id": "1", "source": "/debezium/mysql/srv", "specversion": "1.0", "type": "io.debezium.connector.mysql.DataChangeEvent",
                                       "iodebeziumop": "c", "data": {"before": None, "after": {"id": 1}}}))
        self.lines.message(json.dumps({"after": {"id": 1}, "key": [1], "updated": "1745525261013511000.0000000000"}), "[1]")
        self.lines.message(json.dumps({"ts_ms": 1, "op": "c", "source": {"connector": "cassandra", "name": "srv", "keyspace": "k", "table": "t", "ts_ms": 1},
                                       "after": {"id": {"value": 1, "deletion_ts": None, "set": True}}}), '{"id":1}')
        event = json.loads(envelope("good", {"id": 1, "v": "x"}))
        self.lines.message(json.dumps({name: value for name, value in event.items() if name != "op"}), '{"id":1}')
        self.lines.message(json.dumps({"data": event}), '{"id":1}')
        self.lines.message(json.dumps({**event, "op": "t"}), '{"id":1}')
        self.lines.good(2)
        done, dead_letters = self.apply()
        self.assertEqual(done.exit_code, 4, done.log[-3000:])
        self.assertEqual(self.tables(), {"good"})
        self.assertEqual(self.rows("select id, v from good order by id"), self.lines.expected)
        names = ["Canal", "Maxwell", "AWS DMS", "CloudEvents", "CockroachDB", "Cassandra", "\"op\" or \"source\"", "\"data\" holds", "with a row"]
        self.assertEqual(len(dead_letters), len(names), dead_letters)
        for dead_letter, name in zip(dead_letters, names):
            self.assertEqual(dead_letter["reason"], "undecodable")
            self.assertIn(name, dead_letter["message"])
            self.assertNotIn("flattened", dead_letter["message"])

    def test_events_flattened_says_by_hand_that_it_is_a_row(self):
        self.flattened("edits", {"id": 1, "before": {"x": 1}, "after": {"x": 2}})
        _, dead_letters = self.apply()
        self.assertEqual(len(dead_letters), 1)
        os.remove(os.path.join(self.folder, "target.db"))
        os.remove(os.path.join(self.folder, "dead_letters.jsonl"))
        done, dead_letters = self.apply('format.events = "flattened"')
        self.assertEqual((done.exit_code, dead_letters), (0, []), done.log[-3000:])
        self.assertEqual(self.rows("select id, after from edits"), [(1, '{"x": 2}')])

    def test_numbers_without_a_scale_and_structured_times_have_types_without_a_schema(self):
        def change(number, rate, operation="c"):
            row = {"ID": {"scale": 0, "value": number}, "RATE": rate, "DAY": {"year": 2026, "month": 7, "day": 4, "specialValue": None}}
            images = {"before": row, "after": None} if operation == "d" else {"before": None, "after": row}
            self.lines.message(json.dumps({**images, "source": ORACLE, "op": operation}), json.dumps({"ID": {"scale": 0, "value": number}}), "srv.S.NUMBERS")

        change("BQ==", {"scale": 4, "value": "BOI="})
        change("Bg==", {"scale": 0, "value": "+Q=="})
        change("BQ==", {"scale": 0, "value": "Aw=="}, "u")
        change("Bg==", None, "d")
        done, dead_letters = self.apply()
        self.assertEqual((done.exit_code, dead_letters), (0, []), done.log[-3000:])
        self.assertEqual(self.rows("select * from NUMBERS"), [("5", "3", "2026-07-04")])


if __name__ == "__main__":
    unittest.main()
