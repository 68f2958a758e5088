#include "infer/tasks/task.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "rows.h"

namespace infer::inline v0 {

// Each row stands in the source file of its task.
TaskRow forecast_task() noexcept;
TaskRow image_embedding_task() noexcept;
TaskRow raw_task() noexcept;
TaskRow simulate_task() noexcept;
TaskRow text_classification_task() noexcept;
TaskRow text_embedding_task() noexcept;

namespace {

Unexpected takes_no_samples(const Engine& engine) {
  return fail(ErrorCode::kUnimplemented, engine.model().name + ": task " + engine.model().manifest.task +
                                             " takes neither images nor texts");
}

Result<void> same_dtypes(const char* what, const std::vector<TensorSpec>& now,
                         const std::vector<TensorSpec>& next) {
  const bool equal = std::equal(now.begin(), now.end(), next.begin(), next.end(),
                                [](const TensorSpec& a, const TensorSpec& b) { return a.dtype == b.dtype; });
  return equal ? Result<void>() : unfit(std::string(what) + " have other dtypes than in the served version");
}

std::string_view scores_of(const Manifest& manifest) {
  return manifest.scores.empty() ? std::string_view("softmax") : manifest.scores;
}

}  // namespace

Result<Sample> TaskModel::prepare_image(EncodedImage, const RequestOptions&) const {
  return takes_no_samples(*engine_);
}

Result<std::vector<float>> TaskModel::answer(std::string_view) const { return takes_no_samples(*engine_); }

Result<std::vector<std::vector<float>>> TaskModel::recorded_answer(std::size_t) const {
  return takes_no_samples(*engine_);
}

std::vector<std::vector<float>> values_of(const Response& response) {
  std::vector<std::vector<float>> outputs;
  for (const Tensor& output : response.outputs) {
    if (output.dtype() != DType::kFp32) continue;
    const auto values = output.as<float>();
    outputs.emplace_back(values.begin(), values.end());
  }
  return outputs;
}

Result<void> same_signature(const Model& now, const Model& next) {
  const ModelSignature& a = now.backend->signature();
  const ModelSignature& b = next.backend->signature();
  if (auto inputs = same_dtypes("inputs", a.inputs, b.inputs); !inputs) return inputs;
  if (auto outputs = same_dtypes("outputs", a.outputs, b.outputs); !outputs) return outputs;
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    if (!(a.outputs[i].shape == b.outputs[i].shape)) {
      return unfit("output " + b.outputs[i].name + " has shape " + b.outputs[i].shape.text() +
                   ", in the served version " + a.outputs[i].shape.text());
    }
  }
  if (now.manifest.labels != next.manifest.labels)
    return unfit("labels differ from those of the served version");
  if (scores_of(now.manifest) != scores_of(next.manifest)) {
    return unfit("scores are " + std::string(scores_of(next.manifest)) + ", in the served version " +
                 std::string(scores_of(now.manifest)));
  }
  return {};
}

// To add a task, add its header, its source file, its row here, its routes and its tests.
std::span<const TaskRow> tasks() noexcept {
  static const std::array rows{forecast_task(), image_embedding_task(),     raw_task(),
                               simulate_task(), text_classification_task(), text_embedding_task()};
  return rows;
}

Result<const TaskRow*> find_task(const Manifest& manifest, std::string_view place) {
  const auto all = tasks();
  const auto row = std::ranges::find(all, manifest.task, &TaskRow::name);
  if (row != all.end()) return &*row;
  std::string known;
  for (const TaskRow& task : all) known += (known.empty() ? "" : ", ") + std::string(task.name);
  return fail(ErrorCode::kInvalidArgument, std::string(place) + ": infer.json: task: '" +
                                               manifest.task.substr(0, 64) + "' is not one of " + known);
}

Result<std::unique_ptr<TaskModel>> make_task(std::shared_ptr<Engine> engine, const TaskOptions& options) {
  const auto row = find_task(engine->model().manifest, engine->model().name);
  if (!row) return Unexpected(row.error());
  return (*row)->create(std::move(engine), options);
}

}  // namespace infer::inline v0
