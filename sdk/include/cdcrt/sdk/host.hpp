// Host: the services that the process offers to a plugin. Header-only, C++17.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "cdcrt/abi/base.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

/// Log lines under the name of one component, and whether the process stops. Cheap to copy; every function may be called from any thread.
class Host {
 public:
  Host() = default;
  Host(const cdcrt_host* host, std::string component) : host_(host), component_(std::move(component)) {}

  /// Ask before building an expensive message.
  [[nodiscard]] bool wants(cdcrt_log_level level) const {
    return host_ != nullptr && host_->log != nullptr && (host_->log_level == nullptr || *host_->log_level <= level);
  }
  void log(cdcrt_log_level level, std::string_view message) const {
    if (wants(level)) host_->log(host_->self, level, borrow(component_), borrow(message));
  }
  /// The process stops and waits no longer: end what waits for something outside, with RETRY.
  [[nodiscard]] bool leaves() const { return host_ != nullptr && host_->leaves != nullptr && host_->leaves(host_->self) != 0; }
  void info(std::string_view message) const { log(CDCRT_LOG_INFO, message); }
  void warn(std::string_view message) const { log(CDCRT_LOG_WARNING, message); }

 private:
  const cdcrt_host* host_ = nullptr;
  std::string component_;
};

}  // namespace cdcrt::sdk
