// Stages: the temporary tables of a session through which rows go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace cdcrt::redshift {

/// A session's temporary tables of staged rows, used by one batch after another of the same shape. What a transaction makes counts once it
/// has committed.
class Stages {
 public:
  /// The stage for rows of this shape; empty: there is none, and what is made is to be told by made().
  std::string find(const std::string& shape, uint64_t bytes);
  void made(const std::string& shape, std::string name) { made_[shape] = std::move(name); }
  void ended(bool committed);
  /// Names of those that nobody needs any more, once there are enough of them; told again until a transaction that took them commits.
  [[nodiscard]] const std::vector<std::string>& to_drop();
  void retire(std::string name) { retired_now_.push_back(std::move(name)); }

 private:
  struct Stage {
    std::string name;
    uint64_t batches = 0, bytes = 0, used = 0;
  };
  void retire_oldest();
  std::map<std::string, Stage> stages_;
  std::map<std::string, std::string> made_;
  std::vector<std::string> retired_, retired_now_;
  std::size_t dropping_ = 0;
  uint64_t uses_ = 0;
};

}  // namespace cdcrt::redshift
