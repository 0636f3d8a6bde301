#include "change_settings.hpp"

#include <stdexcept>

namespace cdcrt::bench {

ChangeSettings parse_change_settings(int count, char** arguments, std::string_view format, bool has_flags) {
  ChangeSettings settings;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (has_flags && name == "--random-partitions") {
      settings.random_partitions = true;
      continue;
    }
    if (has_flags && name == "--details") {
      settings.details = true;
      continue;
    }
    if (i + 1 >= count) throw std::runtime_error("a value is missing after " + std::string(name));
    const std::string value = arguments[++i];
    if (name == "--events") {
      settings.events = std::stoull(value);
    } else if (name == "--seed") {
      settings.seed = std::stoull(value);
    } else if (name == "--tables") {
      settings.tables = std::stoull(value);
    } else if (name == "--partitions") {
      settings.partitions = std::stoull(value);
    } else if (name == "--out") {
      settings.out = value;
    } else if (name == "--expected") {
      settings.expected = value;
    } else if (name != "--format") {
      throw std::runtime_error("unknown option of --format " + std::string(format) + ": " + std::string(name));
    }
  }
  if (settings.tables == 0 || settings.partitions == 0) throw std::runtime_error("--tables, --partitions: at least 1");
  return settings;
}

}  // namespace cdcrt::bench
