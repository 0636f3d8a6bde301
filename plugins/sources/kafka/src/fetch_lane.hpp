// FetchLane: a client beside the group's, which fetches some of its partitions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "client.hpp"
#include "fetch_queue.hpp"
#include "wakeup.hpp"

struct rd_kafka_topic_s;

namespace cdcrt::kafka_source {

/// librdkafka looks through all topics of a client for each topic of each answer (2.0.2: rdkafka_topic.c, rd_kafka_topic_find0_fl), and
/// asks for all partitions each time: with thousands of topics in one client an answer takes seconds. So a client has a few hundred of
/// them.
///
/// It reads by the interface that needs no group, one thread. What was asked for before a stop or another start never comes out: both raise
/// the partition's version at once, and whoever takes an older message drops it.
class FetchLane {
 public:
  /// BAD_CONFIG where librdkafka refuses the properties. `wakeup` outlives it, and is rung when something comes.
  static sdk::Status open(const Settings& settings, const sdk::Host& host, Wakeup& wakeup, std::unique_ptr<FetchLane>& to);
  /// Takes as long as the brokers do: see FetchLanes::close.
  ~FetchLane();
  FetchLane(const FetchLane&) = delete;
  FetchLane& operator=(const FetchLane&) = delete;

  /// Reads the partition from `offset` on, wherever it read before. RETRY: it is not read, with librdkafka's reason.
  sdk::Status start(const std::string& topic, int32_t partition, int64_t offset);
  void stop(const std::string& topic, int32_t partition);
  /// All that were started.
  void stop_all();
  /// The topic is one of this lane from now on, also while none of its partitions is read: librdkafka keeps what it knows of a topic.
  void add(const std::string& topic) { known_.insert(topic); }
  [[nodiscard]] std::size_t topic_count() const { return known_.size(); }
  [[nodiscard]] bool knows(const std::string& topic) const { return known_.count(topic) > 0; }
  /// It reads something that no broker answers for any more. One that reads nothing asks nobody.
  [[nodiscard]] bool is_silent() const { return reads_ > 0 && client_->silence().lasts(); }
  /// The topics that it reads, for people: "'people' and 199 more".
  [[nodiscard]] std::string topics_text() const;
  [[nodiscard]] FetchQueue& queue() { return queue_; }
  [[nodiscard]] Client& client() { return *client_; }

 private:
  explicit FetchLane(std::unique_ptr<Client> client, Wakeup& wakeup);
  void stop(rd_kafka_topic_s* topic, int32_t partition);
  struct Topic {
    rd_kafka_topic_s* handle = nullptr;
    std::set<int32_t> started;
  };

  std::unique_ptr<Client> client_;  // before all that it is asked to give back
  FetchQueue queue_;
  std::map<std::string, Topic, std::less<>> topics_;
  std::set<std::string> known_;
  std::size_t reads_ = 0;  ///< partitions
};

}  // namespace cdcrt::kafka_source
