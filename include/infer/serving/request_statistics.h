#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "infer/core/clock.h"
#include "infer/engine/response.h"

namespace infer::inline v0 {

/// The times that the requests of one model took, as the Open Inference Protocol groups them.
///
/// Thread-safe; all calls are wait-free.
class RequestStatistics {
 public:
  /// A number of requests and the time they took together.
  struct Sum {
    std::uint64_t count = 0;  ///< Number of requests.
    std::uint64_t ns = 0;     ///< Their time, in nanoseconds.
  };
  /// The sums at one moment.
  struct Snapshot {
    Sum success;                          ///< Requests that succeeded, from arrival to answer.
    Sum fail;                             ///< Requests that failed.
    Sum queue;                            ///< Waiting for a worker.
    Sum compute_input;                    ///< Making batches.
    Sum compute_infer;                    ///< The model.
    Sum compute_output;                   ///< Taking batches apart.
    std::uint64_t inferences = 0;         ///< Samples of the requests that succeeded.
    std::uint64_t last_inference_ms = 0;  ///< Time of the last success, in ms since 1970; 0 before the first.
  };

  /// Records a request of `samples` samples that took `total` and succeeded.
  void succeeded(Duration total, const Timings& timings, std::size_t samples) noexcept {
    success_.add(total);
    queue_.add(timings.queue);
    compute_input_.add(timings.collate);
    compute_infer_.add(timings.forward);
    compute_output_.add(timings.compute - timings.collate - timings.forward);
    inferences_.fetch_add(samples, std::memory_order_relaxed);
    using std::chrono::milliseconds;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    last_.store(static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(now).count()),
                std::memory_order_relaxed);
  }
  /// Records a request that took `total` and failed.
  void failed(Duration total) noexcept { fail_.add(total); }

  /// Returns the sums.
  Snapshot read() const noexcept {
    return {success_.read(),       fail_.read(),           queue_.read(),      compute_input_.read(),
            compute_infer_.read(), compute_output_.read(), inferences_.load(), last_.load()};
  }

 private:
  struct AtomicSum {
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::uint64_t> ns{0};
    void add(Duration time) noexcept {
      count.fetch_add(1, std::memory_order_relaxed);
      const auto whole = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
      ns.fetch_add(static_cast<std::uint64_t>(whole < 0 ? 0 : whole), std::memory_order_relaxed);
    }
    Sum read() const noexcept { return {count.load(), ns.load()}; }
  };

  AtomicSum success_;
  AtomicSum fail_;
  AtomicSum queue_;
  AtomicSum compute_input_;
  AtomicSum compute_infer_;
  AtomicSum compute_output_;
  std::atomic<std::uint64_t> inferences_{0};
  std::atomic<std::uint64_t> last_{0};
};

}  // namespace infer::inline v0
