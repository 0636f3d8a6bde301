// Sends events at a steady rate, each with the moment it was handed to the producer: the other end of a latency is the moment at which
// its row was committed. Rows are new ones, keyed by id, with schemas, spread over the partitions by the hash of the key.
//
//   probe_events BROKERS TOPIC RATE SECONDS FIRST_ID

#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace {

constexpr int kFlushMs = 30'000;

constexpr const char* kKey =
    R"({"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"}],"optional":false,"name":"bench.shop.Key"},"payload":{"id":)";
constexpr const char* kFields =
    R"("fields":[{"type":"int64","optional":false,"field":"id"},{"type":"int32","optional":true,"field":"rate"},)"
    R"({"type":"int64","optional":true,"field":"sent"},{"type":"string","optional":true,"field":"note"}],"optional":true,"name":"bench.shop.probe.Value")";
constexpr const char* kRest =
    R"({"type":"struct","fields":[{"type":"string","optional":false,"field":"version"},{"type":"string","optional":false,"field":"connector"},)"
    R"({"type":"string","optional":false,"field":"name"},{"type":"int64","optional":false,"field":"ts_ms"},{"type":"string","optional":false,"field":"db"},)"
    R"({"type":"string","optional":true,"field":"sequence"},{"type":"string","optional":false,"field":"schema"},)"
    R"({"type":"string","optional":false,"field":"table"},{"type":"int64","optional":true,"field":"txId"},{"type":"int64","optional":true,"field":"lsn"}],)"
    R"("optional":false,"name":"io.debezium.connector.postgresql.Source","version":1,"field":"source"},)"
    R"({"type":"string","optional":false,"field":"op"},{"type":"int64","optional":true,"field":"ts_ms"}],"optional":false,"name":"bench.shop.probe.Envelope","version":2})";

int64_t now_microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string value_of(int64_t id, int64_t rate, int64_t sent) {
  const std::string moment = std::to_string(sent / 1000), lsn = std::to_string(1'000'000 + id * 8);
  std::string text = R"({"schema":{"type":"struct","fields":[{"type":"struct",)";
  text += std::string(kFields) + R"(,"field":"before"},{"type":"struct",)" + kFields + R"(,"field":"after"},)" + kRest;
  text += R"(,"payload":{"before":null,"after":{"id":)" + std::to_string(id) + R"(,"rate":)" + std::to_string(rate) + R"(,"sent":)" +
          std::to_string(sent);
  text += R"(,"note":"a row on its way"},"source":{"version":"3.2.0.Final","connector":"postgresql","name":"bench","ts_ms":)" + moment;
  text += R"(,"db":"bench","sequence":"[\")" + lsn + R"(\",\")" + lsn + R"(\"]","schema":"shop","table":"probe","txId":7,"lsn":)" + lsn;
  return text + R"(},"op":"c","ts_ms":)" + moment + "}}";
}

rd_kafka_t* open(const char* brokers) {
  rd_kafka_conf_t* settings = rd_kafka_conf_new();
  std::array<char, 512> message{};
  for (const auto& [name, value] : {std::pair{"bootstrap.servers", brokers}, {"linger.ms", "0"}, {"partitioner", "murmur2_random"}}) {
    if (rd_kafka_conf_set(settings, name, value, message.data(), message.size()) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(message.data());
  }
  rd_kafka_t* producer = rd_kafka_new(RD_KAFKA_PRODUCER, settings, message.data(), message.size());
  if (producer == nullptr) throw std::runtime_error(message.data());
  return producer;
}

void send(rd_kafka_t* producer, const char* topic, int64_t id, int64_t rate) {
  const std::string key = kKey + std::to_string(id) + "}}", value = value_of(id, rate, now_microseconds());
  const auto error = rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(key.data(), key.size()),
                                       RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(error));
  rd_kafka_poll(producer, 0);
}

void run(char** arguments) {
  const int64_t rate = std::stoll(arguments[3]), count = rate * std::stoll(arguments[4]), first = std::stoll(arguments[5]);
  rd_kafka_t* producer = open(arguments[1]);
  const auto began = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < count; ++i) {
    std::this_thread::sleep_until(began + std::chrono::microseconds(i * 1'000'000 / rate));
    send(producer, arguments[2], first + i, rate);
  }
  const auto flushed = rd_kafka_flush(producer, kFlushMs);
  rd_kafka_destroy(producer);
  if (flushed != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error("the broker does not take what was sent");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) {
    std::fprintf(stderr, "usage: probe_events BROKERS TOPIC RATE SECONDS FIRST_ID\n");
    return 2;
  }
  try {
    run(arguments);
    return 0;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "probe_events: %s\n", exception.what());
    return 1;
  }
}
