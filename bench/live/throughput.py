"""Events a second into PostgreSQL and into nothing, in turns."""

import json
import os
import subprocess
import time

from live.meter import Meter

SHORTEST = 0.001  # seconds: all events may have come in one commit


def into_postgresql(contender, load, postgresql, database, check):
    """One run into a new database, which is dropped; a dictionary of what was measured."""
    postgresql.create(database)
    postgresql.sql(database, "create schema shop")
    contender.prepare(postgresql, database, load.create_tables())
    meter = Meter(contender.kafka, postgresql)
    try:
        used = contender.run(load.topics(), postgresql, database)
        taken = meter.taken()
    finally:
        meter.close()
    committing = between_commits(postgresql, database)
    wrong = load.differences(postgresql, database) if check else None
    postgresql.drop(database)
    others = taken.pop("machine_cpu_seconds") - used.cpu - taken["database_cpu_seconds"] - taken["broker_cpu_seconds"]
    return {"contender": contender.name, "workload": load.workload, "events": load.events, "seconds": round(used.seconds, 2),
            "committing_seconds": round(committing, 3), "events_per_second": round(load.events / max(committing, SHORTEST)),
            "events_per_second_whole": round(load.events / used.seconds), "peak_mib": round(used.memory), "cpu_seconds": round(used.cpu, 2),
            **taken, "other_cpu_seconds": round(others, 2), "wakeups": used.woken,
            "exact": None if wrong is None else not wrong, "differences": wrong or "", "threads_cpu_seconds": _threads(used)}


def between_commits(postgresql, database, since="-infinity"):
    """Seconds between the first and the last commit after `since` that left a row behind."""
    tables = [name for name, in postgresql.query(database, "select table_name from information_schema.tables where table_schema = 'shop'")]
    rows = " union all ".join(f"select pg_xact_commit_timestamp(xmin) as t from shop.{table}" for table in tables)
    return float(postgresql.value(database, f"select extract(epoch from max(t) - min(t)) from ({rows}) as c where t > '{since}'"))


def _threads(used):
    return {name: round(seconds, 2) for name, seconds in used.threads.items() if seconds >= 0.1}


def into_blackhole(cdcrt, load, name, compression="none"):
    used = cdcrt.run_to_blackhole(load.topics(compression), name)
    return {"contender": f"{cdcrt.name} -> blackhole", "compression": compression, "events": load.events, "seconds": round(used.seconds, 2),
            "events_per_second_whole": round(load.events / used.seconds), "peak_mib": round(used.memory), "cpu_seconds": round(used.cpu, 2),
            "wakeups": used.woken, "threads_cpu_seconds": _threads(used)}


def consuming_alone(build, kafka, load, compression="none"):
    """librdkafka and nothing else."""
    began = time.monotonic()
    process = subprocess.Popen([os.path.join(build, "bin", "consume_bench"), kafka.brokers, *load.topics(compression)], stdout=subprocess.PIPE, text=True)
    found = json.loads(process.stdout.read())
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or found["messages"] != load.events:
        raise SystemExit(f"consume_bench read {found['messages']} of {load.events} messages")
    return {"contender": "librdkafka alone", "compression": compression, "events": load.events, "seconds": round(seconds, 2),
            "events_per_second_whole": round(load.events / seconds), "peak_mib": round(used.ru_maxrss / 1024),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 2), "wakeups": used.ru_nvcsw, "events_per_second": round(load.events / found["seconds"])}
