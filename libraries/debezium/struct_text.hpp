// Key columns as Kafka Connect's SimpleHeaderConverter writes them into a header: nearly JSON.
#pragma once

#include <string>
#include <string_view>

namespace cdcrt::debezium {

struct StructText {
  std::string json;
  bool has_bare_times;  ///< dates or times of Connect's own types: text without quotes, and of those before 1970 the time of day alone
};

/// `text` with line breaks and the like within texts escaped, and bare dates and times between quotes.
StructText json_of_struct_text(std::string_view text);

}  // namespace cdcrt::debezium
