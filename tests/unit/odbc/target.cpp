#include "target.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

#include "paths.hpp"
#include "private_postgresql.hpp"

namespace {

cdcrt_string borrow(std::string_view view) { return {view.data(), view.size()}; }
cdcrt_string borrow_or_null(std::string_view view) { return view.empty() ? cdcrt_string{nullptr, 0} : borrow(view); }

std::string current_file;  // of the SQLite database of the running case

class Call {
 public:
  Call() { error_.size = sizeof error_; }
  cdcrt_error* out() { return &error_; }
  Failure take(int32_t code) {
    Failure failure;
    failure.code = code;
    if (code == CDCRT_OK) return failure;
    if (error_.message != nullptr) failure.message = error_.message;
    if (error_.hint != nullptr) failure.hint = error_.hint;
    if (error_.config_key != nullptr) failure.config_key = error_.config_key;
    failure.sqlstate = error_.sqlstate;
    failure.native = error_.native;
    if (error_.release != nullptr) error_.release(&error_);
    return failure;
  }

 private:
  cdcrt_error error_{};
};

const cdcrt_sink& functions_of(const std::string& plugin) { return *static_cast<const cdcrt_sink*>(Target::plugin(plugin).functions); }

Failure create_sink(const Options& options, void** sink) {
  const cdcrt_plugin& plugin = Target::plugin(options.plugin);
  std::vector<cdcrt_string> pairs;
  for (const auto& [key, value] : options.connection) pairs.push_back(borrow(key)), pairs.push_back(borrow(value));
  std::vector<cdcrt_option_value> values;
  for (uint32_t i = 0; i < plugin.option_count; ++i) {
    cdcrt_option_value value{};
    value.key = plugin.options[i].key;
    value.type = plugin.options[i].type;
    const std::string key = value.key;
    if (key == "connection")
      value.strings = pairs.data(), value.count = static_cast<uint32_t>(options.connection.size()), value.is_set = !pairs.empty();
    if (key == "dsn") value.string = borrow(options.dsn), value.is_set = !options.dsn.empty();
    if (key == "dialect") value.string = borrow(options.dialect), value.is_set = 1;
    if (value.type == CDCRT_OPTION_DURATION || value.type == CDCRT_OPTION_INTEGER || value.type == CDCRT_OPTION_BOOLEAN) value.is_set = 1;
    if (key == "connect_timeout") value.integer = 10'000'000, value.is_set = 1;
    if (key == "copy") value.integer = options.copies ? 1 : 0;
    values.push_back(value);
  }
  cdcrt_config config{
      sizeof(cdcrt_config), static_cast<uint32_t>(values.size()), values.data(), sizeof(cdcrt_option_value), 0, borrow("db"),
      borrow("test")};
  static const cdcrt_host host{sizeof(cdcrt_host), CDCRT_ABI_MAJOR, CDCRT_ABI_MINOR, nullptr, nullptr, nullptr, nullptr};
  Call call;
  return call.take(functions_of(options.plugin).create(&host, &config, sink, call.out()));
}

}  // namespace

cdcrt_cell moment(cdcrt_tag tag, int64_t value) {
  cdcrt_cell cell{};
  cell.tag = static_cast<uint8_t>(tag);
  cell.value.integer = value;
  return cell;
}
cdcrt_cell null() { return moment(CDCRT_NULL, 0); }
cdcrt_cell boolean(bool value) { return moment(CDCRT_BOOL, value ? 1 : 0); }
cdcrt_cell i64(int64_t value) { return moment(CDCRT_I64, value); }
cdcrt_cell u64(uint64_t value) {
  cdcrt_cell cell = moment(CDCRT_U64, 0);
  cell.value.natural = value;
  return cell;
}
cdcrt_cell f64(double value) {
  cdcrt_cell cell = moment(CDCRT_F64, 0);
  cell.value.real = value;
  return cell;
}
cdcrt_cell text(cdcrt_tag tag, std::string_view value) {
  cdcrt_cell cell{};
  cell.tag = static_cast<uint8_t>(tag);
  cell.size = static_cast<uint32_t>(value.size());
  cell.value.data = value.data();
  return cell;
}

std::string shown(const cdcrt_cell& cell) {
  static const std::array<const char*, 17> names = {"absent",  "null", "bool", "i64",       "u64",         "f64",
                                                    "decimal", "date", "time", "timestamp", "timestamptz", "string",
                                                    "bytes",   "json", "uuid", "array",     "interval"};
  const std::string name = names.at(cell.tag);
  if (cell.tag <= CDCRT_NULL) return name;
  if (cell.tag == CDCRT_U64) return name + ":" + std::to_string(cell.value.natural);
  if (cell.tag == CDCRT_F64) {
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, cell.value.real);
    return name + ":" + std::string(digits, end.ptr);
  }
  if (cell.tag == CDCRT_DECIMAL || cell.tag >= CDCRT_STRING) return name + ":" + std::string(cell.value.data, cell.size);
  return name + ":" + std::to_string(cell.value.integer);
}

cdcrt_column column(std::string_view name, uint8_t kind, uint32_t key, uint32_t length, int16_t scale) {
  cdcrt_column made{};
  made.name = borrow(name);
  made.type.kind = kind;
  made.type.length = length;
  made.type.scale = scale;
  made.key_ordinal = key;
  return made;
}
cdcrt_column with_default(cdcrt_column made, cdcrt_cell value) {
  made.flags |= CDCRT_COLUMN_DEFAULT | CDCRT_COLUMN_DEFAULT_CERTAIN;
  made.default_value = value;
  return made;
}

const Described::Column* Described::find(std::string_view name) const {
  for (const auto& each : columns) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

const cdcrt_plugin& Target::plugin(const std::string& name) {
  static std::map<std::string, const cdcrt_plugin*> loaded;
  if (const auto found = loaded.find(name); found != loaded.end()) return *found->second;
  const cdcrt_plugin* const found = [&] {
    void* library = ::dlopen((paths::plugins() + "/sink-" + name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw std::runtime_error(::dlerror());
    auto entry = reinterpret_cast<cdcrt_plugin_entry_function>(::dlsym(library, "cdcrt_plugin_entry"));
    uint32_t count = 0;
    return entry(&count)[0];
  }();
  loaded[name] = found;
  return *found;
}

Target::Target(const Options& options) : functions_(&functions_of(options.plugin)) {
  Failure failure = create_sink(options, &sink_);
  if (failure) throw std::runtime_error(failure.message);
  Call call;
  failure = call.take(functions_->open(sink_, &connection_, call.out()));
  if (failure) {
    functions_->destroy(sink_);
    throw std::runtime_error(failure.message + " | " + failure.hint);
  }
  capabilities_ = functions_->capabilities_of(sink_);
}

void Target::switch_connection() {
  Call call;
  if (other_ == nullptr && call.take(functions_->open(sink_, &other_, call.out()))) throw std::runtime_error("no second connection");
  std::swap(connection_, other_);
}

Target::~Target() {
  if (other_ != nullptr) functions_->close(other_);
  functions_->close(connection_);
  functions_->destroy(sink_);
}

Failure Target::try_open(const Options& options) {
  void* sink = nullptr;
  Failure failure = create_sink(options, &sink);
  if (failure) return failure;
  void* connection = nullptr;
  Call call;
  failure = call.take(functions_of(options.plugin).open(sink, &connection, call.out()));
  if (!failure) functions_of(options.plugin).close(connection);
  functions_of(options.plugin).destroy(sink);
  return failure;
}

Failure Target::begin() {
  Call call;
  return call.take(functions_->begin(connection_, call.out()));
}
Failure Target::expect(const std::vector<std::string>& tables) {
  if (functions_->expect == nullptr) return {};
  std::vector<cdcrt_table> names;
  for (const std::string& table : tables) names.push_back({{nullptr, 0}, borrow(table)});
  Call call;
  return call.take(functions_->expect(connection_, names.data(), static_cast<uint32_t>(names.size()), 0, call.out()));
}
Failure Target::savepoint(cdcrt_savepoint action) {
  Call call;
  return call.take(functions_->savepoint(connection_, static_cast<uint32_t>(action), call.out()));
}
Failure Target::commit() {
  Call call;
  return call.take(functions_->commit(connection_, call.out()));
}
Failure Target::rollback() {
  Call call;
  return call.take(functions_->rollback(connection_, call.out()));
}

namespace {

cdcrt_change one(cdcrt_change_kind kind, const cdcrt_column* columns, std::size_t count = 1, cdcrt_type from = {}) {
  cdcrt_change made{};
  made.size = sizeof made;
  made.kind = kind;
  made.columns = columns;
  made.column_count = static_cast<uint32_t>(count);
  made.column_size = sizeof(cdcrt_column);
  made.from = from;
  return made;
}

}  // namespace

cdcrt_limits Target::limits() const {
  cdcrt_limits limits{};
  limits.size = sizeof limits;
  functions_->limits_of(sink_, &limits);
  return limits;
}

Failure Target::change(std::string_view table, std::vector<cdcrt_change> changes, std::string_view schema) {
  const cdcrt_table target{borrow_or_null(schema), borrow(table)};
  Call call;
  return call.take(functions_->change(connection_, &target, changes.data(), static_cast<uint32_t>(changes.size()), call.out()));
}
Failure Target::create(std::string_view table, const std::vector<cdcrt_column>& columns, std::string_view schema) {
  return change(table, {one(CDCRT_CREATE_TABLE, columns.data(), columns.size())}, schema);
}
Failure Target::add(std::string_view table, cdcrt_column made) { return change(table, {one(CDCRT_ADD_COLUMN, &made)}); }
Failure Target::drop(std::string_view table, std::string_view name) {
  const cdcrt_column made = column(name, CDCRT_TYPE_UNKNOWN);
  return change(table, {one(CDCRT_DROP_COLUMN, &made)});
}
Failure Target::rename(std::string_view table, std::string_view former, std::string_view name) {
  cdcrt_column made = column(name, CDCRT_TYPE_UNKNOWN);
  made.former_name = borrow(former);
  return change(table, {one(CDCRT_RENAME_COLUMN, &made)});
}
Failure Target::alter(std::string_view table, cdcrt_column made, cdcrt_type from) {
  return change(table, {one(CDCRT_ALTER_TYPE, &made, 1, from)});
}

Described Target::describe(std::string_view table, std::string_view schema) {
  const cdcrt_table target{borrow_or_null(schema), borrow(table)};
  cdcrt_table_description description{};
  description.size = sizeof description;
  Call call;
  const Failure failure = call.take(functions_->describe(connection_, &target, &description, call.out()));
  if (failure) throw std::runtime_error(failure.message);
  Described found;
  found.exists = description.exists != 0;
  found.folds = description.folds_names != 0;
  found.is_view = description.is_view != 0;
  for (uint32_t i = 0; i < description.column_count; ++i) {
    const cdcrt_column& each = description.columns[i];
    found.columns.push_back({std::string(each.name.data, each.name.size), std::string(each.target_type.data, each.target_type.size),
                             each.type, each.key_ordinal, each.flags});
  }
  if (description.release != nullptr) description.release(&description);
  return found;
}

Failure Target::write(cdcrt_write_kind kind, std::string_view table, const std::vector<cdcrt_column>& columns, const std::vector<Row>& rows,
                      bool unique) {
  std::vector<cdcrt_cell> cells;
  for (const Row& row : rows) cells.insert(cells.end(), row.begin(), row.end());
  missing.clear();
  cdcrt_write write{};
  write.size = sizeof write;
  write.kind = kind;
  write.table = {{nullptr, 0}, borrow(table)};
  write.columns = columns.data();
  write.column_count = static_cast<uint32_t>(columns.size());
  write.column_size = sizeof(cdcrt_column);
  write.has_unique_key = unique ? 1 : 0;
  write.cells = cells.data();
  write.row_count = rows.size();
  write.missing = [](void* context, uint64_t row) { static_cast<std::vector<uint64_t>*>(context)->push_back(row); };
  write.context = &missing;
  Call call;
  Failure failure = call.take(functions_->write(connection_, &write, call.out()));
  std::sort(missing.begin(), missing.end());
  return failure;
}

std::vector<std::string> Target::read(std::string_view table, const std::vector<cdcrt_column>& columns, const std::vector<Row>& keys,
                                      cdcrt_lock lock) {
  std::vector<cdcrt_cell> cells;
  for (const Row& key : keys) cells.insert(cells.end(), key.begin(), key.end());
  struct Seen {
    std::vector<std::string> rows;
    std::size_t width;
  } seen{{}, columns.size()};
  cdcrt_read read{};
  read.size = sizeof read;
  read.lock = lock;
  read.table = {{nullptr, 0}, borrow(table)};
  read.columns = columns.data();
  read.column_count = static_cast<uint32_t>(columns.size());
  read.column_size = sizeof(cdcrt_column);
  read.key_count = keys.empty() ? 0 : static_cast<uint32_t>(keys[0].size());
  read.keys = cells.data();
  read.key_rows = keys.size();
  read.visit = [](void* context, const cdcrt_cell* row) {
    auto& into = *static_cast<Seen*>(context);
    std::string line;
    for (std::size_t i = 0; i < into.width; ++i) line += (i > 0 ? "|" : "") + shown(row[i]);
    into.rows.push_back(line);
    return 0;
  };
  read.context = &seen;
  Call call;
  last_read = call.take(functions_->read(connection_, &read, call.out()));
  std::sort(seen.rows.begin(), seen.rows.end());
  return seen.rows;
}

Options sqlite_options(const std::string& file) { return Options{{{"Driver", "SQLite3"}, {"Database", file}}, {}, "auto"}; }

Options postgresql_options(std::string driver) {
  const char* const wanted = std::getenv("CDCRT_TEST_POSTGRESQL");
  if (driver.empty()) driver = wanted != nullptr && *wanted != '\0' ? wanted : "PostgreSQL Unicode";
  if (driver == "libpq") {
    return Options{{{"host", "127.0.0.1"},
                    {"port", std::to_string(PrivatePostgresql::instance().port())},
                    {"dbname", "postgres"},
                    {"user", "postgres"},
                    {"password", "s3cr3t;}x"}},
                   {},
                   "auto",
                   "postgresql"};
  }
  return Options{{{"Driver", driver},
                  {"Server", "127.0.0.1"},
                  {"Port", std::to_string(PrivatePostgresql::instance().port())},
                  {"Database", "postgres"},
                  {"UID", "postgres"},
                  {"PWD", "s3cr3t;}x"}},
                 {},
                 "auto"};
}

void each_target(const std::function<void(Target&)>& body) {
  char folder[] = "/tmp/cdcrt-sqlite-XXXXXX";
  if (::mkdtemp(folder) == nullptr) throw std::runtime_error("no temporary folder");
  current_file = std::string(folder) + "/target.db";
  {
    Target target(sqlite_options(current_file));
    body(target);
  }
  std::filesystem::remove_all(folder);
  for (const char* driver : {"PostgreSQL Unicode", "PostgreSQL ANSI", "libpq"}) {
    Target target(postgresql_options(driver));
    by_tool(target, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;");
    body(target);
  }
}

std::string by_tool(Target& target, const std::string& script) {
  char name[] = "/tmp/cdcrt-script-XXXXXX";
  const int handle = ::mkstemp(name);
  ::close(handle);
  std::ofstream(name) << script;
  const std::string command = target.is_sqlite() ? "sqlite3 '" + current_file + "' < " + name + " 2>&1"
                                                 : "psql -h 127.0.0.1 -p " + std::to_string(PrivatePostgresql::instance().port()) +
                                                       " -U postgres -d postgres -Atq -f " + name + " 2>&1";
  std::string output;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> piece{};
  while (std::size_t got = std::fread(piece.data(), 1, piece.size(), pipe)) output.append(piece.data(), got);
  ::pclose(pipe);
  std::filesystem::remove(name);
  return output;
}
