// TableKnowledge: what is known of one table: its columns, types, key, dropped columns. Stored in the target beside the progress.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "diagnostics/result.hpp"
#include "event/arena.hpp"
#include "event/shape.hpp"
#include "evolution/column_list.hpp"
#include "evolution/column_rules.hpp"
#include "evolution/shape_maps.hpp"

namespace cdcrt::evolution {

/// Not thread-safe: the table's lock guards it. Cells of defaults are owned by it.
class TableKnowledge {
 public:
  /// `limits`: of the target's definitions. `keyed`: false where every change is written in order, so that keys do not matter.
  explicit TableKnowledge(const route::Route& route, const cdcrt_limits& limits = {}, bool keyed = true)
      : route_(&route), limits_(limits), keyed_(keyed) {}

  /// What a row of `shape` at source order `order` (may be empty: unknown) teaches; answers where its columns go, valid until the next
  /// call. `definite`: the operation carries the row as it is then, so that a missing column means a dropped one.
  /// BAD_RECORD: the event cannot be one of this table (a column that the target cannot have, another key): nothing was learned.
  /// Any other error: the table must stop (two columns meet in one name, schema_changes = "fail", the route's key is not there).
  /// `unplaced`: the row has no order of its own, `order` is that of the row before it in its partition.
  /// `definition`: no row, but the shape itself; where it names columns without types it adds none.
  Result<const ShapeMap*> observe(const event::Shape& shape, std::string_view order, bool definite, bool unplaced = false,
                                  bool definition = false);
  /// Before observe() of a definition: columns get the names that it gives them. Known ones are no news.
  Result<void> rename(const event::Shape& definition, std::string_view order);
  /// Definitions of the table come in the stream: they tell whether a column that rows lack was dropped or renamed.
  void expect_definitions();
  /// observe() of a whole row would drop a column on that row's word alone: no definition was met that could say that it was renamed.
  [[nodiscard]] bool would_drop(const event::Shape& shape, std::string_view order) const;
  std::vector<uint32_t> take_unplaced() { return std::exchange(unplaced_, {}); }  ///< slots first seen in such rows, since the last call
  /// The partition brought a row with an order again: those columns were there after `order`, that of the row before them.
  void place(const std::vector<uint32_t>& slots, std::string_view order);

  /// The last observe() answered BAD_RECORD because the event names another key than the table's.
  [[nodiscard]] bool met_other_key() const { return other_key_; }
  /// Empty until a row was observed.
  [[nodiscard]] std::vector<RuleUse> rules() const;
  /// False: a column of the key would become what the target can make no key of.
  [[nodiscard]] bool may_hold(uint32_t slot, cdcrt_type type) const;

  /// Slots of the route's metadata, once a row was observed; they are columns like others, but no source column.
  [[nodiscard]] const std::map<route::Metadata, uint32_t>& metadata() const { return metadata_; }
  /// A value without schema: widens the column's type so that it holds the cell.
  void learn(uint32_t slot, const cdcrt_cell& cell);
  /// Widens the column's type so that it holds values of `type` too.
  void widen(uint32_t slot, cdcrt_type type);
  /// A row of nothing but NULL needs a column in the target: gives the first active column a type if none has one.
  void type_one_column();

  void restore(Column column);  ///< puts back a column that the target kept (order of calls: slot order)
  /// With the progress that stands beside `stored` in the target: rows up to each of `orders` may have shown these columns.
  void restore_sightings(const std::vector<Column>& stored, const std::vector<std::string>& orders);
  /// Takes over what another process stored since: columns by name, the wider type, the later drop or return. `others` is the greatest
  /// source order that other processes have applied: what they went on writing after our drop is not dropped. Answers the slots of columns
  /// that were dropped and came back elsewhere: of what was folded for them only the later part is theirs.
  std::vector<uint32_t> merge(const std::vector<Column>& stored, bool key_known, std::string_view others);

  /// Which column one of `all` that are stored is; none: -1.
  [[nodiscard]] int32_t slot_of(const Column& stored, const std::vector<Column>& all) const;

  void fetch_map() const;    ///< asks for the memory that one more row of the last shape touches
  void fetch_slots() const;  ///< later, once that is there
  [[nodiscard]] const std::vector<Column>& columns() const { return columns_.all(); }
  [[nodiscard]] ColumnList::Shared share_columns() { return columns_.share(); }
  [[nodiscard]] const std::vector<uint32_t>& key() const { return key_; }
  /// False until an event or the route said what the key is.
  [[nodiscard]] bool key_known() const { return key_known_; }
  void restore_key_known() { key_known_ = true; }
  /// A definition tells the key of a table whose events do not. It holds for rows that are observed from now on, also earlier ones.
  /// True: that is news.
  bool tell_key(const event::Shape& shape);
  /// The definition that told the key is refused, so that it is not observed: its key is kept all the same, for those who wait for it.
  void keep_told_key();
  /// The types that a definition at source order `order` declares, for columns that rows show before it is observed in its turn.
  void tell_types(const event::Shape& shape, std::string_view order);
  /// Nothing has told the key of the table so far, and a row of this shape cannot be applied without.
  [[nodiscard]] bool lacks_key(const event::Shape& shape) const;
  [[nodiscard]] bool is_key_told() const { return key_known_ || told_key_.has_value(); }
  /// A definition said that the table has no key, and no row was observed since.
  [[nodiscard]] bool is_told_keyless() const { return !key_known_ && told_key_ && told_key_->empty(); }
  void restore_told_keyless();
  void judge_key_partitions(const event::Shape& shape);  ///< before observe(), for who asks what follows of a row that may not be taken
  /// True when rows of equal key may come from several partitions: the route's key does not contain the message's.
  [[nodiscard]] bool key_crosses_partitions() const { return key_crosses_partitions_ && !(key_known_ && key_.empty()); }
  /// The message's key is a part of the route's, so that it tells a row of the source and not which row of the table.
  [[nodiscard]] bool has_narrower_message_key() const { return !message_key_.empty(); }
  [[nodiscard]] std::vector<uint32_t> message_key() const;  ///< its slots, where it is a part of the table's key; else empty
  /// Raised by every change that must be stored, or made in the target.
  [[nodiscard]] uint64_t version() const { return version_; }
  std::vector<TypeChange> take_type_changes();                                ///< since the last call
  std::vector<uint32_t> take_drops() { return std::exchange(drops_, {}); }    ///< the same: cells folded before are of the dropped column
  [[nodiscard]] const std::vector<Merge>& merges() const { return merges_; }  ///< all, in the order in which they came about
  std::vector<Merge> take_merges();                                           ///< those since the last call
  /// Since the last call a column got the name of another one, and rows from after that had been observed under the names as they were.
  bool take_mixed() { return std::exchange(is_mixed_, false); }
  [[nodiscard]] bool has_changes() const { return !type_changes_.empty() || !drops_.empty() || merges_taken_ < merges_.size(); }
  [[nodiscard]] event::Arena& arena() { return arena_; }

 private:
  void forget_maps();
  void note_sightings(ShapeMap& map);
  Result<void> add_metadata();
  [[nodiscard]] bool is_metadata(uint32_t slot) const;
  Result<int32_t> slot_for(const event::Shape& shape, const event::ShapeColumn& column, std::string_view order, bool unplaced,
                           bool definition);
  void show(Column& column, uint32_t slot, std::string_view order, bool unplaced);  ///< by a row: it was not known, or was dropped
  void place_those_of(const ShapeMap& map, std::string_view order);
  Result<void> declare_type(uint32_t slot, cdcrt_type declared, std::string_view order);
  [[nodiscard]] bool established() const;  ///< columns were known before: a difference is a change at the source
  /// Whose name it is at that source order; none: -1.
  [[nodiscard]] int32_t slot_named(const std::string& name, std::string_view order) const;
  [[nodiscard]] bool was_renamed(const std::string& former, std::string_view order) const;
  /// The definition lacks it and renames one that was met later: an earlier one, still to come, may tell that they are the same.
  [[nodiscard]] bool may_be_renamed(uint32_t slot, const event::Shape& definition, std::string_view order) const;
  [[nodiscard]] bool is_route_key(const std::string& column) const;
  [[nodiscard]] bool is_route_key_of(const std::string& name, const std::vector<uint32_t>& key) const;  ///< or had that name
  /// `column` was not there at that order yet, when `other` was.
  [[nodiscard]] bool came_after(const Column& column, const Column& other, std::string_view order) const;
  [[nodiscard]] std::optional<Renaming> untold_renaming(const event::Shape& definition, std::string_view order) const;
  void apply_rules(Column& column) const;
  void note_former(uint32_t slot, std::string_view order);
  void add_former(uint32_t slot, const FormerName& former);
  [[nodiscard]] int32_t slot_named(const std::string& name, std::string_view order, std::string_view until) const;  ///< not one added later
  [[nodiscard]] int32_t slot_later(const Column& stored, std::size_t former) const;
  void hide(uint32_t slot, std::string_view order);
  void bring_back(uint32_t slot);
  void apply(const std::vector<Renaming>& renamings, std::string_view order);
  void follow(const std::vector<Renaming>& renamings, std::string_view order);
  void set_holders_aside(std::vector<Renaming>& renamings, std::string_view order) const;
  [[nodiscard]] bool mixes(const std::vector<Renaming>& renamings, std::string_view order) const;
  [[nodiscard]] Result<void> check_targets(const std::vector<Renaming>& renamings) const;
  void leave_out_impossible(std::vector<Renaming>& renamings) const;
  [[nodiscard]] std::string target_name_for(const Column& column, const std::string& name) const;
  void take_renames(const std::vector<Column>& stored);
  [[nodiscard]] std::optional<Naming> naming_of(const Column& stored, const std::vector<Column>& all) const;
  void find_plain(ShapeMap& map, const event::Shape& shape) const;
  void bound_names(ShapeMap& map, const event::Shape& shape, std::string_view order) const;
  void find_nulls(ShapeMap& map, std::string_view order) const;
  [[nodiscard]] bool follows_definitions() const;
  [[nodiscard]] bool awaits_definitions() const { return has_definitions_ && follows_definitions(); }
  Result<void> observe_key(const event::Shape& shape, std::string_view order, bool definition);
  void set_key(std::vector<uint32_t> slots);
  Result<void> check_shape(const event::Shape& shape, bool definition) const;
  Result<void> check_route_key(const event::Shape& shape, bool definite) const;
  void note_rules(const event::Shape& shape);
  Result<void> check_rules(const event::Shape& shape, bool definite);
  Result<void> drop_absent(const ShapeMap& map, std::string_view order, const event::Shape* definition);  ///< null: by a row
  [[nodiscard]] bool was_there_before(uint32_t slot, std::string_view order) const;  ///< a row at `order` that lacks it drops it
  [[nodiscard]] bool lacks_known(const event::Shape& shape, std::string_view order) const;
  [[nodiscard]] bool follows_drops() const;
  /// The greatest order of a row that is newer than `order` and of a shape known by now; empty: there is none.
  [[nodiscard]] std::string_view lacked_at(std::string_view order) const;
  [[nodiscard]] std::string_view last_seen(uint32_t slot) const;
  [[nodiscard]] bool revives(const ShapeMap& map, std::string_view order) const;
  const ShapeMap* discard_late(const ShapeMap& map, std::string_view order);
  [[nodiscard]] bool is_late(int32_t slot, std::string_view order) const;
  void set_type(uint32_t slot, cdcrt_type type);
  bool merge_column(uint32_t slot, const Column& stored, std::string_view others);

  const route::Route* route_;
  cdcrt_limits limits_;
  bool keyed_;
  ColumnList columns_;
  std::unordered_map<std::string, uint32_t> slots_;
  ShapeMaps maps_;
  ShapeMap late_map_, names_map_;
  std::map<route::Metadata, uint32_t> metadata_;
  std::vector<uint32_t> key_;
  std::optional<std::vector<std::string>> told_key_;  ///< by a definition, for rows that do not tell it
  std::unordered_map<std::string, ToldType> told_types_;
  bool key_known_ = false, key_partitions_judged_ = false, key_crosses_partitions_ = false, forgot_maps_ = false, other_key_ = false;
  std::vector<std::string> message_key_;          ///< names of its columns, where it is narrower
  std::vector<bool> rules_met_;                   ///< by the route's column rules
  bool rules_judged_ = false, restored_ = false;  ///< a whole row was compared with them; columns came from the target
  uint64_t version_ = 1;
  std::vector<TypeChange> type_changes_;
  std::vector<uint32_t> drops_, unplaced_;
  std::unordered_map<std::string, std::vector<Former>> formers_;  ///< by name that a column had
  std::vector<Merge> merges_;
  std::size_t merges_taken_ = 0;
  std::pair<std::string, std::vector<std::string>> last_definition_;  ///< that was read, of types: its source order, its columns
  bool is_mixed_ = false, has_definitions_ = false, has_lacked_ = false, has_unplaced_ = false;  ///< the last two: a column may be
  event::Arena arena_{4 << 10};
};

}  // namespace cdcrt::evolution
