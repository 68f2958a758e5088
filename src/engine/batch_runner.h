#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "infer/core/clock.h"
#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/engine/model.h"
#include "task.h"

namespace infer::inline v0 {

/// Runs batches on a model: collate, forward, split. The worker threads share it; it outlives them.
class BatchRunner {
 public:
  BatchRunner(Model model, const EngineOptions& options, std::shared_ptr<const Clock> clock,
              std::shared_ptr<EngineMetrics> metrics, BufferPool buffers)
      : model_(std::move(model)),
        options_(options),
        clock_(std::move(clock)),
        metrics_(std::move(metrics)),
        buffers_(std::move(buffers)),
        batch_times_(options.batch.max_batch_size + 1) {}

  /// Prepares the calling worker thread: niceness, thread counts, warm-up.
  void start_worker() noexcept;
  /// Runs `batch` and completes each of its tasks. May throw std::bad_alloc.
  void run(std::span<const Task> batch);

  struct WarmupReport {
    Result<void> outcome;
    std::size_t runs = 0;
    Duration time{};
    Duration slowest{};
  };
  WarmupReport warmup() const;

  std::vector<BatchTimes> batch_times() const;
  std::uint64_t reruns() const noexcept { return reruns_.load(std::memory_order_relaxed); }

 private:
  /// Tasks in the order of their samples in a batch.
  using Batch = std::span<const Task* const>;
  /// When the stages of a batch ended.
  struct Stages {
    TimePoint start;
    TimePoint collated;
    TimePoint computed;
  };
  Result<std::vector<Tensor>> forward(Batch batch, Stages& stages) const;
  Result<std::vector<Tensor>> guarded_forward(std::span<const Tensor> inputs, std::size_t batch_size) const;
  void complete(Batch batch, Result<std::vector<Tensor>>&& outputs, const Stages& stages);
  bool may_rerun();
  struct WarmupShape {
    std::size_t batch_size;
    std::size_t length;  // used for dimensions of any size
  };
  Result<void> warm_up();
  std::vector<WarmupShape> warmup_shapes(bool of_any_size) const;
  Result<Duration> warm_run(const WarmupShape& shape);

  const Model model_;
  const EngineOptions options_;
  const std::shared_ptr<const Clock> clock_;
  const std::shared_ptr<EngineMetrics> metrics_;
  const BufferPool buffers_;
  struct AtomicTimes {
    std::atomic<std::uint64_t> count{0};
    std::atomic<Duration::rep> collate{0};
    std::atomic<Duration::rep> forward{0};
    std::atomic<Duration::rep> split{0};
  };
  std::vector<AtomicTimes> batch_times_;  ///< By batch size.
  std::atomic<std::uint64_t> reruns_{0};
  std::atomic<Duration::rep> last_rerun_{Duration::min().count()};
  mutable std::mutex warmup_mutex_;
  WarmupReport warmup_;
};

}  // namespace infer::inline v0
