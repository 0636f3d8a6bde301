#include "apply/isolate_keyless.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>

#include "apply/rows_aside.hpp"
#include "apply/table.hpp"
#include "apply/table_writer.hpp"

namespace cdcrt::apply {
namespace {

class MissingImages {
 public:
  MissingImages(plugin::Connection& connection, const Sealed& sealed, EventReader& reader, dead_letters::DeadLetters& dead_letters,
                const TrialGuard& guard, Isolated& result)
      : connection_(connection), sealed_(sealed), part_(sealed.partitions.front()), reader_(reader), dead_letters_(dead_letters),
        guard_(guard), result_(result) {}

  Result<bool> run() {
    images_ = &result_.netted.emplace_back();
    if (auto read = read_events(); !read) {
      if (read.error().code == CDCRT_UNSUPPORTED) return false;
      return std::move(read.error());
    }
    if (!is_whole()) return false;
    while (true) {
      refuse();
      auto settled = try_rest();
      if (!settled) {
        if (settled.error().code == CDCRT_BAD_RECORD) return false;
        return std::move(settled.error());
      }
      if (*settled) break;
    }
    if (auto told = write_dead_letters(); !told) return std::move(told.error());
    return true;
  }

 private:
  struct Event {
    int64_t offset;
    std::vector<std::pair<uint32_t, int32_t>> changes;  ///< image (entry of images_), copies, in their order
    EventCounts counts;
    bool refused = false;
  };

  Result<void> read_events() {
    return reader_.read(*sealed_.table, *part_.partition, part_.first_offset, part_.next_offset - 1,
                        [&](const cdcrt_messages& message, const event::RowBatch& rows, const std::vector<uint32_t>& indexes) {
                          add_event(message, rows, indexes);
                          return true;
                        });
  }

  void add_event(const cdcrt_messages& message, const event::RowBatch& rows, const std::vector<uint32_t>& indexes) {
    const auto single = fold_alone(sealed_, *part_.partition, message, rows, indexes, reader_.shapes());
    if (!single) return;
    Event& event = events_.emplace_back();
    event.offset = message.messages[0].offset;
    event.counts = single->counts();
    for (const auto& part : single->partitions) {
      for (const Entry& entry : part.fold.entries()) {
        if (entry.effect != Effect::kAppend) continue;
        const uint32_t image = image_of(entry);
        if (entry.needed > 0) event.changes.emplace_back(image, -entry.needed);
        if (entry.needed + entry.copies > 0) event.changes.emplace_back(image, entry.needed + entry.copies);
      }
    }
  }

  uint32_t image_of(const Entry& entry) {
    bool added = false;
    Entry& image = images_->find_or_add(entry.key, entry.first_offset, added);
    if (added) {
      image.effect = Effect::kAppend;
      image.copies = 0;
      image.width = entry.width;
      image.cells = images_->own_cells(entry.cells, entry.width);
    }
    // Completed as it was folded: the row to delete is found by all its known cells.
    for (uint32_t slot = 0; entry.needed > 0 && slot < entry.width; ++slot) {
      if (entry.cells[slot].tag == CDCRT_ABSENT || (slot < image.width && image.cells[slot].tag != CDCRT_ABSENT)) continue;
      images_->widen(image, entry.width);
      image.cells[slot] = images_->own(entry.cells[slot]);
    }
    return images_->index_of(image);
  }

  // Whether reading again gave all that was folded: retention may have deleted some of it meanwhile.
  bool is_whole() {
    net();
    for (const Entry& entry : part_.fold.entries()) {
      if (entry.effect == Effect::kNothing) continue;
      bool added = false;
      if (images_->find_or_add(entry.key, entry.first_offset, added).copies != entry.copies) return false;
    }
    return true;
  }

  void net() {
    for (Entry& image : images_->entries()) image.copies = image.needed = 0;
    for (const Event& event : events_) {
      for (const auto& [image, copies] : event.changes) {
        if (event.refused) continue;
        Entry& entry = images_->entries()[image];
        entry.copies += copies;
        entry.needed = std::max(entry.needed, -entry.copies);
      }
    }
  }

  // An event that removes a copy which is not there is refused as a whole; later events do not find what it would have added.
  void refuse() {
    auto there = there_;
    for (Event& event : events_) {
      event.refused = std::any_of(event.changes.begin(), event.changes.end(), [&](const auto& change) {
        const auto count = there.find(change.first);
        return change.second < 0 && count != there.end() && count->second + change.second < 0;
      });
      if (event.refused) continue;
      for (const auto& [image, copies] : event.changes) {
        if (const auto count = there.find(image); count != there.end()) count->second += copies;
      }
    }
    net();
  }

  // True: the rest finds all its rows. False: more images are known to lack copies.
  Result<bool> try_rest() {
    result_.good.clear();
    for (const Entry& image : images_->entries()) {
      if (image.copies != 0 || image.needed > 0) result_.good.push_back(&image);
    }
    std::vector<const Entry*> missing;
    if (auto begun = connection_.begin(); !begun) return std::move(begun.error());
    auto written = guard_();
    if (written) written = write_entries(connection_, sealed_, result_.good, missing);
    auto rolled_back = connection_.rollback();
    if (!written) return std::move(written.error());
    if (!rolled_back) return std::move(rolled_back.error());
    if (missing.empty()) return true;
    std::unordered_map<const Entry*, int64_t> lacking;
    for (const Entry* entry : missing) ++lacking[entry];
    for (const auto& [entry, count] : lacking) {
      const auto [place, added] = there_.try_emplace(images_->index_of(*entry), static_cast<int64_t>(entry->needed) - count);
      if (!added)
        return make_error(CDCRT_RETRY, "rows of '" + sealed_.table->identity().target() + "' went away while missing ones were counted");
    }
    return false;
  }

  Result<void> write_dead_letters() {
    for (const Event& event : events_) {
      if (!event.refused) continue;
      result_.refused += event.counts;
      result_.dead_letters.open(kNoKey, {part_.partition->key(), event.offset});
      const auto& identity = sealed_.table->identity();
      const auto told = [&](const cdcrt_messages& message, const event::RowBatch&, const std::vector<uint32_t>&) {
        dead_letters_.add(dead_letters::make_dead_letter(*part_.partition, message.messages[0], identity.sink, identity.target(),
                                                         "row_missing",
                                                         make_error(CDCRT_BAD_RECORD, "the change finds no row in the target")));
        return false;
      };
      if (auto read = reader_.read(*sealed_.table, *part_.partition, event.offset, event.offset, told); !read) return read;
    }
    return {};
  }

  plugin::Connection& connection_;
  const Sealed& sealed_;
  const SealedPartition& part_;
  EventReader& reader_;
  dead_letters::DeadLetters& dead_letters_;
  const TrialGuard& guard_;
  Isolated& result_;
  Fold* images_ = nullptr;
  std::vector<Event> events_;
  std::unordered_map<uint32_t, int64_t> there_;  ///< copies in the target, of images that were found to lack some
};

}  // namespace

Result<bool> isolate_missing_images(plugin::Connection& connection, const Sealed& sealed, EventReader& reader,
                                    dead_letters::DeadLetters& dead_letters, const TrialGuard& guard, Isolated& result) {
  if (!sealed.key.empty() || sealed.clear || sealed.partitions.size() != 1) return false;
  auto done = MissingImages(connection, sealed, reader, dead_letters, guard, result).run();
  if (!done || !*done) result = Isolated();
  return done;
}

}  // namespace cdcrt::apply
