#include <zlib.h>

#include <sstream>

#include "opened_source.hpp"
#include "paths.hpp"

using namespace file_source_test;

namespace {

/// One line a partition, as make_golden.py writes them.
std::string summary(const std::vector<Message>& messages) {
  struct State {
    size_t messages = 0, headers = 0;
    uLong crc = 0;
  };
  std::map<std::pair<std::string, int32_t>, State> partitions;
  for (const auto& message : messages) {
    auto& state = partitions[{message.topic, message.partition}];
    const auto add = [&](const std::string& part) {
      const std::string text = std::to_string(part.size()) + ":" + part;
      state.crc = crc32(state.crc, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
    };
    const auto add_text = [&](const std::optional<std::string>& text) { add(text ? "=" + *text : "-"); };
    add(std::to_string(message.offset));
    add(std::to_string(message.timestamp_ms));
    add_text(message.key);
    add_text(message.value);
    for (const auto& [name, value] : message.headers) {
      add_text(name);
      add_text(value);
    }
    ++state.messages;
    state.headers += message.headers.size();
  }
  std::ostringstream out;
  for (const auto& [place, state] : partitions) {
    out << place.first << ' ' << place.second << ' ' << state.messages << ' ' << state.headers << ' ' << state.crc << '\n';
  }
  return out.str();
}

std::string golden(const std::string& name) {
  std::ifstream file(paths::source() + "/tests/unit/file_source/" + name + ".golden");
  std::ostringstream text;
  text << file.rdbuf();
  REQUIRE(!text.str().empty());
  return text.str();
}

}  // namespace

TEST_CASE("real captures: every partition holds the bytes that Python's json reads") {
  for (const std::string name : {"debezium-postgres", "debezium-postgres-noschema"}) {
    for (const int64_t batch_messages : {1, 1000}) {
      const std::string path = paths::test_data() + "/" + name + "/events.jsonl";
      Settings settings = reading({std::filesystem::exists(path) ? path : path + ".gz"});
      settings.batch_messages = batch_messages;
      OpenedSource source(settings);
      CHECK(summary(source.all()) == golden(name));
      CHECK(source.failure.code == CDCRT_END);
      CHECK(source.logged.empty());
    }
  }
}
