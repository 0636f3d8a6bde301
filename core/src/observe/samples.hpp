// Samples: writes the lines of one metric after the other. For the declarations in metrics.cpp.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "observe/metrics.hpp"

namespace cdcrt::observe {

/// `name="value"` with what the format wants escaped.
std::string label(std::string_view name, std::string_view value);

class Samples {
 public:
  Samples(const Snapshot& snapshot, Exposition exposition, std::size_t max_tables);

  void begin(const Metric& metric);
  [[nodiscard]] const Snapshot& snapshot() const { return snapshot_; }
  /// A table with series of its own, or all the others of a sink together (`is_rest`).
  struct Table {
    TableFacts facts;
    std::string labels;
    bool is_rest = false;
  };
  [[nodiscard]] const std::vector<Table>& tables() const { return tables_; }
  struct DeadLetters {
    std::string labels;
    uint64_t count = 0;
  };
  [[nodiscard]] const std::vector<DeadLetters>& dead_letters() const { return dead_letters_; }
  /// Labels of a source or sink: component="sinks.db"
  [[nodiscard]] static std::string component(std::string_view kind, std::string_view name);

  /// One line each. `labels`: beside pipeline, may be empty.
  void add(std::string_view labels, uint64_t value) { line({}, labels, {}, value); }
  void add(std::string_view labels, double value) { line({}, labels, {}, value); }
  /// With one more label, which needs no escaping.
  void add(std::string_view labels, std::string_view label_name, std::string_view label_value, uint64_t value);
  void add(std::string_view labels, const HistogramCounts& counts);
  std::string take();

 private:
  template <class Number>
  void line(std::string_view suffix, std::string_view labels, std::string_view more, Number value) {
    out_ += name_;
    out_ += suffix;
    out_ += pipeline_;
    if (!labels.empty()) out_ += ',';
    out_ += labels;
    if (!more.empty()) out_ += ',';
    out_ += more;
    out_ += "} ";
    char digits[32];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    out_ += '\n';
  }
  void gather_tables(std::size_t max_tables);
  void gather_dead_letters(std::size_t max_tables);

  const Snapshot& snapshot_;
  const Exposition exposition_;
  std::string pipeline_;  ///< {pipeline="shop"
  std::vector<Table> tables_;
  std::vector<DeadLetters> dead_letters_;
  std::string name_;
  std::string out_;
};

}  // namespace cdcrt::observe
