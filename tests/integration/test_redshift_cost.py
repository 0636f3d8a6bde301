"""What a Redshift is asked: statements and commits are counted, by budgets that docs/redshift.md shows; nothing here waits."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import redshift_cost, redshift_target  # noqa: E402
from integration.redshift_cost import Pipeline  # noqa: E402
from lab.process import Case  # noqa: E402

# Statements of a run, COMMIT not counted: so many, and so many more for each table. How many tables share a transaction depends on how fast this machine is: a first start and a backlog get
# twice what they usually need. A look at the catalog for each table is beyond that.
BUDGETS = {"first start": (250, 8), "restart": (80, 0.02), "trickle": (120, 0.05), "backlog": (220, 8)}
COMMITS = {"first start": (22, 0.2), "restart": (6, 0), "trickle": (10, 0), "backlog": (20, 0.2)}
CATALOGS = {"first start": (20, 0.1), "restart": (4, 0), "trickle": (9, 0), "backlog": (20, 0.1)}


def tearDownModule():
    redshift_target.stop()


class Cost(Case):
    def pipeline(self, tables):
        pipeline = Pipeline(tables)
        self.addCleanup(pipeline.close)
        return pipeline

    def within(self, budget, tables, count, what):
        fixed, each = budget
        self.assertLessEqual(count, fixed + each * tables, what)

    def check(self, tables, phase, statements, catalogs, commits):
        what = f"{phase} of {tables} table(s)"
        self.within(BUDGETS[phase], tables, statements, f"statements: {what}")
        self.within(CATALOGS[phase], tables, catalogs, f"statements that read a catalog: {what}")
        self.within(COMMITS[phase], tables, commits, f"commits: {what}")

    def test_starts_and_batches_keep_their_budgets_whatever_the_number_of_tables(self):
        few, many = self.pipeline(1).phases(), self.pipeline(40).phases()
        for tables, phases in ((1, few), (40, many)):
            for phase, cost in phases.items():
                self.check(tables, phase, cost["statements"], cost["catalog"], cost["commits"])
        # What is kept of two hundred tables is read in one statement; many leases are written in two in place of one.
        self.assertLessEqual(many["restart"]["statements"], few["restart"]["statements"] + 4)
        self.assertLessEqual(many["restart"]["commits"], few["restart"]["commits"] + 1)

    def test_the_figures_of_the_documentation_keep_them_too(self):
        rows = redshift_cost.written()
        self.assertEqual(set(rows), {(tables, phase) for tables in (1, 50, 1000) for phase in redshift_cost.PHASES})
        for (tables, phase), (statements, catalogs, commits) in rows.items():
            self.check(tables, phase, statements, catalogs, commits)

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
        made = [each["text"] for each in pipeline.target.front.statements() if re.match(r'CREATE TABLE IF NOT EXISTS "cdcrt"\."progress_', each["text"])]
        self.assertEqual(len(made), 2)
        for text in made:
            self.assertIn('"topic" VARCHAR(512) NOT NULL', text)
            self.assertTrue(text.endswith("DISTSTYLE ALL"), text)
