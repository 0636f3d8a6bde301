#include "plugin/received.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "cdcrt/sdk/elements.hpp"
#include "cdcrt/sdk/status.hpp"
#include "cdcrt/sdk/utf8.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::plugin {
namespace {

bool is_at_null(cdcrt_string text) { return text.data == nullptr && text.size > 0; }

// Elements of the other side, `size` bytes apart, as ours; `own` keeps copies where they differ.
template <class Type>
const Type* ours(const Type* given, uint32_t count, uint32_t size, std::vector<Type>& own) {
  if (size == sizeof(Type) || count == 0) return given;
  own.clear();
  for (uint32_t i = 0; i < count; ++i) {
    Type& copy = own.emplace_back();
    std::memcpy(static_cast<void*>(&copy), &sdk::element(given, size, i), std::min<std::size_t>(size, sizeof(Type)));
  }
  return own.data();
}

bool is_distance(uint32_t size, uint32_t oldest) { return size >= oldest && size % alignof(void*) == 0; }

}  // namespace

const char* fault_of_message(const cdcrt_message& message) {
  if (message.offset < 0) return "has a negative offset";
  if (is_at_null(message.key) || is_at_null(message.value) || is_at_null(message.unreadable)) return "has bytes at a NULL pointer";
  if (message.header_count > 0 && message.headers == nullptr) return "has headers at a NULL pointer";
  for (uint32_t i = 0; i < message.header_count; ++i) {
    if (is_at_null(message.headers[i].name) || is_at_null(message.headers[i].value)) return "has a header at a NULL pointer";
  }
  return nullptr;
}

Error breach(const std::string& what) {
  return make_error(CDCRT_FATAL, "the plugin breaks its contract: " + what, "this is a fault of the plugin: tell its author");
}

Messages& Messages::operator=(Messages&& other) noexcept {
  if (this != &other) {
    reset();
    swap(other);
  }
  return *this;
}

void Messages::swap(Messages& other) noexcept {
  std::swap(given_, other.given_);
  std::swap(messages_, other.messages_);
  own_.swap(other.own_);
}

Result<void> Messages::take() {
  if (given_.count == 0) return {};
  if (given_.topic.data == nullptr || given_.topic.size == 0) return breach("a batch of messages names no topic");
  const std::string place = std::string(sdk::view(given_.topic)) + "[" + std::to_string(given_.partition) + "]";
  if (sdk::find_invalid_utf8(sdk::view(given_.topic)) != std::string_view::npos)
    return breach("the topic of a batch of messages is not UTF-8");
  if (given_.messages == nullptr) return breach(std::to_string(given_.count) + " messages of " + place + " are at a NULL pointer");
  if (!is_distance(given_.message_size, CDCRT_MESSAGE_SIZE_0_7)) {
    return breach("messages of " + place + " have the size " + std::to_string(given_.message_size));
  }
  messages_ = given_;
  messages_.messages = ours(given_.messages, given_.count, given_.message_size, own_);
  messages_.message_size = sizeof(cdcrt_message);
  messages_.owner = nullptr;
  messages_.release = nullptr;
  int64_t before = -1;
  for (uint32_t i = 0; i < messages_.count; ++i) {
    const cdcrt_message& message = messages_.messages[i];
    if (const char* wrong = fault_of_message(message)) {
      return breach("the message of " + place + " at offset " + std::to_string(message.offset) + " " + wrong);
    }
    if (message.offset <= before) {
      return breach("offsets of " + place + " do not ascend: " + std::to_string(message.offset) + " comes after " + std::to_string(before));
    }
    before = message.offset;
  }
  return {};
}

void Messages::leave_out(uint32_t count) {
  messages_.messages += count;
  messages_.count -= count;
}

void Messages::reset() {
  if (given_.release != nullptr) given_.release(&given_);
  given_ = messages_ = {};
  given_.size = sizeof given_;
}

Result<void> Description::take() {
  if (given_.column_count > 0) {
    if (given_.columns == nullptr) return breach("the columns of a table are at a NULL pointer");
    if (!is_distance(given_.column_size, CDCRT_COLUMN_SIZE_0_7))
      return breach("columns have the size " + std::to_string(given_.column_size));
  }
  description_ = given_;
  description_.columns = ours(given_.columns, given_.column_count, given_.column_size, own_);
  description_.column_size = sizeof(cdcrt_column);
  description_.owner = nullptr;
  description_.release = nullptr;
  for (uint32_t i = 0; i < description_.column_count; ++i) {
    const cdcrt_column& column = description_.columns[i];
    if (column.name.data == nullptr || column.name.size == 0) return breach("a column of a table has no name");
    if (is_at_null(column.target_type)) return breach("the type of a column is at a NULL pointer");
  }
  return {};
}

}  // namespace cdcrt::plugin
