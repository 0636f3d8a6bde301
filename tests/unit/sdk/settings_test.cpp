// Options by name, and what reads them.
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/format.hpp"
#include "cdcrt/sdk/option.hpp"

namespace sdk = cdcrt::sdk;
namespace option = cdcrt::sdk::option;
using namespace std::chrono_literals;

namespace {

constexpr const char* kStyles[] = {"short", "long", nullptr};
constexpr cdcrt_option kOptions[] = {
    option::text("delimiter").default_value(",").example("\";\"").doc("Between fields."),
    option::one_of("style", kStyles).default_value("short").advanced().doc("How."),
    option::duration("timeout").required().secret().between(100ms, 10min).doc("How long."),
    option::integer("depth").at_least(0).doc("How deep."),
};

cdcrt_option_value value_of(const char* key, cdcrt_option_type type, bool is_set, int64_t integer = 0, std::string_view text = {}) {
  cdcrt_option_value value{};
  value.key = key;
  value.type = static_cast<uint16_t>(type);
  value.is_set = is_set ? 1 : 0;
  value.integer = integer;
  value.string = sdk::borrow(text);
  return value;
}

struct Settings {
  std::vector<cdcrt_option_value> values;
  [[nodiscard]] cdcrt_config abi() const {
    cdcrt_config config{};
    config.size = sizeof config;
    config.count = static_cast<uint32_t>(values.size());
    config.values = values.data();
    config.value_size = sizeof(cdcrt_option_value);
    config.name = sdk::borrow("events");
    return config;
  }
};

/// What the message says of an exception; empty: none came.
template <class Read>
std::string complaint(const Read& read) {
  try {
    read();
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return {};
}

class Picky : public sdk::Format {
 public:
  static constexpr const char* kSummary = "Refuses";
  explicit Picky(sdk::Host host) : host_(std::move(host)) {}
  sdk::Status configure(const sdk::Config& config) override {
    host_.info("asked for " + config.string("delimiter"));
    if (config.string("delimiter").size() != 1) return sdk::Status::bad_config("delimiter", "must be one character");
    static_cast<void>(config.integer("delimiter"));
    return {};
  }
  sdk::Status decode(sdk::Messages, sdk::RowBuilder&) override { return {}; }

 private:
  sdk::Host host_;
};

std::string logged;

int32_t create_picky(std::string_view delimiter, std::string& message, std::string& key) {
  const Settings settings{{value_of("delimiter", CDCRT_OPTION_STRING, true, 0, delimiter)}};
  const cdcrt_config config = settings.abi();
  cdcrt_host host{};
  host.size = sizeof host;
  host.log = [](void*, int32_t, cdcrt_string component, cdcrt_string text) {
    logged = std::string(sdk::view(component)) + ": " + std::string(sdk::view(text));
  };
  cdcrt_error error{};
  error.size = sizeof error;
  void* self = nullptr;
  const int32_t code = sdk::detail::format_functions<Picky>().create(&host, &config, &self, &error);
  message = error.message == nullptr ? "" : error.message;
  key = error.config_key == nullptr ? "" : error.config_key;
  if (error.release != nullptr) error.release(&error);
  return code;
}

}  // namespace

TEST_CASE("an option is declared by name") {
  CHECK(kOptions[0].size == sizeof(cdcrt_option));
  CHECK(kOptions[0].type == CDCRT_OPTION_STRING);
  CHECK(std::string(kOptions[0].key) == "delimiter");
  CHECK(std::string(kOptions[0].default_value) == ",");
  CHECK(std::string(kOptions[0].example) == "\";\"");
  CHECK(std::string(kOptions[0].doc) == "Between fields.");
  CHECK((kOptions[0].flags & (CDCRT_OPTION_REQUIRED | CDCRT_OPTION_SECRET | CDCRT_OPTION_ADVANCED)) == 0);
  CHECK(kOptions[1].type == CDCRT_OPTION_ENUM);
  CHECK(kOptions[1].enum_values == kStyles);
  CHECK((kOptions[1].flags & CDCRT_OPTION_ADVANCED) != 0);
  CHECK((kOptions[2].flags & (CDCRT_OPTION_REQUIRED | CDCRT_OPTION_SECRET)) == (CDCRT_OPTION_REQUIRED | CDCRT_OPTION_SECRET));
  CHECK((kOptions[2].flags & (CDCRT_OPTION_MINIMUM | CDCRT_OPTION_MAXIMUM)) == (CDCRT_OPTION_MINIMUM | CDCRT_OPTION_MAXIMUM));
  CHECK(kOptions[2].minimum == 100'000);
  CHECK(kOptions[2].maximum == 600'000'000);
  CHECK(kOptions[2].default_value == nullptr);
  CHECK((kOptions[3].flags & (CDCRT_OPTION_MINIMUM | CDCRT_OPTION_MAXIMUM)) == CDCRT_OPTION_MINIMUM);
}

TEST_CASE("a setting read by the wrong function, by an unknown name or without a value is told, and not 0") {
  const Settings settings{{value_of("delimiter", CDCRT_OPTION_STRING, true, 0, ","), value_of("depth", CDCRT_OPTION_INTEGER, false),
                           value_of("style", CDCRT_OPTION_ENUM, true, 0, "long"), value_of("timeout", CDCRT_OPTION_DURATION, true, 250'000),
                           value_of("note", CDCRT_OPTION_STRING, false)}};
  const cdcrt_config abi = settings.abi();
  const sdk::Config config(abi);
  CHECK(config.string("delimiter") == ",");
  CHECK(config.duration("timeout") == 250ms);
  CHECK(config.string("note").empty());
  CHECK(complaint([&] { static_cast<void>(config.integer("delimiter")); }) ==
        "option 'delimiter' is of another type than Config::integer reads");
  CHECK(complaint([&] { static_cast<void>(config.integer("timeout")); }) ==
        "option 'timeout' is of another type than Config::integer reads");
  CHECK(complaint([&] { static_cast<void>(config.list("delimiter")); }) == "option 'delimiter' is of another type than Config::list reads");
  CHECK(complaint([&] { static_cast<void>(config.string("delimeter")); }) == "option 'delimeter' is not in the plugin's table");
  CHECK(complaint([&] { static_cast<void>(config.integer("depth")); }) ==
        "option 'depth' has no value: give it a default, or ask has() first");
  CHECK(config.choice<int>("style", {{"short", 1}, {"long", 2}}) == 2);
  CHECK(complaint([&] {
          static_cast<void>(config.choice<int>("style", {{"short", 1}}));
        }) == "option 'style': the plugin's table allows \"long\", and its code does not know it");
}

TEST_CASE("a format refuses a setting in configure, and logs under its component's name") {
  std::string message, key;
  CHECK(create_picky(";;", message, key) == CDCRT_BAD_CONFIG);
  CHECK(message == "must be one character");
  CHECK(key == "delimiter");
  CHECK(logged == "events: asked for ;;");
  CHECK(create_picky(";", message, key) == CDCRT_FATAL);
  CHECK(message.find("option 'delimiter' is of another type than Config::integer reads") != std::string::npos);
}
