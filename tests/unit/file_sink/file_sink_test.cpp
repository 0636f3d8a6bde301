#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "paths.hpp"
#include "plugin/registry.hpp"

namespace {

using namespace std::string_literals;

cdcrt_string borrow(const std::string& text) { return {text.data(), text.size()}; }

cdcrt_cell number(cdcrt_tag tag, int64_t value) {
  cdcrt_cell cell{};
  cell.tag = tag;
  cell.value.integer = value;
  return cell;
}
cdcrt_cell real(double value) {
  cdcrt_cell cell{};
  cell.tag = CDCRT_F64;
  cell.value.real = value;
  return cell;
}
/// `value` outlives the cell.
cdcrt_cell text(cdcrt_tag tag, const std::string& value) {
  cdcrt_cell cell{};
  cell.tag = tag;
  cell.size = static_cast<uint32_t>(value.size());
  cell.value.data = value.data();
  return cell;
}
cdcrt_cell empty(cdcrt_tag tag) { return number(tag, 0); }

class Folder {
 public:
  Folder() {
    char pattern[] = "/tmp/cdcrt-file-sink-XXXXXX";
    path_ = ::mkdtemp(pattern);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

/// The sink and one connection, through the shared object.
class OpenedSink {
 public:
  explicit OpenedSink(const std::string& path) {
    auto found = cdcrt::plugin::find(CDCRT_SINK, "file", {{paths::plugins(), "the build"}});
    REQUIRE_MESSAGE(found.ok(), found.error().message);
    functions_ = static_cast<const cdcrt_sink*>((*found)->functions);
    cdcrt_option_value option{};
    option.key = "path";
    option.type = CDCRT_OPTION_PATH;
    option.is_set = 1;
    option.string = borrow(path);
    const std::string name = "changes";
    const cdcrt_config config{sizeof config, 1, &option, sizeof option, 0, borrow(name), borrow(name)};
    REQUIRE(call([&](cdcrt_error* error) { return functions_->create(nullptr, &config, &self_, error); }) == CDCRT_OK);
    opened = call([&](cdcrt_error* error) { return functions_->open(self_, &connection_, error); });
  }
  ~OpenedSink() {
    if (connection_ != nullptr) functions_->close(connection_);
    functions_->destroy(self_);
  }
  OpenedSink(const OpenedSink&) = delete;
  OpenedSink& operator=(const OpenedSink&) = delete;

  [[nodiscard]] uint32_t capabilities() const { return functions_->capabilities_of(self_); }
  int32_t begin() {
    return call([&](cdcrt_error* error) { return functions_->begin(connection_, error); });
  }
  int32_t commit() {
    return call([&](cdcrt_error* error) { return functions_->commit(connection_, error); });
  }
  int32_t rollback() {
    return call([&](cdcrt_error* error) { return functions_->rollback(connection_, error); });
  }
  int32_t write(const std::vector<std::string>& names, const std::vector<cdcrt_cell>& cells, const std::vector<uint8_t>& operations,
                const std::string& schema = "", uint32_t keys = 1) {
    std::vector<cdcrt_column> columns(names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      columns[i].name = borrow(names[i]);
      columns[i].key_ordinal = i < keys ? static_cast<uint32_t>(i + 1) : 0;
    }
    const std::string table = "orders";
    cdcrt_write write{};
    write.size = sizeof write;
    write.kind = CDCRT_WRITE_APPEND;
    write.table = {borrow(schema), borrow(table)};
    write.columns = columns.data();
    write.column_count = static_cast<uint32_t>(columns.size());
    write.column_size = sizeof(cdcrt_column);
    write.cells = cells.data();
    write.row_count = operations.size();
    write.operations = operations.data();
    return call([&](cdcrt_error* error) { return functions_->write(connection_, &write, error); });
  }

  int32_t opened = CDCRT_OK;
  std::string message;

 private:
  template <class Body>
  int32_t call(Body&& body) {
    cdcrt_error error{};
    error.size = sizeof error;
    const int32_t code = body(&error);
    message = error.message == nullptr ? "" : error.message;
    if (error.release != nullptr) error.release(&error);
    return code;
  }
  const cdcrt_sink* functions_ = nullptr;
  void* self_ = nullptr;
  void* connection_ = nullptr;
};

/// How one cell is written.
std::string written(const cdcrt_cell& cell) {
  const Folder folder;
  OpenedSink sink(folder.file("out"));
  sink.begin();
  REQUIRE(sink.write({"c"}, {cell}, {CDCRT_INSERT}, "", 0) == CDCRT_OK);
  REQUIRE(sink.commit() == CDCRT_OK);
  const std::string line = bytes_of(folder.file("out"));
  const std::string start = R"({"table":"orders","op":"insert","row":{"c":)";
  REQUIRE(line.substr(0, start.size()) == start);
  return line.substr(start.size(), line.size() - start.size() - 3);
}

}  // namespace

TEST_CASE("file sink: every kind of value is exact") {
  CHECK(written(number(CDCRT_BOOL, 1)) == "true");
  CHECK(written(empty(CDCRT_NULL)) == "null");
  CHECK(written(number(CDCRT_I64, INT64_MIN)) == "-9223372036854775808");
  cdcrt_cell natural = empty(CDCRT_U64);
  natural.value.natural = UINT64_MAX;
  CHECK(written(natural) == "18446744073709551615");
  CHECK(written(real(0.1)) == "0.1");
  CHECK(written(real(-1e300)) == "-1e+300");
  CHECK(written(real(std::nan(""))) == "\"NaN\"");
  CHECK(written(real(-std::numeric_limits<double>::infinity())) == "\"-Infinity\"");
  CHECK(written(text(CDCRT_DECIMAL, "-12345678901234567890123456789.10")) == "-12345678901234567890123456789.10");
  CHECK(written(text(CDCRT_DECIMAL, "NaN")) == "\"NaN\"");
  CHECK(written(number(CDCRT_DATE, 19723)) == "\"2024-01-01\"");
  CHECK(written(number(CDCRT_DATE, INT64_MAX)) == "\"infinity\"");
  CHECK(written(number(CDCRT_TIME, 3'600'000'001)) == "\"01:00:00.000001\"");
  CHECK(written(number(CDCRT_TIMESTAMP, 1'704'088'800'000'006)) == "\"2024-01-01T06:00:00.000006\"");
  CHECK(written(number(CDCRT_TIMESTAMPTZ, 0)) == "\"1970-01-01T00:00:00+00:00\"");
  CHECK(written(text(CDCRT_STRING, "")) == "\"\"");
  const std::string awkward = "\"\\\n\r\t\x01\0 \xF0\x9F\x98\x80"s;
  CHECK(written(text(CDCRT_STRING, awkward)) == "\"\\\"\\\\\\n\\r\\t\\u0001\\u0000 \xF0\x9F\x98\x80\"");
  CHECK(written(text(CDCRT_BYTES, "")) == "\"\"");
  const std::string one = "\xFF", two = "\xFF\x00"s, three = "\xFF\x00\x10"s;
  CHECK(written(text(CDCRT_BYTES, one)) == "\"/w==\"");
  CHECK(written(text(CDCRT_BYTES, two)) == "\"/wA=\"");
  CHECK(written(text(CDCRT_BYTES, three)) == "\"/wAQ\"");
  const std::string json = "{\n \"a\": 1.10\n}";
  CHECK(written(text(CDCRT_JSON, json)) == "{  \"a\": 1.10 }");
  CHECK(written(text(CDCRT_INTERVAL, "P1D")) == "\"P1D\"");
}

TEST_CASE("file sink: a row tells its operation and key, and leaves out columns that are not there") {
  const Folder folder;
  OpenedSink sink(folder.file("out"));
  CHECK((sink.capabilities() & CDCRT_SINK_EVENTS) != 0);
  CHECK((sink.capabilities() & CDCRT_SINK_TRANSACTIONS) == 0);
  sink.begin();
  const std::string a = "a";
  REQUIRE(sink.write({"id", "x \"y\""},
                     {number(CDCRT_I64, 1), text(CDCRT_STRING, a), number(CDCRT_I64, 1), empty(CDCRT_ABSENT), number(CDCRT_I64, 1),
                      empty(CDCRT_ABSENT), empty(CDCRT_ABSENT), empty(CDCRT_ABSENT)},
                     {CDCRT_SNAPSHOT, CDCRT_UPDATE, CDCRT_DELETE, CDCRT_TRUNCATE}, "public") == CDCRT_OK);
  CHECK(bytes_of(folder.file("out")).empty());
  REQUIRE(sink.commit() == CDCRT_OK);
  CHECK(bytes_of(folder.file("out")) ==
        R"({"schema":"public","table":"orders","op":"snapshot","key":{"id":1},"row":{"id":1,"x \"y\"":"a"}}
{"schema":"public","table":"orders","op":"update","key":{"id":1},"row":{"id":1}}
{"schema":"public","table":"orders","op":"delete","key":{"id":1},"row":{"id":1}}
{"schema":"public","table":"orders","op":"truncate"}
)");
}

TEST_CASE("file sink: a rolled back write leaves nothing, the next run appends, half a line gets its end") {
  const Folder folder;
  const std::string path = folder.file("out");
  std::ofstream(path) << "{\"half\":";
  for (int run = 0; run < 2; ++run) {
    OpenedSink sink(path);
    sink.begin();
    sink.write({"id"}, {number(CDCRT_I64, 100)}, {CDCRT_INSERT});
    CHECK(sink.rollback() == CDCRT_OK);
    sink.begin();
    sink.write({"id"}, {number(CDCRT_I64, run)}, {CDCRT_INSERT});
    CHECK(sink.commit() == CDCRT_OK);
  }
  CHECK(bytes_of(path) ==
        "{\"half\":\n"
        "{\"table\":\"orders\",\"op\":\"insert\",\"key\":{\"id\":0},\"row\":{\"id\":0}}\n"
        "{\"table\":\"orders\",\"op\":\"insert\",\"key\":{\"id\":1},\"row\":{\"id\":1}}\n");
}

TEST_CASE("file sink: a file that cannot be opened is named; a write that does not fit is tried again whole") {
  const Folder folder;
  OpenedSink missing(folder.file("no/such/folder/out"));
  CHECK(missing.opened == CDCRT_UNREACHABLE);
  CHECK(missing.message.find("no/such/folder/out") != std::string::npos);

  OpenedSink sink(folder.file("out"));
  const std::string large(100'000, 'x');
  sink.begin();
  sink.write({"id"}, {text(CDCRT_STRING, large)}, {CDCRT_INSERT}, "", 0);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto previous = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{50'000, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const int32_t failed = sink.commit();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, previous);
  CHECK(failed == CDCRT_RETRY);
  CHECK(bytes_of(folder.file("out")).empty());
  CHECK(sink.commit() == CDCRT_OK);
  CHECK(bytes_of(folder.file("out")).size() > 100'000);
}
