#include "options.hpp"

#include <charconv>
#include <stdexcept>

namespace cdcrt::bench {

void Options::parse(int count, char** arguments) const {
  for (int i = 1; i < count; ++i) {
    const auto found = known_.find(arguments[i]);
    if (found == known_.end()) throw std::runtime_error("unknown option " + std::string(arguments[i]) + usage());
    if (bool* const* flag = std::get_if<bool*>(&found->second)) {
      **flag = true;
      continue;
    }
    if (i + 1 >= count) throw std::runtime_error("a value is missing after " + std::string(found->first) + usage());
    const std::string_view value = arguments[++i];
    if (std::string* const* text = std::get_if<std::string*>(&found->second)) {
      **text = value;
      continue;
    }
    uint64_t& number = *std::get<uint64_t*>(found->second);
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    if (read.ec != std::errc{} || read.ptr != value.data() + value.size())
      throw std::runtime_error(std::string(found->first) + ": not a number: " + std::string(value));
  }
}

std::string Options::usage() const {
  std::string text = "; options:";
  for (const auto& [name, target] : known_) text += " [" + std::string(name) + (std::holds_alternative<bool*>(target) ? "]" : " VALUE]");
  return text;
}

}  // namespace cdcrt::bench
