#include "redshift_sink.hpp"

#include "redshift_connection.hpp"

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
  auto made = std::make_unique<RedshiftConnection>(settings_, *place_, host_);
  Status status = made->open();
  if (status) connection = std::move(made);
  return status;
}

Status RedshiftSink::identify(std::string_view pipeline, std::string_view process) {
  place_->identify(pipeline, process);
  return {};
}

Status RedshiftSink::abandoned(std::string_view process) { return settings_.staging.enabled ? place_->remove(process) : Status(); }

}  // namespace cdcrt::redshift
