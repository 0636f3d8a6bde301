#include "cli/summary_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>

#include "diagnostics/text.hpp"

namespace cdcrt::cli {
namespace {

using diagnostics::json_string;
using diagnostics::printable;

std::string counted(uint64_t count, const char* noun) { return grouped(count) + " " + noun + (count == 1 ? "" : "s"); }

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void pad(std::ostream& out, const std::string& text, std::size_t width, bool right) {
  const std::size_t own = width_of(text);
  const std::string space(width > own ? width - own : 0, ' ');
  out << (right ? space + text : text + space);
}

}  // namespace

std::string grouped(uint64_t value) {
  std::string digits = std::to_string(value);
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3)
    digits.insert(static_cast<std::size_t>(place), ",");
  return digits;
}

std::string duration(double seconds) {
  if (seconds < 10) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%.1f s", seconds);
    return text.data();
  }
  const auto whole = static_cast<uint64_t>(seconds);
  if (whole < 120) return std::to_string(whole) + " s";
  if (whole < 7200) return std::to_string(whole / 60) + " min";
  if (whole < 172800) return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
  return std::to_string(whole / 86400) + " d " + std::to_string(whole / 3600 % 24) + " h";
}

void print_text(const runtime::RunSummary& summary, std::ostream& out) {
  const std::array<std::string, 6> headings = {"table", "inserted", "updated", "deleted", "schema changes", "dead letters"};
  std::vector<std::array<std::string, 6>> lines;
  runtime::TableSummary total;
  for (const auto& table : summary.tables) {
    lines.push_back({printable(table.table), grouped(table.inserted), grouped(table.updated), grouped(table.deleted),
                     grouped(table.schema_changes), grouped(table.dead_letters)});
    total.inserted += table.inserted;
    total.updated += table.updated;
    total.deleted += table.deleted;
    total.schema_changes += table.schema_changes;
  }
  lines.push_back({"total", grouped(total.inserted), grouped(total.updated), grouped(total.deleted), grouped(total.schema_changes),
                   grouped(summary.dead_letters)});
  std::array<std::size_t, 6> widths{};
  for (std::size_t i = 0; i < headings.size(); ++i) {
    widths[i] = width_of(headings[i]);
    for (const auto& line : lines) widths[i] = std::max(widths[i], width_of(line[i]));
  }
  const auto print = [&](const std::array<std::string, 6>& line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i > 0) out << "  ";
      pad(out, line[i], widths[i], i > 0);
    }
    out << '\n';
  };
  std::size_t rule = 10;
  for (const std::size_t width : widths) rule += width;
  print(headings);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i == 0 || i + 1 == lines.size()) {
      for (std::size_t k = 0; k < rule; ++k) out << "─";
      out << '\n';
    }
    print(lines[i]);
  }
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), "%s, %s in %.1f s (%s rows/s)", counted(summary.messages, "message").c_str(),
                counted(summary.rows, "row").c_str(), summary.seconds,
                grouped(static_cast<uint64_t>(summary.seconds > 0 ? static_cast<double>(summary.rows) / summary.seconds : 0)).c_str());
  out << text.data();
  if (summary.markers > 0) out << "; " << grouped(summary.markers) << " without rows (tombstones, heartbeats, transactions)";
  out << '\n';
  if (!summary.ignored_tables.empty()) {
    out << counted(summary.ignored, "row") << " of tables that no route names:";
    for (const auto& name : summary.ignored_tables) out << ' ' << printable(name);
    out << '\n';
  }
  if (summary.left_out > 0) out << counted(summary.left_out, "message") << " of other topics left out (topics)\n";
  for (const auto& line : summary.unmet) out << "nothing met: " << printable(line) << '\n';
  for (const auto& table : summary.tables) {
    const std::string name = printable(table.table);
    if (table.overflowed > 0)
      out << name << ": " << counted(table.overflowed, "change")
          << " that made values fit the target (cut or NULL by on_overflow, digits finer than the target keeps, NUL characters "
             "left out)\n";
    if (table.late > 0) out << name << ": " << counted(table.late, "late value") << " of dropped columns left out\n";
    if (table.left_out > 0)
      out << name << ": " << counted(table.left_out, "value")
          << " of columns that the table lacks left out (schema_changes = \"ignore\")\n";
    if (!table.stopped.empty()) out << (table.detached ? "detached: " : "stopped: ") << name << ": " << printable(table.stopped) << '\n';
  }
  if (summary.dead_letters > 0)
    out << counted(summary.dead_letters, "dead letter") << " in " << printable(summary.dead_letter_path) << '\n';
}

void print_json(const runtime::RunSummary& summary, std::ostream& out) {
  out << "{\"messages\":" << summary.messages << ",\"rows\":" << summary.rows << ",\"without_rows\":" << summary.markers
      << ",\"ignored_rows\":" << summary.ignored << ",\"seconds\":" << summary.seconds << ",\"dead_letters\":" << summary.dead_letters
      << ",\"dead_letter_path\":" << json_string(summary.dead_letter_path) << ",\"ignored_tables\":[";
  for (std::size_t i = 0; i < summary.ignored_tables.size(); ++i) out << (i > 0 ? "," : "") << json_string(summary.ignored_tables[i]);
  out << "],\"left_out_messages\":" << summary.left_out << ",\"unmet\":[";
  for (std::size_t i = 0; i < summary.unmet.size(); ++i) out << (i > 0 ? "," : "") << json_string(summary.unmet[i]);
  out << "],\"tables\":[";
  for (std::size_t i = 0; i < summary.tables.size(); ++i) {
    const auto& table = summary.tables[i];
    out << (i > 0 ? "," : "") << "{\"sink\":" << json_string(table.sink) << ",\"table\":" << json_string(table.table)
        << ",\"inserted\":" << table.inserted << ",\"updated\":" << table.updated << ",\"deleted\":" << table.deleted
        << ",\"schema_changes\":" << table.schema_changes << ",\"dead_letters\":" << table.dead_letters
        << ",\"overflowed_values\":" << table.overflowed << ",\"late_values\":" << table.late << ",\"left_out_values\":" << table.left_out
        << ",\"stopped\":" << (table.stopped.empty() ? "null" : json_string(table.stopped)) << "}";
  }
  out << "]}\n";
}

std::string progress_line(const runtime::RunProgress& progress) {
  const auto& [done, total, rows, seconds, tables, left] = progress;
  std::string line = "\r\033[K";
  if (total > 0) {
    const uint64_t filled = std::min<uint64_t>(30, done * 30 / total);
    for (uint64_t i = 0; i < 30; ++i) line += i < filled ? "█" : "░";
    line += " " + std::to_string(std::min<uint64_t>(100, done * 100 / total)) + " %  ";
    if (done < total && left && *left > 0) line += "about " + duration(*left) + " left  ";
  }
  line += counted(rows, "row") + "  " + grouped(static_cast<uint64_t>(seconds > 0 ? static_cast<double>(rows) / seconds : 0)) +
          " rows/s  " + counted(tables, "table");
  return line;
}

}  // namespace cdcrt::cli
