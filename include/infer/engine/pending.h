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

/// Receives the result of one sample, exactly once.
///
/// The caller is a worker thread, the timer thread, or the thread that drains or destroys the engine. The
/// callback must not throw and should not block, since it delays the next batch.
using ResponseCallback = std::function<void(Result<Response>&&)>;

/// The place where one sample ends; the engine and `Pending` share it.
///
/// Thread-safe. Completion is idempotent: the first completion wins, later ones are ignored.
class PendingState {
 public:
  /// Makes an incomplete state; without a callback the result waits for `take`.
  explicit PendingState(ResponseCallback callback) : callback_(std::move(callback)) {}

  /// Claims the completion; returns true for exactly one caller, who must then call `deliver`.
  bool claim() noexcept { return !claimed_.exchange(true, std::memory_order_acq_rel); }

  /// Hands the result to the callback, or keeps it and wakes `take`.
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

  /// Blocks until the result is there and moves it out; call it once.
  Result<Response> take() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return result_.has_value(); });
    return std::move(*result_);
  }

  /// Returns true once the result waits for `take`; always false with a callback.
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

/// A submitted sample: wait for its result with `get`, or drop the object and let the sample run.
class Pending {
 public:
  /// Makes a handle for `state`, which it shares.
  explicit Pending(std::shared_ptr<PendingState> state) : state_(std::move(state)) {}

  /// Blocks until the result is there and moves it out; call it once.
  ///
  /// The call returns by the sample's deadline at the latest, unless the forward has begun. A sample with a
  /// callback has no result here.
  ///
  /// Errors: those of `Engine::submit`'s result.
  Result<Response> get() { return state_->take(); }
  /// Returns true if `get` would not block.
  bool done() const { return state_->done(); }

 private:
  std::shared_ptr<PendingState> state_;
};

}  // namespace infer::inline v0
