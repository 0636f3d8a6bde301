// Rig: one table, its partitions and a writer on top of a MemorySink, without threads: events in, rows out.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apply/memory_sink.hpp"
#include "apply/table.hpp"
#include "apply/writer.hpp"
#include "types/cell_text.hpp"
#include "types/type.hpp"

namespace cdcrt::rig {

inline cdcrt_cell integer(int64_t value) { return types::integer_cell(CDCRT_I64, value); }
/// Borrows: literals only.
inline cdcrt_cell text(std::string_view value) { return types::text_cell(CDCRT_STRING, value); }
inline cdcrt_cell null() { return types::null_cell(); }
inline cdcrt_cell absent() { return {}; }

struct Column {
  const char* name;
  cdcrt_type type{};
  uint32_t key_ordinal = 0;
  cdcrt_cell default_value{};
  const char* former_name = nullptr;
};
inline const cdcrt_type kInt = types::type_of(CDCRT_TYPE_INT64);
inline const cdcrt_type kText = types::string_type(0);

struct Event {
  uint8_t operation = CDCRT_INSERT;
  std::vector<Column> columns;
  std::vector<cdcrt_cell> cells;
  std::string order{};  ///< empty: the event has none
  std::vector<cdcrt_cell> before{}, other_key{};
  bool declared = true;
  bool key_elsewhere = false;  ///< the event does not tell the key
  bool keyed = false;          ///< it does, also where no column is in it
  bool absent_is_null = false;
  int64_t source_time_us = 0;  ///< of the commit at the source; 0: unknown
  const char* server = nullptr;
};

/// One thread.
class Rig final : public apply::EventReader {
 public:
  explicit Rig(const route::Route& route = {}, int32_t partitions = 1,
               uint32_t capabilities = CDCRT_SINK_TRANSACTIONS | CDCRT_SINK_SCHEMAS);
  ~Rig() override;

  /// Adds the event to the partition's log and gives it to the table; answers its offset.
  int64_t send(const Event& event, int32_t partition = 0);
  /// The same for several events, each a message, in one batch.
  void send_all(const std::vector<Event>& events, int32_t partition = 0);
  /// Writes everything that is ready.
  Result<void> write();
  /// What the repair of a detached table does: reads what it missed, writes it, gives the table back to the rest. False: it cannot yet.
  bool read_back();
  /// Seals what is ready, so that it is being written until complete().
  std::optional<apply::Sealed> seal() { return table->seal(); }
  Result<void> write(apply::Sealed sealed);
  /// Reads again what a truncate asked for.
  void follow_rewinds();
  /// A new process: everything but the target and the log is gone; the log is read from the start.
  void restart();
  /// The table has come that far with the partition, as the target has it.
  void claim(int32_t partition, int64_t next_offset, const std::string& order);
  /// Another writer; with 0 one that waits for no table, as repairs do.
  void start_writer(std::chrono::microseconds stall_after);
  /// A second table of the sink, shop.items, takes what partition 1 sends; write() gives its batch to the writer together with the first's.
  void add_neighbour();
  /// A message of the log was deleted at the source.
  void forget(int32_t partition, int64_t offset);
  /// Gives messages first.. of a partition to the table again, as read in that generation.
  void replay(int32_t partition, int64_t first, uint32_t generation);

  [[nodiscard]] std::string rows() const { return database.show("shop.orders"); }
  /// Lines of the dead letter file.
  [[nodiscard]] std::vector<std::string> written_dead_letters();
  [[nodiscard]] int64_t stored_next(int32_t partition);

  Result<void> read(const apply::Table& table, const progress::Partition& partition, int64_t first, int64_t last,
                    const Visit& visit) override;
  Result<int64_t> read_piece(const apply::Table& table, const progress::Partition& partition, int64_t first, int64_t last,
                             std::size_t turns, const Visit& visit) override;
  [[nodiscard]] event::ShapeRegistry& shapes() override { return shapes_; }

  memory_sink::Database database;
  route::Route route;
  std::optional<cdcrt_limits> limits;  ///< in place of the sink's, from the next start on
  std::unique_ptr<apply::Table> table, neighbour;
  apply::Outage outage;
  apply::SinkCounts counts;
  std::unique_ptr<progress::Store> store;
  std::unique_ptr<dead_letters::DeadLetters> dead_letters;
  std::atomic<int64_t> memory{0};
  std::vector<std::unique_ptr<progress::Partition>> partitions;
  std::vector<std::string> warnings;
  bool can_read_again = true;
  bool are_defined_apart = false;  ///< definitions of a server's tables come from a topic of their own; from the next start on
  bool gives_up = false;

 private:
  struct Rewind {
    int32_t partition;
    int64_t offset;
    uint32_t generation;
  };
  /// Is told nothing, and answers.
  struct Observer final : apply::TableObserver {
    void ready(apply::Table& /*table*/, const apply::Waiting& /*waiting*/) override {}
    void reads(apply::Table& /*table*/, const progress::Partition& /*partition*/) override {}
    void troubled(apply::Table& /*table*/, apply::Trouble /*trouble*/, const std::string& /*reason*/) override {}
    void told(apply::Table& /*table*/) override {}
    bool are_defined_apart(const progress::Partition& /*rows*/, const std::string& server) override { return server == "server"; }
    void recovered(apply::Table& /*table*/) override {}
    void written(apply::Table& /*table*/) override {}
  };
  void start();
  std::unique_ptr<apply::Table> make_table(const std::string& name);
  void fill(event::RowBatch& batch, const Event& event, uint32_t message);

  Observer observer_;
  event::ShapeRegistry shapes_;
  plugin::Component manifest_;
  std::unique_ptr<plugin::Sink> sink_;
  std::unique_ptr<apply::Writer> writer_;
  std::vector<std::vector<Event>> log_;
  std::vector<std::vector<bool>> forgotten_;
  std::vector<Rewind> rewinds_;
  const int32_t partition_count_;
  std::filesystem::path folder_;
};

}  // namespace cdcrt::rig
