#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>

#include "infer/core/thread_plan.h"

namespace infer::inline v0 {

/// The memory that control groups allow this process.
struct MemoryLimits {
  std::optional<std::uint64_t> limit_bytes;  ///< Smallest limit of all levels, in bytes; empty: no limit.
  /// Bytes in use at that level, without file pages that the kernel can reclaim.
  std::uint64_t used_bytes = 0;
};

/// Reads the memory limits of this process from the control group files below `root`.
///
/// Understands `memory.max` of cgroup v2 and `memory.limit_in_bytes` of cgroup v1. Files that are missing or
/// unreadable count as no limit. Blocks for a few small file reads; thread-safe.
inline MemoryLimits read_memory_limits(const std::filesystem::path& root = "/") {
  MemoryLimits limits;
  const auto look = [&](const std::filesystem::path& level, const char* limit_name, const char* used_name,
                        const char* cache_name) {
    const auto limit = detail::read_text(level / limit_name);
    const auto used = detail::read_text(level / used_name);
    if (!limit || !used) return;
    std::uint64_t bytes = 0;
    // "max" is no number; v1 says no limit by one of almost 2^63.
    if (!(std::istringstream(*limit) >> bytes) || bytes >= (std::uint64_t{1} << 62)) return;
    if (limits.limit_bytes && *limits.limit_bytes <= bytes) return;
    limits.limit_bytes = bytes;
    std::uint64_t now = 0;
    std::istringstream(*used) >> now;
    const std::uint64_t cache =
        detail::stat_field(detail::read_text(level / "memory.stat").value_or(""), cache_name);
    limits.used_bytes = now - std::min(now, cache);
  };
  const std::filesystem::path mount = root / "sys/fs/cgroup";
  std::istringstream groups(detail::read_text(root / "proc/self/cgroup").value_or(""));
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {  // v2
      detail::for_each_level(mount, group, [&](const std::filesystem::path& level) {
        look(level, "memory.max", "memory.current", "inactive_file");
      });
    } else if (("," + controllers + ",").find(",memory,") != std::string::npos) {  // v1
      detail::for_each_level(mount / "memory", group, [&](const std::filesystem::path& level) {
        look(level, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
      });
    }
  }
  return limits;
}

}  // namespace infer::inline v0
