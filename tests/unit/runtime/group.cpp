#include "runtime/group.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <thread>
#include <utility>

#include "cdcrt/sdk/source.hpp"
#include "runtime/decode_pool.hpp"

namespace cdcrt::test {
namespace {

std::unique_ptr<Group>& the_group() {
  static std::unique_ptr<Group> group = std::make_unique<Group>();
  return group;
}

sdk::Status spoiled_alone(const std::string& topic) {
  if (group().alone == CDCRT_OK || !group().spoiled.contains(topic)) return {};
  return sdk::Status::error(group().alone, "nobody leads " + topic, "wait");
}

class Source final : public sdk::Source {
 public:
  static constexpr uint32_t kCapabilities = CDCRT_SOURCE_REWINDS | CDCRT_SOURCE_GROUPS;
  explicit Source(const sdk::Config&) {}
  sdk::Status seek(std::string_view topic, int32_t, int64_t offset, uint32_t) override {
    group().sought[std::string(topic)] = offset;
    return {};
  }
  sdk::Status poll(std::chrono::milliseconds, cdcrt_messages& out) override {
    ++group().polls;
    return group().on_poll ? group().on_poll(out) : sdk::Status();
  }
  sdk::Status serve() override { return group().waits_for.empty() ? sdk::Status() : sdk::Status::retry(group().waits_for, "wait"); }
  sdk::Status list(const std::function<bool(std::string_view, int32_t)>& visit) override {
    for (int i = 0; i < group().topics && visit("t" + std::to_string(i), 0); ++i) continue;
    return {};
  }
  sdk::Status bounds(std::string_view topic, int32_t, cdcrt_bounds& out) override {
    out = {0, group().end};
    return asked_alone(group().bounds, topic);
  }
  sdk::Status origin(std::string_view topic, int32_t, int64_t& offset) override {
    offset = 0;
    return asked_alone(group().origins, topic);
  }
  sdk::Status fetch(std::string_view topic, int32_t, int64_t first, int64_t,
                    const std::function<bool(const cdcrt_message&)>& visit) override {
    auto asked = asked_alone(group().messages, topic);
    if (asked && !(group().has_no_messages && group().spoiled.contains(std::string(topic)))) visit(message_at(first));
    return asked;
  }
  sdk::Status bounds_of(const std::vector<cdcrt_place>& places,
                        const std::function<void(std::size_t, const cdcrt_bounds&)>& answer) override {
    return each(group().bounds, places, [&](std::size_t i) { answer(i, {0, group().end}); });
  }
  sdk::Status origins_of(const std::vector<cdcrt_place>& places, const std::function<void(std::size_t, int64_t)>& answer) override {
    return each(group().origins, places, [&](std::size_t i) { answer(i, 0); });
  }
  sdk::Status messages_at(const std::vector<cdcrt_place>& places,
                          const std::function<void(std::size_t, const cdcrt_message*)>& answer) override {
    std::this_thread::sleep_for(group().list_of_messages_takes);
    if (group().has_no_messages) {
      for (std::size_t i = 0; i < places.size(); ++i) {
        if (group().spoiled.contains(std::string(sdk::view(places[i].topic)))) answer(i, nullptr);
      }
    }
    return each(group().messages, places, [&](std::size_t i) {
      const cdcrt_message message = message_at(places[i].offset);
      answer(i, &message);
    });
  }

 private:
  static sdk::Status asked_alone(Group::Asked& asked, std::string_view topic) {
    const std::lock_guard lock(group().mutex);
    asked.alone.emplace(topic);
    return spoiled_alone(std::string(topic));
  }
  template <class Answer>
  static sdk::Status each(Group::Asked& asked, const std::vector<cdcrt_place>& places, const Answer& answer) {
    const std::lock_guard lock(group().mutex);
    ++asked.lists;
    bool any = false;
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::string topic(sdk::view(places[i].topic));
      if (group().spoiled.contains(topic)) {
        any = true;
        if (group().lists == Group::Lists::kFailAtFirst) break;
        continue;
      }
      asked.told.insert(topic);
      answer(i);
    }
    return any && group().lists != Group::Lists::kLeaveOut ? sdk::Status::retry("one of them cannot be told") : sdk::Status();
  }
};

}  // namespace

Group& group() { return *the_group(); }

Group& new_group() {
  the_group() = std::make_unique<Group>();
  return group();
}

std::set<std::string> Group::Asked::twice() const {
  std::set<std::string> both;
  std::copy_if(told.begin(), told.end(), std::inserter(both, both.end()), [this](const auto& topic) { return alone.contains(topic); });
  return both;
}

cdcrt_message message_at(int64_t offset) {
  cdcrt_message message{};
  message.offset = offset;
  message.timestamp_ms = 1000 + offset;
  return message;
}

progress::LastMessage last_at(int64_t offset) {
  const cdcrt_message message = message_at(offset);
  return {offset, message.timestamp_ms, runtime::content_hash(message)};
}

Pipeline::Pipeline(memory_sink::Database* database, std::string owner) {
  source_of_manifest.name = "events";
  descriptor = sdk::detail::source_descriptor<Source>("group", "1.0.0", sdk::kNoOptions);
  source_of_manifest.descriptor = &descriptor;
  sources.push_back(std::make_unique<runtime::SourceRuntime>(source_of_manifest, 0, monitor, flows, INT64_MAX));
  REQUIRE(sources.front()->open().ok());
  if (database != nullptr) {
    static_cast<plugin::Component&>(sink_of_manifest) = memory_sink::component(*database);
    const auto nothing = [](const progress::Partition&) {};
    runtime::SinkRuntime::Context context{monitor, flows, reader, dead_letters, name, std::move(owner), INT64_MAX, nothing};
    sinks.push_back(std::make_unique<runtime::SinkRuntime>(sink_of_manifest, std::move(context)));
    REQUIRE(sinks.front()->open().ok());
  }
  for (int i = 0; i < group().topics; ++i) assign("t" + std::to_string(i));
}

std::set<std::string> Pipeline::unowned() {
  std::set<std::string> topics;
  for (int i = 0; i < group().topics; ++i) {
    const std::string topic = "t" + std::to_string(i);
    if (!partition(topic).owned()) topics.insert(topic);
  }
  return topics;
}

void Pipeline::settle() {
  while (!ownership.settled()) {
    REQUIRE(ownership.step().ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace cdcrt::test
