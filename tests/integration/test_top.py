"""`cdcrt top` beside a running pipeline: what it shows is what was applied, keys move it, and it leaves the terminal as it was."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import termios
import unittest

from integration import program
from integration.messages import Lines
from integration.scrape import Scrape
from integration.terminal_reader import TerminalReader
from lab.process import Case, wait_until

TOKEN = "a-token-that-nobody-guesses-0002"
TABLES = 60


class Top(Case):
    """A file that goes on, into SQLite: tables t0 to t59, of which each has one row more than the one before; and messages that are none."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-top-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.token_file = os.path.join(self.folder, "token")
        with open(self.token_file, "w", encoding="utf-8") as file:
            file.write(TOKEN + "\n")
        self.manifest = os.path.join(self.folder, "top.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write('[pipeline]\nname = "shop"\n[runtime]\nhttp = "127.0.0.1:0"\nhttp_token = "${file:token}"\n'
                       '[sources.events]\nplugin = "file"\npaths = "-"\ntopics = ["*"]\nformat.plugin = "debezium-json"\n[sinks.shop]\nplugin = "odbc"\n'
                       'connection = { Driver = "SQLite3", Database = "shop.db" }\n')
        self.log_path = os.path.join(self.folder, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([program.BINARY, "--manifest", self.manifest], stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.folder)
        self.addCleanup(self.stop)
        self.scrape = Scrape(self.log, token=TOKEN)
        wait_until(lambda: self.scrape.url, 60, self.log)
        self.url = "{}://{}:{}".format(*self.scrape.url)
        lines = Lines()
        for table in range(TABLES):
            for row in range(table + 1):
                lines.row(f"t{table}", {"id": row, "v": "x"}, f"t.public.t{table}")
        lines.message("this is no event")
        path = os.path.join(self.folder, "lines")
        lines.write(path)
        with open(path, "rb") as file:
            self.process.stdin.write(file.read())
            self.process.stdin.flush()
        wait_until(lambda: self.scrape.status()["totals"]["applied_rows"]["insert"] == TABLES * (TABLES + 1) // 2, 60, self.log)

    def stop(self):
        if self.process.stdin:
            self.process.stdin.close()
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def command(self, *arguments):
        return [program.BINARY, "top", "--url", self.url, "--token-file", self.token_file, "--interval", "0.2", *arguments]

    def once(self, *arguments, code=0):
        ended = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual(ended.returncode, code, ended.stdout + ended.stderr)
        self.assertNotIn(TOKEN, ended.stdout + ended.stderr)
        return ended.stdout + ended.stderr

    def terminal(self, *arguments, **settings):
        terminal = TerminalReader(self.command(*arguments), **settings)
        self.addCleanup(terminal.close)
        return terminal

    def test_one_screen_is_printed_where_the_output_is_no_terminal(self):
        for arguments in (self.command(), [program.BINARY, "top", "--manifest", self.manifest, "--url", self.url, "--interval", "0.2"]):
            text = self.once(*arguments, "--sort", "name")
            self.assertNotIn("\x1b", text)
            self.assertRegex(text, r"pipeline shop +running, ready")
            self.assertRegex(text, r"(?m)^events \(file\) +reading ")
            self.assertRegex(text, r"(?m)^shop \(odbc\) +writing ")
            self.assertIn("dead letters: 1 of no table: undecodable", text)
            self.assertIn(f"tables {TABLES}: {TABLES} active; by name", text)
            rows = {name: int(rows) for name, rows in re.findall(r"(?m)^(t\d+) +active +\S+ +[\d.]+ s +\S+ +\S+ +(\d+) ", text)}
            self.assertEqual(sorted(rows.values()), list(range(1, TABLES + 1)), text)

    def test_keys_sort_search_and_turn_pages_and_the_terminal_is_left_as_it_was(self):
        terminal = self.terminal(lines=30)
        terminal.wait_for("by lag", "q quit", "t0 ")
        self.assertTrue(terminal.other and terminal.styled)
        terminal.press("s")
        terminal.wait_for("by rows", "t59 ")
        terminal.press("ss")
        terminal.wait_for("by name", "t0 ")
        self.assertNotIn("t59 ", terminal.text())
        terminal.press("\x1b[6~\x1b[6~\x1b[6~\x1b[6~\x1b[6~")
        terminal.wait_for("t9 ", "from number")
        terminal.press("/")
        terminal.wait_for("search: _")
        terminal.press("t33x")
        terminal.wait_for("'t33x' in 0")
        terminal.press("\x7f\r")
        terminal.wait_for("'t33' in 1", "t33 ", "q quit")
        terminal.press("q")
        self.assertEqual(terminal.end(), 0)
        self.assertFalse(terminal.other)
        self.assertEqual(termios.tcgetattr(terminal.master)[3], terminal.settings[3])

    def test_it_goes_on_while_the_pipeline_is_away_and_ends_at_a_signal(self):
        terminal = self.terminal()
        terminal.wait_for("running, ready")
        self.stop()
        terminal.wait_for("! no answer any more, these are the last numbers: nobody answers at")
        terminal.process.send_signal(signal.SIGTERM)
        self.assertEqual(terminal.end(), 0)
        self.assertFalse(terminal.other)

    def test_a_small_terminal_without_colours_has_the_same_words(self):
        terminal = self.terminal(columns=60, lines=16, environment={**os.environ, "NO_COLOR": "1"})
        terminal.wait_for("running, ready", "q quit")
        self.assertFalse(terminal.styled)
        terminal.press("\x04")
        self.assertEqual(terminal.end(), 0)

    def test_what_is_wrong_is_said_before_the_screen_is_taken(self):
        self.assertIn("no pipeline given", self.once(program.BINARY, "top", code=2))
        self.assertIn("asks for a token", self.once(program.BINARY, "top", "--url", self.url, code=2))
        with open(self.token_file, "w", encoding="utf-8") as file:
            file.write("another-token-of-some-length")
        self.assertIn("refuses the token", self.once(*self.command(), code=2))
        self.assertIn("cannot be read", self.once(program.BINARY, "top", "--url", self.url, "--token-file", "/nowhere", code=2))
        self.assertIn("nobody answers at http://127.0.0.1:1", self.once(program.BINARY, "top", "--url", "127.0.0.1:1", code=3))
        self.assertIn("takes any port that is free", self.once(program.BINARY, "top", "--manifest", self.manifest, code=2))
        self.assertIn("from 0.1 to 3600", self.once(program.BINARY, "top", "--url", self.url, "--interval", "0", code=2))
        self.assertIn("'lagg' is not allowed for --sort", self.once(*self.command("--sort", "lagg"), code=2))
        terminal = TerminalReader([program.BINARY, "top", "--url", "127.0.0.1:1"])
        self.addCleanup(terminal.close)
        self.assertEqual(terminal.end(), 3)
        self.assertNotIn(b"\x1b", terminal.all)


if __name__ == "__main__":
    unittest.main()
