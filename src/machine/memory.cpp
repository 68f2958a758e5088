#include "infer/machine/memory.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "infer/machine/control_group.h"

namespace infer::inline v0 {
namespace {

std::uint64_t page_size() { return static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

std::uint64_t usable_memory() {
  const std::uint64_t machine = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * page_size();
  return std::min(machine, read_control_group().memory.limit_bytes.value_or(machine));
}

std::uint64_t available_memory(const std::filesystem::path& root) {
  std::ifstream file(root / "proc/meminfo");
  std::uint64_t kibibytes = 0;
  for (std::string word; file >> word;) {
    if (word == "MemAvailable:") file >> kibibytes;
  }
  return kibibytes << 10;
}

std::uint64_t resident_memory() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;  // in pages
  statm >> total >> resident;
  return resident * page_size();
}

}  // namespace infer::inline v0
