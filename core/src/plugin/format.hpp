// Format: a decoder of a plugin, whose rows are checked before anybody believes them.
#pragma once

#include <memory>
#include <string>

#include "cdcrt/abi/plugin.h"
#include "diagnostics/result.hpp"
#include "event/row_batch.hpp"
#include "plugin/component.hpp"

namespace cdcrt::plugin {

/// From now on every value that a format writes is looked at, besides what could lose rows or end in a crash. Any thread.
void check_values();

/// A decoder. One thread at a time.
class Format {
 public:
  static Result<Format> create(const Component& component);
  /// `rows`, cleared before, hold what the messages became. FATAL, also where the plugin breaks the contract: nothing in it is to be
  /// believed then. A batch of one message or more.
  Result<void> decode(const cdcrt_messages& messages, event::RowBatch& rows);

 private:
  const cdcrt_format* functions_ = nullptr;
  std::string name_;
  std::shared_ptr<void> self_;
};

}  // namespace cdcrt::plugin
