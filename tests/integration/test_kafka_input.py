"""What operators get wrong with a broker: each one clear error within seconds, and the exit code that says whose fault it is."""

import json
import os
import shutil
import tempfile

from integration import program
from integration.messages import envelope
from lab.kafka import Kafka
from lab.process import Case, free_port

MANIFEST = """
[pipeline]
name = "shop"
[sources.events]
plugin = "kafka"
brokers = "%(brokers)s"
topics = [%(topics)s]
connect_timeout = "4s"
format.plugin = "debezium-json"
%(more)s
[sinks.nothing]
plugin = "blackhole"
[dead_letters]
path = "%(folder)s/dead_letters.jsonl"
"""


class KafkaInput(Case):
    @classmethod
    def setUpClass(cls):
        cls.kafka = Kafka(secured=True)
        cls.kafka.create_topic("shop.public.orders", 2)

    @classmethod
    def tearDownClass(cls):
        cls.kafka.stop()

    def run_with(self, brokers=None, topics='"shop.public.orders"', more="", arguments=()):
        folder = tempfile.mkdtemp(prefix="cdcrt-input-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        path = os.path.join(folder, "shop.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(MANIFEST % {"brokers": brokers or self.kafka.brokers, "topics": topics, "more": more, "folder": folder})
        return program.run(["--manifest", path, "--stop", "end", *arguments], folder=folder, timeout=60)

    def expect(self, result, code, *texts):
        self.assertEqual(result.exit_code, code, result.log)
        for text in texts:
            self.assertIn(text, result.log)
        self.assertEqual(result.log.count("error["), 1, result.log)

    def secured(self, user, password, group=""):
        return f"""{group}
[sources.events.librdkafka]
"security.protocol" = "SASL_PLAINTEXT"
"sasl.mechanisms" = "PLAIN"
"sasl.username" = "{user}"
"sasl.password" = "{password}"
"""

    def test_a_right_manifest_reads_to_the_end(self):
        result = self.run_with()
        self.assertEqual(result.exit_code, 0, result.log)

    def test_a_wrong_broker_address_is_named(self):
        address = f"127.0.0.1:{free_port()}"
        self.expect(self.run_with(brokers=address), 3, address)

    def test_wrong_credentials_are_refused_without_showing_them(self):
        result = self.run_with(f"127.0.0.1:{self.kafka.secured_port}", more=self.secured("admin", "not-the-secret"))
        self.expect(result, 3)
        self.assertNotIn("not-the-secret", result.log)

    def test_an_unknown_topic_is_answered_with_the_near_one(self):
        self.expect(self.run_with(topics='"shop.public.order"'), 2, "shop.public.order", "shop.public.orders", "shop.toml:")

    def test_a_misspelt_property_is_answered_with_the_right_one(self):
        result = self.run_with(more='[sources.events.librdkafka]\n"sesion.timeout.ms" = 5000\n')
        self.expect(result, 2, "sesion.timeout.ms", "session.timeout.ms", "shop.toml:")

    def test_a_property_that_the_source_sets_itself_names_the_option(self):
        self.expect(self.run_with(more='[sources.events.librdkafka]\n"group.id" = "x"\n'), 2, "group")

    def test_a_user_without_rights_is_told_what_is_missing(self):
        result = self.run_with(f"127.0.0.1:{self.kafka.secured_port}", more=self.secured("nobody", "nobody-secret"))
        self.expect(result, 3)
        self.assertNotIn("nobody-secret", result.log)

    def test_fetching_goes_on_when_a_full_queue_has_room_again(self):
        # Thirty times what may wait in the queue.
        self.kafka.create_topic("shop.public.notes", 1)
        text = "x" * 8000
        self.kafka.produce("shop.public.notes", ((json.dumps({"id": number}), envelope("notes", {"id": number, "v": text}, lsn=number + 1))
                                                 for number in range(2000)), properties={"compression.codec": "lz4"})
        debug = '"debug" = "fetch,queue"\n[runtime]\nlog_level = "debug"\n'
        for brokers, properties in ((self.kafka.brokers, "[sources.events.librdkafka]\n"),
                                    (f"127.0.0.1:{self.kafka.secured_port}", self.secured("admin", "admin-secret"))):
            result = self.run_with(brokers, '"shop.public.notes"', 'queue_memory = "1MiB"\n' + properties + debug)
            self.assertEqual(result.exit_code, 0, result.log[-3000:])
            self.assertIn("2,000 messages", result.log)
            self.assertNotIn("admin-secret", result.log)
            # Where librdkafka cannot look again by itself, each time but the last is by somebody who wakes it: none is left to its tick.
            stopped = result.log.count("queued.max.messages.kbytes exceeded")
            woken = result.log.count("Wake-up sent to")
            looked_again = result.log.count("Fetch backoff for")
            self.assertGreater(stopped, 5)
            self.assertGreaterEqual(woken + looked_again, stopped - 1)
