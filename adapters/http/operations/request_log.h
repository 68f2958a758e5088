#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "exchange/exchange.h"
#include "infer/core/metrics.h"
#include "infer/serving/access_log.h"
#include "operations/log_line.h"

namespace infer::http {

/// Counts each answered request in the metrics and logs requests that did work. Thread-safe.
class RequestLog {
 public:
  /// `lines_per_second`: see `AccessLog`.
  RequestLog(LogLine log, MetricsRegistry& metrics, std::uint64_t lines_per_second);

  /// Counts the request. If the request did work, also ends its call and logs it.
  void finished(const Exchange& exchange);
  /// Logs how many lines were dropped since the last report, if any.
  void report_left_out() { access_.report_left_out(); }

 private:
  Counter& requests(const Route* route, int status);
  void write(const Exchange& exchange, const AccessRecord& record) const;

  const LogLine log_;
  MetricsRegistry& metrics_;
  AccessLog access_;
  std::mutex mutex_;
  std::map<std::pair<const Route*, int>, Counter*> requests_;
};

}  // namespace infer::http
