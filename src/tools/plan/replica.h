#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "infer/core/batch_policy.h"
#include "infer/core/scheduler_stats.h"
#include "infer/tools/simulation.h"

namespace infer::inline v0::tools {

/// One server in simulated time (seconds from the start). It admits and prepares requests, forms batches
/// with the engine's own `BatchPolicy`, and computes. Requests that would not begin within `max_wait` are
/// refused by the engine's own rule, before and after preparation. Each request has one sample.
///
/// Threads share the cores as under Linux: workers have niceness 5, and therefore a third of the weight of
/// a preparing thread (kernel/sched/core.c, sched_prio_to_weight: 1024 and 335).
class Replica {
 public:
  explicit Replica(const ReplicaOptions& options) : options_(&options), policy_(options.batch) {}

  /// Admits a request, or refuses it as the server would (429).
  bool arrive(double now);
  /// Returns the time of the next event, or nothing while the server is idle.
  std::optional<double> next() const;
  /// Processes the events that are due, and appends the arrival times of answered requests. Returns how
  /// many requests were refused after preparation.
  std::size_t step(double now, std::vector<double>& answered);

  std::size_t inflight() const noexcept { return inflight_; }
  /// Returns the CPU seconds used until `now`.
  double cpu_seconds(double now);

 private:
  /// Progress of each thread within one second.
  struct Rates {
    double prepare = 0;
    double forward = 0;
    double cores = 0;  ///< Of all threads together.
  };
  struct Preparing {
    double arrived;
    double until;  ///< In terms of `prepared_`.
  };
  struct Running {
    std::vector<double> arrived;
    double until;  ///< In terms of `computed_`.
    TimePoint start;
  };

  bool begins_in_time() const;
  void advance(double now);
  void dispatch(double now);
  void update();

  const ReplicaOptions* options_;
  BatchPolicy policy_;
  double now_ = 0;
  double prepared_ = 0;  // work in seconds that a continuously preparing thread would have done so far
  double computed_ = 0;
  double cpu_ = 0;
  Rates rates_;
  std::size_t inflight_ = 0;
  std::deque<Preparing> preparing_;
  std::vector<Running> running_;
  std::vector<QueueItem> queue_;
  std::deque<double> waiting_;  // arrival times of queued requests
  std::optional<double> linger_until_;
  DrainRate drain_rate_;
};

}  // namespace infer::inline v0::tools
