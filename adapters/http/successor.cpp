#include "successor.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "infer/core/memory_limits.h"
#include "infer/models/quantize.h"
#include "infer/tasks/tensor_runner.h"

namespace infer::http {
namespace {

/// What loading needs for a byte of model file: the weights once as read and once as packed.
constexpr std::uint64_t kBytesPerFileByte = 2;
/// Between two files of the same weights in the same precision.
constexpr double kLeastCosineOfEquals = 0.9999;

Unexpected unfit(const std::string& what) { return fail(ErrorCode::kFailedPrecondition, what); }

Result<void> same(const char* what, const std::vector<TensorSpec>& now, const std::vector<TensorSpec>& next) {
  const bool equal = std::equal(now.begin(), now.end(), next.begin(), next.end(),
                                [](const TensorSpec& a, const TensorSpec& b) { return a.dtype == b.dtype; });
  return equal ? Result<void>()
               : unfit(std::string(what) + " have other dtypes than those of the version served");
}

std::string scores_of(const Manifest& manifest) {
  return manifest.scores.empty() ? "softmax" : manifest.scores;
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
  if (scores_of(now.manifest) != scores_of(next.manifest)) {
    return unfit("scores are " + scores_of(next.manifest) + ", in the version served " +
                 scores_of(now.manifest));
  }
  return {};
}

using Answers = std::vector<std::vector<float>>;

/// Numbers from -1 to 1 that are the same each time (SplitMix64: Steele et al., 2014).
void fill_with_noise(std::span<float> values) {
  std::uint64_t state = 0;
  for (float& value : values) {
    state += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    value = static_cast<float>((z ^ (z >> 31)) >> 40) * 0x1p-23F - 1.0F;
  }
}

/// Rows of noise through a model of images or plain tensors; nothing for one that takes something else.
Result<Answers> answers_to_noise(const ServedModel& model) {
  constexpr std::int64_t kRows = 4;
  const ModelSignature& signature = model.engine->model().backend->signature();
  const bool fp32 = std::all_of(signature.inputs.begin(), signature.inputs.end(),
                                [](const TensorSpec& spec) { return spec.dtype == DType::kFp32; });
  if (!fp32 || !signature.is_static()) return Answers();
  std::vector<Tensor> inputs;
  for (const TensorSpec& spec : signature.inputs) {
    auto input = Tensor::allocate(spec.dtype, spec.shape.with_batch(kRows));
    if (!input) return Unexpected(input.error());
    fill_with_noise(input->as<float>());
    inputs.push_back(*std::move(input));
  }
  auto result = TensorRunner(model.engine).run(inputs);
  if (!result) return Unexpected(result.error());
  Answers answers;
  for (const auto& row : result->rows) {
    for (const Tensor& output : row) {
      const auto values = output.as<float>();
      if (output.dtype() == DType::kFp32) answers.emplace_back(values.begin(), values.end());
    }
  }
  return answers;
}

/// Answers of `model` to what every model of its kind can be asked: the recorded window of a series, a few
/// sentences, noise.
Result<Answers> recorded_answers(const ServedModel& model) {
  static constexpr std::array<std::string_view, 4> kTexts{"The train leaves at seven.",
                                                          "Nobody liked the film, and neither did I.",
                                                          "2 + 2 = 4", "Regen am Nachmittag"};
  if (model.forecaster) {
    if (!model.forecaster->recorded_window()) return Answers();
    auto forecast = model.forecaster->forecast({});
    if (!forecast) return Unexpected(forecast.error());
    Answers answers;
    for (const auto& row : forecast->values) answers.emplace_back(row.begin(), row.end());
    return answers;
  }
  if (model.text_classifier) {
    auto answer = model.text_classifier->classify(kTexts);
    if (!answer) return Unexpected(answer.error());
    Answers answers;
    for (const auto& text : answer->texts) answers.push_back(text.scores);
    return answers;
  }
  if (model.text_embedder) {
    auto answer = model.text_embedder->embed_many(kTexts);
    if (!answer) return Unexpected(answer.error());
    return std::move(answer->vectors);
  }
  return answers_to_noise(model);
}

bool finite(const Answers& answers) {
  return std::all_of(answers.begin(), answers.end(), [](const std::vector<float>& answer) {
    return std::all_of(answer.begin(), answer.end(), [](float value) { return std::isfinite(value); });
  });
}

/// The length of the difference by the length of `a`: what an angle alone would not show of an answer that is
/// one number.
double relative_distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0;
  double length = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    length += static_cast<double>(a[i]) * a[i];
  }
  return difference == 0 ? 0 : std::sqrt(difference / length);
}

/// Answers of a version that others are asking too: where it is full, waits for a turn.
Result<Answers> answers_in_turn(const ServedModel& model) {
  constexpr std::chrono::seconds kPatience{60};
  constexpr std::chrono::milliseconds kPause{2};
  const TimePoint end = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    auto answers = recorded_answers(model);
    const bool full = !answers && answers.error().code == ErrorCode::kOverloaded;
    if (!full || std::chrono::steady_clock::now() > end) return answers;
    std::this_thread::sleep_for(kPause);  // nobody tells when a place is free
  }
}

/// Whether two versions of the same weights say the same, as near as their precisions let them.
Result<void> same_answers(const ServedModel& now, const Answers& next_answers, const ServedModel& next) {
  auto now_answers = answers_in_turn(now);
  if (!now_answers) {
    return unfit("same_weights_as: the version served, which it is compared with, did not answer: " +
                 now_answers.error().message);
  }
  const bool same_precision =
      now.engine->model().manifest.precision == next.engine->model().manifest.precision;
  // Two unit vectors of cosine c lie sqrt(2 - 2c) apart.
  const double cosine = same_precision ? kLeastCosineOfEquals : QuantizeOptions().least_cosine;
  const double most = std::sqrt(2 - 2 * cosine);
  for (std::size_t i = 0; i < std::min(now_answers->size(), next_answers.size()); ++i) {
    const std::vector<float>& a = (*now_answers)[i];
    const std::vector<float>& b = next_answers[i];
    const double distance = a.size() == b.size() ? relative_distance(a, b) : 1;
    if (!(distance <= most)) {
      return unfit("same_weights_as: its answers differ from those of the version served by " +
                   std::to_string(distance) + " of their length, at most " + std::to_string(most) +
                   " is allowed");
    }
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
  const Model& now_model = now.engine->model();
  const Model& next_model = next.engine->model();
  if (auto same = same_signature(now_model, next_model); !same) return same;
  auto answers = recorded_answers(next);
  if (!answers) return Unexpected(answers.error());
  if (!finite(*answers)) return unfit("its answers to recorded inputs are not finite");
  if (next_model.manifest.same_weights_as == now_model.directory.filename() &&
      !next_model.manifest.same_weights_as.empty()) {
    return same_answers(now, *answers, next);
  }
  return {};
}

}  // namespace infer::http
