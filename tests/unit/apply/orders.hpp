// Orders: the table of most tests here: id (key), a, b.
#pragma once

#include "apply/rig.hpp"

namespace cdcrt::rig {

inline std::vector<Column> orders() { return {{"id", kInt, 1}, {"a", kText}, {"b", kInt}}; }
inline Event insert(int64_t id, cdcrt_cell a, cdcrt_cell b, std::string order = {}) {
  return {CDCRT_INSERT, orders(), {integer(id), a, b}, std::move(order)};
}
inline Event update(int64_t id, cdcrt_cell a, cdcrt_cell b, std::string order = {}) {
  return {CDCRT_UPDATE, orders(), {integer(id), a, b}, std::move(order)};
}
inline Event remove(int64_t id, std::string order = {}) {
  return {CDCRT_DELETE, orders(), {integer(id), absent(), absent()}, std::move(order)};
}
inline Event truncate(std::string order) { return {CDCRT_TRUNCATE, orders(), {}, std::move(order)}; }

/// A table without key: a, b.
inline std::vector<Column> notes() { return {{"a", kText}, {"b", kInt}}; }
inline Event append(cdcrt_cell a, cdcrt_cell b) { return {CDCRT_INSERT, notes(), {a, b}, {}}; }
inline Event change(std::vector<cdcrt_cell> before, std::vector<cdcrt_cell> after) {
  return {CDCRT_UPDATE, notes(), std::move(after), {}, std::move(before)};
}
inline Event take(cdcrt_cell a, cdcrt_cell b) { return {CDCRT_DELETE, notes(), {a, b}, {}}; }

}  // namespace cdcrt::rig
