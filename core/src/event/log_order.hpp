// How two source orders lie to each other. Orders are never compared as bytes elsewhere: two places may be of different logs, as a binlog
// begins anew after RESET MASTER or at another server, and then the change at the lower place was made later (sdk::append_log tells the
// log).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cdcrt::event {

/// Of two changes of one row (or one table), the one that is known and the one that comes. False: the one at the lower place has the later
/// time, so that the log began anew, and places do not tell which change is newer. True also where the orders tell no log.
bool are_of_one_log(std::string_view known, std::string_view incoming);

enum class Order : uint8_t { kBefore, kSame, kAfter, kOtherLog };
/// Where the change that comes stands to the one that is known. For rows: kOtherLog stops their table.
Order compare_orders(std::string_view known, std::string_view incoming);

/// The change at `order` is later than the one at `than`: in one log by the place, else by the source's clocks, which is good enough for
/// what only the order of whole shapes or batches depends on.
bool is_after(std::string_view order, std::string_view than);
/// The same, and also where they are of two logs: for what is read again to be sure.
bool may_be_after(std::string_view order, std::string_view than);
/// The later of the two is in `order` afterwards.
inline void raise_order(std::string& order, std::string_view other) {
  if (is_after(other, order)) order.assign(other);
}

inline const std::string& later_order(const std::string& order, const std::string& other) { return is_after(other, order) ? other : order; }

/// Sorts changes that are compared in pairs afterwards.
inline bool has_lower_place(std::string_view order, std::string_view other) { return order < other; }

inline constexpr const char* kLogBeganAnew =
    "of two changes the one at the lower place in the source's log has the later time. So the log began anew (another server, or RESET "
    "MASTER), and places do not tell which change is newer";

}  // namespace cdcrt::event
