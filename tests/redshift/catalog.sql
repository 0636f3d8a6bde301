-- The shadow catalog: what Redshift keeps of a table and PostgreSQL has no place for, changed in the transaction that changes the table.
-- Rows whose table is gone are never read: every view joins pg_class.
set allow_system_table_mods = on;
create schema redshift_front;
create table redshift_front.names (short text primary key, long text not null);                     -- names of 64 to 127 bytes
create table redshift_front.relations (relid oid primary key, diststyle text, distkey smallint, sortkeys smallint[], sortstyle text);
create table redshift_front.encodings (relid oid, attnum smallint, encode text, primary key (relid, attnum));
create table redshift_front.keys (relid oid, kind "char", name text, columns smallint[], refers text);      -- recorded, never enforced
create table redshift_front.late_views (nspname text, relname text, query text);                            -- views.py
create table redshift_front.load_errors (
  userid integer, slice integer default 0, tbl integer, starttime timestamp default (clock_timestamp() at time zone 'UTC'), session integer, query integer,
  filename text, line_number bigint, colname text, type text, col_length text, position integer, raw_line text, raw_field_value text,
  err_code integer, err_reason text);
create sequence redshift_front.queries;
grant usage on schema redshift_front to public;
grant select, insert, update, delete on redshift_front.names, redshift_front.relations, redshift_front.encodings, redshift_front.keys,
  redshift_front.late_views to public;
grant select on redshift_front.load_errors to public;
grant usage on sequence redshift_front.queries to public;
grant create on schema public to public;
create function redshift_front.long_name(text) returns text language sql stable
  as $$ select coalesce((select long from redshift_front.names where short = $1), $1) $$;
-- Writers wait for one another, whatever rights they have beyond the one to write: that is checked by their statement.
create function redshift_front.lock_writers(text) returns text language plpgsql security definer as $$
declare kind text;
begin
  select relkind into kind from pg_class where oid = $1::regclass;
  if kind <> 'v' then
    execute 'lock table ' || $1 || ' in share row exclusive mode';
  end if;
  return kind;
end $$;

create view pg_catalog.stl_load_errors as
  select userid, slice, tbl, starttime, session, query, left(filename, 256)::char(256) as filename, line_number, left(colname, 127)::char(127) as colname,
         left(type, 10)::char(10) as type, left(col_length, 10)::char(10) as col_length, position, left(raw_line, 1024)::char(1024) as raw_line,
         left(raw_field_value, 1024)::char(1024) as raw_field_value, err_code, left(err_reason, 100)::char(100) as err_reason, 0 as is_partial, 0 as start_offset
  from redshift_front.load_errors;
create view pg_catalog.sys_load_error_detail as
  select userid as user_id, query::bigint as query_id, 0::bigint as transaction_id, session as session_id, current_database()::char(64) as database_name,
         tbl as table_id, starttime as start_time, left(filename, 256)::char(256) as file_name, line_number, left(colname, 127)::char(127) as column_name,
         left(type, 10)::char(10) as column_type, left(col_length, 10)::char(10) as column_length, position, err_code as error_code,
         left(err_reason, 512)::char(512) as error_message
  from redshift_front.load_errors;
create view pg_catalog.stl_loaderror_detail as
  select userid, slice, session, query, left(filename, 256)::char(256) as filename, line_number, 0 as field, left(colname, 127)::char(127) as colname,
         left(raw_field_value, 1024)::char(1024) as value, 0 as is_null, left(type, 10)::char(10) as type, left(col_length, 10)::char(10) as col_length
  from redshift_front.load_errors;
create view pg_catalog.stv_slices as select 0 as node, n as slice, 0 as localslice, 'D'::text as type from (values (0), (1)) s(n);
create view pg_catalog.stv_db_isolation_level as
  select oid::integer as db_id, datname::char(128) as db_name,
         case when exists (select 1 from pg_db_role_setting s where s.setdatabase = pg_database.oid and 'redshift.isolation=SERIALIZABLE' = any (setconfig))
              then 'Serializable' else 'Snapshot Isolation' end::char(20) as isolation_level from pg_database where datallowconn and not datistemplate;

create view redshift_front.columns as
  select n.nspname, c.oid as relid, c.relname, c.relkind, a.attnum, a.attname, a.attnotnull, t.typname, a.atttypmod,
         pg_get_expr(d.adbin, d.adrelid) as default_text,
         case t.typname when 'varbyte' then 'binary varying' when 'text' then 'character varying' when 'name' then 'character varying'
                        else format_type(a.atttypid, null) end as data_type,
         case when t.typname = 'varchar' then case when a.atttypmod < 0 then 65535 else a.atttypmod - 4 end when t.typname = 'bpchar' then a.atttypmod - 4
              when t.typname = 'text' then 65535 when t.typname = 'varbyte' then case when a.atttypmod < 0 then 64000 else (a.atttypmod - 4) / 2 end end as length,
         case t.typname when 'numeric' then ((a.atttypmod - 4) >> 16) & 65535 when 'int8' then 64 when 'int4' then 32 when 'int2' then 16
                        when 'float8' then 53 when 'float4' then 24 end as precision,
         case t.typname when 'numeric' then (a.atttypmod - 4) & 2047 when 'int8' then 0 when 'int4' then 0 when 'int2' then 0 end as scale
  from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid
       left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'v') and n.nspname <> 'redshift_front' and n.nspname not like 'pg_toast%';
create function redshift_front.type_text(typname name, data_type text, length integer, prec integer, scale integer) returns text language sql immutable as $$
  select case when typname in ('varchar', 'text', 'varbyte', 'bpchar') then data_type || '(' || length || ')'
              when typname = 'numeric' then 'numeric(' || prec || ',' || scale || ')' else data_type end $$;

alter view information_schema.columns rename to columns_of_postgresql;
create view information_schema.columns as
  select current_database()::varchar(128) as table_catalog, redshift_front.long_name(nspname)::varchar(128) as table_schema,
         redshift_front.long_name(relname)::varchar(128) as table_name, redshift_front.long_name(attname)::varchar(128) as column_name,
         (select count(*) from pg_attribute b where b.attrelid = relid and b.attnum between 1 and columns.attnum and not b.attisdropped)::integer as ordinal_position, default_text::varchar(4000) as column_default,
         case when attnotnull then 'NO' else 'YES' end::varchar(3) as is_nullable, data_type::varchar(128) as data_type,
         length::integer as character_maximum_length, null::integer as character_octet_length, precision::integer as numeric_precision,
         case when precision is not null then case typname when 'numeric' then 10 else 2 end end::integer as numeric_precision_radix,
         scale::integer as numeric_scale, case when typname in ('timestamp', 'timestamptz', 'time', 'timetz') then 6 end::integer as datetime_precision,
         null::varchar(128) as interval_type, null::varchar(128) as interval_precision
  from redshift_front.columns where has_table_privilege(relid, 'select, insert, update, references') or pg_has_role((select relowner from pg_class where oid = relid), 'usage');
create view pg_catalog.svv_columns as select *, null::varchar(256) as remarks from information_schema.columns;
create view pg_catalog.svv_redshift_columns as
  select table_catalog as database_name, table_schema as schema_name, table_name, column_name, ordinal_position, data_type, column_default, is_nullable from information_schema.columns;
alter view information_schema.tables rename to tables_of_postgresql;
create view information_schema.tables as
  select table_catalog::varchar(128) as table_catalog, redshift_front.long_name(table_schema::text)::varchar(128) as table_schema,
         redshift_front.long_name(table_name::text)::varchar(128) as table_name, case table_type when 'LOCAL TEMPORARY' then 'LOCAL TEMPORARY' else table_type end::varchar(128) as table_type
  from information_schema.tables_of_postgresql where table_schema::text <> 'redshift_front' and table_name::text not like '%\_of\_postgresql'
  union all select current_database(), nspname, relname, 'VIEW' from redshift_front.late_views;
create view pg_catalog.svv_tables as select *, null::varchar(256) as remarks from information_schema.tables;
create view pg_catalog.pg_table_def as
  select redshift_front.long_name(c.nspname)::text as schemaname, redshift_front.long_name(c.relname)::text as tablename,
         redshift_front.long_name(c.attname)::text as "column", redshift_front.type_text(typname, data_type, length, precision, scale) as type,
         coalesce(e.encode, 'none')::char(32) as encoding, coalesce(r.distkey = c.attnum, false) as distkey,
         coalesce(array_position(r.sortkeys, c.attnum::smallint), 0) as sortkey, c.attnotnull as "notnull"
  from redshift_front.columns c left join redshift_front.relations r on r.relid = c.relid left join redshift_front.encodings e on e.relid = c.relid and e.attnum = c.attnum
  where c.relkind = 'r' and (c.nspname = any (current_schemas(true))) and c.nspname <> 'pg_catalog';
create view pg_catalog.svv_table_info as
  select current_database()::text as database, redshift_front.long_name(n.nspname)::text as schema, c.oid as table_id, redshift_front.long_name(c.relname)::text as "table",
         'Y'::text as encoded,
         case when r.distkey is not null then 'KEY(' || (select redshift_front.long_name(attname) from pg_attribute a where a.attrelid = c.oid and a.attnum = r.distkey) || ')'
              when r.diststyle is null or r.diststyle = 'auto' then 'AUTO(ALL)' else upper(r.diststyle) end as diststyle,
         case when r.sortkeys is null then 'AUTO(SORTKEY)' else (select redshift_front.long_name(attname) from pg_attribute a where a.attrelid = c.oid and a.attnum = r.sortkeys[1]) end as sortkey1,
         coalesce(array_length(r.sortkeys, 1), 0) as sortkey_num, greatest(1, pg_relation_size(c.oid) / 1048576) as size, 0::numeric as unsorted, 0::numeric as stats_off,
         greatest(c.reltuples, 0)::numeric as tbl_rows
  from pg_class c join pg_namespace n on n.oid = c.relnamespace left join redshift_front.relations r on r.relid = c.oid
  where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'redshift_front') and pg_relation_size(c.oid) > 0;
grant select on all tables in schema information_schema to public;
grant select on pg_catalog.stl_load_errors, pg_catalog.sys_load_error_detail, pg_catalog.stl_loaderror_detail, pg_catalog.stv_slices,
  pg_catalog.stv_db_isolation_level, pg_catalog.svv_columns, pg_catalog.svv_redshift_columns, pg_catalog.svv_tables, pg_catalog.pg_table_def,
  pg_catalog.svv_table_info, redshift_front.columns to public;
