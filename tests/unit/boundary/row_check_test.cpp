#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "cdcrt/sdk/row_builder.hpp"
#include "event/cell_check.hpp"
#include "event/row_batch.hpp"
#include "event/row_check.hpp"

using namespace cdcrt;

namespace {

/// Three messages, and what a decoder wrote for them.
struct Written {
  Written() : batch(shapes), rows(*batch.abi()) {
    messages.messages = three;
    messages.count = 3;
  }
  uint32_t shape(const char* name = "t", uint32_t width = 2, const std::function<void(cdcrt_shape&, cdcrt_column*)>& change = {}) {
    std::vector<cdcrt_column> columns(width);
    const char* names[] = {"a", "b", "c"};
    for (uint32_t i = 0; i < width; ++i) columns[i].name = sdk::borrow(names[i]);
    cdcrt_shape made{};
    made.size = sizeof made;
    made.table = sdk::borrow(name);
    made.columns = columns.data();
    made.column_count = width;
    made.column_size = sizeof(cdcrt_column);
    if (change) change(made, columns.data());
    return batch.abi()->intern(batch.abi(), &made);  // the SDK would fill in the sizes
  }
  cdcrt_row& row(uint32_t message, cdcrt_operation operation = CDCRT_INSERT) {
    const uint32_t cells = operation <= CDCRT_DELETE ? rows.take_cells(2) : CDCRT_NO_CELLS;
    cdcrt_row& made = rows.begin_row(operation, message, shape());
    made.cells = cells;
    return made;
  }
  std::string fault(event::CheckDepth depth = event::CheckDepth::kStructure) {
    const auto found = event::find_fault(messages, batch, depth);
    return found ? found->what : std::string();
  }
  cdcrt_message three[3] = {};
  cdcrt_messages messages{};
  event::ShapeRegistry shapes;
  event::RowBatch batch;
  sdk::RowBuilder rows;
};

/// The fault of a batch of two good rows of which the second is changed.
std::string fault_of(const std::function<void(cdcrt_row&, Written&)>& change) {
  Written written;
  written.row(0);
  change(written.row(1), written);
  return written.fault();
}

std::string value_fault(cdcrt_tag tag, std::string_view text) {
  cdcrt_cell cell{};
  sdk::set_text(cell, tag, text);
  return event::fault_of_value(cell);
}

}  // namespace

TEST_CASE("rows in the order of their messages, several or none of a message, have no fault") {
  Written written;
  CHECK(written.fault().empty());
  written.row(0);
  written.row(0);
  written.row(2).before = written.rows.take_cells(2);
  written.row(2, CDCRT_TRUNCATE);
  written.row(2, CDCRT_DEFINITION);
  written.rows.begin_row(CDCRT_MARKER, 2, 4711);
  CHECK(written.fault(event::CheckDepth::kValues).empty());
}

TEST_CASE("a row out of order, of no message, of no operation, of no shape, or without its cells is a fault") {
  CHECK(fault_of([](cdcrt_row& row, Written& written) { row.message = 2, written.row(1); }) ==
        "row 3 for message 1 after one for message 2: rows stand in the order of their messages");
  CHECK(fault_of([](cdcrt_row& row, Written&) { row.message = 3; }) == "row 2 for message 3, where there are messages 0 to 2");
  CHECK(fault_of([](cdcrt_row& row, Written&) { row.operation = 0; }) == "a row with operation 0, which is none");
  CHECK(fault_of([](cdcrt_row& row, Written&) { row.operation = 8; }) == "a row with operation 8, which is none");
  CHECK(fault_of([](cdcrt_row& row, Written&) { row.shape = 1; }) == "a row with shape 1, which intern() never gave");
  CHECK(fault_of([](cdcrt_row& row, Written&) { row.shape = UINT32_MAX; }) == "a row with shape 4294967295, which intern() never gave");
  CHECK(fault_of([](cdcrt_row& row, Written&) { row.cells = CDCRT_NO_CELLS; }) == "an insert without cells");
  CHECK(fault_of([](cdcrt_row& row, Written&) { row.cells = 3; }) == "a row whose 2 cells begin at 3, where there are 4 cells");
  CHECK(fault_of([](cdcrt_row& row, Written&) { row.cells = UINT32_MAX - 1; }) ==
        "a row whose 2 cells begin at 4294967294, where there are 4 cells");
  CHECK(fault_of([](cdcrt_row& row, Written&) { row.before = 4; }) == "a row whose 2 cells begin at 4, where there are 4 cells");
  CHECK(fault_of([](cdcrt_row& row, Written&) { row.other_key = 9; }) == "a row whose 2 cells begin at 9, where there are 4 cells");
  CHECK(fault_of([](cdcrt_row& row, Written&) { row.source_order.size = 4; }) == "a source order at a NULL pointer");
}

TEST_CASE("a cell of an unknown tag, or with a size and no bytes, is a fault where a row refers to it") {
  const auto first = [](Written& written) -> cdcrt_cell& { return written.rows.cells(2)[0]; };
  CHECK(fault_of([&](cdcrt_row&, Written& written) { first(written).tag = 17; }) == "column 'a' of table 't' with tag 17, which is none");
  CHECK(fault_of([&](cdcrt_row&, Written& written) {
          first(written).tag = CDCRT_STRING;
          first(written).size = 3;
        }) == "column 'a' of table 't' with 3 bytes at a NULL pointer");
  CHECK(fault_of([&](cdcrt_row&, Written& written) { first(written).tag = CDCRT_STRING; }).empty());  // an empty text
  CHECK(fault_of([&](cdcrt_row& row, Written& written) {
          first(written).tag = 17;
          row.cells = 0;
        }).empty());
}

TEST_CASE("a shape without a table, without the columns that it counts, with a column without name or with an impossible key is a fault") {
  const auto fault = [](const std::function<void(cdcrt_shape&, cdcrt_column*)>& change) {
    Written written;
    CHECK(written.shape("t", 2, change) == UINT32_MAX);
    written.row(0);  // the fault stays
    return written.fault();
  };
  CHECK(fault([](cdcrt_shape& shape, cdcrt_column*) { shape.table = {}; }) == "a shape without a table");
  CHECK(fault([](cdcrt_shape& shape, cdcrt_column*) { shape.schema = sdk::borrow("\xff"); }) == "a shape whose names are not UTF-8");
  CHECK(fault([](cdcrt_shape& shape, cdcrt_column*) { shape.schema = {nullptr, 4}; }) == "a shape whose names are not UTF-8");
  CHECK(fault([](cdcrt_shape& shape, cdcrt_column*) { shape.columns = nullptr; }) ==
        "2 columns in a shape of table 't', at a NULL pointer");
  CHECK(fault([](cdcrt_shape&, cdcrt_column* columns) { columns[1].name = {}; }) == "column 2 without a name in a shape of table 't'");
  CHECK(fault([](cdcrt_shape&, cdcrt_column* columns) { columns[0].type.kind = 21; }) ==
        "column 1 with type 21, which is none in a shape of table 't'");
  CHECK(fault([](cdcrt_shape&, cdcrt_column* columns) { columns[0].key_ordinal = 3; }) ==
        "key place 3 in a shape of table 't', which has fewer columns");
  CHECK(fault([](cdcrt_shape&, cdcrt_column* columns) { columns[0].key_ordinal = columns[1].key_ordinal = 1; }) ==
        "key place 1 twice in a shape of table 't'");
  CHECK(fault([](cdcrt_shape& shape, cdcrt_column*) { shape.column_size = 64; }).find("no version of the ABI has") != std::string::npos);
  CHECK(fault([](cdcrt_shape& shape, cdcrt_column*) { shape.size = 40; }).find("no version of the ABI has") != std::string::npos);
}

TEST_CASE("a decoder that says it wrote more than there was room for, or elsewhere, is at fault") {
  Written more;
  more.row(0);
  more.batch.abi()->row_count = 1000;
  CHECK(more.fault().find("1000 rows and 2 cells, where there was room for") == 0);
  Written elsewhere;
  elsewhere.row(0);
  cdcrt_cell own[2] = {};
  elsewhere.batch.abi()->cells = own;
  CHECK(elsewhere.fault() == "rows and cells to a place of its own");
  elsewhere.batch.clear();
  elsewhere.row(0);
  CHECK(elsewhere.fault().empty());
}

TEST_CASE("rows of a rejected message go wherever they stand, and it is rejected once") {
  Written written;
  written.row(0);
  written.row(1);
  written.row(2);
  written.rows.reject(1, sdk::Status::bad_record("first"));
  written.rows.reject(1, sdk::Status::bad_record("second"));
  written.row(2);
  REQUIRE(written.fault().empty());
  written.batch.settle(3);
  REQUIRE(written.batch.size() == 3);
  CHECK(written.batch.rows()[1].message == 2);
  REQUIRE(written.batch.rejects().size() == 1);
  CHECK(written.batch.rejects()[0].error.message == "first");
  Written nowhere;
  nowhere.rows.reject(3, sdk::Status::bad_record("x"));
  CHECK(nowhere.fault() == "a rejection of message 3, where there are messages 0 to 2");
}

TEST_CASE("rows that have no cells refer to none, whatever was written there") {
  Written written;
  cdcrt_row& row = written.row(0, CDCRT_TRUNCATE);
  row.cells = row.before = row.other_key = 77;
  REQUIRE(written.fault().empty());
  written.batch.settle(3);
  CHECK(written.batch.rows()[0].cells == CDCRT_NO_CELLS);
}

TEST_CASE("values: what a cell says is what its tag promises") {
  for (const char* good : {"0", "-1", "007", "12345678901234567890123456789.0001", "NaN", "Infinity", "-Infinity", "-0.5"}) {
    CHECK_MESSAGE(value_fault(CDCRT_DECIMAL, good).empty(), good);
  }
  for (const char* bad : {"", "-", "1e5", "1.", ".5", "+1", "1,5", "inf", "1 ", "--1", "0x1"}) {
    CHECK_MESSAGE(value_fault(CDCRT_DECIMAL, bad).find("which is no decimal") != std::string::npos, bad);
  }
  CHECK(value_fault(CDCRT_STRING, "gr\xc3\xbc\xc3\x9f").empty());
  CHECK(value_fault(CDCRT_STRING, "\xc3").find("which is no UTF-8") != std::string::npos);
  CHECK(value_fault(CDCRT_STRING, "\xed\xa0\x80").find("which is no UTF-8") != std::string::npos);
  CHECK(value_fault(CDCRT_BYTES, "\xff\x00").empty());
  for (const char* good : {"{}", "[1,2]", "\"x\"", "null", "1e400", "{\"a\":{\"b\":[0.10]}}", " 7 "})
    CHECK_MESSAGE(value_fault(CDCRT_JSON, good).empty(), good);
  for (const char* bad : {"", "{", "{\"a\":}", "nul", "1 2", "\"\xff\"", "[1,]", "NaN"})
    CHECK_MESSAGE(!value_fault(CDCRT_JSON, bad).empty(), bad);
  CHECK(value_fault(CDCRT_ARRAY, "[[1],[null]]").empty());
  CHECK(!value_fault(CDCRT_ARRAY, "{}").empty());
  CHECK(value_fault(CDCRT_UUID, "123e4567-e89b-12d3-a456-426614174000").empty());
  CHECK(!value_fault(CDCRT_UUID, "123E4567-e89b-12d3-a456-426614174000").empty());
  for (const char* good : {"P1Y2M3DT4H5M6.5S", "PT-3.5S", "P-1D", "PT0S", "P2W", "PT-1H-2M", "P+1D", "-P1D"})
    CHECK_MESSAGE(value_fault(CDCRT_INTERVAL, good).empty(), good);
  for (const char* bad : {"", "P", "1D", "P1", "PT", "P1H", "PT1D", "P1DT2M1H", "P1DT", "P1.D", "P--1D"})
    CHECK_MESSAGE(!value_fault(CDCRT_INTERVAL, bad).empty(), bad);
  cdcrt_cell boolean{};
  sdk::set_integer(boolean, CDCRT_BOOL, 1);
  CHECK(event::fault_of_value(boolean).empty());
  boolean.value.integer = 2;
  CHECK(event::fault_of_value(boolean) == "the boolean 2");
}

TEST_CASE("values of every image of a row are looked at, and the fault names message, table and column") {
  Written written;
  written.row(0);
  cdcrt_row& row = written.row(2, CDCRT_UPDATE);
  const uint32_t before = written.rows.take_cells(2);
  row.before = before;
  sdk::set_text(written.rows.cells(before)[1], CDCRT_DECIMAL, "1e5");
  CHECK(written.fault().empty());
  const auto fault = event::find_fault(written.messages, written.batch, event::CheckDepth::kValues);
  REQUIRE(fault);
  CHECK(fault->message == 2);
  CHECK(fault->what == "column 'b' of table 't' with '1e5', which is no decimal");
}
