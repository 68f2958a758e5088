#pragma once

#include <algorithm>
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

/// How samples become batches, and how many may wait.
struct BatchOptions {
  std::size_t max_batch_size = 8;  ///< Samples in one forward, at most.
  std::size_t max_batch_cost = 0;  ///< Sum of sample costs (tokens) in one forward; 0: no budget.
  std::chrono::microseconds max_queue_delay{
      0};                           ///< Linger for company, counted from the oldest queued sample.
  std::size_t max_queue_size = 64;  ///< Samples queued, at most.
  std::size_t max_queue_bytes = std::size_t{256} << 20;  ///< Bytes of samples queued, at most.
  std::vector<std::size_t> allowed_batch_sizes;  ///< Sizes a batch is rounded down to; empty: every size.
};

/// Checks options before they are used. Errors: `kInvalidArgument`, naming the field, its value and the
/// limit.
inline Result<void> validate(const BatchOptions& options) {
  const auto bad = [](std::string message) { return fail(ErrorCode::kInvalidArgument, std::move(message)); };
  if (options.max_batch_size == 0) return bad("max_batch_size: 0 is below the minimum of 1");
  if (options.max_queue_size == 0) return bad("max_queue_size: 0 is below the minimum of 1");
  if (options.max_queue_size > (std::size_t{1} << 20)) {
    return bad("max_queue_size: " + std::to_string(options.max_queue_size) +
               " exceeds the maximum of 1048576");
  }
  if (options.max_queue_delay.count() < 0) return bad("max_queue_delay: must not be negative");
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

/// What the policy sees of one queued sample.
struct QueueItem {
  TimePoint enqueued;
  std::size_t cost = 1;
  std::uint64_t key = 0;  ///< Given by the queue: equal for samples that can share a batch.
};

/// What the policy sees of the queue: the samples in the order in which they will be served.
template <class Items = std::span<const QueueItem>>
struct QueueView {
  Items items;
  std::size_t idle_workers = 1;  ///< Workers with nothing to do, the asking one counted in.
  bool draining = false;         ///< No further samples will come: do not linger.
};

/// Serve the first `count` samples whose key is that of the first.
struct Dispatch {
  std::size_t count;
};
/// Ask again at `time`, or when the queue changes.
struct WaitUntil {
  TimePoint time;
};
/// Ask again when the queue changes.
struct WaitForever {};
using Decision = std::variant<WaitForever, WaitUntil, Dispatch>;

/// Decides when to run how large a batch: a pure value without threads and without a clock of its own.
///
/// Work-conserving: with `max_queue_delay` 0 a worker that asks gets what is there. When several workers are
/// idle the queue is shared out between them, since two half batches side by side finish before one whole
/// batch.
class BatchPolicy {
 public:
  BatchPolicy() = default;
  explicit BatchPolicy(BatchOptions options) : options_(std::move(options)) {}

  const BatchOptions& options() const noexcept { return options_; }

  /// Samples in the largest batch that is ever run.
  std::size_t largest_batch() const noexcept {
    const auto& sizes = options_.allowed_batch_sizes;
    return sizes.empty() ? options_.max_batch_size : sizes.back();
  }

  template <class Items>
  Decision decide(const QueueView<Items>& view, TimePoint now) const noexcept {
    if (view.items.empty()) return WaitForever{};
    const auto [fitting, full] = fitting_prefix(view.items);
    if (options_.max_queue_delay.count() > 0 && !view.draining && !full) {
      TimePoint oldest = kNever;
      for (const auto& item : view.items) oldest = std::min(oldest, item.enqueued);
      const TimePoint ripe = oldest + options_.max_queue_delay;
      if (now < ripe) return WaitUntil{ripe};
    }
    const std::size_t workers = std::max<std::size_t>(1, view.idle_workers);
    const std::size_t share = (view.items.size() + workers - 1) / workers;
    return Dispatch{round_down(std::min(fitting, share))};
  }

 private:
  struct Fit {
    std::size_t count;
    bool full;  ///< A later sample could not be added, whatever it were.
  };

  template <class Items>
  Fit fitting_prefix(const Items& items) const noexcept {
    const std::uint64_t key = items.front().key;
    const std::size_t budget =
        options_.max_batch_cost == 0 ? std::numeric_limits<std::size_t>::max() : options_.max_batch_cost;
    std::size_t count = 0;
    std::size_t cost = 0;
    for (const auto& item : items) {
      if (item.key != key) continue;
      // The first sample always goes: what can never fit was refused when it was submitted.
      if (count > 0 && item.cost > budget - std::min(cost, budget)) return {count, true};
      cost += item.cost;
      if (++count == largest_batch()) return {count, true};
    }
    return {count, cost >= budget};
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
