#pragma once

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// The CPU time that control groups allow this process, and how often the process hit that limit.
struct CpuLimits {
  std::optional<double> quota_cores;    ///< Allowed CPU time per period, in cores; empty: no limit.
  std::uint64_t throttled_periods = 0;  ///< Periods in which the kernel stopped the group.
  std::uint64_t throttled_us = 0;       ///< Total time that the kernel stopped the group, in microseconds.
};

namespace detail {

inline std::optional<std::string> read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Reads "MAX PERIOD" of cgroup v2; MAX may be the word "max", which means no limit.
inline std::optional<double> parse_cpu_max(const std::string& text) {
  std::istringstream in(text);
  double quota = 0;
  double period = 0;
  if (!(in >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

inline std::uint64_t stat_field(const std::string& text, std::string_view name) {
  std::istringstream in(text);
  std::string key;
  std::uint64_t value = 0;
  while (in >> key >> value) {
    if (key == name) return value;
  }
  return 0;
}

inline void keep_smaller(std::optional<double>& quota, std::optional<double> other) {
  if (other && (!quota || *other < *quota)) quota = other;
}

/// Visits every level up to the mount point, since a limit on any ancestor binds too.
template <class Visit>
void for_each_level(const std::filesystem::path& mount, const std::string& group, Visit visit) {
  std::filesystem::path relative = std::filesystem::path(group).relative_path();
  while (true) {
    visit(relative.empty() ? mount : mount / relative);
    if (relative.empty()) return;
    relative = relative.parent_path();
  }
}

}  // namespace detail

/// Reads the CPU limits of this process from the control group files below `root`.
///
/// Understands `cpu.max` of cgroup v2 and `cpu.cfs_quota_us` of cgroup v1. Files that are missing or
/// unreadable count as no limit. Blocks for a few small file reads; thread-safe.
inline CpuLimits read_cpu_limits(const std::filesystem::path& root = "/") {
  namespace fs = std::filesystem;
  CpuLimits limits;
  const fs::path mount = root / "sys/fs/cgroup";
  std::istringstream groups(detail::read_text(root / "proc/self/cgroup").value_or(""));
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {  // v2
      detail::for_each_level(mount, group, [&](const fs::path& level) {
        if (const auto text = detail::read_text(level / "cpu.max")) {
          detail::keep_smaller(limits.quota_cores, detail::parse_cpu_max(*text));
        }
        if (const auto text = detail::read_text(level / "cpu.stat")) {
          limits.throttled_periods =
              std::max(limits.throttled_periods, detail::stat_field(*text, "nr_throttled"));
          limits.throttled_us = std::max(limits.throttled_us, detail::stat_field(*text, "throttled_usec"));
        }
      });
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {  // v1
      for (const char* name : {"cpu", "cpu,cpuacct"}) {
        detail::for_each_level(mount / name, group, [&](const fs::path& level) {
          const auto quota = detail::read_text(level / "cpu.cfs_quota_us");
          const auto period = detail::read_text(level / "cpu.cfs_period_us");
          if (quota && period) {
            detail::keep_smaller(limits.quota_cores, detail::parse_cpu_max(*quota + " " + *period));
          }
          if (const auto text = detail::read_text(level / "cpu.stat")) {
            limits.throttled_periods =
                std::max(limits.throttled_periods, detail::stat_field(*text, "nr_throttled"));
            limits.throttled_us = std::max(
                limits.throttled_us, detail::stat_field(*text, "throttled_time") / 1000);  // v1 counts ns
          }
        });
      }
    }
  }
  return limits;
}

/// Returns the number of cores on which the calling thread may run.
inline std::size_t affinity_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<std::size_t>(CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());  // more cores than cpu_set_t holds
}

/// The numbers of threads that compute.
struct ThreadPlan {
  std::size_t usable_cores = 1;      ///< Cores that affinity and control groups leave to this process.
  std::size_t workers = 1;           ///< Batches in parallel, each on its own thread.
  std::size_t intra_op_threads = 1;  ///< Threads inside each forward.
};

/// Plans threads for `usable_cores`; 0 for `workers` or `intra_op_threads` asks for the default.
///
/// The default is one worker with one thread for each core, which gives the most throughput.
///
/// Errors: `kInvalidArgument` if `workers` x `intra_op_threads` exceeds the usable cores (at least 1), since
/// OpenMP teams that share a core spin against each other; also if either exceeds 1024.
inline Result<ThreadPlan> plan_threads(std::size_t usable_cores, std::size_t workers,
                                       std::size_t intra_op_threads) {
  ThreadPlan plan;
  plan.usable_cores = std::max<std::size_t>(1, usable_cores);
  plan.intra_op_threads = intra_op_threads != 0 ? intra_op_threads
                          : workers != 0        ? std::max<std::size_t>(1, plan.usable_cores / workers)
                                                : 1;
  plan.workers = workers != 0 ? workers : std::max<std::size_t>(1, plan.usable_cores / plan.intra_op_threads);
  if (plan.workers > 1024 || plan.intra_op_threads > 1024) {
    return fail(ErrorCode::kInvalidArgument,
                "workers " + std::to_string(plan.workers) + " x intra_op_threads " +
                    std::to_string(plan.intra_op_threads) + ": each is limited to 1024");
  }
  if (plan.workers * plan.intra_op_threads > plan.usable_cores) {
    return fail(ErrorCode::kInvalidArgument, "workers " + std::to_string(plan.workers) +
                                                 " x intra_op_threads " +
                                                 std::to_string(plan.intra_op_threads) + " exceeds the " +
                                                 std::to_string(plan.usable_cores) + " usable cores");
  }
  return plan;
}

/// Returns the cores that this process may use: min(`affinity`, quota rounded down), at least 1.
///
/// LibTorch alone counts the host's cores and ignores the quota.
inline std::size_t usable_cores(const CpuLimits& limits, std::size_t affinity) {
  std::size_t cores = std::max<std::size_t>(1, affinity);
  if (limits.quota_cores) {
    cores = std::min(cores, static_cast<std::size_t>(std::max(1.0, std::floor(*limits.quota_cores + 1e-6))));
  }
  return cores;
}

}  // namespace infer::inline v0
