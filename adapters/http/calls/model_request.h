#pragma once

#include <string>

#include "exchange/exchange.h"

namespace infer::http {

/// It names no other models, as routes that are open to everybody answer with it too.
inline Error unknown_model(const std::string& name, const std::string& version) {
  return {ErrorCode::kNotFound,
          "model '" + name.substr(0, 64) + "'" +
              (version.empty() ? "" : " version '" + version.substr(0, 64) + "'") + " is not loaded",
          {}};
}

/// Milliseconds since the request arrived.
inline double latency_ms(const Exchange& exchange) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - exchange.call.start)
      .count();
}

/// Answers with an error of the call, and says when to come back where that helps.
inline void refuse(Exchange& exchange, const Error& error) {
  if (const auto seconds = exchange.call.retry_after_seconds(error))
    exchange.headers.emplace_back("Retry-After", std::to_string(*seconds));
  answer_error(exchange, error);
}

}  // namespace infer::http
