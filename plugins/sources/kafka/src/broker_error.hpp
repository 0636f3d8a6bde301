// Errors of brokers, as an operator needs them.
#pragma once

#include <string>
#include <string_view>

#include "cdcrt/sdk/status.hpp"
#include "diagnostics.hpp"
#include "settings.hpp"

namespace cdcrt::kafka_source {

/// A code of librdkafka's: nobody answered, or not in time.
[[nodiscard]] bool is_transport(int code);

std::string partition_name(std::string_view topic, int32_t partition);

/// RETRY for what librdkafka or time will mend, AUTH with the right that is missing, UNSUPPORTED, or FATAL. `code`:
/// rd_kafka_resp_err_t; `text`: what librdkafka said, without secrets; `topic`: empty where none is concerned.
sdk::Status broker_error(int code, const std::string& what, const std::string& text, const Settings& settings, std::string_view topic = {});

/// What `diagnostics` heard of a refusal, by one side or the other: AUTH, or RETRY where a token could not be had for now.
sdk::Status refused(const Settings& settings, Diagnostics& diagnostics);

/// The offset to read is not in the log any more (or not yet).
sdk::Status offset_out_of_range(std::string_view topic, int32_t partition, int64_t wanted, int64_t first, int64_t end);

/// Another message stands where one was that was read.
sdk::Status made_again(std::string_view topic, int32_t partition, int64_t offset);

}  // namespace cdcrt::kafka_source
