#!/usr/bin/env python3
"""Random tables that were there before, random values, every policy: each cell is the exact value, or its row is a dead letter, or its table
stopped; never a silently different value, and no column has another type than before, unless "evolve" let a number grow.

    random_adopted.py --seeds 300 [--first 0] [--target postgresql|sqlite] [--keep]

A seed is one run of many tables: columns of the target's own types, events of unrelated types, half of them after a restart. The program:
$CDCRT_BINARY, else build/release/bin/cdcrt.
"""

import argparse
import base64
import datetime
import decimal
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab.postgresql import Postgresql, sink  # noqa: E402
from oracle.adopted_values import Single, same  # noqa: E402

PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
POLICIES = ["evolve", "add_only", "ignore", "ignore", "fail"]
TABLES = 30
EPOCH = datetime.datetime(1970, 1, 1)
decimal.getcontext().prec = 400

NATIVE = {
    "postgresql": [
        "smallint", "integer", "bigint", "numeric", "numeric(5,2)", "numeric(20,4)", "numeric(4,0)", "real", "double precision", "money", "boolean", "text",
        "varchar", "varchar(3)", "varchar(10)", "char(4)", "citext", "name", '"char"', "date", "time", "time(0)", "time(3)", "timestamp", "timestamp(0)", "timestamp(3)",
        "timestamptz", "timestamptz(0)", "uuid", "bytea", "json", "jsonb", "bit(1)", "bit(4)", "varbit(5)", "inet", "mood", "oid", "interval", "interval(0)", "small",
        "positive", "text[]", "integer[]", "smallint[]", "numeric(5,2)[]", "varchar(3)[]", "real[]", "double precision[]", "boolean[]", "date[]", "timestamp(0)[]", "timestamptz[]",
        "time(0)[]", "uuid[]", "mood[]", "bytea[]"],
    "sqlite": ["INTEGER", "INT", "TEXT", "VARCHAR(5)", "REAL", "DOUBLE PRECISION", "NUMERIC", "DECIMAL(10,2)", "BOOLEAN", "DATETIME", "DATE", "BLOB", "", "MONEY", "CLOB"],
}
CONSTRAINTS = ["", "", "", "NOT NULL", "DEFAULT NULL"]  # rows that meet in a second unique index are another matter


class Source:
    """A type of the source: its schema, and the values it may have as (in the event, as it is compared)."""

    def __init__(self, schema, values):
        self.schema, self.values = schema, values


def decimal_bytes(text, scale):
    number = int(decimal.Decimal(text).scaleb(scale))
    return base64.b64encode(number.to_bytes((number.bit_length() + 8) // 8, "big", signed=True)).decode()


def moment(microseconds):
    return EPOCH + datetime.timedelta(microseconds=microseconds)


def sources(random_numbers):
    choice, integer = random_numbers.choice, random_numbers.randint
    integers = [0, 1, 5, -1, 100, 32767, 32768, -70000, 16777217, 2**31 - 1]
    large = integers + [2**31, 2**53, 2**53 + 1, 2**63 - 1, -2**63]
    decimals = ["0.0000", "1.0000", "1.2500", "1.2345", "-999.9900", "12345.0000", "99999999999.9999", "0.1000"]
    texts = ["", "a", "abc", "abcd", "ab  ", "true", "f", "7", "007", "1.50", "1e3", " 7", "2024-01-31", "2024-01-31T12:34:56.123456", "12:34:56", "x" * 70, "äöüß", "ok",
             "10.0.0.1", "B5A0F6C4-1111-4222-8333-944455556666", "1010", "1", "{\"a\": 1}", "NaN", "P1DT1.5S", "line\nbreak\t", "'; drop table x; --"]
    floats = [0.0, 1.0, 1.5, -2.25, 0.1, 0.1234567890123456, 1e10, 16777217.0, 1e300]
    singles = [0.0, 1.5, 0.10000000149011612, 16777216.0]
    moments = [0, 1_700_000_000_123_456, 1_700_000_000_123_000, 1_700_000_000_000_000, 1_704_067_200_000_000, -1]
    scalars = scalar_sources(choice, integer, integers, large, decimals, texts, floats, singles, moments)
    return scalars + [array_source(source, choice, integer) for source in scalars[:-1]]


def array_source(source, choice, integer):
    """Arrays of what the source has, some of them empty or with NULL."""
    values = []
    for _ in range(4):
        items = [choice(source.values + [(None, None)]) for _ in range(integer(0, 3))]
        values.append(([sent for sent, _ in items], [value for _, value in items]))
    return Source({"type": "array", "items": {**source.schema, "optional": True}}, values)


def scalar_sources(choice, integer, integers, large, decimals, texts, floats, singles, moments):
    return [
        Source({"type": "int16"}, [(v, v) for v in integers if abs(v) < 2**15]),
        Source({"type": "int32"}, [(v, v) for v in integers]),
        Source({"type": "int64"}, [(v, v) for v in large] + [(v, v) for v in [integer(-10**18, 10**18)]]),
        Source({"type": "boolean"}, [(True, True), (False, False)]),
        Source({"type": "double"}, [(v, v) for v in floats]),
        Source({"type": "float"}, [(v, Single(v)) for v in singles]),
        Source({"type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "4", "connect.decimal.precision": "20"}},
               [(decimal_bytes(v, 4), decimal.Decimal(v)) for v in decimals]),
        Source({"type": "string"}, [(v, v) for v in texts] + [(v, v) for v in ["".join(choice("ab 0.-e") for _ in range(integer(1, 6)))]]),
        Source({"type": "bytes"}, [(base64.b64encode(v).decode(), v) for v in (b"", b"\x00\xff", b"abc")]),
        Source({"type": "int32", "name": "io.debezium.time.Date"}, [(v, (EPOCH + datetime.timedelta(days=v)).date()) for v in (0, 19753, -1)]),
        Source({"type": "int64", "name": "io.debezium.time.MicroTimestamp"}, [(v, moment(v)) for v in moments]),
        Source({"type": "string", "name": "io.debezium.time.ZonedTimestamp"}, [(moment(v).isoformat() + "Z", moment(v)) for v in moments]),
        Source({"type": "int64", "name": "io.debezium.time.MicroTime"}, [(v, moment(v).time()) for v in (0, 3_600_123_456, 3_600_123_000, 86_399_000_000)]),
        Source({"type": "string", "name": "io.debezium.data.Uuid"}, [(v, v) for v in ("b5a0f6c4-1111-4222-8333-944455556666",)]),
        Source({"type": "string", "name": "io.debezium.data.Json"}, [(v, ("json", v)) for v in ('{"a": 1}', "[1, 2]", "5", '"x"')]),
    ]


def text_from(path, begin):
    """What the file says from a byte on: texts have characters of several bytes."""
    with open(path, "rb") as file:
        file.seek(begin)
        return file.read().decode("utf-8", errors="replace")


def stopped_tables(log):
    return (set(re.findall(r"table '(?:public\.)?(t\d+)' (?:is detached|stop)", log))
            | set(re.findall(r"^(?:stopped|detached): (?:public\.)?(t\d+)", log, re.MULTILINE)))


class PostgresqlDatabase:
    server = None

    def __init__(self, folder, number):
        del folder
        if PostgresqlDatabase.server is None:
            PostgresqlDatabase.server = Postgresql()
        self.name = f"adopted_{number}"
        self.server.create(self.name)
        self.sink = sink(self.server.port, self.name)
        self.sql("create extension citext; create type mood as enum ('ok', 'sad'); create domain small as numeric(6,1); create domain positive as integer check (value > 0);")

    def psql(self, text, *options):
        done = subprocess.run(["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(self.server.port), "-U", "postgres", "-d", self.name, *options], input=text,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0 or "ERROR" in done.stderr:
            raise RuntimeError(done.stderr)
        return done.stdout

    def sql(self, text):
        self.psql(text)

    def create(self, table, native, constraint):
        return f'create table "{table}" (id integer primary key, v {native} {constraint});'

    def read(self, tables):
        """Per table {id: stored}, and per table the type of v."""
        script = "set intervalstyle = 'iso_8601'; set timezone = 'UTC'; set bytea_output = 'hex'; set extra_float_digits = 3;"
        for table, native in tables.items():
            value = "v::numeric::text" if native == "money" else "v::text"
            script += f"select json_build_object('t', '{table}', 'id', id, 'v', {value}) from \"{table}\";"
        rows = {table: {} for table in tables}
        for line in self.psql(script, "-At").splitlines():
            row = json.loads(line)
            rows[row["t"]][row["id"]] = row["v"]
        types = self.psql("select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) from pg_attribute a join pg_class c on c.oid = a.attrelid "
                          "where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped", "-AtF", "\t")
        columns = {}
        for line in types.splitlines():
            table, column, native = line.split("\t")
            columns.setdefault(table, {})[column] = native
        return rows, columns

    def drop(self):
        self.server.drop(self.name)


class SqliteDatabase:
    def __init__(self, folder, number):
        del number
        self.path = os.path.join(folder, "target.db")
        self.sink = 'plugin = "odbc"\nconnection = { Driver = "SQLite3", Database = "%s" }' % self.path

    def sql(self, text):
        with sqlite3.connect(self.path) as connection:
            connection.executescript(text)
        connection.close()

    def create(self, table, native, constraint):
        return f'create table "{table}" (id integer primary key, v {native} {constraint});'

    def read(self, tables):
        connection = sqlite3.connect(self.path)
        rows = {table: dict(connection.execute(f'select id, v from "{table}"').fetchall()) for table in tables}
        columns = {table: {row[1]: row[2] for row in connection.execute(f'pragma table_info("{table}")')} for table in tables}
        connection.close()
        return rows, columns

    def drop(self):
        pass


class Seed:
    def __init__(self, number, target, folder):
        self.random = random.Random(f"{target} {number}")
        self.number, self.target, self.folder = number, target, folder
        self.policy = self.random.choice(POLICIES)
        self.database = {"postgresql": PostgresqlDatabase, "sqlite": SqliteDatabase}[target](folder, number)
        self.native, self.values, self.lines, self.extra = {}, {}, [], set()

    def make(self):
        natives = NATIVE[self.target]
        script = ""
        halves = [[], []]
        for index in range(TABLES):
            table = f"t{index}"
            native = self.random.choice(natives)
            self.native[table] = native
            script += self.database.create(table, native, self.random.choice(CONSTRAINTS))
            source = self.random.choice(sources(self.random))
            declared = self.random.random() < 0.8 or '"bytes"' in json.dumps(source.schema)
            lacks = self.random.random() < 0.2  # the target lacks a column
            if lacks:
                self.extra.add(table)
            fields = [{"type": "int32", "optional": False, "field": "id"}, {**source.schema, "optional": True, "field": "v"}]
            if lacks:
                fields.append({"type": "string", "optional": True, "field": "w"})
            self.values[table] = {}
            offset = 0
            for half in range(2):
                for _ in range(self.random.randint(1, 4)):
                    row = self.random.randint(1, 4)
                    sent, value = self.random.choice(source.values) if self.random.random() > 0.15 else (None, None)
                    if not declared:
                        value = sent  # without a schema an event has nothing but what JSON has
                    self.values[table][row] = value
                    halves[half].append(self.line(table, offset, row, sent, fields, declared, lacks))
                    offset += 1
        self.database.sql(script)
        return halves

    @staticmethod
    def line(table, offset, row, sent, fields, declared, lacks):
        after = {"id": row, "v": sent}
        if lacks:
            after["w"] = "x"
        payload = {"before": None, "after": after, "op": "c", "ts_ms": 1_700_000_000_000,
                   "source": {"version": "3.2.0.Final", "connector": "postgresql", "name": "s", "db": "shop", "schema": "public", "table": table, "lsn": offset + 1, "ts_ms": 1_700_000_000_000}}
        key = {"id": row}
        if declared:
            image = {"type": "struct", "optional": True, "name": "x.Value"}
            payload = {"schema": {"type": "struct", "optional": False, "name": "x.Envelope", "fields": [
                {**image, "fields": fields, "field": "before"}, {**image, "fields": fields, "field": "after"},
                {"type": "struct", "optional": False, "name": "io.debezium.connector.postgresql.Source", "field": "source",
                 "fields": [{"type": "string", "optional": False, "field": "connector"}]},
                {"type": "string", "optional": False, "field": "op"}]}, "payload": payload}
            key = {"schema": {"type": "struct", "optional": False, "name": "x.Key", "fields": fields[:1]}, "payload": key}
        return json.dumps({"topic": f"s.public.{table}", "partition": 0, "offset": offset, "tstype": "create", "ts": 1_700_000_000_000, "key": json.dumps(key),
                           "payload": json.dumps(payload)})

    def run_program(self):
        manifest = os.path.join(self.folder, "manifest.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write('[pipeline]\nname = "p"\n[sources.events]\nplugin = "file"\npaths = ["events.jsonl"]\nformat.plugin = "debezium-json"\n'
                       f'[sinks.db]\n{self.database.sink}\nstall_after = "1s"\n[defaults]\ntable = "{{table}}"\nschema_changes = "{self.policy}"\n'
                       '[dead_letters]\npath = "dead_letters.jsonl"\n')
        log = os.path.join(self.folder, "log")
        with open(log, "ab") as file:
            begin = file.tell()
            process = subprocess.Popen([os.environ.get("CDCRT_BINARY", os.path.join(PROJECT, "build", "release", "bin", "cdcrt")), "--manifest", manifest],
                                       stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=self.folder)
            deadline, size, quiet = time.monotonic() + 60, 0, time.monotonic()
            while process.poll() is None:
                time.sleep(0.02)
                now = os.path.getsize(log)
                if now != size:
                    size, quiet = now, time.monotonic()
                # A table that stopped is waited for; the others are through by now.
                if time.monotonic() > deadline or (time.monotonic() - quiet > 1.5 and self.waits(log, begin)):
                    process.send_signal(signal.SIGTERM)
                    process.wait(20)
        return process.returncode, text_from(log, begin)

    @staticmethod
    def waits(log, begin):
        return re.search("detached", text_from(log, begin)) is not None

    def dead_letters(self):
        path = os.path.join(self.folder, "dead_letters.jsonl")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def judge(self, code, log, lines):
        problems = []
        if code not in (0, 1, 4):
            return [f"exit {code}"]
        stopped = stopped_tables(log)
        dead = {}
        for dead_letter in self.dead_letters():
            table = dead_letter["topic"].rsplit(".", 1)[1]
            message = lines[table][dead_letter["offset"]]
            dead.setdefault(table, set()).add(message)
        rows, columns = self.database.read(self.native)
        for table, native in self.native.items():
            if table in stopped:
                continue
            if self.policy == "fail" and table in self.extra:
                problems.append(f"{table}: lacks a column and did not stop")
            changed = columns[table]["v"] != self.before[table]["v"]
            grew = self.policy == "evolve" and re.match(r"(smallint|integer|bigint|numeric|real|INT|INTEGER)", self.before[table]["v"])
            if changed and not (grew and re.match(r"(smallint|integer|bigint|numeric|double|BIGINT|INT|DECIMAL_TEXT|UNSIGNED)", columns[table]["v"])):
                problems.append(f"{table}: {self.before[table]['v']} became {columns[table]['v']} under {self.policy}")
            if ("w" in columns[table]) != (table in self.extra and self.policy in ("evolve", "add_only")):
                problems.append(f"{table}: column w under {self.policy}: {'w' in columns[table]}")
            for row, value in self.values[table].items():
                if row in dead.get(table, ()):
                    continue
                if row not in rows[table]:
                    problems.append(f"{table} ({native}): row {row} with {value!r} is missing")
                elif not same(value, rows[table][row], columns[table]["v"] if changed else native):
                    problems.append(f"{table} ({native}): row {row} holds {rows[table][row]!r} for {value!r}")
        return problems

    def run(self):
        halves = self.make()
        lines = {table: {} for table in self.native}
        for line in halves[0] + halves[1]:
            message = json.loads(line)
            key = json.loads(message["key"])
            lines[message["topic"].rsplit(".", 1)[1]][message["offset"]] = key.get("payload", key)["id"]
        self.before = self.database.read(self.native)[1]
        log = ""
        for half in (0, 1):
            with open(os.path.join(self.folder, "events.jsonl"), "a", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in halves[half])
            code, text = self.run_program()
            log += text
        return self.judge(code, log, lines)


def run_seeds(target, first, count, keep=False):
    """The seeds that failed, with what is wrong."""
    failed = {}
    for number in range(first, first + count):
        folder = tempfile.mkdtemp(prefix=f"adopted-{target}-{number}-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        seed = Seed(number, target, folder)
        problems = seed.run()
        if problems:
            failed[number] = problems
            print(f"{target} seed {number} ({seed.policy}): " + "; ".join(problems), flush=True)
        if not (problems and keep):
            seed.database.drop()
            shutil.rmtree(folder)
        else:
            print("kept in", folder)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--target", choices=["postgresql", "sqlite"], action="append")
    parser.add_argument("--keep", action="store_true", help="keep folder and database of a seed that fails")
    options = parser.parse_args()
    began = time.monotonic()
    failed = {}
    for target in options.target or ["postgresql", "sqlite"]:
        failed.update(run_seeds(target, options.first, options.seeds, options.keep))
    print(f"{options.seeds} seeds in {time.monotonic() - began:.0f} s: {len(failed) or 'none'} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
