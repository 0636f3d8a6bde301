// StopSignal: SIGTERM and SIGINT, which ask the process to end.
#pragma once

namespace cdcrt::runtime {

/// From now on the first of them is noted, and the second one ends the process at once.
void watch_stop_signals();
/// One of them came. Any thread.
bool stop_asked();

/// While it lives, a stop that is asked for ends the process soon with exit code 0, whatever it is waiting for: nothing has been read, and
/// nothing that another start would miss is lost. Used while a pipeline opens.
class StopWhileOpening {
 public:
  StopWhileOpening();
  StopWhileOpening(const StopWhileOpening&) = delete;
  StopWhileOpening& operator=(const StopWhileOpening&) = delete;
  ~StopWhileOpening();

 private:
  struct Watch;
  Watch* watch_;
};

}  // namespace cdcrt::runtime
