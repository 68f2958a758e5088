#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "exchange/exchange.h"
#include "infer/core/metrics.h"
#include "operations/log_line.h"
#include "operations/log_sampler.h"

namespace infer::http {

/// What is kept of each request once it is answered: a line in the log, and its place in the metrics.
/// Thread-safe.
class RequestLog {
 public:
  /// `lines_per_second`: for requests that succeed, for those that the client's fault refused, and for those
  /// that failed in the server, each; 0: all.
  RequestLog(LogLine log, MetricsRegistry& metrics, std::uint64_t lines_per_second);

  /// Counts the request; where it did work also times and logs it.
  void finished(const Exchange& exchange);
  /// Logs how many lines were left out since this was last said, where there were any.
  void report_left_out();

 private:
  Counter& requests(const Route* route, int status);
  void write(const Exchange& exchange, double latency_ms) const;

  const LogLine log_;
  MetricsRegistry& metrics_;
  enum Kind : std::size_t { kSucceeded, kRefused, kFailed, kKinds };
  /// At most once a second.
  void report_now_and_then(TimePoint now);
  static Kind kind_of(int status) { return status < 400 ? kSucceeded : status < 500 ? kRefused : kFailed; }
  std::array<LogSampler, kKinds> samplers_;
  std::array<std::uint64_t, kKinds> reported_{};  ///< Lines left out that a line in the log has told of.
  std::atomic<std::int64_t> reported_at_{0};      ///< Second of the last such line.
  Counter& predictions_;
  Histogram& prediction_latency_;
  std::mutex mutex_;
  std::map<std::pair<const Route*, int>, Counter*> requests_;
};

}  // namespace infer::http
