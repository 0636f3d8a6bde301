"""The whole chain with real parts: PostgreSQL and MariaDB -> Debezium -> Kafka -> the program -> PostgreSQL, under a random concurrent
workload, while the program is killed again and again and the broker and the target are restarted. At the end every table with a key
equals its source, and every table the oracle's reading of the log.

    CDCRT_CHAIN_CHANGES   changes in both databases together (100000)
    CDCRT_CHAIN_KILLS     how often the program is killed with SIGKILL (20)
    CDCRT_CHAIN_RESTARTS  how often broker and target are restarted, each by turns gently and not (2)
    CDCRT_CHAIN_SECONDS   the least time that the kills are spread over (0: as fast as it goes)
    CDCRT_TEST_SEED       repeats what each connection says and when things die, not how they meet
"""

import os
import random
import shutil
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import chain_compare, chain_workload, program  # noqa: E402
from lab import connect, process  # noqa: E402
from lab.kafka import Kafka  # noqa: E402
from lab.mariadb import MariaDb  # noqa: E402
from lab.postgresql import Postgresql  # noqa: E402
from lab.process import wait_until  # noqa: E402
from oracle import targets  # noqa: E402

CHANGES = int(os.environ.get("CDCRT_CHAIN_CHANGES", "100000"))
KILLS = int(os.environ.get("CDCRT_CHAIN_KILLS", "20"))
RESTARTS = int(os.environ.get("CDCRT_CHAIN_RESTARTS", "2"))
SECONDS = float(os.environ.get("CDCRT_CHAIN_SECONDS", "0"))
SEED = int(os.environ.get("CDCRT_TEST_SEED", str(time.time_ns() % 1_000_000)))
SURPLUS = 2.0  # statements for a change: some meet no row, some fail as others come first

MARKERS = ("p.public.marker", "m.shop.mmarker")
# A table without key has one partition; several could not be put in order.
ONE_PARTITION = {"topic__creation__groups": "single", "topic__creation__single__include": ".*nokey",
                 "topic__creation__single__partitions": 1, "topic__creation__single__replication__factor": 1}


class Program:
    """The program in the chain, started again whenever it is to run."""

    def __init__(self, folder, environment):
        self.folder, self.environment, self.process = folder, environment, None
        self.log = os.path.join(folder, "cdcrt.log")
        self.dead_letters = os.path.join(folder, "dead_letters.jsonl")

    def arguments(self, *more):
        manifests = [part for name in ("chain", "chain-kafka", "postgresql")
                     for part in ("--manifest", os.path.join(program.MANIFESTS, name + ".toml"))]
        return ["run", *manifests, "--set", f"dead_letters.path={self.dead_letters}", *more]

    def start(self):
        self.process = program.start(self.arguments(), self.environment, self.log)

    def kill(self):
        """SIGKILL; answers whether it was running, else it must have ended on its own."""
        running = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        return running

    def finish(self, seconds):
        """Runs to the end of the log; the exit code."""
        process_ = program.start(self.arguments("--stop", "end"), self.environment, self.log)
        try:
            return process_.wait(seconds)
        finally:
            process_.kill()
            process_.wait()

    def log_tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[-4000:]


class Chain(process.Case):
    def setUp(self):
        self.chance = random.Random(SEED)
        self.began = time.monotonic()
        self.folder = tempfile.mkdtemp(prefix="cdcrt-chain-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.kafka, self.target = Kafka(), Postgresql()
        self.source, self.maria = Postgresql(logical=True, settings={"deadlock_timeout": "50ms"}), MariaDb({"sql-mode": ""})  # zero dates
        self.worker = connect.Connect(self.kafka)
        for server in (self.worker, self.kafka, self.source, self.maria, self.target):
            self.addCleanup(server.stop)
        self.source.create("shop")
        self.maria.create("shop")
        self.target.create("target")
        self.sides = [chain_workload.postgresql(self.source), chain_workload.mariadb(self.maria)]
        for side in self.sides:
            side.create()
        self.cdcrt = Program(self.folder, {"CDCRT_TEST_BROKERS": self.kafka.brokers, "CDCRT_TEST_DATABASE": "target",
                                           "CDCRT_TEST_PORT": str(self.target.port)})

    def tearDown(self):
        super().tearDown()
        result = self._outcome.result
        if any(test is self for test, _ in [*result.failures, *result.errors]):  # the log of the program, the dead letters, the messages
            shutil.copytree(self.folder, os.path.join(process.KEEP, self.id(), "chain"), dirs_exist_ok=True)

    def say(self, text):
        print(f"[{time.monotonic() - self.began:6.1f} s] {text}", file=sys.stderr, flush=True)

    def test_tables_equal_their_sources_whatever_dies(self):
        self.say(f"seed {SEED}, {CHANGES} changes, {KILLS} kills, {RESTARTS} restarts of broker and target each")
        load = chain_workload.Workload(self.sides, int(CHANGES * SURPLUS / 2), SEED, os.path.join(self.folder, "clients.log"),
                                       steps=max(40, 2 * KILLS))
        self.addCleanup(load.stop)
        load.start()
        load.allow(1)  # the snapshots have something to read; a definition must not change under them
        # Intervals as they are, not as a number of microseconds.
        self.worker.add("p", connect.postgresql_source(self.source, "shop", "p", interval__handling__mode="string", **ONE_PARTITION))
        self.worker.add("m", connect.mariadb_source(self.maria, "shop", "m", self.kafka, **ONE_PARTITION))
        self.mark(1)
        # A snapshot of Debezium reads dates before 1582 in another calendar: the stream tells them once more.
        self.source.sql("shop", "update types set id = id")
        self.say("snapshots are done")
        self.let_them_die(load)
        self.let_it_finish()
        paths = self.dump()
        changes = sum(chain_compare.changes(paths).values())
        self.say(f"{changes} changes in the log")
        self.assertGreaterEqual(changes, CHANGES)
        self.compare(paths)

    def let_them_die(self, load):
        broker, target = (set(self.chance.sample(range(KILLS), min(RESTARTS, KILLS))) for _ in range(2))
        kills, gently = 0, [self.chance.random() < 0.5 for _ in range(2)]
        while kills < KILLS:
            load.allow(max(2, (kills + 1) * load.steps // (KILLS + 1)))
            self.cdcrt.start()
            if kills in broker | target:
                time.sleep(self.chance.uniform(1.5, 3))  # it must have found them: at its start what is not there is an error
            if kills in broker:
                broker.discard(kills)
                self.say("broker restarts " + ("gently" if gently[0] else "after SIGKILL"))
                self.kafka.restart(gently[0])
                gently[0] = not gently[0]
            if kills in target:
                target.discard(kills)
                self.say("target restarts " + ("gently" if gently[1] else "after a crash"))
                self.target.restart(gently[1])
                gently[1] = not gently[1]
            time.sleep(max(self.chance.uniform(0.3, 3), SECONDS / KILLS * self.chance.uniform(0.5, 1.5)))
            self.assertTrue(self.cdcrt.kill(), f"seed {SEED}: it ended on its own: {self.cdcrt.log_tail()}")
            kills += 1
            self.keep_connectors()
        load.allow(load.steps)
        self.cdcrt.start()
        wait_until(load.finished, 1200 + SECONDS, "the workload does not end", poll=0.5)
        self.say(f"workload done, {kills} kills")

    def keep_connectors(self):
        """A connector that gave up, e.g. as the broker was away, is started again: it sends again what it is not sure of."""
        for name in list(self.worker.connectors):
            try:
                self.worker.runs(name)
            except process.NotUp as error:
                self.say(f"connector {name} starts again: {str(error).splitlines()[0][:300]}")
                self.worker.ask("POST", f"/connectors/{name}/restart?includeTasks=true&onlyFailed=true")

    def mark(self, number):
        """Writes a marker into each source and waits until both are in the log."""
        before = {topic: self.count(topic) for topic in MARKERS}
        for side in self.sides:
            side.mark(number)
        def arrived():
            self.keep_connectors()
            return all(self.count(topic) > before[topic] for topic in MARKERS)
        wait_until(arrived, 600 + SECONDS, lambda: f"markers have not arrived: {self.worker.log_tail()}", poll=0.5)

    def count(self, topic):
        return self.kafka.count([topic]) if topic in self.kafka.topics() else 0

    def let_it_finish(self):
        self.mark(2)
        count = None
        while count != (count := self.kafka.count(self.kafka.topics())):  # other partitions may come a little later
            time.sleep(1)
        self.say(f"{count} messages in the log")
        def applied():
            return all(self.target.value("target", f"select to_regclass('{table}')") and
                       self.target.value("target", f"select count(*) from {table}") == "2" for table in ("public.marker", "shop.mmarker"))
        wait_until(applied, 300 + SECONDS, lambda: f"the program does not arrive: {self.cdcrt.log_tail()}", poll=0.2)
        self.assertTrue(self.cdcrt.kill(), f"seed {SEED}: it ended on its own: {self.cdcrt.log_tail()}")
        code = self.cdcrt.finish(600 + SECONDS)
        # A connector that loses its broker may send changes again; without a key the second removal of a row finds none.
        self.assertIn(code, (0, 4), f"seed {SEED}: {self.cdcrt.log_tail()}")
        self.say("the program is at the end of the log")

    def dump(self):
        paths = []
        for topic in sorted(self.kafka.topics()):
            if topic.startswith(("p.", "m.")):
                paths.append(os.path.join(self.folder, topic + ".jsonl"))
                self.kafka.dump([topic], paths[-1])
        return paths

    def compare(self, paths):
        target = targets.Postgresql(self.target.connection("target"))
        found = chain_compare.with_sources(self.sides, target)
        self.say("sources compared")
        manifests = [os.path.join(program.MANIFESTS, name) for name in ("chain.toml", "chain-kafka.toml")]
        more, dead_letters, count = chain_compare.with_oracle(paths, manifests, target)
        self.say(f"{count} tables compared with the oracle")
        mine = {(dead_letter["topic"], dead_letter["partition"], dead_letter["offset"], dead_letter["reason"]): dead_letter for dead_letter in program.dead_letters(self.cdcrt.dead_letters)}
        theirs = {(dead_letter.topic, dead_letter.partition, dead_letter.offset, dead_letter.reason) for dead_letter in dead_letters if not dead_letter.moot}
        moot = {(dead_letter.topic, dead_letter.partition, dead_letter.offset, dead_letter.reason) for dead_letter in dead_letters if dead_letter.moot}
        self.assertEqual(theirs - set(mine), set(), f"seed {SEED}: dead letters of the oracle that are missing")
        self.assertEqual([mine[place]["message"] for place in mine if place not in theirs | moot], [], f"seed {SEED}: dead letters that the oracle has not")
        self.assertTrue(all(topic.endswith("nokey") for topic, _, _, _ in theirs), f"seed {SEED}: {theirs}")
        self.assertEqual(count, sum(len(side.tables) + 1 for side in self.sides))
        if found + more:
            with open(os.path.join(self.folder, "state.txt"), "w", encoding="utf-8") as file:
                for name in ("leases", "watermarks", "progress", "tables", "known_columns"):
                    print(name, *self.target.query("target", f"select * from cdcrt.{name}"), sep="\n", file=file)
                for table in ("shop.mevolving", "public.evolving"):
                    print(table, *self.target.query("target", f"select id, xmin::text, xmax::text, * from {table} order by id"), sep="\n", file=file)
            self.fail(f"seed {SEED}:\n" + "\n".join(found + more))


if __name__ == "__main__":
    unittest.main()
