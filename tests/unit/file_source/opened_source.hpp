// The file source as the host uses it: through its shared object, with settings given one by one.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cdcrt/abi/plugin.h"
#include "paths.hpp"
#include "plugin/registry.hpp"

namespace file_source_test {

struct Settings {
  std::vector<std::string> paths;
  std::string layout = "kcat";
  std::string topic;
  std::vector<std::string> topics;
  int64_t max_line = 64 << 20;
  int64_t batch_messages = 1000;
  int64_t batch_bytes = 1 << 20;
};

struct Message {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;
  std::optional<std::string> key, value;
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  std::string unreadable;  // why; empty: it is not
  int64_t timestamp_ms = 0;
  uint32_t generation = 0;
};

struct Failure {
  int32_t code = CDCRT_OK;
  std::string message, hint, config_key;
};

class Folder {
 public:
  Folder() {
    char pattern[] = "/tmp/cdcrt-file-source-XXXXXX";
    path_ = ::mkdtemp(pattern);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const std::string& name, const std::string& bytes) const {
    const std::string path = path_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline const cdcrt_source& functions() {
  static const cdcrt_source* table = [] {
    auto found = cdcrt::plugin::find(CDCRT_SOURCE, "file", {{paths::plugins(), "the build"}});
    if (!found) FAIL(found.error().message);
    return static_cast<const cdcrt_source*>((*found)->functions);
  }();
  return *table;
}

class OpenedSource {
 public:
  explicit OpenedSource(Settings settings) : settings_(std::move(settings)) {
    host_.size = sizeof host_;
    host_.self = this;
    host_.log_level = &level_;
    host_.log = [](void* self, int32_t, cdcrt_string, cdcrt_string message) {
      static_cast<OpenedSource*>(self)->logged.emplace_back(message.data, message.size);
    };
    std::vector<cdcrt_string> paths = strings(settings_.paths), topics = strings(settings_.topics);
    std::vector<cdcrt_option_value> values = {list("paths", CDCRT_OPTION_PATHS, paths),
                                              text("layout", settings_.layout),
                                              text("topic", settings_.topic),
                                              list("topics", CDCRT_OPTION_LIST, topics),
                                              number("max_line", CDCRT_OPTION_BYTES, settings_.max_line),
                                              number("batch_messages", CDCRT_OPTION_INTEGER, settings_.batch_messages),
                                              number("batch_bytes", CDCRT_OPTION_BYTES, settings_.batch_bytes)};
    cdcrt_config config{sizeof config, static_cast<uint32_t>(values.size()), values.data(), sizeof(cdcrt_option_value), 0, borrow(name_),
                        borrow(name_)};
    call([&](cdcrt_error* error) { return functions().create(&host_, &config, &self_, error); });
  }
  ~OpenedSource() {
    if (self_ != nullptr) functions().destroy(self_);
  }
  OpenedSource(const OpenedSource&) = delete;
  OpenedSource& operator=(const OpenedSource&) = delete;

  int32_t seek(const std::string& topic, int32_t partition, int64_t offset, uint32_t generation = 0) {
    return call([&](cdcrt_error* error) { return functions().seek(self_, borrow(topic), partition, offset, generation, error); });
  }
  int32_t start() {
    static const cdcrt_source_events events{};  // no group: nothing is told
    return call([&](cdcrt_error* error) { return functions().start(self_, &events, error); });
  }
  /// One batch; the messages are copied and the batch is released.
  int32_t poll(std::vector<Message>& to, uint32_t timeout_ms = 1000) {
    cdcrt_messages batch{};
    const int32_t code = call([&](cdcrt_error* error) { return functions().poll(self_, timeout_ms, &batch, error); });
    if (code == CDCRT_OK && batch.count > 0) {
      ++batches;
      largest_batch = std::max(largest_batch, batch.bytes);
      int64_t last = -1;
      for (uint32_t i = 0; i < batch.count; ++i) {
        to.push_back(copy(batch.messages[i]));
        to.back().topic.assign(batch.topic.data, batch.topic.size);
        to.back().partition = batch.partition;
        to.back().generation = batch.generation;
        CHECK(batch.messages[i].offset > last);
        last = batch.messages[i].offset;
      }
    }
    if (batch.release != nullptr) batch.release(&batch);
    return code;
  }
  /// What was left out, and the patterns of `topics` that met nothing.
  std::pair<uint64_t, std::vector<std::string>> survey() {
    std::vector<std::string> unmet;
    cdcrt_survey survey{};
    survey.size = sizeof survey;
    survey.context = &unmet;
    survey.unmet = [](void* context, cdcrt_string, cdcrt_string entry) {
      static_cast<std::vector<std::string>*>(context)->emplace_back(entry.data, entry.size);
    };
    CHECK(call([&](cdcrt_error* error) { return functions().survey(self_, &survey, error); }) == CDCRT_OK);
    return {survey.left_out, unmet};
  }
  /// Everything up to the end (or the failure, see `failure`).
  std::vector<Message> rest() {
    std::vector<Message> messages;
    while (poll(messages) == CDCRT_OK) {
    }
    return messages;
  }
  std::vector<Message> all() {
    REQUIRE(failure.code == CDCRT_OK);
    REQUIRE(start() == CDCRT_OK);
    return rest();
  }
  std::vector<Message> fetch(const std::string& topic, int32_t partition, int64_t first, int64_t last) {
    std::vector<Message> messages;
    call(fetch_failure, [&](cdcrt_error* error) {
      return functions().fetch(
          self_, borrow(topic), partition, first, last,
          [](void* context, const cdcrt_message* message) {
            static_cast<std::vector<Message>*>(context)->push_back(copy(*message));
            return 0;
          },
          &messages, error);
    });
    return messages;
  }
  struct Note {
    std::string topic;
    int32_t partition = 0;
    int64_t offset = 0;
  };
  std::vector<Note> notes() {
    std::vector<Note> all;
    const auto visit = [](void* context, cdcrt_string topic, int32_t partition) {
      static_cast<std::vector<Note>*>(context)->push_back({std::string(topic.data, topic.size), partition, 0});
      return 0;
    };
    call([&](cdcrt_error* error) { return functions().list(self_, visit, &all, error); });
    for (Note& note : all) {
      call([&](cdcrt_error* error) { return functions().origin(self_, borrow(note.topic), note.partition, &note.offset, error); });
    }
    return all;
  }
  cdcrt_extent extent() { return functions().extent(self_); }
  void stop() { functions().stop(self_); }

  Failure failure;        ///< of the last call but fetch
  Failure fetch_failure;  ///< of the last fetch, which may run in a thread of its own
  std::vector<std::string> logged;
  size_t batches = 0;
  uint64_t largest_batch = 0;

 private:
  static cdcrt_string borrow(const std::string& value) { return {value.data(), value.size()}; }
  static std::vector<cdcrt_string> strings(const std::vector<std::string>& from) {
    std::vector<cdcrt_string> to;
    for (const auto& value : from) to.push_back(borrow(value));
    return to;
  }
  static cdcrt_option_value text(const char* key, const std::string& value) {
    cdcrt_option_value out{};
    out.key = key;
    out.type = CDCRT_OPTION_STRING;
    out.is_set = !value.empty();
    out.string = borrow(value);
    return out;
  }
  static cdcrt_option_value number(const char* key, cdcrt_option_type type, int64_t value) {
    cdcrt_option_value out{};
    out.key = key;
    out.type = static_cast<uint16_t>(type);
    out.is_set = 1;
    out.integer = value;
    return out;
  }
  static cdcrt_option_value list(const char* key, cdcrt_option_type type, const std::vector<cdcrt_string>& values) {
    cdcrt_option_value out{};
    out.key = key;
    out.type = static_cast<uint16_t>(type);
    out.is_set = !values.empty();
    out.count = static_cast<uint32_t>(values.size());
    out.strings = values.data();
    return out;
  }
  static std::optional<std::string> optional(cdcrt_string value) {
    if (value.data == nullptr) return std::nullopt;
    return std::string(value.data, value.size);
  }
  static Message copy(const cdcrt_message& from) {
    Message to;
    to.offset = from.offset;
    to.key = optional(from.key);
    to.value = optional(from.value);
    to.timestamp_ms = from.timestamp_ms;
    to.unreadable = optional(from.unreadable).value_or("");
    for (uint32_t i = 0; i < from.header_count; ++i)
      to.headers.emplace_back(*optional(from.headers[i].name), optional(from.headers[i].value));
    return to;
  }
  template <class Body>
  int32_t call(Body&& body) {
    return call(failure, std::forward<Body>(body));
  }
  template <class Body>
  static int32_t call(Failure& to, Body&& body) {
    cdcrt_error error{};
    error.size = sizeof error;
    to = {};
    const int32_t code = body(&error);
    to.code = code;
    if (error.message != nullptr) to.message = error.message;
    if (error.hint != nullptr) to.hint = error.hint;
    if (error.config_key != nullptr) to.config_key = error.config_key;
    if (error.release != nullptr) error.release(&error);
    return code;
  }

  Settings settings_;
  std::string name_ = "test";
  cdcrt_host host_{};
  int32_t level_ = CDCRT_LOG_DEBUG;
  void* self_ = nullptr;
};

inline Settings reading(std::vector<std::string> paths) {
  Settings settings;
  settings.paths = std::move(paths);
  return settings;
}

/// A line as kcat prints it; `payload` is JSON text.
inline std::string line(const std::string& topic, int32_t partition, int64_t offset, const std::string& payload = "\"v\"") {
  return "{\"topic\":\"" + topic + "\",\"partition\":" + std::to_string(partition) + ",\"offset\":" + std::to_string(offset) +
         ",\"tstype\":\"create\",\"ts\":17,\"broker\":1,\"key\":null,\"payload\":" + payload + "}\n";
}

/// "topic/partition/offset" of each message, in the order given.
inline std::vector<std::string> places(const std::vector<Message>& messages) {
  std::vector<std::string> out;
  for (const auto& message : messages)
    out.push_back(message.topic + "/" + std::to_string(message.partition) + "/" + std::to_string(message.offset));
  return out;
}

inline std::string unreadable_reason(const Message& message) { return message.unreadable; }

}  // namespace file_source_test
