// Keys under the names that they had before.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "cdcrt/sdk/option.hpp"
#include "diagnostics/renderer.hpp"
#include "manifest/host_options.hpp"
#include "manifest/host_values.hpp"
#include "manifest/renamed_key.hpp"
#include "manifest/toml_text.hpp"

using namespace cdcrt;

namespace {

namespace option = sdk::option;

constexpr cdcrt_option kTable[] = {
    option::integer("workers").default_value("4").between(1, 64).doc("Threads."),
    manifest::renamed("threads", "workers"),
    option::duration("batch.max_age").default_value("0").doc("How long."),
    manifest::renamed("batch.age", "batch.max_age"),
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

TEST_CASE("renamed keys: each of the host names a key that there is, of the same table") {
  for (const auto& table : manifest::host_tables()) {
    for (const cdcrt_option& former : table.options) {
      if (!manifest::is_renamed(former)) continue;
      CAPTURE(former.key);
      const std::string key = manifest::present_key(former), old = former.key;
      CHECK(key.substr(0, key.rfind('.') + 1) == old.substr(0, old.rfind('.') + 1));
      CHECK(std::any_of(table.options.begin(), table.options.end(),
                        [&](const cdcrt_option& option) { return !manifest::is_renamed(option) && key == option.key; }));
    }
  }
}
