// `primary_keys` and `primary_keys_file` of [defaults]: what they say, and what an operator sees when they are wrong.
#include <doctest/doctest.h>

#include "diagnostics/renderer.hpp"
#include "manifest/workspace.hpp"

using namespace cdcrt;
using namespace cdcrt::test;

namespace {

std::string shown(const manifest::Loaded& loaded) {
  REQUIRE(loaded.manifest);
  std::string text;
  for (const auto& rule : loaded.manifest->key_rules) {
    text += rule.pattern + (rule.of_file ? " (file)" : "") + ":";
    for (const auto& column : rule.columns) text += " " + column;
    text += "\n";
  }
  return text;
}

// The problems of a manifest beside keys.csv.
std::string problems_with(const Workspace& place, const std::string& defaults) {
  const auto loaded = manifest::load(request_for({place.write("shop.toml", std::string(kSound) + "[defaults]\n" + defaults)}));
  return place.without_folder(diagnostics::render(loaded.diagnostics, *loaded.texts, false));
}

}  // namespace

TEST_CASE("key rules: patterns and columns, in the manifest and in a file beside it; the manifest stands over the file") {
  Workspace place;
  place.write(
      "keys/shop.csv",
      "\xEF\xBB\xBF# made by a query\r\n\r\n  shop.orders , id\r\nshop.items,order_id,line\n\"shop.a, b\",\"say \"\"when\"\"\",# no comment\n"
      "shop.people,id");
  const std::string path = place.write(
      "shop.toml",
      std::string(kSound) +
          "[defaults]\nprimary_keys_file = \"keys/shop.csv\"\nprimary_keys = { \"shop.*\" = [\"id\"], \"shop.people\" = [\"number\"] }\n");
  CHECK(
      shown(manifest::load(request_for({path}))) ==
      "shop.*: id\nshop.people: number\nshop.orders (file): id\nshop.items (file): order_id line\nshop.a, b (file): say \"when\" # no comment\n");
}

TEST_CASE("key rules: what is wrong in the manifest is told with its place") {
  CHECK(problems_of(std::string(kSound) + R"toml([defaults]
primary_keys = { "shop.items" = [], "shop..x" = ["id"], "shop.a" = ["id", "id"], "shop.b" = "id" }
primary_keyz = { a = ["id"] }
[routes.orders]
match = ["shop.orders"]
primary_keys = { "shop.orders" = ["id"] }
)toml") == R"(shop.toml:11:33: error[E0205]: 'shop.items' must name at least one column
  primary_keys = { "shop.items" = [], "shop..x" = ["id"], "shop.a" = ["id", "id"], "shop.b" = "id" }
                                  ^~
help: write "shop.orders" = ["id"]: a pattern as in `match` of a route, and the columns of the key
)");
}

TEST_CASE("key rules: what is wrong in the file is told with its line, and all of it at once") {
  Workspace place;
  place.write("keys.csv", "shop.orders,id\nshop.items\nshop..x,id\nshop.ümlaut,id,,line\nshop.orders,number\nshop.b,id,id\nshop.c,\"id\n");
  CHECK(problems_with(place, "primary_keys_file = \"keys.csv\"\n") == R"()");
}

TEST_CASE("key rules: a file that is not there, a folder, no text, too many faults") {
  Workspace place;
  CHECK(problems_with(place, "primary_keys_file = \"kezs.csv\"\n") == R"()");
  place.write("keys.csv", "shop.\xFF,id\n");
  CHECK(problems_with(place, "primary_keys_file = \"keys.csv\"\n") == R"()");
  std::string prose;
  for (int i = 0; i < 100; ++i) prose += "prose without a comma\n";
  place.write("keys.csv", prose);
  const auto loaded =
      manifest::load(request_for({place.write("shop.toml", std::string(kSound) + "[defaults]\nprimary_keys_file = \"keys.csv\"\n")}));
  CHECK(loaded.diagnostics.size() == 20);
}
