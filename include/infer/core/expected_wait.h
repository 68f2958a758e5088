#pragma once

#include <cstddef>

namespace infer::inline v0 {

/// Seconds until a new sample begins, if `ahead` go before it in whole batches of `largest_batch` and `rate`
/// a second leave the workers. 0 if the next batch has room for it, or no rate is known yet (`rate` 0). The
/// rule of admission by `max_wait`.
inline double expected_wait(std::size_t ahead, std::size_t largest_batch, double rate) noexcept {
  const std::size_t batches = ahead / largest_batch;
  return rate > 0 ? static_cast<double>(batches * largest_batch) / rate : 0;
}

}  // namespace infer::inline v0
