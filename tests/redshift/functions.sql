-- Functions of Redshift that PostgreSQL does not have. Names as Redshift's; the sources are in README.md.
set allow_system_table_mods = on;

create function pg_catalog.getdate() returns timestamp language sql stable as $$ select date_trunc('second', now() at time zone 'UTC') $$;
create function pg_catalog.sysdate() returns timestamp language sql stable as $$ select now() at time zone 'UTC' $$;

create function pg_catalog.is_valid_json(text) returns boolean language plpgsql immutable strict as $$
begin return json_typeof($1::json) <> 'array'; exception when others then return false; end $$;
create function pg_catalog.is_valid_json_array(text) returns boolean language plpgsql immutable strict as $$
begin return json_typeof($1::json) = 'array'; exception when others then return false; end $$;
create function pg_catalog.json_parse(text) returns pg_catalog.super language plpgsql immutable strict as $$
declare answer pg_catalog.super;
begin
  answer := $1::json::pg_catalog.super;
  if octet_length($1) > 16777216 then
    raise exception using errcode = 'XX000', message = 'JSON parsing error', detail = 'The value exceeds the SUPER size limit of 16 MB.';
  end if;
  return answer;
exception when invalid_text_representation then
  raise exception using errcode = 'XX000', message = 'JSON parsing error';
end $$;
create function pg_catalog.can_json_parse(text) returns boolean language plpgsql immutable strict as $$
begin perform $1::json; return true; exception when others then return false; end $$;
create function pg_catalog.json_serialize(pg_catalog.super) returns text language plpgsql immutable as $$
begin
  if $1 is null then return 'null'; end if;
  if octet_length(concat($1)) > 65535 then raise exception using errcode='XX000', message='JSON_SERIALIZE: value exceeds the VARCHAR limit'; end if;
  return concat($1);
end $$;
-- As VARBYTE any length is told; whether SQL NULL gives NULL there is [U]. JSON_PARSE takes VARBYTE too, which || joins (r_VARBYTE_OPERATORS).
create function pg_catalog.json_serialize_to_varbyte(pg_catalog.super) returns pg_catalog.varbyte language sql immutable
  as $$ select pg_catalog.varbyte_of_hex(encode(textsend(case when $1 is null then 'null' else concat($1) end), 'hex')) $$;
create function pg_catalog.json_parse(pg_catalog.varbyte) returns pg_catalog.super language sql immutable strict
  as $$ select pg_catalog.json_parse(convert_from(decode(concat($1), 'hex'), 'SQL_ASCII')) $$;
create function pg_catalog.varbyte_joined(pg_catalog.varbyte, pg_catalog.varbyte) returns pg_catalog.varbyte language sql immutable strict
  as $$ select pg_catalog.varbyte_of_hex(concat($1) || concat($2)) $$;
create operator pg_catalog.|| (leftarg = pg_catalog.varbyte, rightarg = pg_catalog.varbyte, function = pg_catalog.varbyte_joined);
create function pg_catalog.json_typeof(pg_catalog.super) returns text language sql immutable strict as $$ select pg_catalog.json_typeof($1::json) $$;
create function pg_catalog.is_array(pg_catalog.super) returns boolean language sql immutable strict as $$ select pg_catalog.json_typeof($1::json) = 'array' $$;
create function pg_catalog.is_object(pg_catalog.super) returns boolean language sql immutable strict as $$ select pg_catalog.json_typeof($1::json) = 'object' $$;
create function pg_catalog.is_varchar(pg_catalog.super) returns boolean language sql immutable strict as $$ select pg_catalog.json_typeof($1::json) = 'string' $$;
create function pg_catalog.json_size(pg_catalog.super) returns integer language sql immutable strict as $$ select octet_length(concat($1)) $$;

create function pg_catalog.to_varbyte(text, text) returns pg_catalog.varbyte language plpgsql immutable strict as $$
begin
  return pg_catalog.varbyte_of_hex(case lower($2) when 'hex' then encode(decode($1, 'hex'), 'hex') when 'base64' then encode(decode($1, 'base64'), 'hex')
                        when 'utf8' then encode(textsend($1), 'hex') when 'utf-8' then encode(textsend($1), 'hex') end);
exception when invalid_parameter_value or data_exception then
  raise exception using errcode = 'XX000', message = 'invalid input for TO_VARBYTE in format ' || $2;
end $$;
create function pg_catalog.from_varbyte(pg_catalog.varbyte, text) returns text language plpgsql immutable strict as $$
declare t text;
begin
  t := case lower($2) when 'hex' then concat($1) when 'base64' then encode(decode(concat($1), 'hex'), 'base64') else pg_catalog.varbyte_text($1) end;
  if octet_length(t) > 65535 then raise exception using errcode='XX000', message='Value too long for character type'; end if;
  return t;
end $$;
create function pg_catalog.octet_length(pg_catalog.varbyte) returns integer language sql immutable strict as $$ select octet_length(concat($1)) / 2 $$;

-- Characters, not bytes: everything but UTF-8's continuation bytes counts.
create function pg_catalog.len(text) returns integer language sql immutable strict
  as $$ select octet_length(regexp_replace($1, '[\x80-\xBF]', '', 'g')) $$;
create function pg_catalog.nvl(anycompatible, anycompatible) returns anycompatible language sql immutable as $$ select coalesce($1, $2) $$;
create function pg_catalog.convert_timezone(text, text, timestamp) returns timestamp language sql immutable as $$ select $3 at time zone $1 at time zone $2 $$;
create function pg_catalog.convert_timezone(text, timestamp) returns timestamp language sql immutable as $$ select $2 at time zone 'UTC' at time zone $1 $$;
create function pg_catalog.strtol(text, integer) returns bigint language sql immutable strict as $$ select ('x' || lpad($1, 16, '0'))::bit(64)::bigint $$;
create function pg_catalog.sha2(text, integer) returns text language sql immutable strict as $$
  select encode(case $2 when 224 then sha224(textsend($1)) when 384 then sha384(textsend($1)) when 512 then sha512(textsend($1)) else sha256(textsend($1)) end, 'hex') $$;
create function pg_catalog.is_large_string_enabled() returns boolean language sql immutable as $$ select false $$;
create function pg_catalog.dateadd(text, bigint, timestamp) returns timestamp language sql immutable strict as $$ select $3 + ($2::text || ' ' || $1)::interval $$;
-- What the front writes for its session; see session.py.
create function pg_catalog.redshift_setting(text) returns bigint language sql stable
  as $$ select coalesce(nullif(current_setting('redshift.' || $1, true), ''), '0')::bigint $$;
create function pg_catalog.pg_last_copy_count() returns bigint language sql stable as $$ select pg_catalog.redshift_setting('last_copy_count') $$;
create function pg_catalog.pg_last_copy_id() returns integer language sql stable as $$ select pg_catalog.redshift_setting('last_copy_id')::integer $$;
create function pg_catalog.pg_last_query_id() returns integer language sql stable as $$ select pg_catalog.redshift_setting('last_query_id')::integer $$;
create or replace function pg_catalog.version() returns text language sql stable as
  $$ select 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.100000'::text $$;
