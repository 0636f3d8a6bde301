"""Kafka with TLS and logins, on a real broker that has a listener for each: what gets in, what is refused and how it is told, secrets that are
changed while a pipeline runs, and that none of them shows anywhere."""

import base64
import concurrent.futures
import contextlib
import json
import os
import re
import resource
import signal
import subprocess

from integration import program
from integration.messages import envelope
from integration.secured import ACCESS_KEY, PLANTED, ROWS, TOPIC, Secured, TokenEndpoint, json_web_token, notes_of
from lab import certificates
from lab.postgresql import Postgresql
from lab.process import wait_until


def setUpModule():
    Secured.begin()


def tearDownModule():
    Secured.end()


@contextlib.contextmanager
def database_with_a_password():
    """A PostgreSQL server with the database `shop` of the role `loader`, which needs its password."""
    server = Postgresql()
    try:
        server.sql("postgres", f"create role loader login superuser password '{PLANTED['database']}'; create database shop owner loader;")
        with open(os.path.join(server.data, "pg_hba.conf"), "r+", encoding="utf-8") as file:
            rules = file.read()
            file.seek(0)
            file.write("host all loader 127.0.0.1/32 scram-sha-256\n" + rules)
        server.sql("postgres", "select pg_reload_conf();")
        yield server
    finally:
        server.stop()


class Ways(Secured):
    def test_every_way_in_reads_all_rows(self):
        token = os.path.join(self.folder, "token")
        with open(token, "w", encoding="ascii") as file:
            file.write(json_web_token() + "\n")
        done = self.at_once({
            "scram256": ("LOGIN", self.login("SCRAM-SHA-256", "bob", PLANTED["scram"])),
            "chain": ("MUTUAL", self.client(self.chain_key, self.chain)),
            "tokenfile": ("LOGIN", self.tokens(f'token_file = "{token}", extensions = {{ tenant = "shop" }}')),
            "table": ("LOGIN", f'[sources.events.librdkafka]\n"security.protocol" = "SASL_SSL"\n"ssl.ca.location" = "{self.kafka.authority.pem}"\n'
                      f'"sasl.mechanisms" = "PLAIN"\n"sasl.username" = "alice"\n"sasl.password" = "{PLANTED["plain"]}"\n'),
            "unchecked": ("ELSEWHERE", self.ca() + "tls.verify_hostname = false\n"),
        })
        for name, result in done.items():
            with self.subTest(name):
                self.assertEqual(result.exit_code, 0, result.log)
                self.assertIn(f"{self.produced} messages", result.log)
                for secret in PLANTED.values():
                    self.assertNotIn(secret, result.log)
        self.assertIn("tls.verify_hostname = false: whoever has a certificate of the same CA can pretend to be the broker", done["unchecked"].log)
        self.assertIn("extension tenant shop", self.kafka.logins())

    def test_every_manifest_of_the_documentation_reads_all_rows(self):
        with open(os.path.join(program.PROJECT, "docs", "security.md"), encoding="utf-8") as file:
            blocks = re.findall(r"```toml\n(\[sources\.events\]\n.*?)```", file.read(), re.DOTALL)
        self.assertEqual(len(blocks), 6)
        endpoint = self.enterContext(TokenEndpoint())
        secrets = os.path.join(self.folder, "documented")
        os.makedirs(secrets)
        texts = {"password": PLANTED["plain"], "kafka-password": PLANTED["scram"], "tls.key": certificates.read(self.key), "tls.crt": certificates.read(self.certificate),
                 "tls.key.password": PLANTED["key"], "client-secret": PLANTED["client"], "token": json_web_token()}
        for name, text in texts.items():
            with open(os.path.join(secrets, name), "w", encoding="utf-8") as file:
                file.write(text + "\n")
        places = {"kafka.example.net:9093": self.kafka.at("LOGIN"), "kafka.example.net:9094": self.kafka.at("MUTUAL"), "/etc/cdcrt/kafka-ca.pem": self.kafka.authority.pem,
                  "/run/secrets/kafka/": secrets + "/", "/var/run/secrets/tokens/kafka": os.path.join(secrets, "token"), "shop.*": TOPIC,
                  "https://login.example.net/oauth2/token": endpoint.endpoint + "/token"}
        environment = {**self.aws, "CREDENTIALS_DIRECTORY": secrets, "SSL_CERT_FILE": self.kafka.authority.pem}
        before = len(self.kafka.logins())

        def run(number, block):
            for documented, here in places.items():
                block = block.replace(documented, here)
            folder = os.path.join(self.folder, f"documented{number}")
            os.makedirs(folder)
            path = os.path.join(folder, "shop.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(f'[pipeline]\nname = "documented{number}"\n[sinks.target]\nplugin = "blackhole"\n{block}')
            return program.run(["--manifest", path, "--stop", "end"], environment, folder, timeout=90)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            done = list(pool.map(run, range(len(blocks)), blocks))
        for block, result in zip(blocks, done, strict=True):
            with self.subTest(block):
                self.assertEqual(result.exit_code, 0, result.log)
                self.assertIn(f"{self.produced} messages", result.log)
                for secret in PLANTED.values():
                    self.assertNotIn(secret, result.log)
        self.assertEqual(endpoint.asked, 1, "the handles of one process share a token")
        logins = " ".join(self.kafka.logins()[before:])
        self.assertIn(f"accepted {ACCESS_KEY}", logins)
        self.assertNotIn("refused", logins)

    def test_what_is_refused_says_what_where_why_and_what_to_do(self):
        expired = os.path.join(self.folder, "expired-token")
        with open(expired, "w", encoding="ascii") as file:
            file.write(json_web_token(-60))
        forged = os.path.join(self.folder, "forged-token")
        with open(forged, "w", encoding="ascii") as file:
            file.write(json_web_token(key="another"))
        endpoint = self.enterContext(TokenEndpoint())
        endpoint.status = 401
        asks = f'token_endpoint = "{endpoint.endpoint}/t", client_id = "cdcrt", client_secret = "{PLANTED["client"]}"'
        plain = self.login("PLAIN", "alice", PLANTED["plain"])
        stranger = {"AWS_ACCESS_KEY_ID": "AKIASTRANGER", "AWS_SESSION_TOKEN": ""}
        cases = {
            "foreignca": (("FOREIGN", self.ca()), "was signed by CN=Other CA, which is not among the certificates that are trusted", "tls.ca"),
            "elsewhere": (("ELSEWHERE", self.ca()), "is for kafka.example.net, not for 'localhost'", "advertised.listeners"),
            "expired": (("EXPIRED", self.ca()), "(CN=expired broker,O=lab) expired on 20", "renew it at the broker"),
            "noca": (("LOGIN", plain.replace(self.ca(), "")), "was signed by CN=Lab CA, which is not among the certificates", "tls.ca"),
            "password": (("LOGIN", self.login("SCRAM-SHA-512", "bob", "not-" + PLANTED["scram"])), "refuse the login of user 'bob'", "sasl.password"),
            "plainpassword": (("LOGIN", self.login("PLAIN", "alice", "not-" + PLANTED["plain"])), "refuse the login of user 'alice'", "sasl.password"),
            "nocertificate": (("MUTUAL", self.ca()), "want a certificate of this client", "tls.certificate"),
            "oldcertificate": (("MUTUAL", self.client(self.old_key, self.old)), "refuse the certificate of this client (CN=old client,O=lab)", "it expired on 20"),
            "foreignclient": (("MUTUAL", self.client(self.foreign_key, self.foreign)), "refuse the certificate of this client (CN=foreign client,O=lab)",
                              "must trust the CA that signed it, CN=Other CA"),
            "expiredtoken": (("LOGIN", self.tokens(f'token_file = "{expired}"')), "has expired, and nobody has written a new one", "expired-token"),
            "forgedtoken": (("LOGIN", self.tokens(f'token_file = "{forged}"')), "refuse the token: ", "the signature is wrong"),
            "notokenfile": (("LOGIN", self.tokens('token_file = "no-such"')), "cannot be read: No such file", "sasl.token_file"),
            "noclient": (("LOGIN", self.tokens(asks)), "gives client 'cdcrt' no token: status 401, invalid_client: no such client", "sasl.client_secret"),
            "stranger": (("LOGIN", self.tokens('region = "eu-west-1"', "AWS_MSK_IAM"), stranger), "refuse the token: ", "kafka-cluster:Connect"),
            "plaintext": (("LOGIN", ""), "no Kafka broker answers at localhost:", "tls.enabled"),
        }
        done = self.at_once({name: case[0] for name, case in cases.items()})
        for name, (_, *texts) in cases.items():
            with self.subTest(name):
                self.assertEqual(done[name].exit_code, 3, done[name].log)
                self.assertIn("localhost:", done[name].log)
                for text in texts:
                    self.assertIn(text, done[name].log)
                self.assertEqual(done[name].log.count("error["), 1, done[name].log)
                for secret in PLANTED.values():
                    self.assertNotIn(secret, done[name].log)

    def test_options_that_contradict_are_told_at_their_place_before_anything_is_reached(self):
        table = '[sources.events.librdkafka]\n"security.protocol" = "SSL"\n'
        cases = {
            "bothways": (self.ca() + table, "librdkafka.security.protocol", "tls.enabled"),
            "notls": ('tls = { enabled = false, ca = "x" }\n', "tls.ca", "tls.enabled = false"),
            "nopem": ('tls.ca = "/etc/ca.pem"\n', "it holds no certificate in the form of PEM", "${file:/path/to/file.pem}"),
            "nokey": (f'tls.certificate = "${{file:{self.certificate}}}"\n', "tls.certificate is given without its key", "give both, or none"),
            "otherkey": (self.client(self.old_key, self.chain), "it is not the key of the first certificate of tls.certificate", "made together"),
            "keypassword": (self.client(self.key, self.certificate), "the key is encrypted, and no password is given", "tls.key_password"),
            "badpassword": (self.client(self.key, self.certificate, f'key_password = "not-{PLANTED["key"]}"\n'),
                            "the key cannot be opened with this password", "tls.key_password"),
            "nomechanism": ('sasl.username = "alice"\n', "sasl.username is given without it", "sasl.mechanism"),
            "nouser": ('sasl.mechanism = "PLAIN"\n', "PLAIN needs it", "sasl.username"),
            "notoken": ('sasl.mechanism = "OAUTHBEARER"\n', "needs to know where tokens come from", "sasl.token_file"),
            "region": ('sasl = { mechanism = "PLAIN", username = "a", password = "b", region = "eu-west-1" }\n', "sasl.region", "does not go with"),
            "clear": ('sasl = { mechanism = "OAUTHBEARER", token_endpoint = "http://login.example.net/t", client_id = "a", client_secret = "b" }\n',
                      "it is not https", "https"),
            "nearly": ('sasl = { mechanism = "OAUTHBEARER", token_endpoint = "http://localhost.example.net/t", client_id = "a", client_secret = "b" }\n',
                       "it is not https", "https"),
        }
        for name, (options, *texts) in cases.items():
            with self.subTest(name):
                folder, path = self.write_manifest(name, "LOGIN", options, brokers="127.0.0.1:1")
                checked = program.run(["validate", "--manifest", path], folder=folder)
                self.assertEqual(checked.exit_code, 2, checked.log)
                self.assertIn(name + ".toml:", checked.log)
                for text in texts:
                    self.assertIn(text, checked.log)
                for secret in PLANTED.values():
                    self.assertNotIn(secret, checked.log)


class Changes(Secured):
    """What is changed while a pipeline runs is taken without a restart."""

    def secret(self, name, text):
        """As Kubernetes changes a mounted secret: another file in its place, at once."""
        path = os.path.join(self.folder, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    def expect_all(self, rows, text):
        wait_until(lambda: rows() == self.produced, 60, lambda: f"{rows()} of {self.produced} rows:\n{text()[-4000:]}")

    def test_a_password_is_changed_first_at_the_broker_then_in_its_file(self):
        path = self.secret("kafka-password", PLANTED["scram"])
        with self.running("password", "LOGIN", self.login("SCRAM-SHA-512", "bob", f"${{file:{path}}}")) as (rows, text, process):
            self.expect_all(rows, text)
            self.kafka.set_password("bob", "planted-next-password")
            wait_until(lambda: "refuse the login of user 'bob'" in text(), 60, text)
            self.assertIn("waiting for the source", text())
            self.secret("kafka-password", "planted-next-password\n")
            self.produce(ROWS)
            self.expect_all(rows, text)
            self.assertIsNone(process.poll())
            self.assertIn("reading with what the secrets of the manifest say now", text())
            self.assertNotIn("planted-", text())
        self.kafka.set_password("bob", PLANTED["scram"])

    def test_a_certificate_is_changed_when_the_brokers_trust_another_ca(self):
        key, certificate = (self.secret(name, certificates.read(path)) for name, path in (("client.key", self.chain_key), ("client.pem", self.chain)))
        with self.running("certificate", "CHANGING", self.client(key, certificate)) as (rows, text, process):
            self.expect_all(rows, text)
            self.kafka.halt()
            self.kafka.trust_clients_of(self.kafka.other_authority)
            self.kafka.start()
            wait_until(lambda: "refuse the certificate of this client (CN=client of another,O=lab)" in text(), 60, text)
            self.secret("client.key", certificates.read(self.foreign_key))
            self.secret("client.pem", certificates.read(self.foreign))
            self.produce(ROWS)
            self.expect_all(rows, text)
            self.assertIsNone(process.poll())

    def test_tokens_of_iam_are_made_anew_before_they_expire(self):
        before = len(self.kafka.logins())
        options = self.tokens('region = "eu-west-1", token_lifetime = "8s"', "AWS_MSK_IAM")
        with self.running("tokens", "LOGIN", options) as (rows, text, process):
            self.expect_all(rows, text)
            # Connections end with their tokens: whoever still reads has shown another one.
            tokens = set()

            def renewed():
                tokens.update(line.split()[2] for line in self.kafka.logins()[before:] if line.startswith("accepted " + ACCESS_KEY))
                return len(tokens) >= 3
            wait_until(renewed, 60, text)
            self.produce(ROWS)
            self.expect_all(rows, text)
            self.assertIsNone(process.poll())

    def test_the_password_of_a_database_is_changed_while_it_is_written_to(self):
        server = self.enterContext(database_with_a_password())
        path = self.secret("database-password", PLANTED["database"])
        sink = (f'plugin = "postgresql"\nconnection = {{ host = "127.0.0.1", port = "{server.port}", dbname = "shop", user = "loader", sslmode = "disable", '
                f'password = "${{file:{path}}}" }}\nconnections = 1')
        with self.running("database", "LOGIN", self.login("PLAIN", "alice", PLANTED["plain"]), sink=sink) as (_, text, process):
            def arrived():
                if server.value("shop", "select to_regclass('public.orders') is not null") != "t":
                    return 0
                return int(server.value("shop", "select count(*) from public.orders"))
            self.expect_all(arrived, text)
            server.sql("postgres", "alter role loader password 'planted-next-password'; "
                       "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'loader';")
            self.secret("database-password", "planted-next-password")
            self.produce(ROWS)
            self.expect_all(arrived, text)
            self.assertIsNone(process.poll())
            self.assertNotIn("planted-", text())


class Traces(Secured):
    """Every kind of secret is planted, and looked for in everything that the process leaves behind."""

    def setUp(self):
        with open(self.key, encoding="ascii") as file:
            middle = file.read().splitlines()[2]
        login = base64.b64encode(f"cdcrt:{PLANTED['client']}".encode()).decode()
        # Also as they travel: the key's text, the login at the token endpoint, tokens of either kind.
        self.secrets = [*PLANTED.values(), middle, login, base64.b64encode(b'{"alg":"HS256"}').decode().rstrip("="),
                        base64.b64encode(b"https://kafka.eu-").decode().rstrip("=")]

    def assert_hidden(self, what, text):
        for secret in self.secrets:
            self.assertNotIn(secret, text, what)

    def plant(self, server, endpoint, folder):
        def secret(name, text):
            path = os.path.join(self.folder, "secrets", name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + "\n")
            return "${file:" + path + "}"

        topics = {name: f"shop.public.{name}" for name in ("passwords", "tokens", "identities")}
        for name, topic in topics.items():
            self.kafka.create_topic(topic)
            rows = [(json.dumps({"id": number}), envelope(name, {"id": number, "v": "row"}, lsn=number + 1)) for number in range(3)]
            self.kafka.produce(topic, [*rows, ("broken", "no message")])
        ca = secret("ca.pem", certificates.read(self.kafka.authority.pem))
        sources = {
            "passwords": f'''sasl = {{ mechanism = "SCRAM-SHA-512", username = "bob", password = "${{env:KAFKA_PASSWORD}}" }}
tls.ca = "{ca}"
tls.key = "{secret("client.key", certificates.read(self.key))}"
tls.certificate = "{secret("client.pem", certificates.read(self.certificate))}"
tls.key_password = "${{credential:key-password}}"''',
            "tokens": f'''tls.ca = "{ca}"
sasl = {{ mechanism = "OAUTHBEARER", token_endpoint = "{endpoint.endpoint}/t", client_id = "cdcrt", client_secret = "{secret("client", PLANTED["client"])}" }}''',
            "identities": f'tls.ca = "{ca}"\nsasl = {{ mechanism = "AWS_MSK_IAM", region = "eu-west-1" }}',
        }
        secret("key-password", PLANTED["key"])
        manifest = '[pipeline]\nname = "traces"\n[runtime]\nlog_level = "debug"\n'
        for name, options in sources.items():
            manifest += (f'[sources.{name}]\nplugin = "kafka"\nbrokers = "{self.kafka.at("LOGIN")}"\ntopics = ["{topics[name]}"]\ngroup = "traces-{name}"\n'
                         f'instance = ""\nconnect_timeout = "15s"\nlibrdkafka = {{ debug = "all" }}\nformat.plugin = "debezium-json"\n{options}\n')
        manifest += f'''[sinks.target]
plugin = "postgresql"
connection = {{ host = "127.0.0.1", port = "{server.port}", dbname = "shop", user = "loader", sslmode = "disable", password = "{PLANTED["database"]}" }}
[dead_letters]
plugin = "kafka"
brokers = "{self.kafka.at("LOGIN")}"
topic = "shop.dead_letters"
tls.ca = "{ca}"
sasl = {{ mechanism = "PLAIN", username = "alice", password = "{PLANTED["plain"]}" }}
'''
        path = os.path.join(folder, "traces.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(manifest)
        return path

    def test_no_secret_shows_in_anything_that_is_left_behind(self):
        server = self.enterContext(database_with_a_password())
        endpoint = self.enterContext(TokenEndpoint())
        work, manifests = (os.path.join(self.folder, name) for name in ("traces", "traces-manifest"))
        for folder in (work, manifests):
            os.makedirs(folder)
        path = self.plant(server, endpoint, manifests)
        environment = {**self.aws, "KAFKA_PASSWORD": PLANTED["scram"], "CREDENTIALS_DIRECTORY": os.path.join(self.folder, "secrets"), "TMPDIR": work}
        shown = {}
        for name, arguments, code in (
                ("run", ["run", "--stop", "end"], 4), ("again", ["run", "--stop", "end", "--log-format", "json", "--output", "json"], 0),
                ("validate", ["validate"], 0), ("validate as JSON", ["validate", "--output", "json"], 0), ("probe", ["validate", "--probe"], 0),
                ("status", ["status"], 0), ("progress", ["progress", "show"], 0), ("dead letters", ["dlq", "list"], 0),
                ("wrong password", ["run", "--stop", "end", "--set", f"sinks.target.connection.password=not-{PLANTED['database']}"], 3),
                ("wrong login", ["run", "--stop", "end", "--set", f"sources.passwords.sasl.password=not-{PLANTED['scram']}"], 3),
                ("address", ["validate", "--set", f"sources.tokens.brokers=user:{PLANTED['plain']}@kafka:9092"], 2),
                ("broken setting", ["validate", "--set", f"sinks.target.connection.pasword=[{PLANTED['database']}"], 2)):
            done = program.run([*arguments[:1 + (arguments[0] in ("progress", "dlq"))], "--manifest", path, *arguments[1 + (arguments[0] in ("progress", "dlq")):]],
                               environment, work, timeout=120)
            self.assertEqual(done.exit_code, code, f"{name}: {done.log[-3000:]}")
            shown[name] = done.log
        self.assertIn("librdkafka: ", shown["run"])
        self.assertEqual(server.value("shop", "select count(*) from public.passwords"), "3")
        shown["database"] = subprocess.run(["pg_dump", "-d", server.connection("shop")], check=True, capture_output=True, text=True).stdout
        self.assertIn("cdcrt", shown["database"])
        shown["dead letters' topic"] = "\n".join(json.dumps(message) for message in self.kafka.read_topic("shop.dead_letters"))
        self.assertIn("no message", shown["dead letters' topic"])
        for folder, _, names in os.walk(work):
            for name in names:
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                    shown["file " + name] = file.read()
        for what, text in shown.items():
            self.assert_hidden(what, text)

    def test_neither_the_command_line_nor_the_metadata_of_a_core_file_shows_what_was_set(self):
        options = self.login("PLAIN", "alice", "x")
        setting = ["--set", f"sources.events.sasl.password={PLANTED['plain']}", f"--set=pipeline.name={PLANTED['database']}"]
        for allowed in (False, True):
            folder, path = self.write_manifest(f"dumps{allowed}", "LOGIN", options)
            log = os.path.join(folder, "log")
            limits = resource.getrlimit(resource.RLIMIT_CORE)
            resource.setrlimit(resource.RLIMIT_CORE, (limits[1], limits[1]))
            try:
                process = program.start(["--manifest", path, *setting, *(["--core-dumps"] if allowed else [])], self.aws, log)
            finally:
                resource.setrlimit(resource.RLIMIT_CORE, limits)
            self.addCleanup(process.kill)

            def read(name, place=log):
                with open(place or f"/proc/{process.pid}/{name}", "rb") as file:
                    return file.read()
            wait_until(lambda: b"assigned" in read("log"), 60, lambda: read("log").decode())
            command = read("cmdline", None)
            self.assertIn(b"sources.events.sasl.password=***", command)
            self.assert_hidden("command line", command.decode())
            process.send_signal(signal.SIGABRT)
            process.wait(30)
            cores = [os.path.join(folder, name) for name in os.listdir(folder) if name.startswith("core")]
            if not allowed:
                self.assertEqual(cores, [])
            elif limits[1] != 0 and not read("", "/proc/sys/kernel/core_pattern").startswith((b"|", b"/")):
                self.assertEqual(len(cores), 1, read("log").decode())
                told = notes_of(cores[0]).decode(errors="replace")
                self.assertIn("cdcrt", told)
                self.assert_hidden("core file", told)


if __name__ == "__main__":
    import unittest
    unittest.main()
