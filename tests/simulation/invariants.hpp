// Invariants: what must hold after every COMMIT of the target.
#pragma once

#include <map>
#include <string>

#include "simulation/broker.hpp"
#include "simulation/target.hpp"

namespace cdcrt::simulation {

/// Rows of a table of the workload as they are committed.
Rows committed_rows(const Target& target, const Workload& workload, std::size_t table);
std::string show(const Rows& rows);
/// Differences between what should be and what is; empty: none.
std::string difference(const Rows& expected, const Rows& found);

class Invariants {
 public:
  Invariants(const Target& target, const Broker& broker) : target_(target), broker_(broker) {}
  /// Says with fail() what is broken.
  void check(const Transaction& committed);
  /// Where the low watermark stands, as committed.
  [[nodiscard]] std::map<Place, int64_t> watermarks() const;

 private:
  using Positions = std::map<std::pair<std::string, Place>, int64_t>;  ///< by target table
  struct Lease {
    int64_t epoch = 0;
    std::string owner;
  };
  [[nodiscard]] Positions positions() const;
  [[nodiscard]] std::map<Place, Lease> leases() const;
  void check_owners(const Transaction& committed, const Positions& now);
  void check_watermarks(const Positions& now);
  void check_rows(const Positions& now);

  const Target& target_;
  const Broker& broker_;
  Positions before_;
  std::map<Place, Lease> leases_before_;
  std::map<std::pair<std::string, Place>, int64_t> claimed_;  ///< by owner: the epoch that it set last
};

}  // namespace cdcrt::simulation
