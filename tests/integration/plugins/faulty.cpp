// A format that breaks the contract in the way that its option `fault` names. A message is "number,name"; the number is the key.
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "cdcrt/sdk/format.hpp"
#include "cdcrt/sdk/option.hpp"

namespace {

using namespace cdcrt::sdk;

constexpr const char* kFaults[] = {"none",  "backwards", "message", "shape",   "cells",    "before",   "nocells", "operation", "tag",
                                   "bytes", "key",       "utf8",    "decimal", "json",     "uuid",     "throw",   "fatal",     "segv",
                                   "abort", "fpe",       "stack",   "reject",  "rejected", "crossing", "stuck",   nullptr};

[[gnu::noinline]] int overflow(volatile int depth) {
  volatile char room[4096];
  room[0] = static_cast<char>(depth);
  return overflow(depth + 1) + room[0];
}

class Faulty final : public Format {
 public:
  explicit Faulty(const Config& config) : fault_(config.string("fault")) {}

  Status decode(Messages messages, RowBuilder& rows) override {
    for (const Message message : messages) {
      const auto comma = message.value().find(',');
      if (comma == std::string_view::npos) {
        rows.reject(message.index(), Status::bad_record("no comma"));
        continue;
      }
      add(message, comma, rows);
    }
    return break_batch(messages, rows);
  }

 private:
  void add(const Message& message, std::size_t comma, RowBuilder& rows) {
    const uint32_t cells = rows.take_cells(2);
    int64_t number = 0;
    std::from_chars(message.value().data(), message.value().data() + comma, number);
    set_integer(rows.cells(cells)[0], CDCRT_I64, number);
    set_text(rows.cells(cells)[1], CDCRT_STRING, rows.copy(message.value().substr(comma + 1)));
    cdcrt_row& row = rows.begin_row(CDCRT_INSERT, message.index(), shape(rows));
    row.cells = cells;
    // The fault is in the third message, and the ones before are good.
    if (message.offset() == 2) break_row(row, rows);
    while (fault_ == "stuck" && message.offset() == 2) ::pause();
  }

  uint32_t shape(RowBuilder& rows) {
    cdcrt_column columns[2] = {};
    columns[0].name = borrow("id");
    columns[0].key_ordinal = 1;
    columns[1].name = borrow("name");
    if (fault_ == "key") columns[1].key_ordinal = 9;
    cdcrt_shape shape{};
    shape.flags = CDCRT_SHAPE_KEYED | (fault_ == "crossing" ? 0U : static_cast<uint32_t>(CDCRT_SHAPE_KEY_IN_ONE_PARTITION));
    shape.table = borrow("people");
    shape.columns = columns;
    shape.column_count = 2;
    return rows.intern(shape);
  }

  void break_row(cdcrt_row& row, RowBuilder& rows) {
    cdcrt_cell& name = rows.cells(row.cells)[1];
    if (fault_ == "backwards") row.message = 0;
    if (fault_ == "message") row.message = 4'000'000'000;
    if (fault_ == "shape") row.shape = 1000;
    if (fault_ == "cells") row.cells = 4'000'000'000;
    if (fault_ == "before") row.before = 1'000'000;
    if (fault_ == "nocells") row.cells = CDCRT_NO_CELLS;
    if (fault_ == "operation") row.operation = 99;
    if (fault_ == "tag") name.tag = 77;
    if (fault_ == "bytes") name.value.data = nullptr;
    if (fault_ == "utf8") set_text(name, CDCRT_STRING, "\xff\xfe");
    if (fault_ == "decimal") set_text(name, CDCRT_DECIMAL, "1e5");
    if (fault_ == "json") set_text(name, CDCRT_JSON, "{\"a\":}");
    if (fault_ == "uuid") set_text(name, CDCRT_UUID, "no");
    if (fault_ == "throw") throw std::runtime_error("the sky fell");
    if (fault_ == "segv") *reinterpret_cast<volatile int*>(static_cast<uintptr_t>(16)) = 1;
    if (fault_ == "abort") std::abort();
    if (fault_ == "fpe") std::raise(SIGFPE);
    if (fault_ == "stack") overflow(0);
    if (fault_ == "rejected") {
      rows.reject(2, Status::bad_record("on second thought"));
      rows.reject(2, Status::bad_record("and again"));
      rows.begin_row(CDCRT_INSERT, 2, 0).cells = row.cells;
    }
  }

  Status break_batch(Messages messages, RowBuilder& rows) {
    if (fault_ == "reject") rows.reject(messages.size(), Status::bad_record("nobody"));
    if (fault_ == "fatal") return Status::fatal("cannot go on");
    return {};
  }

  std::string fault_;
};

constexpr cdcrt_option kOptions[] = {option::one_of("fault", kFaults).default_value("none").doc("What it does wrong.")};

}  // namespace

CDCRT_FORMAT("faulty", "1.0.0", Faulty, kOptions)
