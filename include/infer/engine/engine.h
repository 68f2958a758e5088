#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "infer/core/batch_policy.h"
#include "infer/core/clock.h"
#include "infer/core/log.h"
#include "infer/core/metrics.h"
#include "infer/core/result.h"
#include "infer/core/scheduler_stats.h"
#include "infer/core/thread_plan.h"
#include "infer/engine/admission.h"
#include "infer/engine/buffer_pool.h"
#include "infer/engine/model.h"
#include "infer/engine/pending.h"
#include "infer/engine/response.h"
#include "infer/engine/settings.h"
#include "infer/export.h"

namespace infer::inline v0 {

/// What one sample asks of the engine.
struct SubmitOptions {
  /// Absolute time on the engine's clock; bounds the wait, not a forward that has begun.
  TimePoint deadline = kNever;
  std::stop_token stop;  ///< Cancels the sample while it waits.
  /// Receives the result once; empty: the result waits for `Pending::get`.
  ResponseCallback callback;
  /// The caller only waits for the result, so `submit` may run a batch if the backend is instant.
  bool waits = false;
  std::size_t cost = 1;  ///< Counts against `max_batch_cost`, such as a number of tokens.
};

/// A snapshot of the counters of an engine.
struct EngineStats {
  SchedulerStats scheduler;     ///< Counters of the queue and the workers.
  std::size_t inflight = 0;     ///< Admitted requests without an answer.
  std::size_t warmup_runs = 0;  ///< Forwards during warm-up.
  Duration warmup_time{};       ///< From the first warm-up run to ready.
  /// The slowest of the converged warm-up runs: one forward of the largest batch.
  Duration slowest_warm_run{};
  std::uint64_t batch_reruns = 0;  ///< Failed batches whose samples ran again one by one.
};

/// The executed batches of one size; the times are sums over the batches without an error.
struct BatchTimes {
  std::size_t batch_size = 0;  ///< Samples in each of these batches.
  std::uint64_t count = 0;     ///< Number of batches, failed ones included.
  Duration collate{};          ///< Total time to make batches of samples.
  Duration forward{};          ///< Total time in the model.
  Duration split{};            ///< Total time to divide outputs between the samples.
};

/// Runs samples on a model in batches, with bounds and deadlines.
///
/// Thread-safe: every function may be called from any thread, construction, moving and destruction excepted.
/// Movable, with one owner; share an engine by `std::shared_ptr`. The library's tasks, such as
/// `ImageEmbedder`, are made on top of an engine.
class INFER_EXPORT Engine {
 public:
  /// Starts the workers and warms them up; blocks until the engine is ready.
  ///
  /// Errors: `kInvalidArgument` (options), `kModelError` (the model fails during warm-up), `kOutOfMemory`,
  /// `kInternal` (the system refuses a thread).
  static Result<Engine> create(Model model, EngineOptions options = {});

  /// Moves the engine; the source may only be destroyed or assigned to.
  Engine(Engine&&) noexcept;
  /// Moves the engine; the engine that this object held ends as in the destructor.
  Engine& operator=(Engine&&) noexcept;
  /// Fails queued samples with `kUnavailable`; blocks for running batches at most `shutdown_timeout`.
  ~Engine();

  /// Admits a request before the caller spends work on it; never blocks on work.
  ///
  /// Errors: `kOverloaded` (`max_inflight` or `max_wait`), `kUnavailable` (draining), `kOutOfMemory`.
  Result<Permit> try_admit();

  /// Queues one sample and returns at once; the engine completes every accepted sample exactly once.
  ///
  /// `sample` holds one tensor for each input of the signature, without batch dimension. The engine takes
  /// `sample` over on success only; a refused sample stays the caller's. Without a permit the call takes one
  /// with `try_admit`. The call never throws and does not block on work, unless `options.waits` is true and
  /// the backend is instant.
  ///
  /// Errors: `kInvalidArgument` (the sample does not match the signature, or can never fit), `kOverloaded`,
  /// `kDeadlineExceeded`, `kCancelled`, `kUnavailable` (draining), `kOutOfMemory`. The result of an accepted
  /// sample may also carry `kModelError` or `kInternal`.
  Result<Pending> submit(Sample&& sample, SubmitOptions options = {}, Permit permit = {}) noexcept;

  /// Submits one sample and blocks until its result is there.
  ///
  /// `options.callback` is ignored. Errors are those of `submit` and of its result.
  Result<Response> infer(Sample sample, SubmitOptions options = {}, Permit permit = {});

  /// Returns true unless the engine drains. An engine is warm once `create` returns; an engine with a full
  /// queue is ready.
  bool ready() const noexcept;
  /// Returns false only while one forward runs longer than max(30 s, 20 times its warm-up time).
  bool live() const;
  /// Returns a snapshot of the counters; blocks only for the scheduler's lock.
  EngineStats stats() const;
  /// Returns times by batch size, ascending; sizes without a batch are left out.
  std::vector<BatchTimes> batch_times() const;
  /// Returns the seconds until a refused request may find room, by the measured rate: 1 to 30.
  int retry_after_seconds() const;

  /// Refuses new work, finishes queued work, and fails the rest at the timeout with `kUnavailable`.
  ///
  /// Blocks until every accepted sample is complete. Idempotent. A drained engine never accepts work again.
  DrainReport drain(std::chrono::milliseconds timeout);

  /// Returns the model; valid as long as the engine.
  const Model& model() const noexcept;
  /// Returns the options in force; valid as long as the engine.
  const EngineOptions& options() const noexcept;
  /// Returns the clock that deadlines refer to; valid as long as the engine.
  const Clock& clock() const noexcept;
  /// Returns the registry of the engine's metrics.
  MetricsRegistry& metrics() const noexcept;
  /// Returns the pool that provides memory for samples and batches.
  const BufferPool& buffers() const noexcept;
  /// Returns the histogram in which tasks record the seconds from an input to a sample.
  Histogram& prepare_seconds() const noexcept;

 private:
  struct Impl;
  explicit Engine(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;
};

}  // namespace infer::inline v0
