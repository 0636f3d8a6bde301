"""Values: conversions, comparisons, SUPER, VARBYTE, numbers and times as the documentation tells them."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import process  # noqa: E402
from redshift.lab import RedshiftFront  # noqa: E402
from redshift.raw_client import RawClient, Refused  # noqa: E402


def setUpModule():
    ValueCase.front = RedshiftFront(wide_super=False)


def tearDownModule():
    ValueCase.front.stop()


class ValueCase(process.Case):
    def setUp(self):
        self.client = RawClient(self.front)
        self.addCleanup(self.client.close)
        self.client.query("drop table if exists t; drop table if exists u; drop table if exists public.w")

    def refused(self, text, state, words):
        with self.assertRaises(Refused) as caught:
            self.client.query(text)
        self.assertEqual(caught.exception.state, state, caught.exception)
        self.assertIn(words, caught.exception.text)

    def answers(self, text, *rows):
        self.assertEqual(self.client.query(text), [list(row) for row in rows])


class Strings(ValueCase):
    def test_trailing_blanks_count_for_no_string(self):
        self.answers("select 'a' = 'a ', 'a' < 'a ', lower('A  ') = 'a', 'b' in ('a', 'b '), 'a' || ' ' = 'a', ' a' = 'a'", "tftttf")
        self.client.query("create table t (v varchar(9)); insert into t values ('x'), ('x ')")
        self.answers("select count(*) from t a join t b on upper(a.v) = upper(b.v)", ("4",))
        self.answers("select count(distinct lower(v)), max(len(v)) from t", ("1", "2"))

    def test_an_expression_has_up_to_65535_bytes(self):
        self.client.query(f"create table t (v varchar(65535)); insert into t values ('{'x' * 40000}')")
        self.refused("select v || v from t", "22001", "Value too long for character type")
        self.assertIn("string-size", [entry["rule"] for entry in self.front.rejections()])

    def test_boolean_is_no_string(self):
        self.client.query("create table t (b boolean, v varchar(5))")
        self.refused("select b::varchar from t", "42846", "cannot cast type boolean to character varying")
        self.refused("insert into t (v) select b from t", "42804", "")
        self.client.query("insert into t (b) values ('yes'), (1::boolean)")
        self.answers("select case when b then 'true' else 'false' end, b::int from t", ("true", "1"), ("true", "1"))


class Numbers(ValueCase):
    def test_storing_rounds_and_a_cast_of_a_column_cuts_off(self):
        self.client.query("create table t (d decimal(10,3), e decimal(8,2), n int); insert into t values (1.5555, 20.259, 1.5)")
        self.answers("select * from t", ("1.556", "20.26", "2"))
        self.answers("select d::decimal(10,2), d::int, cast(d as decimal(5,1)), e::bigint from t", ("1.55", "1", "1.5", "20"))
        self.answers("select cast(109.652 as decimal(4,1)), 1.5::int", ("109.7", "2"))
        self.client.query("set enable_numeric_rounding to on")
        self.answers("select d::decimal(10,2), d::int from t", ("1.56", "2"))

    def test_nineteen_digits_are_kept_in_eight_bytes(self):
        self.client.query("create table t (d decimal(19,0), e decimal(19,18)); insert into t values (9223372036854775807, 9.223372036854775807)")
        for column, value in (("d", "9223372036854775808"), ("d", "-9999999999999999999"), ("e", "9.3")):
            self.refused(f"insert into t ({column}) values ({value})", "22003", "Numeric data overflow")
        self.client.query("alter table t add column f decimal(20,0); insert into t (f) values (99999999999999999999)")


class Times(ValueCase):
    def test_nothing_is_infinite_and_ranges_end(self):
        self.client.query("create table t (d date, at timestamp, z timestamptz); create table u (like t)")
        for table in "tu":
            for column, value, kind in (("d", "infinity", "date"), ("at", "-infinity", "timestamp"), ("z", "infinity", "timestamp"), ("d", "294277-01-01", "date")):
                self.refused(f"insert into {table} ({column}) values ('{value}')", "22008", f"{kind} out of range")
            self.client.query(f"insert into {table} values ('4713-01-01 BC', '294276-12-31 23:59:59.999999', '0001-01-01 00:00:00+00'), (null, null, null)")

    def test_extract_gives_one_part_alone(self):
        self.client.query("create table t (at timestamp); insert into t values ('2024-05-06 07:08:09.189717')")
        self.answers("select extract(sec from at), extract(ms from at), extract(us from at), extract(minute from at) from t", ("9", "189", "717", "8"))
        self.answers("select extract(ms from time '18:25:33.123456')", ("123",))

    def test_intervals_have_qualifiers(self):
        self.client.query("create table t (a interval year to month, b interval day to second(3), c interval hour to minute)")
        self.client.query("insert into t values ('14 months', '1 day 01:02:03.1234567', '90 minutes')")
        self.answers("select a, b, c from t", ("1 year 2 mons", "1 day 01:02:03.123", "01:30:00"))

    def test_a_time_with_a_zone_keeps_six_digits(self):
        self.client.query("create table t (z timetz); insert into t values ('04:05:06.123456+02')")
        self.answers("select z from t", ("04:05:06.123456+02",))


class Varbyte(ValueCase):
    def test_casts_go_by_utf8_and_widths(self):
        self.answers("select 'abc'::varbyte, cast('abc' as varbyte(3)), to_varbyte('616263', 'hex')::varchar", ("616263", "616263", "abc"))
        self.answers("select 5::smallint::varbyte, 5::int::varbyte, 5::bigint::varbyte, to_varbyte('0005', 'hex')::int",
                     ("0005", "00000005", "0000000000000005", "5"))

    def test_formats(self):
        self.answers("select to_varbyte('4', 'hex'), to_varbyte('01001101', 'binary'), to_varbyte('a', 'utf8'), from_hex('6162'), to_varbyte('', 'hex')",
                     ("04", "4d", "61", "6162", ""))
        self.refused("select to_varbyte('0g', 'hex')", "XX000", "invalid input for TO_VARBYTE")

    def test_nothing_is_converted_by_itself(self):
        self.client.query("create table t (b varbyte(4), v varchar(9)); insert into t (b) values (to_varbyte('61', 'hex'))")
        self.refused("insert into t (v) select b from t", "42804", "")
        self.client.query("insert into t (v) select b::varchar from t")
        self.answers("select v from t where v is not null", ("a",))


class Super(ValueCase):
    def setUp(self):
        super().setUp()
        self.client.query("create table t (id int, s super)")
        self.client.query("insert into t values (1, json_parse('{\"k\":[1,2.5,{\"z\":\"Z \",\"n\":{\"m\":5}}],\"B\":true}')), (2, json_parse('[[7],\"x\"]'))")

    def test_navigation(self):
        self.answers("select s.k[2].z, t.s.k[0], s.k[2].n.m::int, public.t.s.k[1] from public.t where id = 1", ('"Z "', "1", "5", "2.5"))
        self.answers("select a.s[0][0], a.s[5], a.s.k from t a where a.id = 2", ("7", None, None))
        self.answers("with q as (select s from t where id = 2) select q.s[1]::varchar, s[1]::int from q", ("x", None))
        self.client.query("update t set id = 3 where s.k[2].z = 'Z'")
        self.answers("select id from t order by s.k[0] is null, id", ("3",), ("2",))

    def test_attributes_are_folded_unless_the_session_says_so(self):
        self.answers('select s.B, s."B" from t where id = 1', (None, None))
        self.client.query("set enable_case_sensitive_super_attribute to true")
        self.answers("select s.B from t where id = 1", ("true",))

    def test_other_types_are_unequal_and_do_not_compare(self):
        self.answers("select id from t where s.k[0] = 1 and 1 = s.k[0] and s.k[0] < 2 and s.k[0] + 1 = 2 and 'Z' = s.k[2].z", ("1",))
        self.answers("select s.k[0] = 'P', s.k[0] <= 'P', s.k[2].z <= 'Z' from t where id = 1", ("f", None, "t"))

    def test_casts_are_lax(self):
        self.answers("select 5::super::bool, 5.0::super::bool, s.k[2].z::int, s::varchar, s.k[0]::varchar from t where id = 1",
                     ("t", None, None, None, "1"))
        self.refused("select '2019-09-09'::date::super", "42846", "cannot cast type date to super")

    def test_sizes(self):
        self.refused("select json_parse('\"' || repeat('x', 40000) || repeat('y', 40000) || '\"')", "22001", "Value too long")
        self.client.query(f"select json_parse('{'[' * 1000}{']' * 1000}')")
        self.refused(f"select json_parse('{'[' * 1001}{']' * 1001}')", "XX000", "JSON parsing error")


    def test_a_wide_one_takes_no_join(self):
        self.client.query("create table u (id int, s super)")
        self.front.backend.value("dev", "insert into u select 1, concat('[1', repeat(',12345678', 9000), ']')::json::super returning id")
        for statement in ("select u.s from t join u on u.id = t.id", "update t set s = u.s from u where u.id = t.id",
                          "insert into t (id, s) select u.id, u.s from u left join t on t.id = u.id where t.id is null",
                          "create temp table held as select * from u, t where u.id = t.id", "select *, row_number() over (order by id) from u"):
            self.refused(statement, "XX000", "Invalid input (8001)")
        self.client.query("insert into t select * from u")
        self.client.query("select u.id, json_size(u.s) from t join u on u.id = t.id")
        self.client.query("delete from t using u where t.id = u.id")


class Views(ValueCase):
    def test_a_late_binding_view_follows_its_tables(self):
        self.client.query("drop view if exists late; create view late as select * from public.w with no schema binding")
        self.refused("select * from late", "42P01", "does not exist")
        self.client.query("create table public.w (id int); insert into w values (1); alter table w add column v varchar(3) default 'd'")
        self.answers("select late.v, l.id from late, late l", ("d", "1"))
        self.answers("select table_type from information_schema.tables where table_name = 'late'", ("VIEW",))
        self.client.query("drop table w; drop view late")
        self.refused("select * from late", "42P01", "does not exist")

    def test_another_view_binds(self):
        self.client.query("create table t (id int, v int); create view bound as select v from t")
        self.refused("alter table t drop column v", "2BP01", "depend")
        self.refused("drop table t", "2BP01", "depend")
        self.client.query("drop view bound")

    def test_append_moves_rows(self):
        self.client.query("create table t (id int, v varchar(3) default 'd'); create table u (id int, n int); insert into u values (1, 2)")
        self.refused("alter table t append from u", "0A000", "extra columns")
        self.client.query("create table w (id int); insert into w values (5)")
        self.client.query("alter table t append from w filltarget")
        self.answers("select * from t", ("5", "d"))
        self.answers("select count(*) from w", ("0",))


if __name__ == "__main__":
    unittest.main()
