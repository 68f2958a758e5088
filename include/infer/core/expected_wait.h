#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace infer::inline v0 {

/// Returns the seconds until a worker finishes its batch of `count` samples, on which it has worked for
/// `seconds`, if a worker spends `seconds_per_sample` on a sample; 0 if the batch takes longer than usual.
inline double expected_rest(std::size_t count, double seconds, double seconds_per_sample) noexcept {
  return std::max(0.0, static_cast<double>(count) * seconds_per_sample - seconds);
}

/// Returns the seconds until a new sample begins: the rule of admission by `max_wait`.
///
/// `ahead` samples are served before the new sample, in batches of `largest_batch`. A worker spends
/// `seconds_per_sample` on a sample (0: unknown; the samples ahead then add no wait). `rests` has one entry
/// per worker, at least one: the seconds until that worker is free (`expected_rest`). The call reorders
/// `rests`. Each free worker takes the next batch; the new sample begins when a worker becomes free after all
/// batches ahead have begun.
inline double expected_wait(std::size_t ahead, std::size_t largest_batch, double seconds_per_sample,
                            std::span<double> rests) noexcept {
  const std::size_t batches = ahead / largest_batch;
  const std::size_t rounds = batches / rests.size();  // in each round every worker takes one batch
  const auto next = rests.begin() + static_cast<std::ptrdiff_t>(batches % rests.size());
  std::nth_element(rests.begin(), next, rests.end());
  return *next + static_cast<double>(rounds * largest_batch) * seconds_per_sample;
}

}  // namespace infer::inline v0
