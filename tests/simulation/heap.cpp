#include "simulation/heap.hpp"

#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace cdcrt::simulation {
namespace {

constexpr std::size_t kBytes = std::size_t{2} << 30;
constexpr uintptr_t kAddress = 0x210000000000;
constexpr std::size_t kHeader = 16;

bool active = false;
char* const base = reinterpret_cast<char*>(kAddress);
char* next = nullptr;
std::array<void*, 64> free_lists{};

bool is_ours(const void* place) { return place >= base && place < base + kBytes; }

std::size_t class_of(std::size_t bytes) { return static_cast<std::size_t>(std::bit_width(bytes - 1)); }

}  // namespace

void begin_heap() {
  if (next == nullptr) {
    void* mapped = ::mmap(base, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (mapped != base) {
      std::perror("simulation: mmap");
      std::abort();
    }
  }
  next = base;
  free_lists.fill(nullptr);
  active = true;
}

void end_heap() { active = false; }

OutsideHeap::OutsideHeap() : was_(active) { active = false; }
OutsideHeap::~OutsideHeap() { active = was_; }

void* take(std::size_t bytes) {
  if (!active) {
    void* place = std::malloc(bytes == 0 ? 1 : bytes);
    if (place == nullptr) throw std::bad_alloc();
    return place;
  }
  const std::size_t size_class = class_of(bytes + kHeader < 32 ? 32 : bytes + kHeader);
  if (void* place = free_lists[size_class]; place != nullptr) {
    free_lists[size_class] = *static_cast<void**>(place);
    return place;
  }
  const std::size_t whole = std::size_t{1} << size_class;
  if (next + whole > base + kBytes) throw std::bad_alloc();
  char* place = next + kHeader;
  *reinterpret_cast<std::size_t*>(next) = size_class;
  next += whole;
  return place;
}

void give(void* place) noexcept {
  if (place == nullptr) return;
  if (!is_ours(place)) {
    std::free(place);
    return;
  }
  if (!active) return;
  const std::size_t size_class = *reinterpret_cast<std::size_t*>(static_cast<char*>(place) - kHeader);
  *static_cast<void**>(place) = free_lists[size_class];
  free_lists[size_class] = place;
}

}  // namespace cdcrt::simulation

void* operator new(std::size_t bytes) { return cdcrt::simulation::take(bytes); }
void* operator new[](std::size_t bytes) { return cdcrt::simulation::take(bytes); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return cdcrt::simulation::take(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return cdcrt::simulation::take(bytes); }
void operator delete(void* place) noexcept { cdcrt::simulation::give(place); }
void operator delete[](void* place) noexcept { cdcrt::simulation::give(place); }
void operator delete(void* place, std::size_t) noexcept { cdcrt::simulation::give(place); }
void operator delete[](void* place, std::size_t) noexcept { cdcrt::simulation::give(place); }
