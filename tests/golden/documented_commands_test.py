"""documented_commands.py finds what is wrong in a document, and names its file and line."""

import os
import tempfile
import unittest

import documented_commands
from documents import Block

CDCRT = os.environ["CDCRT_BINARY"]
LINE = 41


class Wrong(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(place.cleanup)
        cls.folder = place.name
        cls.sessions = documented_commands.Sessions(CDCRT, cls.folder)

    def manifest(self, text, mark=""):
        return documented_commands.problem_of_manifest(CDCRT, self.folder, Block("docs/x.md", LINE, "toml", mark, text), "")

    def session(self, text, mark=""):
        return self.sessions.problem(Block("docs/x.md", LINE, "sh", mark, text))

    def test_a_manifest_with_an_unknown_key_is_found_at_its_line(self):
        self.assertIn("docs/x.md:43:1: error[E0203]", self.manifest('[sinks.x]\nplugin = "blackhole"\nreprot = true\n'))

    def test_a_part_of_a_manifest_is_completed(self):
        self.assertEqual(self.manifest('[sinks.x]\nplugin = "blackhole"\nreport = true\n'), "")
        self.assertEqual(self.manifest('[sinks.warehouse]\nconnections = 3\n', "with manifests/redshift-provisioned.toml"), "")
        self.assertEqual(self.manifest('[people]\nkey = ["id"]\n', "not a manifest"), "")

    def test_a_command_that_fails_is_found_at_its_line(self):
        for wrong in ("cdcrt sttaus -m shop.toml", "cdcrt status -m shop.toml --verbose", "cdcrt status -m nowhere.toml", "scripts/no-such-script", "python3 bench/no_such_bench.py",
                      "no-such-program"):
            with self.subTest(wrong):
                self.assertIn("docs/x.md:42: the command fails", self.session(f"cdcrt status -m shop.toml   # well\n{wrong}\n"))

    def test_a_session_that_holds_is_well(self):
        self.assertEqual(self.session("cdcrt --manifest shop.toml\ncdcrt dlq show -m X.toml --id ID\nscripts/test --fast\npython3 -m unittest integration.test_kill.Kill\n"), "")

    def test_options_and_commands_in_sentences_are_looked_up(self):
        commands = documented_commands.Commands(CDCRT)
        for command, wrong in (("cdcrt progress rewind --form earliest", "no option --form"), ("cdcrt tables list", "no command 'tables'"), ("cdcrt plugin bench", "no command 'bench'")):
            with self.subTest(command):
                self.assertIn(wrong, commands.problem(command))
        for command in ("cdcrt progress rewind --table T --to ...", "cdcrt reference types", "cdcrt --check-plugins", "cdcrt table resume T"):
            with self.subTest(command):
                self.assertEqual(commands.problem(command), "")


if __name__ == "__main__":
    unittest.main()
