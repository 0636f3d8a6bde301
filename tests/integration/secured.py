"""What the tests of connection security share: one broker that lets nobody in without a certificate or a login, identities for it, pipelines, and what is
read of a core file."""

import base64
import concurrent.futures
import contextlib
import hashlib
import hmac
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import tempfile
import time

from integration import program
from integration.messages import envelope
from lab import certificates
from lab.aws import Service
from lab.process import Case
from lab.secure_kafka import SecureKafka

TOPIC = "shop.public.orders"
ROWS = 20
# Each is looked for in everything that the process leaves behind. Of letters that no encoding changes.
PLANTED = {"plain": "planted-plain-password", "scram": "planted-scram-password", "key": "planted-key-password", "client": "planted-client-secret",
           "jwt": "planted-jwt-signing-key", "iam": "plantedIamSecretKey", "session": "plantedIamSessionToken", "database": "planted-database-password"}
ACCESS_KEY = "ASIAPLANTED"

MANIFEST = """
[pipeline]
name = "%(name)s"
[runtime]
log_level = "%(level)s"
[sources.events]
plugin = "kafka"
brokers = "%(brokers)s"
topics = ["%(topic)s"]
instance = ""
connect_timeout = "15s"
format.plugin = "debezium-json"
%(options)s
[sinks.target]
%(sink)s
[dead_letters]
path = "%(folder)s/dead_letters.jsonl"
"""


def json_web_token(lifetime=3600, key=PLANTED["jwt"]):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    head = part(b'{"alg":"HS256"}') + "." + part(json.dumps({"sub": "cdcrt", "exp": int(time.time()) + lifetime}).encode())
    return head + "." + part(hmac.new(key.encode(), head.encode(), hashlib.sha256).digest())


class TokenEndpoint(Service):
    """An OAuth 2.0 server for one client; `asked` counts, `status` is what it answers."""

    def __init__(self):
        self.asked, self.status = 0, 200
        super().__init__()

    def answer(self, method, path, body):
        self.asked += 1
        if self.status != 200:
            return self.status, json.dumps({"error": "invalid_client", "error_description": "no such client"})
        return 200, json.dumps({"access_token": json_web_token(), "token_type": "Bearer", "expires_in": 3600})


class Secured(Case):
    """One broker for all of them."""

    @classmethod
    def begin(cls):
        cls.kafka = SecureKafka({"alice": PLANTED["plain"], "cdcrt": PLANTED["plain"]}, {"bob": PLANTED["scram"], "cdcrt": PLANTED["scram"]})
        cls.kafka.create_topic(TOPIC, 2)
        cls.kafka.set_token_keys("jwt " + PLANTED["jwt"], f"iam {ACCESS_KEY} {PLANTED['iam']} {PLANTED['session']}", "iam AKIAOTHER other-secret")
        cls.produced = 0
        cls.produce(ROWS)
        cls.folder = tempfile.mkdtemp(prefix="cdcrt-secured-")
        cls.key, cls.certificate = cls.kafka.authority.issue("client", password=PLANTED["key"])
        cls.between = certificates.Authority(os.path.join(cls.folder, "between"), "Between CA", issuer=cls.kafka.authority)
        cls.chain_key, cls.chain = cls.between.issue("client of another")
        cls.old_key, cls.old = cls.kafka.authority.issue("old client", days=-1)
        cls.foreign_key, cls.foreign = cls.kafka.other_authority.issue("foreign client")
        cls.aws = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": PLANTED["iam"], "AWS_SESSION_TOKEN": PLANTED["session"],
                   "AWS_EC2_METADATA_DISABLED": "true", "HOME": cls.folder}

    @classmethod
    def end(cls):
        cls.kafka.stop()
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def produce(cls, count):
        rows = [(json.dumps({"id": number}), envelope("orders", {"id": number, "v": f"row {number}"}, lsn=number + 1))
                for number in range(Secured.produced, Secured.produced + count)]
        cls.kafka.produce(TOPIC, rows)
        Secured.produced += count

    # ---- pieces of manifests ----

    def ca(self):
        return f'tls.ca = "${{file:{self.kafka.authority.pem}}}"\n'

    def login(self, mechanism, user, password):
        return self.ca() + f'sasl = {{ mechanism = "{mechanism}", username = "{user}", password = "{password}" }}\n'

    def client(self, key, certificate, more=""):
        return (f'[sources.events.tls]\nca = "${{file:{self.kafka.authority.pem}}}"\nkey = "${{file:{key}}}"\n'
                f'certificate = "${{file:{certificate}}}"\n{more}')

    def tokens(self, options, mechanism="OAUTHBEARER"):
        return self.ca() + f'sasl = {{ mechanism = "{mechanism}", {options} }}\n'

    def write_manifest(self, name, listener, options, sink='plugin = "blackhole"', level="info", brokers=None):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, name + ".toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(MANIFEST % {"name": name, "brokers": brokers or self.kafka.at(listener), "topic": TOPIC, "options": options, "sink": sink, "folder": folder,
                                   "level": level})
        return folder, path

    def run_once(self, name, listener, options, environment=None, **more):
        folder, path = self.write_manifest(name, listener, options, **more)
        return program.run(["--manifest", path, "--stop", "end"], {**self.aws, **(environment or {})}, folder, timeout=90)

    def at_once(self, cases):
        """Runs name -> arguments of run_once; answers name -> Result. They mostly wait for the broker."""
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            running = {name: pool.submit(self.run_once, name, *case) for name, case in cases.items()}
            return {name: each.result() for name, each in running.items()}

    @contextlib.contextmanager
    def running(self, name, listener, options, environment=None, **more):
        """A pipeline into a database of its own; gives (how many rows arrived, its log, its process)."""
        target = os.path.join(self.folder, name + ".db")
        sink = more.pop("sink", f'plugin = "odbc"\nconnection = {{ Driver = "SQLite3", Database = "{target}" }}')
        folder, path = self.write_manifest(name, listener, options, sink=sink, **more)
        log = os.path.join(folder, "log")
        process = program.start(["--manifest", path], {**self.aws, **(environment or {})}, log)

        def rows():
            with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(f"file:{target}?mode=ro", uri=True)) as database:
                return database.execute("select count(*) from orders").fetchone()[0]
            return 0

        def text():
            with open(log, encoding="utf-8", errors="replace") as file:
                return file.read()
        try:
            yield rows, text, process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def notes_of(core):
    """The part of a core file that tools show without looking into memory and registers: program, arguments, signal, files."""
    parts = b""
    for kind, content in all_notes(core):
        if kind in (3, 0x53494749, 0x46494C45):  # NT_PRPSINFO, NT_SIGINFO, NT_FILE of elf.h
            parts += content
    return parts


def all_notes(core):
    with open(core, "rb") as file:
        header = file.read(64)
        table, (size, count) = struct.unpack_from("<Q", header, 32)[0], struct.unpack_from("<HH", header, 54)
        for number in range(count):
            file.seek(table + number * size)
            kind, _, offset, _, _, length = struct.unpack("<IIQQQQ", file.read(40))
            if kind != 4:
                continue
            file.seek(offset)
            notes, place = file.read(length), 0
            while place + 12 <= length:
                name, content, note = struct.unpack_from("<III", notes, place)
                begin = place + 12 + (name + 3) // 4 * 4
                yield note, notes[begin:begin + content]
                place = begin + (content + 3) // 4 * 4
