#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>

#include "infer/export.h"
#include "infer/machine/control_group.h"

namespace infer::inline v0 {

/// What the system says about its CPU.
struct CpuInfo {
  std::string name = "unknown";    ///< Such as "AMD EPYC 9B45 128-Core Processor".
  std::set<std::string> features;  ///< Instruction sets by Linux's names, such as "avx2" and "asimd".
};

/// Reads ROOT/proc/cpuinfo; blocks for one file read.
INFER_EXPORT CpuInfo read_cpu_info(const std::filesystem::path& root = "/");

/// Returns the number of cores of the machine, at least 1.
INFER_EXPORT std::size_t machine_cores() noexcept;
/// Returns the number of cores on which the calling thread may run, at least 1.
INFER_EXPORT std::size_t affinity_cores() noexcept;

/// Returns the cores that a process may use: min(`affinity`, quota rounded down), at least 1.
///
/// LibTorch alone counts the host's cores and ignores the quota.
INFER_EXPORT std::size_t usable_cores(const CpuLimits& limits, std::size_t affinity) noexcept;
/// Returns the cores that this process may use now; blocks for a few small file reads.
INFER_EXPORT std::size_t usable_cores();

}  // namespace infer::inline v0
