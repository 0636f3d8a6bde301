// CallNote: which function of which plugin a thread is in, so that the last line before a crash names it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cdcrt/abi/plugin.h"

namespace cdcrt::plugin {

/// A plugin as lines name it: "format 'csv' (/lib/format-csv.so)".
std::string name_of(const cdcrt_plugin& plugin);

/// Stands while a plugin works, on the stack of the thread that called it. All texts are borrowed.
class CallNote {
 public:
  /// `object`: a table, for instance; empty: none.
  CallNote(std::string_view plugin, std::string_view function, std::string_view object = {});
  /// The messages that it works on.
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

/// From now on a SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT in a call that is noted writes a line to standard error, and then does what it
/// would have done. Once.
void watch_crashes();

}  // namespace cdcrt::plugin
