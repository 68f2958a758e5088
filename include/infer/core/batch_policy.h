#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "infer/core/clock.h"
#include "infer/core/result.h"

namespace infer::inline v0 {

/// The sizes of batches and the bounds of the queue.
///
/// `validate` checks the values. docs/batching.md says how to choose them.
struct BatchOptions {
  std::size_t max_batch_size = 8;  ///< Maximum number of samples in one forward.
  /// Maximum sum of sample costs (such as tokens) in one forward; 0: no limit.
  std::size_t max_batch_cost = 0;
  /// Maximum time that the oldest queued sample waits for a fuller batch; 0: an idle worker starts at once.
  std::chrono::microseconds max_queue_delay{0};
  std::size_t max_queue_size = 64;  ///< Maximum number of queued samples.
  /// Maximum number of bytes of all queued samples together.
  std::size_t max_queue_bytes = std::size_t{256} << 20;
  /// Batch sizes to round down to, ascending from 1; empty: every size.
  std::vector<std::size_t> allowed_batch_sizes;
};

/// Checks batch options; the function is pure.
///
/// Errors: `kInvalidArgument`, naming the field, its value and the limit.
inline Result<void> validate(const BatchOptions& options) {
  const auto bad = [](std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); };
  if (options.max_batch_size == 0) return bad("max_batch_size: 0 is below the minimum of 1");
  if (options.max_queue_size == 0) return bad("max_queue_size: 0 is below the minimum of 1");
  if (options.max_queue_size > (std::size_t{1} << 20)) {
    return bad("max_queue_size: " + std::to_string(options.max_queue_size) +
               " exceeds the maximum of 1048576");
  }
  if (options.max_queue_delay.count() < 0)
    return bad("max_queue_delay: " + std::to_string(options.max_queue_delay.count()) + " us is below 0");
  const auto& sizes = options.allowed_batch_sizes;
  if (!sizes.empty()) {
    if (!std::is_sorted(sizes.begin(), sizes.end())) return bad("allowed_batch_sizes: must be ascending");
    if (sizes.front() != 1) {
      return bad("allowed_batch_sizes: must contain 1, found " + std::to_string(sizes.front()) +
                 " as the smallest");
    }
    if (sizes.back() > options.max_batch_size) {
      return bad("allowed_batch_sizes: " + std::to_string(sizes.back()) + " exceeds max_batch_size " +
                 std::to_string(options.max_batch_size));
    }
  }
  return {};
}

/// The policy's view of one queued sample.
struct QueueItem {
  TimePoint enqueued;     ///< When the sample entered the queue.
  std::size_t cost = 1;   ///< Counts against `BatchOptions::max_batch_cost`.
  std::uint64_t key = 0;  ///< Equal keys can share a batch; the queue assigns them.
};

/// The policy's view of the queue.
template <class Items = std::span<const QueueItem>>
struct QueueView {
  Items items;                   ///< The queued samples in the order of service.
  std::size_t idle_workers = 1;  ///< Number of idle workers, the asking one included.
  bool draining = false;  ///< No further samples will come, so waiting for a fuller batch is pointless.
};

/// The decision to run a batch now: the first `count` samples that have the key of the first sample.
struct Dispatch {
  std::size_t count;  ///< Number of samples in the batch, at least 1.
};
/// The decision to ask again at `time`, or earlier when the queue changes.
struct WaitUntil {
  TimePoint time;  ///< When to ask again.
};
/// The decision to ask again when the queue changes.
struct WaitForever {};
/// What a worker does next.
using Decision = std::variant<WaitForever, WaitUntil, Dispatch>;

/// Decides when a batch starts and how large it is.
///
/// A policy is an immutable value without threads and without a clock; its functions are pure and
/// thread-safe. With `max_queue_delay` 0 no worker idles while samples wait. The policy divides the queue
/// between idle workers, since two half batches in parallel finish before one whole batch.
class BatchPolicy {
 public:
  /// Makes a policy with default options.
  BatchPolicy() = default;
  /// Makes a policy for `options`, which must pass `validate`.
  explicit BatchPolicy(BatchOptions options) : options_(std::move(options)) {}

  /// Returns the options; the reference lives as long as the policy.
  const BatchOptions& options() const noexcept { return options_; }

  /// Returns the number of samples in the largest batch that the policy ever runs.
  std::size_t largest_batch() const noexcept {
    const auto& sizes = options_.allowed_batch_sizes;
    return sizes.empty() ? options_.max_batch_size : sizes.back();
  }

  /// Decides what a worker that asks at `now` does next; allocates nothing.
  template <class Items>
  Decision decide(const QueueView<Items>& view, TimePoint now) const noexcept {
    if (view.items.empty()) return WaitForever{};
    if (options_.max_queue_delay.count() > 0 && !view.draining && !holds_full_batch(view.items)) {
      TimePoint oldest = kNever;
      for (const auto& item : view.items) oldest = std::min(oldest, item.enqueued);
      const TimePoint ripe = oldest + options_.max_queue_delay;
      if (now < ripe) return WaitUntil{ripe};
    }
    const std::size_t workers = std::max<std::size_t>(1, view.idle_workers);
    const std::size_t share = (view.items.size() + workers - 1) / workers;
    return Dispatch{round_down(std::min(first_batch(view.items), share))};
  }

 private:
  /// The samples of one key in the order of service, up to the first that does not fit.
  struct Filling {
    std::uint64_t key = 0;
    std::size_t most = 0;    ///< Maximum number of samples.
    std::size_t budget = 0;  ///< Cost that further samples may have.
    std::size_t count = 0;
  };

  Filling start_batch(std::uint64_t key) const noexcept {
    const std::size_t cost = options_.max_batch_cost;
    return {key, largest_batch(), cost == 0 ? std::numeric_limits<std::size_t>::max() : cost};
  }

  /// Adds a sample if it fits. Returns true if no further sample fits.
  static bool fill(Filling& batch, std::size_t cost) noexcept {
    // The first sample always fits: a sample that can never fit was refused when it was submitted.
    if (cost > batch.budget && batch.count > 0) return true;
    batch.budget -= std::min(cost, batch.budget);
    return ++batch.count == batch.most || batch.budget == 0;
  }

  /// Returns the number of samples that can run together with the first sample.
  template <class Items>
  std::size_t first_batch(const Items& items) const noexcept {
    Filling batch = start_batch(items.front().key);
    for (const auto& item : items) {
      if (item.key == batch.key && fill(batch, item.cost)) break;
    }
    return batch.count;
  }

  /// Returns true if the samples of some key fill a batch. Waiting cannot make a full batch fuller, so the
  /// first queued samples then run at once. Only the first sixteen keys are checked; samples of other keys
  /// may wait longer.
  template <class Items>
  bool holds_full_batch(const Items& items) const noexcept {
    std::array<Filling, 16> batches;
    std::size_t keys = 0;
    for (const auto& item : items) {
      const auto end = batches.begin() + static_cast<std::ptrdiff_t>(keys);
      auto batch =
          std::find_if(batches.begin(), end, [&](const Filling& one) { return one.key == item.key; });
      if (batch == end) {
        if (keys == batches.size()) continue;
        batches[keys++] = start_batch(item.key);
      }
      if (fill(*batch, item.cost)) return true;
    }
    return false;
  }

  std::size_t round_down(std::size_t count) const noexcept {
    const auto& sizes = options_.allowed_batch_sizes;
    if (sizes.empty()) return count;
    const auto above = std::upper_bound(sizes.begin(), sizes.end(), count);
    return above == sizes.begin() ? count : *std::prev(above);
  }

  BatchOptions options_;
};

}  // namespace infer::inline v0
