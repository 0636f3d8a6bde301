"""Amazon's own drivers as clients: the front is not just what the program's sink expects."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import jars, process, python  # noqa: E402
from redshift.lab import RedshiftFront  # noqa: E402

PYTHON = """
import sys, redshift_connector
connection = redshift_connector.connect(host=sys.argv[1], port=int(sys.argv[2]), database=sys.argv[3], user=sys.argv[4],
                                          password=sys.argv[5], ssl=False)
cursor = connection.cursor()
cursor.execute("create table p (id bigint distkey, v varchar(20), s super, b varbyte(4), at timestamptz) sortkey (id)")
cursor.executemany("insert into p values (%s, %s, json_parse(%s), to_varbyte(%s, 'hex'), %s)",
                   [(1, "ä", '{"a": 1.10}', "00ff", "2024-01-02 03:04:05.000006+00"), (2, None, None, None, None)])
connection.commit()
cursor.execute("delete from p where id = %s", (1,))
connection.rollback()
cursor.execute("select id, v, s, at from p where id <= %s order by id", (2,))
print(cursor.fetchall())
print([(column[0], column[1]) for column in cursor.description])
try:
    cursor.execute("insert into p (id) values (1) on conflict do nothing")
except redshift_connector.ProgrammingError as error:
    print(error.args[0]["C"], error.args[0]["M"])
connection.rollback()
try:
    redshift_connector.connect(host=sys.argv[1], port=int(sys.argv[2]), database=sys.argv[3], user=sys.argv[4], password="wrong", ssl=False)
except redshift_connector.Error as error:
    print("28P01" in str(error))
"""


class Drivers(process.Case):
    @classmethod
    def setUpClass(cls):
        cls.front = RedshiftFront()

    @classmethod
    def tearDownClass(cls):
        cls.front.stop()

    def setUp(self):
        self.front.forget_statements()

    def test_amazons_python_driver(self):
        front = self.front
        done = subprocess.run([python.interpreter(), "-c", PYTHON, front.host,
                               str(front.port), front.database, front.user, front.password],
                              capture_output=True,
                              text=True,
                              check=False,
                              timeout=120)
        self.assertEqual(done.stdout.splitlines(), [
            "([1, 'ä', '{\"a\": 1.10}', datetime.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)], [2, None, None, None])",
            "[('id', 20), ('v', 1043), ('s', 4000), ('at', 1184)]", '42601 syntax error at or near "on"', "True"], done.stderr)
        self.assertEqual([entry["rule"] for entry in front.rejections()], ["on-conflict"])

    def jdbc(self, *statements):
        """Statements through Amazon's JDBC driver, each by itself; the completed process."""
        front = self.front
        arguments = [part for statement in statements for part in ("-e", statement)]
        return subprocess.run([
            "java", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-cp",
            jars.folder("drivers") + "/*", "sqlline.SqlLine", "-d", "com.amazon.redshift.jdbc.Driver", "-u",
            f"jdbc:redshift://{front.host}:{front.port}/{front.database}?ssl=false", "-n", front.user, "-p", front.password,
            "--silent=true", "--outputFormat=csv", "--fastConnect=true", *arguments
        ],
                              capture_output=True,
                              text=True,
                              check=False,
                              timeout=120,
                              stdin=subprocess.DEVNULL)

    def test_amazons_jdbc_driver(self):
        done = self.jdbc("create schema if not exists shop;",
                         "create table shop.j (id bigint distkey, v varchar(20), d decimal(20,4), s super);",
                         "insert into shop.j values (1, 'ä', 1.5, json_parse('{\"a\": 1}')), (2, null, null, null);", "!autocommit off",
                         "delete from shop.j;", "!rollback", "!autocommit on", "select * from shop.j order by id;", "!tables j",
                         "select version();")
        lines = done.stdout.splitlines()
        self.assertIn("'id','v','d','s'", lines, done.stdout + done.stderr)
        self.assertIn("'1','ä','1.5000','{\"a\": 1}'", lines)
        self.assertTrue([line for line in lines if "Redshift 1.0" in line], lines)
        self.assertTrue([line for line in lines if line.startswith("'dev','shop','j','TABLE'")], lines)  # DatabaseMetaData.getTables
        self.assertEqual(self.front.rejections(), [])

    def test_amazons_jdbc_driver_sees_what_is_rejected(self):
        done = self.jdbc("create table x (id uuid);")
        self.assertIn('type "uuid" does not exist', done.stdout + done.stderr)
        self.assertEqual([entry["rule"] for entry in self.front.rejections()], ["no-such-type"])


if __name__ == "__main__":
    unittest.main()
