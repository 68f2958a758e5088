#include "operations/process_metrics.h"

#include "infer/machine/control_group.h"
#include "infer/machine/descriptors.h"
#include "infer/machine/memory.h"
#include "infer/version.h"

namespace infer::http {
void add_process_metrics(MetricsRegistry& metrics) {
  metrics.gauge("infer_build_info", "Always 1; the version is in the label.", {{"version", INFER_VERSION}})
      .set(1);
  Gauge& quota = metrics.gauge(
      "infer_cpu_quota_cores",
      "Number of cores that the control group's CPU quota allows. 0: the control group sets no quota.");
  Gauge& periods =
      metrics.gauge("infer_cpu_throttled_periods",
                    "Number of CPU scheduling periods in which the control group was throttled.");
  Gauge& held = metrics.gauge("infer_cpu_throttled_seconds",
                              "Total time that the control group was throttled, in seconds.");
  Gauge& memory = metrics.gauge("process_resident_memory_bytes", "Resident memory of the process, in bytes.");
  Gauge& descriptors = metrics.gauge("process_open_fds", "Number of open file descriptors.");
  metrics.gauge("process_max_fds", "Maximum number of open file descriptors.")
      .set(static_cast<double>(descriptor_limit()));
  metrics.on_collect([&quota, &periods, &held, &memory, &descriptors] {
    const CpuLimits limits = read_control_group().cpu;
    quota.set(limits.quota_cores.value_or(0));
    periods.set(static_cast<double>(limits.throttled_periods));
    held.set(static_cast<double>(limits.throttled_us) * 1e-6);
    memory.set(static_cast<double>(resident_memory()));
    descriptors.set(static_cast<double>(open_descriptors()));
  });
}

}  // namespace infer::http
