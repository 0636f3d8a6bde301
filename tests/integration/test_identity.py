"""Who the program is at AWS: each identity against services that answer as AWS does, and none that fails gives way to the machine's role."""

import datetime
import json
import os
import shlex
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from integration.messages import Lines, envelope  # noqa: E402
from lab import process  # noqa: E402
from lab.aws import Aws, Metadata, Service  # noqa: E402
from lab.s3 import S3  # noqa: E402
from redshift.lab import RedshiftFront  # noqa: E402

SOURCE = """[pipeline]
name = "identity"
[sources.events]
plugin = "file"
paths = ["%s"]
format.plugin = "debezium-json"
"""

BY_SECRET = """[sinks.target]
plugin = "odbc"
connection = { Driver = "SQLite3", Database = "${aws-sm:shop/db#file}" }
"""

ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})


class IdentityCase(process.Case):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.metadata = self.enterContext(Metadata())
        self.environment = {
            **{name: "" for name in os.environ if name.startswith("AWS_")}, "AWS_REGION": "eu-west-1", "HOME": self.folder,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.metadata.endpoint
        }

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run_manifest(self, text, *arguments, **changes):
        return program.run([*(arguments or ["run"]), "--manifest", self.write("manifest.toml", text)], {**self.environment, **changes}, self.folder)

    def source(self, schema, *tables):
        """The beginning of a manifest that reads three rows of each table."""
        lines = Lines()
        for table in tables:
            for number in range(3):
                payload = envelope(table, {"id": number, "v": "x"}, lsn=100 + lines.offset).replace('"public"', f'"{schema}"')
                lines.message(payload, json.dumps({"id": number}), f"t.{schema}.{table}")
        events = os.path.join(self.folder, "events.jsonl")
        lines.write(events)
        return SOURCE % events

    def assert_shows_none(self, log, *secrets):
        """Neither what was printed nor a file that was written, but those of the test, holds one of these."""
        for secret in secrets:
            self.assertNotIn(secret, log)
            for folder, _, names in os.walk(self.folder):
                for name in names:
                    if ".aws" in folder or name in ("token", "keys.sh"):
                        continue
                    with open(os.path.join(folder, name), "rb") as file:
                        self.assertNotIn(secret.encode(), file.read(), name)


class Identity(IdentityCase):
    """A secret that only the role may read says where the rows go."""

    @classmethod
    def setUpClass(cls):
        cls.aws = Aws()
        iam = lambda action, **arguments: cls.aws.query("iam", action, "2010-05-08", **arguments)  # noqa: E731
        iam("CreateRole", RoleName="loader", AssumeRolePolicyDocument=TRUST)
        iam("PutRolePolicy", RoleName="loader", PolicyName="all", PolicyDocument=ALLOW)
        for user in ("base", "nobody"):
            iam("CreateUser", UserName=user)
        iam("PutUserPolicy", UserName="base", PolicyName="all", PolicyDocument=ALLOW)
        space = "{https://iam.amazonaws.com/doc/2010-05-08/}"

        def keys(user):
            tree = iam("CreateAccessKey", UserName=user)
            return tuple(tree.find(f".//{space}{name}").text for name in ("AccessKeyId", "SecretAccessKey"))

        cls.base, cls.nobody = keys("base"), keys("nobody")

    @classmethod
    def tearDownClass(cls):
        cls.aws.stop()

    def setUp(self):
        super().setUp()
        self.environment["AWS_ENDPOINT_URL"] = self.aws.endpoint
        self.target = os.path.join(self.folder, f"{self._testMethodName}.db")
        self.aws.put_secret("shop/db", {"file": self.target})

    def verified(self):
        self.aws.verify()
        self.addCleanup(self.aws.verify, False)

    def assert_reads(self, *secrets, **environment):
        done = self.run_manifest(self.source("public", "good") + BY_SECRET, **environment)
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertTrue(os.path.exists(self.target))
        self.assertEqual(self.metadata.asked, 0)
        self.assert_shows_none(done.log, *secrets)

    def assert_stops(self, *parts, **environment):
        done = self.run_manifest(self.source("public", "good") + BY_SECRET, **environment)
        self.assertEqual(done.exit_code, 3, done.log)
        for part in parts:
            self.assertIn(part, done.log)
        self.assertEqual(self.metadata.asked, 0, "the machine's role was asked instead")
        self.assertFalse(os.path.exists(self.target))
        self.assert_shows_none(done.log, "web-identity-token", self.base[1], self.nobody[1])

    def test_a_web_identity_is_its_role_and_shown_nowhere(self):
        token = self.write("token", "web-identity-token\n")
        self.assert_reads("web-identity-token", AWS_ROLE_ARN="arn:aws:iam::123456789012:role/loader", AWS_WEB_IDENTITY_TOKEN_FILE=token)

    def test_a_web_identity_that_fails_stops(self):
        role = "arn:aws:iam::123456789012:role/loader"
        self.assert_stops("web identity of the environment", "/none cannot be read", AWS_ROLE_ARN=role, AWS_WEB_IDENTITY_TOKEN_FILE="/none")
        self.assert_stops("AWS_WEB_IDENTITY_TOKEN_FILE is not", AWS_ROLE_ARN=role)
        token = self.write("token", "web-identity-token")
        self.assert_stops("of partition aws-cn", "AWS_ROLE_ARN", AWS_ROLE_ARN=role.replace("aws", "aws-cn", 1), AWS_WEB_IDENTITY_TOKEN_FILE=token)
        self.assert_stops("127.0.0.1:1 cannot be reached", "web identity of the environment", AWS_ROLE_ARN=role, AWS_WEB_IDENTITY_TOKEN_FILE=token,
                          AWS_ENDPOINT_URL_STS="http://127.0.0.1:1")

    def test_a_profile_assumes_its_role_with_signatures_and_grants_verified(self):
        command = self.write("keys.sh", f'echo \'{json.dumps({"Version": 1, "AccessKeyId": self.base[0], "SecretAccessKey": self.base[1]})}\'')
        self.write(".aws/config", "[profile etl]\nrole_arn = arn:aws:iam::123456789012:role/loader\nsource_profile = base\n"
                   f"[profile base]\ncredential_process = sh {shlex.quote(command)}\n")
        self.verified()
        self.assert_reads(self.base[1], AWS_PROFILE="etl")

    def test_a_profile_that_cannot_be_used_stops(self):
        self.write(".aws/config", "[profile sso]\nsso_session = corp\n[profile etl]\nrole_arn = arn:aws:iam::123456789012:role/loader\n"
                   "credential_source = Environment\n[profile command]\ncredential_process = echo signed out >&2; exit 1\n")
        self.write(".aws/credentials", f"[refused]\naws_access_key_id = {self.nobody[0]}\naws_secret_access_key = {self.nobody[1]}\n"
                   f"[wrong]\naws_access_key_id = {self.base[0]}\naws_secret_access_key = not-its-secret-key\n"
                   "[expired]\naws_access_key_id = ASIAEXPIRED\naws_secret_access_key = x\naws_session_token = expired-session\n")
        self.assert_stops("IAM Identity Center (SSO)", "aws configure export-credentials --profile sso --format process", AWS_PROFILE="sso")
        self.assert_stops("profile 'etl'", "environment variables AWS_ACCESS_KEY_ID", AWS_PROFILE="etl")
        self.assert_stops("credential_process of profile 'command' ended with exit code 1: signed out", AWS_PROFILE="command")
        self.assert_stops("profile 'none' is neither in", AWS_PROFILE="none")
        self.verified()
        self.assert_stops("AccessDenied", "secretsmanager:GetSecretValue", "profile 'refused'", AWS_PROFILE="refused")
        self.assert_stops("profile 'wrong'", AWS_PROFILE="wrong")
        self.assert_stops("profile 'expired'", AWS_PROFILE="expired")

    def test_the_machines_role_is_what_is_left_when_nothing_is_configured(self):
        done = self.run_manifest(self.source("public", "good") + BY_SECRET)
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertGreater(self.metadata.asked, 0)
        self.assert_shows_none(done.log, "node-role-secret", "node-role-token")

    def test_a_login_to_redshift_by_iam_is_signed_and_its_refusals_say_what_to_do(self):
        self.aws.make_cluster("shop")
        self.verified()
        keys = {"AWS_ACCESS_KEY_ID": self.base[0], "AWS_SECRET_ACCESS_KEY": self.base[1]}
        manifest = """[sinks.target]
plugin = "redshift"
login = "${redshift-iam:%s}"
connection = { Driver = "PostgreSQL Unicode", Server = "127.0.0.1", Port = "1", SSLmode = "disable" }
"""

        def stops(name, *parts, **environment):
            done = self.run_manifest(self.source("public", "good") + manifest % name, "validate", "--probe", **environment)
            self.assertNotEqual(done.exit_code, 0, done.log)
            for part in parts:
                self.assertIn(part, done.log)
            self.assert_shows_none(done.log, self.base[1], self.nobody[1])

        stops("shop/dev/loader", "127.0.0.1", **keys)  # a login was given, and nothing listens where it is for
        stops("none/dev/loader", "cluster 'none' does not exist in region eu-west-1", **keys)
        stops("shop/dev/loader", "allow redshift:GetClusterCredentials on arn:aws:redshift:eu-west-1:ACCOUNT:dbuser:shop/loader",
              AWS_ACCESS_KEY_ID=self.nobody[0], AWS_SECRET_ACCESS_KEY=self.nobody[1])
        stops("shop", "the database is missing", **keys)
        self.aws.verify(False)
        self.aws.query("redshift", "PauseCluster", "2012-12-01", ClusterIdentifier="shop")
        stops("shop/dev/loader", "cluster 'shop' takes no connections: it is paus", "aws redshift resume-cluster --cluster-identifier shop", **keys)


class RedshiftApi(Service):
    """Gives logins of user IAM:loader that the front takes: each with a password of its own, the one before is refused."""

    def __init__(self, front, seconds):
        self.passwords = []
        self._front, self._seconds = front, seconds
        super().__init__()

    def answer(self, method, path, body):
        if urllib.parse.parse_qs(body)["Action"] == ["DescribeClusters"]:
            return 200, (f"<R><ClusterStatus>available</ClusterStatus><Endpoint><Address>{self._front.host}</Address><Port>{self._front.port}</Port>"
                         "</Endpoint></R>")
        self.passwords.append(f"temporary-password-{len(self.passwords)}")
        self._front.set_password("IAM:loader", self.passwords[-1])
        expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self._seconds)
        return 200, (f"<R><DbUser>IAM:loader</DbUser><DbPassword>{self.passwords[-1]}</DbPassword>"
                     f"<Expiration>{expires.isoformat(timespec='milliseconds').replace('+00:00', 'Z')}</Expiration></R>")


class Login(IdentityCase):
    """Rows through a login that says who and where."""

    MANIFEST = """[sinks.target]
plugin = "redshift"
login = "%s"
connection = { Driver = "PostgreSQL Unicode", SSLmode = "disable" }
connections = 2
"""

    @classmethod
    def setUpClass(cls):
        cls.front = RedshiftFront(users={"loader": "loader-secret", "IAM:loader": "not yet"})

    @classmethod
    def tearDownClass(cls):
        cls.front.stop()

    def assert_written(self, table):
        self.assertEqual(self.front.backend.value(self.front.database, f"select count(*) from public.{table}"), "3")

    def test_a_secret_as_secrets_manager_keeps_it_is_one_line_of_the_manifest(self):
        secret = {"engine": "redshift", "username": "loader", "password": "loader-secret", "host": self.front.host, "port": self.front.port,
                  "dbname": self.front.database}
        aws = Aws()
        self.addCleanup(aws.stop)
        aws.put_secret("redshift!shop-admin", secret)
        done = self.run_manifest(self.source("public", "by_secret") + self.MANIFEST % "${aws-sm:redshift!shop-admin}" + 'progress_schema = "by_secret"\n', AWS_ENDPOINT_URL=aws.endpoint,
                                 AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")
        self.assertEqual(done.exit_code, 0, done.log)
        self.assert_written("by_secret")
        self.assert_shows_none(done.log, "loader-secret")
        for wrong, word in (("not json loader-secret", "the login is no JSON object"), ({"username": "loader"}, "the login has no password"),
                            ({"username": "loader", "password": "loader-secret"}, "neither the connection nor the login says the host")):
            aws.put_secret("redshift!shop-admin", wrong)
            done = self.run_manifest(self.source("public", "by_secret") + self.MANIFEST % "${aws-sm:redshift!shop-admin}", AWS_ENDPOINT_URL=aws.endpoint, AWS_ACCESS_KEY_ID="a",
                                     AWS_SECRET_ACCESS_KEY="b")
            self.assertEqual(done.exit_code, 2, done.log)
            self.assertIn(word, done.log)
            self.assert_shows_none(done.log, "loader-secret")

    def test_a_login_by_iam_is_renewed_for_connections_that_come_when_it_is_about_to_expire(self):
        self.front.backend.value(self.front.database, f'grant create, temp on database {self.front.database} to "IAM:loader"')
        self.front.backend.value(self.front.database, 'grant usage, create on schema public to "IAM:loader"')
        with RedshiftApi(self.front, 60) as api:
            done = self.run_manifest(self.source("public", "by_iam") + self.MANIFEST % f"${{redshift-iam:shop/{self.front.database}/loader}}" + 'progress_schema = "by_iam"\n',
                                     AWS_ENDPOINT_URL_REDSHIFT=api.endpoint, AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="signing-secret")
            self.assertEqual(done.exit_code, 0, done.log)
            self.assert_written("by_iam")
            # One for the start; good for a minute only, so that the first connection took another.
            self.assertGreater(len(api.passwords), 1)
            self.assert_shows_none(done.log, "signing-secret", "temporary-password")


class Sts(Service):
    """Gives the keys of `s3` to who shows `token`."""

    def __init__(self, s3, token):
        self._s3, self._token = s3, token
        super().__init__()

    def answer(self, method, path, body):
        if urllib.parse.parse_qs(body).get("WebIdentityToken") != [self._token]:
            return 400, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>no</Message></Error></ErrorResponse>"
        return 200, ("<R><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>session-of-the-role</SessionToken>"
                     "<Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></R>" % (self._s3.access_key, self._s3.secret_key))


class Staging(IdentityCase):
    """Files for COPY are written as the identity that is configured."""

    @classmethod
    def setUpClass(cls):
        cls.s3 = S3(secret_key="role-secret-of-the-test", tokens=True)
        cls.front = RedshiftFront(cls.s3)

    @classmethod
    def tearDownClass(cls):
        cls.front.stop()
        cls.s3.stop()

    def run_staged(self, staging="", **environment):
        front = self.front
        manifest = self.source("public", "staged") + f"""[sinks.target]
plugin = "redshift"
connection = {{ Driver = "PostgreSQL Unicode", Server = "{front.host}", Port = "{front.port}", Database = "{front.database}", UID = "{front.user}", PWD = "{front.password}", SSLmode = "disable" }}
copy_from_rows = 0
[sinks.target.staging]
url = "s3://{self.s3.bucket}/identity/"
region = "eu-west-1"
endpoint = "{self.s3.endpoint}"
path_style = true
{staging}
"""
        return self.run_manifest(manifest, **environment)

    def test_a_web_identity_writes_the_files_and_one_that_fails_leaves_them_to_nobody(self):
        token = self.write("token", "token-of-the-pod\n")
        identity = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/loader", "AWS_WEB_IDENTITY_TOKEN_FILE": token}
        with Sts(self.s3, "token-of-the-pod") as sts:
            identity["AWS_ENDPOINT_URL_STS"] = sts.endpoint
            done = self.run_staged('iam_role = "default"', **identity)
            self.assertEqual(done.exit_code, 0, done.log)
            self.assertIn("as web identity of the environment (role arn:aws:iam::123456789012:role/loader)", done.log)
            self.assertEqual(self.front.query("select count(*) from staged"), [["3"]])
            self.assert_shows_none(done.log, "role-secret-of-the-test", "session-of-the-role", "token-of-the-pod")
            self.write("token", "another-token")
            done = self.run_staged('iam_role = "default"', **identity)
            self.assertEqual(done.exit_code, 3, done.log)
            self.assertIn("InvalidIdentityToken", done.log)
            self.assertIn("OpenID Connect provider", done.log)
            self.assertNotIn("may be left", done.log)  # nothing was written
        self.assertEqual(self.metadata.asked, 0)

    def test_a_profile_with_a_role_and_a_role_of_another_partition_stop(self):
        self.write(".aws/config", "[profile etl]\nrole_arn = arn:aws:iam::123456789012:role/etl\ncredential_source = Environment\n")
        done = self.run_staged('profile = "etl"')
        self.assertEqual(done.exit_code, 3, done.log)
        self.assertIn("profile 'etl'", done.log)
        done = self.run_staged('iam_role = "arn:aws-cn:iam::123456789012:role/copy"')
        self.assertEqual(done.exit_code, 2, done.log)
        self.assertIn("is of partition aws-cn, but region eu-west-1 is of partition aws", done.log)
        self.assertIn("iam_role", done.log)
        self.assertEqual(self.metadata.asked, 0)


class Grants(IdentityCase):
    """What docs/redshift.md grants the user of the pipeline is what it needs."""

    @classmethod
    def setUpClass(cls):
        cls.front = RedshiftFront(users={"owner": "owner-secret", "loader": "loader-secret"})

    @classmethod
    def tearDownClass(cls):
        cls.front.stop()

    @staticmethod
    def documented():
        with open(os.path.join(program.PROJECT, "docs", "redshift.md"), encoding="utf-8") as file:
            block = file.read().partition("## 4. The user")[2].partition("```sql\n")[2].partition("```")[0]
        statements = [line.partition("--")[0].strip() for line in block.splitlines()]
        return [statement for statement in statements if statement and not statement.startswith("CREATE USER")]  # the front has it

    def run_as_loader(self):
        manifest = self.source("sales", "adopted", "made") + f"""[sinks.target]
plugin = "redshift"
connection = {{ Driver = "PostgreSQL Unicode", Server = "{self.front.host}", Port = "{self.front.port}", Database = "{self.front.database}", UID = "loader", PWD = "loader-secret", SSLmode = "disable" }}
connections = 1
stall_after = "1s"
[runtime]
shutdown_timeout = "1s"
"""
        return self.run_manifest(manifest)

    def grant(self, missing=None):
        """A database of its own with a table of somebody else's, and all of the documented grants but one; answers that one."""
        self.front.database = f"shop{'' if missing is None else missing}"
        self.front.create(self.front.database)
        grants = [statement.replace(" shop ", f" {self.front.database} ") for statement in self.documented()]
        self.assertEqual(len(grants), 3, grants)
        self.front.sql(f"revoke temp on database {self.front.database} from public; create schema sales; create table sales.adopted (id bigint, v varchar(64))")
        self.front.sql("\n".join(statement for number, statement in enumerate(grants) if number != missing))
        return None if missing is None else grants[missing]

    def test_the_documented_grants_are_enough(self):
        self.grant()
        done = self.run_as_loader()
        self.assertEqual(done.exit_code, 0, done.log)
        for table in ("adopted", "made"):
            self.assertEqual(self.front.backend.value(self.front.database, f"select count(*) from sales.{table}"), "3")

    def test_none_of_the_documented_grants_is_idle(self):
        for number in range(3):
            missing = self.grant(number)
            done = self.run_as_loader()
            self.assertNotEqual(done.exit_code, 0, f"works without: {missing}")


if __name__ == "__main__":
    import unittest
    unittest.main()
