#include "postgresql/session.hpp"

namespace cdcrt::postgresql {

using sdk::Status;
using sql::Moment;

namespace {

constexpr const char* kSession[] = {
    "SET client_encoding = 'UTF8'", "SET standard_conforming_strings = on", "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",   "SET IntervalStyle = 'iso_8601'",       "SET bytea_output = 'hex'",
    "SET extra_float_digits = 3",   "SET application_name = 'cdcrt'",       "SET default_transaction_isolation = 'read committed'"};

// A frozen or vanished client must not hold its locks for ever (PostgreSQL documentation, 20.11.1 and 20.3.2).
Status set_timeouts(sql::Session& session, const SessionTimeouts& timeouts) {
  const auto set = [&](const char* name, std::chrono::microseconds value) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(value).count();
    return session.execute("SET " + std::string(name) + " = " + std::to_string(milliseconds), Moment::kStatement,
                           "cannot set up the session");
  };
  Status status = set("lock_timeout", timeouts.lock);
  if (status) status = set("statement_timeout", timeouts.statement);
  if (status) status = set("idle_in_transaction_session_timeout", timeouts.idle_in_transaction);
  for (const char* keepalive : {"SET tcp_keepalives_idle = 30", "SET tcp_keepalives_interval = 10", "SET tcp_keepalives_count = 3"}) {
    if (status) status = session.execute(keepalive, Moment::kStatement, "cannot set up the session");
  }
  return status;
}

/// Driver, driver manager and locale all have a word in what becomes of bytes: ask, do not believe.
Status check_encoding(sql::Session& session) {
  constexpr std::string_view kProbe = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\\'\"\r\n";
  std::string text;
  std::string length;
  bool null = false;
  Status status = answer(session, "SELECT ?::text", {kProbe}, text, null, "cannot check the connection's encoding");
  if (status)
    status = answer(session, "SELECT octet_length(?::text)::text || '/' || octet_length('\xF0\x9F\x98\x80')::text", {kProbe}, length, null,
                    "cannot check the connection's encoding");
  if (!status) return status;
  if (text == kProbe && length == std::to_string(kProbe.size()) + "/4") return {};
  return Status::error(CDCRT_UNSUPPORTED, "this driver changes text on its way: a probe of Unicode characters did not come back as it went",
                       "use the driver \"PostgreSQL ANSI\" or \"PostgreSQL Unicode\" of odbc-postgresql, start with LC_ALL=C.UTF-8, and "
                       "see that the database's encoding is UTF8");
}

}  // namespace

Status read_clock(sql::Session& session, std::vector<sdk::Clock>& out) {
  std::string told;
  bool null = false;
  const sdk::ClockQuestion question;
  Status status = answer(session, "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint)", {}, told, null,
                         "cannot ask the database's clock");
  if (status && !null)
    out.push_back(question.answered("the database", std::chrono::microseconds(std::stoll(told)), std::chrono::microseconds(0)));
  return status;
}

Status answer(sql::Session& session, std::string_view text, std::initializer_list<std::string_view> parameters, std::string& out,
              bool& null, std::string_view what) {
  Status status;
  const auto query = session.query(text, parameters.size(), sql::Planning::kEachTime, what, status);
  if (query == nullptr) return status;
  std::size_t i = 0;
  for (const auto parameter : parameters) query->bind_text(i++, parameter);
  status = query->execute(Moment::kStatement, what);
  bool found = false;
  if (status) status = query->fetch(found, what);
  null = !found;
  if (status && found) status = query->text(0, out, null, what);
  return status;
}

Status set_up(sql::Session& session, const SessionTimeouts& timeouts, std::string& default_schema) {
  for (const char* text : kSession) {
    Status status = session.execute(text, Moment::kStatement, "cannot set up the session");
    if (!status) return status;
  }
  // A plan for ten rows would be kept for twenty thousand, but where the session itself sees to that. Servers before 12 have no such
  // setting.
  const std::string plans = session.keeps_statements() ? "auto" : "force_custom_plan";
  static_cast<void>(session.execute("SET plan_cache_mode = '" + plans + "'", Moment::kStatement, "cannot set up the session"));
  Status status = check_encoding(session);
  if (status) status = set_timeouts(session, timeouts);
  if (!status) return status;
  bool null = false;
  status = answer(session, "SELECT current_schema()::text", {}, default_schema, null, "cannot read the current schema");
  if (status && null)
    return Status::bad_config("connection", "the user's search_path names no schema that exists",
                              "create the schema, or give the route's table one");
  return status;
}

}  // namespace cdcrt::postgresql
