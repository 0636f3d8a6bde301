// Conditions on the host's own tables: many rows are named by lists.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "host_tables.hpp"
#include "sql/cell.hpp"

using namespace cdcrt;
using sql::integer_cell, sql::text_cell;

namespace {

/// Keys of (topic, partition).
std::string condition(const std::vector<cdcrt_cell>& cells) {
  sql::redshift::StageShape shape;
  shape.columns = {{"\"topic\"", sql::redshift::written_type("varchar(512)"), true, true},
                   {"\"partition\"", sql::redshift::written_type("bigint"), true, true}};
  std::string out;
  const auto status = redshift::append_host_condition(out, shape, cells.data(), 2, 2, 0, cells.size() / 2);
  return status ? out : "refused: " + std::string(status.message());
}

}  // namespace

TEST_CASE("redshift: a few rows of the host's tables are named one by one") {
  CHECK(condition({text_cell(CDCRT_STRING, "a"), integer_cell(CDCRT_I64, 0), text_cell(CDCRT_STRING, "b"), integer_cell(CDCRT_I64, 0)}) ==
        "\"partition\" = 0 AND ((\"topic\" = 'a' AND OCTET_LENGTH(\"topic\") = 1) OR (\"topic\" = 'b' AND OCTET_LENGTH(\"topic\") = 1))");
}

TEST_CASE("redshift: many rows of the host's tables are named by lists of texts of one length, which blanks at the end cannot confuse") {
  std::vector<std::string> topics;
  for (int i = 0; i < 20; ++i) topics.push_back("t" + std::to_string(100 + i));
  topics.push_back("t100 ");
  std::vector<cdcrt_cell> cells;
  for (const auto& topic : topics) {
    cells.push_back(text_cell(CDCRT_STRING, topic));
    cells.push_back(integer_cell(CDCRT_I64, 0));
  }
  const std::string one = condition(cells);
  CHECK(one.starts_with("\"partition\" = 0 AND ((OCTET_LENGTH(\"topic\") = 4 AND \"topic\" IN ('t100', 't101', "));
  CHECK(one.ends_with(", 't119')) OR (OCTET_LENGTH(\"topic\") = 5 AND \"topic\" IN ('t100 ')))"));
  for (std::size_t i = 0; i < topics.size() - 1; ++i) {
    cells.push_back(text_cell(CDCRT_STRING, topics[i]));
    cells.push_back(integer_cell(CDCRT_I64, 1));
  }
  const std::string two = condition(cells);
  CHECK(two.find("(\"partition\" = 1 AND OCTET_LENGTH(\"topic\") = 4 AND \"topic\" IN ('t100', ") != std::string::npos);
  CHECK(two.find(" OR (\"topic\"") == std::string::npos);
}

TEST_CASE("redshift: rows of the host's tables that have little in common stay alternatives") {
  std::vector<std::string> topics;
  for (std::size_t i = 1; i <= 20; ++i) topics.push_back(std::string(i, 'x'));
  std::vector<cdcrt_cell> cells;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    cells.push_back(text_cell(CDCRT_STRING, topics[i]));
    cells.push_back(integer_cell(CDCRT_I64, static_cast<int64_t>(i)));
  }
  CHECK(condition(cells).find(" IN (") == std::string::npos);
}
