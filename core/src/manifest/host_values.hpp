// HostValues: what one table of the manifest says of keys that the host itself obeys, by their option table.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "manifest/option_reader.hpp"

namespace cdcrt::manifest {

/// Reads every key of the table at once. Problems are reported; a key that was refused reads as not given.
class HostValues {
 public:
  HostValues(TableReader& reader, std::span<const cdcrt_option> table, const OptionContext& context = {});

  /// The value that was given, else the default; null: neither.
  [[nodiscard]] const Options::Value* find(std::string_view key) const;
  /// The index of a choice among the names of its option.
  template <class Choice>
  void take_choice(std::string_view key, std::optional<Choice>& into) const {
    if (const auto* value = find(key)) into = static_cast<Choice>(index_of(*value));
  }
  template <class Number>
  void take(std::string_view key, Number& into) const {
    if (const auto* value = find(key)) into = static_cast<Number>(value->integer);
  }
  void take(std::string_view key, std::chrono::microseconds& into) const {
    if (const auto* value = find(key)) into = std::chrono::microseconds(value->integer);
  }
  void take(std::string_view key, std::string& into) const {
    if (const auto* value = find(key)) into = value->string;
  }

 private:
  static std::size_t index_of(const Options::Value& value);

  Options options_;
};

}  // namespace cdcrt::manifest
