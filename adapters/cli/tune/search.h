#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "infer/core/result.h"

namespace infer::cli {

/// One way to serve a model.
struct Candidate {
  std::string version;
  std::size_t workers = 1;
  std::size_t intra_op_threads = 1;
  std::size_t max_batch_size = 1;
  double max_queue_delay_ms = 0;

  bool operator==(const Candidate&) const = default;
};

struct Trial {
  Candidate candidate;
  double per_second = 0;
  double p95 = 0;  ///< Seconds.
};

struct SearchOptions {
  double seconds = 60;       ///< For all trials together.
  double least_trial = 0.3;  ///< Seconds of one.
  double p95 = 0;            ///< Seconds that the chosen one must keep; 0: any.
  double worth = 0.02;       ///< Part by which another must be better than the first candidate.
};

using Measure = std::function<Result<Trial>(const Candidate&, double seconds)>;

/// Finds the candidate with the highest throughput among those that keep the objective, by successive
/// halving: all are measured shortly, the better half longer, and so on, each round with the same time (K.
/// Jamieson, A. Talwalkar: "Non-stochastic Best Arm Identification and Hyperparameter Optimization", 2016).
/// The first candidate is what would be used otherwise: it stays to the end and wins unless another is
/// clearly better.
///
/// Returns the last trial of every candidate, the chosen one first. Errors: those of `measure`.
Result<std::vector<Trial>> successive_halving(std::vector<Candidate> candidates, const SearchOptions& options,
                                              const Measure& measure);

/// Those that no other beats in both throughput and p95, the fastest first.
std::vector<Trial> front(std::vector<Trial> trials);

}  // namespace infer::cli
