// What is known of one table: its columns, types, keys, drops. Durable in the target beside the progress.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/abi/value.h"
#include "diagnostics/result.hpp"
#include "event/arena.hpp"
#include "event/shape.hpp"
#include "route/settings.hpp"

namespace cdcrt::evolution {

/// Later than any source order: a row without one (of an incremental snapshot) showed the column, and nothing that lacks it is known to be
/// later.
inline const std::string kUnplaced(32, '\xff');

/// A name that a column had at the source, until a definition at that source order gave it another one.
struct FormerName {
  std::string name, until;
};

/// A column of a table. Its place in TableKnowledge::columns() is its slot, which never changes.
struct Column {
  std::string source_name;
  std::string target_name;
  cdcrt_type type{};           ///< kind UNKNOWN: seen only as NULL, not created yet
  std::string target_type;     ///< raw type of the target; empty: from the type
  cdcrt_cell default_value{};  ///< constant default of the source; tag ABSENT: none
  uint32_t key_ordinal = 0;    ///< 1-based; 0: not in the key
  bool active = true;          ///< false: dropped at the source
  bool typed_by_route = false;
  bool adopted =
      false;  ///< the target's own: it was there before, or its table was and it is left out; made or altered only under "evolve"
  types::Parse parse = types::Parse::kNone;
  types::OnOverflow on_overflow = types::OnOverflow::kDefault;
  uint32_t incarnation = 0;  ///< raised when a dropped column comes back: the target's is dropped and added anew
  std::string last_seen;     ///< greatest source order at which it was seen, as far as stored; kUnplaced: that is not known
  /// Source order of the last event that showed its absence; empty: never absent. It stays when the column comes back: what is not
  /// later is of the column that was dropped. Where the new one was added is not known, only that it was after this.
  std::string dropped_at;
  std::string type_order;                ///< source order of the shape that last declared its type
  std::vector<FormerName> former_names;  ///< oldest first
  std::string added_at;                  ///< source order of the row that was read first with it; empty: not known
  /// Where definitions tell what becomes of columns: source order of the first row that lacks it, and of the first definition of names
  /// alone that does. It is dropped when both do; until then rows that lack it hold NULL.
  std::string lacked_since, undefined_since;
  int32_t merged_into = -1;  ///< rows came before the definition that renamed a column so: the slot of that one, whose values these are
};

/// For rows that are folded once more: none of these columns is dropped by them that was not when they were read first.
void keep_columns(std::vector<Column>& columns);

/// Where a shape's columns go.
struct ShapeMap {
  static constexpr int32_t kExcluded = -1, kLeftOut = -2, kLate = -3;
  std::vector<int32_t> slots;    ///< per shape column: slot, or below 0 why it has none: kLeftOut by "ignore", kLate for a dropped column
  std::vector<uint32_t> absent;  ///< slots of active columns that the shape lacks
  std::vector<uint32_t> nulls;   ///< slots that a whole row of it sets to NULL
  bool has_dropped = false;      ///< one of the slots is of a dropped column, or of one that came back
  bool has_former = false;       ///< one of its names was a column's that has another one now: it holds in [`from`, `until`) alone
  std::string from, until;       ///< source orders; `until` empty: for good
  uint64_t version = 0;          ///< of the knowledge it was made for
  std::string max_order;         ///< greatest source order of a row of this shape
  std::string max_definite;      ///< the greatest order of its rows that show which columns the table had; empty: none
};

/// A column's type grew; cells folded before it must follow.
struct TypeChange {
  uint32_t slot;
  cdcrt_type from, to;
};

/// Rows named a column before it was known to be another one, renamed: cells of slot `from` are of slot `into`.
struct Merge {
  uint32_t from, into;
  cdcrt_type type;  ///< of the cells in `from`
};

/// Not thread-safe: the table's lock guards it. Cells of defaults are owned by it.
class TableKnowledge {
 public:
  /// `limits`: of the target's definitions. `keyed`: false where every change is taken in order, so that keys are of no account.
  explicit TableKnowledge(const route::Route& route, const cdcrt_limits& limits = {}, bool keyed = true)
      : route_(&route), limits_(limits), keyed_(keyed) {}

  /// What a row of `shape` at source order `order` (may be empty: unknown) teaches; answers where its columns go, valid until
  /// the next call. `definite`: the operation carries the row as it is then, so that a missing column means a dropped one.
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
  /// Slots that such rows showed first, since the last call.
  std::vector<uint32_t> take_unplaced() { return unplaced_.empty() ? std::vector<uint32_t>() : std::exchange(unplaced_, {}); }
  /// The next row with an order came in the partition that showed them: they were there after `order`, the one before it.
  void place(const std::vector<uint32_t>& slots, std::string_view order);

  /// The last observe() answered BAD_RECORD because the event names another key than the table's.
  [[nodiscard]] bool met_other_key() const { return other_key_; }
  /// A rule for one column by its name, and whether an event had that column.
  struct RuleUse {
    const route::ColumnRule* rule;
    bool met;
  };
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
  /// Rows that hold nothing but NULL need a column to stand in: gives the first active one a type if none has one.
  void type_one_column();

  /// Puts back a column that the target kept (order of calls: slot order).
  void restore(Column column);
  /// Every active column was seen at least up to there: called after restore() or merge() with the progress of the target.
  void restore_sighting(std::string_view order);
  /// Takes over what another process stored since: columns by name, the wider type, the later drop or return. `others` is the
  /// greatest source order that other processes have applied: what they went on writing after our drop is not dropped.
  /// Answers the slots of columns that were dropped and came back elsewhere: of what was folded for them only the later part is theirs.
  std::vector<uint32_t> merge(const std::vector<Column>& stored, bool key_known, std::string_view others);

  /// Which column one of `all` that are stored is; none: -1.
  [[nodiscard]] int32_t slot_of(const Column& stored, const std::vector<Column>& all) const;

  [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }
  [[nodiscard]] const std::vector<uint32_t>& key() const { return key_; }
  /// False until an event or the route said what the key is.
  [[nodiscard]] bool key_known() const { return key_known_; }
  void restore_key_known() { key_known_ = true; }
  /// True when rows of equal key may come from several partitions: the route's key does not contain the message's.
  [[nodiscard]] bool key_crosses_partitions() const { return key_crosses_partitions_; }
  /// The message's key is a part of the route's, so that it tells a row of the source and not which row of the table.
  [[nodiscard]] bool has_narrower_message_key() const { return !message_key_.empty(); }
  /// Its slots; empty where it is the table's key, or more.
  [[nodiscard]] std::vector<uint32_t> message_key() const;
  /// Raised by everything that must be stored or changed in the target.
  [[nodiscard]] uint64_t version() const { return version_; }
  /// Type changes since the last call.
  std::vector<TypeChange> take_type_changes();
  /// Slots dropped since the last call: cells folded before are of a column that is gone.
  std::vector<uint32_t> take_drops() { return std::exchange(drops_, {}); }
  /// Since the last call.
  std::vector<Merge> take_merges() { return std::exchange(merges_, {}); }
  [[nodiscard]] const std::vector<Merge>& merges() const { return merges_; }
  [[nodiscard]] bool has_changes() const { return !type_changes_.empty() || !drops_.empty() || !merges_.empty(); }

  [[nodiscard]] event::Arena& arena() { return arena_; }

 private:
  void forget_maps();
  void note_sightings(ShapeMap& map);
  Result<void> add_metadata();
  [[nodiscard]] bool is_metadata(uint32_t slot) const;
  Result<int32_t> slot_for(const event::Shape& shape, const event::ShapeColumn& column, std::string_view order, bool unplaced,
                           bool definition);
  /// A row shows a column that was not there, or not any more.
  void show(Column& column, uint32_t slot, std::string_view order, bool unplaced);
  void place_those_of(const ShapeMap& map, std::string_view order);
  Result<void> declare_type(uint32_t slot, cdcrt_type declared, std::string_view order);
  /// The table's columns were known before this shape: what differs is a change of the source.
  [[nodiscard]] bool established() const { return restored_ || forgot_maps_ || maps_.size() > 1; }
  struct Renaming {
    uint32_t slot;
    std::string name;
  };
  /// Whose name it is at that source order; none: -1.
  [[nodiscard]] int32_t slot_named(const std::string& name, std::string_view order) const;
  [[nodiscard]] bool was_renamed(const std::string& former, std::string_view order) const;
  [[nodiscard]] bool is_route_key(const std::string& column) const;
  /// A column of the key has that name, or had it.
  [[nodiscard]] bool is_route_key_of(const std::string& name, const std::vector<uint32_t>& key) const;
  void apply_rules(Column& column) const;
  void note_former(uint32_t slot, std::string_view order);
  void hide(uint32_t slot, std::string_view order);
  void apply(const std::vector<Renaming>& renamings, std::string_view order);
  [[nodiscard]] Result<void> check_targets(const std::vector<Renaming>& renamings) const;
  void leave_out_impossible(std::vector<Renaming>& renamings, std::string_view order) const;
  [[nodiscard]] std::string target_name_for(const Column& column, const std::string& name) const;
  void take_renames(const std::vector<Column>& stored);
  void bound_names(ShapeMap& map, const event::Shape& shape, std::string_view order) const;
  void find_nulls(ShapeMap& map, std::string_view order) const;
  [[nodiscard]] bool awaits_definitions() const;
  void judge_key_partitions(const event::Shape& shape);
  Result<void> observe_key(const event::Shape& shape, std::string_view order, bool definition);
  Result<void> check_shape(const event::Shape& shape, bool definition) const;
  Result<void> check_route_key(const event::Shape& shape, bool definite) const;
  [[nodiscard]] std::vector<std::string> key_of(const event::Shape& shape) const;
  [[nodiscard]] bool is_unkeyable(cdcrt_type type) const;
  void note_rules(const event::Shape& shape);
  Result<void> check_rules(const event::Shape& shape, bool definite);
  Result<void> drop_absent(const ShapeMap& map, std::string_view order, bool definition, bool names_alone);
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
  std::vector<Column> columns_;
  std::unordered_map<std::string, uint32_t> slots_;
  std::unordered_map<uint32_t, ShapeMap> maps_;
  ShapeMap late_map_, names_map_;
  std::map<route::Metadata, uint32_t> metadata_;
  std::vector<uint32_t> key_;
  bool key_known_ = false;
  bool key_partitions_judged_ = false;
  bool key_crosses_partitions_ = false;
  std::vector<std::string> message_key_;  ///< names of its columns, where it is narrower
  bool forgot_maps_ = false;
  bool other_key_ = false;
  std::vector<bool> rules_met_;  ///< by the route's column rules
  bool rules_judged_ = false;    ///< a whole row was compared with them
  bool restored_ = false;        ///< columns came from the target
  uint64_t version_ = 1;
  std::vector<TypeChange> type_changes_;
  std::vector<uint32_t> drops_;
  struct Former {
    std::string until;
    uint32_t slot;
  };
  std::unordered_map<std::string, std::vector<Former>> formers_;  ///< by name that a column had
  std::vector<Merge> merges_;
  bool has_definitions_ = false;
  bool has_lacked_ = false;  ///< a column may be lacked by rows and not dropped
  std::vector<uint32_t> unplaced_;
  bool has_unplaced_ = false;  ///< a column may be
  event::Arena arena_{4 << 10};
};

}  // namespace cdcrt::evolution
