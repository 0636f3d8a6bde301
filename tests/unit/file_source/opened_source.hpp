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

const cdcrt_source& functions();

class OpenedSource {
 public:
  explicit OpenedSource(Settings settings);
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
  int32_t poll(std::vector<Message>& to, uint32_t timeout_ms = 1000);
  /// What was left out, and the patterns of `topics` that met nothing.
  std::pair<uint64_t, std::vector<std::string>> survey();
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
  std::vector<Message> fetch(const std::string& topic, int32_t partition, int64_t first, int64_t last);
  struct Note {
    std::string topic;
    int32_t partition = 0;
    int64_t offset = 0;
  };
  std::vector<Note> notes();
  cdcrt_extent extent() { return functions().extent(self_); }
  void stop() { functions().stop(self_); }

  Failure failure;        ///< of the last call but fetch
  Failure fetch_failure;  ///< of the last fetch, which may run in a thread of its own
  std::vector<std::string> logged;
  size_t batches = 0;
  uint64_t largest_batch = 0;

 private:
  static cdcrt_string borrow(const std::string& value) { return {value.data(), value.size()}; }
  int32_t call(const std::function<int32_t(cdcrt_error*)>& body) { return call(failure, body); }
  static int32_t call(Failure& to, const std::function<int32_t(cdcrt_error*)>& body);

  Settings settings_;
  std::string name_ = "test";
  cdcrt_host host_{};
  int32_t level_ = CDCRT_LOG_DEBUG;
  void* self_ = nullptr;
};

/// As gzip.
std::string packed(const std::string& bytes);

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
