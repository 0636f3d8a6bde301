// Rereader: single messages, again.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdcrt/abi/source.h"
#include "client.hpp"
#include "inspector.hpp"

namespace cdcrt::kafka_source {

/// Its handle is its own, made at the first call, so that the group's reading is not disturbed. One thread at a time.
class Rereader {
 public:
  /// `settings` and `inspector` outlive the rereader.
  Rereader(const Settings& settings, Inspector& inspector, sdk::Host host)
      : settings_(settings), inspector_(inspector), host_(std::move(host)) {}
  ~Rereader() {
    Client::retire(std::move(client_));
    Client::retire(std::move(probe_));
    Client::retire(std::move(looks_));
  }
  Rereader(const Rereader&) = delete;
  Rereader& operator=(const Rereader&) = delete;

  using Visit = std::function<bool(const cdcrt_message&)>;
  /// See cdcrt_source.fetch. RETRY when the broker does not answer in time.
  sdk::Status fetch(std::string_view topic, int32_t partition, int64_t first, int64_t last, const Visit& visit);
  /// The message at `offset`, where there is one. RETRY as above.
  sdk::Status find(std::string_view topic, int32_t partition, int64_t offset, std::chrono::milliseconds timeout, const Visit& visit);
  using Answer = std::function<void(std::size_t, const cdcrt_message*)>;
  /// The messages at these offsets, some hundred with each request; NULL: the log has none there. What does not come in time is not
  /// answered.
  void find_all(const std::vector<cdcrt_place>& places, const Answer& answer);

 private:
  std::optional<int> find_some(const std::vector<cdcrt_place>& places, const std::vector<std::size_t>& wanted, const Answer& answer,
                               bool& goes_on);

  const Settings& settings_;
  Inspector& inspector_;
  sdk::Host host_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Client> probe_;                   // asks for as little as a broker gives
  std::unique_ptr<Client> looks_;                   // asks for a little of many partitions
  std::size_t looked_at_ = 0;                       // with it
  std::set<std::pair<std::string, int32_t>> read_;  // with this client
};

}  // namespace cdcrt::kafka_source
