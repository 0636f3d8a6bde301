#include "debezium_json.hpp"

namespace cdcrt::debezium_json {

namespace {

constexpr std::size_t kMaximumTopics = 4096;
constexpr std::size_t kMaximumBytes = 16 << 20;  ///< of all topics' caches

}  // namespace

DebeziumJson::DebeziumJson(const sdk::Config& config) {
  const std::string unavailable = config.string("unavailable_value");
  if (unavailable.empty() || unavailable == "hex:") {
    throw sdk::Failure(sdk::Status::bad_config("unavailable_value", "must not be empty: every empty text would count as unavailable"));
  }
  settings_.unavailable = debezium::UnavailableValue(unavailable);
  if (sdk::Status status = TopicRule::parse(config.string("table_from_topic"), settings_.topic_rule); !status)
    throw sdk::Failure(std::move(status));
  const std::string tombstones = config.string("tombstones");
  settings_.tombstones = tombstones == "delete" ? Tombstones::kDelete : tombstones == "ignore" ? Tombstones::kIgnore : Tombstones::kAuto;
  const std::string events = config.string("events");
  settings_.events = events == "envelope" ? Events::kEnvelope : events == "flattened" ? Events::kFlattened : Events::kAuto;
  settings_.ignore_keys = config.string("keys") == "ignore";
  settings_.metadata_prefix = config.string("metadata_prefix");
}

TopicState& DebeziumJson::state(std::string_view topic) {
  std::string name(topic);
  const auto found = topics_.find(name);
  if (found != topics_.end()) return *found->second;
  std::size_t bytes = 0;
  for (const auto& [other, state] : topics_) bytes += state->bytes();
  if (topics_.size() >= kMaximumTopics || bytes > kMaximumBytes) topics_.clear();
  auto made = std::make_unique<TopicState>(name);
  return *topics_.emplace(std::move(name), std::move(made)).first->second;
}

sdk::Status DebeziumJson::decode(sdk::Messages messages, sdk::RowBuilder& rows) {
  TopicState& topic = state(messages.topic());
  for (const sdk::Message message : messages) {
    if (topic.is_overfull()) topic.forget();
    sdk::Status status = decoder_.decode(message, topic, rows);
    if (!status) rows.reject(message.index(), std::move(status));
  }
  return {};
}

}  // namespace cdcrt::debezium_json
