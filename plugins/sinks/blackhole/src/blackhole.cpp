// Takes everything, keeps nothing, counts: for measuring what comes before a sink.
#include <atomic>
#include <memory>
#include <string>

#include "cdcrt/sdk/sink.hpp"

namespace {

namespace sdk = cdcrt::sdk;
namespace option = sdk::option;

struct Counts {
  std::atomic<uint64_t> rows{0}, bytes{0}, writes{0};
};

class Connection : public sdk::SinkConnection {
 public:
  explicit Connection(Counts& counts) : counts_(counts) {}

  sdk::Status write(const cdcrt_write& write) override {
    uint64_t bytes = 0;
    const uint64_t cells = write.row_count * write.column_count;
    for (uint64_t i = 0; i < cells; ++i) bytes += write.cells[i].size;
    counts_.rows.fetch_add(write.row_count, std::memory_order_relaxed);
    counts_.bytes.fetch_add(bytes, std::memory_order_relaxed);
    counts_.writes.fetch_add(1, std::memory_order_relaxed);
    return {};
  }

 private:
  Counts& counts_;
};

class Blackhole : public sdk::Sink {
 public:
  static constexpr const char* kSummary = "Counts rows and throws them away: for measuring";
  static constexpr const char* kLicense = "Apache-2.0";
  static constexpr uint32_t kCapabilities = CDCRT_SINK_EVENTS | CDCRT_SINK_SCHEMAS;

  Blackhole(const sdk::Config& config, sdk::Host host) : host_(std::move(host)), reports_(config.boolean("report")) {}
  ~Blackhole() override {
    if (!reports_) return;
    host_.info("received rows=" + std::to_string(counts_.rows) + " bytes=" + std::to_string(counts_.bytes) +
               " writes=" + std::to_string(counts_.writes));
  }
  sdk::Status open(std::unique_ptr<sdk::SinkConnection>& connection) override {
    connection = std::make_unique<Connection>(counts_);
    return {};
  }

 private:
  sdk::Host host_;
  bool reports_;
  Counts counts_;
};

constexpr cdcrt_option kOptions[] = {
    option::boolean("report").default_value("false").doc("Log the number of rows, bytes and writes at the end."),
};

}  // namespace

CDCRT_SINK("blackhole", "0.1.0", Blackhole, kOptions)
