// LineReader: the lines of one input, in place, with bounded memory.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "byte_stream.hpp"

namespace cdcrt::file_source {

/// Borrowed until the next call. Behind `text` stands a character below 0x20 (unless it is too long), and kLinePadding bytes
/// behind it may be read.
struct Line {
  std::string_view text;   ///< without its end, "\n" or "\r\n"; when too long, its first kLongLineKept bytes
  uint64_t number = 0;     ///< 1-based
  uint64_t byte = 0;       ///< where it starts in the unpacked bytes
  uint64_t full_size = 0;  ///< bytes of the whole line
  bool is_ended = true;    ///< false: the input ends without a newline behind it
  bool is_cut = false;     ///< set by who knows: this is not all of it
  [[nodiscard]] bool is_too_long() const { return full_size > text.size(); }
};

inline constexpr size_t kLinePadding = 64;
inline constexpr size_t kLongLineKept = 64 << 10;

/// One thread. Memory: one line of at most `max_line` bytes and one block.
class LineReader {
 public:
  LineReader(std::string path, uint64_t max_line);

  sdk::Status open() { return stream_.open(); }
  /// The next line, the last one also without its newline. A UTF-8 byte order mark at the start is left out.
  Reading next(Deadline deadline, Line& line, sdk::Status& why);
  /// Once the last line is not needed any more: what a long one took is given back.
  void give_back_large();
  /// Goes on at a line that an earlier reader of the same file reported; a gzip file starts over, so both must be its start.
  sdk::Status seek(uint64_t byte, uint64_t number);
  /// Only for regular files: so that is_packed() is known before the first line.
  sdk::Status look() { return stream_.look(); }
  [[nodiscard]] bool is_packed() const { return stream_.is_packed(); }
  /// Where the next line starts, in the unpacked bytes.
  [[nodiscard]] uint64_t byte() const { return byte_; }
  [[nodiscard]] uint64_t taken() const { return stream_.taken(); }
  /// Lines handed out so far, or their number where it began in the middle.
  [[nodiscard]] uint64_t lines() const { return number_; }

 private:
  struct Release {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  void make_room();
  void resize(size_t capacity);
  Reading fill(Deadline deadline, sdk::Status& why);
  Reading finish_long(Deadline deadline, Line& line, sdk::Status& why);
  void take(size_t size, size_t end_size, Line& line);

  ByteStream stream_;
  const size_t max_line_;
  std::unique_ptr<char[], Release> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0, end_ = 0;  // of the bytes not yet handed out
  size_t scanned_ = 0;          // of them, without a newline
  uint64_t number_ = 0;
  uint64_t byte_ = 0;     // of begin_
  uint64_t dropped_ = 0;  // bytes of a too long line that were not kept
  bool is_long_ = false;
  bool at_end_ = false;
  bool started_ = false;
  size_t block_;  // read at once; little at first behind a place that was sought, where often little is wanted
};

}  // namespace cdcrt::file_source
