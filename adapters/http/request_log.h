#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "exchange.h"
#include "infer/core/metrics.h"
#include "log_line.h"
#include "log_sampler.h"

namespace infer::http {

/// What is kept of each request once it is answered: a line in the log, and its place in the metrics.
/// Thread-safe.
class RequestLog {
 public:
  /// `lines_per_second`: of requests that succeed; 0: all. Failures are always logged.
  RequestLog(LogLine log, MetricsRegistry& metrics, std::uint64_t lines_per_second);

  /// Counts the request; where it did work also times and logs it.
  void finished(const Exchange& exchange);

 private:
  Counter& requests(const Route* route, int status);
  void write(const Exchange& exchange, double latency_ms) const;

  const LogLine log_;
  MetricsRegistry& metrics_;
  LogSampler sampler_;
  Counter& predictions_;
  Histogram& prediction_latency_;
  std::mutex mutex_;
  std::map<std::pair<const Route*, int>, Counter*> requests_;
};

}  // namespace infer::http
