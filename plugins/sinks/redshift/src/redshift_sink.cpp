#include "redshift_sink.hpp"

#include "redshift_connection.hpp"
#include "redshift_types.hpp"

namespace cdcrt::redshift {

using sdk::Status;

RedshiftSink::RedshiftSink(const sdk::Config& /*config*/, sdk::Host host) : host_(std::move(host)) {}

RedshiftSink::~RedshiftSink() {
  if (place_ != nullptr && settings_.staging.enabled) place_->remove_own();
}

Status RedshiftSink::configure(const sdk::Config& config) {
  Status status = read_settings(config, settings_);
  if (!status) return status;
  place_ = std::make_unique<StagingPlace>(settings_, config.name(), host_);
  place_->identify(config.pipeline(), {});
  return {};
}

Status RedshiftSink::open(std::unique_ptr<sdk::SinkConnection>& connection) {
  auto made = std::make_unique<RedshiftConnection>(settings_, *place_, looks_, made_, host_);
  Status status = made->open();
  if (status) connection = std::move(made);
  return status;
}

Status RedshiftSink::identify(std::string_view pipeline, std::string_view process) {
  place_->identify(pipeline, process);
  return {};
}

Status RedshiftSink::abandoned(std::string_view process) { return settings_.staging.enabled ? place_->remove(process) : Status(); }

void RedshiftSink::limits(cdcrt_limits& limits) {
  limits.name_bytes = static_cast<uint32_t>(sql::redshift::kNameLimit);
  limits.columns = 1600;
  limits.text_bytes = 65'535;
  limits.row_bytes = 4 << 20;
  limits.unkeyable_types = 1U << CDCRT_TYPE_JSON | 1U << CDCRT_TYPE_ARRAY;  // SUPER
  limits.time_us = int64_t{24} * 3600 * 1'000'000;
  limits.bookkeeping_ms = 30'000;
}

}  // namespace cdcrt::redshift
