// Rereader: messages again, of several partitions in one pass over the files.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cdcrt/sdk/message_batch.hpp"
#include "inputs.hpp"
#include "line_decoder.hpp"
#include "line_reader.hpp"
#include "partitions.hpp"

namespace cdcrt::file_source {

/// Whoever reads back asks for a piece of one partition, of the next one, and comes back for the piece behind the first. So the files stay
/// open where the last call ended, and lines of partitions that were asked for are kept when the reading for another one passes them: then
/// the files are read about once for all partitions. At most 8 MiB are kept; a partition that has more waiting is read by itself, from the
/// first line that it lacks.
///
/// One thread at a time, beside the one that polls.
class Rereader {
 public:
  using Visit = std::function<bool(const cdcrt_message&)>;
  /// `inputs` and `partitions` outlive it.
  Rereader(const Inputs& inputs, const Partitions& partitions, Layout layout, uint64_t max_line, std::shared_ptr<sdk::BlockPool> pool)
      : inputs_(inputs), partitions_(partitions), layout_(layout), max_line_(max_line), pool_(std::move(pool)), decoder_(layout, max_line) {
  }
  /// See cdcrt_source.fetch. The files can be read again.
  sdk::Status fetch(std::string_view topic, int32_t number, int64_t first, int64_t last, const Visit& visit);

 private:
  /// Of a line, or of the end of a file.
  struct Place {
    size_t file = 0;
    uint64_t byte = 0;  ///< unpacked
    uint64_t number = 1;
    [[nodiscard]] bool is_before(const Place& other) const { return std::pair(file, byte) < std::pair(other.file, other.byte); }
  };
  struct KeptLine {
    int64_t offset;
    Place place;
    std::string text;  ///< with an end of line and what may be read behind it
  };
  /// A partition that was asked for. Its messages from `from` up to `passed` are in `kept`.
  struct Asked {
    int64_t from = 0, passed = -1;
    bool is_followed = false;   ///< those behind `passed` stand where the reading is, or behind it
    Place found;                ///< or, where it is not, here or behind that
    std::deque<KeptLine> kept;  ///< those that were given in the last call too, since it may have been too many
    uint64_t kept_bytes = 0, last_asked = 0;
    Marks marks{256, 64};  ///< closer to each other than those of the first reading: each table reads for itself
  };
  using Key = std::pair<int32_t, std::string>;
  struct Before {
    using is_transparent = void;
    template <class One, class Other>
    bool operator()(const One& one, const Other& other) const {
      return std::pair<int32_t, std::string_view>(one) < std::pair<int32_t, std::string_view>(other);
    }
  };

  sdk::Status fetch_followed(const Key& key, Asked& asked, int64_t first, int64_t last, const Visit& visit);
  sdk::Status fetch_unreadable(std::string_view topic, int64_t first, int64_t last, const Visit& visit);
  [[nodiscard]] Place place_before(const Key& key, const Asked& asked, int64_t offset) const;
  void go_on(const Key& key, Asked& asked);
  void jump(const Place& place);
  [[nodiscard]] bool is_wanted(const Asked& asked) const { return asked.last_asked + 2 * asked_.size() + 2 >= calls_; }
  Reading next_line(Line& line, sdk::Status& why);
  sdk::Status open();
  void keep(Asked& asked, const Line& line, int64_t offset);
  void drop_given(Asked& asked, size_t& given);
  void forget(Asked& asked);
  void forget_oldest();
  void make_room(const Asked& but);
  void drop_first(Asked& asked);
  bool give(Located& located, const std::shared_ptr<const std::string>& topic, int64_t first, int64_t last, const Visit& visit);

  const Inputs& inputs_;
  const Partitions& partitions_;
  const Layout layout_;
  const uint64_t max_line_;
  const std::shared_ptr<sdk::BlockPool> pool_;
  LineDecoder decoder_;
  std::map<Key, Asked, Before> asked_;
  uint64_t calls_ = 0, kept_bytes_ = 0;
  std::unique_ptr<LineReader> reader_;  ///< null: to be opened at position_
  Place position_;                      ///< of the next line
  bool is_at_open_end_ = false;         ///< or of the last one, which has no end of line yet and was read
};

}  // namespace cdcrt::file_source
