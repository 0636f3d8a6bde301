"""SERIALIZABLE databases: [D] c_serial_isolation. Transactions that ran at once must have an order, by whole tables, that gives what each has
read; the one whose statement leaves no such order ends with 1023. Readers count too. SNAPSHOT databases (the default of new ones) do without
this: there the backend's own conflicts of rows are all. Views count for nothing here."""

import itertools
import threading

from redshift.errors import conflict
from redshift.names import literal

TABLE = ("select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass({name}) and c.relkind = 'r' "
         "and c.relpersistence = 'p' and n.nspname not in ('pg_catalog', 'information_schema', 'redshift_front')")


class Transaction:
    def __init__(self, number, snapshot):
        self.number, self.snapshot, self.committed, self.reads, self.writes = number, snapshot, None, set(), set()


class History:
    """The transactions of one database, as far as a later one can be concurrent with them. `commits` counts commits: a snapshot is that
    count, and what was committed later is not in it."""

    def __init__(self):
        self._lock, self._numbers, self._commits, self._transactions = threading.Lock(), itertools.count(1), 0, {}

    def begin(self):
        with self._lock:
            transaction = Transaction(next(self._numbers), self._commits)
            self._transactions[transaction.number] = transaction
            return transaction

    def touch(self, transaction, reads, writes):
        with self._lock:
            transaction.reads |= reads
            transaction.writes |= writes
            if self._on_cycle(transaction):
                del self._transactions[transaction.number]
                raise conflict()

    def end(self, transaction, committed):
        with self._lock:
            if transaction.number not in self._transactions:
                return
            if committed and (transaction.reads or transaction.writes):
                self._commits += 1
                transaction.committed = self._commits
            else:
                del self._transactions[transaction.number]
            oldest = min((each.snapshot for each in self._transactions.values() if each.committed is None), default=self._commits)
            for each in [each for each in self._transactions.values() if each.committed is not None and each.committed <= oldest]:
                del self._transactions[each.number]

    def _on_cycle(self, transaction):
        waiting, seen = [transaction], set()
        while waiting:
            current = waiting.pop()
            for other in self._transactions.values():
                if other is current or not precedes(current, other):
                    continue
                if other is transaction:
                    return True
                if other.number not in seen:
                    seen.add(other.number)
                    waiting.append(other)
        return False


def precedes(first, second):
    """Whether what the two have read and written is right only when `first` comes before `second`."""
    if first.reads & second.writes and (second.committed is None or second.committed > first.snapshot):
        return True  # first has read what was there before second's change
    if first.committed is None:
        return False
    if first.committed <= second.snapshot:
        return bool(first.writes & (second.reads | second.writes) or first.reads & second.writes)
    return bool(first.writes & second.writes) and (second.committed is None or second.committed > first.committed)


class Isolation:
    """One session's part. Every method does nothing where `history` is None: a SNAPSHOT database."""

    def __init__(self, history, backend):
        self.history, self.backend, self.transaction = history, backend, None

    def snapshot(self):
        if self.history is not None and self.transaction is None:
            self.transaction = self.history.begin()

    def touch(self, reads, writes):
        """`reads`, `writes`: backend's texts of tables' names."""
        if self.history is None:
            return
        self.snapshot()
        known = {name: {row[0] for row in self.backend.rows(TABLE.format(name=literal(name)))} for name in {*reads, *writes}}
        gathered = [set().union(*(known[name] for name in names)) for names in (reads, writes)]
        self.history.touch(self.transaction, *gathered)

    def end(self, committed):
        if self.transaction is not None:
            self.history.end(self.transaction, committed)
            self.transaction = None
