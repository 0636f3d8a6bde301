"""What AWS documents of Redshift and PostgreSQL does otherwise, as the program meets it."""

import base64
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import redshift_target  # noqa: E402
from integration.redshift_target import LinesCase  # noqa: E402
from integration.test_redshift_tables import create_with_schema  # noqa: E402
from redshift.raw_client import RawClient, Refused  # noqa: E402


def tearDownModule():
    redshift_target.stop()


class Views(LinesCase):
    def refused(self, *words):
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        code, log = redshift_target.run_until(self.folder, self.target, self.sources, words, "runtime.shutdown_timeout=1s", timeout=60)
        self.assertNotIn(code, (0, 4), log)
        for each in words:
            self.assertIn(each, log)

    def test_a_late_binding_view_in_the_place_of_a_table(self):
        self.front.sql("create view good as select * from public.base with no schema binding")
        self.lines.good(1)
        self.refused("is a view")

    def test_a_view_that_binds_a_column_that_changes(self):
        field = {"type": "int32", "optional": False, "field": "id"}
        create_with_schema(self.lines, "good", [field, {"type": "int32", "optional": True, "field": "v"}], {"id": 1, "v": 1})
        self.apply()
        self.front.sql("create view report as select v from good")
        create_with_schema(self.lines, "good", [field, {"type": "string", "optional": True, "field": "v"}], {"id": 2, "v": "x"})
        self.lines.write(os.path.join(self.folder, "events.jsonl"))
        self.refused("a view depends on it: drop the view or make it late-binding")


class Conversions(LinesCase):
    def test_moments_that_become_texts_keep_their_fractions(self):
        field = {"type": "int32", "optional": False, "field": "id"}
        moment = {"type": "int64", "optional": True, "field": "v", "name": "io.debezium.time.MicroTimestamp"}
        moments = [1_700_000_000_500_000, 1_700_000_000_000_000, 1_700_000_000_123_456, 1_700_000_000_000_001, None]
        for number, each in enumerate(moments):
            create_with_schema(self.lines, "good", [field, moment], {"id": number, "v": each})
        self.apply()
        create_with_schema(self.lines, "good", [field, {"type": "string", "optional": True, "field": "v"}], {"id": 9, "v": "x"})
        self.apply()
        self.assertEqual(self.front.query("select v from good order by id"),
                         [["2023-11-14T22:13:20.500000"], ["2023-11-14T22:13:20"], ["2023-11-14T22:13:20.123456"], ["2023-11-14T22:13:20.000001"], [None], ["x"]])


    def test_every_number_of_nineteen_digits_has_a_place(self):
        parameters = {"scale": "2", "connect.decimal.precision": "19"}
        fields = [{"type": "int32", "optional": False, "field": "id"},
                  {"type": "bytes", "optional": True, "field": "v", "name": "org.apache.kafka.connect.data.Decimal", "version": 1, "parameters": parameters}]
        for start in (0, 10):
            for number, each in enumerate((9999999999999999999, -9999999999999999999, 5)):
                create_with_schema(self.lines, "good", fields, {"id": start + number, "v": base64.b64encode(each.to_bytes(9, "big", signed=True)).decode()})
            self.apply()
        self.assertEqual(self.front.query("select v from good order by id"), 2 * [["99999999999999999.99"], ["-99999999999999999.99"], ["0.05"]])
        self.assertEqual(self.front.query("select numeric_precision, numeric_scale from information_schema.columns where column_name = 'v'"), [["20", "2"]])


class Isolation(LinesCase):
    def test_readers_and_writers_beside_it_in_a_serializable_database(self):
        self.front.sql(f"alter database {self.front.database} isolation level serializable; create table good (id bigint, v varchar(20)); "
                       "create table report (n bigint)")
        ended, refused = threading.Event(), []

        def report():
            client = RawClient(self.front)
            while not ended.is_set():
                try:
                    client.query("begin; select count(*) from report; insert into report select count(*) from good; select count(*) from good; commit")
                except Refused as error:
                    refused.append(error.text)
                    client.query("rollback")
            client.close()

        thread = threading.Thread(target=report)
        thread.start()
        try:
            self.lines.good(3000)
            self.apply("sinks.target.batch.max_rows=200")
        finally:
            ended.set()
            thread.join(60)
        self.assertEqual(self.front.query("select count(*), count(distinct id) from good"), [["3000", "3000"]])
        self.assertEqual(set(refused) - {"1023"}, set())
        self.clean()


if __name__ == "__main__":
    unittest.main()
