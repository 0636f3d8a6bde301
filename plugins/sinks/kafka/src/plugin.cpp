#include <memory>
#include <string>

#include "cdcrt/sdk/sink.hpp"
#include "kafka/security_options.hpp"
#include "producer.hpp"

namespace cdcrt::kafka_sink {
namespace {

class Connection : public sdk::SinkConnection {
 public:
  Connection(std::unique_ptr<Producer> producer, std::string topic) : producer_(std::move(producer)), topic_(std::move(topic)) {}

  /// Answers once everything is acknowledged: there is nothing to commit.
  sdk::Status write(const cdcrt_write& write) override {
    const std::string topic = topic_.empty() ? std::string(sdk::view(write.table.name)) : topic_;
    for (uint64_t row = 0; row < write.row_count; ++row) {
      if (auto produced = producer_->produce(topic, message_of(write, row)); !produced) {
        static_cast<void>(producer_->flush());
        return produced;
      }
    }
    return producer_->flush();
  }

 private:
  std::unique_ptr<Producer> producer_;
  const std::string topic_;
};

class KafkaSink : public sdk::Sink {
 public:
  static constexpr const char* kSummary = "Rows as messages of Kafka, at least once; keeps dead letters";
  static constexpr const char* kLicense = "Apache-2.0";
  static constexpr uint32_t kCapabilities = CDCRT_SINK_EVENTS;
  static constexpr const char* kNotes =
      "The columns `key` and `value` are the message's own, `timestamp` is its time, `headers` (a JSON list of pairs) its headers. Every "
      "other column that is not null becomes the header `cdcrt.COLUMN`.";

  KafkaSink(const sdk::Config& config, sdk::Host host) : host_(std::move(host)), topic_(config.string("topic")) {
    settings_.brokers = config.string("brokers");
    settings_.connect_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config.duration("connect_timeout"));
    settings_.delivery_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config.duration("delivery_timeout"));
    for (const auto& [name, value] : config.map("librdkafka")) settings_.properties.emplace_back(name, value);
  }
  sdk::Status configure(const sdk::Config& config) override {
    if (auto read = settings_.security.read(config, settings_.brokers, settings_.properties, host_); !read) return read;
    Producer trial;
    return trial.open(settings_);
  }
  sdk::Status open(std::unique_ptr<sdk::SinkConnection>& connection) override {
    for (const auto& warning : settings_.security.warnings()) host_.warn(warning);
    auto producer = std::make_unique<Producer>();
    auto status = producer->open(settings_);
    if (status.ok()) status = producer->check();
    if (status.ok()) connection = std::make_unique<Connection>(std::move(producer), topic_);
    return status;
  }

 private:
  const sdk::Host host_;
  Settings settings_;
  std::string topic_;
};

}  // namespace
}  // namespace cdcrt::kafka_sink

namespace {

namespace option = cdcrt::sdk::option;
using namespace std::chrono_literals;

constexpr cdcrt_option kOwnOptions[] = {
    option::text("brokers")
        .required()
        .shared()
        .example("\"kafka1:9092,kafka2:9092\"")
        .doc("Brokers to begin with, `host:port`, separated by commas."),
    option::text("topic")
        .place()
        .example("\"shop.dead_letters\"")
        .doc("Topic of every row. Without it, the table's name; of dead letters `PIPELINE.dead_letters`."),
    option::duration("connect_timeout")
        .advanced()
        .default_value("10s")
        .between(100ms, 10min)
        .doc("How long a broker may take to answer at the start."),
    option::duration("delivery_timeout")
        .advanced()
        .default_value("30s")
        .between(1s, 10min)
        .doc("How long a message may take to be acknowledged before it is sent anew."),
    option::map("librdkafka")
        .secret()
        .shared()
        .example("{ \"socket.keepalive.enable\" = true }")
        .doc("Properties of librdkafka, passed through and checked by it."),
};
constexpr auto kOptions = cdcrt::kafka::with_security(kOwnOptions);

}  // namespace

CDCRT_SINK("kafka", "0.1.0", cdcrt::kafka_sink::KafkaSink, kOptions)
