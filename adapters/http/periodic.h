#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace infer::http {

/// Calls a function repeatedly on its own thread, an interval after the previous call ended. Interval 0:
/// never.
class Periodic {
 public:
  Periodic(std::chrono::milliseconds interval, std::function<void()> call) {
    if (interval.count() == 0) return;
    thread_ = std::jthread([this, interval, call = std::move(call)](const std::stop_token& stop) {
      std::unique_lock lock(mutex_);
      while (!stop.stop_requested()) {
        if (stopped_.wait_for(lock, stop, interval, [&] { return stop.stop_requested(); })) return;
        call();
      }
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;  // last: the thread uses the other members
};

}  // namespace infer::http
