"""What database, broker and machine do while a contender runs."""

from live import usage
from live.round_trips import RoundTrips


class Meter:
    """Counts from its construction on; `taken` may be asked again and again, until `close`."""

    def __init__(self, kafka, postgresql):
        self.kafka, self.postgresql = kafka, postgresql
        self.round_trips = RoundTrips(postgresql.port)
        self.before = self._counters()

    def _counters(self):
        busy, steal = usage.machine()
        # The next number that a transaction gets that writes; those that only read get none.
        written = int(self.postgresql.value("postgres", "select pg_snapshot_xmax(pg_current_snapshot())"))
        return {"database_cpu_seconds": usage.cpu_with_children(self.postgresql.pid), "broker_cpu_seconds": usage.cpu(self.kafka.pid),
                "machine_cpu_seconds": busy, "steal_seconds": steal, "commits": written}

    def taken(self):
        """CPU seconds of database, broker and the whole machine, steal; commits that wrote something; round trips to the database
        (None: unknown)."""
        now = self._counters()
        return {**{name: round(now[name] - self.before[name], 3) for name in now}, "round_trips": self.round_trips.count()}

    def close(self):
        self.round_trips.close()
