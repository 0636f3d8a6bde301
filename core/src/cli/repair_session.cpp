#include "cli/repair_session.hpp"

#include <unistd.h>

#include <array>
#include <ctime>
#include <iostream>

#include "cli/complaint.hpp"
#include "cli/exit_code.hpp"
#include "diagnostics/renderer.hpp"
#include "diagnostics/suggestion.hpp"
#include "diagnostics/text.hpp"
#include "manifest/component_error.hpp"
#include "runtime/log.hpp"

namespace cdcrt::cli {

int explain_failure(const OpenedPipeline& pipeline, const plugin::Component& component, const Error& error, bool json) {
  const std::vector diagnostics{manifest::diagnostic_for(component, error)};
  if (json) {
    std::cout << diagnostics::render_json(diagnostics);
  } else {
    std::cerr << diagnostics::render(diagnostics, *pipeline.manifest.texts, diagnostics::wants_colour(STDERR_FILENO));
  }
  return exit_code_of(manifest::ending_of(error));
}

std::unique_ptr<OpenedPipeline> open_pipeline(const RepairArguments& arguments, repair::Session::Intent intent, int& exit_code) {
  auto manifest = load_or_explain(arguments.manifest, exit_code);
  if (!manifest) return nullptr;
  runtime::start_log("warning", false);
  std::vector<std::string> sinks, sources;
  for (const auto& sink : manifest->sinks) sinks.push_back(sink.name);
  for (const auto& source : manifest->sources) sources.push_back(source.name);
  for (const auto& [what, name, names] : {std::tuple{"sink", &arguments.sink, &sinks}, std::tuple{"source", &arguments.source, &sources}}) {
    if (name->empty() || std::find(names->begin(), names->end(), *name) != names->end()) continue;
    exit_code = complain(make_error(CDCRT_BAD_CONFIG, std::string("there is no ") + what + " " + diagnostics::quote(*name),
                                    diagnostics::did_you_mean(*name, *names)));
    return nullptr;
  }
  auto pipeline = std::make_unique<OpenedPipeline>();
  pipeline->manifest = std::move(*manifest);
  if (!pipeline->session.open(pipeline->manifest, intent, arguments.sink)) {
    const auto& trouble = pipeline->session.trouble();
    exit_code = explain_failure(*pipeline, *trouble.component, trouble.error, arguments.manifest.json_output);
    return nullptr;
  }
  return pipeline;
}

std::string duration_text(int64_t seconds) {
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  if (seconds < 172800) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " days";
}

std::string time_text(int64_t milliseconds) {
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return std::to_string(milliseconds) + " ms";
  std::array<char, 40> text{};
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string owner_text(const std::string& owner) {
  const std::size_t mark = owner.rfind(':');
  return mark == std::string::npos ? owner : owner.substr(0, mark);
}

std::string number_or_unknown(const std::optional<int64_t>& number) { return number ? std::to_string(*number) : "?"; }
std::string json_or_null(const std::optional<int64_t>& number) { return number ? std::to_string(*number) : "null"; }

}  // namespace cdcrt::cli
