#include "runtime/service_manager.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using cdcrt::runtime::Heartbeats;
using cdcrt::runtime::ServiceManager;

/// What a service manager hears.
class Listener {
 public:
  Listener() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    // In the abstract namespace, under a name of the kernel's choice.
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address.sun_family) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    name_ = "@" + std::string(address.sun_path + 1, size - sizeof address.sun_family - 1);
  }
  ~Listener() { ::close(socket_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  std::vector<std::string> heard() {
    std::vector<std::string> messages;
    std::array<char, 4096> bytes{};
    while (true) {
      const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (size < 0) return messages;
      messages.emplace_back(bytes.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  int socket_ = -1;
  std::string name_;
};

std::string nothing() { return ""; }

}  // namespace

TEST_CASE("service manager: is told what systemd understands, and a status once") {
  Listener listener;
  ServiceManager manager({listener.name(), 0us});
  manager.status("opening\nsources");
  manager.status("opening\nsources");
  manager.ready();
  manager.stopping(45s);
  CHECK(listener.heard() == std::vector<std::string>{"STATUS=opening\\nsources", "READY=1", "STOPPING=1\nEXTEND_TIMEOUT_USEC=45000000",
                                                     "STATUS=stopping: buffered rows are written first"});
}

TEST_CASE("service manager: one that is too busy to hear that a process is ready hears it later") {
  Listener listener;
  ServiceManager manager({listener.name(), 0us});
  const Heartbeats heartbeats;
  // Its queue is full: nothing more is taken.
  for (int i = 0; i < 10'000; ++i) manager.status(std::to_string(i));
  manager.ready();
  const auto before = listener.heard();
  REQUIRE(before.size() < 10'000);
  CHECK(before.back() != "READY=1");
  manager.step(heartbeats, nothing);
  CHECK(listener.heard().front() == "READY=1");
}

TEST_CASE("service manager: hears nothing of a process without a watchdog but its status") {
  Listener listener;
  ServiceManager manager({listener.name(), 0us});
  const Heartbeats heartbeats;
  manager.step(heartbeats, [] { return std::string("3 rows"); });
  manager.step(heartbeats, [] { return std::string("4 rows"); });  // too soon
  CHECK(listener.heard() == std::vector<std::string>{"STATUS=3 rows"});
}

TEST_CASE("service manager: a thread that does not come round ends the signs of life, and is named") {
  Listener listener;
  ServiceManager manager({listener.name(), 4us});  // each step is due
  Heartbeats heartbeats;
  heartbeats.add("source 'events'");  // it rests
  auto& worker = heartbeats.add("decode worker 1");
  worker.rest();
  manager.step(heartbeats, nothing);
  CHECK(listener.heard() == std::vector<std::string>{"WATCHDOG=1"});
  worker.beat();
  const auto due = ServiceManager::Clock::now() + 10us;
  while (ServiceManager::Clock::now() < due) {
  }
  manager.step(heartbeats, nothing);
  CHECK(listener.heard() == std::vector<std::string>{"STATUS=decode worker 1 does not go on"});
  worker.rest();
  while (ServiceManager::Clock::now() < due + 10us) {
  }
  manager.step(heartbeats, nothing);
  CHECK(listener.heard().front() == "WATCHDOG=1");
}

TEST_CASE("service manager: a thread is waited for as long as the watchdog allows, else for a minute") {
  Listener listener;
  CHECK(ServiceManager({listener.name(), 20s}).patience() == 10s);
  CHECK(ServiceManager({listener.name(), 0us}).patience() == 60s);
  CHECK(ServiceManager({{}, 20s}).patience() == 60s);  // nobody hears of it
}

TEST_CASE("heartbeats: late is who beat once and not since, for longer than the limit") {
  Heartbeats heartbeats;
  auto& thread = heartbeats.add("source 'events'");
  const auto now = Heartbeats::Clock::now();
  CHECK_FALSE(heartbeats.late(now + 1h, 1s));  // not begun
  thread.beat();
  CHECK_FALSE(heartbeats.late(now, 1s));
  CHECK(heartbeats.late(now + 1h, 1s) == "source 'events'");
  thread.rest();
  CHECK_FALSE(heartbeats.late(now + 1h, 1s));
}

TEST_CASE("service manager: nobody asks, a manager that is gone, a socket that is none: nothing happens") {
  const std::string gone = [] {
    const Listener listener;
    return listener.name();
  }();
  for (const std::string& socket : {std::string(), gone, std::string("vsock:2:1234"), "/" + std::string(200, 'x')}) {
    CAPTURE(socket);
    ServiceManager manager({socket, 4us});
    manager.ready();
    manager.step(Heartbeats(), nothing);
    manager.stopping(1s);
  }
}

TEST_CASE("service manager: a watchdog of another process is not this one's") {
  REQUIRE(::setenv("WATCHDOG_USEC", "2000000", 1) == 0);
  CHECK(ServiceManager::from_environment().watchdog == 2s);
  REQUIRE(::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1) == 0);
  CHECK(ServiceManager::from_environment().watchdog == 2s);
  REQUIRE(::setenv("WATCHDOG_PID", "1", 1) == 0);
  CHECK(ServiceManager::from_environment().watchdog == 0us);
  REQUIRE(::unsetenv("WATCHDOG_PID") == 0);
  REQUIRE(::setenv("WATCHDOG_USEC", "many", 1) == 0);
  CHECK(ServiceManager::from_environment().watchdog == 0us);
  REQUIRE(::unsetenv("WATCHDOG_USEC") == 0);
}
