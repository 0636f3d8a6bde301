// HttpServer: one thread that answers requests of people and monitoring. Whoever connects, and however, it takes a bounded part of the
// process.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "diagnostics/result.hpp"
#include "observe/http_message.hpp"
#include "observe/settings.hpp"

namespace cdcrt::observe {

/// At most that many connections, each of one request that must have come, and of an answer that must have been taken, in this time. A new
/// connection takes the place of the one that has been sending its request for longest, or else has been here for longest.
struct HttpLimits {
  std::size_t connections = 64;
  std::chrono::milliseconds request{5'000}, response{10'000};
  std::size_t response_bytes = 32 << 20;  ///< of all answers that are on their way
};

/// What is unsafe and was asked for; start() warns of it. Empty: nothing.
std::string warning_of(const Settings& settings);

class HttpServer {
 public:
  /// On the server's thread, never beside itself. Must not throw.
  using Handler = std::function<Response(const Request&)>;
  /// For what is worth a line of the log.
  using Warn = std::function<void(const std::string&)>;

  /// Listens and starts the thread. BAD_CONFIG or UNREACHABLE with `config_key`. What settings.hpp's check() found wrong is not looked for.
  static Result<std::unique_ptr<HttpServer>> start(const Settings& settings, const HttpLimits& limits, Handler handler, Warn warn);
  /// Ends the thread; answers that are on their way are broken off.
  virtual ~HttpServer() = default;
  /// "http://127.0.0.1:9464", with the port that was given where 0 was asked for.
  [[nodiscard]] virtual const std::string& url() const = 0;
};

}  // namespace cdcrt::observe
