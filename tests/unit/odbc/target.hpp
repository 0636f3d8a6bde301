// A target behind the plugin's door, with cells and columns that are easy to write.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cdcrt/abi/plugin.h"

struct Failure {
  int32_t code = CDCRT_OK;
  int native = 0;
  std::string sqlstate, message, hint, config_key;
  explicit operator bool() const { return code != CDCRT_OK; }
};

cdcrt_cell null();
cdcrt_cell boolean(bool value);
cdcrt_cell i64(int64_t value);
cdcrt_cell u64(uint64_t value);
cdcrt_cell f64(double value);
cdcrt_cell moment(cdcrt_tag tag, int64_t value);
cdcrt_cell text(cdcrt_tag tag, std::string_view value);  ///< borrows
inline cdcrt_cell str(std::string_view value) { return text(CDCRT_STRING, value); }

/// "i64:5", "string:abc", "null": for comparing.
std::string shown(const cdcrt_cell& cell);

cdcrt_column column(std::string_view name, uint8_t kind, uint32_t key = 0, uint32_t length = 0, int16_t scale = 0);
cdcrt_column with_default(cdcrt_column column, cdcrt_cell value);

using Row = std::vector<cdcrt_cell>;

struct Described {
  bool exists = false, is_view = false, folds = false;
  struct Column {
    std::string name, raw;
    cdcrt_type type{};
    uint32_t key = 0;
    uint32_t flags = 0;
  };
  std::vector<Column> columns;
  [[nodiscard]] const Column* find(std::string_view name) const;
};

/// Options of the plugin as the host would pass them.
struct Options {
  std::vector<std::pair<std::string, std::string>> connection;
  std::string dsn, dialect = "auto";
  std::string plugin = "odbc";
  bool copies = true;  ///< `copy` of the plugin `postgresql`
};

/// One sink and one connection. Creation throws std::runtime_error when it fails, except through try_open.
class Target {
 public:
  explicit Target(const Options& options);
  ~Target();
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  static Failure try_open(const Options& options);
  static const cdcrt_plugin& plugin(const std::string& name = "odbc");

  [[nodiscard]] bool is_sqlite() const { return (capabilities_ & CDCRT_SINK_SCHEMAS) == 0; }
  [[nodiscard]] uint32_t capabilities() const { return capabilities_; }
  [[nodiscard]] cdcrt_limits limits() const;
  /// Goes on with another connection of the same sink, or with the first one again.
  void switch_connection();
  Failure begin();
  /// Writes of these tables follow, and all of it is done again where a later call fails.
  Failure expect(const std::vector<std::string>& tables);
  Failure commit();
  Failure rollback();
  Failure savepoint(cdcrt_savepoint action);
  Failure change(std::string_view table, std::vector<cdcrt_change> changes, std::string_view schema = {});
  Failure create(std::string_view table, const std::vector<cdcrt_column>& columns, std::string_view schema = {});
  Failure add(std::string_view table, cdcrt_column column);
  Failure rename(std::string_view table, std::string_view former, std::string_view name);
  Failure drop(std::string_view table, std::string_view column);
  Failure alter(std::string_view table, cdcrt_column column, cdcrt_type from);
  Described describe(std::string_view table, std::string_view schema = {});
  Failure write(cdcrt_write_kind kind, std::string_view table, const std::vector<cdcrt_column>& columns, const std::vector<Row>& rows,
                bool unique = true);
  /// Every row as text, sorted; keys narrow it when given.
  std::vector<std::string> read(std::string_view table, const std::vector<cdcrt_column>& columns, const std::vector<Row>& keys = {},
                                cdcrt_lock lock = CDCRT_LOCK_NONE);

  std::vector<uint64_t> missing;  ///< of the last write, ascending
  Failure last_read;

 private:
  const cdcrt_sink* functions_ = nullptr;
  void* sink_ = nullptr;
  void* connection_ = nullptr;
  void* other_ = nullptr;
  uint32_t capabilities_ = 0;
};

/// Every target that the cases run against, each with a database of its own: SQLite, and PostgreSQL through
/// both drivers of ODBC and through libpq.
void each_target(const std::function<void(Target&)>& body);
Options sqlite_options(const std::string& file);
/// Also "libpq", which is a plugin of its own. Empty: $CDCRT_TEST_POSTGRESQL, else "PostgreSQL Unicode".
Options postgresql_options(std::string driver = {});
/// Runs a script by the target's own command line tool, past the plugin.
std::string by_tool(Target& target, const std::string& script);
