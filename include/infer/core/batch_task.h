#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "infer/core/clock.h"
#include "infer/core/error.h"

namespace infer::inline v0 {

/// The place of one request in the fair order; shared by all its samples and touched by the queue alone.
struct FairLane {
  std::uint64_t next_tag = 0;  ///< 0 before the first sample was queued.

  bool has_begun() const noexcept { return next_tag != 0; }
};

/// What the scheduler needs to know of a unit of work.
///
/// `fail` completes the task unless it is complete: idempotent, noexcept, and callable from another thread
/// while an executor works on the task. `deadline` is `kNever` where there is none; `lane` is null for a
/// request of one sample. `shares_batch_with` says who may share a batch: an equivalence of what the tasks
/// are, never of a digest, which strangers can make equal.
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
