"""From the moment an event is handed to a producer to the moment its row is committed (track_commit_timestamp), one clock; and what that
takes: CPU, how often threads are woken, commits, round trips."""

import contextlib
import os
import subprocess
import sys
import time

from lab.process import wait_until, wakeups
from live import usage
from live.meter import Meter

TOPIC = "probe.shop.probe"
TABLE = "create table shop.probe (id bigint not null, rate integer, sent bigint, note text, primary key (id))"
WARM = (1000, 8)  # events a second, seconds
QUERY = """select count(*), %s from (select (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1e6 - sent) / 1000 as ms
           from shop.probe where id >= %d and id < %d) as l"""
PARTS = (0.5, 0.9, 0.99)
REST = 5  # seconds
ARRIVE = 120  # seconds that the last rows may take


@contextlib.contextmanager
def busy(count):
    """A fixed load beside what is measured: processes that only compute. Tails come from it."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


class Latency:
    """Of one contender, which runs from the construction to close(), warmed up. `first_id`: the first free id of the topic; `next_id` then."""

    def __init__(self, contender, build, kafka, postgresql, database, first_id):
        self.contender, self.postgresql, self.database, self.next_id = contender, postgresql, database, first_id
        self.probe = [os.path.join(build, "bin", "probe_events"), kafka.brokers, TOPIC]
        postgresql.create(database)
        postgresql.sql(database, "create schema shop")
        contender.prepare(postgresql, database, TABLE)
        self.meter = Meter(kafka, postgresql)
        contender.begin([TOPIC], postgresql, database)
        try:
            self._send(*WARM)
        except BaseException:
            self.close()
            raise

    def measure(self, rates, busy_loops):
        """Percentiles for each (rate, seconds) of `rates` beside that many busy loops, and what rest costs."""
        with busy(busy_loops):
            results = [self._at(rate, seconds, busy_loops) for rate, seconds in rates]
            before = wakeups(self.contender.pid)
            time.sleep(REST)
            rest = {"contender": self.contender.name, "busy": busy_loops, "rate": 0, "wakeups_per_second": round((wakeups(self.contender.pid) - before) / REST)}
        return [*results, rest]

    def close(self):
        self.contender.finish()
        self.meter.close()
        self.postgresql.drop(self.database)

    def _send(self, rate, seconds):
        """Returns when the rows are there; answers the first one's id."""
        first_id, self.next_id = self.next_id, self.next_id + rate * seconds
        subprocess.run([*self.probe, str(rate), str(seconds), str(first_id)], check=True)
        wait_until(lambda: self._arrived(first_id) == rate * seconds, ARRIVE,
                   lambda: f"{self.contender.name}: {self._arrived(first_id)} of {rate * seconds} rows arrived", poll=0.5)
        return first_id

    def _at(self, rate, seconds, busy_loops):
        before = self._taken()
        first_id = self._send(rate, seconds)
        after = self._taken()
        parts = ", ".join(f"percentile_disc({part}) within group (order by ms)" for part in PARTS) + ", max(ms)"
        events, *moments = (float(cell) for cell in self.postgresql.query(self.database, QUERY % (parts, first_id, self.next_id))[0])
        took = {name: None if after[name] is None else after[name] - before[name] for name in after if name != "machine_cpu_seconds"}
        return {"contender": self.contender.name, "busy": busy_loops, "rate": rate, "events": int(events), "steal_seconds": round(took.pop("steal_seconds"), 2),
                **{f"{name}_ms": round(moment, 1) for name, moment in zip(("p50", "p90", "p99", "max"), moments)},
                **{f"{name}_per_event": None if value is None else round(value / events, 5) for name, value in took.items()}}

    def _taken(self):
        return {"wakeups": wakeups(self.contender.pid), "cpu_seconds": usage.cpu(self.contender.pid), **self.meter.taken()}

    def _arrived(self, first_id):
        known = self.postgresql.value(self.database, "select to_regclass('shop.probe') is not null")
        return int(self.postgresql.value(self.database, f"select count(*) from shop.probe where id >= {first_id}")) if known == "t" else 0
