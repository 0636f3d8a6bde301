"""Brokers and databases that go away, connections cut around COMMIT, tables that are locked or refuse: waited for, told once, and
nothing is lost or doubled."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

from integration.live import TABLES, Live, Servers
from lab.process import Case, wait_until
from lab.proxy import TcpProxy

EVENTS = int(os.environ.get("CDCRT_OUTAGES_EVENTS", "24000"))
SHARE = float(os.environ.get("CDCRT_OUTAGES_SHARE", "1"))  # of the time that outages last and that events come over

REFUSING = """
create function shop.refuse() returns trigger language plpgsql as
$$ begin raise exception 'no' using errcode = '%s'; end $$;
create trigger refuse before insert or update or delete on shop.orders for each statement execute function shop.refuse();
"""
TAKING = "drop trigger refuse on shop.orders; drop function shop.refuse()"


def setUpModule():
    Outages.servers = Servers(EVENTS)


def tearDownModule():
    Outages.servers.stop()


class Outages(Case):
    servers = None

    def begin(self, stall_after="30s"):
        folder = tempfile.mkdtemp(prefix="cdcrt-live-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.live = Live(folder, self.servers, stall_after=stall_after)
        self.addCleanup(self.live.stop)
        self.proxy = TcpProxy(self.live.postgresql.port)
        self.addCleanup(self.proxy.stop)
        self.live.port = self.proxy.port
        return self.live

    def finish(self, seconds=120):
        self.live.finish_producing()
        self.live.wait_until_complete(seconds)
        self.assertEqual(self.live.differences(), [])
        process = self.live.processes["one"]
        self.assertIsNone(process.poll(), self.live.log("one")[-3000:])
        process.terminate()
        self.assertEqual(process.wait(60), 0, self.live.log("one")[-3000:])

    def told(self, text):
        return self.live.log("one").count(text)

    def is_told(self, text, seconds=60):
        wait_until(lambda: self.told(text), seconds, lambda: self.live.log("one"))

    def commits(self, more):
        """Waits until so many more were seen."""
        before = self.proxy.commits
        wait_until(lambda: self.proxy.commits >= before + more, 60, lambda: self.live.log("one"))


class Away(Outages):
    """Brokers and databases that go away, and connections that are cut."""

    def test_a_broker_that_restarts_and_one_that_is_away_are_waited_for(self):
        live = self.begin()
        live.produce_all()
        live.start("one")
        self.is_told("assigned")
        wait_until(lambda: live.applied() > 0, 60, lambda: live.log("one"))
        live.kafka.kill()
        # What is told depends on whether all partitions were claimed by then.
        wait_until(lambda: self.told("waiting for the source") or self.told("has not answered for"), 60, lambda: live.log("one"))
        time.sleep(8 * SHARE)
        live.kafka.restart()
        self.finish()

    def test_a_database_that_crashes_and_one_that_is_away_are_waited_for_and_told_once(self):
        live = self.begin()
        live.start("one")
        live.produce_slowly(12 * SHARE)
        # The start commits too, and an outage then ends it.
        self.is_told("assigned")
        self.commits(6)
        live.postgresql.kill()
        self.is_told("waiting for the target: ")
        live.postgresql.restart()
        self.is_told("the target answers again")
        # Rows of all tables go in again, and none of what was lost is left.
        self.commits(6)
        # Once; after that it is only reminded of, ever more rarely.
        before = self.told("waiting for the target: ")
        self.proxy.away()
        wait_until(lambda: self.told("waiting for the target: ") > before, 60, lambda: live.log("one"))
        time.sleep(6 * SHARE)
        self.assertEqual(self.told("waiting for the target: "), before + 1, live.log("one"))
        self.proxy.accept()
        self.finish()

    def test_connections_cut_before_and_after_the_answer_to_a_commit_lose_and_double_nothing(self):
        live = self.begin()
        live.start("one")
        live.produce_slowly(20 * SHARE)
        wait_until(lambda: self.proxy.commits > 5, 60, lambda: live.log("one"))
        for where in ("before", "after", "before", "after"):
            cuts, end = self.proxy.cuts, time.monotonic() + 5
            self.proxy.cut_commits(where, every=2)
            while self.proxy.cuts < cuts + 2 and time.monotonic() < end:
                time.sleep(0.05)
        self.proxy.cut_commits(None)
        self.assertGreaterEqual(self.proxy.cuts, 2)
        self.finish()

    def test_a_server_that_falls_silent_is_waited_for(self):
        live = self.begin()
        live.start("one")
        live.produce_slowly(8)
        wait_until(lambda: self.proxy.commits > 10, 60, lambda: live.log("one"))
        self.proxy.freeze()
        time.sleep(6 * SHARE)
        self.proxy.cut()
        self.proxy.thaw()
        self.finish()


class Tables(Outages):
    """Tables that are locked or refuse."""

    def others_are_complete(self):
        """All but orders."""
        stored = {(topic, int(partition)): int(offset) for topic, partition, offset in self.live.postgresql.query(
            "live", "select topic, partition, next_offset from cdcrt.progress where target <> 'shop.orders'")}
        ends = {("bench.shop." + table, partition): end for table in TABLES if table != "orders"
                for partition, end in self.live.kafka.end_offsets("bench.shop." + table).items() if end}
        # The last messages of a partition may be tombstones, which are no rows.
        return all(stored.get(place, 0) >= end - 1 for place, end in ends.items())

    def test_one_locked_table_does_not_stop_the_others_and_catches_up(self):
        live = self.begin(stall_after="2s")
        live.start("one")
        live.load.produce(live.kafka, 0)
        wait_until(lambda: self.exists("shop.orders"), 60, lambda: live.log("one"))
        with subprocess.Popen(["psql", "-X", "-q", "-d", live.postgresql.connection("live")], stdin=subprocess.PIPE, text=True) as locking:
            locking.stdin.write("begin; lock table shop.orders in access exclusive mode;\n")
            locking.stdin.flush()
            for piece in range(1, live.load.slices):
                live.load.produce(live.kafka, piece)
            wait_until(self.others_are_complete, 60, lambda: live.log("one"))
            self.is_told("'shop.orders' is detached")
            time.sleep(3 * SHARE)
            locking.stdin.write("rollback;\n")
            locking.stdin.close()
        self.finish()
        for text in ("'shop.orders' is detached", "'shop.orders' is back with the others"):
            self.assertEqual(self.told(text), 1, live.log("one"))

    def exists(self, table):
        try:
            return live_value(self.live, f"select to_regclass('{table}') is not null") == "t"
        except Exception:
            return False

    def refused(self, code):
        live = self.begin(stall_after="2s")
        live.start("one")
        live.load.produce(live.kafka, 0)
        wait_until(lambda: self.exists("shop.orders"), 60, lambda: live.log("one"))
        self.assertEqual(live.signal("one", signal.SIGTERM), 0, live.log("one")[-3000:])
        live.postgresql.sql("live", REFUSING % code)
        for piece in range(1, live.load.slices):
            live.load.produce(live.kafka, piece)
        # All there at once, so that the first batch of orders is written together with those of the others.
        live.start("one")
        return live

    def test_one_refused_table_does_not_stop_the_others_and_catches_up(self):
        live = self.refused("42501")
        wait_until(self.others_are_complete, 60, lambda: live.log("one"))
        time.sleep(2 * SHARE)
        live.postgresql.sql("live", TAKING)
        self.finish()

    def test_a_full_disk_is_waited_for(self):
        live = self.refused("53100")
        wait_until(lambda: self.told("disk is full"), 30, lambda: live.log("one"))
        time.sleep(3 * SHARE)
        self.assertEqual(self.told("waiting for the target: "), 1, live.log("one"))
        live.postgresql.sql("live", TAKING)
        self.finish()

    def test_deadlocks_and_row_locks_of_others_pass_by(self):
        live = self.begin()
        live.start("one")
        live.load.produce(live.kafka, 0)
        wait_until(lambda: self.exists("shop.customers"), 60, lambda: live.log("one"))
        live.produce_slowly(10 * SHARE, first=1)
        script = "begin; select count(*) from (select 1 from shop.customers order by ctid desc limit 500 for update) s; select pg_sleep(0.4);" \
                 " select count(*) from (select 1 from shop.orders limit 500 for update) s; commit;\n"
        while live.producing:
            subprocess.run(["psql", "-X", "-q", "-d", live.postgresql.connection("live")], input=script, text=True, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.finish()


def live_value(live, query):
    answer = live.value(query)
    return {True: "t", False: "f"}.get(answer, answer)
