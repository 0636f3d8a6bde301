#include "rereader.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "broker_error.hpp"
#include "message_copy.hpp"

namespace cdcrt::kafka_source {
namespace {

using Clock = std::chrono::steady_clock;

// A partition that is stopped while an answer is on its way keeps what that brings, a MiB or more, as long as the handle lives
// (librdkafka 2.0.2). So a handle is used for a few partitions only.
constexpr std::size_t kMaxPartitions = 8;
// Whoever asks for one asks again; where the connection takes longer, it is there by then.
constexpr std::chrono::seconds kOneMessage{3};

// For librdkafka's own threads to begin; no broker is asked.
constexpr int kStartMs = 100;

/// Between two looks for a message that is awaited, milliseconds: short ones first. What a partition that was read before kept in its queue
/// goes when it is taken, and the fetcher, which saw a full queue, is told.
class LookWait {
 public:
  int next() { return std::exchange(wait_, std::min(2 * wait_, kLongest)); }

 private:
  static constexpr int kLongest = 5;
  int wait_ = 1;
};

/// Reading of one partition by the interface that needs no group.
class PartitionReading {
 public:
  PartitionReading(rd_kafka_t* handle, const std::string& topic, int32_t partition) : handle_(handle), partition_(partition) {
    topic_ = rd_kafka_topic_new(handle, topic.c_str(), nullptr);
  }
  ~PartitionReading() {
    stop();
    if (queue_ != nullptr) rd_kafka_queue_destroy(queue_);
    if (topic_ != nullptr) rd_kafka_topic_destroy(topic_);
  }
  PartitionReading(const PartitionReading&) = delete;
  PartitionReading& operator=(const PartitionReading&) = delete;
  /// The fetcher may sleep: wake it then.
  bool start(int64_t offset) {
    is_started_ = topic_ != nullptr && rd_kafka_consume_start(topic_, partition_, offset) == 0;
    if (!is_started_) return false;
    queue_ = rd_kafka_queue_get_partition(handle_, rd_kafka_topic_name(topic_), partition_);
    // It only sends word to the main thread. Whoever is woken before that has read it finds nothing to fetch, and sleeps again; a seek to
    // the same place is answered once it has.
    rd_kafka_seek(topic_, partition_, offset, kStartMs);
    return true;
  }
  /// What was taken stays.
  void stop() {
    if (std::exchange(is_started_, false)) rd_kafka_consume_stop(topic_, partition_);
  }
  /// Messages that wait.
  [[nodiscard]] uint64_t waiting() const { return queue_ == nullptr ? 0 : rd_kafka_queue_length(queue_); }
  auto next(int timeout_ms) {
    return std::unique_ptr<rd_kafka_message_t, decltype(&rd_kafka_message_destroy)>(rd_kafka_consume(topic_, partition_, timeout_ms),
                                                                                    rd_kafka_message_destroy);
  }

 private:
  rd_kafka_t* handle_;
  rd_kafka_topic_t* topic_ = nullptr;
  rd_kafka_queue_t* queue_ = nullptr;
  int32_t partition_;
  bool is_started_ = false;
};

/// Borrowed from librdkafka: a large message is not held twice.
bool hand_over(const rd_kafka_message_t& message, const Rereader::Visit& visit) {
  std::vector<cdcrt_header> headers;
  cdcrt_message borrowed = borrow_message(message, headers);
  borrowed.headers = headers.data();
  borrowed.header_count = static_cast<uint32_t>(headers.size());
  return visit(borrowed);
}

bool is_beyond_the_log(int code) { return code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE; }

}  // namespace

sdk::Status Rereader::find(std::string_view topic, int32_t partition, int64_t offset, std::chrono::milliseconds timeout,
                           const Visit& visit) {
  if (!probe_) {
    if (auto opened = Client::open(settings_, Client::Role::kProbe, host_, this, nullptr, probe_); !opened) return opened;
  }
  const std::string what = "cannot look at offset " + std::to_string(offset) + " of " + partition_name(topic, partition) + " again";
  PartitionReading reading(probe_->get(), std::string(topic), partition);
  if (!reading.start(offset)) return broker_error(rd_kafka_last_error(), what, {}, settings_, topic);
  // Since the last look its thread may sleep, and is told of this one only when it wakes.
  probe_->wake_fetchers();
  LookWait wait;
  const auto deadline = Clock::now() + timeout;
  while (Clock::now() < deadline) {
    probe_->listen();
    const auto message = reading.next(wait.next());
    if (!message) probe_->wake_fetchers();
    if (!message || (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->offset < offset)) continue;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || is_beyond_the_log(message->err)) return {};
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return broker_error(message->err, what, rd_kafka_message_errstr(message.get()), settings_, topic);
    }
    reading.stop();  // the next one is not wanted
    if (message->offset == offset) hand_over(*message, visit);
    return {};
  }
  const std::string last = probe_->diagnostics().last();
  return sdk::Status::retry(what + ": no answer" + (last.empty() ? "" : ": " + last));
}

sdk::Status Rereader::fetch(std::string_view topic, int32_t partition, int64_t first, int64_t last, const Visit& visit) {
  if (first == last)
    return find(topic, partition, first, std::min<std::chrono::milliseconds>(settings_.connect_timeout, kOneMessage), visit);
  cdcrt_bounds now{};
  if (auto asked = inspector_.bounds(topic, partition, now); !asked) return asked;
  first = std::max(first, now.first);
  last = std::min(last, now.end - 1);
  if (first > last) return {};
  const std::pair key(std::string(topic), partition);
  if (read_.count(key) == 0 && read_.size() >= kMaxPartitions) {
    Client::retire(std::move(client_));
    read_.clear();
  }
  read_.insert(key);
  if (!client_) {
    if (auto opened = Client::open(settings_, Client::Role::kReread, host_, this, nullptr, client_); !opened) return opened;
  }
  const std::string name = partition_name(topic, partition);
  PartitionReading reading(client_->get(), std::string(topic), partition);
  if (!reading.start(first)) return broker_error(rd_kafka_last_error(), "cannot read " + name + " again", {}, settings_, topic);

  client_->wake_fetchers();
  LookWait wait;
  auto deadline = Clock::now() + settings_.connect_timeout;
  while (Clock::now() < deadline) {
    client_->listen();
    const auto message = reading.next(wait.next());
    if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) client_->taken({1, message->len + message->key_len}, reading.waiting());
    if (!message) {
      client_->wake_fetchers();
      continue;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return {};
    if (is_beyond_the_log(message->err)) {
      return sdk::Status::retry(name + " changed while it was read again: an offset is not in the log any more");
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return broker_error(message->err, "cannot read " + name + " again", rd_kafka_message_errstr(message.get()), settings_, topic);
    }
    if (message->offset > last) return {};
    if (message->offset < first) continue;
    const bool goes_on = hand_over(*message, visit);
    if (!goes_on || message->offset == last) return {};
    deadline = Clock::now() + settings_.connect_timeout;
  }
  return sdk::Status::retry("cannot read " + name + " again from offset " + std::to_string(first) + ": no answer" +
                            (client_->diagnostics().last().empty() ? "" : ": " + client_->diagnostics().last()));
}

}  // namespace cdcrt::kafka_source
