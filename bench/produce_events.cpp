// Produces a file of generate_events (one JSON object a line, as `kcat -J` writes them) into the topics that its lines name, which exist:
// one producer for however many topics, where a run of kcat for each partition would take minutes.
//
//   produce_events BROKERS FILE PREFIX PARTITIONS
//
// PREFIX comes before each topic's name; partitions are counted modulo PARTITIONS.

#include <librdkafka/rdkafka.h>
#include <rapidjson/document.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

constexpr int kFlushMs = 120'000;
constexpr int kWaitMs = 100;

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* object) const { destroy(object); }
};
using Client = std::unique_ptr<rd_kafka_t, Destroy<rd_kafka_t, rd_kafka_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_t, rd_kafka_topic_destroy>>;

class Producer {
 public:
  Producer(const char* brokers, std::string prefix, int partitions) : prefix_(std::move(prefix)), partitions_(partitions) {
    rd_kafka_conf_t* settings = rd_kafka_conf_new();
    std::array<char, 512> message{};
    for (const auto& [name, value] :
         {std::pair{"bootstrap.servers", brokers}, {"linger.ms", "1000"}, {"queue.buffering.max.kbytes", "1048576"}}) {
      if (rd_kafka_conf_set(settings, name, value, message.data(), message.size()) != RD_KAFKA_CONF_OK)
        throw std::runtime_error(message.data());
    }
    rd_kafka_conf_set_opaque(settings, this);
    rd_kafka_conf_set_dr_msg_cb(settings, [](rd_kafka_t*, const rd_kafka_message_t* sent, void* own) {
      if (sent->err != RD_KAFKA_RESP_ERR_NO_ERROR) static_cast<Producer*>(own)->failed_ = sent->err;
    });
    client_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, settings, message.data(), message.size()));
    if (client_ == nullptr) throw std::runtime_error(message.data());
  }

  void send(const rapidjson::Document& line) {
    rd_kafka_topic_t* topic = topic_of({line["topic"].GetString(), line["topic"].GetStringLength()});
    const auto& key = line["key"];
    const auto& value = line["payload"];
    while (rd_kafka_produce(topic, line["partition"].GetInt() % partitions_, RD_KAFKA_MSG_F_COPY,
                            value.IsNull() ? nullptr : const_cast<char*>(value.GetString()), value.IsNull() ? 0 : value.GetStringLength(),
                            key.GetString(), key.GetStringLength(), nullptr) != 0) {
      if (const auto error = rd_kafka_last_error(); error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
        throw std::runtime_error(rd_kafka_err2str(error));
      rd_kafka_poll(client_.get(), kWaitMs);
    }
    rd_kafka_poll(client_.get(), 0);
  }

  void finish() {
    if (rd_kafka_flush(client_.get(), kFlushMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
      throw std::runtime_error("the broker does not take what was sent");
    if (failed_ != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(failed_));
  }

 private:
  rd_kafka_topic_t* topic_of(const std::string& name) {
    Topic& topic = topics_[name];
    if (topic == nullptr) topic.reset(rd_kafka_topic_new(client_.get(), (prefix_ + name).c_str(), nullptr));
    if (topic == nullptr) throw std::runtime_error(rd_kafka_err2str(rd_kafka_last_error()));
    return topic.get();
  }

  const std::string prefix_;
  const int partitions_;
  rd_kafka_resp_err_t failed_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  Client client_;  // outlives its topics
  std::unordered_map<std::string, Topic> topics_;
};

// Topic by topic: a message between those of others would be a batch of its own.
void run(char** arguments) {
  std::ifstream file(arguments[2]);
  if (!file) throw std::runtime_error(std::string("cannot read ") + arguments[2]);
  std::map<std::string, std::vector<std::string>> lines;
  for (std::string text; std::getline(file, text);) {
    constexpr std::string_view kFirst = R"({"topic":")";
    if (text.rfind(kFirst, 0) != 0) throw std::runtime_error("a line does not begin with its topic");
    lines[text.substr(kFirst.size(), text.find('"', kFirst.size()) - kFirst.size())].push_back(std::move(text));
  }
  Producer producer(arguments[1], arguments[3], std::stoi(arguments[4]));
  rapidjson::Document line;
  for (auto& [topic, texts] : lines) {
    for (std::string& text : texts) {
      if (line.ParseInsitu(text.data()).HasParseError()) throw std::runtime_error("a line is no JSON");
      producer.send(line);
    }
    texts = {};
  }
  producer.finish();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) {
    std::fprintf(stderr, "usage: produce_events BROKERS FILE PREFIX PARTITIONS\n");
    return 2;
  }
  try {
    run(arguments);
    return 0;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "produce_events: %s\n", exception.what());
    return 1;
  }
}
