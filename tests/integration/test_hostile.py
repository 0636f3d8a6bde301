"""Inputs that nobody sends on purpose: each stops a row or a table at most, with a word, and leaves the others alone."""

import json
import os
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import envelope  # noqa: E402
from integration.test_adopted import Tables  # noqa: E402


class Own(Tables):
    def test_a_source_table_is_never_written_into_a_table_of_cdcrts_own(self):
        """A source that is a target of cdcrt too sends the progress that stands in it."""
        target = program.SqliteTarget(self.folder)
        self.send("orders", {"id": 1, "v": "x"})
        self.run_with(target, 0)
        with sqlite3.connect(target.path) as database:
            own = [name for (name,) in database.execute("select name from sqlite_master where type = 'table' and name like 'cdcrt%'")]
            before = {name: database.execute(f"select sql from sqlite_master where name = '{name}'").fetchall() for name in own}
        self.assertGreater(len(own), 8)
        for name in [*own, "CDCRT_LEASES"]:
            self.send(name, {"id": 1, "v": "x"})
        self.send("orders", {"id": 2, "v": "y"})
        log = self.run_with(target, 1)
        for name in [*own, "CDCRT_LEASES"]:
            self.assertIn(f"written into '{name}', in which cdcrt keeps its own progress", log)
        with sqlite3.connect(target.path) as database:
            self.assertEqual(database.execute("select id, v from orders order by id").fetchall(), [(1, "x"), (2, "y")])
            for name in own:
                self.assertEqual(database.execute(f"select sql from sqlite_master where name = '{name}'").fetchall(), before[name])
        self.assertEqual(self.dead_letters(), [])

    def test_two_columns_that_become_one_in_the_target_stop_their_table_and_not_the_process(self):
        with open(self.manifest, "a", encoding="utf-8") as file:
            file.write('[defaults.columns]\nv = { rename = "ID" }\n')
        self.send("t", {"id": 1, "v": "x"})
        self.send("other", {"id": 1})
        for _ in range(3):
            log = self.run_with(program.SqliteTarget(self.folder), 1)
            self.assertIn("are one column in the target, which does not tell case apart", log)


class Deferred(Tables):
    def setUp(self):
        super().setUp()
        self.target = program.PostgresqlTarget(self.folder)
        self.server, self.database = program.PostgresqlTarget.server, self.target.environment["CDCRT_TEST_DATABASE"]

    def test_what_is_refused_at_commit_only_is_a_dead_letter_and_the_rest_of_its_batch_is_written(self):
        self.server.sql(self.database, "create table u (id int primary key, v text unique deferrable initially deferred);"
                                       "create table f (id int primary key, v text, p int references f deferrable initially deferred)")
        for number, value in enumerate(("a", "b", "a", "c"), 1):
            self.send("u", {"id": number, "v": value})
        for number in range(1, 4):
            self.send("f", {"id": number, "v": "x", "p": 4 - number})
        self.run_with(self.target, 4)
        self.assertEqual(self.server.query(self.database, "select id from public.u order by id"), [["1"], ["2"], ["4"]])
        self.assertEqual(self.server.value(self.database, "select count(*) from public.f"), "3")
        self.assertEqual([dead_letter["reason"] for dead_letter in self.dead_letters()], ["value_refused"])

    def test_a_value_with_a_syntax_of_its_own_and_a_server_that_a_trigger_misses_hold_up_nobody_else(self):
        self.server.sql(self.database, "create table q (id int primary key, v tsquery); create table m (id int primary key, v text);"
                                       "create function f() returns trigger language plpgsql as $$begin raise exception 'no answer' using errcode = '08001'; end$$;"
                                       "create trigger g before insert on m for each row execute function f()")
        for number, value in enumerate(("a & b", "a b", "ä ß"), 1):
            self.send("q", {"id": number, "v": value})
        self.send("m", {"id": 1, "v": "x"})
        log = self.run_with(self.target, 1)
        self.assertIn("detached: public.m", log)
        self.assertEqual(self.server.query(self.database, "select id from public.q"), [["1"]])
        self.assertEqual([dead_letter["reason"] for dead_letter in self.dead_letters()], ["value_refused"] * 2)

    def test_a_column_whose_name_the_target_keeps_to_itself_is_a_dead_letter(self):
        self.send("t", {"id": 1, "v": "x"})
        self.send("t", {"id": 2, "v": "x", "xmin": 5})
        self.send("t", {"id": 3, "v": "x"})
        self.run_with(self.target, 4)
        self.assertEqual(self.server.query(self.database, "select id from public.t order by id"), [["1"], ["3"]])
        self.assertIn("the target keeps the name of column 'xmin' to itself", self.dead_letters()[0]["message"])


if __name__ == "__main__":
    unittest.main()
