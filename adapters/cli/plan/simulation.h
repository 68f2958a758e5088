#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "latency_histogram.h"
#include "load/arrivals.h"
#include "plan/autoscaler.h"
#include "plan/replica.h"

namespace infer::cli {

struct SimulationOptions {
  ReplicaOptions replica;
  std::size_t replicas = 1;                     ///< At the beginning, or always.
  std::optional<AutoscalerOptions> autoscaler;  ///< None: their number stays.
  double requested_cores = 1;                   ///< Of a replica, which utilization is a part of.
  double start_seconds = 5;                     ///< From a decision to a replica that is ready.
};

struct Prediction {
  std::size_t answered = 0;
  std::size_t refused = 0;
  double seconds = 0;                                    ///< Until the last answer.
  LatencyHistogram times;                                ///< From arrival to answer.
  std::vector<std::pair<double, std::size_t>> replicas;  ///< Ready ones, when that changed.
  double utilization = 0;                                ///< Of all ready replicas' cores.

  double drop_rate() const noexcept {
    const std::size_t all = answered + refused;
    return all == 0 ? 0 : static_cast<double>(refused) / static_cast<double>(all);
  }
};

/// What happens to `arrivals` in a service of so many servers. A balancer sends each request to a ready
/// server chosen at random, as kube-proxy does with connections. The same input gives the same answer.
Prediction simulate(const SimulationOptions& options, Arrivals arrivals);

}  // namespace infer::cli
