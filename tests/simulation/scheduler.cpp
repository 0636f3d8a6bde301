#include "simulation/scheduler.hpp"

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace cdcrt::simulation {
namespace {

constexpr std::size_t kStackBytes = 256 << 10;

Scheduler* scheduler = nullptr;
jmp_buf outside;
ucontext_t made;

// Stacks outlive schedules: they are dear to map and cheap to use again.
std::array<void*, 1024> free_stacks;
std::size_t free_stack_count = 0;

void give_stack(void* stack) {
  if (free_stack_count < free_stacks.size()) {
    free_stacks[free_stack_count++] = stack;
  } else {
    ::munmap(stack, kStackBytes);
  }
}

void* take_stack() {
  if (free_stack_count > 0) return free_stacks[--free_stack_count];
  void* stack = ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stack == MAP_FAILED) std::abort();
  return stack;
}

}  // namespace

struct Fiber {
  int process = 0;
  uint32_t number = 0;
  Time wake = 0;
  uint64_t queued = 0;
  const void* channel = nullptr;
  bool woken = false;
  bool started = false;
  bool ended = false;
  std::function<void()> body;
  void* stack = nullptr;
  jmp_buf context;
};

Scheduler* current_scheduler() { return scheduler; }

Scheduler::Scheduler() { scheduler = this; }

Scheduler::~Scheduler() {
  for (Fiber* fiber : fibers_) {
    if (fiber->stack != nullptr) give_stack(fiber->stack);
  }
  scheduler = nullptr;
}

Fiber* Scheduler::spawn(int process, std::function<void()> body) {
  auto* fiber = new Fiber;
  fiber->process = process;
  fiber->number = ++fiber_count_;
  fiber->body = std::move(body);
  fiber->wake = now_;
  fiber->queued = ++number_;
  fibers_.push_back(fiber);
  return fiber;
}

void Scheduler::at(Time time, std::function<void()> event) { events_.push_back({std::max(time, now_), ++number_, std::move(event)}); }

void Scheduler::kill(int process) {
  for (Fiber* fiber : fibers_) {
    if (fiber->process == process) fiber->ended = true;
  }
}

void Scheduler::freeze(int process, Time until) {
  const auto index = static_cast<std::size_t>(process);
  if (frozen_until_.size() <= index) frozen_until_.resize(index + 1);
  frozen_until_[index] = until;
}

bool Scheduler::is_frozen(int process) const {
  const auto index = static_cast<std::size_t>(process);
  return index < frozen_until_.size() && frozen_until_[index] > now_;
}

void Scheduler::wake(const void* channel) {
  for (Fiber* fiber : fibers_) {
    if (fiber->ended || fiber->channel != channel || fiber->woken) continue;
    fiber->woken = true;
    fiber->wake = now_;
    fiber->queued = ++number_;
  }
}

bool Scheduler::ended(const Fiber* fiber) const { return fiber->ended; }
int Scheduler::process() const { return running_ == nullptr ? -1 : running_->process; }
uint32_t Scheduler::fiber_number() const { return running_ == nullptr ? UINT32_MAX : running_->number; }

bool Scheduler::step() {
  Fiber* next = nullptr;
  Time time = kNever;
  std::erase_if(fibers_, [](Fiber* fiber) {
    if (!fiber->ended || fiber->stack == nullptr) return false;
    give_stack(std::exchange(fiber->stack, nullptr));
    return true;
  });
  for (Fiber* fiber : fibers_) {
    if (fiber->ended || fiber->wake == kNever) continue;
    Time wake = std::max(fiber->wake, now_);
    const auto process = static_cast<std::size_t>(fiber->process);
    if (fiber->process >= 0 && process < frozen_until_.size()) wake = std::max(wake, frozen_until_[process]);
    if (wake < time || (wake == time && next != nullptr && fiber->queued < next->queued)) {
      time = wake;
      next = fiber;
    }
  }
  std::size_t event = events_.size();
  for (std::size_t i = 0; i < events_.size(); ++i) {
    if (event == events_.size() || std::pair(events_[i].time, events_[i].number) < std::pair(events_[event].time, events_[event].number))
      event = i;
  }
  ++steps_;
  if (event < events_.size() && events_[event].time <= time) {
    now_ = std::max(now_, events_[event].time);
    auto body = std::move(events_[event].body);
    events_.erase(events_.begin() + static_cast<std::ptrdiff_t>(event));
    body();
    return true;
  }
  if (next == nullptr) return false;
  now_ = time;
  resume(*next);
  return true;
}

void Scheduler::enter() {
  Fiber& fiber = *scheduler->running_;
  fiber.body();
  fiber.ended = true;
  scheduler->wake(&fiber);
  _longjmp(outside, 1);
}

void Scheduler::resume(Fiber& fiber) {
  running_ = &fiber;
  if (_setjmp(outside) == 0) {
    if (fiber.started) _longjmp(fiber.context, 1);
    fiber.started = true;
    fiber.stack = take_stack();
    ::getcontext(&made);
    made.uc_stack.ss_sp = fiber.stack;
    made.uc_stack.ss_size = kStackBytes;
    made.uc_link = nullptr;
    ::makecontext(&made, &Scheduler::enter, 0);
    ::setcontext(&made);
  }
  running_ = nullptr;
}

void Scheduler::suspend() {
  Fiber& fiber = *running_;
  fiber.queued = ++number_;
  if (_setjmp(fiber.context) == 0) _longjmp(outside, 1);
}

void Scheduler::sleep(Time duration) {
  if (running_ == nullptr) return;
  running_->wake = now_ + duration;
  suspend();
}

bool Scheduler::block(const void* channel, Time until) {
  Fiber& fiber = *running_;
  fiber.channel = channel;
  fiber.woken = false;
  fiber.wake = until;
  suspend();
  fiber.channel = nullptr;
  return fiber.woken;
}

}  // namespace cdcrt::simulation
