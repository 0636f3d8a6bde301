#include "evolution/column_list.hpp"

#include <doctest/doctest.h>

using cdcrt::evolution::Column;
using cdcrt::evolution::ColumnList;

namespace {

Column named(const char* name) {
  Column column;
  column.source_name = name;
  return column;
}

}  // namespace

TEST_CASE("column list: what was given out stays as it was, whatever is changed afterwards") {
  ColumnList columns;
  columns.push_back(named("id"));
  const ColumnList::Shared first = columns.share();
  columns[0].source_name = "number";
  columns.push_back(named("note"));
  const ColumnList::Shared second = columns.share();
  columns.back().active = false;
  REQUIRE(first->size() == 1);
  CHECK(first->front().source_name == "id");
  REQUIRE(second->size() == 2);
  CHECK(second->front().source_name == "number");
  CHECK(second->back().active);
  CHECK_FALSE(columns.all().back().active);
}

TEST_CASE("column list: nothing is copied while nothing is changed") {
  ColumnList columns;
  columns.push_back(named("id"));
  const ColumnList::Shared first = columns.share();
  CHECK(&columns.all() == first.get());
  CHECK(columns.share() == first);
  columns[0].active = false;
  CHECK(columns.share() != first);
}

TEST_CASE("column list: changes that follow each other copy once, and stand in one place") {
  ColumnList columns;
  columns.push_back(named("id"));
  columns.push_back(named("note"));
  const ColumnList::Shared given = columns.share();
  Column& id = columns[0];
  columns[1].active = false;
  CHECK(&columns[0] == &id);
}

TEST_CASE("column list: a reference from before a change can be read until the columns are given out again") {
  ColumnList columns;
  columns.push_back(named("a name that is too long to stand in the text itself"));
  (void)columns.share();
  const Column& before = columns.all().front();
  columns[0].source_name = "id";
  CHECK(before.source_name == "a name that is too long to stand in the text itself");
}

TEST_CASE("column list: a copy is one of its own") {
  ColumnList columns;
  columns.push_back(named("id"));
  ColumnList copy(columns);
  copy[0].source_name = "number";
  CHECK(columns.all().front().source_name == "id");
}
