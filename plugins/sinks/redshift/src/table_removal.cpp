// Rows of tables without a key: exactly one copy goes for each row of the write.
#include <algorithm>
#include <cstdlib>
#include <set>

#include "redshift_statements.hpp"
#include "table_write.hpp"

namespace cdcrt::redshift {

using sdk::Status;

namespace {

uint64_t number_of(const Field& field) { return field ? std::strtoull(field->c_str(), nullptr, 10) : 0; }

}  // namespace

/// Sets of staged rows that are equal to the server, by their smallest row number.
Status TableWrite::find_equals(const std::string& select, std::map<uint64_t, std::vector<uint64_t>>& sets) {
  if (rows() == 1) {
    sets[0].push_back(0);
    return {};
  }
  Status status = session_.select(select, 2, what_, [&](const std::vector<Field>& row) {
    sets[number_of(row[1])].push_back(number_of(row[0]));
    return true;
  });
  std::set<uint64_t> found;
  for (auto& [first, its] : sets) {
    std::sort(its.begin(), its.end());
    found.insert(its.begin(), its.end());
  }
  // A row that is not even equal to itself (NULL in a column that has none) has no copy.
  for (uint64_t row = 0; row < rows() && status; ++row) {
    if (!found.contains(row)) sets[row].push_back(row);
  }
  return status;
}

Status TableWrite::remove_copies(uint64_t stage_number) {
  constexpr uint64_t kMaxRounds = 8;  // of INSERTs that give copies back
  shape_.stage = "\"" + std::string("cdcrt_stage_") + std::to_string(stage_number) + "\"";
  shape_.row_number = "\"" + free_name(catalog_, "cdcrt_row") + "\"";
  const std::string held = "\"" + std::string("cdcrt_held_") + std::to_string(stage_number) + "\"";
  const auto statements = sql::redshift::remove_copies(shape_);
  Status status = execute(sql::redshift::create_stage(shape_));
  if (status) status = loader_.load(load_into(shape_.stage, true), refused_);
  std::map<uint64_t, std::vector<uint64_t>> sets;
  if (status) status = find_equals(statements.equals, sets);
  std::map<uint64_t, uint64_t> copies;
  if (status) {
    status = session_.select(statements.copies, 2, what_, [&](const std::vector<Field>& row) {
      copies[number_of(row[0])] = number_of(row[1]);
      return true;
    });
  }
  if (!status) return status;
  int64_t expected = 0;
  uint64_t rounds = 0;
  std::map<uint64_t, uint64_t> stay;  // sets of which copies are left, and how many go
  for (const auto& [first, its] : sets) {
    const auto found = copies.find(first);
    const uint64_t there = found == copies.end() ? 0 : found->second;
    expected += static_cast<int64_t>(there);
    for (uint64_t i = there; i < its.size() && write_.missing != nullptr; ++i) write_.missing(write_.context, its[i]);
    if (there <= its.size()) continue;
    stay[first] = its.size();
    rounds = std::max(rounds, there - its.size());
  }
  const bool again = covers_table() && rounds <= kMaxRounds;
  sql::redshift::CopyHold hold;
  if (!stay.empty() && !again) {
    hold = sql::redshift::hold_copies(shape_, held, stay);
    status = execute(hold.hold);
  }
  int64_t removed = 0;
  if (status && expected > 0) status = execute(statements.remove, &removed);
  if (status && removed != expected) {
    return Status::error(CDCRT_BUSY,
                         what_ + ": " + std::to_string(removed) + " copies were removed where " + std::to_string(expected) + " were found");
  }
  for (uint64_t round = 0; status && again && round < rounds; ++round) {
    std::vector<uint64_t> left;
    for (const auto& [first, gone] : stay) {
      if (copies[first] - gone > round) left.push_back(first);
    }
    status = execute(sql::redshift::insert_staged_again(shape_, left));
  }
  if (status && !stay.empty() && !again) {
    status = execute(hold.restore);
    stages_.retire(held);
  }
  if (status && again && rounds > 0) must_still_cover();
  if (status) stages_.retire(shape_.stage);
  return status;
}

}  // namespace cdcrt::redshift
