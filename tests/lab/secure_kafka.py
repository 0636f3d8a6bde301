"""A Kafka broker that lets nobody in without a certificate or a login: one listener for each way, all with TLS."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import zipfile

from lab import certificates
from lab.kafka import CLUSTER, Kafka
from lab.process import free_port

HERE = os.path.dirname(os.path.abspath(__file__))
LOGGING = """log4j.rootLogger=WARN, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d %p %c %m%n
"""
PREFIX = "org.apache.kafka.common.security."


class SecureKafka(Kafka):
    """Beside the plain listener of Kafka, which is the test's own, by name of the listener:

    MUTUAL: a certificate that `authority` signed (directly or through one that comes with it).
    CHANGING: the same, until trust_clients_of another one and the next start.
    LOGIN: PLAIN (`plain_users`), SCRAM-SHA-256 and SCRAM-SHA-512 (`scram_users`, and set_password), OAUTHBEARER (java/TokenCheck.java: tokens
      signed with a key of set_token_keys; `logins` tells what it decided).
    EXPIRED, ELSEWHERE, FOREIGN: a certificate that has expired; for another host; of another CA.
    """

    JARS = "kafka-3"
    LISTENERS = {"MUTUAL": "SSL", "CHANGING": "SSL", "LOGIN": "SASL_SSL", "EXPIRED": "SSL", "ELSEWHERE": "SSL", "FOREIGN": "SSL"}

    def __init__(self, plain_users, scram_users, max_session="4000", **more):
        self.ports = {name: free_port() for name in self.LISTENERS}
        self.plain_users, self.scram_users, self.max_session = plain_users, scram_users, max_session
        super().__init__(**more)

    def at(self, listener):
        """With the host's name, as clients of a certificate for names must call it."""
        return f"localhost:{self.ports[listener]}"

    def set_token_keys(self, *lines):
        with open(self.token_keys, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)

    def logins(self):
        if not os.path.exists(self.token_log):
            return []
        with open(self.token_log, encoding="utf-8") as file:
            return file.read().splitlines()

    def trust_clients_of(self, authority):
        """The CA whose certificates CHANGING takes from the next start on."""
        shutil.copy(authority.pem, self.client_authority)

    def set_password(self, user, password, mechanism="SCRAM-SHA-512"):
        """Of connections to come. A JVM of its own."""
        self.tool("kafka.admin.ConfigCommand", "--bootstrap-server", self.brokers, "--alter", "--entity-type", "users", "--entity-name", user,
                  "--add-config", f"{mechanism}=[password={password}]")

    def _write_settings(self, more):
        self.authority = certificates.Authority(os.path.join(self.folder, "tls"))
        self.other_authority = certificates.Authority(os.path.join(self.folder, "other-tls"), "Other CA")
        self.token_keys, self.token_log = os.path.join(self.folder, "token-keys"), os.path.join(self.folder, "token-log")
        self.set_token_keys()
        self.client_authority = os.path.join(self.folder, "client-ca.pem")
        self.trust_clients_of(self.authority)
        self._compile()
        stores = {"MUTUAL": self.authority.issue("broker"), "EXPIRED": self.authority.issue("expired broker", days=-1),
                  "ELSEWHERE": self.authority.issue("elsewhere", hosts="DNS:kafka.example.net"), "FOREIGN": self.other_authority.issue("foreign broker")}
        stores["LOGIN"] = stores["CHANGING"] = stores["MUTUAL"]
        places = {"PLAINTEXT": f"127.0.0.1:{self.port}", "CONTROLLER": f"127.0.0.1:{self.controller_port}",
                  **{name: f"localhost:{port}" for name, port in self.ports.items()}}
        listeners = [f"{name}://{place}" for name, place in places.items()]
        settings = {
            "listeners": ",".join(listeners),
            "advertised.listeners": ",".join(each for each in listeners if not each.startswith("CONTROLLER")),
            "listener.security.protocol.map": ",".join(f"{name}:{self.LISTENERS.get(name, 'PLAINTEXT')}" for name in places),
            "inter.broker.listener.name": "PLAINTEXT",
        }
        for name, (key, pem) in stores.items():
            store = os.path.join(self.folder, f"{name}.store.pem")
            with open(store, "w", encoding="ascii") as file:
                file.write(certificates.read(key) + certificates.read(pem))
            prefix = f"listener.name.{name.lower()}.ssl."
            settings.update({prefix + "keystore.type": "PEM", prefix + "keystore.location": store})
        for name, trusted in (("mutual", self.authority.pem), ("changing", self.client_authority)):
            prefix = f"listener.name.{name}.ssl."
            settings.update({prefix + "client.auth": "required", prefix + "truststore.type": "PEM", prefix + "truststore.location": trusted})
        users = " ".join(f'user_{name}="{password}"' for name, password in self.plain_users.items())
        login = "listener.name.login."
        settings.update({
            login + "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            login + "plain.sasl.jaas.config": f"{PREFIX}plain.PlainLoginModule required {users};",
            login + "scram-sha-256.sasl.jaas.config": f"{PREFIX}scram.ScramLoginModule required;",
            login + "scram-sha-512.sasl.jaas.config": f"{PREFIX}scram.ScramLoginModule required;",
            login + "oauthbearer.sasl.jaas.config":
                f'{PREFIX}oauthbearer.OAuthBearerLoginModule required keys="{self.token_keys}" log="{self.token_log}";',
            login + "oauthbearer.sasl.server.callback.handler.class": "TokenCheck",
            login + "oauthbearer.sasl.login.callback.handler.class": "TokenCheck",
            # A connection ends with the token that it was opened with, and one of a password after this time.
            login + "oauthbearer.connections.max.reauth.ms": self.max_session,
            login + "scram-sha-512.connections.max.reauth.ms": self.max_session,
        })
        super()._write_settings({**settings, **more})
        self.log_settings = os.path.join(self.folder, "log4j.properties")
        with open(self.log_settings, "w", encoding="ascii") as file:
            file.write(LOGGING)

    def _compile(self):
        """Once, into a jar beside those of the broker: an archive of classes knows no folders."""
        source = os.path.join(HERE, "java", "TokenCheck.java")
        with open(source, "rb") as file:
            self.checker = f"{self.libraries}-{hashlib.sha256(file.read()).hexdigest()[:12]}.jar"
        if os.path.exists(self.checker):
            return
        javac = shutil.which("javac")
        if javac is None:
            raise RuntimeError("javac is missing: install default-jdk-headless")
        with tempfile.TemporaryDirectory(dir=os.path.dirname(self.checker)) as work:
            subprocess.run([javac, "-d", work, "-cp", self.libraries + "/*", source], check=True, stdout=subprocess.DEVNULL)
            made = os.path.join(work, "made.jar")
            with zipfile.ZipFile(made, "w") as jar:
                for name in os.listdir(work):
                    if name.endswith(".class"):
                        jar.write(os.path.join(work, name), name)
            os.rename(made, self.checker)

    def java(self, main, *arguments, options=()):
        command = super().java(main, *arguments, options=options)
        command[command.index("-cp") + 1] += ":" + self.checker
        if "-Dlog4j2.configurationFile=" + self.logging in command:
            command[command.index("-Dlog4j2.configurationFile=" + self.logging)] = f"-Dlog4j.configuration=file:{self.log_settings}"
        return command

    def _another(self, options):
        return SecureKafka({}, {}, options=options)

    def _format(self):
        passwords = [f"{mechanism}=[name={user},password={password}]" for user, password in self.scram_users.items()
                     for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")]
        self.tool("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", self.properties,
                  *(argument for each in passwords for argument in ("--add-scram", each)))
