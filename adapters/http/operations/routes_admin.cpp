#include <utility>

#include "engine/json_writer.h"
#include "json/json_body.h"
#include "service.h"

namespace infer::http {

namespace {

/// Starts the lame duck phase and answers at its end, so that a preStop hook has only to wait for the
/// answer.
void answer_drain(Service& service, Exchange& exchange) {
  service.lifecycle().start_lame_duck(service.options().drain_delay);
  service.lifecycle().wait_lame_duck();
  JsonWriter json;
  json.begin_object().key("status").value("draining").end_object();
  exchange.answer.text = std::move(json).text();
}

/// Checks for new versions now, also for versions that failed before, and answers when this is done.
void answer_reload(Service& service, Exchange& exchange) {
  service.host().forget_refusals();
  service.refresh();
  JsonWriter json;
  json.begin_object().key("models").begin_object();
  for (const auto& model : service.models().all())
    json.key(model->engine->model().name).value(model->engine->model().version);
  json.end_object().end_object();
  exchange.answer.text = std::move(json).text();
}

/// Sets the log level: {"level": "debug"}.
void answer_log_level(Service& service, Exchange& exchange) {
  JsonBody body;
  if (auto parsed = body.parse(exchange.request.body); !parsed) return answer_error(exchange, parsed.error());
  std::string name;
  if (auto read = body.read("level", name); !read) return answer_error(exchange, read.error());
  const auto level = parse_log_level(name);
  if (!level) {
    return answer_error(exchange,
                        Error{ErrorCode::kInvalidArgument,
                              "level: '" + name.substr(0, 32) + "' is not one of debug, info, warning, error",
                              {}});
  }
  service.set_log_level(*level);
  JsonWriter json;
  json.begin_object().key("level").value(name).end_object();
  exchange.answer.text = std::move(json).text();
}

}  // namespace

void add_admin_routes(Router& router, Service& service) {
  router.add({.method = "POST",
              .path = "/drain",
              .summary = "Stop gracefully",
              .handle = of_service(service, answer_drain),
              .probe_only = true});
  router.add({.method = "POST",
              .path = "/reload",
              .summary = "Check for new versions of the models now",
              .handle = of_service(service, answer_reload),
              .probe_only = true});
  router.add({.method = "POST",
              .path = "/log-level",
              .summary = "Set the log level",
              .handle = of_service(service, answer_log_level),
              .probe_only = true});
}

}  // namespace infer::http
