"""One pipeline by several processes: a backlog of sixteen partitions, shared by the group, into one database, which may be some way off."""

import os
import signal
import subprocess
import time

from lab.postgresql import sink as sink_lines
from lab.process import wait_until
from live import usage
from live.load import PARTITIONS
from live.meter import Meter
from live.throughput import SHORTEST, between_commits

MANIFEST = """[pipeline]
name = "{database}"
[sources.events]
plugin = "kafka"
brokers = "{brokers}"
topics = [{topics}]
instance = "{instance}"
format.plugin = "debezium-json"
[sinks.target]
{sink}
connections = {connections}
batch.max_rows = {max_rows}
[dead_letters]
path = "{work}/dead_letters-{instance}.jsonl"
"""
AT_MOST = 900  # seconds that one run may take


class Fleet:
    """`count` processes from begin() to finish(), each with the logs and resource usage of its own."""

    def __init__(self, build, work, kafka, count, connections, max_rows):
        self.binary, self.work, self.kafka, self.count = os.path.join(build, "bin", "cdcrt"), work, kafka, count
        self.connections, self.max_rows, self.processes = connections, max_rows, []

    def _place(self, number, name):
        return os.path.join(self.work, f"p{number}.{name}")

    def begin(self, topics, port, database):
        for number in range(self.count):
            with open(self._place(number, "toml"), "w", encoding="utf-8") as file:
                file.write(MANIFEST.format(database=database, brokers=self.kafka.brokers, work=self.work, instance=f"p{number}", connections=self.connections,
                                           max_rows=self.max_rows, topics=", ".join(f'"{topic}"' for topic in topics),
                                           sink=sink_lines(port, database, "postgresql")))
            with open(self._place(number, "log"), "wb") as log:
                self.processes.append(subprocess.Popen([self.binary, "--manifest", self._place(number, "toml")], stdout=log, stderr=subprocess.STDOUT,
                                                       stdin=subprocess.DEVNULL))

    def check(self):
        for number, process in enumerate(self.processes):
            if process.poll() is not None:
                with open(self._place(number, "log"), encoding="utf-8", errors="replace") as file:
                    raise SystemExit(f"process {number} ended with {process.returncode}:\n{file.read()[-4000:]}")

    def finish(self):
        """Resource usage of each."""
        used = []
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            _, status, resources = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            used.append(resources)
        return used

    def stop(self):
        for process in self.processes:
            if process.returncode is None:
                process.kill()
                process.wait()


def drain(fleet, load, postgresql, port, database, check):
    """The backlog of `load` by processes that start on it, their start included; a dictionary of what was measured. `port`: of the database."""
    postgresql.create(database)
    postgresql.sql(database, "create schema shop;" + load.create_tables())
    meter = Meter(fleet.kafka, postgresql)
    try:
        fleet.begin(load.topics(), port, database)
        wait_until(lambda: _is_read(fleet, load.topics(), database), AT_MOST, "the backlog is not read", poll=0.25)
        claims = int(postgresql.value(database, "select sum(epoch) from cdcrt.leases"))
        used = fleet.finish()
        taken = meter.taken()
    finally:
        fleet.stop()
        meter.close()
    committing = between_commits(postgresql, database)
    wrong = load.differences(postgresql, database) if check else None
    postgresql.drop(database)
    cpu = sum(each.ru_utime + each.ru_stime for each in used)
    return {**_told(fleet, load.events, committing, claims, cpu, used, taken), "exact": None if wrong is None else not wrong, "differences": wrong or ""}


def steady(fleet, pieces, postgresql, proxy, delay, database, check):
    """Every process has a share and has met every table; then the backlog comes, and the database is some way off: `delay` seconds, there and back
    each. From the first commit of it to the last; a dictionary of what was measured."""
    postgresql.create(database)
    postgresql.sql(database, "create schema shop;" + pieces.create_tables())
    topics, proxy.delay = pieces.names(database), 0
    for topic in topics:
        fleet.kafka.create_topic(topic, PARTITIONS)
    try:
        pieces.produce(fleet.kafka, database, rest=False)
        fleet.begin(topics, proxy.port, database)
        wait_until(lambda: _shared(postgresql, database, fleet.count) and _is_read(fleet, topics, database), AT_MOST, "the partitions are not shared", poll=0.25)
        proxy.delay = delay
        meter = Meter(fleet.kafka, postgresql)
        cpu = sum(usage.cpu(process.pid) for process in fleet.processes)
        mark = postgresql.value(database, "select clock_timestamp()")
        pieces.produce(fleet.kafka, database, rest=True)
        wait_until(lambda: _is_read(fleet, topics, database), AT_MOST, "the backlog is not read", poll=0.25)
        cpu = sum(usage.cpu(process.pid) for process in fleet.processes) - cpu
        taken = meter.taken()
        meter.close()
        claims = int(postgresql.value(database, "select sum(epoch) from cdcrt.leases"))
        proxy.delay = 0
        used = fleet.finish()
    finally:
        fleet.stop()
    committing = between_commits(postgresql, database, mark)
    wrong = pieces.differences(postgresql, database) if check else None
    postgresql.drop(database)
    for topic in topics:
        fleet.kafka.delete_topic(topic)
    return {**_told(fleet, pieces.rest, committing, claims, cpu, used, taken), "partitions": len(pieces.files), "exact": None if wrong is None else not wrong,
            "differences": wrong or ""}


def _told(fleet, events, committing, claims, cpu, used, taken):
    return {"processes": fleet.count, "claims": claims, "events": events, "committing_seconds": round(committing, 3),
            "events_per_second": round(events / max(committing, SHORTEST)), "peak_mib": round(max(each.ru_maxrss for each in used) / 1024),
            "cpu_seconds": round(cpu, 2), "database_cpu_seconds": taken["database_cpu_seconds"], "broker_cpu_seconds": taken["broker_cpu_seconds"],
            "commits": taken["commits"], "steal_seconds": taken["steal_seconds"], "load": round(os.getloadavg()[0], 1)}


def _is_read(fleet, topics, database):
    fleet.check()
    committed = fleet.kafka.admin.committed(database)
    return all(committed.get((topic, partition), -1) >= end for topic in topics for partition, end in fleet.kafka.end_offsets(topic).items() if end > 0)


def idle_cost(fleet, topics, postgresql, port, database, seconds):
    """CPU seconds a second of the processes, the database and the broker, and what the database commits, while nothing comes."""
    postgresql.create(database)
    try:
        fleet.begin(topics, port, database)
        wait_until(lambda: (fleet.check() or _shared(postgresql, database, fleet.count)), 120, "the partitions are not shared", poll=0.25)
        time.sleep(3)
        meter = Meter(fleet.kafka, postgresql)
        before = sum(usage.cpu(process.pid) for process in fleet.processes)
        time.sleep(seconds)
        after = sum(usage.cpu(process.pid) for process in fleet.processes)
        taken = meter.taken()
        meter.close()
        fleet.finish()
    finally:
        fleet.stop()
        postgresql.drop(database)
    return {"processes": fleet.count, "cpu_per_second": round((after - before) / seconds, 4), "database_cpu_per_second": round(taken["database_cpu_seconds"] / seconds, 4),
            "broker_cpu_per_second": round(taken["broker_cpu_seconds"] / seconds, 4), "commits_per_second": round(taken["commits"] / seconds, 2)}


def _shared(postgresql, database, count):
    if postgresql.value(database, "select to_regclass('cdcrt.leases') is not null") != "t":
        return False
    return int(postgresql.value(database, "select count(distinct owner) from cdcrt.leases where owner <> ''")) == count
