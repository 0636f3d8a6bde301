"""`cdcrt doctor`: where everything is there it says so and leaves nothing behind; each thing that is missing is one failed line with its fix, and
the rest is still looked at."""

import contextlib
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from integration import program, redshift_target
from integration.redshift_target import RedshiftCase
from lab import clock
from lab.kafka import Kafka
from lab.postgresql import Postgresql
from lab.process import Case, free_port

MANIFEST = """[pipeline]
name = "shop"
[sources.events]
plugin = "kafka"
brokers = "{brokers}"
topics = ["shop.public.orders", "shop.public.later*"]
connect_timeout = "4s"
format.plugin = "debezium-json"
[sinks.warehouse]
{sink}
[defaults]
table = "{schema}.{{table}}"
[dead_letters]
path = "{folder}/dead_letters/x.jsonl"
"""
ODBC = ('plugin = "odbc"\nconnection = {{ Driver = "PostgreSQL Unicode", Server = "127.0.0.1", Port = "{port}", Database = "{database}", UID = "{user}", '
        'SSLmode = "disable" }}')
LIBPQ = 'plugin = "postgresql"\nconnection = {{ host = "127.0.0.1", port = "{port}", dbname = "{database}", user = "{user}", sslmode = "disable" }}'
FILES = """[pipeline]
name = "files"
[sources.events]
plugin = "file"
paths = ["events.jsonl"]
format.plugin = "debezium-json"
[sinks.target]
{sink}
{more}
"""
SQLITE = 'plugin = "odbc"\nconnection = {{ Driver = "SQLite3", Database = "{database}" }}'


class Told:
    def __init__(self, done):
        self.exit_code, self.text = done.returncode, done.stdout + done.stderr
        value = json.loads(done.stdout)
        self.checks = [(check["subject"], check["status"], check["message"], check.get("fix", "")) for check in value["checks"]]
        self.counts = value["ok"], value["warnings"], value["failed"]

    def of(self, status):
        return [check for check in self.checks if check[1] == status]


class Doctor(Case):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-doctor-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        os.chmod(self.folder, 0o755)
        self.manifest = os.path.join(self.folder, "x.toml")

    def doctor(self, text, *arguments, **settings):
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(text)
        return Told(subprocess.run([*settings.pop("before", []), program.BINARY, "doctor", "--json", "--manifest", self.manifest, *arguments], cwd=self.folder,
                                   capture_output=True, text=True, timeout=120, check=False, **settings))

    def expect(self, told, exit_code, subject, *texts):
        """One check failed: this one."""
        self.assertEqual(told.exit_code, exit_code, told.text)
        self.assertEqual([check[0] for check in told.of("failed")], [subject], told.text)
        (_, _, message, fix), = told.of("failed")
        for text in texts:
            self.assertIn(text, message + "\n" + fix)
        self.assertNotEqual(fix, "", told.text)


class Servers(Doctor):
    @classmethod
    def setUpClass(cls):
        cls.postgresql = Postgresql()
        cls.addClassCleanup(cls.postgresql.stop)
        cls.kafka = Kafka()
        cls.addClassCleanup(cls.kafka.stop)
        cls.kafka.create_topic("shop.public.orders", 3)
        cls.postgresql.sql("postgres", "create role reader login; create role maker login")

    databases = 0

    def setUp(self):
        super().setUp()
        Servers.databases += 1
        self.database = f"shop_{Servers.databases}"
        self.postgresql.create(self.database)

    def text(self, sink=LIBPQ, user="postgres", schema="shop", brokers=None):
        return MANIFEST.format(brokers=brokers or self.kafka.brokers, schema=schema, folder=self.folder,
                               sink=sink.format(port=self.postgresql.port, database=self.database, user=user))

    def schemas(self):
        return {name for (name,) in self.postgresql.query(self.database, "select nspname from pg_namespace where nspname not like 'pg_%'")}

    def test_where_everything_is_there_it_says_so_and_leaves_nothing_behind(self):
        for sink in (LIBPQ, ODBC):
            with self.subTest(sink):
                told = self.doctor(self.text(sink))
                self.assertEqual((told.exit_code, told.of("failed")), (0, []), told.text)
                self.assertEqual({check[0] for check in told.of("ok")},
                                 {"manifest", "plugins", "open files", "memory", "disk", "secrets", "source events", "clock", "sink warehouse",
                                  "dead letters"}, told.text)
                self.assertIn("3 partitions of 1 topic", told.text)
                self.assertIn("schemas 'cdcrt', 'shop'", told.text)
                # A pattern that waits for topics.
                self.assertEqual([check[:2] for check in told.of("warning")], [("source events", "warning")], told.text)
                self.assertEqual(self.schemas(), {"information_schema", "public"})
                self.assertEqual(self.postgresql.query(self.database, "select tablename from pg_tables where schemaname = 'public'"), [])
                self.assertFalse(os.path.exists(os.path.join(self.folder, "dead_letters")))

    def test_a_misspelt_driver_is_answered_with_the_installed_one(self):
        told = self.doctor(self.text(ODBC.replace("PostgreSQL Unicode", "Postgres Unicode")))
        self.expect(told, 3, "sink warehouse", "Postgres Unicode", "did you mean 'PostgreSQL Unicode'?")
        self.assertIn("dead letters", {check[0] for check in told.of("ok")})

    def test_a_broker_that_is_down_is_named_and_the_target_is_looked_at_all_the_same(self):
        address = f"127.0.0.1:{free_port()}"
        told = self.doctor(self.text(brokers=address))
        self.expect(told, 3, "source events", address)
        self.assertIn("sink warehouse", {check[0] for check in told.of("ok")})

    def test_a_topic_that_is_not_there_is_answered_with_the_near_one(self):
        told = self.doctor(self.text().replace('"shop.public.orders"', '"shop.public.order"'))
        self.expect(told, 2, "source events", "shop.public.order", "shop.public.orders")

    def test_a_target_that_is_down_is_named(self):
        told = self.doctor(self.text().replace(f'port = "{self.postgresql.port}"', f'port = "{free_port()}"'))
        self.expect(told, 3, "sink warehouse")

    def test_a_right_that_is_missing_is_named_with_its_schema(self):
        for sink in (LIBPQ, ODBC):
            with self.subTest(sink):
                told = self.doctor(self.text(sink, user="reader"))
                self.assertEqual(told.exit_code, 3, told.text)
                self.assertEqual([check[0] for check in told.of("failed")], ["sink warehouse"] * 2, told.text)
                for (_, _, message, fix), schema in zip(told.of("failed"), ("cdcrt", "shop")):
                    self.assertIn(f"in schema '{schema}'", message)
                    self.assertIn("permission denied", message)
                    self.assertNotEqual(fix, "")
        self.postgresql.sql(self.database, "create schema cdcrt authorization maker; create schema shop; grant usage on schema shop to maker")
        self.expect(self.doctor(self.text(user="maker")), 3, "sink warehouse", "in schema 'shop'", "permission denied")
        self.postgresql.sql(self.database, "grant create on schema shop to maker")
        told = self.doctor(self.text(user="maker"))
        self.assertEqual((told.exit_code, told.of("failed")), (0, []), told.text)

    def test_a_right_that_only_new_tables_need_is_a_warning(self):
        self.postgresql.sql(self.database, "create schema shop; grant usage on schema shop to maker")
        self.postgresql.sql(self.database, "create schema cdcrt authorization maker")
        told = self.doctor(self.text(user="maker").replace("[dead_letters]", "create_tables = false\n[dead_letters]"))
        self.assertEqual((told.exit_code, told.of("failed")), (0, []), told.text)
        self.assertIn("in schema 'shop'", "".join(check[2] for check in told.of("warning")), told.text)

    def test_schemas_that_the_source_names_and_that_could_not_be_made_are_a_warning(self):
        self.postgresql.sql(self.database, "create schema cdcrt authorization maker")
        told = self.doctor(self.text(user="maker").replace('table = "shop.{table}"\n', ""))
        self.assertEqual((told.exit_code, told.of("failed")), (0, []), told.text)
        self.assertIn("it cannot make schemas", "".join(check[2] for check in told.of("warning")), told.text)
        self.postgresql.sql(self.database, f"grant create on database {self.database} to maker")
        told = self.doctor(self.text(user="maker").replace('table = "shop.{table}"\n', ""))
        self.assertNotIn("it cannot make schemas", told.text)


class Files(Doctor):
    def setUp(self):
        super().setUp()
        with open(os.path.join(self.folder, "events.jsonl"), "w", encoding="utf-8"):
            pass
        self.database = os.path.join(self.folder, "target.db")

    def text(self, sink=None, more=""):
        return FILES.format(sink=sink or SQLITE.format(database=self.database), more=more)

    def test_a_first_start_is_fine_and_no_file_is_made(self):
        told = self.doctor(self.text())
        self.assertEqual((told.exit_code, told.counts[1:]), (0, (0, 0)), told.text)
        self.assertEqual(sorted(os.listdir(self.folder)), ["events.jsonl", "x.toml"])

    def test_a_manifest_that_is_wrong_is_told_with_its_place(self):
        told = self.doctor(self.text(more="[runtime]\nmemroy = \"1GiB\""))
        self.expect(told, 2, "manifest", "x.toml:11:1: unknown key 'memroy'", "did you mean 'memory'?")

    def test_a_plugin_that_is_not_there_is_told(self):
        told = self.doctor(self.text().replace('"debezium-json"', '"debezium-jsn"'))
        self.expect(told, 3, "plugins", "debezium-jsn")

    def test_a_secret_that_cannot_be_read_is_told_and_shown_nowhere(self):
        told = self.doctor(self.text(sink='plugin = "postgresql"\nconnection = { host = "127.0.0.1", user = "x", password = "${file:/nowhere/secret}" }'))
        self.assertEqual(told.exit_code, 2, told.text)
        self.assertIn("/nowhere/secret", "".join(check[2] for check in told.of("failed")))

    def test_dead_letters_that_cannot_be_written_are_told(self):
        told = self.doctor(self.text(more='[dead_letters]\npath = "/proc/no-such-folder/x.jsonl"'))
        self.expect(told, 3, "dead letters", "/proc/no-such-folder")

    def test_a_folder_that_cannot_be_written_to_is_told_for_the_database_file(self):
        before = []
        if os.getuid() == 0:  # who may write everywhere
            before = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
            if subprocess.run([*before, "test", "-x", program.BINARY], check=False).returncode:
                self.skipTest("the build is not readable for another user than root")
        else:
            os.chmod(self.folder, 0o555)
        writable = tempfile.mkdtemp(prefix="cdcrt-doctor-")
        self.addCleanup(shutil.rmtree, writable, ignore_errors=True)
        os.chmod(writable, 0o777)
        told = self.doctor(self.text(more=f'[dead_letters]\npath = "{writable}/x.jsonl"') if os.getuid() == 0 else self.text(), before=before)
        self.assertEqual(told.exit_code, 3, told.text)
        self.assertIn(("sink target", "failed"), [check[:2] for check in told.checks], told.text)
        self.assertIn("its folder cannot be written to", told.text)

    def test_a_database_that_another_process_writes_is_a_warning(self):
        with contextlib.closing(sqlite3.connect(self.database, isolation_level=None)) as other:
            other.execute("create table t (id integer)")
            other.execute("begin immediate")
            told = self.doctor(self.text(), "--set", "sinks.target.lock_timeout=\"100ms\"")
        self.assertEqual(told.exit_code, 0, told.text)
        self.assertEqual([check[0] for check in told.of("warning")], ["sink target"], told.text)

    def test_too_few_open_files_are_told(self):
        told = self.doctor(self.text(sink='plugin = "postgresql"\nconnections = 40\nconnection = { host = "127.0.0.1", port = "1", user = "x" }'),
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)))
        self.assertEqual(told.exit_code, 3, told.text)
        self.assertIn("LimitNOFILE=", dict((check[0], check[3]) for check in told.of("failed"))["open files"])

    def test_people_read_a_line_for_each_check(self):
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(self.text().replace("SQLite3", "SQLit3"))
        done = subprocess.run([program.BINARY, "doctor", "--manifest", self.manifest], cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"(?m)^failed   sink target       ODBC driver \"SQLit3\" cannot be used.*\n         fix:              did you mean .*'SQLite3'")
        self.assertRegex(done.stdout, r"\n\n\d+ ok, 0 warnings, 1 failed\n$")


@unittest.skipUnless(clock.is_there(), "there is no libfaketime (package faketime)")
class Clocks(Doctor):
    """A database whose clock is not this machine's."""

    def judged(self, difference):
        postgresql = Postgresql(clock=difference)
        self.addCleanup(postgresql.stop)
        with open(os.path.join(self.folder, "events.jsonl"), "w", encoding="utf-8"):
            pass
        for sink in (LIBPQ, ODBC):
            told = self.doctor(FILES.format(sink=sink.format(port=postgresql.port, database="postgres", user="postgres"), more=""))
            check, = (check for check in told.checks if check[0] == "clock")
            yield told, check

    def test_one_that_is_ahead_or_behind_is_a_warning_that_says_by_how_much(self):
        for difference, text in (("+1h", "is 60 min ahead of this machine's"), ("-2m", "s behind this machine's")):
            for told, (_, status, message, fix) in self.judged(difference):
                with self.subTest(difference):
                    self.assertEqual((status, told.exit_code), ("warning", 0), told.text)
                    self.assertIn("sink target: that of the database", message)
                    self.assertIn(text, message)
                    self.assertIn("chrony", fix)
                    self.assertIn("systemd-timesyncd", fix)

    def test_of_a_database_of_this_machine_nothing_is_asked(self):
        database = os.path.join(self.folder, "target.db")
        with open(os.path.join(self.folder, "events.jsonl"), "w", encoding="utf-8"):
            pass
        told = self.doctor(FILES.format(sink=SQLITE.format(database=database), more=""))
        self.assertEqual([check for check in told.checks if check[0] == "clock"], [], told.text)


class Warehouse(RedshiftCase):
    """The test Redshift, and an S3."""

    def doctor(self, *arguments, environment=None):
        events = os.path.join(self.folder, "events.jsonl")
        with open(events, "w", encoding="utf-8"):
            pass
        manifest = os.path.join(self.folder, "shop.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(redshift_target.SOURCES.format(folder=self.folder))
        return Told(subprocess.run([program.BINARY, "doctor", "--json", "--manifest", manifest, "--manifest", self.target.overlay, *arguments], cwd=self.folder,
                                   capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **self.target.environment, **(environment or {})}))

    def test_rows_go_through_the_bucket_and_nothing_is_left_in_it_or_in_the_target(self):
        told = self.doctor()
        self.assertEqual((told.exit_code, told.of("failed"), told.of("warning")), (0, [], []), told.text)
        self.assertIn("by files too", told.text)
        self.assertEqual(self.target.files(), [])
        self.assertEqual(subprocess.run(["psql", "-X", "-A", "-t", "-d", self.target.backend(), "-c", "select tablename from pg_tables where tablename like 'cdcrt%'"],
                                        capture_output=True, text=True, check=True).stdout.strip(), "")

    def test_the_clocks_of_the_database_and_of_s3_are_asked(self):
        told = self.doctor()
        self.assertEqual([message.split(" is ")[0] for (subject, status, message, _) in told.checks if (subject, status) == ("clock", "ok")],
                         ["sink target: that of the database", "sink target: that of S3"], told.text)

    @unittest.skipUnless(clock.is_there(), "there is no libfaketime (package faketime)")
    def test_a_clock_that_s3_still_takes_is_a_warning_that_names_the_limit(self):
        told = self.doctor(environment=clock.clock_of("-90s"))
        self.assertEqual((told.exit_code, told.of("failed")), (0, []), told.text)
        of_database, of_s3 = (message for (subject, _, message, _) in told.of("warning") if subject == "clock")
        self.assertRegex(of_database, "that of the database is (8|9)[0-9] s ahead of this machine's")
        self.assertNotIn("signed", of_database)
        self.assertRegex(of_s3, "that of S3 is (8|9)[0-9] s ahead of this machine's.* from 15 min on it refuses every request that is signed here")

    @unittest.skipUnless(clock.is_there(), "there is no libfaketime (package faketime)")
    def test_a_clock_that_s3_refuses_is_named_with_the_difference(self):
        told = self.doctor(environment=clock.clock_of("+20m"))
        self.assertEqual(told.exit_code, 3, told.text)
        (subject, _, message, fix), = told.of("failed")
        self.assertEqual(subject, "sink target")
        self.assertIn("RequestTimeTooSkewed", message)
        self.assertRegex(fix, "this machine's clock is (19|20) min ahead of that of 127.0.0.1:")
        self.assertIn("chrony", fix)

    def test_a_bucket_that_is_not_there_is_told(self):
        told = self.doctor("--set", "sinks.target.staging.url=\"s3://no-such-bucket/x/\"")
        self.assertEqual(told.exit_code, 2, told.text)
        (subject, _, message, fix), = told.of("failed")
        self.assertEqual(subject, "sink target")
        self.assertIn("NoSuchBucket", message)
        self.assertIn("create bucket 'no-such-bucket'", fix)


def tearDownModule():
    redshift_target.stop()


if __name__ == "__main__":
    unittest.main()
