#include "byte_stream.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace cdcrt::file_source {
namespace {

constexpr size_t kPackedBytes = 128 << 10;

sdk::Status io_error(const std::string& path, const char* what, int number) {
  return sdk::Status::error(CDCRT_UNREACHABLE, "cannot " + std::string(what) + " " + path + ": " + std::strerror(number));
}

int milliseconds_until(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000));
}

}  // namespace

struct ByteStream::Unpacker {
  z_stream stream{};
  std::vector<unsigned char> input = std::vector<unsigned char>(kPackedBytes);
  bool inside = true;  // of a member; between two of them the file may end

  Unpacker() {
    if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::bad_alloc();
  }
  ~Unpacker() { inflateEnd(&stream); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
};

ByteStream::ByteStream(std::string path) : path_(std::move(path)) {}

ByteStream::~ByteStream() {
  if (descriptor_ > STDIN_FILENO) ::close(descriptor_);
}

sdk::Status ByteStream::open() {
  // Without O_NONBLOCK opening a named pipe would wait for its writer, deaf to a stop.
  descriptor_ = path_ == "-" ? STDIN_FILENO : ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) return io_error(path_, "open", errno);
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) return io_error(path_, "look at", errno);
  may_wait_ = !S_ISREG(status.st_mode);
  if (!may_wait_) ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
  return {};
}

Reading ByteStream::read_raw(char* to, size_t room, Deadline deadline, size_t& got, sdk::Status& why) {
  for (;;) {
    if (may_wait_) {
      pollfd waiting{descriptor_, POLLIN, 0};
      const int ready = ::poll(&waiting, 1, milliseconds_until(deadline));
      if (ready == 0 || (ready < 0 && errno == EINTR)) return Reading::kWait;
    }
    const ssize_t count = ::read(descriptor_, to, room);
    if (count > 0) {
      got = static_cast<size_t>(count);
      taken_ += got;
      return Reading::kData;
    }
    if (count == 0) return Reading::kEnd;
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return Reading::kWait;
    why = io_error(path_, ("read byte " + std::to_string(taken_) + " of").c_str(), errno);
    return Reading::kFailed;
  }
}

Reading ByteStream::look_for_magic(Deadline deadline, sdk::Status& why) {
  while (ahead_size_ < sizeof ahead_) {
    size_t got = 0;
    const Reading reading = read_raw(ahead_ + ahead_size_, sizeof ahead_ - ahead_size_, deadline, got, why);
    if (reading == Reading::kEnd) break;
    if (reading != Reading::kData) return reading;
    ahead_size_ += got;
  }
  looked_ = true;
  if (ahead_size_ == 2 && ahead_[0] == '\x1f' && ahead_[1] == '\x8b') unpacker_ = std::make_unique<Unpacker>();
  return Reading::kData;
}

sdk::Status ByteStream::look() {
  sdk::Status why;
  if (!looked_) look_for_magic({}, why);
  return why;
}

Reading ByteStream::read(char* to, size_t room, Deadline deadline, size_t& got, sdk::Status& why) {
  if (!looked_) {
    const Reading reading = look_for_magic(deadline, why);
    if (reading != Reading::kData) return reading;
  }
  if (unpacker_) return unpack(to, room, deadline, got, why);
  if (ahead_next_ < ahead_size_) {
    got = std::min(room, ahead_size_ - ahead_next_);
    std::memcpy(to, ahead_ + ahead_next_, got);
    ahead_next_ += got;
    return Reading::kData;
  }
  return read_raw(to, room, deadline, got, why);
}

Reading ByteStream::unpack(char* to, size_t room, Deadline deadline, size_t& got, sdk::Status& why) {
  auto& stream = unpacker_->stream;
  stream.next_out = reinterpret_cast<Bytef*>(to);
  stream.avail_out = static_cast<uInt>(std::min<size_t>(room, 1U << 30));
  const auto offered = stream.avail_out;
  while (stream.avail_out == offered) {
    if (stream.avail_in == 0) {
      auto* input = reinterpret_cast<char*>(unpacker_->input.data());
      size_t count = 0;
      if (ahead_next_ < ahead_size_) {
        count = ahead_size_ - ahead_next_;
        std::memcpy(input, ahead_ + ahead_next_, count);
        ahead_next_ = ahead_size_;
      } else {
        const Reading reading = read_raw(input, unpacker_->input.size(), deadline, count, why);
        if (reading == Reading::kEnd && unpacker_->inside) {
          why = sdk::Status::fatal(
              "gzip file " + path_ + " is cut off: it ends at byte " + std::to_string(taken_) + " in the middle of its data",
              "copy it again; the messages before the end of what is there were read");
          return Reading::kFailed;
        }
        if (reading != Reading::kData) return reading;
      }
      stream.next_in = unpacker_->input.data();
      stream.avail_in = static_cast<uInt>(count);
    }
    if (!unpacker_->inside) {
      // Tapes and some tools pad with zeros behind the last member; anything else must be another member.
      while (stream.avail_in > 0 && *stream.next_in == 0) {
        ++stream.next_in;
        --stream.avail_in;
      }
      if (stream.avail_in == 0) continue;
      inflateReset(&stream);
      unpacker_->inside = true;
    }
    const int result = inflate(&stream, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      unpacker_->inside = false;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      why = sdk::Status::fatal("gzip file " + path_ + " is damaged near byte " + std::to_string(taken_ - stream.avail_in) + ": " +
                                   (stream.msg != nullptr ? stream.msg : "error " + std::to_string(result)),
                               "copy it again; the messages before the damage were read");
      return Reading::kFailed;
    }
  }
  got = offered - stream.avail_out;
  return Reading::kData;
}

sdk::Status ByteStream::seek(uint64_t offset) {
  if (::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0) return io_error(path_, "seek in", errno);
  looked_ = true;
  ahead_next_ = ahead_size_ = 0;
  taken_ = offset;
  return {};
}

}  // namespace cdcrt::file_source
