// FetchQueue: where all partitions that one client fetches put their messages.
#pragma once

#include <cstdint>

#include "wakeup.hpp"

struct rd_kafka_message_s;
struct rd_kafka_queue_s;

namespace cdcrt::kafka_source {

class Client;

/// One thread. Gone before its client is.
class FetchQueue {
 public:
  /// `wakeup` is rung when something comes, until silence().
  FetchQueue(Client& client, Wakeup& wakeup);
  ~FetchQueue();
  FetchQueue(const FetchQueue&) = delete;
  FetchQueue& operator=(const FetchQueue&) = delete;

  /// The next message or error, the caller's; null: nothing waits.
  [[nodiscard]] rd_kafka_message_s* take();
  /// About as many wait, those that are outdated included.
  [[nodiscard]] uint64_t length() const;
  /// Something of it was outdated by a seek, a stop or a start: whoever finds it empty the next time tells the fetcher, which saw it full.
  void outdate() { holds_outdated_ = true; }
  [[nodiscard]] bool holds_outdated() const { return holds_outdated_; }
  void silence();
  [[nodiscard]] rd_kafka_queue_s* get() const { return queue_; }
  [[nodiscard]] Client& client() const { return client_; }

 private:
  Client& client_;
  rd_kafka_queue_s* queue_;
  bool holds_outdated_ = false;
};

}  // namespace cdcrt::kafka_source
