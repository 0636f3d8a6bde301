// Heap: memory of one schedule. All of it is given back at once, with whatever crashed processes held, and every address is the
// same in every run of a seed (containers ordered by pointers behave the same).
#pragma once

namespace cdcrt::simulation {

/// From now on operator new takes memory here.
void begin_heap();
/// Nothing that was made since begin_heap() may be used any more.
void end_heap();
/// Operator new goes to the C library for the life of this, for what outlives the schedule.
class OutsideHeap {
 public:
  OutsideHeap();
  ~OutsideHeap();

 private:
  bool was_;
};

}  // namespace cdcrt::simulation
