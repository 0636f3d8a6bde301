// KcatLine: one message as `kcat -C -J` prints it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/format.h"
#include "cdcrt/sdk/message_batch.hpp"

namespace cdcrt::kcat {

/// Reads a line in two steps, so that a message that is not wanted is not unescaped. Reuse one object; one thread.
///
/// Members: topic, partition, offset, payload (all required), key, headers, ts, tstype; others are skipped. A key or payload that
/// is neither string nor null is taken as the JSON text that stands there.
///
/// As a dead letter: also what cdcrt writes of dead letters, and what a person writes by hand. No member but the payload is required,
/// which may be called value, and ts timestamp or timestamp_ms; {"base64": "..."} is the bytes; headers may be pairs.
class KcatLine {
 public:
  /// Bytes that must be readable behind the character that ends a line.
  static constexpr size_t kPadding = 64;

  enum class Form : uint8_t { kStrict, kDeadLetter };
  explicit KcatLine(Form form = Form::kStrict) : form_(form) {}

  /// What a member that does not stand there is; of kDeadLetter.
  void presume(std::string_view topic, int64_t offset);
  /// Reads up to where the message's place is known. Behind `text` stands a character below 0x20, and kPadding bytes; alive until decode.
  /// False: see problem().
  bool locate(std::string_view text);
  [[nodiscard]] std::string_view topic() const { return topic_; }
  [[nodiscard]] int32_t partition() const { return static_cast<int32_t>(partition_); }
  [[nodiscard]] int64_t offset() const { return offset_; }
  /// Reads the rest and adds the message to `batch`. False: nothing was added, see problem().
  bool decode(sdk::MessageBatch& batch);
  /// Why the line cannot be read, with the column.
  [[nodiscard]] std::string problem() const;

 private:
  enum Member : uint32_t {
    kTopic = 1,
    kPartition = 2,
    kOffset = 4,
    kPayload = 8,
    kKey = 16,
    kHeaders = 32,
    kTimestamp = 64,
    kTimestampType = 128
  };
  bool members(bool stop_when_located);
  bool member(std::string_view name);
  bool seen_first(Member which, const char* at);
  bool skip_value();
  bool integer(int64_t& value);
  bool text_value(const char* what, std::string& to);
  bool decode_text(const char* start, sdk::MessageBatch& batch, cdcrt_string& to);
  bool decode_header_pair(sdk::MessageBatch& batch);
  bool decode_headers(sdk::MessageBatch& batch);
  bool fail(const char* at, const char* reason);
  void skip_space();

  const Form form_;
  std::string presumed_topic_;
  int64_t presumed_offset_ = 0;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
  const char* next_ = nullptr;
  bool is_first_ = true;
  bool is_closed_ = false;  // the object's last bracket was read
  uint32_t seen_ = 0;
  std::string topic_, timestamp_type_, nesting_;
  int64_t partition_ = 0, offset_ = 0, timestamp_ = -1;
  const char* key_ = nullptr;  // where its value starts; NULL: none seen
  const char* payload_ = nullptr;
  const char* headers_start_ = nullptr;
  sdk::MessageBatch* batch_ = nullptr;  // set while decoding: texts go there as they are met
  cdcrt_string key_text_{}, payload_text_{};
  std::vector<cdcrt_header> headers_;
  const char* reason_ = nullptr;
  const char* reason_at_ = nullptr;
};

}  // namespace cdcrt::kcat
