#include "manifest/units.hpp"

#include <charconv>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::manifest {
namespace {

using diagnostics::quote;

struct Unit {
  std::string_view name;
  int64_t factor;
};
constexpr Unit kDurations[] = {{"us", 1},           {"ms", 1'000},        {"s", 1'000'000},
                               {"min", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000}};
constexpr Unit kSizes[] = {
    {"B", 1},           {"kB", 1'000},      {"KB", 1'000},      {"MB", 1'000'000}, {"GB", 1'000'000'000}, {"TB", 1'000'000'000'000},
    {"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30}, {"TiB", 1LL << 40}};

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

Error bad(std::string message, std::string hint) { return make_error(CDCRT_BAD_CONFIG, std::move(message), std::move(hint)); }

/// Exact: digits and fraction digits as integers, so that 0.1s is 100,000 us.
Result<int64_t> parse(std::string_view text, std::span<const Unit> units, const char* what, const char* example, bool unit_optional) {
  const std::string advice = std::string("write a number and a unit, for instance ") + example;
  std::size_t end = 0;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
  std::string_view number = text.substr(0, end);
  std::string_view unit = text.substr(end);
  if (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  const std::size_t point = number.find('.');
  std::string_view fraction = point == std::string_view::npos ? std::string_view() : number.substr(point + 1);
  const std::string_view whole = number.substr(0, point);
  if (whole.empty() || fraction.find('.') != std::string_view::npos || (point != std::string_view::npos && fraction.empty())) {
    return bad(quote(text) + " is not a " + what, advice);
  }
  int64_t factor = 1;
  if (unit.empty()) {
    const bool zero = number.find_first_not_of("0.") == std::string_view::npos;
    if (!unit_optional && !zero) return bad("a " + std::string(what) + " needs a unit: " + quote(text), advice);
  } else {
    std::vector<std::string> names;
    bool found = false;
    for (const Unit& known : units) {
      names.emplace_back(known.name);
      if (known.name == unit) {
        factor = known.factor;
        found = true;
      }
    }
    if (!found) {
      std::string help;
      if (unit == "m") {
        help = "did you mean 'min' (minutes) or 'ms' (milliseconds)?";
      } else if (unit == "sec" || unit == "seconds" || unit == "second") {
        help = "did you mean 's'?";
      } else {
        help = diagnostics::did_you_mean(unit, names);
      }
      return bad("unknown unit " + quote(unit) + " of a " + what, help);
    }
  }
  const Error too_large = bad(quote(text) + " is too large", "");
  int64_t value = 0;
  const auto [whole_end, whole_error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (whole_error != std::errc() || __builtin_mul_overflow(value, factor, &value)) return too_large;
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  if (fraction.size() > 18) return bad(quote(text) + " is finer than can be kept", "use a smaller unit");
  __extension__ using Wide = __int128;
  Wide scale = 1, part = 0;
  for (char digit : fraction) {
    scale *= 10;
    part = part * 10 + (digit - '0');
  }
  part *= factor;
  if (part % scale != 0) return bad(quote(text) + " is finer than can be kept", "use a smaller unit");
  if (__builtin_add_overflow(value, static_cast<int64_t>(part / scale), &value)) return too_large;
  return value;
}

}  // namespace

Result<int64_t> parse_duration(std::string_view text) {
  return parse(text, kDurations, "duration", "\"30s\", \"250ms\" or \"5min\"", false);
}

Result<int64_t> parse_bytes(std::string_view text) { return parse(text, kSizes, "size", "\"64MiB\", \"1GB\" or 4096", true); }

Result<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return bad(quote(text) + " is too large", "");
  if (error != std::errc() || end != text.data() + text.size()) return bad(quote(text) + " is not an integer", "");
  return value;
}

Result<double> parse_real(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return bad(quote(text) + " is not a number", "");
  return value;
}

}  // namespace cdcrt::manifest
