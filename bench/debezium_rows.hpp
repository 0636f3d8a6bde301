// DebeziumRows: the rows of generated tables, as events carry them and as tables hold them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "expected_rows.hpp"
#include "workload.hpp"

namespace cdcrt::bench {

std::string debezium_table_name(std::size_t table);

/// A row's cells are a function of (seed, table, id, version), so that the state kept of a row is one number. Immutable.
class DebeziumRows {
 public:
  DebeziumRows(const Workload& workload, uint64_t seed, bool schemas);

  [[nodiscard]] const std::vector<ExpectedColumn>& columns() const { return columns_; }
  /// Of a struct in a message's schema: [...].
  [[nodiscard]] const std::string& fields() const { return fields_; }

  /// The row as an event carries it: {...}. Version 1 is the created one.
  void add_json(std::string& text, std::size_t table, int64_t id, uint32_t version) const;
  /// The row before its deletion, of which only the key is known.
  void add_key_json(std::string& text, int64_t id) const;
  /// A line of CSV: the row as the table holds it.
  void add_csv(std::string& text, std::size_t table, int64_t id, uint32_t version) const;

 private:
  void add_more(std::string& text, std::size_t table, int64_t id, uint32_t version, bool json) const;

  const Workload& workload_;
  const uint64_t seed_;
  const bool schemas_;
  std::vector<ExpectedColumn> columns_;
  std::string fields_, nulls_;
};

}  // namespace cdcrt::bench
