// RedshiftSink: tables of Amazon Redshift: files in S3, COPY, one set-based transaction.
#pragma once

#include <memory>
#include <string_view>

#include "cdcrt/sdk/sink.hpp"
#include "layout_options.hpp"
#include "made_tables.hpp"
#include "settings.hpp"
#include "sql/looks.hpp"
#include "staged_files.hpp"

namespace cdcrt::redshift {

class RedshiftSink : public sdk::Sink {
 public:
  static constexpr const char* kSummary = "Tables of Amazon Redshift: files in S3, COPY, one transaction";
  static constexpr const char* kLicense = "Apache-2.0";
  static constexpr uint32_t kCapabilities =
      CDCRT_SINK_TRANSACTIONS | CDCRT_SINK_SCHEMAS | CDCRT_SINK_TABLE_LOCKS | CDCRT_SINK_RESTS | CDCRT_SINK_LEAVES_THINGS;
  static const char* notes();
  static sdk::OptionTable layout_options() { return redshift::layout_options(); }
  static sdk::Status check_layout(const sdk::Config& config) {
    sql::redshift::Layout ignored;
    return read_layout(config, ignored);
  }

  RedshiftSink(const sdk::Config& config, sdk::Host host);
  ~RedshiftSink() override;
  sdk::Status configure(const sdk::Config& config) override;
  sdk::Status open(std::unique_ptr<sdk::SinkConnection>& connection) override;
  sdk::Status identify(std::string_view pipeline, std::string_view process) override;
  sdk::Status abandoned(std::string_view process) override;
  void limits(cdcrt_limits& limits) override;

 private:
  const sdk::Host host_;
  Settings settings_;
  std::unique_ptr<StagingPlace> place_;
  sql::Looks looks_;
  MadeTables made_;
};

}  // namespace cdcrt::redshift
