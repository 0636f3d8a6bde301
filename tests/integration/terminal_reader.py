"""A program in a terminal of its own: what stands on its screen, and keys that are pressed."""

import fcntl
import html
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

SEQUENCE = re.compile(r"\x1b\[(\??)([0-9;]*)([A-Za-z])")
LOOKS = {"": "", "0": "", "1": "font-weight:bold", "2": "opacity:.6", "7": "background:#d0d4da;color:#15181c", "32": "color:#5fce6b", "33": "color:#e2b93d",
         "1;31": "color:#ff7b72;font-weight:bold"}


class TerminalReader:
    """Runs `command` in a terminal of `columns` and `lines`. Knows what `cdcrt top` sends, and refuses anything else."""

    def __init__(self, command, columns=120, lines=40, environment=None):
        self.columns, self.lines = columns, lines
        self.master, inner = pty.openpty()
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.settings = termios.tcgetattr(self.master)
        self.process = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner, start_new_session=True, env=environment)
        os.close(inner)
        self.rest, self.all = b"", b""
        self.screen, self.row, self.column, self.other, self.styled = [""] * lines, 0, 0, False, False
        self.look, self.looks = "", {}  # the numbers of SGR: in force, and of each place (row, column)

    def press(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds):
        """Takes what comes within that time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.master], [], [], left)[0]:
                return
            try:
                got = os.read(self.master, 65536)
            except OSError:  # it has ended
                return
            self.all += got
            self._take(got)

    def _take(self, got):
        text = (self.rest + got).decode("utf-8", "surrogateescape")
        # A sequence or a character may be cut in two.
        cut = text.rfind("\x1b")
        if cut >= 0 and not SEQUENCE.match(text, cut):
            text, self.rest = text[:cut], text[cut:].encode("utf-8", "surrogateescape")
        else:
            kept = re.search(r"[\udc80-\udcff]*$", text).start()
            text, self.rest = text[:kept], text[kept:].encode("utf-8", "surrogateescape")
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                found = SEQUENCE.match(text, at)
                self._obey(*found.groups())
                at = found.end()
                continue
            if text[at] == "\r":
                self.column = 0
            elif text[at] == "\n":
                self.row += 1
                if self.row >= self.lines:
                    raise AssertionError("a line more than the terminal has")
            else:
                assert text[at].isprintable(), repr(text[at])
                line = self.screen[self.row].ljust(self.column)
                self.screen[self.row] = line[:self.column] + text[at] + line[self.column + 1:]
                self.looks[self.row, self.column] = self.look
                self.column += 1
            at += 1

    def _obey(self, private, numbers, letter):
        if private:
            assert (numbers, letter) in (("1049", "h"), ("1049", "l"), ("25", "h"), ("25", "l")), (numbers, letter)
            self.other = self.other if numbers == "25" else letter == "h"
        elif letter == "H":
            self.row, self.column = 0, 0
        elif letter == "K":
            self.screen[self.row] = self.screen[self.row][:self.column]
        elif letter == "J":
            self.screen = self.screen[:self.row] + [self.screen[self.row][:self.column]] + [""] * (self.lines - self.row - 1)
        else:
            assert letter == "m" and numbers in LOOKS, (numbers, letter)
            self.styled, self.look = True, numbers

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen)

    def page(self):
        """HTML of the screen, with its colours, for a picture."""
        lines = ["".join(f'<span style="{LOOKS[self.looks.get((row, column), "")]}">{html.escape(character)}</span>' for column, character in enumerate(line))
                 for row, line in enumerate(self.screen)]
        return ("<!doctype html><meta charset=utf-8><style>body { margin: 0; background: #15181c; color: #e6e8eb } "
                f"pre {{ margin: 12px; font: 13px 'DejaVu Sans Mono', monospace }}</style><pre>{chr(10).join(lines).rstrip()}</pre>")

    def wait_for(self, *parts, seconds=60):
        """Until the screen has all of them."""
        until = time.monotonic() + seconds
        while not all(part in self.text() for part in parts):
            if time.monotonic() > until or (self.process.poll() is not None and not select.select([self.master], [], [], 0)[0]):
                raise AssertionError(f"{parts} not seen in\n{self.text()}\n{self.all[-2000:]!r}")
            self.read(0.2)

    def end(self, seconds=30):
        """Its exit code, once it has ended by itself."""
        until = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > until:
                raise AssertionError(f"has not ended:\n{self.text()}")
            self.read(0.2)
        self.read(0.5)
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
