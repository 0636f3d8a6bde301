// Endpoint: what each path answers, and to whom.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "observe/http_message.hpp"
#include "observe/settings.hpp"
#include "observe/snapshot.hpp"

namespace cdcrt::observe {

/// /metrics, /status, /livez, /readyz, and / for people. Used by the server's thread alone.
class Endpoint {
 public:
  /// `health` and what `snapshot` needs outlive it.
  Endpoint(const Settings& settings, const Health& health, std::function<Snapshot()> snapshot);
  Response answer(const Request& request);

 private:
  enum class Access : uint8_t { kGranted, kAnonymous, kRefused };
  [[nodiscard]] Access access(const Request& request) const;
  [[nodiscard]] bool is_asked_by_its_address(const Request& request) const;
  [[nodiscard]] Response about_health(std::string_view key, const std::vector<Reason>& reasons, Access access) const;
  const Snapshot& fresh();

  const Settings settings_;
  const Health& health_;
  const std::function<Snapshot()> take_;
  std::optional<Snapshot> snapshot_;
  std::chrono::steady_clock::time_point taken_{};
};

/// Equal, in a time that does not tell how far they agree.
bool is_same_secret(std::string_view one, std::string_view other);

}  // namespace cdcrt::observe
