#include "manifest/workspace.hpp"

#include <stdlib.h>
#include <cerrno>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "diagnostics/renderer.hpp"

namespace cdcrt::test {
namespace {

cdcrt_option make(uint16_t type, const char* key, const char* default_value = nullptr, uint16_t flags = 0, double minimum = 0,
                  double maximum = 0, const char* const* names = nullptr, const char* example = nullptr) {
  if (minimum != 0 || maximum != 0) flags |= CDCRT_OPTION_MINIMUM | CDCRT_OPTION_MAXIMUM;
  return {sizeof(cdcrt_option), type, flags, key, "Documented.", default_value, example, names, minimum, maximum, nullptr};
}

cdcrt_option formerly(const char* keys, cdcrt_option option) {
  option.former_keys = keys;
  return option;
}

const char* const kStops[] = {"never", "end", nullptr};

const cdcrt_option kLogOptions[] = {
    formerly("servers",
             make(CDCRT_OPTION_STRING, "brokers", nullptr, CDCRT_OPTION_REQUIRED | CDCRT_OPTION_SHARED, 0, 0, nullptr, "localhost:9092")),
    make(CDCRT_OPTION_LIST, "topics", "[\"a\", \"b.*\"]", CDCRT_OPTION_PLACE),
    make(CDCRT_OPTION_ENUM, "stop", "never", 0, 0, 0, kStops),
    make(CDCRT_OPTION_STRING, "start", "earliest"),
    make(CDCRT_OPTION_DURATION, "timeout", "30s", 0, 1000, 3.6e9),
    make(CDCRT_OPTION_BYTES, "fetch.max_bytes", "1MiB", 0, 1024, 1 << 30),
    formerly("fetch.number", make(CDCRT_OPTION_INTEGER, "fetch.count", "10", 0, 1, 100)),
    make(CDCRT_OPTION_FLOAT, "ratio", "0.5", 0, 0, 1),
    make(CDCRT_OPTION_BOOLEAN, "check", "true"),
    make(CDCRT_OPTION_MAP, "librdkafka"),
    make(CDCRT_OPTION_PATH, "certificate"),
    make(CDCRT_OPTION_PATHS, "files"),
    formerly("opener", make(CDCRT_OPTION_STRING, "sasl_key", nullptr, CDCRT_OPTION_SECRET)),
    make(CDCRT_OPTION_INTEGER, "pin", nullptr, CDCRT_OPTION_SECRET, 1, 9999),
    make(CDCRT_OPTION_STRING, "later", nullptr, CDCRT_OPTION_NOT_YET),
    formerly("attempts goes", make(CDCRT_OPTION_INTEGER, "tries", nullptr, CDCRT_OPTION_MINIMUM)),
    make(CDCRT_OPTION_INTEGER, "debt", nullptr, CDCRT_OPTION_MAXIMUM),
};
const cdcrt_option kJsonOptions[] = {make(CDCRT_OPTION_BOOLEAN, "strict", "false"), make(CDCRT_OPTION_STRING, "unavailable", "__x")};
const cdcrt_option kDbOptions[] = {make(CDCRT_OPTION_MAP, "connection", nullptr, CDCRT_OPTION_REQUIRED),
                                   make(CDCRT_OPTION_STRING, "dialect")};
const cdcrt_option kKeepOptions[] = {
    formerly("servers", make(CDCRT_OPTION_STRING, "brokers", nullptr, CDCRT_OPTION_REQUIRED | CDCRT_OPTION_SHARED)),
    formerly("place", make(CDCRT_OPTION_STRING, "topic", nullptr, CDCRT_OPTION_PLACE)), make(CDCRT_OPTION_DURATION, "timeout", "10s")};
const cdcrt_option kTapeOptions[] = {make(CDCRT_OPTION_STRING, "brokers", nullptr, CDCRT_OPTION_REQUIRED | CDCRT_OPTION_SHARED),
                                     make(CDCRT_OPTION_STRING, "topic", "lost-and-found", CDCRT_OPTION_PLACE)};
const char* const kSpreads[] = {"key", "even", nullptr};
const cdcrt_option kLayoutOptions[] = {formerly("scatter", make(CDCRT_OPTION_ENUM, "spread", "key", 0, 0, 0, kSpreads)),
                                       make(CDCRT_OPTION_STRING, "spread_by"), make(CDCRT_OPTION_LIST, "sort")};
const cdcrt_option kBrokenOptions[] = {make(CDCRT_OPTION_INTEGER, "count", "many")};

// spread_by goes with spread = "key" only.
int32_t check_layout(const cdcrt_config* layout, cdcrt_error* error) {
  if (std::string_view(layout->values[0].string.data, layout->values[0].string.size) == "key" || layout->values[1].is_set == 0)
    return CDCRT_OK;
  error->code = CDCRT_BAD_CONFIG;
  error->message = "nothing is spread by a column";
  error->config_key = "spread_by";
  return CDCRT_BAD_CONFIG;
}

const cdcrt_sink kPlain{};
const cdcrt_sink kWithLayout = [] {
  cdcrt_sink sink{};
  sink.layout_options = kLayoutOptions;
  sink.layout_option_count = 3;
  sink.check_layout = check_layout;
  return sink;
}();

template <uint32_t N>
cdcrt_plugin plugin(uint32_t kind, const char* name, const cdcrt_option (&options)[N], const cdcrt_sink& sink = kPlain) {
  return {sizeof(cdcrt_plugin), CDCRT_ABI_MAJOR, CDCRT_ABI_MINOR, kind,  N,      name, "1.0.0",
          "For tests.",         "Apache-2.0",    options,         &sink, nullptr};
}

const cdcrt_plugin kPlugins[] = {plugin(CDCRT_SOURCE, "log", kLogOptions),     plugin(CDCRT_FORMAT, "json", kJsonOptions),
                                 plugin(CDCRT_SINK, "db", kDbOptions),         plugin(CDCRT_SINK, "cluster", kDbOptions, kWithLayout),
                                 plugin(CDCRT_SINK, "broken", kBrokenOptions), plugin(CDCRT_SINK, "log", kKeepOptions),
                                 plugin(CDCRT_SOURCE, "tape", kLogOptions),    plugin(CDCRT_SINK, "tape", kTapeOptions)};

}  // namespace

const char* const kSound =
    "[pipeline]\n"
    "name = \"shop\"\n"
    "[sources.events]\n"
    "plugin = \"log\"\n"
    "brokers = \"localhost:9092\"\n"
    "format.plugin = \"json\"\n"
    "[sinks.warehouse]\n"
    "plugin = \"db\"\n"
    "connection = { Driver = \"SQLite3\", PWD = \"hunter2\" }\n";

Workspace::Workspace() {
  std::string name = (std::filesystem::temp_directory_path() / "cdcrt-manifest-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = std::filesystem::canonical(name).string();
}

Workspace::~Workspace() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Workspace::write(const std::string& name, const std::string& text) const {
  const auto path = std::filesystem::path(folder_) / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

std::string Workspace::without_folder(std::string text) const {
  for (std::size_t found = text.find(folder_ + "/"); found != std::string::npos; found = text.find(folder_ + "/"))
    text.erase(found, folder_.size() + 1);
  return text;
}

manifest::LoadRequest request_for(std::vector<std::string> files, std::vector<std::string> sets) {
  manifest::LoadRequest request;
  request.files = std::move(files);
  request.sets = std::move(sets);
  request.find_plugin = [](uint32_t kind, const std::string& name) -> Result<const cdcrt_plugin*> {
    for (const auto& known : kPlugins) {
      if (known.kind == kind && name == known.name) return &known;
    }
    if (name == "bad") return make_error(CDCRT_UNREACHABLE, "plugin /x/bad.so is not a plugin");
    Error missing = make_error(CDCRT_UNREACHABLE,
                               "no plugin '" + name + "' in any of the places searched:\n  /one (first)\n  /two (second)", "install it");
    missing.native = ENOENT;
    return missing;
  };
  return request;
}

manifest::Loaded load_text(const std::string& text, std::vector<std::string> sets) {
  const Workspace workspace;
  return manifest::load(request_for({workspace.write("shop.toml", text)}, std::move(sets)));
}

std::string problems_of(const std::string& text, std::vector<std::string> sets) {
  const Workspace workspace;
  const auto loaded = manifest::load(request_for({workspace.write("shop.toml", text)}, std::move(sets)));
  return workspace.without_folder(diagnostics::render(loaded.diagnostics, *loaded.texts, false));
}

std::string codes_of(const std::string& text, std::vector<std::string> sets) {
  const Workspace workspace;
  std::string result;
  for (const auto& problem : manifest::load(request_for({workspace.write("shop.toml", text)}, std::move(sets))).diagnostics) {
    result += problem.code + " " + std::to_string(problem.position.line) + ":" + std::to_string(problem.position.column) + " " +
              workspace.without_folder(problem.message) + "\n";
  }
  return result;
}

const plugin::Options::Value& option(const plugin::Component& component, std::string_view key) {
  for (const auto& value : component.options.values()) {
    if (key == value.option->key) return value;
  }
  throw std::logic_error("no option " + std::string(key));
}

}  // namespace cdcrt::test
