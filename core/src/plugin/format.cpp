#include "plugin/format.hpp"

#include <atomic>

#include "cdcrt/sdk/status.hpp"
#include "event/row_check.hpp"
#include "plugin/crossing.hpp"

namespace cdcrt::plugin {
namespace {

std::atomic<bool> checked_values{false};

std::string place_of(const cdcrt_messages& messages) {
  const int64_t first = messages.messages[0].offset, last = messages.messages[messages.count - 1].offset;
  return std::string(sdk::view(messages.topic)) + "[" + std::to_string(messages.partition) + "] " +
         (first == last ? "offset " + std::to_string(first) : "offsets " + std::to_string(first) + " to " + std::to_string(last));
}

}  // namespace

void check_values() { checked_values = true; }

Result<Format> Format::create(const Component& component) {
  Format format;
  format.name_ = name_of(*component.descriptor);
  format.functions_ = static_cast<const cdcrt_format*>(component.descriptor->functions);
  auto self = create_instance(format.functions_, component);
  if (!self) return std::move(self.error());
  format.self_ = std::move(*self);
  return format;
}

Result<void> Format::decode(const cdcrt_messages& messages, event::RowBatch& rows) {
  cdcrt_messages given = messages;
  given.size = sizeof given;
  given.message_size = sizeof(cdcrt_message);
  const CallNote note(name_, "decode", given);
  auto done = cross_noted({}, [&](cdcrt_error* error) { return functions_->decode(self_.get(), &given, rows.abi(), error); });
  if (!done) {
    Error error = std::move(done.error());
    error.message = name_ + " failed on messages of " + place_of(given) + ", none of which is applied: " + error.message;
    return error;
  }
  const auto depth = checked_values.load(std::memory_order_relaxed) ? event::CheckDepth::kValues : event::CheckDepth::kStructure;
  if (const auto fault = event::find_fault(given, rows, depth)) {
    const std::string of_message = fault->message < given.count ? " (message " + std::to_string(fault->message) + ", offset " +
                                                                      std::to_string(given.messages[fault->message].offset) + ")"
                                                                : "";
    return make_error(
        CDCRT_FATAL,
        name_ + " breaks the contract of formats: for messages of " + place_of(given) + ", none of which is applied, it wrote " +
            fault->what + of_message,
        "this is a fault of the plugin: tell its author. The next start reads these messages again: put a mended plugin there before");
  }
  rows.settle(given.count);
  return {};
}

}  // namespace cdcrt::plugin
