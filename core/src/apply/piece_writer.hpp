// PieceWriter: writes the events of a batch that the target refuses piece by piece, in the order in which they happened, and makes dead
// letters of those that it refuses one by one (decision 0025).
#pragma once

#include <memory>

#include "apply/stretch.hpp"
#include "apply/write_transaction.hpp"

namespace cdcrt::apply {

/// Of one batch. One thread.
class PieceWriter {
 public:
  /// `stretch`: all events of the batch, read again. `is_last`: see Undertaking.
  PieceWriter(TargetConnection& connection, Sealed& sealed, Stretch& stretch, bool is_last);
  ~PieceWriter();
  PieceWriter(const PieceWriter&) = delete;
  PieceWriter& operator=(const PieceWriter&) = delete;

  /// Done: the table has completed the batch; or the process ends, and the rest stays sealed for the next start.
  Outcome run();

 private:
  struct Portion;
  Outcome write_portion();
  Outcome try_portion();
  Result<bool> try_piece(Sealed& piece);
  void refuse_event(const Stretch::Piece& piece);
  void keep_portion();
  [[nodiscard]] Sealed begin_portion() const;

  TargetConnection& connection_;
  const WriterContext& context_;
  WriteTransaction transaction_;
  Sealed& sealed_;
  Stretch& stretch_;
  const bool is_last_;
  std::unique_ptr<Portion> portion_;
};

}  // namespace cdcrt::apply
