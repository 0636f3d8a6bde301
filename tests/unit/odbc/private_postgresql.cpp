#include "private_postgresql.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <thread>

namespace {

/// Of the file whose bytes are ports, as tests/lab/process.py has it; -1: there is none. Never closed: that would let go of what it
/// reserved.
int reservations() {
  const char* named = std::getenv("CDCRT_LAB_PORTS");
  const std::string path = named != nullptr ? named : std::filesystem::temp_directory_path() / "cdcrt-lab-ports";
  const int made = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
  if (made >= 0) {
    ::fchmod(made, 0666);
    ::close(made);
  }
  return ::open(path.c_str(), O_RDWR | O_CLOEXEC);
}

/// Below those that outgoing connections take, and no other test's, until this process ends.
int free_port() {
  static const int file = reservations();
  std::random_device chance;
  for (int tries = 0; tries < 1000; ++tries) {
    const int port = std::uniform_int_distribution<int>(10000, 31999)(chance);
    struct flock reserved {};
    reserved.l_type = F_WRLCK;
    reserved.l_whence = SEEK_SET;
    reserved.l_start = port;
    reserved.l_len = 1;
    if (::fcntl(file, F_SETLK, &reserved) != 0) continue;
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    const bool is_free = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    if (is_free) return port;
  }
  throw std::runtime_error("no free port");
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
