"""A PostgreSQL server of one's own."""

import glob
import os
import shutil
import signal
import subprocess

from lab.clock import clock_of
from lab.process import Server, free_port


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def sink(port, database, plugin=None):
    """Lines of a manifest's sink into the database, through the plugin `plugin`; none: as $CDCRT_TEST_POSTGRESQL says ("libpq": the plugin
    `postgresql`, else `odbc`)."""
    plugin = plugin or ("postgresql" if os.environ.get("CDCRT_TEST_POSTGRESQL") == "libpq" else "odbc")
    if plugin == "odbc":
        return (f'plugin = "odbc"\nconnection = {{ Driver = "PostgreSQL Unicode", Server = "127.0.0.1", Port = "{port}", Database = "{database}", '
                'UID = "postgres", SSLmode = "disable" }')
    return f'plugin = "{plugin}"\nconnection = {{ host = "127.0.0.1", port = "{port}", dbname = "{database}", user = "postgres", sslmode = "disable" }}'


class Postgresql(Server):
    """Superuser `postgres` without password; as user postgres when we are root. Started by its construction.

    `logical`: with what logical replication needs. `settings`: of postgresql.conf, more or others. `clock`: of another time, see lab.clock. Data survive halt, kill and
    restart; `kill` is a crash (immediate shutdown: no checkpoint, sessions cut, recovery at the next start)."""

    name = "postgresql"
    gentle = signal.SIGINT  # fast shutdown: sessions are ended, transactions rolled back

    def __init__(self, logical=False, settings=None, clock=None):
        super().__init__()
        self.clock = clock
        self.binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.data = os.path.join(self.folder, "data")
        self.port = free_port()
        self.settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "max_connections": "50",
                         "timezone": "UTC"}
        if logical:
            self.settings.update(wal_level="logical", max_wal_senders="10", max_replication_slots="10", max_wal_size="2GB")
        self.settings.update({name: str(value) for name, value in (settings or {}).items()})
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        self.start()

    def _as_user(self):
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] if os.getuid() == 0 else []

    def _run(self, name, *arguments):
        subprocess.run([*self._as_user(), os.path.join(self.binaries, name), *arguments], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _launch(self):
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        # Behind the change of the user: what libfaketime shares among its processes belongs to who loads it first.
        other = ["env", *(f"{name}={value}" for name, value in clock_of(self.clock).items())] if self.clock else []
        return self._spawn([*self._as_user(), *other, os.path.join(self.binaries, "postgres"), "-D", self.data, "-p", str(self.port), *options])

    def _is_up(self):
        return subprocess.run([os.path.join(self.binaries, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                              check=False).returncode == 0

    def kill(self):
        """A crash. SIGQUIT and not SIGKILL: the server's own processes end with it, and its port is free again at once."""
        self._end(signal.SIGQUIT)

    def connection(self, database, port=None):
        """What psql and the oracle take; `port`: of a proxy."""
        return f"host=127.0.0.1 port={port or self.port} user=postgres dbname={database}"

    def create(self, database):
        self.sql("postgres", f"create database {quoted(database)}")

    def drop(self, database):
        self.sql("postgres", f"drop database if exists {quoted(database)} with (force)")

    def sql(self, database, text, check=True):
        """Runs statements, each by itself in autocommit."""
        return subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.connection(database), "-f", "-"], check=check,
                              input=text.encode(), stdout=subprocess.DEVNULL)

    def query(self, database, text):
        """Rows of one query, as texts; NULL is None."""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-P", "null=\x1d", "-v", "ON_ERROR_STOP=1", "-d",
                               self.connection(database), "-c", text], check=True, capture_output=True)
        rows = done.stdout.decode().rstrip("\n").split("\x1e")
        return [[None if cell == "\x1d" else cell for cell in row.split("\x1f")] for row in rows if row]

    def value(self, database, text):
        rows = self.query(database, text)
        return rows[0][0] if rows else None

    def client(self, database, log):
        """psql that reads statements from its standard input, as a worker of a workload; goes on after errors."""
        return subprocess.Popen(["psql", "-X", "-q", "-d", self.connection(database)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                stderr=log, env={**os.environ, "PGOPTIONS": "-c client_min_messages=error"})
