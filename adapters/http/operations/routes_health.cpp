#include <algorithm>

#include "engine/json_writer.h"
#include "protocols/oip/model_documents.h"
#include "service.h"

namespace infer::http {

namespace {

using Phase = Lifecycle::Phase;

std::string status_body(std::string_view status) {
  JsonWriter json;
  json.begin_object().key("status").value(status).end_object();
  return std::move(json).text();
}

std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::kLoading:
      return "loading";
    case Phase::kServing:
      return "ok";
    case Phase::kLameDuck:
    case Phase::kDraining:
      return "draining";
  }
  return "draining";
}

void answer_ready(Service& service, Exchange& exchange) {
  const Phase phase = service.lifecycle().phase();
  exchange.answer.status = phase == Phase::kServing ? 200 : 503;
  if (phase != Phase::kServing) exchange.answer.headers.emplace_back("Retry-After", "1");
  exchange.answer.text = status_body(phase_name(phase));
}

void answer_live(Service& service, Exchange& exchange) {
  const auto models = service.models().all();
  const bool live =
      std::all_of(models.begin(), models.end(), [](const auto& model) { return model->engine->live(); });
  exchange.answer.status = live ? 200 : 503;
  exchange.answer.text = status_body(live ? "ok" : "stuck");
}

void answer_healthz(Service& service, Exchange& exchange) {
  std::size_t queued = 0;
  for (const auto& model : service.models().all()) queued += model->engine->stats().scheduler.queue_size;
  JsonWriter json;
  json.begin_object().key("status").value("ok").key("service").value("inference-api");
  json.key("model_ready").value(service.ready()).key("queue_length").value(queued).key("startup_ready_ms");
  if (service.startup_ready_ms() < 0) {
    json.null();
  } else {
    json.value(static_cast<std::int64_t>(service.startup_ready_ms()));
  }
  json.end_object();
  exchange.answer.text = std::move(json).text();
}

constexpr const char* kStatusSchema =
    R"({"type":"object","required":["status"],"properties":{"status":{"type":"string"}}})";

}  // namespace

void add_health_routes(Router& router, Service& service) {
  const auto always = [](const Exchange&) { return true; };
  router.add({.method = "GET",
              .path = "/health",
              .summary = "200 when ready, else 503",
              .handle = of_service(service, answer_ready),
              .on_probe = true,
              .response = kStatusSchema,
              .open = true,
              .quick = always});
  router.add(
      {.method = "GET",
       .path = "/healthz",
       .summary = "200 once HTTP answers, with queue length and start-up time",
       .handle = of_service(service, answer_healthz),
       .on_probe = true,
       .response =
           R"({"type":"object","required":["status","service","model_ready","queue_length","startup_ready_ms"]})",
       .open = true,
       .quick = always});
  router.add({.method = "GET",
              .path = "/livez",
              .summary = "503 only while a forward is stuck",
              .handle = of_service(service, answer_live),
              .on_probe = true,
              .response = kStatusSchema,
              .open = true,
              .quick = always});
  router.add({.method = "GET",
              .path = "/readyz",
              .summary = "200 when loaded, warm and not draining",
              .handle = of_service(service, answer_ready),
              .on_probe = true,
              .response = kStatusSchema,
              .open = true,
              .quick = always});
  router.add({.method = "GET",
              .path = "/metrics",
              .summary = "Prometheus text",
              .handle =
                  [&service](Exchange& exchange) {
                    exchange.answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
                    exchange.answer.text = service.metrics().render();
                    if (service.options().triton_metrics)
                      exchange.answer.text += triton_metrics(service.models().all());
                  },
              .on_probe = true,
              .response_type = "text/plain"});
}

}  // namespace infer::http
