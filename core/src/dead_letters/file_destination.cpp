#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

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

  Result<void> write(std::vector<StoredLetter> letters) override {
    // What an earlier attempt left, perhaps within a line, comes first.
    for (const StoredLetter& letter : letters) pending_ += to_json(letter);
    if (file_ < 0) {
      std::error_code ignored;
      const auto folder = std::filesystem::path(path_).parent_path();
      if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
      file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
      if (file_ < 0) return failed("open");
    }
    while (!pending_.empty()) {
      const ssize_t written = ::write(file_, pending_.data(), pending_.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed("write");
      pending_.erase(0, static_cast<std::size_t>(written));
    }
    if (::fdatasync(file_) != 0 && errno != EINVAL) return failed("sync");
    return {};
  }
  [[nodiscard]] std::string place() const override { return path_; }

 private:
  Error failed(const char* what) {
    return make_error(CDCRT_RETRY, "dead letters: cannot " + std::string(what) + " '" + path_ + "': " + std::strerror(errno),
                      "make the folder writable or free space; nothing is committed before the letters are durable");
  }

  const std::string path_;
  int file_ = -1;
  std::string pending_;
};

}  // namespace

std::unique_ptr<Destination> to_file(std::string path) { return std::make_unique<File>(std::move(path)); }

}  // namespace cdcrt::dead_letters
