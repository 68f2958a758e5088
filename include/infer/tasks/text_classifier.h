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
#include "infer/text/wordpiece.h"

namespace infer::inline v0 {

/// What a text was taken for.
struct Classification {
  std::size_t label = 0;      ///< The place of the label of the highest score in `labels()`.
  std::vector<float> scores;  ///< One for each label; what they are `TextClassifier::scores_are` says.
  float confidence() const { return scores[label]; }
};

/// Classifications in the order of the texts, and where the time went.
struct Classifications {
  std::vector<Classification> texts;
  Timings timings;
  std::size_t batch_size = 0;
};

/// Texts in UTF-8 in, labels out. Thread-safe, as `TextEmbedder` is.
///
/// A model of the task text-classification gives logits, and scores are their softmax, unless infer.json says
/// otherwise: the sigmoid of each where several labels may hold, or the values themselves. A sentence
/// embedder classifies too, without training: a text's probabilities are the softmax of 20 times the cosine
/// between its vector and that of each label's name (20 as in SimCSE: Gao et al., 2021). Such zero-shot
/// answers are a first guess; train a head where they matter.
class INFER_EXPORT TextClassifier {
 public:
  enum class Scores {
    kShares,         ///< Probabilities that sum to 1: one label is right.
    kProbabilities,  ///< A probability for each label by itself: any number of labels are right.
    kValues,         ///< No probabilities: values of a regression.
  };

  /// Loads models/NAME and warms it up; blocking. Errors: those of `open_engine` and `create`.
  static Result<TextClassifier> open(const std::filesystem::path& directory, const OpenOptions& options = {});
  /// Uses an engine that others may use too. The labels are those of infer.json. Blocks while an embedder
  /// embeds their names. Errors: `kInvalidArgument` (no labels, or not one for each logit), and those of
  /// `TextEmbedder::create`.
  static Result<TextClassifier> create(std::shared_ptr<Engine> engine);

  /// Classifies several texts as one request: all or an error that names the first bad one ("texts[2]: ...").
  /// Texts of too many tokens are cut. Errors: those of `Engine::submit`.
  Result<Classifications> classify(std::span<const std::string_view> texts,
                                   const RequestOptions& options = {}, Permit permit = {}) const;

  const std::vector<std::string>& labels() const noexcept { return labels_; }
  Scores scores_are() const noexcept { return scores_are_; }
  Engine& engine() const noexcept { return *engine_; }

 private:
  TextClassifier(std::shared_ptr<Engine> engine, WordPiece tokenizer, std::vector<std::string> labels)
      : engine_(std::move(engine)), tokenizer_(std::move(tokenizer)), labels_(std::move(labels)) {}
  std::vector<float> scores(std::span<const float> output) const;

  std::shared_ptr<Engine> engine_;
  WordPiece tokenizer_;
  std::vector<std::string> labels_;
  Scores scores_are_ = Scores::kShares;
  std::vector<std::vector<float>> label_vectors_;  // of zero-shot labels; else empty
};

}  // namespace infer::inline v0
