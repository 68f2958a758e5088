#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "infer/export.h"

namespace infer::inline v0 {

/// The CPU time that control groups allow this process, and how often the process hit that limit.
struct CpuLimits {
  std::optional<double> quota_cores;    ///< Allowed CPU time per period, in cores; empty: no limit.
  std::uint64_t throttled_periods = 0;  ///< Periods in which the kernel stopped the group.
  std::uint64_t throttled_us = 0;       ///< Total time that the kernel stopped the group, in microseconds.
};

/// The memory that control groups allow this process.
struct MemoryLimits {
  std::optional<std::uint64_t> limit_bytes;  ///< Smallest limit of all levels, in bytes; empty: no limit.
  /// Bytes in use at that level, without file pages that the kernel can reclaim.
  std::uint64_t used_bytes = 0;
};

/// What control groups allow this process.
struct ControlGroup {
  CpuLimits cpu;        ///< CPU time.
  MemoryLimits memory;  ///< Memory.
};

/// Reads the limits of this process from the control group files below `root`.
///
/// Understands cgroup v2 (`cpu.max`, `memory.max`) and v1 (`cpu.cfs_quota_us`, `memory.limit_in_bytes`). A
/// limit on any ancestor counts too. Files that are missing or unreadable count as no limit. Blocks for a few
/// small file reads; thread-safe.
INFER_EXPORT ControlGroup read_control_group(const std::filesystem::path& root = "/");

}  // namespace infer::inline v0
