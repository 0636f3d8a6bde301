#include "apply/table.hpp"

#include <algorithm>
#include <utility>

#include "cdcrt/sdk/fetch_ahead.hpp"
#include "cdcrt/sdk/status.hpp"
#include "diagnostics/suggestion.hpp"

namespace cdcrt::apply {
namespace {

std::string paused_text(const std::string& reason) {
  return progress::is_own_reason(reason) ? reason : "paused by an operator" + (reason.empty() ? "" : ": " + reason);
}

}  // namespace

Table::Table(TableIdentity identity) : identity_(std::move(identity)), fold_(identity_, Folding::kLive) {}

cdcrt_table Table::abi() const {
  return {identity_.schema.empty() ? cdcrt_string{nullptr, 0} : sdk::borrow(identity_.schema), sdk::borrow(identity_.name)};
}

void Table::restore(const progress::StoredTable& stored) {
  const std::lock_guard lock(mutex_);
  fold_.restore(stored);
  definition_.restore(stored.columns, fold_.knowledge());
  is_skipped_ = stored.state == progress::TableState::kSkipped;
  is_paused_ = stored.state == progress::TableState::kPaused;
  if (is_paused_) detached_ = paused_text(stored.reason);
  kept_.take(stored);
  kept_.take(key_changes_from(stored.key_changes, fold_.knowledge().columns()));
  kept_.knowledge_stored(fold_.knowledge().version());
  dead_letters_.restore(stored.has_no_dead_letters);
  if (!detached_.empty()) tell_trouble();
}

void Table::restore_progress(const progress::StoredTable& stored, const progress::PartitionsByKey& ours) {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, position] : stored.progress) {
    const auto of = ours.find(key);
    if (of != ours.end()) fold_.restore_progress(partition(*of->second), position.next_offset, position.order);
  }
  fold_.restore_sightings(stored);
}

PartitionFold& Table::partition(progress::Partition& of) {
  const bool is_known = fold_.knows(of);
  PartitionFold& found = fold_.partition(of, !detached_.empty());
  if (!is_known && identity_.observer != nullptr) identity_.observer->reads(*this, of);
  return found;
}

void Table::begin_at(const progress::PartitionKey& key, int64_t first) {
  const std::lock_guard lock(mutex_);
  fold_.begin_at(key, first);
}

void Table::forget(const progress::Partition& of) {
  const std::lock_guard lock(mutex_);
  PartitionFold* const found = fold_.find(of);
  if (found == nullptr) return;
  keys_.forget();
  fold_.forget(*found, !detached_.empty());
  if (!fold_.is_dirty()) waiting_intake_ = {};
  if (!fold_.is_missing()) missed_ = {};
  account();
  tell_ready();
}

void Table::merge(const progress::StoredTable& stored, Sealed& sealed) {
  const std::lock_guard lock(mutex_);
  if (fold_.merge(stored, sealed)) keys_.forget();
  kept_.take(key_changes_from(stored.key_changes, fold_.knowledge().columns()));
  sealed.attempt.key_changes = kept_.key_changes();
  dead_letters_.look_again();
  kept_.take(stored);
  definition_.restore(stored.columns, fold_.knowledge());
}

void Table::fetch_ahead(Fetch step, const progress::Partition& of) const {
  if (step == Fetch::kTable) {
    // Each by its own name, wherever it stands in the class: what only writers touch is large, and would push out what rows need.
    const auto ahead = [](const auto&... members) { (sdk::fetch_ahead(&members, sizeof members), ...); };
    return ahead(seat_, mutex_, fold_, detached_, awaited_, is_writing_, last_sealed_, waiting_intake_, is_loading_, held_rows_, waiting_);
  }
  // Whoever has it has it in a cache.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return;
  step == Fetch::kPartition ? fold_.fetch_partition(of) : fold_.fetch_rows(of);
}

void Table::accept(const Decoded& batch, const uint32_t* rows, std::size_t count, const RefusalHandler& refused) {
  if (count == 0) return;
  const Intake intake = intake_of(batch, rows, count);
  const std::lock_guard lock(mutex_);
  // What was read before the partition was lost may come as late as this.
  if (!batch.partition.accepts(batch.messages.generation)) return;
  PartitionFold& into = partition(batch.partition);
  if (is_skipped_ || !into.takes(batch.messages.generation, batch.next_offset)) return;
  into.receive(batch.messages.messages[batch.rows.rows()[rows[0]].message].offset);
  if (!fold_.stopped().empty() || into.is_detached() || !fold_.lacks_key().empty() || !fold_.lacks_definitions().empty()) {
    into.miss(batch.next_offset);
    missed_.add(intake);
    const bool is_key_told = fold_.learn_key(batch, rows, count) && lacks_key_;
    const bool is_defined = awaited_ && fold_.learn_definition_topic(batch, rows, count);
    if ((is_key_told || is_defined) && identity_.observer != nullptr) identity_.observer->told(*this);
    return;
  }
  take_in(intake);
  fold_rows(batch, into, rows, count, refused);
}

void Table::take_in(const Intake& intake) {
  waiting_intake_.add(intake);
  if (intake.loaded + intake.changes > 0) is_loading_ = waiting_intake_.is_load();
}

void Table::fold_rows(const Decoded& batch, PartitionFold& into, const uint32_t* rows, std::size_t count, const RefusalHandler& refused) {
  fold_.fold(batch, into, rows, count, refused);
  if (!fold_.lacks_key().empty() || !fold_.lacks_definitions().empty()) {
    into.miss(batch.next_offset);
    if (!fold_.lacks_definitions().empty())
      awaited_ = Awaited{into.partition().source(), fold_.lacks_definitions(), std::chrono::steady_clock::now()};
    // What is being written goes its way first.
    if (!is_writing_ && detach_to_wait()) return;
  }
  account();
  if (!fold_.stopped().empty()) tell_trouble();
  tell_ready();
}

// False: there is no reason to.
bool Table::detach_to_wait() {
  if (fold_.lacks_key().empty() && fold_.lacks_definitions().empty()) return false;
  lacks_key_ = !fold_.lacks_key().empty();
  if (lacks_key_) {
    awaited_.reset();
    detached_ = fold_.lacks_key();
  } else {
    detached_ =
        "a row lacks a column that the table has, and no definition of the table was read so far, which would say whether it was "
        "renamed";
  }
  are_definitions_read_ = false;
  fold_.detach(is_skipped_);
  miss_intake();
  if (awaited_) fold_.await_definitions();
  account();
  tell_trouble();
  return true;
}

std::optional<Table::Awaited> Table::awaited_definitions() const {
  const std::lock_guard lock(mutex_);
  const bool waits = awaited_ && !are_definitions_read_ && !fold_.has_definitions() && fold_.is_missing();
  return waits ? awaited_ : std::nullopt;
}

void Table::definitions_are_read(std::chrono::steady_clock::time_point since) {
  const std::lock_guard lock(mutex_);
  if (!awaited_ || awaited_->since != since || are_definitions_read_) return;
  are_definitions_read_ = true;
  fold_.definitions_are_read();
  if (identity_.observer != nullptr) identity_.observer->told(*this);
}

bool Table::may_learn_definitions() const {
  const std::lock_guard lock(mutex_);
  return awaited_ && !fold_.has_definitions();
}

bool Table::waits_for_key() const {
  const std::lock_guard lock(mutex_);
  return lacks_key_ && !fold_.knowledge().is_key_told() && fold_.is_missing();
}

void Table::learn(const progress::StoredTable& stored) {
  Sealed none;
  merge(stored, none);
}

void Table::account() {
  const std::size_t now = fold_.bytes();
  held_rows_ = fold_.rows();
  if (identity_.memory != nullptr) identity_.memory->fetch_add(static_cast<int64_t>(now) - static_cast<int64_t>(accounted_));
  accounted_ = now;
}

void Table::tell_ready() {
  if (identity_.observer == nullptr || !fold_.is_dirty() || is_writing_ || !fold_.stopped().empty() || !detached_.empty()) return;
  identity_.observer->ready(*this, {fold_.dirty_since(), last_sealed_, fold_.rows(), accounted_, waiting_intake_.is_load()});
}

void Table::tell_trouble() {
  if (identity_.observer == nullptr) return;
  if (!fold_.stopped().empty()) return identity_.observer->troubled(*this, Trouble::kStopped, fold_.stopped());
  const Trouble trouble = is_paused_   ? Trouble::kPaused
                          : lacks_key_ ? Trouble::kLacksKey
                          : awaited_   ? Trouble::kAwaitsDefinitions
                                       : Trouble::kDetached;
  identity_.observer->troubled(*this, trouble, detached_);
}

bool Table::ready() const {
  const std::lock_guard lock(mutex_);
  return fold_.is_dirty() && !is_writing_ && fold_.stopped().empty() && detached_.empty();
}

std::chrono::steady_clock::time_point Table::waiting_since() const {
  const std::lock_guard lock(mutex_);
  return fold_.dirty_since();
}

std::chrono::steady_clock::time_point Table::last_sealed() const {
  const std::lock_guard lock(mutex_);
  return last_sealed_;
}

std::size_t Table::buffered_bytes() const {
  const std::lock_guard lock(mutex_);
  return fold_.bytes();
}

std::size_t Table::buffered_rows() const {
  const std::lock_guard lock(mutex_);
  return fold_.rows();
}

std::optional<Sealed> Table::seal(bool detached) {
  const std::lock_guard lock(mutex_);
  if (!fold_.is_dirty() || is_writing_ || !fold_.stopped().empty() || detached_.empty() == detached) return std::nullopt;
  last_sealed_ = std::chrono::steady_clock::now();
  Sealed sealed;
  sealed.table = this;
  sealed.identity = &identity_;
  sealed.bytes = accounted_;
  sealed.attempt.key_changes = kept_.key_changes();
  fold_.seal(sealed);
  accounted_ = fold_.bytes();  // what was sealed is given back by complete() or stop()
  held_rows_ = fold_.rows();
  const Intake sealed_intake = std::exchange(waiting_intake_, {});
  if (sealed.empty()) return std::nullopt;
  writing_ = sealed_intake;
  is_writing_ = true;
  return sealed;
}

// Nothing of it was written: it will be read again.
void Table::miss_intake() {
  missed_.add(std::exchange(writing_, {}));
  missed_.add(std::exchange(waiting_intake_, {}));
}

// Nothing of it is being written any more.
void Table::unseal(const Sealed& sealed) {
  is_writing_ = false;
  if (identity_.memory != nullptr) identity_.memory->fetch_sub(static_cast<int64_t>(sealed.bytes));
}

void Table::complete(const Sealed& sealed) {
  const std::lock_guard lock(mutex_);
  unseal(sealed);
  const auto without = [](uint64_t all, uint64_t refused) { return all - std::min(all, refused); };
  const EventCounts counts = sealed.counts();
  const EventCounts& refused = sealed.attempt.refused;
  applied_.inserted += without(counts.inserted, refused.inserted);
  applied_.updated += without(counts.updated, refused.updated);
  applied_.deleted += without(counts.deleted, refused.deleted);
  kept_.take(sealed.attempt.key_changes);
  fold_.written(sealed);
  if (sealed.clear) account();
  if (!sealed.empty()) {
    count_written();
    if (identity_.observer != nullptr) identity_.observer->written(*this);
  }
  writing_ = {};
  if (!detach_to_wait()) tell_ready();
}

void Table::advance(const Sealed& portion) {
  const std::lock_guard lock(mutex_);
  kept_.take(portion.attempt.key_changes);
  fold_.written_in_part(portion);
}

void Table::stop(const std::string& reason, const Sealed* sealed) {
  const std::lock_guard lock(mutex_);
  if (sealed != nullptr) {
    unseal(*sealed);
    fold_.give_back(*sealed);
  }
  fold_.stop(reason);
  miss_intake();
  account();
  tell_trouble();
}

std::string Table::stopped() const {
  const std::lock_guard lock(mutex_);
  return fold_.stopped();
}

void Table::detach(const std::string& reason, const Sealed* sealed) {
  const std::lock_guard lock(mutex_);
  if (sealed != nullptr) unseal(*sealed);
  detached_ = reason;
  lacks_key_ = false;
  awaited_.reset();
  fold_.detach(is_skipped_);
  miss_intake();
  account();
  tell_trouble();
}

std::string Table::detached() const {
  const std::lock_guard lock(mutex_);
  return detached_;
}

bool Table::is_detached() const {
  const std::lock_guard lock(mutex_);
  return !detached_.empty();
}

uint64_t Table::times_written() const {
  const std::lock_guard lock(mutex_);
  return times_written_;
}

std::vector<Table::Missed> Table::missed() const {
  const std::lock_guard lock(mutex_);
  std::vector<Missed> missed;
  for (const auto& [of, state] : fold_.partitions()) {
    if (state.is_detached() && state.is_missing()) missed.push_back({&state.partition(), state.next(), state.missed_next()});
  }
  return missed;
}

// Null unless what is read back goes on exactly where the table stands: it may have been lost, claimed again or rewound since.
PartitionFold* Table::missing_from(const progress::Partition& of, int64_t from) {
  PartitionFold* const found = fold_.find(of);
  if (found == nullptr || !fold_.stopped().empty() || !of.owned()) return nullptr;
  return found->goes_on_at(from) ? found : nullptr;
}

bool Table::read_back(const Decoded& batch, int64_t from, const uint32_t* rows, std::size_t count, const RefusalHandler& refused) {
  const std::lock_guard lock(mutex_);
  PartitionFold* const into = missing_from(batch.partition, from);
  if (into == nullptr) return false;
  take_in(intake_of(batch, rows, count));
  fold_rows(batch, *into, rows, count, refused);
  return into->next() == batch.next_offset;
}

void Table::read_back_to(progress::Partition& of, int64_t from, int64_t next_offset) {
  const std::lock_guard lock(mutex_);
  PartitionFold* const into = missing_from(of, from);
  if (into != nullptr && into->read_back_to(next_offset)) fold_.note_dirty();
}

bool Table::reattach() {
  const std::lock_guard lock(mutex_);
  if (is_writing_ || fold_.is_dirty() || fold_.is_missing()) return false;
  fold_.reattach();
  detached_.clear();
  lacks_key_ = false;
  awaited_.reset();
  is_paused_ = false;
  missed_ = {};
  if (identity_.observer != nullptr) identity_.observer->recovered(*this);
  return true;
}

void Table::pause(bool paused) {
  const std::lock_guard lock(mutex_);
  is_paused_ = paused;
}

void Table::skip(bool skipped) {
  const std::lock_guard lock(mutex_);
  is_skipped_ = skipped;
  if (!skipped) return;
  fold_.skip();
  account();
}

std::optional<int64_t> Table::first_unapplied(const progress::Partition& of) const {
  const std::lock_guard lock(mutex_);
  const PartitionFold* const found = fold_.find(of);
  return found != nullptr ? found->first_unapplied() : std::nullopt;
}

std::size_t Table::partition_count() const {
  const std::lock_guard lock(mutex_);
  return fold_.partitions().size();
}

EventCounts Table::applied() const {
  const std::lock_guard lock(mutex_);
  return applied_;
}

std::vector<Table::ColumnUse> Table::column_uses() const {
  const std::lock_guard lock(mutex_);
  std::vector<ColumnUse> uses;
  for (const auto& use : fold_.knowledge().rules()) uses.push_back({use.rule->pattern, use.met, use.rule->of_defaults});
  return uses;
}

std::string Table::advice_for(const std::string& column) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& known : fold_.knowledge().columns()) names.push_back(known.source_name);
  return diagnostics::did_you_mean(column, names);
}

bool Table::has_one_source() const {
  const std::lock_guard lock(mutex_);
  return fold_.has_one_source();
}

bool Table::is_by_source() const {
  const std::lock_guard lock(mutex_);
  return fold_.is_by_source();
}

}  // namespace cdcrt::apply
