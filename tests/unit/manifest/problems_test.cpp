// What an operator sees when a manifest is wrong.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "diagnostics/renderer.hpp"
#include "diagnostics/userinfo.hpp"
#include "manifest/workspace.hpp"

using namespace cdcrt;
using namespace cdcrt::test;

TEST_CASE("problems: all of them in one pass, in the order of the file, none twice") {
  CHECK(problems_of(R"toml([pipeline]
name = "shop"
unmatched_tables = "ignored"
[sources.events]
plugin = "log"
brokerz = "b"
format.plugin = "json"
format.strct = true
timeout = "5m"
[sinks.warehouse]
plugin = "db"
connection = { Driver = "x", PWD = "hunter2" }
	conections = "8"
[sinks.warehouse.batch]
bach_rows = 5
[routes.orders]
match = ["sales.orders"]
sink = "warehose"
[routes.orders.columns]
created = { type = "timestmp", parse = "epoch_ms" }
)toml") == R"(shop.toml:3:20: error[E0205]: 'unmatched_tables' must be one of ignore, fail, not 'ignored'
  unmatched_tables = "ignored"
                     ^~~~~~~~~
help: did you mean 'ignore'?

shop.toml:4:10: error[E0201]: missing key 'brokers' in [sources.events]
  [sources.events]
           ^~~~~~
help: for instance brokers = "localhost:9092"

shop.toml:6:1: error[E0203]: unknown key 'brokerz' in [sources.events]
  brokerz = ***
  ^~~~~~~
help: did you mean 'brokers'?

shop.toml:8:8: error[E0203]: unknown key 'strct' in [sources.events.format]
  format.strct = ***
         ^~~~~
help: did you mean 'strict'?

shop.toml:9:11: error[E0207]: 'timeout': unknown unit 'm' of a duration
  timeout = "5m"
            ^~~~
help: did you mean 'min' (minutes) or 'ms' (milliseconds)?

shop.toml:13:2: error[E0203]: unknown key 'conections' in [sinks.warehouse]
  	conections = ***
  	^~~~~~~~~~
help: did you mean 'connections'?

shop.toml:15:1: error[E0203]: unknown key 'bach_rows' in [sinks.warehouse.batch]
  bach_rows = ***
  ^~~~~~~~~
help: did you mean 'max_rows'?

shop.toml:18:8: error[E0305]: there is no sink 'warehose'
  sink = "warehose"
         ^~~~~~~~~~
help: did you mean 'warehouse'?

shop.toml:20:20: error[E0404]: unknown type 'timestmp'
  created = { type = "timestmp", parse = "epoch_ms" }
                     ^~~~~~~~~~
help: did you mean 'timestamp'?

9 errors
)");
}

TEST_CASE("problems: each wrong line below a sound manifest gives its one error") {
  struct Case {
    const char *text, *expected;
  };
  const Case cases[] = {
      {"[runtme]\n", "E0203 10:2 unknown key 'runtme'\n"},
      {"[runtime]\nhttp = \"9464\"\n", "E0205 11:8 'http' must be an IP address with a port, not '9464'\n"},
      {"[runtime]\nhttp = \"0.0.0.0:9464\"\n", "E0205 11:8 'http' can be reached from other machines, and no token is asked for\n"},
      {"[runtime]\nhttp = \"0.0.0.0:9464\"\nhttp_token = \"\"\n", "E0205 12:14 'http_token' must not be empty\n"},
      {"[runtime]\nhttp = \"127.0.0.1:9464\"\nhttp_token = \"short\"\n", "E0205 12:14 'http_token' must have 16 characters at least\n"},
      {"[runtime]\nhttp_token = \"0123456789abcdef\"\n", "E0205 11:14 'http_token' is for http, and http is not given\n"},
      {"[runtime]\nhttp = \"127.0.0.1:9464\"\nhttp_key = \"tls.key\"\n",
       "E0205 12:12 'http_key' needs the other one: a certificate and its key go together\n"},
      {"[runtime]\nhttp_tables = -1\n", "E0205 11:15 'http_tables' must be between 0 and 100000\n"},
      {"[runtime]\nmemory = \"64mib\"\n", "E0207 11:10 'memory': unknown unit 'mib' of a size\n"},
      {"[runtime]\nmemory = 5\n", "E0205 11:10 'memory' must be at least 1MiB\n"},
      {"[runtime]\nmemory = -5\n", "E0205 11:10 'memory' must not be negative\n"},
      {"[runtime]\ndecode_workers = \"2\"\n", "E0202 11:18 'decode_workers' must be an integer, not a string\n"},
      {"[runtime]\ndecode_workers = 2.5\n", "E0202 11:18 'decode_workers' must be an integer, not a number with a fraction\n"},
      {"[runtime]\ndecode_workers = -1\n", "E0205 11:18 'decode_workers' must be between 0 and 1024\n"},
      {"[runtime]\nshutdown_timeout = 30\n", "E0207 11:20 'shutdown_timeout' is a duration and needs a unit\n"},
      {"[runtime]\nplugin_dirs = \"x\"\n", "E0202 11:15 'plugin_dirs' must be a list of strings, not a string\n"},
      {"[runtime]\nplugin_dirs = [\"x\", 1]\n", "E0202 11:21 'plugin_dirs' must be a string, not an integer\n"},
      {"[defaults]\nmatch = [\"x\"]\n", "E0203 11:1 unknown key 'match' in [defaults]\n"},
      {"[defaults]\nsink = \"x\"\n", "E0305 11:8 there is no sink 'x'\n"},
      {"[defaults]\ntable = \"{tabel}\"\n", "E0403 11:9 unknown placeholder '{tabel}' in '{tabel}'\n"},
      {"[defaults]\ntable = \"x_{1}\"\n", "E0403 11:9 'x_{1}' uses {1}, and there is no pattern to capture anything\n"},
      {"[defaults]\nmode = \"history\"\n", "E0204 11:8 'mode' = 'history' is not yet available\n"},
      {"[defaults]\nmode = \"upsrt\"\n", "E0205 11:8 'mode' must be one of upsert, append, not 'upsrt'\n"},
      {"[defaults]\ndeletes = \"soft\"\n", "E0204 11:11 'deletes' = 'soft' is not yet available\n"},
      {"[defaults]\narchive_deletes = \"x\"\n", "E0204 11:1 'archive_deletes' in [defaults] is not yet available\n"},
      {"[defaults]\nmetadata = { op = \"_op\" }\n",
       "E0204 10:2 [defaults] has metadata with mode = \"upsert\", which is not yet available\n"},
      {"[defaults]\nmode = \"append\"\nmetadata = { op = \"_op\", offset = \"_op\" }\n",
       "E0205 12:35 'offset' goes to column '_op', as 'op' does\n"},
      {"[defaults]\nmode = \"append\"\nmetadata = { ofset = \"_o\" }\n", "E0203 12:14 unknown key 'ofset' in [defaults.metadata]\n"},
      {"[defaults]\nmode = \"append\"\nprimary_key = [\"id\"]\n", "E0406 10:2 [defaults] has mode = \"append\" and a primary_key\n"},
      {"[routes.a]\n", "E0201 10:9 missing key 'match' in [routes.a]\n"},
      {"[routes.a]\nmatch = []\n", "E0205 11:9 'match' must hold at least one pattern\n"},
      {"[routes.a]\nmatch = [\"ok\", \"a..b\"]\n", "E0401 11:16 pattern 'a..b' has an empty part\n"},
      {"[routes.a]\nmatch = [\"re:(\"]\n", nullptr},
      {"[routes.a]\nmatch = [\"x\"]\n[routes.b]\nmatch = [\"y\", \"x\"]\n", "E0402 13:15 pattern 'x' is also in [routes.a]\n"},
      {"[routes.a]\nmatch = [\"x\"]\ntable = \"y_{1}\"\n", "E0403 12:9 'y_{1}' uses {1}, and pattern 'x' of [routes.a] captures 0\n"},
      {"[routes.a]\nmatch = [\"x\"]\nprimary_key = [\"id\", \"id\"]\n", "E0205 12:15 'primary_key' names 'id' twice\n"},
      {"[routes.a]\nmatch = [\"x\"]\nprimary_key = []\n", "E0205 12:15 'primary_key' must name at least one column\n"},
      {"[routes.a]\nmatch = [\"x\"]\ncolumns.e = { hash = \"sha256\" }\n",
       "E0204 12:15 'hash' in [routes.a.columns.e] is not yet available\n"},
      {"[routes.a]\nmatch = [\"x\"]\ncolumns.e = { exclude = true, rename = \"f\" }\n",
       "E0405 12:15 column 'e' is excluded and has other settings\n"},
      {"[routes.a]\nmatch = [\"x\"]\ncolumns.\"*_x\" = { rename = \"f\" }\n",
       "E0405 12:19 pattern '*_x' renames every column it matches to 'f'\n"},
      {"[routes.a]\nmatch = [\"x\"]\ncolumns.e = { type = \"bytes\", parse = \"epoch_ms\" }\n",
       "E0405 12:31 parse = 'epoch_ms' does not give a bytes\n"},
      {"[routes.a]\nmatch = [\"x\"]\ncolumns.e = { parse = \"epoch\" }\n", nullptr},
      {"[routes.a]\nmatch = [\"x\"]\ncolumns.e = \"timestamp\"\n", "E0202 12:13 'e' must be a table, not a string\n"},
      {"[dead_letters]\nplugin = \"kafak\"\n", "E0501 11:10 no plugin 'kafak' in any of the places searched:\n"},
      {"[dead_letters]\nplugin = \"tabel\"\n",
       "E0205 11:10 'plugin' must be file, table or a sink that can keep dead letters, not 'tabel'\n"},
      {"[dead_letters]\nplugin = \"db\"\n", "E0205 11:10 'plugin' must be file, table or a sink that can keep dead letters, not 'db'\n"},
      {"[dead_letters]\nplugin = \"table\"\npath = \"x\"\n", "E0203 12:1 unknown key 'path' in [dead_letters]\n"},
      {"[dead_letters]\nmax_ratio = 1.5\n", "E0205 11:13 'max_ratio' must be above 0 and at most 1\n"},
      {"[dead_letters]\nmax_count = -1\n", "E0205 11:13 'max_count' must be at least 0\n"},
      {"[dead_letters]\npath = \"x/{proces}\"\n", "E0403 11:8 'path' has an unknown placeholder '{proces}'\n"},
      {"[sinks.other]\nplugin = \"db\"\nconnection.x = \"y\"\n", "E0306 10:8 nothing says which sink tables go to\n"},
      {"[sinks.\"a b\"]\nplugin = \"db\"\nconnection.x = \"y\"\n[defaults]\nsink = \"warehouse\"\n",
       "E0208 10:8 bad name 'a b' in [sinks]\n"},
      {"[sinks.warehouse.staging]\nurl = \"s3://x\"\n", "E0204 10:18 'staging' in [sinks.warehouse] is not yet available\n"},
      {"statement_timeout = \"30min\"\n", "E0204 10:1 'statement_timeout' in [sinks.warehouse] is not yet available\n"},
      {"group_tables = true\n", "E0202 10:16 'group_tables' must be an integer, not a boolean\n"},
      {"group_tables = 0\n", "E0205 10:16 'group_tables' must be between 1 and 10000\n"},
      {"min_interval = \"1s\"\n", "E0203 10:1 unknown key 'min_interval' in [sinks.warehouse]\n"},
      {"[defaults.layout]\nspread = \"key\"\n", "E0406 10:11 [defaults.layout] is given, and no sink of the manifest lays tables out\n"},
      {"[routes.a]\nmatch = [\"x\"]\nlayout = { spread = \"key\" }\n",
       "E0406 12:1 [routes.a.layout] is given, and sink 'warehouse' (db) has no layout options\n"},
      {"retry.limit = 5\n", "E0204 10:1 'retry' in [sinks.warehouse] is not yet available\n"},
      {"connections = 0\n", "E0205 10:15 'connections' must be between 1 and 1024\n"},
      {"format.plugin = \"json\"\n", "E0203 10:1 unknown key 'format' in [sinks.warehouse]\n"},
      {"dialect = 5\n", "E0202 10:11 'dialect' must be a string, not an integer\n"},
      {"progress_schema = \"\"\n", "E0205 10:19 'progress_schema' must not be empty\n"},
      {"batch = 5\n", "E0202 10:9 'batch' must be a table, not an integer\n"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    const auto found = codes_of(std::string(kSound) + text);
    if (expected != nullptr) {
      CHECK(found == expected);
    } else {
      CHECK(std::count(found.begin(), found.end(), '\n') == 1);
    }
  }
}

TEST_CASE("problems: options of plugins are checked by the plugin's table") {
  struct Case {
    const char *line, *expected;
  };
  const Case cases[] = {
      {"timeout = \"1us\"", "E0205 7:11 'timeout' must be between 1ms and 1h\n"},
      {"timeout = \"2h\"", "E0205 7:11 'timeout' must be between 1ms and 1h\n"},
      {"fetch.max_bytes = 1", "E0205 7:19 'max_bytes' must be between 1KiB and 1GiB\n"},
      {"fetch.max_byte = 1", "E0203 7:7 unknown key 'max_byte' in [sources.events.fetch]\n"},
      {"fetch = 1", "E0202 7:9 'fetch' must be a table, not an integer\n"},
      {"fetch.count = 101", "E0205 7:15 'count' must be between 1 and 100\n"},
      {"tries = -1", "E0205 7:9 'tries' must be at least 0\n"},
      {"tries = 0\ndebt = 1", "E0205 8:8 'debt' must be at most 0\n"},
      {"ratio = 2", "E0205 7:9 'ratio' must be between 0 and 1\n"},
      {"ratio = nan", "E0205 7:9 'ratio' must be a finite number\n"},
      {"check = \"true\"", "E0202 7:9 'check' must be true or false, not a string\n"},
      {"stop = \"nver\"", "E0205 7:8 'stop' must be one of never, end, not 'nver'\n"},
      {"topics = \"x\"", "E0202 7:10 'topics' must be a list of strings, not a string\n"},
      {"librdkafka.security.protocol = \"x\"", "E0202 7:12 'librdkafka.security' must be a string, number or boolean, not a table\n"},
      {"certificate = \"\"", "E0205 7:15 'certificate' must not be empty\n"},
      {"files = 5", "E0202 7:9 'files' must be a string, not an integer\n"},
      {"later = \"x\"", "E0204 7:1 'later' in [sources.events] is not yet available\n"},
      {"batch.max_rows = 5", "E0203 7:1 unknown key 'batch' in [sources.events]\n"},
      {"labels.team = \"x\"", "E0204 7:1 'labels' in [sources.events] is not yet available\n"},
      {"pin = 10000", "E0205 7:7 'pin' must be between 1 and 9999\n"},
  };
  for (const auto& [line, expected] : cases) {
    CAPTURE(line);
    std::string text = kSound;
    text.insert(text.find("[sinks"), std::string(line) + "\n");
    CHECK(codes_of(text) == expected);
  }
}

TEST_CASE("problems: a layout is judged by the table of the sink's plugin, and [defaults] once") {
  struct Case {
    const char *text, *expected;
  };
  const Case cases[] = {
      {"[defaults.layout]\nspred = \"even\"\n[routes.a]\nmatch = [\"x\"]\n[routes.b]\nmatch = [\"y\"]\n",
       "E0203 11:1 unknown key 'spred' in [defaults.layout]\n"},
      {"[routes.a]\nmatch = [\"x\"]\nlayout.spread = \"evn\"\n", "E0205 12:17 'spread' must be one of key, even, not 'evn'\n"},
      {"[routes.a]\nmatch = [\"x\"]\nlayout = 5\n", "E0202 12:10 'layout' must be a table, not an integer\n"},
      {"[defaults]\nlayout = { spread_by = \"k\", spread = \"even\" }\n[routes.a]\nmatch = [\"x\"]\n[routes.b]\nmatch = [\"y\"]\n",
       "E0209 11:24 'spread_by': nothing is spread by a column\n"},
      {"[defaults]\nlayout = { spread_by = \"k\", spread = \"evn\" }\n", "E0205 11:38 'spread' must be one of key, even, not 'evn'\n"},
      {"[sinks.other]\nplugin = \"db\"\nconnection.x = \"y\"\n[defaults]\nsink = \"other\"\nlayout.spred = 1\n",
       "E0203 15:8 unknown key 'spred' in [defaults.layout]\n"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text);
    std::string whole = kSound;
    whole.replace(whole.find("\"db\""), 4, "\"cluster\"");
    CHECK(codes_of(whole + text) == expected);
  }
}

TEST_CASE("problems: what is missing is named") {
  CHECK(codes_of("") ==
        "E0201 0:0 missing key 'name' in [pipeline]\nE0201 0:0 the manifest has no source\nE0201 0:0 the manifest has no sink\n");
  CHECK(codes_of("[pipeline]\n[sources.a]\n[sinks.b]\n") ==
        "E0201 1:2 missing key 'name' in [pipeline]\nE0201 2:10 missing key 'plugin' in [sources.a]\n"
        "E0201 2:10 missing key 'format.plugin' in [sources.a]\nE0201 3:8 missing key 'plugin' in [sinks.b]\n");
  CHECK(codes_of("pipeline = 5\nsources = 1\nsinks = []\n") ==
        "E0202 1:12 'pipeline' must be a table, not an integer\nE0202 2:11 'sources' must be a table, not an integer\n"
        "E0202 3:9 'sinks' must be a table, not a list\n");
}

TEST_CASE("problems: a plugin that is not there is of the environment, with the places searched") {
  std::string text = kSound;
  text.replace(text.find("\"log\""), 5, "\"kafka\"");
  const auto loaded = load_text(text);
  REQUIRE(loaded.diagnostics.size() == 1);
  CHECK(loaded.environment_error);
  CHECK(loaded.diagnostics[0].code == "E0501");
  CHECK(loaded.diagnostics[0].position.line == 4);
  CHECK(loaded.diagnostics[0].notes == std::vector<std::string>{"/one (first)", "/two (second)"});
  CHECK_FALSE(load_text(text + "x = 1\n").environment_error);  // a mistake of the manifest as well
  text.replace(text.find("\"kafka\""), 7, "\"bad\"");
  CHECK(load_text(text).diagnostics[0].code == "E0502");
  text.replace(text.find("\"bad\""), 5, "\"log\"");
  text.replace(text.find("plugin = \"db\""), 13, "plugin = \"broken\"");
  CHECK(codes_of(text).starts_with("E0503 7:8 plugin 'broken' declares a default for 'count' that its own table refuses"));
}

TEST_CASE("problems: TOML that cannot be parsed is shown at its place") {
  struct Case {
    const char *text, *start;
  };
  const Case cases[] = {
      {"[pipeline\n", "E0101 1:10 "},
      {"a = 1\na = 2\n", "E0101 2:5 cannot redefine existing integer 'a'"},
      {"[sinks.a]\n[sinks.a]\n", "E0101 2:1 cannot redefine existing table 'sinks.a'"},
      {"name = shop\n", "E0101 1:"},
      {"= 1\n", "E0101 1:1 "},
      {"a = \"x\n", "E0101 1:"},
      {"a = \"\xff\"\n", "E0103 1:6 the file is not UTF-8 text, byte \\xff"},
      {"ok = 1\n\xff\xfe\x00", "E0103 2:1 the file is not UTF-8 text, byte \\xff"},
  };
  for (const auto& [text, start] : cases) {
    CAPTURE(text);
    const auto found = codes_of(text);
    CHECK(found.starts_with(start));
    CHECK(std::count(found.begin(), found.end(), '\n') == 1);
  }
}

TEST_CASE("problems: bad files never crash the loader") {
  const Workspace workspace;
  std::string noise;
  uint32_t state = 12345;
  for (int i = 0; i < 100000; ++i) noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  const std::string nested = "a = " + std::string(100000, '[');
  const std::string inline_tables = [] {
    std::string text = "a = ";
    for (int i = 0; i < 50000; ++i) text += "{a=";
    return text;
  }();
  std::string dotted = "a";
  for (int i = 0; i < 100000; ++i) dotted += ".a";
  const std::pair<std::string, const char*> cases[] = {
      {noise, "E0103"},           {std::string("a = \0", 5), "E0103"}, {nested, "E0101"},          {inline_tables, "E0101"},
      {dotted + " = 1", "E0101"}, {"[" + dotted + "]", "E0101"},       {"\xEF\xBB\xBF[x", "E0101"}};
  for (const auto& [text, code] : cases) {
    const auto loaded = manifest::load(request_for({workspace.write("bad.toml", text)}));
    REQUIRE(loaded.diagnostics.size() == 1);
    CHECK(loaded.diagnostics[0].code == code);
    CHECK_FALSE(diagnostics::render(loaded.diagnostics, *loaded.texts, false).empty());
  }
  CHECK(manifest::load(request_for({workspace.folder() + "/none.toml"})).diagnostics.at(0).message == "the manifest does not exist");
  CHECK(manifest::load(request_for({workspace.folder()})).diagnostics.at(0).message == "the manifest is a directory");
  CHECK(manifest::load(request_for({})).diagnostics.at(0).code == "E0102");
}

TEST_CASE("secrets: no diagnostic shows one, whatever is wrong around it") {
  const char* const lines[] = {
      "[sources.x]\nplugin = \"log\"\nsasl_key = [\"hunter2\"]\n",
      "[sources.x]\nplugin = \"log\"\nsasl_key = \"hunter2\" # x\nformat.plugin = \"json\"\nbrokers = { a = 1 }\n",
      "[sources.x]\nplugin = \"log\"\nbrokers = \"b\"\nformat = { plugin = \"json\" }\nlibrdkafka = { \"sasl.password\" = \"hunter2\", x = "
      "[1] }\n",
      "[sinks.x]\nplugin = \"db\"\nconnection = { PWD = [\"hunter2\"] }\n",
      "[sinks.x]\nplugin = \"db\"\nconnection = { PWD.x = \"hunter2\" }\n",
      "[sinks.x]\nplugin = \"db\"\nconection = { PWD = \"hunter2\" }\n",
      "[sinks.x]\nplugin = \"db\"\nconnection = { PWD = \"${env:CDCRT_TEST_UNSET}hunter2\" }\n",
      "[sinks.x]\nplugin = \"nothing\"\nconnection = { PWD = \"hunter2\", PWD = \"hunter2\" }\n",
      "[sinks.x]\nconnection = { PWD = hunter2 }\n",
      "[sinks.x]\nPWD = 0hunter2\n",
      "[sinks.x]\nPWD = \"hunter2\n",
  };
  for (const char* line : lines) {
    CAPTURE(line);
    const Workspace workspace;
    const auto loaded = manifest::load(request_for({workspace.write("shop.toml", "[pipeline]\nname = \"x\"\n" + std::string(line))}));
    REQUIRE_FALSE(loaded.diagnostics.empty());
    CHECK(diagnostics::render(loaded.diagnostics, *loaded.texts, false).find("hunter2") == std::string::npos);
    CHECK(diagnostics::render_json(loaded.diagnostics).find("hunter2") == std::string::npos);
  }
  // Text that is no TOML, where nothing tells values from keys, and references.
  const char* const broken[] = {"Pwd : \"hunter2\"\n",
                                "Pwd \"hunter2\"\n",
                                "Pwd hunter2\n",
                                "Pwd -> hunter2\n",
                                "PWD = \"\"\"\nhunter2\nsecond-hunter2 \\q\n\"\"\"\n",
                                "note = \"\"\"\nPWD is hunter2 \\q\n\"\"\"\n",
                                "PWD = \'\'\'\nhunter2\x01\n\'\'\'\n",
                                "PWD = [ \"a\",\n\"hunter2\" oops\n]\n",
                                "PWD = [ # \"\n[ \"hunter2\" oops ]\n]\n",
                                "x = { a = \"b\", PWD = [\nhunter2\n] }\n",
                                "\"ssl.key.pem\" = hunter2\n",
                                "\"sasl.oauthbearer.config\" = \'hunter2\n",
                                "x = \"dsn;PWD=hunter2;\n",
                                "x = 0hunter2\n",
                                "x = 1hunter2\n",
                                "x = 2hunter2-10\n",
                                "x = truehunter2\n",
                                "x = \"a\" hunter2\n",
                                "x = a\thunter2\n",
                                "[sinks.b] hunter2\n",
                                "[sinks.b hunter2]\n",
                                "[\"sinks\", \"hunter2\"]\n",
                                "hunter2\n",
                                "\"hunter2\n",
                                "= hunter2\n",
                                "x = hunter2 # \xff\n",
                                "note = \"\"\"\nhunter2 \xff\n\"\"\"\n",
                                "x.\"hunter2\n",
                                "# \"\"\"\nx = \'\'\'it\'s\n\nhunter2\n"};
  for (const char* text : broken) {
    CAPTURE(text);
    const Workspace workspace;
    const auto loaded =
        manifest::load(request_for({workspace.write("shop.toml", "[pipeline]\nname = \"x\"\n[sinks.x.connection]\n" + std::string(text))}));
    REQUIRE_FALSE(loaded.diagnostics.empty());
    CHECK(diagnostics::render(loaded.diagnostics, *loaded.texts, false).find("hunter2") == std::string::npos);
    CHECK(diagnostics::render_json(loaded.diagnostics).find("hunter2") == std::string::npos);
  }
  CHECK(problems_of("[sinks.x]\nPwd : \"hunter2\"\n").find("Pwd***") != std::string::npos);
  CHECK(problems_of("[sinks.x]\nPWD = [ \"a\",\n\"hunter2\" oops\n]\n").find("in the value of 'PWD'") != std::string::npos);
  for (const char* value : {"\"${evn:X:-hunter2}\"", "\"${env:1:-hunter2}\"", "\"${env:CDCRT_TEST_UNSET:-hunter2\""}) {
    CAPTURE(value);
    const auto shown =
        problems_of(std::string(kSound) + "[sinks.x]\nplugin = \"db\"\nconnection.Server = \"s\"\nconnection.PWD = " + value + "\n");
    CHECK(shown.find("hunter2") == std::string::npos);
    CHECK(shown.find("error") != std::string::npos);
  }
  CHECK(problems_of(std::string(kSound) + "[sinks.x]\nplugin = \"db\"\nconnection.PWD = \"ab${hunter2}c\"\n").find("hunter2") ==
        std::string::npos);
  CHECK(problems_of(std::string(kSound) + "[sinks.x]\nplugin = \"db\"\nconnection.PWD = \"ab${k:hunter2}c\"\n").find("hunter2") ==
        std::string::npos);
  for (const char* set : {"a.PWD hunter2", "a.PWD:hunter2", "a.PWD \"hunter2\"", "a.hunter2", "a.PWD hunter2=x", "PWD \"hunter2\" = 1",
                          "a.PWD\nhunter2=x", "hunter2"}) {
    CAPTURE(set);
    CHECK(problems_of(kSound, {set}).find("hunter2") == std::string::npos);
  }
  CHECK(problems_of(kSound, {"sinks.warehouse.connection.PWD=[\"hunter2\"]"}).find("hunter2") == std::string::npos);
  for (const char* text : {"statement_timeuot = \"postgresql://u:hunter2@h/db\"\n", "dialect = [\"http://u:hunter2@h\"]\n",
                           "dialect = [\"Driver=x;PWD=hunter2;\"]\n"}) {
    CAPTURE(text);
    CHECK(problems_of(std::string(kSound) + text).find("hunter2") == std::string::npos);
  }
  CHECK(problems_of(kSound, {"sources.events.pin=hunter2"}).find("hunter2") == std::string::npos);
}

TEST_CASE("secrets: a key that is not known may be a misspelt one of a secret: its value is not shown") {
  for (const char* set :
       {"sources.events.sasl_kye=hunter2", "sinks.warehouse.conection.x=hunter2", "sinks.warehouse.conection={a=\"hunter2\"}",
        "sources.events.list=[\"a\", \"hunter2\"]", "hunter={2=\"hunter2\"}"}) {
    CAPTURE(set);
    const auto shown = problems_of(kSound, {set});
    CHECK(shown.find("unknown key") != std::string::npos);
    CHECK(shown.find("hunter2") == std::string::npos);
  }
  for (const char* line :
       {"sasl_kye = \"hunter2\"\n", "options = { a = \"hunter2\", b = [\"hunter2\"] }\n", "text = \"\"\"\nhunter2\n\"\"\"\n"}) {
    CAPTURE(line);
    const auto shown = problems_of(std::string(kSound) + line);
    CHECK(shown.find("unknown key") != std::string::npos);
    CHECK(shown.find("hunter2") == std::string::npos);
  }
  // Of a map the plugin refuses members when it is asked: the line is shown then, with what it may hold.
  const auto shown_line = [](const std::string& connection, const std::vector<std::string>& sets) {
    const Workspace workspace;
    auto request = request_for({workspace.write(
        "shop.toml", "[pipeline]\nname = \"x\"\n[sources.x]\nplugin = \"log\"\nbrokers = \"b\"\nformat.plugin = \"json\"\n" + connection)});
    request.sets = sets;
    const auto loaded = manifest::load(request);
    std::string text;
    for (const char* file : {"shop.toml", "--set"}) {
      for (uint32_t line = 1; line < 12; ++line) {
        const auto shown = loaded.texts->line({file == std::string("--set") ? file : workspace.folder() + "/" + file, line, 1, 1});
        if (shown) text += shown->text + "\n";
      }
    }
    return text;
  };
  const auto file = shown_line("[sinks.x]\nplugin = \"db\"\nconnection = { Driver = \"SQLite3\", Pswd = \"hunter2\" }\n",
                               {"sinks.x.connection.Kennwort=hunter2"});
  CHECK(file.find("SQLite3") != std::string::npos);
  CHECK(file.find("Kennwort") != std::string::npos);
  CHECK(file.find("hunter2") == std::string::npos);
  for (const char* key : {"pasword", "Passwrod", "sasl.pasword", "PASSWRD", "passphrse", "client_secert", "tokne", "pw", "credentails"})
    CHECK(diagnostics::names_a_secret(key));
  for (const char* key : {"brokers", "topics", "sink", "sort_key", "start", "stop", "plugin", "parallelism", "passes", "to", "table"}) {
    CAPTURE(key);
    CHECK_FALSE(diagnostics::names_a_secret(key));
  }
}

TEST_CASE("secrets: what stands before the @ of an address is not shown, with a scheme or without") {
  for (const char* address :
       {"postgresql://u:hunter2@h/db", "hunter2:x@h:9092", "u:hunter2@h", "s3://hunter2@bucket/x", "u:hun@hunter2@h", "u:hunter2/x@h",
        "a:1,u:hunter2,x@h:9092", "s3://u:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaahunter2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b",
        "u:it's hunter2@h", "s3://hunter2/x@bucket"}) {
    CAPTURE(address);
    CHECK(problems_of(std::string(kSound) + "dialect = \"" + address + "\"\n").find("hunter2") == std::string::npos);
    CHECK(problems_of(std::string(kSound) + "statement_timeout = \"" + address + "\"\n").find("hunter2") == std::string::npos);
    CHECK(problems_of(kSound, {"sinks.warehouse.dialect=" + std::string(address)}).find("hunter2") == std::string::npos);
    CHECK(problems_of(kSound, {"sinks.warehouse.statement_timeout=" + std::string(address)}).find("hunter2") == std::string::npos);
  }
  using diagnostics::Addresses;
  CHECK(diagnostics::without_userinfo("at https://u:p@h/x and at a:b@c", Addresses::kWithScheme) == "at https://***@h/x and at a:b@c");
  CHECK(diagnostics::without_userinfo("see https://h/name@1.2 of a@b.c", Addresses::kWithScheme) == "see https://h/name@1.2 of a@b.c");
  CHECK(diagnostics::without_userinfo("https://u:pa'ss@h/x failed", Addresses::kWithScheme) == "https://***@h/x failed");
  CHECK(diagnostics::without_userinfo("u:pa\"ss@h failed", Addresses::kAny) == "***@h failed");
  CHECK(diagnostics::without_userinfo("can't get ticket: etl@REALM", Addresses::kAny) == "can't get ticket: etl@REALM");
}

TEST_CASE("problems: routes that write into one table under primary keys that differ are named") {
  const auto told = [](const char* first, const char* second) {
    return problems_of(std::string(R"toml([pipeline]
name = "shop"
[sources.events]
plugin = "log"
brokers = "b"
format.plugin = "json"
[sinks.warehouse]
plugin = "db"
connection = { Driver = "x" }
[routes.one]
match = ["s1.orders"]
)toml") + first + "[routes.two]\nmatch = [\"s2.orders\"]\n" +
                       second);
  };
  const char* const kTold = "[routes.one] and [routes.two] write into one table, 'orders', and their primary_keys differ";
  CHECK(told("table = \"orders\"\nprimary_key = [\"id\"]\n", "table = \"orders\"\nprimary_key = [\"no\"]\n").find(kTold) !=
        std::string::npos);
  for (const char* const second :
       {"table = \"orders\"\nprimary_key = [\"id\"]\n", "table = \"others\"\nprimary_key = [\"no\"]\n", "table = \"orders\"\n"})
    CHECK(told("table = \"orders\"\nprimary_key = [\"id\"]\n", second).find(kTold) == std::string::npos);
}
