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

std::optional<std::string> Announcements::add(const DeadLetter& dead_letter, Clock::time_point now) {
  Told& told = told_[{dead_letter.sink, dead_letter.table, dead_letter.reason}];
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
  std::string line = dead_letter.table.empty() ? "a message became a dead letter"
                                               : "table '" + diagnostics::printable(dead_letter.table) + "': a change became a dead letter";
  line += " (" + dead_letter.reason + ")";
  if (told.since > 0) line += ", and " + std::to_string(told.since) + " more of that kind since the last such line";
  line += ": " + diagnostics::printable(dead_letter.topic) + "[" + std::to_string(dead_letter.partition) + "] offset " +
          std::to_string(dead_letter.offset) + ": " + shortened(dead_letter.message);
  if (!told.ever) line += "; further ones of that kind are counted, cdcrt dlq list shows them";
  told = {now, 0, true};
  return line;
}

}  // namespace cdcrt::dead_letters
