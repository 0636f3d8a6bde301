#include "apply/log_order.hpp"

#include "cdcrt/sdk/source_order.hpp"

namespace cdcrt::apply {
namespace {

using sdk::kOrderTellsLog;
constexpr std::size_t kFile = 8, kTime = 8, kMark = 4;

// Equal sizes compare as the big-endian numbers that they are.
std::string_view file_of(std::string_view order) { return order.substr(0, kFile); }
std::string_view time_of(std::string_view order) { return order.substr(order.size() - kOrderTellsLog.size() - kMark - kTime, kTime); }
std::string_view mark_of_log(std::string_view order) { return order.substr(order.size() - kOrderTellsLog.size() - kMark, kMark); }
bool tells_log(std::string_view order) {
  return order.size() >= kFile + kTime + kMark + kOrderTellsLog.size() && order.ends_with(kOrderTellsLog);
}

}  // namespace

bool are_of_one_log(std::string_view known, std::string_view incoming) {
  if (known.size() != incoming.size() || !tells_log(known) || !tells_log(incoming)) return true;
  const bool same_mark = mark_of_log(known) == mark_of_log(incoming);
  // A statement's time is that of its begin, so that times may fall a little within a file.
  if (same_mark && file_of(known) == file_of(incoming)) return true;
  if (incoming > known) return time_of(known) <= time_of(incoming);
  // It would be left out as an old one: of another server's log also at an equal time, as times are in seconds.
  return same_mark ? time_of(incoming) <= time_of(known) : time_of(incoming) < time_of(known);
}

}  // namespace cdcrt::apply
