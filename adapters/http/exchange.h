#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "infer/core/clock.h"
#include "infer/core/error.h"

namespace infer::http {

/// One part of a multipart body.
struct Part {
  std::string name;
  std::string content_type;
  std::string content;
};

/// What a handler learns and what it answers; knows nothing of the HTTP library underneath.
struct Exchange {
  // The request.
  std::string method;
  std::string path;
  std::string remote_address;
  std::string request_id;
  std::string body;
  std::vector<Part> parts;  ///< Instead of `body` for multipart/form-data.
  TimePoint start{};
  TimePoint deadline = kNever;
  std::stop_token hung_up;  ///< Stops when the client is gone.
  std::function<std::optional<std::string>(const char* name)> header;

  // The answer.
  int status = 200;
  std::string content_type = "application/json";
  std::string response;
  std::vector<std::pair<std::string, std::string>> headers;
  bool close = false;  ///< End the connection after this answer.

  bool counted = false;  ///< Taken into the count of active requests.

  // For the request's line in the log.
  std::string model;
  std::string model_version;
  std::string error;
  std::size_t batch_size = 0;
  double queue_ms = 0;
  double compute_ms = 0;
  std::optional<float> confidence;

  /// The media type of the request's body in lower case, without parameters.
  std::string media_type() const;
};

/// The HTTP status that docs/errors.md gives an error.
int http_status(const Error& error) noexcept;

/// Answers with `error` in the shape of the project's own routes.
void answer_error(Exchange& exchange, const Error& error);
/// The same with a status that no error code maps to (401, 405, 408, 431).
void answer_error(Exchange& exchange, int status, std::string_view code, const std::string& message);

}  // namespace infer::http
