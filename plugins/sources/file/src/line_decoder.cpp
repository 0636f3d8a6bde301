#include "line_decoder.hpp"

#include "cdcrt/abi/source.h"

namespace cdcrt::file_source {
namespace {

bool is_blank(std::string_view text) { return text.empty() || text.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

int64_t LineDecoder::unreadable_offset(const Line& line, const Input& input) {
  return base_offset(input) | static_cast<int64_t>(line.number);
}

void LineDecoder::give_up(Located& located, const std::string& reason) {
  reason_ = "line " + std::to_string(line_->number) + " of " + input_->name + ": " + reason;
  located = {input_->name, kUnreadablePartition, unreadable_offset(*line_, *input_), false};
}

bool LineDecoder::locate(const Line& line, const Input& input, Located& located) {
  line_ = &line;
  input_ = &input;
  if (line.is_cut) {
    give_up(located, "the file ends in the middle of it, and others follow");
  } else if (line.is_too_long()) {
    give_up(located, "its " + std::to_string(line.full_size) + " bytes are more than max_line (" + std::to_string(max_line_) +
                         "); the first " + std::to_string(line.text.size()) + " follow");
  } else if (layout_ == Layout::kValues) {
    if (line.text.empty()) return false;
    located = {input.topic, 0, base_offset(input) | static_cast<int64_t>(line.number - 1), true};
  } else if (is_blank(line.text)) {
    return false;
  } else if (kcat_.locate(line.text)) {
    located = {kcat_.topic(), kcat_.partition(), kcat_.offset(), true};
  } else {
    give_up(located, kcat_.problem());
  }
  return true;
}

bool LineDecoder::decode(Located& located, sdk::MessageBatch& batch) {
  if (located.is_readable && layout_ == Layout::kKcat) {
    if (kcat_.decode(batch)) return true;
    give_up(located, kcat_.problem());
    return false;
  }
  cdcrt_message message{};
  message.value = sdk::borrow(batch.copy(line_->text));
  message.offset = located.offset;
  message.timestamp_ms = -1;
  if (!located.is_readable) message.unreadable = sdk::borrow(batch.copy(reason_));
  batch.add(message, nullptr, 0);
  return true;
}

}  // namespace cdcrt::file_source
