#pragma once

#include <cstddef>
#include <stop_token>

#include "sample_request.h"

namespace infer::cli {

struct ClosedLoop {
  double per_second = 0;
  double p95 = 0;  ///< Seconds.
};

/// `clients` threads that each send the next request once they have the answer, for `seconds`. Blocks until
/// all have ended; the first fifth is left out. Errors: the first that a request gave; `kCancelled`.
Result<ClosedLoop> closed_loop(const SampleRequest& request, std::size_t clients, double seconds,
                               const std::stop_token& stop);

}  // namespace infer::cli
