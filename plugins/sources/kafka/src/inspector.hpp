// Inspector: what the cluster holds, asked without being a member of the group.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/source.h"
#include "client.hpp"
#include "leaders.hpp"
#include "settings.hpp"

namespace cdcrt::kafka_source {

/// Connects at the first question. Every question waits at most the option `connect_timeout`; UNREACHABLE where no broker was
/// ever reached, RETRY later on. Any thread, several at once.
class Inspector {
 public:
  struct Topic {
    std::string name;
    int32_t partitions = 0;
  };

  /// `settings` outlives the inspector.
  Inspector(const Settings& settings, sdk::Host host)
      : settings_(settings), host_(std::move(host)), leaders_([this](Leaders::Map& to) { return learn_leaders(to); }) {}
  ~Inspector() {
    Client::retire(std::move(lookup_));
    Client::retire(std::move(group_));
  }
  Inspector(const Inspector&) = delete;
  Inspector& operator=(const Inspector&) = delete;

  /// Brokers reachable, credentials accepted, topics given by plain name exist. Warns where a pattern matches nothing.
  sdk::Status check();
  /// How many topics were wanted, and how many brokers there were, as of the last check() or unmet().
  [[nodiscard]] std::size_t topic_count() const { return topic_count_; }
  [[nodiscard]] std::size_t broker_count() const { return broker_count_; }
  /// check() of one topic.
  sdk::Status check(std::string_view topic);
  sdk::Status list(const std::function<bool(std::string_view, int32_t)>& visit);
  /// Names and patterns of `topics` that no topic of the cluster meets. AUTH, after all of them: one may not be seen.
  sdk::Status unmet(std::vector<std::string>& entries);
  sdk::Status bounds(std::string_view topic, int32_t partition, cdcrt_bounds& out);
  /// Where the option `start` says.
  sdk::Status origin(std::string_view topic, int32_t partition, int64_t& offset);
  /// The same of many, two requests for some hundred and each broker that leads them. What cannot be told so is not answered: where a
  /// broker is away, what it leads.
  void bounds_of(const std::vector<cdcrt_place>& places, const std::function<void(std::size_t, const cdcrt_bounds&)>& answer);
  void origins_of(const std::vector<cdcrt_place>& places, const std::function<void(std::size_t, int64_t)>& answer);
  /// For whoever else asks brokers for many partitions.
  [[nodiscard]] Leaders& leaders() { return leaders_; }
  /// The end where nothing is as late.
  sdk::Status offset_at(std::string_view topic, int32_t partition, int64_t timestamp_ms, int64_t& offset);

 private:
  sdk::Status client(Client::Role role, Client*& to);
  sdk::Status topics(std::vector<Topic>& to);
  bool learn_leaders(Leaders::Map& to);
  void count_wanted(const std::vector<Topic>& topics);
  sdk::Status committed(std::string_view topic, int32_t partition, int64_t& offset);
  void tell_of_start(std::string_view topic, int32_t partition);
  sdk::Status missing_topic(Client& client, const std::string& name, const std::vector<Topic>& topics);
  sdk::Status failed(Client& client, int code, const std::string& what, std::string_view topic);
  [[nodiscard]] int timeout_ms() const { return static_cast<int>(settings_.connect_timeout.count()); }

  const Settings& settings_;
  sdk::Host host_;
  Leaders leaders_;
  std::atomic<Leaders::Clock::rep> committed_again_at_{0};  // in lists
  std::mutex mutex_;                                        // of the clients' making
  std::unique_ptr<Client> lookup_, group_;
  std::atomic<bool> was_reached_{false}, has_told_of_start_{false}, has_told_of_silence_{false};
  std::atomic<std::size_t> topic_count_{0}, broker_count_{0};
};

}  // namespace cdcrt::kafka_source
