#include "usable_memory.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "infer/core/memory_limits.h"

namespace infer::adapter {

std::size_t usable_memory() {
  const auto machine =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min(machine, read_memory_limits().limit_bytes.value_or(machine));
}

}  // namespace infer::adapter
