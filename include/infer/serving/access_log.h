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
  kRefused,    ///< The request was invalid or not allowed, or the server was overloaded.
  kFailed,     ///< The fault was the server's.
};

/// What an access log records about a call, in any protocol.
///
/// The texts belong to the call's model.
struct AccessRecord {
  Outcome outcome = Outcome::kFailed;  ///< How the call ended.
  Duration latency{};                  ///< Time from the call's arrival to its answer.
  std::string_view model;              ///< Name of the chosen model; empty: none.
  std::string_view version;            ///< Version of that model.
  std::string_view task;               ///< Task of that model.
  std::optional<Timings> timings;      ///< Times of the slowest sample; empty if no worker ran one.
  std::size_t batch_size = 0;          ///< Largest batch that contained one of the samples.
  std::size_t samples = 0;             ///< Number of samples.
  std::optional<float> confidence;     ///< Confidence of the answer.
};

/// Counts finished calls and chooses the calls to write to the access log.
///
/// Each outcome has its own limit, so that a flood of one outcome does not suppress records of the others.
/// Thread-safe.
class INFER_EXPORT AccessLog {
 public:
  /// Numbers of records that were left out, by outcome.
  struct LeftOut {
    std::uint64_t succeeded = 0;  ///< Calls that succeeded.
    std::uint64_t refused = 0;    ///< Calls that were refused.
    std::uint64_t failed = 0;     ///< Calls that failed.
  };

  /// Chooses at most `records_per_second` records of each outcome (0: all). Calls `report`, at most once a
  /// second, with the numbers of records left out since the last report. Counts calls in `metrics`, which
  /// nobody may collect after the log is destroyed.
  AccessLog(MetricsRegistry& metrics, std::uint64_t records_per_second,
            std::function<void(const LeftOut&)> report);

  /// Counts the call in the metrics and in the statistics of its model. Returns the record to write; empty if
  /// the record is left out.
  std::optional<AccessRecord> finish(const Call& call, Outcome outcome, TimePoint now);
  /// Calls `report` if records were left out since the last report.
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
