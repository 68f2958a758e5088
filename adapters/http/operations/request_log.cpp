#include "operations/request_log.h"

#include <chrono>
#include <cmath>
#include <string>

#include "exchange/router.h"

namespace infer::http {
namespace {

/// Returns milliseconds, rounded to microseconds.
double rounded(Duration time) {
  return std::round(std::chrono::duration<double, std::milli>(time).count() * 1000) / 1000;
}

Outcome outcome_of(int status) {
  return status < 400 ? Outcome::kSucceeded : status < 500 ? Outcome::kRefused : Outcome::kFailed;
}

}  // namespace

RequestLog::RequestLog(LogLine log, MetricsRegistry& metrics, std::uint64_t lines_per_second)
    : log_(std::move(log)),
      metrics_(metrics),
      access_(metrics, lines_per_second, [this](const AccessLog::LeftOut& left_out) {
        log_(LogLevel::kWarning, event_line("log_lines_left_out", [&](JsonWriter& json) {
               json.key("succeeded").value(left_out.succeeded).key("refused").value(left_out.refused);
               json.key("failed").value(left_out.failed);
             }));
      }) {}

void RequestLog::finished(const Exchange& exchange) {
  const int status = exchange.answer.status;
  requests(exchange.request.route, status).add();
  if (exchange.request.route == nullptr || !exchange.request.route->work) return;
  const auto record = access_.finish(exchange.call, outcome_of(status), std::chrono::steady_clock::now());
  if (record) write(exchange, *record);
}

Counter& RequestLog::requests(const Route* route, int status) {
  std::unique_lock lock(mutex_);
  Counter*& counter = requests_[{route, status}];
  if (counter == nullptr) {
    // Labels come only from the route table, since labels of a client's text would have no limit.
    counter = &metrics_.counter("http_requests_total", "Number of HTTP requests that were answered.",
                                {{"method", route != nullptr ? route->method : "other"},
                                 {"path", route != nullptr ? route->path : "other"},
                                 {"status", std::to_string(status)}});
  }
  return *counter;
}

void RequestLog::write(const Exchange& exchange, const AccessRecord& record) const {
  const Request& request = exchange.request;
  log_(record.outcome == Outcome::kFailed ? LogLevel::kError : LogLevel::kInfo,
       event_line("request", [&](JsonWriter& json) {
         json.key("request_id").value(request.id);
         if (!request.trace_id.empty())
           json.key("trace_id").value(request.trace_id).key("span_id").value(request.span_id);
         json.key("route").value(request.path).key("status").value(exchange.answer.status);
         json.key("latency_ms").value(rounded(record.latency));
         if (!record.model.empty())
           json.key("model").value(record.model).key("model_version").value(record.version);
         if (record.timings) {
           json.key("batch_size").value(record.batch_size);
           json.key("queue_ms").value(rounded(record.timings->queue));
           json.key("compute_ms").value(rounded(record.timings->compute));
         }
         if (record.confidence) json.key("confidence").value(*record.confidence);
         if (exchange.answer.failure) json.key("error").value(exchange.answer.failure->message);
       }));
}

}  // namespace infer::http
