"""COPY's options and what holds without them."""

import gzip
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import process  # noqa: E402
from lab.s3 import S3  # noqa: E402
from redshift.lab import RedshiftFront  # noqa: E402
from redshift.raw_client import RawClient, Refused  # noqa: E402


def setUpModule():
    OptionCase.s3 = S3()
    OptionCase.front = RedshiftFront(OptionCase.s3)


def tearDownModule():
    OptionCase.front.stop()
    OptionCase.s3.stop()


class OptionCase(process.Case):
    def setUp(self):
        self.client = RawClient(self.front)
        self.addCleanup(self.client.close)
        self.client.query("drop table if exists t")

    def copy(self, body, options=""):
        self.s3.put("one/data.csv", body)
        self.client.query(f"copy t from 's3://staging/one/data.csv' iam_role default csv {options}")

    def loads(self, columns, body, options, *rows):
        with self.subTest(options, columns=columns):
            self.client.query(f"drop table if exists t; create table t ({columns})")
            self.copy(body, options)
            self.assertEqual(self.client.query("select * from t"), [list(row) for row in rows])

    def refused(self, columns, body, options, code):
        with self.subTest(options, columns=columns):
            self.client.query(f"drop table if exists t; create table t ({columns})")
            with self.assertRaises(Refused) as caught:
                self.copy(body, options)
            self.assertIn("Load into table 't' failed", caught.exception.text)
            self.assertEqual(self.client.query("select err_code from stl_load_errors where session = pg_backend_pid() order by starttime desc limit 1"), [[code]])


class Fields(OptionCase):
    def test_what_is_null(self):
        columns = "v varchar(5), i int, d date, s super"
        self.loads(columns, b'\\N,\\N,\\N,\\N\n"\\N",1,2024-01-01,1\n', "", (None, None, None, None), ("\\N", "1", "2024-01-01", "1"))
        self.loads(columns, b",,,\n  ,  , ,\n", "", ("", None, None, None), ("  ", None, None, None))
        self.loads(columns, b",,,\n", "emptyasnull", (None, None, None, None))
        self.loads(columns, b"x,,,\n,1,,\n", "null as ''", ("x", None, None, None), (None, "1", None, None))
        self.loads(columns, b"  ,,,\n,,,\n", "blanksasnull", (None, None, None, None), ("", None, None, None))
        self.loads(columns, b"null,,,\n", "null as 'null'", (None, None, None, None))

    def test_strings_that_are_too_long(self):
        self.refused("v varchar(3)", b"abcd\n", "", "1204")
        self.loads("v varchar(3), w varchar(3)", "abcd,aää\n".encode(), "truncatecolumns", ("abc", "aä"))
        self.loads("v varchar(3)", b'"abc   "\n', "", ("abc",))
        self.loads("v varchar(5)", b'"a \t "\n', "trimblanks", ("a",))
        self.loads("v varchar(5)", b'"a "\n', "", ("a ",))

    def test_quotes_and_records(self):
        self.loads("v varchar(9), i int", b'  "a,b"  , 1\n', "", ("a,b", "1"))
        self.loads("i int, v varchar(5), n int", b"1\n2,x\n", "fillrecord", ("1", "", None), ("2", "x", None))
        self.refused("i int, v varchar(5)", b"1\n", "", "1214")
        self.loads("i int", b"1\n\n2\n", "ignoreblanklines", ("1",), ("2",))
        self.loads("v varchar(9)", b"a\xe2\x82b\xffc\n", "acceptinvchars as '^'", ("a^^b^c",))

    def test_numbers(self):
        self.loads("d decimal(8,2)", b"20.259\n", "", ("20.25",))
        self.loads("d decimal(8,2)", b"20.259\n", "roundec", ("20.26",))
        self.refused("d decimal(19,0)", b"9223372036854775808\n", "", "1204")


class Moments(OptionCase):
    def test_the_default_formats(self):
        self.loads("d date, at timestamp, z timestamptz", b"2024-05-06,2024-05-06 07:08:09.5,2024-05-06 07:08:09+02\n", "",
                   ("2024-05-06", "2024-05-06 07:08:09.5", "2024-05-06 05:08:09+00"))
        self.refused("d date", b"05/06/2024\n", "", "1205")
        self.refused("at timestamp", b"2024-05-06T07:08:09\n", "", "1206")
        self.refused("at timestamp", b"2024-05-06\n", "", "1206")

    def test_auto_recognizes_more(self):
        self.loads("d date, at timestamp, z timestamptz", b'20240506,2024-05-06T07:08:09Z,"May 6 2024 07:08:09 UTC"\n', "dateformat 'auto' timeformat 'auto'",
                   ("2024-05-06", "2024-05-06 07:08:09", "2024-05-06 07:08:09+00"))
        self.refused("at timestamp", b"1700000000\n", "timeformat 'auto'", "1206")
        self.refused("at timestamp", b"2024-05-06 07:08:09.1234567\n", "timeformat 'auto'", "1206")
        self.refused("d date", b"infinity\n", "dateformat 'auto'", "1205")

    def test_formats_and_epochs(self):
        self.loads("d date, at timestamp", b"06.May.2024,05/06/2024 07:08\n", "dateformat 'DD.MON.YYYY' timeformat 'MM/DD/YYYY HH:MI'",
                   ("2024-05-06", "2024-05-06 07:08:00"))
        self.loads("at timestamp, z timestamptz", b"1700000000,1700000000\n", "timeformat 'epochsecs'", ("2023-11-14 22:13:20", "2023-11-14 22:13:20+00"))
        self.loads("at timestamp", b"1700000000123\n", "timeformat as 'epochmillisecs'", ("2023-11-14 22:13:20.123",))

    def test_any_date(self):
        self.loads("d date, at timestamp", b"2024-13-01,00/00/00 00:00:00\n", "acceptanydate dateformat 'auto' timeformat 'auto'", (None, None))
        self.refused("d date", b"2024-13-01\n", "dateformat 'auto'", "1205")


class Loads(OptionCase):
    def test_a_place_without_manifest_is_a_prefix(self):
        self.client.query("create table t (id int)")
        for key, body in (("part/1", b"1\n"), ("part/10", b"10\n"), ("part/2", b"2\n")):
            self.s3.put(key, body)
        self.client.query("copy t from 's3://staging/part/1' iam_role default csv")
        self.assertEqual(self.client.query("select id from t order by 1"), [["1"], ["10"]])
        with self.assertRaises(Refused) as caught:
            self.client.query("copy t from 's3://staging/part/3' iam_role default csv")
        self.assertEqual(caught.exception.text, "The specified S3 prefix 'part/3' does not exist")

    def test_as_many_errors_as_maxerror_are_too_many(self):
        self.loads("id int", b"1\nx\n2\n", "maxerror 2", ("1",), ("2",))
        for options in ("maxerror 0", "maxerror 1", ""):
            self.refused("id int", b"1\nx\n2\n", options, "1207")
        self.loads("id int", b"1\nx\ny\nz\n", "ignoreallerrors", ("1",))

    def encodings(self):
        return [row[0].strip() for row in self.client.query("select encoding from pg_table_def where tablename = 't'")]

    def test_the_first_load_chooses_encodings_unless_told_not_to(self):
        for options, encode, expected in (("", "", ["az64", "lzo"]), ("", "encode zstd", ["zstd", "none"]), ("compupdate on", "encode zstd", ["az64", "lzo"]),
                                          ("compupdate preset", "encode zstd", ["az64", "lzo"]), ("compupdate off", "", ["none", "none"])):
            with self.subTest(options, encode=encode):
                self.client.query(f"drop table if exists t; create table t (id int {encode}, v varchar(5))")
                self.copy(b"1,a\n", options)
                self.assertEqual(self.encodings(), expected)
        self.client.query("drop table t; create table t (id int, v varchar(5)); insert into t values (1, 'a')")
        self.copy(b"1,a\n", "compupdate on")
        self.assertEqual(self.encodings(), ["none", "none"])

    def test_gzip_and_heads(self):
        self.client.query("create table t (id int)")
        self.copy(gzip.compress(b"id\n1\n"), "gzip ignoreheader as 1")
        self.assertEqual(self.client.query("select * from t"), [["1"]])


if __name__ == "__main__":
    unittest.main()
