#pragma once

#include <string>

#include "exchange/exchange.h"
#include "infer/core/invalid.h"

namespace infer::http {

/// Names no other models, because routes without an API key answer with this error too.
inline Error unknown_model(const std::string& name, const std::string& version) {
  return {ErrorCode::kNotFound,
          "model " + in_quotes(name) + (version.empty() ? "" : " version " + in_quotes(version)) +
              " is not loaded",
          {}};
}

/// Milliseconds since the request arrived.
inline double latency_ms(const Exchange& exchange) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - exchange.call.start)
      .count();
}

}  // namespace infer::http
