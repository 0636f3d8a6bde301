// What Rereader looks for in many partitions together.
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "message_copy.hpp"
#include "owned.hpp"
#include "rereader.hpp"

namespace cdcrt::kafka_source {
namespace {

using Clock = std::chrono::steady_clock;

// librdkafka goes through all partitions of a handle for each that an answer brings something of.
constexpr std::size_t kAtOnce = 250;
// What a handle was once asked for stays in it: a topic, and what was on its way when the partition was stopped.
constexpr std::size_t kOfOneHandle = 1000;
// Below that find() is as cheap, and holds less.
constexpr std::size_t kFew = 4;
constexpr std::chrono::seconds kPatience{3};
constexpr int kLookMs = 5;
// One message of each is wanted. A batch that is larger comes alone.
constexpr const char* kAnswer = "131072";
constexpr const char* kOfPartition = "1024";

void customize(rd_kafka_conf_t* configuration) {
  rd_kafka_conf_set(configuration, "fetch.message.max.bytes", kOfPartition, nullptr, 0);
  // All share one queue: that of each must not stop at the first message of another.
  rd_kafka_conf_set(configuration, "queued.min.messages", "1000", nullptr, 0);
}

/// Partitions that are read from one place each into one queue.
class Looks {
 public:
  Looks(rd_kafka_t* handle, const std::vector<cdcrt_place>& places)
      : handle_(handle), places_(places), queue_(rd_kafka_queue_new(handle)) {}
  ~Looks() {
    for (const auto& [key, look] : looks_) {
      if (look.is_started) rd_kafka_consume_stop(look.topic, key.second);
    }
    rd_kafka_queue_destroy(queue_);
    for (const auto& [key, look] : looks_) rd_kafka_topic_destroy(look.topic);
  }
  Looks(const Looks&) = delete;
  Looks& operator=(const Looks&) = delete;

  void start(std::size_t index) {
    const cdcrt_place& place = places_[index];
    const std::string name(sdk::view(place.topic));
    rd_kafka_topic_t* topic = rd_kafka_topic_new(handle_, name.c_str(), nullptr);
    if (topic == nullptr) return;
    const bool is_started = rd_kafka_consume_start_queue(topic, place.partition, place.offset, queue_) == 0;
    if (!looks_.try_emplace({name, place.partition}, Look{topic, index, is_started}).second) return rd_kafka_topic_destroy(topic);
    if (is_started) ++open_;
  }
  [[nodiscard]] bool done() const { return open_ == 0; }

  /// False: nothing came.
  bool take(const Rereader::Answer& answer) {
    const std::unique_ptr<rd_kafka_message_t, decltype(&rd_kafka_message_destroy)> message(rd_kafka_consume_queue(queue_, kLookMs),
                                                                                           rd_kafka_message_destroy);
    if (!message) return false;
    if (message->rkt == nullptr) return true;
    const auto found = looks_.find({rd_kafka_topic_name(message->rkt), message->partition});
    if (found == looks_.end() || found->second.is_done) return true;
    Look& look = found->second;
    const int64_t wanted = places_[look.index].offset;
    switch (message->err) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
        if (message->offset < wanted) return true;
        message->offset == wanted ? hand_over(*message, look.index, answer) : answer(look.index, nullptr);
        break;
      case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: answer(look.index, nullptr); break;
      case RD_KAFKA_RESP_ERR__TRANSPORT:
      case RD_KAFKA_RESP_ERR__TIMED_OUT: return true;  // it tries again
      default: break;
    }
    look.is_done = true;
    --open_;
    return true;
  }

 private:
  struct Look {
    rd_kafka_topic_t* topic;
    std::size_t index;
    bool is_started, is_done = false;
  };

  static void hand_over(const rd_kafka_message_t& message, std::size_t index, const Rereader::Answer& answer) {
    std::vector<cdcrt_header> headers;
    cdcrt_message borrowed = borrow_message(message, headers);
    borrowed.headers = headers.data();
    borrowed.header_count = static_cast<uint32_t>(headers.size());
    answer(index, &borrowed);
  }

  rd_kafka_t* handle_;
  const std::vector<cdcrt_place>& places_;
  rd_kafka_queue_t* queue_;
  std::map<std::pair<std::string, int32_t>, Look> looks_;
  std::size_t open_ = 0;
};

}  // namespace

void Rereader::find_all(const std::vector<cdcrt_place>& places, const Answer& answer) {
  if (places.size() < kFew) return;
  bool goes_on = true;
  inspector_.leaders().ask(
      places, kAtOnce, [&](const Leaders::Indices& wanted) { return goes_on ? find_some(places, wanted, answer, goes_on) : std::nullopt; });
}

// As Leaders::Ask. `goes_on` becomes false where messages do not come in time.
std::optional<int> Rereader::find_some(const std::vector<cdcrt_place>& places, const std::vector<std::size_t>& wanted, const Answer& answer,
                                       bool& goes_on) {
  if (looked_at_ + wanted.size() > kOfOneHandle) {
    Client::retire(std::move(looks_));
    looked_at_ = 0;
  }
  looked_at_ += wanted.size();
  if (!looks_) {
    if (!Client::open(settings_, Client::Role::kProbe, host_, this, customize, looks_)) return std::nullopt;
    auto* configuration = const_cast<rd_kafka_conf_t*>(rd_kafka_conf(looks_->get()));  // as Client::apply_limit
    rd_kafka_conf_set(configuration, "fetch.max.bytes", kAnswer, nullptr, 0);
  }
  // The handle learns who leads them, all at once.
  const PartitionList ends(rd_kafka_topic_partition_list_new(static_cast<int>(wanted.size())));
  for (const std::size_t i : wanted) {
    const std::string topic(sdk::view(places[i].topic));
    rd_kafka_topic_partition_list_add(ends.get(), topic.c_str(), places[i].partition)->offset = RD_KAFKA_OFFSET_END;
  }
  constexpr int kPatienceMs = static_cast<int>(std::chrono::milliseconds(kPatience).count());
  const auto code = rd_kafka_offsets_for_times(looks_->get(), ends.get(), kPatienceMs);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
  Looks looks(looks_->get(), places);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& end = ends->elems[i];
    if (end.err == RD_KAFKA_RESP_ERR_NO_ERROR && places[wanted[i]].offset < end.offset) looks.start(wanted[i]);
  }
  const auto deadline = Clock::now() + kPatience;
  while (!looks.done() && Clock::now() < deadline) {
    if (looks.take(answer)) continue;
    looks_->listen();
    looks_->wake_fetchers();  // they may have seen a full queue
  }
  goes_on = looks.done();
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace cdcrt::kafka_source
