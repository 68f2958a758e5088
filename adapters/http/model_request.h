#pragma once

#include <string>

#include "exchange.h"
#include "served_models.h"

namespace infer::http {

/// It names no other models, as routes that are open to everybody answer with it too.
inline Error unknown_model(const std::string& name, const std::string& version) {
  return {ErrorCode::kNotFound,
          "model '" + name.substr(0, 64) + "'" +
              (version.empty() ? "" : " version '" + version.substr(0, 64) + "'") + " is not loaded",
          {}};
}

/// Notes which model answers, for log and statistics.
inline void note_model(Exchange& exchange, const ServedModel& model) {
  exchange.model = model.engine->model().name;
  exchange.model_version = model.engine->model().version;
  exchange.statistics = model.statistics;
}

/// Notes where the time went, for the same.
inline void note_batch(Exchange& exchange, const Timings& timings, std::size_t batch_size,
                       std::size_t samples) {
  exchange.timings = timings;
  exchange.batch_size = batch_size;
  exchange.samples = samples;
}

/// Milliseconds since the request arrived.
inline double latency_ms(const Exchange& exchange) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - exchange.start).count();
}

/// Answers with an engine's error, and says when to come back where that helps.
inline void refuse(Exchange& exchange, const Engine& engine, const Error& error) {
  if (error.code == ErrorCode::kOverloaded || error.code == ErrorCode::kUnavailable)
    exchange.headers.emplace_back("Retry-After", std::to_string(engine.retry_after_seconds()));
  answer_error(exchange, error);
}

}  // namespace infer::http
