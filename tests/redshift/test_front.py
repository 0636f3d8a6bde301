"""The front: authentication, protocol, names, types, transactions, faults."""

import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import process  # noqa: E402
from lab.odbc import Odbc  # noqa: E402
from lab.process import wait_until  # noqa: E402
from redshift import wire  # noqa: E402
from redshift.lab import RedshiftFront  # noqa: E402
from redshift.raw_client import RawClient, Refused  # noqa: E402


def setUpModule():
    FrontCase.front = RedshiftFront(users={"loader": "loader-secret", "reader": "reader-secret"})


def tearDownModule():
    FrontCase.front.stop()


class FrontCase(process.Case):
    def setUp(self):
        self.front.clear_faults()
        self.client = self.another()
        self.client.query("drop table if exists t; drop table if exists u")

    def another(self, **arguments):
        client = RawClient(self.front, **arguments)
        self.addCleanup(client.close)
        return client

    def refused(self, text, state, words=None, client=None):
        with self.assertRaises(Refused) as caught:
            (client or self.client).query(text)
        self.assertEqual(caught.exception.state, state, caught.exception)
        if words:
            self.assertIn(words, caught.exception.text)
        return caught.exception


class Sessions(FrontCase):
    def test_it_says_that_it_is_redshift(self):
        self.assertEqual(self.client.parameters["server_version"], "8.0.2")
        self.assertIn("Redshift 1.0", self.client.query("select version()")[0][0])

    def test_a_wrong_password_is_refused_and_a_changed_one_counts(self):
        for user, password in (("loader", "wrong"), ("nobody", "loader-secret")):
            with self.assertRaises(Refused) as caught:
                RawClient(self.front, user=user, password=password)
            self.assertEqual(caught.exception.state, "28P01")
        self.front.set_password("reader", "second")
        self.another(user="reader", password="second")
        with self.assertRaises(Refused):
            RawClient(self.front, user="reader", password="reader-secret")

    def test_startup_parameters_of_amazons_drivers_are_taken(self):
        client = self.another(
            more={
                "driver_version": "x",
                "os_version": "y",
                "client_protocol_version": "2",
                "plugin_name": "",
                "idp_type": "",
                "driver_discovery_version": "1",
                "application_name": "app"
            })
        self.assertEqual(client.query("select 1"), [["1"]])

    def test_secrets_do_not_reach_the_list_of_statements(self):
        self.refused("copy t from 's3://b/k' access_key_id 'AKIA' secret_access_key 'hidden-one' session_token 'hidden-two' csv", "42P01")
        self.refused("copy t from 's3://b/k' credentials 'aws_access_key_id=a;aws_secret_access_key=hidden-three' csv", "42P01")
        columns = ", ".join(f"a{number}" for number in range(700))
        self.refused(f"copy t ({columns}) from 's3://b/k' access_key_id 'AKIA' secret_access_key '{'hidden' * 200}' csv", "42P01")
        text = str(self.front.statements())
        self.assertIn("secret_access_key '***'", text)
        self.assertFalse("hidden" in text)  # a message with the text would be long

    def test_a_user_without_rights_is_denied(self):
        self.client.query("create table t (id int)")
        reader = self.another(user="reader", password=self.front.users["reader"])
        self.refused("insert into t values (1)", "42501", "permission denied for relation t", client=reader)
        self.refused("create schema x", "42501", "permission denied for database dev", client=reader)
        self.client.query("grant insert on t to reader")
        reader.query("insert into t values (1)")
        self.refused("select * from t", "42501", "permission denied for relation t", client=reader)

    def test_databases_are_apart(self):
        self.client.query("create table t (s super)")
        self.client.query("create database second")
        self.refused("create database second", "42P04")
        client = self.another(more={"database": "second"})
        client.query("create table only_here (s super, b varbyte(3))")
        client.query("select * from only_here")
        self.assertEqual(client.columns, [("s", 4000), ("b", 6551)])
        self.refused("select * from t", "42P01", client=client)
        self.refused("drop database second", "55006")
        client.close()
        def dropped():
            try:
                return self.client.query("drop database second") == []
            except Refused as error:
                self.assertEqual(error.state, "55006")
        wait_until(dropped, 30, "the database cannot be dropped")
        with self.assertRaises(Refused) as caught:
            self.another(more={"database": "second"})
        self.assertEqual(caught.exception.state, "3D000")

    def test_cut_resets_every_connection(self):
        self.assertGreaterEqual(self.front.cut(), 1)
        with self.assertRaises((wire.Closed, OSError)):
            self.client.query("select 1")


class Protocol(FrontCase):
    def test_a_portal_gives_its_rows_in_portions(self):
        client = self.client
        client.query("create table t (id int)")
        client.query("insert into t values (1), (2), (3)")
        client.parse("select id from t where id > $1 order by id")
        client.bind(["0"])
        client.send(b"D", b"P\0")
        client.execute(limit=2)
        client.execute(limit=2)
        kinds = b"".join(kind for kind, _ in client.sync())
        self.assertEqual(kinds, b"12TDDsDC")

    def test_an_error_skips_everything_until_sync(self):
        client = self.client
        client.parse("select * from nothing_there")
        client.send(b"D", b"S\0")
        client.bind()
        client.execute()
        with self.assertRaises(Refused) as caught:
            client.sync()
        self.assertEqual(caught.exception.state, "42P01")
        self.assertEqual([kind for kind, _ in caught.exception.messages], [b"1", b"E"])
        self.assertEqual(client.query("select 1"), [["1"]])

    def test_statements_of_every_kind_work_prepared(self):
        client = self.client
        def prepared(text, values=()):
            client.parse(text)
            client.bind(values)
            client.send(b"D", b"P\0")
            client.execute()
            return [wire.cells(body) for kind, body in client.sync() if kind == b"D"]
        prepared("create table t (id bigint distkey, s super, b varbyte(3))")
        prepared("begin")
        self.assertEqual(client.status, "T")
        prepared("lock t")
        prepared("insert into t values ($1, $2, $3)", ["1", "text", "abc"])
        prepared("insert into t values ($1, json_parse($2), null)", ["2", '{"a":1.0}'])
        prepared("commit")
        self.assertEqual(prepared("select * from t where id < $1 order by id", ["9"]),
                         [["1", '"text"', "616263"], ["2", '{"a":1.0}', None]])
        self.assertEqual(prepared("show enable_case_sensitive_identifier"), [["off"]])
        prepared("truncate t")
        self.assertEqual(prepared("select count(*) from t"), [["0"]])

    def test_super_and_varbyte_have_redshifts_type_numbers(self):
        self.client.query("create table t (s super, b varbyte(3), v varchar(3))")
        self.client.query("select * from t")
        self.assertEqual(self.client.columns, [("s", 4000), ("b", 6551), ("v", 1043)])

    def test_a_result_in_binary_form_is_given(self):
        self.client.parse("select 258::int")
        self.client.bind(results=[1])
        self.client.execute()
        self.assertEqual([body[6:] for kind, body in self.client.sync() if kind == b"D"], [b"\0\0\1\2"])

    def test_several_statements_of_one_message_are_one_transaction(self):
        self.client.query("create table t (id int)")
        self.refused("insert into t values (1); insert into t values ('x')", "22P02")
        self.assertEqual(self.client.query("select count(*) from t"), [["0"]])

    def test_too_many_parameters_and_too_long_statements_are_refused(self):
        self.client.parse("select 1 where 1 in (" + ",".join(f"${number}::int" for number in range(1, 32769)) + ")")
        self.client.bind(["1"] * 32768)
        with self.assertRaises(Refused) as caught:
            self.client.sync()
        self.assertEqual(caught.exception.text, "number of parameters exceeds the limit of 32767")
        self.refused("select '" + "x" * (16 << 20) + "'", "54000", "Statement is too large")
        self.assertEqual({entry["rule"]
                          for entry in self.front.rejections()} & {"parameters", "statement-size"}, {"parameters", "statement-size"})

    def test_odbc_prepares_and_rolls_back(self):
        with Odbc(self.front.odbc()) as client:
            client.execute("create table t (id bigint, v varchar(10))")
            client.execute("insert into t values (?, ?)", ["1", "ä"])
            client.execute("begin")
            client.execute("delete from t")
            client.execute("rollback")
            self.assertEqual(client.execute("select * from t where id = ?", ["1"]), [["1", "ä"]])
        self.assertEqual([entry for entry in self.front.statements() if "savepoint" in entry["text"].lower()], [])


class Names(FrontCase):
    def test_quoted_names_are_folded_and_ascii_only(self):
        self.client.query('create table t ("MiXed" int, "Ä" int)')
        self.client.query("select * from t")
        self.assertEqual([name for name, _ in self.client.columns], ["mixed", "Ä"])
        self.assertEqual(self.client.query('select "MIXED" from t'), [])

    def test_case_counts_when_the_session_says_so(self):
        self.client.query("set enable_case_sensitive_identifier to on")
        self.client.query('create table t ("MiXed" int)')
        self.refused('select "mixed" from t', "42703")
        self.assertEqual(self.client.query("show enable_case_sensitive_identifier"), [["on"]])
        self.assertEqual(self.client.query("select set_config('query_group', 'etl', false), set_config('timezone', 'UTC', false), 1"), [["etl", "UTC", "1"]])
        self.assertEqual(self.client.query("select current_setting('enable_case_sensitive_identifier'), current_setting('query_group')"), [["on", "etl"]])

    def test_names_have_up_to_127_bytes_everywhere(self):
        long = "c" * 126 + "x"
        self.client.query(f'create table t ("{long}" int, "{"c" * 126}y" int, "ä{"b" * 125}" int)')
        self.client.query(f'insert into t ("{long}") values (5)')
        self.client.query("select * from t")
        self.assertEqual([name for name, _ in self.client.columns], [long, "c" * 126 + "y", "ä" + "b" * 125])
        self.assertEqual(
            self.client.query(
                "select column_name from information_schema.columns where table_name = 't' order by ordinal_position limit 1"), [[long]])
        self.assertEqual(self.client.query(f'select "{long}, cut here" from t'.replace(", cut here", "zzz")), [["5"]])
        self.refused(f'select "{"d" * 100}" from t', "42703", "d" * 100)

    def test_names_are_kept_over_a_restart(self):
        long = "n" * 100
        self.client.query(f"create table t ({long} int)")
        self.front.restart()
        client = self.another()
        client.query("select * from t")
        self.assertEqual(client.columns[0][0], long)


class Types(FrontCase):
    def test_lengths_are_bytes(self):
        self.client.query("create table t (v varchar(4), w text, x varchar)")
        self.client.query("insert into t (v) values ('ää'), ('abcd  ')")
        self.assertEqual(self.client.query("select v, octet_length(v), len(v) from t order by 1"), [["abcd", "4", "4"], ["ää", "4", "2"]])
        self.refused("insert into t (v) values ('äää')", "22001", "value too long for type character varying(4)")
        for column in "wx":
            self.client.query(f"insert into t ({column}) values ('{'x' * 256}')")
            self.refused(f"insert into t ({column}) values ('{'x' * 257}')", "22001", "value too long for type character varying(256)")

    def test_types_are_shown_as_redshift_spells_them(self):
        self.client.query(
            "create table t (a varchar(max), b super, c varbyte(7), d decimal, e decimal(38,10), f timestamptz, g double precision, h char(3), i boolean)"
        )
        self.assertEqual(
            self.client.query(
                "select data_type, character_maximum_length, numeric_precision, numeric_scale from information_schema.columns "
                "where table_name = 't' order by ordinal_position"),
            [["character varying", "65535", None, None], ["super", None, None, None], ["binary varying", "7", None, None],
             ["numeric", None, "18", "0"], ["numeric", None, "38", "10"], ["timestamp with time zone", None, None, None],
             ["double precision", None, "53", None], ["character", "3", None, None], ["boolean", None, None, None]])
        self.assertEqual(self.client.query("select type from pg_table_def where tablename = 't' and \"column\" = 'c'"),
                         [["binary varying(7)"]])

    def test_super_keeps_digits_and_tells_null_from_json_null(self):
        self.client.query("create table t (id int, s super)")
        self.client.query("insert into t select 1, json_parse('{\"a\": 1.10, \"b\": 12345678901234567890123}')")
        self.client.query("insert into t values (2, json_parse('null')), (3, null), (4, '{\"a\":1}')")
        self.assertEqual(self.client.query("select s, s is null from t order by id"),
                         [['{"a": 1.10, "b": 12345678901234567890123}', "f"], ["null", "f"], [None, "t"], ['"{\\"a\\":1}"', "f"]])
        self.refused("select json_parse('{')", "XX000", "JSON parsing error")
        self.client.query("update t set s = 'plain' where id = 1")
        self.assertEqual(self.client.query("select json_serialize(s), json_typeof(s) from t where id = 1"), [['"plain"', "string"]])

    def test_varbyte_is_bare_hex(self):
        self.client.query("create table t (b varbyte(2))")
        self.client.query("insert into t values (to_varbyte('00FF', 'hex')), ('ab')")
        self.assertEqual(self.client.query("select b, from_varbyte(b, 'hex') from t order by 1"), [["00ff", "00ff"], ["6162", "6162"]])
        self.refused("insert into t values ('abc')", "22001")

    def test_trailing_blanks_do_not_count_in_comparisons(self):
        self.client.query("create table t (v varchar(10)); create table u (v varchar(20))")
        self.client.query("insert into t values ('a'), ('a  '), ('b'); insert into u values ('a ')")
        self.assertEqual(self.client.query("select count(*), count(distinct v) from t where v = 'a'"), [["2", "1"]])
        self.client.query("delete from t using u where t.v = u.v")
        self.assertEqual(self.client.query("select v from t"), [["b"]])

    def test_a_row_that_would_be_updated_twice_is_an_error_when_the_session_says_so(self):
        self.client.query("create table t (id int, v varchar(5)); create table u (k int, v varchar(5))")
        self.client.query("insert into t values (1, 'old'), (2, 'old'); insert into u values (1, 'a'), (1, 'b'), (3, 'c')")
        self.client.query("set error_on_nondeterministic_update to true")
        self.refused("update t set v = u.v from u where t.id = u.k", "XX000", "Found multiple matches to update the same tuple.")
        self.client.query("delete from u where v = 'b'")
        self.client.query("update t as x set v = u.v from u where x.id = u.k")
        self.assertEqual(self.client.query("select v from t order by id"), [["a"], ["old"]])

    def test_a_parameter_of_more_than_a_varchar_is_refused(self):
        self.client.parse("select json_parse($1)")
        self.client.bind(['"' + "x" * 65534 + '"'])
        with self.assertRaises(Refused) as caught:
            self.client.sync()
        self.assertEqual(caught.exception.text, "Value too long for character type")

    def test_keys_are_not_enforced(self):
        self.client.query("create table t (id int primary key, u int unique)")
        self.client.query("insert into t values (1, 1), (1, 1)")
        self.assertEqual(self.client.query("select count(*) from t"), [["2"]])
        self.refused("insert into t values (null, 1)", "23502")


class Transactions(FrontCase):
    def test_after_an_error_everything_is_refused_until_rollback(self):
        self.client.query("create table t (id int)")
        self.client.query("begin")
        self.client.query("insert into t values (1)")
        self.refused("insert into t values (1) on conflict do nothing", "42601")
        self.assertEqual(self.client.status, "E")
        self.refused("select 1", "25P02", "current transaction is aborted, commands ignored until end of transaction block")
        self.client.query("commit")
        self.assertEqual((self.client.status, self.client.query("select count(*) from t")), ("I", [["0"]]))

    def test_ddl_and_its_shadow_are_rolled_back(self):
        self.client.query("create table t (id int, v int)")
        self.client.query("begin; alter table t alter distkey id; alter table t add column extra int; rollback")
        self.assertEqual(self.client.query("select \"column\", distkey from pg_table_def where tablename = 't' order by 1"),
                         [["id", "f"], ["v", "f"]])
        self.client.query("begin; alter table t alter distkey id; commit")
        self.refused("alter table t drop column id", "0A000", 'cannot drop distkey column "id"')

    def test_dist_and_sort_keys_follow_renames(self):
        self.client.query("create table t (id int distkey, v int sortkey)")
        self.client.query("alter table t rename column id to k; alter table t rename column v to w")
        self.refused("alter table t drop column k", "0A000", 'cannot drop distkey column "k"')
        self.refused("alter table t drop column w", "0A000", 'cannot drop sortkey column "w"')

    def test_truncate_commits_what_came_before(self):
        self.client.query("create table t (id int)")
        self.client.query("begin; insert into t values (1); truncate t; insert into t values (2); rollback")
        self.assertEqual(self.client.query("select count(*) from t"), [["0"]])

    def test_temporary_tables_belong_to_their_session(self):
        self.client.query("create temp table stage (id int)")
        self.refused("select * from stage", "42P01", client=self.another())

    def test_a_leading_lock_comes_before_the_snapshot(self):
        self.client.query("create table t (id int); insert into t values (1)")
        first, second = self.another(), self.another()
        first.query("begin; lock t; update t set id = 2")
        second.query("begin")
        done = []
        thread = threading.Thread(target=lambda: done.append(second.query("lock t; select id from t; update t set id = 3; commit")))
        thread.start()
        self.wait_for_lock()
        first.query("commit")
        thread.join(60)
        self.assertEqual((done, self.client.query("select id from t")), ([[["2"]]], [["3"]]))

    def test_a_lock_after_the_snapshot_is_too_late(self):
        self.client.query("create table t (id int); insert into t values (1)")
        first, second = self.another(), self.another()
        second.query("begin; select * from t")
        first.query("update t set id = 2")
        second.query("lock t")
        error = self.refused("update t set id = 3", "XX000", "1023", client=second)
        self.assertIn("Serializable isolation violation on table", error.detail)

    def test_writers_of_a_table_wait_for_one_another(self):
        self.client.query("create table t (id int)")
        first, second = self.another(), self.another()
        first.query("begin; insert into t values (1)")
        done = []
        thread = threading.Thread(target=lambda: done.append(second.query("insert into t select count(*) from t")))
        thread.start()
        self.wait_for_lock()
        self.assertEqual(done, [])
        self.assertEqual(self.client.query("select count(*) from t"), [["0"]])  # readers do not
        first.query("commit")
        thread.join(60)
        self.assertEqual(self.client.query("select id from t order by 1"), [["1"], ["1"]])

    def wait_for_lock(self):
        wait_until(lambda: self.front.backend.value("postgres", "select count(*) from pg_locks where not granted") != "0", 30,
                   "nobody waits")

    def test_a_deadlock_ends(self):
        self.client.query("create table t (id int); create table u (id int)")
        first, second = self.another(), self.another()
        first.query("begin; insert into t values (1)")
        second.query("begin; insert into u values (1)")
        errors = []
        def insert(client, table):
            try:
                client.query(f"insert into {table} values (2)")
            except Refused as error:
                errors.append(error.state)
                client.query("rollback")
        threads = [threading.Thread(target=insert, args=arguments) for arguments in ((first, "u"), (second, "t"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(errors, ["40P01"])
        for client in (first, second):
            client.query("rollback")


    def test_two_sessions_that_make_one_table_conflict_or_agree(self):
        first, second = self.another(), self.another()
        first.query("begin; create table if not exists t (id int)")
        errors = []
        def create():
            try:
                second.query("create table if not exists t (id int)")
            except Refused as error:
                errors.append((error.state, error.text))
        thread = threading.Thread(target=create)
        thread.start()
        self.wait_for_lock()
        first.query("commit")
        thread.join(60)
        self.assertEqual(errors, [("XX000", "could not complete because of conflict with concurrent transaction")])
        second.query("create table if not exists t (id int)")


class Faults(FrontCase):
    def setUp(self):
        super().setUp()
        self.client.query("create table t (id int)")

    def commit(self, number):
        """What became of a transaction: its SQLSTATE, "" when it was well, "lost"."""
        client = self.another()
        try:
            client.query("begin")
            client.query(f"insert into t values ({number})")
            client.query("commit")
            return ""
        except Refused as error:
            self.assertEqual(client.status, "I")
            return error.state
        except (wire.Closed, OSError):
            return "lost"

    def ids(self):
        return [int(row[0]) for row in self.another().query("select id from t order by id")]

    def test_every_third_commit_is_a_violation(self):
        self.front.fault("1023", at="commit", every=3)
        self.assertEqual([self.commit(number) for number in range(1, 7)], ["", "", "XX000", "", "", "XX000"])
        self.assertEqual(self.ids(), [1, 2, 4, 5])
        self.assertEqual((self.front.faults()[0]["seen"], self.front.faults()[0]["hit"]), (6, 2))

    def test_a_commit_is_lost_before_or_after(self):
        self.front.fault("lost_before", at="commit", nth=1)
        self.front.fault("lost_after", at="commit", nth=2)
        self.assertEqual([self.commit(number) for number in (1, 2, 3)], ["lost", "lost", ""])
        wait_until(lambda: self.ids() == [2, 3], 30, self.ids)

    def test_faults_choose_their_statements(self):
        self.front.fault("1018", match="from chosen")
        self.front.fault("error", match="insert", state="57014", text="Query cancelled on user's request")
        self.assertEqual(self.client.query("select 1"), [["1"]])
        self.assertEqual(self.refused("select * from chosen", "XX000", "1018").detail, "Relation does not exist.")
        self.refused("insert into t values (1)", "57014", "Query cancelled")
        self.client.query("insert into t values (2)")
        self.front.clear_faults()
        self.assertEqual((self.front.faults(), self.ids()), ([], [2]))

    def test_a_slow_commit_happens(self):
        self.front.fault("slow", at="commit", seconds=0.1)
        self.assertEqual((self.commit(1), self.ids(), self.front.faults()[0]["hit"]), ("", [1], 1))

    def test_an_unknown_fault_is_refused(self):
        with self.assertRaisesRegex(ValueError, "no fault 'x'; there are: 1023"):
            self.front.fault("x")


if __name__ == "__main__":
    unittest.main()
