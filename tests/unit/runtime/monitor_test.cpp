#include "runtime/monitor.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using cdcrt::runtime::Condition;
using cdcrt::runtime::Monitor;

constexpr auto kFarAway = 1h;

/// Threads that wait on a condition until they are let go.
class Waiters {
 public:
  Waiters(Condition& condition, int count) : condition_(condition) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this] {
        ++begun_;
        condition_.wait([this] { return is_over_.load(); }, kFarAway);
      });
    }
    while (begun_ < count) std::this_thread::yield();
    std::this_thread::sleep_for(20ms);  // most likely they sleep by now; a waiter that does not is not counted either
  }
  ~Waiters() {
    is_over_ = true;
    condition_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

 private:
  Condition& condition_;
  std::atomic<int> begun_{0};
  std::atomic<bool> is_over_{false};
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("what is told to one kind of waiters does not wake the others") {
  Monitor monitor;
  const Waiters decoders(monitor.batches, 2), coordinator(monitor.news, 1), end(monitor.settled, 1);
  for (int i = 0; i < 100; ++i) {
    monitor.batches.notify_one();
    monitor.intake.notify_all();
    monitor.room.notify_all();
  }
  CHECK(monitor.news.wakeups() == 0);
  CHECK(monitor.settled.wakeups() == 0);
}

TEST_CASE("one batch does not wake every decode worker") {
  Monitor monitor;
  const Waiters decoders(monitor.batches, 8);
  monitor.batches.notify_one();
  while (monitor.batches.wakeups() == 0) std::this_thread::yield();
  CHECK(monitor.batches.wakeups() < 8);
}

TEST_CASE("what concerns everybody wakes everybody, conditions of a sink's own among them") {
  Monitor monitor;
  Condition own(monitor);
  std::atomic<bool> is_told{false};
  std::vector<std::thread> threads;
  for (Condition* condition : {&own, &monitor.batches, &monitor.intake, &monitor.room, &monitor.settled, &monitor.news}) {
    threads.emplace_back([condition, &is_told] { condition->wait([&] { return is_told.load(); }, kFarAway); });
  }
  is_told = true;
  monitor.notify();
  for (auto& thread : threads) thread.join();
  CHECK(own.changes() == 1);
}

TEST_CASE("a change that is told while a waiter looks is not slept through") {
  Monitor monitor;
  const uint64_t seen = monitor.batches.changes();
  monitor.batches.notify_one();
  monitor.batches.wait_beyond(seen, kFarAway);
  CHECK(monitor.batches.wakeups() == 0);
}

TEST_CASE("a flow of changes from several threads is never lost between two waiters") {
  Monitor monitor;
  constexpr int kEach = 20'000, kTellers = 2;
  std::atomic<int> open{0}, done{0};
  const auto take = [&] {
    while (done < kEach * kTellers) {
      monitor.batches.wait_once(
          [&] {
            int left = open;
            while (left > 0 && !open.compare_exchange_weak(left, left - 1)) {
            }
            if (left > 0) ++done;
            return left > 0 || done == kEach * kTellers;
          },
          kFarAway);
      if (done == kEach * kTellers) monitor.batches.notify_all();
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(take);
  threads.emplace_back(take);
  for (int teller = 0; teller < kTellers; ++teller) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        ++open;
        monitor.batches.notify_one();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(done == kEach * kTellers);
}

TEST_CASE("every change is counted, so that what depends on all of them can be left alone while there is none") {
  Monitor monitor;
  monitor.room.notify_all();
  monitor.intake.notify_one();
  CHECK(monitor.changes() == 2);
}
