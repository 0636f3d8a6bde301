#include "debezium_json.hpp"

namespace cdcrt::debezium_json {

namespace {

constexpr std::size_t kMaximumTopics = 4096;
constexpr std::size_t kMaximumBytes = 16 << 20;  ///< of all topics' caches

}  // namespace

sdk::Status DebeziumJson::configure(const sdk::Config& config) {
  const std::string unavailable = config.string("unavailable_value");
  if (unavailable.empty() || unavailable == "hex:") {
    return sdk::Status::bad_config("unavailable_value", "must not be empty: every empty text would count as unavailable");
  }
  settings_.unavailable = debezium::UnavailableValue(unavailable);
  settings_.tombstones = config.choice<Tombstones>(
      "tombstones", {{"auto", Tombstones::kAuto}, {"delete", Tombstones::kDelete}, {"ignore", Tombstones::kIgnore}});
  settings_.events =
      config.choice<Events>("events", {{"auto", Events::kAuto}, {"envelope", Events::kEnvelope}, {"flattened", Events::kFlattened}});
  settings_.ignore_keys = config.string("keys") == "ignore";
  settings_.metadata_prefix = config.string("metadata_prefix");
  return TopicRule::parse(config.string("table_from_topic"), settings_.topic_rule);
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
  return sdk::each_message(messages, rows, [&](const sdk::Message& message) {
    if (topic.is_overfull()) topic.forget();
    auto status = decoder_.decode(message, topic, rows);
    decoder_.give_back_large();
    return status;
  });
}

}  // namespace cdcrt::debezium_json
