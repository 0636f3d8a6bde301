#include "observe/samples.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "diagnostics/text.hpp"

namespace cdcrt::observe {
namespace {

constexpr std::string_view kTotal = "_total", kInfo = "_info";

void add_up(ByOperation& into, const ByOperation& more) {
  for (std::size_t i = 0; i < into.size(); ++i) into[i] += more[i];
}

/// The sum of two tables; of lags in seconds the longer one, since time does not add up.
void add_up(TableFacts& into, const TableFacts& more) {
  add_up(into.rows, more.rows);
  add_up(into.bytes, more.bytes);
  into.batches += more.batches;
  into.schema_changes += more.schema_changes;
  into.overflowed += more.overflowed;
  into.late += more.late;
  into.left_out += more.left_out;
  into.buffered_rows += more.buffered_rows;
  into.buffered_bytes += more.buffered_bytes;
  into.last_commit_us = std::max(into.last_commit_us, more.last_commit_us);
  if (more.lag_messages) into.lag_messages = into.lag_messages.value_or(0) + *more.lag_messages;
  if (more.lag_seconds) into.lag_seconds = std::max(into.lag_seconds.value_or(0), *more.lag_seconds);
}

std::string without(std::string_view name, std::string_view suffix) {
  return std::string(name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name);
}

}  // namespace

std::string label(std::string_view name, std::string_view value) {
  std::string out(name);
  out += "=\"";
  for (const char c : diagnostics::valid_utf8(std::string(value))) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

Samples::Samples(const Snapshot& snapshot, Exposition exposition, std::size_t max_tables)
    : snapshot_(snapshot), exposition_(exposition), pipeline_("{" + label("pipeline", snapshot.pipeline)) {
  gather_tables(max_tables);
  gather_dead_letters(max_tables);
}

std::string Samples::component(std::string_view kind, std::string_view name) {
  return label("component", std::string(kind) + "." + std::string(name));
}

void Samples::gather_tables(std::size_t max_tables) {
  std::map<std::string, TableFacts> rest;
  for (const TableFacts& facts : snapshot_.tables) {
    if (facts.number < max_tables && facts.table != kOtherTables) {
      tables_.push_back({facts, component("sinks", facts.sink) + "," + label("table", facts.table), false});
    } else {
      add_up(rest[facts.sink], facts);
    }
  }
  for (auto& [sink, facts] : rest) {
    tables_.push_back({std::move(facts), component("sinks", sink) + "," + label("table", kOtherTables), true});
  }
}

void Samples::gather_dead_letters(std::size_t max_tables) {
  std::map<std::pair<std::string_view, std::string_view>, bool> own;
  for (const TableFacts& facts : snapshot_.tables) own[{facts.sink, facts.table}] = facts.number < max_tables;
  std::map<std::tuple<std::string, std::string, std::string>, uint64_t> counts;
  for (const DeadLetterFacts& facts : snapshot_.dead_letters_by_reason) {
    const auto found = own.find({facts.sink, facts.table});
    const bool is_own = facts.table.empty() || (found != own.end() && found->second);
    counts[{facts.sink, is_own ? facts.table : std::string(kOtherTables), facts.reason}] += facts.count;
  }
  for (const auto& [place, count] : counts) {
    const auto& [sink, table, reason] = place;
    const std::string of = sink.empty() ? label("component", "") : component("sinks", sink);
    dead_letters_.push_back({of + "," + label("table", table) + "," + label("reason", reason), count});
  }
}

void Samples::begin(const Metric& metric) {
  name_ = metric.name;
  std::string family(metric.name);
  std::string_view type = name_of(metric.type);
  if (exposition_ == Exposition::kOpenMetrics) {
    family = without(without(metric.name, kTotal), kInfo);
    if (!metric.unit.empty()) out_ += "# UNIT " + family + " " + std::string(metric.unit) + "\n";
  } else if (metric.type == MetricType::kInfo) {
    type = name_of(MetricType::kGauge);
  }
  out_ += "# HELP " + family + " " + std::string(metric.help) + "\n";
  out_ += "# TYPE " + family + " " + std::string(type) + "\n";
}

void Samples::add(std::string_view labels, std::string_view label_name, std::string_view label_value, uint64_t value) {
  std::string more(label_name);
  ((more += "=\"") += label_value) += '"';
  line({}, labels, more, value);
}

void Samples::add(std::string_view labels, const HistogramCounts& histogram) {
  uint64_t count = 0;
  for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
    count += histogram.counts[i];
    std::array<char, 32> digits{};
    std::string bound = "+Inf";
    if (i < histogram.bounds.size()) {
      const auto* const end = std::to_chars(digits.data(), digits.data() + digits.size(), histogram.bounds[i]).ptr;
      bound.assign(digits.data(), static_cast<std::size_t>(end - digits.data()));
    }
    line("_bucket", labels, "le=\"" + bound + "\"", count);
  }
  line("_sum", labels, {}, histogram.sum);
  line("_count", labels, {}, count);
}

std::string Samples::take() {
  if (exposition_ == Exposition::kOpenMetrics) out_ += "# EOF\n";
  return std::move(out_);
}

}  // namespace cdcrt::observe
