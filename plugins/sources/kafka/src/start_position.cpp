#include "start_position.hpp"

#include <string>

#include "cdcrt/sdk/calendar_parse.hpp"

namespace cdcrt::kafka_source {

sdk::Status StartPosition::parse(std::string_view text, StartPosition& to) {
  if (text == "committed") return to = {Kind::kCommitted, 0}, sdk::Status();
  if (text == "earliest") return to = {Kind::kEarliest, 0}, sdk::Status();
  if (text == "latest") return to = {Kind::kLatest, 0}, sdk::Status();
  const bool is_digit = !text.empty() && text[0] >= '0' && text[0] <= '9';
  const auto microseconds = is_digit ? sdk::parse_timestamptz(text) : std::nullopt;
  if (!microseconds) {
    const bool lacks_zone = is_digit && sdk::parse_timestamp(text).has_value();
    return sdk::Status::bad_config("start",
                                   lacks_zone ? "the time has no zone: '" + std::string(text) + "'"
                                              : "neither committed, earliest, latest nor a time: '" + std::string(text) + "'",
                                   "a time is written as 2026-01-31T12:00:00Z or 2026-01-31T12:00:00+01:00");
  }
  // Up to the next whole millisecond: Kafka's times have no more, and nothing before the named instant may be read.
  const int64_t whole = *microseconds / 1000, rest = *microseconds % 1000;
  to = {Kind::kTime, rest > 0 ? whole + 1 : whole};
  return {};
}

}  // namespace cdcrt::kafka_source
