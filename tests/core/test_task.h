#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>

#include "infer/core/batch_task.h"

namespace infer::inline v0::testing {

/// Counts how a task ended. Shared, because the task itself is moved.
struct Outcome {
  std::atomic<int> completions{0};
  std::atomic<int> code{-1};  // -1: not complete, -2: value, else an ErrorCode

  bool ok() const { return code == -2; }
  bool failed_with(ErrorCode wanted) const { return code == static_cast<int>(wanted); }
};

/// The smallest possible task: an id and the properties that the scheduler needs.
class TestTask {
 public:
  explicit TestTask(int task_id = 0) : id(task_id) {}

  TimePoint deadline() const noexcept { return deadline_; }
  std::size_t cost() const noexcept { return cost_; }
  std::size_t bytes() const noexcept { return bytes_; }
  bool shares_batch_with(const TestTask& other) const noexcept { return key_ == other.key_; }
  bool cancelled() const noexcept { return stop_.stop_requested(); }
  FairLane* lane() const noexcept { return lane_; }
  void fail(Error error) const noexcept { finish(static_cast<int>(error.code)); }
  void succeed() const noexcept { finish(-2); }

  int id;
  TimePoint deadline_ = kNever;
  std::size_t cost_ = 1;
  std::size_t bytes_ = 8;
  std::uint64_t key_ = 0;
  std::stop_token stop_;
  FairLane* lane_ = nullptr;
  std::shared_ptr<Outcome> outcome = std::make_shared<Outcome>();

 private:
  void finish(int code) const noexcept {
    int open = -1;
    if (outcome->code.compare_exchange_strong(open, code)) {
      ++outcome->completions;
      outcome->code.notify_all();
    }
  }
};

inline void wait_complete(const Outcome& outcome) { outcome.code.wait(-1); }

}  // namespace infer::inline v0::testing
