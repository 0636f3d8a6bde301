#include "hot_path/counted.hpp"

#include <dlfcn.h>
#include <pthread.h>

#include <cstdlib>
#include <new>

namespace {

thread_local uint64_t allocations = 0, locks = 0;
thread_local int paused = 0;

void* counted_allocation(std::size_t bytes) {
  if (paused == 0) ++allocations;
  void* const made = std::malloc(bytes == 0 ? 1 : bytes);
  if (made == nullptr) throw std::bad_alloc();
  return made;
}

template <class Function>
Function next_of(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

void* operator new(std::size_t bytes) { return counted_allocation(bytes); }
void* operator new[](std::size_t bytes) { return counted_allocation(bytes); }
void operator delete(void* made) noexcept { std::free(made); }
void operator delete[](void* made) noexcept { std::free(made); }
void operator delete(void* made, std::size_t) noexcept { std::free(made); }
void operator delete[](void* made, std::size_t) noexcept { std::free(made); }

// ThreadSanitizer has its own in their place.
#ifndef __SANITIZE_THREAD__
extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  static const auto next = next_of<int (*)(pthread_mutex_t*)>("pthread_mutex_lock");
  if (paused == 0) ++locks;
  return next(mutex);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  static const auto next = next_of<int (*)(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
  if (paused == 0) ++locks;
  return next(lock);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  static const auto next = next_of<int (*)(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
  if (paused == 0) ++locks;
  return next(lock);
}
}
#endif

namespace cdcrt::test {

Counted counted() { return {allocations, locks}; }
void pause(bool begins) { paused += begins ? 1 : -1; }

}  // namespace cdcrt::test
