// MessageLines: messages out of lines of text, for `cdcrt decode`.
#pragma once

#include <cstdint>
#include <deque>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cdcrt/abi/format.h"
#include "diagnostics/result.hpp"

namespace cdcrt::cli {

enum class LineLayout : uint8_t {
  kValues,  ///< a line is the value of a message without key; empty lines are left out
  kKcat     ///< a line is a JSON object as `kcat -C -J` prints it, or as dead letters are kept
};

/// A message with bytes of its own.
struct LineMessage {
  uint64_t line = 0;  ///< from 1
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t timestamp_ms = -1;
  std::optional<std::string> key, value;  ///< nullopt: null
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

/// Reads from one stream, in order.
class MessageLines {
 public:
  /// `topic`: of messages whose line does not say.
  MessageLines(std::istream& in, LineLayout layout, std::string topic);
  ~MessageLines();
  MessageLines(const MessageLines&) = delete;
  MessageLines& operator=(const MessageLines&) = delete;

  /// nullopt: the end. An error says which line is no message; reading may go on behind it.
  Result<std::optional<LineMessage>> next();
  /// The line that next() read last, from 1.
  [[nodiscard]] uint64_t line() const { return line_; }

 private:
  struct Reader;
  Result<LineMessage> parse_object(const std::string& line);

  std::istream& in_;
  const LineLayout layout_;
  const std::string topic_;
  const std::unique_ptr<Reader> reader_;
  uint64_t line_ = 0;
};

/// Messages of one topic and partition as the boundary wants them. Borrows from `messages`.
class LineBatch {
 public:
  explicit LineBatch(const std::deque<LineMessage>& messages);
  LineBatch(const LineBatch&) = delete;
  LineBatch& operator=(const LineBatch&) = delete;
  [[nodiscard]] const cdcrt_messages& abi() const { return batch_; }

 private:
  std::vector<std::vector<cdcrt_header>> headers_;
  std::vector<cdcrt_message> messages_;
  cdcrt_messages batch_{};
};

}  // namespace cdcrt::cli
