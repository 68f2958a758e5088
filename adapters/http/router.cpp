#include "router.h"

#include <array>

#include "infer/version.h"
#include "json_writer.h"

namespace infer::http {

using adapter::JsonWriter;

Router::Match Router::find(std::string_view method, std::string_view path, bool probe) const {
  Match match;
  // HEAD is GET without the body, which cpp-httplib leaves out by itself.
  if (method == "HEAD") method = "GET";
  for (const Route& route : routes_) {
    if (route.path != path || (probe ? !(route.on_probe || route.probe_only) : route.probe_only)) continue;
    if (route.method == method) return {&route, {}};
    match.allowed += (match.allowed.empty() ? "" : ", ") + route.method;
  }
  return match;
}

namespace {

constexpr const char* kErrorSchema =
    R"({"type":"object","required":["error"],"properties":{"error":{"type":"object","required":["code","message","request_id"],)"
    R"("properties":{"code":{"type":"string"},"message":{"type":"string"},"request_id":{"type":"string"}}}}})";

// What any route that does work may answer besides 200.
constexpr std::array<std::pair<const char*, const char*>, 12> kFailures{{
    {"400", "The input can never succeed; the message names the field, its value and the limit."},
    {"404", "No model of the kind that is asked for."},
    {"408", "The request did not arrive in time."},
    {"413", "A limit on size or number is exceeded."},
    {"415", "A content type, encoding or image format that is not read."},
    {"417", "The announced body is not accepted."},
    {"429", "Too much at once; try again after Retry-After seconds."},
    {"431", "The headers are too large."},
    {"500", "The model failed."},
    {"503", "Loading or draining; try elsewhere."},
    {"504", "The deadline passed before execution started."},
    {"507", "Out of memory; try something smaller."},
}};

void content(JsonWriter& json, std::string_view type, std::string_view schema) {
  json.key("content").begin_object().key(type).begin_object();
  if (!schema.empty()) json.key("schema").raw(schema);
  json.end_object().end_object();
}

void operation(JsonWriter& json, const Route& route) {
  json.begin_object().key("summary").value(route.summary);
  if (route.work) {
    json.key("parameters").begin_array();
    json.raw(R"({"name":"X-Request-Id","in":"header","schema":{"type":"string","maxLength":128}})");
    json.raw(R"({"name":"X-Timeout-Ms","in":"header","schema":{"type":"integer","minimum":1}})");
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
  if (route.work) {
    for (const auto& [status, description] : kFailures) {
      json.key(status).begin_object().key("description").value(description);
      content(json, "application/json", kErrorSchema);
      json.end_object();
    }
  } else if (route.path == "/health" || route.path == "/readyz" || route.path == "/livez") {
    json.key("503").begin_object().key("description").value("Not now.");
    content(json, "application/json", "");
    json.end_object();
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
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (routes[i].probe_only) continue;
    json.key(routes[i].path).begin_object();
    std::string method = routes[i].method;
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    json.key(method);
    operation(json, routes[i]);
    json.end_object();
  }
  json.end_object().end_object();
  return std::move(json).text();
}

}  // namespace infer::http
