#include "message_copy.hpp"

#include <librdkafka/rdkafka.h>

#include <vector>

namespace cdcrt::kafka_source {
namespace {

cdcrt_string copy(const void* data, size_t size, sdk::MessageBatch& to) {
  if (data == nullptr) return {nullptr, 0};
  if (size == 0) return {"", 0};  // empty, which is not absent
  return sdk::borrow(to.copy({static_cast<const char*>(data), size}));
}

}  // namespace

void copy_message(const rd_kafka_message_s& from, sdk::MessageBatch& to) {
  cdcrt_message message{};
  message.key = copy(from.key, from.key_len, to);
  message.value = copy(from.payload, from.len, to);
  message.offset = from.offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  message.timestamp_ms = rd_kafka_message_timestamp(&from, &type);
  if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) message.timestamp_ms = -1;

  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&from, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return to.add(message, nullptr, 0);
  std::vector<cdcrt_header> copied(rd_kafka_header_cnt(headers));
  for (size_t i = 0; i < copied.size(); ++i) {
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    if (rd_kafka_header_get_all(headers, i, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) break;
    copied[i] = {copy(name, std::char_traits<char>::length(name), to), copy(value, size, to)};
  }
  to.add(message, copied.data(), static_cast<uint32_t>(copied.size()));
}

}  // namespace cdcrt::kafka_source
