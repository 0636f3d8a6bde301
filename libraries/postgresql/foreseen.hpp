// Foreseen: what rows of the host's own held when a transaction that was committed had locked them, so that the next one need not wait for
// the answer. What it is told so is proven by the server, under the lock, before anything that follows.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cdcrt/abi/sink.h"

namespace cdcrt::postgresql {

/// One per sink, shared by its connections; thread-safe.
class Foreseen {
 public:
  struct Row {
    std::vector<std::optional<std::string>> texts;  ///< of the columns that were read
    std::string whole;                              ///< as the server writes the row
  };
  using Found = std::shared_ptr<const Row>;

  /// The row of a table that answers `statement` for `key`; null: not known.
  [[nodiscard]] Found find(const std::string& table, const std::string& statement, const std::string& key) const;
  /// How often the table was forgotten.
  [[nodiscard]] uint64_t times_forgotten(const std::string& table) const;
  /// A committed transaction had read it. Nothing where the table was forgotten since it was read.
  void learn(const std::string& table, const std::string& statement, const std::string& key, Found row, uint64_t times_forgotten);
  /// It changes, or something was foreseen wrongly.
  void forget(const std::string& table);

 private:
  // Beyond it new ones are not learned: those of a table that is forgotten make room.
  static constexpr std::size_t kMaxRows = 2048;
  struct Table {
    uint64_t times_forgotten = 0;
    std::string statement;
    std::unordered_map<std::string, Found> rows;
  };
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Table> tables_;
};

/// What one connection's transaction foresees, and what it learns. One thread.
class ForeseenReads {
 public:
  /// `shared`: null where nothing is foreseen; must outlive it.
  explicit ForeseenReads(Foreseen* shared) : shared_(shared) {}

  /// Whether the read is one to foresee or to learn from: the host's own rows, by key, under a shared lock, for the first time in this
  /// transaction. A second time the server answers.
  [[nodiscard]] bool suits(const std::string& table, const cdcrt_read& read) const;
  /// The rows of all its keys, in their order; empty: they are not all known.
  [[nodiscard]] std::vector<Foreseen::Found> find(const std::string& table, const std::string& statement, const cdcrt_read& read) const;
  /// They are told to the host: wrong ones are forgotten unless the transaction is committed.
  void told(const std::string& table) { told_.insert(table); }
  /// The table is read: what was read is known once the transaction is committed.
  void begin_learning(const std::string& table);
  void learn(const std::string& table, const std::string& statement, const cdcrt_cell* key, uint32_t key_count, Foreseen::Row row);
  /// Rows of the table are changed in this transaction.
  void changes(const std::string& table);
  void end(bool is_committed);

  /// `statement` with one more column: the row as the server writes it.
  static std::string learning_text(const std::string& statement);
  /// `statement` so that it fails unless its rows are those of one more parameter, whole().
  static std::string proving_text(const std::string& statement);
  /// Whether a statement is one of these.
  static bool is_its(std::string_view statement);
  static std::string whole(const std::vector<Foreseen::Found>& rows);

 private:
  struct Learned {
    std::string statement, key;
    Foreseen::Found row;
  };
  struct Lesson {
    uint64_t times_forgotten = 0;
    std::vector<Learned> rows;
  };
  Foreseen* const shared_;
  std::set<std::string> told_, changed_;
  std::map<std::string, Lesson> lessons_;
};

}  // namespace cdcrt::postgresql
