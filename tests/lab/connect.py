"""A Kafka Connect worker of one's own (standalone), with Debezium's connectors."""

import json
import os
import time
import urllib.error
import urllib.request

from lab import jars
from lab.kafka import LOGGING
from lab.process import NotUp, Server, free_port


class Connect(Server):
    """Started by its construction. `schemas`: whether messages carry their schema. Connectors are added by `add` and added again by a
    restart; where they were is in the worker's offsets file."""

    name = "connect"
    halt_within = 30

    def __init__(self, kafka, schemas=True, heap="1g", settings=None):
        super().__init__()
        self.kafka, self.heap, self.port, self.connectors = kafka, heap, free_port(), {}
        self.libraries = jars.folder("connect")
        plugins = os.path.join(self.folder, "plugins")
        os.makedirs(plugins)
        worker = {
            "bootstrap.servers": kafka.brokers,
            "key.converter": "org.apache.kafka.connect.json.JsonConverter", "key.converter.schemas.enable": str(schemas).lower(),
            "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": str(schemas).lower(),
            # Else a NULL is sent as its column's default (Kafka's documentation of JsonConverter).
            "key.converter.replace.null.with.default": "false", "value.converter.replace.null.with.default": "false",
            "offset.storage.file.filename": os.path.join(self.folder, "offsets"), "offset.flush.interval.ms": 1000,
            "listeners": f"http://127.0.0.1:{self.port}", "plugin.path": plugins,
            "plugin.discovery": "hybrid_warn",  # the connectors are on the class path
            "connector.client.config.override.policy": "All", "topic.creation.enable": "true",
            # A broker that is away for minutes must not fail a source.
            "producer.delivery.timeout.ms": 2147483647, "producer.max.block.ms": 600000,
        }
        worker.update(settings or {})
        self.properties = os.path.join(self.folder, "worker.properties")
        with open(self.properties, "w", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in worker.items())
        self.logging = os.path.join(self.folder, "log4j2.xml")
        with open(self.logging, "w", encoding="utf-8") as file:
            file.write(LOGGING)
        self.start()

    def _launch(self):
        return self._spawn(["java", f"-Xmx{self.heap}", "-XX:+UseSerialGC", f"-Dlog4j2.configurationFile={self.logging}", "-cp",
                            self.libraries + "/*", "org.apache.kafka.connect.cli.ConnectStandalone", self.properties])

    def _is_up(self):
        try:
            self.ask("GET", "/connectors")
            return True
        except (OSError, ValueError):
            time.sleep(0.1)
            return False

    def start(self):
        super().start()
        for name, config in self.connectors.items():
            self._put(name, config)
        return self

    def ask(self, method, path, body=None):
        """A request of the worker's REST interface; parsed answer. urllib.error.HTTPError with the worker's text when refused."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method, headers={"Content-Type": "application/json"},
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            error.msg = f"{error.msg}: {error.read().decode(errors='replace')[:2000]}"
            raise
        return json.loads(text) if text else None

    def add(self, name, config):
        """Starts a connector and waits until it and its tasks run."""
        self.connectors[name] = config
        self._put(name, config)

    def _put(self, name, config):
        self.ask("PUT", f"/connectors/{name}/config", {key: str(value) for key, value in config.items()})
        end = time.monotonic() + 60
        while not self.runs(name):
            if time.monotonic() > end:
                raise NotUp(f"connector {name} does not run: {self.status(name)} {self.log_tail()}")
            time.sleep(0.1)

    def status(self, name):
        try:
            return self.ask("GET", f"/connectors/{name}/status")
        except urllib.error.HTTPError:
            return None

    def runs(self, name):
        """Whether it runs; NotUp with its trace when it failed."""
        status = self.status(name)
        parts = [status["connector"], *status["tasks"]] if status else []
        failed = [part for part in parts if part["state"] == "FAILED"]
        if failed:
            raise NotUp(f"connector {name}: {failed[0].get('trace', '')[:3000]}")
        return len(parts) > 1 and all(part["state"] == "RUNNING" for part in parts)

    def remove(self, name):
        self.connectors.pop(name)
        self.ask("DELETE", f"/connectors/{name}")


# ---- configurations ----

def _source(prefix, partitions):
    return {"tasks.max": 1, "topic.prefix": prefix, "tombstones.on.delete": "true", "skipped.operations": "none",
            "topic.creation.default.partitions": partitions, "topic.creation.default.replication.factor": 1, "poll.interval.ms": 50,
            "producer.override.linger.ms": 10, "producer.override.batch.size": 262144}


def postgresql_source(server, database, prefix, partitions=4, **more):
    """Debezium's PostgreSQL connector. `more`: further settings, dots written as double underscores. Slot and publication are named after
    the prefix."""
    return {**_source(prefix, partitions), "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "plugin.name": "pgoutput",
            "database.hostname": "127.0.0.1", "database.port": server.port, "database.user": "postgres", "database.password": "x",
            "database.dbname": database, "slot.name": prefix, "publication.name": prefix, "publication.autocreate.mode": "all_tables",
            **_named(more)}


def mariadb_source(server, database, prefix, kafka, partitions=4, **more):
    """Debezium's MariaDB connector; unsigned bigints as exact decimals, years as they are."""
    return {**_source(prefix, partitions), "connector.class": "io.debezium.connector.mariadb.MariaDbConnector", "database.hostname": "127.0.0.1",
            "database.port": server.port, "database.user": "root", "database.password": "", "database.server.id": 54001,
            "database.include.list": database, "bigint.unsigned.handling.mode": "precise",
            "enable.time.adjuster": "false",  # else the year 1 is sent as 2001
            "schema.history.internal.kafka.bootstrap.servers": kafka.brokers, "schema.history.internal.kafka.topic": f"schemahistory.{prefix}",
            "include.schema.changes": "false", **_named(more)}


def jdbc_sink(server, database, topics, tasks=4, **more):
    """Debezium's JDBC sink into PostgreSQL, tuned as its documentation advises for throughput; needs messages with schemas."""
    return {"connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector", "tasks.max": tasks, "topics": ",".join(topics),
            "connection.url": f"jdbc:postgresql://127.0.0.1:{server.port}/{database}?reWriteBatchedInserts=true",
            "connection.username": "postgres", "connection.password": "x", "insert.mode": "upsert", "delete.enabled": "true",
            "primary.key.mode": "record_key", "schema.evolution": "basic", "batch.size": 2000, "consumer.override.max.poll.records": 2000,
            "use.reduction.buffer": "true", "collection.name.format": "${source.table}", "connection.pool.max_size": 2 * tasks, **_named(more)}


def _named(more):
    return {name.replace("__", "."): value for name, value in more.items()}
