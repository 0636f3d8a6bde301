// Workload: the source's tables as their history goes, the log that tells of it, and what must stand in the target at the end.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "simulation/schedule_state.hpp"

namespace cdcrt::simulation {

/// A cell of an event: "unchanged" is what is not in the event.
struct Value {
  enum Kind : uint8_t { kUnchanged, kNull, kInteger, kText } kind = kUnchanged;
  int64_t integer = 0;
  std::string text;
  auto operator<=>(const Value&) const = default;
  [[nodiscard]] std::string show() const;
};
using Cells = std::vector<Value>;  ///< by column: id, a, b, c, d

constexpr std::size_t kColumns = 5, kColumnA = 1, kColumnB = 2, kColumnC = 3, kColumnD = 4;
constexpr const char* kColumnNames[kColumns] = {"id", "a", "b", "c", "d"};
/// How often column c may be renamed.
constexpr std::size_t kRenames = 2;
using NamesOfC = std::array<const char*, kRenames + 1>;
/// The server of all tables, and the topic of their definitions where they come apart.
constexpr const char* kServer = "server";
/// A value of column a that the target refuses.
constexpr std::string_view kRefused = "refused";

struct SourceTable {
  std::string name;
  int topic = 0;
  bool keyed = true;
  bool key_elsewhere = false;  ///< only its definitions tell the key
  int only_partition = -1;     ///< all its events go there; -1: by key
};

struct Event {
  int table = 0;
  uint8_t operation = 0;
  int64_t order = 0;  ///< place in the source's history; also its id
  int topic = 0;
  int32_t partition = 0;
  int64_t offset = 0;
  bool wide = false;        ///< knows column d
  std::size_t renamed = 0;  ///< how often column c was renamed before
  bool renames = false;     ///< the definition that tells the last time
  Cells cells, before, other_key;
  bool unordered = false;  ///< of the snapshot, without an order
  bool refused = false;    ///< the target will not take it
  bool blocked = false;    ///< it changes a part of a row whose last change as a whole was refused: a dead letter too
  [[nodiscard]] bool good() const { return !refused && !blocked; }
  [[nodiscard]] std::string show() const;
};

struct Topic {
  std::string name;
  int32_t partitions = 1, later_partitions = 1;
};

/// Rows of a table, in order of their values; the key is a column like any other.
using Rows = std::multiset<Cells>;

class Workload {
 public:
  /// Draws the history.
  Workload();
  std::vector<Topic> topics;
  std::vector<SourceTable> tables;
  std::vector<Event> events;         ///< by order
  std::size_t growth_at = SIZE_MAX;  ///< index of the first event that is spread over the later partitions
  /// What column c is called at first, once it was renamed, and after a second time: another name, or its first one again.
  NamesOfC names_of_c{kColumnNames[kColumnC], "e", "f"};

  /// The obvious interpreter: events in their order, one by one, without those that become dead letters.
  /// `applies`: leaves out events; null: all count.
  [[nodiscard]] Rows expected(int table, const std::function<bool(const Event&)>& applies = {}) const;
  [[nodiscard]] std::string describe() const;

 private:
  int32_t partition_of(const SourceTable& table, int64_t key) const;
  Event& add(int table, uint8_t operation, int32_t partition);
  void plan_definitions(std::size_t count);
  void define_everywhere();
  [[nodiscard]] std::vector<std::size_t> plan_renames(std::size_t count);
  void rename();
  void add_definitions();
  Event& define(int table, int32_t partition);
  void draw_keyed(int table);
  void draw_keyless(int table);
  std::string text();
  Cells full(int64_t id);

  struct Row {
    Cells cells;
    bool tainted = false;  ///< its last full image was refused
    bool moved = false;
  };
  std::vector<std::map<int64_t, Row>> rows_;
  std::vector<std::vector<Cells>> keyless_;
  std::map<int64_t, int32_t> places_;
  std::set<std::pair<int, int64_t>> met_;  ///< keys of tables
  bool truncated_ = false;
  int64_t next_key_ = 100;
  int64_t next_text_ = 0;
  std::multimap<std::size_t, int> definitions_;  ///< tables, by the index of the event
  bool wide_ = false;
  std::size_t renamed_ = 0;
  bool grown_ = false;
};

}  // namespace cdcrt::simulation
