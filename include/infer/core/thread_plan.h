#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "infer/core/result.h"

namespace infer::inline v0 {

/// The numbers of threads that compute.
struct ThreadPlan {
  std::size_t usable_cores = 1;      ///< Cores that affinity and control groups leave to this process.
  std::size_t workers = 1;           ///< Batches in parallel, each on its own thread.
  std::size_t intra_op_threads = 1;  ///< Threads inside each forward.
};

/// Plans threads for `usable_cores`; 0 for `workers` or `intra_op_threads` asks for the default.
///
/// The default is one worker with one thread for each core, which gives the most throughput.
///
/// Errors: `kInvalidArgument` if `workers` x `intra_op_threads` exceeds the usable cores (at least 1), since
/// OpenMP teams that share a core spin against each other; also if either exceeds 1024.
inline Result<ThreadPlan> plan_threads(std::size_t usable_cores, std::size_t workers,
                                       std::size_t intra_op_threads) {
  ThreadPlan plan;
  plan.usable_cores = std::max<std::size_t>(1, usable_cores);
  plan.intra_op_threads = intra_op_threads != 0 ? intra_op_threads
                          : workers != 0        ? std::max<std::size_t>(1, plan.usable_cores / workers)
                                                : 1;
  plan.workers = workers != 0 ? workers : std::max<std::size_t>(1, plan.usable_cores / plan.intra_op_threads);
  if (plan.workers > 1024 || plan.intra_op_threads > 1024) {
    return fail(ErrorCode::kInvalidArgument,
                "workers " + std::to_string(plan.workers) + " x intra_op_threads " +
                    std::to_string(plan.intra_op_threads) + ": each is limited to 1024");
  }
  if (plan.workers * plan.intra_op_threads > plan.usable_cores) {
    return fail(ErrorCode::kInvalidArgument, "workers " + std::to_string(plan.workers) +
                                                 " x intra_op_threads " +
                                                 std::to_string(plan.intra_op_threads) + " exceeds the " +
                                                 std::to_string(plan.usable_cores) + " usable cores");
  }
  return plan;
}

}  // namespace infer::inline v0
