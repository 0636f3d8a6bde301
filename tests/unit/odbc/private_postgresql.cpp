#include "private_postgresql.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace {

int free_port() {
  const int socket_handle = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (::bind(socket_handle, reinterpret_cast<sockaddr*>(&address), length) != 0) throw std::runtime_error("no free port");
  ::getsockname(socket_handle, reinterpret_cast<sockaddr*>(&address), &length);
  ::close(socket_handle);
  return ntohs(address.sin_port);
}

void run(const std::string& command) {
  const std::string whole = (::getuid() == 0 ? "runuser -u postgres -- " : "") + command + " >/dev/null 2>&1";
  if (std::system(whole.c_str()) != 0) throw std::runtime_error("failed: " + whole);
}

}  // namespace

PrivatePostgresql& PrivatePostgresql::instance() {
  static PrivatePostgresql server;
  return server;
}

PrivatePostgresql::PrivatePostgresql() {
  char name[] = "/tmp/cdcrt-postgresql-XXXXXX";
  if (::mkdtemp(name) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = name;
  if (::getuid() == 0 && std::system(("chown postgres " + folder_).c_str()) != 0) throw std::runtime_error("no user postgres");
  const std::string binaries = "/usr/lib/postgresql/15/bin/";
  run(binaries + "initdb -D " + folder_ + "/data -A trust -U postgres -E UTF8 --locale=C.UTF-8 -N");
  port_ = free_port();
  run(binaries + "pg_ctl -D " + folder_ + "/data -w -l " + folder_ + "/log -o '-p " + std::to_string(port_) +
      " -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off' start");
  std::ifstream(folder_ + "/data/postmaster.pid") >> postmaster_;
}

PrivatePostgresql::~PrivatePostgresql() {
  if (postmaster_ > 0) {
    ::kill(postmaster_, SIGINT);
    for (int i = 0; i < 500 && ::kill(postmaster_, 0) == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}
