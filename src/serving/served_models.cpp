#include "infer/serving/served_models.h"

#include <algorithm>
#include <utility>

namespace infer::inline v0 {

Result<std::shared_ptr<ServedModel>> ServedModel::create(std::shared_ptr<Engine> engine,
                                                         const TaskOptions& options) {
  auto task = make_task(engine, options);
  if (!task) return Unexpected(task.error());
  auto model = std::make_shared<ServedModel>();
  model->engine = std::move(engine);
  model->task = *std::move(task);
  return model;
}

bool ServedModel::is_version(std::string_view version) const {
  const Model& loaded = engine->model();
  return loaded.version == version || (!version.empty() && loaded.directory.filename() == version);
}

std::vector<std::shared_ptr<ServedModel>> ServedModels::all() const {
  std::unique_lock lock(mutex_);
  return models_;
}

std::shared_ptr<ServedModel> ServedModels::find(std::string_view name, std::string_view version) const {
  std::unique_lock lock(mutex_);
  for (const auto& model : models_) {
    if (model->engine->model().name == name &&
        (version.empty() ? model->by_default : model->is_version(version)))
      return model;
  }
  return nullptr;
}

std::vector<std::shared_ptr<ServedModel>> ServedModels::replace(
    std::string_view name, std::vector<std::shared_ptr<ServedModel>> versions) {
  std::unique_lock lock(mutex_);
  const auto old = std::stable_partition(
      models_.begin(), models_.end(), [&](const auto& model) { return model->engine->model().name != name; });
  std::vector<std::shared_ptr<ServedModel>> replaced(old, models_.end());
  models_.erase(old, models_.end());
  models_.insert(models_.end(), versions.begin(), versions.end());
  return replaced;
}

std::shared_ptr<ServedModel> ServedModels::put(std::shared_ptr<ServedModel> model) {
  std::unique_lock lock(mutex_);
  for (auto& place : models_) {
    if (model->by_default && place->by_default && place->engine->model().name == model->engine->model().name)
      return std::exchange(place, std::move(model));
  }
  models_.push_back(std::move(model));
  return nullptr;
}

std::vector<std::string> ServedModels::names() const {
  std::unique_lock lock(mutex_);
  std::vector<std::string> out;
  for (const auto& model : models_) {
    if (model->by_default) out.push_back(model->engine->model().name);
  }
  return out;
}

}  // namespace infer::inline v0
