"""Tables whose events do not tell their key: rows wait for the definition that does, or the manifest says it; no row is applied without."""

import json
import os
import random
import sqlite3
import subprocess
import tempfile
import unittest

from integration.program import BINARY

PLUGIN = os.environ.get("CDCRT_ELSEWHERE_FORMAT", os.path.join(os.path.dirname(BINARY), "..", "fixtures", "integration", "format-elsewhere.so"))
MANIFEST = """[pipeline]
name = "elsewhere"
[sources.events]
plugin = "file"
paths = ["events.jsonl"]
[sources.events.format]
plugin = "{plugin}"
[sinks.db]
plugin = "odbc"
connection = {{ Driver = "SQLite3", Database = "target.db" }}
[dead_letters]
plugin = "file"
path = "dead_letters.jsonl"
"""
EVERY_ROW_ALONE = ["--set", "sinks.db.batch.max_rows=1", "--set", "sources.events.batch_messages=1", "--set", "runtime.decode_workers=1"]


class KeysElsewhere(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self.write("cdcrt.toml", MANIFEST.format(plugin=os.path.abspath(PLUGIN)))
        self.messages = []

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def append(self, *messages):
        """(partition, value) each; what was there stays before it."""
        self.messages += messages
        offsets, text = {}, ""
        for partition, value in self.messages:
            offset = offsets[partition] = offsets.get(partition, -1) + 1
            text += json.dumps({"topic": "t", "partition": partition, "offset": offset, "ts": 1_700_000_000_000, "key": None, "payload": value}) + "\n"
        self.write("events.jsonl", text)

    def run_it(self, *arguments, exit_code=0):
        done = subprocess.run([BINARY, "--manifest", "cdcrt.toml", "--check-plugins", *arguments], cwd=self.folder, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, exit_code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def command(self, *arguments):
        return subprocess.run([BINARY, *arguments, "--manifest", "cdcrt.toml"], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False)

    def rows(self, table="items"):
        path = os.path.join(self.folder, "target.db")
        with sqlite3.connect(path) as database:
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchall():
                return None
            return database.execute(f"SELECT id, line, name FROM {table} ORDER BY id, line, name").fetchall()

    def test_rows_wait_for_a_definition_of_another_partition_and_are_then_applied_in_source_order(self):
        for arguments in ([], EVERY_ROW_ALONE):
            with self.subTest(arguments=arguments), tempfile.TemporaryDirectory() as self.folder:
                self.setUp_again()
                self.append((0, "1,items,i,1,1,one"), (0, "3,items,u,1,1,three"), (1, "2,items,u,1,1,two"), (0, "4,items,i,1,2,four"),
                            (2, "5,items,i,9,9,gone"), (0, "6,items,d,9,9,"), (1, "1,others,i,7,7,x"), (1, "0,items,key,id,line"),
                            (1, "2,others,key,id"))
                said = self.run_it(*arguments)
                self.assertEqual(self.rows(), [(1, 1, "three"), (1, 2, "four")])
                self.assertEqual(self.rows("others"), [(7, 7, "x")])
                self.assertNotIn("its key is not known", said)

    def setUp_again(self):
        self.messages = []
        self.write("cdcrt.toml", MANIFEST.format(plugin=os.path.abspath(PLUGIN)))

    def test_a_definition_that_comes_first_holds_for_rows_of_later_runs(self):
        self.append((1, "1,items,key,id"))
        self.run_it()
        self.append((0, "2,items,i,1,1,old"), (2, "4,items,u,1,1,new"), (0, "3,items,u,1,1,middle"))
        self.run_it()
        self.assertEqual(self.rows(), [(1, 1, "new")])

    def test_without_a_definition_the_table_waits_by_name_and_the_others_go_on_until_a_later_run_reads_it(self):
        self.append((0, "1,items,i,1,1,one"), (0, "2,good,key,id"), (0, "3,good,i,1,1,fine"), (0, "4,items,u,1,1,two"))
        for _ in range(2):
            said = self.run_it(exit_code=1)
            line = next(line for line in said.splitlines() if "table 'items' waits" in line)
            self.assertIn('[defaults] primary_keys = { "shop.items" = ["id"] }', line)
            self.assertIn("(columns: id, line, name)", line)
            self.assertEqual(self.rows("good"), [(1, 1, "fine")])
            self.assertIsNone(self.rows())
        listed = self.command("table", "list")
        self.assertIn("its key is not known", listed.stdout)
        self.assertIn("its key is not known", self.command("status").stdout)
        self.append((1, "5,items,key,id"), (0, "6,items,i,2,1,three"))
        self.run_it()
        self.assertEqual(self.rows(), [(1, 1, "two"), (2, 1, "three")])
        self.assertNotIn("its key is not known", self.command("table", "list").stdout)

    def test_a_definition_without_a_key_makes_a_table_without_one_also_for_a_later_run(self):
        self.append((0, "1,items,i,1,1,twin"), (0, "2,items,key"), (0, "3,items,i,1,1,twin"))
        self.run_it()
        self.assertEqual(self.rows(), [(1, 1, "twin"), (1, 1, "twin")])
        self.append((0, "4,items,i,1,1,twin"), (0, "5,early,key"))
        self.run_it()
        self.append((0, "6,early,i,1,1,twin"), (0, "7,early,i,1,1,twin"))
        self.run_it()
        self.assertEqual(len(self.rows()), 3)
        self.assertEqual(self.rows("early"), [(1, 1, "twin"), (1, 1, "twin")])

    def test_a_definition_of_another_key_stops_the_table(self):
        self.append((0, "1,items,key,id"), (0, "2,items,i,1,1,one"))
        self.run_it()
        self.append((0, "3,items,key,id,line"), (0, "4,items,i,1,2,two"))
        self.assertIn("the key of the table changed from (id) to (id, line)", self.run_it(exit_code=1))
        self.assertEqual(self.rows(), [(1, 1, "one")])

    def test_rules_of_the_manifest_say_the_key_the_most_exact_one_first(self):
        self.append((0, "1,items,i,1,1,one"), (1, "2,items,i,1,2,two"), (0, "3,people,i,1,1,Ada"), (1, "4,people,u,1,2,Grace"))
        self.write("keys.csv", "# of the server\nshop.items,id,line\n\nother.thing,id\n")
        said = self.run_it("--set", 'defaults.primary_keys={ "shop.*" = ["id"], "*.peeple" = ["line"] }', "--set", 'defaults.primary_keys_file="keys.csv"')
        self.assertEqual(self.rows(), [(1, 1, "one"), (1, 2, "two")])
        self.assertEqual(self.rows("people"), [(1, 2, "Grace")])
        self.assertIn("[defaults] primary_keys '*.peeple'", said)
        self.assertNotIn("other.thing", said)
        self.assertIn("key    id, line", self.command("route", "shop.items", "--set", 'defaults.primary_keys_file="keys.csv"').stdout)

    def test_a_rule_that_names_a_column_the_table_lacks_stops_it_with_the_nearest(self):
        self.append((0, "1,items,i,1,1,one"), (0, "2,people,i,1,1,Ada"))
        said = self.run_it("--set", 'defaults.primary_keys={ "shop.*" = ["id"], "items" = ["lines"] }', exit_code=1)
        self.assertIn("rule 'items' of primary_keys names column 'lines', which the events of the table do not have", said)
        self.assertIn("did you mean 'line'?", said)
        self.assertEqual(self.rows("people"), [(1, 1, "Ada")])

    def test_a_definition_and_a_rule_that_contradict_each_other_stop_the_table_in_either_order(self):
        rule = ["--set", 'defaults.primary_keys={ "items" = ["id"], "people" = ["id"] }']
        self.append((0, "1,items,i,1,1,one"), (0, "2,items,key,id,line"), (0, "3,people,key,id,line"), (0, "4,people,i,1,1,one"))
        said = self.run_it(*rule, exit_code=1)
        self.assertIn("the key of the table changed from (id) to (id, line)", said)
        self.assertIn("the key by rule 'people' of primary_keys is (id), and the table was made with the key (id, line)", said)

    def test_killed_at_any_point_of_scattered_rows_and_definitions_the_target_is_the_source(self):
        chance = random.Random(7)
        state, events, order = {}, [], 0
        for order in range(1, 1500):
            key = (chance.randrange(40), chance.randrange(3))
            operation = "d" if key in state and chance.random() < 0.2 else "u" if key in state else "i"
            name = f"v{order}"
            events.append((chance.randrange(4), f"{order},items,{operation},{key[0]},{key[1]},{name}"))
            if operation == "d":
                del state[key]
            else:
                state[key] = name
        events.insert(1100, (chance.randrange(4), "0,items,key,id,line"))
        self.append(*events)
        small = ["--set", "sinks.db.batch.max_rows=20", "--set", "sources.events.batch_messages=10"]
        for _ in range(8):
            process = subprocess.Popen([BINARY, "--manifest", "cdcrt.toml", *small], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(chance.uniform(0.05, 0.6))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.run_it(*small)
        self.assertEqual(self.rows(), sorted((key[0], key[1], name) for key, name in state.items()))


if __name__ == "__main__":
    unittest.main()
