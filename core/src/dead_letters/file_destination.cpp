#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "dead_letters/destination.hpp"

namespace cdcrt::dead_letters {
namespace {

class File final : public Destination {
 public:
  explicit File(std::string path) : path_(std::move(path)) {}
  ~File() override {
    if (file_ >= 0) ::close(file_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Folders and file are made as for a dead letter; what was not there before is taken away again.
  Result<void> check() override {
    std::vector<std::filesystem::path> made;
    std::error_code trouble;
    for (auto folder = std::filesystem::path(path_).parent_path(); !folder.empty() && !std::filesystem::exists(folder, trouble);
         folder = folder.parent_path()) {
      made.push_back(folder);
    }
    const bool existed = std::filesystem::exists(path_, trouble);
    auto opened = open();
    if (file_ >= 0) ::close(std::exchange(file_, -1));
    if (!existed) std::filesystem::remove(path_, trouble);
    for (const auto& folder : made) std::filesystem::remove(folder, trouble);
    if (opened) return {};
    Error error = std::move(opened.error());
    error.code = CDCRT_UNREACHABLE;
    error.hint = is_special() ? "name a file in [dead_letters] path"
                              : "make that folder writable for this process, or name another place in [dead_letters] path";
    return error;
  }

  Result<void> write(std::vector<StoredDeadLetter> dead_letters) override {
    // What an earlier attempt left, perhaps within a line, comes first.
    for (StoredDeadLetter& dead_letter : dead_letters) {
      std::string line = to_json(dead_letter);
      dead_letter = {};
      if (pending_.empty()) {
        pending_ = std::move(line);
      } else {
        pending_ += line;
      }
    }
    if (file_ < 0) {
      if (auto opened = open(); !opened) return opened;
    }
    while (!pending_.empty()) {
      const ssize_t written = ::write(file_, pending_.data(), pending_.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed("write");
      pending_.erase(0, static_cast<std::size_t>(written));
    }
    pending_.shrink_to_fit();
    if (::fdatasync(file_) != 0 && errno != EINVAL) return failed("sync");
    return {};
  }
  [[nodiscard]] std::string place() const override { return path_; }

 private:
  // What is written to a pipe, a socket or a device is kept by nobody, and a pipe without a reader holds up whoever writes.
  [[nodiscard]] bool is_special() const {
    std::error_code trouble;
    const auto status = std::filesystem::status(path_, trouble);
    return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) && !std::filesystem::is_directory(status);
  }
  Result<void> open() {
    std::error_code trouble;
    if (is_special()) {
      return make_error(CDCRT_RETRY, "dead letters: '" + path_ + "' is no file but a pipe, a socket or a device, which keeps nothing",
                        "name a file in [dead_letters] path; nothing is committed before the dead letters are durable");
    }
    const auto folder = std::filesystem::path(path_).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder, trouble);
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file_ < 0) return failed("open");
    // Half a line: a process, or the machine, died while it wrote. Its message was not passed and comes again.
    const off_t size = ::lseek(file_, 0, SEEK_END);
    char last = '\n';
    if (size > 0 && ::pread(file_, &last, 1, size - 1) == 1 && last != '\n') pending_.insert(pending_.begin(), '\n');
    return {};
  }
  Error failed(const char* what) {
    return make_error(CDCRT_RETRY, "dead letters: cannot " + std::string(what) + " '" + path_ + "': " + std::strerror(errno),
                      "make the folder writable or free space; nothing is committed before the dead letters are durable");
  }

  const std::string path_;
  int file_ = -1;
  std::string pending_;
};

}  // namespace

std::unique_ptr<Destination> to_file(std::string path) { return std::make_unique<File>(std::move(path)); }

}  // namespace cdcrt::dead_letters
