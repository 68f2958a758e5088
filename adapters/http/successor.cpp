#include "successor.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "infer/core/memory_limits.h"

namespace infer::http {
namespace {

/// What loading needs for a byte of model file: the weights once as read and once as packed.
constexpr std::uint64_t kBytesPerFileByte = 2;

Unexpected unfit(const std::string& what) { return fail(ErrorCode::kFailedPrecondition, what); }

Result<void> same(const char* what, const std::vector<TensorSpec>& now, const std::vector<TensorSpec>& next) {
  const bool equal = std::equal(now.begin(), now.end(), next.begin(), next.end(),
                                [](const TensorSpec& a, const TensorSpec& b) { return a.dtype == b.dtype; });
  return equal ? Result<void>()
               : unfit(std::string(what) + " have other dtypes than those of the version served");
}

/// What a caller sees of a model must stay; how it gets there, such as how far a forecaster looks back, need
/// not.
Result<void> same_signature(const Model& now, const Model& next) {
  if (now.manifest.task != next.manifest.task)
    return unfit("task is " + next.manifest.task + ", the version served does " + now.manifest.task);
  if (now.manifest.task == "forecast") {
    const SeriesSpec& a = *now.manifest.series;
    const SeriesSpec& b = *next.manifest.series;
    if (a.columns != b.columns || a.targets != b.targets)
      return unfit("series.columns and targets differ from those of the version served");
    return {};
  }
  const ModelSignature& a = now.backend->signature();
  const ModelSignature& b = next.backend->signature();
  if (auto inputs = same("inputs", a.inputs, b.inputs); !inputs) return inputs;
  if (auto outputs = same("outputs", a.outputs, b.outputs); !outputs) return outputs;
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    if (!(a.outputs[i].shape == b.outputs[i].shape))
      return unfit("output " + b.outputs[i].name + " is " + b.outputs[i].shape.text() +
                   ", in the version served " + a.outputs[i].shape.text());
  }
  if (now.manifest.labels != next.manifest.labels)
    return unfit("labels differ from those of the version served");
  return {};
}

bool finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

/// Answers of `model` to something of its own: a recorded window, a text, a grey image.
Result<void> finite_answers(const ServedModel& model) {
  const auto not_finite = [] { return unfit("its answers to recorded inputs are not finite"); };
  if (model.forecaster) {
    if (!model.forecaster->recorded_window()) return {};
    auto forecast = model.forecaster->forecast({});
    if (!forecast) return Unexpected(forecast.error());
    for (const auto& row : forecast->values) {
      if (!std::all_of(row.begin(), row.end(), [](double value) { return std::isfinite(value); }))
        return not_finite();
    }
  } else if (model.text_embedder) {
    auto vector = model.text_embedder->embed("a recorded sentence");
    if (!vector) return Unexpected(vector.error());
    if (!finite(*vector)) return not_finite();
  } else if (model.text_classifier) {
    const std::string_view text = "a recorded sentence";
    auto answer = model.text_classifier->classify({&text, 1});
    if (!answer) return Unexpected(answer.error());
    if (!finite(answer->texts.front().scores)) return not_finite();
  }
  return {};
}

}  // namespace

Result<void> room_for(const std::filesystem::path& version) {
  const MemoryLimits limits = read_memory_limits();
  if (!limits.limit_bytes) return {};
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(version, error)) {
    if (entry.is_regular_file(error)) bytes += entry.file_size(error);
  }
  const std::uint64_t needed = kBytesPerFileByte * bytes;
  const std::uint64_t left = *limits.limit_bytes - std::min(*limits.limit_bytes, limits.used_bytes);
  if (needed <= left) return {};
  return unfit("loading it beside the version served needs about " + std::to_string(needed >> 20) +
               " MiB, the control group's limit leaves " + std::to_string(left >> 20));
}

Result<void> check_successor(const ServedModel& now, const ServedModel& next) {
  if (auto same = same_signature(now.engine->model(), next.engine->model()); !same) return same;
  return finite_answers(next);
}

}  // namespace infer::http
