// DeadLetter: a message that could not be decoded or stored, with reason, position and bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/abi/format.h"
#include "diagnostics/result.hpp"
#include "progress/partition.hpp"

namespace cdcrt::dead_letters {

/// As whoever found it tells of it. Borrows the message.
struct DeadLetter {
  std::string reason;   ///< stable code: undecodable, unreadable, value_refused, row_missing, key_missing, before_image_missing, ...
  std::string message;  ///< for people
  std::string source, topic;
  int32_t partition = 0;
  int64_t offset = 0;
  std::string sink, table;             ///< empty: the message never reached a table
  const cdcrt_message* raw = nullptr;  ///< as produced, borrowed for the call; null: could not be read again
  std::string decoded_row;             ///< what is known instead of the raw bytes
};

/// A dead letter of a message as produced, which must outlive it. `sink` and `table` may be empty.
DeadLetter make_dead_letter(const progress::Partition& partition, const cdcrt_message& message, const std::string& sink,
                            const std::string& table, const std::string& reason, const Error& error);

/// As it is kept. Owns everything.
struct StoredDeadLetter {
  std::string id;  ///< source/topic/partition/offset, and /sink/table where it belongs to one
  std::string reason, message, source, topic;
  int32_t partition = 0;
  int64_t offset = 0;
  std::string sink, table;
  bool has_raw = false;       ///< what follows is the message as produced; else `decoded_row` is what is known
  int64_t timestamp_ms = -1;  ///< of the log; -1: unknown
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  std::string decoded_row;
  bool replayed = false;  ///< it has no key, and was applied by a replay
};

std::string id_of(const DeadLetter& dead_letter);
StoredDeadLetter stored(const DeadLetter& dead_letter);

/// One line of JSON, with its line feed.
std::string to_json(const StoredDeadLetter& dead_letter);
/// FATAL when the line is none of ours.
Result<StoredDeadLetter> from_json(std::string_view line);

/// The headers alone: [["name","value"],...]; sides that are not UTF-8 are {"base64":"..."}, missing ones null.
std::string headers_to_json(const StoredDeadLetter& dead_letter);
Result<void> headers_from_json(std::string_view text, StoredDeadLetter& dead_letter);

}  // namespace cdcrt::dead_letters
