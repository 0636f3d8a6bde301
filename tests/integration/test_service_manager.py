"""What a service manager is told through NOTIFY_SOCKET: ready, alive, how far, stopping."""
import os
import re
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from integration.program import BINARY
from integration.test_plugin_faults import PLUGIN

MANIFEST = f"""
[pipeline]
name = "service"
[sources.lines]
plugin = "file"
paths = "-"
layout = "values"
topic = "people"
[sources.lines.format]
plugin = "{os.path.abspath(PLUGIN)}"
fault = "none"
[sinks.db]
plugin = "odbc"
connection = {{ Driver = "SQLite3", Database = "target.db" }}
[runtime]
shutdown_timeout = "20s"
[dead_letters]
path = "dead_letters.jsonl"
"""
PATIENCE = 60


class ServiceManager(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="cdcrt-service-")
        self.addCleanup(place.cleanup)
        self.folder = place.name
        with open(os.path.join(self.folder, "service.toml"), "w", encoding="utf-8") as file:
            file.write(MANIFEST)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(os.path.join(self.folder, "notify"))
        self.manager.settimeout(PATIENCE)

    def start(self, watchdog_seconds, fault="none", *more):
        environment = {**os.environ, "NOTIFY_SOCKET": os.path.join(self.folder, "notify"), "WATCHDOG_USEC": str(watchdog_seconds * 1_000_000)}
        with open(os.path.join(self.folder, "log"), "wb") as log:
            process = subprocess.Popen([BINARY, "run", "--manifest", "service.toml", "--set", f"sources.lines.format.fault={fault}", *more],
                                       cwd=self.folder, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdin.close)
        return process

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as file:
            return file.read()

    def until(self, wanted):
        """What is told up to a message that begins so."""
        told = []
        while not told or not told[-1].startswith(wanted):
            try:
                told.append(self.manager.recv(4096).decode())
            except TimeoutError:
                self.fail(f"never told {wanted!r}; told: {told}\n{self.log()}")
        return told

    def feed(self, process, *lines):
        process.stdin.write("".join(line + "\n" for line in lines).encode())
        process.stdin.flush()

    def test_a_run_tells_that_it_is_ready_alive_how_far_and_stopping(self):
        process = self.start(4)
        told = self.until("READY=1")
        self.assertEqual(told[0], "STATUS=opening sources and sinks")
        self.assertNotIn("WATCHDOG=1", told)
        self.until("WATCHDOG=1")
        self.feed(process, "1,Ada", "no comma")
        self.until("STATUS=1 rows, 1 tables, 1 dead letters")
        self.until("WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        # shutdown_timeout, what it is exceeded by where something outside does not answer, and what tidying up takes.
        self.assertEqual(self.until("STOPPING=1")[-1], "STOPPING=1\nEXTEND_TIMEOUT_USEC=40000000")
        self.until("STATUS=stopping")
        self.assertEqual(process.wait(PATIENCE), 4, self.log())

    def test_a_target_that_is_locked_for_longer_than_the_watchdog_waits_is_no_hang(self):
        process = self.start(2)
        self.until("READY=1")
        self.feed(process, "1,Ada")
        self.until("STATUS=1 rows, 1 tables")
        with sqlite3.connect(os.path.join(self.folder, "target.db"), isolation_level=None) as database:
            database.execute("BEGIN EXCLUSIVE")
            self.feed(process, "2,Grace")
            self.until("STATUS=2 rows, 1 tables")
            time.sleep(3)
            self.manager.setblocking(False)
            with self.assertRaises(BlockingIOError):
                while True:
                    self.manager.recv(4096)
            self.manager.setblocking(True)
            self.manager.settimeout(PATIENCE)
            self.until("WATCHDOG=1")
            database.execute("ROLLBACK")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 0, self.log())

    def test_a_thread_that_is_stuck_ends_the_signs_of_life_and_is_named(self):
        process = self.start(2, "stuck", "--set", "runtime.http=127.0.0.1:0")
        self.until("READY=1")
        self.feed(process, "1,Ada", "2,Grace", "3,Edsger")
        self.assertRegex(self.until("STATUS=decode worker")[-1], r"^STATUS=decode worker \d+ does not go on$")
        self.manager.settimeout(3)
        with self.assertRaises(TimeoutError):
            while True:
                self.assertNotEqual(self.manager.recv(4096), b"WATCHDOG=1")
        self.assertIn("does not go on: the watchdog ends this process soon", self.log())
        # A probe judges as the watchdog does.
        url = re.search(r"metrics, health and status at (http://\S+)", self.log())[1]
        with self.assertRaises(urllib.error.HTTPError) as dead:
            urllib.request.urlopen(url.rstrip("/") + "/livez", timeout=PATIENCE)
        with dead.exception as answer:
            self.assertEqual(answer.code, 503)
            self.assertRegex(answer.read().decode(), r"decode worker \d+ does not go on")


if __name__ == "__main__":
    unittest.main()
