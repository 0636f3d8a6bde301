"""Staging against a real S3 server that verifies signatures: the unit program's live cases."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import process  # noqa: E402
from lab.s3 import S3  # noqa: E402

PROGRAM = os.environ.get("CDCRT_TEST_AWS", os.path.join(os.path.dirname(os.environ.get("CDCRT_BINARY", "build/release/bin/cdcrt")), "test_aws"))


class Staging(process.Case):
    def test_what_is_staged_arrives_and_what_is_aborted_or_deleted_leaves_nothing(self):
        server = S3()
        done = subprocess.run([PROGRAM, "--test-case=live S3*"], env={**os.environ, "CDCRT_TEST_S3": server.endpoint}, capture_output=True,
                              text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("test cases:   3 |   3 passed", done.stdout)
        self.assertEqual(server.keys(), [])
        self.assertEqual(server.uploads(), [])
        server.stop()
