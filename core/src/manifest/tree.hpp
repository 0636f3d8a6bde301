// The parsed text of manifests: values with positions, before anything is checked. Plain data, one tree for all files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/report.hpp"

namespace cdcrt::manifest {

struct Entry;

struct Node {
  enum class Kind : uint8_t { kTable, kArray, kString, kInteger, kFloat, kBoolean, kTime };
  Kind kind = Kind::kTable;
  bool loose = false;   ///< came from --set or out of a ${...}: text may stand for a number, a number for text
  bool broken = false;  ///< already reported: readers leave it alone
  bool inline_table = false;
  int64_t integer = 0;  ///< kInteger, kBoolean
  double real = 0;
  std::string text;     ///< kString: the string; other scalars: as written
  std::string written;  ///< kString: as written, before ${...} was resolved; what diagnostics show
  std::vector<Node> items;
  std::vector<Entry> entries;  ///< in the order of the file
  Position position;           ///< of the value; of a table: of its name

  [[nodiscard]] bool is_table() const { return kind == Kind::kTable; }
  [[nodiscard]] const Entry* find(std::string_view key) const;
  [[nodiscard]] Entry* find(std::string_view key);
};

struct Entry {
  std::string key;
  Position position;  ///< of the key
  Node value;
};

/// "a string", "a table", ...: for messages.
std::string_view describe(Node::Kind kind);

/// `above` over `below`: tables merge, anything else is replaced.
void overlay(Node& below, Node above);

/// What an included file adds to the one that includes it. A key that is there already, and a source, sink or route of the same
/// name, is an error with both places.
void add_included(Node& into, Node included, Report& report);

}  // namespace cdcrt::manifest
