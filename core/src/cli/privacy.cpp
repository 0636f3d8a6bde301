#include "cli/privacy.hpp"

#include <sys/prctl.h>

#include <cstring>
#include <string_view>

namespace cdcrt::cli {
namespace {

void cover(char* text) {
  // The key stays, so that one can see what was set.
  char* value = std::strchr(text, '=');
  if (value != nullptr) std::memset(value + 1, '*', std::strlen(value + 1));
}

}  // namespace

void allow_core_dumps(bool allowed) { ::prctl(PR_SET_DUMPABLE, allowed ? 1 : 0, 0, 0, 0); }

void cover_arguments(int count, char** values) {
  constexpr std::string_view kJoined = "--set=";
  bool takes_settings = false;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = values[i];
    if (argument.starts_with(kJoined)) {
      cover(values[i] + kJoined.size());
      takes_settings = true;
    } else if (argument.starts_with("--")) {
      takes_settings = argument == "--set";
    } else if (takes_settings) {
      cover(values[i]);
    }
  }
}

}  // namespace cdcrt::cli
