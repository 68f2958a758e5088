#pragma once

#include "infer/core/metrics.h"

namespace infer::http {

/// Adds metrics of the process: build, CPU quota and throttling, memory, descriptors.
void add_process_metrics(MetricsRegistry& metrics);

}  // namespace infer::http
