"""Applies the events of a log one by one, in source order, under the rules that docs/architecture.md tells. No folding, no batches, no SQL."""

import collections
import dataclasses

from oracle import decode as decoding
from oracle import routes
from oracle.values import ABSENT, Misfit, Type, canonical_text, convert, learned, wider


@dataclasses.dataclass
class DeadLetter:
    topic: str
    partition: int
    offset: int
    reason: str
    table: str = ""
    message: str = ""
    moot: bool = False    # a truncate followed: whoever folds never meets the change that found no row


@dataclasses.dataclass
class Column:
    type: Type          # None: nothing but NULL was seen yet
    default: object = None


class Table:
    """One target table."""

    def __init__(self, name, route):
        self.name, self.route = name, route
        self.columns = {}              # name -> Column
        self.key = None                # names of the key's columns; None: no key
        self.rows = {}                 # key -> row (column -> Cell or None)
        self.copies = []               # rows of a table without key
        self.moved = {}                # new key -> row that was deleted under its old key
        self.open_dead_letters = set()      # keys with a dead letter that no later full change has replaced
        self.dead_letters = []

    def all_rows(self):
        return self.copies if self.key is None else list(self.rows.values())

    # ---- one event ----

    def apply(self, event):
        try:
            if self._names_another_key(event):
                self._reject(event, "key_changed")
                return
            self._learn(event)
            if event.operation == "t":
                self.rows, self.copies, self.moved = {}, [], {}
                self.dead_letters = [dataclasses.replace(dead_letter, moot=dead_letter.moot or dead_letter.reason == "row_missing")
                                     for dead_letter in self.dead_letters]
            elif self.key is None:
                self._apply_without_key(event)
            else:
                self._apply_by_key(event)
        except Misfit as error:
            key = self._key_of(event)
            if key is not None:
                self.open_dead_letters.add(key)
            self._reject(event, "value_refused", str(error))

    def _names_another_key(self, event):
        """One message is a record's fault. A key change that lasts stops the table, of which this knows nothing."""
        if self.key is None or self.route.primary_key or not event.key:
            return False
        return [self._target(name) for name in event.key] != self.key

    def _reject(self, event, reason, message=""):
        self.dead_letters.append(DeadLetter(event.topic, event.partition, event.offset, reason, self.name, message))

    # ---- rules 1, 2, 8: what the table looks like ----

    def _learn(self, event):
        if event.columns is not None:
            declared = {self._target(name): self._declared(name, column) for name, column in event.columns.items()
                        if not self.route.rule(name).get("exclude")}
            for name in [name for name in self.columns if name not in declared]:
                self._drop(name)
            for name, column in declared.items():
                self._have(name, column.type, column.default)
        if self.key is None:
            names = self.route.primary_key or (list(event.key) if event.key else None)
            if names:
                self.key = [self._target(name) for name in names]
        for row in (event.before, event.after):
            self._learn_from(row, event.columns is None)

    def _declared(self, name, column):
        return Column(routes.rule_type(self.route.rule(name)) or column.type, column.default)

    def _target(self, name):
        return self.route.rule(name).get("rename", name)

    def _learn_from(self, row, schemaless):
        if not schemaless:
            return
        for name, cell in (row or {}).items():
            rule = self.route.rule(name)
            if cell is None or cell is ABSENT or rule.get("exclude"):
                continue
            self._have(self._target(name), routes.rule_type(rule) or learned(cell), None)

    def _have(self, name, type_, default):
        if name not in self.columns:
            self.columns[name] = Column(type_, default)
            for row in self.all_rows():
                row[name] = convert(default, type_)
            return
        column = self.columns[name]
        changed = wider(column.type, type_)
        if changed != column.type:
            for row in self.all_rows():
                row[name] = convert(row.get(name), changed)
            column.type = changed

    def _drop(self, name):
        del self.columns[name]
        for row in self.all_rows() + list(self.moved.values()):
            row.pop(name, None)

    # ---- cells ----

    def _cells(self, row):
        """The row of an event as cells of the target's columns; ABSENT ones are left out."""
        cells = {}
        for name, cell in row.items():
            rule = self.route.rule(name)
            if rule.get("exclude") or cell is ABSENT:
                continue
            cell = routes.apply_rule(cell, rule)
            target = self._target(name)
            if target in self.columns:
                cells[target] = convert(cell, self.columns[target].type)
        return cells

    def _key_from(self, row):
        if row is None:
            return None
        cells = {self._target(name): cell for name, cell in row.items()}
        if any(cells.get(name) is None or cells[name] is ABSENT for name in self.key):
            return None
        return tuple(canonical_text(self._key_cell(name, cells[name])) for name in self.key)

    def _key_cell(self, name, cell):
        return convert(cell, self.columns[name].type) if name in self.columns else cell

    def _key_of(self, event):
        if self.key is None:
            return None
        if self.route.primary_key:
            return self._key_from(event.after if event.operation != "d" else event.before)
        return self._key_from(event.key)

    # ---- rules 3 to 5 ----

    def _apply_by_key(self, event):
        key = self._key_of(event)
        if key is None:
            return self._reject(event, "key_missing")
        if event.operation == "d":
            if self.route.deletes == "apply":
                self._delete(event, key)
            return None
        old = self._key_from(event.before)
        if old is not None and old != key:  # a key change inside one event
            moving = self.rows.pop(old, None)
            if moving is not None:
                # The new row has what the event names; a column that the source dropped is none of it, as where the change comes as two events.
                named = {self._target(name) for name in event.after}
                self.rows[key] = {**self._defaults(), **{name: cell for name, cell in moving.items() if name in named}, **self._cells(event.after)}
        partial = any(cell is ABSENT for cell in event.after.values())
        if partial:
            return self._merge(event, key)
        self.moved.pop(key, None)
        cells = self._cells(event.after)
        self.rows[key] = {**(self.rows.get(key) or self._defaults()), **cells}
        self.open_dead_letters.discard(key)
        return None

    def _delete(self, event, key):
        row = self.rows.pop(key, None)
        self.open_dead_letters.discard(key)
        if event.new_key is not None and row is not None:
            self.moved[self._key_from(event.new_key)] = row

    def _merge(self, event, key):
        cells = self._cells(event.after)
        if event.old_key is not None and key in self.moved:
            self.rows[key] = {**self.moved.pop(key), **cells}
            return
        if key not in self.rows or key in self.open_dead_letters:
            self._reject(event, "row_missing" if key not in self.rows else "earlier_dead_letter")
            self.open_dead_letters.add(key)
            return
        self.rows[key].update(cells)

    def _defaults(self):
        return {name: convert(column.default, column.type) for name, column in self.columns.items()}

    # ---- rule 6 ----

    def _apply_without_key(self, event):
        if event.operation in ("r", "c"):
            self.copies.append({**self._defaults(), **self._cells(event.after)})
            return
        if event.before is None or ABSENT in event.before.values():
            self._reject(event, "before_image_missing")
            return
        image = self._cells(event.before)
        for index, row in enumerate(self.copies):
            if all(canonical_text(row.get(name)) == canonical_text(cell) for name, cell in image.items()):
                del self.copies[index]
                if event.operation == "u":
                    self.copies.append({**row, **self._cells(event.after)})
                return
        self._reject(event, "row_missing")


def in_source_order(events):
    """Events of one table, merged: within a partition as they stand, between partitions by source order (rules 2, 5, 7).

    An event without an order has the last one of its partition. At equal order the delete of a key change comes first."""
    partitions = collections.defaultdict(list)
    for event in events:
        queue = partitions[event.topic, event.partition]
        last = queue[-1][0] if queue else ()
        queue.append((max(last, event.source_order or ()), event))
    heads = {place: 0 for place in partitions}
    while heads:
        def rank(place):
            order, event = partitions[place][heads[place]]
            return order, event.new_key is None, place
        place = min(heads, key=rank)
        yield partitions[place][heads[place]][1]
        heads[place] += 1
        if heads[place] == len(partitions[place]):
            del heads[place]


def interpret(messages, manifest):
    """(tables by target name, dead letters) of a log. `messages`: any order between partitions, offsets ascending in each."""
    dead_letters, events = [], collections.defaultdict(list)
    for message in messages:
        if not manifest.reads(message["topic"]):
            continue
        try:
            event = decoding.decode(message)
        except decoding.BadRecord as error:
            dead_letters.append(DeadLetter(message["topic"], message["partition"], message["offset"], "undecodable", "", str(error)))
            continue
        if event is not None:
            events[event.table].append(event)
    tables = {}
    for source, of_table in events.items():
        route = manifest.route(source)
        if route is None:
            continue
        name = routes.target_name(route, source)
        table = tables.setdefault(name, Table(name, route))
        for event in in_source_order(of_table):
            table.apply(event)
        dead_letters += table.dead_letters
    return tables, dead_letters
