// What postgresql_writes_bench writes: transactions of changes, and their values in the server's forms.
#pragma once

#include <postgres_ext.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cdcrt/abi/value.h"

namespace cdcrt::bench {

struct Column {
  const char* name;
  const char* type;
  uint8_t kind;
  Oid oid, array;
};
inline constexpr Column kColumns[] = {
    {"id", "bigint", CDCRT_TYPE_INT64, 20, 1016},
    {"name", "text", CDCRT_TYPE_STRING, 25, 1009},
    {"note", "text", CDCRT_TYPE_STRING, 25, 1009},
    {"active", "boolean", CDCRT_TYPE_BOOL, 16, 1000},
    {"amount", "numeric", CDCRT_TYPE_DECIMAL, 1700, 1231},
    {"quantity", "integer", CDCRT_TYPE_INT32, 23, 1007},
    {"weight", "double precision", CDCRT_TYPE_FLOAT64, 701, 1022},
    {"placed", "timestamp without time zone", CDCRT_TYPE_TIMESTAMP, 1114, 1115},
    {"created", "timestamp with time zone", CDCRT_TYPE_TIMESTAMPTZ, 1184, 1185},
    {"city", "text", CDCRT_TYPE_STRING, 25, 1009},
    {"customer", "bigint", CDCRT_TYPE_INT64, 20, 1016},
    {"state", "integer", CDCRT_TYPE_INT32, 23, 1007},
    {"price", "numeric", CDCRT_TYPE_DECIMAL, 1700, 1231},
    {"remark", "text", CDCRT_TYPE_STRING, 25, 1009},
};
inline constexpr std::size_t kWidth = std::size(kColumns);

/// One transaction: rows to upsert (kWidth cells each) and keys to delete.
struct Batch {
  std::vector<cdcrt_cell> rows, keys;
  std::vector<std::unique_ptr<std::string>> texts;
  int64_t offset = 0;
};

/// Transactions of `size` changes until there are `total` changes; the same in each run. Cells borrow from their batch.
std::vector<Batch> make_batches(std::size_t size, std::size_t total);

/// A number, highest byte first.
void put(std::string& out, uint64_t value, int bytes);
/// A value's bytes without their length.
void put_value(std::string& out, const cdcrt_cell& cell, const Column& column);
/// A value as COPY BINARY has it: its length and its bytes.
void put_field(std::string& out, const cdcrt_cell& cell, const Column& column);
/// Every `width`th cell from `at` on as an array, in the binary form or as text.
std::string binary_array(const std::vector<cdcrt_cell>& cells, std::size_t at, std::size_t width, const Column& column);
std::string text_array(const std::vector<cdcrt_cell>& cells, std::size_t at, std::size_t width, const Column& column);

cdcrt_column abi_column(const Column& column);

}  // namespace cdcrt::bench
