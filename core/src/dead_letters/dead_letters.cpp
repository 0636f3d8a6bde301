#include "dead_letters/dead_letters.hpp"

#include <algorithm>

#include "dead_letters/target_letters.hpp"

namespace cdcrt::dead_letters {
namespace {

// More is written before a commit asks for it.
constexpr int64_t kMaxBytes = 1 << 20;

// With what containers and the text that is made of it take.
int64_t size_of(const StoredDeadLetter& letter) {
  std::size_t bytes = sizeof letter + 3 * letter.id.size() + letter.message.size() + letter.decoded_row.size();
  bytes += letter.key.value_or("").size() + letter.value.value_or("").size();
  for (const auto& [name, value] : letter.headers) bytes += 96 + name.size() + value.value_or("").size();
  return static_cast<int64_t>(2 * bytes);
}

}  // namespace

bool RecentLetters::add(const DeadLetter& letter) {
  std::string shared = letter.source + "/" + letter.topic + "/" + std::to_string(letter.partition);
  if (!letter.table.empty()) shared += "/" + letter.sink + "/" + letter.table;
  const auto number = static_cast<uint32_t>(shared_.size());
  const Id id{shared_.try_emplace(std::move(shared), number).first->second, letter.offset};
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

void DeadLetters::add(const DeadLetter& letter) {
  const std::lock_guard lock(mutex_);
  if (!recent_.add(letter)) return;
  budget_.add(letter);
  ++count_;
  ++by_table_[letter.table];
  if (tell_) {
    if (const auto line = announcements_.add(letter, Announcements::Clock::now())) tell_(*line);
  }
  StoredDeadLetter kept = stored(letter);
  account(size_of(kept));
  if (destination_) {
    pending_.push_back(std::move(kept));
    dirty_ = true;
    return;
  }
  const bool keeps = std::find(sinks_.begin(), sinks_.end(), letter.sink) != sinks_.end();
  waiting_.push_back({count_, keeps ? letter.sink : home_, std::move(kept)});
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
    std::vector<StoredDeadLetter> letters;
    {
      const std::lock_guard lock(mutex_);
      if (!dirty_) return {};
      letters.swap(pending_);
      dirty_ = false;
    }
    for (const StoredDeadLetter& letter : letters) unwritten_ += size_of(letter);
    auto written = destination_->write(std::move(letters));
    if (written) {
      account(-std::exchange(unwritten_, 0));
    } else {
      const std::lock_guard lock(mutex_);
      dirty_ = true;
    }
    return written;
  }
  if (passing.store == nullptr || !waits_for(passing.store->sink())) return {};
  // Where keys are not enforced two transactions would both insert them.
  flushed.turn = std::unique_lock(turns_.at(passing.store->sink()));
  std::vector<StoredDeadLetter> letters;
  {
    const std::lock_guard lock(mutex_);
    for (const Waiting& waiting : waiting_) {
      if (waiting.sink != passing.store->sink()) continue;
      letters.push_back(waiting.letter);
      flushed.mark = waiting.number;
    }
  }
  if (!letters.empty()) return TargetLetters(*passing.store).save(*passing.connection, letters);
  flushed.turn.unlock();
  return {};
}

void DeadLetters::committed(const progress::Store& store, const Flushed& flushed) {
  if (flushed.mark == 0) return;
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    const bool is_written = waiting.number <= flushed.mark && waiting.sink == store.sink();
    if (is_written) account(-size_of(waiting.letter));
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

std::string DeadLetters::path() const { return destination_ ? destination_->place() : place_; }

}  // namespace cdcrt::dead_letters
