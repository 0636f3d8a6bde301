"""Eight processes of one pipeline over the partitions of several topics, while a producer goes on: joins, leaves, kills, rolling restarts. In
the end every table equals its source, and nothing was done twice beyond what the protocol says."""

import json
import os
import random
import shutil
import signal
import tempfile
import time

from integration.fleet import Fleet
from integration.live import Servers
from lab.process import Case, wait_until

EVENTS = int(os.environ.get("CDCRT_SCALING_EVENTS", "24000"))
SECONDS = float(os.environ.get("CDCRT_SCALING_SECONDS", "12"))  # that processes come and go, in each test
ROUNDS = int(os.environ.get("CDCRT_SCALING_ROUNDS", "1"))       # of rolling restarts
SEED = int(os.environ.get("CDCRT_SCALING_SEED", "1"))
NAMES = tuple(f"p{number}" for number in range(1, 9))


def setUpModule():
    Scaling.servers = Servers(EVENTS, SEED, connections=150)


def tearDownModule():
    Scaling.servers.stop()


class Scaling(Case):
    servers, started = None, None

    def fleet(self, **settings):
        folder = tempfile.mkdtemp(prefix="cdcrt-fleet-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.started = Fleet(folder, self.servers, **settings)
        self.addCleanup(self.started.stop)
        return self.started

    def logs_to_keep(self):
        return self.started.logs() if self.started else []

    def start_all(self, fleet):
        for name in NAMES:
            fleet.start(name)
            if name == NAMES[0]:
                fleet.keep_ledger()
        return fleet.wait_until_shared()

    def finish(self, fleet):
        """Everything is there, exactly, and each step began where the one before ended; then all end in good order."""
        fleet.finish_producing()
        fleet.wait_until_complete(120)
        self.assertEqual(fleet.differences(), [])
        self.assertEqual(fleet.done_twice(), [])
        for name in fleet.running():
            self.assertEqual(fleet.end(name), 0, fleet.log(name)[-2000:])

    def grow(self, fleet, table):
        """A topic appears: the group meets again, as often as members learn of the topic one after the other. Returns once all of it is read."""
        topic = "bench.shop." + table
        fleet.kafka.create_topic(topic, len(NAMES))
        row = {"before": None, "after": {"n": 1}, "op": "c", "ts_ms": 1, "source": {"connector": "postgresql", "db": "shop", "schema": "shop", "table": table}}
        for partition in range(len(NAMES)):
            fleet.kafka.produce(topic, [(None, json.dumps(row))], partition)

        def is_there():
            known = fleet.value(f"select to_regclass('shop.{table}') is not null") == "t"
            return known and fleet.value(f"select count(*) from shop.{table}") == str(len(NAMES))
        wait_until(is_there, 60, lambda: f"nobody reads {topic}: {fleet.owners()}", poll=0.2)

    def told_of_moves(self, fleet, name):
        return [line for line in fleet.log(name).splitlines() if "assigned bench" in line or "took back bench" in line or "took away" in line]

    def restart(self, fleet, name):
        """As an upgrade does: ended in good order, started again, and waited for."""
        before = fleet.leases()
        self.assertEqual(fleet.end(name), 0, fleet.log(name)[-2000:])
        fleet.start(name)
        mine = {place for place, (owner, _) in before.items() if owner == name}

        def is_back():
            now = fleet.leases()
            return all(now[place][0] == name for place in mine)
        wait_until(is_back, 60, lambda: f"{name} had {mine}: {fleet.owners()}\n{fleet.log(name)[-3000:]}", poll=0.1)

    def test_a_rolling_restart_moves_no_partition_and_reads_nothing_twice(self):
        fleet = self.fleet(session_ms=45_000)
        owners = self.start_all(fleet)
        claimed = {place: epoch for place, (_, epoch) in fleet.leases().items()}
        told = {name: self.told_of_moves(fleet, name) for name in NAMES}
        fleet.produce_slowly(SECONDS)
        fleet.wait_until_met()
        for _ in range(ROUNDS):
            for name in NAMES:
                self.restart(fleet, name)
        self.assertEqual(fleet.owners(), owners)
        self.assertEqual({place: epoch - claimed[place] for place, (_, epoch) in fleet.leases().items()}, dict.fromkeys(owners, ROUNDS))
        for name in NAMES:
            # Its own: given back at its end, and assigned again.
            self.assertEqual(len(self.told_of_moves(fleet, name)) - len(told[name]), 2 * ROUNDS, fleet.log(name))
        self.finish(fleet)
        summaries = fleet.summaries()
        self.assertEqual(len(summaries), len(NAMES) * (ROUNDS + 1))
        self.assertEqual(sum(each["messages"] for each in summaries), fleet.kafka.count(fleet.kafka.topics()))

    def test_topics_that_appear_cost_nobody_its_partitions(self):
        fleet = self.fleet(session_ms=45_000)
        self.start_all(fleet)
        fleet.produce_all()
        for table in ("late", "later", "last"):
            self.grow(fleet, table)
        for name in NAMES:  # offsets that are committed while a member joins would
            self.assertNotIn("took away", fleet.log(name))
        self.finish(fleet)

    def test_processes_join_leave_and_die_and_every_offset_is_applied_once(self):
        fleet, chance = self.fleet(session_ms=3_000), random.Random(SEED)
        fleet.start(NAMES[0])
        fleet.keep_ledger()
        fleet.produce_slowly(SECONDS)
        for name in NAMES[1:]:
            fleet.start(name)
            time.sleep(chance.uniform(0, 0.3))
        while fleet.producing:
            deed, name = chance.choice(("kill", "kill", "leave", "restart")), chance.choice(NAMES)
            if deed == "kill":
                for each in {name, chance.choice(NAMES)}:  # a machine with two of them
                    fleet.signal(each, signal.SIGKILL)
            elif name in fleet.running():
                self.assertEqual(fleet.end(name), 0, fleet.log(name)[-2000:])
            if deed == "leave":  # until the others have what it had
                wait_until(lambda gone=name: gone not in fleet.owners().values() or not fleet.producing, 60, fleet.owners, poll=0.2)
            for each in NAMES:
                if fleet.processes[each].poll() is not None:
                    fleet.start(each)
            time.sleep(chance.uniform(0, 1))
        fleet.wait_until_shared()
        self.finish(fleet)


if __name__ == "__main__":
    import unittest
    unittest.main()
