#include "fetch_queue.hpp"

#include <librdkafka/rdkafka.h>

#include <utility>

#include "client.hpp"

namespace cdcrt::kafka_source {

FetchQueue::FetchQueue(Client& client, Wakeup& wakeup) : client_(client), queue_(rd_kafka_queue_new(client.get())) {
  rd_kafka_queue_cb_event_enable(
      queue_, [](rd_kafka_t*, void* opaque) { static_cast<Wakeup*>(opaque)->ring(); }, &wakeup);
}

rd_kafka_message_s* FetchQueue::take() {
  rd_kafka_message_t* const message = rd_kafka_consume_queue(queue_, 0);
  if (message == nullptr && std::exchange(holds_outdated_, false)) client_.wake_fetchers();
  return message;
}

uint64_t FetchQueue::length() const { return rd_kafka_queue_length(queue_); }

void FetchQueue::silence() {
  if (queue_ != nullptr) rd_kafka_queue_cb_event_enable(queue_, nullptr, nullptr);
}

void FetchQueue::close() {
  if (queue_ == nullptr) return;
  silence();
  rd_kafka_queue_destroy(std::exchange(queue_, nullptr));
}

}  // namespace cdcrt::kafka_source
