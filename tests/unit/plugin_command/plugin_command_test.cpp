#include <doctest/doctest.h>

#include <sstream>
#include <string>

#include "cli/plugin_command.hpp"
#include "paths.hpp"

using cdcrt::cli::DescriptionFormat;

namespace {

const std::vector<cdcrt::plugin::SearchPlace> kPlaces = {{paths::plugins(), "the build"}};

std::string described(const std::string& name, DescriptionFormat format, int exit_code = 0) {
  std::ostringstream out;
  CHECK(cdcrt::cli::plugin_describe(name, kPlaces, format, out) == exit_code);
  return out.str();
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr cdcrt_option kOptions[] = {
    {sizeof(cdcrt_option), CDCRT_OPTION_DURATION, CDCRT_OPTION_MINIMUM | CDCRT_OPTION_MAXIMUM, "wait", "A | in a text.\nTwo lines.", "30s",
     nullptr, nullptr, 1000, 3600e6, nullptr},
    {sizeof(cdcrt_option), CDCRT_OPTION_STRING, CDCRT_OPTION_SECRET | CDCRT_OPTION_REQUIRED, "token", "Opens the door.", nullptr, "\"x\"",
     nullptr, 0, 0, nullptr},
    {sizeof(cdcrt_option), CDCRT_OPTION_BYTES, CDCRT_OPTION_NOT_YET | CDCRT_OPTION_MINIMUM | CDCRT_OPTION_MAXIMUM, "room", "Room.", nullptr,
     nullptr, nullptr, 1024, 1536, nullptr},
    {sizeof(cdcrt_option), CDCRT_OPTION_INTEGER, CDCRT_OPTION_MINIMUM, "tries", "Tries.", nullptr, nullptr, nullptr, 0, 0, "attempts goes"},
};

constexpr cdcrt_option kLayoutOptions[] = {
    {sizeof(cdcrt_option), CDCRT_OPTION_STRING, 0, "spread", "How rows are spread.", nullptr, nullptr, nullptr, 0, 0, "scatter"},
};

cdcrt_plugin sample() {
  static const cdcrt_sink sink = [] {
    cdcrt_sink table{};
    table.capabilities = CDCRT_SINK_TRANSACTIONS | CDCRT_SINK_SAVEPOINTS;
    table.layout_options = kLayoutOptions;
    table.layout_option_count = 1;
    return table;
  }();
  return {sizeof(cdcrt_plugin), CDCRT_ABI_MAJOR, CDCRT_ABI_MINOR, CDCRT_SINK, 4, "sample", "2.0.0", "A \"sample\"", "MIT", kOptions, &sink,
          "## More\nText."};
}

}  // namespace

TEST_CASE("plugin describe: text names file, ABI, capabilities and every option") {
  const std::string text = cdcrt::cli::describe(sample(), "/x/sink-sample.so", DescriptionFormat::kText);
  CHECK(contains(text, "sink sample 2.0.0"));
  CHECK(contains(text, "/x/sink-sample.so"));
  CHECK(contains(text, "plugin ABI:   " + std::to_string(CDCRT_ABI_MAJOR) + "." + std::to_string(CDCRT_ABI_MINOR)));
  CHECK(contains(text, "transactions, savepoints"));
  CHECK(contains(text, "wait (duration, default 30s, 1ms to 1h)"));
  CHECK(contains(text, "token (string, required, secret)"));
  CHECK(contains(text, "room (size, not yet available, 1KiB to 1536B)"));
  CHECK(contains(
      text,
      "tries (integer, at least 0)\n      Tries.\n      deprecated: its former name attempts\n      deprecated: its former name goes\n"));
  CHECK(contains(text, "example: token = \"x\""));
  CHECK(contains(
      text,
      "layout options of a route: [routes.NAME.layout]\n  spread (string)\n      How rows are spread.\n      deprecated: its former name scatter\n"));
  CHECK(contains(text, "## More"));
}

TEST_CASE("plugin describe: Markdown is the same on every machine and its tables hold") {
  const std::string text = cdcrt::cli::describe(sample(), "/x/sink-sample.so", DescriptionFormat::kMarkdown);
  CHECK(!contains(text, "/x/"));
  CHECK(contains(text, "## Layout options"));
  CHECK(contains(text, "| `wait` | duration | `30s` | A \\| in a text. Two lines. From 1ms to 1h. |"));
  CHECK(contains(
      text,
      "| `tries` | integer |  | Tries. At least 0. |\n| `attempts` | | | Deprecated: former name of `tries`, still read, with a warning. |\n| `goes` |"));
  CHECK(contains(text, "| `token` | string | **required** | Opens the door. Example: `\"x\"`. Secret: never printed. |"));
}

TEST_CASE("plugin describe: JSON escapes and says what is missing") {
  const std::string text = cdcrt::cli::describe(sample(), "/x/sink-sample.so", DescriptionFormat::kJson);
  CHECK(contains(text, R"("summary":"A \"sample\"")"));
  CHECK(contains(
      text,
      R"({"key":"token","type":"string","required":true,"secret":true,"advanced":false,"not_yet":false,"default":null,"example":"\"x\"")"));
  CHECK(contains(text, R"("layout_options":[{"key":"spread")"));
  CHECK(contains(text, R"("minimum":1024,"maximum":1536)"));
  CHECK(contains(text, R"("minimum":0,"former_keys":["attempts","goes"],"doc":"Tries.")"));
}

TEST_CASE("plugin describe: the schema for editors marks former names as deprecated") {
  const std::string schema = cdcrt::cli::options_schema(kOptions, false);
  CHECK(contains(schema, R"(,"attempts":{"deprecated":true,"description":"Former name of `tries`."},"goes":{"deprecated":true)"));
  CHECK(contains(schema, R"("required":["token"])"));
}

TEST_CASE("plugin describe: by name, by kind and name, by path; a name of several is ambiguous where one is wanted") {
  CHECK(contains(described("source-file", DescriptionFormat::kText), "paths (paths, required)"));
  CHECK(contains(described(paths::plugins() + "/source-file.so", DescriptionFormat::kText), "source file"));
  const std::string both = described("file", DescriptionFormat::kText);
  CHECK(contains(both, "source file"));
  CHECK(contains(both, "sink file"));
  CHECK(described("file", DescriptionFormat::kMarkdown, 2).empty());
  CHECK(described("none", DescriptionFormat::kText, 3).empty());
  CHECK(described("source-none", DescriptionFormat::kText, 3).empty());
}

TEST_CASE("plugin list: what there is and where it was looked for") {
  std::ostringstream text, json;
  CHECK(cdcrt::cli::plugin_list(kPlaces, false, text) == 0);
  CHECK(contains(text.str(), "source  file"));
  CHECK(contains(text.str(), "(the build)"));
  CHECK(cdcrt::cli::plugin_list(kPlaces, true, json) == 0);
  CHECK(contains(json.str(), R"("kind":"sink","name":"file","version":"0.1.0")"));
}
