#include "route/settings.hpp"

namespace cdcrt::route {

bool Route::names_one_table() const {
  return match.size() == 1 && !match.front().starts_with("re:") && match.front().find('*') == std::string::npos;
}

}  // namespace cdcrt::route
