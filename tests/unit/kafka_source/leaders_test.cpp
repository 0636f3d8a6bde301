#include "leaders.hpp"

#include <doctest/doctest.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "cdcrt/sdk/status.hpp"

using namespace std::chrono_literals;
using namespace cdcrt;
using namespace cdcrt::kafka_source;

namespace {

/// Partitions of one topic, each led by the broker of its number's remainder, and lists that end as librdkafka's do.
struct Cluster {
  explicit Cluster(int32_t partitions, int32_t of_brokers) : brokers(of_brokers) {
    for (int32_t i = 0; i < partitions; ++i) places.push_back({sdk::borrow(topic), i, 0, 0});
  }
  void ask() {
    leaders.ask(
        places, 100, [this](const Leaders::Indices& wanted) { return answer(wanted); }, now);
  }
  std::optional<int> answer(const Leaders::Indices& wanted) {
    if (lists++ >= most) return std::nullopt;
    const auto any = [&](const std::set<int32_t>& of) {
      return std::any_of(wanted.begin(), wanted.end(), [&](std::size_t i) { return of.count(static_cast<int32_t>(i) % brokers) > 0; });
    };
    if (any(away)) {
      ++in_vain;
      return RD_KAFKA_RESP_ERR__TIMED_OUT;
    }
    if (std::any_of(wanted.begin(), wanted.end(), [&](std::size_t i) { return bad.count(i) > 0; }))
      return RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    told.insert(wanted.begin(), wanted.end());
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  /// What was asked for since it was last looked.
  void forget() {
    told.clear();
    lists = in_vain = learned = 0;
  }

  const std::string topic = "people";
  const int32_t brokers;
  std::vector<cdcrt_place> places;
  std::set<int32_t> away;
  std::set<std::size_t> bad, told;
  int lists = 0, most = 1000, in_vain = 0, learned = 0;
  bool tells = true;
  Leaders::Clock::time_point now = Leaders::Clock::now();
  Leaders leaders{[this](Leaders::Map& to) {
    ++learned;
    for (const auto& place : places) to[{topic, place.partition}] = place.partition % brokers;
    return tells;
  }};
};

}  // namespace

TEST_CASE("leaders: as long as all answer there are as few lists as can be, and nobody is asked who leads what") {
  Cluster cluster(500, 3);
  cluster.ask();
  CHECK(cluster.told.size() == 500);
  CHECK(cluster.lists == 5);
  CHECK(cluster.learned == 0);
}

TEST_CASE("leaders: an error of one partition keeps nobody of its list from an answer") {
  Cluster cluster(200, 3);
  cluster.bad = {17, 130};
  cluster.ask();
  CHECK(cluster.told.size() == 198);
  CHECK(cluster.learned == 0);
}

TEST_CASE("leaders: while a broker is away what the others lead is told, and it is waited for twice and not once for each list") {
  Cluster cluster(500, 3);
  cluster.away = {1};
  cluster.ask();
  CHECK(cluster.told.size() == 333);
  CHECK(cluster.in_vain == 2);
  CHECK(cluster.learned == 1);
  cluster.forget();
  cluster.ask();
  CHECK(cluster.told.size() == 333);
  CHECK(cluster.in_vain == 0);
  CHECK(cluster.learned == 0);
  // It is asked again, once, and ever more rarely.
  cluster.now += 10s;
  cluster.forget();
  cluster.ask();
  CHECK(cluster.told.size() == 333);
  CHECK(cluster.in_vain == 1);
  cluster.now += 10s;
  cluster.ask();
  CHECK(cluster.in_vain == 1);
  // It is back.
  cluster.now += 60s;
  cluster.away = {};
  cluster.forget();
  cluster.ask();
  CHECK(cluster.told.size() == 500);
  cluster.forget();
  cluster.ask();
  CHECK(cluster.lists == 5);
}

TEST_CASE("leaders: a broker that answers for one partition alone is in the lists again at once") {
  Cluster cluster(500, 3);
  cluster.away = {1};
  cluster.ask();
  cluster.away = {};
  cluster.leaders.answered("people", 2);
  cluster.forget();
  cluster.ask();
  CHECK(cluster.told.size() == 333);
  cluster.leaders.answered("people", 4);
  cluster.forget();
  cluster.ask();
  CHECK(cluster.told.size() == 500);
  CHECK(cluster.lists == 5);
}

TEST_CASE(
    "leaders: where nobody answers at all it is waited for once, however many lists there are, until one answers or time has passed") {
  Cluster cluster(500, 3);
  cluster.away = {0, 1, 2};
  cluster.tells = false;
  for (int i = 0; i < 3; ++i) cluster.ask();
  CHECK(cluster.in_vain == 1);
  CHECK(cluster.learned == 1);
  cluster.away = {};
  cluster.tells = true;
  cluster.ask();
  CHECK(cluster.told.empty());
  cluster.leaders.answered("people", 0);
  cluster.ask();
  CHECK(cluster.told.size() == 500);
}

TEST_CASE("leaders: who asks for nothing more says nothing of those that are away") {
  Cluster cluster(500, 3);
  cluster.away = {1};
  cluster.ask();
  cluster.now += 10s;
  cluster.forget();
  cluster.most = 1;  // of broker 0
  cluster.ask();
  CHECK(cluster.lists == 2);
  cluster.most = 1000;
  cluster.forget();
  cluster.ask();
  CHECK(cluster.in_vain == 1);  // it is due, and still away
  CHECK(cluster.told.size() == 333);
}
