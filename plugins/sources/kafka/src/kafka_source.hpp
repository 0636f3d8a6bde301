// KafkaSource: the source as the host sees it.
#pragma once

#include <atomic>

#include "cdcrt/sdk/source.hpp"
#include "group_consumer.hpp"
#include "inspector.hpp"
#include "rereader.hpp"
#include "settings.hpp"

namespace cdcrt::kafka_source {

/// See README.md for what an operator sees.
class KafkaSource : public sdk::Source {
 public:
  static constexpr const char* kSummary = "Messages from Apache Kafka topics, as a member of a consumer group";
  static constexpr const char* kLicense = "Apache-2.0";
  static constexpr const char* kNotes =
      "Positions are kept in the target; the offset that the group commits to Kafka follows what every table holds durably, and is a "
      "hint for lag tools only. An offset that the topic no longer retains stops the pipeline with the gap and the choices.";
  static constexpr uint32_t kCapabilities = CDCRT_SOURCE_REWINDS | CDCRT_SOURCE_GROUPS;

  KafkaSource(const sdk::Config& config, sdk::Host host);
  sdk::Status configure(const sdk::Config& config) override;
  sdk::Status seek(std::string_view topic, int32_t partition, int64_t offset, uint32_t generation) override;
  sdk::Status start(const cdcrt_source_events& events) override;
  sdk::Status poll(std::chrono::milliseconds timeout, cdcrt_messages& out) override;
  sdk::Status serve() override;
  sdk::Status fetch(std::string_view topic, int32_t partition, int64_t first, int64_t last,
                    const std::function<bool(const cdcrt_message&)>& visit) override;
  void commit(std::string_view topic, int32_t partition, int64_t offset) override;
  cdcrt_extent extent() override;
  sdk::Status list(const std::function<bool(std::string_view topic, int32_t partition)>& visit) override;
  sdk::Status bounds(std::string_view topic, int32_t partition, cdcrt_bounds& out) override;
  sdk::Status origin(std::string_view topic, int32_t partition, int64_t& offset) override;
  sdk::Status offset_at(std::string_view topic, int32_t partition, int64_t timestamp_ms, int64_t& offset) override;
  sdk::Status bounds_of(const std::vector<cdcrt_place>& places,
                        const std::function<void(std::size_t, const cdcrt_bounds&)>& answer) override;
  sdk::Status origins_of(const std::vector<cdcrt_place>& places, const std::function<void(std::size_t, int64_t)>& answer) override;
  sdk::Status messages_at(const std::vector<cdcrt_place>& places,
                          const std::function<void(std::size_t, const cdcrt_message*)>& answer) override;
  sdk::Status survey(cdcrt_survey& out) override;
  void stop() override;

 private:
  const sdk::Host host_;
  Settings settings_;
  Inspector inspector_;
  Rereader rereader_;
  GroupConsumer consumer_;
  std::atomic<bool> is_started_{false};
};

}  // namespace cdcrt::kafka_source
