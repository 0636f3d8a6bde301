"""The page at / in a browser beside real traffic. What it shows of loads, outages and tables that wait: test_states.py."""

import os
import unittest

from integration.live import Servers, behind_proxy
from integration.scrape import Scrape
from lab.browser import Browser
from lab.process import Case, wait_until

EVENTS = int(os.environ.get("CDCRT_PAGE_EVENTS", "6000"))
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
        self.live, _ = behind_proxy(self, self.servers, "cdcrt-page-")
        self.scrape = Scrape(lambda: self.live.log("one"))
        self.process = self.live.start("one", "--set", 'runtime.http="127.0.0.1:0"')
        wait_until(lambda: self.scrape.url, 60, lambda: self.live.log("one"))
        self.origin = "{}://{}:{}".format(*self.scrape.url)
        self.browser.errors.clear(), self.browser.requests.clear()
        self.browser.look(*DESKTOP)
        self.browser.open(self.origin + "/")
        self.browser.wait_for("ready")

    def tearDown(self):
        self.browser.open("about:blank")
        self.process.terminate()
        self.process.wait(60)

    def tables(self):
        """The first cells of the rows, as they stand."""
        return self.browser.value("[...document.querySelectorAll('#rows tr')].map(row => row.cells[0].innerText.trim())")

    def fits(self):
        return self.browser.value("document.documentElement.scrollWidth <= window.innerWidth")

    def test_the_page_shows_what_was_applied_and_asks_nobody_else(self):
        self.live.produce_all()
        self.live.wait_until_complete(120)
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


if __name__ == "__main__":
    unittest.main()
