#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "infer/core/result.h"
#include "infer/engine/response.h"

namespace infer::inline v0 {

/// Called once with the result, on a worker thread, the timer thread or (for a refusal in `drain`) the
/// draining one. Must not throw and should not block: it holds up the next batch.
using ResponseCallback = std::function<void(Result<Response>&&)>;

/// The one place where a request ends. Completing is idempotent: the first one wins, later ones are ignored.
class PendingState {
 public:
  explicit PendingState(ResponseCallback callback) : callback_(std::move(callback)) {}

  /// Claims the completion; true for exactly one caller, who must then call `deliver`.
  bool claim() noexcept { return !claimed_.exchange(true, std::memory_order_acq_rel); }

  void deliver(Result<Response>&& result) noexcept {
    if (callback_) {
      callback_(std::move(result));
      return;
    }
    {
      std::unique_lock lock(mutex_);
      result_.emplace(std::move(result));
    }
    ready_.notify_all();
  }

  Result<Response> take() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return result_.has_value(); });
    return std::move(*result_);
  }

  bool done() const {
    std::unique_lock lock(mutex_);
    return result_.has_value();
  }

 private:
  std::atomic<bool> claimed_{false};
  const ResponseCallback callback_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<Result<Response>> result_;
};

/// A submitted sample: wait for it with `get`, or drop it and let it run.
class Pending {
 public:
  explicit Pending(std::shared_ptr<PendingState> state) : state_(std::move(state)) {}

  /// Blocks until the result is there; call once. Ends by the deadline at the latest, unless execution has
  /// begun.
  Result<Response> get() { return state_->take(); }
  bool done() const { return state_->done(); }

 private:
  std::shared_ptr<PendingState> state_;
};

}  // namespace infer::inline v0
