-- What Redshift converts, compares and concatenates otherwise than PostgreSQL: [D] c_Supported_data_types (type compatibility and
-- conversion), r_Character_types, r_Numeric_types201, r_VARBYTE_type, limitations-super, query-super. PostgreSQL's own casts and operators
-- get other functions. A hint "rule x" names the rule of rules.py that an error belongs to; the client does not get it.
set allow_system_table_mods = on;

create function pg_catalog.redshift_refuse(state text, words text, rule text) returns text language plpgsql immutable as $$
begin raise exception using errcode = state, message = words, hint = 'rule ' || rule; end $$;

-- Constants and results of functions are text here, and compare without trailing blanks as columns do.
do $$
declare sign text; model text; number integer;
begin
  for sign, model in values ('=', 'bpchareq'), ('<>', 'bpcharne'), ('<', 'bpcharlt'), ('<=', 'bpcharle'), ('>', 'bpchargt'), ('>=', 'bpcharge') loop
    execute format('create function pg_catalog.text_%1$s(text, text) returns boolean language internal immutable strict leakproof parallel safe as %1$L', model);
    update pg_operator set oprcode = ('pg_catalog.text_' || model)::regproc where oprname = sign and oprleft = 'text'::regtype and oprright = 'text'::regtype;
  end loop;
  create function pg_catalog.text_bpcharcmp(text, text) returns integer language internal immutable strict parallel safe as 'bpcharcmp';
  create function pg_catalog.text_bpchar_sortsupport(internal) returns void language internal strict as 'bpchar_sortsupport';
  create function pg_catalog.text_hashbpchar(text) returns integer language internal immutable strict parallel safe as 'hashbpchar';
  create function pg_catalog.text_hashbpcharextended(text, bigint) returns bigint language internal immutable strict parallel safe as 'hashbpcharextended';
  for number, model in values (1, 'text_bpcharcmp'), (2, 'text_bpchar_sortsupport') loop
    update pg_amproc set amproc = ('pg_catalog.' || model)::regproc from pg_opfamily f join pg_am m on m.oid = f.opfmethod
      where amprocfamily = f.oid and f.opfname = 'text_ops' and m.amname = 'btree' and amproclefttype = 'text'::regtype
        and amprocrighttype = 'text'::regtype and amprocnum = number;
  end loop;
  for number, model in values (1, 'text_hashbpchar'), (2, 'text_hashbpcharextended') loop
    update pg_amproc set amproc = ('pg_catalog.' || model)::regproc from pg_opfamily f join pg_am m on m.oid = f.opfmethod
      where amprocfamily = f.oid and f.opfname = 'text_ops' and m.amname = 'hash' and amproclefttype = 'text'::regtype
        and amprocrighttype = 'text'::regtype and amprocnum = number;
  end loop;
end $$;

-- A string has up to 65,535 bytes in an expression too ([D] r_Character_types).
create function pg_catalog.text_joined(text, text) returns text language internal immutable strict parallel safe as 'textcat';
create function pg_catalog.text_concatenated(text, text) returns text language plpgsql immutable strict as $$
begin
  if octet_length($1) + octet_length($2) > 65535 then
    raise exception using errcode = '22001', message = 'Value too long for character type', hint = 'rule string-size';
  end if;
  return pg_catalog.text_joined($1, $2);
end $$;
update pg_operator set oprcode = 'pg_catalog.text_concatenated'::regproc where oprname = '||' and oprleft = 'text'::regtype and oprright = 'text'::regtype;

-- BOOLEAN has no conversion to strings. Refused while it is planned: the body has only constants.
create function pg_catalog.boolean_text(boolean) returns text language sql immutable
  as $$ select pg_catalog.redshift_refuse('42846', 'cannot cast type boolean to character varying', 'boolean-text') $$;
update pg_cast set castfunc = 'pg_catalog.boolean_text'::regproc, castcontext = 'e'
  where castsource = 'boolean'::regtype and casttarget in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype);

-- NUMERIC to another numeric type: rounded when it is stored, cut off by a cast, unless enable_numeric_rounding is on ([D]
-- r_enable_numeric_rounding). Casts of constants round (r_CAST_function); translation.py sees to those.
create function pg_catalog.numeric_rounding() returns boolean language sql stable
  as $$ select coalesce(nullif(current_setting('redshift.numeric_rounding', true), ''), 'off') = 'on' $$;
create function pg_catalog.numeric_sized(numeric, integer, boolean) returns numeric language sql stable strict as $$
  select case when $3 and $2 >= 4 and not pg_catalog.numeric_rounding() then pg_catalog.numeric(trunc($1, ($2 - 4) & 2047), $2)
              else pg_catalog.numeric($1, $2) end $$;
create function pg_catalog.numeric_smallint(numeric, integer, boolean) returns smallint language sql stable strict as
  $$ select pg_catalog.int2(case when $3 and not pg_catalog.numeric_rounding() then trunc($1) else $1 end) $$;
create function pg_catalog.numeric_integer(numeric, integer, boolean) returns integer language sql stable strict as
  $$ select pg_catalog.int4(case when $3 and not pg_catalog.numeric_rounding() then trunc($1) else $1 end) $$;
create function pg_catalog.numeric_bigint(numeric, integer, boolean) returns bigint language sql stable strict as
  $$ select pg_catalog.int8(case when $3 and not pg_catalog.numeric_rounding() then trunc($1) else $1 end) $$;
update pg_cast set castfunc = 'pg_catalog.numeric_sized'::regproc where castsource = 'numeric'::regtype and casttarget = 'numeric'::regtype;
update pg_cast set castfunc = 'pg_catalog.numeric_smallint'::regproc where castsource = 'numeric'::regtype and casttarget = 'smallint'::regtype;
update pg_cast set castfunc = 'pg_catalog.numeric_integer'::regproc where castsource = 'numeric'::regtype and casttarget = 'integer'::regtype;
update pg_cast set castfunc = 'pg_catalog.numeric_bigint'::regproc where castsource = 'numeric'::regtype and casttarget = 'bigint'::regtype;

-- VARBYTE: explicit casts only, strings as UTF-8, integers at their own width.
create cast (pg_catalog.varbyte as text) with function pg_catalog.varbyte_text(pg_catalog.varbyte);
create cast (pg_catalog.varbyte as varchar) with function pg_catalog.varbyte_text(pg_catalog.varbyte);
create cast (pg_catalog.varbyte as bpchar) with function pg_catalog.varbyte_text(pg_catalog.varbyte);
do $$
declare kind text; digits integer;
begin
  for kind, digits in values ('int2', 4), ('int4', 8), ('int8', 16) loop
    execute format('create function pg_catalog.%1$s_varbyte(%1$s) returns pg_catalog.varbyte language sql immutable strict '
                   'as ''select pg_catalog.varbyte_of_hex(encode(%1$ssend($1), ''''hex''''))''', kind);
    execute format('create function pg_catalog.varbyte_%1$s(pg_catalog.varbyte) returns %1$s language sql immutable strict '
                   'as ''select (''''x'''' || lpad(concat($1), %2$s, ''''0''''))::bit(%3$s)::bigint::%1$s''', kind, digits, digits * 4);
    execute format('create cast (%1$s as pg_catalog.varbyte) with function pg_catalog.%1$s_varbyte(%1$s)', kind);
    execute format('create cast (pg_catalog.varbyte as %1$s) with function pg_catalog.varbyte_%1$s(pg_catalog.varbyte)', kind);
  end loop;
end $$;
create or replace function pg_catalog.to_varbyte(text, text) returns pg_catalog.varbyte language plpgsql immutable strict as $$
declare digits text; answer text := '';
begin
  case lower($2)
    when 'hex' then digits := case when octet_length($1) % 2 = 1 then '0' else '' end || $1;
    when 'binary' then digits := encode(decode((select string_agg(lpad(to_hex(substr($1, place, 8)::bit(8)::integer), 2, '0'), '' order by place)
                                                from generate_series(1, octet_length($1), 8) place), 'hex'), 'hex');
    when 'base64' then digits := encode(decode($1, 'base64'), 'hex');
    when 'utf8', 'utf-8' then digits := encode(textsend($1), 'hex');
    else raise exception using errcode = '22023', message = 'invalid format of TO_VARBYTE: ' || $2;
  end case;
  if digits ~ '[^0-9a-fA-F]' then
    raise exception using errcode = 'XX000', message = 'invalid input for TO_VARBYTE in format ' || $2;
  end if;
  return pg_catalog.varbyte_of_hex(lower(digits));
exception when invalid_parameter_value or data_exception then
  raise exception using errcode = 'XX000', message = 'invalid input for TO_VARBYTE in format ' || $2;
end $$;
create or replace function pg_catalog.varbyte_joined(pg_catalog.varbyte, pg_catalog.varbyte) returns pg_catalog.varbyte language sql immutable strict
  as $$ select pg_catalog.varbyte_of_hex(concat(concat($1), concat($2))) $$;
create function pg_catalog.from_hex(text) returns pg_catalog.varbyte language sql immutable strict as $$ select pg_catalog.to_varbyte($1, 'hex') $$;
create function pg_catalog.to_hex(pg_catalog.varbyte) returns text language sql immutable strict as $$ select concat($1) $$;

-- SUPER to other types: NULL when the value is of another kind (lax, the default). Objects and arrays give no string (types.sql).
do $$
declare kind text;
begin
  foreach kind in array array['int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'bool', 'date', 'time', 'timetz', 'timestamp', 'timestamptz'] loop
    execute format('create function pg_catalog.super_%1$s(pg_catalog.super) returns %1$s language plpgsql stable strict as $f$ '
                   'begin if json_typeof($1::json) in (''object'', ''array'', ''null'') then return null; end if; return ($1::json #>> ''{}'')::%1$s; '
                   'exception when others then return null; end $f$', kind);
    execute format('create cast (pg_catalog.super as %1$s) with function pg_catalog.super_%1$s(pg_catalog.super) as assignment', kind);
  end loop;
end $$;
-- 5::super::bool is true, 5.0::super::bool is NULL ([D] limitations-super).
create or replace function pg_catalog.super_bool(pg_catalog.super) returns boolean language plpgsql immutable strict as $$
begin
  return case json_typeof($1::json) when 'boolean' then ($1::json #>> '{}')::boolean when 'number' then ($1::json #>> '{}')::integer <> 0 end;
exception when others then return null; end $$;
create cast (pg_catalog.super as varchar) with function pg_catalog.super_text(pg_catalog.super) as assignment;

-- s.k[2].z, as navigation.py writes it: names, and numbers from 0. What is not there is NULL.
create function pg_catalog.redshift_navigate(pg_catalog.super, variadic text[]) returns pg_catalog.super language sql immutable strict
  as $$ select ($1::json #> $2)::pg_catalog.super $$;
-- Dynamic typing: another kind of value is unequal, and neither smaller nor greater.
create function pg_catalog.super_string(pg_catalog.super) returns text language sql immutable strict
  as $$ select case json_typeof($1::json) when 'string' then $1::json #>> '{}' end $$;
create function pg_catalog.super_number(pg_catalog.super) returns numeric language sql immutable strict
  as $$ select case json_typeof($1::json) when 'number' then ($1::json #>> '{}')::numeric end $$;
do $$
declare kind text; value text; sign text; suffix text; turned text;
begin
  for kind, value in values ('text', 'super_string'), ('numeric', 'super_number') loop
    for sign, suffix, turned in values ('=', 'eq', '='), ('<>', 'ne', '<>'), ('<', 'lt', '>'), ('<=', 'le', '>='), ('>', 'gt', '<'), ('>=', 'ge', '<=') loop
      execute format('create function pg_catalog.super_%1$s_%2$s(pg_catalog.super, %1$s) returns boolean language sql immutable strict as $f$ select %3$s $f$',
                     kind, suffix, case suffix when 'eq' then format('coalesce(pg_catalog.%s($1) = $2, false)', value)
                                               when 'ne' then format('coalesce(pg_catalog.%s($1) <> $2, true)', value)
                                               else format('pg_catalog.%s($1) %s $2', value, sign) end);
      execute format('create operator pg_catalog.%s (leftarg = pg_catalog.super, rightarg = %s, function = pg_catalog.super_%s_%s)', sign, kind, kind, suffix);
      execute format('create function pg_catalog.%1$s_super_%2$s(%1$s, pg_catalog.super) returns boolean language sql immutable strict as $f$ select case %3$L when ''='' then coalesce(pg_catalog.%4$s($2) = $1, false) when ''<>'' then coalesce(pg_catalog.%4$s($2) <> $1, true) else pg_catalog.%4$s($2) %5$s $1 end $f$',
                     kind, suffix, sign, value, turned);
      execute format('create operator pg_catalog.%1$s (leftarg = %2$s, rightarg = pg_catalog.super, function = pg_catalog.%2$s_super_%3$s)', sign, kind, suffix);
    end loop;
  end loop;
  for sign, suffix in values ('+', 'plus'), ('-', 'minus'), ('*', 'times') loop
    execute format('create function pg_catalog.super_%s(pg_catalog.super, numeric) returns numeric language sql immutable strict '
                   'as $f$ select pg_catalog.super_number($1) %s $2 $f$', suffix, sign);
    execute format('create operator pg_catalog.%s (leftarg = pg_catalog.super, rightarg = numeric, function = pg_catalog.super_%s)', sign, suffix);
  end loop;
end $$;

-- EXTRACT gives one part alone ([D] r_Dateparts_for_datetime_functions: microseconds without seconds and milliseconds).
create function pg_catalog.redshift_extract(text, numeric) returns integer language sql immutable strict as $$
  select (case $1 when 's' then floor($2) when 'ms' then floor($2 * 1000) % 1000 else ($2 * 1000000) % 1000 end)::integer $$;

-- SUPER: 16 MB, up to 1,000 levels ([D] limitations-super).
create function pg_catalog.super_depth(text) returns integer language plpgsql immutable strict set standard_conforming_strings = on as $$
declare bare text := regexp_replace($1, '"(?:[^"\\]|\\.)*"', '', 'g'); level integer := 0; deepest integer := 0; letter text;
begin
  foreach letter in array regexp_split_to_array(regexp_replace(bare, '[^][{}]', '', 'g'), '') loop
    level := level + case when letter in ('[', '{') then 1 else -1 end;
    deepest := greatest(deepest, level);
  end loop;
  return deepest;
end $$;
create or replace function pg_catalog.json_parse(text) returns pg_catalog.super language plpgsql immutable strict as $$
declare answer pg_catalog.super;
begin
  if octet_length($1) > 65535 then
    raise exception using errcode = '22001', message = 'Value too long for character type', hint = 'rule string-size';
  end if;
  answer := $1::json::pg_catalog.super;
  if octet_length($1) > 2000 and octet_length($1) - octet_length(translate($1, '[{', '')) > 1000 and pg_catalog.super_depth($1) > 1000 then
    raise exception using errcode = 'XX000', message = 'JSON parsing error', detail = 'The value exceeds the nesting depth of 1000.', hint = 'rule super-depth';
  end if;
  return answer;
exception when invalid_text_representation then
  raise exception using errcode = 'XX000', message = 'JSON parsing error';
end $$;
create or replace function pg_catalog.json_parse(pg_catalog.varbyte) returns pg_catalog.super language plpgsql immutable strict as $$
begin
  if octet_length(pg_catalog.varbyte_text($1)) > 16777216 then
    raise exception using errcode = 'XX000', message = 'JSON parsing error', detail = 'The value exceeds the SUPER size limit of 16 MB.';
  end if;
  return pg_catalog.varbyte_text($1)::json::pg_catalog.super;
exception when invalid_text_representation then
  raise exception using errcode = 'XX000', message = 'JSON parsing error';
end $$;
