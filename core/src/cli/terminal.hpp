// Terminal: a screen that is drawn anew in place, and single keys. What was there before comes back at the end.
#pragma once

#include <termios.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace cdcrt::cli {

struct Key {
  enum class Kind : uint8_t { kNone, kCharacter, kEnter, kEscape, kBackspace, kUp, kDown, kPageUp, kPageDown, kEnd };
  Kind kind = Kind::kNone;
  char character = 0;  ///< of kCharacter
};

/// Standard input and output must be a terminal. One at a time: SIGINT and SIGTERM are watched while it lives.
class Terminal {
 public:
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  static bool is_one();
  struct Size {
    std::size_t width = 80, height = 24;
  };
  [[nodiscard]] static Size size();
  void draw(const std::vector<std::string>& lines);
  /// The next key; kNone: none came in that time, or the window has another size. kEnd: a signal, or the terminal has gone.
  Key wait(std::chrono::milliseconds time);

 private:
  termios before_{};
  std::string pending_;
};

}  // namespace cdcrt::cli
