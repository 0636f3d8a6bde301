"""What Redshift rejects and PostgreSQL 15 takes: one entry a rule.

Sources: [D] AWS's Database Developer Guide (page), [C] code of a public client, [I] a public thread, [U] unverified. Where only the
rejection is sourced, the words are [U]: clients should match on the SQLSTATE's class and never on such words.

A rule has a pattern, searched in the statement's shape (see lexer.shape_of), or is raised by name from the code that parses that
statement. `{near}` in a text is the pattern's group. Examples run against the tables of test_rules.py."""

import re
from dataclasses import dataclass

from redshift.errors import SqlError

SYNTAX = 'syntax error at or near "{near}"'


@dataclass(frozen=True)
class Rule:
    id: str
    what: str
    state: str
    text: str
    source: str
    examples: tuple
    pattern: str = None      # None: raised by name
    unless: str = None       # a shape that also matches this is let through
    block: bool = False      # the examples run inside BEGIN


NAME = r'(?:[\w#$]+|"id")(?: \. (?:[\w#$]+|"id"))*'
CATALOG = r"\b(?:PG_CATALOG|PG_[A-Z_]+|INFORMATION_SCHEMA|SVV_\w+|STV_\w+|STL_\w+|SYS_\w+)\b"

# A call of one of these, not after a dot.
ABSENT = r"(?:^|[^.] )\b(?P<near>" + "|".join((
    r"PG_(?:TRY_)?ADVISORY_\w+", "GEN_RANDOM_UUID", r"UUID_GENERATE_V\d", "TO_JSONB?", "ROW_TO_JSON", r"JSONB_\w+", "JSON_AGG", "JSON_OBJECT_AGG",
    r"JSON_BUILD_\w+", r"JSON_EACH\w*", r"JSON_POPULATE_\w+", r"JSON_TO_RECORD\w*", "JSON_STRIP_NULLS", "STRING_TO_ARRAY", "ARRAY_TO_STRING",
    "PG_SLEEP",
    r"MAKE_(?:DATE|TIME|TIMESTAMP|TIMESTAMPTZ|INTERVAL)", "FORMAT", "CLOCK_TIMESTAMP", "STATEMENT_TIMESTAMP", "TRANSACTION_TIMESTAMP", "HASHTEXT",
    r"TXID_\w+", r"LO_\w+", "CURRVAL", "NEXTVAL", "SETVAL", "LASTVAL", "TO_REGCLASS", "TO_TSVECTOR", "REGEXP_MATCHES", r"REGEXP_SPLIT_TO_\w+",
    "WIDTH_BUCKET", "ENCODE", "CONVERT_FROM", "CONVERT_TO", "PG_NOTIFY", "XMLAGG", "XMLELEMENT", "SCALE", "NUM_NULLS", "NUM_NONNULLS", r"JUSTIFY_\w+",
    "EVERY", "MODE", "PG_CURRENT_XACT_ID", r"PG_SNAPSHOT_\w+")) + r") \("

RULES = (
    # ---- grammar ----
    Rule("escape-string", "E'...' does not exist: strings have backslash escapes by themselves", "42704", 'type "e" does not exist',
         "[I] npgsql/npgsql#515", ("select E'a\\\\n'",), r"\bE ''"),
    Rule("on-conflict", "INSERT .. ON CONFLICT", "42601", SYNTAX, "[D] r_INSERT_30 (grammar)",
         ("insert into t (id) values (1) on conflict do nothing", "insert into t (id) values (1) on conflict (id) do update set v = 'x'"),
         r"^INSERT .*\b(?P<near>ON) CONFLICT\b"),
    Rule("returning", "RETURNING", "42601", SYNTAX, "[D] r_INSERT_30, r_UPDATE, r_DELETE (grammar)",
         ("insert into t (id) values (1) returning id", "update t set v = 'a' returning id", "delete from t where id = 1 returning *"),
         r"^(?:INSERT|UPDATE|DELETE) .*\b(?P<near>RETURNING)\b"),
    Rule("modifying-cte", "INSERT, UPDATE, DELETE inside WITH", "42601", SYNTAX, "[I] embulk/embulk-output-jdbc#72",
         ("with x as (delete from t where id = 1) select 1", "with x as (update t set v = 'a') select * from t",
         "with x as (insert into t (id) values (1)) select 1"), r"^WITH .*\bAS \( (?P<near>INSERT|UPDATE|DELETE|MERGE)\b"),
    Rule("materialized-cte", "WITH .. AS [NOT] MATERIALIZED", "42601", SYNTAX, "[D] r_WITH_clause (grammar)",
         ("with x as materialized (select 1) select * from x",), r"\bAS (?:NOT )?(?P<near>MATERIALIZED) \("),
    Rule("delete-alias", "an alias of DELETE's target", "42601", SYNTAX, "[D] r_DELETE; [C] artie-labs/transfer dialect.go",
         ("delete from t a using src s where a.id = s.id", "delete from t as a where a.id = 1"),
         r"^DELETE (?:FROM (?!ONLY )|(?!FROM ))" + NAME + r" (?:AS )?(?!USING\b|WHERE\b|AS\b)(?P<near>[\w]+|\"id\")"),
    Rule("delete-only", "ONLY (inheritance)", "42601", SYNTAX, "[D] r_DELETE, r_UPDATE (grammar)", ("delete from only t",),
         r"^(?:DELETE FROM|UPDATE|TRUNCATE(?: TABLE)?|ALTER TABLE) (?P<near>ONLY) "),
    Rule("where-current-of", "WHERE CURRENT OF", "42601", SYNTAX, "[D] c_unsupported-postgresql-features",
         ("delete from t where current of c",), r"\bWHERE (?P<near>CURRENT) OF\b"),
    Rule("values-as-table", "VALUES as a table or a query", "42601", SYNTAX, "[D] r_SELECT_synopsis (grammar)",
         ("select * from (values (1), (2)) v", "values (1)"), r"(?:^|\bFROM \( |\bJOIN \( |\bUSING \( )(?P<near>VALUES) \("),
    Rule("multi-row-subquery", "a query inside a VALUES of several rows", "0A000", "Multi-row INSERT VALUES may not contain subqueries",
         "[D] r_INSERT_30; words [U]", ("insert into t (id) values (1), ((select 2))",), None),
    Rule("copy-standard-streams", "COPY FROM STDIN, COPY TO, PostgreSQL's COPY options", "42601", SYNTAX, "[D] r_COPY (grammar)",
         ("copy t from stdin", "copy t to stdout", "copy t (id) from stdin with (format csv)", "copy (select 1) to stdout"),
         r"^COPY .*?(?:\bFROM )?(?P<near>STDIN|STDOUT)\b"),
    Rule("copy-file", "COPY from a server's file", "0A000", "COPY with a file is not supported",
         "[D] r_COPY (sources: S3, EMR, host, DynamoDB); words [U]", ("copy t from '/tmp/x'",), None),
    Rule("copy-option", "an option that COPY does not have", "42601", SYNTAX, "[D] r_COPY",
         ("copy t from 's3://b/k' iam_role default format as csv force_null v",), None),
    Rule("copy-csv-conflict", "CSV with ESCAPE, REMOVEQUOTES or FIXEDWIDTH", "42601", "CSV is not compatible with {near}",
         "[D] copy-parameters-data-format; words [U]", ("copy t from 's3://b/k' iam_role default csv removequotes",
         "copy t from 's3://b/k' iam_role default format as csv escape"), None),
    Rule("statupdate-owner", "COPY with STATUPDATE by a user who does not own the table", "42501", "must be owner of relation {near}",
         "[D] copy-parameters-data-load (STATUPDATE); words [U]", (), None),
    Rule("copy-credentials", "COPY from S3 without credentials", "XX000", "CREDENTIALS argument is required but not provided",
         "[D] copy-parameters-authorization; words [U]", ("copy t from 's3://b/k' csv",), None),
    Rule("savepoint", "SAVEPOINT, ROLLBACK TO, RELEASE", "42601", SYNTAX, "[D] c_unsupported-postgresql-features; [C] psqlodbc execute.c",
         ("savepoint a", "rollback to savepoint a", "rollback to a", "release savepoint a", "release a"),
         r"^(?:(?P<near>SAVEPOINT|RELEASE)\b|(?:ROLLBACK|ABORT)(?: WORK| TRANSACTION)? (?P<near2>TO)\b)"),
    Rule("two-phase", "PREPARE TRANSACTION, COMMIT PREPARED", "42601", SYNTAX, "[D] c_redshift-sql (no such command)",
         ("prepare transaction 'x'",), r"^(?:PREPARE (?P<near>TRANSACTION)|(?:COMMIT|ROLLBACK) (?P<near2>PREPARED))\b"),
    Rule("listen", "LISTEN, NOTIFY, UNLISTEN", "42601", SYNTAX, "[D] c_unsupported-postgresql-features", ("listen a", "notify a"),
         r"^(?P<near>LISTEN|NOTIFY|UNLISTEN)\b"),
    Rule("do-block", "DO blocks", "42601", SYNTAX, "[D] c_redshift-sql (no such command)", ("do $$ begin end $$",), r"^(?P<near>DO)\b"),
    Rule("explain-analyze", "EXPLAIN ANALYZE", "42601", SYNTAX, "[D] r_EXPLAIN (grammar: VERBOSE only) [U]", ("explain analyze select 1",),
         r"^EXPLAIN (?:\( )?(?P<near>ANALYZE)\b"),
    Rule("row-lock", "FOR UPDATE and FOR SHARE", "0A000", "SELECT FOR UPDATE/SHARE is not supported",
         "[D] c_unsupported-postgresql-features [U]", ("select * from t for update", "select * from t for share"),
         r"\bFOR (?:NO KEY )?(?:UPDATE|(?:KEY )?SHARE)\b"),
    Rule("lock-mode", "LOCK .. IN mode, NOWAIT", "42601", SYNTAX, "[D] r_LOCK (grammar: LOCK [TABLE] name [, ..])", ("lock t in share mode",
         "lock table t nowait"), r"^LOCK .*\b(?P<near>IN|NOWAIT)\b", None, True),
    Rule("distinct-on", "DISTINCT ON", "0A000", "SELECT DISTINCT ON is not supported", "[D] r_SELECT_list (grammar); words [U]",
         ("select distinct on (id) id from t",), r"\bDISTINCT ON \("),
    Rule("lateral", "LATERAL", "42601", SYNTAX, "[D] r_FROM_clause30 (grammar)", ("select * from t, lateral (select 1) x",),
         r"\b(?P<near>LATERAL) \("),
    Rule("filter-clause", "aggregates with FILTER", "42601", SYNTAX, "[D] c_Aggregate_Functions (grammar)",
         ("select count(*) filter (where id = 1) from t",), r"\) (?P<near>FILTER) \( WHERE\b"),
    Rule("tablesample", "TABLESAMPLE", "42601", SYNTAX, "[D] r_FROM_clause30 (grammar)", ("select * from t tablesample system (1)",),
         r"(?P<near>TABLESAMPLE)"),
    Rule("is-distinct-from", "IS [NOT] DISTINCT FROM", "0A000", "IS DISTINCT FROM is not supported",
         "[D] r_WHERE_clause (no such condition); words [U]", ("select * from t where v is distinct from 'a'",
         "select 1 where 1 is not distinct from 2"), r"\bIS (?:NOT )?DISTINCT FROM\b"),
    Rule("window-groups", "window frames with GROUPS or EXCLUDE", "42601", SYNTAX, "[D] r_Window_function_synopsis (grammar)",
         ("select sum(id) over (order by id groups between 1 preceding and current row) from t",), r"\b(?P<near>GROUPS) BETWEEN\b"),
    # ---- MERGE ----
    Rule("merge-target-alias", "an alias of MERGE's target", "42601", SYNTAX, "[D] r_MERGE; [C] dbt-redshift incremental_merge.sql",
         ("merge into t a using src on a.id = src.id when matched then delete when not matched then insert values (src.id, src.v)",),
         r"^MERGE INTO " + NAME + r" (?:AS )?(?!USING\b|AS\b)(?P<near>\w+|\"id\")"),
    Rule("merge-condition", "WHEN MATCHED AND", "42601", SYNTAX, "[D] r_MERGE",
         ("merge into t using src on t.id = src.id when matched and t.v = 'a' then delete when not matched then insert values (src.id, src.v)",),
         r"^MERGE .*\bMATCHED (?P<near>AND)\b"),
    Rule("merge-do-nothing", "DO NOTHING in MERGE", "42601", SYNTAX, "[D] r_MERGE",
         ("merge into t using src on t.id = src.id when matched then do nothing when not matched then insert (id) values (src.id)",),
         r"^MERGE .*\bTHEN (?P<near>DO) NOTHING\b"),
    Rule("merge-source", "MERGE from a query", "42601", SYNTAX, "[D] r_MERGE (source is a table)",
         ("merge into t using (select * from src) s on t.id = s.id when matched then delete when not matched then insert (id) values (s.id)",),
         r"^MERGE INTO " + NAME + r" USING (?P<near>\()"),
    Rule("merge-with", "WITH before MERGE", "42601", SYNTAX, "[D] r_MERGE (grammar)",
         ("with x as (select 1) merge into t using src on t.id = src.id when matched then delete when not matched then insert (id) values (src.id)",),
         r"^WITH .*\) (?P<near>MERGE) INTO\b"),
    Rule("merge-arms", "a MERGE with one arm", "42601", "MERGE needs both WHEN MATCHED and WHEN NOT MATCHED", "[D] r_MERGE; words [U]",
         ("merge into t using src on t.id = src.id when matched then delete",
         "merge into t using src on t.id = src.id when not matched then insert (id) values (src.id)"),
         r"^MERGE (?!.*REMOVE DUPLICATES)(?:(?!.*WHEN MATCHED)|(?!.*WHEN NOT MATCHED))"),
    Rule("merge-two-matched", "two matched actions in MERGE", "42601", SYNTAX, "[D] r_MERGE",
         ("merge into t using src on t.id = src.id when matched then delete when matched then update set v = src.v "
          "when not matched then insert (id) values (src.id)",),
         r"^MERGE .*WHEN MATCHED .*(?P<near>WHEN) MATCHED"),
    # ---- joins ----
    Rule("update-equijoin", "UPDATE .. FROM whose condition is not an equijoin", "0A000",
         "Target table must be part of an equijoin predicate", "[D] r_UPDATE; [C] airbyte destination-redshift",
         ("update t set v = s.v from src s where t.id < s.id",
         "update t set v = s.v from src s where t.id = s.id or (t.id is null and s.id is null)",
         "update t set v = s.v from src s left join t on t.id = s.id"), None),
    Rule("delete-equijoin", "DELETE .. USING whose condition is not an equijoin", "0A000",
         "Target table must be part of an equijoin predicate", "[D] r_DELETE (joins as r_UPDATE) [U]",
         ("delete from t using src s where t.id < s.id", "delete from t using src"), None),
    Rule("merge-equijoin", "MERGE .. ON that is not an equijoin", "0A000", "MERGE join condition must be an equality",
         "[D] r_MERGE; words [U]",
         ("merge into t using src on t.id > src.id when matched then delete when not matched then insert (id) values (src.id)",), None),
    # ---- objects ----
    Rule("index", "CREATE INDEX", "0A000", "SQL command \"CREATE INDEX\" not supported on Redshift tables.",
         "[D] c_unsupported-postgresql-features; words [U]", ("create index i on t (id)", "create unique index i on t (id)"),
         r"^CREATE (?:UNIQUE )?INDEX\b"),
    Rule("object", "objects that Redshift does not have", "42601", SYNTAX, "[D] c_unsupported-postgresql-features, c_redshift-sql",
         ("create trigger x before insert on t execute procedure f()", "create sequence s", "create domain d as int",
         "create type e as enum ('a')", "create rule r as on insert to t do nothing", "create extension x", "create aggregate a (int) (x)",
         "create operator + (x)", "create cast (a as b)", "create policy p on t", "create publication p", "create tablespace x",
         "create foreign table f (id int)", "create server s", "create event trigger e"),
         r"^(?:CREATE|ALTER|DROP)(?: OR REPLACE)? (?P<near>TRIGGER|SEQUENCE|DOMAIN|TYPE|RULE|EXTENSION|AGGREGATE|OPERATOR|"
         r"CAST|POLICY|PUBLICATION|SUBSCRIPTION|TABLESPACE|FOREIGN|SERVER|EVENT|COLLATION|CONVERSION|STATISTICS|ACCESS|TRANSFORM)\b",
         r"POLICY\b.*\b(?:USING|WITH)\b"),
    Rule("view-change", "changes of a view", "0A000", "cannot {near} a view", "[D] r_CREATE_VIEW (views are read); words of PostgreSQL 8.0 [U]",
         ("insert into w values (1)", "update w set id = 2", "delete from w where id = 1",
          "copy w from 's3://b/k' iam_role default csv"), None),
    Rule("unlogged", "UNLOGGED tables", "42601", SYNTAX, "[D] r_CREATE_TABLE_NEW (grammar)", ("create unlogged table x (id int)",),
         r"^CREATE (?P<near>UNLOGGED) TABLE\b"),
    Rule("global-temp", "GLOBAL TEMPORARY", "42601", SYNTAX, "[D] r_CREATE_TABLE_NEW (grammar)",
         ("create global temporary table x (id int)",), r"^CREATE (?P<near>GLOBAL) TEMP"),
    Rule("temp-schema", "a temporary table with a schema", "42601", 'schema-qualified name for temporary table is not allowed',
         "[D] r_CREATE_TABLE_NEW; words [U]", ("create temp table public.x (id int)",), None),
    Rule("on-commit", "ON COMMIT DROP", "42601", SYNTAX, "[D] r_CREATE_TABLE_NEW (grammar)",
         ("create temp table x (id int) on commit drop",), r"^CREATE .*\b(?P<near>ON) COMMIT\b"),
    Rule("check", "CHECK and EXCLUDE constraints", "0A000", "CHECK constraints are not supported",
         "[D] c_unsupported-postgresql-features; words [U]", ("create table x (id int check (id > 0))",
         "create table x (id int, check (id > 0))", "alter table t add constraint c check (id > 0)"),
         r"^(?:CREATE|ALTER) (?:TEMP \w*)?.*TABLE .*\bCHECK \("),
    Rule("exclude", "EXCLUDE constraints", "42601", SYNTAX, "[D] r_CREATE_TABLE_NEW (grammar)",
         ("create table x (id int, exclude (id with =))",), r"^CREATE .*, (?P<near>EXCLUDE) "),
    Rule("partition-by", "PARTITION BY and PARTITION OF", "42601", SYNTAX, "[D] r_CREATE_TABLE_NEW (grammar)",
         ("create table x (id int) partition by range (id)", "create table x partition of t default"),
         r"^CREATE(?: TEMP| TEMPORARY)? TABLE .*?(?P<near>PARTITION) (?:BY|OF)\b",
         r"\bOVER \( PARTITION BY|^CREATE .* AS (?:\( )?(?:SELECT|WITH)"),
    Rule("inherits", "INHERITS", "42601", SYNTAX, "[D] c_unsupported-postgresql-features", ("create table x () inherits (t)",
         "create table x (id int) inherits (t)"), r"^CREATE .*\b(?P<near>INHERITS) \("),
    Rule("tablespace", "TABLESPACE, WITH (storage)", "42601", SYNTAX, "[D] r_CREATE_TABLE_NEW (grammar)",
         ("create table x (id int) tablespace y", "create table x (id int) with (fillfactor = 10)"),
         r"^CREATE (?:TEMP \w*|TEMPORARY )?TABLE .*\) (?P<near>TABLESPACE|WITH \()", r"\bAS (?:\( )?(?:SELECT|WITH)"),
    Rule("generated", "generated columns", "42601", SYNTAX, "[D] r_CREATE_TABLE_NEW (grammar)",
         ("create table x (id int, d int generated always as (id) stored)",), r"^(?:CREATE|ALTER) .*\bGENERATED (?P<near>ALWAYS)\b"),
    Rule("concurrently", "CONCURRENTLY", "42601", SYNTAX, "[D] REFRESH MATERIALIZED VIEW (grammar)",
         ("refresh materialized view concurrently v",), r"\b(?P<near>CONCURRENTLY)\b"),
    # ---- types ----
    Rule("no-such-type", "types that came after PostgreSQL 8.0", "42704", 'type "{near}" does not exist',
         "[D] c_unsupported-postgresql-datatypes; words [U]", ("create table x (id uuid)", "create table x (id jsonb)",
         "create table x (id json)", "create table x (id xml)", "create table x (id hstore)", "create table x (id tsvector)",
         "create table x (id int4range)", "select '1'::uuid", "select cast('{}' as jsonb)", "select v::json from t"), None),
    Rule("unsupported-type", "types of PostgreSQL 8.0 that Redshift does not store", "0A000",
         'Column "{near}" has unsupported type "{type}".', "[D] c_unsupported-postgresql-datatypes; words [U]",
         ("create table x (id bytea)", "create table x (id int[])", "create table x (id text[])", "create table x (id money)",
         "create table x (id inet)", "create table x (id serial)", "create table x (id bigserial)", "create table x (id bit(3))",
         "create table x (id macaddr)", "alter table t add column b bytea"), None),
    Rule("array-cast", "casts to an array or to bytea", "0A000", 'cast to type "{near}" is not supported',
         "[D] c_unsupported-postgresql-datatypes; words [U]", ("select '{1}'::int[]", "select v::bytea from t",
         "select * from t where id = any(cast('{1}' as bigint[]))"), None),
    Rule("varchar-size", "VARCHAR of more than 65535", "22023", "length for type varchar cannot exceed 65535",
         "[D] r_Character_types; words [U]", ("create table x (v varchar(65536))", "alter table t add column w varchar(100000)"), None),
    Rule("char-size", "CHAR of more than 4096", "22023", "length for type char cannot exceed 4096", "[D] r_Character_types; words [U]",
         ("create table x (v char(4097))",), None),
    Rule("varbyte-size", "VARBYTE of more than 16777216", "22023", "length for type varbyte cannot exceed 16777216",
         "[D] r_VARBYTE_type; words [U]", ("create table x (v varbyte(16777217))",), None),
    Rule("decimal-precision", "DECIMAL of more than 38 digits", "22023", "DECIMAL precision {near} must be between 1 and 38",
         "[D] r_Numeric_types201; words [U]", ("create table x (d decimal(39,0))", "select cast(1 as numeric(40,2))"), None),
    Rule("decimal-scale", "a scale above 37 or the precision", "22023", "DECIMAL scale {near} must be between 0 and precision {type}",
         "[D] r_Numeric_types201; words [U]", ("create table x (d decimal(5,6))", "create table x (d decimal(38,38))"), None),
    Rule("timestamp-precision", "a precision of a time", "42601", 'syntax error at or near "("', "[D] r_Datetime_types (no precision)",
         ("create table x (d timestamp(3))", "create table x (d timestamptz(6))"), None),
    Rule("super-key", "SUPER or VARBYTE as DISTKEY or SORTKEY", "0A000",
         'Column "{near}" of type {type} cannot be a distribution or sort key', "[D] limitations-super; words [U]",
         ("create table x (id int, s super distkey)", "create table x (s super sortkey)",
         "create table x (id int, s super) sortkey (id, s)"), None),
    Rule("array-parameter", "ANY and ALL of an array", "0A000", "op ANY/ALL (array) is not supported",
         "[D] c_unsupported-postgresql-datatypes (arrays); words [U]", ("select * from t where id = any('{1,2}')",
         "select * from t where id = any(array[1,2])"), r"[=<>] (?:ANY|ALL|SOME) \( (?:''|\$\d+|ARRAY)", CATALOG),
    # ---- functions ----
    Rule("function", "functions that Redshift does not have", "42883", "function {near}() does not exist",
         "[D] c_unsupported-postgresql-functions; words [U]", ("select pg_advisory_lock(1)", "select pg_try_advisory_xact_lock(1)",
         "select gen_random_uuid()", "select to_json(v) from t", "select row_to_json(t) from t", "select jsonb_build_object('a', 1)",
         "select json_agg(v) from t", "select json_object_agg(v, v) from t", "select string_to_array('a', ',')",
         "select array_to_string(v, ',') from t", "select pg_sleep(1)", "select make_date(1, 2, 3)", "select format('%s', 1)",
         "select clock_timestamp()", "select statement_timestamp()", "select hashtext('a')", "select txid_current()", "select lo_create(1)",
         "select currval('a')", "select nextval('a')", "select setval('a', 1)", "select to_regclass('t')"),
         ABSENT,
         r"^(?:CREATE|ALTER|COPY)\b"),
    Rule("leader-function", "leader-node functions over tables", "0A000",
         'Specified types or functions (one per INFO message) not supported on Redshift tables.',
         "[D] c_sql-functions-leader-node-only, c_unsupported-postgresql-functions", ("select array_agg(v) from t",
         "select string_agg(v, ',') from t", "select generate_series(1, id) from t", "select t.id, g from t, generate_series(1, 3) g",
         "select unnest(v) from t"), r"\b(?P<near>ARRAY_AGG|STRING_AGG|GENERATE_SERIES|UNNEST) \(", CATALOG),
    Rule("leader-tables", "leader-node tables beside a user's tables in one statement", "0A000",
         'Specified types or functions (one per INFO message) not supported on Redshift tables.',
         "[D] c_sql-functions-leader-node-only, c_SQL_functions_leader_node_only", ("insert into src select oid, relname from pg_class",
         "select t.id, c.relname from t join pg_catalog.pg_class c on c.oid = t.id",
         "create table x as select column_name from information_schema.columns",
         "select t.id from t join information_schema.tables i on i.table_name = t.v"), None),
    Rule("row-address", "the row's address and other system columns of a user's table", "42703", 'column "{near}" does not exist',
         "[D] r_names (system columns); words [U]", ("select ctid from t", "delete from t where ctid in (select ctid from t)",
         "select t.xmin from t"), r"(?:^|[ .(])(?P<near>CTID|XMIN|XMAX|CMIN|CMAX|TABLEOID)\b", CATALOG + r"|^CREATE|^ALTER"),
    Rule("several-matches", "UPDATE .. FROM with two rows for one, when error_on_nondeterministic_update is on", "XX000",
         "Found multiple matches to update the same tuple.", "[D] r_UPDATE, r_error_on_nondeterministic_update; words as r_MERGE's [U]", (),
         None),
    # ---- ALTER TABLE ----
    Rule("alter-two-adds", "two actions in one ALTER TABLE", "42601", 'syntax error at or near ","',
         "[D] r_ALTER_TABLE (one column a statement)", ("alter table t add column a int, add column b int",
         "alter table t drop column v, drop column d"), None),
    Rule("add-if-not-exists", "ADD COLUMN IF NOT EXISTS, DROP COLUMN IF EXISTS", "42601", SYNTAX, "[D] r_ALTER_TABLE (grammar)",
         ("alter table t add column if not exists a int", "alter table t drop column if exists a"),
         r"^ALTER TABLE .*\bCOLUMN (?P<near>IF)\b"),
    Rule("alter-if-exists", "ALTER TABLE IF EXISTS", "42601", SYNTAX, "[D] r_ALTER_TABLE (grammar)",
         ("alter table if exists t add column a int",), r"^ALTER TABLE (?P<near>IF) "),
    Rule("add-key-column", "ADD COLUMN with UNIQUE or PRIMARY KEY", "0A000",
         "ALTER TABLE ADD COLUMN does not support columns defined with UNIQUE or PRIMARY KEY constraints",
         "[I] jazzband/django-redshift-backend#134", ("alter table t add column a int unique",
         "alter table t add column a int primary key"), None),
    Rule("add-reference", "ADD COLUMN with REFERENCES or IDENTITY", "0A000",
         "ALTER TABLE ADD COLUMN does not support columns defined with {near}", "[D] r_ALTER_TABLE; words [U]",
         ("alter table t add column a int references src (id)", "alter table t add column a int identity(1,1)"), None),
    Rule("add-not-null", "ADD COLUMN NOT NULL without a default", "0A000",
         "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression", "[U]",
         ("alter table t add column a int not null", "alter table t add column a int default null not null"), None),
    Rule("alter-type-block", "ALTER COLUMN TYPE inside a transaction", "25001",
         "ALTER TABLE ALTER COLUMN cannot run inside a transaction block",
         "[I] SQLMesh/sqlmesh#5572, practo/tipoca-stream#49, dbeaver/dbeaver#9449; SQLSTATE [U]",
         ("alter table t alter column v type varchar(50)",), None, None, True),
    Rule("alter-type-using", "ALTER COLUMN TYPE .. USING", "0A000", "ALTER TABLE ALTER COLUMN does not support USING expression",
         "[I] dbeaver/dbeaver#9449", ("alter table t alter column v type varchar(50) using v::varchar",), None),
    Rule("alter-type-other", "ALTER COLUMN TYPE to or from another type than VARCHAR and VARBYTE", "0A000",
         'cannot alter column "{near}": only the size of VARCHAR and VARBYTE columns can be changed',
         "[D] r_ALTER_TABLE, [I] SQLMesh/sqlmesh#4005; words [U]", ("alter table t alter column id type varchar(50)",
         "alter table t alter column id type int", "alter table t alter column d type decimal(20,2)",
         "alter table t alter column v type super"), None),
    Rule("alter-type-same", "ALTER COLUMN TYPE to the same size", "0A000", "target column size should be different",
         "[C] estuary materialize-redshift driver.go", ("alter table t alter column v type varchar(20)",), None),
    Rule("alter-type-shrink", "ALTER COLUMN TYPE below the longest value", "0A000",
         "cannot decrease column size: existing data exceeds the new size", "[D] r_ALTER_TABLE; words [U]",
         ("alter table t alter column v type varchar(2)",), None),
    Rule("alter-type-shrink-default", "a smaller VARCHAR with a default", "0A000",
         "cannot decrease a VARCHAR column size with default value", "[I] jazzband/django-redshift-backend#96",
         ("alter table t alter column w type varchar(15)",), None),
    Rule("alter-type-encoding", "ALTER COLUMN TYPE of a column with BYTEDICT, RUNLENGTH, TEXT255, TEXT32K", "0A000",
         'cannot alter column "{near}" with encoding {type}', "[D] r_ALTER_TABLE; words [U]",
         ("alter table t alter column e type varchar(50)",), None),
    Rule("alter-type-key", "ALTER COLUMN TYPE of a UNIQUE, PRIMARY KEY or FOREIGN KEY column", "0A000",
         'cannot alter column "{near}" with a UNIQUE, PRIMARY KEY or FOREIGN KEY constraint', "[D] r_ALTER_TABLE; words [U]",
         ("alter table keyed alter column k type varchar(50)",), None),
    Rule("alter-default", "ALTER COLUMN SET or DROP DEFAULT", "0A000", "ALTER COLUMN SET/DROP DEFAULT is not supported",
         "[I] jazzband/django-redshift-backend#96, practo/tipoca-stream#40", ("alter table t alter column v set default 'a'",
         "alter table t alter column v drop default"), r"^ALTER TABLE .*\bALTER (?:COLUMN )?\S+ (?:SET|DROP) DEFAULT\b"),
    Rule("alter-nullable", "ALTER COLUMN SET or DROP NOT NULL", "0A000", "ALTER COLUMN {near} NOT NULL is not supported",
         "[I] practo/tipoca-stream#40", ("alter table t alter column v set not null", "alter table t alter column id drop not null"),
         r"^ALTER TABLE .*\bALTER (?:COLUMN )?\S+ (?P<near>SET|DROP) NOT NULL\b"),
    Rule("drop-distkey", "DROP COLUMN of the DISTKEY", "0A000", 'cannot drop distkey column "{near}"', "[I] goibibo/SqlShift#27",
         ("alter table t drop column id",), None),
    Rule("drop-sortkey", "DROP COLUMN of a SORTKEY", "0A000", 'cannot drop sortkey column "{near}"', "[I] dbt-labs/dbt-adapters#650",
         ("alter table t drop column k",), None),
    Rule("drop-last", "DROP COLUMN of the only column", "0A000", "cannot drop the only column of a table", "[D] r_ALTER_TABLE; words [U]",
         ("alter table single drop column id",), None),
    Rule("rename-temp", "RENAME of a permanent table to #name", "42601", "cannot rename a permanent table to a temporary name",
         "[D] r_ALTER_TABLE; words [U]", ("alter table t rename to #x",), None),
    Rule("alter-other", "other forms of ALTER TABLE", "42601", SYNTAX, "[D] r_ALTER_TABLE (grammar)", ("alter table t inherit src",
         "alter table t cluster on i", "alter table t enable trigger all", "alter table t set (fillfactor = 10)",
         "alter table t replica identity full", "alter table t set logged", "alter table t disable rule r"), None),
    Rule("append-block", "ALTER TABLE APPEND inside a transaction", "25001", "ALTER TABLE APPEND cannot run inside a transaction block",
         "[D] r_ALTER_TABLE_APPEND; words [U]", ("alter table t append from src",), None, None, True),
    # ---- transaction block ----
    Rule("vacuum-block", "VACUUM inside a transaction", "25001", "VACUUM cannot run inside a transaction block", "[D] r_VACUUM_command",
         ("vacuum", "vacuum full t"), None, None, True),
    Rule("database-block", "CREATE and DROP DATABASE inside a transaction", "25001",
         "{near} DATABASE cannot run inside a transaction block", "[D] r_CREATE_DATABASE, r_DROP_DATABASE", ("create database x",
         "drop database x"), None, None, True),
    Rule("library-block", "CREATE LIBRARY inside a transaction", "25001", "CREATE LIBRARY cannot run inside a transaction block",
         "[D] r_CREATE_LIBRARY", ("create library l language plpythonu from 's3://b/k'",), None, None, True),
    Rule("external-block", "DDL of external tables inside a transaction", "25001",
         "{near} EXTERNAL TABLE cannot run inside a transaction block", "[D] r_CREATE_EXTERNAL_TABLE",
         ("create external table s.x (id int) stored as parquet location 's3://b/k'",), None, None, True),
    # ---- names and limits ----
    Rule("reserved", "reserved words of Redshift as names without quotes", "42601", SYNTAX,
         "[D] r_pg_keywords; [C] sqlglot generators/redshift.py RESERVED_KEYWORDS", ("create table x (tag int)",
         "create table x (id int, type int)", "select raw from t", "select t.offset from t", "insert into t (top) values (1)",
         "update t set backup = 1", "alter table t add column snapshot int", "create table x (id int, sysdate date)"), None),
    Rule("system-column", "names of system columns", "42701", 'column name "{near}" conflicts with a system column name', "[D] r_names",
         ("create table x (oid int)", 'create table x ("ctid" int)', "create table x (xmin int)", "alter table t add column oid int"),
         None),
    Rule("columns-limit", "more than 1600 columns", "54011", "tables can have at most 1600 columns", "[D] r_CREATE_TABLE_NEW",
         ("create table x (" + ", ".join(f"c{number} int" for number in range(1601)) + ")",), None),
    Rule("unknown-command", "commands that Redshift does not have", "42601", SYNTAX, "[D] c_redshift-sql (list of commands)",
         ("reindex table t", "cluster t", "checkpoint", "security label on table t is 'x'", "load 'x'",
         "import foreign schema x from server s into y", "discard all", "reassign owned by a to b", "move next from c", "table t"), None),
    Rule("statement-size", "a statement of more than 16 MB", "54000",
         "Statement is too large. Statement Size: {near} bytes. Maximum Allowed: 16777216 bytes", "[D] c_redshift-sql", (), None),
    Rule("string-size", "a string or parameter of more than 65535 bytes", "22001", "Value too long for character type",
         "[D] r_Character_types, r_enable_large_strings_opt_in; words [U]", ("select json_parse('\"" + "x" * 65536 + "\"')",
         "insert into t (id, s) values (1, '" + "ä" * 32768 + "')"), None),
    Rule("parameters", "more than 32767 parameters", "54000", "number of parameters exceeds the limit of 32767",
         "[C] amazon-redshift-odbc-driver rsodbc.h PADB_MAX_PARAMETERS; words [U]", (), None),
    Rule("not-emulated", "what Redshift takes and this front does not play", "0A000", "the test front does not emulate {near}", "the front",
         ("unload ('select 1') to 's3://b/k' iam_role default", "merge into t using src on t.id = src.id remove duplicates",
         "create table x (g geometry)"), None),
)

BY_ID = {rule.id: rule for rule in RULES}
_PATTERNS = tuple((rule, re.compile(rule.pattern), re.compile(rule.unless) if rule.unless else None) for rule in RULES if rule.pattern)


def rejection(name, near="", type=""):
    """The error of the rule `name`."""
    rule = BY_ID[name]
    return SqlError(rule.state, rule.text.format(near=near, type=type), rule=rule.id)


def check(shape, tokens):
    """Raises the error of the first rule whose pattern the statement's shape has."""
    for rule, pattern, unless in _PATTERNS:
        match = pattern.search(shape)
        if match and not (unless and unless.search(shape)):
            groups = match.groupdict()
            near = next((groups[name] for name in ("near", "near2") if groups.get(name)), "")
            raise rejection(rule.id, _as_written(near, tokens))


def _as_written(near, tokens):
    """The words as the client wrote them: PostgreSQL's parser quotes the text of the statement."""
    for token in tokens[:4200]:
        if token.up == near or (near == '"id"' and token.kind == "q"):
            return token.text.lower() if token.kind == "w" and near.endswith("(") is False and "_" in near else token.text
    return near
