#include "expected_rows.hpp"

#include <filesystem>

namespace cdcrt::bench {
namespace {

std::string made(const std::string& folder) {
  std::filesystem::create_directories(folder);
  return folder;
}

}  // namespace

ExpectedRows::ExpectedRows(const std::string& folder) : folder_(made(folder)), types_(folder + "/types.toml") {
  types_.write("# The kind of every column at the source: how tests/oracle/compare.py reads both sides.\n");
}

std::string ExpectedRows::declare(std::string_view table, const std::vector<ExpectedColumn>& columns) {
  const std::string name = "shop." + std::string(table);
  std::string types = "\n[\"" + name + "\"]\nkey = [\"id\"]\n[\"" + name + "\".columns]\n";
  std::string header;
  for (const ExpectedColumn& column : columns) {
    types += column.name + " = \"" + column.kind + "\"\n";
    header += (header.empty() ? "" : ",") + column.name;
  }
  types_.write(types);
  return header + "\n";
}

}  // namespace cdcrt::bench
