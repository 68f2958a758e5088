#include "operations/openapi.h"

#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "engine/json_writer.h"
#include "infer/version.h"

namespace infer::http {

namespace {

constexpr const char* kOwnError =
    R"({"type":"object","required":["error"],"properties":{"error":{"type":"object","required":["code","message","request_id"],)"
    R"("properties":{"code":{"type":"string"},"message":{"type":"string"},"request_id":{"type":"string"}}}}})";
constexpr const char* kInferenceProtocolError =
    R"({"type":"object","required":["error"],"properties":{"error":{"type":"string"}}})";
constexpr const char* kOpenAiError =
    R"({"type":"object","required":["error"],"properties":{"error":{"type":"object","required":["message","type","param","code"],)"
    R"("properties":{"message":{"type":"string"},"type":{"type":"string"},"param":{"type":["string","null"]},"code":{"type":"string"}}}}})";
constexpr const char* kTextEmbeddingsError =
    R"({"type":"object","required":["error","error_type"],"properties":{"error":{"type":"string"},"error_type":{"type":"string"}}})";

const char* error_schema(ErrorShape shape) {
  switch (shape) {
    case ErrorShape::kInferenceProtocol:
      return kInferenceProtocolError;
    case ErrorShape::kOpenAi:
      return kOpenAiError;
    case ErrorShape::kTextEmbeddings:
      return kTextEmbeddingsError;
    case ErrorShape::kOwn:
      break;
  }
  return kOwnError;
}

/// Returns both formats for a route whose error format depends on the request's body.
std::string error_schemas(const std::string& path) {
  const ErrorShape json = error_shape(path, true);
  const ErrorShape other = error_shape(path, false);
  if (json == other) return error_schema(json);
  return std::string(R"({"anyOf":[)") + error_schema(json) + ',' + error_schema(other) + "]}";
}

// Statuses besides 200 that every route with `work` may answer.
constexpr std::array<std::pair<const char*, const char*>, 14> kFailures{{
    {"400", "The input can never succeed; the message names the field, its value and the limit."},
    {"401", "The API key is missing or unknown."},
    {"404", "No model has the requested task or name."},
    {"408", "The request did not arrive in time."},
    {"413", "A limit on size or number is exceeded."},
    {"415", "The content type, encoding or image format is not supported."},
    {"417", "The Expect header is not 100-continue."},
    {"422", "A field of a text-embeddings-inference request is missing or has a wrong type."},
    {"429", "The server is overloaded; try again after Retry-After seconds."},
    {"431", "The headers are too large."},
    {"500", "The model failed."},
    {"503", "The server is loading or draining; try another server."},
    {"504", "The deadline passed before execution started."},
    {"507", "The server is out of memory; send a smaller request."},
}};

void content(JsonWriter& json, std::string_view type, std::string_view schema) {
  json.key("content").begin_object().key(type).begin_object();
  if (!schema.empty()) json.key("schema").raw(schema);
  json.end_object().end_object();
}

void operation(JsonWriter& json, const Route& route) {
  json.begin_object().key("summary").value(route.summary);
  if (route.work || route.path.find('{') != std::string::npos) {
    json.key("parameters").begin_array();
    for (std::size_t at = route.path.find('{'); at != std::string::npos; at = route.path.find('{', at + 1)) {
      json.begin_object().key("name").value(route.path.substr(at + 1, route.path.find('}', at) - at - 1));
      json.key("in").value("path").key("required").value(true);
      json.key("schema").raw(R"({"type":"string"})").end_object();
    }
    if (route.work) {
      json.raw(R"({"name":"X-Request-Id","in":"header","schema":{"type":"string","maxLength":128}})");
      json.raw(R"({"name":"X-Timeout-Ms","in":"header","schema":{"type":"integer","minimum":1}})");
    }
    json.end_array();
  }
  if (!route.request.empty()) {
    json.key("requestBody").begin_object().key("required").value(true).key("content").begin_object();
    for (const auto& [type, schema] : route.request)
      json.key(type).begin_object().key("schema").raw(schema).end_object();
    json.end_object().end_object();
  }
  json.key("responses").begin_object();
  json.key("200").begin_object().key("description").value("OK");
  content(json, route.response_type, route.response);
  json.end_object();
  const std::string errors = error_schemas(route.path);
  if (route.work) {
    for (const auto& [status, description] : kFailures) {
      json.key(status).begin_object().key("description").value(description);
      content(json, "application/json", errors);
      json.end_object();
    }
  } else {
    const auto failure = [&](const char* status, const char* description, std::string_view schema) {
      json.key(status).begin_object().key("description").value(description);
      content(json, "application/json", schema);
      json.end_object();
    };
    const bool own_health = route.path == "/health" || route.path == "/readyz" || route.path == "/livez";
    if (own_health) failure("503", "The server is not ready or not healthy.", "");
    if (!route.open) failure("401", "The API key is missing or unknown.", errors);
    if (route.path.find('{') != std::string::npos)
      failure("404", "No model has this name or version.", errors);
    if (route.path.ends_with("/ready")) failure("503", "The model or server is not ready.", errors);
    if (route.method == "POST") failure("400", "The body is not valid for this route.", errors);
  }
  json.end_object().end_object();
}

}  // namespace

std::string openapi(const std::vector<Route>& routes) {
  JsonWriter json;
  json.begin_object().key("openapi").value("3.1.0");
  json.key("info")
      .begin_object()
      .key("title")
      .value("infer")
      .key("version")
      .value(INFER_VERSION)
      .end_object();
  json.key("paths").begin_object();
  std::map<std::string, std::vector<const Route*>> paths;
  for (const Route& route : routes) {
    if (!route.probe_only) paths[route.path].push_back(&route);
  }
  for (const auto& [path, operations] : paths) {
    json.key(path).begin_object();
    for (const Route* route : operations) {
      std::string method = route->method;
      for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
      json.key(method);
      operation(json, *route);
    }
    json.end_object();
  }
  json.end_object().end_object();
  return std::move(json).text();
}

}  // namespace infer::http
