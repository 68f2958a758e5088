#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "infer/core/batch_policy.h"
#include "infer/core/scheduler_stats.h"
#include "infer/tools/simulation.h"

namespace infer::inline v0::tools {

/// One server under simulated time (seconds from the start): it admits, prepares, batches by the very
/// `BatchPolicy` of the engine, and computes. What would not begin within `max_wait` is refused by the
/// engine's own rule, before and after it was prepared. Requests have one sample each.
///
/// Its threads share the cores as Linux shares them: workers have niceness 5, and with it a third of the
/// weight of a thread that prepares (kernel/sched/core.c, sched_prio_to_weight: 1024 and 335).
class Replica {
 public:
  explicit Replica(const ReplicaOptions& options) : options_(&options), policy_(options.batch) {}

  /// Takes a request in, or refuses it as the server would: 429.
  bool arrive(double now);
  /// When something happens next; nothing while it is idle.
  std::optional<double> next() const;
  /// Does what is due, and adds the arrival times of the requests that are answered by it. Returns how many
  /// were refused after they had been prepared.
  std::size_t step(double now, std::vector<double>& answered);

  std::size_t inflight() const noexcept { return inflight_; }
  /// CPU seconds used until `now`.
  double cpu_seconds(double now);

 private:
  /// Progress of each thread for one second of time.
  struct Rates {
    double prepare = 0;
    double forward = 0;
    double cores = 0;  ///< Used by all of them.
  };
  struct Preparing {
    double arrived;
    double until;  ///< Of `prepared_`.
  };
  struct Running {
    std::vector<double> arrived;
    double until;  ///< Of `computed_`.
    TimePoint start;
  };

  bool begins_in_time() const;
  void advance(double now);
  void dispatch(double now);
  void update();

  const ReplicaOptions* options_;
  BatchPolicy policy_;
  double now_ = 0;
  double prepared_ = 0;  // what a thread that had always prepared would have done so far, in seconds of work
  double computed_ = 0;
  double cpu_ = 0;
  Rates rates_;
  std::size_t inflight_ = 0;
  std::deque<Preparing> preparing_;
  std::vector<Running> running_;
  std::vector<QueueItem> queue_;
  std::deque<double> waiting_;  // arrival times of what is queued
  std::optional<double> linger_until_;
  DrainRate drain_rate_;
};

}  // namespace infer::inline v0::tools
