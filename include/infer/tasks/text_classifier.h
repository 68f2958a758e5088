#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "infer/core/result.h"
#include "infer/engine/engine.h"
#include "infer/engine/open.h"
#include "infer/export.h"
#include "infer/tasks/request.h"
#include "infer/tasks/text_embedder.h"
#include "infer/text/tokenizer.h"

namespace infer::inline v0 {

/// The answer for one text.
struct Classification {
  std::size_t label = 0;  ///< Index in `TextClassifier::labels()` of the highest score.
  /// One score for each label; `TextClassifier::scores_are` says what scores mean.
  std::vector<float> scores;
  /// Returns the highest score.
  float confidence() const { return scores[label]; }
};

/// The answers for several texts.
struct Classifications {
  std::vector<Classification> texts;  ///< One answer for each text, in order.
  Timings timings;                    ///< Times of the slowest text.
  std::size_t batch_size = 0;         ///< The largest batch that contained one of the texts.
};

/// Turns texts in UTF-8 into labels.
///
/// Thread-safe: call it from any number of threads; the engine batches across them. Tokenising runs in the
/// calling thread, the model on the engine's workers.
///
/// A model of the task text-classification gives logits. Scores are their softmax, unless infer.json says
/// otherwise: the sigmoid of each logit if several labels may be right, or the values themselves.
///
/// A sentence embedder classifies too, without training: the probabilities of a text are the softmax of 20
/// times the cosine between its vector and the vector of each label's name (20 as in SimCSE: Gao et al.,
/// 2021). Such zero-shot answers are a first guess; train a head if accuracy matters.
class INFER_EXPORT TextClassifier {
 public:
  /// The meaning of scores.
  enum class Scores {
    kShares,         ///< Probabilities that sum to 1: one label is right.
    kProbabilities,  ///< A probability for each label by itself: any number of labels is right.
    kValues,         ///< The values of a regression, not probabilities.
  };

  /// Loads models/NAME and warms it up; blocking.
  ///
  /// Errors: those of `open_engine` and `create`.
  static Result<TextClassifier> open(const std::filesystem::path& directory, const OpenOptions& options = {});
  /// Uses an engine that others may use too; the labels are those of infer.json.
  ///
  /// Blocks while a sentence embedder embeds the names of its labels.
  ///
  /// Errors: `kInvalidArgument` (no labels, or not one for each logit), and those of `TextEmbedder::create`.
  static Result<TextClassifier> create(std::shared_ptr<Engine> engine);

  /// Classifies several texts as one request: gives all answers, or an error that names the first bad text.
  ///
  /// The message begins with the text's index, such as "texts[2]: ...". Texts of too many tokens are cut.
  /// Blocks until all answers are there. A permit taken earlier may be passed on.
  ///
  /// Errors: `kModelError` (also for an output that is not finite), and those of `Engine::submit`.
  Result<Classifications> classify(std::span<const std::string_view> texts,
                                   const RequestOptions& options = {}, Permit permit = {}) const;

  /// Returns the labels, in the order of scores; valid as long as the classifier.
  const std::vector<std::string>& labels() const noexcept { return labels_; }
  /// Returns what scores mean.
  Scores scores_are() const noexcept { return scores_are_; }
  /// Returns the engine, for its clock, statistics and drain; valid as long as the classifier.
  Engine& engine() const noexcept { return *engine_; }

 private:
  TextClassifier(std::shared_ptr<Engine> engine, std::shared_ptr<const Tokenizer> tokenizer,
                 std::vector<std::string> labels)
      : engine_(std::move(engine)), tokenizer_(std::move(tokenizer)), labels_(std::move(labels)) {}
  std::vector<float> scores(std::span<const float> output) const;

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::vector<std::string> labels_;
  Scores scores_are_ = Scores::kShares;
  std::vector<std::vector<float>> label_vectors_;  // of zero-shot labels; else empty
};

}  // namespace infer::inline v0
