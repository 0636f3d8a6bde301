#include "apply/partition_fold.hpp"

#include <algorithm>

#include "cdcrt/sdk/fetch_ahead.hpp"
#include "progress/stored.hpp"

namespace cdcrt::apply {
namespace {

// Places that a truncate of another partition may send a partition back to: where they lie further from each other, it reads a little more
// again.
constexpr std::size_t kMaxMarks = 64;
// So many of them lie as near to each other as batches allow.
constexpr std::size_t kExactMarks = 4;

}  // namespace

PartitionFold::PartitionFold(progress::Partition& partition, Folding folding, bool is_detached)
    : partition_(&partition), folding_(folding), session_(partition.session()), is_detached_(is_detached) {}

void PartitionFold::fetch_rows() const {
  fold_.fetch_ahead();
  if (!marks_.empty()) sdk::fetch_ahead(&marks_.back(), sizeof marks_.back());
}

void PartitionFold::restore(int64_t next_offset, const std::string& order) {
  is_fresh_ = false;
  session_ = partition_->session();
  is_unordered_ = order.empty() && next_offset > 0;
  is_from_beginning_ = next_offset == 0;
  is_sent_to_beginning_ = is_from_beginning_ && order == progress::kSentBack;
  if (next_offset == 0 && folding_ == Folding::kLive) next_offset = partition_->began_at();
  next_ = stored_next_ = next_offset;
  stored_order_ = order;
  stand_at(order);
  marks_.emplace_back(order, next_offset);
}

void PartitionFold::stand_at(std::string_view order) {
  max_order_.assign(order);
  last_order_.assign(order == progress::kSentBack ? std::string_view() : order);
}

void PartitionFold::begin_at(int64_t first) {
  // A truncate may have sent it back to the beginning meanwhile, and that may be stored already: `first` is where it stood before, and all
  // of it is read again.
  if (!is_from_beginning_ || next_ != 0 || is_behind()) return;
  next_ = stored_next_ = first;
  if (!marks_.empty()) marks_.back().second = first;
}

void PartitionFold::begin_again(bool is_detached) {
  *this = PartitionFold(*partition_, folding_, is_detached);
  min_generation_ = partition_->generation();
}

void PartitionFold::receive(int64_t offset) {
  const int64_t first = std::max(next_, offset);
  if (std::exchange(is_fresh_, false)) {
    next_ = stored_next_ = first;
    marks_.emplace_back(std::string(), first);
  }
  if (first_buffered_ < 0) first_buffered_ = first;
}

void PartitionFold::reach(int64_t next_offset, std::size_t rows) {
  next_ = next_offset;
  mark(rows);
}

void PartitionFold::mark(std::size_t rows) {
  if (!marks_.empty() && marks_.back().first == max_order_) {
    marks_.back().second = next_;
    marked_rows_ += rows;
    return;
  }
  // A table of thousands has a row or two in each batch: a place for each would be an allocation for each row.
  if (marks_.size() >= kExactMarks && marked_rows_ < kMarkedForGood) {
    marks_.back().first.assign(max_order_);
    marks_.back().second = next_;
    marked_rows_ += rows;
    return;
  }
  marked_rows_ = rows;
  if (marks_.size() >= kMaxMarks) {
    // Every second place is dropped, so that old ones lie further apart than new ones.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < marks_.size(); i += 2) std::swap(marks_[kept++], marks_[i]);
    marks_.resize(kept);
  }
  marks_.emplace_back(max_order_, next_);
}

std::optional<int64_t> PartitionFold::first_unapplied() const {
  if (first_sealed_ >= 0 && first_buffered_ >= 0) return std::min(first_sealed_, first_buffered_);
  if (first_sealed_ >= 0) return first_sealed_;
  if (first_buffered_ >= 0) return first_buffered_;
  return std::nullopt;
}

bool PartitionFold::is_at_beginning() const { return is_sent_to_beginning_ && max_order_ == progress::kSentBack; }

void PartitionFold::note_unordered() {
  is_unordered_ = true;
  if (max_order_ == progress::kSentBack) max_order_.clear();
}

std::optional<SealedPartition> PartitionFold::seal() {
  const int64_t held_back = is_detached_ && is_missing() ? next_ : -1;
  if (next_ == stored_next_ && fold_.empty()) {
    // A truncate sent the partition back to its beginning: a stored place without an order would claim that rows before it were applied.
    first_buffered_ = held_back;
    return std::nullopt;
  }
  SealedPartition part;
  part.partition = partition_;
  part.session = session_;
  part.fold = std::exchange(fold_, Fold::after(fold_));
  part.fold.number_chains();
  part.next_offset = next_;
  part.first_offset = first_buffered_ < 0 ? next_ : first_buffered_;
  part.order = max_order_;
  part.first_order = sent_back_order_.value_or(stored_order_);
  sent_back_order_.reset();
  first_sealed_ = first_buffered_;
  sealed_next_ = part.next_offset;
  sealed_order_ = part.order;
  first_buffered_ = held_back;
  // Rows that come seldom keep a place each: the log may not reach back from one to the one before.
  marked_rows_ = kMarkedForGood;
  return part;
}

void PartitionFold::written(const SealedPartition& part) {
  stored_next_ = part.next_offset;
  stored_order_ = part.order;
  sealed_next_.reset();
  first_sealed_ = -1;
}

void PartitionFold::written_in_part(const SealedPartition& part) {
  stored_next_ = part.next_offset;
  stored_order_ = part.order;
  if (first_sealed_ >= 0) first_sealed_ = part.next_offset;
}

void PartitionFold::give_back(const SealedPartition& part) {
  if (part.session != session_) return;
  first_buffered_ = part.first_offset;
  first_sealed_ = -1;
}

void PartitionFold::stop() {
  drop_fold();
  if (first_buffered_ < 0) first_buffered_ = stored_next_;
}

// Goes back to `next`, and forgets the source orders of the rows that are dropped.
void PartitionFold::back_to(int64_t next, const std::string& order) {
  drop_fold();
  memory_.unplaced.clear();
  next_ = next;
  stand_at(order);
  sent_back_order_.reset();
  while (!marks_.empty() && marks_.back().second > next) marks_.pop_back();
  marked_rows_ = kMarkedForGood;
  if (marks_.empty() || marks_.back().first < order) marks_.emplace_back(order, next);
}

bool PartitionFold::drop_unstored() {
  const int64_t next = next_;
  if (sealed_next_) {
    back_to(*sealed_next_, sealed_order_);
  } else {
    back_to(stored_next_, stored_order_);
  }
  if (is_detached_) {
    missed_next_ = std::max(missed_next_, next);
    first_buffered_ = is_missing() ? next_ : -1;
    return false;
  }
  if (next_ >= next) {
    first_buffered_ = -1;
    return false;
  }
  first_buffered_ = next_;
  min_generation_ = rewind(next_);
  return true;
}

bool PartitionFold::drop_sealed() {
  first_sealed_ = -1;
  sealed_next_.reset();
  return drop_unstored();
}

void PartitionFold::rewind_past(std::string_view order) {
  int64_t from = 0;  // the beginning of the log, wherever that is by now
  while (!marks_.empty() && marks_.back().first > order) marks_.pop_back();
  marked_rows_ = kMarkedForGood;
  if (!marks_.empty()) from = marks_.back().second;
  drop_fold();
  memory_.unplaced.clear();
  if (is_detached_) miss(next_);
  next_ = from;
  first_buffered_ = from;
  is_sent_to_beginning_ = marks_.empty() || (is_sent_to_beginning_ && marks_.back().first == progress::kSentBack);
  // The truncate takes what may be below without an order as well: a start must not take the place for one behind such rows.
  stand_at(marks_.empty() || marks_.back().first.empty() ? progress::kSentBack : std::string_view(marks_.back().first));
  sent_back_order_ = max_order_;
  if (!is_detached_) min_generation_ = rewind(from);
}

void PartitionFold::detach(bool is_skipped) {
  missed_next_ = is_skipped ? 0 : std::max(missed_next_, next_);
  back_to(stored_next_, stored_order_);
  first_sealed_ = -1;
  sealed_next_.reset();
  first_buffered_ = is_missing() ? next_ : -1;
  is_detached_ = true;
}

void PartitionFold::reattach() {
  is_detached_ = false;
  missed_next_ = 0;
  first_buffered_ = -1;
}

void PartitionFold::skip() {
  drop_fold();
  first_buffered_ = -1;
  missed_next_ = 0;
}

bool PartitionFold::read_back_to(int64_t next_offset) {
  if (next_offset <= next_) return false;
  next_ = std::min(next_offset, missed_next_);
  if (!marks_.empty()) marks_.back().second = next_;
  return true;
}

}  // namespace cdcrt::apply
