// Metadata: the block that AWS DMS writes beside each record, and the place that it gives the record among others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/sdk/json_tape.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::dms {

enum class Operation : uint8_t {
  kLoad,
  kInsert,
  kUpdate,
  kDelete,
  kDropTable,
  kCreateTable,  ///< from here on a control record may define a table
  kRenameTable,
  kAddColumn,
  kDropColumn,
  kRenameColumn,
  kChangeColumns,
  kColumnTypeChange
};

/// Views into the message's tape.
struct Metadata {
  Operation operation = Operation::kLoad;
  std::string_view operation_name;
  std::string_view schema, table;
  int64_t time_us = 0;  ///< when DMS made the message
  bool has_time = false;
  int64_t commit_time_us = 0;  ///< 0: not told
  std::string_view stream_position;
  std::string_view record_in_transaction;

  [[nodiscard]] bool is_data() const { return operation < Operation::kDropTable; }
  /// A table of DMS's own, such as awsdms_apply_exceptions.
  [[nodiscard]] bool is_of_dms() const { return table.substr(0, 7) == "awsdms_"; }
};

/// `object`: the member metadata of the message.
sdk::Status read_metadata(const sdk::JsonTape& tape, uint32_t object, Metadata& metadata);

/// Bytes in the order of `metadata.time_us`; at one time by the place in the source's log and in the transaction, where they are told. All
/// have one length. Data, loads and control records compare: the time is all that they have in common.
void write_order(const Metadata& metadata, std::string& order);

}  // namespace cdcrt::dms
