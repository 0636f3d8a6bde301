// TargetDefinition: how a table is defined in the target, as it was read from the catalog.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "evolution/table_knowledge.hpp"

namespace cdcrt::apply {

struct Sealed;

/// One thread at a time: whoever writes the table.
class TargetDefinition {
 public:
  /// By target name: the column as it is in the target. Adopted ones and those of a route's target_type have the target's own type, and
  /// its name of it in target_type.
  using Columns = std::map<std::string, evolution::Column>;

  /// Columns that are kept with the table's knowledge are there, under the names that they have there.
  void restore(const std::vector<evolution::Column>& kept, const evolution::TableKnowledge& knowledge);
  /// Takes over what the target's catalog says. BAD_CONFIG: the batch cannot be written to such a table.
  Result<void> take(const cdcrt_table_description& found, const Sealed& sealed);
  /// It may have changed.
  void look_again() { is_described_ = false; }
  /// For targets without table definitions.
  void needs_none() { is_described_ = true; }

  [[nodiscard]] bool is_described() const { return is_described_; }
  [[nodiscard]] bool exists() const { return exists_; }
  /// It has a unique key over the batch's key.
  [[nodiscard]] bool has_unique_key() const { return has_unique_key_; }
  /// Names that differ in case only are one.
  [[nodiscard]] bool folds_names() const { return folds_names_; }
  /// Names in the target.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] const Columns& columns() const { return columns_; }
  /// The name that the batch's column has in the target as far as is known; empty: it was not made. The column may be gone.
  [[nodiscard]] const std::string& made_as(uint32_t slot) const;
  /// Null: the target has none of that name.
  [[nodiscard]] const evolution::Column* find(const std::string& name) const;
  /// The column was there before cdcrt, or the table has none and gets none.
  [[nodiscard]] bool is_adopted(const std::string& name) const { return adopted_.contains(name); }
  [[nodiscard]] bool adopts_any() const { return !adopted_.empty(); }
  [[nodiscard]] bool lacks(const std::string& name) const { return left_out_.contains(name); }
  /// The target says that it is not to be altered.
  [[nodiscard]] bool keeps(const std::string& name) const { return kept_.contains(name); }
  /// Changes of it that came from the source.
  [[nodiscard]] uint64_t schema_changes() const { return schema_changes_; }

  /// The column of `slot` gets another name, in the transaction that is open; one that has it gives way.
  void rename(uint32_t slot, const std::string& to, const Sealed& sealed);
  /// The column of `slot` goes, in the transaction that is open.
  void drop(uint32_t slot);
  /// The column of `slot` is the one that was made for another.
  void take_from(uint32_t slot, uint32_t other);
  /// It has that type, in the transaction that is open.
  void retype(const std::string& name, cdcrt_type type) { columns_[name].type = type; }
  /// It was said that nothing tells whether columns are the source's.
  [[nodiscard]] bool has_told_unshown() const { return told_unshown_; }
  void note_told_unshown() { told_unshown_ = true; }

  void leave_nothing_out() { left_out_.clear(); }
  /// An adopted table gets no column for it.
  void leave_out(const std::string& name);

  /// What was changed in the target, and is durable.
  struct Changed {
    bool creates = false;  ///< the table was made
    uint64_t source_changes = 0;
    std::vector<uint32_t> slots;                  ///< of the batch's columns: those that the target has now
    std::map<std::string, cdcrt_type> altered;    ///< by target name: types that were given
    std::map<std::string, cdcrt_type> raw_types;  ///< by target name: what the server made of the route's target_type
  };
  /// Made by cdcrt from now on, in the transaction that is open.
  void add(const std::string& name) { adopted_.erase(name); }
  void take(const Sealed& sealed, const Changed& changed);

 private:
  bool is_described_ = false, exists_ = false, has_unique_key_ = false, folds_names_ = false, told_unshown_ = false;
  void judge_key(const Sealed& sealed);
  [[nodiscard]] std::string known_name(std::string_view found, const Sealed& sealed) const;

  std::vector<std::string> names_, key_names_;
  Columns columns_;
  std::map<uint32_t, std::string> made_as_;  ///< by slot
  std::set<std::string> adopted_, left_out_, kept_;
  uint64_t schema_changes_ = 0;
};

/// What the host calls a column that the target's catalog names so.
std::string name_of(std::string_view found, bool folds_names, const Sealed& sealed);
/// The batch's column of that name; null: it has none.
const evolution::Column* column_named(const Sealed& sealed, const std::string& target_name);

}  // namespace cdcrt::apply
