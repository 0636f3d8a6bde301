#include "runtime/table_watch.hpp"

#include <algorithm>
#include <cctype>
#include <tuple>

#include "apply/table.hpp"

namespace cdcrt::runtime {
namespace {

constexpr auto kFirstRepair = std::chrono::milliseconds(200);
constexpr unsigned kDoublings = 6;  // about 13 s
// What repairs of tables that never succeed may take of a target and of this process, however many they are.
constexpr auto kPerDetachedTable = std::chrono::milliseconds(50);

// From one transaction to the next: twice what one takes, within these, and as many times that as are under way. Writes of 15 ms come to
// two at a time so, and each takes what would have been that of three; where a write takes long all connections are used.
constexpr TableWatch::Clock::duration kMinDistance = std::chrono::milliseconds(2), kMaxDistance = std::chrono::milliseconds(5);
constexpr TableWatch::Clock::duration kMaxTableRest = std::chrono::milliseconds(50);
// While so many tables wait, and for each time as many, they rest longer.
constexpr std::size_t kManyTables = 100;
constexpr TableWatch::Clock::duration kRestOfMany = std::chrono::milliseconds(10), kMaxRestOfMany = std::chrono::seconds(1);
// In a backlog.
constexpr TableWatch::Clock::duration kRestInBacklog = std::chrono::milliseconds(50), kMaxRestInBacklog = std::chrono::seconds(5);

// What apply::ObserverSeat::rank is.
enum Rank : uint8_t { kWaitsNot, kLoadWaits, kChangesWait, kIsFull };

// How long a definition may take that is on its way, and how long it may take to read what there is.
constexpr auto kMissingKeyGrace = std::chrono::seconds(5);
constexpr auto kDefinitionsGrace = std::chrono::seconds(60);

// Process numbers, transaction ids and offsets in a reason do not make it another one.
std::string essence(apply::Trouble trouble, const std::string& reason) {
  std::string text(1, static_cast<char>('a' + static_cast<int>(trouble)));
  std::copy_if(reason.begin(), reason.end(), std::back_inserter(text), [](unsigned char c) { return std::isdigit(c) == 0; });
  return text;
}

int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

bool TableWatch::is_full(const apply::Waiting& waiting) const {
  const manifest::BatchLimits& limits = limits_of(waiting);
  return waiting.rows >= limits.max_rows || waiting.bytes >= limits.max_bytes;
}

TableWatch::Clock::time_point TableWatch::due_of(apply::Table& table, const apply::Waiting& waiting) const {
  // What is full goes behind what has been due before, so that a busy table keeps no other one waiting.
  if (is_full(waiting)) return Clock::now();
  const manifest::BatchLimits& limits = limits_of(waiting);
  auto due = waiting.since + limits.max_age;
  if (waiting.last_sealed != Clock::time_point{}) due = std::max(due, waiting.last_sealed + limits.min_interval);
  return std::max(due, table.seat().rests_until);
}

namespace {

bool is_later(const auto& a, const auto& b) { return std::tie(a.due, a.since, a.listing) > std::tie(b.due, b.since, b.listing); }

}  // namespace

bool TableWatch::Places::is_outdated(const Place& place) { return place.table->seat().listing != place.listing; }

void TableWatch::Places::add(const Place& place) {
  ++size_;
  // Places that were left, with a far time, must not pile up.
  constexpr std::size_t kFew = 64;
  if (heap_.size() >= 2 * size_ + kFew) {
    std::erase_if(heap_, is_outdated);
    std::make_heap(heap_.begin(), heap_.end(), is_later<Place, Place>);
  }
  heap_.push_back(place);
  std::push_heap(heap_.begin(), heap_.end(), is_later<Place, Place>);
}

void TableWatch::Places::leave_one() { --size_; }

void TableWatch::Places::pop() {
  --size_;
  std::pop_heap(heap_.begin(), heap_.end(), is_later<Place, Place>);
  heap_.pop_back();
}

const TableWatch::Places::Place* TableWatch::Places::first() {
  while (!heap_.empty() && is_outdated(heap_.front())) {
    std::pop_heap(heap_.begin(), heap_.end(), is_later<Place, Place>);
    heap_.pop_back();
  }
  return heap_.empty() ? nullptr : &heap_.front();
}

void TableWatch::ready(apply::Table& table, const apply::Waiting& waiting) {
  const Rank rank = is_full(waiting) ? kIsFull : waiting.is_load ? kLoadWaits : kChangesWait;
  apply::ObserverSeat& seat = table.seat();
  // Until it is taken, more rows change nothing but that it becomes full, or that a change comes behind a load. Whoever takes it at this
  // moment seals it under the table's lock, after the call that brought these rows.
  if (seat.rank.load(std::memory_order_acquire) >= rank) return;
  const std::lock_guard lock(mutex_);
  const uint8_t before = seat.rank.load(std::memory_order_relaxed);
  if (before >= rank) return;
  Places& list = rank == kIsFull ? full_ : waiting_;
  auto due = due_of(table, waiting);
  if (before != kWaitsNot) {
    due = std::min(due, seat.due);
    waiting_.leave_one();
  }
  seat.listing = ++listings_;
  seat.due = due;
  seat.rank.store(rank, std::memory_order_release);
  list.add({due, waiting.since, seat.listing, &table});
}

TableWatch::Places* TableWatch::longest_due(bool all, Clock::time_point now) {
  Places* longest = nullptr;
  for (Places* list : {&full_, &waiting_}) {
    const Places::Place* const first = list->first();
    if (first == nullptr || (!all && first->due > now)) continue;
    if (longest == nullptr || is_later(*longest->first(), *first)) longest = list;
  }
  return longest;
}

apply::Table* TableWatch::take_from(Places& list, Clock::time_point now) {
  apply::Table* const table = list.first()->table;
  list.pop();
  apply::ObserverSeat& seat = table->seat();
  seat.listing = 0;
  if (keeps_distance_) seat.taken = now;
  seat.rank.store(kWaitsNot, std::memory_order_release);
  ++taken_;
  return table;
}

apply::Table* TableWatch::take(bool all, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Places* list = longest_due(all, now);
  if (list == &waiting_ && !all && now < opens()) list = full_.size() == 0 ? nullptr : &full_;
  if (list == nullptr) return nullptr;
  // What is full neither waits for others nor makes them wait.
  if (list == &waiting_) begun_ = now;
  ++under_way_;
  return take_from(*list, now);
}

apply::Table* TableWatch::take_beside(bool all, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  Places* list = longest_due(all, now);
  return list == nullptr ? nullptr : take_from(*list, now);
}

void TableWatch::done(std::size_t tables, Clock::time_point taken, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  taken_ -= tables;
  --under_way_;
  distance_ = 2 * (now - taken);
}

void TableWatch::give_up(std::size_t tables, bool all) {
  const std::lock_guard lock(mutex_);
  taken_ -= tables;
  if (all) --under_way_;
}

TableWatch::Clock::time_point TableWatch::opens() const {
  if (!keeps_distance_ || begun_ == Clock::time_point{}) return {};
  return begun_ + std::min(std::clamp(distance_, kMinDistance, kMaxDistance) * std::max<Clock::rep>(1, static_cast<Clock::rep>(under_way_)),
                           kMaxTableRest);
}

std::optional<TableWatch::Clock::time_point> TableWatch::next_due() const {
  const std::lock_guard lock(mutex_);
  std::optional<Clock::time_point> next;
  if (const auto* const first = waiting_.first()) next = std::max(first->due, opens());
  if (const auto* const first = full_.first()) next = next ? std::min(*next, first->due) : first->due;
  return next;
}

bool TableWatch::idle() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() == 0 && full_.size() == 0 && taken_ == 0;
}

TableWatch::Clock::time_point TableWatch::last_written() const {
  const std::lock_guard lock(mutex_);
  return last_written_;
}

void TableWatch::reads(apply::Table& table, const progress::Partition& partition) {
  const std::lock_guard lock(mutex_);
  readers_[&partition].push_back(&table);
}

std::vector<apply::Table*> TableWatch::readers_of(const progress::Partition& partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = readers_.find(&partition);
  return found == readers_.end() ? std::vector<apply::Table*>() : found->second;
}

void TableWatch::troubled(apply::Table& table, apply::Trouble trouble, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  if (trouble == apply::Trouble::kStopped) {
    detached_.erase(&table);
  } else {
    const auto [place, added] = detached_.try_emplace(&table);
    place->second.by_operator = trouble == apply::Trouble::kPaused;
    place->second.lacks_key = trouble == apply::Trouble::kLacksKey;
    place->second.awaits_definitions = trouble == apply::Trouble::kAwaitsDefinitions;
    if (added) place->second.last_progress = Clock::now();
  }
  const bool waits = trouble == apply::Trouble::kLacksKey || trouble == apply::Trouble::kAwaitsDefinitions;
  if (!waits || told_.contains(&table)) {
    waits_.erase(&table);
    tell(table, trouble, reason);
    return;
  }
  const auto grace = trouble == apply::Trouble::kLacksKey ? kMissingKeyGrace : kDefinitionsGrace;
  Waits& wait = waits_.try_emplace(&table, Waits{Clock::now() + grace, trouble, reason}).first->second;
  wait.trouble = trouble;
  wait.reason = reason;
}

void TableWatch::tell(apply::Table& table, apply::Trouble trouble, const std::string& reason) {
  std::string& told = told_[&table];
  if (std::string now = essence(trouble, reason); told != now) {
    told = std::move(now);
    // What an operator asked for is stored by who asked.
    if (trouble == apply::Trouble::kPaused) {
      troubles_[&table] = std::nullopt;
    } else {
      troubles_[&table] = progress::StoredTrouble{trouble == apply::Trouble::kStopped, reason, now_ms(), {}};
    }
    tell_(table, trouble, reason);
  }
}

void TableWatch::tell_waiting(bool all, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  for (auto wait = waits_.begin(); wait != waits_.end();) {
    if (!all && now < wait->second.due) {
      ++wait;
      continue;
    }
    tell(*wait->first, wait->second.trouble, wait->second.reason);
    wait = waits_.erase(wait);
  }
}

void TableWatch::read_topics(Topics topics) {
  const std::lock_guard lock(mutex_);
  topics_ = std::move(topics);
}

bool TableWatch::are_defined_apart(const progress::Partition& rows, const std::string& server) {
  // What is read of files comes in the order of its lines, and a pipe cannot be read again.
  if (!rows.is_assigned() || rows.topic() == server) return false;
  const std::lock_guard lock(mutex_);
  return topics_.contains({rows.source(), server});
}

std::vector<apply::Table*> TableWatch::waiting_for_definitions() const {
  const std::lock_guard lock(mutex_);
  std::vector<apply::Table*> waiting;
  for (const auto& [table, detached] : detached_) {
    if (detached.awaits_definitions) waiting.push_back(table);
  }
  return waiting;
}

bool TableWatch::was_told(const apply::Table& table) const {
  const std::lock_guard lock(mutex_);
  return told_.contains(&table);
}

void TableWatch::told(apply::Table& table) {
  const std::lock_guard lock(mutex_);
  waits_.erase(&table);
  const auto found = detached_.find(&table);
  if (found == detached_.end()) return;
  const bool is_tried = found->second.is_tried;
  found->second = {};
  found->second.is_tried = is_tried;
  found->second.last_progress = Clock::now();
}

void TableWatch::recovered(apply::Table& table) {
  const std::lock_guard lock(mutex_);
  detached_.erase(&table);
  waits_.erase(&table);
  if (told_.erase(&table) > 0) troubles_[&table] = std::nullopt;
}

void TableWatch::written(apply::Table& table) {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (keeps_distance_ && table.seat().taken != Clock::time_point{}) table.seat().rests_until = now + rest_after(now - table.seat().taken);
  if (const auto found = detached_.find(&table); found != detached_.end()) {
    found->second.last_progress = now;
    return;
  }
  last_written_ = now;
  if (!told_.empty() && told_.erase(&table) > 0) troubles_[&table] = std::nullopt;
}

// Where very many tables have rows all the time each has few of them, and what a write of a table costs beside its rows would be most of
// all.
TableWatch::Clock::duration TableWatch::rest_after(Clock::duration write) const {
  const Clock::duration rest = std::min(write, kMaxTableRest);
  const auto many = static_cast<Clock::rep>(waiting_.size() / kManyTables);
  if (many <= 1) return rest;
  return is_backlog_.load(std::memory_order_relaxed) ? std::min(std::max(rest, kRestInBacklog) * many, kMaxRestInBacklog)
                                                     : std::min(std::max(rest, kRestOfMany) * many, kMaxRestOfMany);
}

void TableWatch::had_trouble(const apply::Table& table) {
  const std::lock_guard lock(mutex_);
  told_.try_emplace(&table);
}

std::vector<apply::Table*> TableWatch::due_for_repair(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  std::vector<apply::Table*> due;
  for (const auto& [table, detached] : detached_) {
    if (detached.due <= now) due.push_back(table);
  }
  return due;
}

std::optional<TableWatch::Clock::time_point> TableWatch::next_repair() const {
  const std::lock_guard lock(mutex_);
  std::optional<Clock::time_point> next;
  for (const auto& [table, detached] : detached_) next = next ? std::min(*next, detached.due) : detached.due;
  return next;
}

void TableWatch::tries(apply::Table& table) {
  const std::lock_guard lock(mutex_);
  if (const auto found = detached_.find(&table); found != detached_.end()) found->second.is_tried = true;
}

void TableWatch::tried(apply::Table& table, bool progressed) {
  const std::lock_guard lock(mutex_);
  const auto found = detached_.find(&table);
  if (found == detached_.end()) return;
  Detached& detached = found->second;
  detached.is_tried = false;
  if (progressed) {
    detached.failures = 0;
    detached.due = {};
    return;
  }
  Clock::duration pause = kFirstRepair * (1U << std::min(detached.failures++, kDoublings));
  if (detached.failures > kDoublings) pause = std::max<Clock::duration>(pause, kPerDetachedTable * detached_.size());
  detached.due = Clock::now() + pause;
}

std::optional<TableWatch::Clock::time_point> TableWatch::last_detached_progress(bool others_may_tell_keys) const {
  const std::lock_guard lock(mutex_);
  std::optional<Clock::time_point> last;
  for (const auto& [table, detached] : detached_) {
    if (detached.by_operator || (detached.lacks_key && !others_may_tell_keys)) continue;
    // One that waits for definitions is let go once all is read.
    const bool is_moving =
        detached.is_tried || detached.awaits_definitions || detached.failures == 1 || (is_repairing_ && detached.failures == 0);
    const auto progress = is_moving ? Clock::now() : detached.last_progress;
    last = last ? std::max(*last, progress) : progress;
  }
  return last;
}

std::size_t TableWatch::detached_count() const {
  const std::lock_guard lock(mutex_);
  return detached_.size();
}

TableWatch::Troubles TableWatch::take_troubles() {
  const std::lock_guard lock(mutex_);
  return std::exchange(troubles_, {});
}

void TableWatch::give_back(Troubles troubles) {
  const std::lock_guard lock(mutex_);
  troubles_.merge(troubles);  // what came since is newer
}

}  // namespace cdcrt::runtime
