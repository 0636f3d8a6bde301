// Config: a plugin's settings, already checked against its option table, defaulted and interpolated. Header-only, C++17.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/abi/base.h"
#include "cdcrt/sdk/elements.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

/// Borrowed view of a cdcrt_config: copy out what is kept. Asking for a key that is not in the option table is a
/// programming error and throws std::logic_error.
class Config {
 public:
  explicit Config(const cdcrt_config& config) : config_(&config) {}

  [[nodiscard]] std::string name() const { return std::string(view(config_->name)); }
  [[nodiscard]] std::string pipeline() const { return std::string(view(config_->pipeline)); }
  [[nodiscard]] bool has(std::string_view key) const { return value(key).is_set != 0; }
  [[nodiscard]] std::string string(std::string_view key) const { return std::string(view(value(key).string)); }
  [[nodiscard]] int64_t integer(std::string_view key) const { return value(key).integer; }
  [[nodiscard]] uint64_t bytes(std::string_view key) const { return static_cast<uint64_t>(value(key).integer); }
  [[nodiscard]] bool boolean(std::string_view key) const { return value(key).integer != 0; }
  [[nodiscard]] double real(std::string_view key) const { return value(key).real; }
  [[nodiscard]] std::chrono::microseconds duration(std::string_view key) const { return std::chrono::microseconds(value(key).integer); }
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const {
    const auto& option = value(key);
    std::vector<std::string> items;
    for (uint32_t i = 0; i < option.count; ++i) items.emplace_back(view(option.strings[i]));
    return items;
  }
  /// Pairs in the order of the manifest.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> map(std::string_view key) const {
    const auto& option = value(key);
    std::vector<std::pair<std::string, std::string>> items;
    for (uint32_t i = 0; i < option.count; ++i) items.emplace_back(view(option.strings[2 * i]), view(option.strings[2 * i + 1]));
    return items;
  }

 private:
  [[nodiscard]] const cdcrt_option_value& value(std::string_view key) const {
    for (uint32_t i = 0; i < config_->count; ++i) {
      const cdcrt_option_value& value = element(config_->values, config_->value_size, i);
      if (key == value.key) return value;
    }
    throw std::logic_error("option not in the plugin's table: " + std::string(key));
  }
  const cdcrt_config* config_;
};

}  // namespace cdcrt::sdk
