// A PostgreSQL of the test's own: made in a temporary folder, on a free port of the loopback, gone at the end.
#pragma once

#include <sys/types.h>
#include <string>

class PrivatePostgresql {
 public:
  PrivatePostgresql();
  ~PrivatePostgresql();
  PrivatePostgresql(const PrivatePostgresql&) = delete;
  PrivatePostgresql& operator=(const PrivatePostgresql&) = delete;
  [[nodiscard]] int port() const { return port_; }
  static PrivatePostgresql& instance();  ///< started on first use

 private:
  std::string folder_;
  int port_ = 0;
  pid_t postmaster_ = 0;
};
