#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "infer/core/result.h"

namespace infer::inline v0::tools {

/// One way to serve a model.
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

/// How long a search takes, and what it looks for.
struct SearchOptions {
  double seconds = 60;       ///< Time of all trials together, in seconds.
  double least_trial = 0.3;  ///< Shortest trial, in seconds.
  double p95 = 0;            ///< Maximum p95 of the chosen candidate, in seconds; 0: no limit.
  double worth = 0.02;       ///< Fraction by which a candidate must beat the first one.
};

/// Measures a candidate for `seconds` seconds.
using Measure = std::function<Result<Trial>(const Candidate&, double seconds)>;

/// Finds the candidate with the highest throughput among those that keep the objective, by successive
/// halving.
///
/// All candidates are measured briefly, the better half longer, and so on; each round takes the same time (K.
/// Jamieson, A. Talwalkar: "Non-stochastic Best Arm Identification and Hyperparameter Optimization", 2016).
/// The first candidate is what is used without a search: it stays to the end and wins unless another
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
