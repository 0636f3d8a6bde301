#include "fetch_queue.hpp"

#include <librdkafka/rdkafka.h>

#include <utility>

#include "client.hpp"

namespace cdcrt::kafka_source {

FetchQueue::FetchQueue(Client& client, Wakeup& wakeup) : client_(client), queue_(rd_kafka_queue_new(client.get())) {
  rd_kafka_queue_cb_event_enable(
      queue_, [](rd_kafka_t*, void* opaque) { static_cast<Wakeup*>(opaque)->ring(); }, &wakeup);
}

FetchQueue::~FetchQueue() {
  silence();
  rd_kafka_queue_destroy(queue_);
}

rd_kafka_message_s* FetchQueue::take() {
  rd_kafka_message_t* const message = rd_kafka_consume_queue(queue_, 0);
  if (message == nullptr && std::exchange(holds_outdated_, false)) client_.wake_fetchers();
  return message;
}

uint64_t FetchQueue::length() const { return rd_kafka_queue_length(queue_); }

void FetchQueue::silence() { rd_kafka_queue_cb_event_enable(queue_, nullptr, nullptr); }

}  // namespace cdcrt::kafka_source
