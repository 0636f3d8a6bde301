#include "runtime/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "diagnostics/text.hpp"
#include "runtime/log.hpp"

namespace cdcrt::runtime {
namespace {

constexpr auto kStatusInterval = std::chrono::seconds(5);
constexpr auto kUnwatchedPatience = std::chrono::seconds(60);
// A status is one line that others show beside the service's name.
constexpr std::size_t kMaxStatus = 512;

int64_t number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  int64_t number = 0;
  if (text == nullptr) return 0;
  const char* const end = text + std::strlen(text);
  const auto parsed = std::from_chars(text, end, number);
  return parsed.ec == std::errc() && parsed.ptr == end && number > 0 ? number : 0;
}

}  // namespace

ServiceManager::Settings ServiceManager::from_environment() {
  Settings settings;
  if (const char* socket = std::getenv("NOTIFY_SOCKET")) settings.socket = socket;
  // Meant for a parent that started this process where the number is another one.
  const int64_t watched = number_in("WATCHDOG_PID");
  if (watched == 0 || watched == ::getpid()) settings.watchdog = std::chrono::microseconds(number_in("WATCHDOG_USEC"));
  return settings;
}

ServiceManager::ServiceManager(const Settings& settings) : settings_(settings) {
  if (settings_.socket.empty()) return;
  if (settings_.socket.size() >= sizeof(sockaddr_un::sun_path) || (settings_.socket[0] != '/' && settings_.socket[0] != '@')) {
    log(CDCRT_LOG_WARNING, "pipeline",
        "NOTIFY_SOCKET is no path of a socket: the service manager is told nothing: " + diagnostics::printable(settings_.socket));
    return;
  }
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) ::close(socket_);
}

bool ServiceManager::send(std::string_view message) const {
  if (socket_ < 0) return true;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, settings_.socket.data(), settings_.socket.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + settings_.socket.size());
  return ::sendto(socket_, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size) >= 0;
}

std::chrono::microseconds ServiceManager::patience() const {
  return socket_ >= 0 && settings_.watchdog.count() > 0 ? settings_.watchdog / 2 : kUnwatchedPatience;
}

void ServiceManager::status(const std::string& text) {
  if (socket_ < 0 || text == last_status_) return;
  last_status_ = text;
  std::string line = diagnostics::printable(text);
  std::size_t size = std::min(line.size(), kMaxStatus);
  while (size < line.size() && (static_cast<unsigned char>(line[size]) & 0xC0U) == 0x80) --size;  // no half of a character
  line.resize(size);
  send("STATUS=" + line);
}

void ServiceManager::ready() { must_tell_ready_ = !send("READY=1"); }

void ServiceManager::stopping(std::chrono::microseconds bound) {
  // The time is counted from now on; where the manager grants more by itself it stays at that.
  send("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(bound.count()));
  status("stopping: buffered rows are written first");
}

void ServiceManager::step(const Heartbeats& heartbeats, const std::function<std::string()>& status_text) {
  if (socket_ < 0) return;
  if (must_tell_ready_) ready();
  const auto now = Clock::now();
  if (settings_.watchdog.count() > 0 && now >= next_alive_) {
    next_alive_ = now + settings_.watchdog / 4;
    const auto late = heartbeats.late(now, patience());
    if (!late) {
      send("WATCHDOG=1");
      told_late_ = false;
    } else if (!told_late_) {
      told_late_ = true;
      log(CDCRT_LOG_ERROR, "pipeline",
          *late + " does not go on: the watchdog ends this process soon unless it does; the next start goes on from what the target holds");
      status(*late + " does not go on");
      next_status_ = now + settings_.watchdog;
    }
  }
  if (now < next_status_) return;
  next_status_ = now + kStatusInterval;
  status(status_text());
}

}  // namespace cdcrt::runtime
