#include "infer/serving/call.h"

#include <utility>

#include "infer/core/invalid.h"

namespace infer::inline v0 {
namespace {

void add_to_list(std::string& list, const std::string& name) {
  if (!list.empty()) list += ", ";
  list += name;
}

}  // namespace

Result<std::shared_ptr<ServedModel>> choose_model(const ServedModels& models, const WantedModel& wanted,
                                                  const Work& work) {
  const std::string kind = std::string(work.name) + " model";
  std::string would_do;  // names of models that do the work
  std::string versions;  // of the model that was asked for, or of all models
  std::string other_task;
  for (const auto& model : models.all()) {
    const Model& loaded = model->engine->model();
    const bool named = !wanted.name || loaded.name == *wanted.name;
    if (!work.done_by(*model)) {
      if (wanted.name && named) other_task = loaded.manifest.task;
      continue;
    }
    if (model->by_default) add_to_list(would_do, loaded.name);
    if (!named) continue;
    if (wanted.version ? model->is_version(*wanted.version) : model->by_default) return model;
    add_to_list(versions, (wanted.name ? "" : loaded.name + " ") + loaded.version);
  }
  const std::string instead =
      would_do.empty() ? "; no " + kind + " is loaded" : "; loaded " + kind + "s: " + would_do;
  if (!other_task.empty()) {
    return fail(ErrorCode::kInvalidArgument, "model: " + in_quotes(*wanted.name) + " is for " + other_task +
                                                 ", not for " + work.name + instead);
  }
  if (!versions.empty()) {
    return fail(ErrorCode::kNotFound,
                "version: " + in_quotes(*wanted.version) + " is not loaded" +
                    (wanted.name ? " for model " + in_quotes(*wanted.name) : std::string()) +
                    "; loaded versions: " + versions);
  }
  if (wanted.name)
    return fail(ErrorCode::kNotFound, "model: " + in_quotes(*wanted.name) + " is not loaded" + instead);
  return fail(ErrorCode::kNotFound, "no " + kind + " is loaded");
}

Result<void> Call::choose_early(const ServedModels& models, const Work& work) {
  std::shared_ptr<ServedModel> only;
  for (auto& model : models.all()) {
    if (!model->by_default || !work.done_by(*model)) continue;
    if (only) return {};
    only = std::move(model);
  }
  return only == nullptr ? Result<void>() : take(std::move(only));
}

Result<void> Call::choose(const ServedModels& models, const WantedModel& wanted, const Work& work) {
  auto model = choose_model(models, wanted, work);
  if (!model) return Unexpected(model.error());
  if (*model == model_ && permit_) return {};
  return take(*std::move(model));
}

Result<void> Call::take(std::shared_ptr<ServedModel> model) {
  permit_ = {};
  model_ = std::move(model);
  auto permit = model_->engine->try_admit();
  if (!permit) return Unexpected(permit.error());
  permit_ = *std::move(permit);
  return {};
}

std::optional<int> Call::retry_after_seconds(const Error& error) const {
  if (error.code != ErrorCode::kOverloaded && error.code != ErrorCode::kUnavailable) return std::nullopt;
  if (model_ != nullptr) return model_->engine->retry_after_seconds();
  return error.code == ErrorCode::kUnavailable ? std::optional(1) : std::nullopt;
}

void Call::finish(bool success, TimePoint now) const noexcept {
  if (model_ == nullptr) return;
  if (success) {
    model_->statistics->succeeded(now - start, timings_.value_or(Timings{}), samples_);
  } else {
    model_->statistics->failed(now - start);
  }
}

}  // namespace infer::inline v0
