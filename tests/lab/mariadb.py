"""A MariaDB server of one's own."""

import os
import shutil
import subprocess

from lab.process import Server, free_port


class MariaDb(Server):
    """User `root` without password, on the loopback; writes a row binlog with full images and metadata. Started by its construction.

    `settings`: of mariadbd, more or others, with the dashes of the command line left out."""

    name = "mariadb"

    def __init__(self, settings=None):
        super().__init__()
        self.data = os.path.join(self.folder, "data")
        self.port = free_port()
        self.settings = {"bind-address": "127.0.0.1", "socket": os.path.join(self.folder, "socket"), "log-bin": "binlog",
                         "binlog-format": "ROW", "binlog-row-image": "FULL", "binlog-row-metadata": "FULL", "server-id": "7",
                         "character-set-server": "utf8mb4", "default-time-zone": "+00:00", "skip-name-resolve": "1",
                         "innodb-flush-log-at-trx-commit": "2", "sync-binlog": "0"}  # written at each commit, not synced: a kill loses nothing
        self.settings.update({name: str(value) for name, value in (settings or {}).items()})
        user = ["--user=mysql"] if os.getuid() == 0 else []
        if user:
            shutil.chown(self.folder, "mysql")
        done = subprocess.run(["mariadb-install-db", "--no-defaults", *user, f"--datadir={self.data}", "--auth-root-authentication-method=normal",
                               "--skip-test-db"], check=False, cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        self.start()

    def _launch(self):
        user = ["--user=mysql"] if os.getuid() == 0 else []
        return self._spawn(["mariadbd", "--no-defaults", *user, f"--datadir={self.data}", f"--port={self.port}",
                            *(f"--{name}={value}" for name, value in self.settings.items())])

    def _is_up(self):
        return subprocess.run(["mariadb-admin", "--no-defaults", *self._connection(), "ping"], check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def _connection(self):
        return ["--protocol=tcp", "-h127.0.0.1", f"-P{self.port}", "-uroot", "--default-character-set=utf8mb4"]

    def create(self, database):
        self.sql("", f"create database `{database}` character set utf8mb4")

    def sql(self, database, text, check=True):
        return subprocess.run(["mariadb", "--no-defaults", *self._connection(), *([database] if database else [])], check=check,
                              input=text.encode(), stdout=subprocess.DEVNULL)

    def query(self, database, text):
        """Rows of one query as bytes split at tabs, with the client's escapes (\\n, \\t, \\\\, \\0) left in; NULL is the text NULL: select
        hex() and coalesce() where that matters."""
        done = subprocess.run(["mariadb", "--no-defaults", *self._connection(), "--batch", "--skip-column-names", database], check=True,
                              input=text.encode(), stdout=subprocess.PIPE)
        return [line.decode().split("\t") for line in done.stdout.split(b"\n") if line]

    def value(self, database, text):
        rows = self.query(database, text)
        return rows[0][0] if rows else None

    def client(self, database, log):
        """mariadb that reads statements from its standard input, as a worker of a workload; goes on after errors."""
        return subprocess.Popen(["mariadb", "--no-defaults", *self._connection(), "--force", "--unbuffered", database], stdin=subprocess.PIPE,
                                stdout=subprocess.DEVNULL, stderr=log)
