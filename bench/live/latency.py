"""From the moment an event is handed to a producer to the moment its row is committed (track_commit_timestamp), one clock; and what that
takes: CPU, how often threads are woken, commits."""

import os
import subprocess
import time

from lab.process import wait_until, wakeups
from live import usage

TOPIC = "probe.shop.probe"
WARM = (1000, 8)  # events a second, seconds
QUERY = """select count(*), %s from (select (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1e6 - sent) / 1000 as ms
           from shop.probe where id >= %d and id < %d) as l"""
PARTS = (0.5, 0.9, 0.99)
REST = 10  # seconds


def measure(contender, build, kafka, postgresql, database, rates, first_id):
    """Percentiles for each (rate, seconds) of `rates`; the contender runs all the while, warmed up. Answers (results, next free id)."""
    postgresql.create(database)
    postgresql.sql(database, "create schema shop")
    contender.begin([TOPIC], postgresql, database)
    results = []
    try:
        for number, (rate, seconds) in enumerate([WARM, *rates]):
            next_id = first_id + rate * seconds
            before = taken(contender, postgresql, database)
            subprocess.run([os.path.join(build, "bin", "probe_events"), kafka.brokers, TOPIC, str(rate), str(seconds), str(first_id)], check=True)
            wait_until(lambda: arrived(postgresql, database, first_id, next_id) == rate * seconds, 120,
                       lambda: f"{contender.name}: {arrived(postgresql, database, first_id, next_id)} of {rate * seconds} rows arrived", poll=0.5)
            after = taken(contender, postgresql, database)
            if number > 0:
                parts = ", ".join(f"percentile_disc({part}) within group (order by ms)" for part in PARTS) + ", max(ms)"
                events, *moments = (float(cell) for cell in postgresql.query(database, QUERY % (parts, first_id, next_id))[0])
                results.append({"contender": contender.name, "rate": rate, "events": int(events),
                                **{f"{name}_ms": round(moment, 1) for name, moment in zip(("p50", "p90", "p99", "max"), moments)},
                                **{f"{name}_per_event": round((after[name] - before[name]) / (rate * seconds), 5) for name in after}})
            first_id = next_id
        before = wakeups(contender.pid)
        time.sleep(REST)
        results.append({"contender": contender.name, "rate": 0, "wakeups_per_second": round((wakeups(contender.pid) - before) / REST)})
    finally:
        contender.finish()
    postgresql.drop(database)
    return results, first_id


def taken(contender, postgresql, database):
    return {"wakeups": wakeups(contender.pid), "cpu_seconds": usage.cpu(contender.pid), "database_cpu_seconds": usage.cpu_with_children(postgresql.pid),
            "commits": int(postgresql.value("postgres", f"select xact_commit from pg_stat_database where datname = '{database}'"))}


def arrived(postgresql, database, first, last):
    known = postgresql.value(database, "select to_regclass('shop.probe') is not null")
    return int(postgresql.value(database, f"select count(*) from shop.probe where id >= {first} and id < {last}")) if known == "t" else 0
