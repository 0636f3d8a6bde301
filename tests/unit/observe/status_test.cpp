#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "observe/status.hpp"
#include "snapshots.hpp"

using namespace cdcrt::observe;

namespace {

std::string status_of(const Snapshot& snapshot, const std::string& query = {}) {
  const auto read = read_status_query(query);
  REQUIRE(read.ok());
  return render_status(snapshot, *read);
}

/// The names of its tables, in order.
std::vector<std::string> tables_of(const std::string& status) {
  std::vector<std::string> names;
  const std::string before = "\"table\":\"";
  const std::size_t end = status.find("\"dead_letters\":{");
  for (std::size_t at = status.find(before); at < end; at = status.find(before, at + 1)) {
    const std::size_t begin = at + before.size();
    names.push_back(status.substr(begin, status.find('"', begin) - begin));
  }
  return names;
}

bool refuses(const std::string& query, const std::string& why) {
  const auto read = read_status_query(query);
  return !read && read.error().message.find(why) != std::string::npos;
}

}  // namespace

TEST_CASE("status: tables are sorted, searched, cut and counted") {
  Snapshot snapshot = snapshot_of(4);
  snapshot.tables[1].state = TableState::kDetached;
  snapshot.tables[3].table = "Orders";
  using Names = std::vector<std::string>;
  CHECK(tables_of(status_of(snapshot)) == Names{"t0", "t1", "t2", "Orders"});
  CHECK(tables_of(status_of(snapshot, "sort=lag")) == Names{"Orders", "t2", "t1", "t0"});
  CHECK(tables_of(status_of(snapshot, "sort=rows&limit=2")) == Names{"Orders", "t2"});
  CHECK(tables_of(status_of(snapshot, "sort=state&limit=1")) == Names{"t1"});
  CHECK(tables_of(status_of(snapshot, "offset=3")) == Names{"Orders"});
  CHECK(tables_of(status_of(snapshot, "offset=9")).empty());
  CHECK(tables_of(status_of(snapshot, "limit=0")).empty());
  CHECK(tables_of(status_of(snapshot, "state=detached")) == Names{"t1"});
  CHECK(tables_of(status_of(snapshot, "search=ORD%65r")) == Names{"Orders"});
  const std::string found = status_of(snapshot, "search=t&limit=1");
  CHECK(found.find("\"tables_total\":4") != std::string::npos);
  CHECK(found.find("\"tables_matched\":3") != std::string::npos);
}

TEST_CASE("status: a parameter that is wrong is named") {
  CHECK(refuses("limit=x", "'limit'"));
  CHECK(refuses("limit=-1", "'limit'"));
  CHECK(refuses("limit=100001", "'limit'"));
  CHECK(refuses("limit", "'limit'"));
  CHECK(refuses("offset=1e3", "'offset'"));
  CHECK(refuses("sort=size", "name, lag, rows or state"));
  CHECK(refuses("state=well", "'state'"));
  CHECK(refuses("search=%g1", "not well-formed"));
  CHECK(refuses("search=%1", "not well-formed"));
  CHECK(refuses("tables=all", "'tables' is not known"));
  CHECK(read_status_query("&&limit=3&").ok());
}

TEST_CASE("status: what is not known is null, and texts from outside stay texts") {
  Snapshot snapshot = snapshot_of(1);
  snapshot.tables[0].lag_messages.reset();
  snapshot.tables[0].last_commit_us = 0;
  snapshot.tables[0].reason = "a \"quoted\"\nline \xff";
  snapshot.not_ready.push_back({"sinks.db", "away"});
  const std::string status = status_of(snapshot);
  CHECK(status.find("\"lag_messages\":null") != std::string::npos);
  CHECK(status.find("\"last_commit_age_seconds\":null") != std::string::npos);
  CHECK(status.find(R"("reason":"a \"quoted\"\nline )") != std::string::npos);
  CHECK(status.find(R"("ready":false,"reasons":[{"component":"sinks.db","reason":"away"}])") != std::string::npos);
}

TEST_CASE("status: a load tells how long it takes, and what is not known is not 0") {
  Snapshot snapshot = snapshot_of(1);
  CHECK(status_of(snapshot).find("\"input\":{\"done\":0,\"total\":0,\"left_seconds\":null}") != std::string::npos);
  snapshot.sources[0].left_seconds = 90;
  snapshot.sinks[0].loading = 1;
  snapshot.tables[0].is_loading = true;
  snapshot.tables[0].left_seconds = 60;
  const std::string status = status_of(snapshot);
  CHECK(status.find("\"total\":0,\"left_seconds\":90.000}") != std::string::npos);
  CHECK(status.find("\"loading_tables\":1") != std::string::npos);
  CHECK(status.find("\"loading\":true,\"left_seconds\":60.000") != std::string::npos);
}

TEST_CASE("status: what a driver's text says of credentials is covered, as in the log") {
  Snapshot snapshot = snapshot_of(1);
  const std::string text = "no answer from https://loader:hidden-word@db.example/x";
  snapshot.tables[0].reason = snapshot.sources[0].reason = snapshot.sinks[0].reason = snapshot.dead_letter_place = text;
  snapshot.not_ready.push_back({"sinks.db", text});
  const std::string status = status_of(snapshot);
  CHECK(status.find("db.example") != std::string::npos);
  CHECK(status.find("hidden-word") == std::string::npos);
  CHECK(render_reasons("ready", snapshot.not_ready).find("hidden-word") == std::string::npos);
}

TEST_CASE("status: a moment is told as its age") {
  const std::string status = status_of(snapshot_of(1));
  CHECK(status.find("\"last_commit_age_seconds\":2.000") != std::string::npos);
}
