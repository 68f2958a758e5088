#include <utility>
#include <vector>

#include "calls/choose_model.h"
#include "calls/model_request.h"
#include "engine/json_writer.h"
#include "infer/core/invalid.h"
#include "infer/tasks/ranking.h"
#include "json/json_body.h"
#include "service.h"

namespace infer::http {

namespace {

constexpr Work kRanking = work_of<Ranker>("ranking");

void rank(Service& service, Exchange& exchange) {
  ModelAdmission admission(service.models(), exchange, kRanking);
  if (!admission.before_body()) return;
  JsonBody body;
  if (auto parsed = body.parse(exchange); !parsed) return admission.refuse(parsed.error());
  if (!admission.choose(body)) return;
  std::vector<float> values;
  const auto* const list = body.find("values");
  if (list == nullptr || !list->is_array())
    return admission.refuse(invalid("values: must be a list of numbers").error());
  for (const auto item : list->get_array()) {
    double value = 0;
    if (item.get(value) != simdjson::SUCCESS)
      return admission.refuse(invalid("values: must be a list of numbers").error());
    values.push_back(static_cast<float>(value));
  }
  auto order = admission.task<Ranker>().rank(values, exchange.call.options(), admission.permit());
  if (!order) return admission.refuse(order.error());
  JsonWriter json;
  json.begin_object().key("order").begin_array();
  for (const std::size_t index : *order) json.value(index);
  json.end_array().end_object();
  exchange.answer.text = std::move(json).text();
}

}  // namespace

void add_ranking_routes(Router& router, Service& service) {
  router.add({.method = "POST",
              .path = "/rank",
              .summary = "The order of numbers by their score",
              .handle = [&service](Exchange& exchange) { rank(service, exchange); },
              .work = true,
              .request = {{"application/json", R"({"type":"object","required":["values"]})"}},
              .response = R"({"type":"object","required":["order"]})"});
}

}  // namespace infer::http
