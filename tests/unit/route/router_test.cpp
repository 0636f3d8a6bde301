#include "route/router.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cdcrt;
using namespace cdcrt::route;

namespace {

route::Route make_route(std::string name, std::vector<std::string> match, std::string table = "", std::vector<std::string> except = {}) {
  route::Route route;
  route.name = std::move(name);
  route.match = std::move(match);
  route.except = std::move(except);
  route.sink = "db";
  route.names_target = !table.empty();
  route.table = std::move(table);
  return route;
}

route::Routing make_routing(std::vector<route::Route> routes, std::string default_table = "") {
  route::Routing routing;
  routing.defaults.name = "defaults";
  routing.defaults.sink = "db";
  routing.defaults.table = std::move(default_table);
  routing.routes = std::move(routes);
  return routing;
}

std::string name_of(const Result<const route::Route*>& found) {
  if (!found) return "error: " + found.error().message;
  return *found == nullptr ? "-" : (*found)->name;
}

SourceTable table(const char* database, const char* schema, const char* name, const char* topic = "t", const char* source = "s") {
  return {source, topic, database, schema, name, {}};
}

std::string target_of(Router& router, const route::Route& route, const SourceTable& source, bool schemas = true) {
  const auto target = router.target_for(route, source, schemas);
  return target ? target->schema + "|" + target->table : "error: " + target.error().message;
}

}  // namespace

TEST_CASE("pattern: n parts match the last n parts, and a star stays in its part") {
  struct Case {
    const char *pattern, *database, *schema, *table;
    bool matches;
  };
  const Case cases[] = {
      {"orders", "shop", "sales", "orders", true},
      {"sales.orders", "shop", "sales", "orders", true},
      {"shop.sales.orders", "shop", "sales", "orders", true},
      {"shop.orders", "shop", "sales", "orders", false},
      {"order", "shop", "sales", "orders", false},
      {"ORDERS", "shop", "sales", "orders", false},
      {"*", "shop", "sales", "orders", true},
      {"*.*", "shop", "sales", "orders", true},
      {"*.*.*", "shop", "sales", "orders", true},
      {"sales.*", "shop", "sales", "orders", true},
      {"shop.*", "shop", "sales", "orders", false},
      {"shop*", "shop", "sales", "orders", false},
      {"*.orders", "", "", "orders", false},
      {"shop.orders", "shop", "", "orders", true},  // MySQL has no schemas
      {"*.*.*", "shop", "", "orders", false},
      {"sales.*_tmp", "", "sales", "a_tmp", true},
      {"sales.*_tmp", "", "sales", "a_tmp2", false},
      {"o*r*s", "", "", "orders", true},
      {"o*r*x", "", "", "orders", false},
      {"*a*b*", "", "", "xxaxxbxx", true},
      {"a*a", "", "", "a", false},
      {"a*", "", "", "a.b", true},  // a dot inside a name is part of the name
      {"re:shop\\.sales\\.o.*", "shop", "sales", "orders", true},
      {"re:sales\\.o.*", "shop", "sales", "orders", false},  // the whole name
      {"re:.*(orders|items)", "shop", "sales", "items", true},
  };
  for (const auto& [text, database, schema, name, matches] : cases) {
    CAPTURE(text);
    CAPTURE(name);
    const auto pattern = Pattern::parse(text);
    REQUIRE(pattern.ok());
    CHECK(pattern->matches(table(database, schema, name)) == matches);
  }
}

TEST_CASE("pattern: what cannot be one is refused with a reason") {
  for (const char* text : {"", ".", "a.", ".a", "a..b", "a.b.c.d", "re:", "re:(", "re:[a"}) {
    CAPTURE(text);
    const auto pattern = Pattern::parse(text);
    REQUIRE_FALSE(pattern.ok());
    CHECK(pattern.error().code == CDCRT_BAD_CONFIG);
    CHECK_FALSE(pattern.error().message.empty());
  }
}

TEST_CASE("pattern: stars and groups are captured in order") {
  std::vector<std::string> captures;
  CHECK(Pattern::parse("shop_*.*_v*")->matches(table("", "shop_eu", "orders_v2"), &captures));
  CHECK(captures == std::vector<std::string>{"eu", "orders", "2"});
  CHECK(Pattern::parse("re:(.*)\\.(o)rders")->matches(table("", "sales", "orders"), &captures));
  CHECK(captures == std::vector<std::string>{"sales", "o"});
  CHECK_FALSE(Pattern::parse("re:.*")->matches(table("", "", std::string(5000, 'x').c_str())));
  CHECK(Pattern::parse("x*")->matches(table("", "", std::string(5000, 'x').c_str())));
}

TEST_CASE("router: without routes everything takes the defaults") {
  const auto routing = make_routing({});
  Router router(routing);
  CHECK(name_of(router.route(table("a", "b", "c"))) == "defaults");
}

TEST_CASE("router: the most specific route wins, whatever the order in the manifest") {
  std::vector<route::Route> routes = {make_route("any", {"re:.*"}),           make_route("all", {"*"}),
                                      make_route("sales", {"sales.*"}),       make_route("order_like", {"sales.ord*"}),
                                      make_route("orders", {"sales.orders"}), make_route("full", {"shop.sales.orders"})};
  for (int turn = 0; turn < 2; ++turn) {
    const auto routing = make_routing(routes);
    const Router router(routing);
    CHECK(name_of(router.route(table("shop", "sales", "orders"))) == "full");
    CHECK(name_of(router.route(table("other", "sales", "orders"))) == "orders");
    CHECK(name_of(router.route(table("shop", "sales", "ordinal"))) == "order_like");
    CHECK(name_of(router.route(table("shop", "sales", "items"))) == "sales");
    CHECK(name_of(router.route(table("shop", "hr", "people"))) == "all");
    std::reverse(routes.begin(), routes.end());
  }
}

TEST_CASE("router: an exact pattern beats a longer glob, and any glob beats a regular expression") {
  const auto routing = make_routing({make_route("exact", {"orders"}), make_route("glob", {"shop.sales.order*"}),
                                     make_route("re", {"re:shop\\.sales\\.orders|.*people"}), make_route("star", {"p*"})});
  const Router router(routing);
  CHECK(name_of(router.route(table("shop", "sales", "orders"))) == "exact");
  CHECK(name_of(router.route(table("", "hr", "people"))) == "star");
}

TEST_CASE("router: a tie is reported with both routes") {
  const auto routing = make_routing({make_route("left", {"sales.*ab"}), make_route("right", {"sales.ab*"})});
  const Router router(routing);
  const auto found = router.route(table("", "sales", "ab"));
  REQUIRE_FALSE(found.ok());
  CHECK(found.error().code == CDCRT_BAD_CONFIG);
  CHECK(found.error().message ==
        "table 'sales.ab' is matched equally well by two routes: [routes.left] by 'sales.*ab' and [routes.right] by 'sales.ab*'");
  CHECK_FALSE(found.error().hint.empty());
  CHECK(name_of(router.route(table("", "sales", "xab"))) == "left");
}

TEST_CASE("router: a tie below a more specific route is none") {
  const auto routing = make_routing({make_route("left", {"a*"}), make_route("right", {"*b"}), make_route("winner", {"ab"})});
  CHECK(name_of(Router(routing).route(table("", "", "ab"))) == "winner");
}

TEST_CASE("router: exceptions take tables out of a route") {
  const auto routing = make_routing({make_route("sales", {"sales.*"}, "", {"sales.*_tmp", "re:.*\\.secret.*"})});
  const Router router(routing);
  CHECK(name_of(router.route(table("", "sales", "orders"))) == "sales");
  CHECK(name_of(router.route(table("", "sales", "orders_tmp"))) == "-");
  CHECK(name_of(router.route(table("", "sales", "secrets"))) == "-");
}

TEST_CASE("router: unmatched tables are ignored or fail") {
  auto routing = make_routing({make_route("sales", {"sales.*"})});
  CHECK(name_of(Router(routing).route(table("", "hr", "people"))) == "-");
  routing.unmatched_tables = route::UnmatchedTables::kFail;
  CHECK(name_of(Router(routing).route(table("", "hr", "people"))) ==
        "error: no route matches table 'hr.people', and unmatched_tables is \"fail\"");
}

TEST_CASE("target: without a template a table keeps its name") {
  const auto routing = make_routing({});
  Router router(routing);
  CHECK(target_of(router, routing.defaults, table("shop", "sales", "orders")) == "sales|orders");
  CHECK(target_of(router, routing.defaults, table("shop", "", "items")) == "shop|items");
  CHECK(target_of(router, routing.defaults, table("", "", "alone")) == "|alone");
  CHECK(target_of(router, routing.defaults, table("shop", "hr", "people"), false) == "|people");
}

TEST_CASE("target: templates put parts in, and a dot in a value does not split") {
  struct Case {
    const char *pattern, *text, *expected;
  };
  const Case cases[] = {
      {"*", "{table}", "|my.table"},
      {"*", "shop.{table}", "shop|my.table"},
      {"*", "{database}.{schema}_{table}", "db|sch_my.table"},
      {"*", "{source}_{topic}", "|s_t"},
      {"s*.my*", "x{1}.{2}{1}", "xch|.tablech"},
      {"re:(.).*", "a_{1}", "|a_d"},
      {"*", "{{x}}_{table}", "|{x}_my.table"},
      {"*", "fixed", "|fixed"},
      {"*", "a.{2}", "error: template 'a.{2}' uses {2}, and the pattern that matched 'db.sch.my.table' captures 1"},
  };
  for (const auto& [pattern, text, expected] : cases) {
    CAPTURE(text);
    const auto routing = make_routing({make_route("r", {pattern}, text)});
    Router router(routing);
    CHECK(target_of(router, routing.routes[0], table("db", "sch", "my.table")) == expected);
  }
}

TEST_CASE("target: a placeholder that is empty makes no nameless table") {
  const auto routing = make_routing({make_route("r", {"*"}, "{schema}.{table}")});
  Router router(routing);
  CHECK(target_of(router, routing.routes[0], table("shop", "", "orders")) ==
        "error: template '{schema}.{table}' gives an empty name for 'shop.orders'");
}

TEST_CASE("target: templates that cannot be read are refused") {
  for (const char* text : {"", ".", "a.", ".a", "a.b.c", "{tabel}", "{", "a}", "{0}", "{100}", "{-1}", "{1x}", "{}"}) {
    CAPTURE(text);
    const auto parsed = TargetTemplate::parse(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK_FALSE(parsed.error().message.empty());
  }
  CHECK(TargetTemplate::parse("{tabel}").error().hint == "did you mean 'table'?");
}

TEST_CASE("target: two source tables that would meet unasked are refused, the first one goes on") {
  const auto routing = make_routing({}, "shop.{table}");
  Router router(routing);
  CHECK(target_of(router, routing.defaults, table("", "sales", "orders")) == "shop|orders");
  const auto second = router.target_for(routing.defaults, table("", "hr", "orders"), true);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message ==
        "source tables 'sales.orders' and 'hr.orders' would meet in one target table, 'shop.orders' of sink 'db'");
  CHECK(second.error().hint.find("{schema}") != std::string::npos);
  CHECK(target_of(router, routing.defaults, table("", "sales", "orders", "another topic")) == "shop|orders");
}

TEST_CASE("target: where the target has no schemas, own names may meet and are refused") {
  const auto routing = make_routing({});
  Router router(routing);
  CHECK(target_of(router, routing.defaults, table("", "sales", "orders"), false) == "|orders");
  CHECK(target_of(router, routing.defaults, table("", "hr", "orders"), false).starts_with("error: source tables"));
  Router with_schemas(routing);
  CHECK(target_of(with_schemas, routing.defaults, table("", "sales", "orders")) == "sales|orders");
  CHECK(target_of(with_schemas, routing.defaults, table("", "hr", "orders")) == "hr|orders");
}

TEST_CASE("target: a route that names its target merges source tables") {
  auto routing = make_routing({make_route("shards", {"shard*.orders"}, "shop.orders"), make_route("own", {"shop.*"})});
  Router router(routing);
  CHECK(target_of(router, routing.routes[0], table("", "shard1", "orders")) == "shop|orders");
  CHECK(target_of(router, routing.routes[0], table("", "shard2", "orders")) == "shop|orders");
  // Another table that comes to that name by itself was not meant.
  CHECK(target_of(router, routing.routes[1], table("", "shop", "orders")).starts_with("error: source tables"));
}

TEST_CASE("target: the same name in two sinks is two tables") {
  auto routing = make_routing({make_route("a", {"a.*"}), make_route("b", {"b.*"})}, "");
  routing.routes[1].sink = "other";
  for (auto& route : routing.routes) route.table = "{table}";
  for (auto& route : routing.routes) route.names_target = false;
  Router router(routing);
  CHECK(target_of(router, routing.routes[0], table("", "a", "orders")) == "|orders");
  CHECK(target_of(router, routing.routes[1], table("", "b", "orders")) == "|orders");
}

TEST_CASE("router: a table's key is that of the most specific rule, unless its route names one") {
  Routing routing = make_routing({make_route("all", {"*.*"}), make_route("own", {"shop.own"})});
  routing.routes[1].primary_key = {"number"};
  routing.key_rules = {{"shop.*", {"id"}, false, {}},
                       {"shop.items", {"order_id", "line"}, false, {}},
                       {"shop.ord*", {"code"}, true, {}},
                       {"nothing", {"id"}, false, {}}};
  Router router(routing);
  const auto key_of = [&](const SourceTable& source) {
    const auto found = router.route(source);
    REQUIRE(found);
    std::string text = (*found)->name + ":";
    for (const auto& column : (*found)->primary_key) text += " " + column;
    for (const auto& column : (*found)->fallback_key) text += " " + column;
    return text + " by '" + (*found)->key_rule + "'";
  };
  CHECK(key_of(table("", "shop", "people")) == "all: id by 'shop.*'");
  CHECK(key_of(table("db", "shop", "items")) == "all: order_id line by 'shop.items'");
  CHECK(key_of(table("", "shop", "orders")) == "all: code by 'shop.ord*'");
  CHECK(key_of(table("", "shop", "own")) == "own: number by ''");
  CHECK(key_of(table("", "other", "items")) == "all: by ''");
  // The route with a key is the route that it was made of: its table is named by it.
  const auto found = router.route(table("", "shop", "items"));
  CHECK(target_of(router, **found, table("", "shop", "items")) == "shop|items");
  CHECK(router.matching_pattern(**found, table("", "shop", "items")) == "*.*");
  CHECK(*found == *router.route(table("", "shop", "items")));
}

TEST_CASE("router: rules that match a table equally well are an error, unless they say the same") {
  Routing routing = make_routing({});
  routing.key_rules = {{"shop.ab*", {"id"}, false, {}}, {"shop.*yz", {"code"}, false, {}}};
  CHECK(
      name_of(Router(routing).route(table("", "shop", "abyz"))) ==
      "error: table 'shop.abyz' is matched equally well by two rules of primary_keys, 'shop.ab*' and 'shop.*yz', which name other columns");
  routing.key_rules[1].columns = {"id"};
  CHECK(name_of(Router(routing).route(table("", "shop", "abyz"))) == "defaults");
}

TEST_CASE("router: tells which key rules no table met, with the nearest name") {
  Routing routing = make_routing({});
  routing.key_rules = {{"shop.items", {"id"}, false, {}}, {"shop.itmes", {"id"}, false, {}}, {"shop.x*", {"id"}, false, {}}};
  Router router(routing);
  router.note(table("", "shop", "items"));
  const auto uses = router.key_rule_uses();
  REQUIRE(uses.size() == 3);
  CHECK(uses[0].met);
  CHECK_FALSE(uses[1].met);
  CHECK(uses[1].advice == "did you mean 'shop.items'?");
  CHECK_FALSE(uses[2].met);
}
