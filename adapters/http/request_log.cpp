#include "request_log.h"

#include <chrono>
#include <cmath>
#include <string>

#include "request_statistics.h"
#include "router.h"

namespace infer::http {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

double rounded(double value) { return std::round(value * 1000) / 1000; }
double rounded(Duration time) { return rounded(Milliseconds(time).count()); }

}  // namespace

RequestLog::RequestLog(LogLine log, MetricsRegistry& metrics, std::uint64_t lines_per_second)
    : log_(std::move(log)),
      metrics_(metrics),
      sampler_(lines_per_second),
      predictions_(metrics.counter("predictions_total", "Predictions answered with success.")),
      prediction_latency_(metrics.histogram("prediction_latency_seconds",
                                            "Seconds a prediction took, HTTP included.", latency_edges())) {
  Gauge& left_out = metrics.gauge("infer_log_sampled_lines",
                                  "Lines of successful requests left out of the log since the start.");
  metrics.on_collect([this, &left_out] { left_out.set(static_cast<double>(sampler_.left_out())); });
}

void RequestLog::finished(const Exchange& exchange) {
  requests(exchange.route, exchange.status).add();
  if (exchange.route == nullptr || !exchange.route->work) return;
  const TimePoint now = std::chrono::steady_clock::now();
  const Duration total = now - exchange.start;
  const bool done = exchange.status == 200;
  if (done) {
    predictions_.add();
    prediction_latency_.observe(std::chrono::duration<double>(total).count());
  }
  if (exchange.statistics) {
    if (done) {
      exchange.statistics->succeeded(total, exchange.timings.value_or(Timings{}), exchange.samples);
    } else {
      exchange.statistics->failed(total);
    }
  }
  if (exchange.status >= 400 || sampler_.admit(now)) write(exchange, Milliseconds(total).count());
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
         if (!exchange.model.empty())
           json.key("model").value(exchange.model).key("model_version").value(exchange.model_version);
         if (exchange.timings) {
           json.key("batch_size").value(exchange.batch_size);
           json.key("queue_ms").value(rounded(exchange.timings->queue));
           json.key("compute_ms").value(rounded(exchange.timings->compute));
         }
         if (exchange.confidence) json.key("confidence").value(*exchange.confidence);
         if (exchange.failure) json.key("error").value(exchange.failure->message);
       }));
}

}  // namespace infer::http
