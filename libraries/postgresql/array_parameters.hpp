// ArrayParameters: a set of rows on their way, as one array parameter for each column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/status.hpp"
#include "postgresql/binary_array.hpp"
#include "postgresql/catalog.hpp"
#include "sql/postgresql_array.hpp"
#include "sql/session.hpp"

namespace cdcrt::postgresql {

/// Reusable; keeps its memory. One thread. Columns are those that were taken last, from 0 on.
class ArrayParameters {
 public:
  /// `takes_binary`: as sql::Session says.
  explicit ArrayParameters(bool takes_binary) : takes_binary_(takes_binary) {}

  /// The rows of `write` from `first` on, as many as one statement takes; `next`: the first that is left. Of each row the columns `chosen`;
  /// `targets`: what the catalog says of them. `overflowed`: grows by the values that were cut or made NULL. BAD_RECORD as to_native()
  /// gives it.
  sdk::Status take_rows(const cdcrt_write& write, const std::vector<uint32_t>& chosen, const std::vector<const CatalogColumn*>& targets,
                        uint64_t first, uint64_t& next, uint64_t& overflowed);
  /// The keys of `read`, whose first columns they are the values of.
  sdk::Status take_keys(const cdcrt_read& read, const std::vector<const CatalogColumn*>& targets);
  /// Binds to each parameter the column that it takes. Borrowed until the next take.
  void bind(sql::Query& query, const std::vector<uint32_t>& parameters);
  /// Of what was taken.
  [[nodiscard]] std::size_t bytes() const;
  /// After the last use: what large values took is given back.
  void give_back_large();

 private:
  /// The values of one column: binary as long as each of them can go so, else text.
  struct Column {
    sql::PostgresqlArray text;
    BinaryArray binary;
    bool is_binary = false;

    void begin(BinaryType type);
    [[nodiscard]] std::size_t size() const { return is_binary ? binary.size() : text.size(); }
  };
  void begin(std::size_t columns, const std::vector<const CatalogColumn*>& targets);
  void finish();
  sdk::Status add(std::size_t at, cdcrt_cell cell, const cdcrt_column& column, const CatalogColumn& target, uint64_t& overflowed);

  const bool takes_binary_;
  std::vector<Column> columns_;
  std::vector<std::string_view> finished_;
  std::string native_;  // a value as the column spells it
};

}  // namespace cdcrt::postgresql
