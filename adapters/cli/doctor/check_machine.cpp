#include <dlfcn.h>
#include <gnu/libc-version.h>

#include <fstream>
#include <optional>
#include <sstream>

#include "check.h"
#include "infer/core/thread_plan.h"
#include "infer/engine/torchscript.h"
#include "infer/machine/control_group.h"
#include "infer/machine/cpu.h"
#include "infer/machine/descriptors.h"
#include "infer/machine/memory.h"

namespace infer::cli {
namespace {

namespace fs = std::filesystem;
using Level = Check::Level;

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

Check check_cpu(const fs::path& root) {
  const auto [name, flags] = read_cpu_info(root);
  std::string found = name + ":";
  for (const char* flag :
       {"avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd"}) {
    if (flags.contains(flag)) found += std::string(" ") + flag;
  }
  if (flags.contains("avx2") || flags.contains("asimd")) return {Level::kOk, "cpu", found, ""};
  return {Level::kWarning, "cpu", found + " (no AVX2)",
          "LibTorch uses slow kernels without AVX2; use a CPU of 2013 or later, or expose the host's CPU to "
          "the virtual machine"};
}

std::vector<Check> check_cores(const CpuLimits& limits) {
  const std::size_t affinity = affinity_cores();
  const std::size_t usable = usable_cores(limits, affinity);
  std::vector<Check> checks;
  std::ostringstream found;
  found << usable << " usable of " << machine_cores() << ", affinity " << affinity;
  if (limits.quota_cores) found << ", quota " << *limits.quota_cores;
  Check cores{Level::kOk, "cores", found.str(), ""};
  if (limits.quota_cores && *limits.quota_cores < 1) {
    cores.level = Level::kWarning;
    cores.advice =
        "with less than one core, each forward pauses until the next CPU period; set the limit to 1 or more";
  } else if (limits.quota_cores && *limits.quota_cores + 1e-6 < static_cast<double>(affinity) &&
             *limits.quota_cores - static_cast<double>(usable) > 0.01) {
    cores.level = Level::kWarning;
    cores.advice = "only " + std::to_string(usable) +
                   " whole cores of the quota are used; set the limit to a whole number";
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
    throttling.advice = "the control group reached its CPU limit; raise the limit, or lower --workers";
  }
  checks.push_back(throttling);
  return checks;
}

Check check_memory(const std::optional<std::uint64_t>& limit, const fs::path& root) {
  std::string found = mebibytes(available_memory(root)) + " available, " +
                      (limit ? "limit " + mebibytes(*limit) : "no limit");
  if (limit && *limit < (std::uint64_t{512} << 20)) {
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
  const std::size_t limit = descriptor_limit();
  const std::string found = std::to_string(limit) + " open files";
  if (limit < 1024) {
    return {Level::kWarning, "ulimit", found,
            "each connection needs an open file; raise the limit with ulimit -n 4096 or LimitNOFILE="};
  }
  return {Level::kOk, "ulimit", found, ""};
}

}  // namespace

std::vector<Check> check_machine(const fs::path& root) {
  const ControlGroup group = read_control_group(root);
  std::vector<Check> checks{check_cpu(root)};
  for (Check& check : check_cores(group.cpu)) checks.push_back(std::move(check));
  checks.push_back(check_memory(group.memory.limit_bytes, root));
  checks.push_back(check_torch());
  checks.push_back(check_allocator());
  checks.push_back(check_files());
  return checks;
}

}  // namespace infer::cli
