#include <memory>
#include <string>

#include "appender.hpp"
#include "cdcrt/sdk/sink.hpp"
#include "json_row.hpp"

namespace cdcrt::file_sink {
namespace {

/// Collects the lines of one transaction and appends them at its commit.
class Connection : public sdk::SinkConnection {
 public:
  explicit Connection(Appender& appender) : appender_(appender) {}

  sdk::Status begin() override { return rollback(); }
  sdk::Status rollback() override {
    lines_.clear();
    return {};
  }
  sdk::Status commit() override {
    auto status = appender_.append(lines_);
    if (status.ok()) lines_.clear();
    return status;
  }
  sdk::Status write(const cdcrt_write& write) override {
    for (uint64_t row = 0; row < write.row_count; ++row) append_line(write, row, lines_);
    if (write.kind == CDCRT_WRITE_CLEAR && write.row_count == 0) append_line(write, 0, lines_);
    return {};
  }

 private:
  Appender& appender_;
  std::string lines_;
};

class FileSink : public sdk::Sink {
 public:
  static constexpr const char* kSummary = "Applied changes as JSON Lines, at least once";
  static constexpr const char* kLicense = "Apache-2.0";
  static constexpr uint32_t kCapabilities = CDCRT_SINK_EVENTS | CDCRT_SINK_SCHEMAS;

  explicit FileSink(const sdk::Config& config) : appender_(config.string("path")) {}
  sdk::Status open(std::unique_ptr<sdk::SinkConnection>& connection) override {
    auto status = appender_.open();
    if (status.ok()) connection = std::make_unique<Connection>(appender_);
    return status;
  }

 private:
  Appender appender_;
};

}  // namespace
}  // namespace cdcrt::file_sink

namespace {

namespace option = cdcrt::sdk::option;

constexpr cdcrt_option kOptions[] = {
    option::path("path")
        .required()
        .example("\"changes.jsonl\"")
        .doc("The file to append to; it is made when it is not there. `\"-\"` is standard output."),
};

}  // namespace

CDCRT_SINK("file", "0.1.0", cdcrt::file_sink::FileSink, kOptions)
