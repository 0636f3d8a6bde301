#include "dead_letters/dead_letters.hpp"

#include <algorithm>

#include "dead_letters/target_dead_letters.hpp"

namespace cdcrt::dead_letters {
namespace {

// More is written before a commit asks for it.
constexpr int64_t kMaxBytes = 1 << 20;

// With what containers and the text that is made of it take.
int64_t size_of(const StoredDeadLetter& dead_letter) {
  std::size_t bytes = sizeof dead_letter + 3 * dead_letter.id.size() + dead_letter.message.size() + dead_letter.decoded_row.size();
  bytes += dead_letter.key.value_or("").size() + dead_letter.value.value_or("").size();
  for (const auto& [name, value] : dead_letter.headers) bytes += 96 + name.size() + value.value_or("").size();
  return static_cast<int64_t>(2 * bytes);
}

}  // namespace

bool RecentDeadLetters::add(const DeadLetter& dead_letter) {
  std::string shared = dead_letter.source + "/" + dead_letter.topic + "/" + std::to_string(dead_letter.partition);
  if (!dead_letter.table.empty()) shared += "/" + dead_letter.sink + "/" + dead_letter.table;
  const auto number = static_cast<uint32_t>(shared_.size());
  const Id id{shared_.try_emplace(std::move(shared), number).first->second, dead_letter.offset};
  if (!ids_.insert(id).second) return false;
  order_.push_back(id);
  if (order_.size() <= kMaxDeadLetters) return true;
  ids_.erase(order_.front());
  order_.pop_front();
  return true;
}

DeadLetters::DeadLetters(std::unique_ptr<Destination> destination, const Budget& budget)
    : destination_(std::move(destination)), budget_(budget) {}

DeadLetters::~DeadLetters() {
  if (destination_) (void)flush();
}

void DeadLetters::keep_in_targets(const std::vector<std::string>& sinks, const std::string& home, const std::string& place) {
  destination_.reset();
  sinks_ = sinks;
  home_ = home;
  for (const auto& sink : sinks) turns_.try_emplace(sink);
  turns_.try_emplace(home);
  place_ = place;
}

void DeadLetters::send_to(std::unique_ptr<Destination> destination) { destination_ = std::move(destination); }

void DeadLetters::read(uint64_t messages) {
  const std::lock_guard lock(mutex_);
  budget_.read(messages);
}

void DeadLetters::add(const DeadLetter& dead_letter) {
  const std::lock_guard lock(mutex_);
  if (!recent_.add(dead_letter)) return;
  budget_.add(dead_letter);
  ++count_;
  ++by_table_[dead_letter.table];
  ++by_reason_[{dead_letter.sink, dead_letter.table, dead_letter.reason}];
  if (tell_) {
    if (const auto line = announcements_.add(dead_letter, Announcements::Clock::now())) tell_(*line);
  }
  StoredDeadLetter kept = stored(dead_letter);
  account(size_of(kept));
  if (destination_) {
    pending_.push_back(std::move(kept));
    dirty_ = true;
    return;
  }
  const bool keeps = std::find(sinks_.begin(), sinks_.end(), dead_letter.sink) != sinks_.end();
  waiting_.push_back({count_, keeps ? dead_letter.sink : home_, std::move(kept)});
}

void DeadLetters::account(int64_t bytes) {
  bytes_ += bytes;
  if (counter_ != nullptr) *counter_ += bytes;
}

Result<void> DeadLetters::check() { return destination_ ? destination_->check() : Result<void>(); }

Result<void> DeadLetters::relieve() {
  if (!destination_ || bytes_ < kMaxBytes) return {};
  auto flushed = flush();
  return flushed ? Result<void>() : Result<void>(std::move(flushed.error()));
}

Result<Flushed> DeadLetters::flush(const Passing& passing) {
  Flushed flushed;
  if (auto why = exceeded()) {
    // They are kept all the same, for people to look at, where that needs no transaction.
    if (destination_) (void)write_in({}, flushed);
    return std::move(*why);
  }
  if (auto written = write_in(passing, flushed); !written) return std::move(written.error());
  return flushed;
}

Result<void> DeadLetters::write_in(const Passing& passing, Flushed& flushed) {
  if (destination_) {
    // One after the other: whoever comes second relies on what the first took along.
    const std::lock_guard turn(writing_);
    std::vector<StoredDeadLetter> dead_letters;
    {
      const std::lock_guard lock(mutex_);
      if (!dirty_) return {};
      dead_letters.swap(pending_);
      dirty_ = false;
    }
    for (const StoredDeadLetter& dead_letter : dead_letters) unwritten_ += size_of(dead_letter);
    auto written = destination_->write(std::move(dead_letters));
    if (written) account(-std::exchange(unwritten_, 0));
    const std::lock_guard lock(mutex_);
    dirty_ = dirty_ || !written;
    refusal_ = written ? std::string() : explain(written.error());
    return written;
  }
  if (passing.store == nullptr || !waits_for(passing.store->sink())) return {};
  // Where keys are not enforced two transactions would both insert them.
  flushed.turn = std::unique_lock(turns_.at(passing.store->sink()));
  std::vector<StoredDeadLetter> dead_letters;
  {
    const std::lock_guard lock(mutex_);
    for (const Waiting& waiting : waiting_) {
      if (waiting.sink != passing.store->sink()) continue;
      dead_letters.push_back(waiting.dead_letter);
      flushed.mark = waiting.number;
    }
  }
  if (!dead_letters.empty()) return TargetDeadLetters(*passing.store).save(*passing.connection, dead_letters);
  flushed.turn.unlock();
  return {};
}

void DeadLetters::committed(const progress::Store& store, const Flushed& flushed) {
  if (flushed.mark == 0) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    const bool is_written = waiting.number <= flushed.mark && waiting.sink == store.sink();
    if (is_written) account(-size_of(waiting.dead_letter));
    return is_written;
  });
}

bool DeadLetters::waits_for(const std::string& sink) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) { return waiting.sink == sink; });
}

std::optional<Error> DeadLetters::exceeded() const {
  const std::lock_guard lock(mutex_);
  return budget_.exceeded();
}

uint64_t DeadLetters::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::map<std::string, uint64_t> DeadLetters::by_table() const {
  const std::lock_guard lock(mutex_);
  return by_table_;
}

std::map<DeadLetters::Place, uint64_t> DeadLetters::by_reason() const {
  const std::lock_guard lock(mutex_);
  return by_reason_;
}

std::string DeadLetters::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_;
}

std::string DeadLetters::path() const { return destination_ ? destination_->place() : place_; }

}  // namespace cdcrt::dead_letters
