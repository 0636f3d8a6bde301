"""What every server of the laboratory has: a folder, free ports, a log, and an end, however the test ends."""

import atexit
import fcntl
import functools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

KEEP = os.environ.get("CDCRT_LAB_KEEP", os.path.join(tempfile.gettempdir(), "cdcrt-lab-failures"))


class NotUp(Exception):
    """A server did not start; the text ends with its log."""


_ports, _chance = set(), random.Random()
RESERVED = os.environ.get("CDCRT_LAB_PORTS", os.path.join(tempfile.gettempdir(), "cdcrt-lab-ports"))


@functools.lru_cache(maxsize=None)
def _reservations():
    """The file whose bytes are ports. Never closed: a process that closes a file lets go of all its locks of it."""
    try:
        os.close(os.open(RESERVED, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        os.chmod(RESERVED, 0o666)  # tests of other users reserve here as well
    except OSError:
        pass  # it is there
    return os.open(RESERVED, os.O_RDWR)


def _reserve(port):
    """Until this process ends, also while the server of the port is stopped. False: another test has it."""
    try:
        fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def free_port():
    """A port of the loopback that nobody uses, nor any other test that runs now, below those that outgoing connections take: a client that
    calls a stopped server again and again could otherwise occupy its port, or be connected with itself."""
    while True:
        port = _chance.randrange(10000, 32000)
        if port in _ports or not _reserve(port):
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _ports.add(port)
        return port


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wakeups(pid):
    """How often a thread of the process went to sleep and was woken again, of the threads that live."""
    sleeps = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/status", encoding="ascii", errors="replace") as file:
                sleeps += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches:"))
        except OSError:
            continue
    return sleeps


def wait_until(done, seconds, what, poll=0.05):
    """Waits until done() is true; answers it. TimeoutError with `what` (text, or a function that gives it) after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        answer = done()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds} s: {what() if callable(what) else what}")
        time.sleep(poll)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class _Reaper:
    """Ends the servers when the test's own process dies without a word (kill -9, a time limit): a process at the other end of a pipe."""

    PROGRAM = """
import os, shutil, signal, sys
left = {}
for line in sys.stdin:
    word, _, value = line.rstrip("\\n").partition(" ")
    pid, _, folder = value.partition(" ")
    if word == "+": left[pid] = folder
    else: left.pop(pid, None)
for pid in left:
    try: os.kill(int(pid), signal.SIGKILL)
    except OSError: pass
for folder in left.values():
    shutil.rmtree(folder, ignore_errors=True)
"""

    def __init__(self):
        self.process, self.lock = None, threading.Lock()

    def tell(self, line):
        with self.lock:
            if self.process is None:
                self.process = subprocess.Popen([sys.executable, "-c", self.PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                                text=True, start_new_session=True)
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def end(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


_reaper = _Reaper()
atexit.register(_reaper.end)  # before any server's: it runs after them
_servers = []


class Server:
    """A process with a folder of its own. Subclasses give `_launch` (starts it, answers the pid) and `_is_up`.

    Use from one thread at a time. `stop` is legal twice and removes the folder; `halt`, `kill` and `restart` keep it."""

    name = "server"
    up_within = 60   # seconds
    gentle = signal.SIGTERM
    halt_within = 60

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix=f"cdcrt-{self.name}-")
        self.log = os.path.join(self.folder, "log")
        self.pid, self.process = None, None
        _servers.append(self)
        atexit.register(self.stop)

    # ---- for subclasses ----

    def _launch(self):
        raise NotImplementedError

    def _is_up(self):
        raise NotImplementedError

    def _spawn(self, arguments, environment=None):
        with open(self.log, "ab") as log:
            # Not this process's parenthood decides, but the reaper: a signal at the terminal must not reach the servers.
            self.process = subprocess.Popen(arguments, cwd=self.folder, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        return self.process.pid

    # ---- life ----

    def start(self):
        """Starts it on its data and port, and waits until it answers. A server that hangs at its start on a busy machine gets a second try."""
        try:
            return self._start_once()
        except NotUp as first:
            print(f"{first}; started once more", file=sys.stderr)
            return self._start_once()

    def _start_once(self):
        self.pid = self._launch()
        _reaper.tell(f"+ {self.pid} {self.folder}")
        end = time.monotonic() + self.up_within
        while not self._is_up():
            if not self.running():
                self.pid = None
                raise NotUp(f"{self.name} ended at once: {self.log_tail()}")
            if time.monotonic() > end:
                self.kill()
                raise NotUp(f"{self.name} was not up within {self.up_within} s: {self.log_tail()}")
            time.sleep(0.05)
        return self

    def running(self):
        if self.process is not None:
            return self.process.poll() is None
        return self.pid is not None and alive(self.pid)

    def signal(self, number):
        os.kill(self.pid, number)

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def halt(self):
        """Ends it in good order, keeps its data."""
        self._end(self.gentle)

    def kill(self):
        """Ends it with SIGKILL, keeps its data."""
        self._end(signal.SIGKILL)

    def _end(self, number):
        if self.pid is None:
            return
        if self.running():
            self.signal(number)
            try:
                wait_until(lambda: not self.running(), self.halt_within, "")
            except TimeoutError:
                self.signal(signal.SIGKILL)
                wait_until(lambda: not self.running(), 30, f"{self.name} (pid {self.pid}) does not die")
        _reaper.tell(f"- {self.pid}")
        self.pid, self.process = None, None

    def restart(self, gently=True):
        if gently:
            self.halt()
        else:
            self.kill()
        return self.start()

    def stop(self):
        """Ends it for good and removes its folder."""
        if self in _servers:
            _servers.remove(self)
        self._end(self.gentle if self.graceful_stop else signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    graceful_stop = False  # its data go with it: nothing has to be in order

    def log_text(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def log_tail(self, characters=3000):
        return self.log_text()[-characters:]

    def keep_log(self, place):
        """Copies the log into the folder `place`."""
        if os.path.exists(self.log):
            shutil.copy(self.log, os.path.join(place, f"{os.path.basename(self.folder)}.log"))


def keep_logs(name):
    """Copies the logs of all living servers to a folder named after the test; answers it."""
    place = os.path.join(KEEP, name)
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    for server in _servers:
        server.keep_log(place)
    return place


class Case(unittest.TestCase):
    """A test that keeps the logs of its servers when it fails: below $CDCRT_LAB_KEEP, else cdcrt-lab-failures in the temporary folder."""

    def tearDown(self):
        result = self._outcome.result
        if any(test is self for test, _ in [*result.failures, *result.errors]):
            place = keep_logs(self.id())
            for log in self.logs_to_keep():
                shutil.copy(log, place)
            print(f"\nlogs: {place}", file=sys.stderr)

    def logs_to_keep(self):
        """Paths of logs beside those of the servers."""
        return []
