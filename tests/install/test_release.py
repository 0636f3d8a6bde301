"""scripts/release, in a copy of this tree with a history of its own: what it refuses, what it makes, what it tags."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import unittest

from install.packages import BUILD, PROJECT, done, place
from install.test_packages import version

IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@localhost", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@localhost",
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z", "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z"}
COPIED = ("CMakeLists.txt", "CHANGELOG.md", ".gitignore", "scripts/release", "scripts/bill_of_materials")


@unittest.skipIf(os.environ.get("CDCRT_SANITIZE"), "sanitized programs are not shipped")
class Release(unittest.TestCase):
    def setUp(self):
        self.tree = place("release")
        os.mkdir(os.path.join(self.tree, "scripts"))
        for name in COPIED:
            shutil.copy(os.path.join(PROJECT, name), os.path.join(self.tree, name))
        self.version = version()
        # As whoever releases does it by hand.
        self.changelog(lambda text: re.sub(r"^## \[Unreleased\].*$", f"## [{self.version}] - 2026-01-02", text, count=1, flags=re.MULTILINE))
        self.git("init", "-q", "-b", "main")
        self.commit()

    def git(self, *arguments):
        return done("git", *arguments, cwd=self.tree, env={**os.environ, **IDENTITY})

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "a state")

    def changelog(self, change):
        path = os.path.join(self.tree, "CHANGELOG.md")
        with open(path, encoding="utf-8") as file:
            text = change(file.read())
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def release(self, *arguments, expect=0):
        result = subprocess.run([os.path.join(self.tree, "scripts/release"), *arguments, "--skip-build", "--build", BUILD], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **IDENTITY})
        self.assertEqual(result.returncode, expect, result.stdout)
        return result.stdout

    def made(self):
        folder = os.path.join(self.tree, "build/releases", self.version)
        return folder, sorted(os.listdir(folder))

    def test_a_dry_run_makes_everything_but_the_tag_and_a_release_tags_it(self):
        told = self.release(self.version, "--dry-run")
        self.assertIn(f"dry run: no tag v{self.version}", told)
        self.assertEqual(self.git("tag"), "")
        folder, names = self.made()
        self.assertEqual([name for name in names if re.fullmatch(r"cdcrt(-dev)?_.*\.deb", name)], [name for name in names if name.endswith(".deb")])
        self.assertEqual(sum(name.endswith(".deb") for name in names), 2)
        for name in ("SHA256SUMS", "CHANGES.md", f"cdcrt-{self.version}.cdx.json"):
            self.assertIn(name, names)
        with open(os.path.join(folder, "SHA256SUMS"), encoding="utf-8") as file:
            sums = dict(reversed(line.split()) for line in file)
        self.assertEqual(sorted(sums), [name for name in names if name != "SHA256SUMS"])
        for name, sum_ in sums.items():
            with open(os.path.join(folder, name), "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), sum_, name)
        self.check_bill(os.path.join(folder, f"cdcrt-{self.version}.cdx.json"))

        self.assertIn(f"tagged v{self.version}", self.release(self.version))
        message = self.git("tag", "--list", "--format=%(contents)", f"v{self.version}")
        self.assertIn(f"cdcrt {self.version}\n\n### Added\n", message)
        self.assertIn("there is a tag", self.release(self.version, "--dry-run", expect=1))

    def check_bill(self, path):
        with open(path, encoding="utf-8") as file:
            bill = json.load(file)
        self.assertEqual((bill["bomFormat"], bill["specVersion"]), ("CycloneDX", "1.5"))
        self.assertEqual(bill["metadata"]["timestamp"], "2026-01-02T03:04:05Z")
        own = bill["metadata"]["component"]
        self.assertEqual((own["name"], own["version"]), ("cdcrt", self.version))
        by_reference = {component["bom-ref"]: component for component in bill["components"]}
        self.assertEqual(len(by_reference), len(bill["components"]))
        below = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
        direct = {by_reference[each]["name"] for each in below[own["bom-ref"]]}
        self.assertTrue({"librdkafka1", "libpq5", "libssl3", "libc6"} <= direct, direct)
        # What a library needs is there as well, and nothing that nobody needs.
        reached, waiting = set(), [own["bom-ref"]]
        while waiting:
            for each in below[waiting.pop()]:
                if each not in reached:
                    reached.add(each)
                    waiting.append(each)
        self.assertEqual(reached, set(by_reference))
        krb5 = [component for component in bill["components"] if component["name"] == "libkrb5-3"]
        self.assertEqual(krb5[0]["version"], done("dpkg-query", "-W", "-f=${Version}", "libkrb5-3"))
        self.assertTrue(all(component["purl"].startswith("pkg:deb/debian/") for component in bill["components"]))
        self.assertEqual([component["name"] for component in bill["components"] if not component.get("licenses")], [])
        # Headers that are compiled in: no update of a shared library mends them.
        self.assertTrue({"rapidjson-dev", "libtomlplusplus-dev"} <= direct, direct)

    def test_what_is_not_ready_is_refused_with_what_to_do(self):
        self.assertIn("is no version", self.release("1.0", expect=1))
        self.assertIn(f"CMakeLists.txt says {self.version}, not 99.0.0", self.release("99.0.0", expect=1))
        with open(os.path.join(self.tree, "left over"), "w", encoding="utf-8"):
            pass
        told = self.release(self.version, expect=1)
        self.assertIn("not everything is committed", told)
        self.assertIn("left over", told)
        os.remove(os.path.join(self.tree, "left over"))
        heading = f"## [{self.version}] - 2026-01-02"
        for text, why in ((f"## [{self.version}]", "has no date"), ("## [Unreleased]", "turn [Unreleased] into it"),
                          (heading + "\n\n## [0.0.1] - 2025-01-01", "says nothing")):
            self.changelog(lambda whole, text=text: whole.replace(heading, text, 1))
            self.commit()
            self.assertIn(why, self.release(self.version, expect=1))
            self.changelog(lambda whole, text=text: whole.replace(text, heading, 1))
            self.commit()
        self.assertEqual(self.git("tag"), "")
        self.assertFalse(os.path.exists(os.path.join(self.tree, "build")))


if __name__ == "__main__":
    unittest.main()
