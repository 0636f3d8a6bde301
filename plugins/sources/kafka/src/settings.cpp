#include "settings.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cdcrt/sdk/hash.hpp"

namespace cdcrt::kafka_source {
namespace {

std::string host_name() {
  char name[256] = "";
  if (::gethostname(name, sizeof name - 1) != 0) return {};
  return name;
}

}  // namespace

sdk::Status Settings::read(const sdk::Config& config, const sdk::Host& host) {
  brokers = config.string("brokers");
  if (brokers.find_first_not_of(" ,") == std::string::npos) {
    return sdk::Status::bad_config("brokers", "no broker is named", "for example brokers = \"kafka1:9092,kafka2:9092\"");
  }
  if (brokers.find('@') != std::string::npos) {
    return sdk::Status::bad_config("brokers", "a broker is host:port, and takes no user before an '@'",
                                   "give sasl.username and sasl.password");
  }
  group = config.has("group") ? config.string("group") : config.pipeline();
  if (group.empty()) return sdk::Status::bad_config("group", "the group's name is empty");
  instance = config.has("instance") ? config.string("instance") : host_name();
  if (auto parsed = TopicPatterns::parse(config.list("topics"), topics); !parsed) return parsed;
  if (auto parsed = StartPosition::parse(config.string("start"), start); !parsed) return parsed;
  stops_at_end = config.string("stop") == "end";
  is_eager = config.string("assignment") == "eager";
  isolation_level = config.string("isolation_level");
  max_messages_per_second = static_cast<uint64_t>(config.integer("max_messages_per_second"));
  queue_memory = config.bytes("queue_memory");
  topics_per_client = static_cast<std::size_t>(config.integer("topics_per_client"));
  connect_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(config.duration("connect_timeout"));
  properties = config.map("librdkafka");
  if (auto checked = check_properties(properties); !checked) return checked;
  if (auto read = security.read(config, brokers, properties, host); !read) return read;
  properties.insert(properties.end(), security.properties().begin(), security.properties().end());
  return {};
}

std::string Settings::member() const {
  if (instance.empty()) return {};
  auto subscription = topics.subscription();
  std::sort(subscription.begin(), subscription.end());
  uint64_t hash = sdk::kFnv1aStart;
  for (const auto& topic : subscription) hash = sdk::fnv1a(topic + '\n', hash);
  char mark[16];
  std::snprintf(mark, sizeof mark, "-%08x", static_cast<unsigned>(hash ^ (hash >> 32)));
  return instance + mark;
}

}  // namespace cdcrt::kafka_source
