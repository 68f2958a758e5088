#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// Settings with which a model could be served.
struct Candidate {
  std::string version;               ///< Version of the model.
  std::size_t workers = 1;           ///< `ThreadPlan::workers`.
  std::size_t intra_op_threads = 1;  ///< `ThreadPlan::intra_op_threads`.
  std::size_t max_batch_size = 1;    ///< `BatchOptions::max_batch_size`.
  double max_queue_delay_ms = 0;     ///< `BatchOptions::max_queue_delay`, in milliseconds.

  /// Whether all settings are equal.
  bool operator==(const Candidate&) const = default;
};

/// One measurement of a candidate.
struct Trial {
  Candidate candidate;    ///< What was measured.
  double per_second = 0;  ///< Samples per second.
  double p95 = 0;         ///< 95th percentile of the latency, in seconds.
};

/// Options of a search.
struct SearchOptions {
  double seconds = 60;       ///< Time of all trials together, in seconds.
  double least_trial = 0.3;  ///< Shortest trial, in seconds.
  double p95 = 0;            ///< Maximum p95 of the chosen candidate, in seconds; 0: no limit.
  double worth = 0.02;       ///< Fraction by which another candidate must be better than the first one.
};

/// Measures a candidate for the given number of seconds.
using Measure = std::function<Result<Trial>(const Candidate&, double seconds)>;

/// Finds the candidate with the highest throughput among those that meet the objective, by successive
/// halving.
///
/// All candidates are measured briefly, the better half longer, and so on. Each round takes equally long
/// (K. Jamieson, A. Talwalkar: "Non-stochastic Best Arm Identification and Hyperparameter Optimization",
/// 2016). The first candidate is the current configuration: it stays until the end and wins unless another
/// candidate is clearly better.
///
/// Returns the last trial of every candidate, the chosen one first. Blocking.
///
/// Errors: those of `measure`; `kInvalidArgument` (no candidates).
Result<std::vector<Trial>> successive_halving(std::vector<Candidate> candidates, const SearchOptions& options,
                                              const Measure& measure);

/// Returns the trials that no other trial beats in both throughput and p95, the fastest first.
std::vector<Trial> front(std::vector<Trial> trials);

}  // namespace infer::inline v0::tools
