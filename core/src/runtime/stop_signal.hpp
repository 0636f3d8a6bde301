// StopSignal: SIGTERM and SIGINT, which ask the process to end.
#pragma once

namespace cdcrt::runtime {

/// From now on the first of them is noted, and the second one ends the process at once.
void watch_stop_signals();
/// One of them came. Any thread.
bool stop_asked();

/// While it lives, a stop signal ends the process soon with exit code 0, whatever it is waiting for. Used while a pipeline opens: nothing
/// has been read so far, so nothing is lost.
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
