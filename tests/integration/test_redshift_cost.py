"""What a Redshift is asked: statements and commits are counted, by budgets that docs/redshift.md shows; nothing here waits."""

import math
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import redshift_cost, redshift_target  # noqa: E402
from integration.redshift_cost import Pipeline  # noqa: E402
from lab.process import Case  # noqa: E402

# Statements (COMMIT not counted), those that read a catalog, and commits of a run by one connection. Everything is there before it starts and
# is due when it ends, so that the tables share one transaction of each kind, however fast the machine is.
EXPECTED = {
    1: {"first start": (95, 7, 9), "restart": (38, 2, 3), "trickle": (59, 4, 6), "backlog": (61, 4, 6)},
    40: {"first start": (252, 7, 10), "restart": (39, 2, 3), "trickle": (60, 4, 6), "backlog": (258, 4, 6)},
}
# What one more look of the run at its watermarks takes, 30 s after the last, on a machine that is so slow.
SPARE = (10, 0, 2)
# Of the table in the documentation, by four connections: for each run, each table and each fifty of them.
DOCUMENTED = {
    "first start": ((110, 4.1, 30), (12, 0, 3), (14, 0, 5)),
    "restart": ((45, 0.01, 0), (4, 0, 0), (5, 0, 0)),
    "trickle": ((65, 0.01, 0), (6, 0, 0), (8, 0, 0)),
    "backlog": ((80, 5.1, 30), (8, 0, 3), (10, 0, 3)),
}


def tearDownModule():
    redshift_target.stop()


class Cost(Case):
    def pipeline(self, tables):
        pipeline = Pipeline(tables)
        self.addCleanup(pipeline.close)
        return pipeline

    def test_starts_and_batches_keep_their_budgets_whatever_the_number_of_tables(self):
        for tables, phases in EXPECTED.items():
            measured = self.pipeline(tables).phases("sinks.target.connections=1")
            for phase, expected in phases.items():
                cost = measured[phase]
                found = (cost["statements"], cost["catalog"], cost["commits"])
                for count, most, spare in zip(found, expected, SPARE):
                    self.assertLessEqual(count, most + spare, f"{phase} of {tables} table(s): {found}, expected {expected}")

    def test_the_figures_of_the_documentation_keep_theirs_too(self):
        rows = redshift_cost.written()
        self.assertEqual(set(rows), {(tables, phase) for tables in (1, 50, 1000) for phase in redshift_cost.PHASES})
        for (tables, phase), counts in rows.items():
            for count, (fixed, each, of_fifty) in zip(counts, DOCUMENTED[phase]):
                self.assertLessEqual(count, fixed + each * tables + of_fifty * math.ceil(tables / 50), f"{phase} of {tables} table(s)")

    def test_the_first_rows_of_a_new_table_replace_nothing(self):
        pipeline = self.pipeline(3)
        pipeline.change(0, 2)
        pipeline.run("sinks.target.connections=1")
        texts = [each["text"] for each in pipeline.target.front.statements()]
        self.assertEqual([text for text in texts if text.startswith('DELETE FROM "public"')], [])
        pipeline.change(1, 2)
        pipeline.run("sinks.target.connections=1")
        texts = [each["text"] for each in pipeline.target.front.statements()]
        self.assertEqual(len([text for text in texts if text.startswith('DELETE FROM "public"')]), 3)
        self.assertEqual(pipeline.target.front.query("select count(*), count(distinct id) from t2"), [["3", "3"]])

    def test_many_first_rows_of_a_new_table_go_straight_into_it(self):
        for tables in (1, 2):
            with self.subTest(tables=tables):
                pipeline = self.pipeline(tables)
                pipeline.change(0, 100)
                pipeline.run("sinks.target.connections=1")
                texts = [each["text"] for each in pipeline.target.front.statements()]
                self.assertEqual(len([text for text in texts if text.startswith('COPY "public"."t')]), tables)
                self.assertEqual([text for text in texts if "cdcrt_stage" in text or text.startswith('DELETE FROM "public"')], [])
                pipeline.change(50, 100)
                pipeline.run("sinks.target.connections=1")
                self.assertEqual(pipeline.target.front.query("select count(*), count(distinct id) from t0"), [["150", "150"]])

    def test_a_restart_with_nothing_new_stores_no_watermark_again(self):
        pipeline = self.pipeline(2)
        pipeline.change(0, 1)
        pipeline.run()
        pipeline.run()
        self.assertEqual([each["text"] for each in pipeline.target.front.statements() if re.match(r'(UPDATE|INSERT INTO|DELETE FROM) "cdcrt"."watermarks"', each["text"])], [])

    def batch(self, pipeline, first, count):
        """The texts of the last transaction of a run that writes table t0 several times."""
        for _ in range(4):
            pipeline.change(first, count)
        pipeline.run("sinks.target.connections=1", "runtime.decode_workers=1", f"sinks.target.batch.max_rows={count}")
        texts = [each["text"] for each in pipeline.target.front.statements()]
        writes = max(number for number, text in enumerate(texts) if text.startswith('INSERT INTO "public"."t0"'))
        begin = max(number for number, text in enumerate(texts) if text == "BEGIN" and number < writes)
        return texts[begin:texts.index("COMMIT", begin) + 1]

    def test_a_batch_of_one_table_is_a_few_statements_and_one_commit(self):
        pipeline = self.pipeline(1)
        for count in (3, 100):  # as constants, and through S3
            with self.subTest(rows=count):
                texts = self.batch(pipeline, 0, count)
                self.assertLessEqual(len(texts), 9, texts)
                self.assertEqual(texts.count("COMMIT"), 1)
                # The columns are looked at once the old rows are deleted.
                self.assertEqual([text for text in texts if "information_schema" in text], [texts[-2]], texts)

    def test_what_is_staged_is_neither_analyzed_nor_told_of(self):
        pipeline = self.pipeline(1)
        pipeline.change(0, 100)
        pipeline.run()
        pipeline.change(0, 100)
        pipeline.run()
        texts = [each["text"] for each in pipeline.target.front.statements()]
        copies = [text for text in texts if text.startswith('COPY "cdcrt_stage')]
        self.assertTrue(copies)
        for text in copies:
            self.assertIn("COMPUPDATE OFF STATUPDATE OFF", text)

    def test_tables_of_progress_are_small_and_on_every_node(self):
        pipeline = self.pipeline(2)
        pipeline.change(0, 1)
        pipeline.run()
        made = [each["text"] for each in pipeline.target.front.statements() if re.match(r'CREATE TABLE IF NOT EXISTS "cdcrt"\."progress_[0-9a-f]{16}"', each["text"])]
        self.assertEqual(len(made), 2)
        for text in made:
            self.assertIn('"topic" VARCHAR(512) NOT NULL', text)
            self.assertTrue(text.endswith("DISTSTYLE ALL"), text)
