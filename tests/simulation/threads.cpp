// Threads of the code under test become fibers of the schedule: the C library's functions that std::thread, std::mutex,
// std::condition_variable and std::chrono::steady_clock stand on are defined here, in the program itself, and thereby take the
// place of the library's. Outside of a schedule there is one thread, which never waits.
#include <pthread.h>
#include <time.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "simulation/schedule_state.hpp"
#include "simulation/scheduler.hpp"

using cdcrt::simulation::current_scheduler;
using cdcrt::simulation::Fiber;
using cdcrt::simulation::kMillisecond;
using cdcrt::simulation::Scheduler;
using cdcrt::simulation::Time;

#define CDCRT_REPLACES extern "C" __attribute__((visibility("default")))

namespace std::chrono {
inline namespace _V2 {
__attribute__((visibility("default"))) steady_clock::time_point steady_clock::now() noexcept {
  const Scheduler* scheduler = current_scheduler();
  // The epoch is not zero: what was never set is long past.
  return time_point(std::chrono::hours(1000) + std::chrono::microseconds(scheduler == nullptr ? 0 : scheduler->now()));
}
}  // namespace _V2
}  // namespace std::chrono

namespace {

constexpr unsigned kNobody = UINT32_MAX - 1;

unsigned self() { return current_scheduler() == nullptr ? kNobody : current_scheduler()->fiber_number() + 2; }
bool in_fiber() { return current_scheduler() != nullptr && current_scheduler()->process() >= 0; }
unsigned& owner(pthread_mutex_t* mutex) { return reinterpret_cast<unsigned&>(mutex->__data.__owner); }

}  // namespace

CDCRT_REPLACES int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  const unsigned me = self();
  if (owner(mutex) == me && me != kNobody) {
    std::fputs("simulation: a thread locks a mutex that it holds\n", stderr);
    std::abort();
  }
  while (in_fiber() && owner(mutex) != 0) current_scheduler()->block(mutex, cdcrt::simulation::kNever);
  owner(mutex) = me;
  return 0;
}
CDCRT_REPLACES int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  if (owner(mutex) != 0) return EBUSY;
  owner(mutex) = self();
  return 0;
}
CDCRT_REPLACES int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  owner(mutex) = 0;
  if (in_fiber()) current_scheduler()->wake(mutex);
  return 0;
}

namespace {

// A wait that is bounded may take longer than asked for: machines are busy. That keeps idle threads from costing steps.
void wait_on(pthread_cond_t* condition, pthread_mutex_t* mutex, Time until) {
  pthread_mutex_unlock(mutex);
  if (in_fiber()) current_scheduler()->block(condition, until);
  pthread_mutex_lock(mutex);
}

}  // namespace

CDCRT_REPLACES int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  wait_on(condition, mutex, cdcrt::simulation::kNever);
  return 0;
}
CDCRT_REPLACES int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t, const struct timespec*) {
  wait_on(condition, mutex, in_fiber() ? current_scheduler()->now() + cdcrt::simulation::late_wake() : 0);
  return 0;
}
CDCRT_REPLACES int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  if (current_scheduler() != nullptr) current_scheduler()->wake(condition);
  return 0;
}
CDCRT_REPLACES int pthread_cond_broadcast(pthread_cond_t* condition) noexcept { return pthread_cond_signal(condition); }

CDCRT_REPLACES int pthread_create(pthread_t* thread, const pthread_attr_t*, void* (*body)(void*), void* argument) noexcept {
  if (!in_fiber()) return EAGAIN;
  Fiber* fiber = current_scheduler()->spawn(current_scheduler()->process(), [body, argument] { body(argument); });
  *thread = reinterpret_cast<pthread_t>(fiber);
  return 0;
}
CDCRT_REPLACES int pthread_join(pthread_t thread, void**) {
  auto* fiber = reinterpret_cast<Fiber*>(thread);
  while (!current_scheduler()->ended(fiber)) current_scheduler()->block(fiber, cdcrt::simulation::kNever);
  return 0;
}

// Letters are made durable against a crash of the machine; here only processes crash.
CDCRT_REPLACES int fdatasync(int) { return 0; }
