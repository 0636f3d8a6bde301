// The format dms: settings and the batch loop.
#pragma once

#include "cdcrt/sdk/format.hpp"
#include "event_decoder.hpp"
#include "settings.hpp"

namespace cdcrt::dms {

class Dms : public sdk::Format {
 public:
  static constexpr const char* kSummary = "Row changes written by AWS Database Migration Service";
  static constexpr const char* kLicense = "Apache-2.0";
  static const char* notes();

  sdk::Status configure(const sdk::Config& config) override;
  sdk::Status decode(sdk::Messages messages, sdk::RowBuilder& rows) override;

 private:
  Settings settings_;
  EventDecoder decoder_{settings_};
};

}  // namespace cdcrt::dms
