#include "query.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <utility>

namespace cdcrt::pq {

using sdk::Status;

namespace {

// The server plans a statement anew five times before it thinks of keeping a plan, which would be one for the rows and tables of that time.
constexpr uint32_t kPlannedAnew = 5;
// A server process keeps a few kilobytes for each prepared statement, more for wide ones: some thirty times its text.
constexpr std::size_t kMaxNamedBytes = 512U << 10;

/// `$1` for the first `?`, and so on; those of names in quotes are names.
std::string numbered(std::string_view text) {
  std::string out;
  int number = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote == 0 && c == '?') {
      out += '$' + std::to_string(++number);
      continue;
    }
    if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
    else if (c == quote)
      quote = 0;
    out += c;
  }
  return out;
}

// libpq sends what it holds in pieces of 8 KiB as soon as it has one; what is left has to stay below.
constexpr std::size_t kMaxLeft = 7600;
constexpr std::size_t kMessages = 200;  // of a statement, beside its text and values
// Statements whose plan is kept for a while are prepared anew after so many runs: their tables may have grown.
constexpr uint32_t kPlannedForAWhile = 200;

}  // namespace

Query::Query(Session& session, std::string_view text, std::size_t parameters, sql::Planning planning)
    : session_(session), planning_(planning), bound_(parameters) {
  plain_.text = numbered(text);
}

Query::~Query() {
  close();
  session_.forget(this);
  drop(plain_), drop(guarded_);
}

void Query::drop(Form& form) {
  if (form.name.empty()) return;
  session_.named_bytes_ -= form.text.size();
  if (form.is_prepared) session_.dropped_.push_back(form.name);
  form.name.clear();
  form.is_prepared = false;
  form.runs = 0;
}

uint32_t Query::most_runs() const {
  if (planning_ == sql::Planning::kOnce) return UINT32_MAX;
  return planning_ == sql::Planning::kEachTime ? kPlannedAnew : kPlannedForAWhile;
}

bool Query::dispatch(Form& form, Session::Command command) {
  PGconn* const connection = session_.connection_;
  const bool guarded = &form == &guarded_;
  const cdcrt_code left_as = command.left_as;
  const std::size_t count = bound_.size() + (guarded ? 1 : 0);
  std::vector<const char*> values(count);
  std::vector<int> lengths(count), formats(count, 0);
  // libpq wants a NUL behind each text, which what is borrowed need not have.
  std::string terminated;
  std::size_t size = 0;
  for (const Bound& each : bound_) size += each.is_binary ? 0 : each.bytes.size() + 1;
  terminated.reserve(size);
  for (std::size_t i = 0; i < bound_.size(); ++i) {
    if (bound_[i].is_binary) {
      values[i] = bound_[i].bytes.data();
      lengths[i] = static_cast<int>(bound_[i].bytes.size());
      formats[i] = 1;
      continue;
    }
    values[i] = terminated.data() + terminated.size();
    terminated.append(bound_[i].bytes) += '\0';
  }
  if (guarded) values[count - 1] = count_.c_str();
  if (form.runs >= most_runs()) drop(form);
  if (form.name.empty() && session_.uses_names_ && session_.named_bytes_ + form.text.size() <= kMaxNamedBytes) {
    form.name =
        "cdcrt_" + std::to_string(::getpid()) + "_" + std::to_string(PQbackendPID(connection)) + "_" + std::to_string(++session_.names_);
    session_.named_bytes_ += form.text.size();
  }
  const auto parameters = static_cast<int>(count);
  if (form.name.empty()) {
    if (PQsendQueryParams(connection, form.text.c_str(), parameters, nullptr, values.data(), lengths.data(), formats.data(), 0) != 1)
      return false;
  } else {
    if (!form.is_prepared) {
      if (PQsendPrepare(connection, form.name.c_str(), form.text.c_str(), 0, nullptr) != 1) return false;
      session_.commands_.push_back({Session::Command::Kind::kPrepare, command.moment, this, command.doing, guarded, left_as});
      form.is_prepared = true;  // taken back where the answer says otherwise
    }
    if (PQsendQueryPrepared(connection, form.name.c_str(), parameters, values.data(), lengths.data(), formats.data(), 0) != 1) return false;
    ++form.runs;
  }
  session_.commands_.push_back(std::move(command));
  return true;
}

bool Query::send(std::string_view doing) {
  close();
  if (session_.connection_ == nullptr) return false;
  is_sent_ = dispatch(plain_, {Session::Command::Kind::kQuery, sql::Moment::kStatement, this, std::string(doing)});
  return is_sent_;
}

bool Query::leave(int64_t rows, cdcrt_code failure, std::string_view doing) {
  if (session_.connection_ == nullptr || !session_.leaves_) return false;
  Form& form = rows == kAnyRows ? plain_ : guarded_;
  // More than libpq holds back is run before anybody waits for it: the locks of a process that is frozen then would be held, since the
  // server does not count such a session as idle.
  const bool is_known = form.is_prepared && form.runs < most_runs();
  std::size_t size = kMessages + (is_known ? 0 : plain_.text.size());
  for (const Bound& each : bound_) size += each.bytes.size() + 8;
  if (session_.left_bytes_ + size > kMaxLeft) return false;
  session_.left_bytes_ += size;
  if (rows != kAnyRows && guarded_.text.empty())
    guarded_.text = "WITH w AS (" + plain_.text + " RETURNING 1) SELECT 1 / (count(*) = $" + std::to_string(bound_.size() + 1) +
                    "::bigint)::integer FROM w";
  count_ = std::to_string(rows);
  return dispatch(form, {Session::Command::Kind::kLeft, sql::Moment::kStatement, nullptr, std::string(doing), false, failure});
}

Status Query::execute(sql::Moment moment, std::string_view doing, int64_t* rows) {
  if (!is_sent_ && !has_answer_ && !send(doing)) return session_.lost(moment, doing);
  if (std::exchange(has_answer_, false)) {
    // It came with another's.
  } else {
    Status status = session_.finish(doing);
    has_answer_ = false;
    if (!status) return status;
  }
  if (rows != nullptr) {
    const std::string_view changed = PQcmdTuples(result_);
    *rows = 0;
    std::from_chars(changed.data(), changed.data() + changed.size(), *rows);
  }
  return {};
}

void Query::keep(pg_result* result) {
  result_ = result;
  row_ = -1;
  is_sent_ = false;
  has_answer_ = true;
}

Status Query::fetch(bool& found, std::string_view /*doing*/) {
  found = result_ != nullptr && ++row_ < PQntuples(result_);
  return {};
}

Status Query::text(std::size_t column, std::string& out, bool& null, std::string_view /*doing*/) {
  const auto index = static_cast<int>(column);
  null = PQgetisnull(result_, row_, index) == 1;
  out.assign(PQgetvalue(result_, row_, index), static_cast<std::size_t>(PQgetlength(result_, row_, index)));
  return {};
}

void Query::close() {
  PQclear(std::exchange(result_, nullptr));
  has_answer_ = false;
}

}  // namespace cdcrt::pq
