"""Events a second into PostgreSQL and into nothing, in turns."""

import json
import os
import subprocess
import time

from live import usage
from live.load import TABLES, topics

# The moments of the first and the last commit that left a row behind: seconds since 1970.
COMMITS = "select extract(epoch from min(t)), extract(epoch from max(t)) from (" + " union all ".join(
    f"select pg_xact_commit_timestamp(xmin) as t from shop.{table}" for table in TABLES) + ") as c"


def into_postgresql(contender, load, postgresql, database, check):
    """One run into a new database, which is dropped; a dictionary of what was measured."""
    postgresql.create(database)
    postgresql.sql(database, "create schema shop")
    before = usage.cpu_with_children(postgresql.pid)
    used = contender.run(topics(), postgresql, database)
    database_cpu = usage.cpu_with_children(postgresql.pid) - before
    first, last = (float(cell) for cell in postgresql.query(database, COMMITS)[0])
    commits = int(postgresql.value("postgres", f"select xact_commit from pg_stat_database where datname = '{database}'"))
    wrong = load.differences(postgresql, database) if check else None
    postgresql.drop(database)
    return {"contender": contender.name, "events": load.events, "seconds": round(used.seconds, 2), "committing_seconds": round(last - first, 2),
            "events_per_second": round(load.events / (last - first)), "events_per_second_whole": round(load.events / used.seconds),
            "peak_mib": round(used.memory), "cpu_seconds": round(used.cpu, 1), "database_cpu_seconds": round(database_cpu, 1), "commits": commits,
            "exact": None if wrong is None else not wrong, "differences": wrong or "",
            "threads_cpu_seconds": {name: round(seconds, 2) for name, seconds in used.threads.items() if seconds >= 0.1}}


def into_blackhole(cdcrt, load, name, compression="none"):
    used = cdcrt.run_to_blackhole(topics(compression), name)
    return {"contender": f"{cdcrt.name} -> blackhole", "compression": compression, "events": load.events, "seconds": round(used.seconds, 2),
            "events_per_second_whole": round(load.events / used.seconds), "peak_mib": round(used.memory), "cpu_seconds": round(used.cpu, 1),
            "threads_cpu_seconds": {thread: round(seconds, 2) for thread, seconds in used.threads.items() if seconds >= 0.1}}


def consuming_alone(build, kafka, load, compression="none"):
    """librdkafka and nothing else."""
    began = time.monotonic()
    process = subprocess.Popen([os.path.join(build, "bin", "consume_bench"), kafka.brokers, *topics(compression)], stdout=subprocess.PIPE, text=True)
    found = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or found["messages"] != load.events:
        raise SystemExit(f"consume_bench read {found['messages']} of {load.events} messages")
    return {"contender": "librdkafka alone", "compression": compression, "events": load.events, "seconds": round(seconds, 2),
            "events_per_second_whole": round(load.events / seconds), "peak_mib": round(used.ru_maxrss / 1024),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 1), "events_per_second": round(load.events / found["seconds"])}
