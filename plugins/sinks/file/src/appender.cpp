#include "appender.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cdcrt::file_sink {
namespace {

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

Appender::~Appender() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

sdk::Status Appender::open() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (descriptor_ >= 0) return {};
  descriptor_ = path_ == "-" ? STDOUT_FILENO : ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    return sdk::Status::error(CDCRT_UNREACHABLE, "cannot open " + path_ + ": " + std::strerror(errno),
                              "its folder must exist and the file must be writable for the user cdcrt runs as");
  }
  struct stat status {};
  char last = '\n';
  if (path_ != "-" && ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
      ::pread(descriptor_, &last, 1, status.st_size - 1) == 1 && last != '\n') {
    write_all(descriptor_, "\n");
  }
  return {};
}

sdk::Status Appender::append(std::string_view lines) {
  const std::lock_guard<std::mutex> lock(mutex_);
  struct stat status {};
  const bool is_regular = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  if (write_all(descriptor_, lines)) return {};
  const std::string reason = std::strerror(errno);
  if (is_regular && ::ftruncate(descriptor_, status.st_size) != 0) {
    return sdk::Status::fatal("cannot write to " + path_ + " (" + reason + "), nor cut off the half line that is there now",
                              "remove the last line of the file");
  }
  return sdk::Status::retry("cannot write to " + path_ + ": " + reason, "make room or repair the file system; nothing is lost meanwhile");
}

}  // namespace cdcrt::file_sink
