#include "partitions.hpp"

#include <algorithm>

namespace cdcrt::file_source {
namespace {

constexpr size_t kMaxRuns = 4096;  // even

}  // namespace

void Marks::note(const Mark& mark) {
  if (marks_.size() >= most_) {
    // Every second one goes, so that memory does not grow with the input.
    size_t kept = 0;
    for (size_t i = 0; i < marks_.size(); i += 2) marks_[kept++] = marks_[i];
    marks_.resize(kept);
    stride_ *= 2;
    far_bytes_ *= 2;
    far_files_ *= 2;
  }
  marks_.push_back(mark);
  last_ = mark;
  last_place_ = mark;
  since_ = 0;
}

Mark Marks::before(int64_t offset) const {
  const auto after =
      std::upper_bound(marks_.begin(), marks_.end(), offset, [](int64_t wanted, const Mark& mark) { return wanted < mark.offset; });
  return after == marks_.begin() ? Mark{} : *(after - 1);
}

void Runs::add(int64_t offset) {
  if (!runs_.empty() && runs_.back().last + 1 == offset) {
    runs_.back().last = offset;
    return;
  }
  if (runs_.size() >= kMaxRuns) {
    size_t kept = 0;
    for (size_t i = 0; i + 1 < runs_.size(); i += 2) runs_[kept++] = {runs_[i].first, runs_[i + 1].last};
    runs_.resize(kept);
  }
  runs_.push_back({offset, offset});
}

void Runs::forget_from(int64_t offset) {
  while (!runs_.empty() && runs_.back().first >= offset) runs_.pop_back();
  if (!runs_.empty()) runs_.back().last = std::min(runs_.back().last, offset - 1);
}

bool Runs::contains(int64_t offset) const {
  const auto after =
      std::upper_bound(runs_.begin(), runs_.end(), offset, [](int64_t wanted, const Run& run) { return wanted < run.first; });
  return after != runs_.begin() && (after - 1)->last >= offset;
}

Partition* Partitions::find(std::string_view topic, int32_t number) const {
  const auto known = by_place_.find(Place{topic, number});
  return known == by_place_.end() ? nullptr : known->second;
}

Partition& Partitions::make(std::string_view topic, int32_t number, bool is_wanted) {
  auto partition = std::make_unique<Partition>();
  partition->topic = std::make_shared<const std::string>(topic);
  partition->number = number;
  partition->is_wanted = is_wanted;
  const std::lock_guard<std::mutex> lock(mutex_);
  all_.push_back(std::move(partition));
  Partition& made = *all_.back();
  by_place_.emplace(Place{*made.topic, number}, &made);
  return made;
}

void Partitions::note(Partition& partition, const Mark& mark) {
  if (!partition.marks.is_due(mark)) {
    partition.marks.skip(mark);
    return;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  partition.marks.note(mark);
}

Mark Partitions::mark_before(std::string_view topic, int32_t number, int64_t offset) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const Partition* partition = find(topic, number);
  return partition == nullptr ? Mark{} : partition->marks.before(offset);
}

int64_t Partitions::applied(std::string_view topic, int32_t number) const {
  const Partition* partition = find(topic, number);
  return partition == nullptr ? 0 : partition->applied;
}

}  // namespace cdcrt::file_source
