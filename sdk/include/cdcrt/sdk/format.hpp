// Format: what an author of a format plugin derives from, and the macro that exports one. Header-only, C++17.
//
//   class Csv : public cdcrt::sdk::Format {
//    public:
//     static constexpr const char* kSummary = "Lines of comma-separated values";   // optional; see descriptor.hpp
//     explicit Csv(cdcrt::sdk::Host host);                                           // optional: to log
//     Status configure(const cdcrt::sdk::Config& config) override;                   // Status::bad_config("key", "why") refuses a setting
//     Status decode(Messages messages, RowBuilder& rows) override;
//   };
//   CDCRT_FORMAT("csv", "1.0.0", Csv, kOptions)                                      // at global scope of one .cpp
//
// One instance per decode worker, used by one thread at a time. An instance keeps nothing that changes results: caches only.
// No exception leaves the shared object: every call is guarded, and what escapes ends the run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "cdcrt/abi/plugin.h"
#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/descriptor.hpp"
#include "cdcrt/sdk/elements.hpp"
#include "cdcrt/sdk/fetch_ahead.hpp"
#include "cdcrt/sdk/host.hpp"
#include "cdcrt/sdk/row_builder.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

/// One message of the batch; a view, valid during the call.
class Message {
 public:
  Message(const cdcrt_message& message, uint32_t index) : message_(&message), index_(index) {}
  /// Place in the batch: what RowBuilder::begin_row and reject want.
  [[nodiscard]] uint32_t index() const { return index_; }
  [[nodiscard]] bool has_key() const { return message_->key.data != nullptr; }
  [[nodiscard]] std::string_view key() const { return view(message_->key); }
  /// False: a tombstone.
  [[nodiscard]] bool has_value() const { return message_->value.data != nullptr; }
  [[nodiscard]] std::string_view value() const { return view(message_->value); }
  [[nodiscard]] int64_t offset() const { return message_->offset; }
  /// Of the message in the log, milliseconds since 1970; -1: unknown.
  [[nodiscard]] int64_t timestamp_ms() const { return message_->timestamp_ms; }
  [[nodiscard]] uint32_t header_count() const { return message_->header_count; }
  /// The last header of that name; nullopt when there is none or its value is null.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const {
    for (uint32_t i = message_->header_count; i > 0; --i) {
      const cdcrt_header& header = message_->headers[i - 1];
      if (view(header.name) != name) continue;
      if (header.value.data == nullptr) return std::nullopt;
      return view(header.value);
    }
    return std::nullopt;
  }

 private:
  const cdcrt_message* message_;
  uint32_t index_;
};

/// Messages of one partition, offsets ascending; a view, valid during the call.
class Messages {
 public:
  explicit Messages(const cdcrt_messages& messages) : messages_(&messages) {}
  [[nodiscard]] std::string_view topic() const { return view(messages_->topic); }
  [[nodiscard]] int32_t partition() const { return messages_->partition; }
  [[nodiscard]] uint32_t size() const { return messages_->count; }
  [[nodiscard]] Message operator[](uint32_t index) const { return at(*messages_, index); }

  class Iterator {
   public:
    Iterator(const cdcrt_messages* messages, uint32_t index) : messages_(messages), index_(index) {}
    Message operator*() const { return at(*messages_, index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const cdcrt_messages* messages_;
    uint32_t index_;
  };
  [[nodiscard]] Iterator begin() const { return {messages_, 0}; }
  [[nodiscard]] Iterator end() const { return {messages_, messages_->count}; }

 private:
  static Message at(const cdcrt_messages& messages, uint32_t index) {
    return Message(element(messages.messages, messages.message_size, index), index);
  }
  const cdcrt_messages* messages_;
};

class Format {
 public:
  Format() = default;
  Format(const Format&) = delete;
  Format& operator=(const Format&) = delete;
  virtual ~Format() = default;

  /// Settings that the option table cannot judge: answer Status::bad_config. Called once, right after construction; touches
  /// nothing outside the process.
  virtual Status configure(const Config& /*config*/) { return {}; }
  /// Messages in, rows out, in message order. A bad message is rows.reject()ed; a Status other than OK means that the plugin
  /// itself failed and nothing of the batch counts.
  virtual Status decode(Messages messages, RowBuilder& rows) = 0;
};

/// Decodes a batch message by message: `decode(message)` answers a Status, and a message whose Status is an error becomes a dead
/// letter with it; the others go on. FATAL ends the batch.
template <class Decode>
Status each_message(Messages messages, RowBuilder& rows, Decode&& decode) {
  for (const Message message : messages) {
    // Another core wrote the next value: it is on its way while this one is decoded.
    if (const uint32_t next = message.index() + 1; next < messages.size()) {
      const std::string_view value = messages[next].value();
      fetch_ahead(value.data(), std::min<std::size_t>(value.size(), 4 << 10));
    }
    Status status = decode(message);
    if (status.code() == CDCRT_FATAL) return status;
    if (!status.ok()) rows.reject(message.index(), std::move(status));
  }
  return {};
}

namespace detail {

inline Format* format(void* self) { return static_cast<Format*>(self); }

template <class Class>
const cdcrt_format& format_functions() {
  static const cdcrt_format functions = [] {
    cdcrt_format table{};
    table.size = sizeof table;
    table.create = create_instance<Format, Class>;
    table.decode = [](void* self, const cdcrt_messages* messages, cdcrt_rows* rows, cdcrt_error* error) {
      return guard(error, [&] {
        RowBuilder builder(*rows);
        return format(self)->decode(Messages(*messages), builder);
      });
    };
    table.destroy = [](void* self) { quietly([&] { delete format(self); }); };
    return table;
  }();
  return functions;
}

template <class Class, class Options>
cdcrt_plugin format_descriptor(const char* name, const char* version, const Options& options) {
  return descriptor<Class>(CDCRT_FORMAT, &format_functions<Class>(), name, version, options);
}

}  // namespace detail
}  // namespace cdcrt::sdk

/// Exports a shared object with one format. `options`: an array of cdcrt_option, or cdcrt::sdk::kNoOptions. Use once, at global scope.
/// (The enumerator of the same name stays usable: a macro with arguments expands only before a parenthesis.)
#define CDCRT_FORMAT(name, version, Class, options) CDCRT_SDK_EXPORT(format_descriptor, Class, name, version, options)
