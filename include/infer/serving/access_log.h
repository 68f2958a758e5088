#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>

#include "infer/core/clock.h"
#include "infer/core/metrics.h"
#include "infer/engine/response.h"
#include "infer/export.h"
#include "infer/serving/call.h"
#include "infer/serving/log_sampler.h"

namespace infer::inline v0 {

/// How a call ended.
enum class Outcome : std::uint8_t {
  kSucceeded,  ///< The client has its answer.
  kRefused,    ///< The fault was the client's, or it came at a bad moment.
  kFailed,     ///< The fault was the server's.
};

/// What an access log keeps of a call, whatever protocol it came by.
///
/// The texts belong to the call's model.
struct AccessRecord {
  Outcome outcome = Outcome::kFailed;  ///< How the call ended.
  Duration latency{};                  ///< Time from its arrival to its answer.
  std::string_view model;              ///< Name of the model that was chosen; empty: none was.
  std::string_view version;            ///< Version of that model.
  std::string_view task;               ///< Task of that model.
  std::optional<Timings> timings;      ///< Times of the slowest sample; nothing if no worker had it.
  std::size_t batch_size = 0;          ///< Largest batch that contained one of the samples.
  std::size_t samples = 0;             ///< Number of samples.
  std::optional<float> confidence;     ///< Confidence of the answer.
};

/// Ends calls: counts them, and says which of them are written to the access log.
///
/// A flood of requests of one outcome leaves room for records of the others. Thread-safe.
class INFER_EXPORT AccessLog {
 public:
  /// Numbers of records that were left out, by outcome.
  struct LeftOut {
    std::uint64_t succeeded = 0;  ///< Calls that succeeded.
    std::uint64_t refused = 0;    ///< Calls that were refused.
    std::uint64_t failed = 0;     ///< Calls that failed.
  };

  /// Writes at most `records_per_second` records of each outcome (0: all); `report` learns, at most once a
  /// second, how many were left out since it was last called. Counts in `metrics`, which must not be
  /// collected from once the log is gone.
  AccessLog(MetricsRegistry& metrics, std::uint64_t records_per_second,
            std::function<void(const LeftOut&)> report);

  /// Counts the call in the metrics and in the statistics of its model. Returns the record to write; nothing
  /// if it is left out.
  std::optional<AccessRecord> finish(const Call& call, Outcome outcome, TimePoint now);
  /// Calls `report` if records were left out since it was last called.
  void report_left_out();

 private:
  static constexpr std::size_t kOutcomes = 3;
  void report_now_and_then(TimePoint now);

  const std::function<void(const LeftOut&)> report_;
  std::array<LogSampler, kOutcomes> samplers_;
  std::mutex mutex_;
  std::array<std::uint64_t, kOutcomes> reported_{};
  std::atomic<std::int64_t> reported_at_{0};
  Counter& predictions_;
  Histogram& prediction_latency_;
};

}  // namespace infer::inline v0
