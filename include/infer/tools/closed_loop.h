#pragma once

#include <cstddef>
#include <stop_token>

#include "infer/tools/sample_request.h"

namespace infer::inline v0::tools {

/// What clients measure if each of them waits for an answer before it sends the next request.
struct ClosedLoop {
  double per_second = 0;  ///< Answers per second, of all clients together.
  double p95 = 0;         ///< 95th percentile of the latency, in seconds.
};

/// Measures `clients` threads for `seconds`. Each thread sends its next request as soon as it has an
/// answer.
///
/// The first fifth of the time is not counted. Blocks until all threads have ended.
///
/// Errors: the first error of a request; `kCancelled` when `stop` is requested.
Result<ClosedLoop> closed_loop(const SampleRequest& request, std::size_t clients, double seconds,
                               const std::stop_token& stop);

}  // namespace infer::inline v0::tools
