"""Generated events in a broker, and the rows that they must end in."""

import collections
import os
import shutil
import subprocess
import sys
import tomllib

from live import PROJECT

PARTITIONS = 4
COMPRESSIONS = ("none", "lz4", "zstd", "snappy", "gzip")
Workload = collections.namedtuple("Workload", "part words about")
WORKLOADS = {  # `part`: of the events asked for, since theirs are larger, or harder for someone
    "mixed": Workload(1, (), "half inserts, updates, deletes"),
    "insert": Workload(1, ("--workload", "insert"), "95 % inserts"),
    "hot": Workload(1, ("--workload", "hot"), "98 % updates, nine of ten of them of ten rows a table"),
    "load": Workload(1, ("--workload", "load"), "a first load: reads of a snapshot"),
    "toast": Workload(1 / 4, ("--workload", "toast"), "a column of 8 kB, which one update in ten changes and the others do not carry"),
    "wide": Workload(1 / 50, ("--workload", "wide"), "300 columns"),
    "many": Workload(1 / 5, ("--tables", "1000", "--topic", "bench.shop.many"), "1,000 tables in one topic"),
}
# The kinds of generated columns.
TYPES = {"int64": "bigint", "int32": "integer", "float64": "double precision", "bool": "boolean", "string": "text", "decimal": "numeric(12,2)",
         "timestamp": "timestamp(6)", "timestamptz": "timestamp(6) with time zone"}
AT_ONCE = 50  # tables in one query
TOLD = 1000   # characters of what differs


class Load:
    """Produces the events of a workload once for each of `compressions`: the construction returns when the broker has them all."""

    def __init__(self, kafka, build, work, events, workload="mixed", schemas=True, seed=1, compressions=("none",)):
        shape = WORKLOADS[workload]
        self.kafka, self.workload, self.events = kafka, workload, max(1, round(events * shape.part))
        self.expected = os.path.join(work, f"expected-{workload}")
        pieces = os.path.join(work, "pieces")
        subprocess.run([os.path.join(build, "bin", "generate_events"), "--events", str(self.events), "--seed", str(seed), "--pieces", pieces,
                        "--expected", self.expected, *shape.words, *([] if schemas else ["--no-schemas"])], check=True)
        self.tables = self.types_told()
        self.compressions, self.names = compressions, sorted({name.rpartition("-")[0] for name in os.listdir(pieces)})
        for compression in compressions:
            for name, topic in zip(self.names, self.topics(compression)):
                kafka.create_topic(topic, PARTITIONS)
                for partition in range(PARTITIONS):
                    kafka.produce_file(topic, os.path.join(pieces, f"{name}-{partition}"), partition, properties={"compression.codec": compression})
        shutil.rmtree(pieces)
        self.sums = None

    def types_told(self):
        """Table -> column -> kind, as the generator tells them."""
        with open(os.path.join(self.expected, "types.toml"), "rb") as file:
            return {name: of["columns"] for name, of in tomllib.load(file).items()}

    def topics(self, compression="none"):
        return tuple(f"{self.workload}-{compression}.{name.partition('.')[2]}" for name in self.names)

    def forget(self):
        """Its topics are deleted."""
        for compression in self.compressions:
            for topic in self.topics(compression):
                self.kafka.delete_topic(topic)

    def create_tables(self):
        """SQL that creates the tables in schema shop."""
        return "\n".join(f"create table {table} ({', '.join(f'{name} {TYPES[kind]}' for name, kind in columns.items())}, primary key (id));"
                         for table, columns in self.tables.items())

    def differences(self, postgresql, database):
        """What differs between the tables in schema shop and the generator's state; empty: nothing. Rows are compared by their number and two
        sums of 64-bit hashes of each row's text in PostgreSQL; the oracle tells which ones where those differ."""
        if self.sums is None:
            self.sums = self._expected_sums(postgresql)
        there = {row[0] for row in postgresql.query(database, "select 'shop.' || table_name from information_schema.tables where table_schema = 'shop'")}
        try:
            found = self._sums(postgresql, database, [table for table in self.tables if table in there])
        except subprocess.CalledProcessError:  # a column is missing, or cannot be read as its type
            found = {}
        wrong = [table for table, rows in self.sums.items() if found.get(table, ["0", "0", "0"]) != rows]
        return f"{', '.join(wrong[:10])} differ; {self._told(postgresql, database)}" if wrong else ""

    def _expected_sums(self, postgresql):
        database = f"expected_{self.workload}"
        postgresql.create(database)
        copies = "\n".join(f"\\copy {table} from '{os.path.join(self.expected, table)}.csv' with (format csv, header, null '\\N')" for table in self.tables)
        postgresql.sql(database, f"create schema shop;\n{self.create_tables()}\n{copies}\n")
        sums = self._sums(postgresql, database, list(self.tables))
        postgresql.drop(database)
        return sums

    def _sums(self, postgresql, database, tables):
        sums = {}
        for first in range(0, len(tables), AT_ONCE):
            query = " union all ".join(
                f"select '{table}', count(*), sum(hashtextextended(r::text, 0)::numeric), sum(hashtextextended(r::text, 1)::numeric) from (select "
                + ", ".join(f"{name}::{TYPES[kind]}" for name, kind in self.tables[table].items()) + f" from {table}) r"
                for table in tables[first:first + AT_ONCE])
            sums.update({table: [cell or "0" for cell in cells] for table, *cells in postgresql.query(database, query)})
        return sums

    def _told(self, postgresql, database):
        compare = os.path.join(PROJECT, "tests", "oracle", "compare.py")
        done = subprocess.run([sys.executable, compare, "--expected", self.expected, "--target", "postgresql:" + postgresql.connection(database)],
                              capture_output=True, text=True, check=False)
        return (done.stdout + done.stderr)[:TOLD]
