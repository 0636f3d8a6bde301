"""The program into the test Redshift: what comes out equals the source, whatever fails on the way, and nothing is left in S3."""

import os
import random
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program, redshift_target  # noqa: E402
from integration.messages import envelope  # noqa: E402
from integration.redshift_target import LinesCase  # noqa: E402
from lab.process import wait_until  # noqa: E402
from lab.s3_faults import S3Faults  # noqa: E402

KILLS = int(os.environ.get("CDCRT_TEST_KILLS", "5"))
SEED = int(os.environ.get("CDCRT_TEST_SEED", str(time.time_ns() % 1_000_000)))


def tearDownModule():
    redshift_target.stop()


class RealEvents(LinesCase):
    def prepare(self, name):
        """What the program keeps in the target is there: faults of the start are not what is looked at."""
        done = program.run(program.real_events(name, self.target, self.folder, 'sources.events.topics=["none"]'), self.target.environment, self.folder)
        self.assertEqual(done.exit_code, 0, done.log[-3000:])

    def check(self, name, *settings, faults=False):
        expected = redshift_target.captured(name, self.folder)
        done = program.run(program.real_events(name, self.target, self.folder, *settings), self.target.environment, self.folder)
        self.assertEqual(done.exit_code, 4, done.log[-3000:])
        self.assertEqual([(dead_letter["table"], dead_letter["offset"]) for dead_letter in self.dead_letters()], list(redshift_target.CAPTURED_DEAD_LETTERS),
                         [dead_letter["message"] for dead_letter in self.dead_letters()])
        self.same(expected)
        self.front.clear_faults()
        # Once more: everything was applied, nothing is applied again.
        done = program.run(program.real_events(name, self.target, self.folder, *settings), self.target.environment, self.folder)
        self.assertEqual(done.exit_code, 0, done.log[-3000:])
        self.same(expected)
        if not faults:
            self.clean()

    def test_with_schemas(self):
        self.check("debezium-postgres")

    def test_without_schemas(self):
        self.check("debezium-postgres-noschema")

    def test_with_every_row_through_copy(self):
        self.check("debezium-postgres", "sinks.target.copy_from_rows=0", "sinks.target.batch.max_rows=100")

    def test_with_a_serialization_conflict_at_every_third_commit(self):
        self.prepare("debezium-postgres")
        self.front.fault("1023", at="commit", every=3)
        self.check("debezium-postgres", "sinks.target.batch.max_rows=100", faults=True)
        self.clean()

    def test_with_the_answer_of_every_fourth_commit_lost(self):
        self.prepare("debezium-postgres")
        self.front.fault("lost_after", at="commit", every=4, times=8)
        self.check("debezium-postgres", "sinks.target.batch.max_rows=100", faults=True)
        self.clean()

    def test_with_connections_lost_before_commits(self):
        self.prepare("debezium-postgres")
        self.front.fault("lost_before", at="commit", every=4, times=8)
        self.check("debezium-postgres", "sinks.target.batch.max_rows=100", faults=True)
        self.clean()

    def test_killed_at_random_moments(self):
        expected = redshift_target.captured("debezium-postgres", self.folder)
        chance = random.Random(SEED)
        arguments = program.real_events("debezium-postgres", self.target, self.folder, "sinks.target.batch.max_rows=100", "sinks.target.copy_from_rows=10")
        kills, code = 0, None
        while code is None:
            process = program.start(arguments, self.target.environment, os.path.join(self.folder, "log"))
            try:
                code = process.wait(chance.uniform(0.5, 6) if kills < KILLS else 300)
            except subprocess.TimeoutExpired:
                kills += 1
            finally:
                process.kill()
                process.wait()
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            self.assertIn(code, (0, 4), f"seed {SEED}: " + file.read()[-3000:])
        self.assertEqual({(dead_letter["table"], dead_letter["offset"]) for dead_letter in self.dead_letters()}, redshift_target.CAPTURED_DEAD_LETTERS, f"seed {SEED}")
        self.same(expected)
        self.clean()


class Values(LinesCase):
    def test_a_text_widens_its_column_by_need(self):
        for size in (10, 300, 5000, 65535):
            self.lines.row("good", {"id": size, "v": "é" * (size // 2) + "x" * (size % 2)})
        self.apply("sinks.target.varchar=256", "sinks.target.batch.max_rows=1")
        self.assertEqual(self.front.query("select max(octet_length(v)), count(*) from good"), [["65535", "4"]])
        self.assertEqual(self.front.query("select character_maximum_length from information_schema.columns where table_name = 'good' and column_name = 'v'"), [["65535"]])
        self.assertEqual(self.dead_letters(), [])
        self.clean()

    def test_a_text_that_no_column_holds_is_a_dead_letter_and_the_rest_goes_in(self):
        self.lines.row("good", {"id": 100, "v": "x" * 65536})
        self.lines.good(3)
        self.apply(exit_code=4)
        dead_letters = self.dead_letters()
        self.assertEqual([dead_letter["offset"] for dead_letter in dead_letters], [0])
        self.assertIn("65536 bytes", dead_letters[0]["message"])
        self.assertEqual(self.front.query("select count(*) from good"), [["3"]])
        self.clean()

    def test_a_column_of_somebody_else_that_is_too_short_makes_dead_letters(self):
        self.front.sql("create table good (id bigint, v varchar(6))")
        self.target.tables().psql("create role other; alter table public.good owner to other; grant all on public.good to loader")
        self.lines.row("good", {"id": 100, "v": "longer than that"})
        self.lines.good(3)
        self.apply(exit_code=4)
        self.assertEqual([dead_letter["offset"] for dead_letter in self.dead_letters()], [0])
        self.assertEqual(self.front.query("select id, v from good order by id"), [["1", "row 1"], ["2", "row 2"], ["3", "row 3"]])

    def test_rows_that_copy_refuses_are_found_and_the_rest_goes_in(self):
        self.front.sql("create table good (id bigint, v super)")
        for number in range(200):
            self.lines.row("good", {"id": number, "v": "s" * (70000 if number in (50, 150) else 10)})
        self.apply(exit_code=4)
        dead_letters = self.dead_letters()
        self.assertEqual(sorted(dead_letter["offset"] for dead_letter in dead_letters), [50, 150])
        self.assertEqual(self.front.query("select count(*) from good"), [["198"]])
        self.clean()

    def test_a_changed_type_converts_the_rows_that_exist(self):
        self.lines.row("good", {"id": 1, "v": 5, "w": True})
        self.lines.row("good", {"id": 2, "v": 1.25, "w": "yes"})
        self.apply("sinks.target.batch.max_rows=1")
        self.assertEqual(self.front.query("select id, v, w from good order by id"), [["1", "5", "true"], ["2", "1.25", "yes"]])
        self.clean()

    def test_tables_made_by_hand_are_taken_as_they_are(self):
        self.front.sql("create table good (id varchar(65535), v varchar(65535), own varchar(20) default 'mine')")
        self.lines.good(3)
        self.lines.message(envelope("good", {"id": 2, "v": "new"}, "u", lsn=900), '{"id": 2}')
        self.apply("sinks.target.batch.max_rows=1")
        self.assertEqual(self.front.query("select id, v, own from good order by id"), [["1", "row 1", "mine"], ["2", "new", "mine"], ["3", "row 3", "mine"]])
        self.clean()

    def without_key(self, *settings):
        def change(operation, before=None, after=None):
            self.lines.message(envelope("good", after, operation, before, lsn=100 + self.lines.offset))
        same = {"a": 1, "b": None, "c": "x", "d": 1.5}
        other = {"a": None, "b": "y", "c": "", "d": None}
        for _ in range(3):
            change("c", after=same)
        change("c", after=other)
        change("c", after={**same, "b": ""})
        change("d", before=same)
        change("u", before=other, after={**other, "a": 7})
        change("d", before={**same, "a": 2})  # never was
        self.apply("sinks.target.batch.max_rows=1", *settings, exit_code=4)
        self.assertEqual(self.front.query("select a, b, c, d from good order by a, b"),
                         [["1", "", "x", "1.5"], ["1", None, "x", "1.5"], ["1", None, "x", "1.5"], ["7", "y", "", None]])
        self.assertEqual([(dead_letter["offset"], dead_letter["reason"]) for dead_letter in self.dead_letters()], [(7, "row_missing")])
        self.clean()

    def test_without_a_key_exactly_one_copy_goes_and_null_equals_null(self):
        self.without_key()

    def test_without_a_key_the_same_through_copy(self):
        self.without_key("sinks.target.copy_from_rows=0")

    def test_without_staging_rows_travel_inside_of_statements(self):
        with open(self.target.overlay, encoding="utf-8") as file:
            kept = [line for line in file if not line.startswith("staging.")]
        with open(self.target.overlay, "w", encoding="utf-8") as file:
            file.writelines(kept)
        self.lines.good(300)
        self.apply()
        self.assertEqual(self.front.query("select count(*), count(distinct v) from good"), [["300", "300"]])
        self.assertFalse([each for each in self.front.statements() if each["text"].startswith("COPY")])
        self.clean()

    def test_a_type_change_of_the_distribution_key_is_refused_with_what_to_run(self):
        self.lines.row("good", {"id": 1, "v": 7})
        self.lines.row("good", {"id": 2, "v": "not a number"})
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        texts = ["is its DISTKEY", "ALTER DISTSTYLE EVEN"]
        routes = '[routes.all]\nmatch = ["*"]\nlayout = { distkey = "v" }\n'
        _, log = redshift_target.run_until(self.folder, self.target, self.sources + routes, texts, "sinks.target.batch.max_rows=1")
        for text in texts:
            self.assertIn(text, log)

    def test_a_distribution_key_that_was_there_keeps_its_type_and_refuses_what_does_not_fit(self):
        self.front.sql("create table good (id integer, v integer) diststyle key distkey(v)")
        self.lines.row("good", {"id": 1, "v": "not a number"})
        self.lines.row("good", {"id": 2, "v": "7"})
        self.apply(exit_code=4)
        self.assertEqual([dead_letter["offset"] for dead_letter in self.dead_letters()], [0])
        self.assertEqual(self.front.query("select id, v from good"), [["2", "7"]])
        self.clean()

    def test_names_that_redshift_reserves_or_folds_are_only_names(self):
        for number in (1, 2):
            self.lines.row("Order", {"id": number, "Tag": "a", "offset": "b", "Group By": "c\\'d"})
        self.apply("sinks.target.batch.max_rows=1")
        self.assertEqual(self.front.query('select id, "tag", "offset", "group by" from "order" order by id'), [["1", "a", "b", "c\\'d"], ["2", "a", "b", "c\\'d"]])
        self.clean()

    def test_columns_that_differ_in_case_only_stop_their_table_with_the_reason(self):
        self.lines.row("good", {"id": 1, "Name": "a", "NAME": "b"})
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        code, log = redshift_target.run_until(self.folder, self.target, self.sources, ["are one column in the target"])
        self.assertNotIn(code, (0, 4))
        self.assertIn("are one column in the target", log)
        self.assertIn("rename", log)


class Staging(LinesCase):
    ROWS = 120

    def setUp(self):
        super().setUp()
        self.lines.good(self.ROWS)
        self.faults = S3Faults(self.target.s3)
        self.addCleanup(self.faults.stop)
        with open(self.target.overlay, "w", encoding="utf-8") as file:
            file.write(self.target.manifest(endpoint=self.faults.endpoint))

    def complete(self):
        self.assertEqual(self.front.query("select count(*), count(distinct id), min(id), max(id) from good"), [[str(self.ROWS)] * 2 + ["1", str(self.ROWS)]])
        self.assertEqual(self.dead_letters(), [])
        self.clean()

    def check(self):
        self.apply("sinks.target.copy_from_rows=0", "sinks.target.batch.max_rows=10")
        self.assertGreater(self.faults.hits(), 0)
        self.complete()

    def test_errors_of_the_service_and_cut_connections_are_tried_again(self):
        for kind, every in (("500", 5), ("503", 7), ("cut_upload", 11), ("cut_answer", 13)):
            self.faults.fault(kind, every=every)
        self.check()

    def test_a_grant_that_is_taken_back_is_waited_for(self):
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        self.faults.fault("403", method="PUT", match=r"/([2-9]|\d\d+)\.", every=1)
        arguments = redshift_target.arguments_of(self.folder, self.target, self.sources, "sinks.target.copy_from_rows=1")
        log = os.path.join(self.folder, "log")
        process = program.start(arguments, self.target.environment, log)
        try:
            end = time.monotonic() + 30
            while self.faults.hits() < 2 and time.monotonic() < end:
                time.sleep(0.1)
            self.assertGreater(self.faults.hits(), 1)
            self.assertIsNone(process.poll())
            self.faults.clear()
            self.assertEqual(process.wait(120), 0)
        finally:
            process.kill()
            process.wait()
        with open(log, encoding="utf-8") as file:
            self.assertIn("s3:PutObject", file.read())
        self.complete()

    def stopped_while(self, hits):
        """The exit code and the log of a run that is told to stop while something outside hangs."""
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        arguments = redshift_target.arguments_of(self.folder, self.target, self.sources, "sinks.target.copy_from_rows=1", "runtime.shutdown_timeout=1s")
        log = os.path.join(self.folder, "log")
        process = program.start(arguments, self.target.environment, log)
        try:
            wait_until(hits, 60, "nothing hangs")
            process.terminate()
            code = process.wait(60)
        finally:
            process.kill()
            process.wait()
        with open(log, encoding="utf-8") as file:
            return code, file.read()

    def test_a_stop_does_not_wait_for_a_storage_service_that_hangs(self):
        self.faults.fault("hang", method="PUT", match=r"/([2-9]|\d\d+)\.", every=1)
        code, log = self.stopped_while(self.faults.hits)
        self.assertEqual(code, 1, log)
        self.assertIn("shutdown_timeout passed", log)

    def test_a_stop_does_not_wait_for_a_statement_that_hangs(self):
        self.front.fault("slow", at="copy", match='"id"', seconds=90)
        code, log = self.stopped_while(lambda: any(fault["hit"] for fault in self.front.faults()))
        self.assertEqual(code, 1, log)
        self.assertIn("the process ends now", log)

    def test_what_a_killed_process_left_is_removed_by_the_next_one_and_nothing_else_is(self):
        self.target.s3.put(self.target.prefix + "shop/somebody-elses", b"x")
        self.target.s3.put(self.target.prefix + "other/process/1.0.csv.gz", b"x")
        mine = self.target.files()
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        arguments = redshift_target.arguments_of(self.folder, self.target, self.sources, "sinks.target.copy_from_rows=1")
        self.front.fault("slow", at="copy", match='"id"', seconds=8)
        process = program.start(arguments, self.target.environment, os.path.join(self.folder, "log"))
        try:
            end = time.monotonic() + 30
            while not any(fault["hit"] for fault in self.front.faults()) and time.monotonic() < end:
                time.sleep(0.1)
        finally:
            process.kill()
            process.wait()
        self.assertGreater(len(self.target.files()), len(mine))
        self.front.clear_faults()
        self.front.cut()
        self.apply("sinks.target.copy_from_rows=1")
        self.assertEqual(self.target.files(), mine)
        self.assertEqual(self.front.query("select count(*) from good"), [[str(self.ROWS)]])

    def test_an_upload_that_a_killed_process_had_begun_is_aborted_by_the_next_one(self):
        for number in range(150):
            self.lines.row("good", {"id": 1000 + number, "v": "x" * 60000})
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        # All rows in one file of several parts, however slowly they come.
        settings = ("sinks.target.staging.compression=none", "sinks.target.staging.part_size=5242880", "sinks.target.staging.files=1",
                    "sinks.target.batch.max_age=5s")
        self.faults.fault("stall_upload", method="PUT", match="partNumber=2")
        arguments = redshift_target.arguments_of(self.folder, self.target, self.sources, *settings)
        process = program.start(arguments, self.target.environment, os.path.join(self.folder, "log"))
        try:
            wait_until(self.faults.hits, 60, "no second part was sent")
        finally:
            process.kill()
            process.wait()
        self.assertEqual(len(self.target.s3.uploads()), 1)
        self.faults.clear()
        self.front.cut()
        self.apply(*settings)
        self.assertEqual(self.front.query("select count(*), count(distinct id), max(len(v)) from good"), [[str(self.ROWS + 150)] * 2 + ["60000"]])
        self.assertEqual(self.dead_letters(), [])
        self.clean()


class Settings(LinesCase):
    """Each mistake is one clear error before the first row."""

    def refused(self, *expected, **overlay):
        with open(self.target.overlay, "w", encoding="utf-8") as file:
            file.write(self.target.manifest(**overlay))
        self.lines.good(1)
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        code, log = redshift_target.run_until(self.folder, self.target, self.sources, expected)
        self.assertNotIn(code, (0, 4), log)
        for text in expected:
            self.assertIn(text, log)
        self.assertNotIn(self.target.s3.secret_key, log)
        self.assertNotIn(self.front.password, log)

    def test_a_bucket_that_is_not_there_is_told(self):
        self.refused("nowhere", url="s3://nowhere/x/")

    def test_a_key_that_is_wrong_is_told(self):
        self.refused("s3:PutObject", key="unknown")

    def test_a_role_that_is_not_attached_is_told(self):
        self.refused("staging.iam_role", role="arn:aws:iam::123456789012:role/stranger")

    def test_a_role_that_may_not_read_the_bucket_is_told(self):
        self.front.fault("denied", at="copy", every=1)
        self.refused("s3:GetObject", "s3:ListBucket", role=self.front.role)

    def test_a_role_that_is_attached_is_enough(self):
        with open(self.target.overlay, "w", encoding="utf-8") as file:
            file.write(self.target.manifest(role=self.front.role))
        self.lines.good(100)
        self.apply()
        self.assertEqual(self.front.query("select count(*) from good"), [["100"]])
        self.clean()

    def test_a_password_that_is_wrong_is_told(self):
        self.target.environment["CDCRT_TEST_PASSWORD"] = "guess"
        self.refused("check UID and PWD")

    def test_a_region_that_is_not_the_buckets_is_told(self):
        self.refused("region", region="us-east-1")

    def test_a_user_without_the_right_to_create_is_told(self):
        self.target.environment["CDCRT_TEST_PASSWORD"] = self.front.users["narrow"]
        self.refused("GRANT", user="narrow")

    def test_keys_that_may_write_but_not_delete_are_told(self):
        faults = S3Faults(self.target.s3)
        self.addCleanup(faults.stop)
        faults.fault("403", method="POST", every=1)
        self.refused("s3:DeleteObject", endpoint=faults.endpoint)

    def test_a_view_in_the_place_of_a_table_is_told(self):
        self.front.sql("create table base (id bigint, v varchar(10)); create view good as select * from base")
        self.refused("is a view")


if __name__ == "__main__":
    unittest.main()
