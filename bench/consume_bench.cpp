// What librdkafka alone takes to read topics from their beginnings to their present ends, with the consumer's defaults: the measure for
// Kafka -> blackhole. Prints messages, bytes, answers of the brokers and seconds from the first message to the last.
//
//   consume_bench BROKERS TOPIC...

#include <librdkafka/rdkafka.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr int kTimeoutMs = 30'000;
// A call waits for as many messages as it could take, or so long.
constexpr int kBatchMs = 10;
constexpr int16_t kFetch = 1;  // of the protocol's requests
using Clock = std::chrono::steady_clock;

template <class T, void (*destroy)(T*)>
struct Destroy {
  void operator()(T* object) const { destroy(object); }
};
using Client = std::unique_ptr<rd_kafka_t, Destroy<rd_kafka_t, rd_kafka_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_t, rd_kafka_queue_destroy>>;
using Partitions =
    std::unique_ptr<rd_kafka_topic_partition_list_t, Destroy<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>>;

void check(rd_kafka_resp_err_t error, const std::string& what) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(what + ": " + rd_kafka_err2str(error));
}

rd_kafka_resp_err_t count_answer(rd_kafka_t*, int, const char*, int32_t, int16_t request, int16_t, int32_t, size_t, int64_t,
                                 rd_kafka_resp_err_t, void* answers) {
  if (request == kFetch) ++*static_cast<std::atomic<uint64_t>*>(answers);
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

Client open(const char* brokers, std::atomic<uint64_t>& answers) {
  rd_kafka_conf_t* settings = rd_kafka_conf_new();
  std::array<char, 512> message{};
  for (const auto& [name, value] : {std::pair{"bootstrap.servers", brokers},
                                    {"group.id", "consume_bench"},
                                    {"enable.auto.commit", "false"},
                                    {"enable.partition.eof", "true"}}) {
    if (rd_kafka_conf_set(settings, name, value, message.data(), message.size()) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(message.data());
  }
  rd_kafka_conf_interceptor_add_on_new(
      settings, "answers",
      [](rd_kafka_t* made, const rd_kafka_conf_t*, void* to, char*, size_t) {
        return rd_kafka_interceptor_add_on_response_received(made, "answers", count_answer, to);
      },
      &answers);
  Client client(rd_kafka_new(RD_KAFKA_CONSUMER, settings, message.data(), message.size()));
  if (!client) throw std::runtime_error(message.data());
  check(rd_kafka_poll_set_consumer(client.get()), "cannot consume");
  return client;
}

void add_partitions(rd_kafka_t* client, const char* topic, rd_kafka_topic_partition_list_t* partitions) {
  rd_kafka_topic_t* handle = rd_kafka_topic_new(client, topic, nullptr);
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto error = rd_kafka_metadata(client, 0, handle, &metadata, kTimeoutMs);
  rd_kafka_topic_destroy(handle);
  check(error, std::string("cannot ask about ") + topic);
  for (int i = 0; i < metadata->topics[0].partition_cnt; ++i) {
    rd_kafka_topic_partition_list_add(partitions, topic, metadata->topics[0].partitions[i].id)->offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_metadata_destroy(metadata);
}

void run(int count, char** arguments) {
  std::atomic<uint64_t> answers{0};
  const Client client = open(arguments[1], answers);
  const Partitions partitions(rd_kafka_topic_partition_list_new(16));
  for (int i = 2; i < count; ++i) add_partitions(client.get(), arguments[i], partitions.get());
  check(rd_kafka_assign(client.get(), partitions.get()), "cannot assign");
  const Queue queue(rd_kafka_queue_get_consumer(client.get()));
  std::vector<rd_kafka_message_t*> batch(10'000);
  std::set<std::pair<std::string, int32_t>> ended;
  uint64_t messages = 0;
  uint64_t bytes = 0;
  Clock::time_point first;
  Clock::time_point last;
  while (ended.size() < static_cast<std::size_t>(partitions->cnt)) {
    const auto taken = rd_kafka_consume_batch_queue(queue.get(), kBatchMs, batch.data(), batch.size());
    const auto before = messages;
    for (int i = 0; i < taken; ++i) {
      const rd_kafka_message_t& message = *batch[static_cast<std::size_t>(i)];
      if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        ended.emplace(rd_kafka_topic_name(message.rkt), message.partition);
      } else {
        check(message.err, "cannot read");
        if (messages++ == 0) first = Clock::now();
        bytes += message.len + message.key_len;
      }
      rd_kafka_message_destroy(batch[static_cast<std::size_t>(i)]);
    }
    if (messages > before) last = Clock::now();
  }
  const double seconds = std::chrono::duration<double>(last - first).count();
  std::printf("{\"messages\": %llu, \"bytes\": %llu, \"answers\": %llu, \"seconds\": %.3f}\n", static_cast<unsigned long long>(messages),
              static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(answers.load()), seconds);
  rd_kafka_consumer_close(client.get());
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: consume_bench BROKERS TOPIC...\n");
    return 2;
  }
  try {
    run(count, arguments);
    return 0;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "consume_bench: %s\n", exception.what());
    return 1;
  }
}
