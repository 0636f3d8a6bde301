"""Every rejection rule rejects its examples with its words, and what Redshift takes is taken."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import process  # noqa: E402
from lab.odbc import Odbc, OdbcError  # noqa: E402
from redshift.lab import RedshiftFront  # noqa: E402
from redshift.rules import RULES  # noqa: E402

TABLES = """
create table t (id bigint distkey, k int, v varchar(20), w varchar(20) default 'a', d decimal(10,2), s super, e varchar(20) encode bytedict) sortkey (k);
insert into t (id, k, v, d) values (1, 1, 'longer', 1.5);
create table src (id bigint, v varchar(20));
insert into src values (1, 'one'), (2, 'two');
create table single (id int);
create view w as select id from single;
create view lw as select id from public.single with no schema binding;
create table keyed2 (id bigint not null, v varchar(20));
create table lone (id bigint);
create table keyed (k varchar(20) unique);
"""

ACCEPTED = """
select version()
select current_user, current_schema(), getdate(), sysdate
select 'it''s', 'a\\\\b', 'c\\'d'
create schema if not exists shop
create table shop.orders (id bigint not null encode az64 distkey, "type" varchar(256) encode zstd, note varchar(max), amount decimal(38,10), at timestamptz, day date, flag boolean, doc super, raw_bytes varbyte(16), primary key (id)) sortkey (id, day)
create table shop.every (a smallint, b integer, c int4, d real, e double precision, f float, g char(10), h character varying(30), i nvarchar(5), j text, k timestamp without time zone, l timestamp with time zone, m time, n timetz, o numeric(20), p varbinary(4), q bpchar, r bool, s identity_like int)
create table shop.auto (id int identity(1,1), v varchar(10) default 'x' not null, foreign key (id) references shop.orders (id)) diststyle all compound sortkey (id)
create table if not exists shop.auto (id int)
create temp table cdcrt_stage_1 ("a" bigint, "v" varchar(65535), "op" char(1)) diststyle even
create temporary table copied (like shop.orders including defaults)
create table shop.made distkey(id) sortkey(id) as select id, v from src
create table #hash (id int)
drop table #hash
insert into shop.orders (id, "type", doc) values (1, 'a', json_parse('{"a": 1.10}')), (2, 'b', null)
insert into shop.orders (id, "type") select s.id, s.v from src s left join shop.orders o on o.id = s.id where o.id is null
update shop.orders set "type" = s.v from src s where shop.orders.id = s.id
update shop.orders as o set "type" = s.v from src s where o.id = s.id and s.v <> 'x'
update shop.orders set amount = 1.5 where id = 1
delete from shop.orders using src where shop.orders.id = src.id and src.v = 'none'
delete from shop.orders using src s where orders.id = s.id and s.id > 5
delete shop.orders where id = 17
delete from shop.orders where (id, "type") in (select id, v from src)
merge into src using shop.made m on src.id = m.id when matched then update set v = m.v when not matched then insert (id, v) values (m.id, m.v)
with x as (select id from src) select * from x
select id, row_number() over (partition by v order by id desc nulls last) as n from src
select listagg(v, ',') within group (order by v) from src where 1 = 0 or id is not null
select json_serialize(doc), is_valid_json('{}'), from_varbyte(to_varbyte('00ff', 'hex'), 'hex') from shop.orders
select doc is null, cast(amount as varchar(50)), amount::varchar, id::decimal(20,0) from shop.orders
select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') from shop.orders
select nvl(v, 'x'), len(v), octet_length(v), lower(v), coalesce(v, 'y') from src where v like 'o%' limit 1 offset 0
select dateadd(day, 1, sysdate)
select case when v is not null and (id = 1) is true then 'x' end, v is null from src where (id = 1) is not false
select s.id from src s where s.id = (select max(o.id) from shop.orders o where o.id = s.id) and exists (select 1 from shop.made m where s.id = m.id and m.v <> 'x')
select s.id, (select count(*) from shop.made m where m.id = s.id) from src s
select s.doc[0].k, s.doc.k::int, shop.orders.doc[1] from shop.orders s, shop.orders where s.doc.k = 'x' and s.id in (select id from src)
insert into shop.orders (id) select s.id from src s where not exists (select 1 from shop.orders o where o.id = s.id)
select count(*) from src where v = any (select v from src)
alter table shop.orders add column extra varchar(10) default 'x' encode zstd
alter table shop.orders add column "tag" super
alter table shop.orders alter column extra type varchar(20)
alter table shop.orders alter column raw_bytes type varbyte(32)
alter table shop.orders rename column extra to more
alter table shop.orders drop column more cascade
alter table shop.orders alter column note encode lzo
alter table shop.orders alter distkey id
alter table shop.orders alter diststyle even, alter sortkey (id)
alter table shop.orders alter sortkey none
alter table shop.orders add constraint u unique (day)
alter table shop.orders drop constraint u
alter table shop.made rename to remade
alter table shop.remade alter diststyle auto
alter table shop.remade alter sortkey none
create table shop.more (id bigint, v varchar(20), w varchar(5) default 'd')
alter table shop.more append from src filltarget
alter table src append from shop.more ignoreextra
create temp table here (n int)
comment on table shop.orders is 'x'
comment on column shop.orders.id is 'x'
create view shop.v as select id from shop.orders
drop view shop.v
create view shop.late as select id, "type" from shop.orders o where id > 0 with no schema binding
create or replace view shop.late as select * from shop.not_there with no schema binding
create table shop.not_there (id int, n int)
select l.id, n from shop.late l join src on src.id = l.id
select * from shop.late
insert into src (id) select id from shop.late
drop table shop.not_there
drop view if exists shop.late
grant select on shop.orders to public
revoke select on shop.orders from public
analyze shop.orders
vacuum shop.orders
truncate shop.remade
truncate table shop.remade
lock shop.orders
begin; lock table shop.orders, src; select 1; commit
start transaction; rollback
begin; end
begin; abort
begin isolation level serializable; commit
show enable_case_sensitive_identifier
set enable_case_sensitive_identifier to off
set statement_timeout to 60000
set query_group to 'x'
reset query_group
show search_path
set search_path to public, shop
select column_name, data_type from information_schema.columns where table_schema = 'shop'
select * from information_schema.tables where table_schema = 'shop'
select "column", type, encoding, distkey, sortkey, "notnull" from pg_table_def where schemaname = 'public'
select * from svv_table_info
select * from svv_columns where table_name = 'src'
select count(*) from stv_slices
select * from stv_db_isolation_level
select trim(file_name), line_number, trim(column_name), error_code, trim(error_message) from sys_load_error_detail
select query, filename, line_number, colname, type, err_code, err_reason from stl_load_errors order by starttime desc limit 1
show columns from table dev.shop.orders
show tables from schema dev.shop
select pg_last_copy_count(), pg_last_query_id()
explain select * from src
select count(*) from (select id from src)
select top 1 id from src order by id
select id, v from src qualify row_number() over (partition by v order by id desc) = 1
insert into shop.orders (id) select id from src qualify row_number() over (partition by id order by v) = 2
select extract(day from at), trim(both ' ' from "type"), substring("type" from 1 for 2) from shop.orders
insert into shop.orders (id, "type") select id, v from src where v is not null
with pg_like as (select id from src) select * from pg_like join src on src.id = pg_like.id
select * from (select id from src where id > 0) where id = 1
select n.nspname, c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind = any (array['r','v'])
drop table shop.orders
drop schema shop cascade
""".replace("s identity_like int", "s int")


class Rules(process.Case):
    @classmethod
    def setUpClass(cls):
        cls.front = RedshiftFront()
        cls.front.sql(TABLES)

    @classmethod
    def tearDownClass(cls):
        cls.front.stop()

    def setUp(self):
        self.client = Odbc(self.front.odbc())
        self.addCleanup(self.client.close)
        self.front.forget_statements()

    def test_every_rule_has_a_source_and_an_example(self):
        self.assertEqual(len({rule.id for rule in RULES}), len(RULES))
        for rule in RULES:
            with self.subTest(rule.id):
                self.assertRegex(rule.source, r"^(\[[DCIU]\]|the front)")
                if rule.id not in ("statement-size", "parameters", "several-matches", "statupdate-owner",
                                   "wide-super-join"):  # in test_front.py, test_copy.py, test_values.py
                    self.assertTrue(rule.examples)

    def test_every_example_is_rejected_by_its_rule_with_its_words(self):
        self.client.execute("create temp table tt (id bigint, v varchar(20))")
        before = self.tables()
        for rule in RULES:
            for example in rule.examples:
                with self.subTest(rule.id, statement=example[:200]):
                    self.front.forget_statements()
                    if rule.block:
                        self.client.execute("begin")
                    with self.assertRaises(OdbcError) as caught:
                        self.client.execute(example)
                    if rule.block:
                        self.client.execute("rollback")
                    self.assertEqual([(entry["rule"], entry["state"]) for entry in self.front.rejections()], [(rule.id, rule.state)])
                    self.assertRegex(self.front.rejections()[0]["error"], words(rule.text))
                    self.assertIn(self.front.rejections()[0]["error"][:120], caught.exception.text)
                    self.assertEqual(caught.exception.state, rule.state)
        self.assertEqual(self.tables(), before)

    def tables(self):
        return self.front.query("select table_schema, table_name, column_name, data_type from information_schema.columns "
                                "where table_schema not in ('pg_catalog', 'information_schema') order by 1, 2, ordinal_position")

    def test_what_redshift_takes_is_taken(self):
        for statement in ACCEPTED.strip().splitlines():
            with self.subTest(statement=statement):
                self.client.execute(statement)
        self.assertEqual(self.front.rejections(), [])
        self.assertEqual([entry for entry in self.front.statements() if entry["state"]], [])


def words(text):
    """A rule's text as a pattern: what stands in braces is anything."""
    return "^" + re.sub(r"\\\{\w+\\\}", ".*", re.escape(text)) + "$"


if __name__ == "__main__":
    unittest.main()
