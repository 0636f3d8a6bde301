// CallNote: which function of which plugin a thread is in, so that the last line before a crash names it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/abi/plugin.h"

namespace cdcrt::plugin {

/// A plugin as lines name it: "format 'csv' (/lib/format-csv.so)".
std::string name_of(const cdcrt_plugin& plugin);

/// Made on the stack of the calling thread while a function of a plugin runs. All texts are borrowed.
class CallNote {
 public:
  /// `object`: what the call is about, such as a table; empty: nothing.
  CallNote(std::string_view plugin, std::string_view function, std::string_view object = {});
  /// `messages`: those that the plugin works on.
  CallNote(std::string_view plugin, std::string_view function, const cdcrt_messages& messages);
  CallNote(std::string_view plugin, std::string_view function, cdcrt_string topic, int32_t partition, int64_t first, int64_t last);
  ~CallNote();
  CallNote(const CallNote&) = delete;
  CallNote& operator=(const CallNote&) = delete;

 private:
  friend struct CrashLine;
  void stand();

  std::string_view plugin_, function_, object_;
  bool has_messages_ = false;
  int32_t partition_ = 0;
  int64_t first_ = 0, last_ = 0;
  const CallNote* before_ = nullptr;
};

/// Installs handlers: where SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT comes during a noted call, a line on standard error names the call;
/// then the signal takes its usual course. Called once.
void watch_crashes();

}  // namespace cdcrt::plugin
