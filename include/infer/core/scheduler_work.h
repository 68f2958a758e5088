#pragma once

#include <exception>
#include <mutex>
#include <new>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "infer/core/scheduler_state.h"

/// The steps of a thread that has taken a worker of a `BatchScheduler`. The caller holds the lock, unless a
/// function says otherwise; the functions release it while they answer or compute.
namespace infer::inline v0::detail {

template <BatchTask T>
void answer_dead(std::vector<std::pair<T, ErrorCode>>& dead, std::unique_lock<std::mutex>& lock) noexcept {
  lock.unlock();
  for (auto& [task, code] : dead) {
    task.fail(Error{code, code == ErrorCode::kCancelled ? "cancelled" : "deadline passed", {}});
  }
  dead.clear();
  lock.lock();
}

/// Runs the executor on the worker's batch; the caller does not hold the lock.
template <BatchTask T>
void execute(SchedulerState<T>& state, std::size_t index) noexcept {
  // The messages fit the small-string buffer, so making them cannot fail.
  ErrorCode code = ErrorCode::kInternal;
  const char* message = "dropped";
  const std::span<const T> batch(state.workers[index].batch);
  try {
    state.executor(index, batch);
  } catch (const std::bad_alloc&) {
    code = ErrorCode::kOutOfMemory;
    message = "out of memory";
  } catch (...) {
    message = "executor threw";
  }
  for (const T& task : batch) task.fail(Error{code, message, {}});  // complete tasks ignore the call
}

template <BatchTask T>
void run_batch(SchedulerState<T>& state, std::size_t index, std::unique_lock<std::mutex>& lock) {
  auto& worker = state.workers[index];
  const std::size_t size = worker.batch.size();
  worker.start = state.clock->now();
  ++state.stats.busy_workers;
  ++state.stats.batches;
  state.stats.executed += size;
  if (state.needs_thread()) state.work_ready.notify_one();
  lock.unlock();
  execute(state, index);
  lock.lock();
  const TimePoint now = state.clock->now();
  state.drain_rate.finished(size, worker.start, now);
  state.stats.busy_time += now - worker.start;
  state.finished += size;
  worker.start = kNever;
  --state.stats.busy_workers;
  if (state.draining) state.idle_changed.notify_all();
  state.idle_changed.wait(lock, [&] { return state.pins == 0; });
  lock.unlock();
  worker.batch.clear();  // frees samples outside the lock
  lock.lock();
}

/// Answers expired and cancelled tasks, then runs a batch if the policy says so.
template <BatchTask T>
Decision run_next(SchedulerState<T>& state, std::size_t index, std::unique_lock<std::mutex>& lock) noexcept {
  auto& worker = state.workers[index];
  while (true) {
    state.collect_dead(worker.dead);
    if (worker.dead.empty()) break;
    answer_dead(worker.dead, lock);
  }
  const QueueView<std::span<const typename FairQueue<T>::Entry>> view{
      state.queue.items(), state.free_workers.size() + 1, state.draining};
  const Decision decision = state.policy.decide(view, state.clock->now());
  if (const auto* dispatch = std::get_if<Dispatch>(&decision)) {
    state.queue.serve(dispatch->count, worker.batch);
    run_batch(state, index, lock);
  }
  return decision;
}

}  // namespace infer::inline v0::detail
