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
  std::string_view query;  ///< As it was sent.
  std::span<const Field> fields;
  std::string_view remote_address;
  std::string id;
  Body body;
  std::vector<Part> parts;  ///< Of a body of multipart/form-data; views of `body`.
  /// Adds what is derived from the body to the bytes that requests may hold, until this one is answered;
  /// empty: there is no bound. Errors: `kOverloaded`; `kTooLarge` for what can never fit.
  std::function<Result<void>(std::size_t bytes)> charge;
  const Route* route = nullptr;              ///< Null until it is found.
  std::vector<std::string> path_parameters;  ///< What stands at the {names} of the route's path, in order.
  std::string trace_id;                      ///< Of a valid `traceparent`, else empty.
  std::string span_id;                       ///< Ours within that trace.

  std::optional<std::string_view> header(std::string_view name) const;
  /// The media type of the body in lower case, without parameters.
  std::string media_type() const;
};

/// What a client gets.
struct Answer {
  int status = 200;
  std::string content_type = "application/json";
  std::string text;
  std::vector<Tensor> binary;  ///< Their bytes follow `text`, in order.
  bool compressible = false;   ///< May be compressed for a client that asks for it.
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<Failure> failure;  ///< Becomes the answer, in the shape of the route.
};

/// One request on its way: what was sent, what it means to the served models, and what is answered.
struct Exchange {
  Request request;
  Call call;
  Answer answer;
  bool counted = false;  ///< Taken into the count of active requests.
};

/// The HTTP status that docs/errors.md gives an error.
int http_status(const Error& error) noexcept;

/// Answers with an error of the call, and says when to come back where that helps.
void refuse(Exchange& exchange, const Error& error);
/// Answers with `error`.
void answer_error(Exchange& exchange, const Error& error);
/// The same with a status that no error code maps to (401, 405, 408, 431).
void answer_error(Exchange& exchange, int status, std::string_view code, std::string message);
/// Writes the failure as the answer.
void write_failure(Exchange& exchange);

/// How an error looks: each family of routes has the shape that its clients know.
enum class ErrorShape : std::uint8_t {
  kOwn,                ///< {"error": {"code", "message", "request_id"}}
  kInferenceProtocol,  ///< {"error": message}
  kOpenAi,             ///< {"error": {"message", "type", "param", "code"}}
  kTextEmbeddings,     ///< {"error": message, "error_type"}
};
/// The shape for a path; `json`: whether the request's body is JSON.
ErrorShape error_shape(std::string_view path, bool json);

}  // namespace infer::http
