#include <optional>

#include "cdcrt/sdk/status.hpp"
#include "dead_letters/dead_letter_row.hpp"
#include "dead_letters/destination.hpp"
#include "plugin/instance.hpp"

namespace cdcrt::dead_letters {
namespace {

class SinkDestination final : public Destination {
 public:
  SinkDestination(plugin::Sink sink, plugin::Connection connection, std::string table)
      : sink_(std::move(sink)), connection_(std::move(connection)), table_(std::move(table)) {}

  Result<void> write(std::vector<StoredDeadLetter> dead_letters) override {
    for (StoredDeadLetter& dead_letter : dead_letters) kept_.push_back(std::move(dead_letter));
    std::vector<cdcrt_cell> cells;
    std::deque<std::string> storage;
    for (const StoredDeadLetter& dead_letter : kept_) append_cells(cells, dead_letter, storage);
    const std::vector<uint8_t> operations(kept_.size(), CDCRT_INSERT);
    cdcrt_write write{};
    write.size = sizeof write;
    write.kind = CDCRT_WRITE_APPEND;
    write.table.name = sdk::borrow(table_);
    write.columns = dead_letter_columns().data();
    write.column_count = static_cast<uint32_t>(dead_letter_columns().size());
    write.cells = cells.data();
    write.row_count = kept_.size();
    write.operations = operations.data();
    auto written = connect();
    if (written) written = connection_->write(write);
    if (!written) {
      // The next one logs in anew, perhaps with another password.
      connection_.reset();
      written.error().message = "dead letters: " + written.error().message;
      // Whatever is wrong with it: nothing may pass the dead letters before they are there.
      if (written.error().code != CDCRT_FATAL) written.error().code = CDCRT_RETRY;
      return written;
    }
    kept_.clear();
    return {};
  }
  [[nodiscard]] std::string place() const override { return table_; }

 private:
  Result<void> connect() {
    if (connection_) return {};
    auto opened = sink_.open();
    if (!opened) return std::move(opened.error());
    connection_.emplace(std::move(*opened));
    return {};
  }

  plugin::Sink sink_;
  std::optional<plugin::Connection> connection_;
  const std::string table_;
  std::vector<StoredDeadLetter> kept_;
};

}  // namespace

Result<std::unique_ptr<Destination>> to_sink(const plugin::Component& component, const std::string& table) {
  auto sink = plugin::Sink::create(component);
  if (!sink) return std::move(sink.error());
  auto connection = sink->open();
  if (!connection) return std::move(connection.error());
  return std::unique_ptr<Destination>(std::make_unique<SinkDestination>(std::move(*sink), std::move(*connection), table));
}

}  // namespace cdcrt::dead_letters
