#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "infer/core/error.h"
#include "infer/core/result.h"
#include "infer/engine/tensor.h"
#include "infer/serving/call.h"
#include "message/body.h"
#include "message/failure.h"
#include "message/fields.h"
#include "message/multipart.h"

namespace infer::http {

struct Route;

/// What a client sent. Texts are views of the request's head, which outlives the exchange.
struct Request {
  std::string_view method;
  std::string_view path;
  std::string_view query;  ///< As sent, still percent-encoded.
  std::span<const Field> fields;
  std::string_view remote_address;
  std::string id;
  Body body;
  std::vector<Part> parts;  ///< Of a multipart/form-data body; views of `body`.
  /// Charges memory that is derived from the body to the budget of all requests, until this request is
  /// answered. Empty if there is no limit. Errors: `kOverloaded`; `kTooLarge` for an amount that can never
  /// fit.
  std::function<Result<void>(std::size_t bytes)> charge;
  const Route* route = nullptr;              ///< Null until the route is found.
  std::vector<std::string> path_parameters;  ///< Values of the {names} in the route's path, in order.
  std::string trace_id;                      ///< From a valid `traceparent`, else empty.
  std::string span_id;                       ///< The server's own span in that trace.

  std::optional<std::string_view> header(std::string_view name) const;
  /// Returns the media type of the body in lower case, without parameters.
  std::string media_type() const;
};

/// The answer to a client.
struct Answer {
  int status = 200;
  std::string content_type = "application/json";
  std::string text;
  std::vector<Tensor> binary;  ///< Sent after `text`, in order.
  bool compressible = false;   ///< May be compressed if the client accepts it.
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<Failure> failure;  ///< If set, becomes the answer in the error format of the route.
};

/// One request and its answer, with the serving call between them.
struct Exchange {
  Request request;
  Call call;
  Answer answer;
  bool counted = false;  ///< Counted as an active request.
};

/// Returns the HTTP status of an error, as listed in docs/errors.md.
int http_status(const Error& error) noexcept;

/// Answers with an error of the call, with a Retry-After header if a retry can help.
void refuse(Exchange& exchange, const Error& error);
void answer_error(Exchange& exchange, const Error& error);
/// Answers with a status that no error code maps to (401, 405, 408, 431).
void answer_error(Exchange& exchange, int status, std::string_view code, std::string message);
void write_failure(Exchange& exchange);

/// Error formats: each family of routes uses the format that its clients know.
enum class ErrorShape : std::uint8_t {
  kOwn,                ///< {"error": {"code", "message", "request_id"}}
  kInferenceProtocol,  ///< {"error": message}
  kOpenAi,             ///< {"error": {"message", "type", "param", "code"}}
  kTextEmbeddings,     ///< {"error": message, "error_type"}
};
/// Returns the error format of a path. `json` says whether the request's body is JSON.
ErrorShape error_shape(std::string_view path, bool json);

}  // namespace infer::http
