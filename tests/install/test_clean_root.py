"""The packages in a minimal Debian 12: `apt install` brings what they need, the quickstart runs, a plugin is built, all of it goes again.

The root is made once for a machine (a minute) and kept in ~/.cache/cdcrt. With CDCRT_WHOLE=1 the plugin is built by the root's own compiler,
which is then installed there; else by the machine's."""

import json
import os
import shutil
import sqlite3
import unittest

from install.packages import clean_root, done, enters_roots, inside, packages

COMPILER = os.environ.get("CDCRT_COMPILER", "c++")
EVENTS = [{"topic": "people", "partition": 0, "offset": offset, "key": None, "payload": payload}
          for offset, payload in enumerate(['{"before":null,"after":{"id":1},"source":{"table":"people"},"op":"c"}', "no event"])]
MANIFEST = """
[pipeline]
name = "shop"
[sources.events]
plugin = "file"
paths = ["/srv/events.jsonl"]
format.plugin = "debezium-json"
[sinks.db]
plugin = "odbc"
connection = { Driver = "SQLite3", Database = "/var/lib/cdcrt/shop/shop.db" }
"""


@unittest.skipIf(os.environ.get("CDCRT_SANITIZE"), "sanitized programs are not shipped")
@unittest.skipUnless(enters_roots(), "a root is entered by a root that may mount: `unshare --mount true` fails here")
class CleanRoot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = clean_root()
        for package in packages()[:2]:
            shutil.copy(package, os.path.join(cls.root, "srv"))
        cls.runtime, cls.development = (os.path.join("/srv", os.path.basename(package)) for package in packages()[:2])
        cls.inside("apt-get", "update", "-qq")

    @classmethod
    def inside(cls, *arguments, user="0:0", folder="/", expect=0):
        """What a command in the root prints."""
        result = inside(cls.root, "env", f"--chdir={folder}", *arguments, user=user)
        if result.returncode != expect:
            raise AssertionError(f"{' '.join(arguments)} ended with {result.returncode}:\n{result.stdout}")
        return result.stdout

    @classmethod
    def write(cls, path, text):
        path = os.path.join(cls.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def test_it_is_installed_runs_builds_a_plugin_and_is_removed(self):
        self.inside("apt-get", "install", "-y", "-qq", self.runtime)
        with self.subTest("every library is there, and every plugin is accepted"):
            told = self.inside("cdcrt", "plugin", "list")
            self.assertNotIn("refused", told)
            for plugin in ("kafka", "debezium-json", "dms", "flink-cdc", "odbc", "postgresql", "redshift"):
                self.assertIn(plugin, told)
        with self.subTest("the quickstart runs, as a user who may write nothing but there"):
            self.inside("install", "-d", "-o", "nobody", "/srv/quick")
            self.inside("cp", "-r", "/usr/share/doc/cdcrt/examples", ".", user="nobody:nogroup", folder="/srv/quick")
            told = self.inside("cdcrt", "--manifest", "examples/quickstart.toml", user="nobody:nogroup", folder="/srv/quick")
            with sqlite3.connect(os.path.join(self.root, "srv/quick/quickstart.db")) as database:
                customers, = database.execute("SELECT count(*) FROM customers").fetchone()
            self.assertGreater(customers, 100, told)
        with self.subTest("what the service runs: nothing is written beside the manifest"):
            self.write("etc/cdcrt/shop.toml", MANIFEST)
            self.write("srv/events.jsonl", "".join(json.dumps(event) + "\n" for event in EVENTS))
            self.inside("install", "-d", "-o", "nobody", "/var/lib/cdcrt/shop")
            self.inside("cdcrt", "validate", "--manifest", "/etc/cdcrt/shop.toml", user="nobody:nogroup")
            self.inside("cdcrt", "run", "--manifest", "/etc/cdcrt/shop.toml", user="nobody:nogroup", expect=4)
            self.assertEqual(os.listdir(os.path.join(self.root, "etc/cdcrt")), ["shop.toml"])
            kept = os.listdir(os.path.join(self.root, "var/lib/cdcrt/shop/dead_letters"))
            self.assertEqual(len(kept), 1)
            # An operator who asks finds them in their place.
            self.assertIn("undecodable", self.inside("cdcrt", "dlq", "list", "--all", "--manifest", "/etc/cdcrt/shop.toml"))
        with self.subTest("a plugin is built with cdcrt-dev and used"):
            self.build_a_plugin()
        with self.subTest("what was installed goes, what is the operator's stays"):
            self.inside("apt-get", "purge", "-y", "-qq", "cdcrt", "cdcrt-dev")
            self.assertEqual(self.inside("find", "/usr", "-name", "*cdcrt*"), "")
            self.assertTrue(os.path.exists(os.path.join(self.root, "etc/cdcrt/shop.toml")))
            self.assertTrue(os.path.exists(os.path.join(self.root, "var/lib/cdcrt/shop/shop.db")))

    def build_a_plugin(self):
        self.inside("apt-get", "install", "-y", "-qq", "--no-install-recommends", self.development)
        self.inside("cdcrt", "plugin", "new", "format", "sensor-lines", "--folder", "/srv/lines")
        source = "/srv/lines"
        if os.environ.get("CDCRT_WHOLE"):
            self.inside("apt-get", "install", "-y", "-qq", "--no-install-recommends", "cmake", "g++", "make", "rapidjson-dev")
            self.inside("cmake", "-S", source, "-B", source + "/build")
            self.inside("cmake", "--build", source + "/build")
            self.inside("ctest", "--test-dir", source + "/build", "--output-on-failure")
        else:
            outside = self.root + source
            done("cmake", "-S", outside, "-B", outside + "/build", f"-DCMAKE_PREFIX_PATH={self.root}/usr", f"-DCMAKE_CXX_COMPILER={COMPILER}",
                 "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF")
            cache = done("cmake", "-L", "-N", outside + "/build")
            self.assertIn(f"cdcrt_DIR:PATH={self.root}/usr/lib/cmake/cdcrt", cache)
            done("cmake", "--build", outside + "/build")
            done("ctest", "--test-dir", outside + "/build", "--output-on-failure")
        self.write("srv/people.txt", "7,Ada\n")
        told = self.inside("cdcrt", "decode", "--plugin", source + "/build/plugins/format-sensor-lines.so", "--option", 'columns=["id", "name"]',
                           "--option", "key=id", "/srv/people.txt")
        self.assertIn('id="7" name="Ada"', told)


if __name__ == "__main__":
    unittest.main()
