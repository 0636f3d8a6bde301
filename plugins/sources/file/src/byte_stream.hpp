// ByteStream: the bytes of one input, unpacked when they are gzip.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::file_source {

using Deadline = std::chrono::steady_clock::time_point;

enum class Reading : uint8_t {
  kData,  ///< at least one byte
  kWait,  ///< nothing came before the deadline
  kEnd,
  kFailed,
};

/// A regular file, a pipe, or standard input ("-"). One thread.
class ByteStream {
 public:
  explicit ByteStream(std::string path);
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// UNREACHABLE with the reason when the file cannot be opened.
  sdk::Status open();
  /// Reads up to `room` bytes. Only pipes and terminals wait. After kFailed, `why` says what and where.
  Reading read(char* to, size_t room, Deadline deadline, size_t& got, sdk::Status& why);
  /// Only for regular files: so that is_packed() is known before the first read.
  sdk::Status look();
  /// True for gzip; known after the first read.
  [[nodiscard]] bool is_packed() const { return unpacker_ != nullptr; }
  /// Goes on reading at this byte; only for regular files that are not gzip.
  sdk::Status seek(uint64_t offset);
  /// Bytes taken from the file so far, packed ones where it is gzip.
  [[nodiscard]] uint64_t taken() const { return taken_; }

 private:
  struct Unpacker;
  Reading read_raw(char* to, size_t room, Deadline deadline, size_t& got, sdk::Status& why);
  Reading look_for_magic(Deadline deadline, sdk::Status& why);
  Reading unpack(char* to, size_t room, Deadline deadline, size_t& got, sdk::Status& why);

  std::string path_;
  int descriptor_ = -1;
  bool may_wait_ = false;
  bool looked_ = false;
  uint64_t taken_ = 0;
  char ahead_[2] = {};  // bytes read to look for the magic number
  size_t ahead_size_ = 0;
  size_t ahead_next_ = 0;
  std::unique_ptr<Unpacker> unpacker_;
};

}  // namespace cdcrt::file_source
