// Keys under the names that they had before.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "cdcrt/sdk/option.hpp"
#include "diagnostics/renderer.hpp"
#include "manifest/host_options.hpp"
#include "manifest/host_values.hpp"
#include "manifest/toml_text.hpp"
#include "manifest/workspace.hpp"
#include "plugin/former_keys.hpp"

using namespace cdcrt;

namespace {

namespace option = sdk::option;

constexpr cdcrt_option kTable[] = {
    option::integer("workers").formerly("threads  helpers").default_value("4").between(1, 64).doc("Threads."),
    option::duration("batch.max_age").formerly("batch.age").default_value("0").doc("How long."),
};

struct Read {
  int64_t workers = 0, max_age = 0;
  std::string said;
  bool has_errors = false;
};

Read read(const std::string& text) {
  manifest::Report report;
  const auto root = manifest::parse_toml("shop.toml", text, report);
  REQUIRE(root);
  manifest::TableReader reader(*root, "pool", report);
  const manifest::HostValues values(reader, kTable);
  reader.finish();
  Read result;
  values.take("workers", result.workers);
  values.take("batch.max_age", result.max_age);
  result.has_errors = report.has_errors();
  const auto texts = report.shared_texts();
  result.said = diagnostics::render(report.take(), *texts, false);
  return result;
}

}  // namespace

TEST_CASE("renamed keys: the former name is read as the present one, with a warning that names it") {
  const Read result = read("threads = 8\nbatch = { age = \"2s\" }\n");
  CHECK_FALSE(result.has_errors);
  CHECK(result.workers == 8);
  CHECK(result.max_age == 2'000'000);
  CHECK(result.said.find("shop.toml:1:1: warning[E0210]: 'threads' in [pool] is called 'workers' now") != std::string::npos);
  CHECK(result.said.find("help: write 'workers'") != std::string::npos);
  CHECK(result.said.find("'age' in [pool.batch] is called 'max_age' now") != std::string::npos);
}

TEST_CASE("renamed keys: the present name is read without a word") {
  const Read result = read("workers = 8\n");
  CHECK(result.workers == 8);
  CHECK(result.said.empty());
}

TEST_CASE("renamed keys: both names at once are an error with both places") {
  const Read result = read("workers = 8\nthreads = 9\n");
  CHECK(result.has_errors);
  CHECK(result.said.find("shop.toml:2:1: error[E0206]: 'threads' in [pool] is the former name of 'workers', which is given as well") !=
        std::string::npos);
  CHECK(result.said.find("shop.toml:1:1") != std::string::npos);
}

TEST_CASE("renamed keys: a value is refused under its former name as well, in its place") {
  const Read result = read("threads = 99\n");
  CHECK(result.has_errors);
  CHECK(result.said.find("shop.toml:1:11: error[E0205]") != std::string::npos);
}

TEST_CASE("renamed keys: no suggestion names a former name") {
  const Read result = read("thread = 8\n");
  CHECK(result.has_errors);
  CHECK(result.said.find("threads") == std::string::npos);
}

TEST_CASE("renamed keys: an option may have had several names, of which one counts") {
  CHECK(read("helpers = 8\n").workers == 8);
  const Read result = read("helpers = 8\nthreads = 9\n");
  CHECK(result.has_errors);
  CHECK(result.said.find("'helpers' in [pool] is the former name of 'workers', which is given as well") != std::string::npos);
  CHECK(result.said.find("shop.toml:2:1") != std::string::npos);
}

TEST_CASE("renamed keys: each of the host is of the same table, and no name of another key") {
  for (const auto& table : manifest::host_tables()) {
    for (const cdcrt_option& option : table.options) {
      for (const auto former : plugin::former_keys(option)) {
        CAPTURE(former);
        CHECK(plugin::table_of(option.key) == plugin::table_of(former));
        CHECK(std::none_of(table.options.begin(), table.options.end(), [&](const cdcrt_option& other) { return former == other.key; }));
      }
    }
  }
}

TEST_CASE("renamed keys: those of plugins are read as well, with a warning and its place") {
  using test::kSound;
  const std::string manifest = std::string(kSound) + "[sources.more]\nplugin = \"log\"\nservers = \"b:9092\"\ngoes = 3\n" +
                               "fetch.number = 7\nformat.plugin = \"json\"\n";
  const auto loaded = test::load_text(manifest);
  REQUIRE(loaded.manifest);
  const auto& source = loaded.manifest->sources[1];
  CHECK(test::option(source, "brokers").string == "b:9092");
  CHECK(test::option(source, "tries").integer == 3);
  CHECK(test::option(source, "fetch.count").integer == 7);
  CHECK(test::codes_of(manifest) ==
        "E0210 12:1 'servers' in [sources.more] is called 'brokers' now\n"
        "E0210 13:1 'goes' in [sources.more] is called 'tries' now\n"
        "E0210 14:7 'number' in [sources.more.fetch] is called 'count' now\n");
  const std::string said = test::problems_of(manifest);
  CHECK(said.find("\n  servers = \"b:9092\"\n  ^~~~~~~\n") != std::string::npos);
  CHECK(said.find("help: write 'brokers'") != std::string::npos);
}

TEST_CASE("renamed keys: where both names of a secret are given, neither value is shown") {
  for (const char* const order :
       {"opener = \"s3cret-one\"\nsasl_key = \"s3cret-two\"\n", "sasl_key = \"s3cret-two\"\nopener = \"s3cret-one\"\n"}) {
    const std::string said = test::problems_of(std::string(test::kSound) + "[sources.more]\nplugin = \"log\"\nbrokers = \"b:9092\"\n" +
                                               order + "format.plugin = \"json\"\n");
    CHECK(said.find("'opener' in [sources.more] is the former name of 'sasl_key', which is given as well") != std::string::npos);
    CHECK(said.find("s3cret") == std::string::npos);
  }
  const std::string said = test::problems_of(std::string(test::kSound) + "[sources.more]\nplugin = \"log\"\nbrokers = \"b:9092\"\n" +
                                             "opener = \"s3cret-one\"\nformat.plugin = \"json\"\n");
  CHECK(said.find("'opener' in [sources.more] is called 'sasl_key' now") != std::string::npos);
  CHECK(said.find("s3cret") == std::string::npos);
}

TEST_CASE("renamed keys: what reads dead letters back connects as what writes them, under former names too") {
  const auto loaded =
      test::load_text(std::string(test::kSound) + "[dead_letters]\nplugin = \"log\"\nservers = \"b:9092\"\nplace = \"lost\"\n");
  REQUIRE(loaded.manifest);
  REQUIRE(loaded.manifest->dead_letters.log);
  const auto& log = *loaded.manifest->dead_letters.log;
  CHECK(test::option(log, "brokers").string == "b:9092");
  CHECK(test::option(log, "topics").strings == std::vector<std::string>{"lost"});
}

TEST_CASE("renamed keys: a layout under a former name is judged by its sink") {
  std::string manifest = test::kSound;
  manifest.replace(manifest.find("\"db\""), 4, "\"cluster\"");
  CHECK(test::codes_of(manifest + "[defaults.layout]\nscatter = \"even\"\n") ==
        "E0210 11:1 'scatter' in [defaults.layout] is called 'spread' now\n");
  const std::string said = test::problems_of(manifest + "[defaults.layout]\nscatter = \"even\"\nspread_by = \"id\"\n");
  CHECK(said.find("nothing is spread by a column") != std::string::npos);
}
