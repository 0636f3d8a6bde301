// Several files, --set, and references.
#include <doctest/doctest.h>

#include <cstdlib>

#include "diagnostics/renderer.hpp"
#include "manifest/workspace.hpp"

using namespace cdcrt;
using namespace cdcrt::test;

namespace {

std::string rendered(const Workspace& workspace, const manifest::Loaded& loaded) {
  return workspace.without_folder(diagnostics::render(loaded.diagnostics, *loaded.texts, false));
}

/// Sets a variable of the environment for one test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

std::string with_brokers(const std::string& value) {
  std::string text = kSound;
  text.replace(text.find("\"localhost:9092\""), 16, value);
  return text;
}

std::string brokers_of(const std::string& value) {
  const auto loaded = load_text(with_brokers(value));
  return loaded.manifest ? option(loaded.manifest->sources[0], "brokers").string : "error: " + loaded.diagnostics.at(0).message;
}

}  // namespace

TEST_CASE("overlay: tables merge, leaves replace, and problems keep their file") {
  const Workspace workspace;
  const auto base = workspace.write("base.toml", kSound);
  const auto over =
      workspace.write("over.toml", "[sinks.warehouse]\nconnections = 9\nconnection.Database = \"x\"\n[sources.events]\ntopics = [\"z\"]\n");
  const auto loaded = manifest::load(request_for({base, over}));
  REQUIRE_MESSAGE(loaded.manifest, rendered(workspace, loaded));
  CHECK(loaded.manifest->sinks[0].connections == 9);
  CHECK(option(loaded.manifest->sinks[0], "connection").strings ==
        std::vector<std::string>{"Driver", "SQLite3", "PWD", "hunter2", "Database", "x"});
  CHECK(option(loaded.manifest->sources[0], "topics").strings == std::vector<std::string>{"z"});
  CHECK(loaded.manifest->path == base);

  const auto wrong = workspace.write("wrong.toml", "[sinks.warehouse]\nconections = 9\n");
  const auto wrong_too = workspace.write("base2.toml", std::string(kSound) + "x = 1\n");
  CHECK(rendered(workspace, manifest::load(request_for({wrong_too, wrong}))) ==
        "base2.toml:10:1: error[E0203]: unknown key 'x' in [sinks.warehouse]\n  x = ***\n  ^\n"
        "help: allowed here: plugin, batch, connections, group_tables, stall_after, progress_schema, load, connection, dialect\n\n"
        "wrong.toml:2:1: error[E0203]: unknown key 'conections' in [sinks.warehouse]\n  conections = ***\n  ^~~~~~~~~~\n"
        "help: did you mean 'connections'?\n\n2 errors\n");
}

TEST_CASE("set: values are TOML or bare strings and take what type they must") {
  const auto loaded = load_text(kSound, {"sinks.warehouse.connections=7", "sources.events.brokers=9092", "sources.events.check=false",
                                         "runtime.memory=64MiB", "sources.events.librdkafka.\"security.protocol\"=SASL # not a comment",
                                         "sources.events.topics=[\"q\"]", "pipeline.name=a b=c", "sinks.warehouse.batch={max_rows=3}"});
  REQUIRE_MESSAGE(loaded.manifest, diagnostics::render(loaded.diagnostics, *loaded.texts, false));
  CHECK(loaded.manifest->sinks[0].connections == 7);
  CHECK(loaded.manifest->sinks[0].batch.max_rows == 3);
  CHECK(option(loaded.manifest->sources[0], "brokers").string == "9092");
  CHECK(option(loaded.manifest->sources[0], "check").integer == 0);
  CHECK(option(loaded.manifest->sources[0], "librdkafka").strings == std::vector<std::string>{"security.protocol", "SASL # not a comment"});
  CHECK(option(loaded.manifest->sources[0], "topics").strings == std::vector<std::string>{"q"});
  CHECK(loaded.manifest->runtime.memory == 64ULL << 20);
  CHECK(loaded.manifest->pipeline == "a b=c");
}

TEST_CASE("set: a number with a comment behind it is not cut") {
  const auto loaded = load_text(kSound, {"sinks.warehouse.connection.PWD=123 #456"});
  REQUIRE(loaded.manifest);
  CHECK(option(loaded.manifest->sinks[0], "connection").strings.back() == "123 #456");
}

TEST_CASE("set: problems point into the argument") {
  CHECK(problems_of(kSound, {"runtime.memory=64MiB", "sinks.warehouse.conections=8"}) ==
        "--set:2:17: error[E0203]: unknown key 'conections' in [sinks.warehouse]\n"
        "  sinks.warehouse.conections=***\n"
        "                  ^~~~~~~~~~\n"
        "help: did you mean 'connections'?\n\n1 error\n");
  CHECK(problems_of(kSound, {"sinks.warehouse.connections=many"}) ==
        "--set:1:29: error[E0202]: 'connections': 'many' is not an integer\n"
        "  sinks.warehouse.connections=many\n"
        "                              ^~~~\n\n1 error\n");
  CHECK(codes_of(kSound, {"sinks.warehouse.connections=5000"}) == "E0205 1:29 'connections' must be between 1 and 1024\n");
}

TEST_CASE("set: what is no assignment is refused") {
  for (const char* set : {"", "x", "=5", "a b=5", "a..b=5", "a.=5", "#=5", "[x]=5", "a=1\nb", "a\nb=1", "\xff=1"}) {
    CAPTURE(set);
    const auto loaded = load_text(kSound, {set});
    REQUIRE(loaded.diagnostics.size() == 1);
    CHECK((loaded.diagnostics[0].code == "E0104" || loaded.diagnostics[0].code == "E0203"));
  }
}

TEST_CASE("include: adds sources, sinks and routes beside the including file") {
  const Workspace workspace;
  const auto file = workspace.write("main.toml", "include = [\"teams/*.toml\"]\n" + std::string(kSound));
  workspace.write("teams/a.toml", "[routes.a]\nmatch = [\"a.*\"]\n");
  workspace.write("teams/b.toml", "include = [\"deep/c.toml\"]\n[routes.b]\nmatch = [\"b.*\"]\n");
  workspace.write("teams/deep/c.toml", "[routes.c]\nmatch = [\"c.*\"]\nsink = \"nowhere\"\n");
  CHECK(rendered(workspace, manifest::load(request_for({file}))) ==
        "teams/deep/c.toml:3:8: error[E0305]: there is no sink 'nowhere'\n  sink = \"nowhere\"\n         ^~~~~~~~~\n"
        "help: allowed here: warehouse\n\n1 error\n");
  workspace.write("teams/deep/c.toml", "[routes.c]\nmatch = [\"c.*\"]\n");
  const auto loaded = manifest::load(request_for({file}));
  REQUIRE(loaded.manifest);
  CHECK(loaded.manifest->routes.size() == 3);
}

TEST_CASE("include: what is defined already is an error with both places") {
  const Workspace workspace;
  const auto file = workspace.write("main.toml", "include = [\"a.toml\"]\n" + std::string(kSound) + "[routes.x]\nmatch = [\"x\"]\n");
  workspace.write("a.toml", "[routes.x]\nexcept = [\"y\"]\n[pipeline]\nname = \"other\"\nunmatched_tables = \"fail\"\n");
  CHECK(rendered(workspace, manifest::load(request_for({file}))) ==
        "a.toml:1:9: error[E0206]: 'routes.x' is already defined\n  [routes.x]\n          ^\n"
        "help: an included file only adds; to change a value give a second --manifest or --set\nnote: first defined at main.toml:11:9\n\n"
        "a.toml:4:1: error[E0206]: 'pipeline.name' is already defined\n  name = \"other\"\n  ^~~~\n"
        "help: an included file only adds; to change a value give a second --manifest or --set\nnote: first defined at main.toml:3:1\n\n2 "
        "errors\n");
}

TEST_CASE("include: circles, missing files and wrong types are reported, a glob beside itself is none") {
  const Workspace workspace;
  const auto circle = workspace.write("circle/a.toml", "include = [\"b.toml\"]\n");
  workspace.write("circle/b.toml", "x = 1\ninclude = [\"a.toml\"]\n");
  const auto found = manifest::load(request_for({circle}));
  REQUIRE(found.diagnostics.size() == 1);
  CHECK(found.diagnostics[0].code == "E0105");
  CHECK(found.diagnostics[0].position.line == 2);
  CHECK(found.diagnostics[0].notes.size() == 3);

  const auto missing = workspace.write("missing.toml", "include = [\"none.toml\", \"none/*.toml\", 5]\n" + std::string(kSound));
  const auto problems = manifest::load(request_for({missing}));
  REQUIRE(problems.diagnostics.size() == 2);
  CHECK(problems.diagnostics[0].code == "E0106");
  CHECK(problems.diagnostics[1].code == "E0202");

  const auto self = workspace.write("self/main.toml", "include = [\"*.toml\"]\n" + std::string(kSound));
  workspace.write("self/r.toml", "[routes.x]\nmatch = [\"x\"]\n");
  CHECK(manifest::load(request_for({self})).manifest.has_value());
  CHECK(codes_of("include = \"x\"\n" + std::string(kSound)) == "E0202 1:11 'include' must be a list of strings, not a string\n");
}

TEST_CASE("references: variables, defaults and files come out once and are never read again") {
  const Workspace workspace;
  const Variable stage("CDCRT_TEST_STAGE", "prod");
  const Variable empty("CDCRT_TEST_EMPTY", "");
  const Variable nested("CDCRT_TEST_NESTED", "${env:CDCRT_TEST_STAGE} $$ ${file:/etc/passwd}");
  const Variable toml("CDCRT_TEST_TOML", "\"\nplugin = \"evil");
  const auto secret = workspace.write("secret", "from file\n");
  workspace.write("windows", "line\r\n");
  struct Case {
    std::string value, expected;
  };
  const Case cases[] = {
      {"\"a-${env:CDCRT_TEST_STAGE}-b\"", "a-prod-b"},
      {"'${env:CDCRT_TEST_STAGE}${env:CDCRT_TEST_STAGE}'", "prodprod"},
      {"\"${env:CDCRT_TEST_NOPE:-fallback}\"", "fallback"},
      {"\"${env:CDCRT_TEST_NOPE:-}\"", ""},
      {"\"${env:CDCRT_TEST_EMPTY:-fallback}\"", "fallback"},
      {"\"x${env:CDCRT_TEST_EMPTY}\"", "x"},
      {"\"${env:CDCRT_TEST_NOPE:-$$}\"", "$$"},
      {"\"${env:CDCRT_TEST_NESTED}\"", "${env:CDCRT_TEST_STAGE} $$ ${file:/etc/passwd}"},
      {"\"${env:CDCRT_TEST_TOML}\"", "\"\nplugin = \"evil"},
      {"\"${file:" + secret + "}\"", "from file"},
      {"\"${file:" + workspace.folder() + "/windows}\"", "line"},
      {"\"$${env:CDCRT_TEST_STAGE}\"", "${env:CDCRT_TEST_STAGE}"},
      {"\"a$$b$c$\"", "a$b$c$"},
      {"\"$$$$\"", "$$"},
  };
  for (const auto& [value, expected] : cases) {
    CAPTURE(value);
    CHECK(brokers_of(value) == expected);
  }
}

TEST_CASE("references: relative files start at the manifest's folder") {
  const Workspace workspace;
  workspace.write("secrets/password", "x\n");
  std::string text = with_brokers("\"${file:secrets/password}\"");
  const auto loaded = manifest::load(request_for({workspace.write("shop.toml", text)}));
  REQUIRE(loaded.manifest);
  CHECK(option(loaded.manifest->sources[0], "brokers").string == "x");
}

TEST_CASE("references: a credential is a file in the folder that systemd gives the unit") {
  const Workspace workspace;
  workspace.write("credentials/kafka", "x\n");
  const std::string path = workspace.write("shop.toml", with_brokers("\"${credential:kafka}\""));
  ::unsetenv("CREDENTIALS_DIRECTORY");
  const auto outside = manifest::load(request_for({path}));
  REQUIRE(outside.diagnostics.size() == 1);
  CHECK(outside.diagnostics[0].code == "E0302");
  CHECK(outside.diagnostics[0].message == "there is no credential 'kafka': CREDENTIALS_DIRECTORY is not set");
  const Variable directory("CREDENTIALS_DIRECTORY", (workspace.folder() + "/credentials").c_str());
  const auto loaded = manifest::load(request_for({path}));
  REQUIRE(loaded.manifest);
  CHECK(option(loaded.manifest->sources[0], "brokers").string == "x");
  const std::pair<const char*, const char*> wrong[] = {{"\"${credential:}\"", "E0304"},
                                                       {"\"${credential:../x}\"", "E0304"},
                                                       {"\"${credential:.}\"", "E0304"},
                                                       {"\"${credential:other}\"", "E0302"}};
  for (const auto& [value, code] : wrong) {
    CAPTURE(value);
    const auto refused = load_text(with_brokers(value));
    REQUIRE(refused.diagnostics.size() == 1);
    CHECK(refused.diagnostics[0].code == code);
  }
}

TEST_CASE("references: a source whose values come from files can be read again") {
  const Workspace workspace;
  workspace.write("brokers", "old:9092\n");
  const auto loaded = manifest::load(request_for({workspace.write("shop.toml", with_brokers("\"${file:brokers}\""))}));
  REQUIRE(loaded.manifest);
  const auto& source = loaded.manifest->sources[0];
  REQUIRE(source.renew);
  CHECK(source.renew()->same_values(source.options));
  workspace.write("brokers", "new:9092\n");
  CHECK(!source.renew()->same_values(source.options));
  CHECK(!load_text(with_brokers("\"kafka:9092\"")).manifest->sources[0].renew);
}

TEST_CASE("references: one that cannot be resolved is reported at its own place, once") {
  CHECK(problems_of(with_brokers("\"a${env:CDCRT_TEST_NOPE}\"")) ==
        "shop.toml:5:13: error[E0301]: environment variable 'CDCRT_TEST_NOPE' is not set\n"
        "  brokers = \"a${env:CDCRT_TEST_NOPE}\"\n"
        "              ^~~~~~~~~~~~~~~~~~~~~~\n"
        "help: set it, or give a default: ${env:CDCRT_TEST_NOPE:-...}\n\n1 error\n");
  struct Case {
    const char *value, *code;
  };
  const Case cases[] = {{"\"${aws-sm:}\"", "E0304"},      {"\"${aws-sm:shop/rs#}\"", "E0304"},
                        {"\"${HOME}\"", "E0304"},         {"\"${enw:X}\"", "E0304"},
                        {"\"${env:X\"", "E0304"},         {"\"${}\"", "E0304"},
                        {"\"${env:}\"", "E0304"},         {"\"${env:A B}\"", "E0304"},
                        {"\"${file:/nope/x}\"", "E0302"}, {"\"${file:/tmp}\"", "E0302"},
                        {"\"${file:}\"", "E0302"},        {"\"\"\"\n${env:CDCRT_TEST_NOPE}\"\"\"", "E0301"}};
  for (const auto& [value, code] : cases) {
    CAPTURE(value);
    const auto loaded = load_text(with_brokers(value));
    REQUIRE(loaded.diagnostics.size() == 1);
    CHECK(loaded.diagnostics[0].code == code);
    CHECK(loaded.diagnostics[0].position.line == 5);
  }
}

TEST_CASE("references: they may stand for numbers and booleans, and their value is not shown when it is wrong") {
  const Variable number("CDCRT_TEST_NUMBER", "12");
  const Variable flag("CDCRT_TEST_FLAG", "false");
  const Variable word("CDCRT_TEST_WORD", "hunter2");
  std::string text = kSound;
  text.insert(text.find("[sinks"),
              "fetch.count = \"${env:CDCRT_TEST_NUMBER}\"\ncheck = \"${env:CDCRT_TEST_FLAG}\"\nratio = \"0.${env:CDCRT_TEST_NUMBER}\"\n");
  const auto loaded = load_text(text + "connections = \"${env:CDCRT_TEST_NUMBER}\"\n");
  REQUIRE_MESSAGE(loaded.manifest, diagnostics::render(loaded.diagnostics, *loaded.texts, false));
  CHECK(option(loaded.manifest->sources[0], "fetch.count").integer == 12);
  CHECK(option(loaded.manifest->sources[0], "check").integer == 0);
  CHECK(option(loaded.manifest->sources[0], "ratio").real == doctest::Approx(0.12));
  CHECK(loaded.manifest->sinks[0].connections == 12);
  for (const char* line :
       {"connections = \"${env:CDCRT_TEST_WORD}\"\n", "batch.max_age = \"${env:CDCRT_TEST_WORD}\"\n",
        "batch.max_bytes = \"${env:CDCRT_TEST_WORD}\"\n", "[defaults]\ndeletes = \"${env:CDCRT_TEST_WORD}\"\n",
        "[defaults]\ncreate_tables = \"${env:CDCRT_TEST_WORD}\"\n", "[defaults]\ncolumns.x.type = \"${env:CDCRT_TEST_WORD}\"\n"}) {
    CAPTURE(line);
    const auto wrong = problems_of(std::string(kSound) + line);
    CHECK(wrong.find("1 error\n") != std::string::npos);
    CHECK(wrong.find("hunter2") == std::string::npos);
    CHECK(wrong.find("${env:CDCRT_TEST_WORD}") != std::string::npos);
  }
}
