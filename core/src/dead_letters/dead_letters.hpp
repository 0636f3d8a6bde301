// Dead letters: messages that could not be decoded or stored, with reason, position and bytes (design 4.12), in a JSON Lines file.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "cdcrt/abi/format.h"
#include "diagnostics/result.hpp"
#include "progress/partition.hpp"

namespace cdcrt::dead_letters {

struct Letter {
  std::string reason;   ///< stable code: undecodable, unreadable, value_refused, row_missing, key_missing, before_image_missing, ...
  std::string message;  ///< for people
  std::string source, topic;
  int32_t partition = 0;
  int64_t offset = 0;
  std::string sink, table;              ///< empty: the message never reached a table
  const cdcrt_message* raw = nullptr;   ///< as produced, borrowed for the call; null: could not be read again
  std::string decoded_row;              ///< what is known instead of the raw bytes
};

/// A letter of a message as produced, which must outlive it. `sink` and `table` may be empty.
Letter letter_of(const progress::Partition& partition, const cdcrt_message& message, const std::string& sink, const std::string& table,
                 const std::string& reason, const Error& error);

/// Thread-safe. Each (source, topic, partition, offset, sink, table) is written once per process; after a crash an id may come
/// again, readers keep the first.
class DeadLetters {
 public:
  /// Nothing is opened before the first letter.
  explicit DeadLetters(std::string path) : path_(std::move(path)) {}
  ~DeadLetters();
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;

  void add(const Letter& letter);
  /// Makes every letter durable; called before a commit that passes them. RETRY: the disk refused.
  Result<void> flush();
  [[nodiscard]] uint64_t count() const;
  /// By table ("" : none).
  [[nodiscard]] std::map<std::string, uint64_t> by_table() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const std::string path_;
  mutable std::mutex mutex_;
  int file_ = -1;
  std::string pending_;
  bool dirty_ = false;
  uint64_t count_ = 0;
  std::map<std::string, uint64_t> by_table_;
  std::unordered_set<std::string> seen_;
};

}  // namespace cdcrt::dead_letters
