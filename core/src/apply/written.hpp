// What a table takes over of a batch once it is known what became of it.
#pragma once

#include "apply/sealed.hpp"

namespace cdcrt::apply {

/// It is durable.
void written(Sealed& sealed);
/// A part of what is being written is durable.
void written_in_part(const Sealed& portion);
/// Nothing of it is ours any more, and nothing was written.
void dropped(Sealed& sealed);

}  // namespace cdcrt::apply
