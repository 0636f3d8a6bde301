#include "dead_letters/budget.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace cdcrt::dead_letters {

void Budget::read(uint64_t messages) {
  if (max_ratio_ <= 0) return;
  // Pieces of a hundredth: a window need not be exact to the message.
  if (window_.empty() || window_.back().first + messages > kWindow / 100) window_.emplace_back(0, 0);
  window_.back().first += messages;
  messages_in_window_ += messages;
  while (window_.size() > 1 && messages_in_window_ - window_.front().first >= kWindow) {
    messages_in_window_ -= window_.front().first;
    dead_letters_in_window_ -= window_.front().second;
    window_.pop_front();
  }
}

void Budget::add(const DeadLetter& dead_letter) {
  ++count_;
  Reason& reason = by_reason_[dead_letter.reason];
  if (reason.count++ == 0)
    reason.first = dead_letter.topic + "[" + std::to_string(dead_letter.partition) + "] offset " + std::to_string(dead_letter.offset) +
                   ": " + dead_letter.message;
  if (!broken_.empty()) return;
  if (max_count_ && count_ > *max_count_) broken_ = "max_count = " + std::to_string(*max_count_);
  if (max_ratio_ <= 0) return;
  if (window_.empty()) window_.emplace_back(0, 0);
  ++window_.back().second;
  ++dead_letters_in_window_;
  // A window is a little longer than it has to be.
  const auto messages = static_cast<double>(std::max(kWindow, messages_in_window_));
  if (static_cast<double>(dead_letters_in_window_) > max_ratio_ * messages && broken_.empty()) {
    std::array<char, 32> ratio{};
    (void)std::snprintf(ratio.data(), ratio.size(), "%g", max_ratio_);
    broken_ = "max_ratio = " + std::string(ratio.data()) + " of the last " + std::to_string(kWindow) + " messages";
  }
}

std::optional<Error> Budget::exceeded() const {
  if (broken_.empty()) return std::nullopt;
  return make_error(
      CDCRT_FATAL,
      std::to_string(count_) + " dead letters in this run are more than " + broken_ + " of [dead_letters] allows: " + reasons(),
      "nothing passed them, so they come again: mend what the reasons name (source, route, target), or raise the bound; cdcrt dlq list "
      "shows them");
}

std::string Budget::reasons() const {
  std::string text;
  for (const auto& [reason, seen] : by_reason_)
    text += (text.empty() ? "" : "; ") + std::to_string(seen.count) + " " + reason + ", first " + seen.first;
  return text;
}

}  // namespace cdcrt::dead_letters
