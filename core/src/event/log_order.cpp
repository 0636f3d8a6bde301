#include "event/log_order.hpp"

#include <algorithm>

#include "cdcrt/sdk/source_order.hpp"

namespace cdcrt::event {
namespace {

using Layout = sdk::LogLayout;

constexpr std::size_t kFile = 8;
// The clocks of the source's server and of whoever reads its log differ.
constexpr uint64_t kClocksDiffer = 10'000;

// Numbers of one size compare as their bytes do.
struct Told {
  explicit Told(std::string_view order) : file(order.substr(0, kFile)), end(order.substr(order.size() - Layout::kSize)) {}
  [[nodiscard]] std::string_view time() const { return end.substr(Layout::kTime, 8); }
  [[nodiscard]] std::string_view read() const { return end.substr(Layout::kRead, 8); }
  [[nodiscard]] std::string_view server() const { return end.substr(Layout::kServer, 4); }
  [[nodiscard]] std::string_view files() const { return end.substr(Layout::kFiles, 4); }
  [[nodiscard]] std::string_view counter() const { return end.substr(Layout::kCounter, 4); }
  [[nodiscard]] std::string_view number() const { return end.substr(Layout::kNumber, 8); }
  std::string_view file, end;
};

bool tells_log(std::string_view order) { return order.size() > Layout::kSize && order.ends_with(sdk::kOrderTellsLog); }
bool is_told(std::string_view part) { return part.find_first_not_of('\0') != std::string_view::npos; }
bool differ(std::string_view mark, std::string_view other) { return mark != other && is_told(mark) && is_told(other); }
bool is_of_another(const Told& one, const Told& other) {
  return differ(one.server(), other.server()) || differ(one.files(), other.files());
}

uint64_t number_of(std::string_view bytes) {
  uint64_t number = 0;
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

bool are_of_one_log(std::string_view known, std::string_view incoming) {
  if (known.size() != incoming.size() || !tells_log(known) || !tells_log(incoming)) return true;
  const bool rises = known < incoming;
  const Told lower(rises ? known : incoming), higher(rises ? incoming : known);
  // A copy of the log. Not by the number alone: the members of a group take theirs in blocks, so that they do not rise in one log.
  if (lower.counter() == higher.counter() && lower.number() > higher.number() && is_told(lower.counter()) && lower.time() >= higher.time())
    return false;
  if (lower.time() <= higher.time()) {
    // As times may be in seconds, what would be left out as an old one of another server must not be of the same second.
    return rises || lower.time() != higher.time() || !is_told(lower.time()) || !is_of_another(lower, higher);
  }
  if (!is_told(higher.time())) return true;
  if (is_of_another(lower, higher)) return false;
  // A statement that ran for long has the time of its begin, and is in the log after what was done meanwhile. It cannot have been read
  // there before the one below it had even begun.
  const uint64_t began = number_of(lower.time()), read = number_of(std::max(higher.read(), higher.time()));
  if (is_told(lower.files()) && lower.file != higher.file) return began <= read;
  return !is_told(higher.read()) || began <= read + kClocksDiffer;
}

Order compare_orders(std::string_view known, std::string_view incoming) {
  if (known == incoming) return Order::kSame;
  if (!are_of_one_log(known, incoming)) return Order::kOtherLog;
  return incoming < known ? Order::kBefore : Order::kAfter;
}

bool may_be_after(std::string_view order, std::string_view than) { return order > than || !are_of_one_log(than, order); }

bool is_after(std::string_view order, std::string_view than) {
  if (are_of_one_log(than, order)) return order > than;
  const Told one(order), other(than);
  return one.time() == other.time() ? order > than : one.time() > other.time();
}

}  // namespace cdcrt::event
