"""The laboratory itself: each server starts, works, survives what tests do to it, and ends."""

import http.client
import os
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import connect, process  # noqa: E402
from lab.aws import Aws  # noqa: E402
from lab.kafka import Kafka  # noqa: E402
from lab.kafka_admin import KafkaError  # noqa: E402
from lab.mariadb import MariaDb  # noqa: E402
from lab.postgresql import Postgresql  # noqa: E402
from lab.process import wait_until  # noqa: E402
from lab.proxy import TcpProxy  # noqa: E402
from lab.s3 import S3, S3Error, signed  # noqa: E402
from lab.s3_faults import S3Faults  # noqa: E402


class Ports(process.Case):
    TAKES = """
import random, sys
sys.path.insert(0, sys.argv[1])
from lab import process
process._chance = random.Random(7)
print(process.free_port(), flush=True)
input()
"""

    def test_two_tests_that_run_side_by_side_take_no_port_of_each_other_before_their_servers_listen(self):
        tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        takers = [subprocess.Popen([sys.executable, "-c", self.TAKES, tests], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                  for _ in range(4)]
        ports = [int(taker.stdout.readline()) for taker in takers]
        for taker in takers:
            taker.communicate("\n")
        self.assertEqual(len(set(ports)), 4, ports)
        # What a process reserved is free again once it has ended.
        again = subprocess.run([sys.executable, "-c", self.TAKES, tests], input="\n", stdout=subprocess.PIPE, text=True, check=True)
        self.assertIn(int(again.stdout), ports)


class Databases(process.Case):
    def test_postgresql_keeps_its_data_over_a_crash(self):
        server = Postgresql()
        server.create("shop")
        server.sql("shop", "create table t (v text); insert into t values ('a'), (null)")
        server.restart(gently=False)
        self.assertEqual(server.query("shop", "select v from t order by v"), [["a"], [None]])
        server.stop()
        self.assertFalse(os.path.exists(server.folder))
        self.assertFalse(process.listens(server.port))

    def test_mariadb_keeps_its_data_over_a_kill(self):
        server = MariaDb()
        server.create("shop")
        server.sql("shop", "create table t (v varchar(10)); insert into t values ('ä')")
        server.restart(gently=False)
        self.assertEqual(server.query("shop", "select v from t"), [["ä"]])
        self.assertEqual(server.value("shop", "select @@binlog_row_metadata"), "FULL")
        server.stop()
        self.assertFalse(os.path.exists(server.folder))


class Cloud(process.Case):
    def test_objects_survive_a_kill_and_wrong_secrets_are_refused(self):
        server = S3()
        self.addCleanup(server.stop)
        server.put("a/b c.txt", b"content")
        server.restart(gently=False)
        self.assertEqual((server.get("a/b c.txt"), server.keys(), server.keys("x"), server.uploads()), (b"content", ["a/b c.txt"], [], []))
        secret, server.secret_key = server.secret_key, "wrong"
        with self.assertRaises(S3Error) as caught:
            server.get("a/b c.txt")
        self.assertEqual((caught.exception.status, caught.exception.code), (403, "SignatureDoesNotMatch"))
        server.secret_key = secret
        server.delete("a/b c.txt")
        self.assertEqual(server.keys(), [])

    def test_a_hanging_request_goes_on_when_faults_are_cleared(self):
        server = S3()
        proxy = S3Faults(server)
        for part in (server, proxy):
            self.addCleanup(part.stop)
        proxy.fault("hang", method="PUT")
        errors = []
        def put():
            connection = http.client.HTTPConnection("127.0.0.1", proxy.port)
            try:
                connection.request("PUT", "/staging/x", b"body")
                connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                errors.append(error)
        thread = threading.Thread(target=put)
        thread.start()
        wait_until(lambda: proxy.requests, 30, "no request has come")
        self.assertEqual(errors, [])
        proxy.clear()
        thread.join(30)
        self.assertEqual((len(errors), proxy.requests, server.keys()), (1, [("PUT", "/staging/x", "hang")], []))

    def test_stalled_requests_end_when_their_clients_leave(self):
        server = S3()
        proxy = S3Faults(server)
        for part in (server, proxy):
            self.addCleanup(part.stop)
        kinds = ("hang", "stall_upload", "stall_answer")
        for number, kind in enumerate(kinds, 1):
            proxy.fault(kind, method="PUT", nth=number)
        for kind in kinds:
            body = kind.encode() * 1000
            path = f"/{server.bucket}/{kind}"
            connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=1)
            headers = signed("PUT", f"127.0.0.1:{proxy.port}", path, (), body, server.access_key, server.secret_key, server.region)
            with self.assertRaises(TimeoutError):
                connection.request("PUT", path, body, headers)
                connection.getresponse()
            connection.close()
        wait_until(lambda: proxy.left == len(kinds), 30, lambda: f"{proxy.left} have left")
        self.assertEqual([outcome for _, _, outcome in proxy.requests], list(kinds))
        self.assertEqual(server.keys(), ["stall_answer"])

    def test_secrets_are_stored_and_replaced(self):
        server = Aws()
        self.addCleanup(server.stop)
        server.put_secret("shop", {"password": "first"})
        server.put_secret("shop", {"password": "second"})
        self.assertEqual(server.secrets("GetSecretValue", SecretId="shop")["SecretString"], '{"password": "second"}')
        with self.assertRaises(ValueError):
            server.secrets("GetSecretValue", SecretId="none")


class Proxy(process.Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Postgresql()
        cls.server.sql("postgres", "create table t (v int)")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.proxy = TcpProxy(self.server.port)
        self.addCleanup(self.proxy.stop)
        self.server.sql("postgres", "truncate t")

    def insert(self, value):
        """Whether a client saw its COMMIT succeed."""
        with open(os.devnull, "wb") as nowhere:
            client = process.subprocess.Popen(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d",
                                               self.server.connection("postgres", self.proxy.port) + " sslmode=disable gssencmode=disable"],
                                              stdin=process.subprocess.PIPE, stdout=nowhere, stderr=nowhere)
            client.communicate(f"begin;\ninsert into t values ({value});\ncommit;\n".encode())
        return client.returncode == 0

    def values(self):
        return [int(row[0]) for row in self.server.query("postgres", "select v from t order by v")]

    def test_a_commit_cut_before_the_server_is_rolled_back(self):
        self.proxy.cut_commits("before", every=2)
        self.assertEqual([self.insert(number) for number in (1, 2, 3, 4)], [True, False, True, False])
        self.assertEqual(self.values(), [1, 3])
        self.assertEqual((self.proxy.commits, self.proxy.cuts), (4, 2))

    def test_a_commit_whose_answer_is_lost_has_happened(self):
        self.proxy.cut_commits("after", times=1)
        self.assertEqual([self.insert(number) for number in (1, 2)], [False, True])
        self.assertEqual(self.values(), [1, 2])

    def test_refused_cut_and_frozen_connections(self):
        self.proxy.refuse()
        self.assertFalse(self.insert(1))
        self.proxy.accept()
        self.proxy.freeze()
        done = []
        thread = threading.Thread(target=lambda: done.append(self.insert(2)))
        thread.start()
        time.sleep(0.3)
        self.assertEqual(done, [])
        self.proxy.thaw()
        thread.join(30)
        self.assertEqual((done, self.values()), ([True], [2]))


class Broker(process.Case):
    @classmethod
    def setUpClass(cls):
        cls.kafka = Kafka(secured=True)

    @classmethod
    def tearDownClass(cls):
        cls.kafka.stop()

    def test_messages_come_back_as_they_went(self):
        kafka = self.kafka
        kafka.create_topic("plain", 2, retention_ms=-1)
        kafka.produce("plain", [("k", "v"), (None, "line 1\nline 2\té"), ("gone", None)], partition=1, headers=[("a", "1"), ("b", "{}")])
        messages = kafka.read_topic("plain")
        self.assertEqual([(m["partition"], m["offset"], m["key"], m["payload"]) for m in messages],
                         [(1, 0, "k", "v"), (1, 1, None, "line 1\nline 2\té"), (1, 2, "gone", None)])
        self.assertEqual(messages[0]["headers"], ["a", "1", "b", "{}"])
        kafka.create_topic("copy", 2)
        kafka.produce_lines([{**message, "topic": "copy"} for message in messages])
        self.assertEqual([{**message, "ts": 0} for message in kafka.read_topic("copy")],
                         [{**message, "topic": "copy", "ts": 0} for message in messages])

    def test_topics_grow_shrink_and_come_again(self):
        kafka = self.kafka
        kafka.create_topic("t", 1)
        with self.assertRaises(KafkaError):
            kafka.create_topic("t", 1)
        kafka.produce("t", [("k", str(number)) for number in range(10)])
        kafka.delete_records("t", {0: 4})
        self.assertEqual((kafka.begin_offsets("t"), kafka.end_offsets("t"), kafka.count(["t"])), ({0: 4}, {0: 10}, 6))
        self.assertEqual([message["payload"] for message in kafka.read_topic("t")], ["4", "5", "6", "7", "8", "9"])
        kafka.add_partitions("t", 3)
        self.assertEqual(kafka.topics()["t"], 3)
        kafka.admin.commit("group", "t", {0: 5})
        self.assertEqual(kafka.admin.committed("group"), {("t", 0): 5})
        kafka.admin.configure_topic("t", **{"retention.bytes": 1000})
        kafka.delete_topic("t")
        kafka.create_topic("t", 1)
        self.assertEqual(kafka.end_offsets("t"), {0: 0})

    def test_the_log_survives_a_kill(self):
        self.kafka.create_topic("kept", 1)
        self.kafka.produce("kept", [("k", "v")])
        self.kafka.restart(gently=False)
        self.assertEqual([message["payload"] for message in self.kafka.read_topic("kept")], ["v"])

    def test_passwords_and_rights_are_checked(self):
        self.kafka.create_topic("secret", 1)
        def list_topic(user, password):
            done = process.subprocess.run(
                ["kcat", "-b", f"127.0.0.1:{self.kafka.secured_port}", "-C", "-e", "-t", "secret", "-m", "5", "-X", "security.protocol=SASL_PLAINTEXT",
                 "-X", "sasl.mechanisms=PLAIN", "-X", f"sasl.username={user}", "-X", f"sasl.password={password}"],
                check=False, capture_output=True, text=True, timeout=60)
            return done.returncode, done.stderr
        self.assertEqual(list_topic("admin", Kafka.USERS["admin"])[0], 0)
        self.assertIn("uthorization", list_topic("nobody", Kafka.USERS["nobody"])[1])
        self.assertIn("uthentication", list_topic("admin", "wrong")[1])


class Chain(process.Case):
    def test_changes_of_both_databases_arrive_in_kafka(self):
        kafka, server, maria = Kafka(), Postgresql(logical=True), MariaDb()
        worker = connect.Connect(kafka)
        for part in (worker, kafka, server, maria):
            self.addCleanup(part.stop)
        server.create("shop")
        server.sql("shop", "create table t (id int primary key, v text); insert into t values (1, 'before')")
        maria.create("shop")
        maria.sql("shop", "create table t (id int primary key, v text); insert into t values (1, 'before')")
        worker.add("p", connect.postgresql_source(server, "shop", "p"))
        worker.add("m", connect.mariadb_source(maria, "shop", "m", kafka))
        for database, topic in ((server, "p.public.t"), (maria, "m.shop.t")):
            wait_until(lambda: topic in kafka.topics() and kafka.count([topic]) == 1, 60, lambda: f"{kafka.topics()} {worker.log_tail()}")
            database.sql("shop", "insert into t values (2, 'after'); delete from t where id = 1")
        for topic in ("p.public.t", "m.shop.t"):
            wait_until(lambda: kafka.count([topic]) == 4, 60, worker.log_tail)
            self.assertEqual(kafka.topics()[topic], 4)
        server.create("copy")
        worker.add("copy", connect.jdbc_sink(server, "copy", ["p.public.t"], tasks=1))
        wait_until(lambda: server.value("copy", "select to_regclass('public.t')") and
                   server.query("copy", "select id, v from public.t") == [["2", "after"]], 60, worker.log_tail)


if __name__ == "__main__":
    unittest.main()
