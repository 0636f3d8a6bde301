"""What an operator sees of a first load, an outage of the target, a table that waits and dead letters: on the page, in `cdcrt top` and on the dashboard,
of one process on real traffic, asked by a real Prometheus. With CDCRT_PICTURES=FOLDER it leaves the pictures that the documents show."""

import os
import re
import subprocess
import time
import unittest

from integration import program
from integration.live import LOG, TABLES, Servers, behind_proxy
from integration.scrape import Scrape
from integration.terminal_reader import TerminalReader
from lab.browser import Browser
from lab.connect import Connect, postgresql_source
from lab.dashboard import Dashboard
from lab.postgresql import Postgresql
from lab.process import Case, wait_until
from lab.prometheus import Prometheus

EVENTS, ROWS = 6000, 1000
PICTURES = os.environ.get("CDCRT_PICTURES")
DASHBOARD = os.path.join(os.path.dirname(program.TESTS), "deploy", "monitoring", "dashboard.json")
DESKTOP, PHONE, WIDE = (1280, 900), (390, 844), (1220, 900)


def setUpModule():
    States.servers, States.browser = Servers(EVENTS, slices=4), Browser()


def tearDownModule():
    States.browser.close()
    States.servers.stop()


class States(Case):
    """Kafka into PostgreSQL, and somebody who looks in three ways."""
    servers = browser = None

    def setUp(self):
        self.live, self.proxy = behind_proxy(self, self.servers, "cdcrt-states-")
        self.scrape = Scrape(lambda: self.live.log("one"))

    def begin(self, *settings):
        """The pipeline, the page open beside it, `top` in a terminal, and Prometheus."""
        self.process = self.live.start("one", *[part for setting in ('runtime.http="127.0.0.1:0"', *settings) for part in ("--set", setting)])
        self.addCleanup(self.end)
        wait_until(lambda: self.scrape.url, 60, lambda: self.live.log("one"))
        self.origin = "{}://{}:{}".format(*self.scrape.url)
        self.begun = time.time()
        self.prometheus = Prometheus(self.origin.split("//")[1])
        self.addCleanup(self.prometheus.stop)
        self.dashboard = Dashboard(DASHBOARD, self.prometheus)
        self.top = TerminalReader([program.BINARY, "top", "--url", self.origin, "--interval", "0.5"], columns=150, lines=26)
        self.addCleanup(self.top.close)
        self.browser.errors.clear()
        self.browser.look(*DESKTOP)
        self.browser.open(self.origin + "/")
        self.browser.wait_for("ready")

    def end(self):
        self.browser.open("about:blank")
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def produce(self, piece):
        self.live.load.produce(self.live.kafka, piece, committed=time.time())

    def picture(self, name, whole=False):
        if PICTURES:
            self.browser.picture(os.path.join(PICTURES, name + ".png"), whole)

    def drawn(self, name, page, *size):
        """A picture of HTML that is not the pipeline's own."""
        if PICTURES:
            path = os.path.join(self.live.folder, name + ".html")
            with open(path, "w", encoding="utf-8") as file:
                file.write(page)
            self.browser.look(*size)
            self.browser.open("file://" + path)
            wait_until(lambda: self.browser.value("document.readyState") == "complete" and self.browser.value("location.protocol") == "file:", 30, "not loaded")
            self.picture(name, whole=True)
            self.browser.look(*DESKTOP)
            self.browser.open(self.origin + "/")
            self.browser.wait_for("ready")

    def pictures(self, state):
        self.top.read(1)
        self.drawn("top-" + state, self.top.page(), 1230, 100)
        self.drawn("dashboard-" + state, self.dashboard.page(time.time() - self.begun), *WIDE)

    def shown(self, title, done, seconds=60):
        """Waits until done({legend: value}) of a panel is true."""
        return wait_until(lambda: done(self.dashboard.now(title)), seconds, lambda: f"{title}: {self.dashboard.now(title)}", poll=0.3)

    def test_a_pipeline_that_is_well_fills_the_dashboard(self):
        self.begin()
        counted = 0
        for piece in range(self.live.load.slices):
            # A rate is of two answers at least: the next events come after Prometheus has counted some of these.
            self.produce(piece)
            (_, counted), = self.prometheus.wait_for("sum(cdcrt_table_rows_total)", lambda values, counted=counted: values and values[0] > counted)
        self.live.wait_until_complete(120)
        status = self.scrape.status()
        applied = sum(sum(each["applied_rows"].values()) for each in status["tables"])
        self.assertGreater(applied, EVENTS // 2)
        self.prometheus.wait_for("sum(cdcrt_table_rows_total)", lambda values: values == [applied])
        for title in ("Ready", "Target answers", "Source answers"):
            self.assertEqual(list(self.dashboard.now(title).values()), [1], title)
        # Each panel draws something, but for those of what did not happen.
        did_not_happen = {"Writes tried again", "Dead letters since the start, by reason", "Tables that are not active", "First load: time left"}
        wait_until(lambda: self.empty_panels() <= did_not_happen, 30, self.empty_panels)
        rates = [value for target in self.dashboard.panels["Rows applied"]["targets"]
                 for _, points in self.prometheus.between(self.dashboard.expression(target), self.begun, time.time()) for _, value in points]
        self.assertGreater(max(rates), 0)
        self.assertRegex(self.dashboard.page(time.time() - self.begun), "Rows applied.*polyline")

    def empty_panels(self):
        return {title for title, panel in self.dashboard.panels.items()
                if not any(self.prometheus.between(self.dashboard.expression(target), self.begun, time.time()) for target in panel["targets"])}

    def test_a_snapshot_of_debezium_shows_as_a_load_with_its_time_left_and_goes_live_by_itself(self):
        source = self.snapshot()
        # Small writes to a target that is far away, and little room before it: it takes as long as a large load, until all have looked.
        self.proxy.delay = 0.02
        self.begin('runtime.memory="16MiB"', "sinks.target.connections=1", "sinks.target.batch.max_rows=10", "sinks.target.load.max_rows=10")
        wait_until(lambda: re.search(r"(?m)^\d+ %, about [\d.]+ (s|min) left$", self.browser.text()), 60, self.browser.text, poll=0.02)
        self.browser.wait_for("loading")
        self.picture("page-load", whole=True)
        self.shown("First load: time left", lambda panel: any(value > 0 for value in panel.values()))
        self.shown("Messages to read", lambda panel: sum(panel.values()) > 0)
        self.assertGreater(self.dashboard.now("Tables by state")["active, of these loading"], 0)
        self.top.wait_for("TIME LEFT", "loading")
        self.assertRegex(self.top.text(), r"(?m)^events \(kafka\) .*\n.* %, about .* left$")
        self.pictures("load")
        self.proxy.delay = 0.0
        self.live.wait_until_complete(240)
        wait_until(lambda: not re.search(r"(?m)%, .* (left|known)$", self.browser.text()), 60, self.browser.text)
        self.shown("Messages to read", lambda panel: sum(panel.values()) == 0)
        # The first changes after it.
        source.sql("shop", "update shop.orders set word = 'changed' where id % 100 = 0; delete from shop.items where id = 1")
        wait_until(lambda: self.live.value("select count(*) from shop.orders where word = 'changed'") == str(ROWS // 100), 60, lambda: self.live.log("one"))
        for table in TABLES:
            rows = f"select count(*), md5(string_agg(id || ' ' || word, ',' order by id)) from shop.{table}"
            wait_until(lambda rows=rows: self.live.postgresql.query("live", rows) == source.query("shop", rows), 60, table)
        self.shown("Tables by state", lambda panel: panel["active, of these loading"] < panel["active"])
        self.top.wait_for(f"{len(TABLES)} active")
        self.assertEqual(self.browser.errors, [])

    def snapshot(self):
        """A database whose rows Debezium has read into the topics; it goes on with what changes there."""
        source = Postgresql(logical=True)
        self.addCleanup(source.stop)
        source.create("shop")
        source.sql("shop", "create schema shop; " + "".join(
            f"create table shop.{table} (id int primary key, word text not null); "
            f"insert into shop.{table} select id, md5(id::text) from generate_series(1, {ROWS}) id; " for table in TABLES))
        worker = Connect(self.live.kafka)
        self.addCleanup(worker.stop)
        worker.add("shop", postgresql_source(source, "shop", "bench"))
        wait_until(lambda: self.live.kafka.count(["bench.shop." + table for table in TABLES]) >= ROWS * len(TABLES), 120, worker.log_tail)
        return source

    def test_a_table_that_others_lock_and_dead_letters_are_seen_with_their_reasons(self):
        self.begin()
        self.produce(0)
        self.browser.wait_for("shop.orders")
        self.live.kafka.produce(LOG, [("", "this is no event")])
        self.browser.wait_for("no table: undecodable", "cdcrt dlq list shows them")
        self.top.wait_for("dead letters: 1 of no table: undecodable")
        self.shown("Dead letters", lambda panel: sum(panel.values()) == 1)
        self.assertIn("undecodable", self.dashboard.now("Dead letters since the start, by reason"))
        self.produce(1)
        with subprocess.Popen(["psql", "-X", "-q", "-d", self.live.postgresql.connection("live")], stdin=subprocess.PIPE, text=True) as locking:
            locking.stdin.write("begin; lock table shop.orders in access exclusive mode;\n")
            locking.stdin.flush()
            wait_until(lambda: self.live.value("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation is not null") != "0", 30, "no lock")
            self.produce(2)
            self.browser.wait_for("\u25b2 detached", "lock")
            self.top.wait_for("1 detached", "  why: ", "lock timeout")
            self.shown("Tables stopped or detached", lambda panel: sum(panel.values()) == 1)
            self.assertEqual([(row["table"], row["state"]) for row in self.dashboard.rows("Tables that are not active")], [("shop.orders", "detached")])
            self.shown("Writes tried again", lambda panel: sum(panel.values()) > 0)
            shown = subprocess.run([program.BINARY, "top", "--url", self.origin, "--once"], capture_output=True, text=True, check=True, timeout=60).stdout
            self.assertRegex(shown, r"(?m)^shop\.orders +detached .*\n  why: .*lock")
            self.browser.look(*DESKTOP, dark=True)
            self.picture("page-detached-dark", whole=True)
            self.browser.look(*PHONE, phone=True)
            self.assertTrue(self.browser.value("document.documentElement.scrollWidth <= window.innerWidth"))
            self.picture("page-phone")
            self.browser.look(*DESKTOP)
            self.browser.value("change({state: 'detached'})")
            wait_until(lambda: self.browser.value("[...document.querySelectorAll('#rows tr')].map(row => row.cells[0].innerText.trim())") == ["shop.orders"], 30,
                       self.browser.text)
            self.browser.value("change({state: ''})")
            self.pictures("detached")
            locking.stdin.write("rollback;\n\\q\n")
        wait_until(lambda: "detached" not in str(self.browser.value("byId('rows').innerText")), 60, self.browser.text)
        self.top.wait_for("6 active")
        self.shown("Tables stopped or detached", lambda panel: sum(panel.values()) == 0)
        self.assertEqual(self.dashboard.rows("Tables that are not active"), [])
        self.assertEqual(self.browser.errors, [])

    def test_an_outage_of_the_target_is_seen_with_its_reason_until_it_is_over(self):
        self.begin()
        self.produce(0)
        self.browser.wait_for("shop.orders")
        self.proxy.away()
        self.produce(1)
        self.browser.wait_for("running, not ready", "sinks.target: waiting for the target for", "\u25b2 waiting", seconds=90)
        self.assertTrue(self.browser.value("document.title").startswith("not ready: "))
        self.top.wait_for("running, NOT READY", "waiting for the target for")
        for title in ("Ready", "Target answers"):
            self.shown(title, lambda panel: list(panel.values()) == [0])
        self.shown("Furthest behind", lambda panel: max(panel.values()) > 0)
        self.picture("page-outage", whole=True)
        self.pictures("outage")
        self.proxy.accept()
        self.browser.wait_for("running, ready", seconds=90)
        self.top.wait_for("running, ready", seconds=90)
        self.shown("Ready", lambda panel: list(panel.values()) == [1])
        self.assertEqual(self.browser.errors, [])
        # The process ends under the eyes of the page, which says so and keeps what it knows.
        self.process.terminate()
        self.process.wait(60)
        self.browser.wait_for("no answer", "The process does not answer", "shop.orders")


if __name__ == "__main__":
    unittest.main()
