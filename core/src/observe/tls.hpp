// Tls: the server's side of TLS, between bytes of the network and bytes of HTTP. It touches no socket.
#pragma once

#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "diagnostics/result.hpp"

namespace cdcrt::observe {

/// One connection's session. One thread.
class TlsSession {
 public:
  virtual ~TlsSession() = default;
  /// Takes what came from the network; what it says is appended to `plain`. False: this is no TLS, or it was broken off.
  virtual bool receive(std::string_view bytes, std::string& plain) = 0;
  /// The client said that nothing follows. It may still be sent to.
  [[nodiscard]] virtual bool is_at_end() const = 0;
  /// Turns what is to be sent into bytes for the network. After the handshake.
  virtual bool send(std::string_view plain) = 0;
  /// Says that nothing follows.
  virtual void close() = 0;
  /// Bytes for the network since the last call.
  virtual std::string take() = 0;
};

/// Certificate and key. One thread.
class Tls {
 public:
  /// BAD_CONFIG: the files are not there, or do not belong together.
  static Result<std::unique_ptr<Tls>> open(const std::string& certificate, const std::string& key);
  virtual ~Tls() = default;
  virtual std::unique_ptr<TlsSession> begin() = 0;
  /// Reads the files again where they changed. Error: they cannot be used, and those from before go on being used.
  virtual Result<void> renew() = 0;
};

}  // namespace cdcrt::observe
