"""Reads whole tables out of SQLite and PostgreSQL (through psql)."""

import os
import re
import sqlite3
import subprocess


def open_target(text):
    kind, _, rest = text.partition(":")
    if kind == "sqlite":
        return Sqlite(rest)
    if kind in ("postgres", "postgresql"):
        return Postgresql(rest)
    raise SystemExit(f"unknown target {text!r}: sqlite:PATH or postgresql:CONNECTION")


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Sqlite:
    zero_sign = False  # SQLite keeps -0.0 as 0.0

    def __init__(self, path):
        if not os.path.exists(path):
            raise SystemExit(f"no such file: {path}")
        self.connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self.connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")

    def tables(self):
        return [name for name, in self.connection.execute("select name from sqlite_schema where type = 'table'")]

    def rows(self, table):
        """(column names, rows) of SCHEMA.TABLE; no rows where the table does not exist."""
        name = table.partition(".")[2] or table
        if name not in self.tables():
            return [], []
        cursor = self.connection.execute(f"select * from {quoted(name)}")
        return [column[0] for column in cursor.description], cursor.fetchall()


class Postgresql:
    zero_sign = True

    def __init__(self, connection):
        self.connection = connection

    def psql(self, sql):
        environment = {**os.environ, "PGOPTIONS": "-c timezone=UTC -c datestyle=ISO -c bytea_output=hex -c extra_float_digits=1",
                       "PGCLIENTENCODING": "UTF8"}
        done = subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.connection, "-c", sql],
                              env=environment, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    def rows(self, table):
        schema, _, name = table.partition(".")
        place = quoted(schema) + "." + quoted(name)
        literal = "'" + place.replace("'", "''") + "'"
        if self.psql(f"copy (select to_regclass({literal}) is not null) to stdout").strip() != "t":
            return [], []
        lines = self.psql(f"copy (select * from {place}) to stdout with (header)").split("\n")[:-1]
        return self._cells(lines[0]), [self._cells(line) for line in lines[1:]]

    @staticmethod
    def _cells(line):
        escapes = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
        return [None if cell == "\\N" else re.sub(r"\\(.)", lambda match: escapes.get(match[1], match[1]), cell)
                for cell in line.split("\t")]
