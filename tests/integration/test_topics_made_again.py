"""Topics that are deleted and made again while they are read, brokers that come back empty, retention that only looks like it."""

import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.test_live import LiveCase, setUpModule, tearDownModule  # noqa: E402, F401
from lab.process import wait_until  # noqa: E402


class MadeAgain(LiveCase):
    """A topic that is deleted and made again while the program runs."""

    def remake(self, count, partitions=2):
        self.kafka.delete_topic(self.topic)
        self.kafka.create_topic(self.topic, partitions)
        for partition in range(2):
            self.send(range(1000 + 100 * partition, 1000 + 100 * partition + count), partition)

    def read_five(self):
        self.kafka.create_topic(self.topic, 2)
        for partition in range(2):
            self.send(range(100 * partition, 100 * partition + 5), partition)
        self.start()
        self.settle(self.BEFORE)
        # What the last message was is stored with the low watermark, a moment after the rows.
        wait_until(lambda: self.sql("select count(*) from cdcrt_watermarks where last_offset >= 0")[0][0] == 2, 30, self.log_text)

    BEFORE = [*range(5), *range(100, 105)]

    def is_noticed(self, applied=None):
        code = self.ended()
        self.assertEqual(code, 1, self.log_text()[-3000:])
        self.assertIn("deleted and made again", self.log_text())
        self.assertIn(f"progress rewind --topic {self.topic} --to earliest", self.log_text())
        self.assertEqual(self.ids(), self.BEFORE if applied is None else applied)
        # As after any restart.
        self.assertIn("deleted and made again", self.to_end(expect=1))

    def leads_on(self, count):
        self.command("progress", "rewind", "--topic", self.topic, "--to", "earliest", "--empty")
        self.to_end()
        self.assertEqual(self.ids(), [*range(1000, 1000 + count), *range(1100, 1100 + count)])

    def test_a_log_that_is_empty_for_a_while_is_noticed(self):
        self.read_five()
        self.remake(8)
        self.is_noticed()
        self.leads_on(8)

    def test_a_longer_log_is_noticed_before_anything_of_it_is_applied(self):
        # Frozen, the client misses all that a broker would tell it.
        self.read_five()
        self.running.send_signal(signal.SIGSTOP)
        self.remake(9)
        self.running.send_signal(signal.SIGCONT)
        self.is_noticed()
        self.leads_on(9)

    def test_a_log_of_the_same_length_is_noticed_although_nothing_comes(self):
        self.read_five()
        self.running.send_signal(signal.SIGSTOP)
        self.remake(5)
        self.running.send_signal(signal.SIGCONT)
        self.is_noticed()

    def test_a_shorter_log_is_noticed(self):
        self.read_five()
        self.running.send_signal(signal.SIGSTOP)
        self.remake(3)
        self.running.send_signal(signal.SIGCONT)
        self.is_noticed()

    def test_what_a_paused_table_missed_is_not_read_from_another_log(self):
        self.read_five()
        self.command("table", "pause", "good")
        for partition in range(2):
            self.send(range(50 + 100 * partition, 53 + 100 * partition), partition)
        self.send([1], table="other")
        self.settle([1], "other")
        self.running.send_signal(signal.SIGSTOP)
        self.command("table", "resume", "good")
        self.remake(12)
        self.running.send_signal(signal.SIGCONT)
        self.is_noticed()

    def test_a_crash_does_not_hide_it(self):
        self.read_five()
        wait_until(lambda: self.sql("select count(*) from cdcrt_watermarks where last_offset = 4") == [(2,)], 20, "no hash is stored", poll=0.1)
        self.running.send_signal(signal.SIGSTOP)
        self.remake(9)
        self.running.send_signal(signal.SIGKILL)
        self.running.wait()
        self.assertIn("deleted and made again", self.to_end(expect=1))

    def test_a_broker_that_comes_back_empty_is_noticed(self):
        self.read_five()
        self.kafka.halt()
        self.kafka.wipe()
        self.kafka.start()
        self.kafka.create_topic(self.topic, 2)
        for partition in range(2):
            self.send(range(1000 + 100 * partition, 1009 + 100 * partition), partition)
        self.is_noticed()
        self.leads_on(9)

    def test_what_retention_deleted_proves_nothing(self):
        self.read_five()
        self.kafka.delete_records(self.topic, {0: -1, 1: -1})
        time.sleep(1.5)
        self.send(range(5, 8))
        self.settle([*range(8), *range(100, 105)])
        time.sleep(1.5)
        self.send(range(8, 10))
        self.settle([*range(10), *range(100, 105)])
        self.assertEqual(self.stop(), 0, self.log_text()[-3000:])
        self.to_end()


if __name__ == "__main__":
    unittest.main()
