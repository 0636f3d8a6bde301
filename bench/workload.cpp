#include "workload.hpp"

#include <array>
#include <stdexcept>
#include <string>

namespace cdcrt::bench {
namespace {

constexpr std::array<Workload, 6> kWorkloads = {{
    {.name = "mixed"},
    {.name = "insert", .creates = 95, .updates = 4},
    {.name = "hot", .creates = 1, .updates = 98, .rows = 1000, .hot_rows = 10},
    {.name = "load", .creates = 100, .updates = 0, .snapshot = true},
    {.name = "toast", .creates = 20, .updates = 75, .large_column = true},
    {.name = "wide", .more_columns = 291},
}};

}  // namespace

const Workload& workload_named(std::string_view name) {
  std::string names;
  for (const Workload& workload : kWorkloads) {
    if (workload.name == name) return workload;
    names += (names.empty() ? "" : ", ") + std::string(workload.name);
  }
  throw std::runtime_error("--workload: " + names);
}

}  // namespace cdcrt::bench
