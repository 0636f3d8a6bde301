"""Runs the program, and a PostgreSQL server of one's own."""

import atexit
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

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
    process = start(arguments, environment or {}, log)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with open(log, encoding="utf-8", errors="replace") as file:
        text = file.read()
    os.remove(log)
    return Result(process.returncode, text)


def letters(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Postgresql:
    """A server on a free port of the loopback, in a folder of its own; as user postgres when we are root."""

    def __init__(self):
        self.binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.folder = tempfile.mkdtemp(prefix="cdcrt-postgresql-")
        self.data = os.path.join(self.folder, "data")
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._run("pg_ctl", "-D", self.data, "-w", "-l", os.path.join(self.folder, "log"), "-o",
                  f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=50", "start")
        with open(os.path.join(self.data, "postmaster.pid"), encoding="ascii") as file:
            self.pid = int(file.readline())
        atexit.register(self.stop)

    def _run(self, name, *arguments):
        user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run([*user, os.path.join(self.binaries, name), *arguments], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def connection(self, database):
        return f"host=127.0.0.1 port={self.port} user=postgres dbname={database}"

    def create(self, database):
        subprocess.run(["psql", "-X", "-q", "-d", self.connection("postgres"), "-c", f'create database "{database}"'], check=True)

    def sql(self, database, text):
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.connection(database), "-c", text], check=True)

    def stop(self):
        if self.pid is None:
            return
        os.kill(self.pid, signal.SIGINT)
        while os.path.exists(os.path.join(self.data, "postmaster.pid")):
            time.sleep(0.02)
        self.pid = None
        shutil.rmtree(self.folder, ignore_errors=True)


class SqliteTarget:
    """A database file below `folder`."""
    overlay = os.path.join(MANIFESTS, "sqlite.toml")

    def __init__(self, folder):
        self.path = os.path.join(folder, "target.db")
        self.environment = {"CDCRT_TEST_DATABASE": self.path}
        self.name = "sqlite:" + self.path


class PostgresqlTarget:
    """A database of its own in a shared server."""
    overlay = os.path.join(MANIFESTS, "postgresql.toml")
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


def real_events(name, target, folder, *settings):
    """Arguments of a run of manifests/`name`.toml into `target`."""
    arguments = ["--manifest", os.path.join(MANIFESTS, name + ".toml"), "--manifest", target.overlay,
                 "--set", f"dead_letters.path={os.path.join(folder, 'letters.jsonl')}"]
    for setting in settings:
        arguments += ["--set", setting]
    return arguments
