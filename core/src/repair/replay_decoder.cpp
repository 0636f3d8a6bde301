#include "repair/replay_decoder.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "cdcrt/sdk/status.hpp"
#include "route/second_source.hpp"

namespace cdcrt::repair {

Result<void> ReplayDecoder::decode(Candidate& candidate) {
  const auto& dead_letter = candidate.listed->dead_letter;
  const auto source =
      std::find_if(manifest_.sources.begin(), manifest_.sources.end(), [&](const auto& each) { return each.name == dead_letter.source; });
  if (!dead_letter.has_raw) {
    candidate.refusal = "its message could not be read again when it was found: only the decoded row is known";
    return {};
  }
  if (source == manifest_.sources.end()) {
    candidate.refusal = "the manifest has no source '" + dead_letter.source + "' any more";
    return {};
  }
  event::RowBatch rows(shapes_);
  if (std::exchange(shape_generation_, rows.shape_generation()) != rows.shape_generation()) formats_.clear();
  auto& format = formats_[dead_letter.source];
  if (!format) {
    auto made = plugin::Format::create(source->format);
    if (!made) return std::move(made.error());
    format = std::make_unique<plugin::Format>(std::move(*made));
  }
  std::vector<cdcrt_header> headers;
  const auto borrow = [](const std::optional<std::string>& bytes) { return bytes ? sdk::borrow(*bytes) : cdcrt_string{nullptr, 0}; };
  for (const auto& [name, value] : dead_letter.headers) headers.push_back({sdk::borrow(name), borrow(value)});
  cdcrt_message message{};
  message.key = borrow(dead_letter.key);
  message.value = borrow(dead_letter.value);
  message.headers = headers.data();
  message.header_count = static_cast<uint32_t>(headers.size());
  message.offset = dead_letter.offset;
  message.timestamp_ms = dead_letter.timestamp_ms;
  cdcrt_messages one{};
  one.size = sizeof one;
  one.topic = sdk::borrow(dead_letter.topic);
  one.partition = dead_letter.partition;
  one.messages = &message;
  one.count = 1;
  if (auto decoded = format->decode(one, rows); !decoded) return decoded;
  if (!rows.rejects().empty()) {
    candidate.refusal = explain(rows.rejects().front().error);
    return {};
  }
  return fold(candidate, one, rows);
}

Result<void> ReplayDecoder::fold(Candidate& candidate, const cdcrt_messages& message, const event::RowBatch& rows) {
  const auto& dead_letter = candidate.listed->dead_letter;
  std::vector<uint32_t> own;
  std::optional<apply::TableIdentity> own_identity;
  for (uint32_t i = 0; i < rows.size(); ++i) {
    if (rows.rows()[i].operation == CDCRT_MARKER) continue;
    const event::Shape& shape = shapes_.get(rows.rows()[i].shape);
    const route::SourceTable source{dead_letter.source, dead_letter.topic, shape.database, shape.schema, shape.table, shape.server};
    auto route = router_.route(source);
    if (!route) return std::move(route.error());
    if (*route == nullptr || (*route)->sink != target_.manifest.name) continue;
    auto place = router_.target_for(**route, source, target_.sink.has(CDCRT_SINK_SCHEMAS));
    if (!place) return std::move(place.error());
    apply::TableIdentity identity;
    identity.sink = target_.manifest.name;
    identity.schema = target_.sink.has(CDCRT_SINK_SCHEMAS) ? place->schema : std::string();
    identity.name = place->table;
    identity.source_name = stored_->source_table;
    identity.route = **route;
    identity.limits = target_.sink.limits();
    if (identity.target() != name_) continue;
    if (auto refused = route::refuse_second_source(**route, {stored_->source_table, stored_->source_server}, source, name_,
                                                   target_.manifest.name, target_.sink.has(CDCRT_SINK_SCHEMAS))) {
      candidate.refusal = explain(*refused);
      return {};
    }
    own.push_back(i);
    if (!base_) base_ = std::make_unique<apply::Table>(identity);
    if (!own_identity) own_identity = std::move(identity);
  }
  if (own.empty()) {
    candidate.refusal = "its message has no row for this table any more: the routes changed";
    return {};
  }
  progress::StoredTable known;
  known.columns = stored_->columns;
  known.key_known = stored_->key_known;
  known.told_keyless = stored_->told_keyless;
  known.by_source = stored_->by_source;
  // What came before a truncate is no open dead letter any more: that is all that is known of a message without an order.
  if (std::all_of(own.begin(), own.end(), [&](uint32_t row) { return rows.rows()[row].source_order.data != nullptr; }))
    known.floor = stored_->floor;
  candidate.aside = std::make_unique<apply::RowsAside>(std::move(*own_identity), std::move(known));
  candidate.partition =
      std::make_unique<progress::Partition>(dead_letter.source, dead_letter.topic, dead_letter.partition, [](auto&, auto, auto) {});
  candidate.aside->add({*candidate.partition, message, rows, shapes_, dead_letter.offset + 1}, own.data(), own.size(),
                       [&](const apply::Refusal& refusal) { candidate.refusal = refusal.reason + ": " + explain(refusal.error); });
  if (candidate.refusal.empty()) candidate.refusal = candidate.aside->stopped();
  candidate.sealed = candidate.aside->take(*base_);
  return {};
}

}  // namespace cdcrt::repair
