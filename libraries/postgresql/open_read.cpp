#include "postgresql/open_read.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "postgresql/value.hpp"

namespace cdcrt::postgresql {

using sdk::Status;
using sql::Moment;

namespace {

constexpr cdcrt_cell kNull{CDCRT_NULL, 0, 0, 0, {0}};

void visit_foreseen(const OpenRead& open) {
  const cdcrt_read& read = *open.read;
  std::vector<cdcrt_cell> cells(read.column_count);
  std::vector<std::string> buffers(read.column_count);
  for (const Foreseen::Found& row : open.rows) {
    for (uint32_t i = 0; i < read.column_count; ++i) {
      const auto& text = row->texts[i];
      cells[i] = text ? from_native(*open.columns[i], read.columns[i].type, *text, buffers[i]) : kNull;
    }
    if (read.visit(read.context, cells.data()) != 0) break;
  }
}

Status learn(const OpenRead& open, const std::vector<cdcrt_cell>& cells, const std::vector<std::string>& texts, ForeseenReads& foreseen) {
  Foreseen::Row row;
  for (std::size_t i = 0; i < cells.size(); ++i)
    row.texts.push_back(cells[i].tag == CDCRT_NULL ? std::nullopt : std::optional<std::string>(texts[i]));
  bool null = false;
  Status status = open.query->text(cells.size(), row.whole, null, open.what);
  if (status) foreseen.learn(open.table_key, open.learns, cells.data(), open.read->key_count, std::move(row));
  return status;
}

}  // namespace

Status visit_rows(const OpenRead& open, ForeseenReads& foreseen, std::size_t& largest) {
  if (!open.rows.empty()) {
    visit_foreseen(open);
    return {};
  }
  const cdcrt_read& read = *open.read;
  Status status = open.query->execute(Moment::kStatement, open.what);
  std::vector<cdcrt_cell> cells(read.column_count);
  std::vector<std::string> texts(read.column_count), buffers(read.column_count);
  while (status) {
    bool found = false;
    status = open.query->fetch(found, open.what);
    if (!status || !found) break;
    for (uint32_t i = 0; i < read.column_count && status; ++i) {
      bool null = false;
      status = open.query->text(i, texts[i], null, open.what);
      largest = std::max(largest, texts[i].size());
      cells[i] = null ? kNull : from_native(*open.columns[i], read.columns[i].type, texts[i], buffers[i]);
    }
    if (status && !open.learns.empty()) status = learn(open, cells, texts, foreseen);
    if (status && read.visit(read.context, cells.data()) != 0) break;
  }
  open.query->close();
  return status;
}

}  // namespace cdcrt::postgresql
