#include "exchange/exchange.h"

#include <algorithm>

#include "engine/json_writer.h"

namespace infer::http {

std::optional<std::string_view> Request::header(std::string_view name) const {
  const Field* field = find_field(fields, name);
  return field == nullptr ? std::nullopt : std::optional(field->value);
}

std::string Request::media_type() const {
  std::string type(header("Content-Type").value_or(""));
  type.resize(std::min(type.size(), type.find(';')));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return type;
}

int http_status(const Error& error) noexcept {
  if (error.detail == ErrorDetail::kTooLarge) return 413;
  if (error.detail == ErrorDetail::kUnsupportedType) return 415;
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kFailedPrecondition:
      return 412;
    case ErrorCode::kOverloaded:
      return 429;
    case ErrorCode::kDeadlineExceeded:
      return 504;
    case ErrorCode::kCancelled:
      return 499;
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kUnimplemented:
      return 501;
    case ErrorCode::kOutOfMemory:
      return 507;
    case ErrorCode::kModelError:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

namespace {

/// The error types that OpenAI's clients know. The codes are this server's own.
std::string_view openai_type(int status) {
  if (status == 401) return "authentication_error";
  if (status == 404) return "not_found_error";
  if (status == 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}

std::string_view text_embeddings_type(int status) {
  if (status == 429) return "overloaded";
  if (status == 503) return "unhealthy";
  return status < 500 ? "validation" : "backend";
}

/// Clients retry after any 5xx, so errors that a retry cannot cure tell them not to: a retry would cost
/// another forward.
bool retry_helps(int status) { return status == 408 || status == 429 || status == 503 || status == 504; }

}  // namespace

ErrorShape error_shape(std::string_view path, bool json) {
  if (path.starts_with("/v2/") || path == "/v2") return ErrorShape::kInferenceProtocol;
  if (path.starts_with("/v1/")) return ErrorShape::kOpenAi;
  // /embed with image bytes is this server's own route.
  if (path == "/similarity" || (path == "/embed" && json)) return ErrorShape::kTextEmbeddings;
  return ErrorShape::kOwn;
}

void write_failure(Exchange& exchange) {
  const Failure& failure = *exchange.answer.failure;
  exchange.answer.status = failure.status;
  exchange.answer.content_type = "application/json";
  JsonWriter json;
  json.begin_object();
  const bool json_body = exchange.request.media_type() == "application/json";
  switch (error_shape(exchange.request.path, json_body)) {
    case ErrorShape::kOwn:
      json.key("error").begin_object().key("code").value(failure.code);
      json.key("message").value(failure.message).key("request_id").value(exchange.request.id).end_object();
      break;
    case ErrorShape::kInferenceProtocol:
      json.key("error").value(failure.message);
      break;
    case ErrorShape::kOpenAi:
      json.key("error").begin_object().key("message").value(failure.message);
      json.key("type").value(openai_type(failure.status)).key("param").null();
      json.key("code").value(failure.code).end_object();
      if (!retry_helps(failure.status)) exchange.answer.headers.emplace_back("x-should-retry", "false");
      break;
    case ErrorShape::kTextEmbeddings:
      json.key("error").value(failure.message);
      json.key("error_type").value(text_embeddings_type(failure.status));
      break;
  }
  json.end_object();
  exchange.answer.text = std::move(json).text();
}

void answer_error(Exchange& exchange, int status, std::string_view code, std::string message) {
  exchange.answer.failure = Failure{status, std::string(code), std::move(message)};
  exchange.answer.status = status;
}

void refuse(Exchange& exchange, const Error& error) {
  if (const auto seconds = exchange.call.retry_after_seconds(error))
    exchange.answer.headers.emplace_back("Retry-After", std::to_string(*seconds));
  answer_error(exchange, error);
}

void answer_error(Exchange& exchange, const Error& error) {
  answer_error(exchange, http_status(error), to_string(error.code), error.message);
}

}  // namespace infer::http
