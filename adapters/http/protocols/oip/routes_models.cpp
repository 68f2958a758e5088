#include <string>
#include <utility>

#include "calls/model_request.h"
#include "engine/json_writer.h"
#include "infer/version.h"
#include "json/json_body.h"
#include "protocols/oip/model_documents.h"
#include "service.h"

namespace infer::http {

namespace {

/// Returns the model that the path names. Returns null if it has answered with an error.
std::shared_ptr<ServedModel> path_model(Service& service, Exchange& exchange) {
  const std::string& name = exchange.request.path_parameters[0];
  const std::string version =
      exchange.request.path_parameters.size() > 1 ? exchange.request.path_parameters[1] : "";
  auto model = service.models().find(name, version);
  if (model == nullptr) answer_error(exchange, unknown_model(name, version));
  return model;
}

void live(Service&, Exchange& exchange) { exchange.answer.text = R"({"live":true})"; }

void ready(Service& service, Exchange& exchange) {
  if (service.ready()) {
    exchange.answer.text = R"({"live":true,"ready":true})";
  } else {
    answer_error(exchange, Error{ErrorCode::kUnavailable, "the server is not ready", {}});
  }
}

void server_metadata(Service& service, Exchange& exchange) {
  JsonWriter json;
  json.begin_object().key("name").value("libinfer").key("version").value(INFER_VERSION);
  json.key("extensions").begin_array().value("binary_tensor_data").value("statistics");
  json.value("model_configuration");
  if (service.options().repository_api) json.value("model_repository");
  json.end_array().end_object();
  exchange.answer.text = std::move(json).text();
}

void list_models(Service& service, Exchange& exchange) {
  JsonWriter json;
  json.begin_object().key("models").begin_array();
  for (const std::string& name : service.models().names()) json.value(name);
  json.end_array().end_object();
  exchange.answer.text = std::move(json).text();
}

void metadata(Service& service, Exchange& exchange) {
  const auto model = path_model(service, exchange);
  if (model == nullptr) return;
  std::vector<std::string> versions;
  for (const auto& other : service.models().all()) {
    if (other->engine->model().name == model->engine->model().name)
      versions.push_back(other->engine->model().version);
  }
  exchange.answer.text = model_metadata(*model, versions);
}

void model_ready(Service& service, Exchange& exchange) {
  const auto model = path_model(service, exchange);
  if (model == nullptr) return;
  if (!service.ready() || !model->engine->ready())
    return answer_error(exchange, Error{ErrorCode::kUnavailable, "the model is not ready", {}});
  JsonWriter json;
  json.begin_object().key("name").value(model->engine->model().name).key("ready").value(true).end_object();
  exchange.answer.text = std::move(json).text();
}

void config(Service& service, Exchange& exchange) {
  if (const auto model = path_model(service, exchange)) exchange.answer.text = model_config(*model);
}

void statistics(Service& service, Exchange& exchange) {
  if (exchange.request.path_parameters.empty()) {
    exchange.answer.text = model_statistics(service.models().all());
  } else if (const auto model = path_model(service, exchange)) {
    exchange.answer.text = model_statistics({model});
  }
}

/// {"ready": true} omits models that are not served.
void repository_index(Service& service, Exchange& exchange) {
  bool only_ready = false;
  if (!exchange.request.body.empty()) {
    JsonBody body;
    if (auto parsed = body.parse(exchange); !parsed) return answer_error(exchange, parsed.error());
    if (auto read = body.read("ready", only_ready); !read) return answer_error(exchange, read.error());
  }
  JsonWriter json;
  json.begin_array();
  for (const auto& entry : service.host().index()) {
    const bool served = !entry.version.empty();
    if (only_ready && !served) continue;
    json.begin_object().key("name").value(entry.name);
    if (served) json.key("version").value(entry.version);
    json.key("state").value(served ? "READY" : "UNAVAILABLE").key("reason").value(served ? "" : "unloaded");
    json.end_object();
  }
  json.end_array();
  exchange.answer.text = std::move(json).text();
}

void load(Service& service, Exchange& exchange) {
  if (auto loaded = service.host().load_model(exchange.request.path_parameters[0]); !loaded)
    return answer_error(exchange, loaded.error());
  exchange.answer.text = "{}";
}

void unload(Service& service, Exchange& exchange) {
  if (auto unloaded = service.host().unload_model(exchange.request.path_parameters[0]); !unloaded)
    return answer_error(exchange, unloaded.error());
  exchange.answer.text = "{}";
}

}  // namespace

void add_model_routes(Router& router, Service& service) {
  const auto add = [&](const char* method, std::string path, std::string summary,
                       void (*answer)(Service&, Exchange&), const char* response, bool open = false,
                       bool changes_state = false) {
    router.add({.method = method,
                .path = std::move(path),
                .summary = std::move(summary),
                .handle = [&service, answer](Exchange& exchange) { answer(service, exchange); },
                .response = response,
                .open = open,
                .changes_state = changes_state});
  };
  constexpr const char* kObject = R"({"type":"object"})";
  add("GET", "/v2/health/live", "200 once HTTP answers", live,
      R"({"type":"object","required":["live"],"properties":{"live":{"type":"boolean"}}})", true);
  add("GET", "/v2/health/ready", "200 when ready, else 503", ready,
      R"({"type":"object","required":["ready"],"properties":{"live":{"type":"boolean"},"ready":{"type":"boolean"}}})",
      true);
  for (const char* path : {"/v2", "/v2/"}) {
    add("GET", path, "Name, version and extensions of the server", server_metadata,
        R"({"type":"object","required":["name","version","extensions"]})");
  }
  add("GET", "/v2/models", "Names of the models", list_models, R"({"type":"object","required":["models"]})");
  // Registered before the models, since a model could be named "stats".
  add("GET", "/v2/models/stats", "Request statistics of all models", statistics,
      R"({"type":"object","required":["model_stats"]})");
  for (const std::string model : {"/v2/models/{model}", "/v2/models/{model}/versions/{version}"}) {
    add("GET", model, "Inputs and outputs of a model", metadata,
        R"({"type":"object","required":["name","versions","platform","inputs","outputs"]})");
    add("GET", model + "/ready", "200 when the model is ready", model_ready, kObject);
    add("GET", model + "/config", "Configuration of a model", config, kObject);
    add("GET", model + "/stats", "Request statistics of a model", statistics,
        R"({"type":"object","required":["model_stats"]})");
  }
  if (!service.options().repository_api) return;
  add("POST", "/v2/repository/index", "Models of the repository, and whether they are served",
      repository_index, R"({"type":"array","items":{"type":"object"}})");
  add("POST", "/v2/repository/models/{model}/load", "Load a model, or load it again", load, kObject, false,
      true);
  add("POST", "/v2/repository/models/{model}/unload", "Stop serving a model", unload, kObject, false, true);
}

}  // namespace infer::http
