#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "infer/core/clock.h"
#include "infer/core/error.h"

namespace infer::inline v0 {

/// The position of one request in the fair order.
///
/// All samples of the request share one lane. Only the queue changes a lane, under the scheduler's lock.
struct FairLane {
  std::uint64_t next_tag = 0;  ///< Round of the next sample; 0 before the first sample was queued.

  /// Returns true once a sample of the request was queued.
  bool has_begun() const noexcept { return next_tag != 0; }
};

/// The requirements of a scheduler on a unit of work.
///
/// `fail` completes the task unless it is complete already: it is idempotent, noexcept, and callable from
/// another thread while an executor works on the task. `deadline` is `kNever` for a task without a deadline.
/// `cost` counts against `max_batch_cost`, `bytes` against `max_queue_bytes`. `lane` is null for a request of
/// one sample. `shares_batch_with` tells whether two tasks may share a batch; it must be an equivalence that
/// compares the tasks themselves and never a digest, since clients can construct equal digests.
template <class T>
concept BatchTask = std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
                    requires(const T& task, const T& other, Error error) {
                      { task.deadline() } noexcept -> std::convertible_to<TimePoint>;
                      { task.cost() } noexcept -> std::convertible_to<std::size_t>;
                      { task.bytes() } noexcept -> std::convertible_to<std::size_t>;
                      { task.shares_batch_with(other) } noexcept -> std::convertible_to<bool>;
                      { task.cancelled() } noexcept -> std::convertible_to<bool>;
                      { task.lane() } noexcept -> std::convertible_to<FairLane*>;
                      { task.fail(std::move(error)) } noexcept;
                    };

}  // namespace infer::inline v0
