#include "message_copy.hpp"

#include <librdkafka/rdkafka.h>

#include <string>

namespace cdcrt::kafka_source {
namespace {

// Empty is not absent.
cdcrt_string borrowed(const void* data, size_t size) {
  if (data == nullptr) return {nullptr, 0};
  return {size == 0 ? "" : static_cast<const char*>(data), size};
}

cdcrt_string copy(cdcrt_string text, sdk::MessageBatch& to) { return text.size == 0 ? text : sdk::borrow(to.copy(sdk::view(text))); }

}  // namespace

cdcrt_message borrow_message(const rd_kafka_message_s& from, std::vector<cdcrt_header>& headers) {
  cdcrt_message message{};
  message.key = borrowed(from.key, from.key_len);
  message.value = borrowed(from.payload, from.len);
  message.offset = from.offset;
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  message.timestamp_ms = rd_kafka_message_timestamp(&from, &type);
  if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) message.timestamp_ms = -1;

  headers.clear();
  rd_kafka_headers_t* found = nullptr;
  if (rd_kafka_message_headers(&from, &found) != RD_KAFKA_RESP_ERR_NO_ERROR) return message;
  headers.resize(rd_kafka_header_cnt(found));
  for (size_t i = 0; i < headers.size(); ++i) {
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    if (rd_kafka_header_get_all(found, i, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) break;
    headers[i] = {borrowed(name, std::char_traits<char>::length(name)), borrowed(value, size)};
  }
  return message;
}

void copy_message(const rd_kafka_message_s& from, sdk::MessageBatch& to) {
  std::vector<cdcrt_header> headers;
  cdcrt_message message = borrow_message(from, headers);
  message.key = copy(message.key, to);
  message.value = copy(message.value, to);
  for (cdcrt_header& header : headers) header = {copy(header.name, to), copy(header.value, to)};
  to.add(message, headers.data(), static_cast<uint32_t>(headers.size()));
}

}  // namespace cdcrt::kafka_source
