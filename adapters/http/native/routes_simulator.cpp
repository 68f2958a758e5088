#include <unistd.h>

#include <array>
#include <cmath>
#include <utility>

#include "calls/choose_model.h"
#include "calls/model_request.h"
#include "engine/json_writer.h"
#include "json/json_body.h"
#include "service.h"

namespace infer::http {

namespace {

/// Returns the host name, which Kubernetes sets to the pod's name.
std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

void simulate(Service& service, Exchange& exchange) {
  ModelAdmission admission(service.models(), exchange, kSimulate);
  if (!admission.before_body()) return;
  SimulatedWork work;
  if (exchange.request.body.empty()) {  // simulates the model's default work
    if (!admission.choose(WantedModel{})) return;
  } else {
    JsonBody body;
    if (auto parsed = body.parse(exchange); !parsed) return admission.refuse(parsed.error());
    if (!admission.choose(body)) return;
    std::size_t units = 0;
    for (auto done :
         {body.read("work_ms", work.milliseconds), body.read("work_units", units, 0, Simulator::kMaxUnits)}) {
      if (!done) return admission.refuse(done.error());
    }
    work.units = units;
  }
  auto answer = admission.task<Simulator>().run(work, exchange.call.options(), admission.permit());
  if (!answer) return admission.refuse(answer.error());
  exchange.call.ran(answer->timings, answer->batch_size, 1);
  JsonWriter json;
  json.begin_object().key("status").value("ok").key("work_units").value(answer->units);
  json.key("elapsed_ms").value(std::round(latency_ms(exchange) * 1000) / 1000);
  static const std::string pod = host_name();
  json.key("pod").value(pod).end_object();
  exchange.answer.text = std::move(json).text();
}

}  // namespace

void add_simulator_routes(Router& router, Service& service) {
  const auto handle = [&service](Exchange& exchange) { simulate(service, exchange); };
  const char* const answer = R"({"type":"object","required":["status","work_units","elapsed_ms","pod"]})";
  router.add({.method = "GET",
              .path = "/infer",
              .summary = "CPU-bound work of the model's own size, for a load generator that sends no body",
              .handle = handle,
              .work = true,
              .response = answer});
  router.add(
      {.method = "POST",
       .path = "/infer",
       .summary = "CPU-bound work of a stated size",
       .handle = handle,
       .work = true,
       .request =
           {{"application/json",
             R"({"type":"object","properties":{"work_ms":{"type":"number","minimum":0,"maximum":60000},)"
             R"("work_units":{"type":"integer","minimum":0,"maximum":10000000},"model":{"type":"string"},)"
             R"("version":{"type":"string"}}})"}},
       .response = answer});
}

}  // namespace infer::http
