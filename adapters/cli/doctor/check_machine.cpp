#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "check.h"
#include "infer/core/thread_plan.h"
#include "infer/engine/torchscript.h"

namespace infer::cli {
namespace {

namespace fs = std::filesystem;
using Level = Check::Level;

std::string mebibytes(std::uintmax_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

std::string read(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  std::string out = text.str();
  while (!out.empty() && (out.back() == '\n' || out.back() == '\0')) out.pop_back();
  return out;
}

Check check_cpu(const fs::path& root) {
  std::ifstream file(root / "proc/cpuinfo");
  std::string name = "unknown";
  std::set<std::string> flags;
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    if (line.starts_with("model name")) name = line.substr(colon + 2);
    if (line.starts_with("flags") || line.starts_with("Features")) {
      std::istringstream words(line.substr(colon + 1));
      for (std::string word; words >> word;) flags.insert(word);
      break;
    }
  }
  std::string found = name + ":";
  for (const char* flag :
       {"avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd"}) {
    if (flags.contains(flag)) found += std::string(" ") + flag;
  }
  if (flags.contains("avx2") || flags.contains("asimd")) return {Level::kOk, "cpu", found, ""};
  return {Level::kWarning, "cpu", found + " (no AVX2)",
          "LibTorch falls back to slow kernels; use a CPU of 2013 or later, or pass the host's CPU to the "
          "virtual machine"};
}

std::vector<Check> check_cores(const fs::path& root) {
  const CpuLimits limits = read_cpu_limits(root);
  const std::size_t affinity = affinity_cores();
  const std::size_t usable = usable_cores(limits, affinity);
  std::vector<Check> checks;
  std::ostringstream found;
  found << usable << " usable: " << affinity << " by affinity of " << std::thread::hardware_concurrency();
  if (limits.quota_cores) found << ", quota " << *limits.quota_cores;
  Check cores{Level::kOk, "cores", found.str(), ""};
  if (limits.quota_cores && *limits.quota_cores < 1) {
    cores.level = Level::kWarning;
    cores.advice =
        "less than one core: each forward is stopped in the middle until the next period; give it 1 or more";
  } else if (limits.quota_cores && *limits.quota_cores + 1e-6 < static_cast<double>(affinity) &&
             *limits.quota_cores - static_cast<double>(usable) > 0.01) {
    cores.level = Level::kWarning;
    cores.advice = "the part of a core beyond " + std::to_string(usable) +
                   " is not used; set the limit to a whole number";
  }
  checks.push_back(cores);
  const auto plan = plan_threads(usable, 0, 0);
  checks.push_back(
      {Level::kOk, "thread plan",
       std::to_string(plan->workers) + " workers of " + std::to_string(plan->intra_op_threads) + " threads",
       ""});
  Check throttling{Level::kOk, "throttling", "never", ""};
  if (limits.throttled_periods > 0) {
    throttling.level = Level::kWarning;
    throttling.found = std::to_string(limits.throttled_periods) + " periods, " +
                       std::to_string(limits.throttled_us / 1000) + " ms in all";
    throttling.advice = "the control group ran into its CPU limit; raise the limit, or lower --workers";
  }
  checks.push_back(throttling);
  return checks;
}

Check check_memory(const fs::path& root) {
  const std::uintmax_t limit = memory_limit(root);
  std::ifstream file(root / "proc/meminfo");
  std::uintmax_t available = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("MemAvailable:")) available = std::stoull(line.substr(13)) << 10;
  }
  std::string found =
      mebibytes(available) + " available, " + (limit > 0 ? "limit " + mebibytes(limit) : "no limit");
  if (limit > 0 && limit < (std::uintmax_t{512} << 20)) {
    return {Level::kWarning, "memory", found,
            "LibTorch alone takes about 150 MiB; give the pod 1 GiB or more"};
  }
  return {Level::kOk, "memory", found, ""};
}

Check check_torch() {
  const std::string version = torch_version();
  if (version == "none")
    return {Level::kWarning, "libtorch", "not in this build",
            "build with -DINFER_TORCH=ON to run TorchScript models"};
  void* cuda = dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD);
  return {Level::kOk, "libtorch", version + (cuda != nullptr ? ", libtorch_cuda loaded" : ""), ""};
}

Check check_allocator() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    for (const char* name : {"jemalloc", "tcmalloc", "mimalloc"}) {
      if (line.find(name) != std::string::npos) return {Level::kOk, "allocator", name, ""};
    }
  }
  return {Level::kOk, "allocator", std::string("glibc ") + gnu_get_libc_version(), ""};
}

Check check_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::string found = std::to_string(limit.rlim_cur) + " open files";
  if (limit.rlim_cur < 1024) {
    return {Level::kWarning, "ulimit", found,
            "each connection is a file: raise it with ulimit -n 4096 or LimitNOFILE="};
  }
  return {Level::kOk, "ulimit", found, ""};
}

}  // namespace

std::uintmax_t memory_limit(const fs::path& root) {
  std::uintmax_t least = 0;
  const auto keep = [&](const std::string& text) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return;  // "max"
    const std::uintmax_t bytes = std::stoull(text);
    if (bytes < (std::uintmax_t{1} << 60) && (least == 0 || bytes < least)) least = bytes;
  };
  std::istringstream groups(read(root / "proc/self/cgroup"));
  for (std::string line; std::getline(groups, line);) {
    const std::size_t group = line.rfind(':') + 1;
    if (line.starts_with("0::")) {
      detail::for_each_level(root / "sys/fs/cgroup", line.substr(group),
                             [&](const fs::path& level) { keep(read(level / "memory.max")); });
    } else if (line.find(":memory:") != std::string::npos) {
      detail::for_each_level(root / "sys/fs/cgroup/memory", line.substr(group),
                             [&](const fs::path& level) { keep(read(level / "memory.limit_in_bytes")); });
    }
  }
  return least;
}

std::vector<Check> check_machine(const fs::path& root) {
  std::vector<Check> checks{check_cpu(root)};
  for (Check& check : check_cores(root)) checks.push_back(std::move(check));
  checks.push_back(check_memory(root));
  checks.push_back(check_torch());
  checks.push_back(check_allocator());
  checks.push_back(check_files());
  return checks;
}

}  // namespace infer::cli
