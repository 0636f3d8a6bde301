// Inputs: the files of a source, each with an identity that survives others' coming and going.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/sdk/host.hpp"
#include "cdcrt/sdk/status.hpp"

namespace cdcrt::file_source {

struct Line;

enum class Layout : uint8_t { kKcat, kValues };

struct Input {
  std::string path;    ///< "-": standard input
  std::string name;    ///< its file name: the topic of its unreadable lines
  std::string topic;   ///< of its plain values
  int64_t number = 0;  ///< in its group: the high bits of the offsets that are made up for its lines
  int32_t note = 0;    ///< partition of its note; 0: it has none
  bool is_regular = true;
  bool is_known = false;    ///< noted by an earlier start
  int64_t known_lines = 0;  ///< up to its end, when it was last read to it; 0: unknown
  bool is_pending = false;  ///< it has no whole line yet: nothing of it is read
  std::string first_topic;  ///< where the message of its first line stands in a log, if it has such a place
  int32_t first_partition = 0;
  int64_t first_offset = -1;
};

/// A file is known by its name (packed or not) and its first line. Files that share made-up offsets form a group: those of a topic with
/// plain values, those of a name else. Within it each gets a number when it is first met, kept for ever as a note of the host's; files
/// that are met later come after those that were there.
class Inputs {
 public:
  /// An offset below which everything of a partition was applied before this start.
  using Applied = std::function<int64_t(std::string_view topic, int32_t partition)>;

  Inputs(Layout layout, uint64_t max_line) : layout_(layout), max_line_(max_line) {}
  sdk::Status configure(const std::vector<std::string>& paths, const std::string& topic);
  /// What was kept of a note.
  void note(std::string_view topic, int32_t partition, int64_t offset);
  /// Looks at every file, once: numbers them, and puts them in order.
  sdk::Status prepare(const Applied& applied, const sdk::Host& host);
  void each_note(const std::function<bool(std::string_view topic, int32_t partition)>& visit) const;
  [[nodiscard]] int64_t offset_of_note(std::string_view topic, int32_t partition) const;
  [[nodiscard]] std::string topic_of_note(const Input& input) const { return note_of(input).first; }

  [[nodiscard]] const std::vector<Input>& all() const { return all_; }
  [[nodiscard]] bool can_rewind() const { return can_rewind_; }
  [[nodiscard]] uint64_t total_bytes() const { return total_; }
  /// Whether a file whose lines come after those of this one, in the same order, is read behind it.
  [[nodiscard]] bool is_followed(size_t index) const;
  /// Files were noted by an earlier start.
  [[nodiscard]] bool has_notes() const { return !known_.empty(); }

 private:
  using Note = std::pair<std::string, int32_t>;
  sdk::Status look_at(Input& input);
  sdk::Status identify(Input& input);
  sdk::Status number(const std::vector<size_t>& group, const Applied& applied, const sdk::Host& host);
  sdk::Status check_order(const Applied& applied) const;
  void warn_of_renamed(const Input& input, const sdk::Host& host) const;
  void check_left(const std::string& topic, int64_t applied, const sdk::Host& host) const;
  sdk::Status check_pipe(const Input& input, int64_t applied) const;
  [[nodiscard]] const std::string& group_of(const Input& input) const { return layout_ == Layout::kValues ? input.topic : input.name; }
  [[nodiscard]] Note note_of(const Input& input) const;

  const Layout layout_;
  const uint64_t max_line_;
  std::vector<Input> all_;
  struct Known {
    int64_t number = 0, lines = 0;
  };
  std::map<Note, Known> known_;
  std::string conflict_;  ///< what two targets know differently
  bool is_prepared_ = false;
  bool can_rewind_ = true;
  uint64_t total_ = 0;
};

inline constexpr int kFileShift = 40;  // 2^40 lines a file
/// The offset of the line that an input's own line numbers count from.
inline int64_t base_offset(const Input& input) { return input.number << kFileShift; }

/// What an end of the file behind these characters means.
enum class Ending : uint8_t {
  kWhole,  ///< JSON that is complete, or text that may be
  kCut     ///< JSON in the middle: the rest is still to come, or lost
};
Ending ending_of(std::string_view line);
/// The file ends in the middle of this line: whoever writes it may not be done.
bool is_cut(const Line& line, bool is_packed, const Input& input);

}  // namespace cdcrt::file_source
