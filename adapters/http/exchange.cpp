#include "exchange.h"

#include <algorithm>

#include "json_writer.h"

namespace infer::http {

using adapter::JsonWriter;

std::string Exchange::media_type() const {
  std::string type = header("Content-Type").value_or("");
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

void answer_error(Exchange& exchange, int status, std::string_view code, const std::string& message) {
  exchange.status = status;
  exchange.content_type = "application/json";
  exchange.error = message;
  JsonWriter json;
  json.begin_object().key("error").begin_object();
  json.key("code").value(code).key("message").value(message).key("request_id").value(exchange.request_id);
  json.end_object().end_object();
  exchange.response = std::move(json).text();
}

void answer_error(Exchange& exchange, const Error& error) {
  answer_error(exchange, http_status(error), to_string(error.code), error.message);
}

}  // namespace infer::http
