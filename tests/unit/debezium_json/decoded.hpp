// Test host: messages in, rows out as text that a test can compare.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cdcrt/abi/format.h"

namespace cdcrt::test {

struct TestMessage {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct TestColumn {
  std::string type;  ///< INT32, DECIMAL(5,2), STRING(40)
  bool not_null = false;
  uint32_t key_ordinal = 0;
  std::string default_value;  ///< "I64 5"; with '?' when it is not certain
  std::string former_name;
};

struct TestRow {
  uint32_t message = 0;
  std::string operation;
  std::string table;  ///< database.schema.table, missing parts as "-"
  bool declared = false, keyed = false, key_elsewhere = false;
  std::vector<std::string> names;
  std::map<std::string, TestColumn> columns;
  std::map<std::string, std::string> cells, before, other_key;  ///< by column: "I64 1", "NULL"; ABSENT ones are left out
  bool has_before = false, has_other_key = false;
  std::string order;  ///< hex
  int64_t time_us = 0;
  /// Everything above on one line.
  [[nodiscard]] std::string text() const;
};

struct TestReject {
  uint32_t message = 0;
  int32_t code = 0;
  std::string text, hint;
};

struct Decoded {
  std::vector<TestRow> rows;
  std::vector<TestReject> rejects;
};

using Options = std::map<std::string, std::string>;

/// One decode call per `batch` messages (0: all at once) with one decoder. Throws std::runtime_error when the plugin refuses.
Decoded decode(const std::vector<TestMessage>& messages, const std::string& topic = "pg.public.t", const Options& options = {},
               std::size_t batch = 0);

/// The same by the format flink-cdc.
Decoded decode_flink(const std::vector<TestMessage>& messages, const Options& options = {}, std::size_t batch = 0);

/// Lines of `kcat -J` (a .jsonl or .jsonl.gz of the test data), by topic.
std::map<std::string, std::vector<TestMessage>> read_events(const std::string& path);

/// An envelope with schema and one column "v" beside the key "id": `field` is the column's schema without its name.
TestMessage with_schema(const std::string& field, const std::string& value, const std::string& operation = "c");
/// The same without schema.
TestMessage without_schema(const std::string& value, const std::string& operation = "c");

}  // namespace cdcrt::test
