#include "infer/machine/cpu.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <thread>

namespace infer::inline v0 {

CpuInfo read_cpu_info(const std::filesystem::path& root) {
  CpuInfo cpu;
  std::ifstream file(root / "proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    if (line.starts_with("model name")) cpu.name = line.substr(colon + 2);
    if (line.starts_with("flags") || line.starts_with("Features")) {  // x86, ARM
      std::istringstream words(line.substr(colon + 2));
      for (std::string word; words >> word;) cpu.features.insert(word);
      break;  // the other cores have the same features
    }
  }
  return cpu;
}

std::size_t machine_cores() noexcept { return std::max(1U, std::thread::hardware_concurrency()); }

std::size_t affinity_cores() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<std::size_t>(CPU_COUNT(&set));
  return machine_cores();  // the machine has more cores than cpu_set_t can hold
}

std::size_t usable_cores(const CpuLimits& limits, std::size_t affinity) noexcept {
  const std::size_t cores = std::max<std::size_t>(1, affinity);
  if (!limits.quota_cores) return cores;
  return std::min(cores, static_cast<std::size_t>(std::max(1.0, std::floor(*limits.quota_cores + 1e-6))));
}

std::size_t usable_cores() { return usable_cores(read_control_group().cpu, affinity_cores()); }

}  // namespace infer::inline v0
