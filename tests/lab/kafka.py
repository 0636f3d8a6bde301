"""A Kafka broker of one's own: Apache Kafka, KRaft, one node."""

import concurrent.futures
import json
import os
import shutil
import subprocess
import tempfile
import time

from lab import class_archive, jars
from lab.kafka_admin import Admin
from lab.process import Server, free_port, wait_until

CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk"
LOGGING = """<Configuration status="ERROR"><Appenders><Console name="c"><PatternLayout pattern="%d %p %c %m%n"/></Console></Appenders>
<Loggers><Root level="warn"><AppenderRef ref="c"/></Root></Loggers></Configuration>
"""


class Kafka(Server):
    """Started by its construction; data and port survive halt, kill and restart.

    `settings`: of server.properties, more or others. `secured`: a second listener with SASL/PLAIN and the users of `USERS` (name ->
    password; "nobody" has no rights on anything, "admin" all), at `secured_port`. `heap`: of the JVM, `options`: others of it."""

    name = "kafka"
    JARS = "kafka"
    USERS = {"admin": "admin-secret", "nobody": "nobody-secret"}

    def __init__(self, settings=None, secured=False, heap="1g", options=None):
        super().__init__()
        self.options = options or class_archive.options(self.JARS, self._run_once)
        self.port, self.controller_port = free_port(), free_port()
        self.secured_port = free_port() if secured else None
        self.heap = heap
        self.libraries = jars.folder(self.JARS)
        self.data = os.path.join(self.folder, "data")
        self.admin = Admin(self.port)
        self._write_settings(settings or {})
        self._format()
        self.start()

    @property
    def brokers(self):
        return f"127.0.0.1:{self.port}"

    # ---- the process ----

    def _write_settings(self, more):
        listeners = {"PLAINTEXT": self.port, "CONTROLLER": self.controller_port}
        if self.secured_port:
            listeners["SECURED"] = self.secured_port
        places = {name: f"{name}://127.0.0.1:{port}" for name, port in listeners.items()}
        settings = {
            "process.roles": "broker,controller", "node.id": 1, "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": ",".join(places.values()),
            "advertised.listeners": ",".join(place for name, place in places.items() if name != "CONTROLLER"),
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURED:SASL_PLAINTEXT",
            "log.dirs": self.data, "num.partitions": 4, "auto.create.topics.enable": "true",
            "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1, "transaction.state.log.num.partitions": 4,
            "group.initial.rebalance.delay.ms": 0, "group.min.session.timeout.ms": 100,
            # A broker that was killed is not taken back by its controller before its session is over: 9 s by default.
            "broker.session.timeout.ms": 5000, "broker.heartbeat.interval.ms": 500,
            # A restarted client must not wait for a log segment of its default size to be allocated and recovered.
            "log.segment.bytes": 268435456, "num.network.threads": 2, "num.io.threads": 4, "background.threads": 2,
        }
        if self.secured_port:
            users = " ".join(f'user_{name}="{password}"' for name, password in self.USERS.items())
            settings.update({
                "sasl.enabled.mechanisms": "PLAIN",
                "listener.name.secured.plain.sasl.jaas.config":
                    f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};",
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:admin;User:ANONYMOUS",  # ANONYMOUS: whoever comes by the plain listener
            })
        settings.update(more)
        self.properties = os.path.join(self.folder, "server.properties")
        with open(self.properties, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in settings.items())
        self.logging = os.path.join(self.folder, "log4j2.xml")
        with open(self.logging, "w", encoding="utf-8") as file:
            file.write(LOGGING)

    def java(self, main, *arguments, options=()):
        return ["java", *options, f"-Dlog4j2.configurationFile={self.logging}", "-cp", self.libraries + "/*", main, *arguments]

    def tool(self, main, *arguments, check=True):
        """Runs a tool of the broker, a JVM of its own: about 1 s. Answers its output."""
        options = [option for option in self.options if "AtExit" not in option]
        done = subprocess.run(self.java(main, *arguments, options=options), check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        if check and done.returncode:
            raise RuntimeError(done.stdout)
        return done.stdout

    def _format(self):
        self.tool("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", self.properties)

    def _launch(self):
        self.admin.close()
        return self._spawn(self.java("kafka.Kafka", self.properties, options=(f"-Xmx{self.heap}", "-Xms256m", *self.options)))

    def _run_once(self, options):
        server = self._another(options)
        try:
            server.create_topic("any", 2)
            server.produce("any", [("key", "value")])
            server.read_topic("any")
            server.delete_topic("any")
            server.halt()
        finally:
            server.stop()

    def _another(self, options):
        return type(self)(options=options)

    def _is_up(self):
        # It takes connections before it answers, and may drop one without a word.
        probe = Admin(self.port, timeout=3)
        try:
            probe.topics()
            return True
        except OSError:
            time.sleep(0.1)
            return False
        finally:
            probe.close()

    # ---- topics ----

    def create_topic(self, name, partitions=1, **config):
        """`config`: with underscores for dots, e.g. retention_ms=1000."""
        self.admin.create_topic(name, partitions, {key.replace("_", "."): value for key, value in config.items()})
        self._known(name, partitions)

    def create_topics(self, names, partitions=1):
        """Thousands of them, a hundred at once."""
        for first in range(0, len(names), 100):
            self.admin.create_topics(names[first:first + 100], partitions, {})
        wait_until(lambda: set(names) <= set(self.topics()), 600, "the broker does not know all topics", poll=1)

    def add_partitions(self, name, total):
        self.admin.add_partitions(name, total)
        self._known(name, total)

    def _known(self, name, partitions):
        wait_until(lambda: len(self.end_offsets(name)) == partitions, 30, f"the broker does not know {partitions} partitions of {name}")

    def delete_topic(self, name):
        """Returns when the topic is gone, so that one of its name can be created."""
        self.admin.delete_topic(name)
        wait_until(lambda: name not in self.admin.topics(), 30, f"topic {name} is still there")

    def delete_topics(self):
        """All but the broker's own."""
        for name in self.topics():
            self.delete_topic(name)

    def delete_records(self, name, before):
        """`before`: partition -> the first offset that stays; -1: none stays."""
        self.admin.delete_records(name, before)

    def topics(self):
        """Name -> number of partitions, without the broker's own."""
        return {name: count for name, count in self.admin.topics().items() if not name.startswith("__")}

    def begin_offsets(self, topic):
        return self.admin.offsets(topic, -2)

    def end_offsets(self, topic):
        return self.admin.offsets(topic, -1)

    # ---- messages ----

    def produce(self, topic, messages, partition=None, headers=(), properties=None):
        """Messages (key, value), texts or None, in order; without a partition by the hash of the key. `headers`: (name, value) on each.
        A run of kcat for each call: give many at once."""
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="surrogateescape", newline="", dir=self.folder, delete=False) as file:
            for key, value in messages:
                file.write(f"{key or ''}\x02{value or ''}\x01")
        self.produce_file(topic, file.name, partition, headers, properties)
        os.remove(file.name)

    def produce_file(self, topic, path, partition=None, headers=(), properties=None):
        """Messages of a file: KEY \\x02 VALUE \\x01; an empty value is null. Fast: a million in seconds."""
        arguments = ["-P", "-t", topic, "-K", "\x02", "-D", "\x01", "-Z", "-X", "queue.buffering.max.messages=1000000", "-X", "linger.ms=20"]
        arguments += ["-p", str(partition)] if partition is not None else []
        for name, value in headers:
            arguments += ["-H", f"{name}={value}"]
        for name, value in (properties or {}).items():
            arguments += ["-X", f"{name}={value}"]
        with open(path, "rb") as file:
            self._kcat(arguments, stdin=file)

    def produce_files(self, files, at_once=8):
        """Files (topic, path, partition) of produce_file, several at once: each run mostly waits for the broker."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda file: self.produce_file(*file), files))

    def produce_whole(self, topic, path, key, properties=None):
        """A file as one message."""
        arguments = [argument for name, value in (properties or {}).items() for argument in ("-X", f"{name}={value}")]
        self._kcat(["-P", "-t", topic, "-p", "0", "-k", key, *arguments, path])

    def produce_lines(self, lines):
        """Messages in the form of read_topic (parsed), in order, each into its topic and partition, headers included."""
        runs, last = [], None
        for line in lines:
            headers = line.get("headers") or []
            place = (line["topic"], line.get("partition"), tuple(zip(headers[::2], headers[1::2])))
            if place != last:
                runs.append((place, []))
                last = place
            runs[-1][1].append((line.get("key"), line.get("payload")))
        for (topic, partition, headers), messages in runs:
            self.produce(topic, messages, partition, headers)

    def _kcat(self, arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
        done = subprocess.run(["kcat", "-b", self.brokers, *arguments], check=False, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
        if done.returncode:
            raise RuntimeError(f"kcat {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")

    def dump(self, topics, path):
        """Writes all messages of the topics to `path`, one JSON object a line: the form that the oracle and the file source read."""
        with open(path, "wb") as file:
            for topic in topics:
                self._kcat(["-C", "-q", "-J", "-e", "-o", "beginning", "-t", topic, "-X", "fetch.wait.max.ms=50"], stdout=file)
                file.flush()

    def read_topic(self, topic):
        """All messages of a topic, parsed: topic, partition, offset, ts, headers, key, payload."""
        path = os.path.join(self.folder, f"read-{time.monotonic_ns()}")
        self.dump([topic], path)
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            messages = [json.loads(line) for line in file]
        os.remove(path)
        return messages

    def count(self, topics):
        """Number of offsets between begin and end over all partitions of the topics."""
        return sum(sum(self.end_offsets(topic).values()) - sum(self.begin_offsets(topic).values()) for topic in topics)

    def stop(self):
        self.admin.close()
        super().stop()

    def wipe(self):
        """Everything is forgotten: the same broker and port with another, empty log. It must be halted."""
        shutil.rmtree(self.data, ignore_errors=True)
        self._format()
