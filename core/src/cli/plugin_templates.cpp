#include "cli/plugin_templates.hpp"

namespace cdcrt::cli {
namespace {

constexpr std::string_view kCMake = R"(cmake_minimum_required(VERSION 3.20)
project(format-@NAME@ CXX)

# Where cdcrt is installed somewhere else: cmake -B build -DCMAKE_PREFIX_PATH=/opt/cdcrt
find_package(cdcrt REQUIRED)

# Add cdcrt::json to LIBRARIES for the JSON reader (cdcrt/sdk/json.hpp), which needs RapidJSON.
cdcrt_add_plugin(NAME @NAME@ KIND format SOURCES src/@NAME@.cpp)

enable_testing()
cdcrt_add_corpus_test(NAME @NAME@ FOLDER corpus)
)";

constexpr std::string_view kSource = R"(// One message is one line of comma-separated values: 7,Ada,12.50
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/sdk/format.hpp"
#include "cdcrt/sdk/table_shape.hpp"

namespace {

namespace sdk = cdcrt::sdk;
namespace option = cdcrt::sdk::option;

constexpr cdcrt_option kOptions[] = {
    option::list("columns").required().example("[\"id\", \"name\"]").doc("Names of the fields, in order."),
    option::text("key").example("\"id\"").doc("The column that is the primary key. Without it the events do not say what the key is."),
    option::text("separator").default_value(",").example("\";\"").doc("One character between fields."),
};

class @CLASS@ : public sdk::Format {
 public:
  static constexpr const char* kSummary = "Lines of comma-separated values";
  static constexpr const char* kLicense = "Apache-2.0";

  // Settings that the option table cannot judge.
  sdk::Status configure(const sdk::Config& config) override {
    columns_ = config.list("columns");
    key_ = config.string("key");
    separator_ = config.string("separator");
    if (columns_.empty()) return sdk::Status::bad_config("columns", "must name at least one column");
    if (separator_.size() != 1) return sdk::Status::bad_config("separator", "must be one character");
    if (!key_.empty() && std::find(columns_.begin(), columns_.end(), key_) == columns_.end()) {
      return sdk::Status::bad_config("key", "\"" + key_ + "\" is none of the columns");
    }
    return {};
  }

  sdk::Status decode(sdk::Messages messages, sdk::RowBuilder& rows) override {
    const uint32_t shape = shapes_.get(messages.topic(), [&] { return rows.intern(shape_of(messages.topic()).abi()); });
    return sdk::each_message(messages, rows, [&](const sdk::Message& message) { return decode_line(message, shape, rows); });
  }

 private:
  // The last part of the topic is the table. Nothing is said of types: they are learned from the values.
  sdk::TableShape shape_of(std::string_view topic) const {
    sdk::TableShape shape(topic.substr(topic.rfind('.') + 1));
    for (const std::string& column : columns_) shape.add(column);
    if (!key_.empty()) static_cast<void>(shape.set_key({key_}));
    return shape;
  }

  // An error makes a dead letter of this message; the others go on.
  sdk::Status decode_line(const sdk::Message& message, uint32_t shape, sdk::RowBuilder& rows) const {
    if (!message.has_value()) {  // a tombstone: counted, never a row
      rows.marker(message.index());
      return {};
    }
    const sdk::RowCells cells = rows.take_row(static_cast<uint32_t>(columns_.size()));
    std::string_view rest = message.value();
    uint32_t field = 0;
    for (bool more = true; more; ++field) {
      const std::size_t end = rest.find(separator_[0]);
      more = end != std::string_view::npos;
      if (field < cells.size()) sdk::set_text(cells[field], CDCRT_STRING, rows.copy(rest.substr(0, end)));
      if (more) rest.remove_prefix(end + 1);
    }
    if (field != cells.size()) {
      return sdk::Status::bad_record(std::to_string(field) + " fields instead of " + std::to_string(cells.size()),
                                     "check `columns` and `separator` of the format");
    }
    rows.begin_row(CDCRT_INSERT, message.index(), shape, cells);
    return {};
  }

  std::vector<std::string> columns_;
  std::string key_;
  std::string separator_;
  sdk::ShapeCache shapes_;  // forgetting it would change nothing
};

}  // namespace

CDCRT_FORMAT("@NAME@", "0.1.0", @CLASS@, kOptions)
)";

constexpr std::string_view kReadme = R"(# format-@NAME@

A format plugin of cdcrt.

```sh
cmake -B build && cmake --build build && ctest --test-dir build --output-on-failure
```

Look at what it makes of messages, and at its settings:

```sh
cdcrt decode --plugin build/plugins/format-@NAME@.so --option 'columns=["id","name"]' --option key=id corpus/people.messages
cdcrt plugin describe build/plugins/format-@NAME@.so
```

Use it: copy `build/plugins/format-@NAME@.so` beside the manifest, or `cmake --install build --prefix PREFIX`, where PREFIX is that of cdcrt.

```toml
[sources.files]
plugin = "file"
paths = ["people.csv"]
layout = "values"
format.plugin = "@NAME@"
format.columns = ["id", "name"]
format.key = "id"
```

## The corpus

Each `corpus/X.messages` (one message per line) is decoded with the options in `corpus/X.options` (one `key=value` per line), and what
comes out must be `corpus/X.rows`. After a change that is meant: `CDCRT_UPDATE_CORPUS=1 ctest --test-dir build`, then read the diff.
A corpus `X.kcat` holds messages with keys, headers and tombstones, as `kcat -C -J` prints them.
)";

constexpr std::string_view kMessages = "7,Ada\n8,Grace\n7,Ada L.\nbroken\n";
constexpr std::string_view kOptions = "columns=[\"id\", \"name\"]\nkey=id\n";
constexpr std::string_view kRows =
    R"({"shape":0,"table":"people","declared":false,"keyed":true,"columns":[{"name":"id","type":"unknown","key":1},{"name":"name","type":"unknown"}]}
{"line":1,"op":"insert","shape":0,"row":{"id":"7","name":"Ada"},"row_tags":"STRING STRING"}
{"line":2,"op":"insert","shape":0,"row":{"id":"8","name":"Grace"},"row_tags":"STRING STRING"}
{"line":3,"op":"insert","shape":0,"row":{"id":"7","name":"Ada L."},"row_tags":"STRING STRING"}
{"line":4,"dead_letter":"BAD_RECORD","message":"1 fields instead of 2","hint":"check `columns` and `separator` of the format"}
)";

constexpr ProjectFile kFormat[] = {
    {"CMakeLists.txt", kCMake},          {"src/@NAME@.cpp", kSource},   {"README.md", kReadme},    {"corpus/people.messages", kMessages},
    {"corpus/people.options", kOptions}, {"corpus/people.rows", kRows}, {".gitignore", "build/\n"}};

}  // namespace

std::span<const ProjectFile> format_project() { return kFormat; }

}  // namespace cdcrt::cli
