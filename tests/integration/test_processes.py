"""Processes of one pipeline that join, leave, die and freeze: every table stays exact."""

import os
import random
import shutil
import signal
import tempfile
import time

from integration.live import Live, Servers
from lab.process import Case, wait_until

EVENTS = int(os.environ.get("CDCRT_PROCESSES_EVENTS", "40000"))
SECONDS = float(os.environ.get("CDCRT_PROCESSES_SECONDS", "40"))  # that processes come and go
SEED = int(os.environ.get("CDCRT_PROCESSES_SEED", "1"))


def setUpModule():
    Processes.servers = Servers(EVENTS, SEED)


def tearDownModule():
    Processes.servers.stop()


class Processes(Case):
    servers = None
    topics_per_client = 200

    def setUp(self):
        folder = tempfile.mkdtemp(prefix="cdcrt-live-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.live = Live(folder, self.servers, topics_per_client=self.topics_per_client)
        self.addCleanup(self.live.stop)

    def finish(self, seconds=120):
        self.live.finish_producing()
        self.live.wait_until_complete(seconds)
        self.assertEqual(self.live.differences(), [])

    def test_processes_join_leave_die_and_freeze_and_nothing_is_lost_or_doubled(self):
        live, chance = self.live, random.Random(SEED)
        live.produce_slowly(SECONDS)
        live.start("one")
        wait_until(lambda: "assigned" in live.log("one"), 60, lambda: live.log("one"))
        for instance in ("two", "three", "four"):
            live.start(instance)
        for instance in ("two", "three", "four"):
            wait_until(lambda name=instance: "assigned" in live.log(name), 60, lambda name=instance: live.log(name))
        while live.producing:
            instance = chance.choice(["one", "two", "three", "four"])
            deed = chance.choice(["kill", "kill", "leave", "freeze"])
            if deed == "freeze":
                live.signal(instance, signal.SIGSTOP)
                time.sleep(5)  # beyond the session's timeout
                live.signal(instance, signal.SIGCONT)
            else:
                live.signal(instance, signal.SIGKILL if deed == "kill" else signal.SIGTERM)
                time.sleep(chance.uniform(0, 1))
                live.start(instance)
            time.sleep(chance.uniform(0.5, 2))
        self.finish()
        for instance in live.processes:
            self.assertIsNone(live.processes[instance].poll(), live.log(instance)[-2000:])
            self.assertEqual(live.signal(instance, signal.SIGTERM), 0, live.log(instance)[-2000:])

    def test_a_frozen_process_that_wakes_writes_nothing_of_what_it_lost(self):
        live = self.live
        live.start("one")
        live.produce_slowly(SECONDS / 4)
        wait_until(lambda: "assigned" in live.log("one"), 30, "no assignment")
        wait_until(lambda: live.applied() > 0, 30, lambda: live.log("one"))
        live.signal("one", signal.SIGSTOP)
        live.start("two")
        wait_until(lambda: "assigned" in live.log("two"), 60, lambda: live.log("two"))
        live.finish_producing()
        live.wait_until_complete(90)
        live.signal("one", signal.SIGCONT)
        time.sleep(5)
        self.finish()
        self.assertIsNone(live.processes["one"].poll(), live.log("one")[-2000:])

    def test_a_member_that_the_broker_takes_for_another_process_joins_once_more_and_two_of_one_name_do_not_both_go_on(self):
        live = self.live
        live.start("one")
        live.produce_slowly(SECONDS / 4)
        wait_until(lambda: "assigned" in live.log("one"), 30, lambda: live.log("one"))
        # To the broker a second process of its name is what its own request is that comes twice.
        live.start_twin("one", "twin")
        wait_until(lambda: "joins once more" in live.log("one"), 60, lambda: live.log("one"))
        live.signal("twin", signal.SIGKILL)
        self.finish()
        self.assertIsNone(live.processes["one"].poll(), live.log("one")[-2000:])
        live.start_twin("one", "twin")
        wait_until(lambda: live.processes["one"].poll() is not None or live.processes["twin"].poll() is not None, 60, lambda: live.log("one"))
        ended, other = ("one", "twin") if live.processes["one"].poll() is not None else ("twin", "one")
        self.assertEqual(live.processes[ended].poll(), 1)
        self.assertIn("another process uses instance 'one'", live.log(ended))
        self.finish()
        self.assertEqual(live.signal(other, signal.SIGTERM), 0, live.log(other)[-2000:])

    def test_a_process_that_comes_back_with_other_topics_reads_those(self):
        live = self.live
        live.produce_all()
        live.start_with_topics("one", "bench.shop.orders")
        wait_until(lambda: "assigned bench.shop.orders" in live.log("one"), 30, lambda: live.log("one"))
        live.signal("one", signal.SIGTERM)
        code, log = live.run_to_end(instance="one")
        self.assertEqual(code, 0, log[-2000:])
        self.assertEqual(live.behind(), {})
        live.start("one")
        self.finish()

    def test_the_same_instance_takes_its_partitions_up_at_once_after_a_crash(self):
        live = self.live
        live.produce_all()
        live.start("one")
        wait_until(lambda: "assigned" in live.log("one"), 30, "no assignment")
        for _ in range(5):
            time.sleep(0.7)
            live.signal("one", signal.SIGKILL)
            live.start("one")
        self.finish()


if __name__ == "__main__":
    import unittest
    unittest.main()
