#include "runtime/event_reader.hpp"

#include <algorithm>

#include "cdcrt/sdk/status.hpp"

namespace cdcrt::runtime {

Result<void> SourceEventReader::read(const apply::Table& table, const progress::Partition& partition, int64_t first, int64_t last,
                                     const Visit& visit) {
  const std::lock_guard lock(mutex_);
  const auto source = std::find_if(sources_.begin(), sources_.end(), [&](const auto& candidate) { return candidate->name() == partition.source(); });
  if (source == sources_.end()) return make_error(CDCRT_FATAL, "no source named '" + partition.source() + "'");
  auto format = plugin::Format::create((*source)->manifest().format);
  if (!format) return std::move(format.error());
  event::RowBatch rows(shapes_);
  Result<void> fault;
  std::vector<uint32_t> indexes;
  auto fetched = (*source)->fetch(partition.topic(), partition.number(), first, last, [&](const cdcrt_message& message) {
    cdcrt_messages one{};
    one.size = sizeof one;
    one.topic = sdk::borrow(partition.topic());
    one.partition = partition.number();
    one.messages = &message;
    one.count = 1;
    rows.clear();
    fault = format->decode(one, rows.abi());
    if (!fault) return false;
    indexes.clear();
    for (uint32_t i = 0; i < rows.size(); ++i) {
      if (rows.rows()[i].operation == CDCRT_MARKER) continue;
      if (destinations_->resolve(partition, rows.rows()[i].shape).table == &table) indexes.push_back(i);
    }
    return indexes.empty() || visit(one, rows, indexes);
  });
  if (!fault) return fault;
  return fetched;
}

}  // namespace cdcrt::runtime
