"""COPY from a real S3: what is loaded, what is refused and where that can be read, and what S3 refuses."""

import gzip
import http.client
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import process  # noqa: E402
from lab.s3 import S3, S3Error  # noqa: E402
from lab.s3_faults import S3Faults  # noqa: E402
from redshift.lab import RedshiftFront  # noqa: E402
from redshift.raw_client import RawClient, Refused  # noqa: E402

OPTIONS = ("manifest iam_role default region 'eu-west-1' format as csv gzip null as '#null#' "
           "timeformat 'auto' dateformat 'auto' roundec compupdate off statupdate off maxerror 0")


def setUpModule():
    CopyCase.s3 = S3()
    CopyCase.s3.make_bucket("elsewhere")
    CopyCase.front = RedshiftFront(CopyCase.s3, bucket_regions={"elsewhere": "us-east-1"},
                                   users={"loader": "loader-secret", "guest": "guest-secret"})


def tearDownModule():
    CopyCase.front.stop()
    CopyCase.s3.stop()


class CopyCase(process.Case):
    def setUp(self):
        self.client = RawClient(self.front)
        self.addCleanup(self.client.close)
        self.front.clear_faults()
        self.front.forget_statements()
        self.client.query("drop table if exists t")

    def stage(self, *files, entries=None, name="x.manifest"):
        """Puts the files (plain bytes) and a manifest of them; answers the manifest's place."""
        urls = []
        for number, body in enumerate(files):
            self.s3.put(f"load/{number}.csv.gz", gzip.compress(body))
            urls.append({"url": f"s3://staging/load/{number}.csv.gz", "mandatory": True})
        self.s3.put(f"load/{name}", json.dumps({"entries": urls if entries is None else entries}).encode())
        return f"s3://staging/load/{name}"

    def copy(self, *files, columns="", options=OPTIONS, entries=None):
        self.client.query(f"copy t {columns} from '{self.stage(*files, entries=entries)}' {options}")

    def refused(self, *files, state="XX000", **more):
        with self.assertRaises(Refused) as caught:
            self.copy(*files, **more)
        self.assertEqual(caught.exception.state, state, caught.exception)
        return caught.exception

    def rows(self):
        return self.client.query("select * from t order by 1")

    def errors(self):
        """The load errors of this session."""
        return self.client.query(
            "select trim(filename), line_number, trim(colname), trim(type), trim(col_length), err_code, trim(err_reason) from stl_load_errors "
            "where session = pg_backend_pid() order by starttime")


class Loading(CopyCase):
    def test_types_nulls_and_empty_fields(self):
        self.client.query(
            "create table t (id bigint, v varchar(20), d decimal(10,2), s super, at timestamptz, b boolean, x varbyte(4), day date)")
        self.copy(b'1,"a ""b"", c","1.235","{""k"":1.10}","2024-05-06 07:08:09.123456+02","t","00FF","2024-05-06"\n'
                  b'2,#null#,#null#,#null#,#null#,#null#,#null#,#null#\n'
                  b'3,,,,,,,\n'
                  b'4,"",-0.005,null,,f,"",\n'
                  b'5,"#null#",1,"""text""",,,,\n'
                  b'6,"line 1\r\nline, 2\n\n\\.",1,[],,,,0001-01-01\n')
        self.assertEqual(self.rows(),
                         [["1", 'a "b", c', "1.24", '{"k":1.10}', "2024-05-06 05:08:09.123456+00", "t", "00ff", "2024-05-06"],
                          ["2", None, None, None, None, None, None, None], ["3", "", None, None, None, None, None, None],
                          ["4", "", "-0.01", "null", None, "f", "", None], ["5", "#null#", "1.00", '"text"', None, None, None, None],
                          ["6", "line 1\r\nline, 2\n\n\\.", "1.00", "[]", None, None, None, "0001-01-01"]])
        self.assertEqual(self.client.query("select pg_last_copy_count()"), [["6"]])
        self.assertIn("Load into table 't' completed, 6 record(s) loaded successfully.", [notice["M"] for notice in self.client.notices])

    def test_named_columns_and_several_files(self):
        self.client.query("create table t (id bigint, v varchar(20) default 'd', n int)")
        self.copy(*(b"%d,%d\n" % (number, -number) for number in range(20)), columns='("n", id)')
        self.assertEqual(self.rows(), [[str(-number), "d", str(number)] for number in range(19, -1, -1)])

    def test_a_file_that_is_listed_twice_is_loaded_twice(self):
        self.client.query("create table t (id int)")
        url = {"url": "s3://staging/load/0.csv.gz", "mandatory": True}
        self.copy(b"1\n", entries=[url, url])
        self.assertEqual(self.rows(), [["1"], ["1"]])

    def test_a_plain_object_with_a_head_and_carriage_returns(self):
        self.client.query("create table t (id int, v varchar(5))")
        self.s3.put("load/plain.csv", b"id,v\r\n1,a\r\n2,\r\n3,c")
        self.client.query(
            f"copy t from 's3://staging/load/plain.csv' access_key_id '{self.s3.access_key}' "
            f"secret_access_key '{self.s3.secret_key}' csv ignoreheader 1"
        )
        self.assertEqual(self.rows(), [["1", "a"], ["2", ""], ["3", "c"]])

    def test_without_roundec_digits_beyond_the_scale_are_cut_off(self):
        self.client.query("create table t (d decimal(10,2))")
        self.copy(b"1.239\n-1.239\n1\n", options=OPTIONS.replace("roundec", ""))
        self.assertEqual(self.rows(), [["-1.23"], ["1.00"], ["1.23"]])

    def test_it_is_rolled_back_with_its_transaction(self):
        self.client.query("create table t (id int)")
        self.client.query("begin")
        self.copy(b"1\n")
        self.client.query("rollback")
        self.assertEqual(self.rows(), [])

    def test_noload_checks_only(self):
        self.client.query("create table t (id int)")
        self.copy(b"1\n", options=OPTIONS + " noload")
        self.assertEqual(self.rows(), [])

    def test_the_sinks_flow_in_one_transaction(self):
        client = self.client
        client.query(
            "create table t (id bigint, v varchar(10)); create schema if not exists cdcrt; "
            "drop table if exists cdcrt.progress_x; create table cdcrt.progress_x (k varchar(10), o bigint)"
        )
        client.query("insert into t values (1, 'old'), (2, 'gone'); insert into cdcrt.progress_x values ('k', 5)")
        place = self.stage(b'1,"new","U"\n2,,"D"\n3,"x","U"\n')
        for statement in ("begin", 'lock "cdcrt"."progress_x"', 'select o from "cdcrt"."progress_x"',
                          'create temp table "cdcrt_stage_1" ("a" bigint, "b" varchar(10), "op" char(1))',
                          f'copy "cdcrt_stage_1" ("a", "b", "op") from \'{place}\' {OPTIONS}', "select pg_last_copy_count()",
                          'delete from "public"."t" using "cdcrt_stage_1" where "public"."t"."id" = "cdcrt_stage_1"."a"',
                          'insert into "public"."t" ("id", "v") select "a", "b" from "cdcrt_stage_1" where "op" <> \'D\'',
                          'drop table "cdcrt_stage_1"', 'update "cdcrt"."progress_x" set "o" = 9 where "k" = \'k\' and "o" = 5', "commit"):
            client.query(statement)
        self.assertEqual((self.rows(), client.query("select o from cdcrt.progress_x")), ([["1", "new"], ["3", "x"]], [["9"]]))
        self.assertEqual(self.front.rejections(), [])


class Refusals(CopyCase):
    CASES = (
        ("v varchar(3)", b'"ok"\n"\xc3\xa4\xc3\xa4"\n', 2, "v", "varchar", "3", 1204, "String length exceeds DDL length"),
        ("v int", b"1\nx2\n", 2, "v", "int4", "0", 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"),
        ("v bigint", b"1.5\n", 1, "v", "int8", "0", 1207, "Invalid digit, Value '1', Pos 0, Type: Long"),
        ("v smallint", b"70000\n", 1, "v", "int2", "0", 1204, "Overflow, Value '70000', Type: Short"),
        ("v decimal(4,2)", b"1\n123.4\n", 2, "v", "numeric", "4, 2", 1204, "Overflow, Value '123.4', Type: Decimal"),
        ("v decimal(4,2)", b"NaN\n", 1, "v", "numeric", "4, 2", 1207, "Invalid digit, Value 'N', Pos 0, Type: Decimal"),
        ("v date", b"2024-13-01\n", 1, "v", "date", "0", 1205, "Invalid Date Format - length must be 10 or more"),
        ("v date", b"infinity\n", 1, "v", "date", "0", 1205, "Invalid Date Format - length must be 10 or more"),
        ("v timestamp", b"2024-01-01 00:00:00.1234567\n", 1, "v", "timestamp", "0", 1206,
         "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"),
        ("v timestamptz", b"1700000000000\n", 1, "v", "timestampt", "0", 1206, "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"),
        ("v boolean", b"maybe\n", 1, "v", "bool", "0", 1210, "Unknown boolean format"),
        ("v int not null", b"1\n#null#\n", 2, "v", "int4", "0", 1213, "Missing data for not-null field"),
        ("v super", b'"{""a"":1}"\n"{"\n', 2, "v", "super", "0", 1224, "Parsing error: invalid JSON"),
        ("v super", b'"""' + b"x" * 65536 + b'"""\n', 1, "v", "super", "0", 1224, "String value exceeds the max size of 65535 bytes"),
        ("v varbyte(2)", b"0g\n", 1, "v", "varbyte", "2", 1219, "Invalid hexadecimal digit in VARBYTE"),
        ("v varbyte(2)", b"000102\n", 1, "v", "varbyte", "2", 1204, "String length exceeds DDL length"),
        ("v char(5)", b"\xc3\xa4\n", 1, "v", "bpchar", "5", 1220,
         "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: c3 a4"),
        ("v varchar(5)", b"a\n\xff\n", 2, None, None, None, 1220, None),
        ("v varchar(5)", b"a\0b\n", 1, "v", "varchar", "5", 1204, "Invalid null byte - field longer than 1 byte"),
        ("v varchar(5)", b'"a"b\n', 1, "", "", "", 1214, "Invalid quote formatting for CSV"),
        ("v varchar(5), w int", b"a,1,2\n", 1, "", "", "", 1202, "Extra column(s) found"),
        ("v varchar(5), w int", b"a,1\na\n", 2, "w", "int4", "0", 1214, "Delimiter not found"),
        ("v varchar(65535)", b'"' + b"x" * (5 << 20) + b'"\n', 1, "", "", "", 1216,
         "Invalid input line - line exceeds the maximum size of 4 MB"),
    )

    def test_a_refused_row_can_be_read_after_the_rollback(self):
        for columns, body, line, column, kind, length, code, reason in self.CASES:
            with self.subTest(columns, body=body[:40]):
                client = self.client = RawClient(self.front)
                self.addCleanup(client.close)
                client.query("drop table if exists t")
                client.query(f"create table t ({columns})")
                client.query("begin")
                error = self.refused(body)
                self.assertEqual((error.text, client.status),
                                 ("Load into table 't' failed.  Check 'stl_load_errors' system table for details.", "E"))
                client.query("rollback")
                found = self.errors()
                self.assertEqual([(row[0], int(row[1]), int(row[5])) for row in found], [("s3://staging/load/0.csv.gz", line, code)])
                if reason:
                    self.assertEqual((found[0][2], found[0][3], found[0][4], found[0][6]), (column, kind, length, reason))
                self.assertEqual(self.rows(), [])

    def test_the_file_and_line_of_a_row_far_inside(self):
        self.client.query("create table t (id int, v varchar(20))")
        self.refused(b"1,a\n" * 1000, b'2,"x\ny"\n' * 500 + b"z,bad\n" + b"3,c\n" * 70000)
        self.assertEqual([row[:3] for row in self.errors()], [["s3://staging/load/1.csv.gz", "1001", "id"]])
        self.assertEqual(
            self.client.query(
                "select trim(file_name), line_number, trim(column_name), error_code, trim(error_message) from sys_load_error_detail "
                "where session_id = pg_backend_pid()"),
            [["s3://staging/load/1.csv.gz", "1001", "id", "1207", "Invalid digit, Value 'z', Pos 0, Type: Integer"]])
        self.assertEqual(
            self.client.query("select trim(raw_line), trim(raw_field_value) from stl_load_errors where session = pg_backend_pid()"),
            [["z,bad", "z"]])

    def test_maxerror_lets_rows_go_and_reports_them(self):
        self.client.query("create table t (id int)")
        self.copy(b"1\nx\n3\ny\n5\n", options=OPTIONS.replace("maxerror 0", "maxerror 3"))
        self.assertEqual((self.rows(), [row[1] for row in self.errors()]), ([["1"], ["3"], ["5"]], ["2", "4"]))
        for allowed in ("maxerror 2", "maxerror 1"):  # as many errors as named are too many
            self.refused(b"1\nx\n3\ny\n5\n", options=OPTIONS.replace("maxerror 0", allowed))
        self.assertEqual(len(self.rows()), 3)

    def test_a_column_or_table_that_is_not_there(self):
        self.client.query("create table t (id int)")
        self.refused(b"1\n", columns="(nothing)", state="42703")
        self.client.query("drop table t")
        self.refused(b"1\n", state="42P01")


class Access(CopyCase):
    def setUp(self):
        super().setUp()
        self.client.query("create table t (id int)")

    def test_a_missing_mandatory_file_is_an_error_and_another_is_not(self):
        there, gone = {"url": "s3://staging/load/0.csv.gz", "mandatory": True}, {"url": "s3://staging/load/gone.csv.gz", "mandatory": True}
        error = self.refused(b"1\n", entries=[there, gone])
        self.assertRegex(error.text, "^S3ServiceException:.*,Status 404,Error NoSuchKey,")
        self.assertIn("s3://staging/load/gone.csv.gz", error.detail)
        self.assertEqual(self.rows(), [])
        self.copy(b"1\n", entries=[there, {"url": gone["url"]}])
        self.assertEqual(self.rows(), [["1"]])
        self.refused(entries=[{"url": gone["url"]}])

    def test_a_bad_manifest(self):
        with self.assertRaises(Refused) as caught:
            self.client.query(f"copy t from 's3://staging/load/none.manifest' {OPTIONS}")
        self.assertRegex(caught.exception.text, "^Problem reading manifest file - S3ServiceException:.*Status 404")
        self.s3.put("load/x.manifest", b"no json")
        with self.assertRaises(Refused) as caught:
            self.client.query(f"copy t from 's3://staging/load/x.manifest' {OPTIONS}")
        self.assertIn("Manifest file is not in correct json format", caught.exception.text)

    def test_a_missing_bucket_a_wrong_region_and_wrong_keys(self):
        place = self.stage(b"1\n")
        self.s3.put("x.manifest", b"{}", bucket="elsewhere")
        keys = "manifest access_key_id '{}' secret_access_key '{}' csv gzip"
        for statement, words in (
                (f"copy t from 's3://no-such-bucket/x.manifest' {OPTIONS}", "Status 404,Error NoSuchBucket"),
                (f"copy t from 's3://elsewhere/x.manifest' {OPTIONS}", "Status 301,Error PermanentRedirect"),
                (f"copy t from '{place}' {OPTIONS.replace('eu-west-1', 'us-west-2')}", "Status 301,Error PermanentRedirect"),
                (f"copy t from '{place}' {keys.format(self.s3.access_key, 'wrong')}", "Status 403,Error SignatureDoesNotMatch"),
                (f"copy t from '{place}' {keys.format('nobody', self.s3.secret_key)}", "Status 403,Error InvalidAccessKeyId")):
            with self.subTest(words), self.assertRaises(Refused) as caught:
                self.client.query(statement)
            self.assertEqual(caught.exception.state, "XX000")
            self.assertIn("S3ServiceException:", caught.exception.text)
            self.assertIn(words, caught.exception.text)

    def test_a_role_that_is_not_attached(self):
        error = self.refused(b"1\n", options=OPTIONS.replace("default", "'arn:aws:iam::1:role/other'", 1))
        self.assertIn("is not authorized to assume IAM Role arn:aws:iam::1:role/other", error.text)
        self.copy(b"1\n", options=OPTIONS.replace("default", f"'{self.front.role}'", 1))
        self.assertEqual(self.rows(), [["1"]])

    def test_a_user_who_may_only_insert_loads_without_statupdate(self):
        self.client.query("grant insert on t to guest")
        guest = RawClient(self.front, user="guest")
        self.addCleanup(guest.close)
        place = self.stage(b"1\n")
        with self.assertRaises(Refused) as caught:
            guest.query(f"copy t from '{place}' {OPTIONS}")
        self.assertEqual((caught.exception.state, caught.exception.text), ("42501", "must be owner of relation t"))
        guest.query(f"copy t from '{place}' {OPTIONS.replace('statupdate off', '')}")
        self.assertEqual(self.rows(), [["1"]])

    def test_faults_of_copy(self):
        for kind, words in (("copy_file_missing", "Error NoSuchKey"), ("expired_credentials", "Error ExpiredToken"),
                            ("denied", "Status 403,Error AccessDenied"), ("copy_bad_row", "Load into table 't' failed"), ("1023", "1023")):
            with self.subTest(kind):
                self.front.fault(kind, at="copy")
                self.assertIn(words, self.refused(b"1\n2\n").text)
                self.copy(b"1\n2\n")
        self.assertEqual(len(self.rows()), 10)

    def test_a_file_that_is_no_gzip(self):
        self.s3.put("load/0.csv.gz", b"plain")
        self.assertIn("inflate", self.refused(entries=[{"url": "s3://staging/load/0.csv.gz", "mandatory": True}]).text)

    def test_a_file_that_is_cut_off(self):
        whole = gzip.compress(b"".join(b"%d\n" % number for number in range(100000)))
        self.s3.put("load/0.csv.gz", whole[:len(whole) // 2])
        self.assertIn("inflate", self.refused(entries=[{"url": "s3://staging/load/0.csv.gz", "mandatory": True}]).text)
        self.assertEqual(self.rows(), [])


class Proxy(CopyCase):
    def test_requests_fail_on_command_and_signatures_stay_good(self):
        proxy = S3Faults(self.s3)
        self.addCleanup(proxy.stop)
        direct, port = self.s3, self.s3.port
        through = S3.__new__(S3)
        through.__dict__.update(direct.__dict__, port=proxy.port)
        body = os.urandom(300000)
        through.put("proxied", body)
        self.assertEqual((through.get("proxied"), direct.port), (body, port))
        for kind, status in (("500", 500), ("503", 503), ("403", 403)):
            proxy.fault(kind, method="PUT", match="proxied")
            with self.assertRaises(S3Error) as caught:
                through.put("proxied", b"other")
            self.assertEqual(caught.exception.status, status)
        for kind in ("cut_upload", "cut_answer"):
            proxy.fault(kind, method="PUT")
            with self.assertRaises((OSError, http.client.HTTPException)):
                through.put("proxied", kind.encode() * 1000)
        self.assertEqual(direct.get("proxied"), b"cut_answer" * 1000)
        proxy.fault("cut_download", method="GET")
        with self.assertRaises((OSError, http.client.HTTPException)):
            through.get("proxied")
        self.assertEqual([outcome for _, _, outcome in proxy.requests],
                         [200, 200, 500, 503, 403, "cut_upload", "cut_answer", "cut_download"])


if __name__ == "__main__":
    unittest.main()
