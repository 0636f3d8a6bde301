// EventDecoder: one message of AWS DMS at a time, from bytes to rows.
#pragma once

#include <string>

#include "cdcrt/sdk/format.hpp"
#include "cdcrt/sdk/json_tape.hpp"
#include "metadata.hpp"
#include "row_layout.hpp"
#include "settings.hpp"

namespace cdcrt::dms {

/// Reused for every message of a worker; not thread-safe.
class EventDecoder {
 public:
  /// `settings` must outlive the decoder.
  explicit EventDecoder(const Settings& settings) : settings_(settings), layouts_(settings) {}

  /// Rows of the message go to `rows`; a Status other than OK says why it is to be rejected.
  sdk::Status decode(const sdk::Message& message, sdk::RowBuilder& rows);
  /// After a message: what a large one took is given back.
  void give_back_large() { tape_.give_back_large(); }

 private:
  /// Members of a message: indices into tape_, 0 where there is none.
  struct Parts {
    uint32_t data = 0, control = 0, metadata = 0;
    uint32_t before = 0;       ///< an object beside them
    uint32_t before_name = 0;  ///< its name
  };

  sdk::Status find_parts(Parts& parts);
  sdk::Status decode_data(const sdk::Message& message, const Parts& parts, sdk::RowBuilder& rows);
  sdk::Status decode_control(const sdk::Message& message, const Parts& parts, sdk::RowBuilder& rows);
  /// The members of data that tell the row after the change, and of the row before it, into their cells.
  sdk::Status read_data(uint32_t data, const RowLayout& layout, const sdk::RowCells& after, const sdk::RowCells& before, bool removes,
                        sdk::RowBuilder& rows);
  sdk::Status read_before_image(uint32_t object, const RowLayout& layout, const sdk::RowCells& before, sdk::RowBuilder& rows);
  /// What the row before does not tell is as it is after.
  void complete(const RowLayout& layout, const sdk::RowCells& before, const sdk::RowCells& after, sdk::RowBuilder& rows);
  sdk::Status complete_key(const RowLayout& layout, const sdk::RowCells& row, const sdk::RowCells& before);
  void place(cdcrt_row& row, sdk::RowBuilder& rows);

  const Settings& settings_;
  RowLayouts layouts_;
  sdk::JsonTape tape_;
  Metadata metadata_;
  std::string order_;
};

}  // namespace cdcrt::dms
