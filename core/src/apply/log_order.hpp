// Source orders that tell their log (sdk::append_log): whether two of them are places in one log.
#pragma once

#include <string_view>

namespace cdcrt::apply {

/// Of two changes of one row, the one that is there and the one that comes. False: the lower place has the later time, in another file or
/// another log: the log began anew, and which change is newer cannot be told. True also where the orders tell no log.
bool are_of_one_log(std::string_view known, std::string_view incoming);

}  // namespace cdcrt::apply
