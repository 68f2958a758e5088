#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace infer::inline v0 {

/// Returns the seconds until a worker finishes its batch of `count` samples, on which it has worked for
/// `seconds`, if `workers` workers finish `rate` samples a second together; 0 if the batch takes longer than
/// that already, or if `rate` is 0 (unknown).
inline double expected_rest(std::size_t count, double seconds, std::size_t workers, double rate) noexcept {
  const double batch = rate > 0 ? static_cast<double>(count * workers) / rate : 0;
  return std::max(0.0, batch - seconds);
}

/// Returns the seconds until a new sample begins: the rule of admission by `max_wait`.
///
/// `ahead` samples go before it, in batches of `largest_batch`. `rests` has one entry per worker, at least
/// one: the seconds until that worker is free (`expected_rest`); the call reorders them. Each worker that
/// becomes free takes the next batch, so that the sample begins with the worker that frees itself after the
/// batches ahead have begun. Returns 0 if `rate` is 0 (unknown).
inline double expected_wait(std::size_t ahead, std::size_t largest_batch, double rate,
                            std::span<double> rests) noexcept {
  if (rate <= 0) return 0;
  const std::size_t batches = ahead / largest_batch;
  const std::size_t workers = rests.size();
  const auto next = rests.begin() + static_cast<std::ptrdiff_t>(batches % workers);
  std::nth_element(rests.begin(), next, rests.end());
  const std::size_t before = batches - batches % workers;  // rounds in which each worker takes a batch
  return *next + static_cast<double>(before * largest_batch) / rate;
}

}  // namespace infer::inline v0
