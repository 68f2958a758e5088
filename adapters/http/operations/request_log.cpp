#include "operations/request_log.h"

#include <chrono>
#include <cmath>
#include <string>

#include "exchange/router.h"

namespace infer::http {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

double rounded(double value) { return std::round(value * 1000) / 1000; }
double rounded(Duration time) { return rounded(Milliseconds(time).count()); }

}  // namespace

RequestLog::RequestLog(LogLine log, MetricsRegistry& metrics, std::uint64_t lines_per_second)
    : log_(std::move(log)),
      metrics_(metrics),
      samplers_{LogSampler(lines_per_second), LogSampler(lines_per_second), LogSampler(lines_per_second)},
      predictions_(metrics.counter("predictions_total", "Predictions answered with success.")),
      prediction_latency_(metrics.histogram("prediction_latency_seconds",
                                            "Seconds a prediction took, HTTP included.", latency_edges())) {
  Gauge& left_out = metrics.gauge("infer_log_sampled_lines",
                                  "Lines of requests left out of the log since the start, because their kind "
                                  "(succeeded, refused or failed) had more than log_requests_per_second.");
  metrics.on_collect([this, &left_out] {
    std::uint64_t all = 0;
    for (const LogSampler& sampler : samplers_) all += sampler.left_out();
    left_out.set(static_cast<double>(all));
  });
}

void RequestLog::finished(const Exchange& exchange) {
  requests(exchange.route, exchange.status).add();
  if (exchange.route == nullptr || !exchange.route->work) return;
  const TimePoint now = std::chrono::steady_clock::now();
  const Duration total = now - exchange.call.start;
  const bool done = exchange.status == 200;
  if (done) {
    predictions_.add();
    prediction_latency_.observe(std::chrono::duration<double>(total).count());
  }
  exchange.call.finish(done, now);
  if (samplers_[kind_of(exchange.status)].admit(now)) write(exchange, Milliseconds(total).count());
  report_now_and_then(now);
}

void RequestLog::report_now_and_then(TimePoint now) {
  const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  auto last = reported_at_.load(std::memory_order_relaxed);
  if (second == last || !reported_at_.compare_exchange_strong(last, second)) return;
  report_left_out();
}

void RequestLog::report_left_out() {
  std::array<std::uint64_t, kKinds> fresh{};
  std::unique_lock lock(mutex_);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kKinds; ++i) {
    const std::uint64_t all = samplers_[i].left_out();
    fresh[i] = all - std::exchange(reported_[i], all);
    sum += fresh[i];
  }
  lock.unlock();
  if (sum == 0) return;
  log_(LogLevel::kWarning, event_line("log_lines_left_out", [&](adapter::JsonWriter& json) {
         json.key("succeeded").value(fresh[kSucceeded]).key("refused").value(fresh[kRefused]);
         json.key("failed").value(fresh[kFailed]);
       }));
}

Counter& RequestLog::requests(const Route* route, int status) {
  std::unique_lock lock(mutex_);
  Counter*& counter = requests_[{route, status}];
  if (counter == nullptr) {
    // Only what the route table knows becomes a label: a client's text never does.
    counter = &metrics_.counter("http_requests_total", "Requests answered.",
                                {{"method", route != nullptr ? route->method : "other"},
                                 {"path", route != nullptr ? route->path : "other"},
                                 {"status", std::to_string(status)}});
  }
  return *counter;
}

void RequestLog::write(const Exchange& exchange, double latency_ms) const {
  log_(exchange.status >= 500 ? LogLevel::kError : LogLevel::kInfo,
       event_line("request", [&](adapter::JsonWriter& json) {
         json.key("request_id").value(exchange.request_id);
         if (!exchange.trace_id.empty())
           json.key("trace_id").value(exchange.trace_id).key("span_id").value(exchange.span_id);
         json.key("route").value(exchange.path).key("status").value(exchange.status);
         json.key("latency_ms").value(rounded(latency_ms));
         if (const auto& served = exchange.call.model()) {
           const Model& model = served->engine->model();
           json.key("model").value(model.name).key("model_version").value(model.version);
         }
         if (const auto& timings = exchange.call.timings()) {
           json.key("batch_size").value(exchange.call.batch_size());
           json.key("queue_ms").value(rounded(timings->queue));
           json.key("compute_ms").value(rounded(timings->compute));
         }
         if (exchange.call.confidence) json.key("confidence").value(*exchange.call.confidence);
         if (exchange.failure) json.key("error").value(exchange.failure->message);
       }));
}

}  // namespace infer::http
