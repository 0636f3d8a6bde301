"""Tests of the oracle itself: real events against the source's rows, random logs against the simulated source, rules one by one."""

import json
import os
import random
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from oracle import canonical, compare, decode, generate, interpreter, judge, random_adopted, routes  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
SEEDS = int(os.environ.get("CDCRT_ORACLE_SEEDS", "1500"))


class OracleTarget:
    """The interpreter's result, read as a target by compare.py."""
    zero_sign = True

    def __init__(self, tables):
        self.tables = tables

    def rows(self, name):
        table = self.tables[name]
        return list(table.columns), [[row[c].value if row.get(c) is not None else None for c in table.columns] for row in table.all_rows()]


class RealEvents(unittest.TestCase):
    def check(self, name, events):
        manifest = routes.load(os.path.join(TESTS, "integration", "manifests", name + ".toml"))
        folder = os.path.join(TESTS, "data", name)
        tables, dead_letters = interpreter.interpret(decode.read_messages(os.path.join(folder, events)), manifest)
        self.assertEqual(dead_letters, [])
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            target, expected = OracleTarget(tables), os.path.join(folder, "expected")
            self.assertEqual(compare.compare(expected, target, out=nowhere), 0)
            for name, column in (("public.customers", "balance"), ("sales.orders", "note")):  # the comparison can fail
                self.spoil(tables[name], column)
                self.assertEqual(compare.compare(expected, target, out=nowhere), 1)
                self.unspoil(tables[name], column)

    def spoil(self, table, column):
        row = table.all_rows()[0]
        self.kept = row[column]
        row[column] = None if row[column] is not None else canonical_cell("spoiled")

    def unspoil(self, table, column):
        table.all_rows()[0][column] = self.kept

    def test_events_with_schemas_give_the_rows_of_the_source(self):
        self.check("debezium-postgres", "events.jsonl.gz")

    def test_events_without_schemas_give_the_rows_of_the_source(self):
        self.check("debezium-postgres-noschema", "events.jsonl")


def canonical_cell(text):
    from oracle.values import Cell
    return Cell("string", text)


class RandomLogs(unittest.TestCase):
    def check(self, plain, manifest):
        manifest = routes.load(os.path.join(HERE, "manifests", manifest))
        for seed in range(SEEDS):
            log = generate.Log(seed, plain)
            tables, dead_letters = interpreter.interpret(log.messages, manifest)
            found = []
            for name, state in log.state().items():
                rows = judge.oracle_rows(tables[name]) if name in tables else []
                found += judge.against_source(name, state, rows)
                if name in tables and not plain:  # a schema tells which columns there are; dropped ones go
                    found += [f"{name}: column {column} should be gone" for column in tables[name].columns if column not in state["columns"]]
            self.assertEqual(found, [], f"seed {seed}")
            self.assertEqual(sorted((l.topic, l.partition, l.offset) for l in dead_letters), sorted(log.dead_letters), f"seed {seed}")
            self.assertTrue(all(dead_letter.reason in ("row_missing", "key_changed") for dead_letter in dead_letters))

    def test_logs_with_schemas_give_the_state_of_the_simulated_source(self):
        self.check(False, "random.toml")

    def test_logs_without_schemas_give_the_state_of_the_simulated_source(self):
        self.check(True, "random-plain.toml")

    def test_the_interleaving_of_partitions_changes_nothing(self):
        manifest = routes.load(os.path.join(HERE, "manifests", "random.toml"))
        for seed in range(SEEDS // 10):
            log = generate.Log(seed)
            first, _ = interpreter.interpret(log.messages, manifest)
            log.random = random.Random(seed)
            second, _ = interpreter.interpret(log.interleave(), manifest)
            self.assertEqual({name: sorted(map(str, judge.oracle_rows(table))) for name, table in first.items()},
                             {name: sorted(map(str, judge.oracle_rows(table))) for name, table in second.items()}, f"seed {seed}")


class RandomAdopted(unittest.TestCase):
    def test_tables_that_stop_in_a_later_run_are_seen_whatever_characters_came_before(self):
        earlier = "table │ inserted\n" + "─" * 200 + "\n"
        later = "warning sinks.db: table 't0' is detached, the others go on\n"
        with tempfile.NamedTemporaryFile() as log:
            log.write((earlier + later).encode())
            log.flush()
            begin = len(earlier.encode())
            self.assertEqual(random_adopted.text_from(log.name, begin), later)
            self.assertTrue(random_adopted.Seed.waits(log.name, begin))
        self.assertEqual(random_adopted.stopped_tables(later), {"t0"})
        self.assertEqual(random_adopted.stopped_tables("detached: public.t1: why\nstopped: t2: why\n"), {"t1", "t2"})


class Canonical(unittest.TestCase):
    def same(self, kind, *values):
        self.assertEqual(len({canonical.text_of(kind, value) for value in values}), 1, values)

    def differ(self, kind, *values):
        self.assertEqual(len({canonical.text_of(kind, value) for value in values}), len(values), values)

    def test_numbers_are_equal_by_value_and_by_nothing_less(self):
        self.same("decimal", "1.50", "1.5", "1.500")
        self.same("decimal", "-0", 0, "0.000")
        self.differ("decimal", "0.1", "0.10000000000000001", "NaN", "Infinity")

    def test_floats_are_equal_by_ieee_value(self):
        self.same("float32", "1e-45", 1.401298464324817e-45)
        self.differ("float64", 0.1, 0.10000000000000002, "NaN", "-0", "0")

    def test_instants_are_equal_whatever_their_zone(self):
        self.same("timestamptz", "2024-02-29 12:00:00.5+09", "2024-02-29T03:00:00.500000Z")
        self.same("timestamp", "0044-03-15 12:00:00 BC", "-0043-03-15T12:00:00")
        self.same("timetz", "12:34:56.789+05:30", "07:04:56.789Z")
        self.differ("timestamp", "2024-02-29 12:00:00", "2024-02-29 12:00:00.000001", "infinity")

    def test_arrays_and_json_are_equal_by_content(self):
        self.same("array:string", '{a,"b c",NULL}', '["a","b c",null]')
        self.differ("array:string", '{a,NULL}', '{a,"NULL"}', "{}", '{""}')
        self.same("json", '{"a":1.0,"b":[]}', '{"b": [], "a": 1}')
        self.differ("json", "12345678901234567890", "12345678901234567891", '"1"', "null")

    def test_dates_count_in_the_proleptic_calendar(self):
        for days in (-719162, -1, 0, 2932896, -735160):
            self.assertEqual(canonical.days_of(canonical.write_date(days)), days)


if __name__ == "__main__":
    unittest.main()
