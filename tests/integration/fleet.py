"""Many processes of one pipeline: who has which partition, how often one changed hands, and every step that a table's progress took."""

import collections
import json
import os
import signal

from integration import program
from integration.live import LOG, TABLES, TRAIL, Live
from lab.process import wait_until

# Steps of every table in every partition, in the transactions that took them.
LEDGER = """
create table public.ledger (number bigserial, topic text, partition integer, target text, was bigint, became bigint, transaction xid8);
create function public.note() returns trigger language plpgsql as $$
begin
  insert into public.ledger (topic, partition, target, was, became, transaction)
  values (new.topic, new.partition, new.target, case when tg_op = 'UPDATE' then old.next_offset end, new.next_offset, pg_current_xact_id());
  return null;
end $$;
create trigger note after insert or update on cdcrt.progress for each row execute function public.note();
"""
OVERLAY = """
[sources.events]
instance = "%(instance)s"
assignment = "%(assignment)s"
[sources.events.librdkafka]
"session.timeout.ms" = %(session_ms)d
"max.poll.interval.ms" = 60000
"topic.metadata.refresh.interval.ms" = 3000
[sinks.target]
lock_timeout = "10s"
"""


class Fleet(Live):
    """Processes p1, p2, ... of a pipeline; `session_ms`: after which a silent one has lost its partitions, `fixed_names`: whether its name
    in the group outlives it, `assignment`: of the source."""

    def __init__(self, folder, servers, session_ms, fixed_names=True, assignment="cooperative"):
        super().__init__(folder, servers)
        self.session_ms, self.fixed_names, self.assignment = session_ms, fixed_names, assignment

    def start(self, instance, *arguments):
        overlay = os.path.join(self.folder, f"{instance}-fleet.toml")
        with open(overlay, "w", encoding="utf-8") as file:
            file.write(OVERLAY % {"instance": instance if self.fixed_names else "", "assignment": self.assignment,
                                  "session_ms": self.session_ms})
        log = os.path.join(self.folder, f"{instance}.log")
        self.processes[instance] = program.start(["--manifest", self.manifest(instance), "--manifest", overlay, "--output", "json", *arguments], {}, log)
        return self.processes[instance]

    def end(self, instance):
        """As a service manager ends it; answers the exit code."""
        return self.signal(instance, signal.SIGTERM)

    def logs(self):
        return [path for name in self.processes if os.path.exists(path := os.path.join(self.folder, f"{name}.log"))]

    def running(self):
        return [name for name, process in self.processes.items() if process.poll() is None]

    # ---- who has what ----

    def places(self):
        """All (topic, partition) of the pipeline."""
        return {(topic, partition) for topic in [*("bench.shop." + table for table in TABLES), LOG, TRAIL] for partition in self.kafka.end_offsets(topic)}

    def leases(self):
        """(topic, partition) -> (name of the process that claimed it last, None: of one that is gone or nobody; how often it was claimed)."""
        names = {str(process.pid): name for name, process in self.processes.items()}
        rows = self.postgresql.query("live", "select topic, partition, owner, epoch from cdcrt.leases")
        return {(topic, int(partition)): (names.get(owner.partition(":")[2].partition(":")[0]), int(epoch)) for topic, partition, owner, epoch in rows}

    def owners(self):
        return {place: owner for place, (owner, _) in self.leases().items()}

    def wait_until_shared(self, seconds=60):
        """Until every process that runs has a share and no share has another owner; answers the owners. Shares differ by one at most: before
        that some partitions are assigned, and not claimed yet."""
        def shared():
            owners = self.owners()
            sizes = collections.Counter(owners.values())
            is_even = set(sizes) == set(self.running()) and max(sizes.values()) - min(sizes.values()) <= 1
            return owners if set(owners) == self.places() and is_even else None
        return wait_until(shared, seconds, lambda: f"not shared among {self.running()}: {self.owners()}", poll=0.2)

    def wait_until_met(self, seconds=60):
        """Until every table was made: they are made one after the other, by whichever process meets one first."""
        wait_until(lambda: int(self.value("select count(*) from pg_tables where schemaname = 'shop'")) == len(TABLES) + 2, seconds,
                   lambda: "\n".join(self.log(name)[-500:] for name in self.processes), poll=0.2)

    # ---- what was done ----

    def keep_ledger(self):
        """From now on, once cdcrt has made its tables: every step of progress."""
        wait_until(lambda: self.value("select to_regclass('cdcrt.progress') is not null") == "t", 60, lambda: self.log("p1"))
        self.postgresql.sql("live", LEDGER)

    def steps(self):
        """(steps, transactions they were taken in)."""
        return tuple(int(cell) for cell in self.postgresql.query("live", "select count(*), count(distinct transaction) from public.ledger")[0])

    def done_twice(self):
        """Steps that do not begin where the one before ended: what lies between was left out, or applied twice."""
        return self.postgresql.query("live", """
            select topic, partition, target, coalesce(was, 0), became, before from (
              select *, coalesce(lag(became) over (partition by topic, partition, target order by number), 0) as before from public.ledger) as steps
            where coalesce(was, 0) <> before or became <= before""")

    def summaries(self):
        """What every process that ended in good order said in the end."""
        found = []
        for name in self.processes:
            found += [json.loads(line) for line in self.log(name).splitlines() if line.startswith('{"messages"')]
        return found
