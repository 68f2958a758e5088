#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "infer/core/batch_policy.h"
#include "infer/tools/arrivals.h"
#include "infer/tools/autoscaler.h"
#include "infer/tools/latency_histogram.h"
#include "infer/tools/service_curve.h"

namespace infer::inline v0::tools {

/// One server of a simulated service.
struct ReplicaOptions {
  BatchOptions batch;                     ///< The batch policy of the engine.
  std::size_t max_inflight = 64;          ///< Requests that the server admits at a time.
  std::chrono::milliseconds max_wait{0};  ///< As `EngineOptions::max_wait`; 0: no limit.
  double cores = 1;                       ///< Cores that all threads of the server may use together.
  ServiceCurve curve;                     ///< Times of the model.
};

/// A simulated service.
struct SimulationOptions {
  ReplicaOptions replica;                       ///< Each server.
  std::size_t replicas = 1;                     ///< Servers at the beginning.
  std::optional<AutoscalerOptions> autoscaler;  ///< Empty: the number of servers is constant.
  double requested_cores = 1;                   ///< CPU request of a server, the base of utilization.
  double start_seconds = 5;                     ///< Time from a scaling decision to a ready server.
};

/// The predicted behaviour of a service.
struct Prediction {
  std::size_t answered = 0;                              ///< Requests that were answered.
  std::size_t refused = 0;                               ///< Requests that were refused (429).
  double seconds = 0;                                    ///< Time until the last answer.
  LatencyHistogram times;                                ///< Latencies from arrival to answer.
  std::vector<std::pair<double, std::size_t>> replicas;  ///< Number of ready servers at each change.
  double utilization = 0;                                ///< Share of the cores of all ready servers.

  /// Returns the fraction of all requests that was refused.
  double drop_rate() const noexcept {
    const std::size_t all = answered + refused;
    return all == 0 ? 0 : static_cast<double>(refused) / static_cast<double>(all);
  }
};

/// Predicts how a service handles `arrivals`.
///
/// Runs the engine's own `BatchPolicy` and `max_wait` rule in simulated time. Each request has one sample.
/// A balancer sends each request to a random ready server, as kube-proxy does with connections. The threads
/// of a server share its cores as under Linux. The same input gives the same result. Thread-safe.
Prediction simulate(const SimulationOptions& options, Arrivals arrivals);

}  // namespace infer::inline v0::tools
