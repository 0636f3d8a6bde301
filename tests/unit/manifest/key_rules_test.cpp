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

shop.toml:11:37: error[E0401]: pattern 'shop..x' has an empty part
  primary_keys = { "shop.items" = [], "shop..x" = ["id"], "shop.a" = ["id", "id"], "shop.b" = "id" }
                                      ^~~~~~~~~
help: write table, schema.table or database.schema.table

shop.toml:11:68: error[E0205]: 'shop.a' names 'id' twice
  primary_keys = { "shop.items" = [], "shop..x" = ["id"], "shop.a" = ["id", "id"], "shop.b" = "id" }
                                                                     ^~~~~~~~~~~~

shop.toml:11:93: error[E0202]: 'shop.b' must be a list of strings, not a string
  primary_keys = { "shop.items" = [], "shop..x" = ["id"], "shop.a" = ["id", "id"], "shop.b" = "id" }
                                                                                              ^~~~
help: write ["id"]

shop.toml:12:1: error[E0203]: unknown key 'primary_keyz' in [defaults]
  primary_keyz = { a = *** }
  ^~~~~~~~~~~~
help: did you mean 'primary_key'?

shop.toml:15:1: error[E0203]: unknown key 'primary_keys' in [routes.orders]
  primary_keys = { "shop.orders" = *** }
  ^~~~~~~~~~~~
help: 'primary_keys' belongs to [defaults]; a route has primary_key = ["id"]

6 errors
)");
}

TEST_CASE("key rules: what is wrong in the file is told with its line, and all of it at once") {
  Workspace place;
  place.write("keys.csv", "shop.orders,id\nshop.items\nshop..x,id\nshop.ümlaut,id,,line\nshop.orders,number\nshop.b,id,id\nshop.c,\"id\n");
  CHECK(problems_with(place, "primary_keys_file = \"keys.csv\"\n") ==
        R"(keys.csv:2:1: error[E0205]: no column of the key of 'shop.items' follows
  shop.items
  ^~~~~~~~~~
help: write one table in a line: shop.orders,id or shop.order_items,order_id,line

keys.csv:3:1: error[E0401]: pattern 'shop..x' has an empty part
  shop..x,id
  ^~~~~~~
help: write table, schema.table or database.schema.table

keys.csv:4:16: error[E0205]: a column without a name
  shop.ümlaut,id,,line
                 ^
help: write one table in a line: shop.orders,id or shop.order_items,order_id,line

keys.csv:5:1: error[E0205]: 'shop.orders' stands in line 1 already
  shop.orders,number
  ^~~~~~~~~~~
help: take one of the two out

keys.csv:6:11: error[E0205]: column 'id' stands twice in the key
  shop.b,id,id
            ^~

keys.csv:7:8: error[E0205]: a name in double quotes does not end here, or something follows it
  shop.c,"id
         ^~~
help: write "" for a double quote in a quoted name

6 errors
)");
}

TEST_CASE("key rules: a missing file, a folder, a file that is no text and too many faults are reported") {
  Workspace place;
  CHECK(problems_with(place, "primary_keys_file = \"kezs.csv\"\n") ==
        R"(shop.toml:11:21: error[E0102]: the file of keys 'kezs.csv' does not exist
  primary_keys_file = "kezs.csv"
                      ^~~~~~~~~~
help: paths are relative to the folder of the manifest

1 error
)");
  place.write("keys.csv", "shop.\xFF,id\n");
  CHECK(problems_with(place, "primary_keys_file = \"keys.csv\"\n") ==
        R"(shop.toml:11:21: error[E0103]: the file of keys 'keys.csv' is not UTF-8 text
  primary_keys_file = "keys.csv"
                      ^~~~~~~~~~

1 error
)");
  std::string prose;
  for (int i = 0; i < 100; ++i) prose += "prose without a comma\n";
  place.write("keys.csv", prose);
  const auto loaded =
      manifest::load(request_for({place.write("shop.toml", std::string(kSound) + "[defaults]\nprimary_keys_file = \"keys.csv\"\n")}));
  CHECK(loaded.diagnostics.size() == 20);
}
