"""A random concurrent workload on the tables of chain_tables.py: what each connection says repeats by seed, how they meet does not."""

import random
import threading

from integration import chain_tables as tables

NEVER = 1 << 60


class Side:
    """One source database with its tables, as the workload and the comparison see it."""

    def __init__(self, name, server, all_tables, changes, marker, insert):
        self.name, self.server, self.tables, self.changes, self.marker = name, server, all_tables, list(changes), marker
        self.insert = insert  # statement head and tail of an insert that leaves existing keys alone
        self.columns = {table.name: list(table.columns) for table in [*all_tables, marker]}  # of now: the evolving table's change

    def create(self):
        statements = []
        if self.name == "postgresql":
            statements.append("create type mood as enum ('sad', 'ok', 'happy')")
        for table in [*self.tables, self.marker]:
            columns = [f"{column.name} {column.type}" for column in table.columns]
            if table.key:
                columns.append(f"primary key ({', '.join(table.key)})")
            tail = " " + table.options if self.name == "mariadb" else ""
            statements.append(f"create table {table.name} ({', '.join(columns)}){tail}")
            if self.name == "postgresql" and table.options:
                statements.append(table.options)
        self.server.sql("shop", ";\n".join(statements) + ";")

    def change_definition(self):
        """The next change of a definition; false when all are done."""
        if not self.changes:
            return False
        statement, columns, dropped = self.changes.pop(0)
        table = statement.split()[2]
        self.server.sql("shop", statement)
        kept = {column.name: column for column in self.columns[table] if column.name not in dropped}
        kept.update({column.name: column for column in columns})
        self.columns[table] = list(kept.values())
        return True

    def mark(self, number):
        """A row that tells that all before it has arrived; each evolving table gets a last event of its last shape."""
        for table in self.tables:
            if table.evolving:
                row = ", ".join(["1000000"] + [column.values(random.Random(number)) for column in self.columns[table.name][1:]])
                names = ", ".join(column.name for column in self.columns[table.name])
                self.server.sql("shop", f"insert into {table.name} ({names}) values ({row})" if number == 1 else
                                f"update {table.name} set n = {number} where id = 1000000")
        self.server.sql("shop", f"insert into {self.marker.name} values ({number})")


def postgresql(server):
    return Side("postgresql", server, tables.P_TABLES, tables.P_CHANGES, tables.P_MARKER, ("insert into", "on conflict do nothing"))


def mariadb(server):
    return Side("mariadb", server, tables.M_TABLES, tables.M_CHANGES, tables.M_MARKER, ("insert ignore into", ""))


class Worker:
    """Statements of one connection, in pieces of a few hundred changes."""

    def __init__(self, side, seed):
        self.side, self.random = side, random.Random(f"{seed}-{side.name}")

    def piece(self, changes):
        """(about `changes` changes as text)"""
        out, left = [], changes
        while left > 0:
            statements = []
            while len(statements) < self.random.choice([1, 1, 1, 3, 10]):
                table = self.random.choice(self.side.tables)
                if table.evolving or table.truncated:
                    if statements:  # what a change of the definition breaks must not take others along
                        break
                text, count = self.statement(table)
                statements.append(text)
                left -= count
                if table.evolving or table.truncated:
                    break
            if len(statements) > 1:
                end = "rollback" if self.random.random() < 0.03 else "commit"
                statements = ["begin", *sorted(statements), end]  # sorted: fewer deadlocks
            out += statements
        return ";\n".join(out) + ";\n"

    def statement(self, table):
        chance = self.random.random()
        if table.truncated and chance < 0.01:
            return f"truncate table {table.name}", 1
        if chance < 0.40:
            return self.inserted(table)
        if chance < 0.80:
            return f"update {table.name} set {self.assignments(table)} where {self.place(table)}", 1
        if chance < 0.86 and table.key:
            return self.moved(table)
        if chance < 0.90:
            low = self.random.randint(1, table.ids)
            name = table.key[-1] if table.key else "n"
            return f"update {table.name} set {self.assignments(table, 1)} where {name} between {low} and {low + 5}", 4
        return f"delete from {table.name} where {self.place(table)}", 1

    def inserted(self, table):
        rows = self.random.choice([1, 1, 1, 5])
        columns = self.side.columns[table.name]
        values = []
        for _ in range(rows):
            key = dict(zip(table.key, self.key(table)))
            values.append("(" + ", ".join(key[column.name] if column.name in key else self.value(column) for column in columns) + ")")
        head, tail = self.side.insert
        names = ", ".join(column.name for column in columns)
        return f"{head} {table.name} ({names}) values {', '.join(values)} {tail}", rows

    def key(self, table):
        number = str(self.random.randint(1, table.ids))
        return [number] if len(table.key) == 1 else [f"'c{self.random.randrange(4)}é'", number] if table.key else []

    def place(self, table):
        if not table.key:
            return f"n = {self.random.randint(1, table.ids)}"
        return " and ".join(f"{name} = {value}" for name, value in zip(table.key, self.key(table)))

    def moved(self, table):
        """A change of the key; it fails where the new key is taken."""
        if len(table.key) == 1:
            new = self.random.randint(table.ids + 1, 2 * table.ids)  # mostly free
            return f"update {table.name} set id = {new} where {self.place(table)}", 1
        return f"update {table.name} set customer = 'm{self.random.randrange(50)}', {self.assignments(table, 1)} where {self.place(table)}", 1

    def assignments(self, table, most=4):
        columns = [column for column in self.side.columns[table.name] if column.values is not None]
        if table.name == "bodies" and self.random.random() < 0.8:
            columns = [column for column in columns if column.name == "note"]  # the large ones stay as they are
        picked = self.random.sample(columns, min(len(columns), self.random.randint(1, most)))
        return ", ".join(f"{column.name} = {self.value(column)}" for column in picked)

    def value(self, column):
        return "null" if self.random.random() < 0.1 else column.values(self.random)


class Workload:
    """`changes` changes on each side by `connections` connections a side, in `steps` steps that `gate` lets pass.

    Definitions change while it runs, spread over the steps."""

    def __init__(self, sides, changes, seed, log, steps=40, connections=3):
        self.sides, self.steps, self.log = sides, steps, log
        self.allowed, self.turn, self.done, self.ended = 0, threading.Condition(), {}, False
        self.size = max(1, changes // steps // connections)
        self.threads = [threading.Thread(target=self._run, args=(side, f"{seed}-{number}"), daemon=True)
                        for side in sides for number in range(connections)]
        self.threads += [threading.Thread(target=self._change_definitions, args=(side,), daemon=True) for side in sides]

    def start(self):
        for thread in self.threads:
            thread.start()

    def allow(self, steps):
        """Lets it go on to that step."""
        with self.turn:
            self.allowed = steps
            self.turn.notify_all()

    def finished(self):
        return not any(thread.is_alive() for thread in self.threads)

    def stop(self):
        """Ends it where it is."""
        with self.turn:
            self.ended = True
            self.turn.notify_all()
        for thread in self.threads:
            thread.join()

    def _wait(self, step):
        with self.turn:
            self.turn.wait_for(lambda: self.allowed > step or self.ended)
        return not self.ended

    def _run(self, side, seed):
        worker = Worker(side, seed)
        with open(self.log, "ab") as log:
            client = side.server.client("shop", log)
        for step in range(self.steps):
            if not self._wait(step):
                break
            client.stdin.write(worker.piece(self.size).encode())
            client.stdin.flush()
        client.stdin.close()
        client.wait()

    def _change_definitions(self, side):
        every = max(1, self.steps // (len(side.changes) + 1))
        for step in range(every, self.steps, every):
            if not self._wait(step) or not side.change_definition():
                break
