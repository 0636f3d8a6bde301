// LineDecoder: lines of an input as messages with a place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/sdk/message_batch.hpp"
#include "inputs.hpp"
#include "kcat/kcat_line.hpp"
#include "line_reader.hpp"

namespace cdcrt::file_source {

/// Where a line's message belongs. Borrows from the decoder or the input.
struct Located {
  std::string_view topic;
  int32_t partition = 0;
  int64_t offset = 0;
  bool is_readable = true;
};

inline constexpr int32_t kUnreadablePartition = -1;

/// Reuse one object; one thread.
class LineDecoder {
 public:
  LineDecoder(Layout layout, uint64_t max_line) : layout_(layout), max_line_(max_line) {}
  /// False: the line is empty. `line` and `input` stay alive until decode.
  bool locate(const Line& line, const Input& input, Located& located);
  /// Adds the message to `batch`. False: nothing was added because the line turned out to be unreadable; `located` now says where
  /// it belongs as such, and decode is to be called once more with a batch of that place.
  bool decode(Located& located, sdk::MessageBatch& batch);
  /// The offset that `line` has when it is unreadable.
  static int64_t unreadable_offset(const Line& line, const Input& input);

 private:
  void give_up(Located& located, const std::string& reason);

  Layout layout_;
  uint64_t max_line_;
  const Line* line_ = nullptr;
  const Input* input_ = nullptr;
  kcat::KcatLine kcat_;
  std::string reason_;
};

}  // namespace cdcrt::file_source
