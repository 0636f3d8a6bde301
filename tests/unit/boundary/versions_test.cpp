#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/elements.hpp"
#include "cdcrt/sdk/format.hpp"
#include "cdcrt/sdk/sink.hpp"
#include "diagnostics/renderer.hpp"
#include "event/row_batch.hpp"
#include "manifest/loader.hpp"
#include "paths.hpp"
#include "plugin/descriptor.hpp"
#include "plugin/instance.hpp"
#include "plugin/registry.hpp"

using namespace cdcrt;

namespace {

const cdcrt_plugin* find(const std::string& name, uint32_t kind = CDCRT_FORMAT) {
  auto found = plugin::find(kind, name, {{CDCRT_ABI_PLUGINS, "the test"}});
  REQUIRE_MESSAGE(found.ok(), found.error().message);
  return *found;
}

/// Decodes messages of topic people[0] with the format of that name.
struct Decoded {
  explicit Decoded(const std::string& name, const std::vector<std::string>& values) : batch(shapes) {
    plugin::Component component;
    component.descriptor = find(name);
    auto format = plugin::Format::create(component);
    REQUIRE_MESSAGE(format.ok(), format.error().message);
    std::vector<cdcrt_message> views;
    for (const std::string& value : values) {
      cdcrt_message message{};
      message.value = sdk::borrow(value);
      message.offset = static_cast<int64_t>(100 + views.size());
      views.push_back(message);
    }
    cdcrt_messages messages{};
    messages.topic = sdk::borrow("people");
    messages.messages = views.data();
    messages.count = static_cast<uint32_t>(views.size());
    auto done = format->decode(messages, batch);
    REQUIRE_MESSAGE(done.ok(), done.error().message);
  }
  event::ShapeRegistry shapes;
  event::RowBatch batch;
};

/// Without comments and blanks: what a compiler sees.
std::string code_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  const std::string text = bytes.str();
  std::string code;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.compare(at, 2, "/*") == 0) {
      at = text.find("*/", at) + 1;
    } else if (text[at] != ' ' && text[at] != '\n') {
      code += text[at];
    }
  }
  return code;
}

struct LaterColumn : cdcrt_column {
  uint64_t more[2];
};

/// Three columns as a later version has them, named a, b, c.
std::vector<LaterColumn> later_columns() {
  std::vector<LaterColumn> columns(3);
  const char* names[] = {"a", "b", "c"};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].name = sdk::borrow(names[i]);
    columns[i].more[0] = columns[i].more[1] = ~uint64_t{0};
  }
  return columns;
}

std::string seen;  // by the sink below: names of columns

class Recorder final : public sdk::Sink {
 public:
  explicit Recorder(const sdk::Config&) {}
  sdk::Status open(std::unique_ptr<sdk::SinkConnection>& connection) override;
};

class RecorderConnection final : public sdk::SinkConnection {
 public:
  sdk::Status change(const cdcrt_table&, const cdcrt_change* changes, uint32_t count) override {
    for (uint32_t i = 0; i < count; ++i) note(changes[i].columns, changes[i].column_count);
    return {};
  }
  sdk::Status write(const cdcrt_write& write) override { return note(write.columns, write.column_count); }
  sdk::Status read(const cdcrt_read& read) override { return note(read.columns, read.column_count); }
  sdk::Status clocks(std::vector<sdk::Clock>& out) override {
    using namespace std::chrono;
    out.push_back({"the database", -3s, 5ms, 0s});
    out.push_back({"S3", 20min, 500ms, 15min});
    return {};
  }

 private:
  static sdk::Status note(const cdcrt_column* columns, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) seen += sdk::view(columns[i].name);
    seen += ";";
    return {};
  }
};

sdk::Status Recorder::open(std::unique_ptr<sdk::SinkConnection>& connection) {
  connection = std::make_unique<RecorderConnection>();
  return {};
}

}  // namespace

TEST_CASE("a plugin built from the headers as 0.7 had them is loaded and decodes") {
  CHECK(std::string(find("lines")->options[0].key) == "separator");
  const Decoded decoded("lines", {"7,Ada", "nonsense", "8,Grace"});
  REQUIRE(decoded.batch.size() == 2);
  REQUIRE(decoded.batch.rejects().size() == 1);
  CHECK(decoded.batch.rejects()[0].message == 1);
  CHECK(decoded.batch.rejects()[0].error.message == "no separator");
  const cdcrt_row& row = decoded.batch.rows()[1];
  CHECK(row.message == 2);
  CHECK(decoded.batch.cells(row.cells)[0].value.integer == 8);
  CHECK(sdk::text(decoded.batch.cells(row.cells)[1]) == "Grace");
  const event::Shape& shape = decoded.shapes.get(row.shape);
  CHECK(shape.table == "people");
  CHECK(shape.columns[1].name == "name");
  CHECK(shape.keyed);
  CHECK(shape.key_in_one_partition);
}

TEST_CASE("a plugin built from the headers as 0.8 had them is loaded and tells what was renamed") {
  CHECK(find("lines")->abi_minor == 7);
  CHECK(find("renames")->abi_minor == 8);
  const Decoded decoded("renames", {"note>remark", "nonsense"});
  REQUIRE(decoded.batch.size() == 1);
  CHECK(decoded.batch.rejects().size() == 1);
  const event::Shape& shape = decoded.shapes.get(decoded.batch.rows()[0].shape);
  CHECK(shape.columns[1].name == "remark");
  CHECK(shape.columns[1].former_name == "note");
}

TEST_CASE("a plugin built from the headers as 0.9 had them is loaded, and its option is read under its former name, with a warning") {
  CHECK(find("separated")->abi_minor == 9);
  CHECK(find("lines")->options[0].former_keys == nullptr);
  CHECK(std::string(find("separated")->options[0].former_keys) == "delimiter");
  const std::filesystem::path file = std::filesystem::temp_directory_path() / ("cdcrt-boundary-" + std::to_string(::getpid()) + ".toml");
  std::ofstream(file)
      << "[pipeline]\nname = \"shop\"\n[sources.events]\nplugin = \"file\"\npaths = [\"x\"]\nformat.plugin = \"separated\"\n"
         "format.delimiter = \";\"\n[sinks.none]\nplugin = \"blackhole\"\n";
  manifest::LoadRequest request;
  request.files = {file.string()};
  request.find_plugin = [](uint32_t kind, const std::string& name) {
    return plugin::find(kind, name, {{CDCRT_ABI_PLUGINS, "the test"}, {paths::plugins(), "the build"}});
  };
  const auto loaded = manifest::load(request);
  std::filesystem::remove(file);
  const std::string said = diagnostics::render(loaded.diagnostics, *loaded.texts, false);
  REQUIRE_MESSAGE(loaded.manifest, said);
  CHECK(loaded.manifest->sources[0].format.options.values()[0].string == ";");
  CHECK(said.find(":7:8: warning[E0210]: 'delimiter' in [sources.events.format] is called 'separator' now") != std::string::npos);
  CHECK(said.find("\n  format.delimiter = \";\"\n         ^~~~~~~~~\n") != std::string::npos);
  CHECK(said.find("help: write 'separator'") != std::string::npos);
}

TEST_CASE("a source built from the headers as 0.10 had them is asked for many partitions at once, one from before that for none") {
  const std::vector<plugin::Source::Place> places{{"people", 3, 12}, {"people", -1, 0}, {"orders", 5, 15}};
  plugin::Component component;
  component.descriptor = find("places", CDCRT_SOURCE);
  CHECK(component.descriptor->abi_minor == 10);
  auto source = plugin::Source::create(component);
  REQUIRE(source.ok());
  const auto bounds = source->bounds_of(places);
  REQUIRE(bounds.size() == 3);
  REQUIRE(bounds[0].has_value());
  CHECK(bounds[0]->first == 3);
  CHECK(bounds[0]->end == 13);
  CHECK(!bounds[1].has_value());
  CHECK(bounds[2].has_value());
  CHECK(source->start_offsets_of(places) == std::vector<std::optional<int64_t>>(3));
  std::string told;
  source->messages_at(places, [&](std::size_t index, const cdcrt_message* message) {
    told += std::to_string(index) + (message == nullptr ? " none;" : " at " + std::to_string(message->timestamp_ms) + ";");
  });
  CHECK(told == "0 at 1012;2 none;");

  cdcrt_source before = *static_cast<const cdcrt_source*>(component.descriptor->functions);
  before.size = CDCRT_SOURCE_SIZE_0_7;
  cdcrt_plugin given = *component.descriptor;
  given.abi_minor = 9;
  given.functions = &before;
  const cdcrt_plugin* const list[] = {&given};
  auto adopted = plugin::adopt_descriptors(list, 1);
  REQUIRE(adopted.ok());
  component.descriptor = adopted->front();
  auto older = plugin::Source::create(component);
  REQUIRE(older.ok());
  CHECK(!older->bounds_of(places)[0].has_value());
  told.clear();
  older->messages_at(places, [&](std::size_t, const cdcrt_message*) { told += "!"; });
  CHECK(told.empty());
}

TEST_CASE("a source built from the headers as 0.11 had them tells how many files a run opens, one from before that nothing") {
  const auto survey_of = [](const char* name) {
    plugin::Component component;
    component.descriptor = find(name, CDCRT_SOURCE);
    auto source = plugin::Source::create(component);
    REQUIRE(source.ok());
    auto survey = source->survey();
    REQUIRE(survey.ok());
    return std::move(*survey);
  };
  const auto told = survey_of("surveyed");
  CHECK(told.files == 4711);
  CHECK(told.left_out == 3);
  CHECK(survey_of("places").files == 0);
}

TEST_CASE("a sink tells of clocks, and one that was built before there was the question tells of none") {
  const auto told_by = [](const cdcrt_sink& functions) {
    cdcrt_plugin given = *find("lines");
    given.kind = CDCRT_SINK;
    given.functions = &functions;
    const cdcrt_plugin* const list[] = {&given};
    auto adopted = plugin::adopt_descriptors(list, 1);
    REQUIRE(adopted.ok());
    plugin::Component component;
    component.descriptor = adopted->front();
    auto sink = plugin::Sink::create(component);
    REQUIRE(sink.ok());
    auto connection = sink->open();
    REQUIRE(connection.ok());
    return connection->clocks();
  };
  cdcrt_sink functions = sdk::detail::sink_functions<Recorder>();
  const auto clocks = told_by(functions);
  REQUIRE(clocks.ok());
  REQUIRE(clocks->size() == 2);
  CHECK((*clocks)[0].owner == "the database");
  CHECK((*clocks)[0].ahead == -std::chrono::seconds(3));
  CHECK((*clocks)[0].accuracy == std::chrono::milliseconds(5));
  CHECK((*clocks)[0].allowed.count() == 0);
  CHECK((*clocks)[1].owner == "S3");
  CHECK((*clocks)[1].allowed == std::chrono::minutes(15));

  cdcrt_sink older = functions;
  older.size = CDCRT_SINK_SIZE_0_7;
  const auto none = told_by(older);
  REQUIRE(none.ok());
  CHECK(none->empty());

  cdcrt_sink broken = functions;
  broken.clocks = [](void*, void (*visit)(void*, const cdcrt_clock*), void* context, cdcrt_error*) -> int32_t {
    cdcrt_clock clock{};
    clock.size = sizeof clock;
    visit(context, &clock);
    return CDCRT_OK;
  };
  const auto refused = told_by(broken);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("a clock without an owner") != std::string::npos);
  broken.clocks = [](void*, void (*visit)(void*, const cdcrt_clock*), void* context, cdcrt_error*) -> int32_t {
    const cdcrt_clock clock{sizeof clock, 0, sdk::borrow("x"), INT64_MIN, 0, 0};
    visit(context, &clock);
    return CDCRT_OK;
  };
  CHECK_FALSE(told_by(broken).ok());
}

TEST_CASE("a plugin whose structs are longer than the host's is loaded and decodes, and what is new in it is left out") {
  const cdcrt_plugin* plugin = find("later");
  CHECK(plugin->size == sizeof(cdcrt_plugin));
  REQUIRE(plugin->option_count == 3);
  CHECK(std::string(plugin->options[2].key) == "third");
  const Decoded decoded("later", {"", ""});
  REQUIRE(decoded.batch.size() == 2);
  const cdcrt_row& row = decoded.batch.rows()[1];
  CHECK(decoded.batch.cells(row.cells)[0].value.integer == 101);
  const event::Shape& shape = decoded.shapes.get(row.shape);
  REQUIRE(shape.columns.size() == 2);
  CHECK(shape.columns[1].name == "columns");
}

TEST_CASE("a function that a shorter table does not reach is not offered") {
  struct FormatOfTomorrow : cdcrt_format {
    int32_t (*later)(void*);
  };
  const auto* today = static_cast<const cdcrt_format*>(find("lines")->functions);
  const auto seen_tomorrow = sdk::own_part(reinterpret_cast<const FormatOfTomorrow*>(today));
  CHECK(bool(seen_tomorrow.decode == today->decode));
  CHECK(bool(seen_tomorrow.later == nullptr));
}

TEST_CASE("sizes that no version of the ABI has are refused") {
  const cdcrt_plugin* const good = find("lines");
  const auto refusal = [](const cdcrt_plugin& given) {
    const cdcrt_plugin* const list[] = {&given};
    auto adopted = plugin::adopt_descriptors(list, 1);
    return adopted ? std::string("accepted") : adopted.error().message;
  };
  CHECK(refusal(*good) == "accepted");
  for (const uint32_t size : {0U, 8U, 64U, 71U, 73U, 1U << 20}) {
    cdcrt_plugin given = *good;
    given.size = size;
    CHECK_MESSAGE(refusal(given) == "has a broken descriptor: it has the size " + std::to_string(size) +
                                        ", which no version of the ABI gives it (at least 72)",
                  size);
  }
  for (const uint32_t size : {24U, 36U}) {
    cdcrt_format functions = *static_cast<const cdcrt_format*>(good->functions);
    functions.size = size;
    cdcrt_plugin given = *good;
    given.functions = &functions;
    CHECK(refusal(given).find("its function table has the size") != std::string::npos);
  }
  cdcrt_option option = good->options[0];
  cdcrt_plugin given = *good;
  given.options = &option;
  option.size = 56;
  CHECK(refusal(given).find("option 1 of its option table has the size 56") != std::string::npos);
  option = good->options[0];
  option.maximum = 7;
  CHECK(refusal(given).find("has a range that its flags do not tell of") != std::string::npos);
  option.flags = CDCRT_OPTION_MINIMUM;
  option.maximum = 0;
  CHECK(refusal(given) == "accepted");
}

TEST_CASE("former names that cannot be read as the option's are refused") {
  cdcrt_option options[2] = {};
  for (cdcrt_option& option : options) {
    option.size = sizeof option;
    option.type = CDCRT_OPTION_STRING;
    option.doc = "Documented.";
  }
  options[0].key = "batch_age";
  options[1].key = "fetch.count";
  cdcrt_plugin given = *find("lines");
  given.options = options;
  given.option_count = 2;
  const auto refusal = [&](const char* first, const char* second) {
    options[0].former_keys = first;
    options[1].former_keys = second;
    const cdcrt_plugin* const list[] = {&given};
    auto adopted = plugin::adopt_descriptors(list, 1);
    return adopted ? std::string("accepted") : adopted.error().message;
  };
  CHECK(refusal("age old", "fetch.number") == "accepted");
  CHECK(refusal("age old", "fetch.number fetch.many ") == "accepted");
  CHECK(refusal("batch", nullptr).find("the former name 'batch' of option 'batch_age' belongs to the host") != std::string::npos);
  CHECK(refusal(nullptr, "number").find("the former name 'number' of option 'fetch.count' is one of another table") != std::string::npos);
  CHECK(refusal("x x", nullptr).find("the former name 'x' of option 'batch_age' is declared twice") != std::string::npos);
  CHECK(refusal(nullptr, "fetch.count").find("declared twice") != std::string::npos);
}

TEST_CASE("a source built with messages longer than the host's hands over what both know") {
  struct LaterMessage : cdcrt_message {
    uint64_t more[3];
  };
  LaterMessage later[3] = {};
  for (int i = 0; i < 3; ++i) {
    later[i].offset = 5 + i;
    later[i].more[0] = ~uint64_t{0};
  }
  static int released;
  released = 0;
  {
    plugin::Messages messages;
    messages.out()->topic = sdk::borrow("people");
    messages.out()->messages = later;
    messages.out()->count = 3;
    messages.out()->message_size = sizeof(LaterMessage);
    messages.out()->release = [](cdcrt_messages* given) { released += static_cast<int>(given->count); };
    REQUIRE(messages.take().ok());
    messages.leave_out(1);
    CHECK(messages.get().count == 2);
    CHECK(messages.get().messages[1].offset == 7);
    plugin::Messages moved = std::move(messages);
    CHECK(moved.get().messages[0].offset == 6);
  }
  CHECK(released == 3);  // as it came
}

TEST_CASE("a sink and a format built with the SDK take structs of a later host, longer than their own") {
  const cdcrt_sink& functions = sdk::detail::sink_functions<Recorder>();
  const cdcrt_config config{sizeof config, 0, nullptr, sizeof(cdcrt_option_value), 0, {}, {}};
  cdcrt_error error{};
  error.size = sizeof error;
  void* self = nullptr;
  void* connection = nullptr;
  REQUIRE(functions.create(nullptr, &config, &self, &error) == CDCRT_OK);
  REQUIRE(functions.open(self, &connection, &error) == CDCRT_OK);
  const std::vector<LaterColumn> columns = later_columns();
  struct LaterRead : cdcrt_read {
    uint64_t more;
  };
  struct LaterChange : cdcrt_change {
    uint64_t more;
  };
  LaterRead reads[2] = {};
  LaterChange changes[2] = {};
  cdcrt_write write{};
  const auto fill = [&](auto& with, std::size_t size) {
    with.size = static_cast<uint32_t>(size);
    with.columns = columns.data();
    with.column_count = 3;
    with.column_size = sizeof(LaterColumn);
  };
  for (auto& read : reads) fill(read, sizeof(LaterRead));
  for (auto& change : changes) fill(change, sizeof(LaterChange));
  fill(write, sizeof write);
  seen.clear();
  const cdcrt_table table{};
  CHECK(functions.write(connection, &write, &error) == CDCRT_OK);
  CHECK(functions.read(connection, &reads[0], &error) == CDCRT_OK);
  CHECK(functions.read_together(connection, reads, 2, &error) == CDCRT_OK);
  CHECK(functions.change(connection, &table, changes, 2, &error) == CDCRT_OK);
  CHECK(seen == "abc;abc;abc;abc;abc;abc;");
  functions.close(connection);
  functions.destroy(self);

  struct LaterValue : cdcrt_option_value {
    uint64_t more;
  };
  LaterValue values[2] = {};
  values[0].key = "first";
  values[1].key = "second";
  values[1].type = CDCRT_OPTION_INTEGER;
  values[1].is_set = 1;
  values[1].integer = 42;
  const cdcrt_config longer{sizeof longer, 2, values, sizeof(LaterValue), 0, {}, {}};
  CHECK(sdk::Config(longer).integer("second") == 42);

  struct LaterMessage : cdcrt_message {
    uint64_t more;
  };
  LaterMessage later[2] = {};
  later[1].offset = 9;
  cdcrt_messages given{};
  given.messages = later;
  given.count = 2;
  given.message_size = sizeof(LaterMessage);
  int64_t sum = 0;
  for (const sdk::Message message : sdk::Messages(given)) sum += message.offset();
  CHECK(sum == 9);
  CHECK(sdk::Messages(given)[1].offset() == 9);
}

TEST_CASE("the headers say what their frozen copy says, until the version is raised") {
  const std::filesystem::path frozen = std::filesystem::path(CDCRT_FROZEN_HEADERS) /
                                       (std::to_string(CDCRT_ABI_MAJOR) + "." + std::to_string(CDCRT_ABI_MINOR)) / "cdcrt" / "abi";
  REQUIRE_MESSAGE(std::filesystem::is_directory(frozen),
                  "a new version of the ABI is copied to " << frozen.string() << ", with a plugin built from it");
  std::size_t headers = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CDCRT_HEADERS)) {
    ++headers;
    CHECK_MESSAGE(code_of(entry.path()) == code_of(frozen / entry.path().filename()),
                  entry.path().filename().string() << " differs from its frozen copy: raise CDCRT_ABI_MINOR, and copy the headers anew");
  }
  CHECK(headers == 6);
}
