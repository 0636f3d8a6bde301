#include "cli/top_screen.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "cli/summary_text.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::cli {
namespace {

constexpr const char* kUnknown = "-";
constexpr std::size_t kReasonLines = 3;  // of sources, sinks and dead letters each

enum class Style : uint8_t { kPlain, kBold, kHeading, kGood, kWarning, kBad, kFaint };

const char* escape(Style style) {
  switch (style) {
    case Style::kBold: return "\x1b[1m";
    case Style::kHeading: return "\x1b[7m";
    case Style::kGood: return "\x1b[32m";
    case Style::kWarning: return "\x1b[33m";
    case Style::kBad: return "\x1b[1;31m";
    case Style::kFaint: return "\x1b[2m";
    default: return "";
  }
}

/// Cut to `columns`, with an ellipsis where something is missing.
std::string fitting(const std::string& text, std::size_t columns) {
  std::string kept;
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto character = diagnostics::character_at(text, at);
    const std::size_t wide = diagnostics::terminal_width(character.code);
    if (used + wide > columns) {
      while (!kept.empty() && used + 1 > columns) {
        std::size_t begin = kept.size() - 1;
        while (begin > 0 && (static_cast<unsigned char>(kept[begin]) & 0xC0) == 0x80) --begin;
        used -= std::min<std::size_t>(used, diagnostics::terminal_width(diagnostics::character_at(kept, begin).code));
        kept.erase(begin);
      }
      return columns == 0 ? std::string() : kept + "…";
    }
    kept.append(text, at, character.bytes);
    used += wide;
    at += character.bytes;
  }
  return kept;
}

std::size_t columns_of(const std::string& text) {
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto character = diagnostics::character_at(text, at);
    used += diagnostics::terminal_width(character.code);
    at += character.bytes;
  }
  return used;
}

std::string decimal(double number, int places) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", places, number);
  return text.data();
}

std::string bytes(uint64_t number) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  double scaled = static_cast<double>(number);
  std::size_t unit = 0;
  for (; scaled >= 1024 && unit + 1 < kUnits.size(); ++unit) scaled /= 1024;
  return decimal(scaled, unit == 0 || scaled >= 10 ? 0 : 1) + " " + kUnits[unit];
}

std::string utc(int64_t time_ms) {
  const std::time_t seconds = time_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text.data();
}

/// A total a second; totals of a process that began anew are lower, and tell no rate.
class Rate {
 public:
  Rate(const StatusFacts& now, const StatusFacts* before)
      : seconds_(before == nullptr ? 0 : static_cast<double>(now.time_ms - before->time_ms) / 1000) {
    if (before != nullptr && before->pid != now.pid) seconds_ = 0;
  }
  [[nodiscard]] bool is_known() const { return seconds_ > 0; }
  [[nodiscard]] double of(double now, double before) const { return is_known() && now >= before ? (now - before) / seconds_ : 0; }
  [[nodiscard]] std::string text(uint64_t now, const uint64_t* before) const {
    if (!is_known() || before == nullptr || now < *before) return kUnknown;
    const double rate = of(static_cast<double>(now), static_cast<double>(*before));
    return rate > 0 && rate < 10 ? decimal(rate, 1) : grouped(static_cast<uint64_t>(std::llround(rate)));
  }

 private:
  double seconds_;
};

template <class List>
auto* named(const List* list, const std::string& name) {
  if (list == nullptr) return static_cast<decltype(list->data())>(nullptr);
  const auto found = std::find_if(list->begin(), list->end(), [&](const auto& each) { return each.name == name; });
  return found == list->end() ? nullptr : &*found;
}

std::string or_unknown(const std::optional<uint64_t>& number) { return number ? grouped(*number) : kUnknown; }
std::string behind(const std::optional<double>& seconds) { return seconds ? duration(*seconds) : kUnknown; }

/// Lines that are cut to the width and styled as a whole.
class Lines {
 public:
  Lines(std::size_t width, bool is_styled) : width_(width), is_styled_(is_styled) {}

  void add(const std::string& text, Style style = Style::kPlain) {
    std::string line = fitting(diagnostics::printable(text), width_);
    if (style == Style::kHeading && is_styled_) line.append(width_ - std::min(width_, columns_of(line)), ' ');
    while ((style != Style::kHeading || !is_styled_) && line.ends_with(' ')) line.pop_back();
    lines_.push_back(is_styled_ && style != Style::kPlain ? escape(style) + line + "\x1b[0m" : line);
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(lines_); }
  [[nodiscard]] std::size_t size() const { return lines_.size(); }
  [[nodiscard]] std::size_t width() const { return width_; }

 private:
  std::size_t width_;
  bool is_styled_;
  std::vector<std::string> lines_;
};

struct Cell {
  std::string text;
  std::size_t width;
};

/// The first cell stands to the left and takes what the others, to the right, leave of the line; the last ones go where it is too narrow.
std::string row(const std::string& first, const std::string& state, std::vector<Cell> cells, std::size_t width) {
  constexpr std::size_t kFirst = 18, kState = 15;
  const auto taken = [&] {
    std::size_t sum = kState + 1;
    for (const Cell& cell : cells) sum += cell.width + 2;
    return sum;
  };
  while (!cells.empty() && taken() + kFirst > width) cells.pop_back();
  const std::size_t room = std::max(kFirst, width - std::min(width, taken()));
  const std::size_t name_width = std::min<std::size_t>(room, 44);
  std::string line = fitting(diagnostics::printable(first), name_width);
  line.append(name_width + 1 - columns_of(line), ' ');
  line += state + std::string(kState - std::min(kState, state.size()), ' ');
  for (const Cell& cell : cells) line += std::string(cell.width + 2 - std::min(cell.width + 2, columns_of(cell.text)), ' ') + cell.text;
  return line;
}

void add_process(Lines& lines, const StatusFacts& now, const StatusFacts* before, const TopView& view) {
  const std::string ready = now.state != "running" ? now.state : now.is_ready ? "running, ready" : "running, NOT READY";
  lines.add("cdcrt " + now.version + "   pipeline " + now.pipeline + "   " + ready + "   " + utc(now.time_ms),
            now.is_ready ? Style::kBold : Style::kBad);
  if (!view.trouble.empty()) lines.add("! no answer any more, these are the last numbers: " + view.trouble, Style::kBad);
  for (const auto& [component, why] : now.reasons) lines.add("! " + component + ": " + why, Style::kBad);
  const Rate rate(now, before);
  std::string cpu = kUnknown;
  if (rate.is_known()) cpu = decimal(100 * rate.of(now.cpu_seconds, before->cpu_seconds), 0) + " %";
  const uint64_t* const rows_before = before == nullptr ? nullptr : &before->rows;
  lines.add("host " + now.host + "   pid " + std::to_string(now.pid) + "   up " + duration(now.uptime_seconds) + "   CPU " + cpu +
            "   memory " + bytes(now.resident_bytes) + "   buffered " + bytes(now.buffered_bytes) + " of " + bytes(now.budget_bytes));
  lines.add("rows/s " + rate.text(now.rows, rows_before) + "   rows " + grouped(now.rows) + "   dead letters " + grouped(now.dead_letters),
            now.dead_letters > 0 ? Style::kWarning : Style::kPlain);
}

std::string progress(const StatusFacts::Source& source) {
  // What is read to its end needs no bar; new messages come and are read.
  const bool is_read = source.done >= source.total;
  if (source.total == 0 || (source.state != "ended" && (is_read || source.left_seconds == 0))) return {};
  constexpr std::size_t kWidth = 24;
  const double part = std::min(1.0, static_cast<double>(source.done) / static_cast<double>(source.total));
  const auto full = static_cast<std::size_t>(part * kWidth);
  std::string text = "  [" + std::string(full, '#') + std::string(kWidth - full, '.') + "] " + decimal(std::floor(part * 100), 0) + " %";
  if (is_read) return text + " read";
  return text + (source.left_seconds ? ", about " + duration(*source.left_seconds) + " left" : ", time left not known");
}

void add_sources(Lines& lines, const StatusFacts& now, const StatusFacts* before) {
  const Rate rate(now, before);
  lines.add("");
  lines.add(row("SOURCE", "STATE", {{"MESSAGES/S", 11}, {"MiB/S", 7}, {"TO READ", 13}, {"READ", 13}}, lines.width()), Style::kHeading);
  for (const auto& source : now.sources) {
    const auto* const was = named(before == nullptr ? nullptr : &before->sources, source.name);
    std::string volume = kUnknown;
    if (was != nullptr && rate.is_known())
      volume = decimal(rate.of(static_cast<double>(source.bytes), static_cast<double>(was->bytes)) / (1 << 20), 1);
    lines.add(row(source.name + " (" + source.plugin + ")", source.state,
                  {{rate.text(source.messages, was == nullptr ? nullptr : &was->messages), 11},
                   {volume, 7},
                   {or_unknown(source.lag_messages), 13},
                   {grouped(source.messages), 13}},
                  lines.width()),
              source.state == "failed"    ? Style::kBad
              : source.state == "waiting" ? Style::kWarning
                                          : Style::kPlain);
    if (!source.reason.empty()) lines.add("  why: " + source.reason, Style::kWarning);
    if (const std::string bar = progress(source); !bar.empty()) lines.add(bar);
  }
}

void add_sinks(Lines& lines, const StatusFacts& now, const StatusFacts* before) {
  const Rate rate(now, before);
  lines.add("");
  lines.add(row("SINK", "STATE", {{"ROWS/S", 11}, {"WRITES/S", 9}, {"BEHIND", 9}, {"LAST COMMIT", 12}, {"RETRIES", 9}}, lines.width()),
            Style::kHeading);
  for (const auto& sink : now.sinks) {
    const auto* const was = named(before == nullptr ? nullptr : &before->sinks, sink.name);
    lines.add(row(sink.name + " (" + sink.plugin + ")", sink.state,
                  {{rate.text(sink.write_rows, was == nullptr ? nullptr : &was->write_rows), 11},
                   {rate.text(sink.writes, was == nullptr ? nullptr : &was->writes), 9},
                   {duration(sink.lag_seconds), 9},
                   {sink.last_commit_age ? duration(*sink.last_commit_age) + " ago" : kUnknown, 12},
                   {grouped(sink.retries), 9}},
                  lines.width()),
              sink.state == "failed"    ? Style::kBad
              : sink.state == "waiting" ? Style::kWarning
                                        : Style::kPlain);
    if (!sink.reason.empty()) lines.add("  why: " + sink.reason, Style::kWarning);
  }
}

void add_dead_letters(Lines& lines, const StatusFacts& now) {
  if (now.dead_letters_by_reason.empty()) return;
  lines.add("");
  auto most = now.dead_letters_by_reason;
  std::stable_sort(most.begin(), most.end(), [](const auto& one, const auto& other) { return one.count > other.count; });
  for (std::size_t i = 0; i < most.size() && i < kReasonLines; ++i) {
    lines.add(
        "dead letters: " + grouped(most[i].count) + " of " + (most[i].table.empty() ? "no table" : most[i].table) + ": " + most[i].reason,
        Style::kWarning);
  }
  if (most.size() > kReasonLines)
    lines.add("dead letters: " + std::to_string(most.size() - kReasonLines) + " more reasons; cdcrt dlq list", Style::kWarning);
}

std::string states(const StatusFacts& now) {
  std::string text;
  for (const auto& sink : now.sinks) {
    for (const auto& [state, count] : sink.tables) {
      if (count > 0) text += (text.empty() ? "" : ", ") + grouped(count) + " " + state;
    }
  }
  return text;
}

Style style_of(const std::string& state) {
  if (state == "stopped") return Style::kBad;
  return state == "active" ? Style::kPlain : Style::kWarning;
}

void add_table(Lines& lines, const StatusFacts::Table& table, const StatusFacts::Table* was, const Rate& rate) {
  lines.add(row(table.name, table.is_loading && table.state == "active" ? "loading" : table.state,
                {{rate.text(table.rows, was == nullptr ? nullptr : &was->rows), 11},
                 {behind(table.lag_seconds), 11},
                 {or_unknown(table.lag_messages), 11},
                 {behind(table.left_seconds), 11},
                 {grouped(table.rows), 13},
                 {grouped(table.buffered_rows), 9},
                 {grouped(table.dead_letters), 12}},
                lines.width()),
            style_of(table.state));
  if (!table.reason.empty()) lines.add("  why: " + table.reason, style_of(table.state));
}

Lines draw_top_part(const StatusFacts& now, const StatusFacts* before, const TopView& view, std::size_t width) {
  Lines lines(width, view.is_styled);
  add_process(lines, now, before, view);
  add_sources(lines, now, before);
  add_sinks(lines, now, before);
  add_dead_letters(lines, now);
  lines.add("");
  std::string heading = "tables " + grouped(now.tables_total) + ": " + states(now) + "; by " + name_of(view.sort);
  if (!view.search.empty()) heading += "; '" + view.search + "' in " + grouped(now.tables_matched);
  if (view.first > 0) heading += "; from number " + grouped(view.first + 1);
  lines.add(heading, Style::kBold);
  lines.add(
      row("TABLE", "STATE",
          {{"ROWS/S", 11}, {"BEHIND", 11}, {"TO READ", 11}, {"TIME LEFT", 11}, {"ROWS", 13}, {"BUFFERED", 9}, {"DEAD LETTERS", 12}}, width),
      Style::kHeading);
  return lines;
}

}  // namespace

const char* name_of(TopView::Sort sort) {
  constexpr std::array<const char*, 4> kNames{"lag", "rows", "state", "name"};
  return kNames[static_cast<std::size_t>(sort)];
}

std::size_t tables_that_fit(const StatusFacts& now, const TopView& view, std::size_t height) {
  const std::size_t above = draw_top_part(now, nullptr, view, 80).size() + (view.has_keys ? 1 : 0);
  return height > above ? height - above : 1;
}

std::vector<std::string> draw_top(const StatusFacts& now, const StatusFacts* before, const TopView& view, std::size_t width,
                                  std::size_t height) {
  Lines lines = draw_top_part(now, before, view, width);
  const Rate rate(now, before);
  for (const auto& table : now.tables) {
    const StatusFacts::Table* was = nullptr;
    if (before != nullptr) {
      const auto found = std::find_if(before->tables.begin(), before->tables.end(),
                                      [&](const auto& each) { return each.name == table.name && each.sink == table.sink; });
      if (found != before->tables.end()) was = &*found;
    }
    add_table(lines, table, was, rate);
  }
  auto drawn = lines.take();
  const std::size_t room = height > 0 && view.has_keys ? height - 1 : height;
  if (height > 0 && drawn.size() > room) drawn.resize(room);
  if (view.has_keys) {
    Lines keys(width, view.is_styled);
    keys.add(view.is_searching ? "search: " + view.search + "_   (Enter: done, Esc: all tables)"
                               : "q quit   s sort   / search   up, down, page up, page down: other tables",
             Style::kFaint);
    if (height > 0) drawn.resize(room);
    drawn.push_back(keys.take().front());
  }
  return drawn;
}

}  // namespace cdcrt::cli
