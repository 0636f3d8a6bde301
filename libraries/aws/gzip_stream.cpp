#include "aws/gzip_stream.hpp"

#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace cdcrt::aws {
namespace {

constexpr std::size_t kMaxStepBytes = 1u << 30;  // the library counts in 32 bits

std::size_t memory_of(int level) {
  constexpr std::size_t kMemory[] = {0, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT, ISAL_DEF_LVL3_DEFAULT};
  return kMemory[level];
}

}  // namespace

class GzipStream::Stream {
 public:
  explicit Stream(int level) : memory_(memory_of(level)) {
    isal_deflate_init(&state);
    state.level = static_cast<uint32_t>(level);
    state.level_buf = memory_.data();
    state.level_buf_size = static_cast<uint32_t>(memory_.size());
    begin();
  }

  void begin() {
    state.gzip_flag = IGZIP_GZIP;
    state.flush = NO_FLUSH;
    state.end_of_stream = 0;
    state.avail_in = 0;
  }

  void step(char*& out, char* end) {
    state.next_out = reinterpret_cast<uint8_t*>(out);
    state.avail_out = static_cast<uint32_t>(std::min(static_cast<std::size_t>(end - out), kMaxStepBytes));
    if (isal_deflate(&state) != COMP_OK) throw std::logic_error("ISA-L was used wrongly");
    out = reinterpret_cast<char*>(state.next_out);
  }

  isal_zstream state;

 private:
  std::vector<uint8_t> memory_;
};

GzipStream::GzipStream(int level) : stream_(std::make_unique<Stream>(std::clamp(level, 0, 3))) {}
GzipStream::~GzipStream() = default;

void GzipStream::restart() {
  isal_deflate_reset(&stream_->state);
  stream_->begin();
}

void GzipStream::compress(std::string_view& text, char*& out, char* end) {
  auto& state = stream_->state;
  while (!text.empty() && out != end) {
    const std::size_t bytes = std::min(text.size(), kMaxStepBytes);
    state.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
    state.avail_in = static_cast<uint32_t>(bytes);
    stream_->step(out, end);
    text.remove_prefix(bytes - state.avail_in);
  }
}

bool GzipStream::finish(char*& out, char* end) {
  auto& state = stream_->state;
  state.avail_in = 0;
  state.end_of_stream = 1;
  while (out != end && state.internal_state.state != ZSTATE_END) stream_->step(out, end);
  return state.internal_state.state == ZSTATE_END;
}

}  // namespace cdcrt::aws
