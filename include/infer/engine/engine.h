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
#include "infer/export.h"

namespace infer::inline v0 {

/// How far to warm up before an engine is ready.
enum class Warmup : std::uint8_t {
  kNone,
  kDefault,  ///< Largest batch first, until two runs agree within 10 %; 3 runs a size and 1.5 s in all, at
             ///< most.
  kFull,     ///< Every batch size until it has converged.
};

struct EngineOptions {
  BatchOptions batch{.allowed_batch_sizes = {1, 2, 4, 8}};
  ThreadPlan threads;             ///< Workers, and threads inside each forward; see `plan_threads`.
  std::size_t max_inflight = 64;  ///< Admitted requests not yet answered, at most.
  /// Requests that would not begin within it, by the measured rate, are refused as `kOverloaded`; 0: none.
  std::chrono::milliseconds max_wait{2'000};
  Warmup warmup = Warmup::kDefault;
  std::vector<std::size_t> allowed_lengths;  ///< Sizes that tasks pad dimensions of any size to; warmed up.
  int worker_nice = 5;  ///< Niceness of workers, so that threads which answer go first on a full machine.
  std::chrono::milliseconds shutdown_timeout{5000};
  std::shared_ptr<MetricsRegistry> metrics;  ///< Shared with the host's own metrics; null: one of its own.
  std::shared_ptr<const Clock> clock;        ///< Null: the steady clock.
  std::string metrics_name;                  ///< The label "model" of its metrics; empty: the model's name.
  LogHook log;                               ///< Hears of batches that fail; may be empty.
};

struct SubmitOptions {
  TimePoint deadline =
      kNever;  ///< Absolute, on the engine's clock; bounds the wait, not a forward that has begun.
  std::stop_token stop;
  ResponseCallback callback;  ///< Where set, called with the result instead of keeping it for `Pending::get`.
  bool waits = false;    ///< The caller does nothing else until the result is there, so that `submit` may run
                         ///< a batch, where the backend's forward is instant.
  std::size_t cost = 1;  ///< What the sample counts for against `max_batch_cost`, such as its tokens.
};

struct EngineStats {
  SchedulerStats scheduler;
  std::size_t inflight = 0;
  std::size_t warmup_runs = 0;
  Duration warmup_time{};       ///< From the first run to ready.
  Duration slowest_warm_run{};  ///< The slowest of the converged runs: one forward of the largest batch.
  std::uint64_t batch_reruns = 0;
};

/// The batches of one size that were executed so far; of those without error the times together.
struct BatchTimes {
  std::size_t batch_size = 0;
  std::uint64_t count = 0;
  Duration collate{};
  Duration forward{};
  Duration split{};
};

/// Batches samples and runs them on a model. Thread-safe; movable, with one owner.
class INFER_EXPORT Engine {
 public:
  /// Starts workers and warms them up; blocks until that is done.
  /// Errors: `kInvalidArgument` (options), `kModelError` (the model fails in warm-up), `kOutOfMemory`.
  static Result<Engine> create(Model model, EngineOptions options = {});

  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  /// Fails what is queued; waits for running batches no longer than `shutdown_timeout`.
  ~Engine();

  /// Admits a request before any work is spent on it. Errors: `kOverloaded`, `kUnavailable`, `kOutOfMemory`.
  Result<Permit> try_admit();

  /// Queues one sample. Never blocks on work unless `options.waits`, never throws; `sample` is moved from
  /// only on success. Without a permit one is taken. Every accepted sample is completed exactly once. Errors:
  /// `kInvalidArgument` (against the signature, or can never fit), `kOverloaded`, `kDeadlineExceeded`,
  /// `kCancelled`, `kUnavailable` (draining), `kOutOfMemory`. The result may further carry `kModelError`,
  /// `kInternal`.
  Result<Pending> submit(Sample&& sample, SubmitOptions options = {}, Permit permit = {}) noexcept;

  /// `submit` and wait.
  Result<Response> infer(Sample sample, SubmitOptions options = {}, Permit permit = {});

  /// Warm and not draining. A full queue is ready.
  bool ready() const noexcept;
  /// False only while one forward runs longer than max(30 s, 20 times its warm-up time).
  bool live() const;
  EngineStats stats() const;
  /// By batch size, ascending; sizes that never occurred are left out.
  std::vector<BatchTimes> batch_times() const;
  /// Seconds until a refused request may find room, from the measured drain rate: 1 to 30.
  int retry_after_seconds() const;

  /// Refuses new work, finishes what is queued, and at the timeout fails the rest. Blocks until then.
  /// Idempotent.
  DrainReport drain(std::chrono::milliseconds timeout);

  const Model& model() const noexcept;
  const EngineOptions& options() const noexcept;
  const Clock& clock() const noexcept;
  MetricsRegistry& metrics() const noexcept;
  /// Where memory for samples comes from, and for the batches made of them.
  const BufferPool& buffers() const noexcept;
  /// Where a task notes the seconds it took to turn an input into a sample.
  Histogram& prepare_seconds() const noexcept;

 private:
  struct Impl;
  explicit Engine(std::shared_ptr<Impl> impl) noexcept;
  std::shared_ptr<Impl> impl_;
};

}  // namespace infer::inline v0
