"""The test Redshift as a target of the program: one front and one S3 for all tests of a process, a database and a prefix for each."""

import os
import subprocess
import time

from integration import program
from lab.s3 import S3
from oracle import targets
from redshift.lab import RedshiftFront


class Tables(targets.Postgresql):
    """Tables as the oracle wants them: names as the expected files spell them (Redshift folds them), bytes as PostgreSQL writes them."""

    def __init__(self, connection, spelled):
        super().__init__(connection)
        self.spelled = {name.lower(): name for name in spelled}

    def rows(self, table):
        names, rows = super().rows(table.lower())
        schema, _, name = table.lower().partition(".")
        text = (f"copy (select attname from pg_attribute where attrelid = to_regclass('{targets.quoted(schema)}.{targets.quoted(name)}') "
                "and atttypid = 'varbyte'::regtype) to stdout")
        binary = set(self.psql(text).split())
        rows = [["\\x" + cell if name in binary and cell is not None else cell for name, cell in zip(names, row)] for row in rows]
        return [self.spelled.get(name, name) for name in names], rows


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
staging.access_key = "{key or s3.access_key}"
staging.secret_key = "${{env:CDCRT_TEST_SECRET}}"
""" + (f'staging.iam_role = "{role}"\n' if role else "")

    def backend(self):
        """What psql takes to see the database behind the front, with all rights."""
        return self.front.backend.connection(self.front.database)

    def tables(self, spelled=()):
        return Tables(self.backend(), spelled)

    def files(self):
        return self.s3.keys(self.prefix)


def stop():
    for server in (RedshiftTarget.front, RedshiftTarget.s3):
        if server is not None:
            server.stop()
    RedshiftTarget.front = RedshiftTarget.s3 = None


def arguments_of(folder, target, sources, *settings):
    manifest = os.path.join(folder, "manifest.toml")
    with open(manifest, "w", encoding="utf-8") as file:
        file.write(sources + f'\n[dead_letters]\nplugin = "file"\npath = "{folder}/letters.jsonl"\n')
    arguments = ["--manifest", manifest, "--manifest", target.overlay]
    for setting in settings:
        arguments += ["--set", setting]
    return arguments


def run(folder, target, sources, *settings, timeout=300):
    """Runs a manifest that begins with `sources` (TOML) into the target."""
    return program.run(arguments_of(folder, target, sources, *settings), target.environment, folder, timeout)


def run_until(folder, target, sources, texts, timeout=120):
    """Runs until the log has all the texts or the program ends; answers its exit code (None: it was stopped) and the log."""
    log = os.path.join(folder, "log")
    process = program.start(arguments_of(folder, target, sources), target.environment, log)
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
