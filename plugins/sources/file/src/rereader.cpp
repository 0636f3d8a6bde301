#include "rereader.hpp"

#include <algorithm>
#include <utility>

namespace cdcrt::file_source {
namespace {

constexpr uint64_t kMostKept = 8 << 20;
constexpr uint64_t kMostGiven = 2 << 20;
constexpr uint64_t kLargeLine = 1 << 20;
constexpr size_t kMostAsked = 4096;         // partitions
constexpr uint64_t kNearBytes = 256 << 10;  // so much is read rather than passed over, since lines of others are in it
constexpr uint64_t kLookBytes = 64 << 10;   // without a line of the partition: where does the next one stand?

}  // namespace

sdk::Status Rereader::fetch(std::string_view topic, int32_t number, int64_t first, int64_t last, const Visit& visit) {
  if (number == kUnreadablePartition) return fetch_unreadable(topic, first, last, visit);
  ++calls_;
  forget_oldest();
  // What has come since shows in a file that is opened anew.
  if (std::exchange(is_at_open_end_, false)) reader_.reset();
  const auto [found, is_new] = asked_.try_emplace(Key(number, topic));
  auto done = fetch_followed(found->first, found->second, first, last, visit);
  if (!done.ok()) {
    asked_.clear();
    kept_bytes_ = 0;
    reader_.reset();
  }
  if (reader_) reader_->give_back_large();
  return done;
}

sdk::Status Rereader::fetch_followed(const Key& key, Asked& asked, int64_t first, int64_t last, const Visit& visit) {
  asked.last_asked = calls_;
  if (first > last) return {};
  if (first < asked.from) {
    forget(asked);
    asked.is_followed = false;
    asked.found = {};
    asked.passed = first - 1;
  }
  asked.from = first;
  asked.passed = std::max(asked.passed, first - 1);
  while (!asked.kept.empty() && asked.kept.front().offset < first) drop_first(asked);
  const auto topic = std::make_shared<const std::string>(key.second);
  sdk::Status why;
  uint64_t passed_bytes = 0;  // since the last line of the partition
  for (size_t given = 0;;) {
    for (; given < asked.kept.size(); drop_given(asked, given)) {
      const KeptLine& kept = asked.kept[given++];
      if (kept.offset > last) return {};
      Line line;
      line.text = std::string_view(kept.text).substr(0, kept.text.size() - 1 - kLinePadding);
      line.number = kept.place.number;
      line.full_size = line.text.size();
      Located located;
      if (!decoder_.locate(line, inputs_.all()[kept.place.file], located)) continue;
      if (!give(located, topic, first, last, visit) || kept.offset == last) return {};
      passed_bytes = 0;
    }
    if (!asked.is_followed || passed_bytes >= kLookBytes) {
      go_on(key, asked);
      passed_bytes = 0;
    }
    Line line;
    const Reading reading = next_line(line, why);
    if (reading != Reading::kData) return why;
    passed_bytes += line.full_size;
    Located located;
    if (!decoder_.locate(line, inputs_.all()[position_.file], located) || located.partition == kUnreadablePartition) continue;
    const auto met = asked_.find(std::pair<int32_t, std::string_view>(located.partition, located.topic));
    if (met == asked_.end() || !met->second.is_followed || located.offset <= met->second.passed) continue;
    if (&met->second != &asked || line.text.size() <= kLargeLine || located.offset > last) {
      keep(met->second, line, located.offset);
      make_room(asked);
      // It may be too large to be kept: whoever waited for it here would come to it again and again.
      if (&met->second == &asked && located.offset > last) return {};
      continue;
    }
    // It is not held twice.
    while (!asked.kept.empty()) drop_first(asked);
    given = 0;
    passed_bytes = 0;
    const int64_t offset = asked.passed = located.offset;
    asked.from = offset + 1;
    if (!give(located, topic, first, last, visit) || offset == last) return {};
  }
}

// Of very many that are asked for at once.
void Rereader::drop_given(Asked& asked, size_t& given) {
  while (given > 0 && asked.kept_bytes > kMostGiven) {
    asked.from = asked.kept.front().offset + 1;
    drop_first(asked);
    --given;
  }
}

// False: the visitor has enough. What turns out to be unreadable belongs to another partition.
bool Rereader::give(Located& located, const std::shared_ptr<const std::string>& topic, int64_t first, int64_t last, const Visit& visit) {
  const int32_t number = located.partition;
  auto batch = std::make_unique<sdk::MessageBatch>(pool_, topic, number, 0);
  bool is_added = decoder_.decode(located, *batch);
  const auto is_asked = [&] {
    return located.partition == number && located.topic == *topic && located.offset >= first && located.offset <= last;
  };
  if (!is_added && is_asked()) is_added = decoder_.decode(located, *batch);
  if (!is_added || !is_asked()) return true;
  cdcrt_messages messages{};
  sdk::MessageBatch::hand_over(std::move(batch), &messages);
  const bool goes_on = visit(messages.messages[0]);
  messages.release(&messages);
  return goes_on;
}

Rereader::Place Rereader::place_before(const Key& key, const Asked& asked, int64_t offset) const {
  Place place;
  for (const Mark& mark : {partitions_.mark_before(key.second, key.first, offset), asked.marks.before(offset)}) {
    const Place marked{mark.file, mark.byte, mark.number};
    if (place.is_before(marked)) place = marked;
  }
  return place;
}

// Goes where the next message of the partition stands, as far as that is known and not near.
void Rereader::go_on(const Key& key, Asked& asked) {
  Place place = place_before(key, asked, asked.passed + 1);
  if (!asked.is_followed) {
    jump(place.is_before(asked.found) ? asked.found : place);
  } else if (position_.is_before(place)) {
    jump(place);
  }
  asked.is_followed = true;
}

void Rereader::jump(const Place& place) {
  const bool is_near = !place.is_before(position_) && place.file == position_.file &&
                       (place.byte - position_.byte < kNearBytes || (reader_ != nullptr && reader_->is_packed()));
  if (is_near) return;
  const bool is_forward = position_.is_before(place);
  for (auto& [key, asked] : asked_) {
    if (is_forward && asked.is_followed) {
      asked.is_followed = false;
      asked.found = position_;
    }
    if (is_wanted(asked) && !asked.found.is_before(place)) asked.is_followed = true;
  }
  reader_.reset();
  position_ = place;
}

sdk::Status Rereader::open() {
  reader_ = std::make_unique<LineReader>(inputs_.all()[position_.file].path, max_line_);
  auto status = reader_->open();
  if (status.ok() && position_.byte > 0) {
    // Inside gzip nothing can be found again but the start.
    status = reader_->look();
    if (status.ok() && !reader_->is_packed()) status = reader_->seek(position_.byte, position_.number);
  }
  if (!status.ok()) reader_.reset();
  return status;
}

// kEnd: what is there is read; more may come. position_.file is the line's.
Reading Rereader::next_line(Line& line, sdk::Status& why) {
  const auto& inputs = inputs_.all();
  for (;;) {
    if (position_.file >= inputs.size()) return Reading::kEnd;
    if (inputs[position_.file].is_pending) {
      position_ = {position_.file + 1, 0, 1};
      continue;
    }
    if (!reader_) {
      why = open();
      if (!why.ok()) return Reading::kFailed;
    }
    const Reading reading = reader_->next({}, line, why);
    if (reading == Reading::kFailed) return reading;
    const bool is_half = reading == Reading::kData && is_cut(line, reader_->is_packed(), inputs[position_.file]);
    const bool is_last = !inputs_.is_followed(position_.file);
    // Half a line may be whole the next time.
    if (reading != Reading::kData || (is_half && (layout_ == Layout::kValues || is_last))) {
      reader_.reset();
      if (position_.file + 1 >= inputs.size() || (is_half && is_last)) return Reading::kEnd;
      position_ = {position_.file + 1, 0, 1};
      continue;
    }
    line.is_cut = is_half;
    // Read once more from the start of a packed file, up to where it was.
    if (reader_->is_packed() && line.byte < position_.byte) continue;
    // A line without its end is the last one for now: the next call begins with it, and does not give it again.
    is_at_open_end_ = !line.is_ended && !reader_->is_packed();
    if (is_at_open_end_) return Reading::kData;
    position_.byte = reader_->byte();
    position_.number = line.number + 1;
    return Reading::kData;
  }
}

void Rereader::keep(Asked& asked, const Line& line, int64_t offset) {
  const Place place{position_.file, line.byte, line.number};
  const Mark mark{asked.passed + 1, place.file, place.byte, place.number};
  if (asked.marks.is_due(mark))
    asked.marks.note(mark);
  else
    asked.marks.skip(mark);
  if (line.text.size() > kLargeLine && offset >= asked.from) {
    forget(asked);
    if (asked.found.is_before(place) && asked.passed + 1 == mark.offset) asked.found = place;
    asked.is_followed = false;
    return;
  }
  asked.passed = offset;
  if (offset < asked.from) return;
  KeptLine kept{offset, place, {}};
  kept.text.reserve(line.text.size() + 1 + kLinePadding);
  kept.text.append(line.text).append(1 + kLinePadding, '\n');
  const uint64_t bytes = kept.text.size() + sizeof kept;
  asked.kept_bytes += bytes;
  kept_bytes_ += bytes;
  asked.kept.push_back(std::move(kept));
}

void Rereader::drop_first(Asked& asked) {
  const uint64_t bytes = asked.kept.front().text.size() + sizeof(KeptLine);
  asked.kept_bytes -= bytes;
  kept_bytes_ -= bytes;
  asked.kept.pop_front();
}

// What is kept of it.
void Rereader::forget(Asked& asked) {
  if (asked.kept.empty()) return;
  asked.is_followed = false;
  asked.found = asked.kept.front().place;
  asked.passed = asked.kept.front().offset - 1;
  kept_bytes_ -= std::exchange(asked.kept_bytes, 0);
  asked.kept = {};
}

// Those that nobody asks for any more.
void Rereader::forget_oldest() {
  if (asked_.size() > kMostAsked) {
    asked_.clear();
    kept_bytes_ = 0;
  }
  for (auto& [key, asked] : asked_) {
    if (is_wanted(asked)) continue;
    forget(asked);
    if (std::exchange(asked.is_followed, false)) asked.found = position_;
  }
}

// The one with the most lines is the one that is furthest behind, or that nobody asks for any more.
void Rereader::make_room(const Asked& but) {
  while (kept_bytes_ > kMostKept) {
    Asked* largest = nullptr;
    for (auto& [key, asked] : asked_) {
      if (&asked != &but && asked.kept_bytes > 0 && (largest == nullptr || asked.kept_bytes > largest->kept_bytes)) largest = &asked;
    }
    if (largest == nullptr) return;
    forget(*largest);
  }
}

// Whether a line is unreadable shows only when it was read to its end.
sdk::Status Rereader::fetch_unreadable(std::string_view topic, int64_t first, int64_t last, const Visit& visit) {
  const auto& inputs = inputs_.all();
  const Mark mark = partitions_.mark_before(topic, kUnreadablePartition, first);
  const auto name = std::make_shared<const std::string>(topic);
  int64_t seen = first - 1;
  for (size_t file = mark.file; file < inputs.size(); ++file) {
    if (inputs[file].is_pending) continue;
    LineReader reader(inputs[file].path, max_line_);
    auto status = reader.open();
    if (status.ok() && file == mark.file) status = reader.seek(mark.byte, mark.number);
    if (!status.ok()) return status;
    for (;;) {
      Line line;
      const Reading reading = reader.next({}, line, status);
      if (reading == Reading::kFailed) return status;
      if (reading != Reading::kData) break;
      if (is_cut(line, reader.is_packed(), inputs[file])) {
        if (layout_ == Layout::kValues || !inputs_.is_followed(file)) break;
        line.is_cut = true;
      }
      Located located;
      if (!decoder_.locate(line, inputs[file], located)) continue;
      if (located.is_readable) {
        auto batch = std::make_unique<sdk::MessageBatch>(pool_, name, kUnreadablePartition, 0);
        if (decoder_.decode(located, *batch)) continue;
      }
      if (located.topic != topic || located.offset <= seen) continue;
      if (located.offset > last) return {};
      seen = located.offset;
      if (!give(located, name, first, last, visit)) return {};
    }
  }
  return {};
}

}  // namespace cdcrt::file_source
