#include "dead_letters/announcements.hpp"

#include "diagnostics/text.hpp"

namespace cdcrt::dead_letters {
namespace {

constexpr std::size_t kMaxText = 400;

std::string shortened(const std::string& text) {
  std::string shown = diagnostics::printable(text);
  if (shown.size() <= kMaxText) return shown;
  std::size_t end = kMaxText;
  while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xC0) == 0x80) --end;
  return shown.substr(0, end) + "...";
}

}  // namespace

std::optional<std::string> Announcements::add(const DeadLetter& letter, Clock::time_point now) {
  Told& told = told_[{letter.sink, letter.table, letter.reason}];
  if (told.ever && now - told.at < kInterval) {
    ++told.since;
    return std::nullopt;
  }
  if (now - interval_ >= kInterval) {
    interval_ = now;
    lines_ = 0;
  }
  if (lines_ == kMaxLines) {
    ++told.since;
    return std::nullopt;
  }
  ++lines_;
  std::string line = letter.table.empty() ? "a message became a dead letter"
                                          : "table '" + diagnostics::printable(letter.table) + "': a change became a dead letter";
  line += " (" + letter.reason + ")";
  if (told.since > 0) line += ", and " + std::to_string(told.since) + " more of that kind since the last such line";
  line += ": " + diagnostics::printable(letter.topic) + "[" + std::to_string(letter.partition) + "] offset " +
          std::to_string(letter.offset) + ": " + shortened(letter.message);
  if (!told.ever) line += "; further ones of that kind are counted, cdcrt dlq list shows them";
  told = {now, 0, true};
  return line;
}

}  // namespace cdcrt::dead_letters
