// The `source` block of an event: which table, when, and where in the source's order.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/sdk/json_tape.hpp"
#include "cdcrt/sdk/row_builder.hpp"

namespace cdcrt::debezium {

enum class SourceField : uint8_t {
  kConnector,
  kName,
  kDatabase,
  kSchema,
  kTable,
  kTimeMilliseconds,
  kTimeMicroseconds,
  kLsn,
  kSequence,
  kFile,
  kPosition,
  kRow,
  kServerId,
  kScn,
  kChangeLsn,
  kCommitLsn,
  kEventSerial,
  kGtid,
  kRedoRecord,
  kRedoNumber,
  kReadMilliseconds,  ///< not of the block but of the event: when the connector read it
  kOther              ///< not used; also the count of the others
};
SourceField source_field(std::string_view name);

/// What an event says of its source. Views into the tape; data nullptr: not there, or null.
struct SourceValues {
  std::array<std::string_view, static_cast<std::size_t>(SourceField::kOther)> values;
  [[nodiscard]] std::string_view operator[](SourceField field) const { return values[static_cast<std::size_t>(field)]; }
  std::string_view& operator[](SourceField field) { return values[static_cast<std::size_t>(field)]; }
};

/// Reads blocks; remembers the order of names of the last one, so that the next costs no search.
class SourceReader {
 public:
  void read(const sdk::JsonTape& tape, uint32_t object, SourceValues& out);

 private:
  std::vector<std::pair<std::string, SourceField>> expected_;
};

/// Bytes that compare in source order, in the arena; data nullptr where the event has none.
/// PostgreSQL: end of the last finished transaction (the first of `sequence`; 0 where it is not told), then lsn: transactions are sent in
/// the order of their ends, and the changes of one may lie before those of an earlier one. MySQL, MariaDB: number of the binlog file,
/// position, row. SQL Server: commit lsn, change lsn, serial number of the event. Oracle: scn, redo record and number in it. All
/// big-endian. Then what they tell of the log (sdk::append_log). `scratch`: kept by the caller, so that nothing is allocated.
std::string_view source_order(const SourceValues& source, std::string& scratch, sdk::RowBuilder& rows);

/// The same of Flink CDC's events. Rows of a snapshot name no file, lsn 0 or scn 0: they have no order, and so are older than any change.
/// The two halves of a key change have one place in the log: the delete (0) comes before the create (1); not so where the place is an scn
/// alone, which other changes share.
std::string_view flink_order(const SourceValues& source, bool is_delete, std::string& scratch, sdk::RowBuilder& rows);

/// Commit time at the source, microseconds since 1970; 0: unknown.
int64_t source_time_us(const SourceValues& source);

}  // namespace cdcrt::debezium
