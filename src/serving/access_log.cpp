#include "infer/serving/access_log.h"

#include <chrono>
#include <utility>

namespace infer::inline v0 {

AccessLog::AccessLog(MetricsRegistry& metrics, std::uint64_t records_per_second,
                     std::function<void(const LeftOut&)> report)
    : report_(std::move(report)),
      samplers_{LogSampler(records_per_second), LogSampler(records_per_second),
                LogSampler(records_per_second)},
      predictions_(
          metrics.counter("predictions_total", "Number of predictions that were answered successfully.")),
      prediction_latency_(metrics.histogram(
          "prediction_latency_seconds",
          "Time to answer a prediction, reading the request included, in seconds.", latency_edges())) {
  Gauge& left_out = metrics.gauge("infer_log_sampled_lines",
                                  "Lines of requests left out of the log since the start, because their kind "
                                  "(succeeded, refused or failed) had more than log_requests_per_second.");
  metrics.on_collect([this, &left_out] {
    std::uint64_t all = 0;
    for (const LogSampler& sampler : samplers_) all += sampler.left_out();
    left_out.set(static_cast<double>(all));
  });
}

std::optional<AccessRecord> AccessLog::finish(const Call& call, Outcome outcome, TimePoint now) {
  AccessRecord record;
  record.outcome = outcome;
  record.latency = now - call.start;
  const bool success = outcome == Outcome::kSucceeded;
  if (success) {
    predictions_.add();
    prediction_latency_.observe(std::chrono::duration<double>(record.latency).count());
  }
  call.finish(success, now);
  const bool written = samplers_[static_cast<std::size_t>(outcome)].admit(now);
  report_now_and_then(now);
  if (!written) return std::nullopt;
  if (const auto& served = call.model()) {
    const Model& model = served->engine->model();
    record.model = model.name;
    record.version = model.version;
    record.task = model.manifest.task;
  }
  record.timings = call.timings();
  record.batch_size = call.batch_size();
  record.samples = call.samples();
  record.confidence = call.confidence;
  return record;
}

void AccessLog::report_now_and_then(TimePoint now) {
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  auto last = reported_at_.load(std::memory_order_relaxed);
  if (second == last || !reported_at_.compare_exchange_strong(last, second)) return;
  report_left_out();
}

void AccessLog::report_left_out() {
  std::array<std::uint64_t, kOutcomes> fresh{};
  std::uint64_t sum = 0;
  std::unique_lock lock(mutex_);
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    const std::uint64_t all = samplers_[i].left_out();
    fresh[i] = all - std::exchange(reported_[i], all);
    sum += fresh[i];
  }
  lock.unlock();
  if (sum > 0) report_({fresh[0], fresh[1], fresh[2]});
}

}  // namespace infer::inline v0
