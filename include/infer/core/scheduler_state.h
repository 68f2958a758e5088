#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "infer/core/batch_policy.h"
#include "infer/core/batch_task.h"
#include "infer/core/clock.h"
#include "infer/core/expected_wait.h"
#include "infer/core/fair_queue.h"
#include "infer/core/result.h"
#include "infer/core/scheduler_stats.h"

namespace infer::inline v0 {

/// The function that runs one batch on worker `worker` and completes every task of it.
///
/// The scheduler calls the function from several threads. The scheduler keeps the batch and may fail its
/// tasks from another thread meanwhile, so an executor must neither move nor change them. The scheduler fails
/// tasks that the executor leaves open: with `kOutOfMemory` after `std::bad_alloc`, with `kInternal`
/// otherwise.
template <BatchTask T>
using BatchExecutor = std::function<void(std::size_t worker, std::span<const T> batch)>;

/// The configuration of a `BatchScheduler`.
struct SchedulerOptions {
  BatchOptions batch;       ///< Batch sizes and bounds of the queue.
  std::size_t workers = 1;  ///< Number of worker threads, at least 1.
  /// Maximum expected wait of a new request; longer waits are refused with `kOverloaded`; 0: no limit.
  std::chrono::milliseconds max_wait{0};
  /// Runs first on each worker thread; may be empty.
  std::function<void(std::size_t worker)> on_worker_start;
  std::chrono::milliseconds shutdown_timeout{5000};  ///< Maximum time that the destructor waits for workers.
};

/// \cond internal
/// The state that the threads of a `BatchScheduler` share.
///
/// The threads also share its ownership, so that the state outlives a stuck thread. `mutex` guards everything
/// but the constants. A function that takes the lock as an argument may release and retake it.
template <BatchTask T>
struct SchedulerState {
  using DeadTasks = std::vector<std::pair<T, ErrorCode>>;

  /// The memory of one batch, reserved in advance. A thread takes a worker before it runs a batch, so that
  /// the number of workers bounds the batches in parallel. `start` is kNever unless the batch is executing.
  struct Worker {
    explicit Worker(const BatchOptions& limits) {
      batch.reserve(limits.max_batch_size);
      dead.reserve(limits.max_queue_size);
    }
    std::vector<T> batch;
    DeadTasks dead;
    TimePoint start = kNever;
  };

  static Error unavailable() noexcept { return {ErrorCode::kUnavailable, "draining", {}}; }

  SchedulerState(SchedulerOptions opts, BatchExecutor<T> exec, std::shared_ptr<const Clock> time)
      : options(std::move(opts)),
        policy(options.batch),
        executor(std::move(exec)),
        clock(std::move(time)),
        queue(options.batch) {
    timer_dead.reserve(options.batch.max_queue_size);
    workers.reserve(options.workers);
    for (std::size_t i = 0; i < options.workers; ++i) workers.emplace_back(options.batch);
    free_workers.reserve(options.workers);
    rests.resize(options.workers);
    for (std::size_t i = options.workers; i > 0; --i) free_workers.push_back(i - 1);
  }

  Result<void> admissible(const T& task, TimePoint now) {
    if (draining) return Unexpected(unavailable());
    if (task.cancelled()) return Unexpected(Error{ErrorCode::kCancelled, "cancelled", {}});
    if (task.deadline() <= now) return Unexpected(Error{ErrorCode::kDeadlineExceeded, "deadline passed", {}});
    if (auto fits = queue.admissible(task); !fits) return fits;
    return begins_in_time(task.lane());
  }

  /// Checks whether a request would begin within `max_wait`, by the measured rate; `lane` is null for a new
  /// request. Requests that have begun, and requests that fit into the next batch, always pass: so an idle
  /// engine refuses no request, and batches stay full. Reorders `rests`.
  ///
  /// Errors: `kOverloaded`.
  Result<void> begins_in_time(const FairLane* lane) {
    if (options.max_wait.count() == 0 || (lane != nullptr && lane->has_begun())) return {};
    const std::size_t ahead = queue.ahead_of(lane);
    const std::size_t largest = policy.largest_batch();
    if (ahead < largest) return {};
    const TimePoint now = clock->now();
    const double per_sample = drain_rate.worker_seconds_per_task();
    for (std::size_t i = 0; i < workers.size(); ++i) {
      const Worker& worker = workers[i];
      const bool idle = worker.start == kNever;
      const double seconds = idle ? 0 : std::chrono::duration<double>(now - worker.start).count();
      rests[i] = idle ? 0 : expected_rest(worker.batch.size(), seconds, per_sample);
    }
    const auto wait_ms = std::llround(1e3 * expected_wait(ahead, largest, per_sample, rests));
    if (wait_ms <= options.max_wait.count()) return {};
    return fail(ErrorCode::kOverloaded,
                "expected wait: " + std::to_string(wait_ms) + " ms exceeds max_wait " +
                    std::to_string(options.max_wait.count()) + " ms; try again later");
  }

  /// Takes a free worker; there must be one.
  std::size_t take_worker() noexcept {
    const std::size_t index = free_workers.back();
    free_workers.pop_back();
    return index;
  }

  void return_worker(std::size_t index) noexcept { free_workers.push_back(index); }  // within the capacity

  /// Returns true if a thread should wake up for the queued tasks.
  bool needs_thread() const noexcept {
    return !queue.empty() && waiting_threads > 0 && !free_workers.empty();
  }

  void notify_all() noexcept {
    work_ready.notify_all();
    timer_wake.notify_all();
    idle_changed.notify_all();
  }

  std::size_t fail_queued(std::unique_lock<std::mutex>& lock) noexcept {
    std::size_t failed = 0;
    for (; !queue.empty(); ++failed) {
      T task = queue.remove(0);
      lock.unlock();
      task.fail(unavailable());
      lock.lock();
    }
    return failed;
  }

  /// Fails the tasks that workers execute, without the lock; the pin keeps workers from clearing their
  /// batches meanwhile.
  std::size_t fail_running(std::unique_lock<std::mutex>& lock) noexcept {
    std::size_t failed = 0;
    for (Worker& worker : workers) {
      if (worker.start == kNever) continue;
      ++pins;
      lock.unlock();
      for (const T& task : worker.batch) task.fail(unavailable());
      lock.lock();
      failed += worker.batch.size();
      --pins;
      idle_changed.notify_all();
    }
    return failed;
  }

  /// Moves expired and cancelled tasks out of the queue and finds the next deadline.
  void collect_dead(DeadTasks& dead) noexcept {
    const TimePoint now = clock->now();
    earliest_deadline = kNever;
    for (std::size_t i = 0; i < queue.size();) {
      const TimePoint deadline = queue.task(i).deadline();
      if (queue.task(i).cancelled()) {
        ++stats.cancelled;
        dead.emplace_back(queue.remove(i), ErrorCode::kCancelled);
      } else if (deadline <= now) {
        ++stats.expired;
        dead.emplace_back(queue.remove(i), ErrorCode::kDeadlineExceeded);
      } else {
        earliest_deadline = std::min(earliest_deadline, deadline);
        ++i;
      }
    }
    if (!dead.empty() && draining) idle_changed.notify_all();
  }

  const SchedulerOptions options;
  const BatchPolicy policy;
  const BatchExecutor<T> executor;
  const std::shared_ptr<const Clock> clock;

  mutable std::mutex mutex;
  // The timer has a condition of its own, so that a wake-up meant for a worker never goes to the timer.
  std::condition_variable work_ready;
  std::condition_variable timer_wake;
  std::condition_variable idle_changed;

  FairQueue<T> queue;
  std::vector<Worker> workers;
  std::vector<std::size_t> free_workers;
  DeadTasks timer_dead;
  std::size_t live_threads = 0;
  std::size_t waiting_threads = 0;
  std::size_t pins = 0;
  std::uint64_t finished = 0;
  TimePoint earliest_deadline = kNever;
  DrainRate drain_rate;
  std::vector<double> rests;  ///< Working memory of `begins_in_time`: seconds until each worker is free.
  bool draining = false;
  bool stopping = false;
  SchedulerStats stats;
};

/// \endcond

}  // namespace infer::inline v0
