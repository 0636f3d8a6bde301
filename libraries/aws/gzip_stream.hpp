// GzipStream: text in, compressed bytes out, into a buffer that someone else empties.
#pragma once

#include <memory>
#include <string_view>

namespace cdcrt::aws {

/// One thread at a time. Less than half a MiB at every level.
class GzipStream {
 public:
  /// 0..3 of ISA-L: 1 is about as tight as gzip's 1 and four times as fast; 3 is its tightest. Others are brought into the range.
  explicit GzipStream(int level);
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  /// Ready for the next file.
  void restart();
  /// Takes from the front of `text` and writes at `out`, which moves on, until `out` is `end` or `text` is empty.
  void compress(std::string_view& text, char*& out, char* end);
  /// Writes the rest; true when the stream has ended, false when `out` is `end` and finish() must be called again.
  bool finish(char*& out, char* end);

 private:
  class Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace cdcrt::aws
