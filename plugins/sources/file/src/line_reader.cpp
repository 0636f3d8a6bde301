#include "line_reader.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace cdcrt::file_source {
namespace {

constexpr size_t kBlockBytes = 256 << 10;
constexpr size_t kFirstBlockBytes = 16 << 10;
constexpr char kByteOrderMark[] = {'\xEF', '\xBB', '\xBF'};

}  // namespace

LineReader::LineReader(std::string path, uint64_t max_line) : stream_(std::move(path)), max_line_(max_line), block_(kBlockBytes) {}

void LineReader::make_room() {
  const size_t held = end_ - begin_;
  // A buffer that grew for one long line is given back once it is not needed. It grows where it is: a copy would take the line twice.
  size_t wanted = kBlockBytes;
  while (wanted < held + kBlockBytes / 2) wanted *= 2;
  wanted = std::min(wanted, std::max<size_t>(max_line_, kBlockBytes) + kBlockBytes);
  if (begin_ > 0 && held > 0) std::memmove(buffer_.get(), buffer_.get() + begin_, held);
  if (wanted > capacity_ || capacity_ > 4 * wanted) resize(wanted);
  begin_ = 0;
  end_ = held;
}

void LineReader::resize(size_t capacity) {
  auto* resized = static_cast<char*>(std::realloc(buffer_.get(), capacity + kLinePadding));
  if (resized == nullptr) throw std::bad_alloc();
  static_cast<void>(buffer_.release());
  buffer_.reset(resized);
  capacity_ = capacity;
}

void LineReader::give_back_large() {
  if (capacity_ > 4 * kBlockBytes && end_ - begin_ < kBlockBytes) make_room();
}

Reading LineReader::fill(Deadline deadline, sdk::Status& why) {
  if (begin_ > 0 || end_ == capacity_) make_room();
  size_t got = 0;
  // Little is read beyond a long line, so that its memory can go with it.
  const Reading reading = stream_.read(buffer_.get() + end_, std::min(capacity_ - end_, block_), deadline, got, why);
  block_ = std::min(2 * block_, kBlockBytes);
  if (reading == Reading::kData) end_ += got;
  return reading;
}

void LineReader::take(size_t size, size_t end_size, Line& line) {
  size_t length = size;
  if (length > 0 && buffer_[begin_ + length - 1] == '\r') --length;
  line.text = {buffer_.get() + begin_, length};
  line.number = ++number_;
  line.byte = byte_;
  line.full_size = length;
  line.is_ended = end_size > 0;
  begin_ += size + end_size;
  byte_ += size + end_size;
  scanned_ = 0;
}

Reading LineReader::finish_long(Deadline deadline, Line& line, sdk::Status& why) {
  // Its first max_line_ bytes stay at begin_; what follows is counted and forgotten.
  for (;;) {
    char* rest = buffer_.get() + begin_ + max_line_;
    const size_t rest_size = end_ - begin_ - max_line_;
    const void* newline = rest_size > 0 ? std::memchr(rest, '\n', rest_size) : nullptr;
    if (newline == nullptr && !at_end_) {
      dropped_ += rest_size;
      end_ = begin_ + max_line_;
      const Reading reading = fill(deadline, why);
      if (reading == Reading::kEnd)
        at_end_ = true;
      else if (reading != Reading::kData)
        return reading;
      continue;
    }
    const size_t kept_rest = newline != nullptr ? static_cast<size_t>(static_cast<const char*>(newline) - rest) : rest_size;
    const size_t end_size = newline != nullptr ? 1 : 0;
    line.text = {buffer_.get() + begin_, std::min(max_line_, kLongLineKept)};
    line.number = ++number_;
    line.byte = byte_;
    line.full_size = max_line_ + dropped_ + kept_rest;
    line.is_ended = newline != nullptr;
    byte_ += line.full_size + end_size;
    begin_ += max_line_ + kept_rest + end_size;
    dropped_ = 0;
    scanned_ = 0;
    is_long_ = false;
    return Reading::kData;
  }
}

Reading LineReader::next(Deadline deadline, Line& line, sdk::Status& why) {
  for (;;) {
    if (is_long_) return finish_long(deadline, line, why);
    const size_t held = end_ - begin_;
    if (!started_ && held > 0) {
      const bool may_be_mark = std::memcmp(buffer_.get() + begin_, kByteOrderMark, std::min(held, sizeof kByteOrderMark)) == 0;
      started_ = !may_be_mark || held >= sizeof kByteOrderMark || at_end_;
      if (may_be_mark && held >= sizeof kByteOrderMark) {
        begin_ += sizeof kByteOrderMark;
        byte_ += sizeof kByteOrderMark;
        continue;
      }
    }
    if (started_ && held > scanned_) {
      const char* start = buffer_.get() + begin_;
      const void* newline = std::memchr(start + scanned_, '\n', held - scanned_);
      const size_t size = newline != nullptr ? static_cast<size_t>(static_cast<const char*>(newline) - start) : held;
      if (size > max_line_) {
        is_long_ = true;
        continue;
      }
      if (newline != nullptr) {
        take(size, 1, line);
        return Reading::kData;
      }
      scanned_ = held;
    }
    if (at_end_) {
      if (held == 0) return Reading::kEnd;
      buffer_[end_] = '\n';  // readers of a line rely on an end behind it
      take(held, 0, line);
      return Reading::kData;
    }
    const Reading reading = fill(deadline, why);
    if (reading == Reading::kEnd)
      at_end_ = true;
    else if (reading != Reading::kData)
      return reading;
  }
}

sdk::Status LineReader::seek(uint64_t byte, uint64_t number) {
  if (byte == 0) return {};
  auto status = stream_.seek(byte);
  if (status.ok()) {
    started_ = true;
    block_ = kFirstBlockBytes;
    byte_ = byte;
    number_ = number - 1;
  }
  return status;
}

}  // namespace cdcrt::file_source
