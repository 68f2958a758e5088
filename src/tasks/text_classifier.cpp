#include "infer/tasks/text_classifier.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <numeric>
#include <utility>

#include "infer/tasks/text_embedder.h"
#include "recorded.h"
#include "rows.h"
#include "run_many.h"
#include "text_sample.h"
#include "vectors.h"

namespace infer::inline v0 {
namespace {

constexpr double kZeroShotScale = 20;

}  // namespace

Result<TextClassifier> TextClassifier::open(const std::filesystem::path& directory,
                                            const OpenOptions& options) {
  auto engine = open_engine(directory, options);
  if (!engine) return Unexpected(engine.error());
  return create(std::make_shared<Engine>(*std::move(engine)));
}

Result<TextClassifier> TextClassifier::create(std::shared_ptr<Engine> engine) {
  const Model& model = engine->model();
  const std::vector<std::string>& labels = model.manifest.labels;
  if (labels.empty())
    return fail(ErrorCode::kInvalidArgument, model.name + ": infer.json: labels: is missing");
  auto tokenizer = open_tokenizer(*engine);
  if (!tokenizer) return Unexpected(tokenizer.error());
  TextClassifier classifier(engine, *std::move(tokenizer), labels);
  if (model.manifest.task == "text-embedding") {
    auto embedder = TextEmbedder::create(engine);
    if (!embedder) return Unexpected(embedder.error());
    const std::vector<std::string_view> names(labels.begin(), labels.end());
    auto vectors = embedder->embed_many(names);
    if (!vectors) return Unexpected(vectors.error());
    classifier.label_vectors_ = std::move(vectors->vectors);
    return classifier;
  }
  if (model.manifest.scores == "sigmoid") classifier.scores_are_ = Scores::kProbabilities;
  if (model.manifest.scores == "none") classifier.scores_are_ = Scores::kValues;
  const auto logits = static_cast<std::size_t>(model.backend->signature().outputs[0].shape[0]);
  if (logits != labels.size()) {
    return fail(ErrorCode::kInvalidArgument, model.name + ": infer.json: labels: there are " +
                                                 std::to_string(labels.size()) + ", the model gives " +
                                                 std::to_string(logits) + " logits");
  }
  return classifier;
}

std::vector<float> TextClassifier::scores(std::span<const float> output) const {
  std::vector<float> vector(output.begin(), output.end());
  if (scores_are_ == Scores::kValues) return vector;
  if (scores_are_ == Scores::kProbabilities) {
    for (float& value : vector) value = 1 / (1 + std::exp(-value));
    return vector;
  }
  if (label_vectors_.empty()) return softmax(output);
  normalise(vector);
  std::vector<float> cosines;
  for (const auto& label : label_vectors_)
    cosines.push_back(std::inner_product(vector.begin(), vector.end(), label.begin(), 0.0F));
  return softmax(cosines, kZeroShotScale);
}

Result<Classifications> TextClassifier::classify(std::span<const std::string_view> texts,
                                                 const RequestOptions& options, Permit permit) const {
  try {
    Classifications result;
    result.texts.reserve(texts.size());
    const auto timings = run_many(
        *engine_, "texts", texts.size(), options, std::move(permit),
        [&](std::size_t i) { return text_sample(*engine_, *tokenizer_, texts[i], true); },
        [&](std::size_t, const Response& response) -> Result<void> {
          const auto values = response.outputs.front().as<float>();
          if (auto finite = check_finite(engine_->model(), values); !finite) return finite;
          Classification one;
          one.scores = scores(values);
          one.label = static_cast<std::size_t>(std::max_element(one.scores.begin(), one.scores.end()) -
                                               one.scores.begin());
          result.texts.push_back(std::move(one));
          return {};
        });
    return with_timings(std::move(result), timings);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

namespace {

class TextClassificationModel final : public TaskModel {
 public:
  TextClassificationModel(std::shared_ptr<Engine> engine, TextClassifier classifier, TextEmbedder logits)
      : TaskModel(std::move(engine), TaskInput::kText),
        classifier_(std::move(classifier)),
        logits_(std::move(logits)) {}

  /// Logits where one label is right. Scores that stand for themselves otherwise: an angle shows nothing of a
  /// single number, so each probability comes with its complement.
  Result<std::vector<float>> answer(std::string_view text) const override {
    if (classifier_.scores_are() == TextClassifier::Scores::kShares)
      return logits_.embed(text, {.normalize = false});
    auto answer = classifier_.classify({&text, 1});
    if (!answer) return Unexpected(answer.error());
    std::vector<float> scores = std::move(answer->texts.front().scores);
    if (classifier_.scores_are() == TextClassifier::Scores::kValues) return scores;
    const std::size_t labels = scores.size();
    for (std::size_t i = 0; i < labels; ++i) scores.push_back(1 - scores[i]);
    return scores;
  }
  std::size_t recorded() const noexcept override { return kRecordedTexts; }
  Result<std::vector<std::vector<float>>> recorded_answer(std::size_t index) const override {
    return single(answer(recorded_text(index)));
  }

 protected:
  const void* find(const std::type_info& type) const noexcept override {
    return type == typeid(TextClassifier) ? &classifier_ : nullptr;
  }

 private:
  const TextClassifier classifier_;
  const TextEmbedder logits_;
};

}  // namespace

TaskRow text_classification_task() noexcept {
  return {"text-classification", TaskInput::kText,
          [](std::shared_ptr<Engine> engine, const TaskOptions&) -> Result<std::unique_ptr<TaskModel>> {
            auto classifier = TextClassifier::create(engine);
            if (!classifier) return Unexpected(classifier.error());
            auto logits = TextEmbedder::create(engine);
            if (!logits) return Unexpected(logits.error());
            return std::make_unique<TextClassificationModel>(std::move(engine), *std::move(classifier),
                                                             *std::move(logits));
          },
          same_signature};
}

}  // namespace infer::inline v0
