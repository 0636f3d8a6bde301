"""One pipeline by several processes: a backlog of sixteen partitions, shared by the group, into one database that is some way off."""

import os
import signal
import subprocess
import time

from lab.postgresql import sink as sink_lines
from lab.process import wait_until
from live import usage
from live.meter import Meter
from live.throughput import SHORTEST, between_commits

# One connection and small batches: what a process carries is bounded by the answers that it waits for, not by the processor that all share here.
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
    """The backlog of `load`, from the first commit to the last; a dictionary of what was measured. `port`: by which the database is reached."""
    postgresql.create(database)
    postgresql.sql(database, "create schema shop;" + load.create_tables())
    ends = {(topic, partition): end for topic in load.topics() for partition, end in fleet.kafka.end_offsets(topic).items() if end > 0}
    meter = Meter(fleet.kafka, postgresql)
    began = time.monotonic()
    try:
        fleet.begin(load.topics(), port, database)

        def complete():
            fleet.check()
            committed = fleet.kafka.admin.committed(database)
            return all(committed.get(place, -1) >= end for place, end in ends.items())
        wait_until(complete, AT_MOST, lambda: "the backlog is not read", poll=0.25)
        seconds = time.monotonic() - began
        owners = int(postgresql.value(database, "select count(distinct owner) from cdcrt.leases where epoch > 0"))
        claims = int(postgresql.value(database, "select sum(epoch) from cdcrt.leases"))
        used = fleet.finish()
        taken = meter.taken()
    finally:
        fleet.stop()
        meter.close()
    committing = between_commits(postgresql, database)
    wrong = load.differences(postgresql, database) if check else None
    postgresql.drop(database)
    taken.pop("round_trips")  # the proxy's are counted too
    taken.pop("machine_cpu_seconds")
    cpu = sum(each.ru_utime + each.ru_stime for each in used)
    return {"processes": fleet.count, "owners": owners, "partitions": len(ends), "claims": claims, "events": load.events, "seconds": round(seconds, 2),
            "committing_seconds": round(committing, 3), "events_per_second": round(load.events / max(committing, SHORTEST)),
            "peak_mib": round(max(each.ru_maxrss for each in used) / 1024), "cpu_seconds": round(cpu, 2), **taken,
            "exact": None if wrong is None else not wrong, "differences": wrong or "", "load": round(os.getloadavg()[0], 1)}


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
