-- Types of Redshift that PostgreSQL does not have, made of PostgreSQL's own functions. The database's encoding is SQL_ASCII, so that
-- character varying(n) counts bytes as Redshift's does; whoever sends text announces UTF-8, which is then checked.
set allow_system_table_mods = on;

-- super: JSON text, as it came (numbers keep their digits). Text becomes super only by JSON_PARSE, or as a JSON string.
create type pg_catalog.super;
create function pg_catalog.super_in(cstring) returns pg_catalog.super language internal immutable strict as 'json_in';
create function pg_catalog.super_out(pg_catalog.super) returns cstring language internal immutable strict as 'textout';
create type pg_catalog.super (input = pg_catalog.super_in, output = pg_catalog.super_out, like = text, storage = extended);
create cast (pg_catalog.super as json) without function;
create cast (json as pg_catalog.super) without function;
create function pg_catalog.super_text(pg_catalog.super) returns text language sql immutable strict
  as $$ select case when json_typeof($1::json) = 'string' then $1::json #>> '{}' when json_typeof($1::json) in ('number', 'boolean') then $1::json::text end $$;
create function pg_catalog.text_super(text) returns pg_catalog.super language sql immutable strict as $$ select to_json($1)::pg_catalog.super $$;
create function pg_catalog.number_super(numeric) returns pg_catalog.super language sql immutable strict as $$ select to_json($1)::pg_catalog.super $$;
create function pg_catalog.number_super(bigint) returns pg_catalog.super language sql immutable strict as $$ select to_json($1)::pg_catalog.super $$;
create function pg_catalog.number_super(integer) returns pg_catalog.super language sql immutable strict as $$ select to_json($1)::pg_catalog.super $$;
create function pg_catalog.number_super(float8) returns pg_catalog.super language sql immutable strict as $$ select to_json($1)::pg_catalog.super $$;
create function pg_catalog.boolean_super(boolean) returns pg_catalog.super language sql immutable strict as $$ select to_json($1)::pg_catalog.super $$;
create cast (text as pg_catalog.super) with function pg_catalog.text_super(text) as assignment;
create cast (numeric as pg_catalog.super) with function pg_catalog.number_super(numeric) as assignment;
create cast (bigint as pg_catalog.super) with function pg_catalog.number_super(bigint) as assignment;
create cast (integer as pg_catalog.super) with function pg_catalog.number_super(integer) as assignment;
create cast (float8 as pg_catalog.super) with function pg_catalog.number_super(float8) as assignment;
create cast (boolean as pg_catalog.super) with function pg_catalog.boolean_super(boolean) as assignment;
create cast (pg_catalog.super as text) with function pg_catalog.super_text(pg_catalog.super) as assignment;

-- varbyte(n): hexadecimal digits, two a byte, which is also its text form. The type's modifier is 2n + 4: varcharin then counts 2n.
create type pg_catalog.varbyte;
create function pg_catalog.varbyte_in(cstring, oid, integer) returns pg_catalog.varbyte language internal immutable strict as 'varcharin';
create function pg_catalog.varbyte_out(pg_catalog.varbyte) returns cstring language internal immutable strict as 'varcharout';
create function pg_catalog.varbyte_modifier(cstring[]) returns integer language internal immutable strict as 'varbittypmodin';
create type pg_catalog.varbyte (input = pg_catalog.varbyte_in, output = pg_catalog.varbyte_out,
                                typmod_in = pg_catalog.varbyte_modifier, like = text, storage = extended);
create function pg_catalog.varbyte_size(pg_catalog.varbyte, integer, boolean) returns pg_catalog.varbyte language internal immutable strict as 'varchar';
create cast (pg_catalog.varbyte as pg_catalog.varbyte) with function pg_catalog.varbyte_size(pg_catalog.varbyte, integer, boolean) as implicit;
-- btrim: PostgreSQL's function that gives such text back as it is.
create function pg_catalog.varbyte_of_hex(text) returns pg_catalog.varbyte language internal immutable strict as 'btrim1';
create function pg_catalog.text_varbyte(text) returns pg_catalog.varbyte language sql immutable strict
  as $$ select pg_catalog.varbyte_of_hex(encode(textsend($1), 'hex')) $$;
create cast (text as pg_catalog.varbyte) with function pg_catalog.text_varbyte(text) as assignment;
-- concat() takes the output function: the digits.
create function pg_catalog.varbyte_text(pg_catalog.varbyte) returns text language sql immutable strict
  as $$ select convert_from(decode(concat($1), 'hex'), 'SQL_ASCII') $$;

-- Comparisons: of super and varbyte by bytes (text's need a collation); of varchar as PostgreSQL's bpchar, without trailing blanks
-- ([D] r_Character_types: they are insignificant).
do $$
declare
  kind text; model text; hash text; suffix text; sign text; commutator text; negator text; more text; number integer; members text;
begin
  for kind, model, hash in values ('super', 'bytea', 'hashvarlena'), ('varbyte', 'bytea', 'hashvarlena'), ('varchar', 'bpchar', 'hashbpchar') loop
    members := '';
    for suffix, sign, commutator, negator, number, more in
      values ('lt', '<', '>', '>=', 1, ''), ('le', '<=', '>=', '>', 2, ''), ('eq', '=', '=', '<>', 3, ', hashes, merges, restrict = eqsel, join = eqjoinsel'),
             ('ge', '>=', '<=', '<', 4, ''), ('gt', '>', '<', '<=', 5, ''), ('ne', '<>', '<>', '=', null, '') loop
      execute format('create function pg_catalog.%1$s_%2$s(pg_catalog.%1$s, pg_catalog.%1$s) returns boolean language internal immutable strict as %3$L',
                     kind, suffix, model || suffix);
      execute format('create operator pg_catalog.%s (leftarg = pg_catalog.%2$s, rightarg = pg_catalog.%2$s, function = pg_catalog.%2$s_%3$s, '
                     'commutator = operator(pg_catalog.%4$s), negator = operator(pg_catalog.%5$s)%6$s)', sign, kind, suffix, commutator, negator, more);
      if number is not null then
        members := members || format('operator %s %s, ', number, sign);
      end if;
    end loop;
    execute format('create function pg_catalog.%1$s_cmp(pg_catalog.%1$s, pg_catalog.%1$s) returns integer language internal immutable strict as %2$L',
                   kind, model || 'cmp');
    execute format('create function pg_catalog.%1$s_hash(pg_catalog.%1$s) returns integer language internal immutable strict as %2$L', kind, hash);
    execute format('create operator class pg_catalog.%1$s_order default for type pg_catalog.%1$s using btree as %2$s'
                   'function 1 pg_catalog.%1$s_cmp(pg_catalog.%1$s, pg_catalog.%1$s)', kind, members);
    execute format('create operator class pg_catalog.%1$s_hashes default for type pg_catalog.%1$s using hash as operator 1 =, '
                   'function 1 pg_catalog.%1$s_hash(pg_catalog.%1$s)', kind);
  end loop;
end $$;
