// RowFolder: one row of an event becomes a change of its key in the fold of its partition.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apply/cell_converter.hpp"
#include "apply/decoded.hpp"
#include "apply/partition_fold.hpp"
#include "apply/table_identity.hpp"
#include "evolution/table_knowledge.hpp"

namespace cdcrt::apply {

/// Of one table; its lock guards it.
class RowFolder {
 public:
  /// A row on its way into the fold of its partition.
  struct Incoming {
    const Decoded& batch;
    const cdcrt_row& row;
    const event::Shape& shape;
    int64_t offset;
    PartitionFold& into;
    std::vector<Refusal>& refusals;
    bool is_only_partition;  ///< no other one brings rows of the table
    [[nodiscard]] const cdcrt_cell* cells(uint32_t image) const { return batch.rows.cells(image); }
    void refuse(std::string reason, Error error) const { refusals.push_back({row.message, std::move(reason), std::move(error)}); }
  };
  /// `follow` is called when column types changed: rows that were folded before must be converted.
  RowFolder(const TableIdentity& identity, evolution::TableKnowledge& knowledge, std::function<void()> follow)
      : identity_(identity), knowledge_(knowledge), follow_(std::move(follow)), converter_(identity, knowledge) {}

  /// Source-ordered tables: changes of one key stay apart, each with its source order, where folding them would lose it.
  void keep_by_source(bool by_source) { by_source_ = by_source; }
  /// Before the next row: drops references to the cells of the last one.
  void forget_row();
  /// Folds a row whose columns are known (TableKnowledge::observe). Answers why the table must stop; empty: it need not.
  std::string fold(const Incoming& row, const evolution::ShapeMap& map);
  /// A truncate, as an event of its own for sinks that take events.
  void fold_truncate(PartitionFold& into, const cdcrt_row& row, int64_t offset);
  /// The shape of an event does not fit this table. Answers why the table must stop; empty: the event is a dead letter.
  std::string refuse_shape(const Incoming& row, Error error);
  /// Converts the cells of the row that is being folded to a column's new type.
  void follow(const evolution::TypeChange& change);
  /// Tables without a key: the row's whole image as its key.
  void append_image_key(const cdcrt_cell* cells, uint32_t width, std::string& key);

  [[nodiscard]] CellConverter& converter() { return converter_; }
  [[nodiscard]] const CellConverter& converter() const { return converter_; }
  /// What Entry::source counts.
  [[nodiscard]] const std::vector<SourceOfRows>& sources() const { return *sources_; }
  [[nodiscard]] std::shared_ptr<const std::vector<SourceOfRows>> share_sources() const { return sources_; }

 private:
  void fold_keyed(const Incoming& in, const evolution::ShapeMap& map);
  /// Reads the row, or its key where that is enough, into scratch_. False: refused.
  bool read_keyed(const Incoming& in, const evolution::ShapeMap& map);
  /// Finds the key of the row in scratch_. False: refused.
  bool find_key(const Incoming& in, const evolution::ShapeMap& map);
  /// What the image before an update says of the row's old key.
  struct OldKey {
    bool is_told = false;           ///< the image has the whole key
    std::optional<uint32_t> entry;  ///< index of the delete of the row under its old key; nullopt: the key is the same
  };
  /// An update that changes the key deletes the row under the old key. False: refused.
  bool fold_old_key(const Incoming& in, const evolution::ShapeMap& map, OldKey& old);
  void fold_appended(const Incoming& in, const evolution::ShapeMap& map);
  void fold_keyless(const Incoming& in, const evolution::ShapeMap& map);
  void add_event(Fold& fold, const cdcrt_row& row, int64_t offset);
  /// False: the event lacks cells of a row whose old key cannot be read; `error` is empty where it is not in the event.
  bool note_key_change(const Incoming& in, const evolution::ShapeMap& map, Entry& entry, Error& error);
  void note_refused(const Incoming& in, const evolution::ShapeMap& map);
  void note_source(RowMemory& memory, const event::Shape& shape);
  /// Answers the entry's index.
  uint32_t append_image(Fold& fold, const std::vector<cdcrt_cell>& cells, int64_t offset, int32_t copies);
  /// Source order: where a change of `found`'s key goes that is folded by itself, as `added` says; null: a later one has overtaken it.
  Entry* place_by_source(PartitionFold& into, Entry* found, bool& added, bool whole, bool snapshot, int64_t offset);
  /// The row of this message key may have had another table key since `place`, with changes in between: then an entry after `place`.
  Entry* after_other_keys(Fold& fold, Entry* place, bool& added, bool is_told, uint32_t source, int64_t offset);
  bool read_row(const Incoming& in, const evolution::ShapeMap& map, const cdcrt_cell* cells, std::vector<cdcrt_cell>& out, Error& error);
  bool read_key(const Incoming& in, const evolution::ShapeMap& map, const cdcrt_cell* cells, std::vector<cdcrt_cell>& out, Error& error);
  bool complete_from(const Incoming& in, const evolution::ShapeMap& map, const cdcrt_cell* before, Error& error);
  void follow_changes() {
    if (knowledge_.has_changes()) follow_();
  }
  bool key_of(const std::vector<cdcrt_cell>& cells, std::string& key) const;
  [[nodiscard]] std::string missing_key(const std::vector<cdcrt_cell>& cells) const;
  [[nodiscard]] std::string key_advice(uint8_t operation) const;
  /// Under which the row that was read last counts among others of its key.
  [[nodiscard]] const std::string& order_of(const PartitionFold& into) const { return by_source_ ? into.row_order() : into.last_order(); }

  const TableIdentity& identity_;
  evolution::TableKnowledge& knowledge_;
  const std::function<void()> follow_;
  CellConverter converter_;
  bool by_source_ = false;
  std::shared_ptr<const std::vector<SourceOfRows>> sources_ =
      std::make_shared<const std::vector<SourceOfRows>>();  ///< replaced by longer ones
  std::vector<cdcrt_cell> scratch_, before_scratch_;
  std::string key_scratch_, image_scratch_;
};

}  // namespace cdcrt::apply
