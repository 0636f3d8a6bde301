// MessageBatch: messages of one partition and the bytes they borrow, on their way to the host. Header-only, C++17.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/abi/format.h"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

/// Blocks of bytes that batches take and give back, so that steady reading allocates nothing. Any thread.
class BlockPool {
 public:
  static constexpr size_t kBlockBytes = 64 << 10;
  using Block = std::unique_ptr<char[]>;

  /// Keeps at most `keep_blocks` for later use.
  explicit BlockPool(size_t keep_blocks = 128) { free_.reserve(keep_blocks); }
  Block take() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!free_.empty()) {
        Block block = std::move(free_.back());
        free_.pop_back();
        return block;
      }
    }
    return Block(new char[kBlockBytes]);
  }
  void give_back(std::vector<Block>& blocks) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    while (!blocks.empty()) {
      if (free_.size() < free_.capacity()) free_.push_back(std::move(blocks.back()));
      blocks.pop_back();
    }
  }

 private:
  std::mutex mutex_;
  std::vector<Block> free_;
};

/// Built by one thread, then handed to the host, which releases it from any thread. Bytes never move once written.
class MessageBatch {
 public:
  MessageBatch(std::shared_ptr<BlockPool> pool, std::shared_ptr<const std::string> topic, int32_t partition, uint32_t generation)
      : pool_(std::move(pool)), topic_(std::move(topic)), partition_(partition), generation_(generation) {}
  MessageBatch(const MessageBatch&) = delete;
  MessageBatch& operator=(const MessageBatch&) = delete;
  ~MessageBatch() { pool_->give_back(blocks_); }

  /// Room for `bytes`, contiguous and unaligned; write there, then keep() what was used. The next reserve() may reuse the rest.
  char* reserve(size_t bytes) {
    if (bytes > static_cast<size_t>(end_ - next_)) grow(bytes);
    return next_;
  }
  void keep(size_t bytes) { next_ += bytes; }
  std::string_view copy(std::string_view text) {
    char* to = reserve(text.size());
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    keep(text.size());
    return {to, text.size()};
  }

  /// `message` borrows from this batch; its headers are copied here.
  void add(cdcrt_message message, const cdcrt_header* headers, uint32_t header_count) {
    first_header_.push_back(headers_.size());
    headers_.insert(headers_.end(), headers, headers + header_count);
    message.header_count = header_count;
    messages_.push_back(message);
    payload_bytes_ += message.key.size + message.value.size;
  }

  /// What was added last; there must be one. Its headers are those of last_headers().
  [[nodiscard]] const cdcrt_message& last() const { return messages_.back(); }
  [[nodiscard]] std::vector<cdcrt_header> last_headers() const {
    return {headers_.begin() + static_cast<std::ptrdiff_t>(first_header_.back()), headers_.end()};
  }
  [[nodiscard]] size_t count() const { return messages_.size(); }
  /// Bytes of keys and values.
  [[nodiscard]] uint64_t payload_bytes() const { return payload_bytes_; }
  /// Memory held, bytes.
  [[nodiscard]] uint64_t reserved() const {
    return reserved_ + messages_.capacity() * sizeof(cdcrt_message) + headers_.capacity() * sizeof(cdcrt_header) +
           first_header_.capacity() * sizeof(size_t) + sizeof(MessageBatch);
  }

  /// Gives the batch to the host.
  static void hand_over(std::unique_ptr<MessageBatch> batch, cdcrt_messages* out) {
    for (size_t i = 0; i < batch->messages_.size(); ++i) {
      auto& message = batch->messages_[i];
      message.headers = message.header_count == 0 ? nullptr : batch->headers_.data() + batch->first_header_[i];
    }
    out->partition = batch->partition_;
    out->topic = borrow(*batch->topic_);
    out->messages = batch->messages_.data();
    out->count = static_cast<uint32_t>(batch->messages_.size());
    out->message_size = sizeof(cdcrt_message);
    out->generation = batch->generation_;
    out->bytes = batch->reserved();
    out->release = [](cdcrt_messages* messages) {
      delete static_cast<MessageBatch*>(messages->owner);
      messages->owner = nullptr;
      messages->release = nullptr;
    };
    out->owner = batch.release();
  }

 private:
  void grow(size_t bytes) {
    // Where messages come one by one, very many batches are on their way.
    if (messages_.empty() && large_.empty() && bytes <= kFirstBytes) {
      large_.push_back(std::unique_ptr<char[]>(new char[kFirstBytes]));
      next_ = large_.back().get();
      end_ = next_ + kFirstBytes;
      reserved_ += kFirstBytes;
    } else if (bytes <= BlockPool::kBlockBytes) {
      blocks_.reserve(blocks_.size() + 1);
      blocks_.push_back(pool_->take());
      next_ = blocks_.back().get();
      end_ = next_ + BlockPool::kBlockBytes;
      reserved_ += BlockPool::kBlockBytes;
    } else {
      large_.push_back(std::unique_ptr<char[]>(new char[bytes]));
      next_ = large_.back().get();
      end_ = next_ + bytes;
      reserved_ += bytes;
    }
  }

  static constexpr size_t kFirstBytes = 4 << 10;

  std::shared_ptr<BlockPool> pool_;
  std::shared_ptr<const std::string> topic_;
  int32_t partition_;
  uint32_t generation_;
  std::vector<cdcrt_message> messages_;
  std::vector<cdcrt_header> headers_;
  std::vector<size_t> first_header_;
  std::vector<BlockPool::Block> blocks_;
  std::vector<std::unique_ptr<char[]>> large_;  ///< and the first one
  char* next_ = nullptr;
  char* end_ = nullptr;
  uint64_t reserved_ = 0;
  uint64_t payload_bytes_ = 0;
};

}  // namespace cdcrt::sdk
