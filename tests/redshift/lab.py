"""The test Redshift as a server of the laboratory: a PostgreSQL of its own and the front before it."""

import contextlib
import http.client
import json
import os
import subprocess

from lab import python
from lab.postgresql import Postgresql
from lab.process import Server, free_port, listens

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class RedshiftFront(Server):
    """Started by its construction; a context manager too. `s3`: a lab.s3.S3, what COPY reads from; the role "default" and `role` are
    attached to the cluster and read with its keys. `users`: name -> password, the first one owns the database. `roles`:
    more roles of the cluster, ARN -> (key, secret) that it reads S3 with, for instance wrong ones.

    What clients need: host, port, database, user, password, odbc(). Data survive halt, kill and restart of the front."""

    name = "redshift"
    host = "127.0.0.1"
    role = "arn:aws:iam::123456789012:role/cdcrt-test"

    def __init__(self, s3=None, users=None, database="dev", region=None, bucket_regions=None, authentication="md5", backend=None,
                 roles=None, isolation="SNAPSHOT", wide_super=True):
        super().__init__()
        self.port, self.control_port = free_port(), free_port()
        self.users = dict(users or {"loader": "loader-secret"})
        self.user, self.password = next(iter(self.users.items()))
        self.database, self.s3, self.authentication, self.roles = database, s3, authentication, roles or {}
        self.isolation, self.wide_super = isolation, wide_super
        self.region, self.bucket_regions = region or (s3.region if s3 else "eu-west-1"), bucket_regions or {}
        self.own_backend = backend is None
        self.backend = backend or Postgresql(settings={
            "max_connections": "100",
            "shared_buffers": "256MB",
            "synchronous_commit": "off",
            "max_wal_size": "2GB"
        })
        self.start()

    def _launch(self):
        arguments = [
            python.interpreter(), "-m", "redshift.server", "--port",
            str(self.port), "--control-port",
            str(self.control_port), "--backend", f"127.0.0.1:{self.backend.port}", "--database", self.database, "--s3-region", self.region,
            "--authentication", self.authentication, "--isolation", self.isolation
        ]
        arguments += [] if self.wide_super else ["--refuse-wide-super"]
        for name, password in self.users.items():
            arguments += ["--user", f"{name}={password}"]
        for bucket, region in self.bucket_regions.items():
            arguments += ["--bucket-region", f"{bucket}={region}"]
        for arn, (key, secret) in self.roles.items():
            arguments += ["--role", f"{arn}={key}:{secret}"]
        if self.s3:
            arguments += ["--s3-endpoint", self.s3.endpoint]
            for role in ("default", self.role):
                arguments += ["--role", f"{role}={self.s3.access_key}:{self.s3.secret_key}"]
        return self._spawn(arguments, {"PYTHONPATH": TESTS})

    def _is_up(self):
        return listens(self.port) and listens(self.control_port)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    def stop(self):
        super().stop()
        if self.own_backend:
            self.backend.stop()

    # ---- for clients ----

    def odbc(self, user=None, password=None):
        """An ODBC connection string for psqlODBC: without savepoints, which Redshift does not have."""
        return (
            f"Driver={{PostgreSQL Unicode}};Server={self.host};Port={self.port};Database={self.database};"
            f"UID={user or self.user};PWD={password or self.password};"
            "Protocol=7.4-1;SSLmode=disable")

    def connection(self, user=None):
        """What psql takes; the password goes by PGPASSWORD."""
        return f"host={self.host} port={self.port} user={user or self.user} dbname={self.database} sslmode=disable gssencmode=disable"

    def sql(self, text, check=True, user=None):
        """Runs statements by psql, each by itself in autocommit; answers the completed process."""
        return subprocess.run(
            ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d",
             self.connection(user), "-f", "-"],
            check=check,
            input=text,
            text=True,
            capture_output=True,
            env={
                **os.environ, "PGPASSWORD": self.users[user or self.user]
            })

    def query(self, text, user=None):
        """Rows of one query, as texts; NULL is None."""
        done = subprocess.run([
            "psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-P", "null=\x1d", "-v", "ON_ERROR_STOP=1", "-d",
            self.connection(user), "-c", text
        ],
                              capture_output=True,
                              env={
                                  **os.environ, "PGPASSWORD": self.users[user or self.user]
                              },
                              check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        rows = done.stdout.decode().rstrip("\n").split("\x1e")
        return [[None if cell == "\x1d" else cell for cell in row.split("\x1f")] for row in rows if row]

    # ---- control ----

    def _control(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.host, self.control_port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            value = json.loads(answer.read())
        if answer.status != 200:
            raise ValueError(value.get("error", answer.status))
        return value

    def fault(self, kind, at="statement", nth=None, every=None, times=None, match=None, **more):
        """Orders a fault (kinds in faults.py); answers its id. nth=1, the next, when neither nth nor every is given."""
        return self._control("POST", "/faults", {
            "kind": kind,
            "at": at,
            "nth": nth,
            "every": every,
            "times": times,
            "match": match,
            **more
        })["id"]

    def clear_faults(self):
        self._control("DELETE", "/faults")

    def faults(self):
        """The faults that are ordered: seen and hit tell how often."""
        return self._control("GET", "/faults")

    def statements(self):
        """What has come, in order: n, session, text (secrets as ***), state (SQLSTATE, empty when it went well), error."""
        return self._control("GET", "/statements")

    def rejections(self):
        """What a rule has rejected: rule, state, error, text."""
        return self._control("GET", "/rejections")

    def forget_statements(self):
        self._control("DELETE", "/statements")

    def latency(self, statement_ms=0, commit_ms=0, sleep=False):
        """What a statement and a COMMIT cost from now on: by the clock of cost(), and really when `sleep`."""
        self._control("POST", "/latency", {"statement_ms": statement_ms, "commit_ms": commit_ms, "sleep": sleep})

    def cost(self):
        """Since forget_cost(): statements (COMMIT not counted), commits, catalog (those that read one), seconds of a clock that is not real."""
        return self._control("GET", "/cost")

    def forget_cost(self):
        self._control("DELETE", "/cost")

    def set_password(self, user, password):
        """From now on; sessions that are there stay."""
        self.users[user] = password
        self._control("POST", "/users", {"name": user, "password": password})

    def create(self, database):
        """Another database; clients name it when they connect."""
        self._control("POST", "/databases", {"name": database})

    def cut(self):
        """Resets all connections; answers how many."""
        return self._control("POST", "/cut", {})["connections"]
