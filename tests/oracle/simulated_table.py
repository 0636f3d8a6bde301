"""A simulated source table: its rows as they are, and the events of each change, as Debezium's PostgreSQL connector writes them."""

import dataclasses
import json

from oracle import canonical
from oracle.columns import KINDS, PLAIN, PLAIN_EVOLUTIONS, WITH_SCHEMA

UNAVAILABLE = "__debezium_unavailable_value"
UNKNOWN = object()     # the events do not tell this cell
UNCHANGED = object()   # written as the placeholder


SOURCE = {"type": "struct", "optional": False, "name": "io.debezium.connector.postgresql.Source", "version": 1, "field": "source",
          "fields": [{"type": kind, "optional": True, "field": name}
                     for name, kind in (("version", "string"), ("connector", "string"), ("name", "string"), ("ts_ms", "int64"),
                                        ("snapshot", "string"), ("db", "string"), ("sequence", "string"), ("schema", "string"),
                                        ("table", "string"), ("txId", "int64"), ("lsn", "int64"), ("xmin", "int64"))]}


@dataclasses.dataclass
class Column:
    name: str
    kind: object
    nullable: bool = True
    toast: bool = False
    default: object = None       # constant default
    moment: bool = False         # default now(): events say 1970


@dataclasses.dataclass
class Row:
    cells: dict                  # name -> value, None or UNKNOWN
    moved: bool = False          # it changed its key before
    seen: bool = True            # False: existed before the log began and no event has told the whole row


class Table:
    def __init__(self, log, name, random):
        self.log, self.name, self.random = log, name, random
        self.partitions = random.choice([1, 2, 2, 3, 4])
        self.shape_kind = random.choice(["int", "int", "text", "pair", "none", "none_append"])
        keys = {"int": [("id", "int64")], "text": [("code", "text_key")], "pair": [("a", "int32"), ("b", "text_key")]}.get(self.shape_kind, [])
        self.key = [name for name, _ in keys]
        self.identity_full = self.shape_kind == "none" or random.random() < 0.15
        if self.shape_kind == "none":
            self.partitions = 1
        self.columns = [Column(name, KINDS["text" if kind == "text_key" else kind], nullable=False) for name, kind in keys]
        self.rows, self.copies = {}, []
        self.serial, self.dropped = 0, []
        self.schema_text = None
        self.altered = set()  # names of columns that were dropped or changed their type
        self.misses = False  # a change of a row that is not there was written
        self.odd, self.odd_in_a_row = 0, None  # messages that name another key; None: nothing has told the key yet
        for _ in range(random.randint(1, 3)):
            self.columns.append(self.new_column())
        if not self.identity_full and self.key and random.random() < 0.6:
            self.columns.append(Column("doc", KINDS["text"], toast=True))

    # ---- columns ----

    def new_column(self):
        kind = self.random.choice(PLAIN if self.log.plain else WITH_SCHEMA)
        self.serial += 1
        return Column(f"c{self.serial}_{kind.name}", kind)

    def schema(self):
        """The part of the message that tells the types; cached until the shape changes."""
        if self.log.plain:
            return None
        if self.schema_text is None:
            self.schema_text = self.write_schema()
        return self.schema_text

    def write_schema(self):
        fields = [self.field(column) for column in self.columns]
        row = {"type": "struct", "fields": fields, "optional": True, "name": f"rnd.public.{self.name}.Value"}
        envelope = {"type": "struct", "fields": [{**row, "field": "before"}, {**row, "field": "after"},
                                                 SOURCE, {"type": "string", "optional": False, "field": "op"}],
                    "optional": False, "name": f"rnd.public.{self.name}.Envelope", "version": 2}
        return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def field(column):
        field = {**column.kind.field, "optional": column.nullable}
        if column.default is not None:
            field["default"] = column.kind.encode(column.default)
        elif column.moment:
            field["default"] = "1970-01-01T00:00:00.000000Z" if column.kind.name == "zoned" else 0
        return {**field, "field": column.name}

    def encode(self, column, value):
        if value is None:
            return None
        if value is UNCHANGED:
            return UNAVAILABLE
        return (column.kind.encode_plain if self.log.plain else column.kind.encode)(value)

    def image(self, cells):
        return {column.name: self.encode(column, cells[column.name]) for column in self.columns}

    # ---- values ----

    def value(self, column):
        if column.nullable and column.default is None and not column.moment and self.random.random() < 0.2:
            return None
        if column.toast:
            return "".join(self.random.choice("abc日") for _ in range(20))
        return column.kind.value(self.random)

    def key_value(self):
        return tuple(self.random.randint(1, 12) if name in ("id", "a") else self.random.choice(["x", "y", "Z é", 'q"'])
                     + str(self.random.randint(0, 3)) for name in self.key)

    def new_cells(self, key):
        cells = {column.name: self.value(column) for column in self.columns}
        cells.update(zip(self.key, key))
        return cells

    # ---- steps ----

    def step(self):
        if self.shape_kind == "none_append":
            return self.append() if self.random.random() < 0.95 else self.truncate()
        if self.shape_kind == "none":
            steps = [(self.append, 5), (self.change_copy, 4), (self.delete_copy, 2), (self.truncate, 0.2)]
            if not self.log.plain and not self.log.whole:
                steps.append((self.change_nothing, 0.6))
            return self.random.choices([step for step, _ in steps], [weight for _, weight in steps])[0]()
        steps = [(self.insert, 35), (self.update, 40), (self.delete, 12), (self.change_key, 7), (self.reborn, 3), (self.reread, 3),
                 (self.truncate, 0.8), (self.name_another_key, 5)]
        return self.random.choices([step for step, _ in steps], [weight for _, weight in steps])[0]()

    def append(self, whole=False):
        cells = self.filled(self.new_cells(())) if whole else self.new_cells(())
        self.copies.append(cells)
        self.write("c", None, None, cells)

    def filled(self, cells):
        """Without schema only a value shows a column."""
        for column in self.columns:
            while cells[column.name] is None:
                cells[column.name] = self.value(column)
        return cells

    def change_nothing(self):
        """A change of a row that no event told of: a dead letter, whatever comes to look like it later."""
        cells = self.new_cells(())
        if any(copy == cells or UNKNOWN in copy.values() for copy in self.copies):
            return self.append()
        operation = self.random.choice("ud")
        after = self.random.choice([cells, self.new_cells(())]) if operation == "u" else None
        self.misses = True
        self.log.dead_letters.append(self.write(operation, None, cells, after))
        if self.random.random() < 0.6:
            self.copies.append(dict(cells))
            self.write("c", None, None, cells)
        return None

    def pick_copy(self):
        """Place of a copy that an event can name: none of its cells is unknown."""
        able = [place for place, cells in enumerate(self.copies) if UNKNOWN not in cells.values()]
        return self.random.choice(able) if able else None

    def change_copy(self):
        place = self.pick_copy()
        if place is None:
            return self.append()
        before = self.copies[place]
        after = {**before, **{column.name: self.value(column) for column in self.columns if self.random.random() < 0.5}}
        self.copies[place] = after
        return self.write("u", None, before, after)

    def delete_copy(self):
        place = self.pick_copy()
        if place is None:
            return self.append()
        before = self.copies.pop(place)
        return self.write("d", None, before, None)

    def insert(self):
        free = [key for key in (self.key_value() for _ in range(5)) if key not in self.rows]
        if not free:
            return self.update()
        key = free[0]
        self.rows[key] = Row(self.new_cells(key))
        return self.write("c", key, None, self.rows[key].cells)

    def pick(self):
        return self.random.choice(list(self.rows)) if self.rows else None

    def update(self):
        key = self.pick()
        if key is None:
            return self.insert()
        row = self.rows[key]
        before = dict(row.cells) if self.identity_full and UNKNOWN not in row.cells.values() else None
        written = self.rewrite(row)
        return self.write("u", key, before, written, row)

    def rewrite(self, row):
        """Changes some cells; the image of the event, with UNCHANGED where PostgreSQL does not send a TOAST value."""
        written = {}
        for column in self.columns:
            changes = column.name not in self.key and (self.random.random() < 0.4 or row.cells[column.name] is UNKNOWN)
            if changes:
                row.cells[column.name] = self.value(column)
            keeps = column.toast and not changes and row.cells[column.name] is not None
            written[column.name] = UNCHANGED if keeps else row.cells[column.name]
        return written

    def delete(self):
        key = self.pick()
        if key is None:
            return self.insert()
        self.write_delete(key, self.rows.pop(key))
        return None

    def write_delete(self, key, row, headers=()):
        full = self.identity_full and UNKNOWN not in row.cells.values()
        before = row.cells if full else {column.name: None for column in self.columns} | dict(zip(self.key, key))
        self.write("d", key, before, None, None, headers)
        self.log.tombstone(self, key, headers)

    def reborn(self):
        key = self.pick()
        if key is None:
            return self.insert()
        self.write_delete(key, self.rows.pop(key))
        self.rows[key] = Row(self.new_cells(key))
        return self.write("c", key, None, self.rows[key].cells)

    def change_key(self):
        old, new = self.pick(), self.key_value()
        # A row that moves twice while a partition lags, and lacks a cell both times, is not followed.
        if old is None or new in self.rows or (self.rows[old].moved and self.partitions > 1):
            return self.insert()
        row = self.rows.pop(old)
        row.moved = True
        if self.identity_full and self.partitions == 1 and row.seen and UNKNOWN not in row.cells.values():
            before = dict(row.cells)  # as one event
            row.cells.update(zip(self.key, new))
            self.rows[new] = row
            return self.write("u", new, before, self.rewrite(row), row)
        self.write_delete(old, row, ["__debezium.newkey", self.key_text(new)])
        row.cells.update(zip(self.key, new))
        written = self.rewrite(row)
        if self.log.whole or (self.partitions > 1 and not self.log.wild):
            written = dict(row.cells)
        self.rows[new] = row
        return self.write("c", new, None, written, row, ["__debezium.oldkey", self.key_text(old)], same_moment=True)

    def reread(self):
        """An incremental snapshot's read of a row."""
        key = self.pick()
        if key is None or not self.rows[key].seen or UNKNOWN in self.rows[key].cells.values():
            return self.insert()
        return self.write("r", key, None, self.rows[key].cells, incremental=True)

    def name_another_key(self):
        """A message that is none of this table's (a producer's mistake): a dead letter, and nothing is learned of it. Where a partition
        lags it might be read first, and stand for the table's key."""
        able = [column for column in self.columns if column.kind.name in ("int32", "int64", "text") and not column.toast and [column.name] != self.key]
        if self.partitions > 1 or self.odd_in_a_row is None or self.odd_in_a_row >= 3 or not able:
            return self.insert()
        self.odd += 1
        self.odd_in_a_row += 1
        key = tuple(1000 + self.odd if name in ("id", "a") else f"odd{self.odd}" for name in self.key)
        named = self.random.choice(able)
        cells = self.new_cells(key)
        while cells[named.name] is None:
            cells[named.name] = self.value(named)
        self.log.dead_letters.append(self.log.event(self, "c", key, None, self.image(cells), (), False, False, other_key=(named, cells[named.name])))
        return None

    def truncate(self):
        self.rows, self.copies = {}, []
        self.write("t", None, None, None)

    # ---- shape changes, each announced by the insert that follows ----

    def evolve(self):
        self.random.choice([self.add, self.add, self.drop, self.change_type, self.change_type])()
        self.schema_text = None
        return self.append(whole=True) if not self.key else self.insert_somewhere()

    def insert_somewhere(self):
        key = next((key for key in (self.key_value() for _ in range(50)) if key not in self.rows), None)
        if key is None:
            key = self.pick()
            self.write_delete(key, self.rows.pop(key))
        cells = self.filled(self.new_cells(key))
        self.rows[key] = Row(cells)
        return self.write("c", key, None, cells)

    def add(self):
        # An image that was not there, and lacks the column, may look like a row that has it, in the batch that has both.
        if self.misses:
            return
        column = self.new_column()
        # The name comes back, as another column. Where partitions lag, its absence in between may be seen too late.
        if self.dropped and not self.log.plain and self.partitions == 1 and self.random.random() < 0.3:
            column.name = self.dropped.pop()
        draw = self.random.random()
        fill = None
        if draw < 0.4:
            column.default = fill = column.kind.value(self.random)
            if column.kind.canonical in ("date", "timestamp", "timestamptz") and fill == 0:
                column.default = fill = column.kind.value(self.random) or 1
            if self.log.plain:
                fill = UNKNOWN
        elif draw < 0.6 and column.kind.name in ("date", "timestamp", "zoned"):
            column.moment, fill = True, UNKNOWN
        self.columns.append(column)
        for cells in self.all_cells():
            cells[column.name] = fill

    def drop(self):
        old = [column for column in self.columns if column.name not in self.key and not column.toast]
        # A row without key is found by its whole image: what a schemaless event does not name cannot be kept through an update.
        # Without that column an image that was not there may look like another row, in the batch that has both.
        if len(old) > 1 and (self.key or not self.log.plain) and not self.misses:
            column = self.random.choice(old)
            self.columns.remove(column)
            self.dropped.append(column.name)
            self.altered.add(column.name)
            for cells in self.all_cells():
                del cells[column.name]

    def change_type(self):
        able = [column for column in self.columns if column.name not in self.key and self.evolutions(column)]
        if not able:
            return
        column = self.random.choice(able)
        name = self.random.choice(self.evolutions(column))
        convert = column.kind.evolves[name]
        for cells in self.all_cells():
            if cells[column.name] is not None and cells[column.name] is not UNKNOWN:
                cells[column.name] = convert(cells[column.name])
        if column.default is not None:
            column.default = convert(column.default)
        column.kind = KINDS[name]
        self.altered.add(column.name)

    def evolutions(self, column):
        # A row without key is found by its whole image, in SQLite by texts: an array stays the JSON that it came as, and a time that
        # became an interval has hours, where the source now sends seconds.
        if not self.key and (column.kind.canonical.startswith("array") or column.kind.name == "time"):
            return []
        return [name for name in column.kind.evolves if not self.log.plain or (column.kind.name, name) in PLAIN_EVOLUTIONS]

    def all_cells(self):
        return [row.cells for row in self.rows.values()] + self.copies

    # ---- writing ----

    def key_text(self, key):
        return json.dumps(dict(zip(self.key, key)), ensure_ascii=False, separators=(",", ":"))

    def write(self, operation, key, before, after, row=None, headers=(), incremental=False, same_moment=False):
        position = self.log.event(self, operation, key, before and self.image(before), after and self.image(after), headers,
                                  incremental, same_moment)
        self.odd_in_a_row = 0 if key is not None else self.odd_in_a_row
        if row is None or after is None:
            return position
        if UNCHANGED not in after.values():
            row.seen = True
        elif not row.seen:
            self.log.dead_letters.append(position)
        return position

    def state(self):
        """What the source holds: canonical rows; None for a cell or a row that the events do not tell."""
        kinds = {column.name: column.kind.canonical for column in self.columns}
        def text(name, value):
            return "unknown" if value is UNKNOWN else canonical.text_of(kinds[name], value)
        def told(cells):
            return {name: text(name, value) for name, value in cells.items()}
        return {"key": self.key, "columns": kinds, "rows": [told(row.cells) for row in self.rows.values() if row.seen] + [told(c) for c in self.copies],
                "missing": [[text(name, row.cells[name]) for name in self.key] for row in self.rows.values() if not row.seen]}
