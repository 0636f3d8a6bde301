// SourceOutage: whether a source is waited for, why, and whether all of it is.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace cdcrt::runtime {

/// A source that says it once may still be away when nothing comes the next time, and one that lacks a part brings the rest meanwhile.
/// The source's thread tells it, any thread asks.
class SourceOutage {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kEcho = std::chrono::seconds(6);     ///< it is over when nothing was said of it for so long
  static constexpr auto kGoesOn = std::chrono::seconds(10);  ///< so long after a message the source still brings some

  /// The source says what it waits for.
  void met(std::string text, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    if (!lasts_.exchange(true)) began_ = now;
    text_ = std::move(text);
    met_ = now;
  }
  /// It answered, and said nothing of the kind.
  void answered(Clock::time_point now) {
    if (!lasts_) return;
    const std::lock_guard lock(mutex_);
    if (now - met_ >= kEcho) lasts_ = false;
  }
  /// It brought messages, or as many as are wanted are there already.
  void came(Clock::time_point now) { came_ = now.time_since_epoch().count(); }

  [[nodiscard]] bool lasts() const { return lasts_; }
  /// nullopt: it is not waited for. Known some seconds late.
  [[nodiscard]] std::optional<std::string> text(Clock::time_point now) const {
    if (!lasts_) return std::nullopt;
    const std::lock_guard lock(mutex_);
    return "waiting for the source for " + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - began_).count()) +
           " s: " + text_;
  }
  /// That of a part, while the rest goes on. Known some seconds late.
  [[nodiscard]] bool is_partial(Clock::time_point now) const {
    if (!lasts_) return false;
    const Clock::time_point came(Clock::duration(came_.load()));
    const std::lock_guard lock(mutex_);
    // What was on its way when it began may come after that.
    return came - began_ > kEcho && now - came < kGoesOn;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
  Clock::time_point began_{}, met_{};
  std::atomic<bool> lasts_{false};
  std::atomic<Clock::rep> came_{0};
};

}  // namespace cdcrt::runtime
