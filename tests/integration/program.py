"""Runs the program, and gives it a target."""

import gzip
import json
import os
import subprocess
import tempfile
import time

from lab.postgresql import Postgresql

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
PROJECT = os.path.dirname(TESTS)
MANIFESTS = os.path.join(HERE, "manifests")
BINARY = os.environ.get("CDCRT_BINARY", os.path.join(PROJECT, "build", "release", "bin", "cdcrt"))


class Result:
    def __init__(self, exit_code, log):
        self.exit_code, self.log = exit_code, log


def start(arguments, environment, log):
    """A running process whose output goes to the file `log`."""
    with open(log, "ab") as file:
        return subprocess.Popen([BINARY, *arguments], env={**os.environ, **environment}, stdout=file, stderr=subprocess.STDOUT,
                                stdin=subprocess.DEVNULL, cwd=os.path.dirname(log))


def run(arguments, environment=None, folder=None, timeout=300):
    log = os.path.join(folder or tempfile.gettempdir(), f"log-{os.getpid()}-{time.monotonic_ns()}")
    # Pipelines are run with every value of the format looked at.
    checks = ["--check-plugins"] if arguments[:1] == ["--manifest"] else []
    process = start([*arguments, *checks], environment or {}, log)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    os.remove(log)
    return Result(process.returncode, text)


def dead_letters(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class SqliteTarget:
    """A database file below `folder`."""
    overlay = os.path.join(MANIFESTS, "sqlite.toml")

    def __init__(self, folder):
        self.path = os.path.join(folder, "target.db")
        self.environment = {"CDCRT_TEST_DATABASE": self.path}
        self.name = "sqlite:" + self.path


class PostgresqlTarget:
    """A database of its own in a shared server, written through odbc or, with $CDCRT_TEST_POSTGRESQL, libpq."""
    overlay = os.path.join(MANIFESTS, "postgresql-libpq.toml" if os.environ.get("CDCRT_TEST_POSTGRESQL") == "libpq" else "postgresql.toml")
    server = None
    count = 0

    def __init__(self, folder):
        del folder
        if PostgresqlTarget.server is None:
            PostgresqlTarget.server = Postgresql()
        PostgresqlTarget.count += 1
        database = f"target_{PostgresqlTarget.count}"
        self.server.create(database)
        self.environment = {"CDCRT_TEST_DATABASE": database, "CDCRT_TEST_PORT": str(self.server.port)}
        self.name = "postgresql:" + self.server.connection(database)


def captured_messages(name):
    """The messages of tests/data/`name`, parsed, in the order of their times."""
    place = os.path.join(TESTS, "data", name, "events.jsonl")
    with open(place, encoding="utf-8") if os.path.exists(place) else gzip.open(place + ".gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def real_events(name, target, folder, *settings):
    """Arguments of a run of manifests/`name`.toml into `target`."""
    arguments = ["--manifest", os.path.join(MANIFESTS, name + ".toml"), "--manifest", target.overlay,
                 "--set", f"dead_letters.path={os.path.join(folder, 'dead_letters.jsonl')}"]
    for setting in settings:
        arguments += ["--set", setting]
    return arguments
