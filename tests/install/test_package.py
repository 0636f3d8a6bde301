"""cdcrt is installed into a fresh folder, and a plugin is begun, built, tested and used from there."""

import filecmp
import json
import os
import subprocess
import tempfile
import unittest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("CDCRT_BUILD", os.path.join(os.path.dirname(TESTS), "build", "release"))
COMPILER = os.environ.get("CDCRT_COMPILER", "c++")

# A format that needs more of the SDK: JSON, declared types, keys, partial rows.
READINGS_FORMAT = r"""
#include <string>

#include "cdcrt/sdk/format.hpp"
#include "cdcrt/sdk/json.hpp"
#include "cdcrt/sdk/table_shape.hpp"
#include "cdcrt/sdk/type.hpp"

namespace sdk = cdcrt::sdk;

class Readings : public sdk::Format {
 public:
  static constexpr const char* kSummary = "Readings of sensors";

  sdk::Status decode(sdk::Messages messages, sdk::RowBuilder& rows) override {
    sdk::TableShape shape("readings");
    shape.declared();
    const uint32_t id = shape.add("id", sdk::type::int64(), CDCRT_COLUMN_NOT_NULL);
    const uint32_t at = shape.add("at", sdk::type::timestamptz());
    const uint32_t value = shape.add("value", sdk::type::decimal(12, 3));
    if (sdk::Status status = shape.set_key({"id"}); !status) return status;
    const uint32_t number = rows.intern(shape.abi());
    return sdk::each_message(messages, rows, [&](const sdk::Message& message) -> sdk::Status {
      if (sdk::Status status = document_.parse(message.has_value() ? message.value() : message.key()); !status) return status;
      const auto cells = rows.take_row(shape.size());
      for (const uint32_t column : {id, at, value}) {
        sdk::Status status = sdk::set_value(cells[column], shape.type(column), document_.root()[shape.name(column)], rows);
        if (!status) return status;
      }
      const bool whole = cells[at].tag != CDCRT_ABSENT && cells[value].tag != CDCRT_ABSENT;
      rows.begin_row(!message.has_value() ? CDCRT_DELETE : whole ? CDCRT_INSERT : CDCRT_UPDATE, message.index(), number, cells);
      return {};
    });
  }

 private:
  sdk::JsonDocument document_;
};

CDCRT_FORMAT("readings", "1.0.0", Readings, sdk::kNoOptions)
"""

READINGS = [
    {"topic": "r", "partition": 0, "offset": 4, "key": None, "payload": '{"id": 1, "at": "2026-01-02T03:04:05Z", "value": "12.500"}'},
    {"topic": "r", "partition": 0, "offset": 5, "key": None, "payload": '{"id": 1, "value": 12345678901234567890.5}'},
    {"topic": "r", "partition": 0, "offset": 6, "key": '{"id": 1}', "payload": None},
    {"topic": "r", "partition": 0, "offset": 7, "key": None, "payload": '{"id": "x"}'},
    {"topic": "r", "partition": 0, "offset": 8, "key": None, "payload": '{"id"'},
]

CMAKE = """cmake_minimum_required(VERSION 3.20)
project(readings CXX)
find_package(cdcrt REQUIRED)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Werror)
cdcrt_add_plugin(NAME readings KIND format SOURCES readings.cpp every_header.cpp LIBRARIES cdcrt::json)
cdcrt_add_plugin(NAME guide KIND format SOURCES guide.cpp LIBRARIES cdcrt::json)
"""


def guide_example():
    """The format that docs/writing-a-plugin.md shows, under a name of its own."""
    with open(os.path.join(os.path.dirname(TESTS), "docs", "writing-a-plugin.md"), encoding="utf-8") as file:
        blocks = file.read().split("```cpp\n")[1:]
    return next(block.split("```")[0] for block in blocks if "CDCRT_FORMAT(" in block).replace('CDCRT_FORMAT("readings"', 'CDCRT_FORMAT("guide"')


def run(*arguments, folder=None, environment=None, input=None):
    return subprocess.run(arguments, cwd=folder, env={**os.environ, **(environment or {})}, input=input, text=True, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@unittest.skipIf(os.environ.get("CDCRT_SANITIZE"), "a sanitized program loads only plugins that are sanitized as well")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="cdcrt-install-")
        cls.prefix = os.path.join(cls.scratch.name, "prefix")
        cls.done("cmake", "--install", BUILD, "--prefix", cls.prefix)
        cls.program = os.path.join(cls.prefix, "bin", "cdcrt")

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    @classmethod
    def done(cls, *arguments, **more):
        result = run(*arguments, **more)
        if result.returncode != 0:
            raise AssertionError(f"{' '.join(arguments)} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
        return result.stdout

    def build(self, source):
        build = os.path.join(source, "build")
        self.done("cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_CXX_COMPILER={COMPILER}",
                  f"-DCMAKE_INSTALL_PREFIX={self.prefix}")
        self.done("cmake", "--build", build)
        return build

    def test_the_tree_holds_program_plugins_headers_and_package(self):
        for path in ("bin/cdcrt", "lib/cdcrt/plugins/format-debezium-json.so", "include/cdcrt/abi/plugin.h", "include/cdcrt/sdk/format.hpp",
                     "lib/cmake/cdcrt/cdcrtConfig.cmake", "lib/cmake/cdcrt/CdcrtPlugin.cmake"):
            self.assertTrue(os.path.exists(os.path.join(self.prefix, path)), path)
        self.assertIn("debezium-json", self.done(self.program, "plugin", "list"))

    def test_a_new_project_builds_passes_its_test_and_is_used(self):
        project = os.path.join(self.scratch.name, "lines")
        self.done(self.program, "plugin", "new", "format", "sensor-lines", "--folder", project)
        build = self.build(project)
        self.done("ctest", "--test-dir", build, "--output-on-failure")
        # The corpus is written as the program writes it.
        before = os.path.join(self.scratch.name, "rows.before")
        rows = os.path.join(project, "corpus", "people.rows")
        self.done("cp", rows, before)
        self.done("ctest", "--test-dir", build, environment={"CDCRT_UPDATE_CORPUS": "1"})
        self.assertTrue(filecmp.cmp(before, rows, shallow=False))
        # A change of its rows is seen.
        with open(rows, "a", encoding="utf-8") as file:
            file.write("{}\n")
        self.assertNotEqual(run("ctest", "--test-dir", build).returncode, 0)

        self.done("cmake", "--install", build)
        text = run(self.program, "decode", "--plugin", "sensor-lines", "--option", 'columns=["id", "name"]', "--option", "key=id", "--topic",
                   "shop.people", input="7;Ada\n7,Ada\n")
        self.assertEqual(text.returncode, 4, text.stderr)
        self.assertEqual(text.stdout.splitlines(),
                         ["line 1: dead letter: 1 fields instead of 2 (check `columns` and `separator` of the format)",
                          "shape 0: people, types learned", "  id unknown, key 1", "  name unknown",
                          'line 2: insert people (shape 0) id="7" name="Ada"'])
        refused = run(self.program, "decode", "--plugin", "sensor-lines", "--option", 'columns=["id"]', "--option", "key=name", input="")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--option:2:", refused.stderr)
        self.assertIn('"name" is none of the columns', refused.stderr)
        self.assertIn("sensor-lines", self.done(self.program, "plugin", "list"))

        with self.subTest("an option gets a better name, and manifests with the former one go on"):
            source = os.path.join(project, "src", "sensor-lines.cpp")
            with open(source, encoding="utf-8") as file:
                text = file.read()
            with open(source, "w", encoding="utf-8") as file:
                file.write(text.replace('option::list("columns")', 'option::list("columns").formerly("fields")', 1))
            self.done("cmake", "--install", self.build(project))
            former = run(self.program, "decode", "--plugin", "sensor-lines", "--option", 'fields=["id", "name"]', "--topic", "people", input="7,Ada\n")
            self.assertIn('insert people (shape 0) id="7" name="Ada"', former.stdout)
            self.assertIn("--option:1:1: warning[E0210]: 'fields' is called 'columns' now", former.stderr)
            manifest = os.path.join(self.scratch.name, "former.toml")
            with open(manifest, "w", encoding="utf-8") as file:
                file.write('[pipeline]\nname = "former"\n[sources.s]\nplugin = "file"\npaths = "-"\nlayout = "values"\ntopic = "people"\n'
                           '[sources.s.format]\nplugin = "sensor-lines"\nfields = ["id", "name"]\n[sinks.none]\nplugin = "blackhole"\n')
            told = run(self.program, "validate", "--manifest", manifest)
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertIn("former.toml:10:1: warning[E0210]: 'fields' in [sources.s.format] is called 'columns' now\n"
                          '  fields = ["id", "name"]\n  ^~~~~~\nhelp: write \'columns\'', told.stderr)
            both = run(self.program, "validate", "--manifest", manifest, "--set", 'sources.s.format.columns=["id"]')
            self.assertEqual(both.returncode, 2)
            self.assertIn("'fields' in [sources.s.format] is the former name of 'columns', which is given as well", both.stderr)
            self.assertIn("deprecated: its former name fields", self.done(self.program, "plugin", "describe", "format-sensor-lines"))

        again = run(self.program, "plugin", "new", "format", "sensor-lines", "--folder", project)
        self.assertEqual(again.returncode, 2)
        self.assertIn("is there already", again.stderr)

    def test_plugins_with_json_and_declared_types_are_built_with_warnings_as_errors(self):
        project = os.path.join(self.scratch.name, "readings")
        os.mkdir(project)
        headers = os.path.join(self.prefix, "include", "cdcrt")
        includes = [f'#include "cdcrt/{kind}/{name}"' for kind in ("abi", "sdk") for name in sorted(os.listdir(os.path.join(headers, kind)))]
        for name, text in (("CMakeLists.txt", CMAKE), ("readings.cpp", READINGS_FORMAT), ("every_header.cpp", "\n".join(includes) + "\n"),
                           ("guide.cpp", guide_example())):
            with open(os.path.join(project, name), "w", encoding="utf-8") as file:
                file.write(text)
        build = self.build(project)
        shown = run(self.program, "decode", "--plugin", os.path.join(build, "plugins", "format-guide.so"), input='{"id":7,"value":1.50}\n')
        self.assertEqual(shown.stdout.splitlines()[-1], "line 1: insert readings (shape 0) id=7 value=1.50", shown.stderr)
        messages = os.path.join(project, "readings.kcat")
        with open(messages, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(message) + "\n" for message in READINGS)
            # A payload that is JSON itself is taken as it stands.
            file.write('{"topic":"r","partition":0,"offset":9,"payload":{"id":2, "value":12345678901234567890.10}}\n')
        result = run(self.program, "decode", "--plugin", os.path.join(build, "plugins", "format-readings.so"), "--layout", "kcat", "--output",
                     "json", messages)
        self.assertEqual(result.returncode, 4, result.stderr)
        shape, *rows = [json.loads(line, parse_float=str) for line in result.stdout.splitlines()]
        self.assertEqual([(column["name"], column["type"]) for column in shape["columns"]],
                         [("id", "int64"), ("at", "timestamptz"), ("value", "decimal(12,3)")])
        self.assertTrue(shape["declared"] and shape["keyed"])
        self.assertEqual([row.get("op", "dead_letter") for row in rows], ["insert", "update", "delete", "dead_letter", "dead_letter", "update"])
        self.assertEqual(rows[0]["row"], {"id": 1, "at": "2026-01-02T03:04:05+00:00", "value": "12.500"})
        self.assertEqual(rows[0]["row_tags"], "I64 TIMESTAMPTZ DECIMAL")
        self.assertEqual(rows[1]["row"], {"id": 1, "value": "12345678901234567890.5"})
        self.assertEqual(rows[2]["row"], {"id": 1})
        self.assertEqual(rows[3]["message"], '"x" is not a 64-bit integer')
        self.assertIn("ends too early", rows[4]["message"])
        self.assertEqual(rows[5]["row"], {"id": 2, "value": "12345678901234567890.10"})


if __name__ == "__main__":
    unittest.main()
