// SinkConnection: base class of a sink's connections. Header-only, C++17. Authors include sink.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include "cdcrt/abi/sink.h"
#include "cdcrt/sdk/clock.hpp"
#include "cdcrt/sdk/status.hpp"
#include "cdcrt/sdk/table_description.hpp"

namespace cdcrt::sdk {

/// One connection, used by one thread at a time; destroying it closes it. Exceptions that leave a member become FATAL errors.
/// See cdcrt_sink for the contract of each call.
class SinkConnection {
 public:
  SinkConnection() = default;
  SinkConnection(const SinkConnection&) = delete;
  SinkConnection& operator=(const SinkConnection&) = delete;
  virtual ~SinkConnection() = default;

  virtual Status begin() { return {}; }
  virtual Status commit() { return {}; }
  virtual Status rollback() { return {}; }
  /// Leaves `out` untouched where the table does not exist.
  virtual Status describe(const cdcrt_table& /*table*/, TableDescription& /*out*/) { return {}; }
  virtual Status change(const cdcrt_table& /*table*/, const cdcrt_change* /*changes*/, uint32_t /*count*/) { return {}; }
  virtual Status write(const cdcrt_write& write) = 0;
  virtual Status read(const cdcrt_read& /*read*/) { return Status::unsupported("this sink cannot be read"); }
  /// Only where the sink says CDCRT_SINK_TABLE_LOCKS.
  virtual Status lock(const cdcrt_table* /*tables*/, uint32_t /*count*/) { return Status::unsupported("this sink locks no tables"); }
  /// By default one after another.
  virtual Status read_together(const cdcrt_read* reads, uint32_t count) {
    Status status;
    for (uint32_t i = 0; i < count && status.ok(); ++i) status = read(reads[i]);
    return status;
  }
  virtual Status expect(const cdcrt_table* /*tables*/, uint32_t /*count*/, bool /*fresh*/) { return {}; }
  /// Only where the sink says CDCRT_SINK_SAVEPOINTS.
  virtual Status savepoint(cdcrt_savepoint /*action*/) { return Status::unsupported("this sink has no savepoints"); }
  /// Asks the clocks of other machines that matter to the sink. Outside of a transaction.
  virtual Status clocks(std::vector<Clock>& /*out*/) { return {}; }
};

}  // namespace cdcrt::sdk
