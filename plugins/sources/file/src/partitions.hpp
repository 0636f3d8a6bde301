// Partitions: what has been read of each partition, and where it can be found again.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cdcrt/sdk/message_batch.hpp"

namespace cdcrt::file_source {

/// A line from which every message of a partition from an offset on can be found: the offset behind that of the message before it.
struct Mark {
  int64_t offset = 0;
  size_t file = 0;
  uint64_t byte = 0;    ///< 0: the file's start (also where gzip allows nothing else)
  uint64_t number = 1;  ///< of the line
};

/// A sparse, bounded list of marks in the order of offsets.
class Marks {
 public:
  /// At most `most`, an even number; at first one for `stride` messages, then for twice as many, and so on.
  Marks(size_t most, uint64_t stride) : most_(most), stride_(stride) {}
  /// True: the mark of the message that comes now is to be noted; else it is to be skipped. Also where much stands between it and the
  /// message before it, so that nobody reads that on the way.
  [[nodiscard]] bool is_due(const Mark& mark) const {
    return mark.offset > last_.offset && (marks_.empty() || since_ + 1 >= stride_ || is_far(mark));
  }
  void note(const Mark& mark);
  void skip(const Mark& mark) {
    ++since_;
    last_place_ = mark;
  }
  /// The last mark at or before `offset`; the start of the first file when there is none.
  [[nodiscard]] Mark before(int64_t offset) const;

 private:
  [[nodiscard]] bool is_far(const Mark& mark) const {
    const bool stands_apart = mark.file != last_place_.file || mark.byte > last_place_.byte + kFar;
    if (!stands_apart || mark.file == last_.file) return stands_apart && mark.byte >= last_.byte + far_bytes_;
    return mark.file >= last_.file + far_files_ || mark.byte >= far_bytes_;
  }

  static constexpr uint64_t kFar = 256 << 10;
  std::vector<Mark> marks_;
  size_t most_;
  // From one mark to the next: so many messages, or bytes, or files. All of them grow, so that early places have as many as late ones.
  uint64_t stride_;
  uint64_t far_bytes_ = kFar;
  size_t far_files_ = 1;
  uint64_t since_ = 0;
  Mark last_{-1, 0, 0, 1};  // noted, and perhaps gone since
  Mark last_place_;
};

/// Which offsets were handed out since the start, as runs of neighbours; bounded: where there are very many gaps, some count as handed out.
class Runs {
 public:
  void add(int64_t offset);
  /// From here on they will be handed out again.
  void forget_from(int64_t offset);
  [[nodiscard]] bool contains(int64_t offset) const;

 private:
  struct Run {
    int64_t first, last;
  };
  std::vector<Run> runs_;
};

struct Partition {
  std::shared_ptr<const std::string> topic;
  int32_t number = 0;
  bool is_wanted = true;
  int64_t floor = 0;                       ///< what lies below was read before this pass
  int64_t applied = 0;                     ///< what lies below was applied before this start
  int64_t highest = -1;                    ///< offset that was met since this start
  uint64_t passed = 0;                     ///< messages below `applied` in files that no earlier start has met
  const std::string* passed_in = nullptr;  ///< the first of these files
  int64_t next = 0;                        ///< the lowest offset still to be read
  uint32_t generation = 0;
  uint64_t skipped = 0;        ///< messages of this pass at or above floor that came too late
  int64_t skipped_offset = 0;  ///< the first of them
  int64_t skipped_after = 0;   ///< what it followed
  Runs runs;
  std::unique_ptr<sdk::MessageBatch> pending;
  Marks marks{2048, 4096};
};

/// Every partition met or named. One thread, except marks_before, which may be called from another.
class Partitions {
 public:
  /// The partition, made when it is new: `is_wanted` is asked then.
  template <class IsWanted>
  Partition& get(std::string_view topic, int32_t number, IsWanted&& is_wanted) {
    if (last_ != nullptr && last_->number == number && *last_->topic == topic) return *last_;
    if (Partition* known = find(topic, number)) return *(last_ = known);
    return *(last_ = &make(topic, number, is_wanted()));
  }
  template <class Visit>
  void each(Visit&& visit) {
    for (auto& partition : all_) visit(*partition);
  }
  /// Remembers where the message that comes now stands.
  void note(Partition& partition, const Mark& mark);
  /// Any thread.
  [[nodiscard]] Mark mark_before(std::string_view topic, int32_t number, int64_t offset) const;
  [[nodiscard]] int64_t applied(std::string_view topic, int32_t number) const;

 private:
  struct Place {
    std::string_view topic;
    int32_t number;
    bool operator==(const Place& other) const { return number == other.number && topic == other.topic; }
  };
  struct PlaceHash {
    size_t operator()(const Place& place) const {
      return std::hash<std::string_view>()(place.topic) ^ (static_cast<size_t>(place.number) * 0x9E3779B97F4A7C15ULL);
    }
  };
  Partition* find(std::string_view topic, int32_t number) const;
  Partition& make(std::string_view topic, int32_t number, bool is_wanted);

  mutable std::mutex mutex_;  // for the map and the marks: held to change them, and to read them from another thread
  std::unordered_map<Place, Partition*, PlaceHash> by_place_;
  std::vector<std::unique_ptr<Partition>> all_;
  Partition* last_ = nullptr;
};

}  // namespace cdcrt::file_source
