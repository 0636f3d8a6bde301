// What a session connects with: libpq's own parameters, checked.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::pq {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Copyable; holds secrets, never printed.
struct ConnectionSettings {
  Pairs pairs;  ///< as the operator wrote them, and what the login adds
  std::vector<std::string> secrets;

  [[nodiscard]] bool has(std::string_view key) const;
};

/// BAD_CONFIG names `connection`, `connection.KEY` or `login`. `login`: a JSON object as secrets managers keep it; empty: none.
sdk::Status make_settings(Pairs pairs, std::string_view login, ConnectionSettings& out);

/// Text of libpq or of the server without any secret of the settings.
std::string hide_secrets(std::string text, const ConnectionSettings& settings);

}  // namespace cdcrt::pq
