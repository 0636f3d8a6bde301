// Appender: whole lines at the end of one file.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::file_sink {

/// Shared by the connections of a sink. Any thread.
class Appender {
 public:
  explicit Appender(std::string path) : path_(std::move(path)) {}
  ~Appender();
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  /// Opens the file, once, and makes it when it is new. A line that a crash left half gets its end.
  sdk::Status open();
  /// Writes all of it or, as far as the file system lets it, nothing: RETRY, after the file was cut back.
  sdk::Status append(std::string_view lines);

 private:
  const std::string path_;
  std::mutex mutex_;
  int descriptor_ = -1;
};

}  // namespace cdcrt::file_sink
