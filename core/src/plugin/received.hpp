// What plugins hand over and the host gives back: batches and catalog entries, checked on arrival, in the struct sizes of this host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "diagnostics/result.hpp"

namespace cdcrt::plugin {

/// What is wrong with a message of a source; nullptr: nothing.
const char* fault_of_message(const cdcrt_message& message);

/// FATAL: a plugin does what the headers of the boundary forbid.
Error breach(const std::string& what);

/// One batch from a source, released when it dies.
class Messages {
 public:
  Messages() { given_.size = sizeof given_; }
  Messages(const Messages&) = delete;
  Messages& operator=(const Messages&) = delete;
  Messages(Messages&& other) noexcept : Messages() { swap(other); }
  Messages& operator=(Messages&& other) noexcept;
  ~Messages() { reset(); }
  /// Empty before take().
  [[nodiscard]] const cdcrt_messages& get() const { return messages_; }
  /// For the source to fill.
  cdcrt_messages* out() { return &given_; }
  /// Looks at what the source filled in. FATAL, and nothing to get, where that breaks the contract: offsets that do not ascend,
  /// pointers without what they point to.
  Result<void> take();
  /// get() shows the first `count` messages no longer.
  void leave_out(uint32_t count);
  void reset();

 private:
  void swap(Messages& other) noexcept;

  cdcrt_messages given_{};          ///< as the source gets it back
  cdcrt_messages messages_{};       ///< as the host sees it
  std::vector<cdcrt_message> own_;  ///< where the source's messages are longer or shorter than ours
};

/// A catalog entry, released when it dies.
class Description {
 public:
  Description() { given_.size = sizeof given_; }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;
  Description(Description&& other) noexcept : given_(other.given_), description_(other.description_), own_(std::move(other.own_)) {
    other.given_ = other.description_ = {};
  }
  ~Description() {
    if (given_.release != nullptr) given_.release(&given_);
  }
  /// Empty before take().
  [[nodiscard]] const cdcrt_table_description& get() const { return description_; }
  /// For the sink to fill.
  cdcrt_table_description* out() { return &given_; }
  /// Looks at what the sink filled in; FATAL where that breaks the contract.
  Result<void> take();

 private:
  cdcrt_table_description given_{};        ///< as the sink gets it back
  cdcrt_table_description description_{};  ///< as the host sees it
  std::vector<cdcrt_column> own_;          ///< where the sink's columns are longer or shorter than ours
};

}  // namespace cdcrt::plugin
