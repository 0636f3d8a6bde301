#include "cli/top_command.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <optional>
#include <thread>

#include "aws/uri.hpp"
#include "cli/complaint.hpp"
#include "cli/exit_code.hpp"
#include "cli/status_client.hpp"
#include "cli/terminal.hpp"
#include "cli/top_screen.hpp"
#include "diagnostics/text.hpp"

namespace cdcrt::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array<TopView::Sort, 4> kSorts{TopView::Sort::kLag, TopView::Sort::kRows, TopView::Sort::kState, TopView::Sort::kName};

ExitCode exit_code_of(const Error& error) { return error.code == CDCRT_UNREACHABLE ? kEnvironment : kManifestOrUsage; }

Result<std::string> read_token(const std::string& path) {
  auto token = read_whole(path, "the token's file");
  while (token && !token->empty() && (token->back() == '\n' || token->back() == '\r' || token->back() == ' ')) token->pop_back();
  return token;
}

/// Of the address that the pipeline listens on, the one to ask.
Result<std::string> url_of(const observe::Settings& http) {
  if (http.listen.empty()) {
    return make_error(CDCRT_BAD_CONFIG, "the manifest has no `http` in [runtime], so that nothing can be asked of its pipeline",
                      "add http = \"127.0.0.1:9464\" and start the pipeline again");
  }
  const auto address = observe::read_address(http.listen);
  if (!address) return address.error();
  if (address->port == 0) {
    return make_error(CDCRT_BAD_CONFIG, "the manifest's `http` takes any port that is free",
                      "give the address that the pipeline's log names: --url URL");
  }
  const bool is_any = address->host == "0.0.0.0" || address->host == "::";
  const std::string host = is_any ? "127.0.0.1" : address->is_ipv6 ? "[" + address->host + "]" : address->host;
  return (http.certificate.empty() ? "http://" : "https://") + host + ":" + std::to_string(address->port);
}

Result<StatusPlace> place_of(const TopArguments& arguments, const manifest::Manifest* manifest) {
  StatusPlace place{arguments.url, {}, arguments.certificate};
  if (manifest != nullptr) {
    place.token = manifest->runtime.http.token;
    if (place.url.empty()) {
      auto url = url_of(manifest->runtime.http);
      if (!url) return std::move(url.error());
      place.url = *url;
      // Often its own authority; one that signs others is given with --certificate.
      if (place.certificate.empty()) place.certificate = manifest->runtime.http.certificate;
    }
  }
  if (!arguments.token_file.empty()) {
    auto token = read_token(arguments.token_file);
    if (!token) return std::move(token.error());
    place.token = *token;
  }
  while (place.url.ends_with('/')) place.url.pop_back();
  if (!place.url.starts_with("http://") && !place.url.starts_with("https://")) place.url = "http://" + place.url;
  return place;
}

std::string query_of(const TopView& view, std::size_t tables) {
  return "limit=" + std::to_string(tables) + "&offset=" + std::to_string(view.first) +
         "&search=" + aws::percent_encode(view.search, false) + "&sort=" + name_of(view.sort);
}

/// One screen, with the rates of an interval.
int print_once(StatusClient& client, const TopView& view, std::chrono::milliseconds interval, std::ostream& out) {
  constexpr std::size_t kTables = 1000, kWidth = 160;
  const auto before = client.ask(query_of(view, kTables));
  if (!before) return complain(before.error(), exit_code_of(before.error()));
  std::this_thread::sleep_for(interval);
  const auto now = client.ask(query_of(view, kTables));
  if (!now) return complain(now.error(), exit_code_of(now.error()));
  for (const std::string& line : draw_top(*now, &*before, view, kWidth, 0)) out << line << "\n";
  return kDone;
}

/// The loop of the terminal: what was told last, and the keys.
class Watch {
 public:
  Watch(StatusClient& client, TopView view, std::chrono::milliseconds interval)
      : client_(client), view_(std::move(view)), interval_(interval) {}

  int run() {
    // Before the screen is taken over, so that what is wrong stays readable.
    if (auto first = client_.ask(query_of(view_, 100)); first) {
      now_ = std::move(*first);
    } else {
      return complain(first.error(), exit_code_of(first.error()));
    }
    Terminal terminal;
    auto next = Clock::now();
    while (true) {
      if (Clock::now() >= next) {
        ask();
        next = Clock::now() + interval_;
      }
      const auto size = Terminal::size();
      terminal.draw(draw_top(*now_, before_ ? &*before_ : nullptr, view_, size.width, size.height));
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
      const Key key = terminal.wait(std::max(std::chrono::milliseconds(0), left));
      if (key.kind == Key::Kind::kNone) continue;
      if (!take(key)) return kDone;
      next = Clock::now();
    }
  }

 private:
  void ask() {
    page_ = tables_that_fit(*now_, view_, Terminal::size().height);
    auto answer = client_.ask(query_of(view_, page_));
    if (!answer) {
      view_.trouble = answer.error().message;
      return;
    }
    view_.trouble.clear();
    // Rates of less than half an interval jump: after a key the older answer stays the one that is compared with.
    if (answer->time_ms - now_->time_ms >= interval_.count() / 2) before_ = std::move(now_);
    now_ = std::move(*answer);
    if (view_.first >= now_->tables_matched) view_.first = 0;
  }

  /// False: that was the end.
  bool take(const Key& key) {
    if (key.kind == Key::Kind::kEnd) return false;
    return view_.is_searching ? take_search(key) : take_command(key);
  }

  bool take_search(const Key& key) {
    if (key.kind == Key::Kind::kCharacter) view_.search += key.character;
    if (key.kind == Key::Kind::kBackspace && !view_.search.empty()) view_.search.pop_back();
    if (key.kind == Key::Kind::kEscape) view_.search.clear();
    if (key.kind == Key::Kind::kEnter || key.kind == Key::Kind::kEscape) view_.is_searching = false;
    view_.first = 0;
    return true;
  }

  bool take_command(const Key& key) {
    const std::size_t matched = now_->tables_matched;
    const auto back = [&](std::size_t by) { view_.first -= std::min(view_.first, by); };
    const auto on = [&](std::size_t by) { view_.first = std::min(view_.first + by, matched == 0 ? 0 : matched - 1); };
    switch (key.kind) {
      case Key::Kind::kUp: back(1); break;
      case Key::Kind::kDown: on(1); break;
      case Key::Kind::kPageUp: back(page_); break;
      case Key::Kind::kPageDown: on(page_); break;
      case Key::Kind::kCharacter:
        if (key.character == 'q') return false;
        if (key.character == '/') view_.is_searching = true;
        if (key.character == 's') {
          const auto* const at = std::find(kSorts.begin(), kSorts.end(), view_.sort);
          view_.sort = at + 1 == kSorts.end() ? kSorts.front() : at[1];
          view_.first = 0;
        }
        break;
      default: break;
    }
    return true;
  }

  StatusClient& client_;
  TopView view_;
  const std::chrono::milliseconds interval_;
  std::optional<StatusFacts> now_, before_;
  std::size_t page_ = 1;
};

}  // namespace

int top(const TopArguments& arguments, std::ostream& out) {
  if (arguments.interval < 0.1 || arguments.interval > 3600) {
    return complain(make_error(CDCRT_BAD_CONFIG, "--interval must be from 0.1 to 3600 seconds"), kManifestOrUsage);
  }
  std::optional<manifest::Manifest> manifest;
  if (!arguments.manifest.files.empty()) {
    int exit_code = kDone;
    manifest = load_or_explain(arguments.manifest, exit_code, Secrets::kReadOfProcess);
    if (!manifest) return exit_code;
  } else if (arguments.url.empty()) {
    return complain(
        make_error(CDCRT_BAD_CONFIG, "no pipeline given", "cdcrt top --manifest FILE.toml, or cdcrt top --url http://127.0.0.1:9464"),
        kManifestOrUsage);
  }
  auto place = place_of(arguments, manifest ? &*manifest : nullptr);
  if (!place) return complain(place.error(), kManifestOrUsage);
  TopView view;
  for (const auto sort : kSorts) {
    if (arguments.sort == name_of(sort)) view.sort = sort;
  }
  view.search = arguments.search;
  StatusClient client(std::move(*place));
  const std::chrono::milliseconds interval(static_cast<int64_t>(arguments.interval * 1000));
  if (arguments.once || !Terminal::is_one()) return print_once(client, view, interval, out);
  const char* const no_color = std::getenv("NO_COLOR");
  view.is_styled = no_color == nullptr || *no_color == '\0';
  view.has_keys = true;
  return Watch(client, std::move(view), interval).run();
}

}  // namespace cdcrt::cli
