"""${aws-sm:...} against a service that answers as AWS Secrets Manager does."""

import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from integration import program  # noqa: E402
from lab import process  # noqa: E402
from lab.aws import Aws  # noqa: E402

MANIFEST = """
[pipeline]
name = "secrets"
[sources.events]
plugin = "file"
paths = ["%(events)s"]
format.plugin = "debezium-json"
[sinks.target]
plugin = "odbc"
connection = { Driver = "SQLite3", Database = "${aws-sm:shop/db#file}" }
"""


class Secrets(process.Case):
    @classmethod
    def setUpClass(cls):
        cls.service = Aws()

    @classmethod
    def tearDownClass(cls):
        cls.service.stop()

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.manifest = os.path.join(self.folder, "secrets.toml")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(MANIFEST % {"events": os.path.join(program.TESTS, "data", "debezium-postgres", "events.jsonl.gz")})
        self.environment = {"AWS_ENDPOINT_URL": self.service.endpoint, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a",
                            "AWS_SECRET_ACCESS_KEY": "b", "AWS_EC2_METADATA_DISABLED": "true", "HOME": self.folder}

    def run_with(self, **changes):
        return program.run(["run", "--manifest", self.manifest], {**self.environment, **changes}, self.folder)

    def test_a_missing_secret_is_told_at_its_place_and_validate_needs_no_service(self):
        done = self.run_with()
        self.assertEqual(done.exit_code, 3, done.log)
        self.assertIn("E0307", done.log)
        self.assertIn("secret 'shop/db' does not exist in region eu-west-1", done.log)
        self.assertIn("secrets.toml:10:", done.log)
        checked = program.run(["validate", "--manifest", self.manifest], {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, self.folder)
        self.assertEqual(checked.exit_code, 0, checked.log)

    def test_no_keys_and_no_region_say_what_was_looked_at(self):
        done = self.run_with(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        self.assertEqual(done.exit_code, 3, done.log)
        self.assertIn("no AWS credentials were found. Looked at: environment variables AWS_ACCESS_KEY_ID", done.log)
        done = self.run_with(AWS_REGION="", AWS_DEFAULT_REGION="")
        self.assertEqual(done.exit_code, 3, done.log)
        self.assertIn("the region of secret 'shop/db' is not known", done.log)

    def test_a_secret_is_used_and_shown_nowhere(self):
        target = os.path.join(self.folder, "hidden-name.db")
        self.service.secrets("CreateSecret", Name="shop/db", SecretString='{"file": "%s"}' % target)
        done = self.run_with()
        self.assertEqual(done.exit_code, 0, done.log)
        self.assertTrue(os.path.exists(target))
        self.assertNotIn("hidden-name", done.log)
