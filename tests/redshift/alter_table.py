"""ALTER TABLE, form by form: [D] r_ALTER_TABLE, with the error texts of rules.py."""

from redshift.append_table import append
from redshift.create_table import column_name, names_in, number_of, numbers_of, parse_attributes, parse_column, syntax, until_end
from redshift.errors import SqlError
from redshift.names import literal, quoted
from redshift.rules import rejection
from redshift.translation import folded_name
from redshift.column_types import parse_type

COLUMN = """select a.attnum, t.typname, a.atttypmod, d.adbin is not null, e.encode, r.distkey = a.attnum, a.attnum = any(r.sortkeys),
  exists (select 1 from redshift_front.keys k where k.relid = a.attrelid and a.attnum = any(k.columns)),
  (select count(*) from pg_attribute o where o.attrelid = a.attrelid and o.attnum > 0 and not o.attisdropped)
from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  left join redshift_front.encodings e on e.relid = a.attrelid and e.attnum = a.attnum left join redshift_front.relations r on r.relid = a.attrelid
where a.attrelid = {relation}::regclass and a.attname = {name} and a.attnum > 0 and not a.attisdropped"""


class AlterTable:
    """`run` gives the backend its statements through `backend.rows(sql)` and `backend.run(sql)`; it runs in a transaction of the backend.
    `alone`: outside of BEGIN and with no other statement."""

    def __init__(self, tokens, translator):
        self.tokens, self.translator = tokens, translator
        self.name, self.table, self.place = translator.qualified(tokens, 2)
        if self.place >= len(tokens):
            raise syntax(tokens, self.place)
        self.end = len(tokens)
        comma = until_end(tokens, self.place, {","})
        several = comma < self.end and self._word(0) == "ALTER" and self._word(1) not in ("COLUMN",) or self._encodes()
        if comma < self.end and not several:
            raise rejection("alter-two-adds")

    def _word(self, offset):
        place = self.place + offset
        return self.tokens[place].up if place < len(self.tokens) else ""

    def _encodes(self):
        return self._word(0) == "ALTER" and any(token.up == "ENCODE" for token in self.tokens[self.place:])

    def changes_type(self):
        return self._word(0) == "ALTER" and (self._word(2) == "TYPE" or self._word(3) == "TYPE")

    def appends(self):
        return self._word(0) == "APPEND"

    def run(self, backend, alone):
        word, second = self._word(0), self._word(1)
        if word == "ADD":
            return self._add(backend)
        if word == "DROP":
            return self._drop(backend)
        if word == "RENAME":
            return self._rename(backend)
        if word == "OWNER" and second == "TO":
            return backend.run(f"alter table {self.table} owner to {self.translator.name(self.tokens[self.place + 2])}")
        if word == "APPEND" and second == "FROM":
            return append(backend, self.translator, self.tokens, self.place + 2, self.table, alone)
        if word == "ALTER":
            if self.changes_type():
                return self._type(backend, alone)
            return self._keys(backend)
        raise rejection("alter-other", self.tokens[self.place].text)

    # ---- ADD ----

    def _add(self, backend):
        if self._word(1) in ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN"):
            return self._add_constraint(backend)
        place = self.place + (2 if self._word(1) == "COLUMN" else 1)
        column = parse_column(self.tokens[place:], self.translator)
        if column.flags & {"UNIQUE", "PRIMARY"}:
            raise rejection("add-key-column")
        for flag in column.flags & {"REFERENCES", "IDENTITY", "DISTKEY", "SORTKEY"}:
            raise rejection("add-reference", flag)
        if column.not_null and (column.default is None or [token.up for token in column.default] == ["NULL"]):
            raise rejection("add-not-null")
        if "COLLATE" in column.flags:
            raise rejection("add-collate")
        count = backend.rows("select count(*) from pg_attribute where attnum > 0 and not attisdropped "
                             f"and attrelid = to_regclass({literal(self.table)})")[0][0]
        if int(count) >= 1600:
            raise rejection("columns-limit")
        backend.run(f"alter table {self.table} add column {column.text}")
        if column.encode:
            relation = literal(self.table) + "::regclass"
            backend.run(
                f"insert into redshift_front.encodings values ({relation}, "
                f"{number_of(relation, column.name, self.translator.names.short)}, {literal(column.encode)})"
            )
        return None

    def _add_constraint(self, backend):
        place, name = self.place + 1, None
        if self._word(1) == "CONSTRAINT":
            name, place = folded_name(self.tokens[place + 1], self.translator.settings), place + 2
        kind = self.tokens[place].up
        if kind not in ("PRIMARY", "UNIQUE", "FOREIGN"):
            raise syntax(self.tokens, place)
        columns, _ = names_in(self.tokens, place + (1 if kind == "UNIQUE" else 2), self.translator)
        relation = literal(self.table) + "::regclass"
        for column in columns:
            rows = backend.rows(
                f"select attnotnull from pg_attribute where attrelid = {relation} and attnum > 0 "
                f"and attname = {literal(self.translator.names.short(column))}"
            )
            if not rows:
                raise SqlError("42703", f'column "{column}" named in key does not exist')
            if kind == "PRIMARY" and rows[0][0] != "t":
                raise SqlError("42P16", f'column "{column}" is not declared NOT NULL: a primary key needs NOT NULL columns')
        return backend.run(
            f"insert into redshift_front.keys values ({relation}, {literal(kind[0].lower())}, {literal(name) if name else 'null'}, "
            f"{numbers_of(relation, columns, self.translator.names.short)}, null)")

    # ---- DROP ----

    def _drop(self, backend):
        if self._word(1) == "CONSTRAINT":
            name = folded_name(self.tokens[self.place + 2], self.translator.settings)
            return backend.run(f"delete from redshift_front.keys where relid = {literal(self.table)}::regclass and name = {literal(name)}")
        place = self.place + (2 if self._word(1) == "COLUMN" else 1)
        rest = [token.up for token in self.tokens[place + 1:]]
        if rest not in ([], ["RESTRICT"], ["CASCADE"]):
            raise syntax(self.tokens, place + 1)
        column = folded_name(self.tokens[place], self.translator.settings)
        number, _, _, _, _, distkey, sortkey, key, count = self._column(backend, column)
        if distkey == "t":
            raise rejection("drop-distkey", column)
        if sortkey == "t":
            raise rejection("drop-sortkey", column)
        if count == "1":
            raise rejection("drop-last")
        if key == "t" and rest != ["CASCADE"]:
            raise SqlError("2BP01", f"cannot drop table {self.name[-1]} column {column} because other objects depend on it",
                           hint="Use DROP ... CASCADE to drop the dependent objects too.")
        backend.run(f"alter table {self.table} drop column {quoted(self.translator.names.short(column))} {' '.join(rest).lower()}")
        return backend.run(f"delete from redshift_front.keys where relid = {literal(self.table)}::regclass and {number} = any(columns)")

    def _column(self, backend, name):
        rows = backend.rows(COLUMN.format(relation=literal(self.table), name=literal(self.translator.names.short(name))))
        if not rows:
            raise SqlError("42703", f'column "{name}" of relation "{self.name[-1]}" does not exist')
        return rows[0]

    # ---- RENAME ----

    def _rename(self, backend):
        if self._word(1) == "TO":
            target = self.tokens[self.place + 2]
            if target.text.strip('"').startswith("#"):
                raise rejection("rename-temp")
            return backend.run(f"alter table {self.table} rename to {self.translator.name(target)}")
        place = self.place + (2 if self._word(1) == "COLUMN" else 1)
        if place + 2 >= len(self.tokens) or self.tokens[place + 1].up != "TO":
            raise syntax(self.tokens, place)
        new = column_name(self.tokens[place + 2], self.translator)
        return backend.run(
            f"alter table {self.table} rename column {self.translator.name(self.tokens[place])} to {quoted(self.translator.names.short(new))}"
        )

    # ---- ALTER ----

    def _type(self, backend, alone):
        place = self.place + (2 if self._word(1) == "COLUMN" else 1)
        if any(token.up == "USING" for token in self.tokens[place:]):
            raise rejection("alter-type-using")
        if not alone:
            raise rejection("alter-type-block")
        name = folded_name(self.tokens[place], self.translator.settings)
        wanted, after = parse_type(self.tokens, place + 2, name)
        if after < len(self.tokens):
            raise syntax(self.tokens, after)
        _, type_name, modifier, default, encode, _, _, key, _ = self._column(backend, name)
        kinds = {"varchar": "varchar", "varbyte": "varbyte"}
        if kinds.get(type_name) != wanted.kind:
            raise rejection("alter-type-other", name)
        length = int(modifier) - 4 if type_name == "varchar" else (int(modifier) - 4) // 2
        if key == "t":
            raise rejection("alter-type-key", name)
        if encode in ("bytedict", "runlength", "text255", "text32k"):
            raise rejection("alter-type-encoding", name, encode.upper())
        if wanted.length == length:
            raise rejection("alter-type-same")
        column = quoted(self.translator.names.short(name))
        if wanted.length < length:
            if default == "t":
                raise rejection("alter-type-shrink-default")
            longest = backend.rows(f"select max(octet_length({column})) from {self.table}")[0][0]
            if longest is not None and int(longest) > wanted.length:
                raise rejection("alter-type-shrink")
        backend.run(f"alter table {self.table} alter column {column} type {wanted.text}")

    def _keys(self, backend):
        """ENCODE of columns, DISTKEY, DISTSTYLE, SORTKEY; several clauses combine."""
        place, relation, short = self.place, literal(self.table) + "::regclass", self.translator.names.short
        backend.run(f"insert into redshift_front.relations values ({relation}, 'auto', null, null, 'auto') on conflict do nothing")
        while place < self.end:
            if self.tokens[place].up != "ALTER":
                raise rejection("alter-other", self.tokens[place].text)
            clause_end = until_end(self.tokens, place, {","})
            clause = self.tokens[place + 1:clause_end]
            words = [token.up for token in clause]
            if words[:1] == ["ENCODE"] and words[1:] == ["AUTO"]:
                pass
            elif "ENCODE" in words:
                start = 1 if words[0] == "COLUMN" else 0
                name = folded_name(clause[start], self.translator.settings)
                number = self._column(backend, name)[0]
                backend.run(f"insert into redshift_front.encodings values ({relation}, {number}, {literal(words[-1].lower())}) "
                            "on conflict (relid, attnum) do update set encode = excluded.encode")
            elif words[0] == "DISTKEY" and len(clause) == 2:
                self._distkey(backend, folded_name(clause[1], self.translator.settings))
            elif words[:3] == ["DISTSTYLE", "KEY", "DISTKEY"] and len(clause) == 4:
                self._distkey(backend, folded_name(clause[3], self.translator.settings))
            elif words[0] in ("DISTSTYLE", "SORTKEY", "COMPOUND"):
                attributes, after = parse_attributes(clause, 0, self.translator)
                if after < len(clause):
                    raise syntax(clause, after)
                if attributes.diststyle:
                    backend.run(
                        f"update redshift_front.relations set diststyle = {literal(attributes.diststyle)}, distkey = null where relid = {relation}"
                    )
                else:
                    for name in attributes.sortkeys or []:
                        if self._column(backend, name)[1] in ("super", "varbyte"):
                            raise rejection("super-key", name, self._column(backend, name)[1])
                    backend.run(f"update redshift_front.relations set sortkeys = {numbers_of(relation, attributes.sortkeys, short)}, "
                                f"sortstyle = {literal(attributes.sortstyle or 'compound')} where relid = {relation}")
            else:
                raise rejection("alter-other", clause[0].text)
            place = clause_end + 1

    def _distkey(self, backend, name):
        number, type_name, *_ = self._column(backend, name)
        if type_name in ("super", "varbyte"):
            raise rejection("super-key", name, type_name)
        backend.run(
            f"update redshift_front.relations set diststyle = 'key', distkey = {number} where relid = {literal(self.table)}::regclass")
