#include "infer/machine/control_group.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace infer::inline v0 {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> read_text(const fs::path& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Reads "QUOTA PERIOD"; without a limit, QUOTA is the word "max" in v2 or -1 in v1.
std::optional<double> parse_quota(const std::string& text) {
  std::istringstream in(text);
  double quota = 0;
  double period = 0;
  if (!(in >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

std::uint64_t stat_field(const std::string& text, std::string_view name) {
  std::istringstream in(text);
  std::string key;
  std::uint64_t value = 0;
  while (in >> key >> value) {
    if (key == name) return value;
  }
  return 0;
}

/// `throttled_name` and `unit_us` are the name and the unit of the throttled time in cpu.stat.
void read_cpu(const fs::path& level, const std::optional<double>& quota, std::string_view throttled_name,
              std::uint64_t units_per_us, CpuLimits& limits) {
  if (quota && (!limits.quota_cores || *quota < *limits.quota_cores)) limits.quota_cores = quota;
  const std::string stat = read_text(level / "cpu.stat").value_or("");
  limits.throttled_periods = std::max(limits.throttled_periods, stat_field(stat, "nr_throttled"));
  limits.throttled_us = std::max(limits.throttled_us, stat_field(stat, throttled_name) / units_per_us);
}

/// The names are those of the files with limit and usage, and of the entry for reclaimable pages in
/// memory.stat.
void read_memory(const fs::path& level, const char* limit_name, const char* used_name, const char* cache_name,
                 MemoryLimits& limits) {
  std::uint64_t limit = 0;
  // Without a limit, v2 has the word "max" and v1 a number of almost 2^63.
  if (!(std::istringstream(read_text(level / limit_name).value_or("")) >> limit)) return;
  if (limit >= (std::uint64_t{1} << 62) || (limits.limit_bytes && *limits.limit_bytes <= limit)) return;
  std::uint64_t used = 0;
  std::istringstream(read_text(level / used_name).value_or("")) >> used;
  const std::uint64_t cache = stat_field(read_text(level / "memory.stat").value_or(""), cache_name);
  limits.limit_bytes = limit;
  limits.used_bytes = used - std::min(used, cache);
}

/// Visits every level up to the mount point, since a limit on any ancestor binds too.
template <class Visit>
void for_each_level(const fs::path& mount, const std::string& group, Visit visit) {
  fs::path relative = fs::path(group).relative_path();
  while (true) {
    visit(relative.empty() ? mount : mount / relative);
    if (relative.empty()) return;
    relative = relative.parent_path();
  }
}

}  // namespace

ControlGroup read_control_group(const fs::path& root) {
  ControlGroup limits;
  const fs::path mount = root / "sys/fs/cgroup";
  std::istringstream groups(read_text(root / "proc/self/cgroup").value_or(""));
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string group = line.substr(second + 1);
    if (controllers == ",,") {  // v2
      for_each_level(mount, group, [&](const fs::path& level) {
        read_cpu(level, parse_quota(read_text(level / "cpu.max").value_or("")), "throttled_usec", 1,
                 limits.cpu);
        read_memory(level, "memory.max", "memory.current", "inactive_file", limits.memory);
      });
    }
    if (controllers.find(",cpu,") != std::string::npos) {  // v1
      for (const char* name : {"cpu", "cpu,cpuacct"}) {
        for_each_level(mount / name, group, [&](const fs::path& level) {
          const auto quota = read_text(level / "cpu.cfs_quota_us");
          const auto period = read_text(level / "cpu.cfs_period_us");
          read_cpu(level, parse_quota(quota.value_or("") + " " + period.value_or("")), "throttled_time", 1000,
                   limits.cpu);
        });
      }
    }
    if (controllers.find(",memory,") != std::string::npos) {  // v1
      for_each_level(mount / "memory", group, [&](const fs::path& level) {
        read_memory(level, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file",
                    limits.memory);
      });
    }
  }
  return limits;
}

}  // namespace infer::inline v0
