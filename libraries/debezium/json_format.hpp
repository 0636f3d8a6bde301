// JsonFormat: what the formats of Debezium's JSON are beside their settings.
#pragma once

#include "cdcrt/sdk/format.hpp"
#include "cdcrt/sdk/option.hpp"
#include "debezium/event_decoder.hpp"

namespace cdcrt::debezium {

inline constexpr cdcrt_option kUnavailableOption =
    sdk::option::text("unavailable_value")
        .advanced()
        .default_value("__debezium_unavailable_value")
        .example("__unchanged__")
        .doc(
            "Debezium's `unavailable.value.placeholder`: a column that holds it (as text, base64, hex, or inside an array or map) keeps "
            "the target's value.");

/// The formats that derive from it set settings_ in configure().
class JsonFormat : public sdk::Format {
 public:
  static constexpr const char* kLicense = "Apache-2.0";

  sdk::Status decode(sdk::Messages messages, sdk::RowBuilder& rows) override;

 protected:
  /// Of kUnavailableOption. BAD_CONFIG where it is empty.
  sdk::Status read_unavailable(const sdk::Config& config);

  Settings settings_;

 private:
  EventDecoder decoder_{settings_};
  TopicStates topics_;
};

}  // namespace cdcrt::debezium
