"""The targets of the differential tests: a database file in memory, a database of a PostgreSQL server. Both read all tables at once, and
refuse rows until they are mended."""

import os
import sqlite3
import subprocess

from lab import postgresql
from oracle import targets

REFUSED = 4  # one row of so many
END = "---- that was all of it ----"


class Sqlite:
    name = "sqlite"

    def __init__(self, folder, server=None, number=0):
        del server, number
        self.path = os.path.join(folder, "target.db")
        self.sink = 'plugin = "odbc"\nconnection = { Driver = "SQLite3", Database = "%s" }' % self.path

    def tables(self):
        """name -> (names of columns, rows)"""
        if not os.path.exists(self.path):
            return {}
        target = targets.Sqlite(self.path)
        found = {name: target.rows(name) for name in target.tables()}
        target.connection.close()
        return found

    def refuse(self, steady):
        """From now on rows are refused by a value of a column that no change of shape concerns. `steady`: table -> such columns."""
        statements = []
        for table, (columns, _) in self.tables().items():
            able = [column for column in columns if column in steady.get(table, ())]
            for column in able[-1:]:
                text = f"coalesce(new.{targets.quoted(column)}, '')"
                # More than its length counts: keys of one length are as good as one key.
                mixed = f"(length({text}) * 7 + unicode('0' || {text}) + abs(cast({text} as integer) % 1000) + instr({text}, 'y')) % {REFUSED}"
                statements += [f"create trigger {targets.quoted(f'refuse_{event[:6]}_{table}')} before {event} on {targets.quoted(table)} "
                               f"when {mixed} = 0 begin select raise(abort, 'refused'); end" for event in ("insert", f"update of {targets.quoted(column)}")]
        self._run(statements)

    def mend(self):
        with sqlite3.connect(self.path) as connection:
            names = [name for name, in connection.execute("select name from sqlite_schema where type = 'trigger' and name like 'refuse\\_%' escape '\\'")]
        connection.close()
        self._run([f"drop trigger {targets.quoted(name)}" for name in names])

    def _run(self, statements):
        connection = sqlite3.connect(self.path, timeout=60)
        with connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def drop(self):
        pass


class Postgresql:
    name = "postgresql"

    def __init__(self, folder, server=None, number=0):
        del folder
        self.address, self.database = server, f"differential_{number}"
        self.sink = postgresql.sink(server, self.database)
        self.drop()
        self._psql(f"create database {self.database}", "postgres")

    def _psql(self, text, database=None):
        settings = "-c timezone=UTC -c datestyle=ISO -c bytea_output=hex -c extra_float_digits=1 -c client_min_messages=error"
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.address), "-U", "postgres",
                               "-d", database or self.database], input=text.encode(), env={**os.environ, "PGOPTIONS": settings, "PGCLIENTENCODING": "UTF8"},
                              capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    def _names(self):
        return self._psql("select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'").splitlines()

    def tables(self):
        script = "".join(f"\\echo table {name}\ncopy (select * from {targets.quoted(name)}) to stdout with (header);\n\\echo {END}\n" for name in self._names())
        found, lines = {}, iter(self._psql(script).split("\n"))
        for line in lines:
            if line.startswith("table "):
                rows = []
                for row in lines:
                    if row == END:
                        break
                    rows.append(targets.Postgresql._cells(row))
                found[line[6:]] = (rows[0], rows[1:]) if rows else ([], [])
        return found

    def refuse(self, steady):
        del steady
        script = f"""create function refuse() returns trigger language plpgsql as $$
            begin if hashtext(new::text) % {REFUSED} = 0 then raise exception 'refused'; end if; return new; end $$;"""
        for name in self._names():
            script += f"create trigger refuse before insert or update on {targets.quoted(name)} for each row execute function refuse();"
        self._psql(script)

    def mend(self):
        self._psql("drop function if exists refuse() cascade")

    def drop(self):
        self._psql(f"drop database if exists {self.database} with (force)", "postgres")


KINDS = {kind.name: kind for kind in (Sqlite, Postgresql)}
