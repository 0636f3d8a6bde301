#include "manifest/loader.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "diagnostics/renderer.hpp"
#include "manifest/component_error.hpp"
#include "manifest/workspace.hpp"

using namespace cdcrt;
using namespace cdcrt::test;

TEST_CASE("manifest: the smallest one loads with every default") {
  const auto loaded = load_text(kSound);
  REQUIRE(loaded.diagnostics.empty());
  REQUIRE(loaded.manifest);
  const auto& manifest = *loaded.manifest;
  CHECK(manifest.pipeline == "shop");
  CHECK(manifest.unmatched_tables == route::UnmatchedTables::kIgnore);
  CHECK(manifest.runtime.memory == 128ULL << 20);
  CHECK(manifest.runtime.decode_workers == 0);
  CHECK(manifest.runtime.log_level == "info");
  CHECK(manifest.runtime.shutdown_timeout == std::chrono::seconds(30));
  REQUIRE(manifest.sources.size() == 1);
  CHECK(manifest.sources[0].name == "events");
  CHECK(manifest.sources[0].plugin == "log");
  CHECK(std::string(manifest.sources[0].descriptor->name) == "log");
  CHECK(manifest.sources[0].position.line == 3);
  CHECK(std::string(manifest.sources[0].format.descriptor->name) == "json");
  REQUIRE(manifest.sinks.size() == 1);
  CHECK(manifest.sinks[0].batch.max_rows == 50'000);
  CHECK(manifest.sinks[0].batch.max_bytes == 16ULL << 20);
  CHECK(manifest.sinks[0].batch.max_age.count() == 0);
  CHECK(manifest.sinks[0].connections == 4);
  CHECK(manifest.sinks[0].progress_schema == "cdcrt");
  CHECK(manifest.defaults.sink == "warehouse");
  CHECK(manifest.defaults.table.empty());
  CHECK(manifest.defaults.create_tables);
  CHECK(manifest.routes.empty());
  CHECK(std::filesystem::path(manifest.dead_letters.path).is_absolute());
  CHECK(manifest.dead_letters.path.starts_with(manifest.folder + "/dead_letters/shop-"));
  CHECK(manifest.dead_letters.path.find('{') == std::string::npos);
}

TEST_CASE("manifest: every key of the host arrives") {
  const auto loaded = load_text(R"toml(
[pipeline]
name = "shop"
unmatched_tables = "fail"
[runtime]
http = "0.0.0.0:9464"
http_token = "0123456789abcdef"
http_certificate = "tls.crt"
http_key = "/etc/tls.key"
http_tables = 7
memory = "64MiB"
decode_workers = 3
plugin_dirs = ["plugins", "/opt/plugins"]
log_level = "debug"
shutdown_timeout = "1min"
[sources.events]
plugin = "log"
brokers = "b"
format = { plugin = "json", strict = true }
[sinks.warehouse]
plugin = "db"
connection.Driver = "x"
connections = 8
progress_schema = "state"
batch = { max_rows = 7, max_bytes = 1024, max_age = "10s" }
[defaults]
table = "shop.{table}"
schema_changes = "add_only"
deletes = "ignore"
columns = { "*_json" = { type = "json" }, price = { type = "decimal(12,2)" } }
[routes.sales]
match = ["sales.*"]
except = ["sales.*_tmp"]
[routes.orders]
match = ["sales.orders"]
sink = "warehouse"
table = "orders"
mode = "upsert"
deletes = "apply"
schema_changes = "fail"
create_tables = false
primary_key = ["id", "line"]
[routes.orders.columns]
ssn = { exclude = true }
nm = { rename = "name" }
created = { type = "timestamp", parse = "epoch_ms" }
price = { type = "decimal(14,4)", on_overflow = "null", target_type = "NUMERIC(14,4)" }
[dead_letters]
plugin = "file"
path = "dead_letters/{pipeline}.jsonl"
)toml");
  REQUIRE_MESSAGE(loaded.manifest, diagnostics::render(loaded.diagnostics, *loaded.texts, false));
  const auto& manifest = *loaded.manifest;
  CHECK(manifest.unmatched_tables == route::UnmatchedTables::kFail);
  CHECK(manifest.runtime.memory == 64ULL << 20);
  CHECK(manifest.runtime.decode_workers == 3);
  CHECK(manifest.runtime.plugin_dirs == std::vector<std::string>{manifest.folder + "/plugins", "/opt/plugins"});
  CHECK(manifest.runtime.log_level == "debug");
  CHECK(manifest.runtime.shutdown_timeout == std::chrono::minutes(1));
  CHECK(manifest.runtime.http.listen == "0.0.0.0:9464");
  CHECK(manifest.runtime.http.token == "0123456789abcdef");
  CHECK(manifest.runtime.http.certificate == manifest.folder + "/tls.crt");
  CHECK(manifest.runtime.http.key == "/etc/tls.key");
  CHECK(manifest.runtime.http.max_tables == 7);
  CHECK(option(manifest.sources[0].format, "strict").integer == 1);
  CHECK(manifest.sinks[0].connections == 8);
  CHECK(manifest.sinks[0].progress_schema == "state");
  CHECK(manifest.sinks[0].batch.max_rows == 7);
  CHECK(manifest.sinks[0].batch.max_bytes == 1024);
  CHECK(manifest.sinks[0].batch.max_age == std::chrono::seconds(10));
  CHECK(manifest.dead_letters.path == manifest.folder + "/dead_letters/shop.jsonl");
  REQUIRE(manifest.routes.size() == 2);
  const auto& sales = manifest.routes[0];
  CHECK(sales.name == "sales");
  CHECK(sales.match == std::vector<std::string>{"sales.*"});
  CHECK(sales.except == std::vector<std::string>{"sales.*_tmp"});
  CHECK(sales.sink == "warehouse");
  CHECK(sales.table == "shop.{table}");
  CHECK_FALSE(sales.names_target);
  CHECK(sales.schema_changes == route::SchemaChanges::kAddOnly);
  CHECK(sales.deletes == route::Deletes::kIgnore);
  CHECK(sales.columns.size() == 2);
  const auto& orders = manifest.routes[1];
  CHECK(orders.table == "orders");
  CHECK(orders.names_target);
  CHECK_FALSE(orders.create_tables);
  CHECK(orders.deletes == route::Deletes::kApply);
  CHECK(orders.schema_changes == route::SchemaChanges::kFail);
  CHECK(orders.primary_key == std::vector<std::string>{"id", "line"});
  REQUIRE(orders.columns.size() == 5);  // four of its own, "*_json" of the defaults; its own price hides the defaults'
  CHECK(orders.columns[0].exclude);
  CHECK(orders.columns[1].rename == "name");
  CHECK(orders.columns[2].parse == types::Parse::kEpochMilliseconds);
  CHECK(orders.columns[2].type->kind == CDCRT_TYPE_TIMESTAMP);
  CHECK(orders.columns[3].type->length == 14);
  CHECK(orders.columns[3].type->scale == 4);
  CHECK(orders.columns[3].on_overflow == types::OnOverflow::kNull);
  CHECK(orders.columns[3].target_type == "NUMERIC(14,4)");
  CHECK(orders.columns[4].pattern == "*_json");
}

TEST_CASE("manifest: options of plugins arrive typed, in the order of the plugin's table") {
  const Workspace workspace;
  workspace.write("in/b.jsonl", "");
  workspace.write("in/a.jsonl", "");
  const auto file = workspace.write("shop.toml", R"toml(
pipeline.name = "shop"
[sources.events]
plugin = "log"
format.plugin = "json"
ratio = 1
brokers = "b"
topics = ["x"]
stop = "end"
start = 2024-01-01T00:00:00Z
timeout = "250ms"
fetch.max_bytes = "64KiB"
check = false
certificate = "ca.pem"
files = ["in/*.jsonl", "/abs/x", "-", "none/*.gz"]
[sources.events.librdkafka]
"security.protocol" = "SASL_SSL"
"queue.size" = 5
debug = true
[sinks.db]
plugin = "db"
connection = { Zeta = "z", Alpha = 1.50 }
)toml");
  const auto loaded = manifest::load(request_for({file}));
  REQUIRE_MESSAGE(loaded.manifest, diagnostics::render(loaded.diagnostics, *loaded.texts, false));
  const auto& source = loaded.manifest->sources[0];
  CHECK(std::string(source.options.values()[0].option->key) == "brokers");
  CHECK(option(source, "brokers").string == "b");
  CHECK(option(source, "topics").strings == std::vector<std::string>{"x"});
  CHECK(option(source, "stop").string == "end");
  CHECK(option(source, "start").string == "2024-01-01T00:00:00Z");
  CHECK(option(source, "timeout").integer == 250'000);
  CHECK(option(source, "fetch.max_bytes").integer == 65'536);
  CHECK(option(source, "fetch.count").integer == 10);  // its default
  CHECK(option(source, "ratio").real == 1.0);
  CHECK(option(source, "check").integer == 0);
  CHECK(option(source, "certificate").string == workspace.folder() + "/ca.pem");
  CHECK(option(source, "files").strings == std::vector<std::string>{workspace.folder() + "/in/a.jsonl", workspace.folder() + "/in/b.jsonl",
                                                                    "/abs/x", "-", workspace.folder() + "/none/*.gz"});
  CHECK(option(source, "librdkafka").strings ==
        std::vector<std::string>{"security.protocol", "SASL_SSL", "queue.size", "5", "debug", "true"});
  CHECK_FALSE(option(source, "sasl_key").is_set);
  CHECK(option(loaded.manifest->sinks[0], "connection").strings == std::vector<std::string>{"Zeta", "z", "Alpha", "1.50"});
  CHECK(option(source, "topics").position.line == 8);
}

TEST_CASE("manifest: defaults of options arrive, lists too") {
  const auto loaded = load_text(kSound);
  REQUIRE(loaded.manifest);
  const auto& source = loaded.manifest->sources[0];
  CHECK(option(source, "topics").strings == std::vector<std::string>{"a", "b.*"});
  CHECK(option(source, "topics").is_set);
  CHECK(option(source, "topics").position.file.empty());
  CHECK(option(source, "timeout").integer == 30'000'000);
  CHECK_FALSE(option(source, "librdkafka").is_set);
}

TEST_CASE("manifest: what crosses to a plugin outlives copies of the manifest") {
  plugin::Component copy;
  {
    const auto loaded = load_text(kSound);
    REQUIRE(loaded.manifest);
    copy = loaded.manifest->sources[0];
  }
  const cdcrt_config* config = copy.options.abi();
  REQUIRE(config->count == copy.options.values().size());
  CHECK(std::string(config->name.data, config->name.size) == "events");
  CHECK(std::string(config->pipeline.data, config->pipeline.size) == "shop");
  CHECK(std::string(config->values[0].string.data, config->values[0].string.size) == "localhost:9092");
  CHECK(config->values[1].count == 2);
  CHECK(std::string(config->values[1].strings[1].data, config->values[1].strings[1].size) == "b.*");
  CHECK(plugin::Options().abi()->count == 0);
}

TEST_CASE("manifest: dead letters are read back from where a sink's default has them") {
  const auto loaded = load_text(std::string(kSound) + "[dead_letters]\nplugin = \"tape\"\nbrokers = \"there:9092\"\n");
  REQUIRE(loaded.manifest);
  REQUIRE(loaded.manifest->dead_letters.log);
  CHECK(option(*loaded.manifest->dead_letters.log, "topics").strings == std::vector<std::string>{"lost-and-found"});
}

TEST_CASE("manifest: a sink that says where its rows go keeps dead letters, and the source of its name reads them back") {
  for (const bool named : {false, true}) {
    const auto loaded = load_text(std::string(kSound) + "[dead_letters]\nplugin = \"log\"\nbrokers = \"there:9092\"\ntimeout = \"2s\"\n" +
                                  (named ? "topic = \"lost\"\n" : ""));
    REQUIRE(loaded.manifest);
    const auto& dead_letters = loaded.manifest->dead_letters;
    CHECK(dead_letters.kind == dead_letters::Settings::Kind::kSink);
    CHECK(dead_letters.sink.plugin == "log");
    REQUIRE(dead_letters.log);
    CHECK(option(*dead_letters.log, "brokers").string == "there:9092");
    CHECK(option(*dead_letters.log, "topics").strings == std::vector<std::string>{named ? "lost" : "shop.dead_letters"});
    CHECK(option(*dead_letters.log, "timeout").integer == 30'000'000);  // not shared: the source's own
  }
}

TEST_CASE("manifest: maps cross as pairs") {
  const auto loaded = load_text(kSound);
  REQUIRE(loaded.manifest);
  const auto& value = loaded.manifest->sinks[0].options.abi()->values[0];
  CHECK(value.count == 2);
  CHECK(std::string(value.strings[3].data, value.strings[3].size) == "hunter2");
}

TEST_CASE("manifest: --stop reaches the sources that can stop") {
  const Workspace workspace;
  auto request = request_for({workspace.write("shop.toml", kSound)});
  request.stop = "end";
  const auto loaded = manifest::load(request);
  REQUIRE(loaded.manifest);
  CHECK(option(loaded.manifest->sources[0], "stop").string == "end");
  request.stop = "now";
  const auto refused = manifest::load(request);
  CHECK(diagnostics::render(refused.diagnostics, *refused.texts, false) ==
        "--stop: error[E0205]: 'stop' must be one of never, end, not 'now'\n\n1 error\n");
}

TEST_CASE("manifest: an error of a plugin is shown where its key stands") {
  const Workspace workspace;
  const auto loaded = manifest::load(request_for({workspace.write("shop.toml", kSound)}));
  REQUIRE(loaded.manifest);
  Error error = make_error(CDCRT_BAD_CONFIG, "no such driver", "install it");
  error.config_key = "connection.Driver";
  const auto diagnostic = manifest::diagnostic_for(loaded.manifest->sinks[0], error);
  CHECK(workspace.without_folder(diagnostics::render(diagnostic, *loaded.manifest->texts, false)) ==
        "shop.toml:9:1: error[E0209]: 'connection.Driver': no such driver\n"
        "  connection = { Driver = \"SQLite3\", PWD = *** }\n"
        "  ^~~~~~~~~~\n"
        "help: install it\n");
  error.config_key = "dialect";  // not given: the table
  CHECK(manifest::diagnostic_for(loaded.manifest->sinks[0], error).position.line == 7);
  const auto outage = manifest::diagnostic_for(loaded.manifest->sinks[0], make_error(CDCRT_UNREACHABLE, "first\n  second"));
  CHECK(outage.code == "E0504");
  CHECK(outage.message == "first");
  CHECK(outage.notes == std::vector<std::string>{"second"});
}

TEST_CASE("manifest: a route's layout is its own, else that of [defaults], by the options of its sink") {
  std::string text = kSound;
  text.replace(text.find("\"db\""), 4, "\"cluster\"");
  const auto loaded = load_text(text +
                                "[defaults.layout]\nspread_by = \"k\"\nsort = [\"a\", \"b\"]\n[routes.a]\nmatch = [\"x\"]\n"
                                "[routes.b]\nmatch = [\"y\"]\nlayout = { sort = [] }\n");
  REQUIRE(loaded.diagnostics.empty());
  const auto& routes = loaded.manifest->routes;
  REQUIRE(routes.size() == 2);
  const auto& first = routes[0].layout.values();
  CHECK(first[0].string == "key");
  CHECK(first[1].string == "k");
  CHECK(first[2].strings == std::vector<std::string>{"a", "b"});
  const auto& second = routes[1].layout.values();
  CHECK(!second[1].is_set);
  CHECK(second[2].is_set);
  CHECK(second[2].strings.empty());
  CHECK(load_text(text).manifest->defaults.layout.values().empty());
}

TEST_CASE("manifest: what a load says of batches counts for it alone, and what it does not say is as for others") {
  const auto loaded =
      load_text(std::string(kSound) +
                "batch.max_rows = 7\nbatch.max_age = \"1s\"\n[sinks.warehouse.load]\nmax_age = \"5s\"\nmax_bytes = \"64MiB\"\n");
  REQUIRE(loaded.diagnostics.empty());
  const auto& sink = loaded.manifest->sinks[0];
  CHECK(sink.load.max_rows == 7);
  CHECK(sink.load.max_age == std::chrono::seconds(5));
  CHECK(sink.load.max_bytes == 64U << 20);
  CHECK(sink.batch.max_age == std::chrono::seconds(1));
  CHECK(sink.batch.max_bytes == 16U << 20);
}

TEST_CASE("manifest: how often and how many together tables are written is said per sink") {
  const auto loaded = load_text(std::string(kSound) + "group_tables = 20\nbatch.min_interval = \"5s\"\n");
  REQUIRE(loaded.diagnostics.empty());
  CHECK(loaded.manifest->sinks[0].group_tables == 20);
  CHECK(loaded.manifest->sinks[0].batch.min_interval == std::chrono::seconds(5));
}
