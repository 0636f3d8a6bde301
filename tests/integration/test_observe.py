"""Metrics, health and status of a running pipeline: the numbers are those of what was applied, an outage makes it not ready with the reason, and
whoever calls, and however, moves nothing."""

import json
import os
import resource
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from integration import program
from integration.live import LOG, TABLES, Servers, behind_proxy
from integration.scrape import Scrape
from lab.process import Case, wait_until

EVENTS = int(os.environ.get("CDCRT_OBSERVE_EVENTS", "4000"))
TOKEN = "a-token-that-nobody-guesses-0001"
SINK = "sinks.target"
OPERATIONS = ("insert", "update", "delete")
CROWD = 1000


def setUpModule():
    # A crowd of clients holds a file each.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def files_of(pid):
    """Of a process with --core-dumps: those of any other are shown to root alone."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads_of(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def keys_of(value):
    """The names of its members, at any depth."""
    if isinstance(value, list):
        return {key for each in value for key in keys_of(each)}
    return {*value, *(key for each in value.values() for key in keys_of(each))} if isinstance(value, dict) else set()


class Observed(Case):
    """Kafka into PostgreSQL."""

    @classmethod
    def setUpClass(cls):
        cls.servers = Servers(EVENTS, slices=4)
        cls.addClassCleanup(cls.servers.stop)

    def begin(self, *settings, options=()):
        self.live, self.proxy = behind_proxy(self, self.servers, "cdcrt-observe-")
        arguments = [each for setting in ('runtime.http="127.0.0.1:0"', *settings) for each in ("--set", setting)]
        self.process = self.live.start("one", "--output", "json", *options, *arguments)
        self.scrape = Scrape(self.log)
        wait_until(lambda: self.scrape.url, 60, self.log)
        return self.live

    def log(self):
        return self.live.log("one")

    def eventually(self, done, seconds=60):
        wait_until(done, seconds, lambda: f"{self.scrape.get('/status')[2][:3000]}\n{self.log()[-3000:]}", poll=0.2)

    def end(self, code=0):
        self.process.terminate()
        self.assertEqual(self.process.wait(60), code, self.log()[-3000:])
        return json.loads(self.log().splitlines()[-1])

    def rows_by_table(self):
        """As /metrics has them: {table: [inserted, updated, deleted]}."""
        rows = {}
        for (name, labels), value in self.scrape.samples().items():
            labels = dict(labels)
            if name == "cdcrt_table_rows_total":
                rows.setdefault(labels["table"], [0, 0, 0])[OPERATIONS.index(labels["operation"])] = int(value)
        return rows

    def test_what_is_told_is_what_was_applied(self):
        live = self.begin()
        live.produce_all()
        live.wait_until_complete(120)
        self.assertEqual(live.differences(), [])
        rows = self.rows_by_table()
        # By the target, and by what was produced.
        for table in TABLES:
            inserted, updated, deleted = rows["shop." + table]
            self.assertEqual(inserted - deleted, int(live.value(f"select count(*) from shop.{table}")), table)
            self.assertGreater(updated, 0, table)
        trail = live.load.trail
        self.assertEqual(rows["shop.trail"], [trail["c"], trail["u"], trail["d"]])
        self.assertEqual(rows["shop.log"], [live.load.rows, 0, 0])
        # By the status.
        status = self.scrape.status()
        self.assertEqual({each["table"]: [each["applied_rows"][op] for op in OPERATIONS] for each in status["tables"]}, rows)
        self.assertEqual([sum(each[i] for each in rows.values()) for i in range(3)], [status["totals"]["applied_rows"][op] for op in OPERATIONS])
        self.assertEqual((status["state"], status["ready"], status["reasons"]), ("running", True, []))
        messages = sum(sum(live.kafka.end_offsets(topic).values()) for topic in live.kafka.topics() if topic.startswith("bench."))
        self.assertEqual(self.scrape.total("cdcrt_source_messages_total"), messages)
        self.assertEqual(status["sources"][0]["messages"], messages)
        self.assertTrue(all(each["owned"] for each in status["sources"][0]["partitions"]))
        # Nothing is behind, once the ends of the logs were asked for.
        self.eventually(lambda: self.scrape.value("cdcrt_source_lag_messages", component="sources.events") == 0)
        self.assertEqual(self.scrape.total("cdcrt_table_lag_messages"), 0)
        self.assertEqual(self.scrape.total("cdcrt_table_lag_seconds"), 0)
        self.assertEqual(self.scrape.total("cdcrt_table_buffered_rows"), 0)
        self.assertEqual(self.scrape.value("cdcrt_buffered_bytes", kind="messages"), 0)
        # Bytes are those of the messages: more than nothing, not more than what was read.
        self.assertGreater(self.scrape.total("cdcrt_table_bytes_total"), 0)
        self.assertLessEqual(self.scrape.total("cdcrt_table_bytes_total"), self.scrape.total("cdcrt_source_bytes_total"))
        self.assertGreater(self.scrape.value("cdcrt_sink_write_seconds_count", component=SINK), 0)
        self.assertEqual(self.scrape.value("cdcrt_sink_tables", component=SINK, state="active"), len(rows))
        self.assertEqual(self.scrape.value("cdcrt_table_state", component=SINK, table="shop.orders", state="active"), 1)
        # Every name in it is documented, since it stays.
        with open(os.path.join(program.PROJECT, "docs", "operating.md"), encoding="utf-8") as file:
            documented = file.read().split("### The JSON of /status")[1].split("## Alerts")[0]
        self.assertEqual([key for key in keys_of(status) if f"`{key}`" not in documented], [])
        # By the summary of the run.
        summary = self.end()
        self.assertEqual({each["table"]: [each["inserted"], each["updated"], each["deleted"]] for each in summary["tables"]}, rows)

    def test_both_formats_are_taken_by_prometheus(self):
        live = self.begin()
        live.load.produce(live.kafka, 0)
        self.eventually(lambda: self.scrape.total("cdcrt_table_rows_total") > 0)
        checked = subprocess.run(["promtool", "check", "metrics"], input=self.scrape.page(), capture_output=True, text=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
        status, headers, text = self.scrape.get("/metrics", {"Accept": "application/openmetrics-text; version=1.0.0"})
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("application/openmetrics-text"))
        self.assertTrue(text.endswith("# EOF\n"))
        self.assertNotIn("offset=", text)
        self.end()

    def test_a_target_that_goes_away_is_told_with_the_reason_and_a_broker_too(self):
        live = self.begin()
        live.load.produce(live.kafka, 0)
        self.eventually(lambda: self.scrape.ready() is True and self.scrape.total("cdcrt_table_rows_total") > 0)
        self.assertEqual(self.scrape.value("cdcrt_sink_up", component=SINK), 1)
        self.proxy.away()
        live.load.produce(live.kafka, 1)
        self.eventually(lambda: self.scrape.ready() is not True)
        reasons = self.scrape.ready()
        self.assertEqual(list(reasons), [SINK])
        self.assertRegex(reasons[SINK], r"waiting for the target for \d+ s: .")
        # What is told of the rest may be as old as a tenth of a second.
        self.eventually(lambda: self.scrape.value("cdcrt_sink_up", component=SINK) == 0 and self.scrape.value("cdcrt_ready") == 0)
        self.assertEqual(self.scrape.status()["sinks"][0]["state"], "waiting")
        # What waits is behind, in messages and in seconds, and grows older.
        self.eventually(lambda: self.scrape.total("cdcrt_table_lag_messages") > 0)
        behind = self.scrape.value("cdcrt_sink_lag_seconds", component=SINK)
        self.assertGreater(behind, 0)
        self.eventually(lambda: self.scrape.value("cdcrt_sink_lag_seconds", component=SINK) > behind)
        self.eventually(lambda: self.scrape.value("cdcrt_sink_retries_total", component=SINK, **{"class": "unreachable"}) > 0)
        # The process itself is well: nobody should kill it.
        self.assertEqual(self.scrape.get("/livez")[0], 200)
        self.proxy.accept()
        self.eventually(lambda: self.scrape.ready() is True)
        self.eventually(lambda: self.scrape.value("cdcrt_sink_lag_seconds", component=SINK) == 0)
        live.kafka.kill()
        self.eventually(lambda: self.scrape.ready() is not True)
        self.assertEqual(list(self.scrape.ready()), ["sources.events"])
        self.eventually(lambda: self.scrape.value("cdcrt_source_up", component="sources.events") == 0)
        live.kafka.restart()
        # By itself, though nothing new comes.
        self.eventually(lambda: self.scrape.ready() is True, 120)
        self.end()

    def test_dead_letters_and_tables_that_wait_are_told_with_their_reasons(self):
        live = self.begin()
        live.load.produce(live.kafka, 0)
        live.kafka.produce(LOG, [("", "this is no event")])
        self.eventually(lambda: self.scrape.total("cdcrt_dead_letters_total") == 1)
        self.assertEqual(self.scrape.value("cdcrt_dead_letters_total", component="", table="", reason="undecodable"), 1)
        self.assertEqual(self.scrape.status()["dead_letters"]["by_reason"], [{"sink": "", "table": "", "reason": "undecodable", "count": 1}])
        self.eventually(lambda: self.rows_by_table().get("shop.orders", [0])[0] > 0)
        with subprocess.Popen(["psql", "-X", "-q", "-d", live.postgresql.connection("live")], stdin=subprocess.PIPE, text=True) as locking:
            locking.stdin.write("begin; lock table shop.orders in access exclusive mode;\n")
            locking.stdin.flush()
            wait_until(lambda: live.value("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation is not null") != "0", 30, self.log)
            live.load.produce(live.kafka, 1)
            self.eventually(lambda: self.scrape.value("cdcrt_sink_tables", component=SINK, state="detached") == 1)
            self.assertEqual(self.scrape.value("cdcrt_table_state", component=SINK, table="shop.orders", state="detached"), 1)
            table = self.scrape.status("?state=detached")["tables"][0]
            self.assertEqual(table["table"], "shop.orders")
            self.assertIn("lock", table["reason"])
            self.assertGreater(table["lag_seconds"], 0)
            # The others go on: that one table waits does not make the process one that does not work.
            self.assertIs(self.scrape.ready(), True)
            self.assertGreater(self.scrape.value("cdcrt_sink_retries_total", component=SINK, **{"class": "locked"}), 0)
            locking.stdin.write("rollback;\n\\q\n")
        self.eventually(lambda: self.scrape.value("cdcrt_sink_tables", component=SINK, state="detached") == 0)
        self.eventually(lambda: self.scrape.value("cdcrt_table_lag_seconds", component=SINK, table="shop.orders") == 0)
        self.end(4)

    def test_whoever_calls_and_however_moves_nothing(self):
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit != resource.RLIM_INFINITY and limit < CROWD + 200:
            self.skipTest(f"{CROWD} clients need more than the {limit} open files that the hard limit allows")
        live = self.begin(options=("--core-dumps",))
        live.load.produce(live.kafka, 0)
        # By then every client of the broker is there, with its threads.
        self.eventually(lambda: self.scrape.value("cdcrt_source_lag_messages", component="sources.events") == 0)
        _, host, port = self.scrape.url
        threads, files = threads_of(self.process.pid), files_of(self.process.pid)
        live.produce_slowly(4, first=1)
        crowd, most, stop = [], [0, 0], threading.Event()

        def drip():
            while not stop.wait(0.5):
                most[:] = max(most[0], files_of(self.process.pid)), max(most[1], threads_of(self.process.pid))
                for client in crowd:
                    try:
                        client.sendall(b"a")
                    except OSError:
                        continue
        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            for number in range(CROWD):
                crowd.append(socket.create_connection((host, port), 30))
                crowd[-1].sendall(b"GET /metrics HTTP/1.1\r\nHost: a" if number % 2 else b"GET /")
                if number % 200 == 0:
                    self.assertEqual(self.scrape.get("/livez")[0], 200)
            for noise in (b"\x16\x03\x01\x00\xa5\x01\x00\x00", b"\0" * 9000, b"GET / HTTP/9.9\r\n\r\n", b"GET " + b"/a" * 5000 + b" HTTP/1.1\r\n\r\n",
                          b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 2000 + b"\r\n", os.urandom(20000)):
                with socket.create_connection((host, port), 30) as client:
                    client.sendall(noise)
                    client.settimeout(30)
                    with self.subTest(noise=noise[:20]):
                        # What is in the way of an answer is a reset, since not all was read.
                        try:
                            answer = client.recv(100)
                        except ConnectionResetError:
                            answer = b"HTTP/1.1 4"
                        self.assertTrue(answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")), answer)
            for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/metrics/../status", "//etc/passwd", "/status/", "/metrics%00.txt", "/" + "a" * 1500):
                with self.subTest(path=path):
                    self.assertEqual(self.scrape.get(path)[0], 404)
            self.assertEqual(self.scrape.get("/metrics", method="DELETE")[0], 405)
            self.assertEqual(self.scrape.get("/status?limit=all")[0], 400)
            # A page of the web cannot read it through a browser under a name of its own.
            self.assertEqual(self.scrape.get("/status", {"Host": "rebound.example"})[0], 403)
            self.assertEqual(self.scrape.get("/metrics")[0], 200)
        finally:
            stop.set()
            dripping.join()
            for client in crowd:
                client.close()
        # 64 of these at most, and what the pipeline itself opens meanwhile.
        self.assertLess(most[0], files + 64 + 32)
        self.assertLess(most[1], threads + 16)
        live.finish_producing()
        live.wait_until_complete(120)
        self.assertEqual(live.differences(), [])
        self.end()


class Guarded(Case):
    """Token, TLS, addresses; no servers."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-observe-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.log_path = os.path.join(self.folder, "log")

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def start(self, **settings):
        """A pipeline that reads a pipe nobody writes to, so that it goes on."""
        manifest = os.path.join(self.folder, "guarded.toml")
        with open(manifest, "w", encoding="utf-8") as file:
            file.write('[pipeline]\nname = "guarded"\n[runtime]\n' + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()) +
                       '[sources.events]\nplugin = "file"\npaths = "-"\nformat.plugin = "debezium-json"\n[sinks.none]\nplugin = "blackhole"\n')
        with open(self.log_path, "wb") as log:
            process = subprocess.Popen([program.BINARY, "--manifest", manifest], stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.folder)

        def end():
            process.stdin.close()
            if process.poll() is None:
                process.terminate()
            process.wait(60)
        self.addCleanup(end)
        return process

    def certificate(self):
        paths = [os.path.join(self.folder, name) for name in ("tls.crt", "tls.key")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=here",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0] + ".new", "-keyout", paths[1] + ".new"], check=True, capture_output=True)
        for path in paths:
            os.replace(path + ".new", path)
        return paths

    def started(self, process, **scrape):
        del process
        found = Scrape(self.log, **scrape)
        wait_until(lambda: found.url, 60, self.log)
        wait_until(lambda: found.ready() is True, 60, self.log)
        return found

    def refused(self, code, *texts, **settings):
        process = self.start(**settings)
        self.assertEqual(process.wait(60), code, self.log())
        for text in texts:
            self.assertIn(text, self.log())

    def test_a_wrong_token_is_refused_and_the_right_one_is_written_nowhere(self):
        scrape = self.started(self.start(http="127.0.0.1:0", http_token=TOKEN), token=TOKEN)
        for headers in ({}, {"Authorization": "Bearer " + TOKEN[:-1]}, {"Authorization": "Bearer " + TOKEN + "x"}, {"Authorization": "Bearer"}, scrape.basic("no"),
                        {"Authorization": "Bearer \u00ff" + TOKEN}):
            for path in ("/metrics", "/status", "/", "/nothing"):
                with self.subTest(headers=headers, path=path):
                    status, answered, _ = scrape.get(path, headers, token=False)
                    self.assertEqual(status, 401)
                    self.assertIn("Basic", answered["WWW-Authenticate"])
        self.assertEqual(scrape.get("/metrics")[0], 200)
        self.assertEqual(scrape.get("/status", scrape.basic(TOKEN), token=False)[0], 200)
        # Probes ask without one, and learn no more than yes or no.
        self.assertEqual(scrape.get("/readyz", token=False)[::2], (200, '{"ready":true}\n'))
        self.assertEqual(scrape.get("/livez", token=False)[::2], (200, '{"alive":true}\n'))
        self.assertEqual(scrape.get("/readyz", {"Authorization": "Bearer wrong"}, token=False)[0], 401)
        self.assertNotIn(TOKEN, self.log() + scrape.get("/status")[2] + scrape.page())

    def half_closed(self, place, authority, says_the_end):
        context = ssl.create_default_context(cafile=authority)
        context.check_hostname = False
        arrived, to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(arrived, to_send)
        with socket.create_connection(place, 30) as client:
            while True:
                try:
                    session.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    client.sendall(to_send.read())
                    arrived.write(client.recv(65536))
            session.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            if says_the_end:
                with self.assertRaises(ssl.SSLWantReadError):
                    session.unwrap()
            client.sendall(to_send.read())
            client.shutdown(socket.SHUT_WR)
            while piece := client.recv(65536):
                arrived.write(piece)
        return session.read()

    def test_tls_is_spoken_and_a_new_certificate_taken_without_a_restart(self):
        certificate, key = self.certificate()
        first = certificate + ".first"
        shutil.copy(certificate, first)
        scrape = self.started(self.start(http="127.0.0.1:0", http_certificate=certificate, http_key=key), authority=first)
        self.assertEqual(scrape.get("/metrics")[0], 200)
        _, host, port = scrape.url
        with socket.create_connection((host, port), 30) as plain:  # plain text at a port with TLS
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            plain.settimeout(30)
            self.assertNotIn(b"HTTP/1.1 200", plain.recv(100))
        self.assertEqual(scrape.get("/metrics")[0], 200)
        for says_the_end in (True, False):  # a client that sends no more still waits for its answer
            with self.subTest(says_the_end):
                self.assertIn(b"HTTP/1.1 200", self.half_closed((host, port), first, says_the_end))
        self.certificate()
        scrape.authority = certificate

        def is_taken():
            try:
                return scrape.get("/metrics")[0] == 200
            except OSError:
                return False
        wait_until(is_taken, 60, self.log)

    def test_what_others_reach_is_guarded_and_what_cannot_be_is_said(self):
        self.refused(2, "E0205", "can be reached from other machines", "http_token", http="0.0.0.0:0")
        self.refused(2, "E0205", "must be an IP address with a port", http="somewhere:9464")
        self.refused(2, "E0205", "must have 16 characters", http="127.0.0.1:0", http_token="short")
        self.refused(2, "E0205", "must not be empty", http="0.0.0.0:0", http_token="")
        self.refused(2, "http_key", http="127.0.0.1:0", http_certificate="tls.crt")
        self.refused(2, "E0505", "tls.crt cannot be used", http="127.0.0.1:0", http_certificate="tls.crt", http_key="tls.key")
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            self.refused(3, "E0505", "cannot listen on 127.0.0.1", http=f"127.0.0.1:{other.getsockname()[1]}")
        scrape = Scrape(self.log, token=TOKEN)
        self.start(http="0.0.0.0:0", http_token=TOKEN)
        wait_until(lambda: scrape.url, 60, self.log)
        self.assertEqual(scrape.get("/metrics", token=False)[0], 401)
        self.assertEqual(scrape.get("/metrics", {"Host": "node7.example"})[0], 200)

    def test_a_process_that_is_still_starting_says_what_it_waits_for(self):
        # A database that takes connections and never answers.
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            manifest = os.path.join(self.folder, "starting.toml")
            port = silent.getsockname()[1]
            with open(manifest, "w", encoding="utf-8") as file:
                file.write('[pipeline]\nname = "starting"\n[runtime]\nhttp = "127.0.0.1:0"\n[sources.events]\nplugin = "file"\npaths = "-"\n'
                           'format.plugin = "debezium-json"\n[sinks.db]\nplugin = "postgresql"\n'
                           f'connection = {{ host = "127.0.0.1", port = "{port}", dbname = "none", connect_timeout = "600" }}\n')
            with open(self.log_path, "wb") as log:
                process = subprocess.Popen([program.BINARY, "--manifest", manifest], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
            try:
                scrape = Scrape(self.log)
                wait_until(lambda: scrape.url, 60, self.log)
                wait_until(lambda: scrape.ready() is not True and "sinks.db" in scrape.ready(), 60, self.log)
                self.assertEqual(scrape.get("/livez")[0], 200)
                self.assertEqual(scrape.value("cdcrt_ready"), 0)
                self.assertEqual(scrape.status()["state"], "starting")
            finally:
                process.kill()
                process.wait(60)
