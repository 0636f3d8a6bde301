#include "simulation/broker.hpp"

#include <algorithm>

namespace cdcrt::simulation {

Broker*& broker() {
  static Broker* current = nullptr;
  return current;
}

Broker::Broker(const Workload& workload) : workload_(workload) {
  for (std::size_t topic = 0; topic < workload.topics.size(); ++topic) {
    for (int32_t partition = 0; partition < workload.topics[topic].partitions; ++partition) logs[{static_cast<int>(topic), partition}];
  }
}

void Broker::add_partitions() {
  for (std::size_t topic = 0; topic < workload_.topics.size(); ++topic) {
    for (int32_t partition = 0; partition < workload_.topics[topic].later_partitions; ++partition)
      logs[{static_cast<int>(topic), partition}];
  }
  CDCRT_TRACE("broker: topics have grown");
  rebalance(false);
}

void Broker::produce() {
  if (produced_all()) return;
  if (next_ == workload_.growth_at) add_partitions();
  const Event& event = workload_.events[next_];
  Log& log = logs[{event.topic, event.partition}];
  CDCRT_TRACE("broker: " + workload_.topics[static_cast<std::size_t>(event.topic)].name + "[" + std::to_string(event.partition) +
              "] offset " + std::to_string(log.end()) + ": " + event.show());
  log.events.push_back(next_++);
}

int Broker::topic_of(std::string_view name) const {
  for (std::size_t i = 0; i < workload_.topics.size(); ++i) {
    if (workload_.topics[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

Broker::Member& Broker::join(int process) {
  Member& member = members[process];
  member.process = process;
  member.last_seen = scheduler().now();
  rebalance(false);
  return member;
}

void Broker::leave(int process) {
  if (members.erase(process) > 0) rebalance(false);
}

void Broker::rebalance(bool only_if_needed) {
  const auto silent =
      std::erase_if(members, [&](const auto& member) { return scheduler().now() - member.second.last_seen > kSessionTimeout; });
  if (only_if_needed && silent == 0) return;
  ++generation_;
  std::vector<Member*> present;
  for (auto& [process, member] : members) {
    member.assigned.clear();
    present.push_back(&member);
  }
  if (present.empty()) return;
  const auto shift = static_cast<std::size_t>(random().below(static_cast<int64_t>(present.size())));
  std::size_t index = shift;
  for (const auto& [place, log] : logs) {
    Member& member = *present[random().chance(200) ? static_cast<std::size_t>(random().below(static_cast<int64_t>(present.size())))
                                                   : index++ % present.size()];
    member.assigned.insert(place);
  }
  CDCRT_TRACE("broker: rebalanced among " + std::to_string(present.size()));
}

}  // namespace cdcrt::simulation
