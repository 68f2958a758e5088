#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "infer/core/batch_policy.h"
#include "infer/core/batch_task.h"
#include "infer/core/clock.h"
#include "infer/core/result.h"
#include "infer/core/scheduler_state.h"
#include "infer/core/scheduler_stats.h"
#include "infer/core/scheduler_work.h"

namespace infer::inline v0 {

/// A bounded queue in front of fixed worker threads, which take batches as `BatchPolicy` says.
///
/// Thread-safe. The scheduler knows no tensors and allocates nothing after construction, so that no task is
/// lost when memory runs out. The scheduler executes or fails every accepted task; it fails a task that an
/// executor leaves open with `kInternal`.
template <BatchTask T>
class BatchScheduler {
 public:
  /// The function that runs one batch.
  using Executor = BatchExecutor<T>;
  /// The configuration.
  using Options = SchedulerOptions;

  /// Starts the workers and the timer thread.
  ///
  /// `executor` and `clock` live as long as the scheduler or a worker uses them.
  ///
  /// Errors: `kInvalidArgument` (options), `kOutOfMemory`, `kInternal` (the system refuses a thread).
  static Result<std::unique_ptr<BatchScheduler>> create(Options options, Executor executor,
                                                        std::shared_ptr<const Clock> clock) {
    if (auto valid = validate(options.batch); !valid) return Unexpected(valid.error());
    if (options.max_wait.count() < 0)
      return fail(ErrorCode::kInvalidArgument,
                  "max_wait: " + std::to_string(options.max_wait.count()) + " ms is below 0");
    if (options.workers == 0)
      return fail(ErrorCode::kInvalidArgument, "workers: 0 is below the minimum of 1");
    try {
      auto state = std::make_shared<State>(std::move(options), std::move(executor), std::move(clock));
      std::unique_ptr<BatchScheduler> scheduler(new BatchScheduler(std::move(state)));
      scheduler->start();
      return scheduler;
    } catch (const std::bad_alloc&) {
      return Unexpected(out_of_memory());
    } catch (const std::exception& e) {
      return fail(ErrorCode::kInternal, std::string("cannot start worker threads: ") + e.what());
    }
  }

  /// A scheduler owns its threads: it cannot be copied.
  BatchScheduler(const BatchScheduler&) = delete;
  /// A scheduler owns its threads: it cannot be assigned.
  BatchScheduler& operator=(const BatchScheduler&) = delete;

  /// Fails queued tasks with `kUnavailable` and stops the workers.
  ///
  /// Blocks for running batches at most `SchedulerOptions::shutdown_timeout`; then the destructor fails their
  /// tasks too and leaves the threads behind. Those threads share the ownership of everything that they still
  /// use.
  ~BatchScheduler() {
    State& state = *state_;
    const auto self = std::find_if(threads_.begin(), threads_.end(), [](const std::thread& thread) {
      return thread.get_id() == std::this_thread::get_id();
    });
    const std::size_t left = self == threads_.end() ? 0 : 1;  // the last owner may be a callback on a worker
    std::unique_lock lock(state.mutex);
    state.draining = true;
    state.stopping = true;
    state.notify_all();
    state.fail_queued(lock);
    // Uses real time: a destructor must end even if nobody advances the injected clock.
    state.idle_changed.wait_for(lock, state.options.shutdown_timeout,
                                [&] { return state.live_threads <= left; });
    state.fail_running(lock);
    const bool all_left = state.live_threads == 0;
    lock.unlock();
    for (auto& thread : threads_) all_left ? thread.join() : thread.detach();
  }

  /// Queues a task; never throws, and moves from `task` only on success.
  ///
  /// The call does not block on work, unless `may_run_here` is true: then the caller runs a batch itself if a
  /// worker is free, which saves a thread wake-up.
  ///
  /// Errors: `kInvalidArgument` (the task can never fit), `kDeadlineExceeded`, `kCancelled`, `kOverloaded`
  /// (queue, bytes or `max_wait`), `kUnavailable` (draining), `kOutOfMemory`.
  Result<void> enqueue(T&& task, bool may_run_here = false) noexcept {
    const std::shared_ptr<State> shared = state_;  // a batch that runs here may release the last other owner
    State& state = *shared;
    try {
      const TimePoint now = state.clock->now();
      const TimePoint deadline = task.deadline();
      std::unique_lock lock(state.mutex);
      if (auto admissible = state.admissible(task, now); !admissible) {
        ++state.stats.refused;
        return admissible;
      }
      state.queue.push(std::move(task), now);
      ++state.stats.accepted;
      if (deadline < state.earliest_deadline) {
        state.earliest_deadline = deadline;
        state.timer_wake.notify_one();
      }
      if (may_run_here && !state.free_workers.empty()) {
        const std::size_t worker = state.take_worker();
        (void)detail::run_next(state, worker, lock);
        state.return_worker(worker);
      }
      const bool wake = state.needs_thread();
      lock.unlock();
      if (wake) state.work_ready.notify_one();
      return {};
    } catch (...) {  // only the message of a refusal allocates memory here
      return Unexpected(out_of_memory());
    }
  }

  /// Checks whether a new request would begin within `max_wait`, before the caller spends work on it.
  ///
  /// Does not block on work. An idle scheduler always says yes.
  ///
  /// Errors: `kOverloaded`, `kOutOfMemory`.
  Result<void> begins_in_time() const noexcept {
    try {
      std::unique_lock lock(state_->mutex);
      return state_->begins_in_time(nullptr);
    } catch (...) {
      return Unexpected(out_of_memory());
    }
  }

  /// Refuses new tasks, finishes the queued tasks without delay, and fails the rest at `deadline`.
  ///
  /// The tasks that fail get `kUnavailable`, those that are executing too. Blocks until all tasks are
  /// complete. Idempotent.
  DrainReport drain(TimePoint deadline) {
    State& state = *state_;
    std::unique_lock lock(state.mutex);
    state.draining = true;
    state.notify_all();
    const std::uint64_t finished_before = state.finished;
    const auto done = [&] { return state.queue.empty() && state.stats.busy_workers == 0; };
    while (!done() && state.clock->now() < deadline)
      state.clock->wait_until(state.idle_changed, lock, deadline);
    DrainReport report;
    report.in_time = done();
    report.completed = static_cast<std::size_t>(state.finished - finished_before);
    report.failed = state.fail_queued(lock);
    report.failed += state.fail_running(lock);
    return report;
  }

  /// Returns a snapshot of the counters; blocks only for the scheduler's lock.
  SchedulerStats stats() const {
    const State& state = *state_;
    std::unique_lock lock(state.mutex);
    SchedulerStats stats = state.stats;
    stats.queue_size = state.queue.size();
    stats.queue_bytes = state.queue.bytes();
    stats.drain_rate = state.drain_rate.per_second();
    const TimePoint now = state.clock->now();
    for (const Worker& worker : state.workers) {
      stats.oldest_batch_start = std::min(stats.oldest_batch_start, worker.start);
      if (worker.start != kNever) stats.busy_time += now - worker.start;
    }
    return stats;
  }

 private:
  using State = SchedulerState<T>;
  using Worker = typename State::Worker;

  explicit BatchScheduler(std::shared_ptr<State> state) : state_(std::move(state)) {}

  void start() {
    const std::size_t workers = state_->options.workers;
    threads_.reserve(workers + 1);
    for (std::size_t worker = 0; worker < workers; ++worker) {
      spawn([worker](State& state) { run_worker(state, worker); });
    }
    spawn(run_timer);
  }

  template <class Body>
  void spawn(Body body) {
    std::unique_lock lock(state_->mutex);
    threads_.emplace_back([state = state_, body] {
      body(*state);
      std::unique_lock leave(state->mutex);
      --state->live_threads;
      state->idle_changed.notify_all();
    });
    ++state_->live_threads;
  }

  static void run_worker(State& state, std::size_t thread) {
    if (state.options.on_worker_start) state.options.on_worker_start(thread);
    std::unique_lock lock(state.mutex);
    while (!state.stopping) {
      Decision decision = WaitForever{};
      if (!state.free_workers.empty()) {
        const std::size_t worker = state.take_worker();
        decision = detail::run_next(state, worker, lock);
        state.return_worker(worker);
        if (std::holds_alternative<Dispatch>(decision)) continue;
      }
      const auto* wait = std::get_if<WaitUntil>(&decision);
      ++state.waiting_threads;
      state.clock->wait_until(state.work_ready, lock, wait != nullptr ? wait->time : kNever);
      --state.waiting_threads;
      ++state.stats.worker_wakeups;
    }
  }

  /// Answers tasks that expire while every worker computes.
  static void run_timer(State& state) {
    std::unique_lock lock(state.mutex);
    while (!state.stopping) {
      if (state.earliest_deadline <= state.clock->now()) {
        state.collect_dead(state.timer_dead);
        detail::answer_dead(state.timer_dead, lock);
      } else {
        state.clock->wait_until(state.timer_wake, lock, state.earliest_deadline);
      }
    }
  }

  std::shared_ptr<State> state_;
  std::vector<std::thread> threads_;
};

}  // namespace infer::inline v0
