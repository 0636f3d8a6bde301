// Process: one cdcrt, wired as the pipeline wires it, with the threads of the code under test as fibers.
#pragma once

#include <memory>
#include <string>

#include "manifest/manifest.hpp"
#include "simulation/schedule_state.hpp"

namespace cdcrt::simulation {

/// What every process of the schedule is given.
manifest::Manifest make_manifest();

class Process {
 public:
  /// Starts at once. `number` is new for each start, `dead letters` its file.
  Process(int number, const manifest::Manifest& manifest, const std::string& dead_letters);
  /// Asks it to end as a signal does.
  void stop();
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] std::string owner() const { return "process-" + std::to_string(number_); }
  [[nodiscard]] const std::string& dead_letters() const { return dead_letters_; }
  /// Of the pipeline, for people.
  [[nodiscard]] std::string describe() const;

 private:
  struct Parts;
  void run();
  bool open();
  void wait();
  void end();
  [[nodiscard]] std::string failure() const;

  const int number_;
  const manifest::Manifest& manifest_;
  const std::string dead_letters_;
  Parts* parts_ = nullptr;  ///< never destroyed where the process crashes
  bool stop_ = false;
  bool ended_ = false;
};

}  // namespace cdcrt::simulation
