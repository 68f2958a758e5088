#include "operations/process_metrics.h"

#include "infer/machine/control_group.h"
#include "infer/machine/descriptors.h"
#include "infer/machine/memory.h"
#include "infer/version.h"

namespace infer::http {
void add_process_metrics(MetricsRegistry& metrics) {
  metrics.gauge("infer_build_info", "Always 1; the version is in the label.", {{"version", INFER_VERSION}})
      .set(1);
  Gauge& quota = metrics.gauge("infer_cpu_quota_cores", "Cores that the control group grants; 0: no limit.");
  Gauge& periods =
      metrics.gauge("infer_cpu_throttled_periods", "Periods in which the control group held this process.");
  Gauge& held = metrics.gauge("infer_cpu_throttled_seconds", "Seconds for which it did.");
  Gauge& memory = metrics.gauge("process_resident_memory_bytes", "Bytes of memory in use.");
  Gauge& descriptors = metrics.gauge("process_open_fds", "File descriptors in use.");
  metrics.gauge("process_max_fds", "File descriptors there may be.")
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
