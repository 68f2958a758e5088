#include "calls/choose_model.h"

#include <utility>

#include "calls/model_request.h"
#include "infer/core/invalid.h"
#include "message/query.h"

namespace infer::http {
Result<WantedModel> read_wanted_model(JsonBody& body) {
  WantedModel wanted;
  for (const auto& [key, out] : {std::pair("model", &wanted.name), std::pair("version", &wanted.version)}) {
    if (body.find(key) == nullptr) continue;
    if (auto read = body.read(key, out->emplace()); !read) return Unexpected(read.error());
  }
  return wanted;
}

Result<WantedModel> with_query(const Exchange& exchange, WantedModel wanted) {
  if (exchange.request.query.empty()) return wanted;
  for (const auto& [key, out] : {std::pair("model", &wanted.name), std::pair("version", &wanted.version)}) {
    auto value = query_value(exchange.request.query, key);
    if (!value) return Unexpected(value.error());
    if (!*value) continue;
    if (*out && **out != **value) {
      return invalid(std::string(key) + ": is " + in_quotes(**out) + " in the body and " +
                     in_quotes(**value) + " in the query; give only one of them");
    }
    *out = **value;
  }
  return wanted;
}

bool ModelAdmission::before_body() { return done(exchange_.call.choose_early(models_, work_)); }

bool ModelAdmission::choose(const WantedModel& of_body) {
  const auto wanted = with_query(exchange_, of_body);
  return done(wanted ? exchange_.call.choose(models_, *wanted, work_) : Unexpected(wanted.error()));
}

bool ModelAdmission::choose(JsonBody& body) {
  auto wanted = read_wanted_model(body);
  return wanted ? choose(*wanted) : done(Unexpected(wanted.error()));
}

bool ModelAdmission::done(const Result<void>& step) {
  if (!step) refuse(step.error());
  return step.has_value();
}

void ModelAdmission::refuse(const Error& error) { http::refuse(exchange_, error); }

}  // namespace infer::http
