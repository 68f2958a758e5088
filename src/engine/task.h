#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <stop_token>
#include <utility>

#include "infer/core/batch_task.h"
#include "infer/core/clock.h"
#include "infer/core/metrics.h"
#include "infer/engine/admission.h"
#include "infer/engine/engine.h"
#include "infer/engine/pending.h"

namespace infer::inline v0 {

/// The metrics that an engine records.
struct EngineMetrics {
  EngineMetrics(MetricsRegistry& registry, const std::string& model);

  void count(const Result<Response>& result) noexcept {
    count_code(result ? kOk : index(result.error().code));
  }
  void count(ErrorCode code) noexcept { count_code(index(code)); }

  Gauge& queue_depth;
  Gauge& queue_bytes;
  Gauge& inflight;
  Gauge& buffer_bytes;
  Gauge& busy_workers;
  Gauge& busy_ratio;
  Histogram& batch_size;
  Histogram& prepare_seconds;
  Histogram& queue_seconds;
  Histogram& compute_seconds;
  Histogram& request_seconds;

 private:
  static constexpr std::size_t kOk = 0;
  static std::size_t index(ErrorCode code) noexcept { return 1 + static_cast<std::size_t>(code); }
  void count_code(std::size_t code) noexcept { requests_[code]->add(); }

  std::array<Counter*, 12> requests_{};
};

/// What the engine queues: a sample, and the place for its result.
class Task {
 public:
  Task(Sample&& work, std::shared_ptr<PendingState> pending, SubmitOptions& options, Permit&& permit,
       TimePoint submitted, std::shared_ptr<EngineMetrics> metrics) noexcept
      : sample(std::move(work)),
        submitted_at(submitted),
        pending_(std::move(pending)),
        metrics_(std::move(metrics)),
        permit_(std::move(permit)),
        lane_(permit_.lane()),
        stop_(std::move(options.stop)),
        deadline_(options.deadline),
        cost_(options.cost) {
    for (const Tensor& tensor : sample) bytes_ += tensor.bytes();
  }
  Task(Task&&) noexcept = default;
  Task& operator=(Task&&) noexcept = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  /// Completes a task that nobody completed, so that its caller does not wait forever.
  ~Task() {
    if (pending_) fail(Error{ErrorCode::kInternal, "dropped", {}});
  }

  TimePoint deadline() const noexcept { return deadline_; }
  std::size_t cost() const noexcept { return cost_; }
  std::size_t bytes() const noexcept { return bytes_; }
  /// Returns true if each input has the same dtype and shape as in `other`.
  bool shares_batch_with(const Task& other) const noexcept {
    return std::ranges::equal(sample, other.sample, [](const Tensor& a, const Tensor& b) {
      return a.dtype() == b.dtype() && a.shape() == b.shape();
    });
  }
  bool cancelled() const noexcept { return stop_.stop_requested(); }
  /// May be called while another thread completes the task and releases the permit.
  FairLane* lane() const noexcept { return lane_; }

  void fail(Error error) const noexcept { complete(Unexpected(std::move(error)), TimePoint{}); }

  /// Completes the task unless it is complete. Safe from several threads: one wins, and only that thread
  /// touches the permit.
  void complete(Result<Response>&& result, TimePoint now) const noexcept {
    if (!pending_->claim()) return;
    metrics_->count(result);
    if (now != TimePoint{})
      metrics_->request_seconds.observe(std::chrono::duration<double>(now - submitted_at).count());
    permit_.release();
    pending_->deliver(std::move(result));
  }

  /// Drops the task without a result: `submit` was refused and returns the error itself.
  void disarm() noexcept { pending_.reset(); }

  Sample sample;
  TimePoint submitted_at;

 private:
  std::shared_ptr<PendingState> pending_;
  std::shared_ptr<EngineMetrics> metrics_;
  mutable Permit permit_;
  FairLane* lane_;
  std::stop_token stop_;
  TimePoint deadline_;
  std::size_t cost_;
  std::size_t bytes_ = 0;
};

static_assert(BatchTask<Task>);

}  // namespace infer::inline v0
