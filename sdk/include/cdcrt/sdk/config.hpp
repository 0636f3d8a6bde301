// Config: a plugin's settings, already checked against its option table, defaulted and interpolated. Header-only, C++17.
#pragma once

#include <chrono>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/abi/base.h"
#include "cdcrt/sdk/elements.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

/// Borrowed view of a cdcrt_config: copy out what is kept.
///
/// A key that is not in the option table, a function that does not fit the option's type, and a number or boolean that has
/// neither value nor default are mistakes of the plugin: std::logic_error, which the operator sees with the key. Texts, lists and
/// maps without a value are empty.
class Config {
 public:
  explicit Config(const cdcrt_config& config) : config_(&config) {}

  [[nodiscard]] std::string name() const { return std::string(view(config_->name)); }
  [[nodiscard]] std::string pipeline() const { return std::string(view(config_->pipeline)); }
  /// False: neither given nor defaulted.
  [[nodiscard]] bool has(std::string_view key) const { return value(key).is_set != 0; }
  /// Of texts, paths and choices.
  [[nodiscard]] std::string string(std::string_view key) const {
    return std::string(view(typed(key, "string", {CDCRT_OPTION_STRING, CDCRT_OPTION_ENUM, CDCRT_OPTION_PATH}).string));
  }
  [[nodiscard]] int64_t integer(std::string_view key) const { return number(key, "integer", CDCRT_OPTION_INTEGER); }
  [[nodiscard]] uint64_t bytes(std::string_view key) const { return static_cast<uint64_t>(number(key, "bytes", CDCRT_OPTION_BYTES)); }
  [[nodiscard]] bool boolean(std::string_view key) const { return number(key, "boolean", CDCRT_OPTION_BOOLEAN) != 0; }
  [[nodiscard]] std::chrono::microseconds duration(std::string_view key) const {
    return std::chrono::microseconds(number(key, "duration", CDCRT_OPTION_DURATION));
  }
  [[nodiscard]] double real(std::string_view key) const { return needed(typed(key, "real", {CDCRT_OPTION_FLOAT})).real; }
  /// Of lists and paths.
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const {
    const auto& option = typed(key, "list", {CDCRT_OPTION_LIST, CDCRT_OPTION_PATHS});
    std::vector<std::string> items;
    for (uint32_t i = 0; i < option.count; ++i) items.emplace_back(view(option.strings[i]));
    return items;
  }
  /// Pairs in the order of the manifest.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> map(std::string_view key) const {
    const auto& option = typed(key, "map", {CDCRT_OPTION_MAP});
    std::vector<std::pair<std::string, std::string>> items;
    for (uint32_t i = 0; i < option.count; ++i) items.emplace_back(view(option.strings[2 * i]), view(option.strings[2 * i + 1]));
    return items;
  }
  /// What the text of an option::one_of stands for: config.choice("style", {{"short", Style::kShort}, {"long", Style::kLong}}).
  template <class Value>
  [[nodiscard]] Value choice(std::string_view key, std::initializer_list<std::pair<std::string_view, Value>> meanings) const {
    const std::string_view chosen = view(needed(typed(key, "choice", {CDCRT_OPTION_ENUM})).string);
    for (const auto& [text, meaning] : meanings) {
      if (text == chosen) return meaning;
    }
    throw std::logic_error("option '" + std::string(key) + "': the plugin's table allows \"" + std::string(chosen) +
                           "\", and its code does not know it");
  }

 private:
  [[nodiscard]] const cdcrt_option_value& value(std::string_view key) const {
    for (uint32_t i = 0; i < config_->count; ++i) {
      const cdcrt_option_value& value = element(config_->values, config_->value_size, i);
      if (key == value.key) return value;
    }
    throw std::logic_error("option '" + std::string(key) + "' is not in the plugin's table");
  }
  [[nodiscard]] const cdcrt_option_value& typed(std::string_view key, const char* function,
                                                std::initializer_list<cdcrt_option_type> types) const {
    const auto& found = value(key);
    for (const cdcrt_option_type type : types) {
      if (found.type == type) return found;
    }
    throw std::logic_error("option '" + std::string(key) + "' is of another type than Config::" + function + " reads");
  }
  [[nodiscard]] static const cdcrt_option_value& needed(const cdcrt_option_value& found) {
    if (found.is_set != 0) return found;
    throw std::logic_error("option '" + std::string(found.key) + "' has no value: give it a default, or ask has() first");
  }
  [[nodiscard]] int64_t number(std::string_view key, const char* function, cdcrt_option_type type) const {
    return needed(typed(key, function, {type})).integer;
  }
  const cdcrt_config* config_;
};

}  // namespace cdcrt::sdk
