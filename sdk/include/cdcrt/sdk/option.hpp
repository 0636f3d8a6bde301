// Options: the rows of a plugin's option table, by name. Header-only, C++17.
//
//   constexpr const char* kStyles[] = {"short", "long", nullptr};
//   constexpr cdcrt_option kOptions[] = {
//       option::text("delimiter").default_value(",").example("\";\"").doc("One character between fields."),
//       option::list("columns").required().doc("Names of the fields, in order."),
//       option::one_of("style", kStyles).default_value("short").doc("How times are written."),
//       option::duration("timeout").default_value("10s").between(100ms, 10min).advanced().doc("How long a server may take."),
//   };
//
// From this one declaration come validation, defaults, `cdcrt plugin describe`, the reference pages and the masking of secrets.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "cdcrt/abi/plugin.h"

namespace cdcrt::sdk {

/// One row in the making; turns into a cdcrt_option by itself. All texts are borrowed: literals.
class Option {
 public:
  constexpr Option(cdcrt_option_type type, const char* key, const char* const* enum_values = nullptr) {
    option_.size = sizeof(cdcrt_option);
    option_.type = static_cast<uint16_t>(type);
    option_.key = key;
    option_.doc = "";
    option_.enum_values = enum_values;
  }

  /// One or two sentences, Markdown.
  [[nodiscard]] constexpr Option doc(const char* text) const {
    return with([&](cdcrt_option& option) { option.doc = text; });
  }
  /// As written in a manifest, a text without its quotes: "10s", "8MiB", "true". Without it an option that is not given has no value.
  [[nodiscard]] constexpr Option default_value(const char* text) const {
    return with([&](cdcrt_option& option) { option.default_value = text; });
  }
  /// As written in a manifest, a text with its quotes.
  [[nodiscard]] constexpr Option example(const char* text) const {
    return with([&](cdcrt_option& option) { option.example = text; });
  }
  [[nodiscard]] constexpr Option required() const { return flagged(CDCRT_OPTION_REQUIRED); }
  /// Masked wherever the host prints it.
  [[nodiscard]] constexpr Option secret() const { return flagged(CDCRT_OPTION_SECRET); }
  /// A sink and a source of one name have it, with one meaning: how to connect. The one's value serves the other where that needs it.
  [[nodiscard]] constexpr Option shared() const { return flagged(CDCRT_OPTION_SHARED); }
  /// Sink: where rows go when it keeps dead letters, which it can. Source: what it reads, of the same.
  [[nodiscard]] constexpr Option place() const { return flagged(CDCRT_OPTION_PLACE); }
  /// Names that the key had before, separated by blanks: still read, with a warning. In the same table: "batch.age" of "batch.max_age".
  [[nodiscard]] constexpr Option formerly(const char* keys) const {
    return with([&](cdcrt_option& option) { option.former_keys = keys; });
  }
  /// For few: described after the others.
  [[nodiscard]] constexpr Option advanced() const { return flagged(CDCRT_OPTION_ADVANCED); }
  /// Inclusive, without a greatest value; sizes in bytes.
  [[nodiscard]] constexpr Option at_least(double minimum) const {
    return flagged(CDCRT_OPTION_MINIMUM).with([&](cdcrt_option& option) { option.minimum = minimum; });
  }
  [[nodiscard]] constexpr Option at_least(std::chrono::microseconds minimum) const {
    return at_least(static_cast<double>(minimum.count()));
  }
  /// Inclusive; sizes in bytes.
  [[nodiscard]] constexpr Option between(double minimum, double maximum) const {
    return at_least(minimum).flagged(CDCRT_OPTION_MAXIMUM).with([&](cdcrt_option& option) { option.maximum = maximum; });
  }
  [[nodiscard]] constexpr Option between(std::chrono::microseconds minimum, std::chrono::microseconds maximum) const {
    return between(static_cast<double>(minimum.count()), static_cast<double>(maximum.count()));
  }

  // NOLINTNEXTLINE(google-explicit-constructor): a table is written as a list of options
  constexpr operator cdcrt_option() const { return option_; }

 private:
  template <class Change>
  [[nodiscard]] constexpr Option with(const Change& change) const {
    Option next = *this;
    change(next.option_);
    return next;
  }
  [[nodiscard]] constexpr Option flagged(unsigned flag) const {
    return with([&](cdcrt_option& option) { option.flags = static_cast<uint16_t>(option.flags | flag); });
  }
  cdcrt_option option_{};
};

/// What an option holds, by the name of its type. Config reads it with the function in brackets.
namespace option {

constexpr Option text(const char* key) { return {CDCRT_OPTION_STRING, key}; }        ///< [string]
constexpr Option integer(const char* key) { return {CDCRT_OPTION_INTEGER, key}; }    ///< [integer]
constexpr Option real(const char* key) { return {CDCRT_OPTION_FLOAT, key}; }         ///< [real]
constexpr Option boolean(const char* key) { return {CDCRT_OPTION_BOOLEAN, key}; }    ///< [boolean]
constexpr Option duration(const char* key) { return {CDCRT_OPTION_DURATION, key}; }  ///< "250ms" [duration]
constexpr Option bytes(const char* key) { return {CDCRT_OPTION_BYTES, key}; }        ///< "64MiB" [bytes]
constexpr Option list(const char* key) { return {CDCRT_OPTION_LIST, key}; }          ///< of texts [list]
constexpr Option map(const char* key) { return {CDCRT_OPTION_MAP, key}; }            ///< of texts to texts [map]
constexpr Option path(const char* key) { return {CDCRT_OPTION_PATH, key}; }          ///< absolute; "-" stays "-" [string]
constexpr Option paths(const char* key) { return {CDCRT_OPTION_PATHS, key}; }        ///< one or a list, globs allowed [list]
/// One of `values`, which end with nullptr and live as long as the shared object [string, choice]
constexpr Option one_of(const char* key, const char* const* values) { return {CDCRT_OPTION_ENUM, key, values}; }

}  // namespace option

/// Borrows rows that live as long as the shared object.
struct OptionTable {
  const cdcrt_option* options = nullptr;
  uint32_t count = 0;
};

template <class Options>
constexpr OptionTable option_table(const Options& options) {
  return {std::data(options), static_cast<uint32_t>(std::size(options))};
}

}  // namespace cdcrt::sdk
