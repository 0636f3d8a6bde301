#include "session.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <utility>

#include "query.hpp"

namespace cdcrt::pq {

using sdk::Status;
using sql::Moment;

namespace {

constexpr std::size_t kTextMessages = 60;  // of a statement without parameters, beside its text

void ignore_notice(void* /*context*/, const PGresult* /*result*/) {}

std::string_view field(const PGresult* result, int code) {
  const char* const text = result == nullptr ? nullptr : PQresultErrorField(result, code);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

Session::~Session() { disconnect(); }

int Session::server_version() const { return PQserverVersion(connection_); }

// Servers before 10 could be built to keep moments as doubles.
bool Session::takes_binary() const {
  const char* const are_integers = connection_ == nullptr ? nullptr : PQparameterStatus(connection_, "integer_datetimes");
  return are_integers != nullptr && std::string_view(are_integers) == "on";
}

Status Session::connect() {
  std::vector<const char*> keys, values;
  const auto add = [&](const char* key, const char* value) { keys.push_back(key), values.push_back(value); };
  const auto seconds = std::to_string(std::max<int64_t>(2, std::chrono::ceil<std::chrono::seconds>(connect_timeout_).count()));
  // The last one of a key counts: what the operator wrote.
  add("connect_timeout", seconds.c_str());
  // A server that vanished without a word is noticed after half a minute.
  add("keepalives_idle", "15"), add("keepalives_interval", "5"), add("keepalives_count", "3"), add("tcp_user_timeout", "30000");
  add("fallback_application_name", "cdcrt");
  for (const auto& [key, value] : settings_.pairs) add(key.c_str(), value.c_str());
  add("client_encoding", "UTF8");
  add(nullptr, nullptr);
  connection_ = PQconnectdbParams(keys.data(), values.data(), 0);
  if (connection_ == nullptr) return Status::fatal("libpq gave no connection");
  PQsetNoticeReceiver(connection_, ignore_notice, nullptr);
  if (PQstatus(connection_) == CONNECTION_OK) {
    if (PQenterPipelineMode(connection_) == 1) return {};
    return Status::fatal("libpq enters no pipeline mode");
  }
  // libpq tells the reason in text only.
  const sql::DriverError found{"08001", 0, hide_secrets(trimmed(PQerrorMessage(connection_)), settings_)};
  disconnect();
  return sql::to_status(found, sql::Product::kPostgresql, Moment::kConnect, "cannot connect to the target");
}

void Session::disconnect() {
  PQfinish(std::exchange(connection_, nullptr));
  commands_.clear();
  left_bytes_ = 0;
  dropped_.clear();
}

Status Session::reconnect() {
  disconnect();
  leaves_ = false;
  return connect();
}

Status Session::lost(Moment moment, std::string_view doing) const {
  std::string text = connection_ == nullptr ? std::string() : trimmed(PQerrorMessage(connection_));
  if (text.empty()) text = "there is no connection to the server";
  return sql::to_status({"08S01", 0, hide_secrets(std::move(text), settings_)}, sql::Product::kPostgresql, moment, doing);
}

Status Session::error(const pg_result* result, Moment moment, std::string_view doing) const {
  const std::string_view state = field(result, PG_DIAG_SQLSTATE);
  if (state.empty()) return lost(moment, doing);  // of libpq itself
  sql::DriverError found;
  found.sqlstate = state;
  found.native = 1;
  found.text = std::string(field(result, PG_DIAG_SEVERITY_NONLOCALIZED)) + ": " + std::string(field(result, PG_DIAG_MESSAGE_PRIMARY));
  if (const auto detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) found.text += "; DETAIL: " + std::string(detail);
  found.text = hide_secrets(std::move(found.text), settings_);
  return sql::to_status(found, sql::Product::kPostgresql, moment, doing);
}

Status Session::send_text(std::string_view text, Moment moment, std::string_view doing) {
  const std::string terminated(text);
  if (connection_ == nullptr || PQsendQueryParams(connection_, terminated.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) != 1)
    return lost(moment, doing);
  commands_.push_back({Command::Kind::kText, moment, nullptr, std::string(doing)});
  return {};
}

Status Session::begin(std::string_view text, std::string_view doing) {
  Status status = send_text(text, Moment::kStatement, doing);
  left_bytes_ += kTextMessages + text.size();
  // Only here is it sure that the server takes them, and that nothing hangs on them.
  for (const std::string& name : std::exchange(dropped_, {})) {
    if (status) status = send_text("DEALLOCATE " + name, Moment::kStatement, doing);
    left_bytes_ += kTextMessages + name.size();
  }
  return status;
}

Status Session::execute(std::string_view text, Moment moment, std::string_view doing) {
  // What failed before it would take it along.
  if (text.compare(0, 8, "ROLLBACK") == 0 && !commands_.empty()) static_cast<void>(finish(doing));
  Status status = send_text(text, moment, doing);
  if (status) status = finish(doing);
  if (status && moment == Moment::kCommit) leaves_ = true;
  return status;
}

std::unique_ptr<sql::Query> Session::query(std::string_view text, std::size_t parameters, sql::Planning planning,
                                           std::string_view /*doing*/, Status& status) {
  status = {};
  return std::make_unique<Query>(*this, text, parameters, planning);
}

void Session::forget(const Query* query) {
  for (Command& command : commands_) {
    if (command.query == query) command.query = nullptr;
  }
}

Status Session::finish(std::string_view doing) {
  Status first;
  const auto note = [&](Status status) {
    if (first && !status) first = std::move(status);
  };
  const std::vector<Command> commands = std::exchange(commands_, {});
  left_bytes_ = 0;
  const Moment moment = commands.empty() ? Moment::kStatement : commands.back().moment;
  if (connection_ == nullptr || PQpipelineSync(connection_) != 1) return lost(moment, doing);
  for (const Command& command : commands) {
    PGresult* const result = PQgetResult(connection_);
    if (result == nullptr) {
      note(lost(moment, doing));
      disconnect();  // out of step: what still comes could not be told apart
      break;
    }
    note(answered(command, result, moment));
    if (PQstatus(connection_) == CONNECTION_BAD) {
      note(lost(moment, doing));
      break;
    }
    while (PGresult* const more = PQgetResult(connection_)) PQclear(more);
  }
  if (PQstatus(connection_) != CONNECTION_BAD) {
    PGresult* const result = PQgetResult(connection_);
    const bool is_in_step = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    PQclear(result);
    if (!is_in_step) disconnect();  // whose answers come next could not be told
  }
  for (const Command& command : commands) {
    if (command.query != nullptr) command.query->is_sent_ = false;
  }
  return first;
}

Status Session::answered(const Command& command, pg_result* result, Moment moment) {
  const ExecStatusType code = PQresultStatus(result);
  const bool is_good = code == PGRES_COMMAND_OK || code == PGRES_TUPLES_OK || code == PGRES_EMPTY_QUERY;
  const bool is_aborted = code == PGRES_PIPELINE_ABORTED;
  if (is_good && command.kind == Command::Kind::kQuery && command.query != nullptr) {
    command.query->keep(result);
    return {};
  }
  Status status;
  if (is_good) {
    // A transaction that the server has given up answers COMMIT so.
    if (command.moment == Moment::kCommit && std::string_view(PQcmdStatus(result)) == "ROLLBACK")
      status = Status::retry(command.doing + ": the server had rolled the transaction back");
    PQclear(result);
    return status;
  }
  if (command.kind == Command::Kind::kPrepare && command.query != nullptr)
    (command.is_guarded ? command.query->guarded_ : command.query->plain_).is_prepared = false;
  // Nothing of it was run, and why is known already.
  status = is_aborted ? Status::retry(command.doing + ": a statement before it failed")
                      : error(result, moment == Moment::kCommit ? moment : command.moment, command.doing);
  const std::string_view state = field(result, PG_DIAG_SQLSTATE);
  if (state == "26000" || state == "42P05") uses_names_ = false;
  PQclear(result);
  if (!is_aborted && command.left_as != CDCRT_OK) {
    leaves_ = false;
    // Nobody who waits now is to blame: tried again, each statement is waited for.
    if (status.code() != CDCRT_RETRY && status.code() != CDCRT_BUSY) {
      // The only division in what is sent for the host's own rows says that they are others.
      const std::string why = command.left_as == CDCRT_BUSY && status.sqlstate() == "22012"
                                  ? command.doing + ": another process changed these rows meanwhile"
                                  : std::string(status.message());
      return Status::error(command.left_as, why + " (sent along with others; it is tried again by itself)")
          .with_native(status.native(), std::string(status.sqlstate()));
    }
  }
  return status;
}

}  // namespace cdcrt::pq
