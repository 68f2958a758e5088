#include <string>
#include <string_view>
#include <utility>

#include "calls/choose_model.h"
#include "calls/model_request.h"
#include "service.h"

namespace infer::http {

namespace {

/// One text in, its vector out as numbers separated by blanks: a protocol for shell scripts.
void embed(Service& service, Exchange& exchange) {
  ModelAdmission admission(service.models(), exchange, kTextEmbedding);
  if (!admission.before_body() || !admission.choose(WantedModel{})) return;
  const std::string_view text = exchange.request.body.text();
  auto answer =
      admission.task<TextEmbedder>().embed_many({&text, 1}, {}, exchange.call.options(), admission.permit());
  if (!answer) return admission.refuse(answer.error());
  std::string line;
  for (const float value : answer->vectors[0]) line += (line.empty() ? "" : " ") + std::to_string(value);
  exchange.answer.text = std::move(line) + '\n';
}

}  // namespace

void add_plain_routes(Router& router, Service& service) {
  router.add({.method = "POST",
              .path = "/plain/embed",
              .summary = "The vector of a plain text",
              .handle = [&service](Exchange& exchange) { embed(service, exchange); },
              .work = true,
              .request = {{"text/plain", R"({"type":"string"})"}},
              .response = R"({"type":"string"})"});
}

}  // namespace infer::http
