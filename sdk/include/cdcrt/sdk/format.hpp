// Format: what an author of a format plugin derives from. Header-only, C++17.
//
//   class Csv : public cdcrt::sdk::Format {
//    public:
//     explicit Csv(const cdcrt::sdk::Config& config);   // throw Failure(Status::bad_config("key", "why")) when a setting is wrong
//     Status decode(Messages messages, RowBuilder& rows) override;
//   };
//   CDCRT_FORMAT("csv", "1.0.0", Csv, kOptions)         // at namespace scope of one .cpp
//
// One instance per decode worker, used by one thread at a time. An instance keeps nothing that changes results: caches only.
// No exception leaves the shared object: every call is guarded.
#pragma once

#include <array>
#include <cstddef>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>

#include "cdcrt/abi/plugin.h"
#include "cdcrt/sdk/config.hpp"
#include "cdcrt/sdk/elements.hpp"
#include "cdcrt/sdk/row_builder.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::sdk {

/// Thrown by a constructor that cannot go on; carries what the host is told.
class Failure : public std::exception {
 public:
  explicit Failure(Status status) : status_(std::move(status)) {}
  [[nodiscard]] const char* what() const noexcept override { return status_.message().data() == nullptr ? "" : status_.message().data(); }
  Status take() { return std::move(status_); }

 private:
  Status status_;
};

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
  /// Messages in, rows out, in message order. A bad message is rows.reject()ed; a Status other than OK means that the plugin
  /// itself failed and nothing of the batch counts.
  virtual Status decode(Messages messages, RowBuilder& rows) = 0;
};

/// The option table of a format without settings.
inline constexpr std::array<cdcrt_option, 0> kNoOptions{};

/// The function table of a format class; what CDCRT_FORMAT puts into the descriptor.
template <class Type>
struct FormatFunctions {
  static int32_t create(const cdcrt_host*, const cdcrt_config* config, void** self, cdcrt_error* error) noexcept {
    return guard(error, [&]() -> Status {
      try {
        std::unique_ptr<Format> made = std::make_unique<Type>(Config(*config));
        *self = made.release();
        return {};
      } catch (Failure& failure) {
        return failure.take();
      }
    });
  }
  static int32_t decode(void* self, const cdcrt_messages* messages, cdcrt_rows* rows, cdcrt_error* error) noexcept {
    return guard(error, [&]() -> Status {
      try {
        RowBuilder builder(*rows);
        return static_cast<Format*>(self)->decode(Messages(*messages), builder);
      } catch (Failure& failure) {
        return failure.take();
      }
    });
  }
  static void destroy(void* self) noexcept { delete static_cast<Format*>(self); }

  static constexpr cdcrt_format kTable{sizeof(cdcrt_format), 0, &create, &decode, &destroy};
};

}  // namespace cdcrt::sdk

/// As CDCRT_FORMAT, with one line of summary, the SPDX license, and Markdown notes for `plugin describe` (nullptr: none).
#define CDCRT_FORMAT_DESCRIBED(name, version, type, options, summary, license, notes)      \
  extern "C" CDCRT_EXPORT const cdcrt_plugin* const* cdcrt_plugin_entry(uint32_t* count) { \
    static const cdcrt_plugin plugin = {sizeof(cdcrt_plugin),                              \
                                        CDCRT_ABI_MAJOR,                                   \
                                        CDCRT_ABI_MINOR,                                   \
                                        CDCRT_FORMAT,                                      \
                                        static_cast<uint32_t>(std::size(options)),         \
                                        name,                                              \
                                        version,                                           \
                                        summary,                                           \
                                        license,                                           \
                                        std::data(options),                                \
                                        &cdcrt::sdk::FormatFunctions<type>::kTable,        \
                                        notes};                                            \
    static const cdcrt_plugin* const plugins[] = {&plugin};                                \
    *count = 1;                                                                            \
    return plugins;                                                                        \
  }

/// Exports a format plugin. `options`: an array of cdcrt_option, or cdcrt::sdk::kNoOptions.
#define CDCRT_FORMAT(name, version, type, options) CDCRT_FORMAT_DESCRIBED(name, version, type, options, "", "", nullptr)
