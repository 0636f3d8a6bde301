#include "repair/dead_letter_topic.hpp"

#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cdcrt/sdk/status.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::repair {
namespace {

using dead_letters::StoredDeadLetter;

constexpr std::string_view kOwn = "cdcrt.";  // of the headers that the sink adds

std::optional<std::string> text_of(cdcrt_string bytes) {
  return bytes.data == nullptr ? std::nullopt : std::optional<std::string>(std::string(sdk::view(bytes)));
}

template <class Number>
bool read_number(const std::string& text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// nullopt: somebody else's message.
std::optional<StoredDeadLetter> parse_dead_letter(const cdcrt_message& message) {
  StoredDeadLetter dead_letter;
  std::map<std::string, std::string, std::less<>> own;
  for (uint32_t i = 0; i < message.header_count; ++i) {
    const std::string_view name = sdk::view(message.headers[i].name);
    const auto value = text_of(message.headers[i].value);
    if (name.starts_with(kOwn)) {
      own[std::string(name.substr(kOwn.size()))] = value.value_or("");
    } else {
      dead_letter.headers.emplace_back(name, value);
    }
  }
  if (own["id"].empty() || !read_number(own["partition"], dead_letter.partition) || !read_number(own["offset"], dead_letter.offset))
    return std::nullopt;
  dead_letter.id = own["id"];
  dead_letter.reason = own["reason"];
  dead_letter.message = own["message"];
  dead_letter.source = own["source"];
  dead_letter.topic = own["topic"];
  dead_letter.sink = own["sink"];
  dead_letter.table = own["target"];
  dead_letter.has_raw = !own.contains("decoded_row");
  if (!dead_letter.has_raw) {
    dead_letter.decoded_row = own["decoded_row"];
    return dead_letter;
  }
  dead_letter.timestamp_ms = message.timestamp_ms;
  dead_letter.key = text_of(message.key);
  dead_letter.value = text_of(message.value);
  return dead_letter;
}

}  // namespace

Result<void> read_topic(const plugin::Component& log, std::vector<StoredDeadLetter>& dead_letters) {
  auto source = plugin::Source::create(log);
  if (!source) return std::move(source.error());
  std::vector<std::pair<std::string, int32_t>> partitions;
  auto listed = source->list([&](std::string_view topic, int32_t partition) {
    partitions.emplace_back(topic, partition);
    return true;
  });
  if (!listed) return listed;
  for (const auto& [topic, partition] : partitions) {
    auto bounds = source->bounds(topic, partition);
    if (!bounds) return std::move(bounds.error());
    if (bounds->first >= bounds->end) continue;
    auto read = source->fetch(topic, partition, bounds->first, bounds->end - 1, [&](const cdcrt_message& message) {
      if (auto dead_letter = parse_dead_letter(message)) dead_letters.push_back(std::move(*dead_letter));
      return true;
    });
    if (!read) return read;
  }
  return {};
}

}  // namespace cdcrt::repair
