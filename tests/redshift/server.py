"""The front as a process: python3 -m redshift.server --port P --backend HOST:PORT ... (see README.md and --help)."""

import argparse
import itertools
import json
import os
import socket
import struct
import sys
import threading

from redshift import wire
from redshift.backend import Backend
from redshift.control import serve_control
from redshift.errors import SqlError
from redshift.faults import Faults, Journal
from redshift.isolation import History
from redshift.latency import Latency
from redshift.names import Names, literal, quoted
from redshift.s3 import S3, Credentials
from redshift.session import OPTIONS, Session

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ("types.sql", "functions.sql", "conversions.sql", "catalog.sql")
REDSHIFT_TYPES = {"super": 4000, "varbyte": 6551}  # [C] amazon-redshift-odbc-driver: type numbers


class Database:
    """What the front holds of one database: its own connection and the numbers of the types there."""

    def __init__(self, admin):
        self.admin = admin
        rows = admin.run(
            "select typname, oid from pg_type where typname in ('super', 'varbyte') and typnamespace = 'pg_catalog'::regnamespace")
        self.type_of_backend = {REDSHIFT_TYPES[name]: int(oid) for name, oid in rows}
        self.history = History()


class Front:
    """Listens, and holds what all sessions share. `roles`: IAM role -> Credentials. `users`: name -> password; the first one owns the
    databases that others do not make."""

    def __init__(self, port, backend, database, users, s3, roles, authentication="md5", isolation="SNAPSHOT"):
        self.isolation = isolation  # of the databases made from now on
        self.wide_super = True  # whether joins take a SUPER of any size; see wide_super.py
        self.backend_address, self.database, self.users, self.s3, self.roles = backend, database, dict(users), s3, roles
        self.authentication = authentication
        self.names, self.faults, self.journal, self.latency = Names(), Faults(), Journal(), Latency()
        self._numbers, self._queries, self._lock, self._sessions = itertools.count(1), itertools.count(1000), threading.Lock(), set()
        self.databases, self.type_numbers = {}, {}  # type numbers: the backend's -> Redshift's
        self.has_late_views = False  # whether there can be any; see views.py
        self._prepare()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(64)

    # ---- the backend ----

    def _prepare(self):
        """The users and the first database; what is there stays."""
        self.server = Backend(self.backend_address, "postgres", "postgres", self.names)
        for name in self.users:
            if not self.server.run(f"select 1 from pg_roles where rolname = {literal(name)}"):
                self.server.run(f"create role {quoted(name)} login")
        # Databases that an earlier front has made.
        for name, in self.server.run("select datname from pg_database where shobj_description(oid, 'pg_database') = 'redshift front'"):
            self._open_database(name)
        if self.database not in self.databases:
            self._make_database(self.database)

    def _make_database(self, name, owner=None):
        # SQL_ASCII: lengths are bytes, as Redshift's.
        if not self.server.run(f"select 1 from pg_database where datname = {literal(name)}"):
            self.server.run(
                f"create database {quoted(name)} encoding 'SQL_ASCII' template template0 owner {quoted(owner or next(iter(self.users)))}")
        self.server.run(f"alter database {quoted(name)} set deadlock_timeout = '200ms'")
        admin = Backend(self.backend_address, "postgres", name, self.names, OPTIONS)
        if not admin.run("select 1 from pg_namespace where nspname = 'redshift_front'"):
            for part in PARTS:
                with open(os.path.join(HERE, part), encoding="utf-8") as file:
                    admin.run(file.read())
        admin.close()
        self.server.run(f"comment on database {quoted(name)} is 'redshift front'")
        self.set_isolation(name, self.isolation)
        self._open_database(name)

    def _open_database(self, name):
        self.databases[name] = database = Database(Backend(self.backend_address, "postgres", name, self.names, OPTIONS))
        self.names.long.update(database.admin.run("select short, long from redshift_front.names"))
        self.has_late_views = self.has_late_views or bool(database.admin.run("select 1 from redshift_front.late_views limit 1"))
        self.type_numbers.update({oid: number for number, oid in database.type_of_backend.items()})

    def make_database(self, name, owner=None):
        """SqlError when it is there."""
        with self._lock:
            if name in self.databases:
                raise SqlError("42P04", f'database "{name}" already exists')
            self._make_database(name, owner)

    def drop_database(self, name):
        """SqlError when it is not there or in use."""
        with self._lock:
            if name not in self.databases:
                raise SqlError("3D000", f'database "{name}" does not exist')
            self.databases.pop(name).admin.close()
            try:
                self.server.run(f"drop database {quoted(name)}")
            except SqlError:
                self._open_database(name)
                raise

    def set_isolation(self, name, level):
        """For the sessions that come: [D] r_ALTER_DATABASE. Kept in the backend."""
        if level not in ("SNAPSHOT", "SERIALIZABLE"):
            raise SqlError("42601", f'syntax error at or near "{level}"')
        self.server.run(f"alter database {quoted(name)} set redshift.isolation = '{level}'")

    def history_of(self, name):
        """None for a SNAPSHOT database."""
        level = self.server_run("select 1 from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase "
                                f"where d.datname = {literal(name)} and 'redshift.isolation=SERIALIZABLE' = any (setconfig)")
        return self.databases[name].history if level else None

    def server_run(self, sql):
        with self._lock:
            return self.server.run(sql)

    def admin_run(self, database, sql):
        """On the front's own connection, outside of the client's transaction."""
        with self._lock:
            return self.databases[database].admin.run(sql)

    def password_of(self, user):
        with self._lock:
            return self.users.get(user)

    def set_password(self, user, password):
        """A user's password from now on; a new user is made."""
        with self._lock:
            if user not in self.users:
                self.server.run(f"create role {quoted(user)} login")
            self.users[user] = password

    def next_query(self):
        return next(self._queries)

    # ---- sessions ----

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = Session(self, connection, next(self._numbers))
            with self._lock:
                self._sessions.add(session)
            threading.Thread(target=session.run, daemon=True).start()

    def forget(self, session):
        with self._lock:
            self._sessions.discard(session)

    def cut(self):
        """Resets all connections; answers how many."""
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            try:
                session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                session.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        return len(sessions)

    def cancel(self, body):
        with socket.create_connection(self.backend_address, 10) as connection:
            connection.sendall(struct.pack(">ii", 8 + len(body), wire.CANCEL_REQUEST) + body)


def _pairs(values):
    return [tuple(value.partition("=")[::2]) for value in values]


def main():
    parser = argparse.ArgumentParser(prog="redshift.server",
                                     description="A test Redshift before a PostgreSQL 15 (superuser postgres, trust).")
    parser.add_argument("--port", type=int, default=5439)
    parser.add_argument("--control-port", type=int, default=0, help="HTTP port for faults and the journal; 0: none")
    parser.add_argument("--backend", default="127.0.0.1:5432", metavar="HOST:PORT")
    parser.add_argument("--database", default="dev")
    parser.add_argument("--user", action="append", default=[], metavar="NAME=PASSWORD", help="repeatable; the first owns the database")
    parser.add_argument("--isolation", choices=("SNAPSHOT", "SERIALIZABLE"), default="SNAPSHOT", help="of the databases that are made")
    parser.add_argument("--refuse-wide-super", action="store_true", help="in joins, as clients have seen it; see wide_super.py")
    parser.add_argument("--authentication", choices=("md5", "cleartext"), default="md5")
    parser.add_argument("--s3-endpoint", default="http://127.0.0.1:9000", metavar="URL")
    parser.add_argument("--s3-region",
                        default="eu-west-1",
                        help="the cluster's region, and that of the buckets that no --bucket-region names")
    parser.add_argument("--bucket-region", action="append", default=[], metavar="BUCKET=REGION")
    parser.add_argument("--role",
                        action="append",
                        default=[],
                        metavar="ARN=KEY:SECRET",
                        help="an IAM role attached to the cluster and what it reads S3 with; ARN may be default")
    parser.add_argument("--latency",
                        default="0,0",
                        metavar="STATEMENT_MS,COMMIT_MS",
                        help="what a statement and a COMMIT cost by the simulated clock of the control port's /cost")
    parser.add_argument("--sleep", action="store_true", help="wait for the latency as well")
    parser.add_argument("--fault", action="append", default=[], metavar="JSON")
    given = parser.parse_args()
    host, _, port = given.backend.rpartition(":")
    roles = {arn: Credentials(*pair.split(":", 1)) for arn, pair in _pairs(given.role)}
    users = _pairs(given.user) or [("loader", "loader-secret")]
    try:
        front = Front(given.port, (host, int(port)), given.database, users,
                      S3(given.s3_endpoint, given.s3_region, dict(_pairs(given.bucket_region))), roles, given.authentication, given.isolation)
    except (OSError, SqlError) as error:
        sys.exit(f"error: the front cannot start: {error}")
    front.wide_super = not given.refuse_wide_super
    front.latency.set(*given.latency.split(","), given.sleep)
    for fault in given.fault:
        front.faults.add(**json.loads(fault))
    if given.control_port:
        serve_control(front, given.control_port)
    print(f"listening on 127.0.0.1:{given.port}", flush=True)
    front.serve()


if __name__ == "__main__":
    main()
