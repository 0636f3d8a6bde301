// A plugin's settings as typed values, in the order of its option table.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cdcrt/abi/base.h"
#include "diagnostics/diagnostic.hpp"

namespace cdcrt::plugin {

using diagnostics::Position;

/// Typed values of one plugin's option table. Owns all bytes that abi() points to.
class Options {
 public:
  struct Value {
    const cdcrt_option* option = nullptr;
    bool is_set = false;
    int64_t integer = 0;
    double real = 0;
    std::string string;
    std::vector<std::string> strings;
    Position position;  ///< where it was given; empty file: defaulted
  };
  Options() = default;
  Options(std::string name, std::string pipeline, std::vector<Value> values);
  /// Borrowed until *this changes or dies.
  [[nodiscard]] const cdcrt_config* abi() const;
  /// Where `key` was given, for errors that a plugin reports; nullopt: not given.
  [[nodiscard]] std::optional<Position> position_of(const std::string& key) const;
  [[nodiscard]] const std::vector<Value>& values() const { return values_; }
  /// Equal values, wherever in a manifest they stand.
  [[nodiscard]] bool same_values(const Options& other) const;
  /// When the first of these values that expires by itself (a login by IAM) does so; nullopt: none expires.
  std::optional<std::chrono::system_clock::time_point> good_until;

 private:
  struct Abi;
  std::vector<Value> values_;
  std::shared_ptr<Abi> abi_;
};

}  // namespace cdcrt::plugin
