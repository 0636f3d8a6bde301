// What one transaction of changes costs in PostgreSQL, by the way it is sent: as the sink `odbc` does, and through libpq.
//
//   postgresql_writes_bench PORT DATABASE ROWS_PER_TRANSACTION TOTAL_ROWS [WAY...]
//
// The same folded changes (14 columns; new rows, changed rows and deletes) go into a table for each way; the tables are compared at the
// end. A line for each way: rows/s, CPU microseconds per row of this process, of its backend and of the other processes of the server,
// round trips and bytes sent per transaction.
#include <dlfcn.h>
#include <libpq-fe.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "odbc/session.hpp"
#include "postgresql/dialect.hpp"
#include "postgresql_writes.hpp"
#include "sql/cell.hpp"
#include "sql/cell_text.hpp"
#include "sql/postgresql_array.hpp"

namespace {

bool has_sent = false;
uint64_t round_trips = 0, sent_bytes = 0;

}  // namespace

// libpq's own, also that of the ODBC driver: an answer that is read after something was sent is a round trip.
extern "C" __attribute__((visibility("default"))) ssize_t send(int socket, const void* data, size_t size, int flags) {
  static const auto real = reinterpret_cast<ssize_t (*)(int, const void*, size_t, int)>(dlsym(RTLD_NEXT, "send"));
  const ssize_t sent = real(socket, data, size, flags);
  has_sent = true;
  if (sent > 0) sent_bytes += static_cast<uint64_t>(sent);
  return sent;
}
extern "C" __attribute__((visibility("default"))) ssize_t recv(int socket, void* data, size_t size, int flags) {
  static const auto real = reinterpret_cast<ssize_t (*)(int, void*, size_t, int)>(dlsym(RTLD_NEXT, "recv"));
  const ssize_t received = real(socket, data, size, flags);
  if (received > 0 && has_sent) ++round_trips, has_sent = false;
  return received;
}

namespace cdcrt::bench {
namespace {

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
  std::exit(1);
}

// --- statements

sql::StatementShape shape_of(const std::string& table, bool only_key) {
  sql::StatementShape shape;
  shape.table = table;
  shape.has_unique_key = true;
  for (std::size_t i = 0; i < (only_key ? 1 : kWidth); ++i) {
    sql::StatementColumn column;
    column.name = '"' + std::string(kColumns[i].name) + '"';
    column.target_type = kColumns[i].type;
    column.key = i == 0;
    shape.columns.push_back(std::move(column));
  }
  return shape;
}

constexpr const char* kLeases =
    "SELECT t.epoch::text FROM bench_leases AS t WHERE EXISTS (SELECT 1 FROM unnest(?::text[], ?::text[], ?::integer[]) AS s(c1, c2, c3) "
    "WHERE t.source = s.c1 AND t.topic = s.c2 AND t.number = s.c3) FOR SHARE OF t";
constexpr const char* kTables =
    "SELECT t.version::text FROM bench_tables AS t WHERE EXISTS (SELECT 1 FROM unnest(?::text[]) AS s(c1) WHERE t.target = s.c1) FOR SHARE OF t";
constexpr const char* kProgress =
    "INSERT INTO bench_progress (source, topic, number, target, next_offset) SELECT s.c1, s.c2, s.c3, s.c4, s.c5 FROM (SELECT "
    "unnest(?::text[]) AS c1, unnest(?::text[]) AS c2, unnest(?::integer[]) AS c3, unnest(?::text[]) AS c4, unnest(?::bigint[]) AS c5) AS s "
    "ORDER BY s.c1, s.c2, s.c3, s.c4 ON CONFLICT (source, topic, number, target) DO UPDATE SET next_offset = EXCLUDED.next_offset";

struct HostRows {
  std::string source = "{\"events\",\"events\",\"events\",\"events\"}", topic = "{\"t\",\"t\",\"t\",\"t\"}", number = "{0,1,2,3}", target,
              targets, offsets;
  HostRows(const std::string& table, int64_t offset) : target("{\"" + table + "\"}") {
    targets = "{\"" + table + "\",\"" + table + "\",\"" + table + "\",\"" + table + "\"}";
    const std::string next = std::to_string(offset);
    offsets = "{" + next + "," + next + "," + next + "," + next + "}";
  }
};

void set_up(const std::string& table, const std::function<void(const std::string&)>& run) {
  std::string columns;
  for (const Column& column : kColumns) columns += (columns.empty() ? "" : ", ") + std::string(column.name) + " " + column.type;
  run("DROP TABLE IF EXISTS " + table);
  run("CREATE TABLE " + table + " (" + columns + ", PRIMARY KEY (id))");
  run("CREATE TABLE IF NOT EXISTS bench_leases (source text, topic text, number integer, epoch bigint, PRIMARY KEY (source, topic, number))");
  run("CREATE TABLE IF NOT EXISTS bench_tables (target text PRIMARY KEY, version bigint)");
  run("CREATE TABLE IF NOT EXISTS bench_progress (source text, topic text, number integer, target text, next_offset bigint, PRIMARY KEY "
      "(source, topic, number, target))");
  run("INSERT INTO bench_leases SELECT 'events', 't', n, 1 FROM generate_series(0, 3) AS n ON CONFLICT DO NOTHING");
  run("INSERT INTO bench_tables VALUES ('" + table + "', 1) ON CONFLICT DO NOTHING");
  run("CHECKPOINT");
}

class Way {
 public:
  virtual ~Way() = default;
  virtual void write(const Batch& batch) = 0;
  virtual std::string ask(const std::string& text) = 0;
};

/// Statement for statement as the sink does: nothing prepared, 5,000 rows and 2 MiB at a time.
class Odbc : public Way {
 public:
  Odbc(const std::string& port, const std::string& database, std::string table) : table_(std::move(table)) {
    check(odbc::make_settings({{"Driver", "PostgreSQL Unicode"},
                               {"Server", "127.0.0.1"},
                               {"Port", port},
                               {"Database", database},
                               {"UID", "postgres"},
                               {"SSLmode", "disable"}},
                              {}, settings_));
    session_ = std::make_unique<odbc::Session>(settings_);
    check(session_->connect(sql::Product::kPostgresql, std::chrono::seconds(10)));
    run("SET plan_cache_mode = 'force_custom_plan'");
    set_up(table_, [&](const std::string& text) { run(text); });
    shape_ = shape_of(table_, false);
  }
  void write(const Batch& batch) override {
    const HostRows host(table_, batch.offset);
    run("BEGIN");
    query(leases_, kLeases, {host.source, host.topic, host.number}, true);
    query(tables_, kTables, {host.target}, true);
    const auto upsert = sql::postgresql().write_statements(CDCRT_WRITE_UPSERT, shape_)[0];
    const auto remove = sql::postgresql().write_statements(CDCRT_WRITE_DELETE, shape_of(table_, true))[0];
    std::vector<sql::PostgresqlArray> arrays(kWidth);
    for (std::size_t first = 0; first < batch.rows.size();) {
      for (auto& array : arrays) array.clear();
      std::size_t bytes = 0, row = 0;
      for (; first < batch.rows.size() && row < 5'000 && bytes < 2U << 20; ++row) {
        for (std::size_t i = 0; i < kWidth; ++i, ++first) {
          const std::size_t before = arrays[i].size();
          static_cast<void>(arrays[i].add(batch.rows[first], columns_[i]));
          bytes += arrays[i].size() - before;
        }
      }
      std::vector<std::string_view> parameters;
      for (auto& array : arrays) parameters.push_back(array.finish());
      query(upsert_, upsert.text, parameters, false);
    }
    if (!batch.keys.empty()) query(remove_, remove.text, {text_array(batch.keys, 0, 1, kColumns[0])}, false);
    query(progress_, kProgress, {host.source, host.topic, host.number, host.targets, host.offsets}, false);
    run("COMMIT");
  }
  std::string ask(const std::string& text) override {
    odbc::Query query(*session_);
    bool found = false, null = false;
    std::string out;
    check(query.set_text(text, 0, "ask"));
    check(query.execute(sql::Moment::kStatement, "ask"));
    check(query.fetch(found, "ask"));
    check(query.text(0, out, null, "ask"));
    return out;
  }

 private:
  static void check(const sdk::Status& status) {
    if (!status) fail(std::string(status.message()));
  }
  void run(const std::string& text) { check(session_->execute(text, sql::Moment::kStatement, "run")); }
  void query(std::unique_ptr<odbc::Query>& query, const std::string& text, const std::vector<std::string_view>& parameters, bool answers) {
    if (!query) {
      query = std::make_unique<odbc::Query>(*session_);
      check(query->set_text(text, parameters.size(), "query"));
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) query->bind_text(i, parameters[i]);
    check(query->execute(sql::Moment::kStatement, "query"));
    bool found = answers, null = false;
    std::string out;
    while (found) {
      check(query->fetch(found, "query"));
      if (found) check(query->text(0, out, null, "query"));
    }
    query->close();
  }

  std::string table_;
  odbc::ConnectionSettings settings_;
  std::unique_ptr<odbc::Session> session_;
  sql::StatementShape shape_;
  std::unique_ptr<odbc::Query> leases_, tables_, upsert_, remove_, progress_;
  std::vector<cdcrt_column> columns_ = [] {
    std::vector<cdcrt_column> all;
    for (const Column& column : kColumns) all.push_back(abi_column(column));
    return all;
  }();
};

enum class Rows { kTextArrays, kBinaryArrays, kStage, kValues, kUnsorted };

/// Prepared once, pipelined: leases and tables in one round trip, everything else with COMMIT in a second (COPY needs turns of its own).
class Libpq : public Way {
 public:
  Libpq(const std::string& port, const std::string& database, std::string table, Rows rows, bool generic)
      : table_(std::move(table)), rows_(rows) {
    connection_ = PQconnectdb(("host=127.0.0.1 sslmode=disable user=postgres port=" + port + " dbname=" + database).c_str());
    if (PQstatus(connection_) != CONNECTION_OK) fail(PQerrorMessage(connection_));
    const auto run = [&](const std::string& text) { this->run(text); };
    run("SET client_min_messages = error");
    set_up(table_, run);
    run(std::string("SET plan_cache_mode = ") + (generic ? "force_generic_plan" : "force_custom_plan"));
    std::string columns, assignments;
    for (const Column& column : kColumns) {
      columns += (columns.empty() ? "" : ", ") + std::string(column.name);
      if (&column != kColumns) assignments += (assignments.empty() ? "" : ", ") + std::string(column.name) + " = EXCLUDED." + column.name;
    }
    const std::string conflict = " ON CONFLICT (id) DO UPDATE SET " + assignments;
    prepare("leases", numbered(kLeases)), prepare("tables", numbered(kTables)), prepare("progress", numbered(kProgress));
    prepare("remove", numbered(sql::postgresql().write_statements(CDCRT_WRITE_DELETE, shape_of(table_, true))[0].text));
    std::string upsert = numbered(sql::postgresql().write_statements(CDCRT_WRITE_UPSERT, shape_of(table_, false))[0].text);
    if (rows == Rows::kUnsorted) {
      const auto begin = upsert.find(" ORDER BY");
      upsert.erase(begin, upsert.find(" ON CONFLICT") - begin);
    }
    prepare("upsert", upsert);
    if (rows == Rows::kStage) {
      run("CREATE TEMP TABLE stage (LIKE " + table_ + ", gone boolean) ON COMMIT DELETE ROWS");
      prepare("apply_delete", "DELETE FROM " + table_ + " AS t USING stage AS s WHERE s.gone AND t.id = s.id");
      prepare("apply",
              "INSERT INTO " + table_ + " (" + columns + ") SELECT " + columns + " FROM stage WHERE NOT gone ORDER BY id" + conflict);
      copy_ = "COPY stage (" + columns + ", gone) FROM STDIN (FORMAT binary)";
    }
    if (rows == Rows::kValues) {
      for (const std::size_t count : {std::size_t{1}, kMany}) {
        std::string values;
        for (std::size_t i = 0; i < count * kWidth; ++i)
          values += (i == 0 ? "($" : i % kWidth == 0 ? "), ($" : ", $") + std::to_string(i + 1) + "::" + kColumns[i % kWidth].type;
        prepare(count == 1 ? "one" : "many", "INSERT INTO " + table_ + " (" + columns + ") VALUES " + values + ")" + conflict);
      }
    }
    PQenterPipelineMode(connection_);
  }
  ~Libpq() override { PQfinish(connection_); }
  Libpq(const Libpq&) = delete;
  Libpq& operator=(const Libpq&) = delete;

  void write(const Batch& batch) override {
    const HostRows host(table_, batch.offset);
    if (rows_ != Rows::kStage) {
      send("BEGIN");
      execute("leases", {host.source, host.topic, host.number}, 0);
      execute("tables", {host.target}, 0);
      wait();
      send_rows(batch);
      if (!batch.keys.empty()) execute("remove", {binary_array(batch.keys, 0, 1, kColumns[0])}, 1);
    } else {
      send("BEGIN");
      execute("leases", {host.source, host.topic, host.number}, 0);
      execute("tables", {host.target}, 0);
      wait();
      copy(batch);
      execute("apply_delete", {}, 0);
      execute("apply", {}, 0);
    }
    execute("progress", {host.source, host.topic, host.number, host.targets, host.offsets}, 0);
    send("COMMIT");
    wait();
  }
  std::string ask(const std::string& text) override {
    PQexitPipelineMode(connection_);
    PGresult* result = PQexec(connection_, text.c_str());
    if (PQresultStatus(result) != PGRES_TUPLES_OK) fail(PQerrorMessage(connection_));
    std::string out = PQgetvalue(result, 0, 0);
    PQclear(result);
    PQenterPipelineMode(connection_);
    return out;
  }

 private:
  static constexpr std::size_t kMany = 50;

  static std::string numbered(std::string_view text) {
    std::string out;
    int number = 0;
    for (const char c : text) out += c == '?' ? "$" + std::to_string(++number) : std::string(1, c);
    return out;
  }
  void run(const std::string& text) {
    PGresult* result = PQexec(connection_, text.c_str());
    if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(PQerrorMessage(connection_));
    PQclear(result);
  }
  void prepare(const char* name, const std::string& text) {
    PGresult* result = PQprepare(connection_, name, text.c_str(), 0, nullptr);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(PQerrorMessage(connection_));
    PQclear(result);
  }
  void send(const char* text) {
    if (PQsendQueryParams(connection_, text, 0, nullptr, nullptr, nullptr, nullptr, 0) != 1) fail(PQerrorMessage(connection_));
    ++pending_;
  }
  void execute(const char* name, const std::vector<std::string>& parameters, int format) {
    std::vector<const char*> values;
    std::vector<int> lengths, formats(parameters.size(), format);
    for (const auto& parameter : parameters) values.push_back(parameter.data()), lengths.push_back(static_cast<int>(parameter.size()));
    if (PQsendQueryPrepared(connection_, name, static_cast<int>(parameters.size()), values.data(), lengths.data(), formats.data(), 0) != 1)
      fail(PQerrorMessage(connection_));
    ++pending_;
  }
  void send_rows(const Batch& batch) {
    if (batch.rows.empty()) return;
    if (rows_ == Rows::kValues) return send_values(batch);
    std::vector<std::string> arrays;
    for (std::size_t i = 0; i < kWidth; ++i)
      arrays.push_back(rows_ == Rows::kTextArrays ? text_array(batch.rows, i, kWidth, kColumns[i])
                                                  : binary_array(batch.rows, i, kWidth, kColumns[i]));
    execute("upsert", arrays, rows_ == Rows::kTextArrays ? 0 : 1);
  }
  void send_values(const Batch& batch) {
    const std::size_t count = batch.rows.size() / kWidth;
    for (std::size_t row = 0; row < count;) {
      const std::size_t taken = count - row >= kMany ? kMany : 1;
      std::string bytes;
      std::vector<std::size_t> begins;
      std::vector<const char*> values;
      std::vector<int> lengths, formats(taken * kWidth, 1);
      for (std::size_t i = 0; i < taken * kWidth; ++i) {
        begins.push_back(bytes.size());
        const auto& cell = batch.rows[row * kWidth + i];
        if (cell.tag != CDCRT_NULL) put_value(bytes, cell, kColumns[i % kWidth]);
        lengths.push_back(static_cast<int>(bytes.size() - begins.back()));
      }
      for (std::size_t i = 0; i < taken * kWidth; ++i)
        values.push_back(batch.rows[row * kWidth + i].tag == CDCRT_NULL ? nullptr : bytes.data() + begins[i]);
      if (PQsendQueryPrepared(connection_, taken == 1 ? "one" : "many", static_cast<int>(values.size()), values.data(), lengths.data(),
                              formats.data(), 0) != 1)
        fail(PQerrorMessage(connection_));
      ++pending_;
      row += taken;
    }
  }
  // libpq has no COPY in pipeline mode.
  void copy(const Batch& batch) {
    PQexitPipelineMode(connection_);
    PGresult* result = PQexec(connection_, copy_.c_str());
    if (PQresultStatus(result) != PGRES_COPY_IN) fail(PQerrorMessage(connection_));
    PQclear(result);
    std::string bytes("PGCOPY\n\377\r\n\0", 11);
    put(bytes, 0, 8);
    for (std::size_t row = 0; row < batch.rows.size(); row += kWidth) {
      put(bytes, kWidth + 1, 2);
      for (std::size_t i = 0; i < kWidth; ++i) put_field(bytes, batch.rows[row + i], kColumns[i]);
      put(bytes, 1, 4), put(bytes, 0, 1);
    }
    for (const auto& key : batch.keys) {
      put(bytes, kWidth + 1, 2);
      put_field(bytes, key, kColumns[0]);
      for (std::size_t i = 1; i < kWidth; ++i) put(bytes, 0xFFFFFFFF, 4);
      put(bytes, 1, 4), put(bytes, 1, 1);
    }
    put(bytes, 0xFFFF, 2);
    if (PQputCopyData(connection_, bytes.data(), static_cast<int>(bytes.size())) != 1 || PQputCopyEnd(connection_, nullptr) != 1)
      fail(PQerrorMessage(connection_));
    while ((result = PQgetResult(connection_)) != nullptr) {
      if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(PQerrorMessage(connection_));
      PQclear(result);
    }
    PQenterPipelineMode(connection_);
  }
  void wait() {
    PQpipelineSync(connection_);
    for (; pending_ > 0; --pending_) {
      while (PGresult* result = PQgetResult(connection_)) {
        const auto status = PQresultStatus(result);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(PQresultErrorMessage(result));
        PQclear(result);
      }
    }
    PQclear(PQgetResult(connection_));
  }

  std::string table_, copy_;
  Rows rows_;
  PGconn* connection_ = nullptr;
  int pending_ = 0;
};

double own_cpu() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}
double cpu_of(const std::string& pid) {
  double nanoseconds = 0;
  std::ifstream("/proc/" + pid + "/schedstat") >> nanoseconds;
  return nanoseconds / 1e9;
}
/// The postmaster's children but for one.
double cpu_of_others(const std::string& backend) {
  const auto parent_of = [](const std::string& pid) {
    std::string text, field;
    std::getline(std::ifstream("/proc/" + pid + "/stat"), text);
    std::istringstream rest(text.substr(std::min(text.rfind(')') + 1, text.size())));
    rest >> field >> field;
    return field;
  };
  const std::string parent = parent_of(backend);
  double sum = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos || pid == backend || parent_of(pid) != parent) continue;
    sum += cpu_of(pid);
  }
  return sum;
}

}  // namespace
}  // namespace cdcrt::bench

int main(int count, char** arguments) {
  using namespace cdcrt::bench;
  if (count < 5) fail("usage: postgresql_writes_bench PORT DATABASE ROWS_PER_TRANSACTION TOTAL_ROWS [WAY...]");
  const std::string port = arguments[1], database = arguments[2];
  const std::size_t size = std::stoull(arguments[3]), total = std::stoull(arguments[4]);
  std::vector<std::string> ways(arguments + 5, arguments + count);
  if (ways.empty()) ways = {"odbc", "text", "arrays", "generic", "unsorted", "copy", "values"};
  const auto batches = make_batches(size, total);
  std::string expected;
  for (const auto& name : ways) {
    const std::string table = "bench_" + name;
    std::unique_ptr<Way> way;
    if (name == "odbc") way = std::make_unique<Odbc>(port, database, table);
    if (name == "text") way = std::make_unique<Libpq>(port, database, table, Rows::kTextArrays, false);
    if (name == "arrays") way = std::make_unique<Libpq>(port, database, table, Rows::kBinaryArrays, false);
    if (name == "generic") way = std::make_unique<Libpq>(port, database, table, Rows::kBinaryArrays, true);
    if (name == "unsorted") way = std::make_unique<Libpq>(port, database, table, Rows::kUnsorted, true);
    if (name == "copy") way = std::make_unique<Libpq>(port, database, table, Rows::kStage, false);
    if (name == "values") way = std::make_unique<Libpq>(port, database, table, Rows::kValues, true);
    if (!way) fail("no such way: " + name);
    const std::string backend = way->ask("SELECT pg_backend_pid()::text");
    const double own = own_cpu(), theirs = cpu_of(backend), others = cpu_of_others(backend);
    const auto began = std::chrono::steady_clock::now();
    round_trips = sent_bytes = 0;
    for (const Batch& batch : batches) way->write(batch);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const auto rows = static_cast<double>(size * batches.size());
    const double per_row = 1e6 / rows;
    const auto transactions = static_cast<double>(batches.size());
    const double mine = (own_cpu() - own) * per_row, server = (cpu_of(backend) - theirs) * per_row,
                 rest = (cpu_of_others(backend) - others) * per_row;
    std::printf(
        "%-9s %6zu rows/transaction: %8.0f rows/s, CPU us/row: client %6.2f backend %6.2f others %5.2f sum %6.2f; round trips %.1f, KiB sent %.1f\n",
        name.c_str(), size, rows / took.count(), mine, server, rest, mine + server + rest, static_cast<double>(round_trips) / transactions,
        static_cast<double>(sent_bytes) / 1024 / transactions);
    std::fflush(stdout);
    const std::string sum =
        way->ask("SELECT count(*)::text || '/' || coalesce(sum(hashtextextended(t::text, 0)), 0)::text FROM " + table + " AS t");
    if (expected.empty()) expected = sum;
    if (sum != expected) fail("table " + table + " differs: " + sum + ", expected " + expected);
  }
  return 0;
}
