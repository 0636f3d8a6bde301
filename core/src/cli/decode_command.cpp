#include "cli/decode_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <utility>

#include "cli/complaint.hpp"
#include "cli/exit_code.hpp"
#include "cli/message_lines.hpp"
#include "cli/row_printer.hpp"
#include "diagnostics/renderer.hpp"
#include "diagnostics/text.hpp"
#include "diagnostics/userinfo.hpp"
#include "manifest/component_error.hpp"
#include "manifest/option_reader.hpp"
#include "manifest/toml_text.hpp"
#include "plugin/format.hpp"
#include "plugin/instance.hpp"
#include "plugin/registry.hpp"

namespace cdcrt::cli {
namespace {

constexpr const char* kFlag = "--option";
constexpr std::size_t kMaxBatch = 100;  // as a source hands them out, so that a format that mixes messages up is seen

std::string default_topic(const std::string& file) {
  if (file == "-") return "stdin";
  const std::string name = std::filesystem::path(file).filename().string();
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 ? name : name.substr(0, dot);
}

/// The lines of a file that are neither empty nor a comment.
Result<std::vector<std::string>> read_lines(const std::string& path) {
  std::ifstream file(path);
  if (!file) return make_error(CDCRT_UNREACHABLE, "cannot read " + diagnostics::quote(path), "name a file with one key=value per line");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.front() != '#') lines.push_back(line);
  }
  return lines;
}

/// The format's settings out of key=value; nullopt: explained.
std::optional<plugin::Component> component_of(const DecodeArguments& arguments, const cdcrt_plugin& descriptor, manifest::Report& report) {
  std::string lines;
  for (const auto& option : arguments.options) lines += option.substr(0, option.find('\n')) + "\n";
  report.texts().add(kFlag, lines);
  manifest::Node table;
  table.position = {kFlag, 0, 0, 1};
  for (std::size_t i = 0; i < arguments.options.size(); ++i) {
    if (auto node = manifest::parse_set(arguments.options[i], static_cast<uint32_t>(i + 1), report, kFlag)) {
      manifest::overlay(table, std::move(*node));
    }
  }
  plugin::Component component;
  component.name = "decode";
  component.plugin = arguments.plugin;
  component.descriptor = &descriptor;
  component.position = table.position;
  if (!report.has_errors()) {
    manifest::TableReader reader(table, "", report);
    component.options = manifest::read_options(reader, descriptor, {"decode", "decode", std::filesystem::current_path().string()});
    reader.finish();
  }
  const bool is_refused = report.has_errors();
  std::cerr << diagnostics::render(report.take(), report.texts(), diagnostics::wants_colour(STDERR_FILENO));
  if (is_refused) return std::nullopt;
  return component;
}

class Decoding {
 public:
  Decoding(plugin::Format format, bool json, std::ostream& out) : format_(std::move(format)), printer_(shapes_, json, out) {}

  /// False: explained, and nothing more can be decoded.
  bool decode(const std::deque<LineMessage>& messages) {
    const LineBatch batch(messages);
    rows_.clear();
    const auto place = [&](const LineMessage& message) { return "line " + std::to_string(message.line); };
    const std::string lines = messages.size() == 1 ? place(messages.front()) : place(messages.front()) + " to " + place(messages.back());
    if (auto decoded = format_.decode(batch.abi(), rows_); !decoded) {
      Error error = decoded.error();
      error.message = lines + ": " + error.message;
      complain(error, kRunTimeFailure);
      return false;
    }
    print(messages);
    return true;
  }
  [[nodiscard]] bool has_dead_letters() const { return dead_letters_ > 0; }
  void dead_letter(uint64_t line, const Error& error) {
    ++dead_letters_;
    printer_.dead_letter(line, error);
  }

 private:
  void print(const std::deque<LineMessage>& messages) {
    uint32_t row = 0;
    for (uint32_t message = 0; message < messages.size(); ++message) {
      for (; row < rows_.size() && rows_.rows()[row].message == message; ++row) {
        printer_.row(messages[message].line, rows_.rows()[row], rows_);
      }
      for (const auto& reject : rows_.rejects()) {
        if (reject.message == message) dead_letter(messages[message].line, reject.error);
      }
    }
  }

  plugin::Format format_;
  event::ShapeRegistry shapes_;
  event::RowBatch rows_{shapes_};
  RowPrinter printer_;
  std::size_t dead_letters_ = 0;
};

}  // namespace

int decode(const DecodeArguments& arguments, std::ostream& out) {
  const auto places = plugin::search_places("", arguments.plugin_dirs);
  const auto descriptor = plugin::find(CDCRT_FORMAT, arguments.plugin, places);
  if (!descriptor) return complain(descriptor.error(), kEnvironment);
  DecodeArguments given = arguments;
  if (!arguments.option_file.empty()) {
    auto lines = read_lines(arguments.option_file);
    if (!lines) return complain(lines.error(), kEnvironment);
    given.options.insert(given.options.begin(), lines->begin(), lines->end());
  }
  manifest::Report report;
  const auto component = component_of(given, **descriptor, report);
  if (!component) return kManifestOrUsage;
  plugin::check_values();
  plugin::set_log(CDCRT_LOG_INFO, [](int32_t level, std::string_view, std::string_view message) {
    std::cerr << (level >= CDCRT_LOG_ERROR     ? "error: "
                  : level == CDCRT_LOG_WARNING ? "warning: "
                                               : "info: ")
              << diagnostics::printable(diagnostics::without_userinfo(std::string(message), diagnostics::Addresses::kWithScheme)) << "\n";
  });
  auto format = plugin::Format::create(*component);
  if (!format) {
    std::cerr << diagnostics::render({manifest::diagnostic_for(*component, format.error())}, report.texts(),
                                     diagnostics::wants_colour(STDERR_FILENO));
    return exit_code_of(manifest::ending_of(format.error()));
  }
  std::ifstream file;
  if (arguments.file != "-") {
    std::error_code ignored;
    file.open(arguments.file, std::ios::binary);
    if (!file || std::filesystem::is_directory(arguments.file, ignored)) {
      return complain(
          make_error(CDCRT_UNREACHABLE, "cannot read " + diagnostics::quote(arguments.file), "name a file of messages, one per line"),
          kEnvironment);
    }
  }
  const std::string topic = arguments.topic.empty() ? default_topic(arguments.file) : arguments.topic;
  MessageLines lines(arguments.file == "-" ? std::cin : file, arguments.layout == "kcat" ? LineLayout::kKcat : LineLayout::kValues, topic);
  Decoding decoding(std::move(*format), arguments.json, out);
  std::deque<LineMessage> batch;
  const auto flush = [&] {
    const bool done = batch.empty() || decoding.decode(batch);
    batch.clear();
    return done;
  };
  while (true) {
    auto message = lines.next();
    if (!message) {
      if (!flush()) return kRunTimeFailure;
      decoding.dead_letter(lines.line(), message.error());
      continue;
    }
    const bool ends = !*message;
    if (ends || (!batch.empty() && (batch.size() == kMaxBatch || batch.back().topic != (*message)->topic ||
                                    batch.back().partition != (*message)->partition || batch.back().offset >= (*message)->offset))) {
      if (!flush()) return kRunTimeFailure;
    }
    if (ends) break;
    batch.push_back(std::move(**message));
  }
  return decoding.has_dead_letters() ? kDoneWithDeadLetters : kDone;
}

}  // namespace cdcrt::cli
