#include "choose_model.h"

#include <utility>
#include <vector>

#include "model_request.h"
#include "query.h"

namespace infer::http {
namespace {

std::string shown(const std::string& text) { return "'" + text.substr(0, 64) + "'"; }

void add_to_list(std::string& list, const std::string& name) {
  if (!list.empty()) list += ", ";
  list += name;
}

}  // namespace

Result<WantedModel> read_wanted_model(JsonBody& body) {
  WantedModel wanted;
  for (const auto& [key, out] : {std::pair("model", &wanted.name), std::pair("version", &wanted.version)}) {
    if (body.find(key) == nullptr) continue;
    if (auto read = body.read(key, out->emplace()); !read) return Unexpected(read.error());
  }
  return wanted;
}

Result<WantedModel> with_query(const Exchange& exchange, WantedModel wanted) {
  if (exchange.query.empty()) return wanted;
  for (const auto& [key, out] : {std::pair("model", &wanted.name), std::pair("version", &wanted.version)}) {
    auto value = query_value(exchange.query, key);
    if (!value) return Unexpected(value.error());
    if (!*value) continue;
    if (*out && **out != **value) {
      return fail(ErrorCode::kInvalidArgument, std::string(key) + ": the body says " + shown(**out) +
                                                   ", the query " + shown(**value) + "; give one of them");
    }
    *out = **value;
  }
  return wanted;
}

Result<std::shared_ptr<ServedModel>> choose_model(const ServedModels& models, const WantedModel& wanted,
                                                  const RouteTask& task) {
  const std::string kind = std::string(task.name) + " model";
  std::string would_do;  // by name
  std::string versions;  // of the one that was asked for, or of all
  std::string other_task;
  for (const auto& model : models.all()) {
    const Model& loaded = model->engine->model();
    const bool named = !wanted.name || loaded.name == *wanted.name;
    if (!task.done_by(*model)) {
      if (wanted.name && named) other_task = loaded.manifest.task;
      continue;
    }
    if (model->by_default) add_to_list(would_do, loaded.name);
    if (!named) continue;
    if (wanted.version ? model->is_version(*wanted.version) : model->by_default) return model;
    add_to_list(versions, (wanted.name ? "" : loaded.name + " ") + loaded.version);
  }
  const std::string instead =
      would_do.empty() ? "; no " + kind + " is loaded" : "; of " + kind + "s there are: " + would_do;
  if (!other_task.empty()) {
    return fail(ErrorCode::kInvalidArgument, "model: " + shown(*wanted.name) + " is for " + other_task +
                                                 ", not for " + task.name + instead);
  }
  if (!versions.empty()) {
    return fail(ErrorCode::kNotFound, "version: " + shown(*wanted.version) + " is not loaded" +
                                          (wanted.name ? " of model " + shown(*wanted.name) : std::string()) +
                                          "; there are: " + versions);
  }
  if (wanted.name)
    return fail(ErrorCode::kNotFound, "model: " + shown(*wanted.name) + " is not loaded" + instead);
  return fail(ErrorCode::kNotFound, "no " + kind + " is loaded");
}

bool ModelAdmission::before_body() {
  std::shared_ptr<ServedModel> only;
  for (auto& model : models_.all()) {
    if (!model->by_default || !task_.done_by(*model)) continue;
    if (only) return true;  // which of them, the body says
    only = std::move(model);
  }
  return only == nullptr || take(std::move(only));
}

bool ModelAdmission::choose(const WantedModel& of_body) {
  const auto wanted = with_query(exchange_, of_body);
  if (!wanted) {
    refuse(wanted.error());
    return false;
  }
  auto model = choose_model(models_, *wanted, task_);
  if (!model) {
    refuse(model.error());
    return false;
  }
  return *model == model_ || take(*std::move(model));
}

bool ModelAdmission::choose(JsonBody& body) {
  auto wanted = read_wanted_model(body);
  if (wanted) return choose(*wanted);
  refuse(wanted.error());
  return false;
}

bool ModelAdmission::take(std::shared_ptr<ServedModel> model) {
  model_ = std::move(model);
  note_model(exchange_, *model_);
  permit_ = {};
  auto permit = model_->engine->try_admit();
  if (!permit) {
    refuse(permit.error());
    return false;
  }
  permit_ = *std::move(permit);
  return true;
}

void ModelAdmission::refuse(const Error& error) {
  if (model_) return http::refuse(exchange_, *model_->engine, error);
  answer_error(exchange_, error);
}

}  // namespace infer::http
