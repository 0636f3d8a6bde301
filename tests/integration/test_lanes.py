"""More topics than one client of librdkafka fetches: everything else holds as it does with few. Tests of other modules, whose topics are shared
out among several clients here, and what is theirs alone."""

import json
import os
import re
import signal
import unittest

from integration import program, test_live, test_processes, test_topics_made_again
from lab.process import wait_until


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def setUpModule():
    test_live.setUpModule()
    test_processes.Processes.servers = test_processes.Servers(test_processes.EVENTS // 2, test_processes.SEED + 1)


def tearDownModule():
    test_processes.tearDownModule()
    test_live.tearDownModule()


class Processes(test_processes.Processes):
    topics_per_client = 2
    # Left to their own module: they are about membership alone.
    test_a_member_that_the_broker_takes_for_another_process_joins_once_more_and_two_of_one_name_do_not_both_go_on = None
    test_a_process_that_comes_back_with_other_topics_reads_those = None


class MadeAgain(test_topics_made_again.MadeAgain):
    topics_per_client = 0
    # Left to their own module: nothing is read while it happens.
    test_what_a_paused_table_missed_is_not_read_from_another_log = test_a_crash_does_not_hide_it = None
    test_a_broker_that_comes_back_empty_is_noticed = test_what_retention_deleted_proves_nothing = None


class Unpacked(test_live.Unpacked):
    topics_per_client = 0


class Lanes(test_live.LiveCase):
    topics_per_client = 2

    def begin(self, tables):
        self.tables, self.prefix = tables, self.topic
        for table in tables:
            self.kafka.create_topic(f"{self.prefix}.{table}", 2)
        self.write_manifest(topics=self.prefix + ".*", source='"topic.metadata.refresh.interval.ms" = 500\n"metadata.max.age.ms" = 500')

    def send_to(self, table, numbers, **more):
        self.topic = f"{self.prefix}.{table}"
        for partition in range(2):
            self.send([number for number in numbers if number % 2 == partition], partition, table, **more)

    def test_topics_that_appear_are_read_when_they_become_more_than_one_client_takes(self):
        self.begin(["a"])
        self.send_to("a", range(10))
        self.start()
        self.settle(list(range(10)), "a")
        for count, table in enumerate("bcdefg", 2):
            self.kafka.create_topic(f"{self.prefix}.{table}", 2)
            self.tables.append(table)
            self.send_to(table, range(10))
            for known in self.tables:
                self.send_to(known, range(10 * count, 10 * count + 10))
            self.settle([*range(10), *range(10 * count, 10 * count + 10)], table)
        self.settle([number for count in range(8) if count != 1 for number in range(10 * count, 10 * count + 10)], "a")
        self.assertIn("further clients fetch the topics", self.log_text())
        self.assertEqual(self.stop(), 0)

    def test_a_large_message_holds_its_client_and_the_others_go_on(self):
        self.begin(list("abcdef"))
        for number in range(3):
            for table in self.tables:
                large = table in "ad"
                self.send_to(table, [2 * number], value="x" * (9 << 20) if large else "v", properties={"message.max.bytes": "104857600"} if large else None)
                self.send_to(table, [2 * number + 1])
        self.start()
        for table in self.tables:
            self.settle(list(range(6)), table)
        self.assertEqual([row[0] for row in self.sql("select length(v) from a order by id")], [9 << 20, 1] * 3)
        self.assertEqual(self.stop(), 0)

    def test_a_run_to_the_end_reads_all_topics_and_a_second_one_nothing(self):
        self.begin([f"t{number}" for number in range(9)])
        for table in self.tables:
            self.send_to(table, range(6))
        self.to_end()
        for table in self.tables:
            self.assertEqual(self.ids(table), list(range(6)))
        self.assertRegex(self.to_end(), r"(?m)^0 messages")

    def test_what_retention_deleted_before_it_was_read_is_told(self):
        self.begin(["a", "b", "c"])
        for table in self.tables:
            self.send_to(table, range(6))
        self.to_end()
        self.send_to("b", range(6, 12))
        self.kafka.delete_records(f"{self.prefix}.b", {0: -1, 1: -1})
        self.assertIn("deleted by retention", self.to_end(expect=1))

    def test_the_group_is_told_how_far_all_partitions_are(self):
        self.begin([f"t{number}" for number in range(7)])
        for table in self.tables:
            self.send_to(table, range(6))
        self.start()
        for table in self.tables:
            self.settle(list(range(6)), table)
        everything = {(f"{self.prefix}.{table}", partition): 3 for table in self.tables for partition in range(2)}
        with open(self.manifest, encoding="utf-8") as file:
            group = json.loads(next(line for line in file if line.startswith("name = ")).partition("= ")[2])
        wait_until(lambda: self.kafka.admin.committed(group) == everything, 30, lambda: str(self.kafka.admin.committed(group)))

    def start_another(self, name):
        """A second process of the pipeline; its output is log(name)."""
        log = os.path.join(self.folder, name)
        other = program.start(["--manifest", self.manifest, "--set", f'dead_letters.path="{name}.jsonl"'], {}, log)

        def end():
            if other.poll() is None:
                other.kill()
            other.wait()

        self.addCleanup(end)
        return other, log

    def test_large_messages_that_hold_clients_while_partitions_come_and_go_lose_nothing(self):
        self.begin(list("abcdef"))
        self.start()
        self.send_large_and_small(range(4))
        other, log = self.start_another("other")
        wait_until(lambda: "assigned " in text_of(log), 60, lambda: text_of(log) + self.log_text()[-3000:])
        self.send_large_and_small(range(4, 8))
        other.send_signal(signal.SIGTERM)
        self.assertEqual(other.wait(60), 0, text_of(log)[-3000:])
        for table in self.tables:
            self.settle(list(range(8)), table)
        self.assertEqual(self.stop(), 0)

    def send_large_and_small(self, numbers):
        for table in self.tables:
            large = table in "ad"
            self.send_to(table, numbers, value="x" * (9 << 20) if large else "v", properties={"message.max.bytes": "104857600"} if large else None)

    def test_a_broker_that_goes_away_and_comes_back_is_read_on_by_every_client(self):
        self.begin(list("abcdef"))
        for table in self.tables:
            self.send_to(table, range(4))
        self.start()
        for table in self.tables:
            self.settle(list(range(4)), table)
        self.kafka.restart(gently=False)
        for table in self.tables:
            self.send_to(table, range(4, 8))
        for table in self.tables:
            self.settle(list(range(8)), table)
        self.assertEqual(self.stop(), 0)

    def test_a_topic_that_was_empty_when_it_was_deleted_is_read_when_it_is_made_again(self):
        self.begin(list("abcde"))
        for table in "abde":
            self.send_to(table, range(4))
        self.start()
        for table in "abde":
            self.settle(list(range(4)), table)
        self.kafka.delete_topic(f"{self.prefix}.c")
        self.wait_for_log(f"the topic was deleted) {self.prefix}.c[0]")
        self.kafka.create_topic(f"{self.prefix}.c", 2)
        self.send_to("c", range(4))
        self.settle(list(range(4)), "c")
        for table in "abde":
            self.send_to(table, range(4, 8))
            self.settle(list(range(8)), table)
        self.assertEqual(self.stop(), 0)

    def test_doctor_expects_at_least_the_files_that_a_run_opens(self):
        self.begin([f"t{number}" for number in range(40)])
        told = re.search(r"this pipeline opens up to about (\d+)", self.command("doctor"))
        for table in self.tables:
            self.send_to(table, range(2))
        self.start()
        for table in self.tables:
            self.settle(list(range(2)), table)
        opened = len(os.listdir(f"/proc/{self.running.pid}/fd"))
        self.assertLessEqual(opened, int(told[1]))
        self.assertGreater(opened, int(told[1]) / 4, "it frightens those who have files enough")
        self.assertEqual(self.stop(), 0)

    def test_partitions_that_are_added_to_a_topic_are_read(self):
        self.begin(list("abc"))
        for table in self.tables:
            self.send_to(table, range(4))
        self.start()
        for table in self.tables:
            self.settle(list(range(4)), table)
        self.kafka.add_partitions(f"{self.prefix}.b", 4)
        self.topic = f"{self.prefix}.b"
        for partition in (2, 3):
            self.send([2 + partition], partition, "b")
        self.settle(list(range(6)), "b")
        self.assertEqual(self.stop(), 0)


if __name__ == "__main__":
    unittest.main()
