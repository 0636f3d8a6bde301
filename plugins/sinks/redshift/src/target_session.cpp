#include "target_session.hpp"

#include "redshift_literal.hpp"
#include "redshift_statements.hpp"
#include "sql/identifier.hpp"

namespace cdcrt::redshift {

using sdk::Status;
using sql::Moment;

Status TargetSession::connect() {
  Status status = session_.connect(sql::Product::kRedshift, settings_.connect_timeout);
  return status ? set_up() : std::move(status);
}

Status TargetSession::set_up() {
  names_.unbounded_varchar = settings_.unbounded_varchar;
  Status status = set_parameters();
  Field schema;
  if (status) status = check_encoding(schema);
  if (status && !schema)
    return Status::bad_config("connection", "the user's search_path names no schema that exists",
                              "create the schema, or give the route's table one");
  if (status) default_schema_ = *schema;
  return status;
}

/// In one statement where the server takes them so; a statement each tells which one it refuses.
Status TargetSession::set_parameters() {
  constexpr std::string_view kDoing = "cannot set up the session";
  struct Parameter {
    std::string_view name;
    std::string value;
    bool may_be_refused = false;
  };
  std::vector<Parameter> parameters = {{"client_encoding", "UTF8"},
                                       {"timezone", "UTC"},
                                       {"datestyle", "ISO, YMD"},
                                       {"extra_float_digits", "2"},
                                       {"statement_timeout", std::to_string(settings_.statement_timeout.count() / 1000)},
                                       // Two staged rows for one row would otherwise be settled by chance. Older clusters do not know it.
                                       {"error_on_nondeterministic_update", "true", true}};
  if (!settings_.query_group.empty()) parameters.push_back({"query_group", settings_.query_group, true});
  std::string all;
  for (const Parameter& parameter : parameters) {
    all += (all.empty() ? "SELECT set_config('" : ", set_config('") + std::string(parameter.name) + "', ";
    sql::redshift::append_text(all, parameter.value);
    all += ", false)";
  }
  Status status = select(all, parameters.size(), kDoing, [](const std::vector<Field>&) { return false; });
  if (status || status.code() == CDCRT_RETRY || status.code() == CDCRT_UNREACHABLE) return status;
  for (const Parameter& parameter : parameters) {
    std::string text = "SET " + std::string(parameter.name) + " TO ";
    sql::redshift::append_text(text, parameter.value);
    status = execute(text, kDoing);
    if (!status && (!parameter.may_be_refused || status.code() == CDCRT_RETRY)) return status;
  }
  return {};
}

/// Driver, driver manager and locale all have a word in what becomes of bytes: ask, do not believe. Asks for what else has to be known,
/// too.
Status TargetSession::check_encoding(Field& current_schema) {
  constexpr std::string_view kProbe = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\\'\"";
  constexpr std::string_view kDoing = "cannot check the connection's encoding";
  std::string text = "SELECT ";
  sql::redshift::append_text(text, kProbe);
  text += ", OCTET_LENGTH(";
  sql::redshift::append_text(text, kProbe);
  text += "), current_schema()";
  std::vector<Field> found;
  const auto take = [&](const std::vector<Field>& row) {
    found = row;
    return false;
  };
  Status status = select(text + ", current_setting('enable_case_sensitive_identifier')", 4, kDoing, take);
  if (!status && status.code() != CDCRT_RETRY && status.code() != CDCRT_UNREACHABLE) {
    status = select(text, 3, kDoing, take);
    found.resize(4);
    if (status) static_cast<void>(answer("SHOW enable_case_sensitive_identifier", kDoing, found[3]));
  }
  if (!status) return status;
  found.resize(4);
  current_schema = found[2];
  names_.case_sensitive = found[3] && (*found[3] == "on" || *found[3] == "true");
  if (found[0] == kProbe && found[1] == std::to_string(kProbe.size())) return {};
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

Status TargetSession::read_clock(std::vector<sdk::Clock>& out) {
  Field told;
  const sdk::ClockQuestion question;
  Status status = answer("SELECT CAST(EXTRACT(EPOCH FROM GETDATE()) AS BIGINT)", "cannot ask the database's clock", told);
  if (status && told) out.push_back(question.answered("the database", std::chrono::seconds(std::stoll(*told)), std::chrono::seconds(1)));
  return status;
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
