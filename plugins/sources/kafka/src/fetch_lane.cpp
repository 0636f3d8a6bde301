#include "fetch_lane.hpp"

#include <librdkafka/rdkafka.h>

#include <utility>

namespace cdcrt::kafka_source {

sdk::Status FetchLane::open(const Settings& settings, const sdk::Host& host, Wakeup& wakeup, std::unique_ptr<FetchLane>& to) {
  std::unique_ptr<Client> client;
  if (auto opened = Client::open(settings, Client::Role::kLane, host, nullptr, nullptr, client); !opened) return opened;
  to.reset(new FetchLane(std::move(client), wakeup));
  return {};
}

FetchLane::FetchLane(std::unique_ptr<Client> client, Wakeup& wakeup) : client_(std::move(client)), queue_(*client_, wakeup) {}

FetchLane::~FetchLane() {
  stop_all();
  for (auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic.handle);
}

sdk::Status FetchLane::start(const std::string& name, int32_t partition, int64_t offset) {
  const auto failure = [] { return sdk::Status::retry("librdkafka: " + std::string(rd_kafka_err2str(rd_kafka_last_error()))); };
  Topic& topic = topics_[name];
  if (topic.handle == nullptr) topic.handle = rd_kafka_topic_new(client_->get(), name.c_str(), nullptr);
  if (topic.handle == nullptr) {
    topics_.erase(name);
    return failure();
  }
  queue_.outdate();
  const bool was_idle = reads_ == 0;
  if (topic.started.erase(partition) > 0) stop(topic.handle, partition);
  if (rd_kafka_consume_start_queue(topic.handle, partition, offset, queue_.get()) != 0) return failure();
  topic.started.insert(partition);
  ++reads_;
  if (was_idle) client_->silence().rested();
  return {};
}

void FetchLane::stop(const std::string& name, int32_t partition) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  if (found->second.started.erase(partition) > 0) stop(found->second.handle, partition);
  queue_.outdate();
  if (!found->second.started.empty()) return;
  rd_kafka_topic_destroy(found->second.handle);
  topics_.erase(found);
}

void FetchLane::stop_all() {
  for (auto& [name, topic] : topics_) {
    for (const int32_t partition : std::exchange(topic.started, {})) stop(topic.handle, partition);
  }
}

void FetchLane::stop(rd_kafka_topic_t* topic, int32_t partition) {
  rd_kafka_consume_stop(topic, partition);
  --reads_;
}

std::string FetchLane::topics_text() const {
  std::string text;
  std::size_t more = 0;
  for (const auto& [name, topic] : topics_) {
    if (topic.started.empty()) continue;
    if (text.empty()) {
      text = "'" + name + "'";
    } else {
      ++more;
    }
  }
  return more > 0 ? text + " and " + std::to_string(more) + " more" : text;
}

}  // namespace cdcrt::kafka_source
