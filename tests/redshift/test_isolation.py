"""SERIALIZABLE and SNAPSHOT databases: which transactions that run at once both commit."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import process  # noqa: E402
from redshift.lab import RedshiftFront  # noqa: E402
from redshift.raw_client import RawClient, Refused  # noqa: E402


def setUpModule():
    IsolationCase.front = RedshiftFront(isolation="SERIALIZABLE")


def tearDownModule():
    IsolationCase.front.stop()


class IsolationCase(process.Case):
    database = "dev"

    def setUp(self):
        self.first, self.second, self.third = (self.client() for _ in range(3))
        self.first.query("drop table if exists t; drop table if exists u")
        self.first.query("create table t (id int); create table u (id int)")

    def client(self):
        client = RawClient(self.front, more={"database": self.database})
        self.addCleanup(client.close)
        return client

    def violates(self, client, text):
        with self.assertRaises(Refused) as caught:
            client.query(text)
        self.assertEqual((caught.exception.state, caught.exception.text), ("XX000", "1023"))
        self.assertIn("Serializable isolation violation on table", caught.exception.detail)
        self.assertEqual(client.status, "E")
        client.query("rollback")


class Serializable(IsolationCase):
    def test_each_reads_what_the_other_writes(self):
        self.first.query("begin; select * from t; insert into u values (1)")
        self.second.query("begin; insert into t values (1)")
        self.violates(self.second, "select * from u")
        self.first.query("commit")

    def test_what_is_committed_meanwhile_counts(self):
        self.first.query("begin; select * from t")
        self.second.query("begin; select * from u; insert into t values (1); commit")
        self.violates(self.first, "insert into u values (1)")

    def test_both_read_and_append_to_one_table(self):
        self.second.query("begin; select * from t")
        self.first.query("begin; select * from t; insert into t values (1); commit")
        self.violates(self.second, "insert into t values (2)")
        self.assertEqual(self.first.query("select * from t"), [["1"]])

    def test_a_circle_of_three(self):
        self.first.query("begin; select * from t")
        self.second.query("begin; insert into t values (1); select * from u; commit")
        self.third.query("begin; insert into u values (1); commit")
        self.first.query("select * from t")
        self.violates(self.first, "select * from t join u on u.id = t.id; insert into u values (2); insert into t values (3)")

    def test_readers_and_writers_with_an_order_both_commit(self):
        self.first.query("begin; select * from t; select * from u")
        self.second.query("begin; insert into t values (1); insert into u values (1); commit")
        self.assertEqual(self.first.query("select * from t"), [])
        self.first.query("commit")
        self.third.query("insert into t select * from u")

    def test_a_leading_lock_puts_them_in_order(self):
        self.first.query("begin; lock t; select * from t; insert into t values (1); commit")
        self.second.query("begin; lock t; select * from t; insert into t values (2); commit")
        self.assertEqual(self.first.query("select * from t order by id"), [["1"], ["2"]])

    def test_what_is_rolled_back_and_temporary_tables_do_not_count(self):
        self.first.query("begin; select * from t; insert into u values (1); rollback")
        self.second.query("begin; insert into t values (1); select * from u; commit")
        for client in (self.first, self.second):
            client.query("create temp table x (id int)")
        self.first.query("begin; select * from t; insert into x select * from t")
        self.second.query("begin; insert into t values (1); insert into x select * from t; commit")
        self.first.query("commit")

    def test_update_and_delete_read_their_table(self):
        self.first.query("begin; delete from t where id = 1; select * from u")
        self.violates(self.second, "begin; insert into u select id from t")
        self.first.query("commit")
        self.first.query("begin; select count(*) from u")
        self.second.query("begin; update u set id = 7; select * from t; commit")
        self.violates(self.first, "update t set id = 8")

    def test_the_level_is_shown(self):
        self.assertEqual(self.first.query("select trim(isolation_level) from stv_db_isolation_level where trim(db_name) = 'dev'"), [["Serializable"]])


class Snapshot(IsolationCase):
    def setUp(self):
        client = self.client()
        if ["loose"] not in client.query("select trim(db_name) from stv_db_isolation_level"):
            client.query("create database loose")
            client.query("alter database loose isolation level snapshot")
        self.database = "loose"
        super().setUp()

    def test_each_reads_what_the_other_writes(self):
        self.first.query("begin; select * from t; insert into u values (1)")
        self.second.query("begin; insert into t values (1); select * from u; commit")
        self.first.query("commit")

    def test_rows_that_both_change_conflict(self):
        self.first.query("insert into t values (1)")
        self.second.query("begin; select * from t")
        self.first.query("update t set id = 2")
        self.violates(self.second, "update t set id = 3")

    def test_the_level_is_not_changed_within_a_transaction(self):
        with self.assertRaises(Refused) as caught:
            self.first.query("begin; alter database loose isolation level serializable")
        self.assertEqual(caught.exception.state, "25001")


if __name__ == "__main__":
    unittest.main()
