// Debezium's structured dates, times and durations (time.precision.mode = structured): put together to ISO 8601, then read as such.
#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <string>

#include "debezium/convert.hpp"

namespace cdcrt::debezium {

namespace {

constexpr Problem kNoParts = "a structured date, time or duration without all of its parts";
constexpr int64_t kPicoseconds = 1'000'000'000'000;

/// The members of a structured value: whole numbers, and texts.
class Parts {
 public:
  Parts(const sdk::JsonTape& tape, uint32_t object) : tape_(tape), object_(object) {}

  [[nodiscard]] bool has(std::string_view name) const {
    const uint32_t value = tape_.find(object_, name);
    return value != 0 && tape_[value].kind != sdk::JsonKind::kNull;
  }
  /// 0 for a null or missing member; false: the member is no integer that can be negated.
  bool read(std::string_view name, int64_t& number) const {
    number = 0;
    if (!has(name)) return true;
    const uint32_t value = tape_.find(object_, name);
    const std::string_view text = tape_.text(value);
    const char* end = text.data() + text.size();
    if (tape_[value].kind != sdk::JsonKind::kNumber) return false;
    const auto parsed = std::from_chars(text.data(), end, number);
    return parsed.ec == std::errc() && parsed.ptr == end && number != std::numeric_limits<int64_t>::min();
  }
  /// Adds the member with at least `digits` digits; false: it is missing, negative where it must not be, or too long.
  bool write(std::string_view name, int digits, std::string& out) const {
    int64_t number = 0;
    if (!has(name) || !read(name, number)) return false;
    if (number < 0 && digits == 2) return false;
    if (number < 0) out.push_back('-');
    const std::string text = std::to_string(number < 0 ? -number : number);
    for (auto missing = digits - static_cast<int>(text.size()); missing > 0; --missing) out.push_back('0');
    out += text;
    return true;
  }
  /// Empty when it is no text.
  [[nodiscard]] std::string_view text(std::string_view name) const {
    const uint32_t value = tape_.find(object_, name);
    return value != 0 && tape_[value].kind == sdk::JsonKind::kString ? tape_.text(value) : std::string_view();
  }
  /// Below a second, of `nanos` or of `picoseconds`, which later versions write.
  bool read_fraction(int64_t& picoseconds) const {
    const bool fine = has("picoseconds");
    if (!read(fine ? "picoseconds" : "nanos", picoseconds)) return false;
    const int64_t limit = fine ? kPicoseconds : kPicoseconds / 1000;
    if (picoseconds >= limit || picoseconds <= -limit) return false;
    if (!fine) picoseconds *= 1000;
    return true;
  }

 private:
  const sdk::JsonTape& tape_;
  uint32_t object_;
};

/// ".5": what is above zero, without zeros at its end.
void write_fraction(int64_t picoseconds, std::string& out) {
  if (picoseconds == 0) return;
  char digits[12];
  for (int i = 11; i >= 0; --i, picoseconds /= 10) digits[i] = static_cast<char>('0' + picoseconds % 10);
  std::size_t size = sizeof digits;
  while (digits[size - 1] == '0') --size;
  out.push_back('.');
  out.append(digits, size);
}

bool write_date(const Parts& parts, std::string& out) {
  if (!parts.write("year", 4, out)) return false;
  out.push_back('-');
  if (!parts.write("month", 2, out)) return false;
  out.push_back('-');
  return parts.write("day", 2, out);
}

bool write_time(const Parts& parts, std::string& out) {
  if (!parts.write("hour", 2, out)) return false;
  out.push_back(':');
  if (!parts.write("minute", 2, out)) return false;
  out.push_back(':');
  if (!parts.write("second", 2, out)) return false;
  int64_t fraction = 0;
  if (!parts.read_fraction(fraction) || fraction < 0) return false;
  write_fraction(fraction, out);
  return true;
}

Problem write_zone(const Parts& parts, std::string& out) {
  int64_t offset = 0;
  if (!parts.read("offsetSeconds", offset)) return kNoParts;
  if (!parts.has("offsetSeconds")) {
    const std::string_view zone = parts.text("zoneId");
    if (!zone.empty() && zone != "Z" && zone != "UTC" && zone != "GMT") return "a zone by its name alone, without its offset from UTC";
  }
  constexpr int64_t day = 86'400;
  if (offset >= day || offset <= -day) return "an offset from UTC of a day or more";
  out.push_back(offset < 0 ? '-' : '+');
  const int64_t seconds = offset < 0 ? -offset : offset;
  const auto two = [&](int64_t number) {
    out.push_back(static_cast<char>('0' + number / 10));
    out.push_back(static_cast<char>('0' + number % 10));
  };
  two(seconds / 3600);
  out.push_back(':');
  two(seconds / 60 % 60);
  if (seconds % 60 != 0) {
    out.push_back(':');
    two(seconds % 60);
  }
  return nullptr;
}

/// P1Y-2M3DT4H5M6.5S: every part has a sign of its own.
bool write_duration(const Parts& parts, std::string& out) {
  struct Unit {
    std::string_view name;
    char letter;
  };
  constexpr Unit units[] = {{"years", 'Y'}, {"months", 'M'}, {"days", 'D'}, {"hours", 'H'}, {"minutes", 'M'}};
  bool any = false;
  bool in_time = false;
  const auto begin_time = [&] {
    if (!in_time) out.push_back('T');
    in_time = true;
  };
  out.push_back('P');
  int64_t number = 0;
  for (const Unit& unit : units) {
    if (!parts.read(unit.name, number)) return false;
    any = any || parts.has(unit.name);
    if (number == 0) continue;
    if (unit.name == "hours" || unit.name == "minutes") begin_time();
    out += std::to_string(number);
    out.push_back(unit.letter);
  }
  int64_t fraction = 0;
  if (!parts.read("seconds", number) || !parts.read_fraction(fraction)) return false;
  if (!any && !parts.has("seconds")) return false;
  // Seconds and their fraction may differ in sign.
  int64_t seconds = number;
  if (seconds > 0 && fraction < 0) {
    --seconds;
    fraction += kPicoseconds;
  } else if (seconds < 0 && fraction > 0) {
    ++seconds;
    fraction -= kPicoseconds;
  }
  if (seconds == 0 && fraction == 0 && out.size() > 1) return true;
  begin_time();
  if (seconds < 0 || fraction < 0) out.push_back('-');
  out += std::to_string(seconds < 0 ? 0 - static_cast<uint64_t>(seconds) : static_cast<uint64_t>(seconds));
  write_fraction(fraction < 0 ? -fraction : fraction, out);
  out.push_back('S');
  return true;
}

const Column& iso_column(uint8_t kind) {
  const auto make = [](Conversion conversion) {
    Column column;
    column.conversion = conversion;
    return column;
  };
  static const Column date = make(Conversion::kIsoDate);
  static const Column time = make(Conversion::kIsoTime);
  static const Column timestamp = make(Conversion::kIsoTimestamp);
  static const Column zoned_timestamp = make(Conversion::kZonedTimestamp);
  static const Column duration = make(Conversion::kInterval);
  static const Column text = make(Conversion::kText);
  switch (kind) {
    case CDCRT_TYPE_DATE: return date;
    case CDCRT_TYPE_TIME: return time;
    case CDCRT_TYPE_TIMESTAMP: return timestamp;
    case CDCRT_TYPE_TIMESTAMPTZ: return zoned_timestamp;
    case CDCRT_TYPE_INTERVAL: return duration;
    default: return text;
  }
}

}  // namespace

uint8_t Converter::structured_kind(const sdk::JsonTape& tape, uint32_t value) {
  const std::size_t size = tape[value].size;
  if (size < 4 || size > 12) return CDCRT_TYPE_UNKNOWN;
  std::size_t found = 0;
  const auto has = [&](const char* name) {
    const bool there = tape.find(value, name) != 0;
    found += there ? 1 : 0;
    return there;
  };
  const auto has_all = [&](std::initializer_list<const char*> names) { return std::all_of(names.begin(), names.end(), has); };
  uint8_t kind = CDCRT_TYPE_UNKNOWN;
  if (has_all({"years", "months", "days", "hours", "minutes", "seconds"})) {
    kind = CDCRT_TYPE_INTERVAL;
  } else {
    found = 0;
    const bool dated = has_all({"year", "month", "day", "specialValue"});
    if (dated && size == 4) return CDCRT_TYPE_DATE;
    if (!dated) found = 0;
    if (!has_all({"hour", "minute", "second"})) return CDCRT_TYPE_UNKNOWN;
    const bool zoned = has("offsetSeconds");
    kind = dated ? (zoned ? CDCRT_TYPE_TIMESTAMPTZ : CDCRT_TYPE_TIMESTAMP) : (zoned ? CDCRT_TYPE_TIMETZ : CDCRT_TYPE_TIME);
    if (dated && zoned) has("zoneId");
  }
  if (!has("nanos") && !has("picoseconds")) return CDCRT_TYPE_UNKNOWN;
  has("precision");
  return found == size ? kind : static_cast<uint8_t>(CDCRT_TYPE_UNKNOWN);
}

Problem Converter::structured(uint8_t kind, const sdk::JsonTape& tape, uint32_t value, cdcrt_cell& cell) {
  if (tape[value].kind != sdk::JsonKind::kObject) return "not a structured date, time or duration";
  const Parts parts(tape, value);
  const bool dated = kind == CDCRT_TYPE_DATE || kind == CDCRT_TYPE_TIMESTAMP || kind == CDCRT_TYPE_TIMESTAMPTZ;
  const bool zoned = kind == CDCRT_TYPE_TIMESTAMPTZ || kind == CDCRT_TYPE_TIMETZ;
  std::string text;
  if (const std::string_view special = parts.text("specialValue"); !special.empty()) {
    const bool positive = special == "POSITIVE_INFINITY";
    if (!dated || (!positive && special != "NEGATIVE_INFINITY")) return "a special value that is not known";
    text = positive ? "infinity" : "-infinity";
  } else if (kind == CDCRT_TYPE_INTERVAL) {
    if (!write_duration(parts, text)) return kNoParts;
  } else {
    if (dated && !write_date(parts, text)) return kNoParts;
    if (dated && kind != CDCRT_TYPE_DATE) text.push_back('T');
    if (kind != CDCRT_TYPE_DATE && !write_time(parts, text)) return kNoParts;
    if (zoned) {
      if (const Problem problem = write_zone(parts, text)) return problem;
    }
  }
  return text_based(iso_column(kind), text, cell);
}

}  // namespace cdcrt::debezium
