#include "cli/terminal.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

namespace cdcrt::cli {
namespace {

volatile std::sig_atomic_t ending = 0;

void note_end(int /*signal*/) { ending = 1; }
void note_resize(int /*signal*/) {}  // poll() is left, that is all

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void watch(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(signal, &action, nullptr);
}

}  // namespace

bool Terminal::is_one() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1; }

Terminal::Size Terminal::size() {
  winsize found{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &found) != 0 || found.ws_col == 0 || found.ws_row == 0) return {};
  return {found.ws_col, found.ws_row};
}

Terminal::Terminal() {
  ending = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) watch(signal, note_end);
  watch(SIGWINCH, note_resize);
  ::tcgetattr(STDIN_FILENO, &before_);
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  write_all("\x1b[?1049h\x1b[?25l");  // the other screen, no cursor
}

Terminal::~Terminal() {
  write_all("\x1b[?25h\x1b[?1049l");
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) watch(signal, SIG_DFL);
}

void Terminal::draw(const std::vector<std::string>& lines) {
  std::string text = "\x1b[H";
  // Each line is cleared before it is written: behind its last column the cursor still stands on it.
  for (std::size_t i = 0; i < lines.size(); ++i) text += std::string(i > 0 ? "\n" : "") + "\x1b[K" + lines[i];
  write_all(text + "\x1b[J");
}

Key Terminal::wait(std::chrono::milliseconds time) {
  if (ending != 0) return {Key::Kind::kEnd};
  if (pending_.empty()) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const int ready = ::poll(&input, 1, static_cast<int>(time.count()));
    if (ending != 0) return {Key::Kind::kEnd};
    if (ready <= 0) return {};
    std::array<char, 64> read{};
    const ssize_t count = ::read(STDIN_FILENO, read.data(), read.size());
    if (count <= 0) return {Key::Kind::kEnd};
    pending_.assign(read.data(), static_cast<std::size_t>(count));
  }
  struct Sequence {
    std::string_view bytes;
    Key::Kind kind;
  };
  // A key's bytes come together; a lone escape is the key of that name.
  constexpr std::array<Sequence, 12> kSequences{{{"\x1b[A", Key::Kind::kUp},
                                                 {"\x1b[B", Key::Kind::kDown},
                                                 {"\x1bOA", Key::Kind::kUp},
                                                 {"\x1bOB", Key::Kind::kDown},
                                                 {"\x1b[5~", Key::Kind::kPageUp},
                                                 {"\x1b[6~", Key::Kind::kPageDown},
                                                 {"\r", Key::Kind::kEnter},
                                                 {"\n", Key::Kind::kEnter},
                                                 {"\x7f", Key::Kind::kBackspace},
                                                 {"\b", Key::Kind::kBackspace},
                                                 {"\x04", Key::Kind::kEnd},
                                                 {"\x1b", Key::Kind::kEscape}}};
  for (const auto& [bytes, kind] : kSequences) {
    if (!pending_.starts_with(bytes)) continue;
    // One that is not known is passed over whole.
    pending_.erase(0, kind == Key::Kind::kEscape ? pending_.size() : bytes.size());
    return {kind};
  }
  const char character = pending_.front();
  pending_.erase(0, 1);
  return {Key::Kind::kCharacter, character};
}

}  // namespace cdcrt::cli
