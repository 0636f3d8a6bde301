// Every metric of /metrics, declared once: name, type, unit, labels, what it says, and where its values come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "observe/snapshot.hpp"

namespace cdcrt::observe {

class Samples;

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram, kInfo };
std::string_view name_of(MetricType type);

struct Metric {
  std::string_view name;  ///< as in a query; of a histogram without _bucket, _sum, _count
  MetricType type;
  std::string_view unit;    ///< in plural; empty: none
  std::string_view labels;  ///< beside `pipeline`, with commas
  std::string_view help;    ///< one sentence
  void (*give)(Samples& samples);
};

/// In the order of the page. Static.
std::span<const Metric> metrics();

/// Of tables beyond the limit of tables with series of their own; a table of that very name counts there too.
inline constexpr std::string_view kOtherTables = "other";

enum class Exposition : uint8_t { kPrometheusText, kOpenMetrics };
std::string_view content_type(Exposition exposition);

/// The page. `max_tables`: how many tables have series of their own, those that were seen first; the rest counts together.
std::string render_metrics(const Snapshot& snapshot, Exposition exposition, std::size_t max_tables);

/// docs/reference/metrics.md
std::string metrics_markdown();

}  // namespace cdcrt::observe
