#include "dead_letters/dead_letters.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cdcrt/sdk/status.hpp"
#include "types/base64.hpp"
#include "types/utf8.hpp"

namespace cdcrt::dead_letters {
namespace {

void append_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

// Bytes as produced: text where it is UTF-8, else {"base64": "..."}; null where there were none.
void append_bytes(std::string& out, cdcrt_string bytes) {
  if (bytes.data == nullptr) {
    out += "null";
  } else if (const auto text = sdk::view(bytes); types::is_utf8(text)) {
    append_string(out, text);
  } else {
    out += "{\"base64\":\"" + types::encode_base64(text) + "\"}";
  }
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += ",\"";
  out += name;
  out += "\":";
  append_string(out, value);
}

}  // namespace

Letter letter_of(const progress::Partition& partition, const cdcrt_message& message, const std::string& sink, const std::string& table,
                 const std::string& reason, const Error& error) {
  Letter letter;
  letter.reason = reason;
  letter.message = explain(error);
  letter.source = partition.source();
  letter.topic = partition.topic();
  letter.partition = partition.number();
  letter.offset = message.offset;
  letter.sink = sink;
  letter.table = table;
  letter.raw = &message;
  return letter;
}

DeadLetters::~DeadLetters() {
  (void)flush();
  if (file_ >= 0) ::close(file_);
}

void DeadLetters::add(const Letter& letter) {
  std::string id = letter.source + "/" + letter.topic + "/" + std::to_string(letter.partition) + "/" + std::to_string(letter.offset);
  if (!letter.table.empty()) id += "/" + letter.sink + "/" + letter.table;
  const std::lock_guard lock(mutex_);
  if (!seen_.insert(id).second) return;
  ++count_;
  ++by_table_[letter.table];
  std::string& out = pending_;
  out += "{\"id\":";
  append_string(out, id);
  append_member(out, "reason", letter.reason);
  append_member(out, "message", letter.message);
  append_member(out, "source", letter.source);
  append_member(out, "topic", letter.topic);
  out += ",\"partition\":" + std::to_string(letter.partition) + ",\"offset\":" + std::to_string(letter.offset);
  append_member(out, "sink", letter.sink);
  append_member(out, "table", letter.table);
  if (letter.raw != nullptr) {
    out += ",\"timestamp_ms\":" + std::to_string(letter.raw->timestamp_ms);
    out += ",\"key\":";
    append_bytes(out, letter.raw->key);
    out += ",\"value\":";
    append_bytes(out, letter.raw->value);
    out += ",\"headers\":[";
    for (uint32_t i = 0; i < letter.raw->header_count; ++i) {
      out += i == 0 ? "[" : ",[";
      append_bytes(out, letter.raw->headers[i].name);
      out += ',';
      append_bytes(out, letter.raw->headers[i].value);
      out += ']';
    }
    out += ']';
  } else {
    append_member(out, "decoded_row", letter.decoded_row);
  }
  out += "}\n";
  dirty_ = true;
}

Result<void> DeadLetters::flush() {
  const std::lock_guard lock(mutex_);
  if (!dirty_) return {};
  const auto failed = [&](const char* what) {
    return make_error(CDCRT_RETRY, "dead letters: cannot " + std::string(what) + " '" + path_ + "': " + std::strerror(errno),
                      "make the folder writable or free space; nothing is committed before the letters are durable");
  };
  if (file_ < 0) {
    std::error_code ignored;
    const auto folder = std::filesystem::path(path_).parent_path();
    if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
    file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (file_ < 0) return failed("open");
  }
  while (!pending_.empty()) {
    const ssize_t written = ::write(file_, pending_.data(), pending_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write");
    pending_.erase(0, static_cast<std::size_t>(written));
  }
  if (::fdatasync(file_) != 0 && errno != EINVAL) return failed("sync");
  dirty_ = false;
  return {};
}

uint64_t DeadLetters::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::map<std::string, uint64_t> DeadLetters::by_table() const {
  const std::lock_guard lock(mutex_);
  return by_table_;
}

}  // namespace cdcrt::dead_letters
