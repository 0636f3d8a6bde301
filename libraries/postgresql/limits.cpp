#include "postgresql/connection.hpp"
#include "postgresql/dialect.hpp"

namespace cdcrt::postgresql {

void tell_limits(cdcrt_limits& limits) {
  limits.time_us = int64_t{24} * 3600 * 1'000'000;
  limits.name_bytes = static_cast<uint32_t>(sql::postgresql().name_limit());
  limits.columns = 1600;
  limits.reserved_names = sdk::borrow("tableoid xmin cmin xmax cmax ctid");
  // json has no equality, and an array of anything is json.
  limits.unkeyable_types = 1U << CDCRT_TYPE_JSON | 1U << CDCRT_TYPE_ARRAY;
  limits.has_keyable_arrays = 1;
}

}  // namespace cdcrt::postgresql
