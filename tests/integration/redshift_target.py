"""The test Redshift as a target of the program: one front and one S3 for all tests of a process, a database and a prefix for each."""

import glob
import io
import os
import shutil
import subprocess
import tempfile
import time
import tomllib

from integration import program
from integration.messages import Lines
from lab.process import Case
from lab.s3 import S3
from oracle import compare, targets
from redshift.lab import RedshiftFront


SOURCES = """[pipeline]
name = "shop"
[sources.events]
plugin = "file"
paths = ["{folder}/events.jsonl"]
format.plugin = "debezium-json"
"""


class Tables(targets.Postgresql):
    """Tables as the oracle wants them: names as the expected files spell them (Redshift folds them), bytes as PostgreSQL writes them."""

    def __init__(self, connection, spelled):
        """`spelled`: names of columns, or table -> names of its columns."""
        super().__init__(connection)
        self.spelled = spelled

    def rows(self, table):
        of_table = self.spelled.get(table, ()) if isinstance(self.spelled, dict) else self.spelled
        spelled = {name.lower(): name for name in of_table}
        names, rows = super().rows(table.lower())
        schema, _, name = table.lower().partition(".")
        text = (f"copy (select attname from pg_attribute where attrelid = to_regclass('{targets.quoted(schema)}.{targets.quoted(name)}') "
                "and atttypid = 'varbyte'::regtype) to stdout")
        binary = set(self.psql(text).split())
        rows = [["\\x" + cell if name in binary and cell is not None else cell for name, cell in zip(names, row)] for row in rows]
        return [spelled.get(name, name) for name in names], rows


class RedshiftTarget:
    """A database of its own in the shared front, and a prefix of its own in the bucket."""
    front = s3 = None
    count = 0

    def __init__(self, folder):
        if RedshiftTarget.front is None:
            RedshiftTarget.s3 = S3()
            RedshiftTarget.front = RedshiftFront(RedshiftTarget.s3, users={"loader": "loader-secret", "narrow": "narrow-secret"})
        RedshiftTarget.count += 1
        front = RedshiftTarget.front
        front.halt()
        front.database = f"target{RedshiftTarget.count}"
        front.start()
        self.prefix = f"test-{RedshiftTarget.count}/"
        self.url = f"s3://{self.s3.bucket}/{self.prefix}"
        self.overlay = os.path.join(folder, "redshift.toml")
        self.environment = {"CDCRT_TEST_PASSWORD": front.password, "CDCRT_TEST_SECRET": self.s3.secret_key}
        with open(self.overlay, "w", encoding="utf-8") as file:
            file.write(self.manifest())

    def manifest(self, url=None, role=None, key=None, region=None, user=None, endpoint=None):
        front, s3 = self.front, self.s3
        return f"""[sinks.target]
plugin = "redshift"
connection = {{ Driver = "PostgreSQL Unicode", Server = "{front.host}", Port = "{front.port}", Database = "{front.database}", UID = "{user or front.user}", PWD = "${{env:CDCRT_TEST_PASSWORD}}", SSLmode = "disable" }}
connections = 2
staging.url = "{url or self.url}"
staging.region = "{region or s3.region}"
staging.endpoint = "{endpoint or s3.endpoint}"
staging.path_style = true
staging.timeout = "5s"
staging.access_key = "{key or s3.access_key}"
staging.secret_key = "${{env:CDCRT_TEST_SECRET}}"
""" + (f'staging.iam_role = "{role}"\n' if role else "")

    def backend(self):
        """What psql takes to see the database behind the front, with all rights."""
        return self.front.backend.connection(self.front.database)

    def tables(self, spelled=()):
        return Tables(self.backend(), spelled)

    def differences(self, expected, ignored=()):
        """What differs from the tables in the folder `expected`, as lines; empty: nothing."""
        with open(os.path.join(expected, "types.toml"), "rb") as file:
            spelled = {table: of["columns"] for table, of in tomllib.load(file).items()}
        out = io.StringIO()
        return out.getvalue() if compare.compare(expected, self.tables(spelled), ignored, out=out) else ""

    def files(self):
        return self.s3.keys(self.prefix)


class RedshiftCase(Case):
    """A test with a folder and a target of its own. At its end Redshift has refused no statement, but for the rules that the test names
    with `want_rejections`: each of those has refused one."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-redshift-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.target = RedshiftTarget(self.folder)
        self.front = self.target.front
        self._wanted = set()
        self.addCleanup(self._check_rejections)  # after everything that a test adds: its processes have ended

    def logs_to_keep(self):
        return glob.glob(os.path.join(self.folder, "*log"))

    def want_rejections(self, *rules):
        """Rules of redshift/rules.py, by their ids; "25P02": statements in a transaction that has failed."""
        self._wanted.update(rules)

    def _check_rejections(self):
        found = [{**each, "rule": "25P02"} for each in self.front.statements() if each["state"] == "25P02"] + self.front.rejections()
        self.assertEqual({each["rule"] for each in found}, self._wanted, [each for each in found if each["rule"] not in self._wanted])

    def clean(self):
        """No file and no upload is left below the target's prefix."""
        self.assertEqual(self.target.files(), [])
        self.assertEqual([key for key in self.target.s3.uploads() if key.startswith(self.target.prefix)], [])

    def same(self, expected):
        """The tables are those in the folder `expected`."""
        self.assertEqual(self.target.differences(expected), "")


class LinesCase(RedshiftCase):
    """Events of the test's own, through a file."""

    def setUp(self):
        super().setUp()
        self.lines = Lines()
        self.sources = SOURCES.format(folder=self.folder)

    def dead_letters(self):
        return program.dead_letters(os.path.join(self.folder, "dead_letters.jsonl"))

    def apply(self, *settings, exit_code=0, routes="", timeout=300):
        """Runs over the lines; the log."""
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        done = run(self.folder, self.target, self.sources + routes, *settings, timeout=timeout)
        self.assertEqual(done.exit_code, exit_code, done.log[-3000:])
        return done.log


# Redshift has no infinite dates: of the captured events, the one row that holds them becomes a dead letter.
CAPTURED_DEAD_LETTERS = {("public.types_all", 2)}


def captured(name, folder):
    """A folder, below `folder`, of the tables of tests/data/`name` as Redshift can hold them."""
    expected = os.path.join(folder, "expected")
    shutil.copytree(os.path.join(program.TESTS, "data", name, "expected"), expected)
    place = os.path.join(expected, "public.types_all.csv")
    with open(place, encoding="utf-8", newline="") as file:
        text = file.read()
    begin = text.index("\n2,") + 1
    end = min(at for at in (text.find("\n3,", begin), text.find("\n4,", begin), len(text)) if at > 0)
    with open(place, "w", encoding="utf-8", newline="") as file:
        file.write(text[:begin] + text[end + 1:])
    return expected


def stop():
    for server in (RedshiftTarget.front, RedshiftTarget.s3):
        if server is not None:
            server.stop()
    RedshiftTarget.front = RedshiftTarget.s3 = None


def arguments_of(folder, target, sources, *settings):
    """Dead letters go into a file, where the sources say nothing of them."""
    manifest = os.path.join(folder, "manifest.toml")
    with open(manifest, "w", encoding="utf-8") as file:
        file.write(sources if "[dead_letters]" in sources else sources + f'\n[dead_letters]\nplugin = "file"\npath = "{folder}/dead_letters.jsonl"\n')
    arguments = ["--manifest", manifest, "--manifest", target.overlay]
    for setting in settings:
        arguments += ["--set", setting]
    return arguments


def run(folder, target, sources, *settings, timeout=300):
    """Runs a manifest that begins with `sources` (TOML) into the target."""
    return program.run(arguments_of(folder, target, sources, *settings), target.environment, folder, timeout)


def run_until(folder, target, sources, texts, *settings, timeout=120):
    """Runs until the log has all the texts or the program ends; answers its exit code (None: it was stopped) and the log."""
    log = os.path.join(folder, "log")
    process = program.start(arguments_of(folder, target, sources, *settings), target.environment, log)
    end, code = time.monotonic() + timeout, None
    while True:
        code = process.poll()
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read()
        if code is not None or all(part in text for part in texts) or time.monotonic() > end:
            break
        time.sleep(0.1)
    if code is None:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return code, text
