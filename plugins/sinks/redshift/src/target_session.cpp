#include "target_session.hpp"

#include "sql/identifier.hpp"
#include "redshift_literal.hpp"
#include "redshift_statements.hpp"

namespace cdcrt::redshift {

using sdk::Status;
using sql::Moment;

Status TargetSession::connect() {
  Status status = session_.connect(sql::Product::kRedshift, settings_.connect_timeout);
  return status ? set_up() : std::move(status);
}

Status TargetSession::set_up() {
  constexpr std::string_view kDoing = "cannot set up the session";
  names_.unbounded_varchar = settings_.unbounded_varchar;
  for (const char* text :
       {"SET client_encoding TO 'UTF8'", "SET timezone TO 'UTC'", "SET datestyle TO 'ISO, YMD'", "SET extra_float_digits TO 2"}) {
    Status status = execute(text, kDoing);
    if (!status) return status;
  }
  Status status = execute("SET statement_timeout TO " + std::to_string(settings_.statement_timeout.count() / 1000), kDoing);
  // Two staged rows for one row would otherwise be settled by chance. Older clusters do not know the parameter.
  if (status) static_cast<void>(execute("SET error_on_nondeterministic_update TO true", kDoing));
  if (status && !settings_.query_group.empty()) {
    std::string text = "SET query_group TO ";
    sql::redshift::append_text(text, settings_.query_group);
    static_cast<void>(execute(text, kDoing));
  }
  Field answered;
  if (status && answer("SHOW enable_case_sensitive_identifier", kDoing, answered))
    names_.case_sensitive = answered && (*answered == "on" || *answered == "true");
  answered.reset();
  if (status) status = check_encoding(answered);
  if (status && !answered)
    return Status::bad_config("connection", "the user's search_path names no schema that exists",
                              "create the schema, or give the route's table one");
  if (status) default_schema_ = *answered;
  return status;
}

/// Driver, driver manager and locale all have a word in what becomes of bytes: ask, do not believe.
Status TargetSession::check_encoding(Field& current_schema) {
  constexpr std::string_view kProbe = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\\'\"";
  std::string literal;
  sql::redshift::append_text(literal, kProbe);
  std::vector<Field> found;
  Status status = select("SELECT " + literal + ", OCTET_LENGTH(" + literal + "), current_schema()", 3, "cannot check the connection's encoding",
                         [&](const std::vector<Field>& row) {
                           found = row;
                           return false;
                         });
  if (!status) return status;
  if (found.size() == 3) current_schema = found[2];
  if (found.size() == 3 && found[0] == kProbe && found[1] == std::to_string(kProbe.size())) return {};
  return Status::error(CDCRT_UNSUPPORTED,
                       "this ODBC driver changes text on its way: a probe of Unicode characters did not come back as it went",
                       "start with LC_ALL=C.UTF-8; with psqlODBC use \"PostgreSQL Unicode\" or \"PostgreSQL ANSI\"");
}

Status TargetSession::execute(std::string_view text, std::string_view doing, Moment moment, int64_t* rows) {
  if (rows == nullptr) return session_.execute(text, moment, doing);
  odbc::Query query(session_);
  Status status = query.set_text(text, 0, doing);
  if (status) status = query.execute(moment, doing, rows);
  return status;
}

Status TargetSession::select(std::string_view text, std::size_t columns, std::string_view doing,
                             const std::function<bool(const std::vector<Field>&)>& visit) {
  odbc::Query query(session_);
  Status status = query.set_text(text, 0, doing);
  if (status) status = query.execute(Moment::kStatement, doing);
  std::vector<Field> row(columns);
  while (status) {
    bool found = false;
    status = query.fetch(found, doing);
    if (!status || !found) break;
    for (std::size_t i = 0; i < columns && status; ++i) {
      bool null = false;
      if (!row[i]) row[i].emplace();
      status = query.text(i, *row[i], null, doing);
      if (null) row[i].reset();
    }
    if (status && !visit(row)) break;
  }
  return status;
}

Status TargetSession::answer(std::string_view text, std::string_view doing, Field& out) {
  out.reset();
  return select(text, 1, doing, [&](const std::vector<Field>& row) {
    out = row[0];
    return false;
  });
}

std::string TargetSession::schema_of(const cdcrt_table& table) const {
  return table.schema.data != nullptr ? sql::redshift::folded(sdk::view(table.schema), names_.case_sensitive) : default_schema_;
}

Status TargetSession::append_table(std::string& out, const cdcrt_table& table) const {
  Status status = sql::redshift::append_name(out, schema_of(table), "schema", names_.case_sensitive);
  out += '.';
  if (status) status = sql::redshift::append_name(out, sdk::view(table.name), "table", names_.case_sensitive);
  return status;
}

}  // namespace cdcrt::redshift
