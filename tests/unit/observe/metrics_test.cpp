#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "observe/metrics.hpp"
#include "observe/samples.hpp"
#include "observe/settings.hpp"
#include "snapshots.hpp"

using namespace cdcrt::observe;

namespace {

std::string page_of(const Snapshot& snapshot, std::size_t max_tables = 1000) {
  return render_metrics(snapshot, Exposition::kPrometheusText, max_tables);
}

/// Line without its value -> value.
std::map<std::string, std::string> samples_of(const std::string& page) {
  std::map<std::string, std::string> samples;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t blank = line.rfind(' ');
    CHECK_MESSAGE(samples.emplace(line.substr(0, blank), line.substr(blank + 1)).second, "twice: ", line);
  }
  return samples;
}

std::string of_table(const std::string& name, const std::string& table, const std::string& more = {}) {
  return name + R"({pipeline="shop",component="sinks.db",table=")" + table + '"' + more + '}';
}

}  // namespace

TEST_CASE("metrics: names follow the conventions, and no name is declared twice") {
  std::set<std::string_view> names;
  for (const Metric& metric : metrics()) {
    CAPTURE(metric.name);
    CHECK(metric.name.starts_with("cdcrt_"));
    CHECK(names.insert(metric.name).second);
    CHECK((metric.type == MetricType::kCounter) == metric.name.ends_with("_total"));
    CHECK(metric.help.ends_with('.'));
    CHECK(metric.help.find('|') == std::string_view::npos);
    std::string_view family = metric.name;
    if (metric.type == MetricType::kCounter) family.remove_suffix(6);
    CHECK((metric.unit.empty() || family.ends_with("_" + std::string(metric.unit))));
    CHECK(metric.labels.find("offset") == std::string_view::npos);
  }
}

TEST_CASE("metrics: the labels of a page are those that are declared") {
  Snapshot snapshot = snapshot_of(2);
  snapshot.tables[0].overflowed = snapshot.tables[0].late = snapshot.tables[0].left_out = 1;
  snapshot.sources[0].lag_messages = 1;
  snapshot.sources[0].left_seconds = 1;
  snapshot.dead_letters_by_reason.push_back({"db", "t0", "value_refused", 3});
  std::map<std::string, std::set<std::string>> seen;
  for (const auto& [line, value] : samples_of(page_of(snapshot))) {
    std::string name = line.substr(0, line.find('{'));
    for (const std::string_view suffix : {"_bucket", "_sum", "_count"}) {
      if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
    }
    for (std::size_t at = line.find('{'); at != std::string::npos; at = line.find(',', at + 1)) {
      seen[name].insert(line.substr(at + 1, line.find('=', at) - at - 1));
    }
  }
  for (const Metric& metric : metrics()) {
    CAPTURE(metric.name);
    std::set<std::string> declared{"pipeline"};
    std::istringstream labels{std::string(metric.labels)};
    for (std::string label; labels >> label;) declared.insert(label.ends_with(',') ? label.substr(0, label.size() - 1) : label);
    if (metric.type == MetricType::kHistogram) declared.insert("le");
    CHECK(seen[std::string(metric.name)] == declared);
  }
}

TEST_CASE("metrics: tables beyond the limit count together, and nothing is counted twice or lost") {
  const auto whole = samples_of(page_of(snapshot_of(5)));
  const auto cut = samples_of(page_of(snapshot_of(5), 3));
  CHECK(cut.at(of_table("cdcrt_table_rows_total", "t2", ",operation=\"insert\"")) == "3");
  CHECK_FALSE(cut.contains(of_table("cdcrt_table_rows_total", "t3", ",operation=\"insert\"")));
  CHECK(cut.at(of_table("cdcrt_table_rows_total", "other", ",operation=\"insert\"")) == "9");
  CHECK(cut.at(of_table("cdcrt_table_lag_messages", "other")) == "7");
  CHECK(cut.at(of_table("cdcrt_table_lag_seconds", "other")) == "4");
  CHECK_FALSE(cut.contains(of_table("cdcrt_table_state", "other", ",state=\"active\"")));
  CHECK_FALSE(whole.contains(of_table("cdcrt_table_rows_total", "other", ",operation=\"insert\"")));
  CHECK(cut.at(R"(cdcrt_sink_tables{pipeline="shop",component="sinks.db",state="active"})") == "5");
}

TEST_CASE("metrics: which tables have series of their own depends on when they came, not on their names") {
  Snapshot snapshot = snapshot_of(2);
  snapshot.tables[0].number = 7;
  const auto samples = samples_of(page_of(snapshot, 2));
  CHECK(samples.contains(of_table("cdcrt_table_lag_messages", "t1")));
  CHECK_FALSE(samples.contains(of_table("cdcrt_table_lag_messages", "t0")));
}

TEST_CASE("metrics: a table that is called as the rest is counts there") {
  Snapshot snapshot = snapshot_of(3);
  snapshot.tables[0].table = "other";
  const auto samples = samples_of(page_of(snapshot, 2));
  CHECK(samples.at(of_table("cdcrt_table_rows_total", "other", ",operation=\"insert\"")) == "4");
}

TEST_CASE("metrics: dead letters keep their reasons, also those of tables beyond the limit and of none") {
  Snapshot snapshot = snapshot_of(3);
  snapshot.dead_letters_by_reason = {
      {"", "", "undecodable", 2}, {"db", "t0", "value_refused", 3}, {"db", "t1", "row_missing", 4}, {"db", "t2", "row_missing", 5}};
  const auto samples = samples_of(page_of(snapshot, 1));
  CHECK(samples.at(R"(cdcrt_dead_letters_total{pipeline="shop",component="",table="",reason="undecodable"})") == "2");
  CHECK(samples.at(of_table("cdcrt_dead_letters_total", "t0", ",reason=\"value_refused\"")) == "3");
  CHECK(samples.at(of_table("cdcrt_dead_letters_total", "other", ",reason=\"row_missing\"")) == "9");
}

TEST_CASE("metrics: what is not known has no line") {
  Snapshot snapshot = snapshot_of(1);
  snapshot.tables[0].lag_messages.reset();
  const auto samples = samples_of(page_of(snapshot));
  CHECK_FALSE(samples.contains(of_table("cdcrt_table_lag_messages", "t0")));
  CHECK(samples.contains(of_table("cdcrt_table_lag_seconds", "t0")));
  CHECK_FALSE(samples.contains(R"(cdcrt_source_lag_messages{pipeline="shop",component="sources.events"})"));
  CHECK_FALSE(samples.contains(R"(cdcrt_source_left_seconds{pipeline="shop",component="sources.events"})"));
}

TEST_CASE("metrics: names from outside are escaped") {
  Snapshot snapshot = snapshot_of(1);
  snapshot.tables[0].table = "a\"b\\c\nd";
  snapshot.pipeline = "p\xff";
  const std::string page = page_of(snapshot);
  CHECK(page.find(R"(table="a\"b\\c\nd")") != std::string::npos);
  CHECK(page.find("pipeline=\"p\xef\xbf\xbd\"") != std::string::npos);
}

TEST_CASE("metrics: a histogram's buckets add up") {
  SecondsHistogram seconds;
  for (const double value : {0.0005, 0.001, 0.3, 100.0, 1e9}) seconds.observe(value);
  Snapshot snapshot = snapshot_of(1);
  snapshot.sinks[0].write_seconds = seconds.counts();
  const auto samples = samples_of(page_of(snapshot));
  const auto bucket = [&](const std::string& bound) {
    return samples.at(R"(cdcrt_sink_write_seconds_bucket{pipeline="shop",component="sinks.db",le=")" + bound + "\"}");
  };
  CHECK(bucket("0.001") == "2");
  CHECK(bucket("0.25") == "2");
  CHECK(bucket("0.5") == "3");
  CHECK(bucket("3600") == "4");
  CHECK(bucket("+Inf") == "5");
  CHECK(samples.at(R"(cdcrt_sink_write_seconds_count{pipeline="shop",component="sinks.db"})") == "5");
}

TEST_CASE("metrics: both formats say the same, each in its own way") {
  const Snapshot snapshot = snapshot_of(2);
  const std::string text = page_of(snapshot), open = render_metrics(snapshot, Exposition::kOpenMetrics, 1000);
  CHECK(samples_of(text) == samples_of(open));
  CHECK(text.find("# TYPE cdcrt_table_rows_total counter\n") != std::string::npos);
  CHECK(open.find("# TYPE cdcrt_table_rows counter\n") != std::string::npos);
  CHECK(open.find("# UNIT cdcrt_table_rows rows\n") != std::string::npos);
  CHECK(text.find("# TYPE cdcrt_build_info gauge\n") != std::string::npos);
  CHECK(open.find("# TYPE cdcrt_build info\n") != std::string::npos);
  CHECK(open.ends_with("# EOF\n"));
  CHECK(text.find("# EOF") == std::string::npos);
}

TEST_CASE("metrics: a page of ten thousand tables stays below 5 MB") {
  CHECK(page_of(snapshot_of(10'000), Settings().max_tables).size() < 5'000'000);
}

TEST_CASE("metrics: the page of the reference names each of them") {
  const std::string page = metrics_markdown();
  for (const Metric& metric : metrics()) CHECK(page.find("| `" + std::string(metric.name) + "` |") != std::string::npos);
}
