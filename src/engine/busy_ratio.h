#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>

#include "infer/core/clock.h"

namespace infer::inline v0 {

/// The share of time that workers were busy, over a window that does not depend on how often it is read.
/// Thread-safe.
class BusyRatio {
 public:
  /// `busy`: time spent by all `workers` together so far.
  double update(TimePoint now, Duration busy, std::size_t workers) {
    std::unique_lock lock(mutex_);
    if (since_ == TimePoint{}) {
      since_ = now;
      busy_then_ = busy;
    } else if (now - since_ >= kWindow) {
      const double whole = std::chrono::duration<double>(now - since_).count() * static_cast<double>(workers);
      ratio_ = std::clamp(std::chrono::duration<double>(busy - busy_then_).count() / whole, 0.0, 1.0);
      since_ = now;
      busy_then_ = busy;
    }
    return ratio_;
  }

 private:
  static constexpr std::chrono::seconds kWindow{5};
  std::mutex mutex_;
  TimePoint since_{};
  Duration busy_then_{};
  double ratio_ = 0;
};

}  // namespace infer::inline v0
