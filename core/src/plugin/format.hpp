// Format: a decoder of a plugin, whose rows are checked before anybody believes them.
#pragma once

#include <memory>
#include <string>

#include "cdcrt/abi/plugin.h"
#include "diagnostics/result.hpp"
#include "event/row_batch.hpp"
#include "plugin/component.hpp"

namespace cdcrt::plugin {

/// From now on all formats of the process are checked value by value (event::CheckDepth::kValues). Any thread.
void check_values();

/// A decoder. One thread at a time.
class Format {
 public:
  static Result<Format> create(const Component& component);
  /// Decodes one message or more into `rows`, which the caller has cleared. Error: FATAL, also where the plugin breaks its contract;
  /// then nothing in `rows` may be used.
  Result<void> decode(const cdcrt_messages& messages, event::RowBatch& rows);

 private:
  const cdcrt_format* functions_ = nullptr;
  std::string name_;
  std::shared_ptr<void> self_;
};

}  // namespace cdcrt::plugin
