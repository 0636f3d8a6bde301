"""The few requests of Kafka's protocol that tests need, without a JVM: topics, partitions, records, offsets, groups.

Oldest versions that Kafka 4 still takes (https://kafka.apache.org/protocol, "Messages"): their fields have fixed sizes.
"""

import functools
import socket
import struct
import time

NAMES = {3: "UNKNOWN_TOPIC_OR_PARTITION", 7: "REQUEST_TIMED_OUT", 17: "INVALID_TOPIC", 29: "TOPIC_AUTHORIZATION_FAILED",
         36: "TOPIC_ALREADY_EXISTS", 37: "INVALID_PARTITIONS"}


PASSING = {5, 6, 14, 15, 16, 41}  # no leader yet, not the leader, the coordinator or the controller loads or is elsewhere


class KafkaError(Exception):
    def __init__(self, code, what):
        super().__init__(f"{what}: {NAMES.get(code, 'error')} ({code})")
        self.code = code


class Writer:
    def __init__(self):
        self.bytes = b""

    def put(self, form, *values):
        self.bytes += struct.pack(">" + form, *values)
        return self

    def text(self, value):
        if value is None:
            return self.put("h", -1)
        raw = value.encode()
        return self.put(f"h{len(raw)}s", len(raw), raw)

    def each(self, items, write):
        self.put("i", len(items))
        for item in items:
            write(item)
        return self


class Reader:
    def __init__(self, raw):
        self.raw, self.place = raw, 0

    def get(self, form):
        values = struct.unpack_from(">" + form, self.raw, self.place)
        self.place += struct.calcsize(">" + form)
        return values[0] if len(values) == 1 else values

    def text(self):
        return self._take(self.get("h"))

    def blob(self):
        size = self.get("i")
        self.place += max(size, 0)
        return self.raw[self.place - max(size, 0):self.place]

    def _take(self, size):
        if size < 0:
            return None
        self.place += size
        return self.raw[self.place - size:self.place].decode()

    def each(self, read):
        return [read() for _ in range(max(self.get("i"), 0))]


def with_retries(ask):
    """Asks again while the broker says that it will soon know."""
    @functools.wraps(ask)
    def asking(self, *arguments, **named):
        end = time.monotonic() + self.timeout
        while True:
            try:
                return ask(self, *arguments, **named)
            except KafkaError as error:
                if error.code not in PASSING or time.monotonic() > end:
                    raise
            time.sleep(0.05)
    return asking


class Admin:
    """One connection to the broker at 127.0.0.1:`port`, opened with the first request and again after a failure. Errors: KafkaError for
    what the broker refuses, OSError where it cannot be reached. Not for several threads."""

    def __init__(self, port, timeout=30):
        self.port, self.timeout, self.socket, self.count = port, timeout, None, 0

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None

    def _ask(self, key, version, body):
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.port), self.timeout)
            self.count += 1
            request = Writer().put("hhi", key, version, self.count).text("cdcrt-tests").bytes + body.bytes
            self.socket.sendall(struct.pack(">i", len(request)) + request)
            answer = Reader(self._receive(struct.unpack(">i", self._receive(4))[0]))
        except OSError:
            self.close()
            raise
        answer.get("i")
        return answer

    def _receive(self, size):
        raw = b""
        while len(raw) < size:
            more = self.socket.recv(size - len(raw))
            if not more:
                raise ConnectionError("the broker closed the connection")
            raw += more
        return raw

    @staticmethod
    def _check(code, what):
        if code:
            raise KafkaError(code, what)

    def topics(self):
        """topic -> number of its partitions; the broker's own topics too."""
        answer = self._ask(3, 4, Writer().put("i?", -1, False))
        answer.get("i")
        answer.each(lambda: (answer.get("i"), answer.text(), answer.get("i"), answer.text()))
        answer.text()
        answer.get("i")

        def topic():
            answer.get("h")
            name = answer.text()
            answer.get("?")
            partitions = answer.each(lambda: (answer.get("hii"), answer.each(lambda: answer.get("i")), answer.each(lambda: answer.get("i"))))
            return name, len(partitions)
        return dict(answer.each(topic))

    def create_topic(self, name, partitions, config):
        self.create_topics([name], partitions, config)

    def create_topics(self, names, partitions, config):
        body = Writer()
        def write(topic):
            body.text(topic).put("ih", partitions, 1).put("i", 0)
            body.each(list(config.items()), lambda entry: body.text(entry[0]).text(str(entry[1])))
        body.each(names, write).put("i?", 30000, False)
        answer = self._ask(19, 2, body)
        answer.get("i")
        for topic, code, message in answer.each(lambda: (answer.text(), answer.get("h"), answer.text())):
            self._check(code, f"create topic {topic}: {message}")

    def add_partitions(self, name, total):
        body = Writer()
        body.each([name], lambda topic: body.text(topic).put("ii", total, -1)).put("i?", 30000, False)
        answer = self._ask(37, 0, body)
        answer.get("i")
        for topic, code, message in answer.each(lambda: (answer.text(), answer.get("h"), answer.text())):
            self._check(code, f"add partitions to {topic}: {message}")

    def delete_topic(self, name):
        body = Writer()
        body.each([name], body.text).put("i", 30000)
        answer = self._ask(20, 1, body)
        answer.get("i")
        for topic, code in answer.each(lambda: (answer.text(), answer.get("h"))):
            self._check(code, f"delete topic {topic}")

    @with_retries
    def delete_records(self, topic, before):
        """Forgets what lies before the offsets of `before`: partition -> offset (-1: the end)."""
        body = Writer()
        body.each([topic], lambda name: body.text(name).each(list(before.items()), lambda entry: body.put("iq", *entry))).put("i", 30000)
        answer = self._ask(21, 0, body)
        answer.get("i")
        for name, partitions in answer.each(lambda: (answer.text(), answer.each(lambda: answer.get("iqh")))):
            for partition, _, code in partitions:
                self._check(code, f"delete records of {name}/{partition}")

    @with_retries
    def offsets(self, topic, timestamp, partitions=None):
        """partition -> offset; timestamp: -1 the end, -2 the beginning, else milliseconds (-1 where nothing is as late)."""
        if partitions is None:
            partitions = range(self.topics().get(topic, 0))
        body = Writer().put("i", -1)
        body.each([topic], lambda name: body.text(name).each(list(partitions), lambda partition: body.put("iq", partition, timestamp)))
        answer = self._ask(2, 1, body)
        found = {}
        for name, rows in answer.each(lambda: (answer.text(), answer.each(lambda: answer.get("ihqq")))):
            for partition, code, _, offset in rows:
                self._check(code, f"offsets of {name}/{partition}")
                found[partition] = offset
        return found

    def _coordinator(self, group):
        """The first question about any group makes the broker create its topic of offsets."""
        answer = self._ask(10, 0, Writer().text(group))
        self._check(answer.get("h"), f"coordinator of group {group}")

    @with_retries
    def committed(self, group):
        """(topic, partition) -> offset that the group committed."""
        self._coordinator(group)
        answer = self._ask(9, 2, Writer().text(group).put("i", -1))
        rows = answer.each(lambda: (answer.text(), answer.each(lambda: (answer.get("iq"), answer.text(), answer.get("h")))))
        self._check(answer.get("h"), f"offsets of group {group}")
        return {(topic, partition): offset for topic, cells in rows for (partition, offset), _, _ in cells}

    @with_retries
    def commit(self, group, topic, offsets):
        """Commits partition -> offset for a group without members."""
        self._coordinator(group)
        body = Writer().text(group).put("i", -1).text("").put("q", -1)
        body.each([topic], lambda name: body.text(name).each(list(offsets.items()), lambda entry: body.put("iq", *entry).text("")))
        answer = self._ask(8, 2, body)
        for name, rows in answer.each(lambda: (answer.text(), answer.each(lambda: answer.get("ih")))):
            for partition, code in rows:
                self._check(code, f"commit {name}/{partition} for {group}")

    @with_retries
    def group(self, name):
        """(state, member ids) of a consumer group."""
        self._coordinator(name)
        answer = self._ask(15, 0, Writer().put("i", 1).text(name))
        def read():
            code, _, state, _, _ = answer.get("h"), answer.text(), answer.text(), answer.text(), answer.text()
            self._check(code, f"group {name}")
            return state, answer.each(lambda: (answer.text(), answer.text(), answer.text(), answer.blob(), answer.blob())[0])
        return answer.each(read)[0]

    def configure_topic(self, name, **config):
        body = Writer()
        def write(topic):
            body.put("b", 2).text(topic).each(list(config.items()), lambda entry: body.text(entry[0]).put("b", 0).text(str(entry[1])))
        body.each([name], write).put("?", False)
        answer = self._ask(44, 0, body)
        answer.get("i")
        for code, message, _, topic in answer.each(lambda: (answer.get("h"), answer.text(), answer.get("b"), answer.text())):
            self._check(code, f"configure {topic}: {message}")

    # ---- rights ----

    KINDS, OPERATIONS = {"topic": 2, "group": 3}, {"read": 3, "describe": 8}

    def allow(self, user, operation, kind, name):
        body = Writer()
        def write(_):
            body.put("b", self.KINDS[kind]).text(name).put("b", 3).text("User:" + user).text("*").put("bb", self.OPERATIONS[operation], 3)
        body.each([None], write)
        answer = self._ask(30, 1, body)
        answer.get("i")
        for code, message in answer.each(lambda: (answer.get("h"), answer.text())):
            self._check(code, f"allow {user} {operation} on {kind} {name}: {message}")

    def disallow(self, user, operation, kind, name):
        body = Writer()
        def write(_):
            body.put("b", self.KINDS[kind]).text(name).put("b", 3).text("User:" + user).text("*").put("bb", self.OPERATIONS[operation], 3)
        body.each([None], write)
        answer = self._ask(31, 1, body)
        answer.get("i")
        answer.get("i")  # one filter
        self._check(answer.get("h"), f"disallow {user} {operation} on {kind} {name}")
