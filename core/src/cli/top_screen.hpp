// The screen of `cdcrt top`: what a pipeline does, as lines of text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/status_facts.hpp"

namespace cdcrt::cli {

struct TopView {
  enum class Sort : uint8_t { kLag, kRows, kState, kName };
  Sort sort = Sort::kLag;
  std::string search;
  std::size_t first = 0;   ///< of the tables that match
  bool is_styled = false;  ///< with colours; what they say stands there in words too
  bool has_keys = false;   ///< the last line names the keys
  bool is_searching = false;
  std::string trouble;  ///< why `now` is not of this moment; empty: it is
};

/// "lag", as /status calls it too.
const char* name_of(TopView::Sort sort);

/// At most `height` lines (0: any number) of at most `width` columns; rates are those since `before` (null: they are not known).
/// The first lines are the same for any number of tables; tables take what is left.
std::vector<std::string> draw_top(const StatusFacts& now, const StatusFacts* before, const TopView& view, std::size_t width,
                                  std::size_t height);

/// How many tables fit, so that no more are asked for.
std::size_t tables_that_fit(const StatusFacts& now, const TopView& view, std::size_t height);

}  // namespace cdcrt::cli
