"""What statements and commits would cost on a cluster, by a clock that is not real: tests count instead of waiting."""

import threading
import time


class Latency:
    """Each session has a clock of its own; every statement moves it by `statement_ms`. COMMIT, and a statement outside of BEGIN that
    changes something, moves it by `commit_ms`, and commits queue one behind another, whoever they are of. A session begins when the
    latest of those before it stands. `sleep`: the front waits as well, until a statement has taken that long, what the backend takes included."""

    def __init__(self, statement_ms=0, commit_ms=0, sleep=False):
        self._lock, self._clocks = threading.Lock(), {}
        self._statements = self._commits = self._catalog = 0
        self._queue, self._begun = 0.0, time.monotonic()
        self.set(statement_ms, commit_ms, sleep)

    def set(self, statement_ms=0, commit_ms=0, sleep=False):
        with self._lock:
            self.statement, self.commit, self.sleep = float(statement_ms) / 1000, float(commit_ms) / 1000, bool(sleep)

    def reset(self):
        with self._lock:
            self._clocks.clear()
            self._statements = self._commits = self._catalog = 0
            self._queue, self._begun = 0.0, time.monotonic()

    def statement_of(self, session, is_commit, is_catalog):
        """Before it is run. Answers the seconds that it has to take at least; a commit has waited for them already."""
        with self._lock:
            before = self._clocks.get(session)
            if before is None:
                before = max(self._clocks.values(), default=0.0)
            if self.sleep:
                before = max(before, time.monotonic() - self._begun)
            if is_commit:
                self._commits += 1
                after = self._queue = max(before, self._queue) + self.commit
            else:
                self._statements += 1
                self._catalog += is_catalog
                after = before + self.statement
            self._clocks[session] = after
            wait = after - before if self.sleep else 0
        if is_commit and wait:  # others see what it commits once it is through the queue
            time.sleep(wait)
            wait = 0
        return wait

    def told(self):
        """statements (without COMMIT), commits, catalog (statements that read a catalog); seconds by the latest clock."""
        with self._lock:
            return {
                "statements": self._statements,
                "commits": self._commits,
                "catalog": self._catalog,
                "sessions": len(self._clocks),
                "seconds": round(max(self._clocks.values(), default=0.0), 3)
            }
