// SourceEventReader: reads events of a table again, for the isolation of refused rows.
#pragma once

#include <memory>
#include <vector>

#include "apply/isolate.hpp"
#include "runtime/destinations.hpp"
#include "runtime/source_runtime.hpp"

namespace cdcrt::runtime {

/// Thread-safe. Each call has a decoder of its own and does not block the source while the visitor works.
class SourceEventReader final : public apply::EventReader {
 public:
  SourceEventReader(event::ShapeRegistry& shapes, std::vector<std::unique_ptr<SourceRuntime>>& sources)
      : shapes_(shapes), sources_(sources) {}
  /// Before the first read.
  void set_destinations(Destinations& destinations) { destinations_ = &destinations; }

  Result<void> read(const apply::Table& table, const progress::Partition& partition, int64_t first, int64_t last,
                    const Visit& visit) override;
  Result<int64_t> read_piece(const apply::Table& table, const progress::Partition& partition, int64_t first, int64_t last,
                             std::size_t turns, const Visit& visit) override;
  [[nodiscard]] event::ShapeRegistry& shapes() override { return shapes_; }

 private:
  class Reading;
  event::ShapeRegistry& shapes_;
  std::vector<std::unique_ptr<SourceRuntime>>& sources_;
  Destinations* destinations_ = nullptr;
};

}  // namespace cdcrt::runtime
