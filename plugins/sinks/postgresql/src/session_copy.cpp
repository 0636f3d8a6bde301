// COPY: outside of pipeline mode, in which libpq has none.
#include <libpq-fe.h>

#include <charconv>
#include <utility>

#include "session.hpp"

namespace cdcrt::pq {

using sdk::Status;
using sql::Moment;

/// All that `next` gives, and the end. An error of `next` ends it as a failure, so that the server keeps nothing. A connection that takes
/// nothing more is given up.
Status Session::feed(const std::function<Status(std::string&)>& next, std::string_view doing) {
  const auto give_up = [&] {
    Status status = lost(Moment::kStatement, doing);
    disconnect();
    return status;
  };
  std::string piece;
  Status status;
  while (true) {
    piece.clear();
    status = next(piece);
    if (!status || piece.empty()) break;
    for (std::size_t at = 0; at < piece.size();) {
      constexpr std::size_t kMost = 1U << 30;  // libpq takes an int
      const std::size_t bytes = std::min(kMost, piece.size() - at);
      if (PQputCopyData(connection_, piece.data() + at, static_cast<int>(bytes)) != 1) return give_up();
      at += bytes;
    }
  }
  // It stands in the server's log.
  if (PQputCopyEnd(connection_, status ? nullptr : "cdcrt writes these rows another way") != 1) return give_up();
  return status;
}

Status Session::copy(std::string_view text, const std::function<Status(std::string&)>& next, std::string_view doing, int64_t& rows,
                     std::string& told) {
  rows = 0;
  told.clear();
  if (Status status = settle(doing); !status) return status;
  if (connection_ == nullptr || PQexitPipelineMode(connection_) != 1) return lost(Moment::kStatement, doing);
  Status first;
  if (PQsendQuery(connection_, std::string(text).c_str()) != 1) first = lost(Moment::kStatement, doing);
  while (PGresult* const result = PQgetResult(connection_)) {
    const ExecStatusType code = PQresultStatus(result);
    if (code == PGRES_COPY_IN) {
      PQclear(result);
      // What the server said is the reason only where nothing here failed before.
      if (Status fed = feed(next, doing); !fed && first) first = std::move(fed);
      if (PQstatus(connection_) == CONNECTION_BAD) break;
      continue;
    }
    if (code == PGRES_TUPLES_OK) {
      if (PQntuples(result) > 0 && PQnfields(result) > 0) told = PQgetvalue(result, 0, 0);
    } else if (code == PGRES_COMMAND_OK) {
      const std::string_view changed = PQcmdTuples(result);
      std::from_chars(changed.data(), changed.data() + changed.size(), rows);
    } else if (first) {
      first = error(result, Moment::kStatement, doing);
    }
    PQclear(result);
    if (PQstatus(connection_) == CONNECTION_BAD) break;
  }
  if (PQstatus(connection_) == CONNECTION_BAD) return first ? lost(Moment::kStatement, doing) : std::move(first);
  if (PQenterPipelineMode(connection_) != 1) disconnect();
  return first;
}

}  // namespace cdcrt::pq
