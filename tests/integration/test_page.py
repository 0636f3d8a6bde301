"""The page at / in a browser beside real traffic: a first load, an outage of the target, a table that waits, dead letters. With
CDCRT_PICTURES=FOLDER it leaves the pictures that the documents show."""

import os
import re
import subprocess
import unittest

from integration import program
from integration.live import LOG, Servers, behind_proxy
from integration.scrape import Scrape
from lab.browser import Browser
from lab.process import Case, wait_until

EVENTS = int(os.environ.get("CDCRT_PAGE_EVENTS", "6000"))
PICTURES = os.environ.get("CDCRT_PICTURES")
DESKTOP, PHONE = (1280, 900), (390, 844)


def setUpModule():
    Page.servers, Page.browser = Servers(EVENTS, slices=4), Browser()


def tearDownModule():
    Page.browser.close()
    Page.servers.stop()


class Page(Case):
    """Kafka into PostgreSQL, and somebody who looks."""
    servers = browser = None

    def setUp(self):
        self.live, self.proxy = behind_proxy(self, self.servers, "cdcrt-page-")
        self.scrape = Scrape(lambda: self.live.log("one"))

    def begin(self, *settings):
        """The pipeline, and the page open beside it."""
        self.process = self.live.start("one", *[part for setting in ('runtime.http="127.0.0.1:0"', *settings) for part in ("--set", setting)])
        wait_until(lambda: self.scrape.url, 60, lambda: self.live.log("one"))
        self.origin = "{}://{}:{}".format(*self.scrape.url)
        self.browser.errors.clear(), self.browser.requests.clear()
        self.browser.look(*DESKTOP)
        self.browser.open(self.origin + "/")
        self.browser.wait_for("ready")
        return self.live

    def tearDown(self):
        self.browser.open("about:blank")
        self.process.terminate()
        self.process.wait(60)

    def picture(self, name, whole=False):
        if PICTURES:
            self.browser.picture(os.path.join(PICTURES, name + ".png"), whole)

    def tables(self):
        """The first cells of the rows, as they stand."""
        return self.browser.value("[...document.querySelectorAll('#rows tr')].map(row => row.cells[0].innerText.trim())")

    def fits(self):
        return self.browser.value("document.documentElement.scrollWidth <= window.innerWidth")

    def test_the_page_shows_what_was_applied_and_asks_nobody_else(self):
        live = self.begin()
        live.produce_all()
        live.wait_until_complete(120)
        status = self.scrape.status()
        rows = {each["table"]: sum(each["applied_rows"].values()) for each in status["tables"]}
        wait_until(lambda: self.browser.value("now !== null && now.tables.reduce((all, each) => all + sum(each.applied_rows), 0)") == sum(rows.values()), 60, self.browser.text)
        text = self.browser.wait_for("running, ready", "events (kafka)", "debezium-json", "reading", "writing", f"Tables: {len(rows)}")
        for table, count in rows.items():
            self.assertIn(table, text)
            self.assertIn(f"{count:,}", text)
        self.assertNotIn("Dead letters\n", text)
        # Sorted and searched for by the process, so that ten thousand tables are no more for the page than fifty.
        self.browser.value("change({sort: 'rows'})")
        most = sorted(rows, key=rows.get, reverse=True)
        wait_until(lambda: self.tables()[0] == most[0] and rows[self.tables()[-1]] == min(rows.values()), 30, self.browser.text)
        self.browser.value("byId('search').value = 'ORD'; byId('search').dispatchEvent(new Event('input'))")
        found = [table for table in rows if "ord" in table]
        wait_until(lambda: self.tables() == sorted(found), 30, self.browser.text)
        self.assertTrue(self.browser.value("location.hash").startswith("#sort=rows&search=ORD"))
        # The address has what was chosen.
        self.browser.open("about:blank")
        self.browser.open(self.origin + "/#search=ORD&sort=name")
        wait_until(lambda: self.tables() == sorted(found), 30, self.browser.text)
        for dark in (False, True):
            for width, height, phone in ((*DESKTOP, False), (*PHONE, True), (320, 568, True)):
                self.browser.look(width, height, dark, phone)
                self.assertTrue(self.fits(), f"{width} pixels are too few")
        self.assertEqual(self.browser.errors, [])
        asked = {url.split("?")[0].split("#")[0] for url in self.browser.requests if not url.startswith("about:")}
        self.assertLessEqual(asked, {self.origin + "/", self.origin + "/status", self.origin + "/favicon.ico"})
        # Without colour there are words and signs.
        self.assertIn("\u25cf active", self.browser.text())

    def test_a_first_load_shows_its_bar_and_the_time_left(self):
        self.live.produce_all()
        # Small writes through one connection, and little room before it: as slow as a large load.
        self.begin('runtime.memory="16MiB"', "sinks.target.connections=1", "sinks.target.batch.max_rows=2")
        wait_until(lambda: re.search(r"(?m)^\d+ %, about [\d.]+ (s|min) left$", self.browser.text()), 60, self.browser.text, poll=0.02)
        self.picture("page-load", whole=True)
        self.live.wait_until_complete(240)
        wait_until(lambda: not re.search(r"(?m)%, .* (left|known)$", self.browser.text()), 60, self.browser.text)
        self.assertEqual(self.browser.errors, [])

    def test_an_outage_a_table_that_waits_and_dead_letters_are_seen(self):
        live = self.begin()
        live.load.produce(live.kafka, 0)
        self.browser.wait_for("shop.orders")
        live.kafka.produce(LOG, [("", "this is no event")])
        self.browser.wait_for("no table: undecodable", "cdcrt dlq list shows them")
        live.load.produce(live.kafka, 1)
        with subprocess.Popen(["psql", "-X", "-q", "-d", live.postgresql.connection("live")], stdin=subprocess.PIPE, text=True) as locking:
            locking.stdin.write("begin; lock table shop.orders in access exclusive mode;\n")
            locking.stdin.flush()
            wait_until(lambda: live.value("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation is not null") != "0", 30, "no lock")
            live.load.produce(live.kafka, 2)
            self.browser.wait_for("\u25b2 detached", "lock")
            # The terminal has the same to say.
            shown = subprocess.run([program.BINARY, "top", "--url", self.origin, "--once"], capture_output=True, text=True, check=True, timeout=60).stdout
            self.assertRegex(shown, r"(?m)^shop\.orders +detached .*\n  why: .*lock")
            self.assertIn("dead letters: 1 of no table: undecodable", shown)
            if PICTURES:
                with open(os.path.join(PICTURES, "top.txt"), "w", encoding="utf-8") as file:
                    file.write(shown)
            self.browser.look(*DESKTOP, dark=True)
            self.picture("page-detached-dark", whole=True)
            self.browser.look(*PHONE, phone=True)
            self.assertTrue(self.fits())
            self.picture("page-phone")
            self.browser.look(*DESKTOP)
            self.browser.value("change({state: 'detached'})")
            wait_until(lambda: self.tables() == ["shop.orders"], 30, self.browser.text)
            self.browser.value("change({state: ''})")
            locking.stdin.write("rollback;\n\\q\n")
        wait_until(lambda: "detached" not in str(self.browser.value("byId('rows').innerText")), 60, self.browser.text)
        self.proxy.away()
        live.load.produce(live.kafka, 3)
        self.browser.wait_for("running, not ready", "sinks.target: waiting for the target for", "\u25b2 waiting", seconds=90)
        self.assertTrue(self.browser.value("document.title").startswith("not ready: "))
        self.picture("page-outage")
        self.proxy.accept()
        self.browser.wait_for("running, ready", seconds=90)
        self.assertEqual(self.browser.errors, [])
        # The process ends under the eyes of the page, which says so and keeps what it knows.
        self.process.terminate()
        self.process.wait(60)
        self.browser.wait_for("no answer", "The process does not answer", "shop.orders")


if __name__ == "__main__":
    unittest.main()
