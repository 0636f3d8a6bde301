#include "inspector.hpp"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <chrono>

#include "broker_error.hpp"
#include "cdcrt/sdk/near_names.hpp"
#include "owned.hpp"

namespace cdcrt::kafka_source {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kOneTryMs = 1000;
constexpr int kSilentMs = 8000;  // without a word to whoever waits

std::string seconds(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s" : std::to_string(time.count()) + " ms";
}

auto one_partition(std::string_view topic, int32_t partition) {
  PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), std::string(topic).c_str(), partition);
  return list;
}

bool holds(const std::vector<Inspector::Topic>& topics, const std::string& name) {
  return std::any_of(topics.begin(), topics.end(), [&](const auto& topic) { return topic.name == name; });
}

/// `pattern` was parsed before.
bool holds_any(const std::vector<Inspector::Topic>& topics, const std::string& pattern) {
  TopicPatterns alone;
  if (!TopicPatterns::parse({pattern}, alone)) return false;
  return std::any_of(topics.begin(), topics.end(), [&](const auto& topic) { return alone.wants(topic.name); });
}

}  // namespace

sdk::Status Inspector::client(Client::Role role, Client*& to) {
  const std::lock_guard lock(mutex_);
  auto& made = role == Client::Role::kCommitted ? group_ : lookup_;
  if (!made) {
    if (auto opened = Client::open(settings_, role, host_, this, nullptr, made); !opened) return opened;
  }
  to = made.get();
  return {};
}

sdk::Status Inspector::failed(Client& client, int code, const std::string& what, std::string_view topic) {
  client.listen();
  Diagnostics& diagnostics = client.diagnostics();
  if (!is_transport(code)) return broker_error(code, what, {}, settings_, topic);
  if (diagnostics.is_refused()) {
    auto status = refused(settings_, diagnostics);
    if (was_reached_ || status.code() != CDCRT_RETRY) return status;
    return sdk::Status::error(CDCRT_UNREACHABLE, std::string(status.message()), std::string(status.hint()));
  }
  const std::string last = diagnostics.last();
  const std::string reason = last.empty() ? std::string(rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code))) : last;
  if (was_reached_) {
    return sdk::Status::retry(what + ": no broker answers: " + reason,
                              "the brokers at " + settings_.brokers +
                                  " name the addresses to connect to (advertised.listeners): they must be reachable from here");
  }
  return sdk::Status::error(
      CDCRT_UNREACHABLE,
      "no Kafka broker answers at " + settings_.brokers + " within " + seconds(settings_.connect_timeout) + ": " + reason,
      kafka::advice_on_protocol(settings_.security));
}

sdk::Status Inspector::topics(std::vector<Topic>& to) {
  Client* lookup = nullptr;
  if (auto opened = client(Client::Role::kLookup, lookup); !opened) return opened;
  const auto deadline = Clock::now() + settings_.connect_timeout;
  const rd_kafka_metadata_t* raw = nullptr;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const auto code = rd_kafka_metadata(lookup->get(), 1, nullptr, &raw, static_cast<int>(std::clamp<int64_t>(left, 1, kOneTryMs)));
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    lookup->listen();
    if (!is_transport(code) || lookup->diagnostics().is_refused() || Clock::now() >= deadline)
      return failed(*lookup, code, "cannot list the topics", {});
  }
  const Metadata metadata(raw);
  was_reached_ = true;
  lookup->diagnostics().reached();
  broker_count_ = static_cast<std::size_t>(metadata->broker_cnt);
  for (int i = 0; i < metadata->topic_cnt; ++i) {
    const auto& topic = metadata->topics[i];
    if (topic.err == RD_KAFKA_RESP_ERR_NO_ERROR || topic.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
      to.push_back({topic.topic, topic.partition_cnt});
  }
  std::sort(to.begin(), to.end(), [](const Topic& a, const Topic& b) { return a.name < b.name; });
  return {};
}

sdk::Status Inspector::missing_topic(Client& client, const std::string& name, const std::vector<Topic>& topics) {
  // Brokers leave out of their list what this user may not see; asked for one by name they tell.
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client.get(), name.c_str(), nullptr);
  const rd_kafka_metadata_t* raw = nullptr;
  const auto code = topic == nullptr ? rd_kafka_last_error() : rd_kafka_metadata(client.get(), 0, topic, &raw, timeout_ms());
  if (topic != nullptr) rd_kafka_topic_destroy(topic);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(client, code, "cannot ask for topic '" + name + "'", name);
  const Metadata metadata(raw);
  const auto problem = metadata->topic_cnt > 0 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
  if (problem == RD_KAFKA_RESP_ERR_NO_ERROR || problem == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) return {};
  if (problem == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) return broker_error(problem, "topic '" + name + "'", {}, settings_, name);
  std::vector<std::string> names;
  for (const auto& known : topics) names.push_back(known.name);
  std::string hint = sdk::did_you_mean(sdk::near_names(name, names));
  hint += (hint.empty() ? "" : " ") + std::string("A topic that is to appear later is given as a pattern, for example '") + name + "*'";
  return sdk::Status::bad_config("topics", "topic '" + name + "' does not exist at " + settings_.brokers, hint);
}

void Inspector::count_wanted(const std::vector<Topic>& topics) {
  topic_count_ = static_cast<std::size_t>(
      std::count_if(topics.begin(), topics.end(), [this](const Topic& topic) { return settings_.topics.wants(topic.name); }));
}

sdk::Status Inspector::check() {
  std::vector<Topic> found;
  if (auto listed = topics(found); !listed) return listed;
  for (const auto& name : settings_.topics.plain()) {
    if (holds(found, name)) continue;
    if (auto missing = missing_topic(*lookup_, name, found); !missing) return missing;
  }
  count_wanted(found);
  for (const auto& pattern : settings_.topics.open()) {
    if (!holds_any(found, pattern))
      host_.warn("no topic matches '" + pattern + "' at " + settings_.brokers + "; waiting for one to appear");
  }
  return {};
}

sdk::Status Inspector::check(std::string_view topic) {
  std::vector<Topic> found;
  if (auto listed = topics(found); !listed) return listed;
  const std::string name(topic);
  return holds(found, name) ? sdk::Status() : missing_topic(*lookup_, name, found);
}

sdk::Status Inspector::unmet(std::vector<std::string>& entries) {
  std::vector<Topic> found;
  if (auto listed = topics(found); !listed) return listed;
  count_wanted(found);
  sdk::Status hidden;
  for (const auto& name : settings_.topics.plain()) {
    if (holds(found, name)) continue;
    entries.push_back(name);
    if (!hidden.ok()) continue;
    auto missing = missing_topic(*lookup_, name, found);
    if (missing.code() == CDCRT_AUTH) hidden = std::move(missing);
  }
  for (const auto& pattern : settings_.topics.open()) {
    if (!holds_any(found, pattern)) entries.push_back(pattern);
  }
  return hidden;
}

sdk::Status Inspector::list(const std::function<bool(std::string_view, int32_t)>& visit) {
  std::vector<Topic> found;
  if (auto listed = topics(found); !listed) return listed;
  for (const auto& topic : found) {
    if (!settings_.topics.wants(topic.name)) continue;
    for (int32_t partition = 0; partition < topic.partitions; ++partition) {
      if (!visit(topic.name, partition)) return {};
    }
  }
  return {};
}

sdk::Status Inspector::bounds(std::string_view topic, int32_t partition, cdcrt_bounds& out) {
  Client* lookup = nullptr;
  if (auto opened = client(Client::Role::kLookup, lookup); !opened) return opened;
  // Not rd_kafka_query_watermark_offsets: it heeds its timeout only once the partition's leader was reached (2.0.2), and waits for
  // socket.timeout.ms, a minute, where that cannot be.
  const auto ask_for = [&](int64_t which, int64_t& offset, int within_ms) {
    const auto list = one_partition(topic, partition);
    list->elems[0].offset = which;
    const auto code = rd_kafka_offsets_for_times(lookup->get(), list.get(), within_ms);
    offset = list->elems[0].offset;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? list->elems[0].err : code;
  };
  const auto ask = [&](int within_ms) {
    const auto code = ask_for(RD_KAFKA_OFFSET_BEGINNING, out.first, within_ms);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? ask_for(RD_KAFKA_OFFSET_END, out.end, within_ms) : code;
  };
  auto code = ask(std::min(kSilentMs, timeout_ms()));
  if (is_transport(code) && timeout_ms() > kSilentMs) {
    lookup->listen();
    if (!has_told_of_silence_.exchange(true)) {
      const std::string last = lookup->diagnostics().last();
      host_.warn("the broker that leads " + partition_name(topic, partition) + " has not answered for " + std::to_string(kSilentMs / 1000) +
                 " s" + (last.empty() ? "" : ": " + last) + "; waiting on. The brokers at " + settings_.brokers +
                 " name the addresses to connect to (advertised.listeners): they must be reachable from here");
    }
    code = ask(timeout_ms() - kSilentMs);
  }
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return failed(*lookup, code, "cannot ask for the bounds of " + partition_name(topic, partition), topic);
  was_reached_ = true;
  leaders_.answered(topic, partition);
  return {};
}

sdk::Status Inspector::offset_at(std::string_view topic, int32_t partition, int64_t timestamp_ms, int64_t& offset) {
  Client* lookup = nullptr;
  if (auto opened = client(Client::Role::kLookup, lookup); !opened) return opened;
  const auto list = one_partition(topic, partition);
  list->elems[0].offset = std::max<int64_t>(0, timestamp_ms);
  auto code = rd_kafka_offsets_for_times(lookup->get(), list.get(), timeout_ms());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = list->elems[0].err;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(*lookup, code, "cannot find a time in " + partition_name(topic, partition), topic);
  was_reached_ = true;
  leaders_.answered(topic, partition);
  offset = list->elems[0].offset;
  if (offset >= 0) return {};
  cdcrt_bounds now{};
  auto asked = bounds(topic, partition, now);
  offset = now.end;
  return asked;
}

sdk::Status Inspector::committed(std::string_view topic, int32_t partition, int64_t& offset) {
  Client* group = nullptr;
  if (auto opened = client(Client::Role::kCommitted, group); !opened) return opened;
  const auto list = one_partition(topic, partition);
  auto code = rd_kafka_committed(group->get(), list.get(), timeout_ms());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = list->elems[0].err;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return failed(*group, code, "cannot ask what group '" + settings_.group + "' has committed for " + partition_name(topic, partition),
                  topic);
  }
  was_reached_ = true;
  committed_again_at_ = 0;
  offset = list->elems[0].offset;
  return {};
}

void Inspector::tell_of_start(std::string_view topic, int32_t partition) {
  if (has_told_of_start_.exchange(true)) return;
  host_.info("group '" + settings_.group + "' has no committed offset for " + partition_name(topic, partition) +
             ": read from its beginning, and likewise every other partition without one");
}

sdk::Status Inspector::origin(std::string_view topic, int32_t partition, int64_t& offset) {
  const StartPosition& start = settings_.start;
  if (start.kind == StartPosition::Kind::kTime) return offset_at(topic, partition, start.timestamp_ms, offset);
  if (start.kind == StartPosition::Kind::kCommitted) {
    auto asked = committed(topic, partition, offset);
    if (!asked || offset >= 0) return asked;
    tell_of_start(topic, partition);
  }
  cdcrt_bounds now{};
  auto asked = bounds(topic, partition, now);
  offset = start.kind == StartPosition::Kind::kLatest ? now.end : now.first;
  return asked;
}

}  // namespace cdcrt::kafka_source
