#include "kafka_source.hpp"

#include "open_files.hpp"

namespace cdcrt::kafka_source {

KafkaSource::KafkaSource(const sdk::Config&, sdk::Host host)
    : host_(host), inspector_(settings_, host), rereader_(settings_, inspector_, host), consumer_(settings_, inspector_, host) {}

sdk::Status KafkaSource::configure(const sdk::Config& config) { return settings_.read(config, host_); }

sdk::Status KafkaSource::seek(std::string_view topic, int32_t partition, int64_t offset, uint32_t generation) {
  consumer_.seek(topic, partition, offset, generation);
  return {};
}

sdk::Status KafkaSource::start(const cdcrt_source_events& events) {
  is_started_ = true;
  for (const auto& warning : settings_.security.warnings()) host_.warn(warning);
  return consumer_.start(events);
}

sdk::Status KafkaSource::poll(std::chrono::milliseconds timeout, cdcrt_messages& out) {
  bool is_at_end = false;
  auto polled = consumer_.poll(timeout, out, is_at_end);
  return is_at_end ? end_of_input() : std::move(polled);
}

sdk::Status KafkaSource::serve() { return consumer_.serve(); }

sdk::Status KafkaSource::fetch(std::string_view topic, int32_t partition, int64_t first, int64_t last,
                               const std::function<bool(const cdcrt_message&)>& visit) {
  return rereader_.fetch(topic, partition, first, last, visit);
}

void KafkaSource::commit(std::string_view topic, int32_t partition, int64_t offset) { consumer_.commit(topic, partition, offset); }

cdcrt_extent KafkaSource::extent() { return consumer_.extent(); }

sdk::Status KafkaSource::list(const std::function<bool(std::string_view topic, int32_t partition)>& visit) {
  return inspector_.list(visit);
}

sdk::Status KafkaSource::bounds(std::string_view topic, int32_t partition, cdcrt_bounds& out) {
  return inspector_.bounds(topic, partition, out);
}

sdk::Status KafkaSource::origin(std::string_view topic, int32_t partition, int64_t& offset) {
  // Whoever only looks may ask for a topic that is not there; what was assigned is.
  if (!is_started_) {
    if (auto there = inspector_.check(topic); !there) return there;
  }
  return inspector_.origin(topic, partition, offset);
}

sdk::Status KafkaSource::offset_at(std::string_view topic, int32_t partition, int64_t timestamp_ms, int64_t& offset) {
  return inspector_.offset_at(topic, partition, timestamp_ms, offset);
}

sdk::Status KafkaSource::bounds_of(const std::vector<cdcrt_place>& places,
                                   const std::function<void(std::size_t, const cdcrt_bounds&)>& answer) {
  inspector_.bounds_of(places, answer);
  return {};
}

sdk::Status KafkaSource::origins_of(const std::vector<cdcrt_place>& places, const std::function<void(std::size_t, int64_t)>& answer) {
  inspector_.origins_of(places, answer);
  return {};
}

sdk::Status KafkaSource::messages_at(const std::vector<cdcrt_place>& places,
                                     const std::function<void(std::size_t, const cdcrt_message*)>& answer) {
  rereader_.find_all(places, answer);
  return {};
}

sdk::Status KafkaSource::survey(cdcrt_survey& out) {
  std::vector<std::string> entries;
  auto asked = inspector_.unmet(entries);
  for (const auto& entry : entries) out.unmet(out.context, sdk::borrow("topics"), sdk::borrow(entry));
  out.files = static_cast<uint32_t>(open_files(inspector_.topic_count(), settings_.topics_per_client, inspector_.broker_count()));
  return asked;
}

void KafkaSource::stop() { consumer_.stop(); }

}  // namespace cdcrt::kafka_source
