#include "opened_source.hpp"

#include <zlib.h>

#include <algorithm>

#include "paths.hpp"
#include "plugin/registry.hpp"

namespace file_source_test {
namespace {

cdcrt_string borrow(const std::string& value) { return {value.data(), value.size()}; }
std::vector<cdcrt_string> strings(const std::vector<std::string>& from) {
  std::vector<cdcrt_string> to;
  for (const auto& value : from) to.push_back(borrow(value));
  return to;
}
cdcrt_option_value text(const char* key, const std::string& value) {
  cdcrt_option_value out{};
  out.key = key;
  out.type = CDCRT_OPTION_STRING;
  out.is_set = !value.empty();
  out.string = borrow(value);
  return out;
}
cdcrt_option_value number(const char* key, cdcrt_option_type type, int64_t value) {
  cdcrt_option_value out{};
  out.key = key;
  out.type = static_cast<uint16_t>(type);
  out.is_set = 1;
  out.integer = value;
  return out;
}
cdcrt_option_value list(const char* key, cdcrt_option_type type, const std::vector<cdcrt_string>& values) {
  cdcrt_option_value out{};
  out.key = key;
  out.type = static_cast<uint16_t>(type);
  out.is_set = !values.empty();
  out.count = static_cast<uint32_t>(values.size());
  out.strings = values.data();
  return out;
}
std::optional<std::string> optional(cdcrt_string value) {
  if (value.data == nullptr) return std::nullopt;
  return std::string(value.data, value.size);
}
Message copy(const cdcrt_message& from) {
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

}  // namespace

const cdcrt_source& functions() {
  static const cdcrt_source* table = [] {
    auto found = cdcrt::plugin::find(CDCRT_SOURCE, "file", {{paths::plugins(), "the build"}});
    if (!found) FAIL(found.error().message);
    return static_cast<const cdcrt_source*>((*found)->functions);
  }();
  return *table;
}

OpenedSource::OpenedSource(Settings settings) : settings_(std::move(settings)) {
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

int32_t OpenedSource::poll(std::vector<Message>& to, uint32_t timeout_ms) {
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

std::pair<uint64_t, std::vector<std::string>> OpenedSource::survey() {
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

std::vector<Message> OpenedSource::fetch(const std::string& topic, int32_t partition, int64_t first, int64_t last) {
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

std::vector<OpenedSource::Note> OpenedSource::notes() {
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

int32_t OpenedSource::call(Failure& to, const std::function<int32_t(cdcrt_error*)>& body) {
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

std::string packed(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  std::string in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace file_source_test
