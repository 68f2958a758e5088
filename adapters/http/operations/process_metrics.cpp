#include "operations/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "infer/core/thread_plan.h"
#include "infer/version.h"

namespace infer::http {
namespace {

/// Bytes of memory in use, as the second number of /proc/self/statm has it in pages.
double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double open_descriptors() {
  std::error_code error;
  double count = 0;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error)) ++count;
  return count;
}

double descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

void add_process_metrics(MetricsRegistry& metrics) {
  metrics.gauge("infer_build_info", "Always 1; the version is in the label.", {{"version", INFER_VERSION}})
      .set(1);
  Gauge& quota = metrics.gauge("infer_cpu_quota_cores", "Cores that the control group grants; 0: no limit.");
  Gauge& periods =
      metrics.gauge("infer_cpu_throttled_periods", "Periods in which the control group held this process.");
  Gauge& held = metrics.gauge("infer_cpu_throttled_seconds", "Seconds for which it did.");
  Gauge& memory = metrics.gauge("process_resident_memory_bytes", "Bytes of memory in use.");
  Gauge& descriptors = metrics.gauge("process_open_fds", "File descriptors in use.");
  metrics.gauge("process_max_fds", "File descriptors there may be.").set(descriptor_limit());
  metrics.on_collect([&quota, &periods, &held, &memory, &descriptors] {
    const CpuLimits limits = read_cpu_limits();
    quota.set(limits.quota_cores.value_or(0));
    periods.set(static_cast<double>(limits.throttled_periods));
    held.set(static_cast<double>(limits.throttled_us) * 1e-6);
    memory.set(resident_bytes());
    descriptors.set(open_descriptors());
  });
}

}  // namespace infer::http
