#include "infer/tasks/text_embedder.h"

#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "infer/tasks/text_classifier.h"
#include "recorded.h"
#include "rows.h"
#include "run_many.h"
#include "text_sample.h"
#include "vectors.h"

namespace infer::inline v0 {

Result<TextEmbedder> TextEmbedder::open(const std::filesystem::path& directory, const OpenOptions& options) {
  auto engine = open_engine(directory, options);
  if (!engine) return Unexpected(engine.error());
  return create(std::make_shared<Engine>(*std::move(engine)));
}

Result<TextEmbedder> TextEmbedder::create(std::shared_ptr<Engine> engine) {
  auto tokenizer = open_tokenizer(*engine);
  if (!tokenizer) return Unexpected(tokenizer.error());
  const auto dim = engine->model().backend->signature().outputs[0].shape[0];
  return TextEmbedder(std::move(engine), *std::move(tokenizer), static_cast<std::size_t>(dim));
}

Result<std::vector<float>> TextEmbedder::embed(std::string_view text, const TextOptions& how,
                                               const RequestOptions& options) const {
  auto result = embed_many({&text, 1}, how, options);
  if (!result) return Unexpected(result.error());
  return std::move(result->vectors.front());
}

Result<TextEmbeddings> TextEmbedder::embed_many(std::span<const std::string_view> texts,
                                                const TextOptions& how, const RequestOptions& options,
                                                Permit permit) const {
  return embed_all(texts, how, options, std::move(permit));
}

Result<TextEmbeddings> TextEmbedder::embed_tokens(std::span<const std::vector<std::int64_t>> texts,
                                                  const TextOptions& how, const RequestOptions& options,
                                                  Permit permit) const {
  return embed_all(texts, how, options, std::move(permit));
}

template <class Text>
Result<TextEmbeddings> TextEmbedder::embed_all(std::span<const Text> texts, const TextOptions& how,
                                               const RequestOptions& options, Permit permit) const {
  try {
    TextEmbeddings result;
    result.vectors.reserve(texts.size());
    const auto timings = run_many(
        *engine_, "inputs", texts.size(), options, std::move(permit),
        [&](std::size_t i) {
          auto prepared = text_sample(*engine_, *tokenizer_, texts[i], how.truncate);
          if (prepared) result.tokens += prepared->cost;
          return prepared;
        },
        [&](std::size_t, const Response& response) -> Result<void> {
          const auto values = response.outputs.front().as<float>();
          if (auto finite = check_finite(engine_->model(), values); !finite) return finite;
          result.vectors.emplace_back(values.begin(), values.end());
          if (how.normalize) normalise(result.vectors.back());
          return {};
        });
    return with_timings(std::move(result), timings);
  } catch (const std::bad_alloc&) {
    return Unexpected(out_of_memory());
  }
}

namespace {

/// With labels it classifies too.
class TextEmbeddingModel final : public TaskModel {
 public:
  TextEmbeddingModel(std::shared_ptr<Engine> engine, TextEmbedder embedder,
                     std::optional<TextClassifier> classifier)
      : TaskModel(std::move(engine), TaskInput::kText),
        embedder_(std::move(embedder)),
        classifier_(std::move(classifier)) {}

  Result<std::vector<float>> answer(std::string_view text) const override { return embedder_.embed(text); }
  std::size_t recorded() const noexcept override { return kRecordedTexts; }
  Result<std::vector<std::vector<float>>> recorded_answer(std::size_t index) const override {
    return single(embedder_.embed(recorded_text(index), {.normalize = false}));
  }

 protected:
  const void* find(const std::type_info& type) const noexcept override {
    if (type == typeid(TextEmbedder)) return &embedder_;
    return type == typeid(TextClassifier) && classifier_ ? &*classifier_ : nullptr;
  }

 private:
  const TextEmbedder embedder_;
  const std::optional<TextClassifier> classifier_;
};

}  // namespace

TaskRow text_embedding_task() noexcept {
  return {"text-embedding", TaskInput::kText,
          [](std::shared_ptr<Engine> engine, const TaskOptions&) -> Result<std::unique_ptr<TaskModel>> {
            auto embedder = TextEmbedder::create(engine);
            if (!embedder) return Unexpected(embedder.error());
            std::optional<TextClassifier> classifier;
            if (!engine->model().manifest.labels.empty()) {
              auto created = TextClassifier::create(engine);
              if (!created) return Unexpected(created.error());
              classifier = *std::move(created);
            }
            return std::make_unique<TextEmbeddingModel>(std::move(engine), *std::move(embedder),
                                                        std::move(classifier));
          },
          same_signature};
}

}  // namespace infer::inline v0
